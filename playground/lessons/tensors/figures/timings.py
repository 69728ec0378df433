"""How long something takes over how much of it there is: lines on two logarithmic axes, and where they cross."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.figures.theme import axis, layout

Array = NDArray[Any]
Figure = dict[str, Any]
Line = tuple[str, str, Array, Array]  # name, colour role, x, y
SYMBOLS = ("circle", "diamond", "square")
DASHES = ("solid", "dash", "dot")
TURNS = 3000.0


def timings(
    lines: Sequence[Line], *, sizes: tuple[float, float], span: tuple[float, float], crossing: float | None
) -> Figure:
    """Microseconds for one call over numbers in the array; an upright line where the first two cross."""
    x = axis("Numbers in the array", _decades(sizes), type="log", dtick=1, exponentformat="power")
    y = axis("Time of one call, µs", _decades(span), type="log", dtick=1, exponentformat="power")
    return {"data": _lines(lines, "%{y:.3g} µs at %{x:,} numbers"), "layout": layout(x, y, **_crossing(crossing))}


def ratios(lines: Sequence[Line], *, sizes: tuple[float, float], crossing: float | None) -> Figure:
    """How many times as long the first takes as another, over numbers; above 1 the other is faster."""
    x = axis("Numbers in the array", _decades(sizes), type="log", dtick=1, exponentformat="power")
    y = axis("NumPy's time / torch's", [-1.5, 1.5], type="log", tickvals=[0.1, 0.3, 1, 3, 10], ticktext=WORDS)
    marks = _crossing(crossing)
    marks["shapes"].append(
        {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": 1, "y1": 1,
         "line": {"color": "@muted", "width": 1.5}}
    )  # fmt: skip
    for place, words in ((0.98, "torch is faster"), (0.02, "NumPy is faster")):
        marks["annotations"].append(
            {"xref": "paper", "yref": "paper", "x": 0.01, "y": place, "xanchor": "left", "showarrow": False,
             "yanchor": "top" if place > 0.5 else "bottom", "text": words, "font": {"color": "@muted", "size": 12}}
        )  # fmt: skip
    return {"data": _lines(lines, "%{y:.3g} times at %{x:,} numbers"), "layout": layout(x, y, **marks)}


WORDS = ["0.1", "0.3", "1", "3", "10"]


def _lines(lines: Sequence[Line], hover: str) -> list[dict[str, Any]]:
    return [
        {"type": "scatter", "mode": "lines+markers", "name": name, "x": x, "y": y,
         "line": {"color": colour, "width": 2, "dash": DASHES[index % 3]},
         "marker": {"symbol": SYMBOLS[index % 3], "size": 6, "color": colour},
         "hovertemplate": f"{name} {hover}<extra></extra>"}
        for index, (name, colour, x, y) in enumerate(lines)
    ]  # fmt: skip


def _crossing(at: float | None) -> dict[str, list[dict[str, Any]]]:
    """The upright line where two lines cross, with its place in words; nothing where they do not."""
    if at is None:
        return {"shapes": [], "annotations": []}
    line = {"type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1,
            "line": {"color": "@mark", "width": 2, "dash": "dot"}}  # fmt: skip
    # On a logarithmic axis Plotly wants an annotation's place as its exponent.
    right = at > TURNS  # near the end of the axis the words stand on the left
    words = {"xref": "x", "yref": "paper", "x": float(np.log10(at)), "y": 0.06 if right else 0.94,
             "xanchor": "right" if right else "left", "xshift": -5 if right else 5,
             "showarrow": False, "text": f"crossing at {at:,.0f}", "font": {"color": "@mark", "size": 12}}  # fmt: skip
    return {"shapes": [line], "annotations": [words]}


def _decades(span: tuple[float, float]) -> list[float]:
    return [float(np.log10(span[0])), float(np.log10(span[1]))]
