"""The table of activations, each with its formula and its parameters, for menus, charts and tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

X_RANGE = 5.0  # x goes from -5 to 5, as in the tutorial; the spans below are for this range
RELU_SPAN = (-1.0, 5.0)  # the tutorial's y limits for ReLU
SLOPE_SPAN = (-0.2, 1.2)


def softmax_of_one(x: Tensor, temperature: float = 1.0, rivals: int = 1) -> Tensor:
    """The softmax of a score x with `rivals` other scores of 0; shaped like x."""
    scores = torch.stack([x, *[torch.zeros_like(x)] * rivals], dim=-1)  # (..., 1 + rivals)
    return functional.softmax(scores / temperature, dim=-1)[..., 0]


def swish(x: Tensor, beta: float = 1.0) -> Tensor:
    """Swish, x · sigmoid(βx), shaped like x; torch's SiLU is the one with β = 1."""
    return functional.silu(beta * x) / beta


def step(x: Tensor) -> Tensor:
    """0 below zero, 1 above, 1/2 at zero; shaped like x. Uses sign, since torch.heaviside has no derivative."""
    return (torch.sign(x) + 1) / 2


@dataclass(frozen=True)
class Function:
    """An activation: its label, torch's function, its formula, and its code in torch.

    `span` and `slope_span` are the y limits of its chart and of its slope's for x within ±X_RANGE. `parameters` are the
    defaults of its parameters, by the names of the knobs and of the function's arguments. At `kinks` it has no
    derivative, at least for some parameters.
    """

    label: str
    function: Callable[..., Tensor]
    formula: str
    code: str
    span: tuple[float, float]
    slope_span: tuple[float, float] = SLOPE_SPAN
    parameters: Mapping[str, float | int] = field(default_factory=dict)
    kinks: tuple[float, ...] = ()

    def with_parameters(self, values: Mapping[str, float | int]) -> Callable[[Tensor], Tensor]:
        """The function of x only, with its parameters taken from the values."""
        return partial(self.function, **{name: values[name] for name in self.parameters})


FUNCTIONS: dict[str, Function] = {
    "relu": Function("ReLU", functional.relu, "max(0, x)", "F.relu(x)", RELU_SPAN, kinks=(0.0,)),
    "sigmoid": Function("Sigmoid", torch.sigmoid, "1 / (1 + e⁻ˣ)", "torch.sigmoid(x)", (-0.2, 1.2)),
    "tanh": Function("Tanh", torch.tanh, "(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)", "torch.tanh(x)", (-1.2, 1.2)),
    "softplus": Function(
        "Softplus", functional.softplus, "log(1 + e^(βx)) / β", "F.softplus(x, beta)", (-0.2, 6.0),
        parameters={"beta": 1.0},
    ),
    "softmax": Function(
        "Softmax", softmax_of_one, "e^(x/T) / (e^(x/T) + rivals)", "F.softmax(scores / T, dim=-1)", (-0.2, 1.2),
        parameters={"temperature": 1.0, "rivals": 1},
    ),
    "leaky_relu": Function(
        "Leaky ReLU", functional.leaky_relu, "x above 0, slope · x below", "F.leaky_relu(x, negative_slope)",
        (-2.7, 5.0), parameters={"negative_slope": 0.01}, kinks=(0.0,),
    ),
    "elu": Function(
        "ELU", functional.elu, "x above 0, α(eˣ − 1) below", "F.elu(x, alpha)", (-2.2, 5.0), (-0.2, 2.2),
        parameters={"alpha": 1.0}, kinks=(0.0,),
    ),
    "gelu": Function("GELU", functional.gelu, "x · Φ(x), Φ of the normal distribution", "F.gelu(x)", RELU_SPAN),
    "silu": Function(
        "SiLU (Swish)", swish, "x / (1 + e^(−βx))", "F.silu(x) where β = 1", RELU_SPAN, parameters={"beta": 1.0}
    ),
    "mish": Function("Mish", functional.mish, "x · tanh(log(1 + eˣ))", "F.mish(x)", RELU_SPAN),
    "hardswish": Function(
        "Hardswish", functional.hardswish, "x · min(max(x + 3, 0), 6) / 6", "F.hardswish(x)", RELU_SPAN, (-0.7, 1.7),
        kinks=(-3.0, 3.0),
    ),
    "step": Function("Step", step, "0 below 0, 1 above", "(torch.sign(x) + 1) / 2", (-0.2, 1.2), kinks=(0.0,)),
}  # fmt: skip
NAMES = {name: each.label for name, each in FUNCTIONS.items()}


def with_slope(function: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """The values f(x) and the derivative by autograd, both shaped like x."""
    x = x.detach().requires_grad_()
    y = function(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    return y.detach(), slope


def has_kink(function: Callable[[Tensor], Tensor], x: float) -> bool:
    """Whether the function jumps at x or has different slopes on its left and right."""
    left, right = sides(function, x)
    before, after = function(torch.tensor([x - 1e-7, x + 1e-7], dtype=torch.float64)).tolist()
    return abs(left - right) > 1e-3 or abs(after - before) > 1e-3


def sides(function: Callable[[Tensor], Tensor], kink: float, width: float = 1e-6) -> tuple[float, float]:
    """The slopes just left and just right of a kink, from finite differences."""
    at = kink + torch.tensor([-2, -1, 1, 2], dtype=torch.float64) * width
    y = function(at)
    return float(y[1] - y[0]) / width, float(y[3] - y[2]) / width
