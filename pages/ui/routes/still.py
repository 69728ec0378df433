"""Still charts sent ahead of their page: on a socket of the board's own, so that a picture need not wait for the rest.

    from the browser    {"do": "answer", ...}: a question of the page was answered (`answers.py`)
    to it               frames; and "{}" after an answer that brings no new picture

Streamlit sends a page's elements together, and a browser renders all of them again: a tenth of a second on a small
machine. What is sent here comes with the page again, so nothing is lost where there is no socket.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import Future

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pages.ui.routes import answers
from pages.ui.routes.allowance import Allowance, BadMessage
from pages.ui.routes.live import parse
from playground.engine.commands import Ask

MAX_MESSAGES_PER_SECOND = 2.0  # sustained; twice as many in one burst
NO_PICTURE = "{}"
MAX_WAIT_SECONDS = 0.02  # of a page's script, until its picture is sent
ONLY_ANSWERS = "This stream takes nothing but answers."


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
    """One board's socket at /still/<board id>."""
    await socket.accept()
    board_id, listener = socket.path_params["board_id"], Listener(socket)
    _listeners[board_id] = listener  # a new socket replaces the earlier one
    try:
        await _take_answers(socket, board_id)
    except BadMessage as error:
        await socket.close(error.code, error.reason)
    except (WebSocketDisconnect, RuntimeError):
        pass  # the other side has gone
    finally:
        if _listeners.get(board_id) is listener:
            del _listeners[board_id]


async def _take_answers(socket: WebSocket, board_id: str) -> None:
    allowance = Allowance(MAX_MESSAGES_PER_SECOND)
    while (received := await socket.receive())["type"] != "websocket.disconnect":
        allowance.take()
        message = parse(received.get("text"))
        if isinstance(message, Ask) or message["do"] != answers.DO:
            raise BadMessage(4400, ONLY_ANSWERS)
        if frame := await asyncio.to_thread(answers.draw, board_id, message):
            await socket.send_bytes(frame)
        else:
            await socket.send_text(NO_PICTURE)


ROUTES = [WebSocketRoute("/still/{board_id}", listen)]
