"""The settings that a teacher has locked: the pages of the class show them, and nobody turns them there.

A lock holds whatever a browser sends: a widget's value, a control of the board, a link, an experiment or a file. A
locked setting keeps the value that it has on the page of each student. Only what the teacher sends sets it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from pages.ui.classroom.words import LOCKED
from pages.ui.routes.classroom.sockets import register
from pages.ui.session import pool, session
from playground.classroom import codes
from playground.classroom.classroom import Classroom
from playground.knobs import Config
from playground.lesson import LiveLesson
from playground.lessons import BENCHES

PARAMETER = "class"  # of the link, with the class's code; kept like `hide`
ALL = "all"
NO_LOCKS: frozenset[str] = frozenset()
DATA_COMMANDS = ("add", "remove")  # of a board: they change what the run learns from


def code() -> str:
    """The code of the class that this session's pages are in; "" for none."""
    found = session().kept_parameters.get(PARAMETER, "")
    return found if codes.is_code(found) else ""


def classroom() -> Classroom | None:
    """The class that this session's pages are in, while it goes on."""
    return register().find(code()) if code() else None


def locked() -> frozenset[str]:
    """The names of the settings that are locked here: also for who says to have left, and still has a seat."""
    if is_teacher():
        return NO_LOCKS
    found, locks = classroom(), tuple[str, ...]()
    if found is not None:
        locks = found.locks
    elif session().left_class and (sat := register().seat_of(session().name)) is not None and sat[1].lost is None:
        locks = sat[0].locks
    return names_of(locks)


def names_of(locks: tuple[str, ...]) -> frozenset[str]:
    """The settings that a class's locks name: all of them, or some."""
    return _all() if ALL in locks else frozenset(locks)


def stays() -> bool:
    """Whether this session's pages are in a class that goes on: another code in the address does not take them out."""
    return classroom() is not None


def data_refusal(lesson: LiveLesson) -> str:
    """Why data of the student's own is refused: it would put a locked setting out of effect; "" where it is not."""
    return _data_refusal(lesson, locked())


def refusal(lesson: LiveLesson, names: Iterable[str]) -> str:
    """A sentence about the first of these settings that is locked; "" for none."""
    return _sentence(lesson.config, locked(), names)


def command_refusal(run_id: str, command: str) -> str:
    """Why a board's command to its run is refused; "" where it is not. Called on the event loop."""
    if command not in DATA_COMMANDS or not register().classes:
        return ""
    lesson: Any = BENCHES.get(pool().bench_of(run_id) or "")
    locks = register().locks_of(pool().session_of(run_id) or "")
    return _data_refusal(lesson, names_of(locks)) if locks and isinstance(lesson, LiveLesson) else ""


def _data_refusal(lesson: LiveLesson, names: frozenset[str]) -> str:
    points = lesson.own_points
    return "" if points is None else _sentence(lesson.config, names, points.without_effect)


def _sentence(config: type[Config], locks: frozenset[str], names: Iterable[str]) -> str:
    name = next((name for name in names if name in locks), None)
    return "" if name is None else LOCKED.format(label=config.knobs()[name].label)


def is_teacher() -> bool:
    """Whether this is the page of a teacher of the class, who sets what the others may not."""
    found = classroom()
    return found is not None and any(each.board.session == session().name for each in list(found.devices.values()))


@cache
def _all() -> frozenset[str]:
    return frozenset(name for bench in BENCHES.values() for name in bench.config.knobs())
