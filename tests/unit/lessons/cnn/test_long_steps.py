from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from torch import nn

from playground.engine import lockstep
from playground.lessons.cnn import long_steps
from playground.lessons.cnn.config import CnnConfig
from playground.lessons.cnn.lesson import LESSON
from playground.lessons.cnn.long_steps import multiplications
from playground.lessons.cnn.run import CnnRun
from playground.runs.checksums import checksum
from playground.settings import Settings

LARGEST = {"layers": 3, "filters_1": 32, "filters_2": 32, "filters_3": 32, "kernel": 7, "batch_size": 1000}
SMALL = {"filters_1": 3, "filters_2": 4, "batch_size": 20, "images": 200, "epochs": 0}
PARTS = 21  # of a step of the small model: the batch, seven modules forward, the loss, seven back, and to spare


def make(threads: int = 1, **values: Any) -> CnnRun:
    run = LESSON.build(CnnConfig(**(SMALL | values)), settings=Settings(torch_threads=1))
    assert isinstance(run, CnnRun)
    run.use_threads(threads)
    return run


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prepare every step in parts."""
    monkeypatch.setattr(long_steps, "LONG_STEP", 0)


def train(run: CnnRun, steps: int) -> int:
    """Take steps, a part in each slice; returns the number of slices."""
    slices, until = 0, run.steps + steps
    while run.steps < until and not run.outcome:
        run.advance(0.0, 1)
        slices += 1
    return slices


def record_of(run: CnnRun) -> dict[str, Any]:
    """All that a step changes."""
    parts = run.state_dict()
    return {
        "weights": checksum(run.model.state_dict()),
        "gradients": [None if each.grad is None else (each.grad.tolist(), each.grad.stride())
                      for each in run.parameters],
        "batches": {name: str(value) for name, value in parts["batches"].items()},
        "optimizer": str(parts["optimizer"]),
        "dropout": parts["own"]["dropout"].tolist(),
        "tally": parts["own"]["tally"],
        "history": {name: run.history.column(name).tolist() for name in run.history.columns},
        "epochs": run.trainer.batches.epochs,
    }  # fmt: skip


WAYS = [
    {},
    {"batch_norm": True, "activation": "gelu", "pooling": "average", "dropout": 0.5, "optimizer": "adam"},
    {"layers": 3, "shift": 2.0, "turn": 20.0, "optimizer": "momentum", "activation": "identity"},
    {"precision": "bfloat16", "batch_norm": True, "dropout": 0.2, "optimizer": "rmsprop"},
    {"layers": 1, "kernel": 7, "batch_size": 500, "epochs": 20, "schedule": "one_cycle"},
]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("values", WAYS)
def test_a_step_in_parts_has_the_same_numbers_as_in_one_go(
    values: dict[str, Any], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make(threads, **values)
    assert train(whole, 12) == 12
    monkeypatch.setattr(long_steps, "LONG_STEP", 0)
    parts = make(threads, **values)
    assert train(parts, 12) > 100
    assert str(record_of(parts)) == str(record_of(whole))


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("values", WAYS)
def test_nothing_changes_before_a_prepared_step_is_taken(values: dict[str, Any]) -> None:
    run = make(**values)
    train(run, 3)
    before, charts = record_of(run), ["loss", "maps", "answer"]
    drawn = str(run.draw(charts, {}).status)
    for part in range(200):
        if run.prepare():
            break
        assert (str(record_of(run)), str(run.draw(charts, {}).status)) == (str(before), drawn), part
    assert run.steps == 3
    assert run.advance(0.0, 1) == 1


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize(
    "values", [{"dropout": 0.4}, {"batch_size": 50}, {"images": 500}, {"precision": "bfloat16"}, {"shift": 3.0}]
)
def test_a_change_while_a_step_is_prepared_holds_from_that_step_on(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make(batch_norm=True)
    train(run, 2)
    for _ in range(PARTS):
        run.prepare()
    run.tune(run.config.with_values(**values))
    train(run, 3)
    monkeypatch.setattr(long_steps, "LONG_STEP", 1e30)
    whole = make(batch_norm=True)
    train(whole, 2)
    whole.tune(whole.config.with_values(**values))
    train(whole, 3)
    assert str(record_of(run)) == str(record_of(whole))


@pytest.mark.usefixtures("in_parts")
def test_weights_that_are_loaded_and_a_number_of_threads_hold_from_the_coming_step_on() -> None:
    run, other = make(), make()
    for each in (run, other):
        train(each, 2)
    for _ in range(4):
        run.prepare()
    weights = {name: torch.full_like(value, 0.01) for name, value in run.model.state_dict().items()}
    for each in (run, other):
        each.use_weights(weights)
        each.use_threads(2)
        train(each, 2)
    assert str(record_of(run)) == str(record_of(other))


@pytest.mark.usefixtures("in_parts")
def test_another_image_does_not_begin_the_step_again() -> None:
    run = make()
    for _ in range(4):
        run.prepare()
    prepared = run.trainer.prepared
    run.tune(run.config.with_values(image=7))
    assert run.trainer.prepared is prepared is not None


@pytest.mark.usefixtures("in_parts")
def test_the_last_step_ends_the_run_only_once_it_is_taken() -> None:
    run = make(epochs=1, batch_size=200)
    for _ in range(5):
        run.advance(0.0, 1)
        assert (run.steps, run.trainer.batches.epochs) == (0, 0)
    run.advance(1e9, 10)
    assert (run.steps, run.outcome) == (1, "done")


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("batch_size", [20, 100])
def test_two_compared_runs_have_made_the_same_steps_after_every_slice(batch_size: int) -> None:
    first, second = make(), make(batch_size=batch_size, layers=3)
    follower = MagicMock(state="playing")
    slices, taken = 0, 0
    while first.steps < 4:
        taken += lockstep.advance(first, second, follower, 0.0, 10)
        slices += 1
        assert (first.steps, second.steps) == (taken, taken)
    assert slices > 4 * 10, "neither takes a step in one go"
    follower.fail.assert_not_called()


def test_only_large_models_and_batches_are_prepared_in_parts() -> None:
    assert make(batch_size=50, filters_1=16, filters_2=32).prepare()
    assert not make(**LARGEST | {"images": 1000}).prepare()


def test_no_part_of_the_largest_step_is_a_large_share_of_it() -> None:
    run = make(**LARGEST)
    count, side = [], 28
    for module in run.model:
        if isinstance(module, nn.Conv2d):
            count.append(side * side * module.weight.numel())
            side //= 2
    assert sum(count) == pytest.approx(multiplications(run.model), rel=0.01)
    assert np.argmax(count) == 1
    assert 2 * max(count) < 0.5 * 3 * sum(count), "forward once, backward twice: a module's backward pass is a part"
