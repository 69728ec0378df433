"""A regression beside another student's CNN: how many of its frames it keeps, and its longest time without one.

Needs a quiet machine with two cores: `pytest -s tests/load/load_neighbours.py`. The CNN plays and pauses by turns, so
both numbers come from one run. With `loops`, two other programs keep the cores busy all the time.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

import pytest

from playground.lessons.cnn.config import BATCH_SIZES, MAX_FILTERS
from tests.load.machine import LENGTH, Cores, Table, busy_loops, row, watched_cores
from tests.load.room import SERVER, Viewer, classroom, control_of, watched

TURNS = 3
SECONDS = 6.0 * LENGTH
RAMP_SECONDS = 2.0
PATIENCE_SECONDS = 60.0  # for the largest CNN to pause
CNNS: dict[str, dict[str, Any]] = {
    "default": {"epochs": 0},
    "largest": {
        "epochs": 0, "layers": 3, "filters_1": MAX_FILTERS, "filters_2": MAX_FILTERS, "filters_3": MAX_FILTERS,
        "kernel": 7, "batch_size": max(BATCH_SIZES), "precision": "bfloat16",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Bound:
    """What a neighbour must keep."""

    frames: float  # of those without the CNN
    gap: float  # seconds


QUIET, CROWDED = Bound(0.85, 0.2), Bound(0.4, 0.5)


@dataclass
class Kept:
    """A neighbour's frames a second without the CNN (one turn more) and beside it, and its longest gaps."""

    alone: list[float]
    beside: list[float]
    gap_alone: float
    gap_beside: float
    cores: Cores

    @property
    def share(self) -> float:
        return median(with_cnn / mean(self.alone[at : at + 2]) for at, with_cnn in enumerate(self.beside))


async def frames_and_gap(viewer: Viewer, seconds: float) -> tuple[float, float]:
    """Over the next seconds."""
    start = time.monotonic()
    await asyncio.sleep(seconds)
    end = time.monotonic()
    return viewer.frames_per_second(start, end), viewer.longest_gap(start, end)


async def measure(port: int, pid: int, knobs: dict[str, Any], loops: list[int]) -> Kept:
    """By turns, without the CNN and beside it."""
    async with control_of(port) as control:
        (cnn,) = await control.ask({"runs": [["another student", "cnn", knobs]]})
        async with (
            classroom(port, control, 1) as (neighbour,),
            watched(port, [cnn], "cnn", plays=False) as (other,),
        ):
            await asyncio.sleep(RAMP_SECONDS)
            found = [await frames_and_gap(neighbour, SECONDS)]
            beside = []
            for _ in range(TURNS):
                await other.do("play")
                with watched_cores(pid, loops) as cores:
                    beside.append(await frames_and_gap(neighbour, SECONDS))
                await other.do("pause")
                await other.until("paused", PATIENCE_SECONDS)
                found.append(await frames_and_gap(neighbour, SECONDS))
        await control.ask({"close": [cnn]})
    return Kept([each[0] for each in found], [each[0] for each in beside],
                max(each[1] for each in found), max(each[1] for each in beside), cores)  # fmt: skip


@pytest.mark.timeout(600)
@pytest.mark.parametrize("workers", [2, 1])
@pytest.mark.parametrize("loops", [0, 2], ids=["quiet", "two busy loops"])
@pytest.mark.parametrize("cnn", CNNS)
def test_a_neighbour_keeps_its_frames_beside_a_cnn(serve: Any, cnn: str, loops: int, workers: int) -> None:
    settings = {"PLAYGROUND_WORKERS": str(workers)}
    with serve(SERVER, settings=settings) as server, busy_loops(loops) as beside:
        kept = asyncio.run(measure(server.port, server.pid, CNNS[cnn], beside))
    # In one worker, both share Python's lock: the wait is bounded as beside busy programs, the share is printed.
    bound = QUIET if workers > 1 and not loops else CROWDED
    table = Table(f"A regression beside the {cnn} CNN of another session; workers: {workers}; busy loops: {loops}")
    table.add("frames/s without the CNN, each turn", row(kept.alone, 1))
    table.add("frames/s beside it, each turn", row(kept.beside, 1))
    table.add("share of the frames, median", f"{kept.share:.2f}   (at least {bound.frames:g})")
    table.add("longest time without a frame, s: without it, beside it",
              f"{kept.gap_alone:.2f}, {kept.gap_beside:.2f}   (at most {bound.gap:g})")  # fmt: skip
    table.add("cores beside it", kept.cores)
    table.show()
    kept.cores.check()
    assert kept.share >= bound.frames
    assert kept.gap_beside <= bound.gap
