"""Boards that only read a run: a teacher looks at a student's, or all boards of a class show one.

A reader opens /class/board/<name of the run in its class>?class=<code> and says first who it is, {"class": ...,
"token": ...}. The class decides whether it may read, at first and again whenever something in the class changes. It is
sent what a board needs to be built, as a text, {"is": "board", "page": ..., "bench": ..., "data": ...}, again when a
setting has changed, and frames, which it asks for as others do ({"ask": ...}, whose charts have no meaning here: it
sees those that the board shows whose run this is).

However many read one run, it is drawn, written and sent by its worker once (`Broadcast`). A browser that does not keep
up loses frames, and gets a whole one later, as all others do then: so it waits longer for that than one that is new.
Of a still lab they get the picture that its page was sent (`StillBroadcast`).
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pages.ui import board
from pages.ui.classroom.boards import BOARDS
from pages.ui.routes.allowance import Allowance, BadMessage
from pages.ui.routes.classroom.sockets import LISTENERS, register
from pages.ui.session import Still, pool, still_of
from pages.ui.widgets import knob_widgets
from playground.classroom.classroom import Classroom
from playground.engine.open_run import UnknownRun
from playground.lesson import Lab
from playground.lessons import BENCHES, LESSONS

FIRST_SECONDS = 5.0  # within which a reader has to say who it is
MAX_FIRST_CHARACTERS = 500
MAX_MESSAGES_PER_SECOND = 60.0
MANY_READERS = 30
GAP_SECONDS = (1 / 30, 1 / 10)  # between two frames; from MANY_READERS on the second
STILL_GAP_SECONDS = 0.25  # between two pictures of a still lab
WHOLE_GAP_SECONDS = 0.25  # between two whole frames, and a hundredth of a second more for each reader
LARGE = 2  # charts of a board, apart from its strip
LATE_GAP_SECONDS = 2.0  # between two whole frames for those alone that did not keep up
MAX_BEHIND = 6  # frames that wait for one browser
MAX_UNPAINTED_SECONDS = 1.0  # a browser that has painted nothing for so long gets no more until it has
MAX_BOARDS = 20  # that one token reads at a time: a projector's is on several screens
NOT_ALLOWED = "This board is not shown to you now."
GONE = "This board is no longer there."
TOO_MANY_BOARDS = "This browser reads too many boards at a time."
WHO = "A reader has to say first who it is."


class Reader:
    """One browser that reads: what waits to be sent to it, and since when it has not painted what it was sent."""

    def __init__(self, code: str, token: str, name: str) -> None:
        self.code, self.token, self.name = code, token, name
        self.unpainted_since = math.inf  # on the event loop's clock
        self.is_late = False  # did not keep up
        self.config: Any = None  # of the run, with which its board was built
        self._waiting: deque[bytes | str | tuple[int, str]] = deque()
        self._ready = asyncio.Event()

    def put(self, item: bytes | str) -> bool:
        """Let it have a frame or a text; False where too many wait already."""
        if len(self._waiting) >= MAX_BEHIND:
            self._waiting.clear()
            self.config = None  # what its board is built from may have been among them
            return False
        self._waiting.append(item)
        self._ready.set()
        return True

    def renew(self, *items: bytes | str) -> None:
        """Let it have these in the place of all that waits, unless it is to be closed."""
        if self._waiting and isinstance(self._waiting[-1], tuple):
            return
        self._waiting.clear()
        self._waiting.extend(items)
        self._ready.set()

    def close(self, code: int, reason: str) -> None:
        """Send nothing more, and close its socket."""
        self._waiting.clear()
        self._waiting.append((code, reason))
        self._ready.set()

    async def send_all(self, socket: WebSocket) -> None:
        """Send what it is given, until its socket is to be closed."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._waiting:
                item = self._waiting.popleft()
                if isinstance(item, tuple):
                    await socket.close(*item)
                    return
                await (socket.send_bytes(item) if isinstance(item, bytes) else socket.send_text(item))


class Feed:
    """A viewer of the pool; it begins with a whole frame, and hands all frames to the event loop."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast, self._loop = broadcast, asyncio.get_running_loop()

    def deliver(self, frame: bytes) -> None:
        """Take a frame."""
        self._call(self._broadcast.take, self, frame)

    def dismiss(self, code: int, reason: str) -> None:
        """The run is gone, or too many watch it."""
        self._call(self._broadcast.end, self, code, reason)

    def _call(self, function: Callable[..., None], *values: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed
            self._loop.call_soon_threadsafe(function, *values)


class Broadcast:
    """One run and all who read it. Its methods are called on the event loop.

    Frames say what has changed since the one before, so who comes later needs a whole one: then another feed begins,
    and with its first frame all readers go over to it.
    """

    def __init__(self, run_id: str) -> None:
        self._run_id, self._loop = run_id, asyncio.get_running_loop()
        self._readers: set[Reader] = set()  # that were sent all frames of the feed
        self._waiting: set[Reader] = set()  # for a whole frame
        self._away: set[Reader] = set()  # that paint nothing just now, such as a hidden tab
        self._feed: Feed | None = None
        self._next: Feed | None = None
        self._began_at = self._asked_at = -math.inf
        self._is_planned = self._is_asked = False
        self._later: asyncio.TimerHandle | None = None  # that begins the next feed

    @property
    def readers(self) -> set[Reader]:
        """All who read."""
        return self._readers | self._waiting | self._away

    def add(self, reader: Reader) -> None:
        """One more reads. Raises UnknownRun."""
        reader.config = pool().config_of(self._run_id)
        reader.put(board_of(self._run_id))
        self._waiting.add(reader)
        self._begin()

    def remove(self, reader: Reader) -> None:
        """One has gone."""
        for group in (self._readers, self._waiting, self._away):
            group.discard(reader)
        if not self.readers:
            self._leave()

    def painted(self, reader: Reader) -> None:
        """A reader has painted what it was sent."""
        reader.unpainted_since = math.inf
        if reader in self._away:
            self._away.discard(reader)
            self._waiting.add(reader)
            self._begin()
        self._plan()

    def take(self, feed: Feed, frame: bytes) -> None:
        """A frame has come from the worker."""
        if feed is self._next:
            if self._feed is not None:
                pool().detach(self._run_id, self._feed)
            self._feed, self._next = feed, None
            self._readers |= self._waiting
            self._waiting = set()
        elif feed is not self._feed:
            return
        self._is_asked = False
        now, config, board_text = self._loop.time(), pool().config_of(self._run_id), ""
        for reader in list(self._readers):
            items: list[bytes | str] = [frame]
            if config is not None and reader.config != config:
                board_text = board_text or board_of(self._run_id)
                items.insert(0, board_text)
                reader.config = config
            has_room = all(reader.put(item) for item in items)
            reader.unpainted_since = min(reader.unpainted_since, now)
            is_away = now - reader.unpainted_since > MAX_UNPAINTED_SECONDS
            if is_away or not has_room:
                reader.is_late = True
                self._readers.discard(reader)
                (self._away if is_away else self._waiting).add(reader)
        self._begin()

    def end(self, feed: Feed, code: int, reason: str) -> None:
        """The run is gone."""
        if feed in (self._feed, self._next):
            for reader in self.readers:
                reader.close(code, reason or GONE)

    def _begin(self) -> None:
        """Have a whole frame made for those who wait for one."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if not self._waiting or self._next is not None:
            return
        is_new = not all(reader.is_late for reader in self._waiting)
        gap = WHOLE_GAP_SECONDS + 0.01 * len(self._readers) if is_new else LATE_GAP_SECONDS
        now = self._loop.time()
        if (wait := self._began_at + gap - now) > 0:
            self._later = self._loop.call_later(wait, self._begin)
            return
        self._began_at, self._next = now, Feed(self)
        try:
            pool().attach(self._run_id, self._next, reads=True)
            pool().ask(self._run_id, self._next, *self._wish())
        except UnknownRun:
            self.end(self._next, 4404, GONE)

    def _wish(self) -> tuple[tuple[str, ...], dict[str, bool]]:
        """The charts that the board shows whose run this is, and the large ones with which a board opens."""
        charts, options = pool().last_ask(self._run_id)
        bench = pool().bench_of(self._run_id)
        found = () if bench is None else BENCHES[bench].charts
        large = [each.name for each in found if not each.strip][:LARGE] + [each.name for each in found if each.strip]
        return tuple(dict.fromkeys((*charts, *large))), options

    def _plan(self) -> None:
        """Ask for the next frame as soon as one may come."""
        if self._is_planned or self._is_asked or self._feed is None:
            return
        self._is_planned = True
        gap = GAP_SECONDS[len(self._readers) >= MANY_READERS]
        self._loop.call_later(max(0.0, self._asked_at + gap - self._loop.time()), self._ask)

    def _ask(self) -> None:
        self._is_planned = False
        if self._feed is None or not any(math.isinf(reader.unpainted_since) for reader in self._readers):
            return
        gap, now = GAP_SECONDS[len(self._readers) >= MANY_READERS], self._loop.time()
        self._asked_at = max(self._asked_at + gap, now - gap)  # a question that is late brings the next no later
        self._is_asked = True
        with contextlib.suppress(UnknownRun):  # it says so itself
            pool().ask(self._run_id, self._feed, *self._wish())

    def _leave(self) -> None:
        if self._later is not None:
            self._later.cancel()
        for feed in filter(None, (self._feed, self._next)):
            pool().detach(self._run_id, feed)
        self._feed = self._next = None
        _broadcasts.pop(self._run_id, None)


class StillBroadcast:
    """One page's still labs and all who read them; each picture is whole, so who is behind gets the newest alone."""

    def __init__(self, session: str) -> None:
        self._session, self._loop = session, asyncio.get_running_loop()
        self.readers: set[Reader] = set()
        self._shown_at = -math.inf
        self._is_planned = False

    def add(self, reader: Reader) -> None:
        """One more reads."""
        self.readers.add(reader)
        self._show_to(reader)

    def remove(self, reader: Reader) -> None:
        """One has gone."""
        self.readers.discard(reader)
        if not self.readers:
            _stills.pop(self._session, None)

    def painted(self, reader: Reader) -> None:
        """A reader has painted what it was sent."""

    def changed(self) -> None:
        """Another picture is shown; called from any thread. Readers get it at once, or a moment after the last."""
        with contextlib.suppress(RuntimeError):  # the loop has closed
            self._loop.call_soon_threadsafe(self._plan)

    def _plan(self) -> None:
        if not self._is_planned:
            self._is_planned = True
            self._loop.call_later(max(0.0, self._shown_at + STILL_GAP_SECONDS - self._loop.time()), self._show)

    def _show(self) -> None:
        self._is_planned, self._shown_at = False, self._loop.time()
        for reader in self.readers:
            self._show_to(reader)

    def _show_to(self, reader: Reader) -> None:
        if (still := still_of(self._session)) is None:
            reader.close(4404, GONE)
        else:
            reader.renew(still_board(still), *([still.frame] if still.frame else []))


_broadcasts: dict[str, Broadcast] = {}  # by run id
_stills: dict[str, StillBroadcast] = {}  # by session


def _still_drawn(session: str) -> None:
    """A page of a class shows another still lab, or none any more. Called from any thread."""
    if (found := _stills.get(session)) is not None:
        found.changed()


BOARDS.still_listeners.append(_still_drawn)


def _broadcast_of(name: str) -> Broadcast | StillBroadcast | None:
    """What is read under this name; None where it is not there."""
    if (run_id := BOARDS.run_of(name)) is not None:
        return _broadcasts.get(run_id) or _broadcasts.setdefault(run_id, Broadcast(run_id))
    if (session := BOARDS.session_of_still(name)) is not None:
        return _stills.get(session) or _stills.setdefault(session, StillBroadcast(session))
    return None


def board_of(run_id: str) -> str:
    """The text from which a browser builds the board of a run. Raises UnknownRun."""
    bench, config = pool().bench_of(run_id), pool().config_of(run_id)
    if bench is None or config is None:
        raise UnknownRun(run_id)
    found: Any = BENCHES[bench]
    return _as_text(bench, board.live_data(
        found.charts, found.status, units=found.units,
        unit_names=found.unit_names if isinstance(found, Lab) else None, knobs=_knobs(bench, config),
    ))  # fmt: skip


def still_board(still: Still) -> str:
    """The same for a still lab, with what stands below its board."""
    found: Any = BENCHES[still.bench]
    data = board.still_data(found.charts, still.text, _knobs(still.bench, still.config), None)
    return _as_text(still.bench, data | {"sheet": {"note": still.note, "tables": still.tables}})


def _knobs(bench: str, config: Any) -> list[dict[str, Any]]:
    """The settings that the board shows; a reader turns none."""
    found: Any = BENCHES[bench]
    return knob_widgets.for_board(found, config, hidden=frozenset(found.config.knobs()))


def _as_text(bench: str, data: Mapping[str, Any]) -> str:
    page = next(name for name, lesson in LESSONS.items() if BENCHES[bench] in lesson.benches)
    return orjson.dumps({"is": "board", "page": page, "bench": bench, "data": data}).decode()


def _may_read(code: str, token: str, name: str) -> bool:
    """What the class with this code says to who has this token and wants to read the run of this name."""
    return register().may_read(code, token, name)


def check_again(of: Classroom) -> None:
    """Close the sockets of those who may read no longer, after something in a class has changed."""
    for broadcast in [*_broadcasts.values(), *_stills.values()]:
        for reader in broadcast.readers:
            if reader.code == of.code and not _may_read(of.code, reader.token, reader.name):
                reader.close(4403, NOT_ALLOWED)


LISTENERS.append(check_again)


async def read(socket: WebSocket) -> None:
    """Serve one reader until it goes, may read no longer, or the run is gone."""
    await socket.accept()  # also where it may not read: a browser shows no reason for a socket that never opened
    name = socket.path_params["name"]
    if (who := await _who(socket)) is None:
        with contextlib.suppress(RuntimeError):
            await socket.close(4400, WHO)
        return
    code, token = who
    if not _may_read(code, token, name):
        await socket.close(4403, NOT_ALLOWED)
        return
    if (broadcast := _broadcast_of(name)) is None:
        await socket.close(4404, GONE)
        return
    all_readers = (each for found in (*_broadcasts.values(), *_stills.values()) for each in found.readers)
    if sum(each.token == token for each in all_readers) >= MAX_BOARDS:
        await socket.close(4429, TOO_MANY_BOARDS)
        return
    reader = Reader(code, token, name)
    sender = asyncio.create_task(reader.send_all(socket))
    try:
        broadcast.add(reader)
        allowance = Allowance(MAX_MESSAGES_PER_SECOND)
        while (await socket.receive())["type"] != "websocket.disconnect":
            allowance.take()
            broadcast.painted(reader)
    except BadMessage as error:
        reader.close(error.code, error.reason)
        await sender
    except UnknownRun:
        await socket.close(4404, GONE)
    except (WebSocketDisconnect, RuntimeError):
        pass  # the other side has gone, or the sender has closed the socket
    finally:
        broadcast.remove(reader)
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await sender


async def _who(socket: WebSocket) -> tuple[str, str] | None:
    """The code and the token in a reader's first message."""
    try:
        received = await asyncio.wait_for(socket.receive(), FIRST_SECONDS)
        message = orjson.loads(str(received.get("text", ""))[:MAX_FIRST_CHARACTERS])
    except (TimeoutError, orjson.JSONDecodeError):
        return None
    found = (message.get("class"), message.get("token")) if isinstance(message, dict) else (None, None)
    return (found[0], found[1]) if isinstance(found[0], str) and isinstance(found[1], str) else None


ROUTES = [WebSocketRoute("/class/board/{name}", read)]
