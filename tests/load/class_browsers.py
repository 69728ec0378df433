"""Browsers of a class without a browser: sockets that say and hear what its pages would, for load tests."""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, NamedTuple

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from playground.classroom.codes import new_code
from playground.classroom.tiles import HEAD, SAME, SAME_LOSSES

WAIT_SECONDS = 60.0


class Tile(NamedTuple):
    """A tile that a wall was sent."""

    at: float  # on time.monotonic's clock
    step: int
    has_picture: bool


class Browser:
    """A browser of the class: its last message of each kind, and when that came."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.last: dict[str, Any] = {}
        self.count: dict[str, int] = {}
        self.tiles: dict[int, list[Tile]] = {}  # by seat
        self.bytes = 0
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            async for message in self.socket:
                self.bytes += len(message)
                if isinstance(message, bytes):
                    self._take_tiles(message)
                    continue
                found = orjson.loads(message)
                async with self._news:
                    self.last[found["is"]] = found
                    self.count[found["is"]] = self.count.get(found["is"], 0) + 1
                    self._news.notify_all()

    def _take_tiles(self, message: bytes) -> None:
        at, now = 0, time.monotonic()
        while at < len(message):
            seat, _, _, _, _, _, step, _, _, _, _, losses, picture, data, _ = HEAD.unpack_from(message, at)
            at += HEAD.size + losses % SAME_LOSSES + picture % SAME + data % SAME
            self.tiles.setdefault(seat, []).append(Tile(now, step, 0 < picture < SAME))

    async def send(self, **message: Any) -> None:
        await self.socket.send(orjson.dumps(message).decode())

    async def until(self, kind: str, **values: Any) -> float:
        """When a message of this kind with these values was there."""
        return await self.until_it(kind, lambda message: all(message[name] == value for name, value in values.items()))

    async def until_it(self, kind: str, is_right: Callable[[Any], bool]) -> float:
        """When a message of this kind that is right was there."""
        async with self._news, asyncio.timeout(WAIT_SECONDS):
            while kind not in self.last or not is_right(self.last[kind]):
                await self._news.wait()
        return time.monotonic()


class Class:
    """A class on a server, and who is in it."""

    def __init__(self, port: int, sockets: AsyncExitStack, before: Class | None = None) -> None:
        """A new class, or the one of `before` on a server that was started again."""
        self.port, self.code, self._sockets = port, new_code(), sockets
        if before is not None:
            self.code, self.tokens = before.code, before.tokens
            return
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)
        line.request("POST", f"/class/start?class={self.code}", b"{}", {"Content-Type": "application/json"})
        self.tokens = orjson.loads(line.getresponse().read())
        line.close()

    async def enter(self, **first: Any) -> Browser:
        address = f"ws://127.0.0.1:{self.port}/class/socket?class={self.code}"
        found = Browser(
            await self._sockets.enter_async_context(connect(address, max_size=None, open_timeout=WAIT_SECONDS))
        )
        await found.send(**first)
        return found

    async def teacher(self, **kept: Any) -> Browser:
        found = await self.enter(**{"as": "teacher", "token": self.tokens["token"], "view": "wall", **kept})
        await found.until("state")
        return found

    async def projector(self) -> Browser:
        found = await self.enter(**{"as": "projector", "token": self.tokens["projector"]})
        await found.until("state")
        return found

    async def student(self) -> Browser:
        found = await self.enter(**{"as": "join"})
        await found.until("door")
        await found.send(do="join")
        await found.until("seat")
        await found.until("state")
        return found


@asynccontextmanager
async def class_on(port: int) -> AsyncIterator[Class]:
    async with AsyncExitStack() as sockets:
        yield Class(port, sockets)
