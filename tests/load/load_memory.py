"""What workers and sessions hold in memory: of their own, and after everybody has left (Linux).

    pytest -s tests/load/load_memory.py

A session here is Streamlit's own: its page is run as for a browser.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import connect

from pages.ui.housekeeping import EVERY_SECONDS
from playground.lesson import Lab
from playground.lessons import LESSONS
from tests.load.class_browsers import Browser, Class, class_on
from tests.load.load_following import BENCH, PLACES, Follower
from tests.load.machine import (
    Table,
    family,
    family_megabytes,
    proportional_megabytes,
    resident_megabytes,
    row,
    unique_megabytes,
)
from tests.load.room import SERVER, Control, Viewer, asked_by, control_of, due, in_sight, question
from tests.load.tabs import BRIEF_SESSIONS, KEPT_SECONDS, open_tab

MAX_WORKER_MB = 60.0  # of a further worker's own, after all lessons
MAX_WEB_MB = 450.0  # resident, with 30 sessions
MAX_LEFT = 1.1  # times what it was before the visitors
SESSIONS = 30
PLAYS_SECONDS = 3.0
STEPS = 20
STEPS_SECONDS = 20.0  # at most
GONE_SECONDS = KEPT_SECONDS + 2.5 * EVERY_SECONDS
COMERS, STAY = 200, 30  # students who join a class and leave it, and who stay
VOTES, SENDS, PAGES = 50, 50, 4  # PAGES: of those who stay that are Streamlit sessions, and follow the sends
PARTS = 4  # of an hour of a class; the first one leaves caches behind
MAX_CLASS_GROWTH_MB = 6.0  # of the web process, and of each worker, over the last two parts
SETTINGS = {"PLAYGROUND_WORKERS": "2", "PLAYGROUND_IDLE_MINUTES": "0.17"}
LIVE = [bench.name for lesson in LESSONS.values() for bench in lesson.benches if getattr(bench, "build", None)]
STILL = [bench.name for lesson in LESSONS.values() for bench in lesson.benches
         if isinstance(bench, Lab) and bench.draw is not None]  # fmt: skip


async def visit_every_lesson(port: int, control: Control, session: str) -> None:
    """One session takes some steps with each bench that has a run, and draws each still lab."""
    for name in LIVE:
        (run_id,) = await control.ask({"runs": [[session, name, {}]]})
        async with connect(f"ws://127.0.0.1:{port}/live/{run_id}", max_size=None) as socket:
            viewer = Viewer(run_id, socket, in_sight(name))
            await socket.send(question(list(viewer.asked)))
            await viewer.do("step", n=STEPS)
            end = time.monotonic() + STEPS_SECONDS
            while time.monotonic() < end and not (viewer.step and viewer.state in ("paused", "done", "failed")):
                viewer.take(await asyncio.wait_for(socket.recv(decode=False), STEPS_SECONDS))
                await socket.send(question(list(viewer.asked)))
            assert viewer.state != "failed", name
        await control.ask({"close": [run_id]})
    for name in STILL:
        (size,) = await control.ask({"draw": [session, name, {}]})
        assert isinstance(size, int), f"{name}: {size}"


async def fill_workers(port: int) -> tuple[list[float], list[float], float]:
    """The memory of the workers' own, in MB, at the start and after all lessons, and that of the fork server."""
    async with control_of(port) as control:
        fork_server, *workers = await control.ask({"workers": True})
        start = [unique_megabytes(pid) for pid in workers]
        sessions: dict[int, str] = {}  # each with a run that holds it in its worker
        for number in range(8):
            (run_id,) = await control.ask({"runs": [[f"session {number}", "regression", {}]]})
            (home,) = await control.ask({"where": [run_id]})
            sessions.setdefault(home, f"session {number}")
        assert sorted(sessions) == sorted(workers), "both workers have sessions"
        for session in sessions.values():
            await visit_every_lesson(port, control, session)
        await asyncio.sleep(6)  # free memory is given back
        return start, [unique_megabytes(pid) for pid in workers], unique_megabytes(fork_server)


@pytest.mark.timeout(600)
def test_a_further_worker_has_little_memory_of_its_own(serve: Any) -> None:
    with serve(SERVER, settings={**SETTINGS, "PLAYGROUND_IDLE_MINUTES": "10"}) as server:
        start, after, fork_server = asyncio.run(fill_workers(server.port))
        web = proportional_megabytes(server.pid)
    table = Table(f"Memory of a worker's own, MB, after {len(LIVE)} benches with a run and {len(STILL)} still labs")
    table.add("each worker at its start", row(start))
    table.add("each worker after all lessons", f"{row(after)}   (at most {MAX_WORKER_MB:g})")
    table.add("the fork server alone; the web process", f"{fork_server:.0f}; {web:.0f}")
    table.show()
    assert max(after) <= MAX_WORKER_MB


async def thirty_visits(url: str, pid: int) -> float:
    """Sessions on different pages, of which half play, all at once; the web process's resident MB with all of them."""
    async with AsyncExitStack() as stack:
        names = list(LESSONS)
        for number in range(SESSIONS):
            tab = await stack.enter_async_context(open_tab(url))
            await tab.rerun(names[number % len(names)])
            if tab.run_id and number % 2:
                socket = await stack.enter_async_context(tab.board_socket())
                await socket.send('{"do": "play"}')
                await socket.send(question(due(asked_by(tab.board["charts"]), 0)))
        await asyncio.sleep(PLAYS_SECONDS)
        return resident_megabytes(pid)


@pytest.mark.timeout(900)
def test_memory_of_thirty_sessions_comes_back(serve: Any) -> None:
    with serve(BRIEF_SESSIONS, settings=SETTINGS) as server:
        idle, held = resident_megabytes(server.pid), []
        everything = [family_megabytes(server.pid)]
        for _ in range(2):  # the first visits of a server leave caches behind
            held.append(asyncio.run(thirty_visits(server.url, server.pid)))
            time.sleep(GONE_SECONDS)
            everything.append(family_megabytes(server.pid))
        rows = [
            (
                f"{each.pid} below {each.ppid()}, {each.name()}, {each.status()}",
                f"{resident_megabytes(each.pid):.0f} resident, {unique_megabytes(each.pid):.0f} of its own",
            )
            for each in family(server.pid)
        ]
    table = Table(f"{SESSIONS} sessions on different pages, twice")
    table.add("web process, resident MB: idle, with all sessions",
              f"{idle:.0f}, {row(held)}   (at most {MAX_WEB_MB:g})")  # fmt: skip
    back = f"{row(everything)}   (back within {100 * (MAX_LEFT - 1):.0f} %)"
    table.add("all processes, MB: start, after the first visits, after the second", back)
    for line, megabytes in rows:
        table.add(line, megabytes)
    table.show()
    assert max(held) <= MAX_WEB_MB
    assert everything[-1] <= MAX_LEFT * everything[-2]


# A class.


async def come_and_go(of: Class, count: int) -> None:
    """Students join and leave, some at a time."""

    async def one() -> None:
        student = await of.student()
        await student.send(do="help", on=True)
        await student.send(do="leave")
        await student.socket.wait_closed()

    for _ in range(count // 10):
        await asyncio.gather(*(one() for _ in range(10)))


async def vote(teacher: Browser, students: list[Browser]) -> None:
    """A question, two rounds of answers, the result, and on."""
    await teacher.send(do="ask", page="classification", experiment="circle-cuts")
    await teacher.until_it("state", lambda state: state["vote"] is not None)
    number, options = teacher.last["state"]["vote"]["id"], teacher.last["state"]["vote"]["ask"]["options"]

    async def press(event: str, before: str, after: str) -> None:
        await teacher.send(do=event, vote=number, **{"in": before})
        await teacher.until_it("state", lambda state: state["vote"]["state"] == after)

    for turn in ("1", "2"):
        for at, student in enumerate(students):
            await student.until_it("state", lambda state: (state["vote"] or {}).get("state") == f"open {turn}")  # noqa: B023
            answer = options[at % len(options)][0]
            await student.send(do="answer", vote=number, **{"in": f"open {turn}"}, answer=answer)
        await teacher.until("count", answered=len(students))
        await press("close", f"open {turn}", f"closed {turn}")
        if turn == "1":
            await press("open 2", "closed 1", "open 2")
    await press("show", "closed 2", "shown 2")
    await teacher.send(do="next", vote=number, **{"in": "shown 2"})
    await teacher.until_it("state", lambda state: state["vote"] is None)


async def send_all(teacher: Browser, followers: list[Follower], number: int) -> None:
    """All pages go to another place, and play there."""
    page, query = PLACES[number % len(PLACES)]
    await teacher.send(do="send", kind="place", page=page, query=query, experiment=None, title=page, run=None, to="all")
    while any(len(each.times) <= number for each in followers):
        await asyncio.sleep(0.05)


async def an_hour(url: str, port: int, pid: int) -> list[tuple[float, list[float]]]:
    """The web process's and each worker's own memory in MB after each part of a class's life."""
    found = []
    async with control_of(port) as control, class_on(port) as of, AsyncExitStack() as stack:
        _, *workers = await control.ask({"workers": True})
        teacher = await of.teacher()
        await of.projector()
        students = [await of.student() for _ in range(STAY - PAGES)]
        followers = []
        for _ in range(PAGES):
            tab = await stack.enter_async_context(open_tab(url))
            await tab.rerun(BENCH, f"class={of.code}")
            followers.append(Follower(tab, await of.student(), stack))
            await followers[-1].play()
        await teacher.send(do="look", seats=list(range(1, STAY + 1)), one=None)
        following = [asyncio.create_task(doing) for each in followers for doing in (each.read_page(), each.follow())]
        for part in range(PARTS):
            await come_and_go(of, COMERS // PARTS)
            for _ in range(VOTES // PARTS):
                await vote(teacher, [*students, *(each.line for each in followers)])
            for number in range(SENDS // PARTS):
                await send_all(teacher, followers, part * (SENDS // PARTS) + number)
            await asyncio.sleep(1.2 * EVERY_SECONDS)
            found.append((unique_megabytes(pid), [unique_megabytes(worker) for worker in workers]))
        for task in following:
            task.cancel()
        await teacher.send(do="end")
    return found


@pytest.mark.timeout(900)
def test_the_memory_of_a_class_does_not_grow_on(serve: Any) -> None:
    with serve(SERVER, settings={**SETTINGS, "PLAYGROUND_IDLE_MINUTES": "0.05"}) as server:
        parts = asyncio.run(an_hour(server.url, server.port, server.pid))
    table = Table(
        f"A class of {STAY}: {COMERS} come and go, {VOTES} votes, {SENDS} sends; MB after each of {PARTS} parts"
    )
    table.add("the web process", row([web for web, _ in parts], 1))
    for number, each in enumerate(zip(*(workers for _, workers in parts), strict=True), start=1):
        table.add(f"worker {number}", row(each, 1))
    table.show()
    for earlier, later in zip((parts[-3][0], *parts[-3][1]), (parts[-1][0], *parts[-1][1]), strict=True):
        assert later - earlier <= MAX_CLASS_GROWTH_MB
