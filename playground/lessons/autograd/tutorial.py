"""The lab "The tutorial": mean(v * v) of four numbers, line by line as it is there, and what its gradient means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from playground.figures import curves
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.autograd import example_programs as programs
from playground.lessons.autograd.figures import slopes
from playground.lessons.autograd.run_line_by_line import Program, perform

REACH = 6.0
PLACES = {"0, 0": (0, 0), "0, 1": (0, 1), "1, 0": (1, 0), "1, 1": (1, 1)}
WAYS: dict[str, Program] = {"tutorial": programs.tutorial, "today": programs.today}


def _entry(default: float, row: int, column: int) -> Any:
    return knob(default, f"Row {row}, column {column}", group="v", live=True, lo=-5.0, hi=5.0, step=0.1)


@dataclass(frozen=True)
class TutorialConfig(Config):
    """The four numbers, which of them is looked at, and how the program is written."""

    # fmt: off
    a: float = _entry(1.0, 0, 0)
    b: float = _entry(2.0, 0, 1)
    c: float = _entry(3.0, 1, 0)
    d: float = _entry(4.0, 1, 1)
    entry: str = knob("1, 1", "Entry to vary", group="Slope", live=True, options=tuple(PLACES),
                      help="The chart on the right changes this number alone.")
    way: str = knob("tutorial", "How it is written", group="Program", live=True, options=tuple(WAYS),
                    names={"tutorial": "With Variable", "today": "As today"})
    # fmt: on

    @property
    def numbers(self) -> programs.Numbers:
        """The four numbers as rows."""
        return (self.a, self.b), (self.c, self.d)


def gradient_of(numbers: programs.Numbers) -> tuple[float, np.ndarray[Any, Any]]:
    """mean(v * v) and its gradient, (2, 2)."""
    v = torch.tensor(numbers, requires_grad=True)
    out = torch.mean(v * v)
    (gradient,) = torch.autograd.grad(out, v)
    return out.item(), gradient.numpy()


def along(numbers: programs.Numbers, place: tuple[int, int], x: torch.Tensor) -> torch.Tensor:
    """mean(v * v) with the number at a place replaced by each of x: (grid,)."""
    v = torch.tensor(numbers).repeat(len(x), 1, 1)  # (grid, 2, 2)
    v[:, place[0], place[1]] = x
    return (v * v).mean(dim=(1, 2))


def draw_tutorial(config: TutorialConfig) -> Sheet:
    """The numbers and their gradients as bars, the slope that one of the gradients is, and the program's own output."""
    out, gradient = gradient_of(config.numbers)
    place = PLACES[config.entry]
    x = torch.linspace(-REACH, REACH, 121)
    y = along(config.numbers, place, x)
    at, slope = config.numbers[place[0]][place[1]], float(gradient[place])
    tangent = out + slope * (x - at)
    names = [f"v[{row}, {column}]" for row, column in PLACES.values()]
    bars = slopes.pairs(names, np.array(config.numbers).ravel(), gradient.ravel(), reach=REACH)
    line = curves.functions(
        x.numpy(), [("mean(v*v)", "@model", y.numpy()), ("Tangent", "@gradient", tangent.numpy())],
        probe=at, title="mean(v*v)",
    )  # fmt: skip
    line["layout"]["yaxis"]["range"] = [-8.0, 30.0]
    line["layout"]["xaxis"]["title"] = {"text": f"v[{config.entry}]", "standoff": 6}
    rows = tuple((each.code, each.said) for each in perform(WAYS[config.way], config.numbers))
    note = f"At v[{config.entry}] = {at:g} the tangent’s slope is {slope:g}: that is v.grad[{config.entry}]."
    return Sheet(
        {"bars": bars, "slope": line}, note, (Table(("Code", "What it prints"), rows, ("Code", "What it prints")),)
    )


LAB = Lab(
    name="autograd_tutorial",
    title="The tutorial",
    sentence="Four numbers, their mean(v*v), and how steeply it changes with each of them.",
    config=TutorialConfig,
    draw=draw_tutorial,
    charts=(
        Chart("bars", "Numbers and their gradients", "Two bars for each number: value and gradient."),
        Chart("slope", "One number varied, the others held", "The result over one number, with its tangent."),
    ),
    presets={
        "The tutorial": {},
        "As written today": {"way": "today"},
        "All the same": {"a": 2.0, "c": 2.0, "d": 2.0},
        "At the bottom": {"a": 0.0, "b": 0.0, "c": 0.0, "d": 0.0},
        "Negative numbers": {"a": -1.0, "b": -2.0, "c": -3.0, "d": -4.0},
    },
)  # fmt: skip
