"""One browser in a class: who it is, what it looks at, and what waits to be sent to it.

States, rows and tiles are made when they are sent, so a browser that reads slowly gets fewer of them and never a
backlog; only answers to what it did itself are kept, a few of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.classroom.messages import CLOSED, LEFT
from playground.classroom.tokens import Role

MAX_NOTES = 64
View = Literal["", "wall", "remote", "board"]


@dataclass(eq=False)
class Connection:
    """A browser's socket, without the socket: `wake` is called when there is something to send."""

    wake: Callable[[], None]
    role: Role | Literal["join"] = "join"
    seat: int = 0  # of a student
    device: int = 0  # of a teacher
    epoch: int = 0  # of a teacher's token
    view: View = ""
    offer: str = ""  # the name that is offered at the door
    agreed: str = ""  # the name with a number behind it that was proposed
    knocks: int = 0  # the seat that asks to come back
    pictures: frozenset[int] = frozenset()  # the seats whose miniatures are in view
    one: int | None = None  # the seat whose board is open
    finds: str = ""  # which picture of all runs it shows; "class": the one that is projected
    peeks_until: float = 0.0
    notes: deque[Mapping[str, Any]] = field(default_factory=deque)
    closing: tuple[int, str] | None = None
    # What was sent last.
    state: int = -1  # revision
    rows: int = -1  # revision
    listed: frozenset[int] = frozenset()  # the seats of the rows
    count: tuple[int, int, int] | None = None
    door: dict[str, Any] | None = None
    kept: int = -1  # revision of the state that the teacher's browser holds
    kept_at: float = -1e9
    tiles: dict[int, tuple[bytes, tuple[bytes, ...]]] = field(default_factory=dict)  # by seat: head and parts
    glanced: set[int] = field(default_factory=set)  # seats whose runs have said something since
    together: bytes = b""
    played: int = 0  # the vote whose recordings it has
    second: bool = False  # a second has passed: what is sent once a second is due

    def note(self, message: Mapping[str, Any]) -> None:
        """Send this message. A browser that leaves many of them unread is cut off."""
        if len(self.notes) >= MAX_NOTES:
            self.dismiss("slow")
        else:
            self.notes.append(message)
        self.wake()

    def dismiss(self, why: str, reason: str = "") -> None:
        """Close the connection once the notes are sent; `why` is a key of CLOSED, or "left"."""
        if self.closing is None:
            self.closing = (LEFT if why == "left" else CLOSED[why], reason)
        self.wake()
