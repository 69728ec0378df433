"""Slopes and gradients as figures: bars that add up, a curve with its tangent, and errors of measured slopes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.theme import axis, layout, round_up
from playground.lessons.numbers import number

Array = NDArray[Any]
MARGIN = {"l": 66, "r": 12, "t": 26, "b": 42}  # with room for numbers such as 1e-12
MIN_ERROR, MAX_ERROR = -16.0, 4.0  # powers of ten on the error axis


def pairs(names: Sequence[str], values: Array, gradients: Array, *, limit: float) -> Figure:
    """Two bars for each entry of v: its value and its gradient."""
    bars = [
        {"type": "bar", "name": name, "x": list(names), "y": np.asarray(y, np.float64), "textposition": "outside",
         "text": [number(each, 4) for each in y.tolist()], "cliponaxis": False, "hoverinfo": "skip",
         "marker": {"color": colour, "pattern": {"shape": shape}}}
        for name, y, colour, shape in (("Value", values, "@train", ""), ("Gradient", gradients, "@gradient", "/"))
    ]  # fmt: skip
    return {
        "data": bars,
        "layout": layout(
            axis("Entry of v", type="category"), axis("Value", [-limit, limit]), barmode="group", bargap=0.3
        ),
    }


def carried(kept: Array, added: Array, failed: int | None) -> Figure:
    """The gradient after each call: the earlier part (hatched), what the call added, and the call that failed."""
    calls = np.arange(1, len(kept) + 1, dtype=np.float64)
    after = kept + added
    limit = round_up(float(np.abs(np.concatenate([after, kept, [1.0]])).max()) * 1.15)
    low, high = (-limit if (after < 0).any() else 0.0), (limit if (after > 0).any() or not (after < 0).any() else 0.0)
    bar = {"type": "bar", "x": calls, "hoverinfo": "skip", "width": 0.6}
    data: list[dict[str, Any]] = [
        bar | {"name": "Kept from before", "y": kept, "marker": {"color": "@muted/0.5", "pattern": {"shape": "/"}}},
        bar | {"name": "Added by this call", "y": added, "marker": {"color": "@gradient"},
               "text": [number(each, 4) for each in after.tolist()], "textposition": "outside", "cliponaxis": False},
        {"type": "scatter", "mode": "markers+text", "name": "Error", "hoverinfo": "skip", "textposition": "top center",
         "x": np.array([] if failed is None else [failed], np.float64), "y": np.zeros(int(failed is not None)),
         "showlegend": failed is not None, "text": [] if failed is None else ["error"],
         "marker": {"symbol": "x", "size": 12, "color": "@negative"}},
    ]  # fmt: skip
    last = max(len(kept) + (failed is not None), 3)
    x = axis("Call of backward()", [0.4, last + 0.6], dtick=1)
    return {"data": data, "layout": layout(x, axis("x.grad after the call", [low, high]), barmode="relative")}


def tangent(x: Array, y: Array, at: tuple[float, float], slope: float, chord: tuple[Array, Array]) -> Figure:
    """A function, its tangent at a point, and the line through the two points that finite differences use."""
    run = float(chord[0][1] - chord[0][0])
    with np.errstate(invalid="ignore", over="ignore"):  # no line where a value is not finite
        steep = float(chord[1][1] - chord[1][0]) / run if run else float("nan")
        touching = at[1] + slope * (x - at[0])
        cutting = chord[1][0] + steep * (x - chord[0][0])
    finite = y[np.isfinite(y)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (-1.0, 1.0)
    room = 0.15 * (high - low) or 1.0
    data = [
        {"type": "scatter", "mode": "lines", "name": "f(x)", "x": x, "y": y, "line": {"color": "@model", "width": 3},
         "hovertemplate": "x %{x:.3f}, f(x) %{y:.4g}<extra></extra>"},
        {"type": "scatter", "mode": "lines", "name": "Tangent", "x": x, "y": touching,
         "line": {"color": "@gradient", "width": 2, "dash": "dash"}, "hoverinfo": "skip"},
        {"type": "scatter", "mode": "lines", "name": "Chord", "x": x, "y": cutting,
         "line": {"color": "@mark", "width": 1.5, "dash": "dot"}, "hoverinfo": "skip"},
        {"type": "scatter", "mode": "markers", "name": "Ends of the chord", "x": chord[0], "y": chord[1],
         "showlegend": False, "marker": {"size": 9, "symbol": "diamond", "color": "@mark"}, "hoverinfo": "skip"},
        {"type": "scatter", "mode": "markers", "name": "Point", "x": np.array([at[0]]), "y": np.array([at[1]]),
         "showlegend": False, "marker": {"size": 11, "color": "@text"},
         "hovertemplate": "x %{x:.3f}, f(x) %{y:.4g}<extra></extra>"},
    ]  # fmt: skip
    span = [float(x[0]), float(x[-1])]
    return {"data": data, "layout": layout(axis("x", span), axis("f(x)", [low - room, high + room]))}


def error_curves(eps: Array, errors: Sequence[tuple[str, Array]], chosen: float) -> Figure:
    """Errors of measured slopes over the step ε, each (name, errors), on logarithmic axes; zero is at the bottom."""
    floor = 10.0**MIN_ERROR
    data = [
        {"type": "scatter", "mode": "lines+markers", "name": name, "x": eps, "y": np.clip(values, floor, 1e300),
         "line": {"color": f"@series{index}", "width": 2, "dash": ("solid", "dash")[index % 2]},
         "marker": {"size": 4, "symbol": ("circle", "diamond")[index % 2]},
         "hovertemplate": name + " error %{y:.2g} at ε %{x:.2g}<extra></extra>"}
        for index, (name, values) in enumerate(errors)
    ]  # fmt: skip
    log = {"type": "log", "exponentformat": "e"}
    span = [float(np.log10(eps[0])), float(np.log10(eps[-1]))]
    y = axis("Error of the slope", [MIN_ERROR - 0.3, MAX_ERROR], dtick=4, **log)
    mark = {"type": "line", "xref": "x", "yref": "paper", "x0": chosen, "x1": chosen, "y0": 0, "y1": 1,
            "line": {"color": "@mark", "width": 1.5, "dash": "dot"}}  # fmt: skip
    return {"data": data, "layout": layout(axis("Step ε", span, dtick=4, **log), y, shapes=[mark], margin=MARGIN)}
