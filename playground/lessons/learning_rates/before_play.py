"""What students predict of the experiments of Learning rates, and the rules that read the truth from the labs."""

from __future__ import annotations

import numpy as np

from playground.lessons.learning_rates.momentum import MomentumConfig, spectral_radius
from playground.lessons.learning_rates.schedules import SchedulesRun
from playground.lessons.learning_rates.sweep import MapRun, WhoWinsRun
from playground.predictions import Choice, Number, Prediction, Why

SETTLED = 0.001  # of a mean squared distance from x²
CLOSE, TWICE, TENFOLD = 1.1, 3.0, 15.0  # of the highest of the best losses, over the lowest
RATES = np.round(np.arange(0.05, 4.0, 0.05), 2)


def best_losses(run: MapRun) -> dict[str, float]:
    """The lowest mean loss of each optimizer, at the rate that suits it best."""
    return dict(zip(run.names, np.nanmin(run.means(run.steps)[0], axis=1).tolist(), strict=True))


def spread_of_best(run: MapRun) -> str:
    """How far apart the best losses are: "tenth", "twice", "ten" times or more ("far")."""
    found = best_losses(run).values()
    ratio = max(found) / min(found)
    limits = {"tenth": CLOSE, "twice": TWICE, "ten": TENFOLD}
    return next((name for name, limit in limits.items() if ratio < limit), "far")


def held_back(run: MapRun) -> float:
    """How many optimizers end far above the noise even at their best rate."""
    return float(sum(loss > 3 * run.config.noise**2 for loss in best_losses(run).values()))


def first_at_rate(run: WhoWinsRun) -> str:
    """The optimizer with the lowest mean loss at the chosen rate."""
    means = run.means(run.steps)[0][:, np.flatnonzero(run.rates == run.config.rate)[0]]
    return run.names[int(np.nanargmin(means))]


def against_tutorial(run: WhoWinsRun) -> str:
    """How many optimizers end lower at the chosen rate than at 0.01: "all", "some" or "none"."""
    means = run.means(run.steps)[0]
    here, usual = (means[:, np.abs(run.rates - rate).argmin()] for rate in (run.config.rate, 0.01))
    better = here < usual
    return "all" if better.all() else "some" if better.any() else "none"


def distances(run: SchedulesRun) -> dict[str, float]:
    """The mean squared distance from x² of each schedule."""
    return dict(zip(run.names, run.losses[1, :, run.steps].tolist(), strict=True))


def nearest(run: SchedulesRun) -> str:
    """The schedule that is nearest to x²."""
    found = distances(run)
    return min(found, key=found.__getitem__)


def who_settles(run: SchedulesRun) -> str:
    """Which schedules are near x²: "all", "none", "falling" (those that end with a small rate) or "others"."""
    found = {name for name, distance in distances(run).items() if distance < SETTLED}
    kinds = {"all": set(run.names), "none": set(), "falling": {"step", "cosine", "one_cycle"}}
    return next((kind for kind, names in kinds.items() if names == found), "others")


def factor(config: MomentumConfig, lr: float) -> float:
    """By how much a step multiplies the distance at this learning rate."""
    return float(spectral_radius(lr, config.momentum, (config.small, config.large)))


def best_rate(config: MomentumConfig) -> float:
    """The learning rate with the smallest factor."""
    return float(min(RATES, key=lambda lr: factor(config, float(lr))))


def percent_left(config: MomentumConfig) -> float:
    """The percentage of the distance that a step leaves."""
    return 100 * factor(config, config.lr)


PREDICTIONS = {
    "all-at-once": Prediction(
        Choice(
            "Each of the seven optimizers at the rate that suits it best. How far apart do they end?",
            {"ten": "The worst ten times the best", "tenth": "All within a tenth", "twice": "The worst twice the best"},
            spread_of_best,
        ),
        Why(
            "Why?",
            {
                "adam": "Adam is the best at every rate",
                "noise": "Each gets close to the noise",
                "same": "All take the same steps",
            },
            "noise",
            {
                "adam": "At many rates it is not, and at their best rates the others are as good.",
                "same": "Their steps differ much: so do their best rates, by a factor of more than 200.",
            },
        ),
    ),
    "adam-is-not-adamw": Prediction(
        Number(
            "A weight decay of 0.1: how many of the four end far above the noise at every rate?",
            rule=held_back, lo=0, hi=4, tolerance=0,
        ),
        Why(
            "What is different in AdamW?",
            {
                "separate": "It shrinks weights separately",
                "none": "Nothing but its name",
                "smaller": "It uses a smaller decay",
            },
            "separate",
            {
                "none": "In Adam the decay is added to the gradient; in AdamW it is not.",
                "smaller": "The setting is the same. AdamW multiplies it by the rate, and by nothing else.",
            },
        ),
    ),
    "thirty-times-as-much": Prediction(
        Choice(
            "At a rate of 0.01 Adam is first of the seven. Who is first at 0.32?",
            {"adam": "Adam", "rmsprop": "RMSprop", "momentum": "Momentum", "sgd": "SGD"},
            first_at_rate,
        ),
        Why(
            "Why?",
            {
                "small": "SGD’s gradients are small",
                "best": "The best one is always best",
                "luck": "With three seeds it is luck",
            },
            "small",
            {
                "best": "Each has its own range of good rates. A comparison at one rate compares the rate.",
                "luck": "At this rate Adam’s loss is seven times as high: no luck.",
            },
        ),
    ),
    "too-few-steps": Prediction(
        Choice(
            "A tenth of the tutorial’s rate. How many of the seven end lower than at 0.01?",
            {"none": "None", "some": "Some", "all": "All"},
            against_tutorial,
        ),
        Why(
            "Why?",
            {
                "exact": "Smaller steps are more exact",
                "safe": "A smaller rate is always safe",
                "far": "400 short steps do not get there",
            },
            "far",
            {
                "exact": "Near the minimum they are. First they have to get there.",
                "safe": "None diverges, and none is finished: the rate decides how far 400 steps lead.",
            },
        ),
    ),
    "settle-down": Prediction(
        Choice(
            "Adam at 0.1, with five schedules. Which one ends nearest to x²?",
            {"constant": "Constant", "one_cycle": "One cycle", "cosine": "Cosine", "warm_up": "Warm-up"},
            nearest,
        ),
        Why(
            "Why?",
            {
                "more": "It takes the longest way",
                "last": "Its last steps are shortest",
                "start": "It only has a better start",
            },
            "last",
            {
                "more": "Long steps all the time go to and fro. Only short ones come to rest.",
                "start": "Warm-up has the same start, and ends far away: its last steps are long.",
            },
        ),
    ),
    "all-the-data": Prediction(
        Choice(
            "All the data in each batch, Adam at 0.1. Which schedules settle near x²?",
            {"falling": "Those that end with a small rate", "all": "All five", "none": "None"},
            who_settles,
        ),
        Why(
            "Why?",
            {
                "fall": "Only a falling rate can rest",
                "exact": "The gradient has no noise",
                "rate": "0.1 is too large for Adam",
            },
            "exact",
            {
                "fall": "It has to fall where the noise of the batches keeps the steps long. There is none here.",
                "rate": "With batches of 32 it is. Without their noise it is not.",
            },
        ),
    ),
    "no-momentum": Prediction(
        Number(
            "Curvatures 0.05 and 1, no momentum. At which rate is the way to the minimum shortest?",
            rule=best_rate, lo=0, hi=3, tolerance=0.15,
        ),
        Why(
            "What limits it?",
            {
                "steep": "Above 2 the steep one diverges",
                "flat": "The flat one, which needs 20",
                "one": "1 / h₂ is best for both",
            },
            "steep",
            {
                "flat": "It would like 20. The steep direction does not allow more than 2.",
                "one": "For the steep one alone. The flat one is the slow one, and a larger rate helps it.",
            },
        ),
    ),
    "very-long-valley": Prediction(
        Number(
            "Curvatures 0.01 and 1: without momentum a step leaves 98 % of the distance. How much with the best pair?",
            rule=percent_left, lo=0, hi=100, tolerance=5, unit="%",
        ),
        Why(
            "Why?",
            {
                "root": "Steps add up along the valley",
                "rate": "Momentum allows a higher rate",
                "same": "The flat direction limits both",
            },
            "root",
            {
                "rate": "By a factor of less than 2. Most comes from steps that add up along the valley.",
                "same": "Along it all steps have the same direction, and momentum adds them up.",
            },
        ),
    ),
}  # fmt: skip
