"""The lab "Build a function": a sum of a few bent lines, set by hand, and then improved by Adam."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playground.data.datasets import TARGETS, Target
from playground.figures.functions import sum_of_units
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.activations.figures.ranges import sizes_over
from playground.lessons.numbers import number
from playground.training.models import ACTIVATIONS

MAX_UNITS = 6
POINTS = 121
X_SPAN, Y_SPAN = (-1.0, 1.0), (-1.6, 1.6)
LEARNING_RATE = 0.05

SENTENCES = {
    "error": "Mean squared error: **{error}**. The best horizontal line would have {best}.",
    "unused": "Unit {unit} is not in use: increase the number of units, or choose another unit.",
    "one_step": "The chart and the table show the units after 1 step of Adam; the sliders keep the start.",
    "steps": "The chart and the table show the units after {steps} steps of Adam; the sliders keep the start.",
}
COLUMNS = ("Unit", "Weight w", "Bias b", "Height v", "Bends at x")
NO_BEND = "nowhere"
LINE = "(units(x, parts, activation).sum(dim=0) - y).square().mean()"
AXES = {"loss": "Loss", "steps": "Step of Adam", "log_loss": "Loss (log scale)"}
MAX_STEPS = 60
STRAIGHT = ("identity",)  # activations without a bend
BUMP = Target("bump: 1 from −½ to ½", lambda x: (x.abs() < 0.5).to(x.dtype), "(x.abs() < 0.5).to(x.dtype)")
UNIT_TARGETS = TARGETS | {"bump": BUMP}


def _slider(index: int, default: float, label: str, words: str) -> float:
    """A slider of one unit, shown while that unit is chosen."""
    value: float = knob(default, label, help=words, group="The chosen unit", live=True, bar=True, lo=-6.0, hi=6.0,
                        step=0.05, shy=True, applies=lambda config: config.turned == index)  # fmt: skip
    return value


def _w(index: int, default: float) -> float:
    return _slider(index, default, "Weight w", "The slope of the unit’s line before the activation.")


def _b(index: int, default: float) -> float:
    return _slider(index, default, "Bias b", "Moves the bend: it is at x = −b / w.")


def _v(index: int, default: float) -> float:
    return _slider(index, default, "Height v", "The unit’s output is multiplied by this; a negative height flips it.")


@dataclass(frozen=True)
class UnitsConfig(Config):
    """The units, the one to set by hand, the target, and the number of steps of Adam."""

    # fmt: off
    descent: int = knob(0, "Steps of Adam", help="Starting from your sliders, Adam adjusts all of them.",
                        group="Function", live=True, lo=0, hi=MAX_STEPS)
    units: int = knob(2, "Units", group="Function", live=True, lo=1, hi=MAX_UNITS)
    activation: str = knob("relu", "Activation", group="Function", live=True, options=tuple(ACTIVATIONS),
                           names={name: each.label for name, each in ACTIVATIONS.items()})
    target: str = knob("absolute", "Target", group="Function", live=True, options=tuple(UNIT_TARGETS),
                       names={name: each.label for name, each in UNIT_TARGETS.items()})
    turned: int = knob(1, "Unit to change", group="The chosen unit", live=True, bar=True,
                        options=tuple(range(1, MAX_UNITS + 1)))
    w1: float = _w(1, 1.0)
    b1: float = _b(1, 0.5)
    v1: float = _v(1, 1.0)
    w2: float = _w(2, -1.0)
    b2: float = _b(2, 0.5)
    v2: float = _v(2, 1.0)
    w3: float = _w(3, 1.0)
    b3: float = _b(3, -0.5)
    v3: float = _v(3, 0.5)
    w4: float = _w(4, -1.0)
    b4: float = _b(4, -0.5)
    v4: float = _v(4, 0.5)
    w5: float = _w(5, 2.0)
    b5: float = _b(5, 0.0)
    v5: float = _v(5, 0.25)
    w6: float = _w(6, -2.0)
    b6: float = _b(6, 0.0)
    v6: float = _v(6, 0.25)
    # fmt: on

    def values_of(self, letter: str) -> list[float]:
        """The values of one letter (w, b or v) of all units in use."""
        return [float(getattr(self, f"{letter}{index}")) for index in range(1, self.units + 1)]


def units(x: Tensor, parts: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
    """The part of each unit at each x: v · activation(w x + b), where parts of shape (..., 3, units) are w, b and v.

    The result is (..., units, x); its sum over the units is the function.
    """
    w, b, v = parts.unsqueeze(dim=-1).unbind(dim=-3)  # each (..., units, 1)
    return v * activation(w * x + b)


def train_units(x: Tensor, y: Tensor, parts: Tensor, activation: Callable[[Tensor], Tensor], steps: int) -> Tensor:
    """The parts before and after each step of Adam towards the target: (1 + steps, 3, units)."""
    parts = parts.clone().requires_grad_()
    optimizer = torch.optim.Adam([parts], lr=LEARNING_RATE)
    path = [parts.detach().clone()]
    for _ in range(steps):
        loss = (units(x, parts, activation).sum(dim=0) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        path.append(parts.detach().clone())
    return torch.stack(path)


def draw_units(config: UnitsConfig) -> Sheet:
    """The units, their sum and the target, and the loss over the steps of Adam from there."""
    x = torch.linspace(*X_SPAN, POINTS)
    y = UNIT_TARGETS[config.target].function(x)
    activation = ACTIVATIONS[config.activation].module()
    start = torch.tensor([config.values_of(letter) for letter in "wbv"])  # (3, units)
    path = train_units(x, y, start, activation, MAX_STEPS)
    losses = (units(x, path, activation).sum(dim=-2) - y).square().mean(dim=-1)  # (1 + steps,)
    added = units(x, path[config.descent], activation)
    chosen = config.turned - 1 if config.turned <= config.units else None
    best = (y - y.mean()).square().mean().item()
    steps = np.arange(MAX_STEPS + 1, dtype=np.float32)
    charts = {
        "sum": sum_of_units(x.numpy(), y.numpy(), added.sum(dim=0).numpy(), added.numpy(), chosen=chosen,
                            spans=(X_SPAN, Y_SPAN)),
        "loss": sizes_over(steps, [(AXES["loss"], losses.numpy())], decades=(-6, 2), probe=config.descent,
                           titles=(AXES["steps"], AXES["log_loss"])),
    }  # fmt: skip
    straight = config.activation in STRAIGHT
    parts = path[config.descent].T.tolist()
    rows = tuple(_row(index, *each, straight=straight) for index, each in enumerate(parts, start=1))
    sentences = [SENTENCES["error"].format(error=number(losses[config.descent].item(), 4), best=number(best, 4))]
    if config.descent:
        sentences.append(SENTENCES["one_step" if config.descent == 1 else "steps"].format(steps=config.descent))
    if chosen is None:
        sentences.append(SENTENCES["unused"].format(unit=config.turned))
    answer = str(losses[config.descent])
    return Sheet(charts, " ".join(sentences), (Table(COLUMNS, rows),), line=LINE, answer=answer)


def _row(index: int, w: float, b: float, v: float, *, straight: bool) -> tuple[str, ...]:
    bend = NO_BEND if straight or abs(w) <= 1e-9 else number(-b / w)
    return str(index), number(w), number(b), number(v), bend


UNITS = Lab(
    name="activations_units",
    title="Build a function",
    sentence="Each unit gives v · activation(w x + b). Move the sliders until the sum matches the target.",
    config=UnitsConfig,
    draw=draw_units,
    charts=(
        Chart("sum", "Units and their sum", "Points of the target, the part of each unit, and the sum."),
        Chart(
            "loss",
            "If Adam continues",
            "The loss over further steps of Adam. Click or drag to take them.",
            turns=("descent",),
        ),
    ),
)
