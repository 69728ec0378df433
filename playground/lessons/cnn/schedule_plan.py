"""The steps over which the learning rate's schedule was planned, computed from the changes during the run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from playground.lessons.cnn.config import load_digits
from playground.runs.journal import Change, RunHistory
from playground.training.trainer import Batches

CONTINUED = "After step {step:,}. The training had ended and was continued."
PLANNED_AGAIN = "The schedule was planned again."


@dataclass(frozen=True)
class Plan:
    """A schedule from step `start` over `steps` steps, valid after step `since`; `why` is a comment for the script."""

    since: int
    start: int
    steps: int
    why: str = ""

    @property
    def code(self) -> str:
        """The statement in a script."""
        return f"plan_start, plan_steps = {self.start}, {self.steps}"


class _DryRun:
    """A run without its computations: it counts steps and epochs, and plans the schedule as the run did."""

    def __init__(self, run_history: RunHistory) -> None:
        self.config, self.steps = run_history.start.config, run_history.start.steps
        self.batches = Batches(self._images(), self._images(), self.config.batch_size, torch.Generator())
        self.stop: float = self.config.epochs or math.inf
        first = 0, max(1, self.config.epochs) * self.batches.steps_per_epoch
        if run_history.saved is not None:
            own: Any = run_history.saved.state["own"]
            self.batches.load_state_dict(run_history.saved.state["batches"])
            first, self.stop = own["plan"], math.inf if own["stop_epoch"] is None else own["stop_epoch"]
        self.found = [Plan(self.steps, int(first[0]), int(first[1]))]

    def _images(self) -> torch.Tensor:
        return torch.empty(len(load_digits().y_train[: self.config.images]))

    def _left(self) -> int:
        """Steps until the run stops; 0 if it already has or never does."""
        left = self.stop - self.batches.epochs
        if not 0 < left < math.inf:
            return 0
        return self.batches.left_in_epoch + (int(left) - 1) * self.batches.steps_per_epoch

    def _plan(self, start: int, why: str) -> None:
        last, plan = self.found[-1], Plan(self.steps, start, max(1, self.steps - start + self._left()), why)
        if (last.start, last.steps) != (plan.start, plan.steps):
            self.found.append(plan)

    def advance(self, until: int) -> None:
        """Advance to a step, and continue after every stop before it."""
        while self.steps < until:
            batches = self.batches
            if batches.epochs >= self.stop:
                self.stop = batches.epochs + (self.config.epochs or math.inf)
                self._plan(self.steps, CONTINUED.format(step=self.steps))
            taken = min(until - self.steps, batches.left_in_epoch)
            self.steps += taken
            if batches.whole:
                batches.epochs += 1
                continue
            if batches.position == len(batches.order):
                batches.order, batches.position = torch.empty(len(batches.x), dtype=torch.long), 0
            batches.position = min(batches.position + taken * batches.batch_size, len(batches.order))
            batches.epochs += batches.position == len(batches.order)

    def apply(self, change: Change) -> None:
        """Take over changed knobs, and plan the schedule again if it depends on them."""
        before, after = self.config, change.config
        self.config = after
        changed = {name for name in ("epochs", "batch_size", "images", "schedule")
                  if getattr(before, name) != getattr(after, name)}  # fmt: skip
        if "images" in changed:
            self.batches.replace(self._images(), self._images())
        if "batch_size" in changed:
            self.batches.resize(after.batch_size)
        if "epochs" in changed:
            self.stop = after.epochs or math.inf
        if changed and after.epochs:
            self._plan(self.found[-1].start, PLANNED_AGAIN)


def plans(run_history: RunHistory) -> list[Plan]:
    """The plans of a run up to its current step, the first one at its start."""
    dry_run = _DryRun(run_history)
    for change in run_history.changes:
        dry_run.advance(change.steps)
        dry_run.apply(change)
    dry_run.advance(run_history.steps)
    return dry_run.found
