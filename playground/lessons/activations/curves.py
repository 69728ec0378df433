"""The labs "Curves" and "All at once": one activation with its slope (or two to compare), and all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from playground.engine.frames import Figure
from playground.figures.functions import Line, Tile, function_chart, tiles
from playground.figures.tables import with_table
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.activations.functions import FUNCTIONS, NAMES, X_RANGE, Function, has_kink, sides, with_slope
from playground.lessons.numbers import number

GRID_POINTS, TILE_POINTS = 401, 121
COLUMNS = 4  # of the chart of all functions
NONE = "none"
NEAR = 1e-6  # distance from a kink up to which the curve is drawn

SENTENCES = {
    "outside": "The probe at {probe} is outside the charts: increase the range of x to see it.",
    "softmax": "Softmax is a function of several scores: here of x and its rivals, whose scores are all 0.",
}
VALUE_COLUMNS = ("Function", "f(x)", "In PyTorch", "x", "f(x) there", "Slope there")
KINK_COLUMNS = ("Kink or jump of", "at x", "Slope just left", "Slope just right", "Slope in torch")
ALL_COLUMNS = ("Function", "Formula", "f({probe})", "Slope at {probe}")
LINE = "torch.autograd.grad(f(x), x)  # f: {label}, x = {x}"
ALL_LINE = "x = torch.tensor({x}); F.relu(x), F.silu(x), torch.tanh(x)"
CSV_COLUMNS = ("Function", "x", "f(x)", "Slope")
MARKS, SLOPE = "Slope in torch", "Slope"  # in the legends


def _parameter(parameter: str, *, bar: bool = False) -> dict[str, object]:
    """The arguments of a knob for one parameter, shown while a chosen function has it."""

    def applies(config: CurvesConfig) -> bool:
        return any(parameter in FUNCTIONS[name].parameters for name in config.shown)

    return {"group": "Parameters", "live": True, "bar": bar, "shy": True, "applies": applies}


@dataclass(frozen=True)
class CurvesConfig(Config):
    """The functions to draw, their parameters, and the probe."""

    # fmt: off
    probe: float = knob(1.0, "Probe x", help="Where the tangent is. Click in a chart to move it.", group="Function",
                        live=True, bar=True, lo=-10.0, hi=10.0, step=0.1)
    function: str = knob("relu", "Function", group="Function", live=True, bar=True, options=tuple(FUNCTIONS),
                         names=NAMES)
    against: str = knob(NONE, "Compare with", group="Function", live=True, bar=True, options=(NONE, *FUNCTIONS),
                        names={NONE: "Nothing"} | NAMES)
    reach: float = knob(X_RANGE, "Range of x", help="The charts go from minus this to this; 5 in the tutorial.",
                        group="Function", live=True, lo=1.0, hi=10.0, step=0.5)
    negative_slope: float = knob(0.01, "Slope below 0", help="For Leaky ReLU.", lo=0.0, hi=0.5, step=0.01,
                                 **_parameter("negative_slope"))
    alpha: float = knob(1.0, "Alpha α", help="ELU goes down to −α.", lo=0.1, hi=2.0, step=0.1, **_parameter("alpha"))
    beta: float = knob(1.0, "Beta β", help="How sharp the bend is.", lo=0.5, hi=10.0, step=0.1,
                       **_parameter("beta", bar=True))
    temperature: float = knob(1.0, "Temperature T", help="Scores are divided by it before softmax.", lo=0.25, hi=5.0,
                              step=0.05, **_parameter("temperature"))
    rivals: int = knob(1, "Rivals", help="Number of other scores, which are all 0.", lo=1, hi=9,
                       **_parameter("rivals", bar=True))
    # fmt: on

    @property
    def shown(self) -> tuple[str, ...]:
        """The names of the functions to draw, each once."""
        return tuple(dict.fromkeys(name for name in (self.function, self.against) if name != NONE))

    @property
    def parameters(self) -> dict[str, float | int]:
        """All parameters by name."""
        return {name: getattr(self, name) for each in FUNCTIONS.values() for name in each.parameters}


def grid(reach: float, points: int, kinks: tuple[float, ...]) -> Tensor:
    """Evenly spaced x within ±reach, with a narrow gap (NaN) at each kink, so that a jump is not drawn as a line."""
    x = torch.linspace(-reach, reach, points, dtype=torch.float64)
    for kink in kinks:
        around = torch.tensor([kink - NEAR, torch.nan, kink + NEAR], dtype=torch.float64)
        x = torch.cat([x[~(x >= kink - NEAR)], around, x[x > kink + NEAR]])  # keeps the earlier gaps, which are NaN
    return x


def _lines(chosen: Function, config: CurvesConfig, first: bool) -> tuple[Line, Line, tuple[float, float, float]]:
    """The function and its slope as lines, and (x, y, slope) at the probe."""
    function = chosen.with_parameters(config.parameters)
    x = grid(config.reach, GRID_POINTS, chosen.kinks)
    y, slope = (each.where(~x.isnan(), torch.nan) for each in with_slope(function, x))
    at, at_slope = with_slope(function, torch.tensor([config.probe], dtype=torch.float64))
    kinks = [kink for kink in chosen.kinks if abs(kink) <= config.reach and has_kink(function, kink)]
    _, slope_in_torch = with_slope(function, torch.tensor(kinks, dtype=torch.float64))
    colours, dash = (("@model", "@gradient"), "solid") if first else (("@mark", "@mark"), "dash")
    marked = list(zip(kinks, slope_in_torch.tolist(), strict=True))
    return (
        Line(chosen.label, colours[0], x.numpy(), y.numpy(), dash),
        Line(chosen.label, colours[1], x.numpy(), slope.numpy(), dash, marked),
        (config.probe, at.item(), at_slope.item()),
    )


def draw_curves(config: CurvesConfig) -> Sheet:
    """The functions with tangents, their slopes, and tables of both at the probe and at the kinks."""
    shown = [FUNCTIONS[name] for name in config.shown]
    drawn = [_lines(each, config, each is shown[0]) for each in shown]
    probed = [at for _, _, at in drawn] if abs(config.probe) <= config.reach else []
    x_span = (-config.reach, config.reach)
    y_span = (min(each.span[0] for each in shown), max(each.span[1] for each in shown))
    slopes = (min(each.slope_span[0] for each in shown), max(each.slope_span[1] for each in shown))
    charts: dict[str, Figure] = {
        "function": function_chart([line for line, _, _ in drawn], [(x, y) for x, y, _ in probed], title="f(x)",
                                   spans=(x_span, y_span), tangents=probed),
        "slope": function_chart([line for _, line, _ in drawn], [(x, slope) for x, _, slope in probed],
                                title="Slope f′(x)", spans=(x_span, slopes),
                                marks=MARKS),
    }  # fmt: skip
    sentences = [] if probed else [SENTENCES["outside"].format(probe=number(config.probe))]
    if "softmax" in config.shown:
        sentences.append(SENTENCES["softmax"])
    tables = (_values(shown, drawn), *_kinks(shown, config))
    line = LINE.format(x=f"{config.probe:g}", label=shown[0].label)
    answer = str((torch.tensor(drawn[0][2][2]),))
    return Sheet(charts, " ".join(sentences), tables, line=line, answer=answer)


def _values(shown: list[Function], drawn: list[tuple[Line, Line, tuple[float, float, float]]]) -> Table:
    rows = [
        (each.label, each.formula, each.code, number(x), number(y, 6), number(slope, 6))
        for each, (_, _, (x, y, slope)) in zip(shown, drawn, strict=True)
    ]
    return Table(VALUE_COLUMNS, tuple(rows), code=("In PyTorch",))


def _kinks(shown: list[Function], config: CurvesConfig) -> tuple[Table, ...]:
    """A table of the kinks, if there are any: the slope on each side, and the slope in torch."""
    rows = []
    for each in shown:
        function = each.with_parameters(config.parameters)
        for kink in filter(partial(has_kink, function), each.kinks):
            left, right = (_slope_text(side) for side in sides(function, kink))
            _, slope = with_slope(function, torch.tensor([kink], dtype=torch.float64))
            rows.append((each.label, number(kink), left, right, number(slope.item(), 4)))
    return (Table(KINK_COLUMNS, tuple(rows)),) if rows else ()


def _slope_text(slope: float) -> str:
    """A slope from finite differences, rounded to their accuracy."""
    return number(round(slope, 4), 4)


@dataclass(frozen=True)
class AllConfig(Config):
    """The probe of all functions, and whether their slopes are drawn."""

    # fmt: off
    probe: float = knob(1.0, "Probe x", help="The x of the numbers in the table.", group="All functions",
                        live=True, bar=True, lo=-10.0, hi=10.0, step=0.1)
    reach: float = knob(X_RANGE, "Range of x", help="The charts go from minus this to this.", group="All functions",
                        live=True, bar=True, lo=1.0, hi=10.0, step=0.5)
    slopes: bool = knob(True, "Show the slopes", group="All functions", live=True, bar=True)
    # fmt: on


def draw_all(config: AllConfig) -> Sheet:
    """A small chart of every function with torch's default parameters, and a table of values at the probe."""
    shown, rows = [], []
    names: list[str] = []
    curves: list[NDArray[Any]] = []  # each of shape (3, points): x, f(x), slope
    for each in FUNCTIONS.values():
        function = each.with_parameters(each.parameters)
        x = grid(config.reach, TILE_POINTS, each.kinks)
        y, slope = (values.where(~x.isnan(), torch.nan).numpy() for values in with_slope(function, x))
        at, at_slope = (v.item() for v in with_slope(function, torch.tensor([config.probe], dtype=torch.float64)))
        names += [each.label] * len(x)
        curves.append(np.stack([x.numpy(), y, slope]).astype(np.float32))
        lines = [Line(each.label, "@model", x.numpy(), y)]
        if config.slopes:
            lines.append(Line(SLOPE, "@gradient", x.numpy(), slope, "dash"))
        inside = [(config.probe, at)] if abs(config.probe) <= config.reach else []
        span = (min(each.span[0], each.slope_span[0]), max(each.span[1], each.slope_span[1]))
        shown.append(Tile(each.label, lines, inside, ((-config.reach, config.reach), span)))
        rows.append((each.label, each.formula, number(at, 6), number(at_slope, 6)))
    table = Table(tuple(column.format(probe=number(config.probe)) for column in ALL_COLUMNS), tuple(rows))
    line, x = ALL_LINE.format(x=config.probe), torch.tensor(config.probe)
    answer = str((functional.relu(x), functional.silu(x), torch.tanh(x)))
    columns = dict(zip(CSV_COLUMNS, (names, *np.concatenate(curves, axis=1)), strict=True))
    figure = with_table(tiles(shown, COLUMNS), columns, value=CSV_COLUMNS[2])
    return Sheet({"all": figure}, tables=(table,), line=line, answer=answer)


CURVES = Lab(
    name="activations_curves",
    title="Curves",
    sentence="A function, its tangent at the probe, and the slope that autograd finds at every x.",
    config=CurvesConfig,
    draw=draw_curves,
    charts=(
        Chart(
            "function",
            "Function",
            "The activation over x, and its tangent at the probe. Click or drag to move the probe.",
            turns=("probe",),
        ),
        Chart("slope", "Slope, by autograd", "The derivative of the activation over x.", turns=("probe",)),
    ),
)

ALL = Lab(
    name="activations_all",
    title="All at once",
    sentence="Solid: the function. Dashed: its slope. Softmax here has one rival score, 0.",
    config=AllConfig,
    draw=draw_all,
    charts=(Chart("all", "All functions", "Every function and its slope over x, each in a small chart of its own."),),
)
