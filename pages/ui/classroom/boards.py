"""The runs of the server's classes: what each is called there, what a wall sees of them, and which of them rest.

Whoever has a run's id controls it, so no id leaves the browser that shows the run. A class knows a run by another name,
which this server makes and which is good for reading only.
"""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Collection

from pages.ui.session import pool
from playground.classroom.tiles import Kind, Report
from playground.glance import TAIL_POINTS, Glance, Looks

WANTED_SECONDS = 4.0  # after which a run is no longer looked at, unless it is asked for again
MAX_NAMES = 4_096  # then those of closed runs are forgotten
KINDS = {
    "": Kind.NONE, "map2": Kind.MAP, "map4": Kind.MAP, "map8": Kind.MAP8, "fit": Kind.FIT, "race": Kind.RACE,
    "digit": Kind.DIGIT,
}  # fmt: skip


class Boards:
    """All of them. Any thread may call its methods, which return at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}  # by run id
        self._runs: dict[str, str] = {}  # by name
        self._wanted: dict[str, tuple[Looks, float]] = {}  # by run id: what of it, and until when
        self._seen: dict[str, Glance] = {}  # by run id: what has come and was not yet reported
        self._resting: dict[str, frozenset[str]] = {}  # by class: the sessions whose runs rest

    def shown(self, session: object, run_id: object) -> str | None:
        """The name of a run that a browser shows; None unless the run belongs to the session that the browser names."""
        if not (isinstance(session, str) and isinstance(run_id, str)) or pool().session_of(run_id) != session:
            return None
        with self._lock:
            if (name := self._names.get(run_id)) is None:
                if len(self._names) >= MAX_NAMES:
                    self._forget_closed()
                name = self._names[run_id] = secrets.token_urlsafe(12)
                self._runs[name] = run_id
            return name

    def run_of(self, name: str) -> str | None:
        """The id of the run with this name, if it is open."""
        run_id = self._runs.get(name)
        return run_id if run_id is not None and pool().has(run_id) else None

    def _forget_closed(self) -> None:
        for run_id, name in list(self._names.items()):
            if not pool().has(run_id):
                del self._names[run_id], self._runs[name]

    # What a wall sees.

    def reports(self, pictures: Collection[str], numbers: Collection[str]) -> list[Report]:
        """What has come of these runs, by name, since it was asked before; those of `pictures` with a small picture.

        To ask is to look: a run that is not asked for again is looked at no longer.
        """
        now = time.monotonic()
        with self._lock:
            asked: dict[str, str] = {}
            for looks, names in (("numbers", numbers), ("picture", pictures)):
                for name in names:
                    if (run_id := self._runs.get(name)) is not None:
                        asked[run_id] = looks
            for run_id, looks in asked.items():
                self._wanted[run_id] = "picture" if looks == "picture" else "numbers", now + WANTED_SECONDS
            self._wanted = {run_id: want for run_id, want in self._wanted.items() if want[1] > now}
            wanted = {run_id: looks for run_id, (looks, _) in self._wanted.items()}
            found = [(self._names[run_id], self._seen.pop(run_id)) for run_id in asked if run_id in self._seen]
        pool().look(wanted, self._take)
        return [_report(name, glance) for name, glance in found]

    def _take(self, run_id: str, glance: Glance) -> None:
        with self._lock:
            if (before := self._seen.get(run_id)) is not None:
                tail = (before.tail + glance.tail)[-TAIL_POINTS:]
                glance = Glance(**{**vars(glance), "tail": tail})
            if run_id in self._wanted:
                self._seen[run_id] = glance

    # Which of them rest.

    def rest(self, code: str, sessions: Collection[str]) -> None:
        """Let the runs of these sessions of a class rest, and no others of it."""
        with self._lock:
            if sessions:
                self._resting[code] = frozenset(sessions)
            elif self._resting.pop(code, None) is None:
                return
            everybody = frozenset().union(*self._resting.values())
        pool().hold(everybody)


BOARDS = Boards()


def _report(name: str, glance: Glance) -> Report:
    def number(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return Report(
        run=name, step=glance.step, plays=glance.state == "playing", is_over=glance.state in ("done", "failed"),
        loss=number(glance.loss), rate=number(glance.rate), accuracy=number(glance.accuracy), units=glance.units,
        parameters=glance.parameters, diverged=glance.is_diverged, tail=glance.tail, curve=glance.curve,
        kind=KINDS[glance.miniature.kind], miniature=glance.miniature.picture,
    )  # fmt: skip
