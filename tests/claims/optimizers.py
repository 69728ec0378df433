"""What the lesson Optimizers says, as rules."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.optimizers.config import STANDARD, OptimizersConfig
from playground.lessons.optimizers.race import Racer
from playground.lessons.optimizers.run import RaceRun, build
from playground.training.optimizers import OPTIMIZERS, build_optimizer
from tests.claims.claims import Claims

CLAIMS = Claims("optimizers")
of, says = CLAIMS.of, CLAIMS.says
EXPERIMENTS = {each.id: each.config for each in experiments(LESSONS["optimizers"])}


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


@of(
    "tutorial",
    "Four racers, 12 epochs, the same start and the same batches.",
    "After one epoch, 32 steps, RMSprop leads; at the end Adam wins.",
)
def _(config: OptimizersConfig) -> None:
    run = trained(config, 32)
    assert run.view().epochs == 1 and order(run)[0] == "RMSprop"
    go_on(run, 384)
    assert run.view().epochs == 12 and run.outcome == "done" and order(run)[0] == "Adam"


@of(
    "rate-for-sgd",
    "SGD and Momentum win.",
    "Adam's and RMSprop's steps are about as long as the rate, which is too long here: in Fits their curves end almost flat.",
)
def _(config: OptimizersConfig) -> None:
    run = trained(config)
    assert set(order(run)[:2]) == {"SGD", "Momentum"} and set(order(run)[2:]) == {"Adam", "RMSprop"}
    with torch.no_grad():
        curves = run.view().predictions.curves
    spans = {racer.entry.label: float(np.ptp(curve)) for racer, curve in zip(run.race.racers, curves, strict=True)}
    assert 5 * max(spans["Adam"], spans["RMSprop"]) < min(spans["SGD"], spans["Momentum"]), f"almost flat: {spans}"


@of(
    "own-starts",
    "RMSprop wins. Switch on “Same start for all” in All settings, and Adam wins: part of such a result is luck.",
    is_long=True,
)
def _(config: OptimizersConfig) -> None:
    run, fair = trained(config), trained(config.with_values(fair=True))
    assert run.race.starts == 4 and fair.race.starts == 1
    assert (order(run)[0], order(fair)[0]) == ("RMSprop", "Adam")


@of(
    "too-fast",
    "SGD and Momentum drop out within ten steps: each step is longer than the one before.",
    "RMSprop's and Adam's steps never get longer than a few times the rate.",
)
def _(config: OptimizersConfig) -> None:
    sizes = update_sizes(config, 60)
    for name in ("SGD", "Momentum"):
        assert len(sizes[name]) <= 10, "dropped out within ten steps"
        assert all(later > earlier for earlier, later in zip(sizes[name], sizes[name][1:], strict=False))
    for name in ("RMSprop", "Adam"):
        assert len(sizes[name]) == 60 and max(sizes[name]) < 4 * config.lr


@of(
    "all-eight",
    "It starts very slowly.",
    "Set the learning rate to 1 while it runs: Adadelta speeds up, and Adam gets worse.",
    is_long=True,
)
def _(config: OptimizersConfig) -> None:
    assert config.racers == ",".join(STANDARD)
    run = trained(config, 200)
    before = losses(run)
    assert order(run)[-1] == "Adadelta"
    run.tune(config.with_values(lr=1.0))
    go_on(run, 384)
    after = losses(run)
    assert after["Adadelta"] < before["Adadelta"] / 5 and after["Adam"] > 5 * before["Adam"]


@of("four-rates", "Adam against itself, with the rates 0.001, 0.01, 0.1 and 1.", "A rate of 0.1 wins.", is_long=True)
def _(config: OptimizersConfig) -> None:
    assert set(order(trained(config))) == {"Adam", "Adam 0.001", "Adam 0.1", "Adam 1"}
    assert order(trained(config))[0] == "Adam 0.1", "it can be beaten"


@of(
    "cosine",
    "The schedule lets RMSprop settle.",
    "Choose the constant schedule, press Reset and Play, and compare its loss.",
    is_long=True,
)
def _(config: OptimizersConfig) -> None:
    settled, constant = trained(config), trained(config.with_values(schedule="constant"))
    assert losses(settled)["RMSprop"] < losses(constant)["RMSprop"] / 5


@of(
    "inside-adam",
    "Pause and press Step: the last line was the new weight, exactly.",
    "Then press Reset: at the first step m̂ is the gradient, and v̂ its square.",
)
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


@of(
    "inside-momentum",
    "Momentum keeps one number for each parameter, m.",
    "While the gradient stays the same, m grows to 1 / (1 − 0.95) = 20 times its size.",
)
def _(config: OptimizersConfig) -> None:
    assert config.inside == "momentum"
    size = 0.0
    for _ in range(400):
        size = config.momentum * size + 1  # while the gradient stays 1
    assert size == pytest.approx(20)
    run = trained(config, 60)
    assert abs(parts(run)["m"]) > 0


@of(
    "local-minimum",
    "Momentum rolls through it into the deeper valley; the others stay in the first.",
    "At a rate of 0.03 on the surface (All settings) Momentum stays there, too.",
)
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


@of("time", "Each line now ends at the seconds that its own steps took.")
def _(config: OptimizersConfig) -> None:
    run = trained(config, 40)
    figure = run.draw(["loss"], {}).charts["loss"]
    assert figure["layout"]["xaxis"]["title"]["text"] == "Seconds"
    assert all(racer.seconds > 0 for racer in run.race.racers)


def first_moves(optimizer: Any, gradients: list[float], **options: Any) -> torch.Tensor:
    """The change of each of some parameters in the first step, for these gradients."""
    w = torch.ones(len(gradients), requires_grad=True)
    w.grad = torch.tensor(gradients)
    optimizer([w], **options).step()
    return w.detach() - 1


@says(
    "Every optimizer gets the same input: the gradient of a batch's loss.",
    "Here all racers start from exactly the same weights and get exactly the same batches in the same order; the checksums under the list of racers prove it.",
)
def _() -> None:
    run = build(OptimizersConfig())
    assert run.race.starts == 1
    assert run.race.orders == 1
    assert len({tuple(vector(racer).tolist()) for racer in run.race.racers}) == 1


@says("Plain SGD takes a small step against it.")
def _() -> None:
    moved = first_moves(torch.optim.SGD, [2.0, -0.5], lr=0.1)
    assert moved.tolist() == pytest.approx([-0.2, 0.05])


@says(
    "Momentum remembers its direction: like a rolling ball, it gains speed where the gradients agree and loses speed where they contradict each other."
)
def _() -> None:
    def reached(gradients: list[float]) -> float:
        w = torch.zeros(1, requires_grad=True)
        optimizer = torch.optim.SGD([w], lr=1.0, momentum=0.8)
        for gradient in gradients:
            before = w.detach().clone()
            w.grad = torch.tensor([gradient])
            optimizer.step()
        return abs(float(w.detach() - before))

    assert reached([1.0] * 20) > 4, "it gains speed"
    assert reached([1.0, -1.0] * 10) < 1, "it loses speed"


@says(
    "AdaGrad, RMSprop and Adadelta remember how large each parameter's gradients have been, and divide by that: every parameter gets its own step length.",
    "Adam does both.",
)
def _() -> None:
    for optimizer in (torch.optim.Adagrad, torch.optim.RMSprop, torch.optim.Adadelta, torch.optim.Adam):
        small, large = first_moves(optimizer, [0.01, 1.0], lr=0.1).abs().tolist()
        assert large < 1.1 * small, "divided by the size of its own gradients"
    w = torch.zeros(1, requires_grad=True)
    adam = torch.optim.Adam([w])
    w.grad = torch.ones(1)
    adam.step()
    assert {"exp_avg", "exp_avg_sq"} <= adam.state[w].keys()


@of("rate-for-sgd", "The same race at thirty times the learning rate.")
def _(config: OptimizersConfig) -> None:
    assert config.lr == pytest.approx(30 * EXPERIMENTS["tutorial"].lr)


@of("too-fast", "A learning rate of 3.")
def _(config: OptimizersConfig) -> None:
    assert config.lr == 3


@of("own-starts", "Races are often run this way, also in the original tutorial: each racer draws weights of its own.")
def _(config: OptimizersConfig) -> None:
    assert build(config).race.starts == 4


@of("all-eight", "Adadelta derives its step length from its own past steps, which are zero at first.")
def _(config: OptimizersConfig) -> None:
    small = float(first_moves(torch.optim.Adadelta, [1.0], lr=1.0).abs())
    assert small < 0.01


@of("cosine", "RMSprop keeps jumping at this rate.")
def _(config: OptimizersConfig) -> None:
    run = build(config.with_values(schedule="constant"))
    go_on(run, 300)
    found = []
    for _ in range(40):
        run.step()
        with torch.no_grad():
            found.append(losses(run)["RMSprop"])
    assert float(np.mean(np.diff(found) > 0)) > 0.25


@of("cosine", "A cosine schedule lowers the rate to 0 by the end: watch RMSprop.")
def _(config: OptimizersConfig) -> None:
    run = build(config)
    go_on(run, 384)
    assert run.outcome == "done"
    assert float(run.race.racers[0].group["lr"]) < 0.01 * config.lr


@says(
    "“Step length”: plain SGD's step is the gradient times the rate, so it is hundreds of times longer for one parameter than for another.",
    "Adam's first step has the length of the learning rate for every parameter; later steps get shorter where gradients change sign, but hardly longer.",
)
def _() -> None:
    start: Any = build(OptimizersConfig())
    inside = start._look_inside(start.view())
    slopes = torch.cat([each.ravel() for each in inside.gradients]).abs()
    slopes = slopes[slopes > 0]
    assert float(slopes.max() / slopes.min()) > 100
    moved = torch.cat([(u.weight - w).abs().ravel() for u, w in zip(inside.updates, inside.weights, strict=True)])
    np.testing.assert_allclose(moved[moved > 0], 0.01, rtol=0.01, err_msg="Adam's first step is the rate")
    sizes = update_sizes(OptimizersConfig(), 200)["Adam"]
    assert max(sizes) < 3 * OptimizersConfig().lr


@says(
    "The loss of a batch jumps (switch on “Batches”).",
    "The ranking is measured on all points and does not jump, so it can differ from the smoothed curves of the race.",
)
def _() -> None:
    run = build(OptimizersConfig())
    go_on(run, 200)
    batch, whole = [], []
    for _ in range(60):
        run.step()
        with torch.no_grad():
            whole.append(losses(run)["SGD"])
        batch.append(run.race.racers[0].loss)
    assert np.abs(np.diff(batch)).mean() > 5 * np.abs(np.diff(whole)).mean()


@says(
    "A racer that diverges drops out, and the line above the strip says why.",
    "The others continue as if it had never been there.",
)
def _() -> None:
    config = EXPERIMENTS["too-fast"]
    together, alone = trained(config, 60), trained(config.with_values(racers="rmsprop,adam"), 60)
    assert len(together.race.running) == 2
    for name in ("RMSprop", "Adam"):
        assert losses(together)[name] == losses(alone)[name]


@says(
    "With a momentum of 0.8 that is five times as far.",
    "1 + b + b² + … = 1 / (1 − b).",
    "A momentum of 0 must give 1 time as far.",
    "The answer to momentum-reach: 1 / (1 - b).",
)
def _() -> None:
    assert sum(0.8**power for power in range(200)) == pytest.approx(5)
    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=1.0, momentum=0.8)
    for _ in range(200):
        before = w.detach().clone()
        w.grad = torch.ones(1)
        optimizer.step()
    assert float(before - w.detach()) == pytest.approx(5, rel=1e-4)


@says(
    "At the first step Adam's m is only a tenth of the gradient (β₁ = 0.9).",
    "One, for every parameter: the bias correction divides m by 1 − 0.9¹ = 0.1, and v by 1 − β₂¹.",
    "So the first step is lr · g / (|g| + ε), almost exactly the learning rate.",
    "The bias correction divides by 0.1, but m was a tenth.",
    "The bias correction divides m by 1 − 0.9, so the tenth becomes the whole gradient again.",
    "The answer to adam-first-step: 1.",
)
def _() -> None:
    w = torch.ones(3, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.01, betas=(0.9, 0.99))
    w.grad = torch.tensor([5.0, 0.02, -1e-3])
    optimizer.step()
    assert (optimizer.state[w]["exp_avg"] / w.grad).tolist() == pytest.approx([0.1] * 3)
    assert (w.detach() - 1).abs().tolist() == pytest.approx([0.01] * 3, rel=1e-3)


@says(
    "AdaGrad slows down in a long race.",
    "It adds up all squared gradients and never forgets any, so the divisor only grows.",
    "The answer to adagrad-slows: It adds up all squared gradients and forgets none.",
    "RMSprop forgets: it keeps a running average instead.",
)
def _() -> None:
    def last_step(optimizer: Any) -> float:
        w = torch.zeros(1, requires_grad=True)
        found = optimizer([w], lr=0.1)
        for _ in range(400):
            before = w.detach().clone()
            w.grad = torch.ones(1)
            found.step()
        return abs(float(w.detach() - before))

    assert last_step(torch.optim.Adagrad) == pytest.approx(0.1 / 400**0.5, rel=0.01)
    assert last_step(torch.optim.RMSprop) == pytest.approx(0.1, rel=0.05)


@says("Nothing. Its step depends on the current gradient alone.", "The answer to sgd-state: Nothing.")
def _() -> None:
    w = torch.ones(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    w.grad = torch.ones(1)
    optimizer.step()
    assert all(each is None for each in optimizer.state[w].values())


@says(
    "It shrinks the weights separately from the step.",
    "The answer to adamw: It shrinks the weights separately from the step.",
    "Adam with weight decay adds λ · w to the gradient and then divides it by √v̂ like the rest, so weights with large gradients decay less.",
)
def _() -> None:
    def decayed(optimizer: Any, gradient: float) -> float:
        """The part of the step that is the decay's, after steps of the same gradient size and changing sign."""
        ends = []
        for decay in (0.0, 0.1):
            w = torch.ones(1, requires_grad=True)
            found = optimizer([w], lr=0.01, weight_decay=decay)
            for at in range(20):
                w.grad = torch.tensor([gradient * (-1) ** at])
                found.step()
            ends.append(float(w.detach()))
        return ends[0] - ends[1]

    assert decayed(torch.optim.AdamW, 10.0) == pytest.approx(decayed(torch.optim.AdamW, 0.5), rel=0.1)
    assert decayed(torch.optim.Adam, 10.0) < 0.3 * decayed(torch.optim.Adam, 0.5)


@says(
    "A schedule is an object beside the optimizer: `scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=384)`, and `scheduler.step()` after each `optimizer.step()`."
)
def _() -> None:
    w = torch.ones(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=384)
    for _ in range(384):
        optimizer.step()
        scheduler.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-9)


@of("local-minimum", "The same racers on a surface with two valleys.")
def _(config: OptimizersConfig) -> None:
    assert (config.racers, config.surface) == (EXPERIMENTS["tutorial"].racers, "valleys")


@of("inside-adam", "Adam's next step for one parameter, with all its numbers.")
def _(config: OptimizersConfig) -> None:
    assert config.inside == "adam" and {"m̂", "v̂"} <= {name.strip() for name in parts(trained(config, 3))}


@says("The gradient stays the same.", "The steps grow to 1 + b + b² + … That sum has a short form.")
def _() -> None:
    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=1.0, momentum=0.8)
    w.grad = torch.full((1,), -1.0)
    lengths = []
    for _ in range(40):
        before = w.item()
        optimizer.step()
        lengths.append(w.item() - before)
    assert lengths[:3] == pytest.approx([1, 1 + 0.8, 1 + 0.8 + 0.8**2])
    assert lengths[-1] == pytest.approx(1 / (1 - 0.8), rel=1e-3)


@says("All optimizers are used in the same way, so trying another one changes one line.")
def _() -> None:
    for name in OPTIMIZERS:
        w = torch.ones(2, requires_grad=True)
        optimizer = build_optimizer(name, [w], lr=0.1)
        optimizer.zero_grad()
        (w**2).sum().backward()
        optimizer.step()
        assert not torch.equal(w.detach(), torch.ones(2)), name


@says("Copying the weights makes the comparison fair.")
def _() -> None:
    run = build(OptimizersConfig())
    assert run.race.starts == 1 and len({tuple(vector(racer).tolist()) for racer in run.race.racers}) == 1


@of("time", "A step of Adam takes more work than a step of SGD.")
def _(config: OptimizersConfig) -> None:
    assert {"sgd", "adam"} <= set(config.racers.split(","))
    assert len(OPTIMIZERS["adam"].state) > len(OPTIMIZERS["sgd"].state)


@of("four-rates", "Own entries are typed in All settings as in a script: write your own challenger and beat it.")
def _(config: OptimizersConfig) -> None:
    winner = order(trained(config))[0]
    challenged = trained(config.with_values(own=f"{config.own}, Adam(lr=0.05, betas=(0.9, 0.99))"))
    assert len(challenged.race.racers) == len(trained(config, 1).race.racers) + 1 and winner in losses(challenged)


def best_rate(optimizer: str, scale: float) -> float:
    """The rate with the lowest loss after 150 steps, where the loss is multiplied by a number."""
    x = torch.linspace(-1, 1, 200).unsqueeze(1)
    found = {}
    for lr in (0.00003, 0.0003, 0.003, 0.03, 0.3, 3.0):
        torch.manual_seed(1)
        model = torch.nn.Sequential(torch.nn.Linear(1, 20), torch.nn.Tanh(), torch.nn.Linear(20, 1))
        updates = build_optimizer(optimizer, model.parameters(), lr=lr)
        for _ in range(150):
            loss = ((model(x) - x**2) ** 2).mean()
            updates.zero_grad()
            (scale * loss).backward()
            updates.step()
        found[lr] = loss.item() if math.isfinite(loss.item()) else math.inf
    return min(found, key=found.__getitem__)


@says(
    "That is why one learning rate works for Adam on many problems, while plain SGD needs a different one for each.",
    is_long=True,
)
@torch.enable_grad()
def _() -> None:
    adam, sgd = ({best_rate(name, scale) for scale in (0.01, 1.0, 100.0)} for name in ("adam", "sgd"))
    assert len(adam) == 1 and len(sgd) >= 2 and max(sgd) >= 100 * min(sgd)


@says(
    "About a thousandth is usual; with a tenth, the weights change too much at each step.",
    is_long=True,
)
def _() -> None:
    def shares(optimizer: str, lr: float) -> tuple[float, float, float]:
        """The median and the largest share of the weights that an update has, and the loss at the end."""
        run = trained(OptimizersConfig(racers=optimizer, lr=lr))
        ratios = run.history.column(f"ratio {optimizer}")
        return float(np.nanmedian(ratios)), float(np.nanmax(ratios)), next(iter(losses(run).values()))

    for usual, _, loss in (shares("adam", 0.003), shares("adam", 0.01), shares("sgd", 0.1)):
        assert 5e-4 < usual < 5e-3 and loss < 0.006
    for _, largest, loss in (shares("adam", 1.0), shares("sgd", 1.0)):
        assert largest > 0.1 and loss > 0.09


@says(
    "Batches differ by chance.",
    "With different batches a racer could win because its batches were easier, not because its rule is better.",
)
@torch.enable_grad()
def _() -> None:
    x = torch.linspace(-1, 1, 200).unsqueeze(1)

    def end(order: int) -> float:
        """The loss after 60 steps from the same start by the same rule, with other batches."""
        torch.manual_seed(1)
        model, draw = (
            torch.nn.Sequential(torch.nn.Linear(1, 20), torch.nn.ReLU(), torch.nn.Linear(20, 1)),
            torch.Generator(),
        )
        updates = build_optimizer("adam", model.parameters(), lr=0.01)
        draw.manual_seed(order)
        for _ in range(60):
            batch = x[torch.randperm(len(x), generator=draw)[:8]]
            updates.zero_grad()
            ((model(batch) - batch**2) ** 2).mean().backward()
            updates.step()
        return float(((model(x) - x**2) ** 2).mean())

    ends = [end(order) for order in range(6)]
    assert max(ends) > 1.1 * min(ends)
