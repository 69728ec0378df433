"""The pool of worker processes: the engine's verbs across processes, and what happens when a worker is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from playground.engine import messages as engine_messages
from playground.engine.commands import AddPoint, Pause, Play, SetSpeed, Step
from playground.engine.engine import Engine
from playground.lessons import LESSONS
from playground.runs.checksums import checksum
from playground.saving import checkpoint
from playground.settings import Settings
from playground.workers import messages
from playground.workers import pool as pool_module
from playground.workers.operations import Operation
from playground.workers.pool import UnknownRun, WorkerPool
from playground.workers.processes import RESTART_SECONDS
from playground.workers.service import BENCHES, drawn
from playground.workers.wire import Loaded, Outbox, Restore, Restored, RunReplay, pack_frame, unpack
from tests.unit.workers.room import AskingViewer, Checksum, Fail, Peek, pool_of, until

REGRESSION = BENCHES["regression"]
ENDLESS = REGRESSION.config(max_steps=0)


EARLY_SECONDS = 1.0  # instead of the pool's own, so that tests need not wait


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with pytest.MonkeyPatch.context() as patch, pool_of(workers=2, runs_per_session=8) as made:
        patch.setattr(pool_module, "EARLY_SECONDS", EARLY_SECONDS)
        yield made


def playing(pool: WorkerPool, session: str, config: Any = ENDLESS) -> AskingViewer:
    """A watched regression at full speed."""
    viewer = AskingViewer(pool, pool.open(session, "regression", config)).watch()
    pool.command(viewer.run_id, SetSpeed(0))
    pool.command(viewer.run_id, Play())
    viewer.until(lambda each: each.step > 0)
    return viewer


def worker_of(pool: WorkerPool, run_id: str) -> int:
    return pool._runs[run_id].worker.pid


def alone(steps: int, config: Any = ENDLESS) -> str:
    """The checksum of a regression that has taken so many steps in this process."""
    run = REGRESSION.build(config, settings=Settings())
    while run.steps < steps:
        run.advance(1.0, steps - run.steps)
    return checksum(run.model.state_dict())


# The verbs.


def test_the_pool_has_every_verb_of_an_engine_that_pages_and_sockets_use() -> None:
    verbs = {"open", "open_beside", "vary", "close", "has", "tune", "rebuild", "command", "call", "attach", "detach",
             "ask", "open_runs", "state_of", "start", "stop"}  # fmt: skip
    assert verbs <= set(dir(Engine)) & set(dir(WorkerPool))


@pytest.mark.parametrize("cores", [1, 2])
def test_the_start_is_over_when_the_number_of_threads_is_measured(cores: int) -> None:
    with pool_of(workers=1, core_limit=cores) as pool:
        assert not pool.wait_until_calm(0.0), "its worker is not there yet"
        assert pool.wait_until_calm(30.0)
        assert (pool._thread_times is not None) == (cores > 1), "one core has nothing to choose"


def test_a_run_trains_in_a_worker_and_its_frames_come_back_unread(pool: WorkerPool) -> None:
    viewer = playing(pool, "a student")
    viewer.until(lambda each: len(each.frames) > 5 and each.step > 50)
    assert viewer.head["state"] == "playing"
    assert worker_of(pool, viewer.run_id) in pool.worker_pids and os.getpid() not in pool.worker_pids
    pool.command(viewer.run_id, Pause(), viewer)
    viewer.until(lambda each: each.head["state"] == "paused")
    steps, found = pool.call(viewer.run_id, Checksum())
    assert found == alone(steps)
    pool.close(viewer.run_id)
    assert viewer.dismissals == [(4410, engine_messages.CLOSED)]
    assert not pool.has(viewer.run_id)


def test_what_is_not_open_is_unknown_at_once(pool: WorkerPool) -> None:
    viewer = AskingViewer(pool, "nothing")
    for ask in (
        lambda: pool.attach("nothing", viewer),
        lambda: pool.ask("nothing", viewer, [], {}),
        lambda: pool.command("nothing", Play()),
        lambda: pool.tune("nothing", ENDLESS),
        lambda: pool.rebuild("nothing", ENDLESS),
        lambda: pool.vary("nothing", "lr", 0.1),
        lambda: pool.open_beside("nothing", "start", "lr", 0.1),
        lambda: pool.call("nothing", Peek("steps")),
    ):
        with pytest.raises(UnknownRun):
            ask()
    pool.close("nothing")
    pool.detach("nothing", viewer)
    assert pool.state_of("nothing") == "lost"


def test_a_session_s_runs_are_in_one_worker_and_sessions_are_spread(pool: WorkerPool) -> None:
    runs = {name: [pool.open(name, "regression", ENDLESS) for _ in range(3)] for name in ("first", "second")}
    until(lambda: all(pool.worker_pids))
    workers = {name: {worker_of(pool, run_id) for run_id in ids} for name, ids in runs.items()}
    assert all(len(each) == 1 for each in workers.values())
    assert workers["first"] != workers["second"]
    for run_id in [*runs["first"], *runs["second"]]:
        pool.close(run_id)


def test_knobs_are_tuned_and_runs_are_built_again(pool: WorkerPool) -> None:
    run_id = pool.open("a student", "regression", ENDLESS)
    pool.tune(run_id, ENDLESS.with_values(lr=0.05))
    assert pool.call(run_id, Peek("config.lr")) == 0.05
    pool.command(run_id, Step(3))
    viewer = AskingViewer(pool, run_id).watch()
    viewer.until(lambda each: each.step == 3)
    pool.rebuild(run_id, ENDLESS.with_values(seed=4))
    viewer.until(lambda each: each.step == 0)
    assert pool.call(run_id, Peek("config.seed")) == 4
    pool.close(run_id)


def test_runs_are_opened_and_built_again_to_play_at_once(pool: WorkerPool) -> None:
    run_id = pool.open("a student", "regression", ENDLESS, plays=True)
    assert pool.call(run_id, Peek("steps")) == 0, "nobody watches it"
    viewer = AskingViewer(pool, run_id).watch()
    viewer.until(lambda each: each.step > 0 and each.head["state"] == "playing")
    pool.command(run_id, Pause())
    viewer.until(lambda each: each.head["state"] == "paused")
    pool.rebuild(run_id, ENDLESS.with_values(seed=4), plays=True)
    pool.tune(run_id, ENDLESS.with_values(seed=4, lr=0.05))
    viewer.until(lambda each: each.step > 0 and each.head["state"] == "playing")
    assert (pool.call(run_id, Peek("config.seed")), pool.call(run_id, Peek("config.lr"))) == (4, 0.05)
    pool.close(run_id)


def test_two_compared_runs_advance_together_in_one_worker(pool: WorkerPool) -> None:
    first = pool.open("a student", "regression", ENDLESS)
    second = pool.open_beside(first, "start", "lr", 0.05)
    boards = [AskingViewer(pool, run_id).watch() for run_id in (first, second)]
    pool.command(second, Step(20))
    for board in boards:
        board.until(lambda each: each.step == 20)
    assert pool.call(second, Peek("config.lr")) == 0.05
    pool.vary(second, "lr", 0.01)
    until(lambda: pool.call(second, Peek("config.lr")) == 0.01)
    third = pool.open_beside(first, "here", "lr", 0.02)
    assert not pool.has(second)
    until(lambda: pool.state_of(third) == "paused")
    assert pool.call(third, Peek("steps")) == 20
    pool.close(first)
    until(lambda: not pool.has(third))


def test_an_operation_s_refusal_is_a_sentence_and_its_fault_is_no_detail(pool: WorkerPool) -> None:
    run_id = pool.open("a student", "regression", ENDLESS)
    until(lambda: pool.state_of(run_id) == "paused")
    with pytest.raises(ValueError, match="Something went wrong"):
        pool.call(run_id, Fail())
    pool.command(run_id, AddPoint(0.5, 0.5))
    assert pool.call(run_id, Peek("steps")) == 0
    pool.close(run_id)


def test_a_still_lab_is_drawn_by_a_worker_as_here_and_its_number_counts_new_pictures(pool: WorkerPool) -> None:
    lab: Any = next(bench for bench in BENCHES.values() if getattr(bench, "draw", None))
    here = drawn(lab, lab.config(), b"", 0)
    there = pool.draw("a student", lab.name, lab.config(), b"", 0)
    assert there == here and there.number == 1
    again = pool.draw("a student", lab.name, lab.config(), there.digest, there.number)
    assert again.number == 1 and again.digest == there.digest


def test_a_file_is_restored_in_place_of_the_run_and_a_bad_one_changes_nothing(pool: WorkerPool) -> None:
    run = REGRESSION.build(ENDLESS, settings=Settings())
    run.advance(60.0, 30)
    first = pool.open("a student", "regression", ENDLESS)
    with pytest.raises(ValueError):
        pool.restore("a student", "regression", b"nonsense", "x.safetensors", first)
    assert pool.has(first)
    found = pool.restore("a student", "regression", checkpoint.save("regression", run), "x.safetensors", first)
    assert isinstance(found, Restored) and found.step == 30 and not pool.has(first)
    assert pool.call(found.run_id, Checksum()) == (30, checksum(run.model.state_dict()))
    from playground.saving import weight_files

    weights = weight_files.as_pt(checkpoint.take_weights(run))
    loaded = pool.restore("a student", "regression", weights, "x.pt", found.run_id)
    assert isinstance(loaded, Loaded) and pool.has(found.run_id)
    pool.close(found.run_id)


def test_a_replay_takes_the_place_of_the_run(pool: WorkerPool) -> None:
    digits = alone(25)[:8]
    first = pool.open("a student", "regression", ENDLESS)
    with pytest.raises(ValueError):
        pool.replay("a student", "regression", ENDLESS, "nonsense", "", "", first)
    assert pool.has(first)
    run_id = pool.replay("a student", "regression", ENDLESS, f"25.{digits}", "", "", first)
    assert not pool.has(first)
    viewer = AskingViewer(pool, run_id).watch()
    viewer.until(lambda each: each.step == 25)
    viewer.until(lambda each: digits in each.head["note"])
    pool.close(run_id)


def test_a_reader_gets_whole_frames_and_does_not_replace_the_one_that_controls(pool: WorkerPool) -> None:
    viewer = playing(pool, "a student")
    reader = AskingViewer(pool, viewer.run_id).watch(reads=True)
    reader.until(lambda each: each.step > 0)
    before = len(viewer.frames)
    viewer.until(lambda each: len(each.frames) > before + 3)
    assert viewer.dismissals == []
    pool.command(viewer.run_id, {"do": "pause"}, reader)
    assert pool.state_of(viewer.run_id) == "playing"
    pool.detach(viewer.run_id, reader)
    pool.close(viewer.run_id)


# Workers that are lost.


def lose(pool: WorkerPool, pid: int, how: signal.Signals = signal.SIGKILL) -> None:
    os.kill(pid, how)
    until(lambda: pid not in pool.worker_pids and all(pool.worker_pids), "no other worker was started")


def old_enough(pool: WorkerPool) -> None:
    """Wait until no worker is so young that its loss would count against its runs."""
    until(lambda: all(w.pid and time.monotonic() - w.connected_at > EARLY_SECONDS for w in pool._workers))


def test_runs_of_a_killed_worker_come_back_at_their_step_and_play_on(pool: WorkerPool) -> None:
    old_enough(pool)
    viewers = [playing(pool, f"student {number}") for number in range(4)]
    for viewer in viewers:
        viewer.until(lambda each: each.step > 200)
    pid = worker_of(pool, viewers[0].run_id)
    gone = [viewer for viewer in viewers if worker_of(pool, viewer.run_id) == pid]
    others = [viewer for viewer in viewers if viewer not in gone]
    assert gone and others
    time.sleep(1)
    seen = {viewer: viewer.step for viewer in gone}
    lose(pool, pid)
    for viewer in gone:
        viewer.until(lambda each: each.step > seen[each] and each.head["state"] == "playing")
        assert viewer.dismissals == []
        assert any(messages.CAME_BACK in frame.decode("utf-8", "replace") for frame in viewer.frames)
    for viewer in viewers:
        pool.command(viewer.run_id, Pause())
        steps, found = pool.call(viewer.run_id, Checksum())
        assert found == alone(steps)
        assert viewer.dismissals == []
        pool.close(viewer.run_id)


def test_what_was_opened_to_play_plays_where_its_worker_is_killed_at_once(pool: WorkerPool) -> None:
    old_enough(pool)
    run_id = pool.open("a student", "regression", ENDLESS, plays=True)
    lose(pool, worker_of(pool, run_id))
    viewer = AskingViewer(pool, run_id).watch()
    viewer.until(lambda each: each.step > 0 and each.head["state"] == "playing")
    pool.close(run_id)


def saved_run() -> tuple[bytes, tuple[int, str]]:
    """The checkpoint of a regression, and its step and checksum."""
    run = REGRESSION.build(ENDLESS, settings=Settings())
    run.advance(60.0, 30)
    return checkpoint.save("regression", run), (30, checksum(run.model.state_dict()))


@pytest.mark.parametrize("seconds", [0.0, 0.7], ids=["at once", "where the page waits for its turn"])
def test_a_restored_run_survives_a_worker_that_is_killed_soon_after(
    pool: WorkerPool, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    @contextmanager
    def slowly() -> Iterator[None]:
        yield
        time.sleep(seconds)  # meanwhile the worker tells from what the run comes back

    old_enough(pool)
    content, there = saved_run()
    first = pool.open("a student", "regression", ENDLESS)
    monkeypatch.setattr(pool, "_while_waiting", slowly)
    found = pool.restore("a student", "regression", content, "x.safetensors", first)
    monkeypatch.undo()
    assert isinstance(found, Restored)
    if not seconds:
        pool._runs[found.run_id].recipe = None  # as long as the worker has reported nothing
        pool._runs[found.run_id].asked = Restore(
            found.run_id, "a student", "regression", content, "x.safetensors", 1, ""
        )
    lose(pool, worker_of(pool, found.run_id))
    viewer = AskingViewer(pool, found.run_id).watch()
    assert pool.call(found.run_id, Checksum()) == there
    viewer.until(lambda each: each.step == 30)
    pool.close(found.run_id)


def test_a_replay_goes_on_where_its_worker_is_killed_at_once(pool: WorkerPool) -> None:
    old_enough(pool)
    digits = alone(25)[:8]
    first = pool.open("a student", "regression", ENDLESS)
    run_id = pool.replay("a student", "regression", ENDLESS, f"25.{digits}", "", "", first)
    asked = RunReplay(run_id, "a student", "regression", ENDLESS, f"25.{digits}", "", "", 1)
    pool._runs[run_id].recipe, pool._runs[run_id].asked = None, asked  # as long as the worker has reported nothing
    lose(pool, worker_of(pool, run_id))
    viewer = AskingViewer(pool, run_id).watch()
    viewer.until(lambda each: each.step == 25)
    viewer.until(lambda each: digits in each.head["note"])
    pool.close(run_id)


def test_all_that_was_set_while_a_worker_stood_still_holds_in_the_next_one(pool: WorkerPool) -> None:
    old_enough(pool)
    viewer = AskingViewer(pool, pool.open("a student", "regression", ENDLESS)).watch()
    viewer.until(lambda each: each.head.get("state") == "paused")
    until(lambda: pool._runs[viewer.run_id].recipe)
    pid = worker_of(pool, viewer.run_id)
    os.kill(pid, signal.SIGSTOP)
    other = ENDLESS.with_values(seed=7)
    pool.rebuild(viewer.run_id, other)
    pool.tune(viewer.run_id, other.with_values(lr=0.05))
    lose(pool, pid)
    pool.command(viewer.run_id, Step(20))
    until(lambda: pool.call(viewer.run_id, Peek("steps")) == 20)
    assert pool.call(viewer.run_id, Checksum()) == (20, alone(20, other.with_values(lr=0.05)))
    pool.close(viewer.run_id)


def test_points_added_by_hand_survive_a_killed_worker(pool: WorkerPool) -> None:
    old_enough(pool)
    viewer = playing(pool, "a student")
    pool.command(viewer.run_id, Pause())
    pool.command(viewer.run_id, AddPoint(0.25, 0.75))
    pool.tune(viewer.run_id, ENDLESS.with_values(lr=0.05))
    pool.command(viewer.run_id, Step(50))
    before = pool.call(viewer.run_id, Peek("steps"))
    viewer.until(lambda each: each.head["state"] == "paused" and each.step >= 50)
    until(lambda: pool.call(viewer.run_id, Peek("steps")) >= before)
    time.sleep(1.5)
    found, points = pool.call(viewer.run_id, Checksum()), pool.call(viewer.run_id, Peek("edits"))
    lose(pool, worker_of(pool, viewer.run_id))
    until(lambda: pool.call(viewer.run_id, Checksum()) == found)
    assert pool.call(viewer.run_id, Peek("edits")) == points
    assert pool.call(viewer.run_id, Peek("config.lr")) == 0.05
    pool.close(viewer.run_id)


def test_a_killed_fork_server_is_started_again_for_the_next_worker(pool: WorkerPool) -> None:
    old_enough(pool)
    viewer = playing(pool, "a student")
    server = pool.fork_server_pid
    os.kill(server, signal.SIGKILL)
    seen = len(viewer.frames)
    viewer.until(lambda each: len(each.frames) > seen + 2)  # workers do not need it
    lose(pool, worker_of(pool, viewer.run_id))
    assert pool.fork_server_pid != server
    again = pool.fork_server_pid
    time.sleep(RESTART_SECONDS)
    os.kill(again, signal.SIGKILL)
    until(lambda: pool.fork_server_pid not in (again, 0), "another one is ready for the next loss")
    seen = len(viewer.frames)
    viewer.until(lambda each: len(each.frames) > seen + 2)
    assert viewer.dismissals == []
    pool.close(viewer.run_id)


def test_a_call_whose_worker_is_lost_ends_at_once(pool: WorkerPool) -> None:
    old_enough(pool)
    run_id = pool.open("a student", "regression", ENDLESS)
    until(lambda: pool.state_of(run_id) == "paused")
    pid = worker_of(pool, run_id)
    os.kill(pid, signal.SIGSTOP)
    future = pool._send(pool._runs[run_id].worker, _steps_of(run_id))
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(CancelledError):
        future.result(30)
    pool.close(run_id)


def test_a_stopped_worker_keeps_nobody_else_waiting(pool: WorkerPool) -> None:
    old_enough(pool)
    viewers = [playing(pool, "first"), playing(pool, "second")]
    pid, other = (worker_of(pool, viewer.run_id) for viewer in viewers)
    assert pid != other
    os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(2_000):
            pool.command(viewers[0].run_id, Pause())  # more than a socket's buffer takes
        seen = len(viewers[1].frames)
        viewers[1].until(lambda each: len(each.frames) > seen + 5)
    finally:
        os.kill(pid, signal.SIGCONT)
    viewers[0].until(lambda each: each.head["state"] == "paused")
    for viewer in viewers:
        pool.close(viewer.run_id)


def test_runs_whose_workers_are_lost_again_and_again_come_back_paused_then_are_closed() -> None:
    with pool_of(workers=1) as pool:
        viewer = playing(pool, "a student")
        for _ in range(8):
            until(lambda: all(pool.worker_pids))
            if not pool.has(viewer.run_id):
                break
            lose(pool, pool.worker_pids[0])
        assert not pool.has(viewer.run_id)
        assert viewer.dismissals == [(4410, messages.STOPPED_TOO_OFTEN)]
        again = playing(pool, "a student")
        again.until(lambda each: each.step > 10)


def _steps_of(run_id: str) -> Any:
    from playground.workers.wire import CallRun

    operation: Operation[Any] = Peek("steps")
    return CallRun(run_id, operation, False)


# The end, and starts that fail.


def test_nothing_is_left_of_a_pool_that_was_stopped() -> None:
    with pool_of(workers=2) as pool:
        viewer = playing(pool, "a student")
        pids = [*pool.worker_pids, pool.fork_server_pid]
        folder = Path(os.environ["PYTORCH_PLAYGROUND_FOLDER"])
        assert folder.is_dir()
    until(lambda: not any(psutil.pid_exists(pid) for pid in pids))
    assert not folder.exists()
    assert viewer.dismissals == [(1012, engine_messages.STOPPING)]


def test_workers_can_be_started_without_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.workers.pool.Processes", lambda connected: _without_fork(connected))
    with pool_of(workers=1) as pool:
        viewer = playing(pool, "a student")
        steps = viewer.step
        lose(pool, pool.worker_pids[0])
        viewer.until(lambda each: each.step > steps)


def _without_fork(connected: Any) -> Any:
    from playground.workers.processes import Processes

    return Processes(connected, forks=False)


# Limits over all workers.


def test_over_the_limit_of_memory_a_session_s_own_unwatched_runs_go_first(pool: WorkerPool) -> None:
    mine = [pool.open("mine", "regression", ENDLESS) for _ in range(2)]
    watched = AskingViewer(pool, pool.open("mine", "regression", ENDLESS)).watch()
    other = pool.open("other", "regression", ENDLESS)
    watched.until(lambda each: each.frames)
    full = pool.settings.memory_limit_mb + 1.0
    pool._workers[0].megabytes = full
    try:
        new = pool.open("mine", "regression", ENDLESS)
    finally:
        pool._workers[0].megabytes = 0.0
        pool._freed.clear()
    assert not pool.has(mine[0]) and pool.has(watched.run_id) and pool.has(new)
    for run_id in (*mine, watched.run_id, other, new):
        pool.close(run_id)


def test_without_memory_for_another_run_it_says_so(pool: WorkerPool) -> None:
    other = AskingViewer(pool, pool.open("other", "regression", ENDLESS)).watch()  # there is memory for the only one
    pool._workers[0].megabytes = pool.settings.memory_limit_mb + 1.0
    try:
        run_id = pool.open("mine", "regression", ENDLESS)
    finally:
        pool._workers[0].megabytes = 0.0
    viewer = AskingViewer(pool, run_id).watch()
    viewer.until(lambda each: each.head.get("state") == "failed")
    assert viewer.head["notice"] == messages.NO_MEMORY
    pool.close(run_id)
    pool.close(other.run_id)


def test_over_the_limit_of_playing_runs_of_all_workers_one_waits_with_its_picture() -> None:
    with pool_of(workers=2, max_runs=2) as pool:
        viewers = [AskingViewer(pool, pool.open(f"student {n}", "regression", ENDLESS)).watch() for n in range(3)]
        for viewer in viewers:
            viewer.until(lambda each: each.frames)
            pool.command(viewer.run_id, Play())
        viewers[2].until(lambda each: each.head["state"] == "queued" and each.head["place"] == 1)
        assert b"charts" in viewers[2].frames[0]
        pool.command(viewers[0].run_id, Pause())
        viewers[2].until(lambda each: each.head["state"] == "playing")


# The wire.


def test_a_frame_travels_as_it_is() -> None:
    frame = np.random.default_rng(0).bytes(70_000)
    assert unpack(pack_frame(2**40 + 1, frame)) == (2**40 + 1, frame)


def test_an_outbox_keeps_the_order_and_says_when_the_other_end_has_gone() -> None:
    from multiprocessing import Pipe

    here, there = Pipe()
    failed: list[bool] = []
    outbox = Outbox()
    outbox.post("first")
    outbox.post_frame(3, b"second")
    outbox.start(here, "outbox", lambda: failed.append(True))
    assert [unpack(there.recv_bytes()) for _ in range(2)] == ["first", (3, b"second")]
    there.close()
    until(lambda: outbox.post("nobody") or failed)
    assert LESSONS
