"""Workers that are killed under playing runs: what their students see, and what the others notice.

Needs a quiet machine: `pytest -s tests/load/load_kills.py`. Each run must come back at its step, with the weights that
a run computed alone has there, bit for bit; everybody's socket stays open.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from statistics import mean, median
from typing import Any

import pytest
import torch

from playground.lessons.regression.lesson import LESSON
from tests.load.machine import LENGTH, Table, row
from tests.load.questions import progress
from tests.load.room import SERVER, Control, Viewer, control_of, watched
from tests.load.tabs import open_tab

RUNS = 8
KILLS = max(2, round(20 * LENGTH))
PLAYS_SECONDS = 2.0  # between two kills
MAX_BACK_SECONDS = 5.0
MAX_GAP_SECONDS = 0.3  # of the runs in the other worker
ON_THE_WAY_SECONDS = 0.1  # frames that a worker sent before it was killed
STOPPED_SECONDS = 5.0
PATIENCE_SECONDS = 60.0  # then the test fails
TURNED_AT = 100  # the step at which every second run's learning rate is turned
TURNED = {"lr": 0.05}
CONFIG = LESSON.config(max_steps=0)
TWO = {"PLAYGROUND_WORKERS": "2"}


@dataclass
class Room:
    """Eight students in two workers."""

    control: Control
    viewers: list[Viewer]
    homes: dict[str, int] = field(default_factory=dict)  # run -> the process that has it

    async def find_homes(self) -> None:
        runs = [viewer.run_id for viewer in self.viewers]
        self.homes = dict(zip(runs, await self.control.ask({"where": runs}), strict=True))

    def split(self, pid: int) -> tuple[list[Viewer], list[Viewer]]:
        """Those whose runs are in this process, and the others."""
        inside = [viewer for viewer in self.viewers if self.homes[viewer.run_id] == pid]
        return inside, [viewer for viewer in self.viewers if viewer not in inside]

    async def each(self, command: str, state: str) -> None:
        """Everybody presses a button and sees its effect."""
        for viewer in self.viewers:
            await viewer.do(command)
        for viewer in self.viewers:
            await viewer.until(state)

    async def progress(self) -> dict[str, tuple[int, str]]:
        """The step and checksum of each run; all are paused."""
        runs = [viewer.run_id for viewer in self.viewers]
        found = await self.control.ask({"progress": runs})
        return {run_id: (step, checksum) for run_id, (step, checksum) in zip(runs, found, strict=True)}


def is_turned(index: int) -> bool:
    """Whether this student turned a setting."""
    return index % 2 == 1


@asynccontextmanager
async def playing(port: int) -> AsyncIterator[Room]:
    """Eight playing regressions of eight sessions; half of them with a setting that was turned on the way."""
    async with AsyncExitStack() as stack:
        control = await stack.enter_async_context(control_of(port))
        runs = await control.ask({"runs": [[f"student {at}", "regression", {"max_steps": 0}] for at in range(RUNS)]})
        viewers = await stack.enter_async_context(watched(port, runs, plays=False))
        room = Room(control, viewers)
        for viewer in viewers:
            await viewer.do("step", n=TURNED_AT)
        for index, viewer in enumerate(viewers):
            while viewer.step < TURNED_AT or viewer.state != "paused":
                await asyncio.sleep(0.01)
            if is_turned(index):
                await control.ask({"tune": [viewer.run_id, TURNED]})
            await viewer.do("speed", value=0)
        await room.each("play", "playing")
        await room.find_homes()
        yield room
        await control.ask({"close": runs})


async def seconds_until_back(viewers: Sequence[Viewer], since: float) -> list[float]:
    """How long after this time each viewer sees its run beyond the step that was seen last; waits for all."""
    await asyncio.sleep(max(0.0, since + ON_THE_WAY_SECONDS - time.monotonic()))
    now, steps = time.monotonic(), {viewer.run_id: viewer.step for viewer in viewers}
    waits = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        for viewer in viewers:
            while not (found := [at for at, step in viewer.steps if at > now and step > steps[viewer.run_id]]):
                assert not viewer.closed, f"the socket was closed: {viewer.closed}"
                await asyncio.sleep(0.01)
            waits.append(found[0] - since)
    return waits


def alone(asked: Iterable[int], *, turned: bool) -> dict[int, str]:
    """The checksums at these steps of a run that nobody disturbed."""
    torch.set_num_threads(1)
    run: Any = LESSON.build(CONFIG)
    found: dict[int, str] = {}
    for step in sorted({TURNED_AT, *asked}):
        while run.steps < step:
            run.advance(60.0, step - run.steps)
        found[step] = progress(run)[1]
        if step == TURNED_AT and turned:
            run.tune(CONFIG.with_values(**TURNED))
    return found


@dataclass
class Kills:
    """What came of killing workers again and again."""

    back: list[float] = field(default_factory=list)  # seconds, of each run
    gaps: list[float] = field(default_factory=list)  # of the other worker's runs
    seen: list[tuple[bool, int, str]] = field(default_factory=list)  # turned?, step, checksum

    @property
    def wrong(self) -> int:
        """How many runs had other weights than one computed alone."""
        own = {turned: alone([step for is_one, step, _ in self.seen if is_one == turned], turned=turned)
               for turned in (False, True)}  # fmt: skip
        return sum(own[turned][step] != checksum for turned, step, checksum in self.seen)


async def kill_again_and_again(port: int) -> Kills:
    """Kill one of two workers, wait until its runs are back, pause all and note their steps and weights."""
    found = Kills()
    async with playing(port) as room:
        for number in range(KILLS):
            await asyncio.sleep(PLAYS_SECONDS)
            victim = sorted(set(room.homes.values()))[number % 2]
            hit, spared = room.split(victim)
            assert hit and spared, "the sessions are in both workers"
            start = time.monotonic()
            os.kill(victim, signal.SIGKILL)
            found.back += await seconds_until_back(hit, start)
            await asyncio.sleep(0.5)
            found.gaps += [viewer.longest_gap(start - 0.5, time.monotonic()) for viewer in spared]
            await room.each("pause", "paused")
            seen = await room.progress()
            found.seen += [(is_turned(at), *seen[viewer.run_id]) for at, viewer in enumerate(room.viewers)]
            await room.find_homes()
            await room.each("play", "playing")
        assert [viewer.closed for viewer in room.viewers] == [""] * RUNS
    return found


@pytest.mark.timeout(600)
def test_runs_of_a_killed_worker_come_back_at_their_step(serve: Any) -> None:
    with serve(SERVER, settings=TWO) as server:
        found = asyncio.run(kill_again_and_again(server.port))
    table = Table(f"{RUNS} playing regressions in two workers, of which one is killed, {KILLS} times")
    table.add("seconds until a run is beyond its step: median, longest",
              f"{median(found.back):.2f}, {max(found.back):.2f}   (at most {MAX_BACK_SECONDS:g})")  # fmt: skip
    table.add("longest gap of the other worker's runs, s: median, longest",
              f"{median(found.gaps):.2f}, {max(found.gaps):.2f}   (at most {MAX_GAP_SECONDS:g})")  # fmt: skip
    wrong = found.wrong
    table.add("runs with other weights than one computed alone", f"{wrong} of {len(found.seen)}   (none)")
    table.show()
    assert wrong == 0
    assert max(found.back) <= MAX_BACK_SECONDS
    assert max(found.gaps) <= MAX_GAP_SECONDS


async def kill_others(port: int, chosen: Callable[[int, Sequence[int]], list[int]]) -> tuple[list[float], list[float]]:
    """Kill these of (fork server, workers): seconds until the runs of killed workers are back; gaps of the others."""
    async with playing(port) as room:
        await asyncio.sleep(PLAYS_SECONDS)
        fork_server, *workers = await room.control.ask({"workers": True})
        killed = chosen(fork_server, workers)
        start = time.monotonic()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        hit = [viewer for viewer in room.viewers if room.homes[viewer.run_id] in killed]
        back = await seconds_until_back(hit, start)
        await asyncio.sleep(1)
        gaps = [viewer.longest_gap(start, time.monotonic()) for viewer in room.viewers if viewer not in hit]
        assert [viewer.closed for viewer in room.viewers] == [""] * RUNS
        return back, gaps


KILLED: dict[str, Callable[[int, Sequence[int]], list[int]]] = {
    "the fork server": lambda fork_server, workers: [fork_server],
    "both workers": lambda fork_server, workers: list(workers),
    "the fork server and a worker": lambda fork_server, workers: [fork_server, workers[0]],
    "all three": lambda fork_server, workers: [fork_server, *workers],
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", KILLED)
def test_everybody_comes_back_whatever_is_killed(serve: Any, name: str) -> None:
    with serve(SERVER, settings=TWO) as server:
        back, gaps = asyncio.run(kill_others(server.port, KILLED[name]))
    table = Table(f"Killed: {name}")
    table.add("seconds until the runs of killed workers are back", row(sorted(back), 1))
    table.add("longest gaps of the other runs, s", row(sorted(gaps), 2))
    table.show()
    assert max(gaps, default=0.0) <= MAX_GAP_SECONDS
    if "fork server" not in name and "three" not in name:  # a new fork server has to warm up first
        assert max(back) <= MAX_BACK_SECONDS


async def kill_in_the_first_second(port: int) -> list[float]:
    """Kill every worker as soon as its process exists; then students come, and see their runs play."""
    async with control_of(port, ready=False) as control:
        for _ in range(2):
            for pid in await control.ask({"workers": True}):
                if pid:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.3)
        runs = await control.ask({"runs": [[f"student {at}", "regression", {"max_steps": 0}] for at in range(RUNS)]})
        start = time.monotonic()
        async with watched(port, runs) as viewers:
            return await seconds_until_back(viewers, start)


@pytest.mark.timeout(300)
def test_workers_killed_in_their_first_second_are_replaced(serve: Any) -> None:
    with serve(SERVER, settings=TWO) as server:
        back = asyncio.run(kill_in_the_first_second(server.port))
    print(f"\nKilled in their first second: runs play after {min(back):.1f} to {max(back):.1f} s")


async def stop_a_worker(url: str, port: int) -> tuple[list[float], list[float], list[float], list[float]]:
    """Stop one worker: reruns of a page of the other worker before and then, seconds; gaps there; seconds to go on."""
    async with AsyncExitStack() as stack:
        room = await stack.enter_async_context(playing(port))
        tabs = [await stack.enter_async_context(open_tab(url)) for _ in range(4)]
        for tab in tabs:
            await tab.rerun("regression")
        homes = await room.control.ask({"where": [tab.run_id for tab in tabs]})
        stopped = homes[0]
        there = next(tab for tab, home in zip(tabs, homes, strict=True) if home != stopped)
        before = [await there.rerun("regression", f"regression_seed={seed}") for seed in range(10)]
        hit, spared = room.split(stopped)
        start = time.monotonic()
        os.kill(stopped, signal.SIGSTOP)
        try:
            waiting = asyncio.create_task(tabs[0].rerun("regression", "regression_seed=99"))
            during = []
            while time.monotonic() < start + STOPPED_SECONDS:
                during.append(await there.rerun("regression", f"regression_seed={len(during)}"))
                await asyncio.sleep(0.2)
            gaps = [viewer.longest_gap(start, time.monotonic()) for viewer in spared]
        finally:
            os.kill(stopped, signal.SIGCONT)
        continued = time.monotonic()
        after = await seconds_until_back(hit, continued)
        await waiting
        assert [viewer.closed for viewer in room.viewers] == [""] * RUNS
        return before, during, gaps, after


@pytest.mark.timeout(300)
def test_a_stopped_worker_does_not_stop_the_server(serve: Any) -> None:
    with serve(SERVER, settings=TWO) as server:
        before, during, gaps, after = asyncio.run(stop_a_worker(server.url, server.port))
    table = Table(f"One of two workers is stopped for {STOPPED_SECONDS:g} s")
    table.add("rerun of a page of the other worker, ms: before, then, longest",
              f"{1e3 * mean(before):.0f}, {1e3 * mean(during):.0f}, {1e3 * max(during):.0f}")  # fmt: skip
    table.add("longest gap of the other worker's runs, s", f"{max(gaps):.2f}   (at most {MAX_GAP_SECONDS:g})")
    table.add("seconds until the stopped worker's runs go on", f"{max(after):.2f}")
    table.show()
    assert median(during) <= 2 * median(before), "a page waits for nobody else's worker"
    assert max(gaps) <= MAX_GAP_SECONDS
