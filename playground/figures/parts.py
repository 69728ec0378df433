"""The parts that figures are made of, as Plotly dicts: lines, markers, upright lines, notes, hidden axes, outlines."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Part = dict[str, Any]
DASHES = ("solid", "dash", "dot", "dashdot")  # tell lines apart without their colours


def line(name: str, x: Any, y: Any, pen: Part, hover: str = "") -> Part:
    """A trace of lines, with a pen (colour, width, dash); `hover` is the template of its tooltip, if it has one."""
    return {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "line": pen} | _tooltip(hover)


def markers(name: str, x: Any, y: Any, marker: Part, hover: str = "") -> Part:
    """A trace of markers (colour, size, symbol); `hover` is the template of its tooltip, if it has one."""
    return {"type": "scatter", "mode": "markers", "name": name, "x": x, "y": y, "marker": marker} | _tooltip(hover)


def _tooltip(hover: str) -> Part:
    return {"hovertemplate": hover} if hover else {"hoverinfo": "skip"}


def upright(x: float, colour: str = "@text", dash: str = "dot", width: float = 1) -> Part:
    """A vertical line over the whole height of a chart, as a shape."""
    return {"type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1,
            "line": {"color": colour, "width": width, "dash": dash}}  # fmt: skip


def dot(x: float, y: float, radius: int = 5) -> Part:
    """A dot at a point, as a shape, which Plotly moves without redrawing the lines."""
    return {"type": "circle", "xsizemode": "pixel", "ysizemode": "pixel", "xanchor": x, "yanchor": y,
            "x0": -radius, "x1": radius, "y0": -radius, "y1": radius, "fillcolor": "@text",
            "line": {"color": "@ground", "width": 1}}  # fmt: skip


def note(text: str, x: float, y: float, colour: str = "@muted", size: float = 12) -> Part:
    """A text at a place of the chart: (0, 0) is the bottom left corner, (1, 1) the top right one."""
    return {"text": text, "x": x, "y": y, "xref": "paper", "yref": "paper", "showarrow": False,
            "font": {"color": colour, "size": size}}  # fmt: skip


def hidden_axis(span: list[float]) -> Part:
    """An axis with a fixed range of which nothing is drawn, for pictures."""
    return {"visible": False, "fixedrange": True, "range": span, "autorange": False}


def segments(x0: Any, y0: Any, x1: Any, y1: Any) -> tuple[Array, Array]:
    """The x and y of one trace that draws many lines, from (x0, y0) to (x1, y1), with a gap behind each."""
    gap = np.full(len(x0), np.nan)
    return np.stack([x0, x1, gap], 1).ravel().astype(np.float32), np.stack([y0, y1, gap], 1).ravel().astype(np.float32)


def outlines(left: Array, top: Array, wide: Any, high: Any) -> tuple[Array, Array]:
    """The x and y of one trace that draws the outlines of many rectangles, with a gap behind each."""
    right, bottom, gap = left + wide, top + high, np.full(len(left), np.nan)
    xs = np.stack([left, right, right, left, left, gap], axis=1)
    ys = np.stack([top, top, bottom, bottom, top, gap], axis=1)
    return xs.ravel().astype(np.float32), ys.ravel().astype(np.float32)
