"""The lab where a student builds a function by hand, of a few bent lines, and may then let gradient descent go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playground.data.datasets import TARGETS
from playground.figures.functions import sum_of_units
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.activations.figures.ranges import sizes_over
from playground.training.models import ACTIVATIONS

MOST_UNITS = 6
POINTS = 121
X_SPAN, Y_SPAN = (-1.0, 1.0), (-1.6, 1.6)
LEARNING_RATE = 0.05
MOST_STEPS = 60


def _of_unit(index: int, default: float, label: str, words: str) -> float:
    """A slider of one unit, shown while that unit is chosen."""
    value: float = knob(default, label, help=words, group="The chosen unit", live=True, lo=-6.0, hi=6.0, step=0.05,
                        shy=True, applies=lambda config: config.turned == index)  # fmt: skip
    return value


def _w(index: int, default: float) -> float:
    return _of_unit(index, default, "Weight w", "How steeply the unit's line rises before it is bent.")


def _b(index: int, default: float) -> float:
    return _of_unit(index, default, "Bias b", "Moves the bend: it is at x = −b / w.")


def _v(index: int, default: float) -> float:
    return _of_unit(index, default, "Height v", "What the unit's output is multiplied by; below 0 it is turned over.")


@dataclass(frozen=True)
class UnitsConfig(Config):
    """The units, the one that is being turned, the target, and how long gradient descent goes on by itself."""

    # fmt: off
    descent: int = knob(0, "Steps of gradient descent", help="From your sliders on, torch turns them all, with Adam.",
                        group="Function", live=True, lo=0, hi=MOST_STEPS)
    units: int = knob(2, "Units", group="Function", live=True, lo=1, hi=MOST_UNITS)
    activation: str = knob("relu", "Activation", group="Function", live=True, options=tuple(ACTIVATIONS),
                           names={name: each.label for name, each in ACTIVATIONS.items()})
    target: str = knob("absolute", "Target", group="Function", live=True, options=tuple(TARGETS),
                       names={name: each.label for name, each in TARGETS.items()})
    turned: int = knob(1, "Unit to turn", group="The chosen unit", live=True, options=tuple(range(1, MOST_UNITS + 1)))
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

    def of_units(self, letter: str) -> list[float]:
        """One kind of slider, of every unit in use."""
        return [float(getattr(self, f"{letter}{index}")) for index in range(1, self.units + 1)]


def units(x: Tensor, parts: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
    """What each unit adds at each x: v · activation(w x + b), where parts of shape (..., 3, units) are w, b and v.

    The result is (..., units, x); its sum over the units is the function.
    """
    w, b, v = parts.unsqueeze(dim=-1).unbind(dim=-3)  # each (..., units, 1)
    return v * activation(w * x + b)


def descend(x: Tensor, y: Tensor, parts: Tensor, activation: Callable[[Tensor], Tensor], steps: int) -> Tensor:
    """The parts before, between and after some steps of Adam towards the target: (1 + steps, 3, units)."""
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
    """The units and their sum against the target, and the loss on the way that gradient descent takes from there."""
    x = torch.linspace(*X_SPAN, POINTS)
    y = TARGETS[config.target].function(x)
    activation = ACTIVATIONS[config.activation].module()
    start = torch.tensor([config.of_units(letter) for letter in "wbv"])  # (3, units)
    path = descend(x, y, start, activation, MOST_STEPS)
    losses = (units(x, path, activation).sum(dim=-2) - y).square().mean(dim=-1)  # (1 + steps,)
    added = units(x, path[config.descent], activation)
    chosen = config.turned - 1 if config.turned <= config.units else None
    level = (y - y.mean()).square().mean().item()
    steps = np.arange(MOST_STEPS + 1, dtype=np.float32)
    charts = {
        "sum": sum_of_units(x.numpy(), y.numpy(), added.sum(dim=0).numpy(), added.numpy(), chosen=chosen,
                            spans=(X_SPAN, Y_SPAN)),
        "loss": sizes_over(steps, [("Loss", losses.numpy())], decades=(-6, 2), probe=config.descent,
                           titles=("Step of gradient descent", "Loss (log scale)")),
    }  # fmt: skip
    rows = tuple(_row(number, *each) for number, each in enumerate(path[config.descent].T.tolist(), start=1))
    note = f"Mean squared error: **{losses[config.descent]:.4g}**. The best level line would have {level:.4g}."
    if chosen is None:
        note += f" Unit {config.turned} is not in use: raise the number of units, or turn another one."
    return Sheet(charts, note, (Table(("Unit", "Weight w", "Bias b", "Height v", "Bends at x"), rows),))


def _row(index: int, w: float, b: float, v: float) -> tuple[str, ...]:
    bend = f"{-b / w:.3g}" if abs(w) > 1e-9 else "nowhere"
    return str(index), f"{w:.3g}", f"{b:.3g}", f"{v:.3g}", bend


UNITS = Lab(
    name="activations_units",
    title="Build a function",
    sentence="Each unit gives v · activation(w x + b). Turn the sliders until the sum meets the target.",
    config=UnitsConfig,
    draw=draw_units,
    charts=(
        Chart("sum", "Units and their sum", "Points of the target, each unit's part, and the sum.", tall=True),
        Chart("loss", "If gradient descent goes on", "The loss over the steps that Adam takes on.", tall=True),
    ),
    presets={
        "Two ReLUs": {},
        "One unit": {"units": 1},
        "Six units, by gradient descent": {"units": 6, "target": "square", "descent": 60},
        "A bump of two sigmoids": {"activation": "sigmoid", "w1": 6.0, "b1": 3.0, "w2": 6.0, "b2": -3.0, "v2": -1.0},
        "No bend": {"units": 6, "activation": "identity"},
    },
)
