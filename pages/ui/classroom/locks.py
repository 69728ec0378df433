"""The settings that a teacher has locked: the pages of the class show them, and nobody turns them there.

A lock holds whatever a browser sends: a widget's value, a control of the board, a link, an experiment or a file. A
locked setting keeps the value that it has on the page of each student. Only what the teacher sends sets it.
"""

from __future__ import annotations

from functools import cache

from pages.ui.routes.classroom import register
from pages.ui.session import session
from playground.classroom import codes
from playground.classroom.classroom import Classroom
from playground.lessons import BENCHES

PARAMETER = "class"  # of the link, with the class's code; kept like `hide`
ALL = "all"
NO_LOCKS: frozenset[str] = frozenset()


def code() -> str:
    """The code of the class that this session's pages are in; "" for none."""
    found = session().kept_parameters.get(PARAMETER, "")
    return found if codes.is_code(found) else ""


def classroom() -> Classroom | None:
    """The class that this session's pages are in, while it goes on."""
    return register().find(code()) if code() else None


def locked() -> frozenset[str]:
    """The names of the settings that are locked here."""
    if not code() or is_teacher():
        return NO_LOCKS
    found = classroom()
    return NO_LOCKS if found is None else names_of(found.locks)


def names_of(locks: tuple[str, ...]) -> frozenset[str]:
    """The settings that a class's locks name: all of them, or some."""
    return _all() if ALL in locks else frozenset(locks)


def is_teacher() -> bool:
    """Whether this is the page of a teacher of the class, who sets what the others may not."""
    found = classroom()
    return found is not None and any(each.board.session == session().name for each in list(found.devices.values()))


@cache
def _all() -> frozenset[str]:
    return frozenset(name for bench in BENCHES.values() for name in bench.config.knobs())
