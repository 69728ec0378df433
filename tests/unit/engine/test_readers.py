"""One run, several viewers: one controls it, the others read, and no reader slows or changes anything."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import orjson
import pytest

from playground.engine.run import Drawing
from playground.engine.watching import LEASE_SECONDS, MAX_READERS
from tests.unit.engine.test_fairness import Clock, CostlyRun, Room, clock  # noqa: F401  (a fixture)


class Charted(CostlyRun):
    """A run with the charts that are asked for; each drawing takes its time."""

    draws = 0

    def draw(self, charts: list[str], options: Any) -> Drawing:
        self.draws += 1
        self.clock.now += self.costs[2]
        return Drawing({name: {"data": [{"y": np.array([self.steps])}], "layout": {}} for name in charts},
                       {"step": self.steps})  # fmt: skip


class View:
    """A viewer that keeps what it is sent as a board does, and asks again at once while it paints."""

    def __init__(self, room: Room, run_id: str, charts: list[str], *, reads: bool, paints: bool = True) -> None:
        self.room, self.run_id, self.charts, self.paints = room, run_id, charts, paints
        self.frames: list[tuple[float, bytes]] = []
        self.heads: list[dict[str, Any]] = []
        self.shown: dict[str, Any] = {}
        self.dismissals: list[tuple[int, str]] = []
        room.engine.attach(run_id, self, reads=reads)
        self.ask()

    def ask(self) -> None:
        self.room.engine.ask(self.run_id, self, self.charts, {})

    def deliver(self, frame: bytes) -> None:
        head = orjson.loads(frame[4 : 4 + int.from_bytes(frame[:4], "little")])
        self.frames.append((self.room.clock.now, frame))
        self.heads.append(head)
        self.shown |= head
        if self.paints and self.room.engine.has(self.run_id):
            self.ask()

    def dismiss(self, code: int, reason: str) -> None:
        self.dismissals.append((code, reason))

    def frames_since(self, start: float) -> int:
        return sum(at > start for at, _ in self.frames)

    @property
    def step(self) -> int:
        return int(self.shown["status"]["step"])


def opened(clock: Clock, *, play: bool = True, **costs: float) -> tuple[Room, Charted, str]:  # noqa: F811
    room, run = Room(clock), Charted(clock, **costs)
    run_id = room.engine.open("session", lambda config: run, None)
    room.build(run_id)
    if play:
        room.engine.command(run_id, {"do": "play"})
    return room, run, run_id


def test_readers_are_sent_what_is_drawn_for_the_viewer_that_controls_and_cost_no_drawing(
    clock: Clock,  # noqa: F811
) -> None:
    room, run, run_id = opened(clock)
    control = View(room, run_id, ["curve"], reads=False)
    readers = [View(room, run_id, ["curve"], reads=True) for _ in range(30)]
    room.work(3.0)
    assert run.draws <= len(control.frames) + 1
    for each in readers:
        assert len(each.frames) >= len(control.frames) - 1
        assert each.frames[-1][1] is control.frames[-1][1], "the same bytes, written once"
        assert each.step == control.step


def test_a_readers_stream_begins_with_a_whole_frame(clock: Clock) -> None:  # noqa: F811
    room, _, run_id = opened(clock)
    View(room, run_id, ["curve"], reads=False)
    room.work(1.0)
    late = View(room, run_id, ["curve"], reads=True)
    room.work(0.5)
    assert {"state", "notice", "place", "heading", "status", "note", "time", "charts"} <= late.heads[0].keys()
    assert "figure" in late.heads[0]["charts"]["curve"] and "set" in late.heads[1]["charts"]["curve"]


@pytest.mark.parametrize("draw", [0.001, 0.02, 0.2])
def test_readers_with_wishes_of_their_own_leave_the_viewer_that_controls_its_frames_and_its_steps(
    clock: Clock,  # noqa: F811
    draw: float,
) -> None:
    room, run, run_id = opened(clock, draw=draw)
    control = View(room, run_id, ["curve"], reads=False)
    room.work(5.0)
    start = clock.now
    room.work(10.0)
    alone, trained = control.frames_since(start), run.trained
    readers = [View(room, run_id, [f"chart {index}"], reads=True) for index in range(20)]
    room.work(5.0)
    start, before = clock.now, run.trained
    room.work(10.0)
    assert control.frames_since(start) > 0.85 * alone
    assert run.trained - before > 0.5 * trained / 2
    assert sum(each.frames_since(start) for each in readers) > 0
    drawn_for_readers = sum(each.frames_since(start) for each in readers)
    assert drawn_for_readers * draw < 0.15 * 10.0, "out of a bounded share of the time"


def test_each_of_several_readers_with_wishes_of_their_own_has_its_turn(clock: Clock) -> None:  # noqa: F811
    room, _, run_id = opened(clock)
    View(room, run_id, ["curve"], reads=False)
    readers = [View(room, run_id, [f"chart {index}"], reads=True) for index in range(5)]
    room.work(5.0)
    counts = [len(each.frames) for each in readers]
    assert min(counts) >= 10 and max(counts) - min(counts) <= 2, counts
    assert min(later - earlier for (earlier, _), (later, _) in pairwise(readers[0].frames)) >= 0.24


def test_a_reader_before_the_viewer_that_controls_sees_the_run_and_does_not_make_it_train(
    clock: Clock,  # noqa: F811
) -> None:
    room, run, run_id = opened(clock)
    reader = View(room, run_id, ["curve"], reads=True)
    room.work(LEASE_SECONDS + 1.0)
    assert len(reader.frames) >= 1 and run.steps == 0
    control = View(room, run_id, ["curve"], reads=False)
    room.work(1.0)
    assert run.steps > 0 and reader.step == control.step


def test_a_run_whose_controlling_page_is_left_stops_and_its_readers_see_the_last_step(
    clock: Clock,  # noqa: F811
) -> None:
    room, run, run_id = opened(clock)
    control = View(room, run_id, ["curve"], reads=False)
    reader = View(room, run_id, ["curve"], reads=True)
    room.work(1.0)
    room.engine.detach(run_id, control)
    room.work(3.0)
    steps = run.steps
    room.work(3.0)
    assert run.steps == steps == reader.step


def test_a_paused_run_shows_its_last_step_to_every_reader(clock: Clock) -> None:  # noqa: F811
    room, run, run_id = opened(clock)
    control = View(room, run_id, ["curve"], reads=False)
    readers = [View(room, run_id, charts, reads=True) for charts in (["curve"], ["other"], [])]
    room.work(1.0)
    room.engine.command(run_id, {"do": "pause"}, control)
    room.work(2.0)
    assert [each.step for each in readers] == [run.steps] * 3
    assert all(each.shown["state"] == "paused" for each in readers)
    before = [len(each.frames) for each in readers], run.draws
    room.work(5.0)
    assert ([len(each.frames) for each in readers], run.draws) == before, "nothing new, nothing sent"


def test_what_a_reader_commands_is_ignored(clock: Clock) -> None:  # noqa: F811
    room, run, run_id = opened(clock)
    View(room, run_id, ["curve"], reads=False)
    reader = View(room, run_id, ["curve"], reads=True)
    room.work(0.5)
    orders = run.orders
    for message in ({"do": "pause"}, {"do": "reset"}, {"do": "add", "x": 0, "y": 0}, {"do": "leave"}, {"do": "?"}):
        room.engine.command(run_id, message, reader)
    room.work(0.5)
    assert room.engine.state_of(run_id) == "playing" and not run.builds and run.orders == orders
    assert room.opened(run_id).left_at == float("inf")


def test_a_reader_that_never_asks_again_gets_one_frame_and_holds_nobody(clock: Clock) -> None:  # noqa: F811
    room, _, run_id = opened(clock)
    control = View(room, run_id, ["curve"], reads=False)
    stuck = View(room, run_id, ["curve"], reads=True, paints=False)
    reader = View(room, run_id, ["curve"], reads=True)
    room.work(3.0)
    assert len(stuck.frames) == 1
    assert len(reader.frames) >= len(control.frames) - 1
    step = reader.step
    stuck.ask()
    room.work(0.5)
    assert len(stuck.frames) == 2 and stuck.step >= step, "it continues from what it was sent"


def test_a_reader_that_raises_is_alone_with_that(clock: Clock) -> None:  # noqa: F811
    class Broken(View):
        def deliver(self, frame: bytes) -> None:
            raise OSError("the socket is gone")

    room, _, run_id = opened(clock)
    control = View(room, run_id, ["curve"], reads=False)
    Broken(room, run_id, ["curve"], reads=True)
    reader = View(room, run_id, ["curve"], reads=True)
    room.work(1.0)
    assert len(control.frames) > 20 and len(reader.frames) > 20


def test_readers_stay_when_another_viewer_takes_control_and_all_are_dismissed_on_close(
    clock: Clock,  # noqa: F811
) -> None:
    room, run, run_id = opened(clock)
    first = View(room, run_id, ["curve"], reads=False)
    readers = [View(room, run_id, ["curve"], reads=True) for _ in range(3)]
    room.work(0.5)
    second = View(room, run_id, ["curve"], reads=False)
    room.work(0.5)
    assert [code for code, _ in first.dismissals] == [4409]
    assert not any(each.dismissals for each in (second, *readers))
    assert second.step == readers[0].step >= run.steps - 1
    room.engine.close(run_id)
    assert all([code for code, _ in each.dismissals] == [4404] for each in (second, *readers))
    assert len(first.dismissals) == 1


def test_a_reader_that_has_gone_is_forgotten_and_the_run_trains_on(clock: Clock) -> None:  # noqa: F811
    room, run, run_id = opened(clock)
    View(room, run_id, ["curve"], reads=False)
    reader = View(room, run_id, ["curve"], reads=True)
    room.work(0.5)
    orders = run.orders
    room.engine.command(run_id, {"do": "slide", "name": "a", "value": 1})
    room.engine.detach(run_id, reader)
    room.work(0.5)
    assert not room.opened(run_id).watching.readers and run.steps > 0
    assert run.orders == orders + 1, "what the controlling viewer asked for is carried out"


def test_a_run_that_is_only_read_is_not_closed_as_idle(clock: Clock) -> None:  # noqa: F811
    room, _, run_id = opened(clock, play=False)
    View(room, run_id, ["curve"], reads=True)
    room.work(60 * room.engine.settings.idle_minutes + 5, lambda: setattr(clock, "now", clock.now + 0.5))
    assert room.engine.has(run_id)


def test_the_number_of_readers_has_a_limit(clock: Clock) -> None:  # noqa: F811
    room, _, run_id = opened(clock)
    readers = [View(room, run_id, ["curve"], reads=True) for _ in range(MAX_READERS + 1)]
    assert [len(each.dismissals) for each in readers] == [0] * MAX_READERS + [1]
    code, reason = readers[-1].dismissals[0]
    assert code == 4409 and reason.endswith(".")
    room.engine.detach(run_id, readers[0])
    assert not View(room, run_id, ["curve"], reads=True).dismissals
