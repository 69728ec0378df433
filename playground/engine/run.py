"""The interfaces that the engine expects of a run and of a viewer; it knows nothing else about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from playground.engine.commands import Command
from playground.engine.frames import Figure
from playground.glance import Glance

Outcome = Literal["", "done", "failed"]


@dataclass
class Drawing:
    """What a run shows: figures by chart name, numbers by status name, a sentence, and its time slider."""

    charts: dict[str, Figure]
    status: dict[str, float] = field(default_factory=dict)
    note: str = ""
    time: dict[str, Any] = field(default_factory=dict)


class Run(Protocol):
    """What the engine advances and draws; only one thread touches it at a time."""

    @property
    def outcome(self) -> Outcome:
        """How the run has ended; "" while it has not."""

    @property
    def auto_speed(self) -> float:
        """The steps a second at which it trains when nobody has chosen a speed; 0 is full speed."""

    def steps_in_epochs(self, epochs: int) -> int:
        """The number of steps to the end of the current epoch and of those after it, `epochs` in all."""

    def advance(self, seconds: float, steps: int) -> int:
        """Train until the time is up, the steps are taken or the run ends; returns the number of steps taken.

        At least one, or 0 when the next step is not ready; the engine then asks again a moment later.
        """

    def draw(self, charts: list[str], options: Mapping[str, bool]) -> Drawing:
        """The figures of these charts, drawn with the viewer's options."""

    def apply(self, command: Command) -> None:
        """Obey a command that is not for the player: look back, add a point, ... Raises ValueError with a sentence."""

    def tune(self, config: Any) -> None:
        """Set the live knobs to those of this config."""

    def rebuilt(self, config: Any) -> Run:
        """A new run at step 0 that keeps what the student added by hand."""

    def resume(self) -> None:
        """Continue after the stop rule has ended it."""


@runtime_checkable
class Tunable(Protocol):
    """Optional interface for configs: they say which of their settings differ."""

    def changed_from(self, before: Any) -> Mapping[str, tuple[Any, Any]]:
        """The settings that differ from another config: name -> (value before, value in this config)."""


@runtime_checkable
class Paced(Protocol):
    """Optional interface for runs with expensive frames: they set their own maximum frame rate."""

    frame_rate: float  # frames a second at most, while it plays


@runtime_checkable
class Restless(Protocol):
    """Optional interface for runs that may change while they take no step."""

    restless: bool  # whether there may be something new to show although it takes no step


@runtime_checkable
class Heavy(Paced, Restless, Protocol):
    """Optional interface for runs with long steps: they use several cores."""

    def use_cores(self, count: int) -> None:
        """Use at most this many cores; called once, when the run has been built."""


@runtime_checkable
class Prepared(Protocol):
    """Optional interface for runs that compute a long step in parts before they take it."""

    def prepare(self) -> bool:
        """Compute a part of the coming step; returns whether `advance` takes that step at once."""


@runtime_checkable
class LineByLine(Protocol):
    """Optional interface for runs that show the lines of a step one at a time."""

    def next_lines(self, count: int) -> int:
        """Show `count` more lines of the coming step; returns the number of steps whose last line is among them."""


@runtime_checkable
class Glanced(Protocol):
    """Optional interface for runs that a wall of many boards can show."""

    steps: int

    def glance(self, *, has_picture: bool) -> Glance:
        """The numbers of the current step, and perhaps a small picture."""


class Comparable(Run, Protocol):
    """Optional interface for runs that can advance beside another one: both are shown at the same step."""

    config: Any
    steps: int

    @property
    def resumes(self) -> int:
        """How often it was resumed after its stop rule had ended it."""

    def time(self) -> dict[str, Any]:
        """The time slider: {"count": snapshots kept, "at": index of the one shown or None, "step": its step, ...}."""

    def follow(self) -> None:
        """Set the knobs that were set at the current step in the run that this one follows, if it follows one."""


@runtime_checkable
class AwareOfPair(Protocol):
    """Optional interface for runs that cannot do everything while they are compared with another one."""

    is_compared: bool


class Returning(Protocol):
    """How a run comes back whose process was lost: it is built as it was once, and repeats what followed in slices."""

    has_arrived: bool  # nothing is left to repeat

    def sentence(self, steps: int = 0) -> str:
        """How far it has come."""

    def prepare(self, opened: Any) -> None:
        """Set the player of an open run (`OpenRun`) as it was, before the run is built."""

    def advance(self, seconds: float) -> bool:
        """Repeat for about so long; returns whether anything was done, or False where the next step is not ready."""


class Viewer(Protocol):
    """Where a run's frames go; both methods are called from one of the engine's threads and return at once."""

    def deliver(self, frame: bytes) -> None:
        """Take a frame."""

    def dismiss(self, code: int, reason: str) -> None:
        """Close, with the websocket's code and reason: another viewer took over, or the run is gone."""
