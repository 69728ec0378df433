"""Thirty sessions that have been on two pages before: nobody waits for a first picture, and few places go round.

    pytest -s tests/load/load_places.py

A tab keeps the runs of the pages that it has left. These hold no place, and a run that waits for one to play is built
and shows its picture all the same.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import pytest

from tests.load.machine import LENGTH, Table, row
from tests.load.room import SERVER, Viewer, control_of, in_sight, watched
from tests.load.tabs import Tab, open_tab

SESSIONS = 30
LESSONS = ("regression", "classification", "optimizers")
PLAYS_SECONDS = 2.0 * LENGTH
PATIENCE_SECONDS = 60.0  # then the test fails
MAX_TIMES_FIRST = 2.0  # the wait for a picture on the third page, against that on the first,
SHORT_SECONDS = 0.5  # unless it is shorter than this
PLACES = 8
MAX_SECONDS_TO_PLAY = 2.0  # once a place is free


@dataclass
class Visit:
    """What opening one page took, in seconds."""

    scripts: list[float] = field(default_factory=list)  # until the page's script has run
    pictures: list[float] = field(default_factory=list)  # from there until the first charts


async def visit(tab: Tab, lesson: str, found: Visit, everybody: asyncio.Barrier) -> None:
    """Open a page, look at its first picture, play for a moment, and leave when all have seen theirs."""
    found.scripts.append(await tab.rerun(lesson, patience=PATIENCE_SECONDS))
    start = time.monotonic()
    async with tab.board_socket() as socket:
        viewer = Viewer(tab.run_id, socket, in_sight(lesson))
        watching = asyncio.create_task(viewer.watch())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not viewer.pictured_at:
                assert not viewer.closed, viewer.closed
                await asyncio.sleep(0.005)
        found.pictures.append(viewer.pictured_at - start)
        await viewer.do("play")
        await everybody.wait()
        await asyncio.sleep(PLAYS_SECONDS)
        await viewer.do("leave")
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def visit_three_pages(url: str, port: int) -> list[Visit]:
    """All sessions open their first page, then all their second, then all their third."""
    found = [Visit() for _ in LESSONS]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(control_of(port))
        tabs = [await stack.enter_async_context(open_tab(url)) for _ in range(SESSIONS)]
        await tabs[0].rerun(LESSONS[0])  # a server's first page is slow
        for page, each in enumerate(found):
            everybody = asyncio.Barrier(SESSIONS)
            lessons = [LESSONS[(seat + page) % len(LESSONS)] for seat in range(SESSIONS)]
            await asyncio.gather(
                *(visit(tab, lesson, each, everybody) for tab, lesson in zip(tabs, lessons, strict=True))
            )
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("places", [64, PLACES])
def test_nobody_waits_for_a_first_picture(serve: Any, places: int) -> None:
    with serve(SERVER, settings={"PLAYGROUND_WORKERS": "2", "PLAYGROUND_MAX_RUNS": str(places)}) as server:
        visits = asyncio.run(visit_three_pages(server.url, server.port))
    table = Table(f"{SESSIONS} sessions at once on their first, second and third page; places: {places}")
    for name, each in zip(("first", "second", "third"), visits, strict=True):
        table.add(
            f"{name} page: seconds of its script: median, longest", row([median(each.scripts), max(each.scripts)], 2)
        )
        table.add(f"{name} page: from there to its first picture", row([median(each.pictures), max(each.pictures)], 2))
    first, _, third = (max(each.pictures) for each in visits)
    table.add(
        "longest wait on the third page against the first", f"{third / first:.2f}   (at most {MAX_TIMES_FIRST:g})"
    )
    table.show()
    assert third <= max(MAX_TIMES_FIRST * first, SHORT_SECONDS)


async def hand_places_on(port: int) -> tuple[list[str], list[int], float]:
    """All play: their states and places; then those who play pause: the seconds until as many others play."""
    async with control_of(port) as control:
        runs = await control.ask({"runs": [[f"s {at}", "regression", {"max_steps": 0}] for at in range(SESSIONS)]})
        async with watched(port, runs) as viewers, asyncio.timeout(PATIENCE_SECONDS):
            while any(viewer.state not in ("playing", "queued") for viewer in viewers):
                await asyncio.sleep(0.05)
            await asyncio.sleep(2)
            states, places = [viewer.state for viewer in viewers], [viewer.place for viewer in viewers]
            had = [viewer for viewer in viewers if viewer.state == "playing"]
            for viewer in had:
                await viewer.do("pause")
            start = time.monotonic()
            while sum(viewer.state == "playing" and viewer not in had for viewer in viewers) < PLACES:
                await asyncio.sleep(0.01)
            return states, places, time.monotonic() - start


@pytest.mark.timeout(120)
def test_a_place_that_becomes_free_is_taken_by_the_next(serve: Any) -> None:
    with serve(SERVER, settings={"PLAYGROUND_WORKERS": "2", "PLAYGROUND_MAX_RUNS": str(PLACES)}) as server:
        states, places, seconds = asyncio.run(hand_places_on(server.port))
    table = Table(f"{SESSIONS} students play with {PLACES} places")
    table.add("playing, waiting", f"{states.count('playing')}, {states.count('queued')}")
    table.add("seconds until as many others play", f"{seconds:.2f}   (at most {MAX_SECONDS_TO_PLAY:g})")
    table.show()
    assert states.count("playing") == PLACES
    assert sorted(places) == [0] * PLACES + list(range(1, SESSIONS - PLACES + 1))
    assert seconds <= MAX_SECONDS_TO_PLAY
