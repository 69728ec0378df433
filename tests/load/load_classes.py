"""A live class at its limits: 300 students who join, vote and are ordered about; 30 who train before a teacher's wall.

Needs a quiet machine: `pytest -s tests/load/load_classes.py`. The students are sockets without a browser, on the
machine that serves them.
"""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median
from typing import Any

import orjson
import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from playground.classroom.codes import new_code
from playground.classroom.tiles import HEAD, SAME, SAME_LOSSES
from tests.load.machine import LENGTH, Table, row, watched_cores
from tests.load.room import SERVER, Viewer, control_of, p95, rates_for, watched

STUDENTS = 300
MAX_JOIN_SECONDS = 30.0
MAX_ORDER_SECONDS = 2.0
ORDERS = 5
TRAINING = 30
TURNS, TURN_SECONDS = 12, 4.0 * LENGTH  # twice as many, half of them with a wall
RAMP_SECONDS = 4.0
SETTLING_SECONDS = 1.0
LEAST_SHARE = 0.95  # of the steps and the frames of the same students without a wall
MAX_TILE_SECONDS = 1.5  # a second, and what it takes to come
PAGE, EXPERIMENT = "classification", "circle-cuts"
BENCH = "regression"
WAIT_SECONDS = 60.0
KEEP_SECONDS = 4.0  # until the teacher's browser has the last state
MAX_RETURN_SECONDS = 10.0
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
            seat, *_, losses, picture, data, _ = HEAD.unpack_from(message, at)
            at += HEAD.size + losses % SAME_LOSSES + picture % SAME + data % SAME
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


# A server that is killed and started again.


@dataclass
class Kept:
    """What the browsers of a class hold."""

    of: Class
    teacher: dict[str, Any]
    students: list[dict[str, Any]]
    option: str


async def before_a_restart(port: int) -> Kept:
    """Thirty students, of whom all but one have answered the open vote."""
    async with control_of(port), class_on(port) as of:
        teacher, students = await of.teacher(), await asyncio.gather(*(of.student() for _ in range(TRAINING)))
        await teacher.send(do="ask", page=PAGE, experiment=EXPERIMENT)
        await teacher.until("state", asked=1)
        vote = teacher.last["state"]["vote"]
        option = vote["ask"]["options"][0][0]
        pressed = {"vote": vote["id"], "in": "open 1"}
        for each in students[1:]:
            await each.send(do="answer", **pressed, answer=option)
        await asyncio.gather(*(each.until("receipt") for each in students[1:]))
        await asyncio.sleep(KEEP_SECONDS)
        kept = [
            {"as": "student", "token": each.last["seat"]["token"], "kept": each.last["seat"]["kept"],
             "answers": [each.last["receipt"]] if "receipt" in each.last else []}
            for each in students
        ]  # fmt: skip
        return Kept(of, {"keep": teacher.last["keep"]["keep"]}, kept, option)


async def after_a_restart(port: int, kept: Kept) -> float:
    """The seconds until all are back and the vote goes on."""
    async with AsyncExitStack() as sockets:
        of, start = Class(port, sockets, kept.of), time.monotonic()
        students = await asyncio.gather(*(of.enter(**first) for first in kept.students))
        teacher = await of.teacher(**kept.teacher)
        await teacher.until("state", coming_back=None)
        vote = teacher.last["state"]["vote"]
        assert (vote["state"], vote["answered"], vote["of"]) == ("open 1", TRAINING - 1, TRAINING)
        await teacher.send(do="close", vote=vote["id"], **{"in": "open 1"})
        await teacher.send(do="show", vote=vote["id"], **{"in": "closed 1"})
        for each in students:
            while not (state := each.last.get("state")) or state["vote"]["state"] != "shown 1":
                await asyncio.sleep(0.01)
            assert state["vote"]["result"]["sums"][kept.option] == TRAINING - 1
        return time.monotonic() - start


@pytest.mark.timeout(180)
def test_a_class_goes_on_after_the_server_was_killed(serve: Any) -> None:
    settings = {**CORES, "PLAYGROUND_SECRET": "a secret for this test alone"}
    with serve(SERVER, settings=settings) as server:
        kept = asyncio.run(before_a_restart(server.port))
        psutil.Process(server.pid).kill()
    with serve(SERVER, settings=settings) as server:
        seconds = asyncio.run(after_a_restart(server.port, kept))
    table = Table(f"A class of {TRAINING} after kill -9")
    table.add("until the vote was closed and shown to all, s", f"{seconds:.2f}   (at most {MAX_RETURN_SECONDS:g})")
    table.show()
    assert seconds <= MAX_RETURN_SECONDS


# Students who train, with and without a wall.


@dataclass
class Turns:
    """What the turns without a wall (False) and with one (True) gave."""

    steps: dict[bool, list[float]]  # a second, of all runs
    frames: dict[bool, list[float]]  # a second, of a student
    waits: list[float]  # seconds between two tiles of a seat
    wall_bytes: float  # a second
    others: float  # cores that other programs took


async def before_a_wall(port: int, pid: int) -> Turns:
    """By turns: thirty students who train in a class, without and with a wall and a projector that look at them."""
    sessions = [f"student {number}" for number in range(TRAINING)]
    found = Turns({False: [], True: []}, {False: [], True: []}, [], 0.0, 0.0)
    async with control_of(port) as control, class_on(port) as of:
        runs = await control.ask({"runs": [[each, BENCH, {"max_steps": 0}] for each in sessions]})
        async with watched(port, runs, BENCH) as viewers:
            for session, run in zip(sessions, runs, strict=True):
                student = await of.student()
                await student.send(do="board", session=session, run=run, page=BENCH, query="", experiment=None)
            await asyncio.sleep(RAMP_SECONDS)
            for turn in range(2 * TURNS):
                looks = turn % 4 in (1, 2)  # without, with; with, without: what changes slowly falls on both
                with watched_cores(pid) as cores:
                    await take_turn(of, viewers, found, looks=looks)
                found.others += cores.others / (2 * TURNS)
    return found


async def take_turn(of: Class, viewers: Sequence[Viewer], found: Turns, *, looks: bool) -> None:
    browsers = [await of.teacher(), await of.projector()] if looks else []
    for each in browsers[:1]:
        await each.send(do="look", seats=list(range(1, TRAINING + 1)), one=None)
    await asyncio.sleep(SETTLING_SECONDS)
    for each in browsers:
        each.tiles.clear()
        each.bytes = 0
    frames, steps = await rates_for(viewers, TURN_SECONDS)
    found.steps[looks].append(sum(steps))
    found.frames[looks].append(mean(frames))
    for each in browsers[:1]:
        found.waits += [later - earlier for times in each.tiles.values() for earlier, later in pairwise(times)]
        found.wall_bytes += each.bytes / TURN_SECONDS / TURNS
    for each in browsers:
        await each.socket.close()


@pytest.mark.timeout(300)
def test_a_wall_takes_nearly_nothing_from_thirty_students_who_train(serve: Any) -> None:
    with serve(SERVER, settings=CORES) as server:
        found = asyncio.run(before_a_wall(server.port, server.pid))
    shares = {
        name: median(looked / alone for alone, looked in zip(rates[False], rates[True], strict=True))
        for name, rates in (("steps", found.steps), ("frames", found.frames))
    }
    table = Table(f"{TRAINING} students who train, {TURNS} turns of {TURN_SECONDS:g} s without a wall and with one")
    table.add("steps/s of all: without, with", row([mean(found.steps[looks]) for looks in (False, True)]))
    table.add("share of the steps, median of the turns", f"{shares['steps']:.3f}   (at least {LEAST_SHARE})")
    table.add("frames/s of a student: without, with", row([mean(found.frames[looks]) for looks in (False, True)], 2))
    table.add("share of the frames", f"{shares['frames']:.3f}   (at least {LEAST_SHARE})")
    table.add("seconds between two tiles of a seat: p50, p95", row([median(found.waits), p95(found.waits)], 2))
    table.add("kB/s to the wall", f"{found.wall_bytes / 1000:.1f}")
    table.add("cores of other programs", f"{found.others:.2f}")
    table.show()
    assert shares["steps"] >= LEAST_SHARE
    assert shares["frames"] >= LEAST_SHARE
    assert p95(found.waits) <= MAX_TILE_SECONDS
