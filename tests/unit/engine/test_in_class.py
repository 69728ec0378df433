"""A class of runs: one that is held rests and goes on as it was, and one that is looked at costs a glance a second."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from playground.engine.run import Heavy
from playground.engine.watching import GLANCE_SECONDS, PICTURE_SECONDS, Glances
from playground.glance import Glance
from tests.unit.engine.test_fairness import Clock, CostlyRun, Room, clock  # noqa: F401  (a fixture)
from tests.unit.engine.test_readers import View


class GlancedRun(CostlyRun):
    """A run that can be glanced at."""

    def glance(self, *, has_picture: bool) -> Glance:
        return Glance(step=self.steps, units=int(has_picture))


class LongRun(GlancedRun):
    """A run with long steps."""

    frame_rate = 30.0
    restless = False

    def use_cores(self, count: int) -> None: ...


def opened(clock: Clock, run: CostlyRun) -> tuple[Room, str, View]:  # noqa: F811
    room = Room(clock)
    run_id = room.engine.open("session", lambda config: run, None)
    room.build(run_id)
    view = View(room, run_id, ["curve"], reads=False)
    room.engine.command(run_id, {"do": "play"}, view)
    room.work(0.5)
    return room, run_id, view


def test_a_held_run_rests_and_goes_on_as_it_was(clock: Clock) -> None:  # noqa: F811
    run = CostlyRun(clock)
    room, run_id, view = opened(clock, run)
    assert run.steps > 0
    room.engine.hold(run_id, held=True)
    room.work(0.1)
    steps, frames = run.steps, len(view.frames)
    room.work(30.0, lambda: setattr(clock, "now", clock.now + 0.1))
    assert (run.steps, len(view.frames)) == (steps, frames), "no step, and no frame"
    assert room.engine.state_of(run_id) == "playing", "it is held, not paused"
    room.engine.hold(run_id, held=False)
    room.work(0.5)
    assert run.steps > steps and len(view.frames) > frames


def test_a_held_run_obeys_no_viewer(clock: Clock) -> None:  # noqa: F811
    run = CostlyRun(clock)
    room, run_id, view = opened(clock, run)
    room.engine.hold(run_id, held=True)
    orders = run.orders
    for message in ({"do": "pause"}, {"do": "reset"}, {"do": "step"}, {"do": "slide", "name": "a", "value": 1}):
        room.engine.command(run_id, message, view)
    room.work(1.0, lambda: setattr(clock, "now", clock.now + 0.05))
    room.engine.hold(run_id, held=False)
    room.work(0.5)
    assert room.engine.state_of(run_id) == "playing" and not run.builds and run.orders == orders


def test_a_held_run_that_obeys_has_done_it_when_it_goes_on(clock: Clock) -> None:  # noqa: F811
    run = CostlyRun(clock)
    room, run_id, view = opened(clock, run)
    room.engine.hold(run_id, held=True, obeys=True)
    room.work(0.1)
    steps, frames = run.steps, len(view.frames)
    room.engine.command(run_id, {"do": "slide", "name": "a", "value": 1}, view)
    room.engine.command(run_id, {"do": "pause"}, view)
    room.work(5.0, lambda: setattr(clock, "now", clock.now + 0.05))
    assert (run.steps, len(view.frames)) == (steps, frames), "no step, and no frame"
    assert run.orders and room.engine.state_of(run_id) == "paused"
    room.engine.command(run_id, {"do": "play"}, view)
    room.engine.hold(run_id, held=False)
    room.work(0.5)
    assert run.steps > steps and len(view.frames) > frames


def test_a_paused_run_that_was_held_is_paused(clock: Clock) -> None:  # noqa: F811
    run = CostlyRun(clock)
    room, run_id, view = opened(clock, run)
    room.engine.command(run_id, {"do": "pause"}, view)
    room.work(0.2)
    steps = run.steps
    for held in (True, False):
        room.engine.hold(run_id, held=held)
        room.work(0.5, lambda: setattr(clock, "now", clock.now + 0.05))
    assert run.steps == steps and room.engine.state_of(run_id) == "paused"


def test_a_run_with_long_steps_goes_on_and_only_its_picture_waits(clock: Clock) -> None:  # noqa: F811
    run = LongRun(clock)
    assert isinstance(run, Heavy)
    room, run_id, view = opened(clock, run)
    lane = room.engine._heavy

    def work(seconds: float) -> None:
        end = clock.now + seconds
        while clock.now < end:
            with room.engine._lock:
                found, _ = lane.next(clock.now, clock.now)
            if found is None:
                clock.now += 0.005
                continue
            room.engine._serve(lane, found)
            with room.engine._lock:
                room.engine._let_go(found)

    work(0.5)
    room.engine.hold(run_id, held=True)
    work(0.1)
    steps, frames = run.steps, len(view.frames)
    work(1.0)
    assert run.steps > steps and len(view.frames) == frames
    room.engine.hold(run_id, held=False)
    work(0.5)
    assert len(view.frames) > frames


def test_a_board_that_comes_while_its_run_is_held_gets_its_first_picture(clock: Clock) -> None:  # noqa: F811
    run = CostlyRun(clock)
    room, run_id, _ = opened(clock, run)
    room.engine.hold(run_id, held=True)
    again = View(room, run_id, ["curve"], reads=False)
    room.work(0.5, lambda: setattr(clock, "now", clock.now + 0.01))
    room.build(run_id)  # the builder's thread draws first frames
    assert len(again.frames) == 1


def looked_at(clock: Clock, run: CostlyRun) -> tuple[Room, str, View, list[tuple[float, Glance]]]:  # noqa: F811
    room, run_id, view = opened(clock, run)
    found: list[tuple[float, Glance]] = []
    room.engine._glanced = lambda name, glance: found.append((clock.now, glance))
    return room, run_id, view, found


def test_a_run_is_glanced_at_twice_a_second_while_somebody_looks_and_once_with_a_picture(clock: Clock) -> None:  # noqa: F811
    room, run_id, _, found = looked_at(clock, GlancedRun(clock))
    room.work(2.0)
    assert not found, "nobody looks"
    room.engine.look(run_id, "picture")
    room.work(5.0)
    times = [at for at, _ in found]
    assert 8 <= len(found) <= 11
    assert all(later - earlier >= GLANCE_SECONDS for earlier, later in pairwise(times))
    pictured = [at for at, glance in found if glance.units]
    assert 4 <= len(pictured) <= 6
    assert all(later - earlier >= PICTURE_SECONDS for earlier, later in pairwise(pictured))
    assert found[-1][1].state == "playing"
    room.engine.look(run_id, "no")
    count = len(found)
    room.work(3.0)
    assert len(found) == count


def test_the_last_picture_of_a_run_that_comes_to_rest_is_its_own(clock: Clock) -> None:  # noqa: F811
    room, run_id, view, found = looked_at(clock, GlancedRun(clock))
    room.engine.look(run_id, "picture")
    while len(found) < 2 or found[-1][1].units:  # the last glance has numbers alone
        room.work(0.1)
    room.engine.command(run_id, {"do": "pause"}, view)
    room.work(20.0, lambda: setattr(clock, "now", clock.now + 0.1))
    assert found[-1][1].units == 1 and found[-1][1].state == "paused"
    assert sum(glance.state == "paused" for _, glance in found) <= 2


def test_a_run_that_begins_again_has_a_picture_at_once() -> None:
    glances = Glances()
    assert glances.has_picture(50, 10.0)
    glances.taken(1, 50, 10.0, has_picture=True)
    assert not glances.has_picture(60, 10.5)
    assert glances.has_picture(0, 10.5)


def test_a_run_at_rest_is_glanced_at_once(clock: Clock) -> None:  # noqa: F811
    room, run_id, view, found = looked_at(clock, GlancedRun(clock))
    room.engine.command(run_id, {"do": "pause"}, view)
    room.work(0.5)
    room.engine.look(run_id, "numbers")
    room.work(20.0, lambda: setattr(clock, "now", clock.now + 0.1))
    assert [glance.state for _, glance in found] == ["paused"]
    assert not found[0][1].units, "numbers alone"


def test_a_run_that_cannot_be_glanced_at_is_known_by_its_state(clock: Clock) -> None:  # noqa: F811
    room, run_id, _, found = looked_at(clock, CostlyRun(clock))
    room.engine.look(run_id, "picture")
    room.work(1.5)
    assert found and found[0][1] == Glance(state="playing")


def test_a_glance_that_fails_is_not_tried_again_and_the_run_goes_on(
    clock: Clock,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(GlancedRun):
        def glance(self, *, has_picture: bool) -> Any:
            raise RuntimeError("no picture")

    run = Broken(clock)
    room, run_id, _, found = looked_at(clock, run)
    room.engine.look(run_id, "picture")
    steps = run.steps
    room.work(3.0)
    assert run.steps > steps and not found
    assert sum("glanced" in record.message for record in caplog.records) == 1
