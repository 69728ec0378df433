"""How many students a server holds, for docs/scaling.md: on several numbers of cores, with as many workers.

    python -m tests.load.sizing            # 1, 2 and 4 cores, as far as this machine has them
    python -m tests.load.sizing 2          # these alone

A number of students fits if each of them, before a playing regression, gets 10 frames a second or more, and a command
is seen within 250 ms in 95 of 100 cases. The server runs on the first cores (Linux); the students are simulated on the
same machine, on a core of their own where there is one more. On a machine that does nothing else: what other programs
took is in the last column.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from tests.conftest import run_server
from tests.load.machine import LENGTH, family_megabytes, unique_megabytes, watched_cores
from tests.load.room import SERVER, acting, classroom, control_of, p95, rates_for

CORES = (1, 2, 4)
SECONDS = 8.0 * LENGTH
RAMP_SECONDS = 3.0
FIRST, MOST = 8, 256  # students
FRAMES_PER_SECOND = 10.0
MAX_P95_MS = 250.0
COUNTED = 20  # students whose memory is measured


@dataclass(frozen=True)
class Trial:
    """One number of students."""

    students: int
    frames: float  # a second, of the slowest
    p95: float  # ms
    server: float  # cores
    viewers: float
    others: float  # of programs that have nothing to do with it
    web_ms: float  # of a core, that the web process needs for one frame

    @property
    def fits(self) -> bool:
        return self.frames >= FRAMES_PER_SECOND and self.p95 <= MAX_P95_MS


@dataclass
class Size:
    """What a server with a number of cores holds."""

    cores: int
    fits: Trial
    too_many: Trial
    idle: float  # MB of all processes
    worker: float  # MB of a worker's own, with its students
    student: float  # MB more for each


async def trial(port: int, pid: int, students: int) -> Trial:
    """So many students for some seconds."""
    async with control_of(port) as control, classroom(port, control, students) as viewers:
        await asyncio.sleep(RAMP_SECONDS)
        with watched_cores(pid) as cores:
            async with acting(viewers, control):
                frames, _ = await rates_for(viewers, SECONDS)
    waits = [ms for viewer in viewers for _, ms in viewer.answers]
    return Trial(students, min(frames), p95(waits) if waits else float("inf"),
                 cores.server, cores.viewers, cores.others, 1_000 * cores.web / sum(frames))  # fmt: skip


async def size(port: int, pid: int, cores: int) -> Size:
    """Double the students until they are too many, then halve the interval until it is small."""
    await trial(port, pid, 2)  # a server's first runs are slow
    idle = family_megabytes(pid)
    async with control_of(port) as control, classroom(port, control, COUNTED):
        await asyncio.sleep(RAMP_SECONDS)
        student = (family_megabytes(pid) - idle) / COUNTED
        _, *workers = await control.ask({"workers": True})
        worker = mean(map(unique_megabytes, workers))
    fits, too_many, students = None, None, FIRST
    while too_many is None or fits is None or too_many.students - fits.students > max(1, fits.students // 8):
        each = await trial(port, pid, students)
        print(f"  {cores} cores, {students} students: {each}", file=sys.stderr)
        if each.fits:
            fits = each
        else:
            too_many = each
        if too_many is None:
            students *= 2
            if students > MOST:
                too_many = each
                break
        elif fits is None:
            if students == 1:
                fits = each
                break
            students //= 2
        else:
            students = (fits.students + too_many.students) // 2
    assert fits is not None
    return Size(cores, fits, too_many, idle, worker, student)


def measure(cores: int) -> Size:
    """A server on `cores` cores, with as many workers as it chooses by itself."""
    taskset = shutil.which("taskset")
    pinned = [taskset, "-c", f"0-{cores - 1}", *SERVER] if taskset else list(SERVER)
    settings = {"PLAYGROUND_CORES": str(cores), "PLAYGROUND_MAX_RUNS": str(2 * MOST)}
    with run_server(pinned, settings=settings) as server:
        return asyncio.run(size(server.port, server.pid, cores))


def table(sizes: Sequence[Size]) -> str:
    """As docs/scaling.md has it."""
    rows = [
        "| cores | students at 10 frames/s or more | slowest, frames/s | p95, ms | MB of all, idle | MB each student "
        "| MB a worker's own | ms of the web process for a frame "
        "| cores used by the server, by the students, by other programs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {each.cores} | {each.fits.students} | {each.fits.frames:.1f} | {each.fits.p95:.0f} | {each.idle:.0f} "
        f"| {each.student:.1f} | {each.worker:.0f} | {each.fits.web_ms:.2f} "
        f"| {each.fits.server:.1f}, {each.fits.viewers:.1f}, {each.fits.others:.1f} |"
        for each in sizes
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    wanted = [int(word) for word in sys.argv[1:]] or [each for each in CORES if each <= (os.cpu_count() or 1)]
    print(table([measure(cores) for cores in wanted]))
