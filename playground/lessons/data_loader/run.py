"""The base of the two live labs: batches that are read in the background and shown one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playground.lessons.data_loader.reader import Loading
from playground.lessons.data_loader.timed_dataset import Batch, Plan
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings

NO_BATCHES = (
    "With drop_last and {samples} samples, a batch of {batch_size} never fills, so there are no batches. Choose a "
    "batch size of at most {samples}, or switch drop_last off."
)
NOTICE_FIRST = "{notice} {sentence}"


def batch_sizes(plan: Plan) -> list[int]:
    """The sizes of an epoch's batches, in order. Raises ValueError if drop_last leaves no batch."""
    full, rest = divmod(plan.samples, plan.batch_size)
    if plan.drop_last and not full:
        raise ValueError(NO_BATCHES.format(samples=plan.samples, batch_size=plan.batch_size))
    return [plan.batch_size] * full + [rest] * (rest > 0 and not plan.drop_last)


class LoadingRun(SteppedRun):
    """A run over batches read in the background, in the order of their plans; a step shows the next one."""

    def __init__(self, config: Any, settings: Settings, plans: Sequence[Plan]) -> None:
        super().__init__(config, settings, sum(plan.epochs * len(batch_sizes(plan)) for plan in plans))
        self.plans = tuple(plans)
        self.loading: Loading | None = None
        self.batches: list[Batch] = []

    def ready(self) -> bool:
        """Whether the next batch is here. The first call starts the reading; a reading cut short starts again."""
        if self.loading is None or (not self.loading.alive and self.steps >= len(self.loading.look())):
            self.loading = Loading(self.plans, self.settings.loaders)
        batches = self.loading.look()
        if batches is not self.batches:
            self.batches, self.steps = batches, 0
        return self.steps < len(batches)

    def step(self) -> None:
        """Count the next batch as shown; nothing is computed."""

    @property
    def notice(self) -> str:
        """A sentence of the reading: that it starts, waits for others, or fell back to 0 workers; or an empty text."""
        return "" if self.loading is None else self.loading.note

    def with_notice(self, sentence: str) -> str:
        """The sentence after the reading's notice, if there is one."""
        return NOTICE_FIRST.format(notice=self.notice, sentence=sentence) if self.notice else sentence
