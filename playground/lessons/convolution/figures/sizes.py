"""Sizes of layers: where windows lie along one axis, and how images shrink from layer to layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.figures.theme import axis, layout

Array = NDArray[Any]
Figure = dict[str, Any]
TICK = 0.28  # half the height of a pixel's stroke on a window
GAP = 0.5  # between two images of a chain, as a part of the largest


def windows(size: int, padding: int, starts: Sequence[int], taps: Sequence[int], unread: Sequence[int]) -> Figure:
    """Each window as a line over the pixels it spans, with a stroke at each that it reads; the first window on top.

    `starts` says where windows begin, `taps` which pixels each reads, counted from its start; `unread` pixels of the
    input lie in none. Pixel 0 is the first of the input; `padding` more lie on either side.
    """
    first, last = np.array(starts) - 0.5, float(taps[-1])  # a pixel's number stands at its middle
    rows = np.arange(len(starts), dtype=float)
    lines = _segments(first, rows, first + last + 1, rows)
    at = first[:, None] + np.array(taps, float) + 0.5
    levels = np.broadcast_to(rows[:, None], at.shape)
    strokes = _segments(at.ravel(), levels.ravel() - TICK, at.ravel(), levels.ravel() + TICK)
    lost, ends = np.array(unread, float), np.array([-0.5, size - 0.5])
    bottom = len(starts) - 0.4
    every = max(1, -(-len(starts) // 14))
    return {
        "data": [
            _line("Not read", _uprights(lost, bottom),
                  {"color": "@negative/0.35", "width": 9}),
            _line("Windows", lines, {"color": "@model/0.35", "width": 7 if len(starts) < 20 else 3}),
            _line("Pixels read", strokes, {"color": "@model", "width": 2}),
            _line("Input", _uprights(ends, bottom),
                  {"color": "@text", "width": 1.5, "dash": "dot"}),
        ],
        "layout": layout(
            axis("Pixel of the input", [-padding - 0.8, size + padding - 0.2], zeroline=False),
            axis("Number of the output", [bottom, -0.6], tickvals=list(range(0, len(starts), every)), zeroline=False),
            margin={"l": 50, "r": 10, "t": 8, "b": 40},
            showlegend=False,
            meta={"words": f"{len(starts)} windows over {size} pixels", "csv": _csv(starts)},
        ),
    }  # fmt: skip


def chain(sides: Sequence[int], names: Sequence[str], field: float | None) -> Figure:
    """The image after each layer as a square; `field` is the side of what one number of the last sees of the first."""
    largest = max(sides)
    step = largest * (1 + GAP)
    squares = [(index * step, (largest - side) / 2, side) for index, side in enumerate(sides)]
    wide = [(squares[0][0] + (sides[0] - seen) / 2, (largest - seen) / 2, seen) for seen in [field] if seen]
    notes = [
        {"x": index * step + side / 2, "y": (largest + side) / 2, "xref": "x", "yref": "y", "yanchor": "top",
         "yshift": -4, "showarrow": False, "text": name, "font": {"size": 11, "color": "@text"}}
        for index, (side, name) in enumerate(zip(sides, names, strict=True))
    ]  # fmt: skip
    return {
        "data": [
            _line("Images", _boxes(squares), {"color": "@train", "width": 2}) | {"fill": "toself",
                                                                                 "fillcolor": "@train/0.15"},
            _line("Field", _boxes(wide), {"color": "@mark", "width": 2, "dash": "dash"}),
        ],
        "layout": layout(
            {"visible": False, "fixedrange": True, "autorange": False, "constrain": "domain",
             "range": [-0.25 * largest, (len(sides) - 1) * step + 1.25 * largest]},
            {"visible": False, "fixedrange": True, "autorange": False, "constrain": "domain", "scaleanchor": "x",
             "range": [1.35 * largest, -0.05 * largest]},
            margin={"l": 4, "r": 4, "t": 4, "b": 4},
            showlegend=False,
            annotations=notes,
            meta={"words": ", then ".join(name.replace("<br>", " ") for name in names)},
        ),
    }  # fmt: skip


def _segments(x0: Array, y0: Array, x1: Array, y1: Array) -> tuple[Array, Array]:
    """Lines from (x0, y0) to (x1, y1), with a gap behind each."""
    gap = np.full(len(x0), np.nan)
    return np.stack([x0, x1, gap], 1).ravel().astype(np.float32), np.stack([y0, y1, gap], 1).ravel().astype(np.float32)


def _uprights(x: Array, bottom: float) -> tuple[Array, Array]:
    return _segments(x, np.full(len(x), -0.6), x, np.full(len(x), bottom))


def _boxes(squares: Sequence[tuple[float, float, float]]) -> tuple[Array, Array]:
    xs = [value for x, _, side in squares for value in (x, x + side, x + side, x, x, np.nan)]
    ys = [value for _, y, side in squares for value in (y, y, y + side, y + side, y, np.nan)]
    return np.array(xs, np.float32), np.array(ys, np.float32)


def _line(name: str, places: tuple[Array, Array], line: dict[str, Any]) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "name": name, "x": places[0], "y": places[1], "line": line,
            "hoverinfo": "skip"}  # fmt: skip


def _csv(starts: Sequence[int]) -> str:
    return "\n".join(["output,first pixel", *(f"{index},{start}" for index, start in enumerate(starts))]) + "\n"
