"""A live class at its limits: 300 students who join, vote and are ordered about; 30 who train before a teacher's wall.

Needs a quiet machine: `pytest -s tests/load/load_classes.py`. The students are sockets without a browser, on the
machine that serves them.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median
from typing import Any

import numpy as np
import psutil
import pytest

from tests.load.class_browsers import WAIT_SECONDS, Browser, Class, Tile, class_on
from tests.load.machine import LENGTH, Table, row, watched_cores
from tests.load.room import SERVER, Viewer, control_of, p95, rates_for, watched

STUDENTS = 300
MAX_JOIN_SECONDS = 30.0
MAX_ORDER_SECONDS = 2.0
ORDERS = 5
TRAINING = 30
TURNS, TURN_SECONDS = 20, 3.0 * LENGTH  # twice as many, half of them with a wall
RAMP_SECONDS = 4.0
SETTLING_SECONDS = 1.0
LEAST_SHARE = 0.95  # of the steps and the frames of the same students without a wall
MAX_TILE_SECONDS = 1.0  # between two tiles of a seat, and how old the newest one is at any moment
MOMENT_SECONDS = 0.02  # between two looks at how old a tile is
PAGE, EXPERIMENT = "classification", "circle-cuts"
BENCH = "regression"
KEEP_SECONDS = 4.0  # until the teacher's browser has the last state
MAX_RETURN_SECONDS = 10.0
HUNDRED, SLOW_STEPS = 100, 10.0  # students whose runs take this many steps a second
HUNDRED_FRAME_SECONDS = 1.0  # between two frames of each of them
HUNDRED_SECONDS = 10.0 * LENGTH
SCREEN = {"width": 1920, "height": 1080}
MAX_DRAWING = 0.25  # of a second, that the browser's main thread takes for a wall of a hundred
MAX_WALL_CORES = 0.1  # of the web process, for it
CORES = {"PLAYGROUND_WORKERS": "2"}


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
    pictures: list[float]  # seconds between two tiles with a picture
    ways: list[float]  # seconds from a step to its tile on the wall
    ages: list[float]  # seconds since the step that the wall shows, at many moments
    wall_bytes: float  # a second
    others: float  # cores that other programs took


async def before_a_wall(port: int, pid: int) -> Turns:
    """By turns: thirty students who train in a class, without and with a wall and a projector that look at them."""
    sessions = [f"student {number}" for number in range(TRAINING)]
    found = Turns({False: [], True: []}, {False: [], True: []}, [], [], [], [], 0.0, 0.0)
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
        for seat, tiles in each.tiles.items():
            found.waits += gaps(tiles)
            found.pictures += gaps([tile for tile in tiles if tile.has_picture])
            note_ages(viewers[seat - 1], tiles, found)
        found.wall_bytes += each.bytes / TURN_SECONDS / TURNS
    for each in browsers:
        await each.socket.close()


def gaps(tiles: Sequence[Tile]) -> list[float]:
    """The seconds between two tiles."""
    return [later.at - earlier.at for earlier, later in pairwise(tiles)]


def note_ages(viewer: Viewer, tiles: Sequence[Tile], found: Turns) -> None:
    """Note how old what a wall shows of one student is: the student's own frames say when each step was taken."""
    times, steps = zip(*viewer.steps, strict=True)
    taken = [float(np.interp(tile.step, steps, times)) for tile in tiles]
    found.ways += [tile.at - at for tile, at in zip(tiles, taken, strict=True)]
    for (earlier, later), at in zip(pairwise(tiles), taken, strict=False):
        found.ages += list(np.arange(earlier.at, later.at, MOMENT_SECONDS) - at)


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
    for name, seconds in (
        ("seconds between two tiles of a seat: p50, p95", found.waits),
        ("seconds between two with a picture: p50, p95", found.pictures),
        ("seconds from a step to its tile on the wall: p50, p95", found.ways),
        ("seconds since the step that the wall shows: p50, p95", found.ages),
    ):
        table.add(name, row([median(seconds), p95(seconds)], 2) if seconds else "none came")
    table.add("kB/s to the wall", f"{found.wall_bytes / 1000:.1f}")
    table.add("cores of other programs", f"{found.others:.2f}")
    table.show()
    assert shares["steps"] >= LEAST_SHARE
    assert shares["frames"] >= LEAST_SHARE
    assert p95(found.waits) <= MAX_TILE_SECONDS
    assert p95(found.ages) <= MAX_TILE_SECONDS


# A hundred tiles.


class Hundred:
    """A class of a hundred whose runs take their time, on a thread of its own until it is left."""

    def __init__(self, port: int) -> None:
        self.port, self.address = port, ""
        self._is_there, self._ends = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()))

    def __enter__(self) -> Hundred:
        self._thread.start()
        assert self._is_there.wait(WAIT_SECONDS), "the class is not there"
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    async def _live(self) -> None:
        sessions = [f"student {number}" for number in range(HUNDRED)]
        async with control_of(self.port) as control, class_on(self.port) as of:
            runs = await control.ask({"runs": [[each, PAGE, {"max_steps": 0}] for each in sessions]})
            async with watched(self.port, runs, PAGE) as viewers:
                for session, viewer in zip(sessions, viewers, strict=True):
                    viewer.paint_seconds = HUNDRED_FRAME_SECONDS
                    await viewer.do("speed", value=SLOW_STEPS)
                    student = await of.student()
                    await student.send(
                        do="board", session=session, run=viewer.run_id, page=PAGE, query="", experiment=None
                    )
                self.address = f"/class?class={of.code}#t={of.tokens['token']}"
                self._is_there.set()
                await asyncio.to_thread(self._ends.wait)


@pytest.mark.timeout(300)
def test_a_wall_of_a_hundred_costs_little_on_the_server_and_in_the_browser(serve: Any, browser: Any) -> None:
    with serve(SERVER, settings={**CORES, "PLAYGROUND_MAX_RUNS": str(HUNDRED)}) as server, Hundred(server.port) as of:
        time.sleep(RAMP_SECONDS)
        with watched_cores(server.pid) as without:
            time.sleep(HUNDRED_SECONDS)
        context = browser.new_context(viewport=SCREEN)
        page = context.new_page()
        page.goto(server.url + of.address)
        page.locator(".tile").nth(HUNDRED - 1).wait_for()
        metrics = context.new_cdp_session(page)
        metrics.send("Performance.enable", {"timeDomain": "threadTicks"})
        time.sleep(RAMP_SECONDS)
        before = seconds_of(metrics)
        with watched_cores(server.pid) as looking:
            time.sleep(HUNDRED_SECONDS)
        spent = {name: (value - before[name]) / HUNDRED_SECONDS for name, value in seconds_of(metrics).items()}
        context.close()
    cost = looking.web - without.web
    table = Table(f"A wall of {HUNDRED} tiles, {HUNDRED_SECONDS:g} s")
    table.add("cores of the web process: without, with", row([without.web, looking.web], 3))
    table.add("its cost", f"{cost:.3f}   (at most {MAX_WALL_CORES})")
    for name, share in spent.items():
        table.add(f"the browser's main thread, a second: {name}", f"{1000 * share:.0f} ms")
    table.add("all of its tasks", f"{1000 * spent['TaskDuration']:.0f} ms   (at most {1000 * MAX_DRAWING:g})")
    table.add("cores of other programs", f"{looking.others:.2f}")
    table.show()
    assert cost <= MAX_WALL_CORES
    assert spent["TaskDuration"] <= MAX_DRAWING


def seconds_of(metrics: Any) -> dict[str, float]:
    """What the main thread of a page has spent so far, in seconds of its own time, by kind."""
    found = {each["name"]: each["value"] for each in metrics.send("Performance.getMetrics")["metrics"]}
    return {name: found[name] for name in ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "TaskDuration")}
