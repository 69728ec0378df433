"""A class that follows its teacher: 60 pages that are sent elsewhere, 30 boards that show the teacher's, slow readers.

Needs a quiet machine: `pytest -s tests/load/load_following.py`. The pages are Streamlit sessions without a browser; who
trains, reads and draws them is on the machine that serves them.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from statistics import mean, median
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.load.class_browsers import Browser, Class, class_on
from tests.load.machine import LENGTH, Table, resident_megabytes, row, watched_cores
from tests.load.room import PAINT_SECONDS, SERVER, Viewer, asked_by, control_of, p95, rates_for, watched
from tests.load.tabs import Tab, open_tab

CORES = {"PLAYGROUND_WORKERS": "2"}
FOLLOWERS = 60
PLACES = (("classification", ""), ("regression", "?regression_lr=0.2"), ("classification", "?classification_lr=0.1"))
MAX_FOLLOW_SECONDS = 5.0
OPEN_SECONDS = 120.0  # of all pages
SPREAD_SECONDS, REPEAT_SECONDS, MAX_REPEATS = 1.0, 4.0, 5  # as in static/classroom/bar.js
SETTLING_SECONDS = 3.0
BENCH = "regression"
READERS = 30
TURNS, TURN_SECONDS = 10, 4.0 * LENGTH  # twice as many, half of them with readers
RAMP_SECONDS = 4.0
READERS_RAMP_SECONDS = 2.0
COVERED_SECONDS = 1.0  # from a frame to the next question of a board that is covered, as in static/wire/stream.js
LEAST_SHARE = 0.95  # of the steps of the others without readers
LEAST_FRAMES = 9.0  # a second, of a reader; 10 are asked for
LEAST_FRAMES_BESIDE_SLOW = 0.9  # of those without slow readers
MAX_ORDER_SECONDS = 2.0
SLOW_PAINT_SECONDS = 1.5
STALLED, SLOW, PLAYING = 3, 3, 4
STALL_SECONDS = 12.0 * LENGTH
ORDERS = 40  # while some read nothing
SMALL_BUFFER = 4_096  # bytes that the system keeps for a socket that reads nothing
MAX_GROWTH_MB = 8.0  # of the web process, while some read nothing


# Pages that follow.


@dataclass
class Follower:
    """A student with a page: a session of Streamlit's, the line to the class, and the board's stream."""

    tab: Tab
    line: Browser
    sockets: AsyncExitStack
    placed: int = 0
    viewer: Viewer | None = None
    watching: asyncio.Task[None] | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    times: list[tuple[float, float]] = field(default_factory=list)  # of each send: placed at, first picture at

    async def play(self) -> None:
        """Show the run of the page, and play it."""
        await self.leave_board()
        stream = await self.sockets.enter_async_context(self.tab.board_socket())
        self.viewer = Viewer(self.tab.run_id, stream, asked_by(self.tab.board["charts"]))
        self.watching = asyncio.create_task(self.viewer.watch())
        await self.viewer.do("speed", value=0)
        await self.viewer.do("play")
        await self.line.send(
            do="board",
            session=self.tab.in_class["session"],
            run=self.tab.run_id,
            page=self.tab.in_class["page"],
            query="",
            experiment=None,
        )

    async def leave_board(self) -> None:
        """As the board's component when it is taken from the page."""
        if self.viewer is not None and self.watching is not None:
            await self.viewer.do("leave")
            self.watching.cancel()
            await self.viewer.socket.close()

    async def read_page(self) -> None:
        """Take all that Streamlit sends."""
        with suppress(ConnectionClosed):
            while True:
                await self.tab.receive()
                self.news.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until the page has come to be so."""
        while not is_so():
            self.news.clear()
            await self.news.wait()

    async def follow(self) -> None:
        """Go where the teacher sends, again and again, as the bar does."""
        while True:
            await self.line.until_it(
                "state", lambda state: state["sent"] is not None and state["sent"]["n"] > self.placed
            )
            number = self.line.last["state"]["sent"]["n"]
            await asyncio.sleep(random.random() * SPREAD_SECONDS)
            asking = asyncio.create_task(self._ask(number))
            await self.until(lambda: self.tab.in_class.get("placed", 0) >= number)  # noqa: B023
            placed_at = time.monotonic()
            asking.cancel()
            self.placed = number
            await self.line.send(do="placed", send=number)
            await self.play()  # the page has named its board before it says where it is
            assert self.viewer is not None
            while not self.viewer.pictured_at:
                await asyncio.sleep(0.02)
            self.times.append((placed_at, self.viewer.pictured_at))

    async def _ask(self, number: int) -> None:
        for times in range(MAX_REPEATS):
            await self.tab.ask_page({"go": number})
            await asyncio.sleep(REPEAT_SECONDS * 2**times)


@dataclass
class Sent:
    """What one send to all gave."""

    placed: list[float]  # seconds from the order until a page reported the place
    pictured: list[float]  # until the board there had its picture
    cores: str


async def sends(url: str, port: int, pid: int) -> list[Sent]:
    """Sixty students who train are sent from place to place."""
    async with control_of(port), class_on(port) as of, AsyncExitStack() as sockets:
        teacher = await of.teacher()
        followers, following = list[Follower](), list[asyncio.Task[None]]()
        start = time.monotonic()
        async with asyncio.timeout(OPEN_SECONDS):
            for _ in range(FOLLOWERS):
                tab = await sockets.enter_async_context(open_tab(url))
                await tab.rerun(BENCH, f"class={of.code}")
                followers.append(Follower(tab, await of.student(), sockets))
                following.append(asyncio.create_task(followers[-1].read_page()))
        for each in followers:
            await each.play()
        following += [asyncio.create_task(each.follow()) for each in followers]
        await asyncio.sleep(SETTLING_SECONDS)
        print(f"\n{FOLLOWERS} pages open after {time.monotonic() - start:.1f} s", flush=True)
        found = []
        for number, (page, query) in enumerate(PLACES, start=1):
            start = time.monotonic()
            with watched_cores(pid) as cores:
                await teacher.send(
                    do="send", kind="place", page=page, query=query, experiment=None, title=page, run=None, to="all"
                )
                async with asyncio.timeout(OPEN_SECONDS):
                    while any(len(each.times) < number for each in followers):
                        await asyncio.sleep(0.05)
                        for task in following:
                            if task.done():
                                task.result()
            placed, pictured = zip(*(each.times[-1] for each in followers), strict=True)
            found.append(Sent([at - start for at in placed], [at - start for at in pictured], str(cores)))
            await asyncio.sleep(SETTLING_SECONDS)
        for task in following:
            task.cancel()
        for each in followers:
            await each.leave_board()
        return found


@pytest.mark.timeout(300)
def test_the_pages_of_sixty_who_train_follow_a_send(serve: Any) -> None:
    with serve(SERVER, settings=CORES) as server:
        found = asyncio.run(sends(server.url, server.port, server.pid))
    table = Table(f"{FOLLOWERS} students who train, sent to {len(PLACES)} places")
    for number, each in enumerate(found, start=1):
        times = row([median(each.placed), p95(each.placed), max(each.placed)], 2)
        table.add(f"send {number}: pages there, s: p50, p95, longest", f"{times}   (at most {MAX_FOLLOW_SECONDS:g})")
        times = row([median(each.pictured), p95(each.pictured), max(each.pictured)], 2)
        table.add("their pictures there, s: p50, p95, longest", times)
        table.add("cores until then", each.cores)
    table.show()
    assert max(max(each.placed) for each in found) <= MAX_FOLLOW_SECONDS


# Boards that show the teacher's.


@dataclass
class Reader:
    """A student's browser that shows the board on all screens."""

    socket: ClientConnection
    paint_seconds: float = PAINT_SECONDS
    arrivals: list[float] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)  # a hash of each
    bytes: int = 0

    async def read(self) -> None:
        """Take frames, paint what has come, and say so."""
        with suppress(ConnectionClosed):
            async for message in self.socket:
                if isinstance(message, str):
                    continue
                self.arrivals.append(time.monotonic())
                self.frames.append(hash(message))
                self.bytes += len(message)
                await asyncio.sleep(self.paint_seconds)
                await self.socket.send('{"ask": []}')

    def frames_per_second(self, start: float, end: float) -> float:
        return sum(start <= at < end for at in self.arrivals) / (end - start)


@asynccontextmanager
async def reading(
    of: Class, students: Sequence[Browser], *, slow: int = 0, stalled: int = 0
) -> AsyncIterator[list[Reader]]:
    """The students' browsers show the board on all screens; of the first ones some read nothing, some paint slowly."""
    async with AsyncExitStack() as sockets:
        readers, tasks = [], []
        for number, student in enumerate(students):
            run = student.last["state"]["screen"]["run"]
            line = await slow_line(of, f"class/board/{run}") if number < stalled else connect(
                f"ws://127.0.0.1:{of.port}/class/board/{run}?class={of.code}", max_size=None
            )  # fmt: skip
            opened = await sockets.enter_async_context(line)
            await opened.send(orjson.dumps({"class": of.code, "token": student.last["seat"]["token"]}).decode())
            is_slow = stalled <= number < stalled + slow
            reader = Reader(opened, SLOW_PAINT_SECONDS if is_slow else PAINT_SECONDS)
            if number >= stalled:
                readers.append(reader)
                tasks.append(asyncio.create_task(reader.read()))
        try:
            yield readers
        finally:  # while they are read, or the answer to the close would wait behind frames
            await asyncio.gather(*(reader.socket.close() for reader in readers))
            for task in tasks:
                task.cancel()


async def slow_line(of: Class, path: str) -> connect:
    """A socket whose system takes few bytes for it, so that what is not read stays with the server."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    line.setblocking(False)
    await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", of.port))
    return connect(
        f"ws://127.0.0.1:{of.port}/{path}?class={of.code}", sock=line, max_size=None, max_queue=1, close_timeout=0.2
    )


@dataclass
class Shown:
    """What the turns without readers (False) and with them (True) gave."""

    steps: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})
    web: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})  # cores
    read: list[float] = field(default_factory=list)  # frames a second of each reader
    teachers: list[float] = field(default_factory=list)  # frames a second of the teacher's own board
    encodings: list[float] = field(default_factory=list)  # different frames, for each frame of a reader
    bytes: list[float] = field(default_factory=list)  # a second, of a reader
    others: float = 0.0


@asynccontextmanager
async def followed_class(port: int, playing: int) -> AsyncIterator[tuple[Class, Browser, list[Browser], list[Viewer]]]:
    """A class, its teacher's page, its students, and the boards: the teacher's first, then those of who play."""
    async with control_of(port) as control, class_on(port) as of:
        names = ["teacher", *(f"student {number}" for number in range(playing))]
        runs = await control.ask({"runs": [[each, BENCH, {"max_steps": 0}] for each in names]})
        async with watched(port, runs, BENCH) as viewers:
            teacher = await of.teacher(view="board")
            place = {"do": "board", "page": BENCH, "query": "", "experiment": None}
            await teacher.send(**place, session="teacher", run=runs[0])
            students = [await of.student() for _ in range(READERS)]
            for student, session, run in zip(students, names[1:], runs[1:], strict=False):
                await student.send(**place, session=session, run=run)
            await asyncio.sleep(RAMP_SECONDS)
            yield of, teacher, students, viewers


async def put_on_screens(teacher: Browser, students: Sequence[Browser], *, on: bool) -> None:
    await teacher.send(do="follow", on=on)
    await asyncio.gather(
        *(each.until_it("state", lambda state: (state["screen"] is not None) == on) for each in students)
    )


async def followed(port: int, pid: int) -> Shown:
    """By turns: thirty students who train, who also see the teacher's board or not."""
    found = Shown()
    async with followed_class(port, READERS) as (of, teacher, students, viewers):
        for turn in range(2 * TURNS):
            reads = turn % 4 in (1, 2)
            async with AsyncExitStack() as stack:
                readers: list[Reader] = []
                for viewer in viewers[1:]:
                    viewer.paint_seconds = COVERED_SECONDS if reads else PAINT_SECONDS
                if reads:
                    await put_on_screens(teacher, students, on=True)
                    readers = await stack.enter_async_context(reading(of, students))
                await asyncio.sleep(READERS_RAMP_SECONDS)
                start, before = time.monotonic(), [reader.bytes for reader in readers]
                with watched_cores(pid) as cores:
                    frames, steps = await rates_for(viewers, TURN_SECONDS)
                end = time.monotonic()
                found.read += [reader.frames_per_second(start, end) for reader in readers]
                found.bytes += [(each.bytes - was) / (end - start) for each, was in zip(readers, before, strict=True)]
                if reads:
                    count = max(len(reader.frames) for reader in readers)
                    found.encodings.append(len({each for reader in readers for each in reader.frames}) / count)
                    found.teachers.append(frames[0])
            if reads:
                await put_on_screens(teacher, students, on=False)
            found.steps[reads].append(sum(steps[1:]))
            found.web[reads].append(cores.web)
            found.others += cores.others / (2 * TURNS)
    return found


@pytest.mark.timeout(300)
def test_thirty_boards_show_the_teachers_and_the_students_train_on(serve: Any) -> None:
    with serve(SERVER, settings=CORES) as server:
        found = asyncio.run(followed(server.port, server.pid))
    share = median(read / alone for alone, read in zip(found.steps[False], found.steps[True], strict=True))
    table = Table(f"{READERS} students who train and see their teacher's board, {TURNS} turns of {TURN_SECONDS:g} s")
    rates = row([min(found.read), median(found.read)], 2)
    table.add("frames/s of a reader: least, median", f"{rates}   (median at least {LEAST_FRAMES:g})")
    table.add("frames/s of the teacher's own board", row([median(found.teachers)], 1))
    table.add("different frames for each frame of a reader", row([max(found.encodings)], 2))
    table.add("kB/s of a reader", row([median(found.bytes) / 1000], 1))
    table.add("steps/s of the others: without, with", row([mean(found.steps[reads]) for reads in (False, True)]))
    table.add("share of the steps, median of the turns", f"{share:.3f}   (at least {LEAST_SHARE})")
    table.add("cores of the web process: without, with", row([mean(found.web[reads]) for reads in (False, True)], 2))
    table.add("cores of other programs", f"{found.others:.2f}")
    table.show()
    assert share >= LEAST_SHARE
    assert median(found.read) >= LEAST_FRAMES
    assert max(found.encodings) < 2, "one encoding for all"


# Browsers that read slowly, or nothing.


@dataclass
class Beside:
    """What readers get that keep up, and what the class does, without (False) and with (True) some that do not."""

    read: dict[bool, list[float]] = field(default_factory=dict)  # frames a second of each
    bytes: dict[bool, float] = field(default_factory=dict)  # a second, of one
    orders: dict[bool, list[float]] = field(default_factory=dict)  # seconds
    megabytes: dict[bool, list[float]] = field(default_factory=dict)  # of the web process: before, after


async def beside_slow_ones(port: int, pid: int) -> Beside:
    found = Beside()
    async with followed_class(port, PLAYING) as (of, teacher, students, _), AsyncExitStack() as stack:
        await put_on_screens(teacher, students, on=True)
        for with_slow in (False, True):
            stalled, slow = (STALLED, SLOW) if with_slow else (0, 0)
            if with_slow:  # students whose line to the class is read by nobody, either
                for _ in range(STALLED):
                    line = await stack.enter_async_context(await slow_line(of, "class/socket"))
                    await line.send('{"as": "join"}')
                    await line.send('{"do": "join"}')
            async with reading(of, students, slow=slow, stalled=stalled) as readers:
                quick = readers[slow:]
                await asyncio.sleep(READERS_RAMP_SECONDS)
                megabytes = [resident_megabytes(pid)]
                start, before = time.monotonic(), [reader.bytes for reader in quick]
                await asyncio.sleep(STALL_SECONDS)
                end = time.monotonic()
                found.read[with_slow] = [reader.frames_per_second(start, end) for reader in quick]
                read = [(each.bytes - was) / (end - start) for each, was in zip(quick, before, strict=True)]
                found.bytes[with_slow] = mean(read)
                found.orders[with_slow] = [
                    await free_or_locked(teacher, students, locked=number % 2 == 0) for number in range(ORDERS)
                ]
                found.megabytes[with_slow] = [*megabytes, resident_megabytes(pid)]
    return found


async def free_or_locked(teacher: Browser, students: Sequence[Browser], *, locked: bool) -> float:
    """The seconds from an order until every student's browser has it."""
    start = time.monotonic()
    await teacher.send(do="lock", names=["all"] if locked else [])
    await asyncio.gather(*(each.until("state", locks=["all"] if locked else []) for each in students))
    return time.monotonic() - start


@pytest.mark.timeout(300)
def test_browsers_that_read_slowly_or_nothing_hold_nobody_up(serve: Any) -> None:
    with serve(SERVER, settings=CORES) as server:
        found = asyncio.run(beside_slow_ones(server.port, server.pid))
    medians = {with_slow: median(found.read[with_slow]) for with_slow in (False, True)}
    table = Table(
        f"{READERS} readers; then {STALLED} of them read nothing and {SLOW} paint each {SLOW_PAINT_SECONDS:g} s"
    )
    table.add("frames/s of who keeps up, median: without them, with", row(medians.values(), 2))
    table.add("kB/s of one who keeps up: without them, with", row([each / 1000 for each in found.bytes.values()], 1))
    for with_slow, orders in found.orders.items():
        table.add(f"an order in every bar, s, {'with' if with_slow else 'without'}: median, longest",
                  f"{row([median(orders), max(orders)], 2)}   (at most {MAX_ORDER_SECONDS:g})")  # fmt: skip
    for with_slow, megabytes in found.megabytes.items():
        table.add(f"web process, MB, {'with' if with_slow else 'without'}: before, after", row(megabytes, 1))
    table.show()
    assert medians[True] >= LEAST_FRAMES_BESIDE_SLOW * medians[False]
    assert max(found.orders[True]) <= MAX_ORDER_SECONDS
    before, after = found.megabytes[True]
    assert after - before <= MAX_GROWTH_MB
