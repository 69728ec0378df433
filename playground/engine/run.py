"""What the engine asks of a run and of a viewer; it knows nothing else of either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from playground.engine.frames import Figure

Outcome = Literal["", "done", "failed"]


@dataclass
class Drawing:
    """What a run shows: figures by chart name, numbers by status name, a sentence, and where its time machine is."""

    charts: dict[str, Figure]
    status: dict[str, float] = field(default_factory=dict)
    note: str = ""
    time: dict[str, Any] = field(default_factory=dict)


class Run(Protocol):
    """What the engine advances and draws; only one worker touches it at a time."""

    @property
    def outcome(self) -> Outcome:
        """Whether the run has come to its end, and how."""

    @property
    def auto_speed(self) -> float:
        """The steps a second that suit it when nobody chose a speed; 0 is full speed."""

    def steps_in_epochs(self, epochs: int) -> int:
        """How many steps finish the present epoch and the ones after it, `epochs` in all."""

    def advance(self, seconds: float, steps: int) -> int:
        """Train until the time is up, the steps are taken or the run ends; returns the steps taken.

        At least one; or 0 where what the next step needs is not there yet: the engine asks again in a while.
        """

    def draw(self, charts: list[str], options: Mapping[str, bool]) -> Drawing:
        """The figures of the charts named, as the viewer's options want them."""

    def apply(self, command: Mapping[str, Any]) -> None:
        """Obey a command of the run's own (scrub, add a point, ...). Raises ValueError with a sentence."""

    def tune(self, config: Any) -> None:
        """Take a config whose live knobs have been turned."""

    def rebuilt(self, config: Any) -> Run:
        """A run from the start, keeping what the student added by hand."""

    def resume(self) -> None:
        """Go on after the stop rule has ended it."""


@runtime_checkable
class Paced(Protocol):
    """What a run has besides whose frames cost much: it is drawn less often than the server allows."""

    frame_rate: float  # frames a second that suit it while it plays


@runtime_checkable
class Heavy(Paced, Protocol):
    """Optional interface for runs with long steps: they use several cores and may have news while they rest."""

    restless: bool  # whether it may have something new to show although it takes no step

    def use_cores(self, count: int) -> None:
        """Its share of the machine, given before each slice; it must not use more cores, and may use fewer."""


class Comparable(Run, Protocol):
    """Optional interface for runs that can advance beside another one: both are shown at the same step."""

    config: Any
    steps: int

    def time(self) -> dict[str, Any]:
        """The time slider: {"count": moments kept, "at": index of the one shown or None, "step": its step}."""

    def follow(self) -> None:
        """Turn the knobs that were turned after the present step in the run that this one follows, if it does."""


class Viewer(Protocol):
    """Where a run's frames go; both calls come from a worker's thread and return at once."""

    def deliver(self, frame: bytes) -> None:
        """Take a frame."""

    def dismiss(self, code: int, reason: str) -> None:
        """Close: another viewer took over, or the run is gone."""
