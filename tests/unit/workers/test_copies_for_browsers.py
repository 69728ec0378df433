"""A viewer gets what its browser is to keep, and a server that never had the run brings it back from that."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from playground.engine.commands import AddPoint, GoBack, Pause, Play, Step
from playground.lessons import BENCHES
from playground.workers import messages
from playground.workers.pool import WorkerPool
from playground.workers.wire import Start
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
    return fresh, pool.come_back(config, "regression", config, kept.text, kept.state, 0, fresh).run_id


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


@dataclass(frozen=True)
class Pair:
    """Two compared runs as their browser has kept them."""

    first: Copy
    second: Copy


def take_to(pool: WorkerPool, viewer: KeepingViewer, step: int) -> None:
    """Take steps up to this one."""
    pool.command(viewer.run_id, Step(step - pool.call(viewer.run_id, Peek("steps"))))
    until(lambda: pool.call(viewer.run_id, Peek("steps")) == step)


def kept_pair(start: Start) -> Pair:
    """Two runs that branched off at step 20 or at step 0, as a browser has kept them at step 30."""
    with pool_of(workers=1) as pool:
        one = KeepingViewer(pool, pool.open("a student", "regression", ENDLESS)).watch()
        one.until(lambda each: each.step == 0)
        if start != "start":
            take_to(pool, one, 20)
        knob, value = ("", "") if start == "before" else ("lr", 0.02)
        two = KeepingViewer(pool, pool.open_beside(one.run_id, start, knob, value)).watch()
        two.until(lambda each: each.step >= 0)
        if start == "before":
            pool.command(one.run_id, GoBack(5))
            until(lambda: pool.call(one.run_id, Peek("steps")) < 20)
        take_to(pool, one, 25 if start == "before" else 30)
        pool.tune(one.run_id, REGRESSION.config(max_steps=0, momentum=0.5))
        take_to(pool, one, 30)
        until(lambda: pool.call(two.run_id, Peek("steps")) == 30)
        found = []
        for each in (one, two):
            step, digits = pool.call(each.run_id, Checksum())
            known = f'"checksum":"{digits}"'
            until(lambda each=each, step=step, known=known: f'"steps":{step},' in each.text and known in each.text)
            found.append(Copy(each.text, each.state, (step, digits)))
        return Pair(*found)


@pytest.mark.parametrize("start", ["here", "before", "start"])
def test_two_compared_runs_come_back_wherever_the_second_branched_off(pool: WorkerPool, start: Start) -> None:
    pair = kept_pair(start)
    config = REGRESSION.config(max_steps=0, momentum=0.5)
    fresh = pool.open(start, "regression", config)
    found = pool.come_back(start, "regression", config, pair.first.text, pair.first.state, 0, fresh,
                           (pair.second.text, pair.second.state))  # fmt: skip
    assert found.second is not None and found.second.start == start
    one, two = (KeepingViewer(pool, each).watch() for each in (found.run_id, found.second.run_id))
    one.until(lambda each: "same weights" in each.head.get("notice", ""))
    assert messages.SECOND_GONE not in one.head["notice"]
    for viewer, copy in ((one, pair.first), (two, pair.second)):
        viewer.until(lambda each, copy=copy: each.step == copy.there[0])
        assert pool.call(viewer.run_id, Checksum()) == copy.there
    assert not two.head["notice"], "what is well needs no second sentence"
    os.kill(pool.worker_pids[0], signal.SIGKILL)
    one.until(lambda each: each.head.get("notice") == messages.CAME_BACK)
    take_to(pool, one, 45)
    until(lambda: pool.call(two.run_id, Peek("steps")) == 45)
    if start != "before":
        pool.tune(one.run_id, REGRESSION.config(max_steps=0, momentum=0.9))
        until(lambda: pool.call(two.run_id, Peek("config.momentum")) == 0.9)
        assert pool.call(two.run_id, Peek("config.lr")) == 0.02
    pool.close(found.run_id)


def test_a_second_run_that_is_spoilt_is_left_out_and_the_first_says_so(pool: WorkerPool) -> None:
    pair = kept_pair("here")
    config, second = REGRESSION.config(max_steps=0, momentum=0.5), json.loads(pair.second.text)
    spoilt = {
        "of another kind": (pair.second.text.replace('"here"', '"before"', 1), pair.second.state),
        "of other settings": (json.dumps(second | {"config": second["config"] | {"seed": "3"}}), pair.second.state),
        "nonsense": ("{}", b"nonsense"),
        "the first one": (pair.first.text, pair.first.state),
        "another state": (pair.second.text, pair.first.state),
    }
    for name, beside in spoilt.items():
        fresh = pool.open(name, "regression", config)
        found = pool.come_back(name, "regression", config, pair.first.text, pair.first.state, 0, fresh, beside)
        assert found.run_id and found.second is None, name
        viewer = KeepingViewer(pool, found.run_id).watch()
        viewer.until(lambda each: messages.SECOND_GONE in each.head.get("notice", ""))
        pool.close(found.run_id)
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        pool.come_back("a", "regression", config, pair.second.text, pair.second.state, 0, "")


def test_what_is_refused_leaves_the_pages_run_alone(pool: WorkerPool) -> None:
    fresh, open_runs = pool.open("a", "regression", ENDLESS), pool.open_runs
    for text, state in (("", b""), ("{}", b""), ("[" * 1_000_000, b""), ("{}", b"\x80\x04." * 1_000)):
        with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
            pool.come_back("a", "regression", ENDLESS, text, state, 0, fresh)
    assert pool.has(fresh) and pool.open_runs == open_runs
