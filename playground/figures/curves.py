"""Curves: a fit over its points, losses over steps, and sizes layer by layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.parts import DASHES, line, markers, upright
from playground.figures.tables import undrawn
from playground.figures.theme import TICKS_INSIDE, axis, layout, padded, round_up

Array = NDArray[Any]
MARGIN = {"l": 54, "r": 14, "t": 10, "b": 40}
MIN_ON_LOG_AXIS = 1e-8
MAX_LINES = 12  # at the marks of a loss chart
MAX_DECADES = 6  # between the first and the last tick of a log axis; with more decades fewer of them have a tick
LAYER_COLOURS = 7  # of series in the palette: as many as a model has layers at most
LOG_TITLE = "{title} (log scale)"
EXPLODES = 1000.0  # times the first loss: with higher ones a linear axis shows nothing else


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
    x, y = (axis(title, span) | TICKS_INSIDE for title, span in zip("xy", spans, strict=True))
    frame = layout(x, y | {"side": "right"}, margin={"l": 0, "r": 0, "t": 0, "b": 0})
    without_model: Figure = {"data": points, "layout": frame}
    return with_model(without_model, grid, prediction, units)


def with_model(figure: Figure, grid: Array, prediction: Array, units: UnitCurves | None = None) -> Figure:
    """The fit with another curve instead of its own; it shares the points and the layout, without a copy."""
    hover = "x %{x:.3f}, model %{y:.3f}<extra></extra>"
    model = line("Model", grid, prediction, {"color": "@model", "width": 3}, hover)
    return {**figure, "data": [*figure["data"][:2], *(_unit_traces(grid, units) if units else NO_UNITS), model]}


def errors(train: tuple[Array, Array], test: tuple[Array, Array], *, spans: tuple[list[float], list[float]]) -> Figure:
    """The error of each point, prediction minus y, over its x: training points and test points, each (x, errors)."""
    points = [_points("Train", train, "@train", "circle"), _points("Test", test, "@test", "diamond-open")]
    x, y = (axis(title, span) | TICKS_INSIDE for title, span in zip(("x", "Prediction − y"), spans, strict=True))
    frame = layout(x, y | {"side": "right", "zerolinecolor": "@muted"}, margin={"l": 0, "r": 0, "t": 0, "b": 0})
    return {"data": points, "layout": frame}


def _unit_traces(grid: Array, units: UnitCurves) -> list[dict[str, Any]]:
    """Three traces: what the live hidden units add, what the dead ones add, and a tick where each unit bends."""
    alive_x, alive_y = _joined(grid, units.y[~units.dead])
    dead_x, dead_y = _joined(grid, units.y[units.dead])
    kink = {"symbol": "line-ns-open", "size": 12, "color": "@gradient"}
    traces = [
        line("Units", alive_x, alive_y, {"color": "@gradient/0.6", "width": 1}),
        line("Dead", dead_x, dead_y, {"color": "@dead", "width": 1, "dash": "dot"}),
        markers("Kinks", units.kink_x, units.kink_y, kink, "a unit bends here, x = %{x:.3f}<extra></extra>"),
    ]
    return [trace | {"visible": True} for trace in traces]


def _joined(grid: Array, curves: Array) -> tuple[Array, Array]:
    """Many curves over the same grid as one line with gaps, so that one trace is enough."""
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
    """Losses over steps, each (name, colour role, values); marks are the steps at which a setting changed.

    Any other quantity from 0 to `peak` can be shown the same way, under its `title`. An exploding one gets a log axis
    by itself, and says so in the title.
    """
    if not log and explodes(losses[0][2], peak):
        log, title = True, LOG_TITLE.format(title=title)
    x_end = round_up(max(float(until), 10.0))
    y = _log_axis(title, [values for _, _, values in losses], peak) if log else axis(title, [0, round_up(peak)])
    lines = [
        line(name, steps, values, {"color": colour, "width": 2, "dash": "solid" if index == 0 else "dash"},
             name + " %{y:.5g} at step %{x}<extra></extra>")
        | {"connectgaps": True, "mode": "lines" if len(steps) > 1 else "lines+markers"}
        for index, (name, colour, values) in enumerate(losses)
    ]  # fmt: skip
    mark_y = 10 ** y["range"][0] if log else 0.0
    mark_x, texts = np.array([step for step, _ in marks], np.float32), [f"step {step}: {text}" for step, text in marks]
    mark = {"symbol": "triangle-up", "size": 10, "color": "@mark"}
    changed = markers(
        "Setting changed", mark_x, np.full(len(marks), mark_y, np.float32), mark, "%{text}<extra></extra>"
    )
    lines.append(undrawn(changed | {"showlegend": False, "text": texts, "cliponaxis": False}))
    # Many lines would hide the curve; the triangles on the axis stay.
    shapes = [upright(step, "@mark/0.35", "dot", width=1.0) for step, _ in marks] if len(marks) <= MAX_LINES else []
    if cursor is not None:
        shapes.append(upright(cursor, "@text", "solid"))
    return {"data": lines, "layout": layout(axis("Step", [0, x_end]), y, shapes=shapes, margin=MARGIN)}


def explodes(values: Array, peak: float) -> bool:
    """Whether the peak is so far above the first of these losses that the others would lie on the axis."""
    first = float(values[0]) if len(values) else math.nan
    return math.isfinite(peak) and peak > EXPLODES * first > 0


def functions(
    x: Array, lines: Sequence[tuple[str, str, Array]], *, probe: float | None = None, title: str = "y"
) -> Figure:
    """Functions of one variable, each (name, colour role, values); a vertical line marks the probe."""
    values = np.concatenate([each[np.isfinite(each)] for _, _, each in lines] or [np.zeros(1)])
    data = [
        line(name, x, y, {"color": colour, "width": 2.5, "dash": DASHES[index % len(DASHES)]},
             name + " %{y:.4g} at x %{x:.3g}<extra></extra>")
        for index, (name, colour, y) in enumerate(lines)
    ]  # fmt: skip
    shapes = [] if probe is None else [upright(probe, "@text", "dot")]
    span = padded(float(values.min(initial=0.0)), float(values.max(initial=1.0)), 0.08)
    return {"data": data, "layout": layout(axis("x", [float(x[0]), float(x[-1])]), axis(title, span), shapes=shapes)}


def layer_sizes(steps: Array, layers: Sequence[tuple[str, Array, Array]], *, cursor: int | None = None) -> Figure:
    """Gradient size (solid) and update size (dashed) of each layer over steps, both Euclidean norms, on a log axis."""
    data = []
    for index, (name, gradient, update) in enumerate(layers):
        colour = f"@series{index % LAYER_COLOURS}"
        for kind, values, dash in (("gradient", gradient, "solid"), ("update", update, "dot")):
            hover = f"{name} {kind} %{{y:.3g}} at step %{{x}}<extra></extra>"
            trace = line(name, steps, values, {"color": colour, "width": 1.8, "dash": dash}, hover)
            named = {"meta": {"series": f"{name} {kind}"}}  # in the CSV file
            data.append(trace | named | {"legendgroup": name, "showlegend": kind == "gradient"})
    every = [values for _, gradient, update in layers for values in (gradient, update)]
    y = _log_axis("Norm (dotted: update)", every, 1.0)
    shapes = [] if cursor is None else [upright(cursor, "@text", "solid")]
    until = float(steps[-1]) if len(steps) else 0.0
    x = axis("Step", [0, round_up(max(until, 10.0))])
    return {"data": data, "layout": layout(x, y, shapes=shapes, margin=MARGIN)}


def _points(name: str, at: tuple[Array, Array], colour: str, symbol: str) -> dict[str, Any]:
    marker = {"color": colour, "symbol": symbol, "size": 6, "opacity": 0.85}
    return markers(name, *at, marker, name + " (%{x:.3f}, %{y:.3f})<extra></extra>")


def _log_axis(title: str, columns: Sequence[Array], peak: float) -> dict[str, Any]:
    """A logarithmic axis over whole decades."""
    values = np.concatenate([np.asarray(column, np.float64) for column in columns] or [np.ones(1)])
    values = values[np.isfinite(values) & (values > 0)]
    lowest = max(float(values.min()) if values.size else 0.1, MIN_ON_LOG_AXIS)
    highest = max(peak if math.isfinite(peak) and peak > 0 else 1.0, float(values.max()) if values.size else 1.0)
    start, end = math.floor(math.log10(lowest)), math.ceil(math.log10(highest))
    end = max(end, start + 1)
    dtick = -(-(end - start) // MAX_DECADES)
    return axis(title, [float(start), float(end)], type="log", dtick=dtick, tick0=start, exponentformat="e")
