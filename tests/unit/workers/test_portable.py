"""A run comes back from what its browser has kept, and what a browser sends is read as an uploaded file is."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from playground.engine.commands import (
    AddPoint,
    Command,
    Draw,
    Explain,
    GoBack,
    LookBack,
    Pause,
    Pick,
    Play,
    RemovePoint,
    Reset,
    SetSpeed,
    SetWeight,
    Slide,
    Step,
    Undo,
    read_command,
    written,
)
from playground.engine.open_run import OpenRun
from playground.lessons import BENCHES
from playground.runs.checksums import checksum
from playground.saving import checkpoint, replay
from playground.settings import Settings
from playground.workers import messages, portable, recording
from playground.workers.portable import BackFromBrowser, Known
from playground.workers.recipes import Holding
from playground.workers.recording import Recording
from tests.unit.workers.test_recipes import (
    ALWAYS,
    LIVE,
    MEASURED,
    NEVER,
    PATIENCE_SECONDS,
    QUICK,
    SETTINGS,
    Noted,
    another,
    assert_same,
)

COMMANDS: list[Command] = [
    Play(), Play(20), Pause(), Step(3, "epoch"), Reset(), SetSpeed(None), SetSpeed(30.0), LookBack(), LookBack(3),
    LookBack(step=7), GoBack(), GoBack(4), AddPoint(0.5, -1.0), RemovePoint(0.0, 0.0), Undo(),
    SetWeight(0, 1, None, 2.5), SetWeight(1, 0, 2, -1.0), Explain(0.1, 0.2), Pick(1.0, 2.0, "map"), Draw(None),
    Draw("AAAA"), Slide("epsilon", 0.3),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_a_command_is_the_message_that_it_was_read_from(command: Command) -> None:
    assert read_command(json.loads(json.dumps(written(command)))) == command


@pytest.fixture(autouse=True)
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser gets what is new in each turn."""
    for name in ("COPY_SECONDS", "COPY_MIN_SECONDS", "STATE_SECONDS", "STATE_MIN_SECONDS"):
        monkeypatch.setattr(recording, name, 0.0)
    monkeypatch.setattr(recording, "STATE_BYTES_PER_SECOND", 1e12)
    monkeypatch.setattr(recording, "CHECKSUM_SHARE", 1e9)


@dataclass
class Watched(Noted):
    """A run whose browser keeps it."""

    head: str = ""
    state: bytes = b""
    states: int = 0
    max_state_bytes: int = 4_000_000

    def open(self, **values: Any) -> Any:
        bench: Any = BENCHES[self.bench]
        config = bench.config(**values)
        self.watch(lambda config: bench.build(config, settings=SETTINGS), config)
        return self.run

    def watch(self, build: Callable[[Any], Any], config: Any) -> None:
        self.recording = Recording(self._keep, self.saving, 0.0, self._take, self.max_state_bytes)
        build = self.recording.builds(self.bench, build)
        self.opened = OpenRun("run", "session", build, config, run=build(config))
        self.recording.keeps("run", 1)
        self.turn()

    def _take(self, viewer: int, head: str, state: bytes) -> None:
        assert viewer == 1
        self.head, self.state = head, state or self.state
        self.states += bool(state)

    def kept(self, last_step: int = 0, **changes: Any) -> portable.Kept:
        self.turn()
        self.recording.tick()
        head = json.dumps(json.loads(self.head) | changes) if changes else self.head
        return portable.read(head, self.state, self.bench, SETTINGS, last_step)


def watched(bench: str, saving: recording.Saving = ALWAYS, **values: Any) -> Watched:
    found = Watched(bench, saving)
    found.open(**values)
    return found


@dataclass
class Back:
    """A run that came back, and what it says."""

    run: Any
    opened: OpenRun
    coming: BackFromBrowser
    notice: str = field(init=False)

    def __post_init__(self) -> None:
        self.notice = self.opened.notice


def back(kept: portable.Kept, settings: Settings = SETTINGS) -> Back:
    coming, end = BackFromBrowser(kept, settings), time.monotonic() + PATIENCE_SECONDS
    opened = OpenRun("back", "session", coming.build, kept.recipe.config)
    coming.prepare(opened)
    run = opened.run = coming.build(kept.recipe.config)
    while not coming.has_arrived:
        assert time.monotonic() < end, (run.steps, kept.recipe.steps)
        time.sleep(0 if coming.advance(1.0) else 0.02)
    return Back(run, opened, coming)


def weights(run: Any) -> str:
    return checksum(run.model.state_dict())


# Every bench.


@pytest.mark.in_turns
@pytest.mark.parametrize("saving", [NEVER, ALWAYS], ids=["from step 0", "from a state"])
@pytest.mark.parametrize("bench", LIVE)
def test_every_run_comes_back_from_its_browser_whatever_was_tuned(bench: str, saving: recording.Saving) -> None:
    found = watched(bench, saving, **QUICK.get(bench, {}))
    few = bench == "cnn"
    found.train(2 if few else 13)
    for name in [name for name, spec in LIVE[bench].config.knobs().items() if spec.live]:
        try:
            if values := another(LIVE[bench], found.opened.config, name, 0):
                found.tune(**values)
        except ValueError:
            continue  # such a config has no run
        found.train(1 if few else 3)
    other = back(found.kept())
    if bench == "cnn" or hasattr(found.run, "journal"):
        assert weights(other.run) == weights(found.run) and other.run.steps == found.run.steps
        places = [[each.steps for each in run.snapshots.kept] for run in (other.run, found.run)]
        assert places[0] == places[1], "the time slider has the same steps to look back at"
        assert (other.run.journal.start, other.run.journal.changes) == (
            found.run.journal.start,
            found.run.journal.changes,
        )
        assert other.notice.startswith("✓ Back at step") and "same weights" in other.notice
    elif bench not in MEASURED:
        assert_same(bench, found.run, other.run)
        assert not isinstance(found.run, Holding) or "same weights" in other.notice


# What was done by hand.


@pytest.mark.parametrize("saving", [NEVER, ALWAYS], ids=["from step 0", "from a state"])
@pytest.mark.parametrize("bench", ["regression", "classification"])
def test_points_and_weights_by_hand_come_back(bench: str, saving: recording.Saving) -> None:
    found = watched(bench, saving, max_steps=0, batch_size=10)
    commands: list[Command] = [AddPoint(0.5, 0.5), AddPoint(0.1, -0.2), RemovePoint(0.0, 0.0), Undo()]
    if bench == "classification":
        commands += [SetWeight(0, 1, None, 2.5), Explain(0.3, 0.4)]
    for command in commands:
        found.train(5)
        found.do(command)
        other = back(found.kept()).run
        assert weights(other) == weights(found.run) and other.edits == found.run.edits
    if bench == "classification":
        assert other.drawing_state.place == (0.3, 0.4), "what was looked at"
    found.train(7)
    rows = ((0.5, 1.0), (1.5, 0.1), (2.5, 0.3), (-1.0, 2.0))
    found.run.use_rows(rows if bench == "regression" else tuple((*row, float(at % 3)) for at, row in enumerate(rows)))
    for _ in range(2):  # the state is saved in the turn after
        other = back(found.kept()).run
        assert other.edits == found.run.edits and other.steps == found.run.steps
    found.run.use_weights({name: value + 0.1 for name, value in found.run.model.state_dict().items()})
    found.turn()
    assert weights(back(found.kept()).run) == weights(found.run)


def test_after_a_reset_the_points_by_hand_come_back_too() -> None:
    found = watched("regression", NEVER)
    found.do(AddPoint(0.5, 0.5))
    found.opened.run = found.run.rebuilt(found.opened.config)
    found.turn()
    found.turn()
    other = back(found.kept()).run
    assert other.edits == found.run.edits and other.edits.clicks and other.steps == 0


def test_a_drawn_and_an_uploaded_digit_come_back() -> None:
    found = watched("cnn", **QUICK["cnn"])
    found.do(Slide("epsilon", 0.3))
    found.run.use_picture(np.arange(40 * 30, dtype=np.uint16).astype(np.uint8).reshape(40, 30))
    found.train(1)
    other = back(found.kept()).run
    assert other.selection.drawing.epsilon == 0.3
    assert bool((other.selection.own_image == found.run.selection.own_image).all())
    found.do(Explain(1.0, 3.0))
    again = back(found.kept()).run.selection
    assert (again.layer, again.channel) == (found.run.selection.layer, found.run.selection.channel) != (0, 0)


def test_a_diverged_run_comes_back_diverged() -> None:
    found = watched("regression", lr=0.01, batch_size=0, max_steps=0)
    found.train(30)
    found.tune(lr=10.0, optimizer="sgd", momentum=0.0)
    found.train(3_000)
    assert found.run.outcome == "failed"
    found.opened.state = "failed"
    other = back(found.kept())
    assert (other.run.steps, other.run.outcome, other.opened.state) == (found.run.steps, "failed", "failed")
    assert not other.notice, "the narrator says what has happened"


def test_a_replay_of_a_link_is_repeated_to_where_it_was() -> None:
    lesson: Any = BENCHES["regression"]
    config = lesson.config(max_steps=30, lr=0.02)
    first = lesson.build(lesson.config(max_steps=30), settings=SETTINGS)
    first.advance(60.0, 20)
    first.tune(config)
    first.advance(60.0, 30)
    shared = replay.parameters(first.run_history())
    start, again = replay.read(config, shared["at"], shared.get("since", ""))
    found = Watched("regression", ALWAYS)
    found.watch(lambda _: replay.build(lesson.build, start, again, SETTINGS), config)
    for steps in (10, 15):
        found.train(steps)
        other = back(found.kept()).run
        assert weights(other) == weights(found.run)
        assert other.replay.sentence(other.steps) == found.run.replay.sentence(found.run.steps)
    assert found.states == 0, "a state would not know what is still to be repeated"
    found.train(100)
    assert weights(back(found.kept()).run) == weights(found.run)


# The step.


def test_a_playing_run_goes_on_to_the_step_that_was_seen_last() -> None:
    found = watched("regression", max_steps=0)
    found.opened.state = "playing"
    found.train(20)
    kept = found.kept(last_step=30)
    found.run.advance(60.0, 10)
    other = back(kept)
    assert other.run.steps == 30 and weights(other.run) == weights(found.run)
    assert other.opened.state == "playing"
    found.opened.state = "paused"
    assert found.kept(last_step=90).recipe.steps == 30, "a paused run has taken no step since"


def test_steps_that_are_owed_are_taken_once() -> None:
    found = watched("regression", max_steps=0)
    found.train(5)
    found.opened.pacing.owe(10)
    assert [(kept.recipe.steps, kept.recipe.owed) for kept in (found.kept(), found.kept(9), found.kept(99))] == [
        (5, 10), (9, 6), (15, 0)]  # fmt: skip


def test_weights_that_differ_are_said_to_differ() -> None:
    found = watched("regression", NEVER, max_steps=0)
    found.train(20)
    kept = found.kept()
    assert kept.known == Known(20, 0, weights(found.run))
    other = back(replace(kept, known=Known(20, 0, "0" * 16)))
    assert "differ" in other.notice and "00000000" in other.notice and other.run.steps == 20


def test_a_run_that_takes_too_long_stops_where_it_is_and_says_so() -> None:
    found = watched("regression", NEVER, max_steps=0)
    found.opened.state = "playing"
    found.train(5)
    kept = found.kept(last_step=900_000)
    settings = replace(SETTINGS, return_seconds=0)
    other = back(kept, settings)
    assert 5 <= other.run.steps < kept.recipe.steps and other.opened.state == "paused"
    assert f"of {kept.recipe.steps:,}" in other.notice


# What a browser gets.


def test_without_its_state_a_run_of_knobs_alone_trains_again_and_any_other_says_why_not() -> None:
    found = watched("regression", max_steps=10)
    found.train(10)
    found.run.resume()
    found.train(4)
    found.tune(lr=0.02)
    found.train(9)
    found.kept()
    other = back(portable.read(found.head, b"", "regression", SETTINGS))
    assert json.loads(found.head)["state"] and not other.coming.kept.has_state
    assert weights(other.run) == weights(found.run) and other.run.steps == found.run.steps
    found.do(AddPoint(0.5, 0.5))
    found.train(1)
    found.kept()
    with pytest.raises(ValueError, match=messages.STATE_LOST):
        portable.read(found.head, b"something else", "regression", SETTINGS)


def test_a_state_over_the_limit_is_not_sent() -> None:
    found = Watched("regression", ALWAYS, max_state_bytes=1_000)
    found.open(max_steps=0)
    found.train(30)
    assert found.states == 0
    assert weights(back(found.kept()).run) == weights(found.run)


def test_a_state_is_sent_now_and_then_and_what_followed_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "STATE_SECONDS", 1e9)
    found = watched("regression", max_steps=0)
    found.opened.state = "playing"
    found.train(5)
    found.recording.tick()
    for lr in (0.02, 0.03):
        found.tune(lr=lr)
        found.train(5)
        found.recording.tick()
    assert found.states == 1
    assert [act[1] for act in json.loads(found.head)["acts"]] == ["tune", "tune"]
    assert weights(back(found.kept()).run) == weights(found.run)
    found.opened.state = "paused"
    found.kept()
    assert found.states == 2, "at pause"


def test_what_is_done_again_and_again_takes_no_more_room() -> None:
    for bench in ("classification", "convolution_slide"):
        found = watched(bench, NEVER)
        for number in range(2 * recording.MAX_ACTS + 30):
            if bench == "classification":
                found.run.apply(Undo() if number % 2 else AddPoint(0.1, 0.2))
            else:
                found.run.apply(Pick(number % 20, 3.0, "output"))
            found.train(1)
        kept = found.kept()
        assert len(kept.recipe.acts) <= recording.MAX_ACTS and back(kept).run.steps == found.run.steps


def test_another_viewer_gets_the_state_again_and_one_that_has_gone_nothing() -> None:
    found = watched("regression", max_steps=0)
    found.train(5)
    found.recording.tick()
    before = found.states
    assert before > 0
    found.recording.keeps("run", 1)
    found.saving = NEVER
    found.turn()
    found.recording.tick()
    assert found.states > before
    found.recording.keeps_no_more("run", 1)
    found.head = ""
    found.train(5)
    found.recording.tick()
    assert found.head == ""


# What a browser may send.


@pytest.fixture(scope="module")
def good() -> Watched:
    """A run with a state and acts, as its browser kept it."""
    with pytest.MonkeyPatch.context() as patch:
        always_due.__wrapped__(patch)  # type: ignore[attr-defined]
        patch.setattr(recording, "STATE_SECONDS", 1e9)
        found = watched("regression", max_steps=0)
        found.opened.state = "playing"
        found.train(5)
        found.recording.tick()
        found.tune(lr=0.02)
        found.train(3)
        found.turn()
        found.recording.tick()
    return found


HOSTILE: dict[str, Any] = {
    "version": [0, 2, "1", None],
    "run": [7, None, "x" * 300],
    "bench": ["cnn", "", None, ["regression"]],
    "config": [{"lr": "no number"}, {"nothing": "1"}, [], None, {"lr": 3}],
    "steps": [-1, 1.5, 2**60, None, True],
    "outcome": ["over", None, 3],
    "player": [{}, {"state": "flying", "owed": 0, "speed": None}, {"state": "paused", "owed": -1, "speed": None},
               {"state": "paused", "owed": 0, "speed": "fast"}, {"state": "paused", "owed": 0, "speed": 1e12}, None],
    "acts": [None, [3], [[0, "use_rows", [[1, 2]]]], [[0, "use_weights", {}]], [[0, "__init__", None]],
             [[0, "tune", {"hidden": "64"}]], [[0, "apply", {"do": "add", "x": "1", "y": 2}]], [[0, "apply", []]],
             [[0, "resume", None]] * 501, [[-1, "resume", None]], [[0, "use_threads", 10**6]],
             [[0, "resume", None, False]], [[0, "resume", None, True, 1]],
             [[0, "use_picture", [5, 5, "AAAA"]]], [[0, "use_picture", [10**6, 10**6, "AAAA"]]]],
    "looks": [None, [[0, "tune", {"units": "3"}]], [[0, "apply", {"do": "pick"}]] * 41],
    "second": ["third", None],
    "known": [{}, {"steps": -1, "acts": 0, "checksum": ""}, {"steps": 0, "acts": 0, "checksum": "0" * 500}, 3,
              {"steps": 0, "acts": 0, "checksum": "0" * 15}, {"steps": 0, "acts": 0, "checksum": "G" * 16}],
    "beside": [None, {}, {"start": "here", "knob": "lr", "value": "0.1", "done": 0},
               {"start": "here", "knob": "", "value": "", "done": 0}, {"start": "before", "knob": "lr", "value": "0.1",
               "done": 0}, {"start": "here", "knob": "lr", "value": "1e99", "done": 0},
               {"start": "here", "knob": "__class__", "value": "1", "done": 0}],
    "story": [{}, {"config": {}, "threads": None, "changes": [[1]]},
              {"config": {}, "threads": None, "changes": [[9, {}, None], [3, {}, None]]}, 5],
    "start": [{"config": {}, "threads": None}],
    "state": [None, {}, 3],
    "more": [1],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in HOSTILE.items() for value in values])
def test_nonsense_is_refused_with_a_sentence(good: Watched, name: str, value: Any) -> None:
    head = json.dumps(json.loads(good.head) | {name: value})
    with pytest.raises(ValueError, match=r"^[A-Z“].*\.$"):
        portable.read(head, good.state, "regression", SETTINGS)


@pytest.mark.parametrize("head", ["", "{", "[]", "3", "null", '{"version":NaN}', "[" * 100_000, "x" * 400_000])
def test_a_head_that_is_none_is_refused(good: Watched, head: str) -> None:
    with pytest.raises(ValueError, match=messages.NOT_KEPT):
        portable.read(head, good.state, "regression", SETTINGS)


def test_a_changed_state_is_refused_as_an_uploaded_file_is(good: Watched) -> None:
    damaged = bytearray(good.state)
    damaged[-3] ^= 1
    head = json.loads(good.head)
    for state in (bytes(damaged), b"\x80\x04pickle", good.state[:-20], b""):
        head["state"] = {"bytes": len(state), "digest": portable.digest_of(state)}
        with pytest.raises(checkpoint.CheckpointError):
            portable.read(json.dumps(head), state, "regression", SETTINGS)


def test_what_is_good_is_taken(good: Watched) -> None:
    kept = portable.read(good.head, good.state, "regression", SETTINGS)
    assert weights(back(kept).run) == weights(good.run)
