"""What a browser may send: every message is read here, field by field, before anything is done with it.

    command = read(role, {"do": "lock", "names": ["lr"]})

Raises NotAllowed for a command of another role, and BadField for a field that is missing or of another form. A message
with fields that are not named here is refused, too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from playground.classroom import questions, votes
from playground.classroom.tokens import Role
from playground.predictions import GRID_POINTS

MAX_QUERY = 2_000
MAX_TITLE = 80
MAX_ID = 64
MAX_TYPED_NAME = 200
MAX_LOCKS = 50
MAX_STEPS = 40  # of a plan
MAX_SEATS = 60_000  # numbers of seats: two bytes in a tile
MAX_TIMER_SECONDS = 3_600
LOCKED = re.compile(r"[a-z][a-z0-9_.]{0,63}", re.ASCII)
RUN = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
QUERY = re.compile(r"(\?[!-~]*)?")  # printable ASCII without spaces: as an address has it
Names = Literal["offered", "own", "numbers"]
NAMES: tuple[Names, ...] = ("offered", "own", "numbers")
SHOWN = ("auto", "door", "scatter", "ghosts", "leaders", "blank")
TOGETHER = ("scatter", "ghosts", "leaders")
X_AXES, Y_AXES = ("rate", "units", "parameters"), ("loss", "accuracy")


class BadField(ValueError):
    """A field is missing, of another form, or one that the message does not have; says which."""


class NotAllowed(ValueError):
    """The role may not send this command."""


@dataclass(frozen=True)
class Command:
    """A message that was read: its fields have the types that `FIELDS` says."""

    do: str
    fields: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A field that need not be there."""
        return self.fields.get(name, default)


@dataclass(frozen=True)
class Place:
    """A page of the app, and what its link sets; one step of a plan."""

    page: str
    query: str
    experiment: str | None
    title: str
    ask: bool = False

    def data(self) -> dict[str, Any]:
        """As a message has it."""
        return {"page": self.page, "query": self.query, "experiment": self.experiment, "title": self.title,
                "ask": self.ask}  # fmt: skip


Reader = Callable[[object], Any]  # raises BadField


def _refuse(_: object = None) -> Any:
    raise BadField


def flag(value: object) -> bool:
    """True or false."""
    return value if isinstance(value, bool) else _refuse()


def whole(lo: int, hi: int) -> Reader:
    """A whole number within these bounds."""

    def read(value: object) -> int:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return value if is_whole and lo <= value <= hi else _refuse()  # type: ignore[operator,return-value]

    return read


def text(most: int) -> Reader:
    """A text of at most `most` characters, in one line."""

    def read(value: object) -> str:
        is_line = isinstance(value, str) and len(value) <= most and value.isprintable()
        return value if is_line else _refuse()  # type: ignore[return-value]

    return read


def typed_name(value: object) -> str:
    """A name as somebody typed it: `names.clean` says whether it is one."""
    return value if isinstance(value, str) and len(value) <= MAX_TYPED_NAME else _refuse()


def one_of(*values: str) -> Reader:
    """One of these texts."""
    return lambda value: value if isinstance(value, str) and value in values else _refuse()


def pattern(expression: re.Pattern[str]) -> Reader:
    """A text of this form."""
    return lambda value: value if isinstance(value, str) and expression.fullmatch(value) else _refuse()


def none_or(reader: Reader) -> Reader:
    """None, or what another reader reads."""
    return lambda value: None if value is None else reader(value)


def list_of(reader: Reader, most: int) -> Reader:
    """A list of at most `most` values, as a tuple."""
    return lambda value: tuple(map(reader, value)) if isinstance(value, list) and len(value) <= most else _refuse()


def page(value: object) -> str:
    """The name of a page."""
    return value if questions.is_page(value) else _refuse()  # type: ignore[return-value]


def query(value: object) -> str:
    """A query as an address has it, with its question mark; or nothing."""
    is_query = isinstance(value, str) and len(value) <= MAX_QUERY and QUERY.fullmatch(value)
    return value if is_query else _refuse()  # type: ignore[return-value]


def answer(value: object) -> str | float | list[float]:
    """An answer of any kind of question; the vote says whether it is one of its own."""
    if isinstance(value, str):
        return value if len(value) <= MAX_ID else _refuse()
    numbers = value if isinstance(value, list) else [value]
    is_right = len(numbers) in (1, GRID_POINTS) and all(
        isinstance(each, (int, float)) and not isinstance(each, bool) and abs(each) < 1e12 and math.isfinite(each)
        for each in numbers
    )
    return value if is_right else _refuse()  # type: ignore[return-value]


def whom(value: object) -> str | tuple[int, ...]:
    """All, those who strayed, or a list of seats."""
    return value if value in ("all", "strayed") else list_of(SEAT, MAX_SEATS)(value)


def step(value: object) -> Place:
    """One step of a plan."""
    if not isinstance(value, dict) or not value.keys() <= PLACE.keys() | {"ask"}:
        raise BadField
    found = {name: reader(value.get(name)) for name, reader in PLACE.items()}
    _check_experiment(found)
    return Place(**found, ask=flag(value.get("ask", False)))


SEAT, ID = whole(1, MAX_SEATS), text(MAX_ID)
NUMBER = whole(0, 2**31)
EXPERIMENT = none_or(ID)
RUN_ID = none_or(pattern(RUN))
STATE = one_of(*votes.STATES)
PLACE: dict[str, Reader] = {"page": page, "query": query, "experiment": EXPERIMENT, "title": text(MAX_TITLE)}
ON: dict[str, Reader] = {"on": flag}
PRESSED: dict[str, Reader] = {"vote": NUMBER, "in": STATE}
BOARD: dict[str, Reader] = {
    "session?": none_or(ID),
    "run": RUN_ID,
    "page": page,
    "query": query,
    "experiment": EXPERIMENT,
}

# Each command's fields; those whose name ends in "?" need not be there.
FIELDS: dict[Role | Literal["join"], dict[str, dict[str, Reader]]] = {
    "join": {
        "join": {"name?": typed_name},
        "another": {},
        "back": {"token": ID},
        "here": {},
    },
    "student": {
        "answer": {**PRESSED, "answer": answer},
        "help": ON,
        "done": ON,
        "here": {},
        "board": BOARD,
        "placed": {"send": NUMBER},
        "together": ON,
        "leave": {},
    },
    "teacher": {
        "here": {},
        "board": BOARD,
        "look": {"seats": list_of(SEAT, MAX_SEATS), "one": none_or(SEAT)},
        "found": {**ON, "what?": one_of(*TOGETHER)},
        "door": {"open": flag},
        "settings": {"names?": one_of(*NAMES), "show_names?": flag, "leaders?": flag, "names_on_leaders?": flag},
        "allow": {"seat?": SEAT, "all?": flag},
        "rename": {"seat": SEAT, "name": typed_name},
        "take out": {"seat": SEAT},
        "take out new": {"minutes": whole(1, 60)},
        "let back": {"seat": SEAT, "yes": flag},
        "helped": {"seat": SEAT},
        "send": {"kind": one_of("place", "preset", "run"), **PLACE, "run": RUN_ID, "to": whom},
        "free": {},
        "lock": {"names": list_of(pattern(LOCKED), MAX_LOCKS)},
        "eyes": ON,
        "follow": ON,
        "spot": {"seat": none_or(SEAT), "name?": flag},
        "plan": {"steps": list_of(step, MAX_STEPS)},
        "step": {"from": NUMBER, "to": NUMBER},
        "ask": {"page": page, "experiment": ID},
        **{event: {**PRESSED, "sure?": flag} for event in votes.EVENTS},
        "timer": {**PRESSED, "seconds": none_or(whole(1, MAX_TIMER_SECONDS))},
        "peek": ON,
        "project": {"what": one_of(*SHOWN), "x?": one_of(*X_AXES), "y?": one_of(*Y_AXES)},
        "snapshot": {"seat": SEAT},
        "drop snapshot": {"id": NUMBER},
        "undo": {"act": NUMBER},
        "pair": {},
        "keep device": {"device": NUMBER},
        "take out device": {"device": NUMBER},
        "end": {},
    },
    "projector": {"here": {}},
}


def read(role: Role | Literal["join"], message: Mapping[str, object]) -> Command:
    """The command of a message of a browser with this role. Raises NotAllowed or BadField."""
    do = message.get("do")
    wanted = FIELDS[role].get(do) if isinstance(do, str) else None
    if wanted is None or not isinstance(do, str):
        raise NotAllowed
    names = {name.removesuffix("?") for name in wanted}
    if not message.keys() - {"do"} <= names:
        raise BadField
    found: dict[str, Any] = {}
    for name, reader in wanted.items():
        plain = name.removesuffix("?")
        if plain in message:
            found[plain] = reader(message[plain])
        elif plain == name:
            raise BadField
    _check_experiment(found)
    return Command(do, found)


def _check_experiment(found: Mapping[str, Any]) -> None:
    """Raise BadField where an experiment is named that its page does not have."""
    if found.get("experiment") is not None and not questions.is_experiment(found["page"], found["experiment"]):
        raise BadField
