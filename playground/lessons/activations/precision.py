"""The lab "Precision": softmax and log-sum-exp by the formula and in a stable way, in 16 and 32 bits."""

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
from playground.lessons.numbers import number

FORMATS = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
MAX_SCORE = 130.0
GRID = torch.arange(-MAX_SCORE, MAX_SCORE + 0.25, 0.5, dtype=torch.float64)
MAX_ERROR = 0.02  # of a result that counts as right; relative if the result is larger than 1

SENTENCES = {
    "right": "At s = {s} the naive softmax is right in every format.",
    "wrong": "At s = {s} the naive softmax is wrong or NaN in: **{formats}**.",
}
AXES = {"s": "Largest score s", "exp": "exp(s) (log scale)", "error": "Error of the shares (log scale)"}
LINE = "torch.exp(torch.tensor({s}, dtype=torch.float16))"
NAMES = {"naive": "{dtype} naive", "stable": "{dtype} stable"}
VALUE_COLUMNS = ("Format", "Share of s, naive", "stable", "torch.softmax", "Log-sum-exp, naive", "stable ",
                 "torch.logsumexp")  # fmt: skip
LIMIT_COLUMNS = ("Format", "Largest number", "exp(s) is inf from s =", "Step from 1 to the next number")


def naive_softmax(z: Tensor) -> Tensor:
    """Softmax exactly by its formula: (..., scores) -> (..., scores)."""
    e = torch.exp(z)
    return e / e.sum(dim=-1, keepdim=True)


def stable_softmax(z: Tensor) -> Tensor:
    """The same softmax, with the largest score subtracted from all scores first: (..., scores) -> (..., scores)."""
    e = torch.exp(z - z.max(dim=-1, keepdim=True).values)  # the largest is now exp(0) = 1
    return e / e.sum(dim=-1, keepdim=True)


def naive_log_sum_exp(z: Tensor) -> Tensor:
    """Log-sum-exp exactly by its formula: (..., scores) -> (...)."""
    return torch.log(torch.exp(z).sum(dim=-1))


def stable_log_sum_exp(z: Tensor) -> Tensor:
    """The same log-sum-exp, with the largest score subtracted first and added at the end: (..., scores) -> (...)."""
    largest = z.max(dim=-1).values
    return largest + torch.log(torch.exp(z - largest.unsqueeze(dim=-1)).sum(dim=-1))


Formula = Callable[[Tensor], Tensor]


def first_share(softmax: Formula) -> Formula:
    """A function that gives only the share of the first score: (..., scores) -> (...)."""
    return lambda z: softmax(z)[..., 0]


SOFTMAX: dict[str, Formula] = {"naive": first_share(naive_softmax), "stable": first_share(stable_softmax)}
LOG_SUM_EXP: dict[str, Formula] = {"naive": naive_log_sum_exp, "stable": stable_log_sum_exp}


@dataclass(frozen=True)
class PrecisionConfig(Config):
    """The three scores: the largest one, and the gap to the next."""

    # fmt: off
    largest: float = knob(12.0, "Largest score s", group="Three scores", live=True, bar=True, lo=-MAX_SCORE,
                          hi=MAX_SCORE, step=0.5)
    gap: float = knob(1.0, "Gap", help="The scores are s, s − gap and s − 2 · gap.", group="Three scores", live=True,
                      bar=True, lo=0.0, hi=10.0, step=0.5)
    # fmt: on


def scores(largest: Tensor, gap: float) -> Tensor:
    """Three scores for each largest score, in float64: (...) -> (..., 3)."""
    return largest.unsqueeze(dim=-1) - gap * torch.arange(3, dtype=torch.float64)


def states(result: Tensor, right: Tensor) -> NDArray[np.int64]:
    """The state of each result: 0 if it is right, 1 if it is wrong, 2 if it is inf or NaN."""
    result = result.double()
    close = (result - right).abs() <= MAX_ERROR * right.abs().clamp(min=1.0)
    return torch.where(result.isfinite(), torch.where(close, 0, 1), 2).numpy()


def overflow_point(dtype: torch.dtype) -> float:
    """The smallest number of this format whose exp is inf, found by bisection."""
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
    """Where each formula is right in each format, exp itself, the rounding errors, and two tables."""
    z = scores(GRID, config.gap)
    x = GRID.numpy().astype(np.float32)
    exps = [(name, torch.exp(GRID.to(dtype)).double().numpy()) for name, dtype in FORMATS.items()]
    right = torch.softmax(z, dim=-1)
    errors = [(name, (stable_softmax(z.to(dtype)).double() - right).abs().amax(dim=-1).numpy())
              for name, dtype in FORMATS.items()]  # fmt: skip
    charts: dict[str, Figure] = {
        "softmax": _lanes(SOFTMAX, right[..., 0], z, config.largest),
        "log_sum_exp": _lanes(LOG_SUM_EXP, torch.logsumexp(z, dim=-1), z, config.largest),
        "exp": sizes_over(x, exps, decades=(-48, 48), probe=config.largest, titles=(AXES["s"], AXES["exp"])),
        "rounding": sizes_over(x, errors, decades=(-8, 0), probe=config.largest,
                               titles=(AXES["s"], AXES["error"])),
    }  # fmt: skip
    largest = torch.tensor(config.largest, dtype=torch.float16)
    line, answer = LINE.format(s=f"{config.largest:g}"), str(torch.exp(largest))
    return Sheet(charts, _note(config), (_values(config), _limits()), line=line, answer=answer)


def _lanes(formulas: dict[str, Formula], right: Tensor, z: Tensor, probe: float) -> Figure:
    names = [NAMES[formula].format(dtype=dtype) for dtype in FORMATS for formula in formulas]
    every = [states(function(z.to(dtype)), right) for dtype in FORMATS.values() for function in formulas.values()]
    return lanes(GRID.numpy(), names, np.stack(every), probe=probe, title=AXES["s"])


def _note(config: PrecisionConfig) -> str:
    z = scores(torch.tensor(config.largest, dtype=torch.float64), config.gap)
    right = torch.softmax(z, dim=-1)
    failing = [name for name, dtype in FORMATS.items() if states(naive_softmax(z.to(dtype)), right).any()]
    if not failing:
        return SENTENCES["right"].format(s=number(config.largest))
    return SENTENCES["wrong"].format(s=number(config.largest), formats=", ".join(failing))


def _values(config: PrecisionConfig) -> Table:
    """The share of the largest score and log-sum-exp, by each formula, in each format."""
    z = scores(torch.tensor(config.largest, dtype=torch.float64), config.gap)
    formulas: list[Formula] = [*SOFTMAX.values(), first_share(partial(torch.softmax, dim=-1)),
                       *LOG_SUM_EXP.values(), partial(torch.logsumexp, dim=-1)]  # fmt: skip
    rows = [
        (name, *(_text(formula(z.to(dtype)).item(), 6) for formula in formulas))
        for name, dtype in {**FORMATS, "fp64": torch.float64}.items()
    ]
    return Table(VALUE_COLUMNS, tuple(rows))


def _text(value: float, digits: int) -> str:
    """A number as text; infinity as Python writes it, as in the sentences of this lab."""
    return number(value, digits).replace("∞", "inf")


def _limits() -> Table:
    rows = [
        (name, _text(torch.finfo(dtype).max, 4), _text(overflow_point(dtype), 6), _text(torch.finfo(dtype).eps, 2))
        for name, dtype in FORMATS.items()
    ]
    return Table(LIMIT_COLUMNS, tuple(rows))


PRECISION = Lab(
    name="activations_precision",
    title="Precision",
    sentence="Naive: exactly by the formula. Stable: with the largest score subtracted first, as in torch.",
    config=PrecisionConfig,
    draw=draw_precision,
    charts=(
        Chart("softmax", "Softmax", "Where naive and stable softmax are right, in three formats."),
        Chart("log_sum_exp", "Log-sum-exp", "Where naive and stable log-sum-exp are right, in three formats."),
        Chart("exp", "exp(s)", "The exponential in three formats on a log scale."),
        Chart("rounding", "Rounding errors", "The largest error of a share in three formats."),
    ),
)
