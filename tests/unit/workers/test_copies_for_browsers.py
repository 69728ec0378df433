"""A viewer gets what its browser is to keep, and a server that never had the run brings it back from that."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from playground.engine.commands import AddPoint, Pause, Play, Step
from playground.lessons import BENCHES
from playground.workers import messages
from playground.workers.pool import WorkerPool
from tests.unit.workers.room import AskingViewer, Checksum, Peek, pool_of, until

REGRESSION: Any = BENCHES["regression"]
ENDLESS = REGRESSION.config(max_steps=0)


@dataclass(eq=False)
class KeepingViewer(AskingViewer):
    """A viewer whose browser keeps its run."""

    text: str = ""
    state: bytes = b""
    kept: threading.Event = field(default_factory=threading.Event)

    def watch(self, *, reads: bool = False) -> KeepingViewer:
        self.pool.attach(self.run_id, self, keeps=self)
        self.ask()
        return self

    def keep(self, head: str, state: bytes) -> None:
        self.text, self.state = head, state or self.state
        self.kept.set()

    def kept_anew(self) -> None:
        self.kept.clear()
        assert self.kept.wait(30), "nothing was kept"


@dataclass(frozen=True)
class Copy:
    """What a browser has kept, and the step and checksum of the run then."""

    text: str
    state: bytes
    there: tuple[int, str]


@pytest.fixture(scope="module")
def kept() -> Copy:
    """A paused run with a point by hand, of a server that is no longer there."""
    with pool_of(workers=1) as pool:
        viewer = KeepingViewer(pool, pool.open("a student", "regression", ENDLESS)).watch()
        pool.command(viewer.run_id, Play())
        viewer.until(lambda each: each.step > 50)
        pool.command(viewer.run_id, AddPoint(0.5, 0.5))
        pool.command(viewer.run_id, Pause())
        viewer.until(lambda each: each.head["state"] == "paused")
        step = pool.call(viewer.run_id, Peek("steps"))
        pool.command(viewer.run_id, Step(3))
        until(lambda: pool.call(viewer.run_id, Peek("steps")) == step + 3)
        there = pool.call(viewer.run_id, Checksum())
        until(lambda: f'"steps":{there[0]},"outcome"' in viewer.text)
        return Copy(viewer.text, viewer.state, there)


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with pool_of(workers=1) as found:
        yield found


def come_back(pool: WorkerPool, config: Any, kept: Copy) -> tuple[str, str]:
    """The ids of the run that a page has opened, and of the one that came back in its place."""
    fresh = pool.open(config, "regression", config)
    return fresh, pool.come_back(config, "regression", config, kept.text, kept.state, 0, fresh)


def test_a_run_comes_back_on_another_server_and_says_so(pool: WorkerPool, kept: Copy) -> None:
    fresh, back = come_back(pool, ENDLESS, kept)
    assert back and not pool.has(fresh)
    viewer = KeepingViewer(pool, back).watch()
    viewer.until(lambda each: each.step == kept.there[0] and "same weights" in each.head["notice"])
    assert pool.call(back, Checksum()) == kept.there
    assert len(pool.call(back, Peek("edits.clicks"))) == 1
    pool.command(back, Play())
    viewer.until(lambda each: each.step > kept.there[0] + 10)
    viewer.kept_anew()
    os.kill(pool.worker_pids[0], signal.SIGKILL)
    step = viewer.step
    viewer.until(lambda each: each.step > step and each.head["notice"] == messages.CAME_BACK)
    pool.close(back)


def test_other_settings_of_the_page_win_and_live_ones_are_turned(pool: WorkerPool, kept: Copy) -> None:
    fresh, back = come_back(pool, REGRESSION.config(max_steps=0, seed=7), kept)
    assert back == "" and pool.has(fresh), "its own run stays"
    _, back = come_back(pool, REGRESSION.config(max_steps=0, lr=0.02), kept)
    until(lambda: pool.call(back, Peek("config.lr")) == 0.02)
    assert pool.call(back, Peek("steps")) == kept.there[0]


def test_what_is_refused_leaves_the_pages_run_alone(pool: WorkerPool) -> None:
    fresh, open_runs = pool.open("a", "regression", ENDLESS), pool.open_runs
    for text, state in (("", b""), ("{}", b""), ("[" * 1_000_000, b""), ("{}", b"\x80\x04." * 1_000)):
        with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
            pool.come_back("a", "regression", ENDLESS, text, state, 0, fresh)
    assert pool.has(fresh) and pool.open_runs == open_runs
