"""The precision lab: softmax and log-sum-exp as the formula says and as they are done, in numbers of 16 and 32 bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.engine.frames import Figure
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.activations.figures.ranges import lanes, sizes_over

FORMATS = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
REACH = 130.0
GRID = torch.arange(-REACH, REACH + 0.25, 0.5, dtype=torch.float64)
CLOSE = 0.02  # a result this close, as a share of what is right if that is more than 1, counts as right
AXIS = "Largest score s"


def naive_softmax(z: Tensor) -> Tensor:
    """As the formula says: (..., scores) -> (..., scores)."""
    e = torch.exp(z)
    return e / e.sum(dim=-1, keepdim=True)


def stable_softmax(z: Tensor) -> Tensor:
    """The same shares, as taking one number from all scores changes nothing: (..., scores) -> (..., scores)."""
    e = torch.exp(z - z.max(dim=-1, keepdim=True).values)  # the largest is now exp(0) = 1
    return e / e.sum(dim=-1, keepdim=True)


def naive_log_sum_exp(z: Tensor) -> Tensor:
    """As the formula says: (..., scores) -> (...)."""
    return torch.log(torch.exp(z).sum(dim=-1))


def stable_log_sum_exp(z: Tensor) -> Tensor:
    """The same with the largest score taken out first and added afterwards: (..., scores) -> (...)."""
    largest = z.max(dim=-1).values
    return largest + torch.log(torch.exp(z - largest.unsqueeze(dim=-1)).sum(dim=-1))


Way = Callable[[Tensor], Tensor]


def first_share(softmax: Way) -> Way:
    """The share of the first score: (..., scores) -> (...)."""
    return lambda z: softmax(z)[..., 0]


SOFTMAX: dict[str, Way] = {"naive": first_share(naive_softmax), "stable": first_share(stable_softmax)}
LOG_SUM_EXP: dict[str, Way] = {"naive": naive_log_sum_exp, "stable": stable_log_sum_exp}


@dataclass(frozen=True)
class PrecisionConfig(Config):
    """The three scores: the largest, and the gap from each to the next."""

    # fmt: off
    largest: float = knob(12.0, "Largest score s", group="Three scores", live=True, lo=-REACH, hi=REACH, step=0.5)
    gap: float = knob(1.0, "Gap", help="The scores are s, s − gap and s − 2 · gap.", group="Three scores", live=True,
                      lo=0.0, hi=10.0, step=0.5)
    # fmt: on


def scores(largest: Tensor, gap: float) -> Tensor:
    """Three scores for each largest one, in float64: (...) -> (..., 3)."""
    return largest.unsqueeze(dim=-1) - gap * torch.arange(3, dtype=torch.float64)


def states(got: Tensor, right: Tensor) -> NDArray[np.int64]:
    """0 where the result is right, 1 where it is another number, 2 where it is inf or NaN."""
    got = got.double()
    close = (got - right).abs() <= CLOSE * right.abs().clamp(min=1.0)
    return torch.where(got.isfinite(), torch.where(close, 0, 1), 2).numpy()


def overflow(dtype: torch.dtype) -> float:
    """The smallest number of this format whose exp is inf in it, found by halving an interval."""
    low, high = 0.0, 1000.0
    while True:
        middle = torch.tensor((low + high) / 2, dtype=dtype).item()
        if middle in (low, high):
            return high
        if torch.exp(torch.tensor(middle, dtype=dtype)).isinf():
            high = middle
        else:
            low = middle


def draw_precision(config: PrecisionConfig) -> Sheet:
    """Where each way of computing is right in each format, exp itself, and what rounding costs."""
    z = scores(GRID, config.gap)
    x = GRID.numpy().astype(np.float32)
    exps = [(name, torch.exp(GRID.to(dtype)).double().numpy()) for name, dtype in FORMATS.items()]
    right = torch.softmax(z, dim=-1)
    errors = [(name, (stable_softmax(z.to(dtype)).double() - right).abs().amax(dim=-1).numpy())
              for name, dtype in FORMATS.items()]  # fmt: skip
    charts: dict[str, Figure] = {
        "softmax": _lanes(SOFTMAX, right[..., 0], z, config.largest),
        "log_sum_exp": _lanes(LOG_SUM_EXP, torch.logsumexp(z, dim=-1), z, config.largest),
        "exp": sizes_over(x, exps, decades=(-48, 48), probe=config.largest, titles=(AXIS, "exp(s) (log scale)")),
        "rounding": sizes_over(x, errors, decades=(-8, 0), probe=config.largest,
                               titles=(AXIS, "Error of the shares (log scale)")),
    }  # fmt: skip
    return Sheet(charts, _note(config), (_at(config), _limits()))


def _lanes(ways: dict[str, Way], right: Tensor, z: Tensor, probe: float) -> Figure:
    names = [f"{name} {way}" for name in FORMATS for way in ways]
    every = [states(function(z.to(dtype)), right) for dtype in FORMATS.values() for function in ways.values()]
    return lanes(GRID.numpy(), names, np.stack(every), probe=probe, title=AXIS)


def _note(config: PrecisionConfig) -> str:
    z = scores(torch.tensor(config.largest, dtype=torch.float64), config.gap)
    right = torch.softmax(z, dim=-1)
    failing = [name for name, dtype in FORMATS.items() if states(naive_softmax(z.to(dtype)), right).any()]
    if not failing:
        return f"At s = {config.largest:g} the naive softmax is right in every format."
    return f"At s = {config.largest:g} the naive softmax is wrong, or no number at all, in: **{', '.join(failing)}**."


def _at(config: PrecisionConfig) -> Table:
    """The share of the largest score and log-sum-exp, each way, in each format."""
    z = scores(torch.tensor(config.largest, dtype=torch.float64), config.gap)
    ways: list[Way] = [*SOFTMAX.values(), first_share(partial(torch.softmax, dim=-1)),
                       *LOG_SUM_EXP.values(), partial(torch.logsumexp, dim=-1)]  # fmt: skip
    rows = [
        (name, *(f"{way(z.to(dtype)).item():.6g}" for way in ways))
        for name, dtype in {**FORMATS, "fp64": torch.float64}.items()
    ]
    columns = ("Format", "Share of s, naive", "stable", "torch.softmax", "Log-sum-exp, naive", "stable ",
               "torch.logsumexp")  # fmt: skip
    return Table(columns, tuple(rows))


def _limits() -> Table:
    rows = [
        (name, f"{torch.finfo(dtype).max:.4g}", f"{overflow(dtype):.6g}", f"{torch.finfo(dtype).eps:.2g}")
        for name, dtype in FORMATS.items()
    ]
    return Table(("Format", "Largest number", "exp(s) is inf from s =", "Step from 1 to the next number"), tuple(rows))


PRECISION = Lab(
    name="activations_precision",
    title="Precision",
    sentence="Naive: as the formula says. Stable: with the largest score subtracted first, as torch does it.",
    config=PrecisionConfig,
    draw=draw_precision,
    charts=(
        Chart("softmax", "Softmax", "Where naive and stable softmax are right, in three formats."),
        Chart("log_sum_exp", "Log-sum-exp", "Where naive and stable log-sum-exp are right, in three formats."),
        Chart("exp", "exp(s), until it overflows", "The exponential in three formats on a log scale."),
        Chart("rounding", "Error of the stable softmax", "The largest error of a share in three formats."),
    ),
    presets={
        "fp16 overflows": {},
        "bf16 and fp32 overflow too": {"largest": 90.0},
        "All underflow": {"largest": -120.0},
    },
)
