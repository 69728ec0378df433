"""Sizes as figures: the windows along one axis, and how images shrink from layer to layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.parts import hidden_axis, line, outlines, segments
from playground.figures.theme import axis, layout

Array = NDArray[Any]
TICK = 0.28  # half the height of a pixel's stroke on a window
GAP, LABEL = 0.35, 0.42  # between two images of a chain, and below one for its name, as shares of the largest
ARROW, FIELD, PARAMETERS = "→", "Receptive field of the last", "Parameters"
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
    columns = math.ceil(math.sqrt(len(sides)))
    rows = -(-len(sides) // columns)
    wide, high = largest * (1 + GAP), largest * (1 + LABEL)
    places = [(at % columns * wide, at // columns * high) for at in range(len(sides))]
    squares = [(left, top + (largest - side) / 2, side) for side, (left, top) in zip(sides, places, strict=True)]
    dashed = [(squares[0][0] + (sides[0] - field) / 2, squares[0][1] + (sides[0] - field) / 2, field)] if field else []
    notes = [
        {"x": left + side / 2, "y": top + side, "xref": "x", "yref": "y", "yanchor": "top",
         "yshift": -4, "showarrow": False, "text": name, "font": {"size": 12, "color": "@text"}}
        for (left, top, side), name in zip(squares, names, strict=True)
    ]  # fmt: skip
    notes += [
        {"x": left - GAP / 2 * largest, "y": top + largest / 2, "xref": "x", "yref": "y", "showarrow": False,
         "text": ARROW, "font": {"size": 16, "color": "@muted"}}
        for at, (left, top) in enumerate(places)
        if at % columns
    ]  # fmt: skip
    return {
        "data": [
            line("Image", *_squares(squares), {"color": "@train", "width": 2})
            | {"fill": "toself", "fillcolor": "@train/0.15", "showlegend": False},
            line(FIELD, *_squares(dashed), {"color": "@mark", "width": 2, "dash": "dash"})
            | {"showlegend": bool(dashed)},
        ],
        "layout": layout(
            hidden_axis([-0.15 * largest, (columns - 1) * wide + 1.15 * largest]) | {"constrain": "domain"},
            hidden_axis([rows * high, -0.05 * largest]) | {"constrain": "domain", "scaleanchor": "x"},
            margin={"l": 4, "r": 4, "t": 4, "b": 4},
            showlegend=False,
            annotations=notes,
            meta={"words": ", then ".join(name.replace("<br>", " ") for name in names)},
        ),
    }


def parameters(names: Sequence[str], counts: Sequence[int]) -> Figure:
    """A bar for each layer, the first on top, with its name above and its number of parameters in it."""
    rows, top = np.arange(len(names), dtype=float), float(max(*counts, 1))
    bars = {
        "type": "bar", "orientation": "h", "name": PARAMETERS, "x": list(counts), "y": rows, "width": 0.36,
        "offset": 0.0, "marker": {"color": "@train/0.6"}, "showlegend": False, "hoverinfo": "skip",
    }  # fmt: skip
    notes = [
        {"x": x, "y": float(row), "xref": "paper", "yref": "y", "xanchor": side, "yanchor": "bottom",
         "showarrow": False, "text": text, "font": {"size": 12, "color": colour}}
        for row, name, count in zip(rows, names, counts, strict=True)
        for x, side, text, colour in ((0, "left", name, "@text"), (1, "right", f"{count:,}", "@muted"))
    ]  # fmt: skip
    return {
        "data": [bars],
        "layout": layout(
            hidden_axis([0, top]) | {"title": {"text": PARAMETERS}},
            hidden_axis([max(len(names), 4) - 0.3, -0.55]),
            margin={"l": 8, "r": 8, "t": 4, "b": 4},
            showlegend=False,
            annotations=notes,
            meta={"words": "; ".join(f"{name}: {count:,}" for name, count in zip(names, counts, strict=True))},
        ),
    }


def _verticals(x: Array, bottom: float) -> tuple[Array, Array]:
    return segments(x, np.full(len(x), -0.6), x, np.full(len(x), bottom))


def _squares(squares: Sequence[tuple[float, float, float]]) -> tuple[Array, Array]:
    """The x and y of the squares' outlines: each (left, top, side)."""
    left, top, side = np.array(squares, float).reshape(-1, 3).T
    return outlines(left, top, side, side)


def _csv(starts: Sequence[int]) -> str:
    return "\n".join(["output,first pixel", *(f"{index},{start}" for index, start in enumerate(starts))]) + "\n"
