"""What the lessons Regression and Classification say of their experiments happens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from playground.engine.commands import read_command
from playground.lessons.classification.lesson import LESSON as CLASSIFICATION
from playground.lessons.regression.lesson import LESSON as REGRESSION
from tests.claims.experiments import Claims

CURVE, CLASSES = Claims(REGRESSION), Claims(CLASSIFICATION)


def trained(lesson: Any, config: Any, steps: int) -> Any:
    run = lesson.build(config)
    with np.errstate(over="ignore", invalid="ignore"):
        while run.steps < steps and not run.outcome:
            run.step()
    return run


def curve(config: Any, steps: int) -> Any:
    return trained(REGRESSION, config, steps)


def classes(config: Any, steps: int) -> Any:
    return trained(CLASSIFICATION, config, steps)


def last(run: Any, column: str = "train") -> float:
    return float(run.history.column(column)[-1])


def at(run: Any, step: int, column: str = "train") -> float:
    return float(run.history.column(column)[list(run.history.steps()).index(step)])


# Regression.


@CURVE.of("The tutorial, exactly", in_ci=True)
def _(config: Any) -> None:
    run = curve(config, 100)
    assert (run.steps, run.outcome, config.optimizer) == (100, "done", "sgd")
    assert at(run, 0) - at(run, 10) > 0.8 * (at(run, 0) - last(run)), "the first steps change the most"


@CURVE.of("No hidden layer", in_ci=True)
def _(config: Any) -> None:
    run = curve(config, 300)
    assert run.draw([], {}).status["r2"] < 0.1
    assert at(run, 20) == pytest.approx(last(run), rel=0.1), "within a few steps"


@CURVE.of("Small steps", in_ci=True)
def _(config: Any) -> None:
    assert config.lr == 0.001
    assert last(curve(config, 3_000)) > at(curve(config.with_values(lr=0.5), 10), 10)


@CURVE.of("Too large a step", in_ci=True)
def _(config: Any) -> None:
    run = curve(config, 100)
    assert run.outcome == "failed" and run.steps <= 20


@CURVE.of("A point of your own", in_ci=True)
def _(config: Any) -> None:
    def pull(loss: str) -> float:
        runs = [curve(config.with_values(loss=loss), 300) for _ in range(2)]
        runs[1].apply(read_command({"do": "add", "x": 0.0, "y": 6.0}))
        curves = []
        for run in runs:
            while run.steps < 900:
                run.step()
            curves.append(run.draw(["fit"], {}).charts["fit"]["data"][-1]["y"])
        return float(np.abs(curves[1] - curves[0]).max())

    assert pull("mse") > 1.5 * pull("huber") > 0


@CURVE.of("The same road, with momentum", in_ci=True)
def _(config: Any) -> None:
    assert at(curve(config, 30), 30) == pytest.approx(0.02, abs=0.006)
    assert at(curve(config.with_values(optimizer="sgd"), 30), 30) == pytest.approx(0.06, abs=0.01)


@CURVE.of("Dead on arrival", in_ci=True)
def _(config: Any) -> None:
    assert config == replace(type(config)(), seed=config.seed)
    run = curve(config, 100)
    with torch.no_grad():
        assert [layer.tolist() for layer in run.predict(run.model, config).dead] == [[True] * 10]


@CURVE.of("A loss that never calms down", in_ci=True)
def _(config: Any) -> None:
    run, losses = curve(config, 1_500), []
    for _ in range(100):
        run.step()
        losses.append(run.losses_now()["train"])
    assert np.mean(np.diff(losses) > 0) > 0.2, "it rises again and again"


@CURVE.of("Sine, two layers")
def _(config: Any) -> None:
    run = curve(config, 3_000)
    assert last(run) < 0.005 and (config.target, config.widths) == ("sine", (16, 16))


@CURVE.of("A wave")
def _(config: Any) -> None:
    assert last(curve(config, 3_000)) < 0.01
    assert last(curve(config.with_values(hidden=3), 3_000)) > 0.05, "it fails with few units"


@CURVE.of("Learning the noise", in_ci=True)
def _(config: Any) -> None:
    run = curve(config, 2_000)
    assert 2_300 < run.draw([], {}).status["parameters"] < 2_700 and config.points == 10
    assert last(run) < 1e-3
    tests = run.history.column("test")
    assert tests[-1] > 2.5 * np.nanmin(tests)
    more = curve(config.with_values(points=200), 2_000)
    assert last(more, "test") < 1.5 * last(more)


@CURVE.of("Stop in time", in_ci=True)
def _(config: Any) -> None:
    run = curve(config, 500)
    best = run.history.steps()[int(np.nanargmin(run.history.column("test")))]
    assert 20 <= best <= 45 and config.max_steps == 0


# Classification.


@CLASSES.of("The tutorial, exactly", in_ci=True)
def _(config: Any) -> None:
    run = classes(config, 100)
    assert at(run, 40, "accuracy") > 0.97 and run.steps == 100


@CLASSES.of("A circle with straight cuts", in_ci=True)
def _(config: Any) -> None:
    assert last(classes(config, 3_000), "accuracy") > 0.97 and config.widths == (4,)
    assert last(classes(config.with_values(units_1=2), 3_000), "accuracy") < 0.93


@CLASSES.of("A circle without a hidden layer", in_ci=True)
def _(config: Any) -> None:
    assert config.widths == () and config.input_names == ["x1^2", "x2^2"]
    assert last(classes(config, 2_000), "accuracy") > 0.98


@CLASSES.of("Xor", in_ci=True)
def _(config: Any) -> None:
    assert last(classes(config, 2_000), "accuracy") > 0.97
    assert last(classes(config.with_values(layers=0), 2_000), "accuracy") < 0.75
    assert last(classes(config.with_values(layers=0, inputs="x1,x2,x1x2"), 2_000), "accuracy") > 0.95


@CLASSES.of("Your own table", in_ci=True)
def _(config: Any) -> None:
    run = classes(config, 50)
    before = run.model[0].weight.detach().clone()
    run.use_rows(tuple((float(label), 1.0, float(label)) for label in range(5) for _ in range(2)))
    assert run.config.outputs == 5
    assert torch.equal(run.model[0].weight, before), "the hidden layer is kept"


@CLASSES.of("Surgery")
def _(config: Any) -> None:
    run = classes(config, 4_000)
    assert last(run, "accuracy") == pytest.approx(0.92, abs=0.02)
    before = run.model[0].weight.detach().clone()
    run.tune(run.config.with_values(units_1=3))
    assert torch.equal(run.model[0].weight[:2], before), "the others keep what they have learned"


@CLASSES.of("A challenge", in_ci=True)
def _(config: Any) -> None:
    assert classes(config, 0).draw([], {}).status["parameters"] > config.most_parameters
    fine = classes(config.with_values(layers=0, inputs="x1^2,x2^2"), 3_000)
    assert fine.challenge.met_at is not None, "it can be met"


@CLASSES.of("The spiral")
def _(config: Any) -> None:
    assert last(classes(config, 4_000), "accuracy") > 0.95


@CLASSES.of("Five arms")
def _(config: Any) -> None:
    run = classes(config, 4_000)
    assert run.config.outputs == 5 and 0.5 < last(run, "test_accuracy") < 0.97, "some arms are taken for each other"


@CLASSES.of("Two units, bent", "One point, unit by unit", in_ci=True)
def _(config: Any) -> None:
    assert last(classes(config, 2_000), "accuracy") > 0.8


@CLASSES.of("Which points is it unsure about?", in_ci=True)
def _(config: Any) -> None:
    run = classes(config, 2_000)
    assert 0.8 < last(run, "test_accuracy") < 1, "noise puts points on the wrong side"


@CLASSES.of("Noise", "Too sure of itself", in_ci=True)
def _(config: Any) -> None:
    run = classes(config, 2_000)
    tests = run.history.column("test")
    assert last(run, "accuracy") > 0.99 and tests[-1] > 1.5 * np.nanmin(tests)
    assert last(run, "test_accuracy") < 0.95
    more = classes(config.with_values(points=500), 2_000)
    gaps = [last(each, "test") - last(each) for each in (run, more)]
    assert gaps[1] < 0.25 * gaps[0], "with more points it is far less sure of what it has not seen"


@CLASSES.of("Weights by hand", in_ci=True)
def _(config: Any) -> None:
    run = classes(config, 0)
    for unit, sign in ((0, 3.0), (1, -3.0)):
        for source, value in ((0, sign), (1, sign), (None, -6.0)):
            run.apply(read_command({"do": "set", "layer": 0, "unit": unit, "input": source, "value": value}))
    hidden = run.model[1](run.model[0](torch.tensor([[4.0, 4.0], [-4.0, -4.0], [4.0, -4.0], [-4.0, 4.0]])))
    assert hidden[:, 0].sign().tolist() == [1, -1, -1, -1] and hidden[:, 1].sign().tolist() == [-1, 1, -1, -1]


@pytest.mark.parametrize("title", CURVE.cases)
def test_what_is_said_of_an_experiment_of_regression_happens(title: str) -> None:
    CURVE.holds(title)


@pytest.mark.parametrize("title", CLASSES.cases)
def test_what_is_said_of_an_experiment_of_classification_happens(title: str) -> None:
    CLASSES.holds(title)


@pytest.mark.in_ci
def test_nothing_is_claimed_without_a_check() -> None:
    assert CURVE.missing() == CLASSES.missing() == set()
