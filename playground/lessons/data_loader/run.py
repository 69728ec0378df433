"""What the live labs of the lesson Data loader share: a reading that goes on by itself, shown batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playground.lessons.data_loader.reader import Loading
from playground.lessons.data_loader.timed_dataset import Batch, Plan
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings


def batch_sizes(plan: Plan) -> list[int]:
    """The sizes of an epoch's batches, in order. Raises ValueError where drop_last leaves none."""
    full, rest = divmod(plan.samples, plan.batch_size)
    if plan.drop_last and not full:
        raise ValueError(
            f"With drop_last and {plan.samples} samples, a batch of {plan.batch_size} never fills: there are no "
            f"batches at all. Choose a batch size of at most {plan.samples}, or switch drop_last off."
        )
    return [plan.batch_size] * full + [rest] * (rest > 0 and not plan.drop_last)


class LoadingRun(SteppedRun):
    """Batches that come by themselves, in the order of their plans; a step shows the next one that is there."""

    def __init__(self, config: Any, settings: Settings, plans: Sequence[Plan]) -> None:
        super().__init__(config, settings, sum(plan.epochs * len(batch_sizes(plan)) for plan in plans))
        self.plans = tuple(plans)
        self.loading: Loading | None = None
        self.batches: list[Batch] = []

    def ready(self) -> bool:
        """Whether the next batch has come. The first question starts the reading; a reading cut short starts anew."""
        if self.loading is None or (not self.loading.alive and self.steps >= len(self.loading.look())):
            self.loading = Loading(self.plans, self.settings.loaders)
        come = self.loading.look()
        if come is not self.batches:
            self.batches, self.steps = come, 0
        return self.steps < len(come)

    def step(self) -> None:
        """Show the batch that has come; nothing else is to be done."""

    @property
    def notice(self) -> str:
        """What the reading has to say: that it starts, waits for others, or fell back to 0 workers."""
        return "" if self.loading is None else self.loading.note

    def told(self, sentence: str) -> str:
        """The narrator's line: with what the reading has to say before it."""
        return f"{self.notice} {sentence}".strip()
