"""The figures of an optimizer's inside: state and next step of each parameter, and one step written out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.parts import hidden_axis, upright
from playground.figures.theme import StickyRange, axis, layout, round_up
from playground.lessons.optimizers.figures.race import log_axis

Array = NDArray[Any]
# Of name, formula, numbers and value: the place as a share of the width, alignment, colour and weight.
COLUMNS = (
    (0.0, "left", "@text", "normal"),
    (0.055, "left", "@muted", "normal"),
    (0.30, "left", "@text", "normal"),
    (1.0, "right", "@model", "bold"),
)
MAX_LINES = 8  # of a low chart, the heading included


@dataclass(frozen=True)
class Group:
    """A parameter tensor: its name in the model, and its number of values."""

    name: str
    size: int


def by_parameter(
    groups: Sequence[Group],
    series: Sequence[tuple[str, str, str, Array]],
    *,
    at: int,
    title: str,
    log: bool,
    shown: StickyRange,
    note: str = "",
) -> Figure:
    """Numbers for each parameter, tensor after tensor: (name, colour role, symbol, values). One parameter is marked.

    `shown` is the range of the number axis in the previous frame.
    """
    count = sum(group.size for group in groups)
    x = np.arange(count, dtype=np.float32)
    data = [
        {"type": "scatter", "mode": "markers", "name": name, "x": x, "y": _positive(y) if log else y,
         "marker": {"color": colour, "symbol": symbol, "size": 6},
         "hovertemplate": f"{name} %{{y:.4g}}, parameter %{{x}}<extra></extra>"}
        for name, colour, symbol, y in series
    ]  # fmt: skip
    edges = np.cumsum([0, *(group.size for group in groups)])
    middles = [float(start + end - 1) / 2 for start, end in pairwise(edges)]
    across = axis(
        "Parameter",
        [-1.5, count + 0.5],
        tickvals=middles,
        ticktext=[f"{'<br>' * (at % 2)}{group.name}" for at, group in enumerate(groups)],  # small ones are neighbours
        showgrid=False,
        tickangle=0,
    )
    every = [values for *_, values in series]
    if log:
        y = log_axis(title, every)
    else:
        largest = round_up(max((float(np.abs(v[np.isfinite(v)]).max(initial=0.0)) for v in every), default=0.0))
        y = axis(title, [-largest, largest])
    y["range"] = shown.over(*y["range"])
    shapes = [upright(float(edge) - 0.5, "@grid", "solid") for edge in edges[1:-1]]
    shapes.append(upright(float(at), "@mark", "dot"))
    sign = {"text": note, "x": 0.0, "y": 1.0, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "top",
            "showarrow": False, "font": {"color": "@muted", "size": 12}}  # fmt: skip
    margin = {"l": 62, "r": 12, "t": 26, "b": 56}
    return {"data": data, "layout": layout(across, y, shapes=shapes, margin=margin, annotations=[sign])}


def rule(heading: str, lines: Sequence[tuple[str, str, str, str]]) -> Figure:
    """The lines of an update rule under a heading: each name, formula, the formula with numbers, and value."""
    notes = [_text(heading, 0.0, 0, "left", {"color": "@text", "size": 13})]
    for row, line in enumerate(lines, start=1):
        name, formula, numbers, value = line
        words = (f"{name} ←", formula, f"= {numbers}", f"= {value}")
        for text, (place, anchor, colour, weight) in zip(words, COLUMNS, strict=True):
            font = {"color": colour, "size": 12, "family": "monospace", "weight": weight}
            notes.append(_text(text, place, row, anchor, font))
    csv = "\n".join(",".join(f'"{part}"' for part in line) for line in lines)
    return {
        "data": [],
        "layout": layout(
            hidden_axis([0, 1]), hidden_axis([0, 1]), margin={"l": 4, "r": 8, "t": 2, "b": 2}, annotations=notes,
            showlegend=False,
            meta={"words": f"{heading}. " + ". ".join(f"{n} = {f} = {p} = {v}" for n, f, p, v in lines),
                  "csv": f"name,formula,numbers,value\n{csv}\n"},
        ),
    }  # fmt: skip


def _text(words: str, x: float, row: int, anchor: str, font: dict[str, Any]) -> dict[str, Any]:
    return {"text": words, "x": x, "y": 1 - (row + 0.5) / MAX_LINES, "xref": "paper", "yref": "paper",
            "xanchor": anchor, "align": anchor, "yanchor": "middle", "showarrow": False, "font": font}  # fmt: skip


def _positive(values: Array) -> Array:
    return np.where(np.isfinite(values) & (values > 0), values, np.nan).astype(np.float32)
