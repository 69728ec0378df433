"""Nine seeds at once: each learns as it would alone, and the maps show what each has come to."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from playground.engine.commands import read_command
from playground.lessons.classification import lesson as classification
from playground.lessons.classification.config import ClassificationConfig, build_model, draw_points, inputs_of
from playground.lessons.classification.seeds import CHARTS, SEEDS, STATUS, TILE_SIDE, SeedsRun, build
from playground.training.stacked import Stacked
from playground.training.trainer import OPTIMIZERS
from tests.unit.plotly_check import assert_plotly_takes

CIRCLE = ClassificationConfig(cloud="circle", noise=0.4, units_1=4, activation="tanh", lr=0.1, max_steps=0)
NAMES = [chart.name for chart in CHARTS]


def weights_of(run: SeedsRun, seed: int) -> list[torch.Tensor]:
    """The parameters of one seed's model, in the order and shape of a plain one's."""
    pairs = zip(run.model.weights, run.model.biases, strict=True)
    return [part for weight, bias in pairs for part in (weight[seed].T, bias[seed, 0])]


def test_stacked_models_give_what_each_gives_alone() -> None:
    every = [build_model(CIRCLE.with_values(seed=seed, layers=3)) for seed in range(4)]
    stacked = Stacked(every, nn.Tanh())
    x = torch.randn(7, 2, generator=torch.Generator().manual_seed(0))
    together = stacked(x.expand(4, -1, -1))
    for model, mine in zip(every, together, strict=True):
        torch.testing.assert_close(mine, model(x))


CASES = [(optimizer, more) for optimizer in OPTIMIZERS for more in ({}, {"loss": "brier"}, {"weight_decay": 0.01})]
CASES.append(("sgd", {"l1": 0.01}))  # adaptive optimizers turn a rounding about zero into a whole step


@pytest.mark.parametrize(("optimizer", "more"), CASES, ids=str)
def test_each_seed_learns_as_it_would_alone(optimizer: str, more: dict[str, float | str]) -> None:
    """On whole batches; float sums are taken in another order, so to a tolerance of 1e-4 after 30 steps."""
    config = CIRCLE.with_values(optimizer=optimizer, lr=0.02, seed=5, points=40, **more)
    run = build(config)
    run.advance(60.0, 30)
    data = draw_points(config)
    for seed in (0, SEEDS - 1):
        alone = classification.build(config.with_values(seed=5 + seed))
        alone.data = data
        alone.trainer.batches.replace(inputs_of(config, data.x_train), data.y_train)
        for _ in range(30):
            alone.trainer.step()
        for mine, other in zip(weights_of(run, seed), alone.model.parameters(), strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-3, atol=1e-4)


def test_every_seed_has_its_own_start_and_its_own_order() -> None:
    run = build(CIRCLE.with_values(batch_size=10))
    assert len({tuple(weight[:, 0].tolist()) for weight in run.model.weights[0].detach()}) == SEEDS
    run.step()
    assert len({tuple(order.tolist()) for order in run.order}) == SEEDS
    for order in run.order:
        assert sorted(order.tolist()) == list(range(200))


def test_same_config_gives_the_same_in_slices() -> None:
    one, other = (
        build(CIRCLE.with_values(batch_size=10, dropout=0.2)),
        build(CIRCLE.with_values(batch_size=10, dropout=0.2)),
    )
    one.advance(60.0, 45)
    while other.steps < 45:
        other.advance(60.0, min(4, 45 - other.steps))
        other.draw(NAMES, {})
    for a, b in zip(one.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    "values",
    [{}, {"cloud": "spiral", "classes": 5}, {"layers": 0}, {"test_share": 0.0}, {"inputs": "x1x2"}, {"layers": 6}],
    ids=str,
)
def test_every_seed_has_a_map_and_its_accuracy(values: dict[str, float]) -> None:
    run = build(CIRCLE.with_values(**values))
    run.advance(60.0, 20)
    drawing = run.draw(NAMES, {})
    figure = drawing.charts["seeds"]
    assert_plotly_takes(figure)
    assert len(figure["maps"]["values"]) == SEEDS * TILE_SIDE**2
    assert len(figure["maps"]["boxes"]) == 4 * SEEDS
    assert len(figure["layout"]["annotations"]) == SEEDS
    assert drawing.status.keys() == STATUS.keys() - {"steps_per_second"}
    assert drawing.status["worst_accuracy"] <= drawing.status["accuracy"] <= drawing.status["best_accuracy"]


def test_most_seeds_learn_the_circle() -> None:
    run = build(CIRCLE.with_values(batch_size=10))
    run.advance(60.0, 1_500)
    assert np.sort(run.accuracies())[2] > 0.9


def test_a_changed_knob_restarts_and_the_stop_rule_holds() -> None:
    run = build(CIRCLE)
    run.advance(60.0, 10)
    run.tune(CIRCLE.with_values(lr=0.3, max_steps=20))
    assert run.steps == 0
    run.advance(60.0, 100)
    assert run.steps == 20 and run.outcome == "done"
    run.resume()
    run.advance(60.0, 5)
    assert run.steps == 25


def test_a_start_that_diverges_ends_the_run() -> None:
    run = build(CIRCLE)
    with torch.no_grad():
        run.model.weights[0][3] = torch.nan
    run.advance(60.0, 5)
    assert run.outcome == "failed"
    assert_plotly_takes(run.draw(NAMES, {}).charts["seeds"])


def test_there_is_nothing_to_look_back_at() -> None:
    with pytest.raises(ValueError, match=r"keeps no history"):
        build(CIRCLE).apply(read_command({"do": "scrub", "to": 1}))
