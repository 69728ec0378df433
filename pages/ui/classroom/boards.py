"""The boards of the server's classes: what each is called there, what a wall sees of them, and which of them rest.

Whoever has a run's id controls it, so no id leaves the browser that shows the run. A class knows a run by another name,
which this server makes and which is good for reading only. A still lab has no run: what is read is the picture that its
page was sent last, and its name is the session's.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Collection, Mapping
from urllib.parse import urlencode

from pages.ui.classroom.words import NO_FILE
from pages.ui.session import NO_ANSWER, Still, is_session, pool, session, still_of
from playground.glance import Glance, Looks
from playground.lesson import LiveLesson
from playground.lessons import LESSONS
from playground.workers.operations import CheckpointFile, WriteReplayLink

MAX_NAMES = 4_096  # then those of closed runs are forgotten


class Boards:
    """All of them. Any thread may call its methods; all but `checkpoint` return at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.still_listeners: list[Callable[[str], None]] = []  # called with a session that shows another still lab
        self._names: dict[str, str] = {}  # by run id, and by session for still labs
        self._runs: dict[str, str] = {}  # the other way round
        self._looks: dict[str, Looks] = {}  # by run id: what is wanted of it
        self._seen: dict[str, Glance] = {}  # by run id: what has come and was not yet reported
        self._resting: dict[str, dict[str, bool]] = {}  # by class: sessions whose runs rest, and whether they obey

    def shown(self, session: object, run_id: object) -> str | None:
        """The name of what a browser shows: a run, or without one a still lab.

        None where there is nothing, or where it does not belong to the session that the browser names.
        """
        if not isinstance(session, str):
            return None
        if isinstance(run_id, str):
            return self._name_of(run_id) if pool().session_of(run_id) == session else None
        return self._name_of(session) if still_of(session) is not None else None

    def _name_of(self, key: str) -> str:
        with self._lock:
            if (name := self._names.get(key)) is None:
                if len(self._names) >= MAX_NAMES:
                    self._forget_closed()
                name = self._names[key] = secrets.token_urlsafe(12)
                self._runs[name] = key
            return name

    def run_of(self, name: str) -> str | None:
        """The id of the run with this name, if it is open."""
        run_id = self._runs.get(name)
        return run_id if run_id is not None and pool().has(run_id) else None

    def session_of_still(self, name: str) -> str | None:
        """The session that shows a still lab under this name, while it does."""
        key = self._runs.get(name)
        return key if key is not None and still_of(key) is not None else None

    def shows_still(self, still: Still | None) -> None:
        """The page that runs now shows this still lab, or none."""
        before, session().still = session().still, still
        if still is not None or before is not None:
            for listener in self.still_listeners:
                listener(session().name)

    def _forget_closed(self) -> None:
        for key, name in list(self._names.items()):
            if not pool().has(key) and not is_session(key):
                del self._names[key], self._runs[name]

    # What a wall sees.

    def reports(self, pictures: Collection[str], numbers: Collection[str]) -> Mapping[str, Glance]:
        """What has come of these runs, by name, since the last call; those of `pictures` with a small picture.

        To ask is to look: from now on these runs are looked at, and no others.
        """
        with self._lock:
            looks: dict[str, Looks] = {
                **{run_id: "numbers" for name in numbers if (run_id := self.run_of(name))},
                **{run_id: "picture" for name in pictures if (run_id := self.run_of(name))},
            }
            found = {self._names[run_id]: glance for run_id, glance in self._seen.items() if run_id in looks}
            self._seen, has_changed, self._looks = {}, looks != self._looks, looks
        if has_changed:
            pool().look(looks, self._take)
        return found

    def _take(self, run_id: str, glance: Glance) -> None:
        with self._lock:
            if run_id not in self._looks:
                return
            if (before := self._seen.get(run_id)) is not None:
                glance = glance.with_picture_of(before)
            self._seen[run_id] = glance

    def checkpoint(self, name: str) -> tuple[bytes, str]:
        """A file that continues the run with this name, and the query of a link that replays it, "" for none.

        Waits. Raises ValueError with a sentence where there is no such run, or no file of it.
        """
        run_id = self.run_of(name)
        lesson = LESSONS.get(pool().bench_of(run_id) or "") if run_id is not None else None
        if run_id is None or not isinstance(lesson, LiveLesson):
            raise ValueError(NO_FILE)
        try:
            content = pool().call(run_id, CheckpointFile(lesson.name))
            link = pool().call(run_id, WriteReplayLink())
        except NO_ANSWER:
            raise ValueError(NO_FILE) from None
        if link is None or link.refusal:
            return content, ""
        settings = {f"{lesson.name}_{knob}": text for knob, text in link.settings.items()}
        return content, urlencode(settings | dict(link.parameters))

    # Which of them rest.

    def rest(self, code: str, sessions: Collection[str], *, obey: bool) -> None:
        """Let the runs of these sessions of a class rest, and no others of it; those that `obey` take commands."""
        rests = dict.fromkeys(sessions, obey)
        with self._lock:
            if self._resting.get(code, {}) == rests:
                return
            self._resting[code] = rests
            if not rests:
                del self._resting[code]
            pool().hold({name: obeys for each in self._resting.values() for name, obeys in each.items()})


BOARDS = Boards()
