"""The minima in which balls end, and how fast they get there at each learning rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.fields import LEVELS, SYMBOLS
from playground.figures.parts import upright
from playground.figures.theme import axis, layout
from playground.lessons.gradient_descent.figures.landscapes import Span, plane, under
from playground.lessons.numbers import number

Array = NDArray[Any]
PATH = {"color": "@text", "width": 2}
MEASURED, LIMIT, BEST = "{name}, measured", "limit", "best"
DECADES = (-6.0, 3.0)  # of the distance axis, as powers of ten


@dataclass(frozen=True)
class Goal:
    """A place where balls end: its coordinates, the index of its colour and symbol, and its name."""

    x: float
    y: float
    kind: int
    name: str


def basin_bytes(kinds: Array, steps: Array, max_steps: int) -> Array:
    """Pixels of starts (rows of y upwards, columns of x) in the colour of their end: stronger after fewer steps."""
    level = np.rint((LEVELS - 1) * (0.25 + 0.65 * (1 - steps / max(1, max_steps))))
    return np.asarray((LEVELS * kinds + level)[::-1], np.uint8)


def basins(
    spans: Sequence[Span], pixels: Array, side: int, goals: Sequence[Goal], path: tuple[Array, Array],
    names: Mapping[int, str],
) -> Figure:  # fmt: skip
    """The starts coloured by where they end (`names` of the colours), the places where balls end, one ball's path."""
    kinds = sorted({goal.kind for goal in goals})
    data = [
        {"type": "scatter", "mode": "markers", "name": "End", "hoverinfo": "text", "showlegend": False,
         "x": np.array([goal.x for goal in goals if goal.kind == kind], np.float64),
         "y": np.array([goal.y for goal in goals if goal.kind == kind], np.float64),
         "text": [goal.name for goal in goals if goal.kind == kind],
         "marker": {"symbol": SYMBOLS[kind], "size": 11, "color": f"@class{kind}",
                    "line": {"color": "@text", "width": 1.5}}}
        for kind in kinds
    ]  # fmt: skip
    data += one_path(*path)
    maps = under(spans, pixels, side, "classes") | {
        "crisp": True,
        "classes": {str(k): name for k, name in names.items()},
    }
    return {"data": data, "layout": plane(spans), "maps": maps}


def one_path(x: Array, y: Array) -> list[dict[str, Any]]:
    """The path of one ball, and its start."""
    return [
        {"type": "scatter", "mode": "lines", "name": "Path", "x": x, "y": y, "hoverinfo": "skip", "line": PATH},
        {"type": "scatter", "mode": "markers", "name": "Start", "x": x[:1], "y": y[:1], "hoverinfo": "skip",
         "marker": {"size": 11, "color": "@text", "line": {"color": "@ground", "width": 2}}},
    ]  # fmt: skip


def factors(
    rates: Array, directions: Sequence[tuple[str, Array, Array]], *, limit: float, best: float, chosen: float
) -> Figure:
    """The factor of a step over learning rates, each (name, measured, in theory), with the limit and the best rate."""
    data: list[dict[str, Any]] = []
    for index, (name, measured, theory) in enumerate(directions):
        colour, dash = f"@series{index}", ("solid", "dash")[index % 2]
        data += [
            {"type": "scatter", "mode": "lines", "name": name, "x": rates, "y": theory,
             "line": {"color": colour, "width": 1.5, "dash": dash}, "hoverinfo": "skip"},
            {"type": "scatter", "mode": "markers", "name": MEASURED.format(name=name),
             "x": rates[1::2], "y": measured[1::2],
             "marker": {"color": colour, "size": 7, "symbol": ("circle", "diamond")[index % 2]}, "showlegend": False,
             "hovertemplate": name + " × %{y:.4g} at rate %{x:.4g}<extra></extra>"},
        ]  # fmt: skip
    end = float(rates[-1])
    shapes = [
        {"type": "line", "x0": 0, "x1": end, "y0": 1, "y1": 1, "line": {"color": "@muted", "width": 1}},
        upright(limit, "@negative", "solid", 1.5), upright(best, "@gradient", "dash", 1.5),
        upright(chosen, "@text", "dot", 1.5),
    ]  # fmt: skip
    notes = [_note(limit, LIMIT, "@negative", "left"), _note(best, BEST, "@gradient", "right")]
    x = axis("Learning rate", [0, end])
    return {"data": data, "layout": layout(x, axis("Distance after ÷ before a step", [0, 2.25]), shapes=shapes,
                                           annotations=notes, margin={"l": 50, "r": 12, "t": 10, "b": 42})}  # fmt: skip


def distances(directions: Sequence[tuple[str, Array, Array]]) -> Figure:
    """Distances from the minimum over steps, as shares of the first: each (name, measured, in theory)."""
    data: list[dict[str, Any]] = []
    for index, (name, measured, theory) in enumerate(directions):
        steps, colour = np.arange(len(measured)), f"@series{index}"
        data += [
            {"type": "scatter", "mode": "lines", "name": name, "x": steps, "y": np.maximum(theory, 1e-12),
             "line": {"color": colour, "width": 1.5, "dash": ("solid", "dash")[index % 2]}, "hoverinfo": "skip"},
            {"type": "scatter", "mode": "markers", "name": MEASURED.format(name=name), "x": steps, "showlegend": False,
             "y": np.clip(np.nan_to_num(measured, nan=1e12), 1e-12, 1e12), "hovertemplate": "step %{x}: %{y:.3g}",
             "marker": {"color": colour, "size": 6, "symbol": ("circle", "diamond")[index % 2]}},
        ]  # fmt: skip
    ticks = [10.0**power for power in range(int(DECADES[0]), int(DECADES[1]) + 1, 3)]
    y = axis("Distance ÷ distance at the start", list(DECADES), type="log", tickvals=ticks,
             ticktext=[number(tick) for tick in ticks])  # fmt: skip
    margin = {"l": 62, "r": 12, "t": 10, "b": 42}
    count = len(directions[0][1]) - 1
    return {"data": data, "layout": layout(axis("Step", [-0.5, count + 0.5]), y, margin=margin)}


def _note(x: float, text: str, colour: str, side: str) -> dict[str, Any]:
    return {"x": x, "y": 2.1, "text": text, "showarrow": False, "xanchor": side,
            "xshift": 4 if side == "left" else -4, "font": {"color": colour, "size": 12}}  # fmt: skip
