"""Sizes as figures: the windows along one axis, and how images shrink from layer to layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.parts import hidden_axis, line, outlines, segments
from playground.figures.theme import axis, layout

Array = NDArray[Any]
TICK = 0.28  # half the height of a pixel's stroke on a window
GAP = 0.5  # between two images of a chain, as a share of the largest
WINDOWS = "Windows: {windows}. Pixels: {pixels}."


def windows(size: int, padding: int, starts: Sequence[int], taps: Sequence[int], unread: Sequence[int]) -> Figure:
    """Each window as a line over the pixels it spans, with a stroke at each pixel it reads; the first window on top.

    `starts` are the windows' first pixels, `taps` the pixels that each reads, counted from its start; no window reads
    the `unread` pixels. Pixel 0 is the first of the input, with `padding` more on either side.
    """
    first, last = np.array(starts) - 0.5, float(taps[-1])  # a pixel's number is at its middle
    rows = np.arange(len(starts), dtype=float)
    lines = segments(first, rows, first + last + 1, rows)
    at = first[:, None] + np.array(taps, float) + 0.5
    levels = np.broadcast_to(rows[:, None], at.shape)
    strokes = segments(at.ravel(), levels.ravel() - TICK, at.ravel(), levels.ravel() + TICK)
    lost, ends = np.array(unread, float), np.array([-0.5, size - 0.5])
    bottom = len(starts) - 0.4
    every = max(1, -(-len(starts) // 14))
    return {
        "data": [
            line("Not read", *_verticals(lost, bottom),
                  {"color": "@negative/0.35", "width": 9}),
            line("Windows", *lines, {"color": "@model/0.35", "width": 7 if len(starts) < 20 else 3}),
            line("Pixels read", *strokes, {"color": "@model", "width": 2}),
            line("Input", *_verticals(ends, bottom),
                  {"color": "@text", "width": 1.5, "dash": "dot"}),
        ],
        "layout": layout(
            axis("Pixel of the input", [-padding - 0.8, size + padding - 0.2], zeroline=False),
            axis("Number of the output", [bottom, -0.6], tickvals=list(range(0, len(starts), every)), zeroline=False),
            margin={"l": 50, "r": 10, "t": 8, "b": 40},
            showlegend=False,
            meta={"words": WINDOWS.format(windows=len(starts), pixels=size), "csv": _csv(starts)},
        ),
    }  # fmt: skip


def chain(sides: Sequence[int], names: Sequence[str], field: float | None) -> Figure:
    """The image after each layer as a square; `field` is the side of the last one's receptive field in the first."""
    largest = max(sides)
    step = largest * (1 + GAP)
    squares = [(index * step, (largest - side) / 2, side) for index, side in enumerate(sides)]
    wide = [(squares[0][0] + (sides[0] - field) / 2, (largest - field) / 2, field)] if field else []
    notes = [
        {"x": index * step + side / 2, "y": (largest + side) / 2, "xref": "x", "yref": "y", "yanchor": "top",
         "yshift": -4, "showarrow": False, "text": name, "font": {"size": 11, "color": "@text"}}
        for index, (side, name) in enumerate(zip(sides, names, strict=True))
    ]  # fmt: skip
    return {
        "data": [
            line("Images", *_squares(squares), {"color": "@train", "width": 2}) | {"fill": "toself",
                                                                                 "fillcolor": "@train/0.15"},
            line("Field", *_squares(wide), {"color": "@mark", "width": 2, "dash": "dash"}),
        ],
        "layout": layout(
            hidden_axis([-0.25 * largest, (len(sides) - 1) * step + 1.25 * largest]) | {"constrain": "domain"},
            hidden_axis([1.35 * largest, -0.05 * largest]) | {"constrain": "domain", "scaleanchor": "x"},
            margin={"l": 4, "r": 4, "t": 4, "b": 4},
            showlegend=False,
            annotations=notes,
            meta={"words": ", then ".join(name.replace("<br>", " ") for name in names)},
        ),
    }  # fmt: skip


def _verticals(x: Array, bottom: float) -> tuple[Array, Array]:
    return segments(x, np.full(len(x), -0.6), x, np.full(len(x), bottom))


def _squares(squares: Sequence[tuple[float, float, float]]) -> tuple[Array, Array]:
    """The x and y of the squares' outlines: each (left, top, side)."""
    left, top, side = np.array(squares, float).reshape(-1, 3).T
    return outlines(left, top, side, side)


def _csv(starts: Sequence[int]) -> str:
    return "\n".join(["output,first pixel", *(f"{index},{start}" for index, start in enumerate(starts))]) + "\n"
