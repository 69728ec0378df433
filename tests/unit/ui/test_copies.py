"""What a browser is to keep goes over its run's stream: the newest alone, with the last state, between frames."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from pages.ui.routes.live import SocketViewer


class SlowSocket:
    """A socket that takes each message only when it may."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.may_send = asyncio.Event()

    async def send_bytes(self, message: bytes) -> None:
        await self.may_send.wait()
        self.sent.append(message)


def read(message: bytes) -> tuple[Any, bytes]:
    """The text and the state of a message."""
    length = int.from_bytes(message[:4], "little")
    head = orjson.loads(message[4 : 4 + length])
    if "state" not in head:
        return head["keep"], b""
    offset, size, kind = head["state"]["$"]
    assert kind == "u1"
    return head["keep"], message[4 + length + offset :][:size]


async def sent_while_slow() -> list[bytes]:
    socket = SlowSocket()
    viewer = SocketViewer(socket, "run")  # type: ignore[arg-type]
    sending = asyncio.create_task(viewer.send_all())
    viewer.deliver(b"a frame")
    await asyncio.sleep(0)
    for text, state in (("first", b"one"), ("second", b"two"), ("third", b"")):
        viewer.keep(text, state)
    viewer.deliver(b"another frame")
    for _ in range(3):
        await asyncio.sleep(0)
    socket.may_send.set()
    while len(socket.sent) < 3:
        await asyncio.sleep(0)
    viewer.keep("fourth", b"")
    while len(socket.sent) < 4:
        await asyncio.sleep(0)
    sending.cancel()
    return socket.sent


def test_a_slow_line_gets_the_newest_alone_with_the_last_state() -> None:
    frame, copy, other, last = asyncio.run(sent_while_slow())
    assert (frame, other) == (b"a frame", b"another frame")
    assert read(copy) == ("third", b"two") and read(last) == ("fourth", b"")
