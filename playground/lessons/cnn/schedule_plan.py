"""Over which steps the learning rate's schedule went, worked out from what was changed on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from playground.lessons.cnn.config import load_digits
from playground.runs.journal import Change, Course
from playground.training.trainer import Batches


@dataclass(frozen=True)
class Plan:
    """A schedule from step `start` over `steps` steps, in force after step `since`."""

    since: int
    start: int
    steps: int
    why: str = ""

    @property
    def code(self) -> str:
        """The statement that a script has for it."""
        return f"plan_start, plan_steps = {self.start}, {self.steps}"


class _Walk:
    """A run without its arithmetic: its steps, epochs and plans."""

    def __init__(self, course: Course) -> None:
        self.config, self.steps = course.start.config, course.start.steps
        self.batches = Batches(self._images(), self._images(), self.config.batch_size, torch.Generator())
        self.stop: float = self.config.epochs or math.inf
        first = 0, max(1, self.config.epochs) * self.batches.steps_per_epoch
        if course.saved is not None:
            own: Any = course.saved.state["own"]
            self.batches.load_state_dict(course.saved.state["batches"])
            first, self.stop = own["plan"], math.inf if own["stop_epoch"] is None else own["stop_epoch"]
        self.found = [Plan(self.steps, int(first[0]), int(first[1]))]

    def _images(self) -> torch.Tensor:
        return torch.empty(len(load_digits().y_train[: self.config.images]))

    def _left(self) -> int:
        """Steps until the run stops; 0 where it already has, or never does."""
        left = self.stop - self.batches.epochs
        if not 0 < left < math.inf:
            return 0
        return self.batches.left_in_epoch + (int(left) - 1) * self.batches.steps_per_epoch

    def _plan(self, start: int, why: str) -> None:
        last, plan = self.found[-1], Plan(self.steps, start, max(1, self.steps - start + self._left()), why)
        if (last.start, last.steps) != (plan.start, plan.steps):
            self.found.append(plan)

    def go(self, until: int) -> None:
        """Walk to a step, on from every stop before it."""
        while self.steps < until:
            batches = self.batches
            if batches.epochs >= self.stop:
                self.stop = batches.epochs + (self.config.epochs or math.inf)
                self._plan(self.steps, f"After step {self.steps:,}. The training had ended and went on.")
            taken = min(until - self.steps, batches.left_in_epoch)
            self.steps += taken
            if batches.whole:
                batches.epochs += 1
                continue
            if batches.position == len(batches.order):
                batches.order, batches.position = torch.empty(len(batches.x), dtype=torch.long), 0
            batches.position = min(batches.position + taken * batches.batch_size, len(batches.order))
            batches.epochs += batches.position == len(batches.order)

    def turn(self, change: Change) -> None:
        """What a turned knob makes of the plan."""
        before, after = self.config, change.config
        self.config = after
        turned = {name for name in ("epochs", "batch_size", "images", "schedule")
                  if getattr(before, name) != getattr(after, name)}  # fmt: skip
        if "images" in turned:
            self.batches.replace(self._images(), self._images())
        if "batch_size" in turned:
            self.batches.resize(after.batch_size)
        if "epochs" in turned:
            self.stop = after.epochs or math.inf
        if turned and after.epochs:
            self._plan(self.found[-1].start, "The schedule's plan was made anew.")


def plans(course: Course) -> list[Plan]:
    """The plans of a run up to its present step, the first at its start."""
    walk = _Walk(course)
    for change in course.changes:
        walk.go(change.steps)
        walk.turn(change)
    walk.go(course.steps)
    return walk.found
