"""The limits of a server over all its workers, and what is left when runs, viewers and the pool itself end."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any

import psutil
import pytest

from playground.engine import messages as engine_messages
from playground.engine.commands import Play, Reset
from playground.engine.engine import Engine
from playground.settings import Settings
from playground.workers import messages, wire
from playground.workers.pool import RemoteRun, Worker, WorkerPool
from playground.workers.service import BENCHES
from tests.unit.workers.room import AskingViewer, pool_of, until

REGRESSION = BENCHES["regression"]
CONFIG = REGRESSION.config(max_steps=0)
LIMIT = 100


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with pool_of(workers=1, runs_per_session=8) as made:
        yield made


class Wires(wire.Outbox):
    """An outbox that only keeps what is posted."""

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[Any] = []

    def post(self, message: Any) -> None:
        self.posted.append(message)


def pool_without_processes(megabytes: float) -> WorkerPool:
    """A pool with one worker that nobody runs, and that reported this much memory last."""
    pool = WorkerPool(Settings(workers=1, memory_mb=LIMIT))
    pool._workers = [Worker(1, Wires(), 0, time.monotonic(), megabytes=megabytes)]
    return pool


def look_once(pool: WorkerPool) -> None:
    """Let the pool look once whether runs take too much."""
    pool._stopping.clear()
    waits = iter((False, True))
    pool._stopping.wait = lambda timeout=None: next(waits)  # type: ignore[method-assign]
    pool._watch_over()


def unused(pool: WorkerPool, count: int) -> list[RemoteRun]:
    """Runs that nobody watches and that were used a minute ago."""
    runs = [pool._runs[pool.open(f"student {number}", "regression", CONFIG)] for number in range(count)]
    for run in runs:
        run.touched_at -= 60.0
    return runs


def test_no_more_runs_are_closed_than_it_takes_before_the_reports_show_what_that_freed() -> None:
    pool = pool_without_processes(0.0)
    runs = unused(pool, 10)
    pool._workers[0].megabytes = 1.15 * LIMIT
    for _ in range(8):
        look_once(pool)
    assert [run.id for run in runs if pool.has(run.id)] == [run.id for run in runs[2:]]
    pool._freed = [(0.0, megabytes) for _, megabytes in pool._freed]  # later, and it still reports as much
    look_once(pool)
    assert pool.open_runs == 7


def test_a_run_that_was_just_opened_is_not_closed_before_its_board_is_there() -> None:
    pool = pool_without_processes(2.0 * LIMIT)
    run_id = pool.open("a student", "regression", CONFIG)
    look_once(pool)
    assert pool.has(run_id)
    pool._runs[run_id].touched_at -= 60.0
    look_once(pool)
    assert not pool.has(run_id)


def test_the_only_run_is_never_refused_whatever_the_workers_hold_themselves() -> None:
    pool = pool_without_processes(2.0 * LIMIT)
    pool.open("a student", "regression", CONFIG)
    posted = [each for each in pool._workers[0].outbox.posted if isinstance(each, wire.Open)]  # type: ignore[attr-defined]
    assert [each.refusal for each in posted] == [""]


def test_reset_builds_a_run_that_there_was_no_memory_for_once_there_is(pool: WorkerPool) -> None:
    watched = AskingViewer(pool, pool.open("other", "regression", CONFIG)).watch()
    watched.until(lambda each: each.frames)
    full = pool.settings.memory_limit_mb + 1.0
    pool._is_full = lambda: full > pool.settings.memory_limit_mb  # type: ignore[method-assign]
    viewer = AskingViewer(pool, pool.open("mine", "regression", CONFIG)).watch()
    viewer.until(lambda each: each.head.get("notice") == messages.NO_MEMORY)
    pool.command(viewer.run_id, {"do": "play"}, viewer)
    viewer.until(lambda each: each.head["notice"] == engine_messages.ENDED)
    pool.command(viewer.run_id, {"do": "reset"}, viewer)
    viewer.until(lambda each: each.head["notice"] == messages.NO_MEMORY)
    full = 0.0
    pool.command(viewer.run_id, {"do": "reset"}, viewer)
    viewer.until(lambda each: each.head["state"] == "paused")
    pool.command(viewer.run_id, Play(), viewer)
    viewer.until(lambda each: each.step > 0)
    full = pool.settings.memory_limit_mb + 1.0
    pool.command(viewer.run_id, Reset(), viewer)  # one that was built is never refused again
    viewer.until(lambda each: each.head["state"] == "paused" and each.step == 0)
    del pool._is_full
    for run_id in (watched.run_id, viewer.run_id):
        pool.close(run_id)


def test_a_message_of_any_depth_is_refused_and_harms_nobody(pool: WorkerPool) -> None:
    viewer = AskingViewer(pool, pool.open("mine", "regression", CONFIG)).watch()
    deep: Any = 1
    for _ in range(1_000):
        deep = [deep]
    pool.command(viewer.run_id, {"do": "play", "also": deep}, viewer)
    viewer.until(lambda each: each.step > 0)
    pool.command(viewer.run_id, {"do": "step", "n": deep}, viewer)
    viewer.until(lambda each: each.head["notice"].startswith("Step takes"))
    pool.close(viewer.run_id)


def test_a_pool_that_is_stopped_gives_up_every_question_and_ends_its_workers() -> None:
    pool = WorkerPool(Settings(workers=1))
    pool.start()
    until(lambda: all(pool.worker_pids))
    os.kill(pool.worker_pids[0], signal.SIGSTOP)
    waiting = [pool._send(pool._workers[0], wire.AskState("a run")) for _ in range(3)]
    pool.stop()
    until(lambda: not psutil.pid_exists(pool.worker_pids[0]))
    pool.stop()  # which may be said twice
    for future in waiting:
        with pytest.raises(CancelledError):
            future.result(0)


def test_with_more_workers_than_cores_both_boards_of_a_comparison_are_drawn() -> None:
    with pool_of(core_limit=1, workers=4) as pool:
        first = AskingViewer(pool, pool.open("mine", "regression", CONFIG)).watch()
        pool.command(first.run_id, Play(), first)
        first.until(lambda each: each.step > 0)
        second = AskingViewer(pool, pool.open_beside(first.run_id, "start", "lr", 0.02)).watch()
        until(lambda: len(second.frames) > 1 or len(first.frames) > 200)
        count = len(first.frames)
        first.until(lambda each: len(each.frames) > count + 15)
        assert len(second.frames) > 5


def test_a_run_that_is_closed_while_it_is_built_is_not_noted() -> None:
    building, closed = threading.Event(), threading.Event()
    noted: list[str] = []
    engine = Engine(Settings(), before_frame=lambda opened: noted.append(opened.id) if opened.run else None)
    engine.start()

    def build(config: Any) -> Any:
        building.set()
        assert closed.wait(60.0)
        return REGRESSION.build(config, settings=Settings())

    slow = engine.open("mine", build, CONFIG)
    assert building.wait(60.0)
    engine.close(slow)
    closed.set()
    after = engine.open("mine", lambda config: REGRESSION.build(config, settings=Settings()), CONFIG)
    until(lambda: noted)
    engine.stop()
    assert set(noted) == {after}
