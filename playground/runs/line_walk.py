"""Training runs whose coming step can be shown line by line; its last line is the step itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from playground.runs.point_run import PointRun
from playground.training.line_by_line import LINES, StepLines, coming_step
from playground.training.retune import optimizer_of


@dataclass(frozen=True)
class Walk:
    """The lines of one step, of which the first `shown` are shown; `of` is what the run was when they were computed."""

    step: int  # that they lead to
    shown: int
    lines: StepLines
    of: Any

    @property
    def is_complete(self) -> bool:
        """Whether all lines have run, so that the step is taken."""
        return self.shown == len(LINES)


class LineRun(PointRun):
    """A `PointRun` that offers `next_lines` to the engine. Nothing of the training changes before the last line."""

    _walk: Walk | None = None
    _walks_to: tuple[int, int] | None = None  # a step, and how many lines of the next to show then; 0: all of its own

    def loss_for(self, model: nn.Module) -> nn.Module:
        """The loss function with which a copy of the model is trained; a lesson with penalties overrides it."""
        del model
        return self.trainer.loss_fn

    @property
    def walk(self) -> Walk | None:
        """The lines that are shown one at a time; None if something else was done since."""
        walk = self._walk
        if walk is None or walk.of != self._now() or walk.step - (not walk.is_complete) != self.steps:
            return None
        return walk

    def next_lines(self, count: int) -> int:
        """Show `count` more lines of the coming step; returns the number of steps whose last line is among them."""
        walk = self.walk
        at = walk.shown if walk is not None and not walk.is_complete else 0
        due, shown = divmod(at + count, len(LINES))
        if due:
            self._walks_to = (self.steps + due, shown)
        else:
            lines = walk.lines if walk is not None and at else self.coming_step()
            self._walk = Walk(self.steps + 1, shown, lines, self._now())
        return due

    def step(self) -> None:
        """Take a step; it is shown with all its lines if it is the last line that was asked for."""
        at, shown = self._walks_to or (-1, 0)
        is_there = self.steps + 1 == at
        lines = self.coming_step() if is_there and not shown else None
        super().step()
        if not is_there:
            return
        self._walks_to = None
        if lines is not None:
            self._walk = Walk(at, len(LINES), lines, self._now())
        else:
            self._walk = Walk(at + 1, shown, self.coming_step(), self._now())

    def coming_step(self) -> StepLines:
        """What the lines of the coming step compute."""
        return coming_step(
            self.trainer,
            lambda model: (self.loss_for(model), optimizer_of(self.config, model)),
        )

    def _now(self) -> Any:
        return self.config, self.edits, self.weights_set
