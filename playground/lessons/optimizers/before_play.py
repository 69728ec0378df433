"""What students predict of the races of Optimizers, and the rules that read the truth from the run."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from playground.lessons.optimizers.config import OptimizersConfig
from playground.lessons.optimizers.lesson import LESSON
from playground.lessons.optimizers.race import Racer
from playground.lessons.optimizers.run import RaceRun
from playground.predictions import Choice, Number, Prediction, Why, played

FOUR = {"sgd": "SGD", "momentum": "Momentum", "rmsprop": "RMSprop", "adam": "Adam"}


@torch.no_grad()
def losses(run: RaceRun) -> dict[str, float]:
    """The loss on all points of each racer that is still running, by its name, the lowest first."""
    running = [each for each in run.placings(run.view()) if each.place]
    return {each.racer.entry.name: each.loss for each in sorted(running, key=lambda each: each.loss)}


def winner(run: RaceRun) -> str:
    """The racer with the lowest loss."""
    return next(iter(losses(run)))


def winner_or_pair(run: RaceRun) -> str:
    """The same, with SGD and Momentum as one."""
    first = winner(run)
    return "plain" if first in ("sgd", "momentum") else first


def still_running(run: RaceRun) -> str:
    """Which of the four racers are left: "all", "none", "adaptive" (RMSprop and Adam) or "plain" (the other two)."""
    found = set(losses(run))
    kinds = {"all": set(FOUR), "none": set(), "adaptive": {"rmsprop", "adam"}, "plain": {"sgd", "momentum"}}
    return next((kind for kind, names in kinds.items() if names == found), "others")


def worst_rate(run: RaceRun) -> str:
    """The learning rate of the racer with the highest loss, as a text."""
    name = list(losses(run))[-1]
    return next(f"{racer.entry.lr:g}" for racer in run.race.racers if racer.entry.name == name)


def loss_of_rmsprop(run: RaceRun) -> float:
    """The loss of RMSprop on all points."""
    return losses(run)["rmsprop"]


def in_the_deeper_valley(run: RaceRun) -> str:
    """The racer that ends in the deeper of the surface's two valleys; "all", "none" or "several" if it is not one."""
    run.surface.walk(run.steps)
    height = run.surface.landscape.function
    deeper, other = sorted(run.surface.minima.tolist(), key=lambda at: float(height(torch.tensor(at))))
    ends = {racer.entry.name: racer.places[racer.steps].tolist() for racer in run.surface.racers}
    found = [name for name, at in ends.items() if math.dist(at, deeper) < math.dist(at, other)]
    if len(found) == 1:
        return found[0]
    return "none" if not found else "all" if len(found) == len(ends) else "several"


def first_step_of_adam(run: RaceRun) -> str:
    """What the size of Adam's first change of the chosen parameter is nearest to: "rate", "product" or "gradient"."""
    start = played(LESSON, run.config, until=0)
    before, after = (_of_adam(each).parameters for each in (start, run))
    states = [_of_adam(run).trainer.optimizer.state[parameter] for parameter in after]
    beta1, chosen = run.config.beta1, run.config.parameter
    gradient = abs(float(_flat([state["exp_avg"] for state in states])[chosen])) / (1 - beta1)  # of the first step
    moved = abs(float(_flat(after)[chosen] - _flat(before)[chosen]))
    sizes = {"rate": run.config.lr, "product": run.config.lr * gradient, "gradient": gradient}
    return min(sizes, key=lambda name: abs(sizes[name] - moved))


def _of_adam(run: RaceRun) -> Racer:
    return next(racer for racer in run.race.racers if racer.entry.name == "adam")


def _flat(tensors: Iterable[torch.Tensor]) -> torch.Tensor:
    return torch.cat([each.detach().ravel() for each in tensors])


def limit_of_m(config: OptimizersConfig) -> float:
    """To how many times a constant gradient of 1 the m of torch's momentum grows."""
    weight = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=config.lr, momentum=config.momentum)
    for _ in range(1000):
        optimizer.zero_grad()
        weight.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return float(optimizer.state[weight]["momentum_buffer"])


PREDICTIONS = {
    "tutorial": Prediction(
        Choice("Who leads after the first epoch, 32 steps?", {name: FOUR[name] for name in reversed(FOUR)}, winner),
        Why(
            "Why?",
            {
                "long": "Its first steps are longer than the rate",
                "best": "The best optimizer leads at all times",
                "plain": "Simple rules start faster",
            },
            "long",
            {
                "best": "Adam wins at the end, and is second here. The order changes during a race.",
                "plain": "SGD and Momentum are last here: their steps are rate × gradient, and this rate is small.",
            },
        ),
        until=32,
    ),
    "rate-for-sgd": Prediction(
        Choice(
            "Thirty times the learning rate, 0.3. Who wins after 12 epochs?",
            {"plain": "SGD or Momentum", "adam": "Adam", "rmsprop": "RMSprop"},
            winner_or_pair,
        ),
        Why(
            "Why?",
            {
                "always": "Adam adapts to any rate",
                "rate": "Its steps are as long as the rate",
                "gradient": "Adam’s gradients are wrong",
            },
            "rate",
            {
                "always": "It adapts to the size of the gradient. The length of its steps is still the rate.",
                "gradient": "The gradients are right. Steps of about 0.3 for every weight are too long for this task.",
            },
        ),
    ),
    "too-fast": Prediction(
        Choice(
            "A learning rate of 3. Which racers are still running after 60 steps?",
            {"all": "All four", "adaptive": "RMSprop and Adam", "plain": "SGD and Momentum", "none": "None"},
            still_running,
        ),
        Why(
            "Why?",
            {
                "divide": "They divide by the gradient",
                "simple": "Simple rules cannot fail",
                "momentum": "Momentum keeps them going",
            },
            "divide",
            {
                "simple": "Rate × gradient has no limit: a long step leads to a large gradient, and so on.",
                "momentum": "Momentum adds up steps, so it makes too long steps longer.",
            },
        ),
        until=60,
    ),
    "own-starts": Prediction(
        Choice(
            "Each racer starts from weights of its own. From one start Adam wins. Who wins with seed 5?",
            {name: FOUR[name] for name in ("momentum", "adam", "sgd", "rmsprop")},
            winner,
        ),
        Why(
            "What decided it?",
            {
                "better": "The better optimizer won",
                "start": "The start: part of it is luck",
                "batches": "Each racer saw other batches",
            },
            "start",
            {
                "better": "From one start Adam is first. One race from different starts compares the starts, too.",
                "batches": "The batches are the same for all. Only the first weights differ.",
            },
        ),
    ),
    "four-rates": Prediction(
        Choice(
            "Adam with four rates. Which one ends with the highest loss?",
            {"0.001": "0.001", "0.01": "0.01", "0.1": "0.1", "1": "1"},
            worst_rate,
        ),
        Why(
            "Why?",
            {
                "long": "Too long steps never rest",
                "slow": "Too short steps never arrive",
                "momentum": "Its momentum is too small",
            },
            "long",
            {
                "slow": "The smallest rate is slow, but it gets nearer with each step and ends lower.",
                "momentum": "All four have the same β₁. Only the rate differs.",
            },
        ),
    ),
    "cosine": Prediction(
        Number(
            "At a constant rate RMSprop ends with a loss of 0.03. Where does it end with cosine?",
            rule=loss_of_rmsprop, lo=0.0005, hi=0.5, tolerance=2, is_factor=True, chart="loss",
        ),
        Why(
            "What does the schedule change?",
            {
                "faster": "It arrives sooner",
                "nothing": "Nothing: the steps are as many",
                "rest": "Short last steps come to rest",
            },
            "rest",
            {
                "faster": "It is near the minimum early in both. There it jumps to and fro, by about the rate.",
                "nothing": "The number is the same. Their length falls to 0 by the end.",
            },
        ),
    ),
    "local-minimum": Prediction(
        Choice(
            "A surface with two valleys. Who ends in the deeper one, behind the first?",
            {"momentum": "Momentum alone", "adam": "Adam alone", "none": "None", "all": "All four"},
            in_the_deeper_valley,
        ),
        Why(
            "Why?",
            {
                "noise": "Noise takes it out of there",
                "clever": "It looks for the lowest place",
                "speed": "Its speed carries it through",
            },
            "speed",
            {
                "clever": "No optimizer here knows where the lowest place is. All see the slope at their place.",
                "noise": "This surface has no batches and no noise.",
            },
        ),
    ),
    "inside-momentum": Prediction(
        Number(
            "Momentum is 0.95, and the gradient stays 1. To which value does m grow?",
            rule=limit_of_m, lo=0, hi=100, tolerance=1,
        ),
        Why(
            "Why?",
            {
                "sum": "m is a sum: 1 + 0.95 + 0.95² …",
                "mean": "m is an average of gradients",
                "grow": "Each step adds 1, without end",
            },
            "sum",
            {
                "mean": "That is Adam’s m. In torch’s SGD m is a sum in which older gradients fade.",
                "grow": "Each step also multiplies m by 0.95, so old gradients fade away.",
            },
        ),
        until=60,
        reads="config",
    ),
    "inside-adam": Prediction(
        Choice(
            "The rate is 0.01, the first gradient of this weight −0.31. How far does Adam’s first step move it?",
            {"rate": "0.01", "product": "0.0031", "gradient": "0.31"},
            first_step_of_adam,
        ),
        Why(
            "Why?",
            {
                "product": "A step is rate × gradient",
                "ratio": "m̂ / √v̂ is ±1 at the first step",
                "full": "The first step is not scaled yet",
            },
            "ratio",
            {
                "product": "That is SGD. Adam divides by the size of the gradient, so its size cancels out.",
                "full": "It is scaled by the rate. Only the size of the gradient does not matter.",
            },
        ),
        until=1,
    ),
}  # fmt: skip
