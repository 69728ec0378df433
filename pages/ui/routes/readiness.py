"""Whether this server takes new visitors, and how it sends its own to another one before it ends.

Several servers behind a balancer are replicas. The balancer asks each of them for `/ready`, and keeps new visitors away
from one that is full, and everybody from one that is draining.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from pages.ui.routes import base
from pages.ui.session import pool, streamlits_sessions

READY, FULL, DRAINING = "ready", "full", "draining"
STATUS = {READY: 200, FULL: 404, DRAINING: 503}
SERVICE_RESTART = 1012  # the close code of a server that ends: its page connects again, and gets another replica
MOVE = "This server is about to stop. Connect again: another one takes over."
STREAMLITS = "/_stcore/"


class Socket:
    """One open websocket, which this server may close while its route still uses it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.is_open = False

    async def send(self, message: Message) -> None:
        """Send what the route sends; nothing after the end."""
        if message["type"] == "websocket.accept":
            self.is_open = True
        elif not self.is_open and message["type"] == "websocket.send":
            return
        if message["type"] != "websocket.close" or self.is_open:
            await self._send(message)

    async def move(self) -> None:
        """Close it, and have its page connect again."""
        if self.is_open:
            self.is_open = False
            with suppress(RuntimeError, OSError):  # the other side has gone
                await self._send({"type": "websocket.close", "code": SERVICE_RESTART, "reason": MOVE})


class Drain:
    """The time between SIGTERM and the end of the server, in which its pages move to other replicas."""

    def __init__(self) -> None:
        self.has_begun = False
        self._sockets: set[Socket] = set()
        self._task: asyncio.Task[None] | None = None

    def at_sigterm(self, seconds: float) -> None:
        """From now on, SIGTERM drains for `seconds` before it ends the server; with 0, it ends it at once.

        Called on the server's event loop. A second SIGTERM ends the server at once. Does nothing outside the main
        thread, which alone receives signals.
        """
        ends = signal.getsignal(signal.SIGTERM)
        if not seconds or not callable(ends) or threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()

        def begin(number: int, frame: FrameType | None) -> None:
            if self.has_begun:
                ends(number, frame)
            else:
                self.has_begun = True
                loop.call_soon_threadsafe(move, number)

        def move(number: int) -> None:
            self._task = loop.create_task(self.move_all(seconds, lambda: ends(number, None)))

        signal.signal(signal.SIGTERM, begin)

    async def move_all(self, seconds: float, end: Callable[[], object]) -> None:
        """Wait half of the time, in which balancers notice; close the sockets one after the other; then end."""
        await asyncio.sleep(seconds / 2)
        waiting = list(self._sockets)
        for socket in waiting:
            await socket.move()
            await asyncio.sleep(seconds / 2 / len(waiting))
        end()

    @contextmanager
    def kept(self, send: Send) -> Iterator[Socket]:
        """A websocket, as long as its route runs."""
        socket = Socket(send)
        self._sockets.add(socket)
        try:
            yield socket
        finally:
            self._sockets.discard(socket)


DRAIN = Drain()


class Draining:
    """Keeps the open websockets, and opens none while the server drains.

    Streamlit's own stay open until their pages have loaded again elsewhere, or the server ends.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless it is for a new websocket of a server that drains."""
        is_streamlits = base.within(scope.get("path", "")).startswith(STREAMLITS)
        if scope["type"] != "websocket" or (is_streamlits and not DRAIN.has_begun):
            await self.app(scope, receive, send)
        elif DRAIN.has_begun:
            await _refuse(WebSocket(scope, receive, send), opens=not is_streamlits)
        else:
            with DRAIN.kept(send) as socket:
                await self.app(scope, receive, socket.send)


async def _refuse(socket: WebSocket, *, opens: bool) -> None:
    """Have a page try again. Our own sockets are opened first: a browser shows no code of one that never was."""
    if opens:
        await socket.accept()
        await socket.close(SERVICE_RESTART, MOVE)
    elif "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(PlainTextResponse(DRAINING, status_code=STATUS[DRAINING]))
    else:
        await socket.close(SERVICE_RESTART, MOVE)


def is_full() -> bool:
    """Whether a new visitor had better go to another replica: too many pages are open, or runs, or they hold too much.

    Only a balancer asks. Whoever comes all the same is served.
    """
    return streamlits_sessions().num_active_sessions() >= pool().settings.visitor_limit or not pool().has_room


async def answer(request: Request) -> PlainTextResponse:
    """One word, and its status. With `?full=ok`, a full server is well: so a balancer asks for visitors it has."""
    word = DRAINING if DRAIN.has_begun else FULL if is_full() else READY
    is_wanted = word == FULL and request.query_params.get("full") == "ok"
    status = STATUS[READY] if is_wanted else STATUS[word]
    return PlainTextResponse(word, status_code=status, headers={"Cache-Control": "no-store"})


ROUTES = [Route("/ready", answer)]
