"""A live class at its limits: 300 students who join, vote and are ordered about; 30 who train before a teacher's wall.

Needs a quiet machine: `pytest -s tests/load/load_classes.py`. The students are sockets without a browser, on the
machine that serves them.
"""

from __future__ import annotations

import asyncio
import http.client
import struct
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import pairwise
from statistics import mean, median
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from playground.classroom.codes import new_code
from tests.load.machine import LENGTH, Table
from tests.load.room import SERVER, Viewer, control_of, p95, rates_for, watched

STUDENTS = 300
MAX_JOIN_SECONDS = 30.0
MAX_ORDER_SECONDS = 2.0
ORDERS = 5
TRAINING = 30
TURNS, TURN_SECONDS = 6, 8.0 * LENGTH
RAMP_SECONDS = 4.0
LEAST_SHARE = 0.95  # of the steps and the frames of the same students without a wall
MAX_TILE_SECONDS = 1.5  # a second, and what it takes to come
PAGE, EXPERIMENT = "classification", "circle-cuts"
BENCH = "regression"
WAIT_SECONDS = 60.0
HEAD = struct.Struct("<HBBBBHIffHHH")
CORES = {"PLAYGROUND_WORKERS": "2"}


class Browser:
    """A browser of the class: its last message of each kind, and when that came."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.last: dict[str, Any] = {}
        self.count: dict[str, int] = {}
        self.tiles: dict[int, list[float]] = {}  # when tiles of a seat came
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
            seat, kind, *_, length = HEAD.unpack_from(message, at)
            at += HEAD.size + (kind >> 4) + length
            self.tiles.setdefault(seat, []).append(now)

    async def send(self, **message: Any) -> None:
        await self.socket.send(orjson.dumps(message).decode())

    async def until(self, kind: str, **values: Any) -> float:
        """When a message of this kind with these values was there."""
        async with self._news, asyncio.timeout(WAIT_SECONDS):
            while kind not in self.last or any(self.last[kind][name] != value for name, value in values.items()):
                await self._news.wait()
        return time.monotonic()


class Class:
    """A class on a server, and who is in it."""

    def __init__(self, port: int, sockets: AsyncExitStack) -> None:
        self.port, self.code, self._sockets = port, new_code(), sockets
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

    async def teacher(self) -> Browser:
        found = await self.enter(**{"as": "teacher", "token": self.tokens["token"], "view": "wall"})
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


async def ordered(teacher: Browser, students: Sequence[Browser], *, on: bool) -> float:
    """The seconds from an order until every student's browser has it."""
    start = time.monotonic()
    await teacher.send(do="eyes", on=on)
    return max(await asyncio.gather(*(each.until("state", eyes=on) for each in students))) - start


async def large_class(port: int) -> dict[str, Any]:
    async with control_of(port), class_on(port) as of:
        teacher, projector = await of.teacher(), await of.projector()
        start = time.monotonic()
        students = await asyncio.gather(*(of.student() for _ in range(STUDENTS)))
        joined = time.monotonic() - start
        await projector.until("count", joined=STUDENTS)
        orders = [await ordered(teacher, students, on=number % 2 == 0) for number in range(ORDERS)]
        await teacher.send(do="ask", page=PAGE, experiment=EXPERIMENT)
        await asyncio.gather(*(each.until("state") for each in students))
        await teacher.until("state", asked=1)
        vote = teacher.last["state"]["vote"]
        for each in students:
            while each.last["state"]["vote"] is None:
                await asyncio.sleep(0.01)
        start = time.monotonic()
        key = vote["ask"]["options"][0][0]
        pressed = {"vote": vote["id"], "in": "open 1"}
        await asyncio.gather(*(each.send(do="answer", **pressed, answer=key) for each in students))
        await asyncio.gather(*(each.until("receipt") for each in students))
        answered = time.monotonic() - start
        await projector.until("count", answered=STUDENTS)
        return {
            "joined": joined,
            "orders": orders,
            "answered": answered,
            "bytes": mean(each.bytes for each in students),
        }


@pytest.mark.timeout(180)
def test_three_hundred_students_join_and_an_order_reaches_every_bar(serve: Any) -> None:
    with serve(SERVER, settings=CORES) as server:
        found = asyncio.run(large_class(server.port))
    table = Table(f"{STUDENTS} students in one class, without boards")
    table.add("joins of all, s", f"{found['joined']:.1f}   (at most {MAX_JOIN_SECONDS:g})")
    orders = found["orders"]
    table.add("an order in every bar: median, longest s", f"{median(orders):.2f}, {max(orders):.2f}   (at most 2)")
    table.add("an answer and a receipt of all, s", f"{found['answered']:.2f}")
    table.add("kB that one student got", f"{found['bytes'] / 1000:.1f}")
    table.show()
    assert found["joined"] <= MAX_JOIN_SECONDS
    assert max(orders) <= MAX_ORDER_SECONDS


# Students who train, with and without a wall.


async def before_a_wall(port: int) -> dict[str, Any]:
    """By turns: thirty students who train in a class, with a wall and a projector that look, and without."""
    sessions = [f"student {number}" for number in range(TRAINING)]
    rates: dict[bool, list[tuple[list[float], list[float]]]] = {False: [], True: []}
    ages: list[float] = []
    wire = 0.0
    async with control_of(port) as control, class_on(port) as of:
        runs = await control.ask({"runs": [[each, BENCH, {"max_steps": 0}] for each in sessions]})
        async with watched(port, runs, BENCH) as viewers:
            keeper = await of.teacher()
            for session, run in zip(sessions, runs, strict=True):
                student = await of.student()
                await student.send(do="board", session=session, run=run, page=BENCH, query="", experiment=None)
            seats = list(range(1, TRAINING + 1))
            await asyncio.sleep(RAMP_SECONDS)
            for turn in range(2 * TURNS):
                looks = turn % 2 == 1
                await keeper.send(do="look", seats=seats if looks else [], one=None)
                await asyncio.sleep(1.5)
                keeper.tiles.clear()
                before = keeper.bytes
                rates[looks].append(await measured(viewers))
                if looks:
                    ages += gaps(keeper)
                    wire += keeper.bytes - before
    return {"rates": rates, "ages": ages, "wire": wire / (TURNS * TURN_SECONDS)}


async def measured(viewers: Sequence[Viewer]) -> tuple[list[float], list[float]]:
    return await rates_for(viewers, TURN_SECONDS)


def gaps(of: Browser) -> list[float]:
    """The seconds between two tiles of a seat."""
    return [later - earlier for times in of.tiles.values() for earlier, later in pairwise(times)]


@pytest.mark.timeout(300)
def test_a_wall_takes_nearly_nothing_from_thirty_students_who_train(serve: Any) -> None:
    with serve(SERVER, settings=CORES) as server:
        found = asyncio.run(before_a_wall(server.port))
    steps = {looks: mean(sum(steps) for _, steps in turns) for looks, turns in found["rates"].items()}
    frames = {looks: mean(mean(frames) for frames, _ in turns) for looks, turns in found["rates"].items()}
    table = Table(f"{TRAINING} students who train, {TURNS} turns of {TURN_SECONDS:g} s with a wall and without")
    share = steps[True] / steps[False]
    table.add("steps/s of all: without, with a wall", f"{steps[False]:,.0f}, {steps[True]:,.0f}")
    table.add("share", f"{share:.3f}   (at least {LEAST_SHARE})")
    table.add("frames/s of a student: without, with", f"{frames[False]:.2f}, {frames[True]:.2f}")
    table.add("seconds between two tiles of a seat: p50, p95", f"{median(found['ages']):.2f}, {p95(found['ages']):.2f}")
    table.add("kB/s to the wall", f"{found['wire'] / 1000:.1f}")
    table.show()
    assert share >= LEAST_SHARE
    assert frames[True] >= LEAST_SHARE * frames[False]
    assert p95(found["ages"]) <= MAX_TILE_SECONDS
