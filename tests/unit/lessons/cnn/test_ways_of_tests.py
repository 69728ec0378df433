"""Tests in train mode and on sorted images, and training on sorted images: what they change and what they do not."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from playground.lessons.cnn.config import CnnConfig
from playground.lessons.cnn.evaluation import Evaluation, WayOfTests
from playground.lessons.cnn.lesson import build
from playground.lessons.cnn.run import CnnRun
from tests.recorded.record import small_digits

SMALL = {"filters_1": 3, "filters_2": 4, "kernel": 3, "batch_size": 20, "images": 200, "lr": 0.01, "epochs": 0}


@pytest.fixture(autouse=True)
def _digits() -> Any:
    with small_digits():
        yield


def make(**values: Any) -> CnnRun:
    return build(CnnConfig(**(SMALL | values)))


def result(run: CnnRun) -> Evaluation:
    run.tester.begin(run.model, run.steps, full=True)
    while run.tester.pending is not None:
        run.tester.advance()
    assert run.tester.latest is not None
    return run.tester.latest


def turn(run: CnnRun, **values: Any) -> None:
    run.tune(run.config.with_values(**values))


def test_in_evaluation_the_order_of_the_test_images_cannot_matter_and_in_train_mode_it_does() -> None:
    run = make(batch_norm=True)
    run.advance(1e9, 30)
    mixed = result(run)
    turn(run, test_order="sorted")
    ordered = result(run)
    assert (ordered.labels[1:] >= ordered.labels[:-1]).all()
    by_index = ordered.predicted[ordered.indices.argsort()]
    assert (by_index == mixed.predicted).mean() > 0.999
    turn(run, test_mode="train")
    assert (result(run).predicted != ordered.predicted).mean() > 0.02


def test_dropout_in_tests_costs_accuracy() -> None:
    run = make(dropout=0.8, images=1_000, activation="tanh")
    run.advance(1e9, 150)
    calm = result(run)
    turn(run, test_mode="train")
    assert result(run).loss > 1.2 * calm.loss and result(run).accuracy < calm.accuracy


def test_a_test_in_train_mode_changes_nothing_in_the_training() -> None:
    runs = [make(batch_norm=True, dropout=0.5, test_mode=mode) for mode in ("eval", "train")]
    for run in runs:
        run.advance(1e9, 9)
        result(run)
        run.advance(1e9, 9)
    assert all(map(torch.equal, runs[0].model.parameters(), runs[1].model.parameters()))
    states = [run.dropout.generator.get_state() for run in runs]
    assert torch.equal(*states)


def test_a_finished_run_is_tested_again_in_the_new_way() -> None:
    run = make(dropout=0.8, images=200, epochs=1)
    while not run.outcome:
        run.advance(1e9, 100)
    first = run.tester.full_tests[-1]
    turn(run, test_mode="train")
    assert run.outcome == "" and run.tester.is_testing_all(run.steps)
    while not run.outcome:
        run.advance(1e9, 100)
    again = run.tester.full_tests[-1]
    assert "train mode" in run.draw([], {}).note
    assert (again.step, len(run.tester.full_tests)) == (first.step, 1) and again.loss != first.loss


def test_sorted_training_images_come_digit_by_digit() -> None:
    run = make(train_order="sorted")
    labels = torch.cat([run.trainer.batches.next()[1] for _ in range(10)])
    assert torch.equal(labels, run.digits.y_train[:200].sort().values)
    assert WayOfTests() == run.tester.way


def test_the_narrator_blames_the_order_and_not_the_memory() -> None:
    run = make(train_order="sorted", epochs=1)
    while not run.outcome:
        run.advance(1e9, 100)
    assert "sorted by digit" in run.draw([], {}).note
