"""What the lesson Learning rates says of its experiments happens."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from playground.lessons import LESSONS
from playground.lessons.learning_rates import momentum as plane
from playground.lessons.learning_rates.momentum import MomentumConfig, polyak, spectral_radius
from playground.lessons.learning_rates.schedules import SchedulesConfig, SchedulesRun
from playground.lessons.learning_rates.schedules import build as build_schedules
from playground.lessons.learning_rates.sweep import SweepConfig, WhoWinsConfig, build_map, build_who_wins
from tests.claims.experiments import Claims

CLAIMS = Claims(LESSONS["learning_rates"])
claim = CLAIMS.of


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


@claim("All at once", in_ci=True)
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


@claim("How certain is that?")
def _(config: SweepConfig) -> None:
    run = swept(config)
    mean, low, high = run.means(config.steps)
    spread, at_ends = (high - low) / mean, []
    for row, best in enumerate(run.best(config.steps)):
        inner = spread[row, best]
        left, right = np.nanmax(spread[row, :best], initial=0), np.nanmax(spread[row, best + 1 :], initial=0)
        at_ends.append(min(left, right) > 1.2 * inner)
    assert sum(at_ends) > len(at_ends) / 2, at_ends


@claim("The tutorial’s four, finely")
def _(config: SweepConfig) -> None:
    run = swept(config)
    near = dict(zip(run.names, np.abs(np.log10(run.rates[run.best(config.steps)] / 0.01)), strict=True))
    assert min(near, key=near.__getitem__) == "rmsprop" and near["rmsprop"] < 0.25 < near["adam"] < 1 < near["sgd"]


@claim("Adam is not AdamW")
def _(config: SweepConfig) -> None:
    lowest = best_losses(swept(config))
    assert all(0.05 < lowest[name] < 0.065 for name in ("sgd", "momentum", "adam")) and lowest["adamw"] < 0.0095


@claim("61 learning rates")
def _(config: SweepConfig) -> None:
    assert len(swept(config).rates) == 61


@claim("Too few steps for all", "Twice the steps")
def _(config: SweepConfig) -> None:
    run, usual_run = swept(config), swept(config.with_values(steps=400))
    ends, usual = best_losses(run), best_losses(usual_run)
    worse = [ends[name] > usual[name] for name in ends]
    assert all(worse) if config.steps == 100 else not any(worse)
    lowest, usually_lowest = (lowest_good_rates(each) for each in (run, usual_run))
    assert (lowest >= usually_lowest).all() if config.steps == 100 else (lowest <= usually_lowest).all()
    assert (lowest != usually_lowest).mean() > 0.5, "the good ranges move"


# Who wins?


@claim("At the tutorial’s rate", in_ci=True)
def _(config: WhoWinsConfig) -> None:
    found = at_its_rate(config)
    assert next(iter(found)) == "adam" and found["sgd"] > 4 * found["adam"]


@claim("Thirty times as much", in_ci=True)
def _(config: WhoWinsConfig) -> None:
    names = list(at_its_rate(config))
    assert names[0] == "sgd" and names.index("adam") >= len(names) - 2


@claim("Too few steps", in_ci=True)
def _(config: WhoWinsConfig) -> None:
    assert min(at_its_rate(config).values()) > 1.5 * min(at_its_rate(config.with_values(rate=0.01)).values())


@claim("At 0.1 AdaGrad is first", in_ci=True)
def _(config: WhoWinsConfig) -> None:
    assert next(iter(at_its_rate(config))) == "adagrad"


@claim("At 1 two diverge", in_ci=True)
def _(config: WhoWinsConfig) -> None:
    assert {name for name, loss in at_its_rate(config).items() if np.isnan(loss)} == {"sgd", "nesterov"}


@claim("The tutorial’s four, nine seeds")
def _(config: WhoWinsConfig) -> None:
    assert next(iter(at_its_rate(config))) == "adam"


# Schedules.


@claim("Settle down", in_ci=True)
def _(config: SchedulesConfig) -> None:
    run = scheduled(config)
    found = distances(run)
    for name in ("cosine", "one_cycle"):
        assert 3 * found[name] < min(found["constant"], found["warm_up"])
    late = np.log10(run.losses[1, :, -100:])  # (schedules, steps)
    swings = dict(zip(run.names, np.abs(np.diff(late, axis=1)).mean(axis=1).tolist(), strict=True))
    assert min(swings["constant"], swings["warm_up"]) > 2 * max(swings["cosine"], swings["one_cycle"]), "oscillates"


@claim("A bad start", in_ci=True)
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


@claim("Nothing to gain", in_ci=True)
def _(config: SchedulesConfig) -> None:
    found = distances(scheduled(config))
    assert min(found, key=found.__getitem__) == "constant"


@claim("Small batches and much noise")
def _(config: SchedulesConfig) -> None:
    found = distances(scheduled(config))
    assert min(found, key=found.__getitem__) == "cosine" and 2 * found["cosine"] < found["constant"]


@claim("All the data in each batch")
def _(config: SchedulesConfig) -> None:
    run = scheduled(config)
    assert run.batches.whole and max(distances(run).values()) < 0.001, "without batches all settle"


# Rate and momentum.


@claim("Polyak’s best pair", in_ci=True)
def _(config: MomentumConfig) -> None:
    assert polyak(config.small, config.large) == pytest.approx((config.lr, config.momentum), abs=0.01)
    assert radius(config) == pytest.approx(0.64, abs=0.005)
    assert radius(config, momentum=config.momentum - 0.05) == pytest.approx(0.92, abs=0.005)
    assert radius(config, momentum=config.momentum + 0.05) == pytest.approx(0.68, abs=0.005)


@claim("No momentum", in_ci=True)
def _(config: MomentumConfig) -> None:
    factors = {lr: radius(config, lr=lr) for lr in np.round(np.arange(0.05, 2.0, 0.05), 2).tolist()}
    assert min(factors, key=factors.__getitem__) == 1.9 and factors[1.9] == pytest.approx(0.905)
    assert radius(config, lr=1.99) < 1 <= radius(config, lr=2.0), "up to 2 / h₂"
    assert radius(config, lr=2.672, momentum=0.403) == pytest.approx(0.635, abs=0.001)


@claim("Momentum tolerates a higher rate", in_ci=True)
def _(config: MomentumConfig) -> None:
    assert radius(config) > 1 > radius(config, momentum=0.6)


@claim("Much momentum", "A very long valley", in_ci=True)
def _(config: MomentumConfig) -> None:
    assert radius(config) == pytest.approx(config.momentum**0.5), "above its line, only the momentum matters"


@claim("Critical for the flat direction", in_ci=True)
def _(config: MomentumConfig) -> None:
    assert config.momentum == pytest.approx((1 - (config.lr * config.small) ** 0.5) ** 2, abs=0.005)


@claim("A round bowl", in_ci=True)
def _(config: MomentumConfig) -> None:
    assert np.abs(plane.descend(config)[1]).max() == 0, "done in one step"


@pytest.mark.parametrize("title", CLAIMS.cases)
def test_what_the_lesson_says_of_it_happens(title: str) -> None:
    CLAIMS.holds(title)


@pytest.mark.in_ci
def test_nothing_is_claimed_without_a_check() -> None:
    assert CLAIMS.missing() == set()
