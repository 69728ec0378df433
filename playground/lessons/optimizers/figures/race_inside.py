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
ROWS = 3  # of a line of a rule: its formula with the value, and two for the formula with numbers
MAX_PITCH = 0.055  # of two rows, as a share of the height
MAX_IN_ROW = 44  # letters: longer numbers go on in a second row
FORMULA_X = 0.1  # of the width


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
    margin = {"l": 62, "r": 10, "t": 8, "b": 52}
    return {"data": data, "layout": layout(across, y, shapes=shapes, margin=margin, annotations=[sign])}


def rule(heading: str, lines: Sequence[tuple[str, str, str, str]]) -> Figure:
    """The lines of an update rule under a heading: each name, formula, the formula with numbers, and value."""
    pitch = min(MAX_PITCH, 1 / (ROWS * len(lines) + 3))
    notes = [_text(heading, 0.0, 1.0, "left", {"color": "@text", "size": 13})]
    for number, (name, formula, numbers, value) in enumerate(lines):
        top = 1 - (3 + ROWS * number) * pitch
        code = {"size": 13, "family": "monospace"}
        notes += [
            _text(f"{name} ←", 0.0, top, "left", code | {"color": "@text", "weight": "bold"}),
            _text(formula, FORMULA_X, top, "left", code | {"color": "@muted"}),
            _text(f"= {value}", 1.0, top, "right", code | {"color": "@model", "weight": "bold"}),
            _text(_in_rows(f"= {numbers}"), FORMULA_X, top - pitch, "left", code | {"color": "@text"}),
        ]
    csv = "\n".join(",".join(f'"{part}"' for part in line) for line in lines)
    words = heading.replace("<br>", " ")
    return {
        "data": [],
        "layout": layout(
            hidden_axis([0, 1]), hidden_axis([0, 1]), margin={"l": 12, "r": 12, "t": 8, "b": 6}, annotations=notes,
            meta={"words": f"{words}. " + ". ".join(f"{n} = {f} = {p} = {v}" for n, f, p, v in lines),
                  "csv": f"name,formula,numbers,value\n{csv}\n"},
        ),
    }  # fmt: skip


def _in_rows(numbers: str) -> str:
    """Long numbers in two rows, parted before an operator."""
    if len(numbers) <= MAX_IN_ROW:
        return numbers
    at = max(numbers.rfind(sign, 0, MAX_IN_ROW) for sign in (" / ", " + ", " − ", " · "))
    return numbers if at < 0 else f"{numbers[:at]}<br> {numbers[at:]}"


def _text(words: str, x: float, y: float, anchor: str, font: dict[str, Any]) -> dict[str, Any]:
    return {"text": words, "x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": anchor, "align": anchor,
            "yanchor": "top", "showarrow": False, "font": font}  # fmt: skip


def _positive(values: Array) -> Array:
    return np.where(np.isfinite(values) & (values > 0), values, np.nan).astype(np.float32)
