"""Functions of one variable: a large chart with a tangent, small tiles, a sum of units, and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.parts import dot, markers, note, upright
from playground.figures.parts import line as line_trace
from playground.figures.theme import axis, layout, padded

Array = NDArray[Any]
Span = tuple[float, float]
TANGENT = "Tangent"  # in the legend


@dataclass(frozen=True)
class Line:
    """One function: its name, its colour's role, x and y; its dash; and the points on it that get a marker."""

    name: str
    colour: str
    x: Array
    y: Array
    dash: str = "solid"
    marked: Sequence[tuple[float, float]] = ()


def span_of(span: Span, *values: Array) -> list[float]:
    """The span, wider if values lie outside it; non-finite values do not count."""
    finite = np.concatenate([each[np.isfinite(each)] for each in values] or [np.zeros(0)])
    lo, hi = float(finite.min(initial=span[0])), float(finite.max(initial=span[1]))
    return [min(span[0], lo if lo >= span[0] else padded(lo, hi, 0.04)[0]),
            max(span[1], hi if hi <= span[1] else padded(lo, hi, 0.04)[1])]  # fmt: skip


def function_chart(
    lines: Sequence[Line],
    probe: Sequence[tuple[float, float]],
    *,
    spans: tuple[Span, Span],
    title: str,
    tangents: Sequence[tuple[float, float, float]] = (),
    marks: str = "",
) -> Figure:
    """Functions over x, a dot on each at the probe, tangents there (x, y, slope), and the marked points.

    `marks` names those points. The y axis grows if a function leaves its span.
    """
    data = [_curve(line) for line in lines]
    marked = [point for line in lines for point in line.marked]
    if marks:
        data.append(_dots(marks, marked, "diamond", "@negative", showlegend=bool(marked)))
    reach = 0.16 * (spans[0][1] - spans[0][0])
    shapes = [_tangent(*each, reach, named=each is tangents[0]) for each in tangents] + _probe(probe, 5)
    tall = span_of(spans[1], *(line.y for line in lines))
    return {"data": data, "layout": layout(axis("x", list(spans[0])), axis(title, tall), shapes=shapes)}


@dataclass(frozen=True)
class Tile:
    """One of several small charts: its title, its lines, the points at the probe, and the limits of x and y."""

    title: str
    lines: Sequence[Line]
    probe: Sequence[tuple[float, float]]
    spans: tuple[Span, Span]


def tiles(shown: Sequence[Tile], columns: int) -> Figure:
    """Small charts of functions over x in rows of `columns`, each with its title and axes of its own."""
    rows = -(-len(shown) // columns)
    data: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    axes: dict[str, dict[str, Any]] = {}
    notes = []
    named: set[str] = set()
    for index, each in enumerate(shown):
        row, column = divmod(index, columns)
        number = "" if index == 0 else str(index + 1)
        across = [(column + 0.09) / columns, (column + 0.97) / columns]
        up = [1 - (row + 0.84) / rows, 1 - (row + 0.14) / rows]
        small = {"tickfont": {"size": 10}, "nticks": 4, "fixedrange": True}
        end = float(f"{0.8 * each.spans[0][1]:.1g}")  # its number does not touch that of the next chart
        marks = {"tickvals": [-end, 0, end], "domain": across, "anchor": f"y{number}"}
        axes[f"xaxis{number}"] = axis("", list(each.spans[0]), **marks, **small)
        tall = span_of(each.spans[1], *(line.y for line in each.lines))
        axes[f"yaxis{number}"] = axis("", tall, domain=up, anchor=f"x{number}", **small)
        own = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
        for place, line in enumerate(each.lines):
            name = "" if place == 0 else line.name  # the title says it
            data.append(
                _curve(line) | own | {"name": name or each.title, "showlegend": bool(name) and name not in named}
            )
            named.add(name)
        shapes += [
            shape | {"yref": f"y{number} domain" if shape["type"] == "line" else f"y{number}", "xref": f"x{number}"}
            for shape in _probe(each.probe, 3)
        ]
        notes.append(note(each.title, across[0], up[1], "@text", 12) | {"xanchor": "left", "yanchor": "bottom"})
    first = axes.pop("xaxis"), axes.pop("yaxis")
    margin = {"l": 16, "r": 4, "t": 4, "b": 6}
    return {"data": data, "layout": layout(*first, **axes, shapes=shapes, annotations=notes, margin=margin)}


def bars(
    names: Sequence[str], values: Array, *, span: Span, title: str, colour: str, chosen: int | None = None
) -> Figure:
    """A bar for each value with its number above it; the others are paler than the chosen one."""
    fills = [colour if index == chosen or chosen is None else f"{colour}/0.45" for index in range(len(names))]
    bar = {
        "type": "bar", "name": title, "x": list(names), "y": values, "text": [f"{value:.3f}" for value in values],
        "textposition": "outside", "cliponaxis": False, "showlegend": False, "marker": {"color": fills},
        "hovertemplate": "%{x}: %{y:.6g}<extra></extra>",
    }  # fmt: skip
    x = axis("Score", type="category", fixedrange=True)
    return {"data": [bar], "layout": layout(x, axis(title, list(span)), showlegend=False, bargap=0.45)}


def sum_of_units(
    x: Array, target: Array, total: Array, units: Array, *, chosen: int | None, spans: tuple[Span, Span]
) -> Figure:
    """The target as points, what each unit adds (units of shape (units, x)), and their sum."""
    data: list[dict[str, Any]] = [markers("Target", x[::4], target[::4], {"color": "@train", "size": 5})]
    for index, y in enumerate(units):
        mine = index == chosen
        data.append(
            _curve(Line(f"Unit {index + 1}", "@gradient" if mine else "@gradient/0.55", x, y, "dash"))
            | {"showlegend": mine, "line": {"color": "@gradient" if mine else "@gradient/0.55",
                                            "width": 2.5 if mine else 1.2, "dash": "dash" if mine else "dot"}}
        )  # fmt: skip
    data.append(_curve(Line("Sum", "@model", x, total)))
    return {"data": data, "layout": layout(axis("x", list(spans[0])), axis("y", list(spans[1])))}


def _curve(line: Line) -> dict[str, Any]:
    pen = {"color": line.colour, "width": 2.5, "dash": line.dash, "simplify": False}
    hover = line.name + " %{y:.4g} at x %{x:.3g}<extra></extra>"
    return line_trace(line.name, line.x.astype(np.float32), line.y.astype(np.float32), pen, hover)


def _dots(
    name: str, points: Sequence[tuple[float, float]], symbol: str, colour: str, *, showlegend: bool
) -> dict[str, Any]:
    x, y = (np.array([point[at] for point in points], np.float32) for at in (0, 1))
    marker = {"symbol": symbol, "size": 9, "color": colour, "line": {"color": "@ground", "width": 1}}
    trace = markers(name, x, y, marker, name + ": %{y:.6g} at x %{x:.4g}<extra></extra>")
    return trace | {"showlegend": showlegend, "cliponaxis": False}


def _probe(points: Sequence[tuple[float, float]], radius: int) -> list[dict[str, Any]]:
    """A vertical line at the probe and a dot on each curve: shapes, which Plotly moves without redrawing the curves."""
    return [upright(x) for x, _ in points[:1]] + [dot(x, y, radius) for x, y in points]


def _tangent(x: float, y: float, slope: float, reach: float, *, named: bool) -> dict[str, Any]:
    half = reach / (1 + slope * slope) ** 0.5
    return {"type": "line", "x0": x - half, "x1": x + half, "y0": y - slope * half, "y1": y + slope * half,
            "line": {"color": "@gradient", "width": 2, "dash": "dot"},
            "name": TANGENT, "showlegend": named}  # fmt: skip
