"""A class for tests, with a clock that stands still until it is moved, and browsers that keep what they were sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson

from playground.classroom import feed, orders
from playground.classroom.classroom import Classroom
from playground.classroom.connections import Connection
from playground.classroom.register import Register
from playground.classroom.tokens import Keys
from playground.settings import Settings

CODE = "KFMTXR"
PAGE, EXPERIMENT = "classification", "circle-cuts"  # a question with options
SECRET = b"a secret for tests"
EPOCH = 1_800_000_000.0


class Clock:
    """A clock that stands still."""

    def __init__(self, at: float = EPOCH) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += seconds


@dataclass
class Browser:
    """A browser in a class: what it was sent, text as objects, tiles as bytes."""

    of: Classroom
    connection: Connection
    received: list[Any] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)  # to the last command

    def read(self) -> list[Any]:
        """What has come since the last call."""
        new = [
            orjson.loads(each) if isinstance(each, str) else each for each in feed.messages(self.of, self.connection)
        ]
        self.received += new
        return new

    def send(self, do: str, **fields: Any) -> list[Any]:
        """Send a command; what has come then."""
        orders.obey(self.of, self.connection, {"do": do, **fields})
        self.answers = self.read()
        return self.answers

    def last(self, kind: str) -> Any:
        """The last message of this kind."""
        self.read()
        return next(each for each in reversed(self.received) if isinstance(each, dict) and each["is"] == kind)

    @property
    def state(self) -> Any:
        return self.last("state")

    @property
    def vote(self) -> Any:
        return self.state["vote"]

    @property
    def was_refused(self) -> str:
        """Why the last command was refused; "" if it was not."""
        return next((each["why"] for each in self.answers if isinstance(each, dict) and each["is"] == "refused"), "")

    @property
    def closed(self) -> int:
        """The code with which the connection was closed; 0 if it was not."""
        return 0 if self.connection.closing is None else self.connection.closing[0]

    @property
    def token(self) -> str:
        if self.connection.role == "student":
            return self.last("seat")["token"]
        return self.state["link"] if self.connection.role == "teacher" else ""


class School:
    """A server's register, and how browsers come to it."""

    def __init__(self, clock: Clock | None = None, *, secret: bytes = SECRET, **settings: Any) -> None:
        self.clock = clock or Clock()
        self.register = Register(Settings(**settings), Keys(secret), self.clock, random=Random(7))

    def start(self, code: str = CODE, address: str = "10.0.0.1", **wish: Any) -> Classroom:
        return self.register.start(code, wish, address)

    def enter(self, first: dict[str, Any], code: str = CODE, address: str = "10.0.0.2") -> Browser:
        connection = Connection(lambda: None)
        of = self.register.enter(code, first, connection, address)
        return Browser(of, connection)

    def teacher(self, of: Classroom, view: str = "wall", **fields: Any) -> Browser:
        first = {"as": "teacher", "token": of.token_of("teacher", 1), "view": view, **fields}
        found = self.enter(first, of.code)
        found.read()
        return found

    def projector(self, of: Classroom) -> Browser:
        found = self.enter({"as": "projector", "token": of.token_of("projector")}, of.code)
        found.read()
        return found

    def student(self, of: Classroom, name: str | None = None) -> Browser:
        found = self.enter({"as": "join"}, of.code)
        found.read()
        found.send("join", **({} if name is None else {"name": name}))
        return found

    def students(self, of: Classroom, count: int) -> list[Browser]:
        return [self.student(of) for _ in range(count)]

    def second(self) -> None:
        """A second passes."""
        self.clock.pass_by(1.0)
        self.register.tick()


def press(teacher: Browser, event: str, **fields: Any) -> list[Any]:
    """An event of the vote, in the state that the teacher's page shows."""
    vote = teacher.vote
    return teacher.send(event, vote=vote["id"], **{"in": vote["state"]}, **fields)


def answer(student: Browser, value: Any) -> list[Any]:
    """A student's answer to the vote that the page shows."""
    vote = student.vote
    return student.send("answer", vote=vote["id"], **{"in": vote["state"]}, answer=value)
