"""The live stream: a websocket between one viewer in a browser and the worker that runs its training."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import numpy as np
import orjson
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pages.ui.classroom import locks
from pages.ui.routes import answers
from pages.ui.routes.allowance import Allowance, BadMessage
from pages.ui.session import pool
from playground.engine.commands import Ask, ProtocolError, read_ask
from playground.engine.frames import encode
from playground.engine.open_run import UnknownRun
from playground.engine.orders import Refuse

MAX_MESSAGE_CHARACTERS = 4_096
MAX_MESSAGES_PER_SECOND = 150.0  # sustained; twice as many in one burst
# The sentences with which a socket is closed.
LOST = "This run is no longer there. Press Reset to start again."
TOO_LONG = "A message may have at most {most:,} characters."
NOT_TEXT = "The stream takes text messages only."
NOT_JSON = "The message is not JSON."
NOT_AN_OBJECT = "The message is not a JSON object."
KEEP = b""  # in the place of a frame: what is to be kept
NEITHER_ASK_NOR_DO = "A message needs “ask” or “do”."


class SocketViewer:
    """Hands frames from the threads that receive them over to the socket's event loop."""

    def __init__(self, socket: WebSocket, run_id: str) -> None:
        self._socket, self._run_id = socket, run_id
        self._loop = asyncio.get_running_loop()
        self._outbox: asyncio.Queue[bytes | tuple[int, str]] = asyncio.Queue()
        self._is_sending = False
        self._waiting: Ask | None = None  # until the frames that are on their way are sent
        self._to_keep: tuple[str, bytes] | None = None  # until there is time to send it

    def deliver(self, frame: bytes) -> None:
        """Send a frame."""
        self._post(frame)

    def dismiss(self, code: int, reason: str) -> None:
        """Close the socket with a reason."""
        self._post((code, reason))

    def keep(self, head: str, state: bytes) -> None:
        """Send what the browser is to keep; where the last was not sent yet, in its place."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._keep, head, state)

    def _keep(self, head: str, state: bytes) -> None:
        is_first = self._to_keep is None
        self._to_keep = head, state or (self._to_keep[1] if self._to_keep is not None else b"")
        if is_first:
            self._outbox.put_nowait(KEEP)

    def _taken_to_keep(self) -> bytes:
        assert self._to_keep is not None
        (head, state), self._to_keep = self._to_keep, None
        parts: dict[str, Any] = {"keep": head}
        return encode(parts | ({"state": np.frombuffer(state, np.uint8)} if state else {}))

    def _post(self, item: bytes | tuple[int, str]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody is left to receive it
            self._loop.call_soon_threadsafe(self._outbox.put_nowait, item)

    def ask(self, message: Ask) -> None:
        """Ask the run for a frame; for a viewer that does not read, only once the frames before are sent.

        Otherwise the frames of a viewer that asks and does not read would fill the memory. Raises UnknownRun.
        """
        if self._is_sending or not self._outbox.empty():
            self._waiting = message
        else:
            pool().ask(self._run_id, self, message.charts, message.options)

    async def send_all(self) -> None:
        """Send the frames that are posted, until the socket is to be closed."""
        while True:
            item = await self._outbox.get()
            if isinstance(item, tuple):
                await self._socket.close(*item)
                return
            self._is_sending = True
            await self._socket.send_bytes(item or self._taken_to_keep())
            self._is_sending = False
            if self._waiting is not None and self._outbox.empty():
                message, self._waiting = self._waiting, None
                with contextlib.suppress(UnknownRun):  # it was closed meanwhile, and says so itself
                    self.ask(message)


async def live(socket: WebSocket) -> None:
    """The stream at /live/<run id> of the viewer that controls the run; others read it by another name (`readers`).

    With `?keeps=1` it also gets what its browser is to keep, so that the run can come back.
    """
    await socket.accept()  # also where there is no run: a browser shows no reason for a socket that never opened
    run_id = socket.path_params["run_id"]
    viewer = SocketViewer(socket, run_id)
    try:
        if socket.query_params.get("keeps") == "1":
            pool().attach(run_id, viewer, keeps=viewer)
        else:
            pool().attach(run_id, viewer)
    except UnknownRun:
        await socket.close(4404, LOST)
        return
    sender = asyncio.create_task(viewer.send_all())
    try:
        await _listen(socket, run_id, viewer)
    except BadMessage as error:
        await socket.close(error.code, error.reason)
    except UnknownRun:
        await socket.close(4404, LOST)
    except (WebSocketDisconnect, RuntimeError):
        pass  # the other side has gone, or the sender has closed the socket
    finally:
        pool().detach(run_id, viewer)
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await sender


async def _listen(socket: WebSocket, run_id: str, viewer: SocketViewer) -> None:
    allowance = Allowance(MAX_MESSAGES_PER_SECOND)
    while True:
        received = await socket.receive()
        if received["type"] == "websocket.disconnect":
            return
        allowance.take()
        message = parse(received.get("text"))
        if isinstance(message, Ask):
            viewer.ask(message)
        elif message["do"] == answers.DO:
            answers.begin(run_id, message)
        elif refusal := locks.command_refusal(run_id, message["do"]):
            pool().command(run_id, Refuse(refusal), viewer)
        else:
            pool().command(run_id, message, viewer)


def parse(text: str | None) -> Ask | dict[str, Any]:
    """A viewer's message: what it asks for, or the command {"do": ..., ...} as it came. Raises BadMessage."""
    if text is None:
        raise BadMessage(4400, NOT_TEXT)
    if len(text) > MAX_MESSAGE_CHARACTERS:
        raise BadMessage(4413, TOO_LONG.format(most=MAX_MESSAGE_CHARACTERS))
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadMessage(4400, NOT_JSON) from None
    if not isinstance(message, dict):
        raise BadMessage(4400, NOT_AN_OBJECT)
    if "ask" in message:
        try:
            return read_ask(message)
        except ProtocolError as error:
            raise BadMessage(4400, str(error)) from None
    if not isinstance(message.get("do"), str):
        raise BadMessage(4400, NEITHER_ASK_NOR_DO)
    return message


ROUTES = [WebSocketRoute("/live/{run_id}", live)]
