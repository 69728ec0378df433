"""Measured times over the size of the array: lines on two logarithmic axes, and where they cross."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.theme import axis, layout

Array = NDArray[Any]
Line = tuple[str, str, Array, Array]  # name, colour role, x, y
SYMBOLS = ("circle", "diamond", "square")
DASHES = ("solid", "dash", "dot")
LEFT_LABEL_FROM = 3000.0  # from this size on, the label of the crossing is to the left of its line

WORDS = {
    "size": "Numbers in the array",
    "time": "Time of one call, µs",
    "ratio": "NumPy’s time / torch’s",
    "time_hover": "{name} %{{y:.3g}} µs at %{{x:,}} numbers<extra></extra>",
    "ratio_hover": "{name} %{{y:.3g}} times at %{{x:,}} numbers<extra></extra>",
    "torch": "torch is faster",
    "numpy": "NumPy is faster",
    "crossing": "about {size}",
}
RATIOS = {0.1: "0.1", 0.3: "0.3", 1: "1", 3: "3", 10: "10"}


def timings(
    lines: Sequence[Line], *, sizes: tuple[float, float], span: tuple[float, float], crossing: float | None
) -> Figure:
    """Microseconds of one call over the size of the array, with a vertical line where the first two lines cross."""
    x = axis(WORDS["size"], _decades(sizes), type="log", dtick=1, exponentformat="power")
    y = axis(WORDS["time"], _decades(span), type="log", dtick=1, exponentformat="power")
    return {"data": _lines(lines, WORDS["time_hover"]), "layout": layout(x, y, **_crossing(crossing))}


def ratios(lines: Sequence[Line], *, sizes: tuple[float, float], crossing: float | None) -> Figure:
    """NumPy's time divided by another's, over the size of the array; above 1 the other is faster."""
    x = axis(WORDS["size"], _decades(sizes), type="log", dtick=1, exponentformat="power")
    y = axis(WORDS["ratio"], [-1.5, 1.5], type="log", tickvals=list(RATIOS), ticktext=list(RATIOS.values()))
    marks = _crossing(crossing)
    marks["shapes"].append(
        {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": 1, "y1": 1,
         "line": {"color": "@muted", "width": 1.5}}
    )  # fmt: skip
    for place, words in ((0.98, WORDS["torch"]), (0.02, WORDS["numpy"])):
        marks["annotations"].append(
            {"xref": "paper", "yref": "paper", "x": 0.01, "y": place, "xanchor": "left", "showarrow": False,
             "yanchor": "top" if place > 0.5 else "bottom", "text": words, "font": {"color": "@muted", "size": 12}}
        )  # fmt: skip
    return {"data": _lines(lines, WORDS["ratio_hover"]), "layout": layout(x, y, **marks)}


def _lines(lines: Sequence[Line], hover: str) -> list[dict[str, Any]]:
    return [
        {"type": "scatter", "mode": "lines+markers", "name": name, "x": x, "y": y,
         "line": {"color": colour, "width": 2, "dash": DASHES[index % 3]},
         "marker": {"symbol": SYMBOLS[index % 3], "size": 6, "color": colour},
         "hovertemplate": hover.format(name=name)}
        for index, (name, colour, x, y) in enumerate(lines)
    ]  # fmt: skip


def _crossing(at: float | None) -> dict[str, list[dict[str, Any]]]:
    """The vertical line where two lines cross, with the size in two digits; nothing if they do not cross."""
    if at is None:
        return {"shapes": [], "annotations": []}
    size = f"{float(f'{at:.2g}'):,.0f}"
    line = {"type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1,
            "line": {"color": "@mark", "width": 2, "dash": "dot"}}  # fmt: skip
    # On a logarithmic axis Plotly wants the position of an annotation as its exponent.
    right = at > LEFT_LABEL_FROM
    words = {"xref": "x", "yref": "paper", "x": float(np.log10(at)), "y": 0.16 if right else 0.84,
             "xanchor": "right" if right else "left", "xshift": -5 if right else 5,
             "showarrow": False, "text": WORDS["crossing"].format(size=size),
             "font": {"color": "@mark", "size": 12}}  # fmt: skip
    return {"shapes": [line], "annotations": [words]}


def _decades(span: tuple[float, float]) -> list[float]:
    return [float(np.log10(span[0])), float(np.log10(span[1]))]
