"""Who waits for whom: runs with long steps have a thread of their own, first pictures wait for nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from playground.engine.engine import Engine
from playground.engine.run import Heavy
from playground.settings import Settings
from tests.unit.engine.test_engine import (
    DEADLINE,
    PLAY,
    FakeRun,
    Plan,
    Screen,
    assert_goes_on,
    run_of,
    until,
    watch,
)


class Stuck(FakeRun):
    """Its steps take until the test lets it go on."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.goes_on, self.is_stuck = threading.Event(), threading.Event()

    def advance(self, seconds: float, steps: int) -> int:
        self.is_stuck.set()
        assert self.goes_on.wait(4 * DEADLINE)
        return super().advance(seconds, steps)


class HeavyRun(FakeRun):
    """Has long steps, as it says."""

    frame_rate, restless = 100.0, False

    def use_cores(self, count: int) -> None:
        pass

    def rebuilt(self, config: Plan) -> FakeRun:
        return type(self)(config)


class StuckHeavy(Stuck, HeavyRun):
    config, resumes = Settings(), 0  # type: ignore[assignment]

    def time(self) -> dict[str, Any]:
        return {"at": None, "step": self.steps}


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine(Settings(frame_rate=500.0, runs_per_session=9))
    made.start()
    yield made
    for opened in list(made._runs.values()):
        if isinstance(opened.run, Stuck):
            opened.run.goes_on.set()
    made.stop()


def stuck(engine: Engine, kind: Any) -> Screen:
    """A watched run in the midst of a step that does not end."""
    screen = Screen(engine, engine.open("session", kind, Plan()), paints=True)
    engine.command(screen.run_id, PLAY)
    until(lambda: (run := engine._runs[screen.run_id].run) is not None and run.is_stuck.is_set(), "it is in a step")
    return screen


def test_beside_a_long_step_of_a_heavy_run_others_train_and_are_drawn(engine: Engine) -> None:
    stuck(engine, StuckHeavy)
    screen = watch(engine, play=True)
    assert_goes_on(run_of(engine, screen.run_id))
    frames = len(screen.frames)
    until(lambda: len(screen.frames) > frames + 5, "it is drawn")


def test_beside_a_long_turn_of_another_run_a_heavy_run_trains(engine: Engine) -> None:
    stuck(engine, Stuck)
    screen = Screen(engine, engine.open("session", HeavyRun, Plan()), paints=True)
    engine.command(screen.run_id, PLAY)
    assert isinstance(run_of(engine, screen.run_id), Heavy)
    assert_goes_on(run_of(engine, screen.run_id))


def test_a_new_runs_first_picture_does_not_wait_for_the_training_of_others(engine: Engine) -> None:
    for kind in (Stuck, StuckHeavy):
        stuck(engine, kind)
    for kind in (FakeRun, HeavyRun):
        screen = Screen(engine, engine.open("session", kind, Plan()), paints=True)
        until(lambda each=screen: each.frames, "its first picture")  # type: ignore[misc]
        assert screen.frames[0]["charts"]
    later = Screen(engine, screen.run_id, paints=True)
    until(lambda: later.frames, "nor does the first picture of its next viewer")


class SaysWhere(FakeRun):
    """Notes the threads in which it was built."""

    def __init__(self, plan: Plan) -> None:
        plan.slices.append((threading.current_thread().name, 0.0))
        super().__init__(plan)


def test_a_run_that_could_not_be_built_is_built_again_by_the_builder(engine: Engine) -> None:
    plan = Plan(faults={"build": [ValueError("Not yet.")]})
    screen = Screen(engine, engine.open("session", SaysWhere, plan), paints=True)
    until(lambda: screen.head.get("notice") == "Not yet.", "it has failed")
    engine.command(screen.run_id, {"do": "reset"})
    until(lambda: screen.head["state"] == "paused" and "charts" in screen.frames[-1], "it is built")
    assert [name for name, _ in plan.slices] == ["engine-builder"] * 2


def test_a_second_run_beside_a_heavy_one_is_in_its_lane(engine: Engine) -> None:
    def beside(first: Any, vary: Any) -> Any:
        return StuckHeavy(first.plan)

    leader = engine.open("session", StuckHeavy, Plan())
    until(lambda: engine._runs[leader].run is not None, "the first is built")
    follower = engine.open_beside(leader, beside, lambda config: config, "name")
    until(lambda: engine._runs[follower].lane is not None, "the second is built")
    assert engine._runs[leader].lane is engine._runs[follower].lane is engine._heavy


def test_a_run_that_becomes_heavy_moves_to_the_other_lane(engine: Engine) -> None:
    class Changes(FakeRun):
        def rebuilt(self, config: Plan) -> FakeRun:
            return HeavyRun(config)

    screen = Screen(engine, engine.open("session", Changes, Plan()), paints=True)
    run_of(engine, screen.run_id)
    assert engine._runs[screen.run_id].lane is engine._light
    engine.command(screen.run_id, {"do": "reset"})
    until(lambda: engine._runs[screen.run_id].lane is engine._heavy, "it moves")
    engine.command(screen.run_id, PLAY)
    assert_goes_on(run_of(engine, screen.run_id))
