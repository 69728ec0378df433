"""The forward pass of one point through a classifier: a column for each layer, a bar for each unit's value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures import tables
from playground.figures.tables import with_table
from playground.figures.theme import axis, layout

Array = NDArray[Any]
BARS = (0.22, 0.6)  # the ends of the bars in a column from 0 to 1; names are on the left, values on the right
AXIS_TITLE = "Layer (range of its bars)"
EXPLAINED = "Explained"
EXPLAINED_HOVER = "Explained: (%{x:.2f}, %{y:.2f})<extra></extra>"


@dataclass(frozen=True)
class Column:
    """A layer's units: their names, values (units,) and calculations in words, and the range of the bars."""

    title: str
    names: Sequence[str]
    values: Array
    texts: Sequence[str]
    span: tuple[float, float]  # around zero


def number(value: float) -> str:
    """A number with three significant digits and a minus sign (−)."""
    return f"{value or 0.0:.3g}".replace("-", "−")


def forward_pass(columns: Sequence[Column], *, note: str, place: tuple[float, float]) -> Figure:
    """The columns from left to right; pointing at a unit shows its calculation. `place` is the point (x1, x2)."""
    rows = max(len(column.values) for column in columns)
    parts = [_bars(column, at, rows) for at, column in enumerate(columns)]
    base, length, zero, y = (np.concatenate(each).astype(np.float32) for each in zip(*parts, strict=True))
    left = np.floor(base)
    values = np.concatenate([column.values for column in columns])
    texts = [text for column in columns for text in column.texts]
    hover = {"hovertext": texts, "hovertemplate": "%{hovertext}<extra></extra>"}
    written = {"type": "scatter", "mode": "text", "y": y, "textfont": {"color": "@text", "size": 12}, **hover}
    bars = {
        "type": "bar", "orientation": "h", "name": "Value", "base": base, "x": length, "y": y, "width": 0.62,
        "meta": {"legend": ""}, **hover,
        "marker": {"color": ["@negative" if value < 0 else "@positive" for value in values], "line": {"width": 0}},
    }  # fmt: skip
    quiet = {"textfont": {"color": "@muted", "size": 12}}
    names = quiet | {"name": "Unit", "x": left + 0.04, "text": [name for column in columns for name in column.names],
             "textposition": "middle right"}  # fmt: skip
    numbers = {"name": "Number", "x": left + 0.94, "text": [number(value) for value in values],
               "textposition": "middle left"}  # fmt: skip
    ticks = [f"{c.title}<br>{number(c.span[0])} to {number(c.span[1])}" for c in columns]
    x = axis(
        AXIS_TITLE, [0, len(columns)], showgrid=False, zeroline=False, fixedrange=True,
        tickvals=[at + 0.5 for at in range(len(columns))], ticktext=ticks,
    )  # fmt: skip
    y_axis = {"range": [rows, -0.9], "autorange": False, "visible": False, "fixedrange": True}
    top = {"text": note, "x": 0.0, "y": 1.0, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "top",
           "showarrow": False, "font": {"color": "@text", "size": 13}}  # fmt: skip
    figure: Figure = {
        "data": [bars, written | names, written | numbers],
        "layout": layout(
            x, y_axis, margin={"l": 10, "r": 10, "t": 6, "b": 58}, showlegend=False, annotations=[top],
            shapes=[*map(_stripe, range(0, len(columns), 2)), *map(_zero, zero, y)], meta={"place": list(place)},
        ),
    }  # fmt: skip
    return with_table(figure, _table(columns))


def _bars(column: Column, at: int, rows: int) -> tuple[Array, Array, Array, Array]:
    """The start, the length, the zero and the row of each bar: each (units,)."""
    below, above = column.span
    scale = (BARS[1] - BARS[0]) / (above - below)
    zero = np.full(len(column.values), at + BARS[0] - below * scale)
    length = scale * np.clip(np.nan_to_num(column.values), below, above)
    return zero, length, zero, (rows - len(zero)) / 2 + np.arange(len(zero)) + 0.5


def _stripe(at: int) -> dict[str, Any]:
    return {"type": "rect", "x0": at, "x1": at + 1, "yref": "paper", "y0": 0, "y1": 0.93, "layer": "below",
            "fillcolor": "@grid/0.45", "line": {"width": 0}}  # fmt: skip


def _zero(x: float, y: float) -> dict[str, Any]:
    return {"type": "line", "x0": float(x), "x1": float(x), "y0": float(y) - 0.45, "y1": float(y) + 0.45,
            "line": {"color": "@muted", "width": 1}}  # fmt: skip


def _table(columns: Sequence[Column]) -> dict[str, tables.Column]:
    return {
        "layer": [column.title for column in columns for _ in column.names],
        "unit": [name for column in columns for name in column.names],
        "value": np.concatenate([np.asarray(column.values, np.float64) for column in columns]),
    }


def mark(place: tuple[float, float] | None) -> dict[str, Any]:
    """A cross on the map at the explained point."""
    return {
        "type": "scatter", "mode": "markers", "name": EXPLAINED, "visible": place is not None,
        "x": np.array([place[0]] if place else [], np.float32), "y": np.array([place[1]] if place else [], np.float32),
        "hovertemplate": EXPLAINED_HOVER,
        "marker": {"symbol": "x-thin-open", "size": 15, "color": "@text", "line": {"width": 3}},
    }  # fmt: skip
