"""What students predict of the experiments of Activations, and the rules that read the truth from the labs."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from playground.lessons.activations import softmax, units
from playground.lessons.activations.curves import AllConfig, CurvesConfig
from playground.lessons.activations.depth import EXPLODED, VANISHED, DepthConfig, rms, run_pass
from playground.lessons.activations.functions import FUNCTIONS, with_slope
from playground.lessons.activations.precision import PrecisionConfig, naive_softmax, scores
from playground.lessons.activations.softmax import SoftmaxConfig
from playground.lessons.activations.units import UnitsConfig
from playground.predictions import GRID_POINTS, Choice, Curve, Number, Prediction, Why

Array = NDArray[np.float64]

X = (-5.0, 5.0)  # of the curves
POWERS = {"tenth": 1, "thousandth": 3, "millionth": 6, "billionth": 9}  # of a tenth
MAX_BEND = 1e-4  # of a line, in the second differences of its points
MAX_OFF = 0.05  # of a sum that follows its target, at any point
FLAT = {"relu": "ReLU", "hardswish": "Hardswish", "elu": "ELU", "step": "Step"}


def slope_at_probe(config: CurvesConfig) -> float:
    """The slope of the function at the probe."""
    function = FUNCTIONS[config.function].with_parameters(config.parameters)
    return with_slope(function, torch.tensor(config.probe))[1].item()


def slopes(config: CurvesConfig) -> Array:
    """The slope of the function on the grid of the drawn curve."""
    function = FUNCTIONS[config.function].with_parameters(config.parameters)
    found: Array = with_slope(function, torch.linspace(*X, GRID_POINTS, dtype=torch.float64))[1].numpy()
    return found


def not_flat(config: AllConfig) -> str:
    """The one of four functions whose slope at the probe is not exactly 0."""
    (found,) = (name for name in FLAT if with_slope(FUNCTIONS[name].function, torch.tensor(config.probe))[1] != 0)
    return found


def share_of_first(config: SoftmaxConfig) -> float:
    """The share of z₁."""
    return shares(config)[0]


def shares(config: SoftmaxConfig) -> list[float]:
    """The shares of all four scores."""
    found: list[float] = softmax.shares(
        torch.tensor([config.z1, config.z2, config.z3, config.z4]), config.temperature
    ).tolist()
    return found


def shares_that_grow(config: SoftmaxConfig) -> str:
    """Which shares are larger than with the default scores: "none", "first" (only z₁'s) or "all"."""
    grown = [after > before + 1e-6 for before, after in zip(shares(SoftmaxConfig()), shares(config), strict=True)]
    return "all" if all(grown) else "first" if any(grown) else "none"


def gradient_left(config: DepthConfig) -> float:
    """The size of the gradient at the first layer as a share of that at the last one."""
    gradients = run_pass(config).gradients
    return rms(gradients[0]) / rms(gradients[-1])


def power_that_is_left(config: DepthConfig) -> str:
    """The power of a tenth that is nearest to what is left of the gradient."""
    power = -math.log10(gradient_left(config))
    return min(POWERS, key=lambda name: abs(POWERS[name] - power))


def fate_of_gradient(config: DepthConfig) -> str:
    """Whether the gradient vanishes, explodes, or keeps about its size."""
    size = gradient_left(config)
    return "vanishes" if size < VANISHED else "explodes" if size > EXPLODED else "stays"


def sum_of_units(config: UnitsConfig) -> Array:
    """The sum of all units at the x of the chart."""
    y: Array = np.asarray(units.draw_units(config).charts["sum"]["data"][-1]["y"], dtype=float)
    return y


def shape_of_sum(config: UnitsConfig) -> str:
    """Whether the sum is a straight line, follows the target, or has bends elsewhere."""
    y, x = sum_of_units(config), torch.linspace(*units.X_SPAN, units.POINTS)
    if np.abs(np.diff(y, 2)).max() < MAX_BEND:
        return "straight"
    target = units.UNIT_TARGETS[config.target].function(x).numpy()
    return "target" if np.abs(y - target).max() < MAX_OFF else "bent"


def sum_on_grid(config: UnitsConfig) -> Array:
    """The sum of all units on the grid of the drawn curve."""
    x = np.linspace(*units.X_SPAN, units.POINTS)
    return np.interp(np.linspace(*units.X_SPAN, GRID_POINTS), x, sum_of_units(config))


def naive_share(config: PrecisionConfig) -> str:
    """What the naive softmax in fp16 gives as the share of the largest score."""
    z = scores(torch.tensor(config.largest, dtype=torch.float64), config.gap)
    return kind_of_share(naive_softmax(z.half())[0].item(), torch.softmax(z, dim=-1)[0].item())


def naive_share_in_32_bits(config: PrecisionConfig) -> str:
    """The same in fp32."""
    z = scores(torch.tensor(config.largest, dtype=torch.float64), config.gap)
    return kind_of_share(naive_softmax(z.float())[0].item(), torch.softmax(z, dim=-1)[0].item())


def kind_of_share(share: float, right: float) -> str:
    """Whether a share is right, 0, 1 or NaN."""
    if math.isnan(share):
        return "nan"
    return {0.0: "zero", 1.0: "one"}.get(share, "right" if abs(share - right) < 0.01 else "wrong")


PREDICTIONS = {
    "flat-sigmoid": Prediction(
        Number("How steep is the sigmoid at 0, where it is steepest?", rule=slope_at_probe, lo=0, hi=2, tolerance=0.05),
        Why(
            "Why is it so flat?",
            {
                "product": "It is σ · (1 − σ), at most ¼",
                "half": "It equals its value, one half",
                "line": "It is a line of slope 1 there",
            },
            "product",
            {
                "half": "That is its value. The slope is another number: σ · (1 − σ).",
                "line": "tanh is that steep. The sigmoid needs x from about −4 to 4 to rise from 0 to 1.",
            },
        ),
    ),
    "softplus": Prediction(
        Curve("Softplus, log(1 + eˣ), is a ReLU without a corner. Draw its slope.", chart="slope", rule=slopes, x=X,
              tolerance=0.1),
        Why(
            "Which curve is its slope?",
            {
                "step": "A step from 0 to 1, as that of ReLU",
                "same": "Softplus itself, as with eˣ",
                "sigmoid": "The sigmoid",
            },
            "sigmoid",
            {
                "step": "Without a corner the slope cannot jump: it rises smoothly from 0 to 1.",
                "same": "Only eˣ is its own slope. The slope of softplus never exceeds 1.",
            },
        ),
    ),
    "left-of-zero": Prediction(
        Choice("Which of these has a slope other than 0 at x = −3?", FLAT, not_flat),
        Why(
            "Why that one?",
            {
                "smooth": "Smooth functions are never flat",
                "exp": "It falls like eˣ there",
                "line": "It is a line with a small slope",
            },
            "exp",
            {
                "smooth": "Hardswish has no jump, and is exactly flat from −3 on.",
                "line": "That is leaky ReLU. ELU is α(eˣ − 1) left of 0.",
            },
        ),
    ),
    "hot": Prediction(
        Number("Scores 2, 1, 0 and −1: the 2 has a share of 0.64. How large is it at a temperature of 10?",
               rule=share_of_first, lo=0, hi=1, tolerance=0.08),
        Why(
            "What does a temperature of 10 do?",
            {
                "share": "It divides the largest share by 10",
                "scores": "It divides the scores by 10",
                "winner": "It makes the largest score win more clearly",
            },
            "scores",
            {
                "share": "Then the shares would not add up to 1. The scores are divided, before softmax.",
                "winner": "A low temperature does that. At 10 the scores are nearly equal, and so are the shares.",
            },
        ),
    ),
    "up-by-one": Prediction(
        Choice(
            "All four scores become 1 larger. Which softmax shares grow?",
            {"none": "None", "all": "All of them", "first": "Only the largest"},
            shares_that_grow,
        ),
        Why(
            "Why?",
            {
                "score": "A larger score, a larger share",
                "factor": "e multiplies all of them",
                "limit": "They are at their limit",
            },
            "factor",
            {
                "score": "Only if the others stay: softmax depends on the differences between scores.",
                "limit": "The limit is 1, and the largest share is 0.64.",
            },
        ),
    ),
    "ten-sigmoids": Prediction(
        Choice(
            "Ten layers with sigmoids. How much of the gradient reaches the first layer?",
            {"tenth": "About a tenth", "thousandth": "About a thousandth", "millionth": "About a millionth",
             "billionth": "About a billionth"},
            power_that_is_left,
        ),
        Why(
            "Why so little?",
            {
                "factor": "Each leaves less than a quarter",
                "constant": "Each takes away a tenth",
                "weights": "The weights are too large",
            },
            "factor",
            {
                "constant": "A tenth off ten times would leave a third. Slopes of at most 0.25 are multiplied.",
                "weights": "They keep the size of a signal here. It is the slope of the sigmoid, at most 0.25.",
            },
        ),
    ),
    "too-large-tanh": Prediction(
        Choice(
            "Very large starting weights, ten tanh layers: every output stays within ±1. And the gradient?",
            {"explodes": "It explodes", "vanishes": "It vanishes", "stays": "It keeps its size"},
            fate_of_gradient,
        ),
        Why(
            "Why?",
            {
                "weights": "Large weights multiply it",
                "bounded": "Small outputs, small gradients",
                "flat": "tanh is flat at ±1",
            },
            "weights",
            {
                "bounded": "A bound on the outputs bounds no gradient: on its way back it is multiplied by weights.",
                "flat": "Most units are flat. The few that are not pass it on, times weights that are far too large.",
            },
        ),
    ),
    "without-a-bend": Prediction(
        Choice(
            "Six units without an activation, to follow x². What can their sum be?",
            {"bent": "A curve of six pieces", "target": "Nearly the parabola", "straight": "A straight line"},
            shape_of_sum,
        ),
        Why(
            "Why?",
            {
                "pieces": "Each unit gives one piece",
                "lines": "A sum of lines is a line",
                "steps": "With enough steps it will bend",
            },
            "lines",
            {
                "pieces": "Pieces need bends, and bends come from the activation.",
                "steps": "No weights can bend it: whatever they are, the sum is a line.",
            },
        ),
    ),
    "bump": Prediction(
        Curve("One sigmoid rises at −½, one falls at ½. Draw their sum.", chart="sum",
              rule=sum_on_grid, x=units.X_SPAN, tolerance=0.15),
        Why(
            "What is the sum on the right, beyond ½?",
            {
                "minus": "About −1",
                "zero": "About 0",
                "one": "About 1",
            },
            "zero",
            {
                "minus": "The first sigmoid is still 1 there, and the second takes 1 away.",
                "one": "The first sigmoid is 1 there, but the second has risen, too, with height −1.",
            },
        ),
    ),
    "step-too-far": Prediction(
        Choice(
            "Scores 11, 10 and 9 in fp16, softmax by its formula. Which share does the 11 get?",
            {"right": "The right one, about 0.67", "one": "1", "zero": "0", "nan": "NaN"},
            naive_share,
        ),
        Why(
            "Why?",
            {
                "exp": "exp(11) alone is already too large for fp16",
                "sum": "The sum of the three exp is too large",
                "digits": "fp16 has too few digits",
            },
            "sum",
            {
                "exp": "Each exp still fits. Only their sum is above 65,504 and becomes inf; a number / inf is 0.",
                "digits": "Three digits are enough for a share. It is the range that ends, at 65,504.",
            },
        ),
    ),
    "underflow": Prediction(
        Choice(
            "Scores −120, −121 and −122 in fp32, softmax by its formula. Which share does the −120 get?",
            {"zero": "0", "nan": "NaN", "right": "The right one, about 0.67", "one": "1"},
            naive_share_in_32_bits,
        ),
        Why(
            "Why?",
            {
                "differences": "Only differences count",
                "small": "A tiny number becomes 0",
                "zeros": "Each exp is 0: 0 / 0",
            },
            "zeros",
            {
                "differences": "In mathematics, yes. By the formula each exp is rounded to 0 first.",
                "small": "Each exp is. But so is their sum, and 0 / 0 is NaN.",
            },
        ),
    ),
}  # fmt: skip
