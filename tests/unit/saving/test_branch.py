"""Branches: the same numbers where nothing was turned, the weights of the moment, and a first run left alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from playground.engine.commands import read_command
from playground.lessons.classification import lesson as classification
from playground.lessons.optimizers import lesson as optimizers
from playground.lessons.regression import lesson as regression
from playground.saving.branch import branched

CASES = {
    "regression": (regression, {}),
    "regression, Adam in batches": (regression, {"optimizer": "adam", "batch_size": 20}),
    "classification": (classification, {}),
    "classification, momentum": (classification, {"momentum": 0.9, "dropout": 0.2}),
    "race": (optimizers, {}),
}
each = pytest.mark.parametrize(("lesson", "values"), CASES.values(), ids=list(CASES))


def trained(lesson: Any, values: dict[str, Any], steps: int = 23) -> Any:
    run = lesson.build(lesson.LESSON.config(**values))
    train(run, steps)
    return run


def train(run: Any, steps: int) -> None:
    goal = run.steps + steps
    while run.steps < goal:
        assert run.advance(10.0, goal - run.steps) > 0


def weights(run: Any) -> torch.Tensor:
    return torch.cat([parameter.detach().reshape(-1) for parameter in run.model.parameters()])


@each
def test_a_branch_with_nothing_turned_goes_on_bit_for_bit_alike(lesson: Any, values: dict[str, Any]) -> None:
    first = trained(lesson, values)
    second = branched(first, first.config)
    assert second is not first and second.steps == 23
    assert torch.equal(weights(first), weights(second))
    train(first, 17)
    train(second, 17)
    assert torch.equal(weights(first), weights(second))
    assert first.history.steps().tolist() == second.history.steps().tolist()


@each
def test_a_branch_leaves_the_first_run_alone(lesson: Any, values: dict[str, Any]) -> None:
    first, alone = trained(lesson, values), trained(lesson, values)
    second = branched(first, first.config.with_values(lr=0.001))
    train(second, 17)
    assert torch.equal(weights(first), weights(alone))
    train(first, 17)
    train(alone, 17)
    assert torch.equal(weights(first), weights(alone))
    assert not torch.equal(weights(first), weights(second))
    assert any("0.001" in text for _, text in second.marks) and not any("0.001" in text for _, text in first.marks)


@pytest.mark.parametrize("lesson", [regression, classification])
def test_a_branch_from_an_earlier_moment_has_its_weights_and_its_past(lesson: Any) -> None:
    first = trained(lesson, {"momentum": 0.9} if lesson is classification else {}, 60)
    moment = first.snapshots.kept[20]
    first.apply(read_command({"do": "scrub", "to": 20}))
    second = branched(first, first.config)
    assert second.steps == moment.steps < 60
    assert torch.equal(weights(second), moment.parameters)
    past = first.history.steps() <= moment.steps
    for name in first.history.columns:
        assert second.history.column(name).tolist() == pytest.approx(
            first.history.column(name)[past].tolist(), nan_ok=True, abs=0
        )
    assert [each.steps for each in second.snapshots.kept] == list(range(moment.steps + 1))
    train(second, 10)
    assert second.steps == moment.steps + 10 and torch.isfinite(weights(second)).all()
    assert first.steps == 60 and first.shown_snapshot is moment


def test_plain_descent_from_an_earlier_moment_takes_the_first_runs_way_again() -> None:
    """With the full batch and no memory in the optimizer, the weights say all."""
    first = trained(regression, {}, 60)
    first.apply(read_command({"do": "scrub", "to": 20}))
    second = branched(first, first.config)
    train(second, 40)
    assert torch.allclose(weights(first), weights(second), rtol=1e-5, atol=1e-6)


def test_a_branch_has_the_students_points() -> None:
    first = regression.build(regression.LESSON.config())
    first.use_rows(tuple((0.1 * x, float(x)) for x in range(-8, 8)))
    train(first, 5)
    assert regression.LESSON.own_points is not None
    write = regression.LESSON.own_points.write
    assert write(branched(first, first.config).data) == write(first.data)


def test_a_knob_that_starts_a_run_over_cannot_branch() -> None:
    first = trained(regression, {})
    with pytest.raises(ValueError, match="“Units in layer 1” starts a run over"):
        branched(first, first.config.with_values(hidden=30))


def test_a_diverged_run_has_no_branch() -> None:
    first = trained(regression, {})
    with torch.no_grad():
        first.parameters[0].fill_(float("nan"))
    with pytest.raises(ValueError, match="diverged"):
        branched(first, first.config)
