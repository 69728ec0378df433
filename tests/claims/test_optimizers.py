"""What the lesson Optimizers says of its experiments and presets happens."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from playground.lessons import LESSONS
from playground.lessons.optimizers.config import STANDARD, OptimizersConfig
from playground.lessons.optimizers.race import Racer
from playground.lessons.optimizers.run import RaceRun, build
from tests.claims.experiments import Claims

CLAIMS = Claims(LESSONS["optimizers"])
claim = CLAIMS.of


def trained(config: OptimizersConfig, steps: int = 384) -> RaceRun:
    run = build(config)
    go_on(run, steps)
    return run


def go_on(run: RaceRun, until: int) -> None:
    while run.steps < until and not run.outcome:
        run.advance(60.0, until - run.steps)


@torch.no_grad()
def losses(run: RaceRun) -> dict[str, float]:
    """The loss on all points of each racer that has not dropped out, the lowest first."""
    placings = [each for each in run.placings(run.view()) if each.place]
    return {each.racer.entry.label: each.loss for each in sorted(placings, key=lambda each: each.loss)}


def order(run: RaceRun) -> list[str]:
    return list(losses(run))


def vector(racer: Racer) -> torch.Tensor:
    return torch.cat([parameter.detach().ravel() for parameter in racer.parameters])


def update_sizes(config: OptimizersConfig, steps: int) -> dict[str, list[float]]:
    """The largest change of a parameter in each step, of each racer while it runs."""
    run = build(config)
    found: dict[str, list[float]] = {racer.entry.label: [] for racer in run.race.racers}
    for _ in range(steps):
        before = {racer.entry.label: vector(racer).clone() for racer in run.race.running}
        run.step()
        for racer in run.race.racers:
            if (label := racer.entry.label) in before:
                found[label].append(float((vector(racer) - before[label]).abs().max()))
    return found


def parts(run: RaceRun) -> dict[str, float]:
    """The lines of the rule written out, by name, as numbers."""
    csv = run.draw(["rule"], {}).charts["rule"]["layout"]["meta"]["csv"]
    rows = [line.strip('"').split('","') for line in csv.strip().splitlines()[1:]]
    return {name: float(value.replace("−", "-")) for name, _, _, value in rows}


@claim("The tutorial's race", in_ci=True)
def _(config: OptimizersConfig) -> None:
    run = trained(config, 32)
    assert run.view().epochs == 1 and order(run)[0] == "RMSprop"
    go_on(run, 384)
    assert run.view().epochs == 12 and run.outcome == "done" and order(run)[0] == "Adam"


@claim("A rate that suits SGD", in_ci=True)
def _(config: OptimizersConfig) -> None:
    run = trained(config)
    assert set(order(run)[:2]) == {"SGD", "Momentum"} and set(order(run)[2:]) == {"Adam", "RMSprop"}
    with torch.no_grad():
        curves = run.view().predictions.curves
    spans = {racer.entry.label: float(np.ptp(curve)) for racer, curve in zip(run.race.racers, curves, strict=True)}
    assert 5 * max(spans["Adam"], spans["RMSprop"]) < min(spans["SGD"], spans["Momentum"]), f"almost flat: {spans}"


@claim("Each racer from its own start", in_ci=True)
def _(config: OptimizersConfig) -> None:
    run, fair = trained(config), trained(config.with_values(fair=True))
    assert run.race.starts == 4 and fair.race.starts == 1
    assert (order(run)[0], order(fair)[0]) == ("RMSprop", "Adam")


@claim("Too fast", in_ci=True)
def _(config: OptimizersConfig) -> None:
    sizes = update_sizes(config, 60)
    for name in ("SGD", "Momentum"):
        assert len(sizes[name]) <= 10, "dropped out within ten steps"
        assert all(later > earlier for earlier, later in zip(sizes[name], sizes[name][1:], strict=False))
    for name in ("RMSprop", "Adam"):
        assert len(sizes[name]) == 60 and max(sizes[name]) < 4 * config.lr


@claim("All eight", in_ci=True)
def _(config: OptimizersConfig) -> None:
    assert config.racers == ",".join(STANDARD)
    run = trained(config, 200)
    before = losses(run)
    assert order(run)[-1] == "Adadelta"
    run.tune(config.with_values(lr=1.0))
    go_on(run, 384)
    after = losses(run)
    assert after["Adadelta"] < before["Adadelta"] / 5 and after["Adam"] > 5 * before["Adam"]


@claim("One optimizer, four rates", in_ci=True)
def _(config: OptimizersConfig) -> None:
    assert set(order(trained(config))) == {"Adam", "Adam 0.001", "Adam 0.1", "Adam 1"}
    assert order(trained(config))[0] == "Adam 0.1", "it can be beaten"


@claim("Big steps first, small steps last", in_ci=True)
def _(config: OptimizersConfig) -> None:
    settled, constant = trained(config), trained(config.with_values(schedule="constant"))
    assert losses(settled)["RMSprop"] < losses(constant)["RMSprop"] / 5


@claim("Inside Adam", in_ci=True)
def _(config: OptimizersConfig) -> None:
    run = build(config)
    first = parts(run)
    inside: Any = run._look_inside(run.view())
    slope = float(torch.cat([each.ravel() for each in inside.gradients])[45])
    assert slope != 0
    assert first["m̂"] == pytest.approx(slope, rel=1e-3) and first["v̂"] == pytest.approx(slope**2, rel=1e-3)
    for _ in range(3):
        promised = parts(run)["w"]
        run.step()
        assert float(vector(run.race.racers[3])[45]) == pytest.approx(promised, rel=1e-3)


@claim("Inside Momentum", in_ci=True)
def _(config: OptimizersConfig) -> None:
    assert config.inside == "momentum"
    size = 0.0
    for _ in range(400):
        size = config.momentum * size + 1  # while the gradient stays 1
    assert size == pytest.approx(20)
    run = trained(config, 60)
    assert abs(parts(run)["m"]) > 0


@claim("Past a local minimum", in_ci=True)
def _(config: OptimizersConfig) -> None:
    def valleys(rate: float) -> dict[str, bool]:
        """Whether each racer ends in the deeper valley."""
        run = build(config.with_values(surface_lr=rate))
        run.surface.walk(200)
        height = run.surface.landscape.function
        deeper, other = sorted(run.surface.minima, key=lambda at: float(height(torch.tensor(at))))
        ends = {racer.entry.label: racer.places[racer.steps] for racer in run.surface.racers}
        return {name: math.dist(at, deeper) < math.dist(at, other) for name, at in ends.items()}

    assert valleys(config.surface_lr) == {"SGD": False, "Momentum": True, "RMSprop": False, "Adam": False}
    assert not any(valleys(0.03).values())


@claim("Time, not steps", in_ci=True)
def _(config: OptimizersConfig) -> None:
    run = trained(config, 40)
    figure = run.draw(["loss"], {}).charts["loss"]
    assert figure["layout"]["xaxis"]["title"]["text"] == "Seconds"
    assert all(racer.seconds > 0 for racer in run.race.racers)


@pytest.mark.parametrize("title", CLAIMS.cases)
def test_what_the_lesson_says_of_it_happens(title: str) -> None:
    CLAIMS.holds(title)


@pytest.mark.in_ci
def test_nothing_is_claimed_without_a_check() -> None:
    assert CLAIMS.missing() == set()


@pytest.mark.in_ci
def test_what_to_notice_holds() -> None:
    run = trained(OptimizersConfig(), 100)
    start: Any = build(OptimizersConfig())
    inside = start._look_inside(start.view())
    slopes = torch.cat([each.ravel() for each in inside.gradients]).abs()
    slopes = slopes[slopes > 0]
    assert slopes.max() > 100 * slopes.min(), "plain SGD's steps"
    moved = torch.cat([(u.weight - w).abs().ravel() for u, w in zip(inside.updates, inside.weights, strict=True)])
    np.testing.assert_allclose(moved[moved > 0], 0.01, rtol=0.01, err_msg="Adam's first step is the rate")
    assert run.race.orders == 1
