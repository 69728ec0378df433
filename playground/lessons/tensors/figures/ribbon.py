"""Memory as a ribbon of cells, with the path on which a tensor reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.cells import EDGE, Block, as_csv, cells, in_words
from playground.figures.parts import note

Array = NDArray[Any]
MIN_HEIGHT, STEEPNESS = 0.35, 0.45  # of an arc: the lowest, in cells, and how much higher it is for each cell of a jump
ARC = np.linspace(0, np.pi, 33)
READ_FIRST = "read first"


def ribbon(block: Block, path: Sequence[int]) -> Figure:
    """One row of cells, with an arc from each position that is read to the next: below for forwards, above for back.

    `path` has the positions in reading order. A position that is read twice in a row has a small arc above it. The
    title is at the upper edge.
    """
    figure = cells([replace(block, title="", detail="")])
    layout, numbers = figure["layout"], figure["data"][-1]
    left, top = float(numbers["x"].min()) - 0.5, float(numbers["y"].min()) - 0.5
    stops = left + np.asarray(path, np.float64)
    jumps = np.diff(stops)
    below, above = _arcs(stops, jumps > 0), _arcs(stops, jumps <= 0)
    line = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    figure["data"] += [
        line | {"x": below[0], "y": top + 1 + below[1], "line": {"color": "@gradient", "width": 2}},
        line | {"x": above[0], "y": top - above[1], "line": {"color": "@model", "width": 2, "dash": "dash"}},
        {"type": "scatter", "mode": "markers", "x": (stops[:1] + 0.5).astype(np.float32),
         "y": np.full(len(stops[:1]), top + 1.16, np.float32), "hovertext": [READ_FIRST], "hoverinfo": "text",
         "marker": {"symbol": "triangle-up", "size": 9, "color": "@text"}},
    ]  # fmt: skip
    high, deep = (float(np.nanmax(arcs[1], initial=MIN_HEIGHT)) for arcs in (above, below))
    layout["yaxis"]["range"] = [top + 1 + deep + EDGE, top - high - EDGE]
    layout["meta"] |= {"words": in_words([block]), "csv": as_csv([block])}
    layout["annotations"] = [
        note(block.title, 0.0, 1.0, "@muted", 13) | {"xanchor": "left", "yanchor": "top", "align": "left"}
    ]
    return figure


def _arcs(stops: Array, chosen: Array) -> tuple[Array, Array]:
    """Half ellipses between the chosen neighbours of the path: their x, and how far they are from the cells."""
    start, end = stops[:-1][chosen], stops[1:][chosen]
    middle, half = (start + end) / 2 + 0.5, np.maximum(np.abs(end - start) / 2, 0.18)
    height = np.maximum(STEEPNESS * np.abs(end - start), MIN_HEIGHT)
    gap = np.full((len(middle), 1), np.nan)
    x = np.concatenate([middle[:, None] + half[:, None] * np.cos(ARC), gap], axis=1)
    y = np.concatenate([height[:, None] * np.sin(ARC), gap], axis=1)
    return x.ravel().astype(np.float32), y.ravel().astype(np.float32)
