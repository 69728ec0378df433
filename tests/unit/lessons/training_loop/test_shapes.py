"""The labs Shape walk and (n) against (n, 1): torch's own messages, and a sentence for each way not to fit."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from playground.lessons.training_loop import paired_shapes
from playground.lessons.training_loop.paired_shapes import PairedShapesConfig, draw_pairs
from playground.lessons.training_loop.shape_walk import NOTES, ShapeWalkConfig, draw_walk, note_of, walk

CASES: dict[str, dict[str, Any]] = {
    "fits": {"in_features": 1568},
    "in_features": {},
    "in_channels": {"in_channels": 4},
    "channel": {"channel": False},
    "window": {"size": 4, "padding": 0, "kernel": 5},
    "batch": {"flatten": "method"},
    "batch fits": {"flatten": "method", "in_features": 8 * 1568},
    "last axis": {"flatten": "left_out"},
    "last axis fits": {"flatten": "left_out", "in_features": 7},
}


def test_each_case_has_its_sentence() -> None:
    assert CASES.keys() == NOTES.keys()


@pytest.mark.parametrize("case", CASES)
def test_the_sentence_says_why_it_fits_or_not(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = ShapeWalkConfig(**CASES[case])
    sheet = draw_walk(config)
    assert len(sheet.note) <= 90 and "{" not in sheet.note
    assert sheet.answer.startswith("torch.Size(" if "fits" in case else "RuntimeError: ")
    monkeypatch.setattr("playground.lessons.training_loop.shape_walk.NOTES", {name: name for name in NOTES})
    assert note_of(walk(config), config) == case


def test_the_second_pooling_may_be_too_large_as_well() -> None:
    config = ShapeWalkConfig(size=8, pool=4)
    assert note_of(walk(config), config) == NOTES["window"]
    assert [stop.kind for stop in walk(config) if stop.shape is None] == ["pool", "module", "linear"]


def test_the_message_is_torchs_own() -> None:
    failed = next(stop for stop in walk(ShapeWalkConfig()) if stop.error)
    with pytest.raises(RuntimeError) as raised:
        nn.Linear(784, 10)(torch.zeros(8, 1568))
    assert (failed.error_name, failed.error) == ("RuntimeError", str(raised.value))


@pytest.mark.parametrize("size", [5, 28, 33, 64])
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("second", [True, False])
def test_the_number_before_linear_always_fits(size: int, kernel: int, second: bool) -> None:
    config = ShapeWalkConfig(size=size, kernel=kernel, second=second, padding=2)
    arrived = next(stop.shape for stop in walk(config) if stop.kind == "module")
    assert arrived is not None
    assert walk(config.with_values(in_features=math.prod(arrived[1:])))[-1].shape == (8, 10)


def test_no_random_number_of_torchs_generator_is_drawn() -> None:
    before = torch.get_rng_state()
    draw_walk(ShapeWalkConfig())
    draw_pairs(PairedShapesConfig())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("loss_fn", [functional.mse_loss, functional.l1_loss, functional.huber_loss])
def test_the_warning_is_torchs_own(loss_fn: Any) -> None:
    column, row = torch.zeros(3, 1), torch.zeros(3)
    with pytest.warns(UserWarning, match="different to the input size") as caught:
        loss = loss_fn(column, row)
    assert paired_shapes.warning_of(loss_fn, column, row) == f"UserWarning: {caught[0].message}"
    assert paired_shapes.warning_of(loss_fn, row, row) == ""
    assert paired_shapes.loss_of(loss_fn, column, row) == loss


@pytest.mark.parametrize(("prediction", "target", "count"), [
    ("column", "flat", 36), ("flat", "column", 36), ("flat", "flat", 6), ("column", "column", 6),
])  # fmt: skip
def test_the_differences_are_counted(prediction: str, target: str, count: int) -> None:
    sheet = draw_pairs(PairedShapesConfig(prediction=prediction, target=target))
    assert sheet.note.startswith(f"{count} differences")
    fit, equal = (float(row[5].replace("−", "-")) for row in sheet.tables[0].rows)
    assert (fit == equal > 0.9) if count == 6 else (fit == 0 < equal)
