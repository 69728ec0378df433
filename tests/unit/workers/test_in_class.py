"""What a class asks of the pool: runs that rest, and glances at them; both also hold in the next worker."""

from __future__ import annotations

import time

from playground.glance import Glance
from playground.workers.pool import WorkerPool
from tests.unit.workers.room import until
from tests.unit.workers.test_pool import lose, old_enough, playing, pool, worker_of  # noqa: F401  (a fixture)


def test_runs_of_a_session_rest_also_those_that_are_opened_later_and_in_the_next_worker(
    pool: WorkerPool,  # noqa: F811
) -> None:
    old_enough(pool)
    held, other = playing(pool, "held"), playing(pool, "other")
    for each in (held, other):
        each.until(lambda viewer: viewer.step > 0)
    pool.hold({"held": False})
    time.sleep(0.3)
    steps = held.step
    before = other.step
    other.until(lambda viewer: viewer.step > before + 20)
    assert held.step == steps
    lose(pool, worker_of(pool, held.run_id))
    later = other.step
    other.until(lambda viewer: viewer.step > later + 20)
    assert held.step <= steps + 1
    pool.hold({"held": True})
    steps = held.step
    later = other.step
    other.until(lambda viewer: viewer.step > later + 20)
    assert held.step <= steps + 1
    pool.hold({})
    held.until(lambda viewer: viewer.step > steps + 5)
    for each in (held, other):
        pool.close(each.run_id)


def test_a_run_is_glanced_at_from_here_and_in_the_next_worker_and_no_other_is(
    pool: WorkerPool,  # noqa: F811
) -> None:
    old_enough(pool)
    viewer, other = playing(pool, "looked at"), playing(pool, "not looked at")
    found: list[tuple[str, Glance]] = []
    pool.look({viewer.run_id: "picture"}, lambda run_id, glance: found.append((run_id, glance)))
    until(lambda: len(found) >= 2, "glances come")
    assert {run_id for run_id, _ in found} == {viewer.run_id}
    assert found[0][1].miniature.kind == "fit" and found[-1][1].step > found[0][1].step
    lose(pool, worker_of(pool, viewer.run_id))
    count = len(found)
    until(lambda: len(found) > count, "glances come from the next worker")
    pool.look({}, lambda run_id, glance: None)
    for each in (viewer, other):
        pool.close(each.run_id)


def test_what_a_class_knows_of_a_run(pool: WorkerPool) -> None:  # noqa: F811
    viewer = playing(pool, "a student")
    viewer.until(lambda each: each.step > 0)
    assert pool.session_of(viewer.run_id) == "a student" and pool.bench_of(viewer.run_id) == "regression"
    assert pool.config_of(viewer.run_id) is not None
    assert pool.last_ask(viewer.run_id) == (("fit", "loss"), {})
    pool.close(viewer.run_id)
    assert pool.session_of(viewer.run_id) is pool.bench_of(viewer.run_id) is pool.config_of(viewer.run_id) is None
