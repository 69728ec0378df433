"""The engine with small runs and viewers made here: who trains when, who is sent what, and what a fault may touch."""

from __future__ import annotations

import gc
import json
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from playground.engine.commands import MAX_STEPS, Command, LookBack, Slide
from playground.engine.engine import Engine, UnknownRun
from playground.engine.lane import ROUND_SECONDS
from playground.engine.open_run import OpenRun
from playground.engine.pacing import WAIT_SECONDS
from playground.engine.run import Drawing, Outcome
from playground.settings import Settings

DEADLINE = 8.0  # seconds; far more than any wait here takes
PLAY, PAUSE, RESET = {"do": "play"}, {"do": "pause"}, {"do": "reset"}
STEPS_PER_EPOCH = 10
CHARTS = ["curve"]


def until(holds: Callable[[], object], what: str, seconds: float = DEADLINE) -> None:
    """Wait until something holds; fail when it does not in time."""
    give_up_at, pause = time.monotonic() + seconds, threading.Event()
    while not holds():
        assert time.monotonic() < give_up_at, f"not within {seconds:g} s: {what}"
        pause.wait(0.002)


def is_sentence(text: str) -> bool:
    return text[:1].isupper() and text.endswith(".") and "\n" not in text and "Traceback" not in text


@dataclass
class Plan:
    """The config of a fake run: what it raises and where, when it is done, and who hears of its slices."""

    faults: dict[str, list[Exception]] = field(default_factory=dict)  # method: raised one after the other
    done_at: int = 0
    auto_speed: float = 0.0
    name: str = ""
    slices: list[tuple[str, float]] = field(default_factory=list)  # (name, seconds given) of every slice, in order


class FakeRun:
    """Counts its steps, half a millisecond each, and raises what its plan says."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.steps = 0
        self.outcome: Outcome = ""
        self.draws = 0
        self.applied: list[Any] = []
        self.tuned: list[Plan] = []
        self.at_work = threading.Lock()
        self._face("build")

    @property
    def auto_speed(self) -> float:
        return self.plan.auto_speed

    def _face(self, where: str) -> None:
        if errors := self.plan.faults.get(where):
            raise errors.pop(0)

    def steps_in_epochs(self, epochs: int) -> int:
        return epochs * STEPS_PER_EPOCH - self.steps % STEPS_PER_EPOCH

    def advance(self, seconds: float, steps: int) -> int:
        self._face("advance")
        assert self.at_work.acquire(blocking=False), "two threads at one run"
        self.plan.slices.append((self.plan.name, seconds))
        end, taken = time.monotonic() + seconds, 0
        while taken < steps and not self.outcome:
            taken += 1
            self.steps += 1
            self.outcome = "done" if self.steps == self.plan.done_at else ""
            time.sleep(0.0005)
            if time.monotonic() >= end:
                break
        self.at_work.release()
        return taken

    def draw(self, charts: list[str], options: Mapping[str, bool]) -> Drawing:
        self.draws += 1
        self._face("draw")
        figures = {name: {"data": [{"y": np.array([self.steps])}]} for name in charts}
        return Drawing(figures, {"step": self.steps}, f"At {self.steps}.")

    def apply(self, command: Command) -> None:
        assert self.at_work.acquire(blocking=False), "a command in the midst of a slice"
        self.at_work.release()
        self._face("apply")
        if isinstance(command, Slide):
            self.applied.append(command.value)
        elif not isinstance(command, LookBack):
            raise ValueError("This run does not know that command.")

    def tune(self, config: Plan) -> None:
        self._face("tune")
        self.tuned.append(config)

    def rebuilt(self, config: Plan) -> FakeRun:
        self._face("rebuilt")
        return FakeRun(config)

    def resume(self) -> None:
        self.outcome, self.plan.done_at = "", 0


class Screen:
    """A viewer: keeps the head up to date as a board does, and asks again after each frame if it `paints`."""

    def __init__(self, engine: Engine, run_id: str, *, paints: bool) -> None:
        self.engine, self.run_id, self.paints = engine, run_id, paints
        self.head: dict[str, Any] = {}
        self.frames: list[dict[str, Any]] = []
        self.dismissals: list[tuple[int, str]] = []
        engine.attach(run_id, self)
        if paints:
            self.ask()

    def ask(self, charts: list[str] = CHARTS) -> None:
        self.engine.ask(self.run_id, self, charts, {})

    def deliver(self, frame: bytes) -> None:
        size = int.from_bytes(frame[:4], "little")
        said = json.loads(frame[4 : 4 + size])
        self.head |= {key: value for key, value in said.items() if key != "charts"}
        self.frames.append(said)
        if self.paints and self.engine.has(self.run_id):
            self.ask()

    def dismiss(self, code: int, reason: str) -> None:
        self.dismissals.append((code, reason))


Start = Callable[..., Engine]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start engines with one worker and settings of the test's own; they are stopped afterwards."""
    engines: list[Engine] = []

    def start_one(**settings: Any) -> Engine:
        engine = Engine(Settings(**({"workers": 1, "frame_rate": 500.0, "runs_per_session": 99} | settings)))
        engines.append(engine)
        engine.start()
        return engine

    yield start_one
    for engine in engines:
        engine.stop()


def run_of(engine: Engine, run_id: str) -> FakeRun:
    return engine.call(run_id, _itself)


def _itself(run: Any) -> FakeRun:
    return run  # type: ignore[no-any-return]


def watch(engine: Engine, plan: Plan | None = None, *, paints: bool = True, play: bool = False) -> Screen:
    """Open a run and watch it."""
    screen = Screen(engine, engine.open("session", FakeRun, plan or Plan()), paints=paints)
    if play:
        engine.command(screen.run_id, PLAY)
    return screen


def assert_stands_still(engine: Engine, run_id: str) -> None:
    """The run is given several turns and takes no step in any."""
    run = run_of(engine, run_id)
    before = run.steps
    for _ in range(5):
        assert engine.call(run_id, lambda each: each.steps) == before  # type: ignore[attr-defined]


def assert_goes_on(run: FakeRun, steps: int = 20) -> None:
    before = run.steps
    until(lambda: run.steps >= before + steps, "the run trains")


# Only what is watched trains.


def test_a_run_that_nobody_watches_does_not_train(start: Start) -> None:
    engine = start()
    run_id = engine.open("session", FakeRun, Plan())
    engine.command(run_id, PLAY)
    until(lambda: engine.state_of(run_id) == "playing", "Play is obeyed")
    assert_stands_still(engine, run_id)
    assert run_of(engine, run_id).steps == 0


def test_a_board_that_is_built_anew_at_once_plays_on_and_one_that_comes_back_later_finds_its_run_paused(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = start()
    screen = watch(engine, play=True)
    run = run_of(engine, screen.run_id)
    assert_goes_on(run)
    engine.command(screen.run_id, {"do": "leave"})
    engine.detach(screen.run_id, screen)
    assert_stands_still(engine, screen.run_id)
    again = Screen(engine, screen.run_id, paints=True)
    assert_goes_on(run)
    assert engine.state_of(again.run_id) == "playing"
    engine.command(again.run_id, {"do": "leave"})
    engine.detach(again.run_id, again)
    monkeypatch.setattr("playground.engine.engine.MAX_AWAY_SECONDS", 0.0)
    Screen(engine, screen.run_id, paints=True)
    until(lambda: engine.state_of(screen.run_id) == "paused", "it has been away for longer")
    assert_stands_still(engine, screen.run_id)


def test_a_run_that_is_opened_to_play_plays_as_soon_as_it_is_watched(start: Start) -> None:
    engine = start()
    run_id = engine.open("session", FakeRun, Plan(), plays=True)
    assert_stands_still(engine, run_id)
    assert run_of(engine, run_id).steps == 0
    Screen(engine, run_id, paints=True)
    assert_goes_on(run_of(engine, run_id))
    assert engine.state_of(run_id) == "playing"


def test_a_run_that_is_built_again_to_play_begins_at_step_0_and_plays(start: Start) -> None:
    engine = start()
    screen = watch(engine, Plan(done_at=5), play=True)
    until(lambda: engine.state_of(screen.run_id) == "done", "it has ended")
    ended = run_of(engine, screen.run_id)
    engine.rebuild(screen.run_id, Plan(), plays=True)
    again = run_of(engine, screen.run_id)
    assert again is not ended
    assert_goes_on(again)


def test_a_run_whose_page_was_left_long_ago_plays_where_it_is_built_again_to_play(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = start()
    screen = watch(engine, play=True)
    engine.command(screen.run_id, {"do": "leave"})
    engine.detach(screen.run_id, screen)
    monkeypatch.setattr("playground.engine.engine.MAX_AWAY_SECONDS", 0.0)
    engine.rebuild(screen.run_id, Plan(), plays=True)
    assert_stands_still(engine, screen.run_id)
    Screen(engine, screen.run_id, paints=True)
    assert_goes_on(run_of(engine, screen.run_id))


def test_the_late_message_of_a_board_that_was_replaced_does_not_pause_the_run_of_the_next(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = start()
    first = watch(engine, play=True)
    second = Screen(engine, first.run_id, paints=True)  # built before the first one is gone
    for message in ({"do": "leave"}, {"do": "pause"}):
        engine.command(first.run_id, message, first)
    engine.detach(first.run_id, first)
    monkeypatch.setattr("playground.engine.engine.MAX_AWAY_SECONDS", 0.0)
    third = Screen(engine, first.run_id, paints=True)  # the connection was lost for a moment
    assert_goes_on(run_of(engine, third.run_id))
    assert engine.state_of(third.run_id) == "playing"
    engine.command(first.run_id, PAUSE, third)
    until(lambda: engine.state_of(third.run_id) == "paused", "whoever watches it is obeyed")
    assert len(second.dismissals) == 1


def test_training_stops_within_two_seconds_of_the_last_ask_and_goes_on_with_the_next(start: Start) -> None:
    engine = start()
    screen = watch(engine, play=True)
    run = run_of(engine, screen.run_id)
    assert_goes_on(run)
    screen.paints = False  # the tab is hidden: it paints nothing, so it asks for nothing
    seen = len(screen.frames)
    until(lambda: len(screen.frames) > seen, "the frame already asked for")
    last_ask, last_step, steps = time.monotonic(), time.monotonic(), run.steps
    while time.monotonic() < last_step + 0.5:
        if run.steps != steps:
            last_step, steps = time.monotonic(), run.steps
        assert last_step < last_ask + 2.0, "it still trains 2 s after the last ask"
        threading.Event().wait(0.005)
    assert_stands_still(engine, screen.run_id)
    assert engine.state_of(screen.run_id) == "playing"
    screen.ask()
    assert_goes_on(run)


def test_training_stops_at_once_when_the_viewer_goes(start: Start) -> None:
    engine = start()
    screen = watch(engine, play=True)
    assert_goes_on(run_of(engine, screen.run_id))
    engine.detach(screen.run_id, screen)
    assert_stands_still(engine, screen.run_id)


# Frames are sent when asked for.


def test_each_ask_brings_one_frame_and_no_ask_brings_none(start: Start) -> None:
    engine = start()
    screen = watch(engine, paints=False, play=True)
    run = run_of(engine, screen.run_id)
    assert screen.frames == [] and run.draws == 0
    for asked in (1, 2, 3):
        screen.ask()
        until(lambda expected=asked: len(screen.frames) == expected, "the frame asked for")  # type: ignore[misc]
        assert_goes_on(run, 100)  # several slices, each of which would have had something new to show
        assert len(screen.frames) == run.draws == asked


def test_a_run_in_which_nothing_changes_sends_nothing_until_something_does(start: Start) -> None:
    engine = start()
    screen = watch(engine, paints=False)
    screen.ask()
    until(lambda: len(screen.frames) == 1, "the first frame")
    screen.ask()
    for _ in range(5):
        run_of(engine, screen.run_id)
    assert len(screen.frames) == 1
    engine.command(screen.run_id, {"do": "step"})
    until(lambda: len(screen.frames) == 2, "the frame asked for before")


def test_only_the_charts_asked_for_are_drawn(start: Start) -> None:
    engine = start()
    screen = watch(engine, paints=False)
    screen.ask(["loss"])
    until(lambda: screen.frames, "the first frame")
    assert list(screen.frames[0]["charts"]) == ["loss"]


def test_a_second_viewer_takes_over_and_the_first_is_dismissed(start: Start) -> None:
    engine = start()
    first = watch(engine, play=True)
    until(lambda: first.frames, "the first viewer's frame")
    second = Screen(engine, first.run_id, paints=True)
    assert [code for code, _ in first.dismissals] == [4409]
    assert is_sentence(first.dismissals[0][1])
    until(lambda: second.frames, "the second viewer's frame")
    assert "figure" in second.frames[0]["charts"]["curve"], "a new viewer needs the whole figure"
    seen = len(first.frames)
    first.ask()
    engine.detach(first.run_id, first)
    assert_goes_on(run_of(engine, first.run_id), 100)
    assert len(first.frames) == seen and not second.dismissals


# Commands.


def test_play_and_pause_are_obeyed_and_shown(start: Start) -> None:
    engine = start()
    screen = watch(engine, play=True)
    assert_goes_on(run_of(engine, screen.run_id))
    until(lambda: screen.head["state"] == "playing", "the board shows it plays")
    engine.command(screen.run_id, PAUSE)
    assert_stands_still(engine, screen.run_id)
    until(lambda: screen.head["state"] == "paused", "the board shows it pauses")
    until(lambda: screen.head["status"]["step"] == run_of(engine, screen.run_id).steps, "the last step is shown")


@pytest.mark.parametrize(
    ("command", "steps"),
    [
        ({"do": "step"}, 1),
        ({"do": "step", "n": 37}, 37),
        ({"do": "step", "n": 1, "unit": "epoch"}, STEPS_PER_EPOCH),
        ({"do": "step", "n": 3, "unit": "epoch"}, 3 * STEPS_PER_EPOCH),
    ],
)
def test_step_takes_exactly_the_steps_named_and_pauses(start: Start, command: dict[str, Any], steps: int) -> None:
    engine = start()
    screen = watch(engine)
    engine.command(screen.run_id, command)
    run = run_of(engine, screen.run_id)
    until(lambda: run.steps >= steps, "the steps are taken")
    assert_stands_still(engine, screen.run_id)
    assert (run.steps, engine.state_of(screen.run_id)) == (steps, "paused")


def test_step_of_an_epoch_finishes_the_one_begun(start: Start) -> None:
    engine = start()
    screen = watch(engine)
    run = run_of(engine, screen.run_id)
    engine.command(screen.run_id, {"do": "step", "n": 7})
    until(lambda: run.steps == 7, "seven steps")
    engine.command(screen.run_id, {"do": "step", "unit": "epoch"})
    until(lambda: run.steps >= STEPS_PER_EPOCH, "the epoch ends")
    assert_stands_still(engine, screen.run_id)
    assert run.steps == STEPS_PER_EPOCH


class WaitingRun(FakeRun):
    """Has nothing to do until its plan's name is "there"; notes when it was asked."""

    def advance(self, seconds: float, steps: int) -> int:
        if self.plan.name != "there":
            self.plan.slices.append(("waits", time.monotonic()))
            return 0
        return super().advance(seconds, steps)


@pytest.mark.parametrize("command", [PLAY, {"do": "step", "n": 3}], ids=["played", "stepped"])
def test_run_that_waits_is_asked_now_and_then_and_takes_up_its_steps(start: Start, command: dict[str, Any]) -> None:
    engine, plan = start(), Plan()
    screen = Screen(engine, engine.open("session", WaitingRun, plan), paints=True)
    neighbour = watch(engine, play=True)
    engine.command(screen.run_id, command)
    until(lambda: len(plan.slices) >= 5, "asked again and again")
    asked = [at for _, at in plan.slices]
    assert min(after - before for before, after in pairwise(asked)) > 0.8 * WAIT_SECONDS, "it must not spin"
    assert_goes_on(run_of(engine, neighbour.run_id))
    plan.name = "there"
    until(lambda: run_of(engine, screen.run_id).steps >= 3, "the steps are taken once they can be")


def test_commands_are_obeyed_in_order_and_never_in_the_midst_of_a_slice(start: Start) -> None:
    engine = start()
    screen = watch(engine, play=True)
    run = run_of(engine, screen.run_id)
    for value in range(50):
        engine.command(screen.run_id, {"do": "slide", "name": f"slider {value % 2}", "value": value})
        if value % 10 == 0:
            assert_goes_on(run, 5)
    until(lambda: len(run.applied) == 50, "all commands")
    assert run.applied == list(range(50))
    assert engine.state_of(screen.run_id) == "playing"


def test_play_for_some_steps_takes_exactly_those_and_pauses(start: Start) -> None:
    engine = start()
    screen = watch(engine)
    engine.command(screen.run_id, {"do": "play", "steps": 37})
    until(lambda: run_of(engine, screen.run_id).steps >= 37, "the steps")
    assert_stands_still(engine, screen.run_id)
    assert (run_of(engine, screen.run_id).steps, engine.state_of(screen.run_id)) == (37, "paused")
    engine.command(screen.run_id, PLAY)
    assert_goes_on(run_of(engine, screen.run_id))


def test_reset_starts_over_paused_and_forgets_the_steps_owed(start: Start) -> None:
    engine = start()
    screen = watch(engine, play=True)
    before = run_of(engine, screen.run_id)
    assert_goes_on(before)
    engine.command(screen.run_id, {"do": "step", "n": MAX_STEPS})
    engine.command(screen.run_id, RESET)
    after = run_of(engine, screen.run_id)
    assert after is not before
    assert_stands_still(engine, screen.run_id)
    assert (after.steps, engine.state_of(screen.run_id)) == (0, "paused")


def test_speed_sets_the_pace_and_zero_is_full_speed(start: Start) -> None:
    engine = start()
    screen = watch(engine)
    run = run_of(engine, screen.run_id)
    engine.command(screen.run_id, {"do": "speed", "value": 20})
    began = time.monotonic()
    engine.command(screen.run_id, PLAY)
    until(lambda: run.steps >= 12, "twelve steps at 20 a second")
    assert time.monotonic() - began > 0.3, "12 steps at 20 a second take 0.55 s"
    engine.command(screen.run_id, {"do": "speed", "value": 0})
    assert_goes_on(run, 200)


def test_a_run_without_a_chosen_speed_goes_at_the_pace_that_suits_it(start: Start) -> None:
    engine = start()
    screen = watch(engine, Plan(auto_speed=20.0), play=True)
    run = run_of(engine, screen.run_id)
    began = time.monotonic()
    until(lambda: run.steps >= 12, "twelve steps at 20 a second")
    assert time.monotonic() - began > 0.3


def test_a_run_that_reaches_its_end_is_done_and_play_goes_on(start: Start) -> None:
    engine = start()
    screen = watch(engine, Plan(done_at=30), play=True)
    until(lambda: screen.head.get("state") == "done", "the run ends")
    assert screen.head["status"]["step"] == 30
    assert_stands_still(engine, screen.run_id)
    engine.command(screen.run_id, PLAY)
    assert_goes_on(run_of(engine, screen.run_id))


ILLEGAL: list[dict[str, Any]] = [
    {},
    {"do": "dance"},
    {"do": None},
    {"do": ["play"]},
    *({"do": "step", "n": n} for n in (0, -1, 10**9, MAX_STEPS + 1, True, 1.5, "3", None, float("nan"))),
    {"do": "step", "unit": "year"},
    {"do": "step", "unit": ["epoch"]},
    *({"do": "scrub", "to": to} for to in ("0", 1.5, True, [0], {})),
    *({"do": "scrub", "step": step} for step in ("0", 1.5, True, [0], {}, -1)),
    {"do": "scrub", "to": 1, "step": 1},
    *({"do": "pick", "chart": chart, "x": 0, "y": 0} for chart in (["maps"], {"maps": 1}, None, 5)),
    *({"do": "slide", "name": name, "value": 1} for name in (["mark"], {}, None)),
    *({"do": "draw", "bits": bits} for bits in (["AAAA"], {}, 5)),
    *({"do": "speed", "value": v} for v in (-1, "x", True, 10**9, float("nan"), float("inf"), [1])),
]


@pytest.mark.parametrize("command", ILLEGAL, ids=str)
def test_an_illegal_command_gives_a_sentence_and_changes_nothing(start: Start, command: dict[str, Any]) -> None:
    engine = start()
    screen = watch(engine)
    run = run_of(engine, screen.run_id)
    engine.command(screen.run_id, command)
    until(lambda: screen.head.get("notice"), "a notice on the board")
    assert is_sentence(screen.head["notice"])
    assert_stands_still(engine, screen.run_id)
    assert (run_of(engine, screen.run_id), run.steps, engine.state_of(screen.run_id)) == (run, 0, "paused")
    engine.command(screen.run_id, PLAY)
    until(lambda: screen.head["notice"] == "", "the next legal command clears the notice")
    assert_goes_on(run)


def test_illegal_commands_leave_a_playing_run_playing_at_its_speed(start: Start) -> None:
    engine = start()
    screen = watch(engine, play=True)
    run = run_of(engine, screen.run_id)
    for command in ILLEGAL:
        engine.command(screen.run_id, command)
    assert run_of(engine, screen.run_id) is run
    assert engine.state_of(screen.run_id) == "playing"
    assert_goes_on(run, 200)


# Turning knobs.


def test_tune_keeps_the_run_and_goes_on_playing(start: Start) -> None:
    engine = start()
    screen = watch(engine, play=True)
    run, tuned = run_of(engine, screen.run_id), Plan(name="tuned")
    engine.tune(screen.run_id, tuned)
    assert run_of(engine, screen.run_id) is run and run.tuned == [tuned]
    assert_goes_on(run)
    engine.command(screen.run_id, RESET)
    assert run_of(engine, screen.run_id).plan is tuned, "Reset starts from the knobs as they stand"


@pytest.mark.parametrize("playing", [True, False])
def test_rebuild_replaces_the_run_and_keeps_playing_if_it_played(start: Start, playing: bool) -> None:
    engine = start()
    screen = watch(engine, play=playing)
    before = run_of(engine, screen.run_id)
    engine.rebuild(screen.run_id, Plan(name="wider"))
    after = run_of(engine, screen.run_id)
    assert after is not before and after.plan.name == "wider"
    assert engine.state_of(screen.run_id) == ("playing" if playing else "paused")
    if playing:
        assert_goes_on(after)
    else:
        assert_stands_still(engine, screen.run_id)


# Limits.


def test_runs_over_the_limit_are_built_and_drawn_and_wait_with_playing_alone(start: Start) -> None:
    engine = start(max_runs=1)
    first, second, third = (watch(engine, play=True) for _ in range(3))
    until(lambda: second.head.get("place") == 1 and third.head.get("place") == 2, "both see their places")
    assert second.head["state"] == third.head["state"] == engine.state_of(third.run_id) == "queued"
    assert second.head["status"]["step"] == 0 and "curve" in second.frames[0]["charts"], "both show their first picture"
    assert_goes_on(run_of(engine, first.run_id))
    engine.command(second.run_id, {"do": "slide", "name": "slider", "value": 7})
    until(lambda: run_of(engine, second.run_id).applied == [7], "it obeys")
    assert_stands_still(engine, second.run_id)
    engine.command(first.run_id, PAUSE)
    until(lambda: second.head["state"] == "playing" and third.head["place"] == 1, "everybody moves up")
    assert second.head["place"] == 0 and third.head["state"] == "queued"
    assert_goes_on(run_of(engine, second.run_id))
    engine.close(second.run_id)
    assert_goes_on(run_of(engine, third.run_id))


def test_a_queued_run_that_is_paused_leaves_the_queue(start: Start) -> None:
    engine = start(max_runs=1)
    first, second, third = (watch(engine, play=True) for _ in range(3))
    until(lambda: third.head.get("place") == 2, "it is queued")
    engine.command(second.run_id, PAUSE)
    until(lambda: second.head["state"] == "paused" and second.head["place"] == 0, "it shows that it is paused")
    until(lambda: third.head["place"] == 1, "the next one moves up")
    engine.command(second.run_id, {"do": "step", "n": 3})
    until(lambda: second.head["place"] == 2, "it asks again, behind the other")
    for screen in (first, third):
        engine.close(screen.run_id)
    until(lambda: run_of(engine, second.run_id).steps == 3, "it takes its steps")
    until(lambda: engine.state_of(second.run_id) == "paused", "and gives its place back")


def test_a_session_over_its_limit_loses_the_run_it_touched_longest_ago(start: Start) -> None:
    engine = start(runs_per_session=2)
    other = Screen(engine, engine.open("another", FakeRun, Plan()), paints=True)
    first, second = watch(engine), watch(engine)
    engine.command(first.run_id, PLAY)
    third = watch(engine)
    assert [engine.has(each.run_id) for each in (other, first, second, third)] == [True, True, False, True]
    assert engine.state_of(second.run_id) == "lost"
    assert [code for code, _ in second.dismissals] == [4404] and is_sentence(second.dismissals[0][1])
    assert_goes_on(run_of(engine, first.run_id))


def test_a_session_over_its_limit_keeps_what_it_watches_while_it_has_something_unwatched(start: Start) -> None:
    engine = start(runs_per_session=3)
    watched = watch(engine)
    left = [engine.open("session", FakeRun, Plan()) for _ in range(2)]
    engine.command(left[0], PAUSE)  # touched last
    watch(engine)
    assert [engine.has(each) for each in (watched.run_id, *left)] == [True, True, False]
    watch(engine)
    assert [engine.has(each) for each in (watched.run_id, *left)] == [True, False, False]
    watch(engine)
    assert not engine.has(watched.run_id), "all are watched: the one that was used longest ago goes"


def test_whatever_drops_a_run_is_said_once(start: Start) -> None:
    told: list[tuple[str, str]] = []
    engine = Engine(Settings(runs_per_session=2), dropped=lambda run_id, reason: told.append((run_id, reason)))
    ids = [engine.open("session", FakeRun, Plan()) for _ in range(3)]
    engine.close(ids[1], "Closed on purpose.")
    engine.close(ids[1])
    follower = engine.open_beside(ids[2], lambda run, vary: run, lambda config: config, "name")
    engine.close(ids[2])
    last = engine.open("session", FakeRun, Plan())
    engine.stop()
    assert [run_id for run_id, _ in told] == [ids[0], ids[1], follower, ids[2], last]
    assert told[1][1] == "Closed on purpose." and all(is_sentence(reason) for _, reason in told)


def test_a_run_may_have_an_id_of_the_callers_own(start: Start) -> None:
    engine = start()
    assert engine.open("session", FakeRun, Plan(), run_id="mine") == "mine" and engine.has("mine")


def test_a_call_can_be_answered_later_or_given_up(start: Start) -> None:
    engine = start()
    run_id = engine.open("session", FakeRun, Plan())
    assert engine.call_later(run_id, lambda run: 42).result(DEADLINE) == 42
    go_on = threading.Event()
    first = engine.call_later(run_id, lambda run: go_on.wait(DEADLINE))
    second, third = (engine.call_later(run_id, lambda run: 7) for _ in range(2))
    assert second.cancel()
    go_on.set()
    assert first.result(DEADLINE) and third.result(DEADLINE) == 7
    assert engine.state_of(run_id) == "paused", "a call that was given up does not end the run"
    engine.stop()
    with pytest.raises(UnknownRun):
        engine.call_later(run_id, lambda run: 42)


def test_a_run_that_trained_its_time_pauses_with_a_sentence_and_play_goes_on(start: Start) -> None:
    engine = start(run_seconds=1)
    screen = watch(engine, play=True)
    until(lambda: screen.head.get("notice"), "the pause")
    assert is_sentence(screen.head["notice"]) and screen.head["state"] == "paused"
    assert_stands_still(engine, screen.run_id)
    engine.command(screen.run_id, PLAY)
    assert_goes_on(run_of(engine, screen.run_id))


def test_a_long_step_ends_with_the_run_s_time_too(start: Start) -> None:
    engine = start(run_seconds=1)
    screen = watch(engine)
    engine.command(screen.run_id, {"do": "step", "n": MAX_STEPS})
    until(lambda: screen.head.get("notice"), "the pause")
    assert_stands_still(engine, screen.run_id)


def test_a_run_left_alone_is_dropped_and_freed_while_a_watched_one_stays(start: Start) -> None:
    engine = start(idle_minutes=0.2 / 60)
    watched, left = watch(engine), watch(engine, play=True)
    freed: weakref.ref[FakeRun] = engine.call(left.run_id, weakref.ref)
    assert_goes_on(run_of(engine, left.run_id))
    engine.detach(left.run_id, left)
    until(lambda: not engine.has(left.run_id), "the idle run goes")
    run_of(engine, watched.run_id)  # the worker's last turn is another run's
    until(lambda: gc.collect() >= 0 and freed() is None, "its memory is freed")
    assert engine.has(watched.run_id) and engine.state_of(left.run_id) == "lost"


def test_a_closed_run_is_freed_and_its_viewer_told(start: Start) -> None:
    engine = start()
    screen = watch(engine, play=True)
    freed: weakref.ref[FakeRun] = engine.call(screen.run_id, weakref.ref)
    engine.close(screen.run_id)
    engine.close(screen.run_id)
    assert [code for code, _ in screen.dismissals] == [4404]
    until(lambda: gc.collect() >= 0 and freed() is None, "its memory is freed")


def test_five_playing_runs_take_turns(start: Start) -> None:
    engine, slices = start(), []
    screens = [watch(engine, Plan(name=str(index), slices=slices)) for index in range(5)]
    idle = watch(engine, Plan(name="idle", slices=slices))
    for screen in screens:
        engine.command(screen.run_id, PLAY)
    until(lambda: len({name for name, _ in slices}) == 5, "all five play")
    begin = len(slices)
    until(lambda: len(slices) >= begin + 50, "ten rounds")
    counts = Counter(name for name, _ in slices[begin : begin + 50])
    assert set(counts) == set("01234")
    assert min(counts.values()) >= 8 and max(counts.values()) <= 12, counts
    assert engine.state_of(idle.run_id) == "paused"


def test_a_round_of_many_runs_stays_short(start: Start) -> None:
    engine, slices = start(frame_rate=0.1), []  # so slow that no frame due cuts a slice short
    for index in range(20):
        watch(engine, Plan(name=str(index), slices=slices), play=True)
    until(lambda: len({name for name, _ in slices}) == 20, "all twenty play")
    begin = len(slices)
    until(lambda: len(slices) >= begin + 40, "two rounds")
    assert sum(seconds for _, seconds in slices[begin + 20 : begin + 40]) <= 1.1 * ROUND_SECONDS


# Faults.

FAULTS = [
    ValueError("The learning rate is too high for this."),
    RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
    MemoryError(),
    RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
]


@pytest.mark.parametrize("error", FAULTS, ids=["value", "runtime", "memory", "device memory"])
@pytest.mark.parametrize("where", ["build", "advance", "draw"])
def test_a_run_that_raises_fails_with_a_sentence_alone_and_reset_revives_it(
    start: Start, where: str, error: Exception
) -> None:
    engine = start()
    neighbour = watch(engine, play=True)
    screen = watch(engine, Plan(faults={where: [error]}))
    if where == "advance":  # a Play that comes after the failure has a sentence of its own
        engine.command(screen.run_id, PLAY)
    until(lambda: screen.head.get("state") == "failed", "the run fails")
    notice = screen.head["notice"]
    assert is_sentence(notice) and type(error).__name__ not in notice
    if isinstance(error, ValueError):
        assert notice == str(error)
    elif isinstance(error, MemoryError) or "memory" in str(error):
        assert "memory" in notice and "CUDA" not in notice
    else:
        assert str(error) not in notice
    assert_goes_on(run_of(engine, neighbour.run_id))
    assert engine.state_of(neighbour.run_id) == "playing" and neighbour.head["notice"] == ""
    engine.command(screen.run_id, RESET)
    until(lambda: screen.head["state"] == "paused" and not screen.head["notice"], "Reset revives it")
    engine.command(screen.run_id, PLAY)
    assert_goes_on(run_of(engine, screen.run_id))


def test_a_failed_run_answers_play_with_a_sentence(start: Start) -> None:
    engine = start()
    screen = watch(engine, Plan(faults={"advance": [ValueError("It broke.")]}), play=True)
    until(lambda: screen.head.get("state") == "failed", "the run fails")
    engine.command(screen.run_id, PLAY)
    until(lambda: "Reset" in screen.head["notice"], "Play points to Reset")
    assert screen.head["state"] == "failed"


def test_the_sentence_of_a_failed_run_stays_until_it_is_built_anew(start: Start) -> None:
    engine = start()
    screen = watch(engine, Plan(faults={"advance": [ValueError("It broke.")]}), play=True)
    until(lambda: screen.head.get("state") == "failed", "the run fails")
    for command in (PAUSE, {"do": "speed", "value": 5}):
        engine.command(screen.run_id, command)
        run_of(engine, screen.run_id)
        assert screen.head["notice"] == "It broke."


def test_a_failed_run_can_still_be_scrubbed_through(start: Start) -> None:
    engine = start()
    screen = watch(engine, Plan(faults={"advance": [ValueError("It broke.")]}), play=True)
    until(lambda: screen.head.get("state") == "failed", "the run fails")
    run, seen = run_of(engine, screen.run_id), len(screen.frames)
    draws = run.draws
    engine.command(screen.run_id, {"do": "scrub", "to": 0})
    until(lambda: run.draws > draws, "the moment is drawn")
    assert len(screen.frames) >= seen and screen.head["notice"] == "It broke."
    assert engine.state_of(screen.run_id) == "failed"


@pytest.mark.parametrize("turn", ["tune", "rebuild"])
@pytest.mark.parametrize("where", ["build", "advance"])
def test_another_config_revives_a_failed_run(start: Start, turn: str, where: str) -> None:
    engine = start()
    hopeless = Plan(faults={where: [ValueError("It is too large.") for _ in range(100)]})
    screen = watch(engine, hopeless, play=True)
    until(lambda: screen.head.get("state") == "failed", "the run fails")
    getattr(engine, turn)(screen.run_id, Plan())
    until(lambda: screen.head["state"] == "paused", "the new config revives it")
    engine.command(screen.run_id, PLAY)
    assert_goes_on(run_of(engine, screen.run_id))


@pytest.mark.parametrize("where", ["tune", "rebuilt"])
def test_a_fault_while_turning_a_knob_fails_that_run_alone(start: Start, where: str) -> None:
    engine = start()
    neighbour = watch(engine, play=True)
    screen = watch(engine, Plan(faults={where: [RuntimeError("boom")]}), play=True)
    run_of(engine, screen.run_id)
    (engine.tune if where == "tune" else engine.rebuild)(screen.run_id, Plan())
    until(lambda: screen.head.get("state") == "failed", "the run fails")
    assert is_sentence(screen.head["notice"])
    assert_goes_on(run_of(engine, neighbour.run_id))


def test_a_run_that_can_never_be_drawn_does_not_keep_the_worker_busy(start: Start) -> None:
    engine = start()
    neighbour = watch(engine, play=True)
    screen = watch(engine, Plan(faults={"draw": [RuntimeError("boom") for _ in range(10_000)]}))
    until(lambda: screen.head.get("state") == "failed", "the run fails")
    run = run_of(engine, screen.run_id)
    assert_goes_on(run_of(engine, neighbour.run_id), 300)
    assert run.draws < 10


def test_a_viewer_that_raises_does_not_end_the_worker(start: Start) -> None:
    class Broken(Screen):
        def deliver(self, frame: bytes) -> None:
            self.frames.append({})
            raise OSError("the socket is gone")

    engine = start()
    broken = Broken(engine, engine.open("session", FakeRun, Plan()), paints=True)
    until(lambda: broken.frames, "a frame for it")
    assert_goes_on(run_of(engine, watch(engine, play=True).run_id))


# Calls, unknown runs, and the engine's own end.


def test_call_returns_what_the_function_does_or_raises_what_it_raises(start: Start) -> None:
    engine = start()
    screen = watch(engine)
    assert engine.call(screen.run_id, lambda run: (type(run), 42)) == (FakeRun, 42)

    def refuse(run: Any) -> None:
        raise ValueError("Not with this run.")

    with pytest.raises(ValueError, match=r"^Not with this run\.$"):
        engine.call(screen.run_id, refuse)
    assert engine.state_of(screen.run_id) == "paused"


def test_call_gives_up_after_its_timeout(start: Start) -> None:
    engine, go_on = start(), threading.Event()
    screen = watch(engine)
    holding = threading.Thread(target=engine.call, args=(screen.run_id, lambda run: go_on.wait(DEADLINE)))
    holding.start()
    with pytest.raises(TimeoutError):
        engine.call(screen.run_id, lambda run: None, timeout=0.1)
    go_on.set()
    holding.join()
    assert engine.call(screen.run_id, lambda run: "well") == "well"


def test_a_call_on_a_run_that_cannot_be_built_is_answered_at_once(start: Start) -> None:
    engine = start()
    run_id = engine.open("session", FakeRun, Plan(faults={"build": [ValueError("Too large.") for _ in range(9)]}))
    for _ in range(2):
        with pytest.raises(Exception) as caught:
            engine.call(run_id, _itself, timeout=2.5)
        assert not isinstance(caught.value, TimeoutError)


def test_an_unknown_run_is_refused_by_name_and_lost_to_the_eye(start: Start) -> None:
    engine = start()
    screen = watch(engine)
    wrong: list[Callable[[], object]] = [
        lambda: engine.command("nobody", PLAY),
        lambda: engine.tune("nobody", Plan()),
        lambda: engine.rebuild("nobody", Plan()),
        lambda: engine.call("nobody", _itself),
        lambda: engine.attach("nobody", screen),
        lambda: engine.ask("nobody", screen, [], {}),
    ]
    for attempt in wrong:
        with pytest.raises(UnknownRun):
            attempt()
    engine.close("nobody")
    engine.detach("nobody", screen)
    assert engine.state_of("nobody") == "lost" and not engine.has("nobody")


def test_ids_of_runs_cannot_be_guessed(start: Start) -> None:
    engine = start()
    ids = {engine.open("session", FakeRun, Plan()) for _ in range(20)}
    assert len(ids) == 20 and min(map(len, ids)) >= 22


def test_stop_ends_the_threads_and_tells_the_viewers_and_start_begins_anew(start: Start) -> None:
    before = set(threading.enumerate())
    engine = start()
    engine.start()
    mine = set(threading.enumerate()) - before
    assert len(mine) == 3  # two that train, and one that builds
    screen = watch(engine, play=True)
    assert_goes_on(run_of(engine, screen.run_id))
    engine.stop()
    engine.stop()
    assert not any(thread.is_alive() for thread in mine)
    assert not engine.has(screen.run_id)
    assert [code for code, _ in screen.dismissals] == [4404] and is_sentence(screen.dismissals[0][1])
    engine.start()
    assert_goes_on(run_of(engine, watch(engine, play=True).run_id))


# Settings.


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment without any setting of the app."""
    for variable in Settings.variables():
        monkeypatch.delenv(variable, raising=False)
    return monkeypatch


def test_settings_come_from_the_environment_and_else_from_the_defaults(bare: pytest.MonkeyPatch) -> None:
    assert Settings.from_environment() == Settings()
    bare.setenv("PLAYGROUND_MAX_RUNS", " 7 ")
    bare.setenv("PLAYGROUND_IDLE_MINUTES", "0.5")
    bare.setenv("PLAYGROUND_ORIGINS", "https://school.example")
    bare.setenv("PLAYGROUND_WORKERS", "")
    expected = Settings(max_runs=7, idle_minutes=0.5, origins="https://school.example")
    assert Settings.from_environment() == expected


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("PLAYGROUND_MAX_RUNS", "many"),
        ("PLAYGROUND_MAX_RUNS", "2.5"),
        ("PLAYGROUND_IDLE_MINUTES", "ten"),
        ("PLAYGROUND_WORKERS", "-1"),
        ("PLAYGROUND_TORCH_THREADS", "0"),
        ("PLAYGROUND_MAX_RUNS", "0"),
        ("PLAYGROUND_RUNS_PER_SESSION", "0"),
        ("PLAYGROUND_FRAME_RATE", "0"),
        ("PLAYGROUND_FRAME_RATE", "nan"),
        ("PLAYGROUND_IDLE_MINUTES", "-3"),
        ("PLAYGROUND_IDLE_MINUTES", "inf"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_its_name(
    bare: pytest.MonkeyPatch, variable: str, text: str
) -> None:
    bare.setenv(variable, text)
    with pytest.raises(ValueError, match=variable) as caught:
        Settings.from_environment()
    assert text in str(caught.value) and str(caught.value).endswith(".")


def test_without_a_number_of_workers_there_is_at_least_one() -> None:
    assert Settings().worker_count >= 1
    assert Settings(workers=3).worker_count == 3


def test_a_passing_notice_is_shown_for_a_while_and_any_other_stays() -> None:
    opened = OpenRun("id", "a student", FakeRun, Plan())
    opened.notice, opened.passing_notice = "It came back.", ("It came back.", time.monotonic() + 60)
    assert opened.head()["notice"] == "It came back."
    opened.passing_notice = "It came back.", time.monotonic() - 1
    assert opened.head()["notice"] == ""
    opened.notice = "Choose another model."
    assert opened.head()["notice"] == "Choose another model."
