"""The scale of x and its normalisation: the model gets other inputs, and everything else follows."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest
import torch

from playground.engine.commands import AddPoint, RemovePoint
from playground.lessons.regression.config import RegressionConfig
from playground.lessons.regression.lesson import build
from playground.lessons.regression.run import RegressionRun
from tests.written_scripts import script


def make(**values: Any) -> RegressionRun:
    return build(RegressionConfig(**values))


def test_the_scale_multiplies_x_alone_and_normalised_x_is_the_same_for_all_scales() -> None:
    plain, large = make(), make(scale=100)
    assert torch.equal(large.data.x_train, 100 * plain.data.x_train)
    assert torch.equal(large.data.y_train, plain.data.y_train)
    normal = [make(scale=scale, normalise=True).data for scale in (1, 100)]
    torch.testing.assert_close(normal[0].x_train, normal[1].x_train)
    assert normal[0].x_train.mean().abs() < 1e-6 and normal[0].x_train.std().item() == pytest.approx(1)
    assert normal[0].x_test.mean().abs() > 1e-3, "with the training points' mean, not their own"


def test_large_inputs_diverge_and_normalised_ones_do_not() -> None:
    large, normal = make(scale=100), make(scale=100, normalise=True)
    for run in (large, normal):
        run.advance(1e9, 100)
    assert large.outcome == "failed" or large.measure()["train"] > 0.05
    assert normal.measure()["train"] < 0.03


def test_the_narrator_says_what_helps() -> None:
    text = make(scale=100).draw([], {}).note
    assert "±100" in text and "Normalise" in text


@pytest.mark.parametrize("values", [{"scale": 100}, {"normalise": True}, {"scale": 10, "normalise": True}])
def test_a_point_is_added_where_it_was_clicked_and_the_script_has_the_same_points(values: dict[str, Any]) -> None:
    run = make(**values, lr=0.001)
    for clicked in (False, True):
        if clicked:
            run.apply(AddPoint(0.7, 1.5))
            added = run.data.x_train[-1].item()
            assert added == pytest.approx(0.7, abs=0.05)
        run.advance(1e9, 3)
        names: dict[str, Any] = {"__name__": "__main__"}
        with torch.enable_grad(), contextlib.redirect_stdout(io.StringIO()):
            exec(compile(script("regression", run.run_history()), "script.py", "exec"), names)
        assert torch.equal(names["x_train"], run.data.x_train)
        assert all(map(torch.equal, run.model.parameters(), names["model"].parameters()))
    run.apply(RemovePoint(0.7, 1.5))
    assert len(run.data.x_train) == 100 and run.edits.clicks[-1][1] == -1
