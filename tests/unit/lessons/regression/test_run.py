"""The regression run: the same weights whatever happens around it, every knob, the time machine and the own points."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector

from playground.data.datasets import TARGETS
from playground.engine.commands import read_command
from playground.engine.engine import Engine
from playground.engine.frames import FrameWriter, changes
from playground.engine.run import Drawing
from playground.experiments import Experiment, experiments
from playground.lessons.regression.config import RegressionConfig
from playground.lessons.regression.lesson import LESSON, build
from playground.lessons.regression.run import RegressionRun
from playground.runs.training_run import MAX_SNAPSHOTS, Snapshot, Snapshots
from playground.settings import Settings

CHARTS = [chart.name for chart in LESSON.charts]
OPTIONS = {toggle.name for chart in LESSON.charts for toggle in chart.toggles}
SPECS = RegressionConfig.knobs()
LONG = 60.0  # seconds: a budget that never runs out
# Shuffled batches, an optimizer with a memory, two layers; and the tutorial's whole batches.
SHUFFLED = RegressionConfig(target="sine", layers=2, activation="tanh", optimizer="adam", lr=0.01, batch_size=20)
CONFIGS = {"tutorial": RegressionConfig(max_steps=120), "shuffled": replace(SHUFFLED, max_steps=120)}


def weights(run: RegressionRun) -> Tensor:
    return parameters_to_vector(run.model.parameters()).detach().clone()


def trained(config: RegressionConfig, steps: int) -> RegressionRun:
    run = build(config)
    run.advance(LONG, steps)
    return run


def draw(run: RegressionRun, *, options: bool = False) -> Drawing:
    return run.draw(CHARTS, dict.fromkeys(OPTIONS, options))


def is_sentence(text: str) -> bool:
    return text[:1].isupper() and text.endswith(".") and "\n" not in text


def ranges(part: Any) -> Iterator[list[float]]:
    """Every axis range of a figure's layout."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            if key == "range":
                yield value
            else:
                yield from ranges(value)


def assert_drawable(run: RegressionRun) -> None:
    """Every chart, with and without its options, can be sent; numbers are finite or missing; axes have an extent."""
    for options in (False, True):
        drawing = draw(run, options=options)
        assert list(drawing.charts) == CHARTS
        frame = FrameWriter().write({"status": drawing.status, "note": drawing.note}, drawing.charts)
        head = json.loads(frame[4 : 4 + int.from_bytes(frame[:4], "little")], parse_constant=pytest.fail)
        assert head["status"].keys() == LESSON.status.keys() - {"steps_per_second"}
        assert all(value is None or math.isfinite(value) for value in head["status"].values())
        assert head["status"]["step"] == run.steps and head["note"]
        for name, figure in drawing.charts.items():
            for lo, hi in ranges(figure["layout"]):
                assert math.isfinite(lo) and math.isfinite(hi) and lo < hi, (name, lo, hi)


# The same config and seed give the same weights.


@pytest.fixture(scope="module")
def whole() -> dict[str, RegressionRun]:
    """Each config trained to its end alone, in one go."""
    return {name: trained(config, 10**9) for name, config in CONFIGS.items()}


@pytest.fixture(scope="module")
def alone(whole: dict[str, RegressionRun]) -> dict[str, Tensor]:
    """The weights that each config ends with."""
    return {name: weights(run) for name, run in whole.items()}


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize(
    ("seconds", "steps"), [(LONG, 1), (LONG, 7), (LONG, 100), (0.0, 10**9), (0.002, 10**9)], ids=str
)
def test_weights_do_not_depend_on_the_slices(
    whole: dict[str, RegressionRun], name: str, seconds: float, steps: int
) -> None:
    run = build(CONFIGS[name])
    while not run.outcome:
        assert run.advance(seconds, steps) >= 1
    assert torch.equal(weights(run), weights(whole[name]))
    for column in ("train", "test", "gradient Output", "update Layer 1"):
        assert np.array_equal(run.history.column(column), whole[name].history.column(column), equal_nan=True)


@pytest.mark.parametrize("name", CONFIGS)
def test_weights_do_not_depend_on_who_watches(alone: dict[str, Tensor], name: str) -> None:
    run = build(CONFIGS[name])
    while not run.outcome:
        run.advance(LONG, 3)
        draw(run, options=True)
        run.apply(read_command({"do": "scrub", "to": 0}))
        draw(run)
        run.apply(read_command({"do": "scrub", "to": None}))
    assert torch.equal(weights(run), alone[name])


def test_weights_do_not_depend_on_other_runs_in_other_threads(alone: dict[str, Tensor]) -> None:
    runs = [build(CONFIGS["shuffled" if index % 2 else "tutorial"]) for index in range(6)]

    def train(run: RegressionRun) -> None:
        while not run.outcome:
            run.advance(LONG, 5)
            torch.manual_seed(run.steps)  # what everybody shares must not matter
            torch.rand(3)

    threads = [threading.Thread(target=train, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    for index, run in enumerate(runs):
        assert torch.equal(weights(run), alone["shuffled" if index % 2 else "tutorial"])


class Eager:
    """A viewer that asks for the next frame, of every chart, as soon as it has one."""

    def __init__(self, engine: Engine, run_id: str) -> None:
        self.engine, self.run_id, self.frames = engine, run_id, 0
        engine.attach(run_id, self)
        self.ask()

    def ask(self) -> None:
        if self.engine.has(self.run_id):
            self.engine.ask(self.run_id, self, CHARTS, {"units": True})

    def deliver(self, frame: bytes) -> None:
        self.frames += 1
        self.ask()

    def dismiss(self, code: int, reason: str) -> None:
        self.frames = -code


def test_weights_do_not_depend_on_the_engine_and_its_other_runs(alone: dict[str, Tensor]) -> None:
    engine = Engine(Settings(workers=2, runs_per_session=9))
    engine.start()
    try:
        names = ["tutorial", "shuffled", "shuffled", "tutorial", "shuffled", "tutorial"]
        ids = [engine.open("session", build, CONFIGS[name]) for name in names]
        viewers = [Eager(engine, run_id) for run_id in ids]
        for run_id, speed in zip(ids, (0, 0, 300, 300, None, None), strict=True):
            engine.command(run_id, {"do": "speed", "value": speed})
            engine.command(run_id, {"do": "play"})
        give_up_at, pause = time.monotonic() + LONG, threading.Event()
        while any(engine.state_of(run_id) != "done" for run_id in ids):
            assert time.monotonic() < give_up_at, [engine.state_of(run_id) for run_id in ids]
            pause.wait(0.01)
        for run_id, name in zip(ids, names, strict=True):
            assert torch.equal(engine.call(run_id, weights), alone[name])
        assert all(viewer.frames > 0 for viewer in viewers)
    finally:
        engine.stop()


def test_another_seed_gives_other_weights() -> None:
    assert not torch.equal(weights(trained(RegressionConfig(seed=2), 50)), weights(trained(RegressionConfig(), 50)))


# The default is the tutorial's regression.


def test_the_default_is_the_tutorial_s_regression() -> None:
    run = build(RegressionConfig())
    x, y = run.data.x_train[:, 0], run.data.y_train[:, 0]
    assert torch.equal(x, torch.linspace(-1, 1, 100))
    assert ((y - x**2 >= 0) & (y - x**2 < 0.2)).all()
    assert [tuple(p.shape) for p in run.model.parameters()] == [(10, 1), (10,), (1, 10), (1,)]
    assert draw(run).status["parameters"] == 31
    assert type(run.trainer.optimizer) is torch.optim.SGD
    assert type(run.trainer.loss_fn) is torch.nn.MSELoss
    assert len(run.trainer.batches.next()[0]) == 100


def test_the_default_stops_at_step_100_having_learned() -> None:
    run = build(RegressionConfig())
    first = draw(run).status["loss"]
    assert run.advance(LONG, 10**9) == 100
    assert (run.steps, run.outcome) == (100, "done")
    status = draw(run).status
    assert (status["step"], status["epoch"]) == (100, 100)
    assert status["loss"] < 0.05 * first and status["r2"] > 0.9
    assert run.advance(LONG, 10) == 0, "a run that is done takes no step"


# Every knob.


def values(name: str) -> list[Any]:
    """The values of a knob that a test must visit: every option, or both ends."""
    spec = SPECS[name]
    if spec.options is not None:
        return list(spec.options)
    kind = type(SPECS[name].default)
    return [kind(spec.lo), kind(spec.hi)]  # type: ignore[arg-type]


def ground(name: str) -> RegressionConfig:
    """A config in which the knob matters."""
    candidates = (RegressionConfig(), RegressionConfig(layers=4), RegressionConfig(optimizer="momentum", lr=0.1))
    return next(config for config in candidates if (applies := SPECS[name].applies) is None or applies(config))


EVERY = [(name, value) for name in SPECS for value in values(name)]
EVERY_LIVE = [(name, value) for name, value in EVERY if SPECS[name].live]


@pytest.mark.parametrize(("name", "value"), EVERY, ids=str)
def test_every_knob_s_values_build_train_and_draw(name: str, value: Any) -> None:
    run = build(ground(name).with_values(**{name: value}))
    assert_drawable(run)
    run.advance(LONG, 3)
    assert run.steps == 3 or run.outcome == "done"
    assert_drawable(run)


@pytest.mark.parametrize(("name", "value"), EVERY_LIVE, ids=str)
def test_every_live_knob_changed_while_running_keeps_the_model_leaves_a_mark_and_continues(
    name: str, value: Any
) -> None:
    config = replace(ground(name), max_steps=0)
    run = trained(config, 20)
    before, marks = weights(run), len(run.marks)
    tuned = config.with_values(**{name: value})
    run.tune(tuned)
    assert run.steps == 20 and torch.equal(weights(run), before)
    assert len(run.marks) == marks + (tuned != config)
    if tuned != config:
        assert run.marks[-1][0] == 20 and run.marks[-1][1].startswith(SPECS[name].label)
    assert_drawable(run)
    run.advance(LONG, 3)
    assert run.steps == 23 or run.outcome
    assert_drawable(run)


@pytest.mark.parametrize(("name", "value"), EVERY_LIVE, ids=str)
def test_a_live_knob_changed_before_the_first_step_gives_the_same_as_a_run_built_with_it(name: str, value: Any) -> None:
    tuned_config = ground(name).with_values(**{name: value})
    tuned, built = build(ground(name)), build(tuned_config)
    tuned.tune(tuned_config)
    for run in (tuned, built):
        run.advance(LONG, 10)
    assert (tuned.steps, tuned.outcome) == (built.steps, built.outcome)
    assert torch.equal(weights(tuned), weights(built))


@pytest.mark.parametrize("changes", [{"noise": 0.8}, {"target": "sine"}], ids=str)
def test_a_change_of_noise_or_target_changes_the_points_and_not_the_model(changes: dict[str, Any]) -> None:
    run = trained(RegressionConfig(), 20)
    before, data = weights(run), run.data
    run.tune(RegressionConfig().with_values(**changes))
    assert torch.equal(weights(run), before)
    assert torch.equal(run.data.x_train, data.x_train) and not torch.equal(run.data.y_train, data.y_train)
    assert torch.equal(run.trainer.batches.next()[1], run.data.y_train), "it learns from the new points"


def test_a_dragged_slider_leaves_one_mark() -> None:
    run = trained(RegressionConfig(), 5)
    for noise in (0.3, 0.4, 0.5):
        run.tune(replace(run.config, noise=noise))
    assert len(run.marks) == 1


@pytest.mark.parametrize("experiment", experiments(LESSON), ids=lambda experiment: experiment.id)
def test_every_experiment_trains_and_draws(experiment: Experiment) -> None:
    assert isinstance(experiment.config, RegressionConfig)
    run = trained(experiment.config, 20)
    assert_drawable(run)


# The end of a run.


def test_a_step_limit_is_kept_to_the_step_and_zero_is_none() -> None:
    assert trained(RegressionConfig(max_steps=7), 1000).steps == 7
    free = trained(RegressionConfig(max_steps=0), 300)
    assert (free.steps, free.outcome) == (300, "")


def test_a_target_loss_ends_the_run_when_it_is_reached() -> None:
    run = trained(RegressionConfig(max_steps=0, target_loss=0.05), 1000)
    assert run.outcome == "done" and 0 < run.steps < 100
    losses = run.history.column("train")
    assert losses[-2] <= 0.05 and (losses[:-2] > 0.05).all()


def test_a_target_loss_of_zero_never_ends_a_run() -> None:
    run = build(RegressionConfig(initialisation="zeros", max_steps=0))
    run.use_rows(((-1.0, 0.0), (0.0, 0.0), (1.0, 0.0)))  # fitted without error from the start
    assert run.advance(LONG, 20) == 20
    run.tune(replace(run.config, target_loss=0.1))
    run.tune(replace(run.config, target_loss=0.0))
    assert run.advance(LONG, 20) == 20 and draw(run).status["loss"] == 0.0


def test_resume_trains_on_for_as_many_steps_as_if_never_stopped() -> None:
    run = trained(RegressionConfig(max_steps=60), 1000)
    run.resume()
    assert run.outcome == "" and run.advance(LONG, 1000) == 60
    assert (run.steps, run.outcome) == (120, "done")
    assert torch.equal(weights(run), weights(trained(RegressionConfig(max_steps=120), 1000)))


def test_resume_after_a_target_loss_trains_below_it() -> None:
    run = trained(RegressionConfig(max_steps=0, target_loss=0.05), 1000)
    run.resume()
    assert run.advance(LONG, 50) == 50


def test_a_stop_rule_can_be_changed_on_a_run() -> None:
    run = trained(RegressionConfig(max_steps=50), 1000)
    run.tune(replace(run.config, max_steps=80))
    assert run.outcome == "" and run.advance(LONG, 1000) == 30
    run.tune(replace(run.config, max_steps=0))
    assert run.outcome == "" and run.advance(LONG, 100) == 100
    run.tune(replace(run.config, max_steps=90))
    run.advance(LONG, 1000)
    assert (run.steps, run.outcome) == (181, "done"), "a limit already passed ends it with the next step"


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_run_that_diverges_fails_with_a_sentence_and_can_be_drawn_at_every_step(
    optimizer: str, activation: str
) -> None:
    run = build(
        RegressionConfig(lr=10.0, max_steps=0, optimizer=optimizer, activation=activation, test_share=1.0, layers=2)
    )
    with np.errstate(over="ignore", invalid="ignore"):
        while not run.outcome:
            assert run.steps < 500
            run.advance(LONG, 1)
            assert_drawable(run)
    assert run.outcome == "failed"
    assert draw(run).note.startswith(f"Diverged at step {run.steps}:")


def test_epochs_are_counted_and_step_by_epoch_finishes_the_one_begun() -> None:
    run = build(replace(SHUFFLED, batch_size=32, max_steps=0))  # 100 points: 4 steps
    assert [run.steps_in_epochs(count) for count in (1, 2)] == [4, 8]
    run.advance(LONG, 6)
    assert draw(run).status["epoch"] == 1
    run.advance(LONG, run.steps_in_epochs(2))
    assert (run.steps, draw(run).status["epoch"]) == (12, 3)


# The time machine.


def watched(config: RegressionConfig, steps: int, change_at: int, changes: dict[str, Any]) -> tuple[RegressionRun, Any]:
    """A run after `steps` steps, with knobs changed at one of them, and the status shown at each step."""
    run = build(config)
    shown = {0: draw(run).status}
    for step in range(1, steps + 1):
        if step == change_at:
            run.tune(replace(run.config, **changes))
        run.advance(LONG, 1)
        shown[step] = draw(run).status
    return run, shown


@pytest.mark.parametrize("changes", [{"lr": 0.1}, {"activation": "tanh"}, {"batch_size": 20}, {"loss": "l1"}], ids=str)
def test_scrubbing_shows_what_was_shown_then(changes: dict[str, Any]) -> None:
    run, shown = watched(RegressionConfig(), 40, 20, changes)
    before = weights(run)
    assert len(run.snapshots.kept) == 41
    for index in (*range(41), 3):
        run.apply(read_command({"do": "scrub", "to": index}))
        drawing = draw(run, options=True)
        step = run.snapshots.kept[index].steps
        assert drawing.status == shown[step]
        expected = {"count": 41, "at": index, "step": step, "now": 40, "end": 100, "branch": True}
        assert drawing.time == expected, "and the run can continue from each of these steps"
    run.apply(read_command({"do": "scrub", "to": None}))
    assert draw(run).status == shown[40] and draw(run).time["at"] is None and "branch" not in draw(run).time
    assert torch.equal(weights(run), before), "looking back changes nothing"


@pytest.mark.parametrize(
    ("to", "message"),
    [*((to, "0 to 20") for to in (-1, 21, 10**9)), *((to, "whole number") for to in (1.5, "3", True, [1]))],
    ids=str,
)
def test_scrubbing_out_of_range_is_refused_with_a_sentence_and_the_view_stays(to: Any, message: str) -> None:
    run = trained(RegressionConfig(), 20)
    run.apply(read_command({"do": "scrub", "to": 5}))
    with pytest.raises(ValueError, match=message) as caught:
        run.apply(read_command({"do": "scrub", "to": to}))
    assert is_sentence(str(caught.value)) and draw(run).status["step"] == 5


def test_looking_back_at_a_diverged_run_says_so() -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        run = trained(RegressionConfig(lr=10.0, max_steps=0), 500)
        run.apply(read_command({"do": "scrub", "to": 2}))
        assert run.outcome == "failed" and draw(run).note.startswith("You are looking back at step 2.")


def test_snapshots_and_history_stay_bounded_however_long_the_run() -> None:
    run = trained(RegressionConfig(hidden=2, max_steps=0), 1500)
    steps = [snapshot.steps for snapshot in run.snapshots.kept]
    assert MAX_SNAPSHOTS // 4 < len(steps) <= MAX_SNAPSHOTS
    assert steps[0] == 0 and len(set(np.diff(steps))) == 1, "evenly spread from the start"
    assert run.history.rows <= run.history.capacity
    for index in (0, len(steps) // 2, len(steps) - 1):
        run.apply(read_command({"do": "scrub", "to": index}))
        assert draw(run).status["step"] == steps[index]


def test_snapshots_thin_for_many_steps_and_keep_to_the_memory_given() -> None:
    snapshots, none = Snapshots(16), torch.empty(0)
    for step in range(200_000):
        if snapshots.is_due(step):
            snapshots.append(Snapshot(step, 0, none, None))
            assert len(snapshots.kept) <= 16
    assert len(snapshots.kept) >= 8 and snapshots.kept[-1].steps > 180_000
    wide = RegressionConfig(layers=4, hidden=64, hidden_2=64, hidden_3=64, hidden_4=64)
    run = build(wide, Settings(max_run_mb=1))
    run.advance(LONG, 60)
    assert 2 <= len(run.snapshots.kept) <= 1_000_000 / (4 * draw(run).status["parameters"])


# The student's own points.


def test_points_are_added_removed_and_brought_back() -> None:
    run = trained(RegressionConfig(), 20)
    before, original = weights(run), run.data
    run.apply(read_command({"do": "add", "x": 0.5, "y": 2.0}))
    assert [0.5, 2.0] in torch.cat([run.data.x_train, run.data.y_train], dim=1).tolist()
    assert run.data.points == original.points + 1
    assert len(run.trainer.batches.next()[0]) == 101, "it learns from the new point too"
    run.apply(read_command({"do": "remove", "x": 0.5, "y": 2.0}))
    assert torch.equal(run.data.x_train, original.x_train) and torch.equal(run.data.y_train, original.y_train)
    run.apply(read_command({"do": "remove", "x": -1.0, "y": float(original.y_train[0])}))
    assert len(run.data.x_train) == 99 and run.data.x_train.min() > -1
    for _ in range(3):
        run.apply(read_command({"do": "undo"}))
    assert torch.equal(run.data.y_train, original.y_train)
    assert run.steps == 20 and torch.equal(weights(run), before)
    run.advance(LONG, 3)
    assert_drawable(run)
    with pytest.raises(ValueError, match="undo") as caught:
        run.apply(read_command({"do": "undo"}))
    assert is_sentence(str(caught.value))


def test_the_point_that_was_removed_stays_the_one_missing_whatever_the_noise() -> None:
    run = build(RegressionConfig(points=40, noise=0.2))
    full, at = run.data, 17
    x, y = float(full.x_train[at]), float(full.y_train[at])
    run.apply(read_command({"do": "add", "x": 0.05, "y": 0.4}))
    run.apply(read_command({"do": "remove", "x": x, "y": y}))
    for changed in ({"noise": 1.0}, {"noise": 0.0}, {"target": "sine"}):
        run.tune(run.config.with_values(**changed))
        expected = build(run.config).data.x_train
        assert torch.equal(run.data.x_train[:-1], expected[torch.arange(40) != at])
        assert run.data.x_train[-1] == torch.tensor([0.05])
    again = run.rebuilt(run.config.with_values(points=10))
    assert len(again.data.x_train) == 11, "there is no point 17; the added one stays"
    run.apply(read_command({"do": "remove", "x": 0.05, "y": 0.4}))
    assert len(run.data.x_train) == 39, "an added point can be removed as well"
    rows = tuple((float(row), float(row % 3)) for row in range(12))
    run.use_rows(rows)
    missing = float(run.data.x_train[4])
    run.apply(read_command({"do": "remove", "x": missing, "y": float(run.data.y_train[4])}))
    assert missing not in run.data.x_train and len(run.edits.clicks) == 1


def test_own_points_outlive_a_reset_and_a_changed_knob() -> None:
    run = trained(RegressionConfig(), 5)
    run.apply(read_command({"do": "add", "x": 0.25, "y": 5.0}))
    rebuilt = run.rebuilt(replace(run.config, hidden=3))
    rebuilt.tune(replace(rebuilt.config, noise=0.9))
    assert rebuilt.steps == 0
    assert [0.25, 5.0] in torch.cat([rebuilt.data.x_train, rebuilt.data.y_train], dim=1).tolist()


NONSENSE: list[Any] = [None, "0.5", True, [], math.nan, math.inf, 1e7, 10**400]


@pytest.mark.parametrize("value", NONSENSE, ids=[f"{value!r:.10}" for value in NONSENSE])
@pytest.mark.parametrize("do", ["add", "remove"])
def test_a_point_that_makes_no_sense_is_refused_with_a_sentence(do: str, value: Any) -> None:
    run = build(RegressionConfig())
    before = run.data
    for point in ({"x": value, "y": 0.0}, {"x": 0.0, "y": value}, {}):
        with pytest.raises(ValueError, match="numbers from") as caught:
            run.apply(read_command({"do": do, **point}))
        assert is_sentence(str(caught.value))
    assert run.data is before and not run.marks


def test_points_over_the_limit_are_refused_with_a_sentence() -> None:
    run = build(RegressionConfig(points=10, test_share=0.2), Settings(max_points=13))
    run.apply(read_command({"do": "add", "x": 0.0, "y": 0.0}))
    with pytest.raises(ValueError, match="13") as caught:
        run.apply(read_command({"do": "add", "x": 0.0, "y": 0.0}))
    assert is_sentence(str(caught.value)) and run.data.points == 13


def test_the_last_two_points_cannot_be_removed() -> None:
    run = build(RegressionConfig(points=4))
    for _ in range(2):
        run.apply(read_command({"do": "remove", "x": 0.0, "y": 0.0}))
    with pytest.raises(ValueError, match="two training points") as caught:
        run.apply(read_command({"do": "remove", "x": 0.0, "y": 0.0}))
    assert is_sentence(str(caught.value)) and len(run.data.x_train) == 2
    run.advance(LONG, 3)
    assert_drawable(run)


def test_a_command_nobody_knows_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="does not know") as caught:
        build(RegressionConfig()).apply(read_command({"do": "dance"}))
    assert is_sentence(str(caught.value))


def test_a_table_of_one_s_own_is_trained_on_and_kept_until_it_is_put_away() -> None:
    run, rows = trained(RegressionConfig(), 5), tuple((index / 10, index / 5) for index in range(12))
    original, before = run.data, weights(run)
    run.use_rows(rows)
    assert torch.equal(weights(run), before)

    def pairs(of: RegressionRun) -> list[list[float]]:
        data = of.data
        return torch.cat(
            [torch.cat([data.x_train, data.y_train], 1), torch.cat([data.x_test, data.y_test], 1)]
        ).tolist()

    assert sorted(pairs(run)) == torch.tensor(rows).tolist()
    assert (len(run.data.x_train), len(run.data.x_test)) == (10, 2)
    rebuilt = run.rebuilt(replace(run.config, hidden=4))
    assert pairs(rebuilt) == pairs(run)
    rebuilt.advance(LONG, 3)
    assert_drawable(rebuilt)
    rebuilt.use_rows(None)
    assert torch.equal(rebuilt.data.y_train, original.y_train)


ODD_TABLES: dict[str, tuple[tuple[float, float], ...]] = {
    "one place": ((0.0, 0.0), (0.0, 0.0)),
    "flat": ((1.0, 5.0), (2.0, 5.0), (3.0, 5.0)),
    "huge": ((-1e6, 1e6), (1e6, -1e6)),
    "narrow": ((1e-9, 0.0), (0.0, 1.0)),
}


@pytest.mark.parametrize("rows", ODD_TABLES.values(), ids=ODD_TABLES)
@pytest.mark.parametrize("test_share", [0.0, 1.0])
def test_odd_tables_train_and_draw(rows: tuple[tuple[float, float], ...], test_share: float) -> None:
    run = build(RegressionConfig(test_share=test_share, max_steps=0))
    run.use_rows(rows)
    assert_drawable(run)
    with np.errstate(over="ignore", invalid="ignore"):
        run.advance(LONG, 20)
        assert_drawable(run)


# Limits.


def test_a_model_with_too_many_parameters_is_refused_with_its_size_and_the_limit() -> None:
    with pytest.raises(ValueError, match=r"31 parameters; at most 30 ") as caught:
        build(RegressionConfig(), Settings(max_parameters=30))
    assert is_sentence(str(caught.value))
    assert build(RegressionConfig(), Settings(max_parameters=31)).steps == 0


def test_a_run_with_a_step_limit_is_paced_to_be_watched_and_one_without_goes_at_full_speed() -> None:
    assert build(RegressionConfig(max_steps=0)).auto_speed == 0.0
    assert 10 <= build(RegressionConfig(max_steps=100)).auto_speed <= 100
    assert build(RegressionConfig(max_steps=100_000)).auto_speed > 1000


def test_removed_points_do_not_end_a_run_with_fewer_points() -> None:
    run = build(RegressionConfig(points=12, max_steps=0))
    for _ in range(10):
        run.apply(read_command({"do": "remove", "x": 0.0, "y": 0.0}))
    with pytest.raises(ValueError, match="two training points"):
        run.apply(read_command({"do": "remove", "x": 0.0, "y": 0.0}))
    fewer = run.rebuilt(run.config.with_values(points=8))
    assert len(fewer.data.x_train) == 2


def test_more_points_than_the_server_allows_are_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"1,200 points.*at most 500"):
        build(RegressionConfig(points=1000), Settings(max_points=500))


def test_a_lucky_batch_does_not_reach_the_target_loss() -> None:
    run = build(RegressionConfig(batch_size=1, lr=0.01, max_steps=0, target_loss=0.05))
    run.advance(60.0, 20_000)
    assert run.outcome == "done"
    assert run.measure()["train"] <= 0.05


def test_looking_back_by_step_shows_the_last_snapshot_up_to_it() -> None:
    run = trained(RegressionConfig(max_steps=0), 300)
    kept = [snapshot.steps for snapshot in run.snapshots.kept]
    assert kept[1] - kept[0] > 1, "not every step is kept"
    for step in (0, kept[5], kept[5] + 1, 10**9):
        run.apply(read_command({"do": "scrub", "step": step}))
        assert draw(run).time["step"] == max(each for each in kept if each <= step)
        assert draw(run).time["now"] == 300 and draw(run).time["end"] is None


def test_the_network_shows_the_points_and_each_units_curve_and_sends_their_places_once() -> None:
    run = trained(RegressionConfig(hidden=4, activation="tanh"), 5)
    before = run.draw(["network"], {}).charts["network"]
    meta = before["layout"]["meta"]["network"]
    assert meta["data"].keys() == TARGETS.keys()
    assert len(meta["points"]["x"]) == len(meta["points"]["y"]) == 100
    alive, dead = before["data"][-3:-1]
    assert np.isnan(alive["x"]).sum() == 5, "the input and four units"
    assert len(dead["x"]) == 0
    run.step()
    after = run.draw(["network"], {}).charts["network"]
    assert not any(path[0] == "layout" for path, _ in changes(before, after))


def test_errors_are_predictions_minus_y_of_all_points() -> None:
    run = trained(RegressionConfig(), 5)
    train, test = run.draw(["errors"], {}).charts["errors"]["data"]
    with torch.no_grad():
        assert np.allclose(train["y"], (run.model(run.data.x_train) - run.data.y_train)[:, 0], atol=1e-6)
        assert np.allclose(test["y"], (run.model(run.data.x_test) - run.data.y_test)[:, 0], atol=1e-6)
    assert np.array_equal(test["x"], run.data.x_test[:, 0])


def test_after_a_divergence_of_large_inputs_the_remedy_is_what_the_narrator_advises() -> None:
    for settings, remedy in (({"scale": 100}, "normalise"), ({"lr": 10.0}, None)):
        run = build(RegressionConfig().with_values(max_steps=0, **settings))
        while not run.outcome:
            run.step()
        drawing = run.draw([], {})
        assert drawing.time.get("remedy") == remedy and ("Normalise x" in drawing.note) == (remedy is not None)
