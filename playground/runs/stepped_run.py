"""A run that is not a training: something shown one step at a time, with the player and the time slider."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Self

from playground.engine.commands import Command, CommandError, LookBack
from playground.engine.frames import Figure
from playground.engine.messages import OUT_OF_TIME, UNKNOWN_COMMAND
from playground.engine.run import Drawing, Outcome
from playground.settings import Settings


class SteppedRun(ABC):
    """Steps that a student goes through and can look back at.

    `length` is the number of steps; None means that they do not end. What is shown depends on the config and the number
    of the step alone, so what a step computes is kept: earlier steps can then be drawn again.
    """

    def __init__(self, config: Any, settings: Settings, length: int | None) -> None:
        self.config = config
        self.settings = settings
        self.length = length
        self.steps = 0
        self.outcome: Outcome = ""
        self._viewed: int | None = None

    @abstractmethod
    def step(self) -> None:
        """Do the next step; `self.steps` is the number done so far. It must be short, because other runs wait."""

    def ready(self) -> bool:
        """Whether the next step can be taken now; False while it waits for something."""
        return True

    @abstractmethod
    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """Each chart's name and the function that draws it as it was after `at` steps."""

    def status(self, at: int) -> dict[str, float]:
        """More numbers beside the player."""
        del at
        return {}

    @abstractmethod
    def narrate(self, at: int) -> str:
        """One sentence about what the charts show after `at` steps."""

    def edit(self, command: Command) -> None:
        """Obey a command that only some labs know. Raises ValueError with a sentence."""
        raise CommandError(UNKNOWN_COMMAND)

    # What the engine asks.

    @property
    def auto_speed(self) -> float:
        """Steps a second when nobody has chosen a speed: slow enough to follow."""
        return 2.0

    def steps_in_epochs(self, epochs: int) -> int:
        """The number of steps in `epochs` epochs: one each, unless the lab counts epochs."""
        return epochs

    def advance(self, seconds: float, steps: int) -> int:
        """Take steps until the time is up, the number is reached or none is ready; returns the number taken."""
        end = time.perf_counter() + seconds
        taken = 0
        while taken < steps and not self.outcome and self.ready():
            self.step()
            self.steps += 1
            taken += 1
            if self.length is not None and self.steps >= self.length:
                self.outcome = "done"
            if time.perf_counter() >= end:
                break
        return taken

    def apply(self, command: Command) -> None:
        """Look back at a step, or obey a command of the lab's own. Raises ValueError with a sentence."""
        if not isinstance(command, LookBack):
            self.edit(command)
            return
        if command.index is not None and not 0 <= command.index <= self.steps:
            raise CommandError(OUT_OF_TIME.format(most=self.steps))
        self._viewed = command.index if command.step is None else min(command.step, self.steps)

    def tune(self, config: Any) -> None:
        """Set the live knobs to those of this config."""
        self.config = config

    def rebuilt(self, config: Any) -> Self:
        """A new run at step 0."""
        return type(self)(config, self.settings)  # type: ignore[call-arg]  # subclasses know their own length

    def resume(self) -> None:
        """Play again from the first step."""
        self.steps, self.outcome, self._viewed = 0, "", None

    def draw(self, charts: list[str], options: Mapping[str, bool]) -> Drawing:
        """The charts asked for, the status, the narrator's sentence and the time slider."""
        at = self.steps if self._viewed is None or self._viewed > self.steps else self._viewed
        figures = self.figures(at, options)
        time_slider = {
            "count": self.steps + 1, "at": self._viewed, "step": at, "now": self.steps, "end": self.length,
        }  # fmt: skip
        drawn = {name: figures[name]() for name in charts if name in figures}
        return Drawing(drawn, {"step": at, **self.status(at)}, self.narrate(at), time_slider)
