"""Softmax before a loss that applies softmax itself: it learns, and its loss has a floor."""

from __future__ import annotations

import contextlib
import io
import math
from typing import Any

import pytest
import torch

from playground.lessons.classification.config import ClassificationConfig, SoftmaxTwice
from playground.lessons.classification.lesson import build
from playground.lessons.classification.seeds import SeedsRun
from playground.settings import Settings
from tests.written_scripts import script


@pytest.mark.parametrize("classes", [2, 5, 10])
def test_the_loss_of_a_certain_model_is_its_floor(classes: int) -> None:
    logits = 1000.0 * torch.eye(classes)
    assert SoftmaxTwice()(logits, torch.arange(classes)).item() == pytest.approx(math.log(1 + (classes - 1) / math.e))


def test_it_learns_but_stays_above_the_floor_and_its_script_does_the_same() -> None:
    run = build(ClassificationConfig(loss="softmax_twice", lr=0.1, max_steps=0))
    run.advance(1e9, 200)
    row = run.measure()
    assert row["accuracy"] > 0.98 and math.log(1 + 1 / math.e) < row["train"] < 0.35
    assert "Softmax is applied twice" in run.draw([], {}).note
    text, names = script("classification", run.run_history()), dict[str, Any](__name__="__main__")
    with torch.enable_grad(), contextlib.redirect_stdout(io.StringIO()):
        exec(compile(text, "script.py", "exec"), names)
    assert "loss_fn = SoftmaxTwice()" in text
    assert all(map(torch.equal, run.model.parameters(), names["model"].parameters()))


def test_nine_seeds_at_once_have_the_same_loss() -> None:
    run = SeedsRun(ClassificationConfig(loss="softmax_twice"), Settings())
    logits, labels = torch.randn(6, 2), torch.tensor([0, 1, 0, 1, 1, 0])
    assert torch.equal(run.loss(logits, labels), SoftmaxTwice()(logits, labels))
