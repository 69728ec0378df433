"""What a class consists of: seats, devices, boards, where they were sent, and what the teacher did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.classroom.commands import Place
from playground.classroom.connections import Connection
from playground.classroom.messages import REFUSED
from playground.classroom.tiles import NOTHING
from playground.glance import Glance

Sending = Literal["place", "preset", "run", "back"]  # "back": to what the student had before


class Refused(ValueError):
    """A command that is not carried out: `why` is a key of REFUSED."""

    def __init__(self, why: str, **fields: object) -> None:
        super().__init__(REFUSED[why].format(**fields))
        self.why = why


@dataclass(frozen=True)
class Send:
    """Where boards were sent: a place, a preset, a run to start from (by the name under which it is read), or back."""

    n: int
    kind: Sending
    place: Place
    run: str | None
    at: float

    def data(self) -> dict[str, Any]:
        """As a message has it."""
        return {"n": self.n, "kind": self.kind, **self.place.data(), "run": self.run, "at": self.at}


@dataclass
class Board:
    """What a browser of the class shows: a page, an experiment, and a run by the name under which others read it."""

    session: str | None = None  # of the page; never sent to anybody
    run: str | None = None
    page: str = ""
    query: str = ""
    experiment: str | None = None

    def data(self) -> dict[str, Any]:
        """As a message has it."""
        return {"run": self.run, "page": self.page, "query": self.query, "experiment": self.experiment}


@dataclass
class Seat:
    """A student."""

    number: int
    name: str
    typed: bool  # the name was chosen by the student
    joined: float
    dot: int  # by which the others' pictures know its dot
    allowed: bool = False  # the typed name may be projected
    lost: float | None = None  # since when it has no connection
    act: float = 0.0  # the time of the last act
    help: float | None = None  # since when it asks for help
    helps: int = 0
    done: bool = False
    board: Board = field(default_factory=Board)
    glance: Glance = NOTHING
    sent: Send | None = None
    placed: int = 0  # the number of the send that its page has carried out
    rev: int = 0  # of what the student sees
    row: int = 0  # of what the wall lists

    @property
    def may_be_shown(self) -> bool:
        """Whether its name may be projected at all."""
        return self.allowed or not self.typed


@dataclass
class Device:
    """A device of the teacher."""

    number: int
    view: str
    since: float
    new: bool = False  # the teacher has not yet said that it is theirs
    board: Board = field(default_factory=Board)
    board_lost: float | None = None  # since when none of its pages is there


@dataclass
class Screen:
    """A board on all screens: the one of a teacher's device, or a student's."""

    what: Literal["follow", "spot"]
    number: int  # of the device or the seat
    show_name: bool = False


@dataclass
class Act:
    """What the teacher did; with `undo`, it can be taken back."""

    id: int
    at: float
    what: str
    say: str
    undo: Callable[[], None] | None = None


@dataclass(frozen=True)
class Snapshot:
    """A student's run that the teacher keeps: its checkpoint, its link, and its tile."""

    id: int
    seat: int
    name: str
    board: Board
    step: int
    at: float
    content: bytes
    tile: bytes


@dataclass(frozen=True)
class Errand:
    """What a class needs from the workers; the answer comes with `runs_found` or `snapshot_taken`."""

    kind: Literal["runs", "snapshot"]
    number: int  # of the vote or the seat
    page: str
    experiment: str = ""
    run: str = ""
    asked_by: Connection | None = None


@dataclass
class Returning:
    """After a restart: how many seats are expected back, and how long votes wait for them at most."""

    until: float
    expected: frozenset[int]
