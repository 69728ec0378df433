"""What the lesson says of a training on digits: the cause first, since the last change, with advice to follow."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from playground.lessons.cnn import narrator
from playground.lessons.cnn.config import CnnConfig
from playground.lessons.cnn.lesson import build
from playground.lessons.cnn.run import CnnRun
from playground.mnist import small_digits
from tests.recorded.record import small_digits as on_small_digits

SMALL: dict[str, Any] = {"filters_1": 4, "filters_2": 6, "epochs": 0}
assert small_digits.TRAIN > 1000


@pytest.fixture(autouse=True)
def _small_digits() -> Any:
    with on_small_digits():
        yield


def trained(steps: int, **knobs: Any) -> CnnRun:
    run = build(CnnConfig(**SMALL | knobs))
    go_on(run, steps)
    return run


def go_on(run: CnnRun, steps: int) -> None:
    until = run.steps + steps
    while run.steps < until and not run.outcome:
        run.advance(60.0, until - run.steps)


def said(run: CnnRun) -> str:
    return run.draw([], {}).note


def test_steps_that_are_too_long_end_with_blank_maps_and_a_lower_rate() -> None:
    note = said(trained(120, lr=1.0))
    assert note.startswith("All ") and "are blank: dead units" in note
    assert note.endswith("Lower the learning rate, then press Reset.")


def test_steps_that_are_too_short_need_a_higher_rate() -> None:
    note = said(trained(120, lr=0.0001, optimizer="sgd"))
    assert note.startswith("The loss stays at 2.3") and note.endswith("2.303. Try a higher learning rate.")


DEEP: dict[str, Any] = {"layers": 3, "filters_3": 6, "optimizer": "sgd"}


@pytest.mark.parametrize("knobs", [{"lr": 0.01}, {"lr": 0.1}, {"lr": 0.01, "kernel": 3}, {"lr": 0.01, "filters_1": 8}])
def test_three_layers_of_sigmoids_lose_the_gradient_on_its_way_back(knobs: dict[str, Any]) -> None:
    note = said(trained(70, **DEEP, activation="sigmoid", **knobs))
    assert note.startswith("The gradient dies on its way back: in layer 1 it is ")
    assert note.endswith("Choose ReLU or batch norm, or take layers away.")


@pytest.mark.parametrize("knobs", [{"activation": "tanh", "lr": 0.0003}, {"activation": "relu", "lr": 0.0003}])
def test_a_gradient_that_arrives_is_not_blamed_for_a_low_rate(knobs: dict[str, Any]) -> None:
    assert said(trained(70, **DEEP, **knobs)).startswith("The loss stays at 2.")


def test_units_that_steps_too_long_have_saturated_are_not_blamed_on_the_depth() -> None:
    note = said(trained(70, activation="sigmoid", lr=0.1))
    assert note.startswith("The loss stays at 2.3") and note.endswith("Lower the learning rate, then press Reset.")


def test_batch_norm_of_one_image_is_not_blamed_since_it_learns() -> None:
    run = trained(60, batch_norm=True, batch_size=1)
    notes = []
    for _ in range(6):
        go_on(run, 20)
        notes.append(said(run))
    assert not [note for note in notes if "atch norm" in note]


def test_a_change_that_makes_it_worse_is_named_and_an_earlier_loss_is_not_blamed() -> None:
    run = trained(150, lr=0.01)
    assert said(run).startswith("It reads this ")
    run.tune(run.config.with_values(lr=1.0))
    assert said(run) == "Since you set “Learning rate” to 1 at step 150: no step yet. Press Play to see what it does."
    go_on(run, 120)
    assert said(run).startswith("Since you set “Learning rate” to 1 at step 150: ")
    assert said(run).endswith("then press Reset.") or said(run).endswith("undo this change.")


def test_another_image_or_limit_is_no_change_of_the_training() -> None:
    run = trained(80, lr=0.01)
    run.tune(run.config.with_values(image=5, epochs=7))
    assert "Since" not in said(run)


def test_few_images_learned_by_heart_are_told_from_a_good_model() -> None:
    few = trained(10_000, images=50, batch_size=10, epochs=20, lr=0.01)
    go_on(few, 1)
    assert few.outcome == "done"
    assert said(few).endswith("all test images. Use more images, or shift and rotate them.")
    assert said(few).startswith("Learned by heart: 100 % of the last training images are right")


def test_a_failed_run_gets_advice_that_it_can_take() -> None:
    for rate, advice in ((0.1, "Lower the learning rate"), (0.0001, "Press Reset and change another setting")):
        run = trained(10, lr=rate)
        with torch.no_grad():
            next(iter(run.model.parameters())).fill_(float("nan"))
        go_on(run, 1)
        assert (
            run.outcome == "failed"
            and said(run).startswith("The loss is no longer finite (NaN)")
            and advice in said(run)
        )


def test_the_noise_of_single_images_is_no_plateau_and_no_rise(monkeypatch: pytest.MonkeyPatch) -> None:
    def judged(images: int) -> set[str]:
        monkeypatch.setattr(narrator, "MIN_IMAGES", images)
        run, notes = trained(200, batch_size=1, lr=0.0003), set()
        run.tune(run.config.with_values(shift=0.5))
        for _ in range(20):
            go_on(run, 10)
            notes |= {word for word in ("guessing", " rose ") if word in said(run)}
        return notes

    assert judged(narrator.MIN_IMAGES) == set() != judged(1)


def test_a_loss_that_mixes_batches_from_before_and_after_a_change_is_not_judged() -> None:
    run = trained(300, lr=0.01)
    run.tune(run.config.with_values(lr=0.003))
    go_on(run, 1)
    assert run.history.stride > 1
    go_on(run, run.history.stride)
    situation = narrator.CnnSituation(run.frame_context(), run.period, run.outcome, False)
    since = run.history.steps()[run.history.steps() > 300]
    assert len(situation.losses()) == len(since[since >= 300 + run.history.stride])
