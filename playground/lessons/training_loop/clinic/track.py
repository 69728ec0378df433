"""A script on its way through the steps of a run: what was drawn and read of it at each step is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from playground.lessons.doctor.rules import diagnose
from playground.lessons.doctor.watch import Watch
from playground.lessons.training_loop.clinic.case import Measure
from playground.lessons.training_loop.clinic.script import Script


class Track:
    """A script, with its curves and what stood beside its lines after each step.

    A step is a pass of the training loop, or a statement where it goes `by_line`. `length` is the number of steps. With
    a `watch`, the doctor sees the run.
    """

    def __init__(
        self, text: str, curves: Sequence[str] = (), *, by_line: bool = False, watch: Watch | None = None
    ) -> None:
        self.lines = text.rstrip("\n").split("\n")
        self.by_line = by_line
        self.script = Script(text, watch)
        self.watch = watch
        self._curves: dict[str, list[float]] = {name: [] for name in curves}
        self._notes: list[Mapping[int, str]] = []
        self._positions: list[int] = []
        if by_line:
            self.length = _count_of_lines(text)
        else:
            self.script.begin()
            self.length = self.script.length
        self._keep()

    def advance_to(self, steps: int) -> None:
        """Take the steps that are missing, unless the script has ended."""
        while len(self._notes) <= steps and not self.has_ended:
            if self.by_line:
                self.script.run_line()
            else:
                self.script.step()
                for name, values in self._curves.items():
                    values.append(self.script.value(name))
            self._keep()

    @property
    def steps(self) -> int:
        """The number of steps taken."""
        return len(self._notes) - 1

    @property
    def has_ended(self) -> bool:
        """Whether the script is at its end, or has failed."""
        return self.steps >= self.length or bool(self.script.error)

    def has_ended_at(self, at: int) -> bool:
        """Whether it was at its end after `at` steps."""
        return self.has_ended and at >= self.steps

    @property
    def error(self) -> str:
        """What the script has raised, as the last line of its traceback; "" if it has not."""
        return self.script.error

    def curve(self, name: str, at: int) -> NDArray[np.float64]:
        """A number of the script after each of the first `at` passes."""
        return np.array(self._curves[name][:at], np.float64)

    def loss(self, at: int) -> float:
        """The first curve's value after `at` steps; NaN before the first."""
        values = next(iter(self._curves.values()), [])[:at]
        return values[-1] if values else float("nan")

    def beside(self, at: int) -> Mapping[int, str]:
        """What each line had made after `at` steps."""
        return self._notes[min(at, self.steps)]

    def position(self, at: int) -> int:
        """The line that had run last after `at` steps."""
        return self._positions[min(at, self.steps)]

    def result(self, measure: Measure | None) -> float:
        """The number that the script ends with; NaN where there is none."""
        return float("nan") if measure is None else measure.of(self.script.names)

    def diagnosis(self) -> str:
        """What the doctor finds in a run that was watched, in a sentence; "" where nothing can be seen in the run."""
        found = None if self.watch is None else diagnose(self.watch.evidence())
        return "" if found is None else found.sentence

    def _keep(self) -> None:
        self._notes.append(dict(self.script.beside))
        self._positions.append(self.script.line)


def _count_of_lines(text: str) -> int:
    """The number of statements until the script ends or fails: it is run once."""
    script, count = Script(text), 0
    while script.run_line():
        count += 1
    return count + bool(script.error)
