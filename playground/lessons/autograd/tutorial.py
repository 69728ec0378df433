"""The lab "The tutorial": mean(v * v) of four numbers, line by line as in the tutorial, and what its gradient means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from playground.figures import curves
from playground.figures.parts import dot
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.autograd import example_programs as programs
from playground.lessons.autograd.figures import slopes
from playground.lessons.numbers import number
from playground.lessons.run_line_by_line import Program, run_program

MAX_X, MAX_BAR = 6.0, 6.0  # of the curve, and of the bars
ENTRIES = {"0, 0": (0, 0), "0, 1": (0, 1), "1, 0": (1, 0), "1, 1": (1, 1)}
PROGRAMS: dict[str, Program] = {"tutorial": programs.tutorial, "today": programs.today}
NOTE = "At v[{entry}] = {value} the slope of the tangent is {slope}: this is v.grad[{entry}]."
COLUMNS = ("Code", "What it prints")


def _entry(default: float, row: int, column: int, *, bar: bool = False) -> Any:
    return knob(default, f"v[{row}, {column}]", group="v", live=True, bar=bar, lo=-5.0, hi=5.0, step=0.1)


@dataclass(frozen=True)
class TutorialConfig(Config):
    """The four numbers, the one that the chart varies, and how the program is written."""

    # fmt: off
    a: float = _entry(1.0, 0, 0)
    b: float = _entry(2.0, 0, 1)
    c: float = _entry(3.0, 1, 0)
    d: float = _entry(4.0, 1, 1, bar=True)
    entry: str = knob("1, 1", "Entry to vary", group="Slope", live=True, bar=True, options=tuple(ENTRIES),
                      help="The curve varies only this number.")
    way: str = knob("tutorial", "How it is written", group="Program", live=True, bar=True, options=tuple(PROGRAMS),
                    names={"tutorial": "With Variable", "today": "As today"})
    # fmt: on

    @property
    def numbers(self) -> programs.Numbers:
        """The four numbers as rows."""
        return (self.a, self.b), (self.c, self.d)


def gradient_of(numbers: programs.Numbers) -> tuple[float, np.ndarray[Any, Any]]:
    """The value of mean(v * v) and its gradient, (2, 2)."""
    v = torch.tensor(numbers, requires_grad=True)
    out = torch.mean(v * v)
    (gradient,) = torch.autograd.grad(out, v)
    return out.item(), gradient.numpy()


def along(numbers: programs.Numbers, place: tuple[int, int], x: torch.Tensor) -> torch.Tensor:
    """The values of mean(v * v) with one entry replaced by each number of x: (grid,)."""
    v = torch.tensor(numbers).repeat(len(x), 1, 1)  # (grid, 2, 2)
    v[:, place[0], place[1]] = x
    return (v * v).mean(dim=(1, 2))


def draw_tutorial(config: TutorialConfig) -> Sheet:
    """The numbers and their gradients as bars, one gradient as a slope, and the output of the program."""
    out, gradient = gradient_of(config.numbers)
    place = ENTRIES[config.entry]
    x = torch.linspace(-MAX_X, MAX_X, 121)
    y = along(config.numbers, place, x)
    at, slope = config.numbers[place[0]][place[1]], float(gradient[place])
    tangent = out + slope * (x - at)
    names = [f"[{row}, {column}]" for row, column in ENTRIES.values()]
    bars = slopes.pairs(names, np.array(config.numbers).ravel(), gradient.ravel(), limit=MAX_BAR)
    line = curves.functions(
        x.numpy(), [("mean(v*v)", "@model", y.numpy()), ("Tangent", "@gradient", tangent.numpy())],
        probe=at, title="mean(v*v)",
    )  # fmt: skip
    line["layout"]["shapes"].append(dot(at, out))
    line["layout"]["yaxis"]["range"] = [-8.0, 30.0]
    line["layout"]["xaxis"]["title"] = {"text": f"v[{config.entry}]", "standoff": 6}
    rows = tuple((each.code, each.output) for each in run_program(PROGRAMS[config.way], config.numbers))
    note = NOTE.format(entry=config.entry, value=number(at), slope=number(slope))
    table = Table(COLUMNS, rows, code=COLUMNS)
    printed = " ".join(str(torch.from_numpy(gradient)).split())
    return Sheet({"bars": bars, "slope": line}, note, (table,), line="v.grad", answer=printed)


LAB = Lab(
    name="autograd_tutorial",
    title="The tutorial",
    sentence="Four numbers, their mean(v*v), and how fast it changes with each of them.",
    config=TutorialConfig,
    draw=draw_tutorial,
    charts=(
        Chart("slope", "One number varies, the others stay", "The result over one number, with its tangent."),
        Chart("bars", "Numbers and their gradients", "Two bars for each number: value and gradient."),
    ),
)  # fmt: skip
