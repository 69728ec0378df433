"""How many numbers of one image leave each layer, beside the number that the next layer expects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from playground.engine.frames import Figure
from playground.figures.parts import line, segments
from playground.figures.theme import axis, layout

COUNT = "Numbers per image"


def arrivals(
    names: Sequence[str], counts: Sequence[int | None], texts: Sequence[str], expected: int, title: str
) -> Figure:
    """A bar for each layer, from the top, with its text; None where x does not arrive.

    `title` names the marks of what is expected. The bar of the last layer is green where it has as many numbers as
    expected.
    """
    rows = np.arange(len(names), dtype=float)
    numbers = np.array([0.0 if count is None else float(count) for count in counts])
    fits = counts[-1] == expected
    colours = ["@train/0.7"] * (len(names) - 1) + ["@gradient" if fits else "@negative"]
    most = max(float(numbers.max()), float(expected), 1.0)
    bars = {
        "type": "bar", "orientation": "h", "x": numbers, "y": rows, "name": COUNT, "width": 0.5, "showlegend": False,
        "marker": {"color": colours}, "hoverinfo": "skip",
    }  # fmt: skip
    notes = [
        {"text": text, "x": 0, "y": float(row) - 0.25, "xref": "paper", "yref": "y", "xanchor": "left",
         "yanchor": "bottom", "yshift": -1, "xshift": 2, "showarrow": False, "font": {"color": "@text", "size": 11}}
        for row, text in zip(rows, texts, strict=True)
    ]  # fmt: skip
    at = np.full(len(rows), float(expected))
    marks = segments(at, rows - 0.25, at, rows + 0.25)
    y = axis("", [len(names) - 0.5, -0.8], tickvals=rows, ticktext=list(names), showgrid=False, zeroline=False)
    return {
        "data": [bars, line(title, *marks, {"color": "@mark", "width": 3})],
        "layout": layout(
            axis(COUNT, [0.0, 1.08 * most], tickformat=",d", nticks=4), y, showlegend=False, annotations=notes,
            margin={"l": 78, "r": 10, "t": 8, "b": 40},
        ),
    }  # fmt: skip
