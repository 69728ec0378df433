"""What students predict of the experiments of Gradient descent, and the rules that read the truth.

A live lab computes its whole path at once, and the axes of its pictures show how long it is. So the settings of all
these experiments are applied only after the answer.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from playground.data.landscapes import SURFACES
from playground.lessons.gradient_descent.basins import STARTS, BasinsConfig, assign, goals_of, grid_of_starts
from playground.lessons.gradient_descent.descent import classify, roll_many
from playground.lessons.gradient_descent.rates import SHOWN_STEPS, RatesConfig, measure, quadratic
from playground.lessons.gradient_descent.run import DescentRun
from playground.predictions import Choice, Curve, Number, Prediction, Why

CLOSE = 1e-6  # of the distance at the start: then a ball is in the minimum


def heights(run: DescentRun) -> NDArray[np.float64]:
    """The height of the ball on the grid of the curve of “side-to-side”."""
    path = run.path.heights.numpy()
    found: NDArray[np.float64] = np.interp(SIDE_TO_SIDE.grid, np.arange(len(path)), path)
    return found


def end_on_the_shelf(run: DescentRun) -> str:
    """Whether the ball has come to rest, left the chart, or still moves."""
    return {"flat": "shelf", "left": "bottomless", "steps": "moving"}[run.path.end]


def end_on_the_saddle(run: DescentRun) -> str:
    """Where the ball has stopped: on the pass, in a minimum, or nowhere."""
    kind = classify(run.landscape, run.path.positions[-1].tolist()).kind
    return {"saddle": "pass", "slope": "side"}.get(kind, "minimum")


def speed_of_two_directions(run: DescentRun) -> str:
    """Whether the ball gets closer to the minimum along the valley (x) and across it (y)."""
    first, last = run.path.positions[0].abs().tolist(), run.path.positions[-1].abs().tolist()
    closer = [end < start for start, end in zip(first, last, strict=True)]
    return {(True, True): "both", (True, False): "along", (False, True): "across"}.get((closer[0], closer[1]), "none")


def shares_of_minima(config: BasinsConfig) -> list[float]:
    """The share of the balls that end in each minimum, the lowest first, in per cent."""
    landscape = SURFACES[config.surface]
    ends = roll_many(landscape, grid_of_starts(landscape, STARTS), config.lr, config.steps)
    goals = goals_of(landscape, ends, config.lr)
    reached = assign(landscape, ends, goals)
    return [100 * float((reached == index).float().mean()) for index in range(len(goals))]


def share_that_arrives(config: BasinsConfig) -> str:
    """Whether nearly all balls end in a minimum, about half of them, or nearly none."""
    share = sum(shares_of_minima(config))
    return "all" if share > 90 else "none" if share < 10 else "half"


def growth_across(config: RatesConfig) -> float:
    """By which factor the distance across the valley has grown at the end, as measured."""
    return float(distances(config)[-1])


def steps_to_the_minimum(config: RatesConfig) -> str:
    """After how many steps the ball is in the minimum."""
    arrived = torch.nonzero(distances(config) < CLOSE).flatten().tolist()
    return "never" if not arrived else "one" if arrived[0] == 1 else "some"


def distances(config: RatesConfig) -> torch.Tensor:
    """The distance across the valley after each step, as a share of the first: (SHOWN_STEPS + 1,)."""
    landscape = quadratic(config.small, config.large)
    rate = torch.tensor([2 / config.large * config.share], dtype=torch.float64)
    return measure(landscape, rate, torch.tensor([0.0, 1.0], dtype=torch.float64), SHOWN_STEPS)[:, 0]


SIDE_TO_SIDE = Curve(
    "A ball at x = 2.5 on x², with a rate of 0.9 instead of 0.1. Draw its height over the first 20 steps.",
    "height",
    heights,
    x=(0, 20),
    tolerance=0.25,
    y=(0, 6.5),
)
PREDICTIONS = {
    "side-to-side": Prediction(
        SIDE_TO_SIDE,
        Why(
            "Nine times the rate: why this height?",
            {
                "fast": "A larger rate always falls faster",
                "same": "0.1 and 0.9 both leave 0.8 of the distance",
                "never": "A ball that crosses the bottom never rests",
            },
            "same",
            {
                "fast": "Half of each step is lost on the way up the other side.",
                "never": "Each step ends closer to the bottom than it began, so it does.",
            },
        ),
        right="Your curve is close: the height is exactly that of the rate 0.1.",
        wrong="The shaded gap is between your curve and the real one, which is exactly that of the rate 0.1.",
        until=20,
        applies="after",
    ),
    "shelf": Prediction(
        Choice(
            "The height is x³, the start x = 0.9. On the left it goes down without end. Where is the ball at the end?",
            {"bottomless": "Far down on the left", "moving": "Still on its way", "shelf": "At rest at x = 0"},
            end_on_the_shelf,
        ),
        Why(
            "Why there?",
            {
                "flat": "The slope there is 0",
                "minimum": "The lowest height is there",
                "rate": "300 steps are too few",
            },
            "flat",
            {
                "minimum": "Left of it the ground is lower: flat ground need not be a minimum.",
                "rate": "The ball is at rest: more steps of length 0 do not move it.",
            },
        ),
        applies="after",
    ),
    "saddle": Prediction(
        Choice(
            "A pass between two hills: x² − y². The start is on its middle line, at (2.5, 0). Where does the ball end?",
            {"side": "Down one of the sides", "pass": "On the pass", "minimum": "In a minimum"},
            end_on_the_saddle,
        ),
        Why(
            "Why?",
            {
                "minimum": "A pass is a minimum, too",
                "rate": "The learning rate is too small to leave it",
                "zero": "On that line no gradient points to a side",
            },
            "zero",
            {
                "minimum": "To the sides the ground falls: it is a minimum along one line only.",
                "rate": "Any rate stops there: it is multiplied by a gradient of 0.",
            },
        ),
        applies="after",
    ),
    "out-of-the-valley": Prediction(
        Choice(
            "Curvature 1 along the valley, 10 across it, and a rate just above 2 / 10. What does the ball do?",
            {
                "both": "It comes closer, only slowly",
                "none": "It moves away in all directions",
                "along": "It comes closer along, not across",
                "across": "It comes closer across, not along",
            },
            speed_of_two_directions,
        ),
        Why(
            "Why?",
            {
                "each": "Each direction has its own factor",
                "one": "Above the limit every direction diverges",
                "mean": "The mean curvature decides",
            },
            "each",
            {
                "one": "The limit 2 / curvature belongs to one direction; along the valley it is 2.",
                "mean": "No mean is taken: the steps of x and y do not know each other.",
            },
        ),
        applies="after",
    ),
    "large-steps": Prediction(
        Choice(
            "4,096 balls on Himmelblau’s surface. At 0.01 all end in a minimum. How many at 0.02?",
            {"all": "All, and sooner", "none": "None", "half": "About half"},
            share_that_arrives,
        ),
        Why(
            "Why?",
            {
                "time": "Balls need more steps now",
                "limit": "For two minima, 0.02 is above the limit",
                "far": "Balls far away are thrown out",
            },
            "limit",
            {
                "time": "More steps do not help: near two of the minima no ball stays.",
                "far": "Also balls right beside the two steep minima do not stay.",
            },
        ),
    ),
    "local-and-global": Prediction(
        Number(
            "Two valleys, one nearly twice as deep. What share of the starts leads to the deeper one?",
            lambda config: shares_of_minima(config)[0],
            lo=0,
            hi=100,
            tolerance=6,
            unit="%",
        ),
        Why(
            "What decides where a ball ends?",
            {
                "depth": "The deeper valley attracts more balls",
                "side": "On which side of the border it starts",
                "chance": "Chance: both valleys are possible",
            },
            "side",
            {
                "depth": "The gradient says nothing of depth, only of the slope at this place.",
                "chance": "Nothing is random here: the same start ends in the same valley.",
            },
        ),
    ),
    "just-above-the-limit": Prediction(
        Number(
            "5 % above the limit. How many times as far from the minimum is the ball after 30 steps?",
            growth_across,
            lo=1,
            hi=1000,
            tolerance=1.5,
            is_factor=True,
            unit="times",
        ),
        Why(
            "Where does this number come from?",
            {
                "product": "1.1 is multiplied 30 times",
                "sum": "30 times 5 % are added",
                "gradient": "The gradient is wrong out there",
            },
            "product",
            {
                "sum": "Each step multiplies the distance, so the growth grows, too.",
                "gradient": "The gradient is exact; the step is too long for this curvature.",
            },
        ),
    ),
    "round-valley": Prediction(
        Choice(
            "Both curvatures are 1, and the rate is 1 / curvature. After how many steps is the ball in the minimum?",
            {"some": "After about ten", "never": "It only comes closer", "one": "After one"},
            steps_to_the_minimum,
        ),
        Why(
            "Why?",
            {
                "small": "Each step is a fixed share of the way",
                "circle": "It circles around the minimum",
                "factor": "The factor |1 − rate · curvature| is 0",
            },
            "factor",
            {
                "small": "It is, and at this rate the share is the whole way.",
                "circle": "In a round valley the gradient points straight to the minimum.",
            },
        ),
    ),
}
