"""What the lesson Learning rates says, as rules."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from playground.data import datasets
from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.learning_rates import momentum as plane
from playground.lessons.learning_rates.momentum import MomentumConfig, polyak, spectral_radius
from playground.lessons.learning_rates.schedules import SchedulesConfig, SchedulesRun
from playground.lessons.learning_rates.schedules import build as build_schedules
from playground.lessons.learning_rates.sweep import SweepConfig, WhoWinsConfig, build_map, build_who_wins
from playground.lessons.optimizers.config import OptimizersConfig
from playground.training import models
from playground.training.optimizers import OPTIMIZERS, build_optimizer
from tests.claims.claims import Claims

CLAIMS = Claims("learning_rates")
of, says = CLAIMS.of, CLAIMS.says
EXPERIMENTS = {each.id: each.config for each in experiments(LESSONS["learning_rates"])}


@cache
def swept(config: SweepConfig) -> Any:
    run = build_map(config)
    run.advance(600.0, config.steps)
    return run


@cache
def _ranked(config: WhoWinsConfig) -> Any:
    run = build_who_wins(config)
    run.advance(600.0, config.steps)
    return run


def at_its_rate(config: WhoWinsConfig) -> dict[str, float]:
    """The mean loss of each optimizer at the config's rate, the lowest first; NaN has diverged, and comes last."""
    run = _ranked(config.with_values(rate=0.01))  # the trainings are the same, whatever the rate
    means = run.means(config.steps)[0][:, np.flatnonzero(run.rates == config.rate)[0]]
    return dict(sorted(zip(run.names, means.tolist(), strict=True), key=lambda pair: (np.isnan(pair[1]), pair[1])))


def best_losses(run: Any) -> dict[str, float]:
    """The lowest mean loss of each optimizer."""
    return dict(zip(run.names, np.nanmin(run.means(run.steps)[0], axis=1).tolist(), strict=True))


def lowest_good_rates(run: Any) -> Any:
    """The lowest learning rate at which each optimizer ends below twice the loss of the noise."""
    good = run.means(run.steps)[0] < 2 * run.config.noise**2
    return np.where(good.any(axis=1), run.rates[good.argmax(axis=1)], np.inf)


def scheduled(config: SchedulesConfig) -> SchedulesRun:
    run = build_schedules(config)
    run.advance(600.0, config.steps)
    return run


def distances(run: SchedulesRun) -> dict[str, float]:
    return dict(zip(run.names, run.losses[1, :, -1].tolist(), strict=True))


def radius(config: MomentumConfig, **other: float) -> float:
    """The factor for each step, in theory, with some knobs changed."""
    now = config.with_values(**other)
    return float(spectral_radius(now.lr, now.momentum, (now.small, now.large)))


# Sweeps.


@of("all-at-once", "Each row has a range of good rates in full colour and fades on both sides; crosses have diverged.")
def _(config: SweepConfig) -> None:
    run = swept(config)
    mean = run.means(config.steps)[0]
    assert np.isnan(mean[run.names.index("sgd"), -1]) and not np.isnan(mean[:, 0]).any(), "crosses on the right"
    for row, best in enumerate(run.best(config.steps)):
        assert mean[row, 0] > 3 * mean[row, best], "it fades to the left"
    lowest = best_losses(run)
    assert max(lowest.values()) < 1.1 * min(lowest.values()), "the seven end within a tenth of each other"
    rates = run.rates[run.best(config.steps)]
    assert rates.max() > 200 * rates.min()


@of(
    "how-certain",
    "Tick “Spread of the seeds” in the map’s ⋯ menu: it is largest at both ends of a good range, where some succeed and others fail.",
    is_long=True,
)
def _(config: SweepConfig) -> None:
    run = swept(config)
    mean, low, high = run.means(config.steps)
    spread, at_ends = (high - low) / mean, []
    for row, best in enumerate(run.best(config.steps)):
        inner = spread[row, best]
        left, right = np.nanmax(spread[row, :best], initial=0), np.nanmax(spread[row, best + 1 :], initial=0)
        at_ends.append(min(left, right) > 1.2 * inner)
    assert sum(at_ends) > len(at_ends) / 2, at_ends


@of(
    "tutorials-four-finely",
    "RMSprop is next to it, Adam not far, SGD far away: the comparison was not the same for all.",
    is_long=True,
)
def _(config: SweepConfig) -> None:
    run = swept(config)
    near = dict(zip(run.names, np.abs(np.log10(run.rates[run.best(config.steps)] / 0.01)), strict=True))
    assert min(near, key=near.__getitem__) == "rmsprop" and near["rmsprop"] < 0.25 < near["adam"] < 1 < near["sgd"]


@of(
    "adam-is-not-adamw",
    "The first three end near 0.06, AdamW near 0.009: it shrinks the weights only by rate × decay, separately from Adam’s step.",
    is_long=True,
)
def _(config: SweepConfig) -> None:
    lowest = best_losses(swept(config))
    assert all(0.05 < lowest[name] < 0.065 for name in ("sgd", "momentum", "adam")) and lowest["adamw"] < 0.0095


@of(
    "sweep-of-100-steps",
    "To the right: with few steps only a larger rate gets there in time.",
    "No optimizer ends as low as after 400.",
    is_long=True,
)
@of(
    "sweep-of-800-steps",
    "The good ranges grow to the left, and no optimizer ends higher than after 400 steps.",
    is_long=True,
)
def _(config: SweepConfig) -> None:
    run, usual_run = swept(config), swept(config.with_values(steps=400))
    ends, usual = best_losses(run), best_losses(usual_run)
    worse = [ends[name] > usual[name] for name in ends]
    assert all(worse) if config.steps == 100 else not any(worse)
    lowest, usually_lowest = (lowest_good_rates(each) for each in (run, usual_run))
    assert (lowest >= usually_lowest).all() if config.steps == 100 else (lowest <= usually_lowest).all()
    assert (lowest != usually_lowest).mean() > 0.5, "the good ranges move"


# Who wins?


@of("tutorials-rate", "Adam is first and SGD far behind.")
def _(config: WhoWinsConfig) -> None:
    found = at_its_rate(config)
    assert next(iter(found)) == "adam" and found["sgd"] > 4 * found["adam"]


@of("thirty-times-as-much", "Now SGD is first and Adam nearly last.")
def _(config: WhoWinsConfig) -> None:
    names = list(at_its_rate(config))
    assert names[0] == "sgd" and names.index("adam") >= len(names) - 2


@of("too-few-steps", "None is finished.")
def _(config: WhoWinsConfig) -> None:
    assert min(at_its_rate(config).values()) > 1.5 * min(at_its_rate(config.with_values(rate=0.01)).values())


@of("two-diverge", "SGD’s and Nesterov’s: a line ends where one of its seeds diverges.")
def _(config: WhoWinsConfig) -> None:
    assert {name for name, loss in at_its_rate(config).items() if np.isnan(loss)} == {"sgd", "nesterov"}


@of("tutorials-four-nine-seeds", "Adam is first at 0.01.", is_long=True)
def _(config: WhoWinsConfig) -> None:
    assert next(iter(at_its_rate(config))) == "adam"


# Schedules.


@of(
    "settle-down",
    "With a constant rate, also after a warm-up, it still oscillates at the end; cosine and one cycle end several times nearer to x².",
)
def _(config: SchedulesConfig) -> None:
    run = scheduled(config)
    found = distances(run)
    for name in ("cosine", "one_cycle"):
        assert 3 * found[name] < min(found["constant"], found["warm_up"])
    late = np.log10(run.losses[1, :, -100:])  # (schedules, steps)
    swings = dict(zip(run.names, np.abs(np.diff(late, axis=1)).mean(axis=1).tolist(), strict=True))
    assert min(swings["constant"], swings["warm_up"]) > 2 * max(swings["cosine"], swings["one_cycle"]), "oscillates"


@of(
    "bad-start",
    "Five steps at 0.5 leave 16 of 20 units dead (6 at the start), and no later decrease revives them.",
    "Only warm-up and one cycle learn.",
)
def _(config: SchedulesConfig) -> None:
    run = build_schedules(config)
    x, constant = run.data[0], run.names.index("constant")

    def dead() -> int:
        hidden = x @ run.model.weights[0][constant] + run.model.biases[0][constant]  # (points, units)
        return int((hidden <= 0).all(dim=0).sum())

    assert dead() == 6
    run.advance(60.0, 5)
    assert dead() == 16
    run.advance(60.0, config.steps)
    assert dead() >= 16, "no later decrease revives them"
    found = distances(run)
    assert max(found["warm_up"], found["one_cycle"]) < 0.1 * min(found["constant"], found["step"], found["cosine"])


@of("nothing-to-gain", "The constant rate ends nearest.")
def _(config: SchedulesConfig) -> None:
    found = distances(scheduled(config))
    assert min(found, key=found.__getitem__) == "constant"


@of(
    "small-batches-much-noise",
    "Cosine ends nearest, less than half as far away as the constant rate: small last steps average the noise out.",
    is_long=True,
)
def _(config: SchedulesConfig) -> None:
    found = distances(scheduled(config))
    assert min(found, key=found.__getitem__) == "cosine" and 2 * found["cosine"] < found["constant"]


@of(
    "all-the-data",
    "No batches, so no noise in the gradient.",
    "All five: without noise even a constant rate of 0.1 settles.",
    is_long=True,
)
def _(config: SchedulesConfig) -> None:
    run = scheduled(config)
    assert run.batches.whole and max(distances(run).values()) < 0.001, "without batches all settle"


# Rate and momentum.


@of(
    "polyaks-best-pair",
    "At the star both coordinates are exactly critical, and the optimum is sharp.",
    "Lower the momentum by 0.05, and the factor per step goes from 0.64 to 0.92; raise it by 0.05, and it is 0.68.",
)
def _(config: MomentumConfig) -> None:
    assert polyak(config.small, config.large) == pytest.approx((config.lr, config.momentum), abs=0.01)
    assert radius(config) == pytest.approx(0.64, abs=0.005)
    assert radius(config, momentum=config.momentum - 0.05) == pytest.approx(0.92, abs=0.005)
    assert radius(config, momentum=config.momentum + 0.05) == pytest.approx(0.68, abs=0.005)


@of(
    "no-momentum",
    "The bottom edge of the plane is plain gradient descent.",
    "The rate may go up to 2 / h₂.",
    "The best rate there is 1.9; its factor of 0.905 is far slower than the star’s 0.635.",
)
def _(config: MomentumConfig) -> None:
    factors = {lr: radius(config, lr=lr) for lr in np.round(np.arange(0.05, 2.0, 0.05), 2).tolist()}
    assert min(factors, key=factors.__getitem__) == 1.9 and factors[1.9] == pytest.approx(0.905)
    assert radius(config, lr=1.99) < 1 <= radius(config, lr=2.0), "up to 2 / h₂"
    assert radius(config, lr=2.672, momentum=0.403) == pytest.approx(0.635, abs=0.001)


@of(
    "higher-rate",
    "A rate of 3 with little momentum diverges.",
    "Raise only the momentum, to 0.6, and it converges: the stable limit rises with the momentum.",
)
def _(config: MomentumConfig) -> None:
    assert radius(config) > 1 > radius(config, momentum=0.6)


@of("much-momentum", "Above both dashed lines: each step multiplies the distance by √0.8, whatever the rate.")
def _(config: MomentumConfig) -> None:
    assert radius(config) == pytest.approx(config.momentum**0.5), "above its line, only the momentum matters"


@of("critical-for-the-flat-direction", "A pair on the line where the flat direction begins to oscillate.")
def _(config: MomentumConfig) -> None:
    assert config.momentum == pytest.approx((1 - (config.lr * config.small) ** 0.5) ** 2, abs=0.005)


@says(
    "What “small” means depends on the optimizer: SGD moves by the rate times the gradient, Adam by about the rate itself, however small the gradient."
)
def _() -> None:
    def moved(optimizer: Any, gradient: float) -> float:
        w = torch.zeros(1, requires_grad=True)
        w.grad = torch.tensor([gradient])
        optimizer([w], lr=0.1).step()
        return abs(float(w.detach()))

    assert [moved(torch.optim.SGD, gradient) for gradient in (2.0, 0.01)] == pytest.approx([0.2, 0.001])
    assert [moved(torch.optim.Adam, gradient) for gradient in (2.0, 0.01)] == pytest.approx([0.1, 0.1], rel=1e-3)


@says(
    "If it is too small, the training is not finished after the last step; if it is too large, the loss oscillates or diverges."
)
def _() -> None:
    run = swept(EXPERIMENTS["all-at-once"])
    mean = run.means(run.config.steps)[0][run.names.index("sgd")]
    assert np.isnan(mean[-1]), "too large: it diverges"
    assert mean[0] > 3 * np.nanmin(mean), "too small: it is not finished"


@says(
    "So a race at a single rate says little.",
    "At 0.3 the same figure would show the opposite.",
    "The answer to one-figure: At which learning rates?.",
)
def _() -> None:
    config = EXPERIMENTS["tutorials-rate"]
    assert list(at_its_rate(config)).index("adam") < list(at_its_rate(config)).index("sgd")
    large = list(at_its_rate(config.with_values(rate=0.3162)))
    assert large.index("sgd") < large.index("adam")


@says(
    "Those are hundreds of trainings, but they take only about as long as a few, because they are one batched model: all weights are stacked along a first dimension, and `torch.baddbmm` does for all copies what `nn.Linear` does for one."
)
def _() -> None:
    x, weights, biases = torch.randn(4, 8, 2), torch.randn(4, 2, 3), torch.randn(4, 1, 3)
    stacked = torch.baddbmm(biases, x, weights)
    for copy in range(4):
        torch.testing.assert_close(stacked[copy], torch.nn.functional.linear(x[copy], weights[copy].T, biases[copy, 0]))


@of("all-at-once", "336 trainings as one model: seven optimizers at 16 rates, three seeds each.")
@says(
    "At their own best rates the seven end within a tenth of each other, close to the noise.",
    "Those rates themselves differ by a factor of more than 200.",
)
def _(config: Any = None) -> None:
    run = swept(EXPERIMENTS["all-at-once"])
    assert (len(run.names), len(run.rates), run.config.seeds) == (7, 16, 3)
    assert 7 * 16 * 3 == 336
    lowest = best_losses(run)
    assert max(lowest.values()) < 1.1 * min(lowest.values())
    rates = run.rates[run.best(run.config.steps)]
    assert float(rates.max() / rates.min()) > 200


@of("sweep-of-100-steps", "A quarter of the steps.")
def _(config: SweepConfig) -> None:
    assert config.steps / EXPERIMENTS["all-at-once"].steps == 0.25


@of("sweep-of-800-steps", "800 steps instead of 400.")
def _(config: SweepConfig) -> None:
    assert (config.steps, EXPERIMENTS["all-at-once"].steps) == (800, 400)


@of("sweep-of-800-steps", "The best losses hardly change: they are close to the noise.", is_long=True)
def _(config: SweepConfig) -> None:
    ends, usual = best_losses(swept(config)), best_losses(swept(config.with_values(steps=400)))
    assert all(ends[name] > 0.7 * usual[name] for name in ends)


@of("how-certain", "Nine seeds for each cell.")
def _(config: SweepConfig) -> None:
    assert config.seeds == 9


@of(
    "61-learning-rates",
    "A finer map, with one seed for each cell.",
    "427 trainings, and neighbours no longer agree: with one seed, chance decides near the edges.",
    is_long=True,
)
def _(config: SweepConfig) -> None:
    run = swept(config)
    assert len(run.names) * len(run.rates) == 427
    mean = run.means(config.steps)[0]
    turns = (np.diff(np.sign(np.diff(np.nan_to_num(mean, nan=9.0), axis=1)), axis=1) != 0).sum(axis=1)
    assert turns.mean() > 6, "up and down from cell to cell"


@of("thirty-times-as-much", "The same trainings, ranked at a rate of 0.32.")
def _(config: WhoWinsConfig) -> None:
    assert config.rate == pytest.approx(0.32, abs=0.005)
    assert config.with_values(rate=0.01) == EXPERIMENTS["tutorials-rate"].with_values(rate=0.01)


@of("tutorials-rate", "Now move the learning rate, or click in the chart: the order changes, the trainings do not.")
def _(config: WhoWinsConfig) -> None:
    assert list(at_its_rate(config)) != list(at_its_rate(config.with_values(rate=0.1)))


@of("thirty-times-as-much", "“Place by rate” shows where the lines cross.")
def _(config: WhoWinsConfig) -> None:
    orders = {tuple(at_its_rate(config.with_values(rate=rate))) for rate in (0.001, 0.01, 0.1, 0.3162)}
    assert len(orders) >= 3


@of("too-few-steps", "A tenth of the tutorial’s rate.")
def _(config: WhoWinsConfig) -> None:
    assert config.rate == 0.001


@of("adagrad-is-first", "Ten times the tutorial’s rate.")
def _(config: WhoWinsConfig) -> None:
    assert config.rate == 0.1


@of("two-diverge", "A rate of 1.")
def _(config: WhoWinsConfig) -> None:
    assert config.rate == 1


@of("tutorials-rate", "At a rate of 0.01, as in the tutorial.")
def _(config: WhoWinsConfig) -> None:
    assert config.rate == 0.01


@of("too-few-steps", "Drag along the strip: with more steps, the low part of each line moves to the left.")
def _(config: WhoWinsConfig) -> None:
    run = _ranked(config.with_values(rate=0.01))
    best = [run.rates[np.nanargmin(run.means(steps)[0], axis=1)] for steps in (60, config.steps)]
    assert float(np.log(best[1]).mean()) < float(np.log(best[0]).mean())


@of(
    "adagrad-is-first",
    "AdaGrad divides by all its earlier gradients, so its steps shrink, and a large rate suits it.",
    "It is far behind at 0.001.",
)
def _(config: WhoWinsConfig) -> None:
    assert next(iter(at_its_rate(config))) == "adagrad"
    small = at_its_rate(config.with_values(rate=0.001))
    assert small["adagrad"] > 2 * min(small.values())


@of("tutorials-four-nine-seeds", "Nine seeds each, so that chance matters less.")
def _(config: WhoWinsConfig) -> None:
    assert config.seeds == 9


@of("settle-down", "Adam at ten times the tutorial’s rate, with five schedules.")
def _(config: SchedulesConfig) -> None:
    run = build_schedules(config)
    assert len(run.names) == 5
    assert (config.optimizer, config.lr) == ("adam", 0.1)


@says(
    "The first gradients, from random weights, are often the largest: at the full rate such steps can leave units dead for good."
)
def _() -> None:
    norms = []
    for seed in range(8):
        generator = torch.Generator().manual_seed(seed)
        points = datasets.curve("square", 1000, 0.1, 0.0, generator)
        model = models.mlp(1, [20], 1, generator=generator)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        norms.append([])
        for _ in range(100):
            optimizer.zero_grad()
            rows = torch.randint(0, 1000, (32,), generator=generator)
            torch.nn.functional.mse_loss(model(points.x_train[rows]), points.y_train[rows]).backward()
            norms[-1].append(float(torch.cat([each.grad.ravel() for each in model.parameters()]).norm()))
            optimizer.step()
    assert sum(max(each) == max(each[:5]) for each in norms) > len(norms) / 2


@of("bad-start", "SGD at 0.5, with random weights at the start.")
def _(config: SchedulesConfig) -> None:
    assert (config.optimizer, config.lr) == ("sgd", 0.5)


@of("small-batches-much-noise", "SGD at 0.3 with batches of 8: each step follows the noise.")
def _(config: SchedulesConfig) -> None:
    assert (config.optimizer, config.lr, config.batch_size) == ("sgd", 0.3, 8)


@of("nothing-to-gain", "If a rate is not too large, lowering it only makes the training slower.")
def _(config: SchedulesConfig) -> None:
    found = distances(scheduled(config))
    assert found["constant"] < min(found["cosine"], found["step"])


@of("all-the-data", "Schedules are for the noise of the batches.")
def _(config: SchedulesConfig) -> None:
    with_batches = distances(scheduled(EXPERIMENTS["settle-down"]))
    assert with_batches["constant"] > 3 * with_batches["cosine"]
    found = distances(scheduled(config))
    assert found["constant"] < 0.001


@of("critical-for-the-flat-direction", "Raise it, and the path overshoots.")
def _(config: MomentumConfig) -> None:
    along = [plane.descend(config.with_values(momentum=momentum))[:, 0] for momentum in (config.momentum, 0.8)]
    lowest = [float((each / each[0]).min()) for each in along]
    assert lowest[1] < -0.05 < lowest[0], "below 0 it is on the other side of the minimum"


@of("critical-for-the-flat-direction", "As much momentum as possible without swinging along the valley.")
def _(config: MomentumConfig) -> None:
    along = plane.descend(config)[:, 0]
    assert float((along / along[0]).min()) > -0.05


@of("round-bowl", "Both curvatures are 1, and so is the rate.")
def _(config: MomentumConfig) -> None:
    assert (config.small, config.large, config.lr) == (1, 1, 1)


@of("round-bowl", "In a round bowl there is nothing for momentum to do.", "One step, and the ball is in the minimum.")
def _(config: MomentumConfig) -> None:
    assert radius(config, momentum=0.0) == 0
    assert radius(config, momentum=0.3) > 0


@of(
    "very-long-valley",
    "The curvatures differ by a factor of 100.",
    "With Polyak’s best pair each step multiplies the distance by 0.82.",
    "Without momentum the best factor is 0.98.",
)
def _(config: MomentumConfig) -> None:
    assert config.large / config.small == 100
    lr, momentum = polyak(config.small, config.large)
    assert radius(config, lr=lr, momentum=momentum) == pytest.approx(0.82, abs=0.005)
    best = 2 / (config.small + config.large)
    assert radius(config, lr=best, momentum=0.0) == pytest.approx(0.98, abs=0.005)


@says(
    "Momentum shifts SGD's row to the left: with momentum 0.8 the steps add up to about 1 / (1 − 0.8) = 5 times the rate."
)
def _() -> None:
    run = swept(EXPERIMENTS["all-at-once"])
    best = dict(zip(run.names, run.rates[run.best(run.config.steps)].tolist(), strict=True))
    assert 2 < best["sgd"] / best["momentum"] < 12
    assert pytest.approx(5) == 1 / (1 - 0.8)


@says(
    "AdaGrad, RMSprop and Adam do not diverge here: they divide by the size of the gradient, so a step is never much larger than the rate.",
    "That does not make a large rate good.",
)
def _() -> None:
    run = swept(EXPERIMENTS["all-at-once"])
    mean = dict(zip(run.names, run.means(run.config.steps)[0], strict=True))
    for name in ("adagrad", "rmsprop", "adam"):
        assert not np.isnan(mean[name]).any()
        assert mean[name][-1] > 3 * mean[name].min()


@says(
    "A training that has diverged does not recover, and its neighbours are not affected: in a stacked model each copy has its own rows."
)
def _() -> None:
    run = swept(EXPERIMENTS["all-at-once"])
    half, end = (np.isnan(run.means(steps)[0]) for steps in (200, run.config.steps))
    assert bool((end >= half).all())
    assert 0 < int(end.sum()) < end.size / 4


@says(
    "The loss cannot fall below the noise, so near the end all losses look the same.",
    "The distance from x² shows the differences that remain.",
)
def _() -> None:
    run = scheduled(EXPERIMENTS["settle-down"])
    losses, away = run.losses[0, :, -1], run.losses[1, :, -1]
    assert float(losses.max() / losses.min()) < float(away.max() / away.min())


@of("much-momentum", "The green area oscillates, and still converges.")
def _(config: MomentumConfig) -> None:
    assert radius(config) < 1
    along = plane.descend(config)
    assert int((np.diff(np.sign(along[:, 1])) != 0).sum()) > 3


@says(
    "On the plane, a coordinate oscillates above its dashed or dotted line.",
    "There each step multiplies its distance by √momentum, whatever the rate: in the upper part of the plane, only the momentum matters.",
)
def _() -> None:
    config = EXPERIMENTS["much-momentum"]
    for lr in (0.5, 1.0, 2.0):
        assert radius(config, lr=lr) == pytest.approx(config.momentum**0.5)


@says(
    "Each loss depends only on the weights of its own copy, so the gradient of the sum is, for each copy, the gradient of its own loss.",
    "The answer to added-losses: Each loss depends on the weights of its own copy alone.",
)
def _() -> None:
    weights = torch.randn(3, 2, requires_grad=True)
    x = torch.randn(5, 2)
    losses = ((weights @ x.T) ** 2).mean(dim=1)
    (together,) = torch.autograd.grad(losses.sum(), weights, retain_graph=True)
    alone = torch.stack(
        [torch.autograd.grad(each, weights, retain_graph=True)[0][at] for at, each in enumerate(losses)]
    )
    torch.testing.assert_close(together, alone)


@says(
    "1 − r · h.",
    "The answer to distance-factor: 1 - r*h.",
    "At a rate above 2 / h it is below −1: each step ends farther away than it started, and SGD diverges.",
)
def _() -> None:
    for lr, h in ((0.5, 1.0), (0.9, 2.0), (1.1, 2.0)):
        x = torch.tensor(1.0, requires_grad=True)
        (gradient,) = torch.autograd.grad(h * x**2 / 2, x)
        after = float(x - lr * gradient)
        assert after == pytest.approx(1 - lr * h)
        assert (abs(after) > 1) is (after < -1)


@says(
    "It starts at a twenty-fifth of the rate and rises.",
    "The answer to one-cycle: It starts at a small rate and rises.",
)
def _() -> None:
    rate = torch.optim.lr_scheduler.OneCycleLR(
        torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0), max_lr=1.0, total_steps=100
    )
    assert rate.get_last_lr()[0] == pytest.approx(1 / 25)


@says(
    "Halve it: 1 / (1 − 0.9) is twice 1 / (1 − 0.8).",
    "Keep that product.",
    "With momentum m, steps in one direction add up to 1 / (1 − m) times the rate.",
    "The answer to rate-and-momentum: 0.5.",
)
def _() -> None:
    assert pytest.approx(2 / (1 - 0.8)) == 1 / (1 - 0.9)


@says("A sweep of one optimizer written by hand: the tutorial's model at 64 learning rates, as one model.")
def _() -> None:
    code = LESSONS["learning_rates"].prose["In PyTorch"].split("```python\n")[1].split("```")[0]
    exec(code, {"print": lambda *values: None})


@of("adagrad-is-first", "Ten times the tutorial’s rate.")
def _(config: WhoWinsConfig) -> None:
    assert config.rate == pytest.approx(10 * 0.01)
    assert next(iter(at_its_rate(config))) == "adagrad"


@of("tutorials-four-finely", "The tutorial compares these four at 0.01.")
def _(config: SweepConfig) -> None:
    race = OptimizersConfig()
    assert (config.optimizers, 0.01) == (race.racers, race.lr)


@of("nothing-to-gain", "Adam at the tutorial’s rate.")
def _(config: SchedulesConfig) -> None:
    assert (config.optimizer, config.lr) == ("adam", OptimizersConfig().lr)


@says("Every optimizer multiplies its step by one number that you choose: the learning rate.")
def _() -> None:
    for name in OPTIMIZERS:
        moves = []
        for lr in (0.5, 1.0):
            w = torch.ones(3, requires_grad=True)
            optimizer = build_optimizer(name, [w], lr=lr)
            w.grad = torch.tensor([0.1, -0.2, 0.3])
            optimizer.step()
            moves.append(1 - w.detach())
        torch.testing.assert_close(2 * moves[0], moves[1], msg=name)


@says(
    "The answer to shared-batches: Only the optimizer and the rate should make a difference.",
    "So that a cell differs from its neighbour only in its optimizer or rate.",
)
def _() -> None:
    one = SweepConfig(optimizers="sgd", rates=16, seeds=1, steps=100)
    alone, beside = swept(one), swept(SweepConfig(optimizers="sgd,adam", rates=16, seeds=1, steps=100))
    np.testing.assert_allclose(alone.means(100)[0][0], beside.means(100)[0][0], rtol=1e-3)


@says("You raise the momentum from 0.8 to 0.9.")
def _() -> None:
    after, before = (1 / (1 - momentum) for momentum in (0.9, 0.8))
    assert after == pytest.approx(2 * before)


@says("Here every optimizer trains at every rate.")
def _() -> None:
    run = build_map(SweepConfig(steps=100))
    run.advance(600.0, 1)
    assert run.losses(1).shape == (len(run.names), len(run.rates), run.config.seeds)


@of("all-at-once", "A ring marks the best rate of each optimizer.")
def _(config: SweepConfig) -> None:
    run = swept(config)
    figures = run.draw(["map"], {}).charts["map"]["data"]
    rings = next(each for each in figures if each.get("marker", {}).get("symbol") == "circle-open")
    assert list(rings["x"]) == pytest.approx(np.log10(run.rates)[run.best(config.steps)])


@says("With different batches, chance would affect the result.")
def _() -> None:
    one, other = (build_who_wins(WhoWinsConfig(seeds=1).with_values(seed=seed)) for seed in (1, 2))
    for run in (one, other):
        run.advance(600.0, run.config.steps)
    places = [np.nanmin(run.means(run.config.steps)[0], axis=1).argsort().tolist() for run in (one, other)]
    assert places[0] != places[1]


@says("A schedule belongs to an optimizer and takes its step after it.")
def _() -> None:
    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    assert scheduler.optimizer is optimizer
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        scheduler.step()
