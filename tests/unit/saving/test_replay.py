"""Replays: what a link carries leads to the same weights, whatever was turned on the way; anything else is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from playground.engine.commands import read_command
from playground.lesson import LiveLesson
from playground.lessons import LESSONS
from playground.saving import replay
from playground.saving.replay import AT, SINCE, THREADS, Replay, ReplayError
from playground.settings import Settings

Turns = Sequence[tuple[int, Mapping[str, Any]]]
WAYS: dict[str, tuple[Mapping[str, Any], Turns]] = {
    "regression": (
        {"batch_size": 20},
        [(0, {"lr": 0.1}), (3, {"optimizer": "adam", "lr": 0.01}), (3, {"optimizer": "sgd"}),
         (7, {"noise": 0.5, "activation": "tanh"}), (9, {"batch_size": 0}), (9, {"batch_size": 10})],
    ),
    "classification": (
        {"batch_size": 10},
        [(2, {"units_1": 12, "inputs": "x1,x2,sin x1"}), (2, {"layers": 2}), (5, {"dropout": 0.3, "max_steps": 300}),
         (9, {"cloud": "rings", "classes": 4})],
    ),
    "optimizers": ({}, [(4, {"batch_size": 16})]),
}  # fmt: skip


def lesson(name: str) -> LiveLesson:
    found = LESSONS[name]
    assert isinstance(found, LiveLesson)
    return found


def train(run: Any, steps: int) -> None:
    while run.steps < steps:
        run.step()


def trained(name: str, values: Mapping[str, Any], turns: Turns, steps: int) -> Any:
    run = lesson(name).build(lesson(name).config(**values), settings=Settings())
    for at, turned in turns:
        train(run, at)
        run.tune(run.config.with_values(**turned))
    train(run, steps)
    return run


def replayed(name: str, run: Any) -> tuple[Any, Replay]:
    """The run of a link to a run, at its end, as another visitor gets it."""
    found = replay.parameters(run.run_history())
    config, problems = lesson(name).config.parse(run.config.as_texts())
    assert problems == []
    start, again = replay.read(config, found[AT], found.get(SINCE, ""))
    other = replay.build(lesson(name).build, start, again, Settings())
    train(other, again.at)
    return other, again


@pytest.mark.parametrize("name", WAYS)
def test_a_link_leads_to_the_same_weights_and_settings(name: str) -> None:
    run = trained(name, *WAYS[name], steps=9)
    other, again = replayed(name, run)
    assert again.found == again.checksum
    assert other.config == run.config
    assert replay.parameters(other.run_history()) == replay.parameters(run.run_history())
    assert "the same weights to the last bit" in other.draw([], {}).note
    other.step()
    run.step()
    assert other.run_history().checksum == run.run_history().checksum, "and goes on alike"


@pytest.mark.parametrize(
    ("rule", "steps", "outcome"),
    [({"max_steps": 0}, 230, ""), ({}, 100, "done"), ({}, 230, ""), ({"target_loss": 0.2, "max_steps": 0}, 50, "done")],
)
def test_a_replay_passes_the_stop_rule_and_keeps_it_for_later(rule: Any, steps: int, outcome: str) -> None:
    other, again = replayed("regression", trained("regression", rule, [], steps))
    assert (other.steps, other.outcome, again.is_touched) == (steps, outcome, False)
    other.resume()
    assert other.advance(10.0, 5) == 5
    while not other.outcome and other.steps < 350:
        other.step()
    assert other.steps == (350 if "max_steps" in rule else -(-(steps + 5) // 100) * 100)


def test_a_visitor_who_turns_a_knob_on_the_way_is_told_why_the_weights_differ() -> None:
    run = trained("regression", {}, [(6, {"lr": 0.1})], 9)
    found = replay.parameters(run.run_history())
    start, again = replay.read(run.config, found[AT], found[SINCE])
    other = replay.build(lesson("regression").build, start, again, Settings())
    train(other, 3)
    other.tune(other.config.with_values(lr=0.02))
    train(other, 9)
    assert "Something was changed by hand on the way." in other.draw([], {}).note
    assert other.config.lr == 0.02, "the visitor's turn stays"


def test_points_weights_and_files_of_ones_own_are_not_in_a_link() -> None:
    for change in (
        {"do": "add", "x": 0.1, "y": 0.2},
        {"do": "set", "layer": 0, "unit": 0, "input": 0, "value": 1.0},
    ):
        run = trained("classification", {}, [], 3)
        run.apply(read_command(change))
        with pytest.raises(ReplayError, match="save a checkpoint"):
            replay.parameters(run.run_history())
    run = trained("regression", {}, [], 3)
    run.use_weights({name: value.clone() for name, value in run.model.state_dict().items()})
    with pytest.raises(ReplayError, match="save a checkpoint"):
        replay.parameters(run.run_history())


def test_a_replay_goes_on_by_itself_where_a_training_of_some_epochs_had_ended() -> None:
    run = lesson("cnn").build(lesson("cnn").config(**TINY | {"epochs": 1, "schedule": "cosine"}), settings=Settings())
    run.advance(1e9, 100)
    assert (run.steps, run.outcome) == (4, "done")
    run.resume()
    run.advance(1e9, 3)
    other, again = follow_link(run, replay.parameters(run.run_history()))
    assert other.advance(1e9, 7) == 7
    assert again.found == again.checksum


# Threads.

TINY = {"filters_1": 2, "filters_2": 3, "kernel": 3, "images": 200, "lr": 0.01, "epochs": 0}


def tiny_cnn(*slices: tuple[int, int], **settings: Any) -> Any:
    """A run of a small CNN that was given these shares of the machine, each for this number of steps."""
    run = lesson("cnn").build(lesson("cnn").config(**TINY), settings=Settings(**settings))
    for cores, steps in slices:
        give(run, cores, steps)
    return run


def give(run: Any, cores: int, steps: int) -> None:
    run.use_cores(cores)
    assert run.advance(1e9, steps) == steps


def follow_link(run: Any, found: Mapping[str, str]) -> tuple[Any, Replay]:
    start, again = replay.read(run.config, found[AT], found.get(SINCE, ""), found.get(THREADS, ""))
    return replay.build(lesson("cnn").build, start, again, Settings()), again


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.settings.available_cores", lambda: 2)


@pytest.mark.usefixtures("two_cores")
def test_a_replay_has_the_threads_of_the_link_whatever_its_share_is() -> None:
    run = tiny_cnn((2, 5))
    run.tune(run.config.with_values(lr=0.03))
    run.use_threads(1)  # as servers of earlier versions did while others trained
    give(run, 1, 4)
    found = replay.parameters(run.run_history())
    assert (found[THREADS], found[SINCE]) == ("2", "~lr:0.01;5~lr:0.03~threads:1")
    for share in (1, 2):
        other, again = follow_link(run, found)
        give(other, share, 9)
        assert again.found == again.checksum and not again.is_touched
        assert replay.parameters(other.run_history()) == found
    alike, _ = follow_link(run, found | {AT: f"9.{found[AT][2:]}", SINCE: "~lr:0.01;5~lr:0.03"})
    give(alike, 2, 9)
    assert alike.run_history().checksum != run.run_history().checksum, "the change of threads decides the last bits"


@pytest.mark.usefixtures("two_cores")
def test_after_the_last_step_of_a_replay_its_threads_stay() -> None:
    run = tiny_cnn((2, 3))
    other, _ = follow_link(run, replay.parameters(run.run_history()))
    for steps in (3, 1):
        give(other, 1, steps)
        assert other.threads == 2


@pytest.mark.usefixtures("two_cores")
def test_a_link_without_threads_is_replayed_with_the_share_of_its_first_step_and_the_narrator_says_so() -> None:
    run = tiny_cnn((2, 5))
    found = replay.parameters(run.run_history())
    del found[THREADS]
    same, again = follow_link(run, found)
    give(same, 2, 3)
    give(same, 1, 2)
    assert (again.found, again.is_touched) == (again.checksum, False)
    other, again = follow_link(run, found)
    give(other, 1, 5)
    assert again.found != again.checksum
    assert replay.THREADS_UNKNOWN in other.draw([], {}).note


@pytest.mark.usefixtures("two_cores")
def test_more_threads_than_cores_are_not_used_and_the_narrator_says_so() -> None:
    run = tiny_cnn((2, 5))
    found = replay.parameters(run.run_history()) | {THREADS: "64", SINCE: "2~threads:8;3~threads:1"}
    other, again = follow_link(run, found)
    assert other.threads == 2
    give(other, 2, 5)
    assert (other.threads, again.is_touched) == (1, False)
    assert "The original run used 64 threads; this machine has 2 cores" in other.draw([], {}).note


@pytest.mark.parametrize(
    ("threads", "since"),
    [(text, "") for text in ("0", "65", "-1", "1.5", "²", "٢", "1e1", " 2", "2\n", "x" * 5_000)]
    + [("2", f"1~threads:{text}") for text in ("", "0", "65", "x", "1;~threads:1", "2~threads:1", "1~lr:0.1")]
    + [("", "1~threads:1"), ("2", "~threads:1"), ("2", "9~threads:1")],
)
def test_any_other_number_of_threads_is_refused_with_a_sentence(threads: str, since: str) -> None:
    with pytest.raises(ValueError, match=r"^.{10,250}\.$"):
        replay.read(lesson("cnn").config(), "5.12345678", since, threads)


def test_a_page_without_threads_of_its_own_refuses_a_link_that_names_them() -> None:
    start, again = replay.read(CONFIG, "5.12345678", "", "2")
    with pytest.raises(ReplayError, match="do not use one of their own"):
        replay.build(lesson("regression").build, start, again, Settings())


def test_no_knob_is_called_threads() -> None:
    assert not [name for name, each in LESSONS.items() for bench in each.benches if THREADS in bench.config.knobs()]


def test_a_turn_that_changes_nothing_is_not_kept() -> None:
    run = trained("regression", {}, [(1, {}), (2, {"lr": 0.1}), (3, {"lr": 0.1})], 4)
    assert [change.steps for change in run.journal.changes] == [2]
    assert replay.parameters(run.run_history())[SINCE] == "~lr:0.5;2~lr:0.1"


def test_a_link_carries_a_bounded_number_of_turns() -> None:
    turns: Turns = [(step, {"lr": (0.1, 0.2)[step % 2]}) for step in range(60)]
    with pytest.raises(ReplayError, match="more often than the 40 times"):
        replay.parameters(trained("regression", {}, turns, 61).run_history())


CONFIG = LESSONS["regression"].config()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("at", "since"),
    [
        ("", ""), ("5", ""), ("5.", ""), ("5.1234567", ""), ("5.123456789", ""), ("-5.12345678", ""),
        ("5.1234567G", ""), ("0.12345678", ""), ("100001.12345678", ""), ("٥.12345678", ""), ("5.12345678\n", ""),
        *(("5.12345678", since) for since in (
            "lr:0.5", "~lr:0.1", "~seed:1;0~seed:2", "~lr:0.1;6~lr:0.5", "~lr:0.1;4~lr:0.2;3~lr:0.5", "~lr", "~lr:",
            "~lr:nan", "~lr:0.1;~lr:0.5", "~__class__:1", ";" * 50, "x" * 5_000, "0~lr:0.7;1~lr:0.5", "1~~",
            "-1~lr:0.5",
        )),
    ],
)  # fmt: skip
def test_any_other_text_is_refused_with_a_sentence(at: str, since: str) -> None:
    with pytest.raises(ValueError, match=r"^.{10,250}\.$"):
        replay.read(CONFIG, at, since)
