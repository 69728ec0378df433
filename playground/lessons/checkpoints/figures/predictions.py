"""Three models' curves over each other, and a pickle's program as a page of coloured cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.parts import hidden_axis, line, markers
from playground.figures.theme import TICKS_INSIDE, axis, layout

Array = NDArray[Any]
PENS = (("@model/0.4", 11.0, "solid"), ("@train", 4.0, "solid"), ("@text", 2.0, "dash"))  # the first lies under all
POINTS, HOVER = "Points", " %{y:.4f} at x %{x:.2f}<extra></extra>"


def overlaid(
    points: tuple[Array, Array], lines: Sequence[tuple[str, Array, Array]], spans: tuple[Sequence[float], ...]
) -> Figure:
    """Points, and up to three curves (name, x, y), of which equal ones lie on each other: the first is the widest."""
    data = [markers(POINTS, *points, {"size": 5, "color": "@muted/0.7"})]
    data += [
        line(name, x, y, {"color": colour, "width": width, "dash": dash}, name + HOVER)
        for (name, x, y), (colour, width, dash) in zip(lines, PENS, strict=False)
    ]
    across, up = (axis(name, list(span), nticks=6) | TICKS_INSIDE for name, span in zip("xy", spans, strict=True))
    return {
        "data": data,
        "layout": layout(across, up | {"side": "right"}, margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False),
    }


def program(kinds: Array, words: Sequence[str], legend: Sequence[tuple[str, str, str]]) -> Figure:
    """Opcodes in reading order as cells: the kind of each (opcodes,), and its tooltip.

    The `legend` names each kind, its colour and the sign in its cells.
    """
    columns = max(1, math.ceil(math.sqrt(len(kinds))))
    rows = -(-len(kinds) // columns)
    grid, texts, signs = (np.full((rows, columns), empty, object) for empty in (None, "", ""))
    for at, (kind, word) in enumerate(zip(kinds.tolist(), words, strict=True)):
        place = divmod(at, columns)
        grid[place], texts[place], signs[place] = kind, word, legend[kind][2]
    steps = len(legend)
    scale = [[(at + side) / steps, colour] for at, (_, colour, _) in enumerate(legend) for side in (0, 1)]
    cells = {
        "type": "heatmap", "z": grid.tolist(), "zmin": -0.5, "zmax": steps - 0.5, "colorscale": scale, "xgap": 1,
        "ygap": 1, "showscale": False, "hovertext": texts.tolist(), "hoverinfo": "text", "hoverongaps": False,
        "text": signs.tolist(), "texttemplate": "%{text}", "textfont": {"color": "@ground"}, "showlegend": False,
    }  # fmt: skip
    nowhere = [None]
    names = [
        markers(name, nowhere, nowhere, {"symbol": "square", "size": 11, "color": colour}) for name, colour, _ in legend
    ]
    return {
        "data": [cells, *names],
        "layout": layout(
            hidden_axis([-0.6, columns - 0.4]) | {"constrain": "domain"},
            hidden_axis([rows - 0.4, -0.6]) | {"constrain": "domain", "scaleanchor": "x"},
            margin={"l": 4, "r": 4, "t": 4, "b": 4}, showlegend=False,
        ),
    }  # fmt: skip
