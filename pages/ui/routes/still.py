"""Still charts sent ahead of their page: on a socket of the board's own, so that a picture need not wait for the rest.

Streamlit sends a page's elements together, and a browser renders all of them again: a tenth of a second on a small
machine. What is sent here comes with the page again, so nothing is lost where there is no socket.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import Future

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

MAX_WAIT_SECONDS = 0.02  # of a page's script, until its picture is sent
TAKES_NO_MESSAGES = "This stream takes no messages."


class Listener:
    """One board's socket, and the picture that is on its way."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket, self._loop = socket, asyncio.get_running_loop()
        self._sending: Future[None] | None = None

    def send(self, frame: bytes) -> None:
        """Send a frame, and wait for it a moment; a board that has not taken the one before gets none."""
        if self._sending is not None and not self._sending.done():
            return
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):  # late, or the other side has gone
            self._sending = asyncio.run_coroutine_threadsafe(self._socket.send_bytes(frame), self._loop)
            self._sending.result(MAX_WAIT_SECONDS)


_listeners: dict[str, Listener] = {}  # by board id, while a browser listens


def send(board_id: str, frame: bytes) -> None:
    """Send a frame to the board with this unguessable id, if its browser listens.

    Waits until it is sent: without the wait, the event loop would get Python's lock only after the rest of the script.
    """
    if listener := _listeners.get(board_id):
        listener.send(frame)


async def listen(socket: WebSocket) -> None:
    """One board's socket at /still/<board id>. The browser only listens: its first message closes the socket."""
    await socket.accept()
    board_id, listener = socket.path_params["board_id"], Listener(socket)
    _listeners[board_id] = listener  # a new socket replaces the earlier one
    try:
        if (await socket.receive())["type"] != "websocket.disconnect":
            await socket.close(4400, TAKES_NO_MESSAGES)
    except (WebSocketDisconnect, RuntimeError):
        pass  # the other side has gone
    finally:
        if _listeners.get(board_id) is listener:
            del _listeners[board_id]


ROUTES = [WebSocketRoute("/still/{board_id}", listen)]
