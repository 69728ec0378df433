"""Still charts ahead of their page: a socket of the board's own, so that a picture need not wait for the rest.

Streamlit sends a page's elements together, and a browser renders all of them anew: a tenth of a second on a small
machine. What is sent here comes with the page once more, so nothing is lost where there is no socket.
"""

from __future__ import annotations

import asyncio
import contextlib

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pages.ui.routes.live import FOREIGN, is_own_origin

LONGEST_WAIT = 0.02  # seconds that a page's script waits for its picture to be on its way

_listeners: dict[str, tuple[WebSocket, asyncio.AbstractEventLoop]] = {}  # of boards whose browser listens


def send(board_id: str, frame: bytes) -> None:
    """Send a frame to the board with this unguessable id, if its browser listens.

    Waits until it is sent, or the event loop, short of Python's lock, would get to it after the rest of the script.
    """
    if board_id in _listeners:
        socket, loop = _listeners[board_id]
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):  # late, or the other side has gone
            asyncio.run_coroutine_threadsafe(socket.send_bytes(frame), loop).result(LONGEST_WAIT)


async def listen(socket: WebSocket) -> None:
    """One board's socket at /still/<board id>; it has nothing to say, so the first message ends it."""
    await socket.accept()
    if not is_own_origin(socket):
        await socket.close(4403, FOREIGN)
        return
    board_id, listener = socket.path_params["board_id"], (socket, asyncio.get_running_loop())
    _listeners[board_id] = listener  # a socket that comes again takes the place of the one before
    try:
        if (await socket.receive())["type"] != "websocket.disconnect":
            await socket.close(4400, "This stream takes no messages.")
    except (WebSocketDisconnect, RuntimeError):
        pass  # the other side has gone
    finally:
        if _listeners.get(board_id) is listener:
            del _listeners[board_id]


ROUTES = [WebSocketRoute("/still/{board_id}", listen)]
