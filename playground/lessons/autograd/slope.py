"""The lab "Slopes by hand": finite differences compared with autograd, and why no step ε is right."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playground.engine.frames import Figure
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.autograd.figures import slopes
from playground.lessons.numbers import number
from playground.parsing.expressions import Expression, parse

GRID = 301
EXPONENTS = torch.arange(-14, 0.01, 0.25, dtype=torch.float64)
METHODS = {"central": "Central", "forward": "Forward"}
COLUMNS = ("Numbers", "Measured slope at ε = {eps}", "Error", "Best ε", "Autograd", "Autograd’s error")
NO_BEST = "–"
LINES = {"central": "(f(x + ε) - f(x - ε)) / (2 * ε)  # ε = {eps}", "forward": "(f(x + ε) - f(x)) / ε  # ε = {eps}"}
SENTENCES = {"note": "Autograd: {autograd}. The measured slope is off by {error}."}


@dataclass(frozen=True)
class SlopeConfig(Config):
    """The function, the point, and how its slope is measured."""

    # fmt: off
    formula: str = knob("sin(x)", "f(x)", group="Function", live=True, bar=True, max_length=120,
                        help="A formula in x, such as x**3 - 2*x or exp(-x**2).")
    x: float = knob(1.0, "Point x", help="Or click or drag in the chart.", group="Function",
                    live=True, bar=True, lo=-3.0, hi=3.0, step=0.05)
    exponent: float = knob(0.0, "Step ε, as a power of ten", help="−3 means ε = 0.001.", group="Difference",
                           live=True, bar=True, lo=-14.0, hi=0.0, step=0.25)
    method: str = knob("central", "Difference", group="Difference", live=True, bar=True, options=tuple(METHODS),
                       names=METHODS, help="Central: (f(x+ε) − f(x−ε)) / 2ε. Forward: (f(x+ε) − f(x)) / ε.")
    # fmt: on


def difference(f: Expression, x: Tensor, eps: Tensor, method: str) -> Tensor:
    """The slope of f at x from two values of f, for each step in eps; in the dtype of x and eps."""
    right = f.evaluate({"x": x + eps})
    if method == "forward":
        return (right - f.evaluate({"x": x})) / eps
    return (right - f.evaluate({"x": x - eps})) / (2 * eps)


def slope_of(f: Expression, x: float, dtype: torch.dtype) -> tuple[float, float]:
    """The value f(x) and the slope f′(x) by autograd, in one dtype."""
    point = torch.tensor(x, dtype=dtype, requires_grad=True)
    y = f.evaluate({"x": point})
    if not y.requires_grad:
        return y.item(), 0.0  # the formula does not contain x
    (slope,) = torch.autograd.grad(y, point)
    return y.item(), slope.item()


def draw_slope(config: SlopeConfig) -> Sheet:
    """The function with tangent and chord, and the error of the measured slope over the step ε."""
    f = parse(config.formula, ["x"])
    f.refuse_mixing()
    y, true = slope_of(f, config.x, torch.float64)
    eps, now = 10**EXPONENTS, 10**config.exponent
    errors, rows = [], []
    for name, dtype in (("float32", torch.float32), ("float64", torch.float64)):
        measured = difference(f, torch.tensor(config.x, dtype=dtype), eps.to(dtype), config.method).double()
        wrong = (measured - true).abs().broadcast_to(eps.shape)
        errors.append((name, wrong.numpy()))
        here = difference(f, torch.tensor(config.x, dtype=dtype), torch.tensor(now, dtype=dtype), config.method).item()
        by_autograd = slope_of(f, config.x, dtype)[1]
        rows.append((name, number(here, 10), number(abs(here - true), 2), best_step(eps, wrong),
                     number(by_autograd, 10), number(abs(by_autograd - true), 2)))  # fmt: skip
    columns = tuple(column.format(eps=number(now)) for column in COLUMNS)
    figures = {"curve": _curve(f, config, y, true), "error": slopes.error_curves(eps.numpy(), errors, now)}
    _, measured_slope, off, _, exact, _ = rows[-1]
    note = SENTENCES["note"].format(autograd=exact, error=off)
    table = Table(columns, tuple(rows))
    return Sheet(figures, note, (table,), line=LINES[config.method].format(eps=number(now)), answer=measured_slope)


def best_step(eps: Tensor, errors: Tensor) -> str:
    """The step with the smallest error, or the largest of several; a dash if all errors are equal or not finite."""
    errors = errors.nan_to_num(math.inf, math.inf)
    best = errors.min()
    if best == errors.max():
        return NO_BEST
    return number(float(eps[errors == best].max()), 1)


def _curve(f: Expression, config: SlopeConfig, y: float, true: float) -> Figure:
    x = torch.linspace(-4, 4, GRID)
    values = f.evaluate({"x": x}).broadcast_to(x.shape).numpy()
    eps = 10**config.exponent
    ends = torch.tensor(
        [config.x - eps if config.method == "central" else config.x, config.x + eps], dtype=torch.float64
    )
    chord = f.evaluate({"x": ends}).broadcast_to(ends.shape)
    return slopes.tangent(x.numpy(), values, (config.x, y), true, (ends.numpy(), np.asarray(chord)))


LAB = Lab(
    name="autograd_slope",
    title="Slopes by hand",
    sentence="Two values of f are enough to measure a slope. Why does nobody train that way?",
    config=SlopeConfig,
    draw=draw_slope,
    charts=(
        Chart(
            "curve",
            "Function, tangent and chord",
            "The function, its tangent by autograd, and the chord. Click or drag to move the point.",
            turns=("x",),
        ),
        Chart("error", "Error over the step", "The error of the measured slope over ε, in float32 and float64."),
    ),
)
