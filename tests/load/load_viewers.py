"""Thirty students at once, and one alone: frames, answers, training speed and memory, against a bare torch loop.

Needs a quiet machine: `pytest -s tests/load/load_viewers.py`. The viewers ask as the board in a browser does, each for
the charts that are in sight when the page opens, and paint for as long as a fast browser does; they run on the machine
that serves them, and what they themselves use is printed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

import pytest

from tests.benchmarks.turns import Speed, loop
from tests.load.machine import LENGTH, Cores, Table, family_megabytes, row, watched_cores
from tests.load.room import SERVER, Viewer, acting, classroom, control_of, p95, rates_for

VIEWERS = 30
SECONDS = 30.0 * LENGTH
TURNS, TURN_SECONDS = 8, 3.0 * LENGTH
BARE_SECONDS = 5.0 * LENGTH
RAMP_SECONDS = 4.0  # from the first Play until everybody has had a few frames
SETTLING_SECONDS = 0.6  # of one student, after Play
CORES = {"PLAYGROUND_WORKERS": "2"}
LEAST_FRAMES_PER_SECOND = 6.0
MAX_P95_MS = 250.0
LEAST_TIMES_BARE_LOOP = 1.2  # all steps of all students
LEAST_SHARE_OF_BARE_LOOP = 0.95  # of one student
LEAST_FRAMES_OF_ONE = 29.0
MAX_MEMORY = 1.1  # of the memory before


@dataclass
class Lesson:
    """What a lesson with all viewers gave."""

    frames: list[float]  # a second, of each viewer
    steps: list[float]  # a second
    viewers: list[Viewer]
    memory: list[float]  # MB: before, with all, after
    cores: Cores


async def hold(port: int, pid: int) -> Lesson:
    """A warm-up with two viewers, then a lesson with all of them."""
    async with control_of(port) as control:
        async with classroom(port, control, 2) as viewers, acting(viewers, control):
            await asyncio.sleep(RAMP_SECONDS)
        await asyncio.sleep(2)
        memory = [family_megabytes(pid)]
        async with classroom(port, control, VIEWERS) as viewers:
            await asyncio.sleep(RAMP_SECONDS)
            with watched_cores(pid) as cores:
                async with acting(viewers, control):
                    frames, steps = await rates_for(viewers, SECONDS)
            memory.append(family_megabytes(pid))
        await asyncio.sleep(2)
        return Lesson(frames, steps, viewers, [*memory, family_megabytes(pid)], cores)


@pytest.mark.timeout(300)
def test_thirty_students_share_one_server(serve: Any) -> None:
    with serve(SERVER, settings=CORES) as server, loop("tests.load.bare_loop") as speed:
        bare = [speed(BARE_SECONDS)]
        lesson = asyncio.run(hold(server.port, server.pid))
        bare.append(speed(BARE_SECONDS))

    every = [ms for viewer in lesson.viewers for _, ms in viewer.answers]
    times = sum(lesson.steps) / mean(bare)
    before, during, after = lesson.memory
    table = Table(f"{VIEWERS} students, {SECONDS:g} s")
    rates = row([min(lesson.frames), median(lesson.frames)], 2)
    table.add("frames/s of a student: least, median", f"{rates}   (least at least {LEAST_FRAMES_PER_SECOND:g})")
    for name in ("pause", "play", "tune"):
        waits = [ms for viewer in lesson.viewers for done, ms in viewer.answers if done == name]
        table.add(f"{name}: commands; p50, p95, longest ms", answers(waits))
    table.add("all commands", f"{answers(every)}   (p95 at most {MAX_P95_MS:g})")
    table.add("steps/s of all runs", f"{sum(lesson.steps):,.0f}")
    table.add("steps/s of a bare loop: before, after", row(bare))
    table.add("times the bare loop", f"{times:.2f}   (at least {LEAST_TIMES_BARE_LOOP:g})")
    sizes = [size for viewer in lesson.viewers for size in viewer.sizes]
    table.add("bytes of a frame, mean", f"{mean(sizes):,.0f}")
    table.add("memory of all processes, MB: before, with all, after", f"{before:.0f}, {during:.0f}, {after:.0f}")
    table.add("cores", lesson.cores)
    table.show()

    lesson.cores.check()
    assert min(lesson.frames) >= LEAST_FRAMES_PER_SECOND
    assert p95(every) <= MAX_P95_MS
    assert times >= LEAST_TIMES_BARE_LOOP
    assert after <= MAX_MEMORY * before


def answers(waits: list[float]) -> str:
    """How many, and how long."""
    return f"{len(waits)}; {median(waits):.0f}, {p95(waits):.0f}, {max(waits):.0f}" if waits else "none"


async def one_student(port: int, pid: int, bare: Speed) -> tuple[list[float], list[float], list[float], list[Cores]]:
    """By turns with a bare loop: the bare loop's speeds (one more), the student's, frames a second, and cores."""
    speeds, frames, cores = [], [], []
    async with control_of(port) as control, classroom(port, control, 1) as (viewer,):
        await asyncio.sleep(RAMP_SECONDS)
        await viewer.do("pause")
        await viewer.until("paused")
        bares = [bare(TURN_SECONDS)]
        for _ in range(TURNS):
            await viewer.do("play")
            await asyncio.sleep(SETTLING_SECONDS)
            with watched_cores(pid) as used:
                (rate,), (steps,) = await rates_for([viewer], TURN_SECONDS)
            speeds.append(steps)
            frames.append(rate)
            cores.append(used)
            await viewer.do("pause")
            await viewer.until("paused")
            bares.append(await asyncio.to_thread(bare, TURN_SECONDS))
    return bares, speeds, frames, cores


@pytest.mark.timeout(300)
def test_one_student_trains_nearly_as_fast_as_a_bare_loop(serve: Any) -> None:
    with serve(SERVER, settings=CORES) as server, loop("tests.load.bare_loop") as bare:
        bares, speeds, frames, cores = asyncio.run(one_student(server.port, server.pid, bare))
    shares = [speed / mean(bares[at : at + 2]) for at, speed in enumerate(speeds)]
    others = mean(each.others for each in cores)
    table = Table(f"One student, {TURNS} turns of {TURN_SECONDS:g} s")
    table.add("frames/s, median", f"{median(frames):.1f}   (at least {LEAST_FRAMES_OF_ONE:g})")
    table.add("steps/s: the student, a bare loop", f"{median(speeds):,.0f}, {median(bares):,.0f}")
    table.add("shares of the bare loop", row(shares, 2))
    table.add("their median", f"{median(shares):.3f}   (at least {LEAST_SHARE_OF_BARE_LOOP:g})")
    used = row([mean(each.server for each in cores), mean(each.viewers for each in cores), others], 2)
    table.add("cores used by the server, by its viewer, by others", used)
    table.show()
    Cores(others=others).check()
    assert median(frames) >= LEAST_FRAMES_OF_ONE
    assert median(shares) >= LEAST_SHARE_OF_BARE_LOOP
