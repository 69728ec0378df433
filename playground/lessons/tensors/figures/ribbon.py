"""Memory as a ribbon of cells, with the path on which a tensor reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.cells import Block, cells

Array = NDArray[Any]
MIN_HEIGHT, MAX_HEIGHT = 0.35, 1.5  # of an arc, in cells
ARC = np.linspace(0, np.pi, 33)
WIDTH = 660.0  # of a wide card, in pixels
READ_FIRST = "read first"


def ribbon(block: Block, path: Sequence[int]) -> Figure:
    """One row of cells, with an arc from each position that is read to the next: below for forwards, above for back.

    `path` has the positions in reading order. A position that is read twice in a row has a small arc above it.
    """
    figure = cells([block], width=WIDTH)
    stops = np.asarray(path, np.float64)
    jumps = np.diff(stops)
    line = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    figure["data"] += [
        line | _arcs(stops, jumps > 0, 1.0) | {"line": {"color": "@gradient", "width": 2}},
        line | _arcs(stops, jumps <= 0, 0.0) | {"line": {"color": "@model", "width": 2, "dash": "dash"}},
        {"type": "scatter", "mode": "markers", "x": (stops[:1] + 0.5).astype(np.float32),
         "y": np.full(len(stops[:1]), 1.16, np.float32), "hovertext": [READ_FIRST], "hoverinfo": "text",
         "marker": {"symbol": "triangle-up", "size": 9, "color": "@text"}},
    ]  # fmt: skip
    figure["layout"]["yaxis"]["range"] = [1 + MAX_HEIGHT + 0.1, -0.2 - MAX_HEIGHT]
    for note in figure["layout"]["annotations"]:
        note |= {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "yanchor": "top"}
    return figure


def _arcs(stops: Array, chosen: Array, base: float) -> dict[str, Array]:
    """Half ellipses between the chosen neighbours of the path, from the lower (1) or upper edge (0) of the cells."""
    start, end = stops[:-1][chosen], stops[1:][chosen]
    middle, half = (start + end) / 2 + 0.5, np.maximum(np.abs(end - start) / 2, 0.18)
    height = np.clip(0.2 + 0.2 * np.abs(end - start), MIN_HEIGHT, MAX_HEIGHT) * (1 if base else -1)
    gap = np.full((len(middle), 1), np.nan)
    x = np.concatenate([middle[:, None] + half[:, None] * np.cos(ARC), gap], axis=1)
    y = np.concatenate([base + height[:, None] * np.sin(ARC), gap], axis=1)
    return {"x": x.ravel().astype(np.float32), "y": y.ravel().astype(np.float32)}
