"""What more worker processes bring: steps of eight runs, and how quick pages and commands stay beside them.

Needs a quiet machine with two cores or more: `pytest -s tests/load/load_cores.py`. The servers take turns, so that a
machine that changes its own speed is no excuse; those that wait compute nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from itertools import count
from statistics import mean, median
from typing import Any

import pytest

from tests.load.machine import LENGTH, Cores, Table, row, watched_cores
from tests.load.room import SERVER, acting, classroom, control_of, p95, rates_for
from tests.load.tabs import Tab, open_tab

RUNS = 8
WORKERS = (1, 2, 4)
ROUNDS = 3
SECONDS = 6.0 * LENGTH
RAMP_SECONDS = 1.5
LEAST_GAIN = 1.7  # of two workers
LEAST_KEPT = 0.95  # of two workers' steps, with four on two cores
TABS = 4
RERUN_EVERY_SECONDS = 1.0  # in each tab
PAGE_ROUNDS = 4
MAX_TIMES_RERUN = 1.5
MAX_P95_MS = 250.0


@dataclass
class Speeds:
    """What a server with a number of workers did in each round."""

    port: int
    pid: int
    steps: list[float] = field(default_factory=list)  # a second, of all runs
    frames: list[float] = field(default_factory=list)  # a second, mean of a run
    cores: list[Cores] = field(default_factory=list)

    async def measure(self, bench: str) -> None:
        """One round."""
        async with control_of(self.port) as control, classroom(self.port, control, RUNS, bench) as viewers:
            await asyncio.sleep(RAMP_SECONDS)
            with watched_cores(self.pid) as used:
                frames, steps = await rates_for(viewers, SECONDS)
        self.steps.append(sum(steps))
        self.frames.append(mean(frames))
        self.cores.append(used)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("bench", ["regression", "classification"])
def test_two_workers_train_nearly_twice_as_much(serve: Any, bench: str) -> None:
    with ExitStack() as servers:
        found = {}
        for workers in WORKERS:
            server = servers.enter_context(serve(SERVER, settings={"PLAYGROUND_WORKERS": str(workers)}))
            found[workers] = Speeds(server.port, server.pid)
        for turn in range(ROUNDS):
            for workers in WORKERS if turn % 2 == 0 else reversed(WORKERS):
                asyncio.run(found[workers].measure(bench))

    gain, kept = (ratio(found[more].steps, found[fewer].steps) for more, fewer in ((2, 1), (4, 2)))
    table = Table(f"{RUNS} runs of {bench}, watched, {ROUNDS} rounds of {SECONDS:g} s by turns")
    for workers, each in found.items():
        table.add(f"{workers} workers: steps/s of all runs", row(each.steps))
        table.add(f"{workers} workers: frames/s of a run", row(each.frames, 1))
        table.add(f"{workers} workers: cores, last round", each.cores[-1])
    table.add("two workers against one, median", f"{gain:.2f}   (at least {LEAST_GAIN:g})")
    table.add("four workers against two, median", f"{kept:.2f}   (at least {LEAST_KEPT:g})")
    table.show()

    Cores(others=median(used.others for each in found.values() for used in each.cores)).check()
    assert gain >= LEAST_GAIN
    assert kept >= LEAST_KEPT


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over the rounds."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


async def turn_pages(tabs: list[Tab], seconds: float, values: count[int]) -> list[float]:
    """Students who turn a setting every second: how long each rerun took, in milliseconds."""
    waits: list[float] = []

    async def turn(tab: Tab, delay: float) -> None:
        await asyncio.sleep(delay)
        while True:
            took = await tab.rerun("regression", f"regression_seed={next(values) % 10_000}")
            waits.append(1_000 * took)
            await asyncio.sleep(max(0.0, RERUN_EVERY_SECONDS - took))

    turning = [asyncio.create_task(turn(tab, RERUN_EVERY_SECONDS * at / len(tabs))) for at, tab in enumerate(tabs)]
    await asyncio.sleep(seconds)
    for task in turning:
        if task.done():
            task.result()
        task.cancel()
    await asyncio.gather(*turning, return_exceptions=True)
    return waits


async def turn_pages_beside(url: str, port: int, pid: int) -> tuple[list[float], list[float], list[float], Cores]:
    """Reruns alone (one round more) and beside eight playing runs, by turns, as medians; commands' answers; cores."""
    alone, beside, answers, values = [], [], [], count()
    async with AsyncExitStack() as stack:
        control = await stack.enter_async_context(control_of(port))
        tabs = [await stack.enter_async_context(open_tab(url)) for _ in range(TABS)]
        for tab in tabs:
            await tab.rerun("regression")
        await turn_pages(tabs, RERUN_EVERY_SECONDS * 2, values)  # the first are slow
        alone.append(median(await turn_pages(tabs, SECONDS, values)))
        for _ in range(PAGE_ROUNDS):
            async with classroom(port, control, RUNS) as viewers, acting(viewers, control):
                await asyncio.sleep(RAMP_SECONDS)
                with watched_cores(pid) as cores:
                    beside.append(median(await turn_pages(tabs, SECONDS, values)))
            answers += [ms for viewer in viewers for _, ms in viewer.answers]
            alone.append(median(await turn_pages(tabs, SECONDS, values)))
    return alone, beside, answers, cores


@pytest.mark.timeout(600)
def test_pages_stay_quick_beside_eight_playing_runs(serve: Any) -> None:
    with serve(SERVER, settings={"PLAYGROUND_WORKERS": "2"}) as server:
        alone, beside, answers, cores = asyncio.run(turn_pages_beside(server.url, server.port, server.pid))
    times = [with_runs / mean(alone[at : at + 2]) for at, with_runs in enumerate(beside)]
    table = Table(f"{TABS} tabs, each rerun every {RERUN_EVERY_SECONDS:g} s, beside {RUNS} playing runs, two workers")
    table.add("rerun alone, ms, median of each turn", row(alone))
    table.add("rerun beside, ms, median of each turn", row(beside))
    table.add("times as long, median", f"{median(times):.2f}   (at most {MAX_TIMES_RERUN:g})")
    waits = row([median(answers), p95(answers)])
    table.add("command to frame, ms: median, p95", f"{waits}   (at most {MAX_P95_MS:g})")
    table.add("cores", cores)
    table.show()
    cores.check()
    assert median(times) <= MAX_TIMES_RERUN
    assert p95(answers) <= MAX_P95_MS
