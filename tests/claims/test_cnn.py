"""What the lesson CNN says of its experiments and presets happens, with the real MNIST."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from playground import mnist
from playground.lessons import LESSONS
from playground.lessons.cnn.attribution import fgsm
from playground.lessons.cnn.charts import anatomy, mistakes
from playground.lessons.cnn.charts.projection import Projection, projected, sample
from playground.lessons.cnn.charts.shift_test import ShiftTest
from playground.lessons.cnn.config import CnnConfig
from playground.lessons.cnn.drawing.drawing import SLIDERS
from playground.lessons.cnn.lesson import build
from playground.lessons.cnn.model import convolutions, frozen, scaled
from playground.lessons.cnn.run import CnnRun
from tests.claims.experiments import Claims

CLAIMS = Claims(LESSONS["cnn"])
claim = CLAIMS.of


@cache
@torch.enable_grad()
def trained(config: CnnConfig) -> CnnRun:
    run = build(config)
    run.use_threads(1)
    while not run.outcome:
        run.advance(60.0, 50)
    return run


@torch.no_grad()
def status(config: CnnConfig) -> dict[str, float]:
    run = trained(config)
    return run.status(run.view())


def all_test_images(config: CnnConfig) -> float:
    return status(config)["full_accuracy"]


@claim("The tutorial, exactly", "Go back in time")
def _(config: CnnConfig) -> None:
    run = trained(config)
    steps, sample_accuracy = run.history.steps(), run.history.column("test_accuracy")
    ninety, ninety_eight = (steps[np.nan_to_num(sample_accuracy) >= share].min() for share in (0.9, 0.98))
    assert ninety < 300 < ninety_eight < 1200
    assert run.steps == 1200 and 0.976 < all_test_images(config) < 0.986
    figure = anatomy.times(run.frame_context())
    assert len(figure["maps"][0]["values"]) > 25, "earlier steps"  # type: ignore[index,literal-required]


@claim("98 % soon")
def _(config: CnnConfig) -> None:
    assert config.images == 20_000 and all_test_images(config) > 0.98


@claim("Watch a filter being born", in_ci=True)
def _(config: CnnConfig) -> None:
    run = trained(config)
    first, last = build(config), run
    moved = [convolutions(each.model)[0].weight.detach() for each in (first, last)]
    assert (moved[1] - moved[0]).norm() > 0.5 * moved[0].norm() and all_test_images(config) > 0.88


@claim("Without a nonlinearity")
def _(config: CnnConfig) -> None:
    run = trained(config)
    x = scaled(run.digits.x_test[:2])
    with torch.no_grad():
        zero, one, two, both = (run.model(each)[0] for each in (0 * x[:1], x[:1], x[1:], x[:1] + x[1:]))
    torch.testing.assert_close(one + two - zero, both, rtol=1e-3, atol=1e-3, msg="one linear function")
    assert 0.88 < all_test_images(config) < 0.92
    assert 0.94 < all_test_images(config.with_values(activation="relu")) < 0.96


@claim("Windows of one pixel")
def _(config: CnnConfig) -> None:
    five, three = (all_test_images(config.with_values(kernel=side)) for side in (5, 3))
    assert 0.1 < five - all_test_images(config) < 0.14 and five - three < 0.02


@claim("Too fast", in_ci=True)
def _(config: CnnConfig) -> None:
    run = trained(config)
    assert config.lr == 100 * CnnConfig().lr and abs(status(config)["loss"] - np.log(10)) < 0.1
    x = scaled(run.digits.x_test[:200])
    dead = []
    with torch.no_grad():
        for module in run.model:
            x = module(x)
            if isinstance(module, torch.nn.ReLU):
                dead.append(int((x.amax(dim=(0, 2, 3)) == 0).sum()))
        assert "are blank" in run.narrate(run.view())
    assert min(dead) > 0


@claim("Fifty images only", in_ci=True)
def _(config: CnnConfig) -> None:
    assert status(config)["accuracy"] == 1.0 and all_test_images(config) < 0.8
    assert trained(config).parameter_count == 28_938


@claim("More out of 200 images", in_ci=True)
def _(config: CnnConfig) -> None:
    assert all_test_images(config) > all_test_images(config.with_values(shift=0.0, turn=0.0)) + 0.03


@claim("200 images only")
def _(config: CnnConfig) -> None:
    assert status(config)["accuracy"] > 0.99 and 0.79 < all_test_images(config) < 0.84


@claim("Small, for a slow machine", in_ci=True)
def _(config: CnnConfig) -> None:
    run = trained(config)
    assert 5.5 < build(CnnConfig()).parameter_count / run.parameter_count < 6.5, "a sixth of the parameters"
    assert 0.87 < all_test_images(config) < 0.91


@claim("What it gets wrong")
def _(config: CnnConfig) -> None:
    run = trained(config)
    frame = run.frame_context()
    assert frame.tester.latest is not None
    label, predicted = mistakes.most_frequent_confusion(frame.tester.latest)
    assert label != predicted and frame.tester.latest.confusion[label, predicted] > 5
    assert len(mistakes.cell(frame)["layout"]["meta"]["table"]["Test image"]) > 5


@claim("Ten heaps")
@torch.no_grad()
def _(config: CnnConfig) -> None:
    def separation(run: CnnRun) -> float:
        """The spread between the digits' middles as a share of all spread."""
        frame = run.frame_context()
        at, labels = projected(frame, Projection()), sample(frame)[1]
        middles = np.stack([at[labels == digit].mean(axis=0) for digit in range(10)])
        return float(middles[labels].var(axis=0).sum() / at.var(axis=0).sum())

    assert 1 - separation(trained(config)) < 0.8 * (1 - separation(build(config))), "the digits are less mixed"


@claim("Draw a digit")
@torch.no_grad()
def _(config: CnnConfig) -> None:
    run = trained(config)
    three = scaled(run.digits.x_test[run.digits.y_test == 3][:50])
    small = torch.zeros_like(three)
    small[:, :, 17:27, 17:27] = torch.nn.functional.interpolate(three, 10, mode="area")  # in a corner
    right = [float((run.model(each).argmax(dim=1) == 3).float().mean()) for each in (three, small)]
    assert right[0] > 0.9 and right[1] < 0.5


@claim("Turn a 3 into an 8")
def _(config: CnnConfig) -> None:
    run = trained(config)
    model, x = frozen(run.model), scaled(run.digits.x_test[config.image][None])
    assert int(run.digits.y_test[config.image]) == 3 and int(model(x).argmax()) == 3
    epsilon = next(slider for slider in SLIDERS if slider.name == "epsilon")

    def least(steps: int) -> float:
        for at in np.arange(epsilon.step, epsilon.hi, epsilon.step):
            if int(model(fgsm(model, x, 8, float(at), steps)).argmax()) == 8:
                return float(at)
        return np.inf

    assert 0.05 < least(10) < least(1) < epsilon.hi


@claim("Move it")
def _(config: CnnConfig) -> None:
    run = trained(config)
    with torch.no_grad():
        test: Any = ShiftTest(run.frame_context())
    test.advance(600.0)
    cnn, plain = test.accuracies
    for pixels in (1, 2):
        assert cnn[0] - cnn[pixels] < 0.65 * (plain[0] - plain[pixels]), "loses about half as much"
    assert max(cnn[4], plain[4]) < 0.55, "from three on both lose it fast"
    assert abs(test.plain_parameters / test.parameters - 1) < 0.05


@pytest.mark.parametrize("title", CLAIMS.cases)
def test_what_the_lesson_says_of_it_happens(title: str) -> None:
    if not mnist.load().real:
        pytest.skip("needs the real MNIST")
    CLAIMS.holds(title)


@pytest.mark.in_ci
def test_nothing_is_claimed_without_a_check() -> None:
    assert CLAIMS.missing() == set()
