"""Curves: a fit over its points, losses over steps, and sizes layer by layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.figures.theme import axis, layout, padded, round_up

Array = NDArray[Any]
Figure = dict[str, Any]
SMALLEST_LOG = 1e-8
DASHES = ("solid", "dash", "dot", "dashdot")  # tell lines apart without their colours


@dataclass(frozen=True)
class UnitCurves:
    """What each hidden unit adds to the output: y of shape (units, grid); where units bend; which are dead."""

    y: Array
    dead: Array  # (units,) of bool
    kink_x: Array = field(default_factory=lambda: np.empty(0, np.float32))
    kink_y: Array = field(default_factory=lambda: np.empty(0, np.float32))


def fit(
    train: tuple[Array, Array],
    test: tuple[Array, Array],
    grid: Array,
    prediction: Array,
    *,
    spans: tuple[list[float], list[float]],
    units: UnitCurves | None = None,
) -> Figure:
    """Points and the model's curve through them, y over x; x, y and grid are one-dimensional."""
    points = [_points("Train", train, "@train", "circle"), _points("Test", test, "@test", "diamond-open")]
    still = {"data": points, "layout": layout(axis("x", spans[0]), axis("y", spans[1]))}
    return with_model(still, grid, prediction, units)


def with_model(figure: Figure, grid: Array, prediction: Array, units: UnitCurves | None = None) -> Figure:
    """A fit with another curve in the place of its own; its points and its layout are shared, not copied."""
    line = {
        "type": "scatter", "mode": "lines", "name": "Model", "x": grid, "y": prediction,
        "line": {"color": "@model", "width": 3}, "hovertemplate": "x %{x:.3f}, model %{y:.3f}<extra></extra>",
    }  # fmt: skip
    return figure | {"data": [*figure["data"][:2], *(_unit_traces(grid, units) if units else NO_UNITS), line]}


def _unit_traces(grid: Array, units: UnitCurves) -> list[dict[str, Any]]:
    """What the hidden units add, the dead among them, and a tick where each unit bends."""
    alive_x, alive_y = _strung(grid, units.y[~units.dead])
    dead_x, dead_y = _strung(grid, units.y[units.dead])
    line = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "visible": True}
    return [
        line | {"name": "Units", "x": alive_x, "y": alive_y, "line": {"color": "@gradient/0.6", "width": 1}},
        line | {"name": "Dead", "x": dead_x, "y": dead_y, "line": {"color": "@dead", "width": 1, "dash": "dot"}},
        {"type": "scatter", "mode": "markers", "name": "Kinks", "x": units.kink_x, "y": units.kink_y, "visible": True,
         "hovertemplate": "a unit bends here, x = %{x:.3f}<extra></extra>",
         "marker": {"symbol": "line-ns-open", "size": 12, "color": "@gradient"}},
    ]  # fmt: skip


def _strung(grid: Array, curves: Array) -> tuple[Array, Array]:
    """Many curves as one line with gaps: one trace however many units."""
    gap = np.full((len(curves), 1), np.nan, np.float32)
    x = np.concatenate([np.broadcast_to(grid, curves.shape), gap], axis=1)
    return x.ravel().astype(np.float32), np.concatenate([curves, gap], axis=1).ravel().astype(np.float32)


NO_UNITS = [
    trace | {"visible": False}
    for trace in _unit_traces(np.empty(0), UnitCurves(np.empty((0, 0), np.float32), np.empty(0, bool)))
]


def loss_curve(
    steps: Array,
    losses: Sequence[tuple[str, str, Array]],
    *,
    peak: float,
    until: float,
    marks: Sequence[tuple[int, str]] = (),
    cursor: int | None = None,
    log: bool = False,
    title: str = "Loss",
) -> Figure:
    """Losses over steps, each (name, colour role, values); marks are the steps at which a knob was turned.

    Any other quantity from 0 to `peak` can be shown the same way, under its `title`.
    """
    x_end = round_up(max(float(until), 10.0))
    y = _log_axis(title, [values for _, _, values in losses], peak) if log else axis(title, [0, round_up(peak)])
    lines = [
        {"type": "scatter", "mode": "lines", "name": name, "x": steps, "y": values, "connectgaps": True,
         "line": {"color": colour, "width": 2, "dash": "solid" if index == 0 else "dash"},
         "hovertemplate": name + " %{y:.5g} at step %{x}<extra></extra>"}
        for index, (name, colour, values) in enumerate(losses)
    ]  # fmt: skip
    mark_y = 10 ** y["range"][0] if log else 0.0
    lines.append(
        {"type": "scatter", "mode": "markers", "name": "Knob turned", "showlegend": False,
         "x": np.array([step for step, _ in marks], np.float32), "y": np.full(len(marks), mark_y, np.float32),
         "text": [f"step {step}: {text}" for step, text in marks], "cliponaxis": False,
         "hovertemplate": "%{text}<extra></extra>", "marker": {"symbol": "triangle-up", "size": 10, "color": "@mark"}}
    )  # fmt: skip
    shapes = [_upright(step, "@mark/0.6", "dot") for step, _ in marks]
    if cursor is not None:
        shapes.append(_upright(cursor, "@text", "solid"))
    return {"data": lines, "layout": layout(axis("Step", [0, x_end]), y, shapes=shapes)}


def functions(
    x: Array, lines: Sequence[tuple[str, str, Array]], *, probe: float | None = None, title: str = "y"
) -> Figure:
    """Functions of one variable, each (name, colour role, values); an upright line marks the probe."""
    values = np.concatenate([each[np.isfinite(each)] for _, _, each in lines] or [np.zeros(1)])
    data = [
        {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": y,
         "line": {"color": colour, "width": 2.5, "dash": DASHES[index % len(DASHES)]},
         "hovertemplate": name + " %{y:.4g} at x %{x:.3g}<extra></extra>"}
        for index, (name, colour, y) in enumerate(lines)
    ]  # fmt: skip
    shapes = [] if probe is None else [_upright(probe, "@text", "dot")]
    span = padded(float(values.min(initial=0.0)), float(values.max(initial=1.0)), 0.08)
    return {"data": data, "layout": layout(axis("x", [float(x[0]), float(x[-1])]), axis(title, span), shapes=shapes)}


def layer_sizes(steps: Array, layers: Sequence[tuple[str, Array, Array]], *, cursor: int | None = None) -> Figure:
    """Gradient size (solid) and update size (dashed) of each layer over steps, both Euclidean norms, on a log axis."""
    data = []
    for index, (name, gradient, update) in enumerate(layers):
        colour = f"@series{index % 5}"
        for kind, values, dash in (("gradient", gradient, "solid"), ("update", update, "dot")):
            data.append(
                {"type": "scatter", "mode": "lines", "name": name, "legendgroup": name,
                 "showlegend": kind == "gradient", "x": steps, "y": values,
                 "line": {"color": colour, "width": 1.8, "dash": dash},
                 "hovertemplate": f"{name} {kind} %{{y:.3g}} at step %{{x}}<extra></extra>"}
            )  # fmt: skip
    every = [values for _, gradient, update in layers for values in (gradient, update)]
    y = _log_axis("Norm (dotted: of the update)", every, 1.0)
    shapes = [] if cursor is None else [_upright(cursor, "@text", "solid")]
    until = float(steps[-1]) if len(steps) else 0.0
    return {"data": data, "layout": layout(axis("Step", [0, round_up(max(until, 10.0))]), y, shapes=shapes)}


def _points(name: str, at: tuple[Array, Array], colour: str, symbol: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "name": name, "x": at[0], "y": at[1],
        "marker": {"color": colour, "symbol": symbol, "size": 6, "opacity": 0.85},
        "hovertemplate": name + " (%{x:.3f}, %{y:.3f})<extra></extra>",
    }  # fmt: skip


def _upright(x: float, colour: str, dash: str) -> dict[str, Any]:
    return {"type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1,
            "line": {"color": colour, "width": 1, "dash": dash}}  # fmt: skip


def _log_axis(title: str, columns: Sequence[Array], peak: float) -> dict[str, Any]:
    """A logarithmic axis over whole decades."""
    values = np.concatenate([np.asarray(column, np.float64) for column in columns] or [np.ones(1)])
    values = values[np.isfinite(values) & (values > 0)]
    lowest = max(float(values.min()) if values.size else 0.1, SMALLEST_LOG)
    highest = max(peak if math.isfinite(peak) and peak > 0 else 1.0, float(values.max()) if values.size else 1.0)
    start, end = math.floor(math.log10(lowest)), math.ceil(math.log10(highest))
    return axis(title, [float(start), float(max(end, start + 1))], type="log", dtick=1, exponentformat="e")
