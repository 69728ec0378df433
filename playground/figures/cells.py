"""Arrays as cells: rectangles with their numbers, beside each other, some ghosted, some marked.

The board fills the cells on a canvas under the chart, so that numbers and colours change without a full Plotly update.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.figures import images
from playground.figures.theme import layout

Array = NDArray[Any]
Figure = dict[str, Any]
FILL = (0.06, 0.62)  # how strongly a cell is filled, from the smallest values to the largest
LEAST = (4.0, 3.0)  # a drawing is at least so many cells wide and high, so that none looks like a poster
CARD = (330.0, 140.0)  # pixels that a small card has for its cells: what the type's size is chosen for
GAP, PLANE_GAP = 0.9, 0.45  # between two arrays and between the planes of one, in cells
LEGIBLE = 5.5  # pixels: smaller numbers are left out of the cells, and only said when one points at them
TITLE = 18.0  # pixels that a line of a title takes
LINE = 44  # characters of a message before it wraps


@dataclass(frozen=True)
class Block:
    """One array of at most three axes. All arrays in it have its shape.

    `shades` are from -1 to 1 (the sign gives the colour, NaN a grey one); `ghost` cells are there only in thought;
    `mark` cells get a frame; `hovers` say more about a cell.
    """

    title: str
    texts: Array  # of str
    shades: Array  # of float
    ghost: Array | None = None  # of bool
    mark: Array | None = None  # of bool
    hovers: Array | None = None  # of str


def cells(blocks: Sequence[Block], *, message: str = "", width: float = CARD[0]) -> Figure:
    """The arrays from left to right, each under its title; or a message in their place.

    `width` is about how many pixels the chart has.
    """
    placed, right, bottom = _place(blocks)
    longest = max((len(str(text)) for block in blocks for text in block.texts.ravel()), default=1)
    wide, high = max(right, LEAST[0]), max(bottom, LEAST[1])
    size = min(14.0, width / wide / (0.62 * max(longest, 2)), 0.75 * CARD[1] / high)
    lines = 1 + any(len(place.planes) > 1 for place in placed)
    above = lines * max(0.6, TITLE * high / CARD[1]) + 0.1
    x_room, y_room = (wide - right) / 2, (high - bottom) / 2
    return {
        "data": _traces(blocks, placed, size),
        "maps": _fills(blocks, placed),
        "layout": layout(
            _bare([-0.1 - x_room, right + x_room + 0.1]),
            _bare([bottom + y_room + 0.1, -above - y_room]),
            margin={"l": 6, "r": 6, "t": 4, "b": 6},
            showlegend=False,
            meta={"words": in_words(blocks, message), "csv": as_csv(blocks)},
            annotations=[*_titles(blocks, placed, size), *([_message(message)] if message else [])],
        ),
    }


def in_words(blocks: Sequence[Block], message: str = "") -> str:
    """The arrays for those who do not see them."""
    said = [f"{block.title}: {', '.join(str(text) for text in block.texts.ravel())}" for block in blocks]
    return ". ".join([*said, *([message] if message else [])])


def as_csv(blocks: Sequence[Block]) -> str:
    """The arrays as rows of array, index and value."""
    rows = ["array,index,value"]
    for block in blocks:
        for place, text in np.ndenumerate(block.texts):
            title = block.title.replace('"', '""')
            rows.append(f'"{title}",{" ".join(str(index) for index in place)},{text}')
    return "\n".join(rows) + "\n"


@dataclass(frozen=True)
class _Placed:
    """Where a block's cells stand: left and top edges in cells, flat, in the array's order, and each plane's corner."""

    x: Array
    y: Array
    planes: tuple[tuple[float, str], ...]


def _place(blocks: Sequence[Block]) -> tuple[list[_Placed], float, float]:
    """Each block's cells, and how far they go to the right and down."""
    placed: list[_Placed] = []
    left, bottom = 0.0, 0.0
    for block in blocks:
        planes, rows, columns = (1, 1, 1, *block.texts.shape)[-3:]
        plane, row, column = np.indices((planes, rows, columns)).reshape(3, -1)
        starts = left + np.arange(planes) * (columns + PLANE_GAP)
        names = [f"[{index}]" if planes > 1 else "" for index in range(planes)]
        placed.append(_Placed(starts[plane] + column, row.astype(float), tuple(zip(starts, names, strict=True))))
        left = float(starts[-1]) + columns + GAP
        bottom = max(bottom, float(rows))
    return placed, max(left - GAP, 1.0), max(bottom, 1.0)


def _traces(blocks: Sequence[Block], placed: Sequence[_Placed], size: float) -> list[dict[str, Any]]:
    """Always the same traces in the same order, so that a new drawing moves the old one's parts; hidden where empty."""
    x = np.concatenate([each.x for each in placed] or [np.empty(0)])
    y = np.concatenate([each.y for each in placed] or [np.empty(0)])
    ghost, mark = _flags([block.ghost for block in blocks], blocks), _flags([block.mark for block in blocks], blocks)
    traces = [
        _outline(x, y, ~ghost, {"color": "@muted/0.6", "width": 1}),
        _outline(x, y, ghost, {"color": "@muted/0.6", "width": 1, "dash": "dot"}),
        _outline(x, y, mark, {"color": "@mark", "width": 3}),
    ]
    texts = [str(text) if size >= LEGIBLE else "" for block in blocks for text in block.texts.ravel()]
    hovers = [str(text) for block in blocks for text in (block.texts if block.hovers is None else block.hovers).ravel()]
    traces.append(
        {"type": "scatter", "mode": "text", "x": x + 0.5, "y": y + 0.5, "text": texts,
         "hovertext": hovers, "hoverinfo": "text",
         "textfont": {"size": max(size, 8.0), "color": ["@muted" if pale else "@text" for pale in ghost.tolist()]}}
    )  # fmt: skip
    return traces


def _fills(blocks: Sequence[Block], placed: Sequence[_Placed]) -> Figure:
    """One pixel for each cell: none for a ghost and for 0, grey for NaN."""
    x = np.concatenate([each.x for each in placed] or [np.empty(0)])
    y = np.concatenate([each.y for each in placed] or [np.empty(0)])
    shades = np.concatenate([block.shades.ravel() for block in blocks] or [np.empty(0)]).astype(float)
    size = np.abs(np.nan_to_num(shades)).clip(0, 1)
    strength = np.where(size > 0, FILL[0] + (FILL[1] - FILL[0]) * size, 0.0)
    values = images.signed(np.sign(np.nan_to_num(shades)) * strength, 1.0)
    values[np.isnan(shades)] = 0
    values[_flags([block.ghost for block in blocks], blocks)] = images.ZERO
    return images.boxes(x, x + 1, y, y + 1, values, images.SIGNED + images.FILLING)


def _flags(columns: Sequence[Array | None], blocks: Sequence[Block]) -> Array:
    """One flat array of bool for all blocks; a block without flags has none set."""
    parts = [np.zeros(block.texts.size, bool) if flags is None else np.broadcast_to(flags, block.texts.shape).ravel()
             for flags, block in zip(columns, blocks, strict=True)]  # fmt: skip
    return np.concatenate(parts or [np.zeros(0, bool)])


def _corners(x: Array, y: Array, chosen: Array) -> tuple[Array, Array]:
    """The corners of the chosen cells, cell after cell, with a gap behind each."""
    gap = np.full(int(chosen.sum()), np.nan)
    left, top = x[chosen], y[chosen]
    xs = np.stack([left, left + 1, left + 1, left, left, gap], axis=1)
    ys = np.stack([top, top, top + 1, top + 1, top, gap], axis=1)
    return xs.ravel().astype(np.float32), ys.ravel().astype(np.float32)


def _outline(x: Array, y: Array, chosen: Array, line: dict[str, Any]) -> dict[str, Any]:
    xs, ys = _corners(x, y, chosen)
    return {"type": "scatter", "mode": "lines", "x": xs, "y": ys, "line": line, "hoverinfo": "skip",
            "visible": bool(chosen.any())}  # fmt: skip


def _titles(blocks: Sequence[Block], placed: Sequence[_Placed], size: float) -> list[dict[str, Any]]:
    """Each block's title above its first cell; where there are planes, their indices stand on a line below it."""
    notes = []
    for block, place in zip(blocks, placed, strict=True):
        for index, (x, plane) in enumerate(place.planes):
            words = "<br>".join(word for word in (block.title if index == 0 else "", plane) if word)
            notes.append(
                {"x": float(x), "y": -0.06, "xref": "x", "yref": "y", "xanchor": "left", "yanchor": "bottom",
                 "align": "left", "showarrow": False, "text": words,
                 "font": {"size": max(11.0, min(size, 12.0)), "color": "@muted"}}
            )  # fmt: skip
    return notes


def _message(text: str) -> dict[str, Any]:
    """A message in the middle, as plain text."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    lines = textwrap.wrap(plain, LINE, max_lines=6, placeholder=" …")
    return {"text": "<br>".join(lines), "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False,
            "font": {"color": "@text", "size": 13}}  # fmt: skip


def _bare(span: list[float]) -> dict[str, Any]:
    return {"visible": False, "fixedrange": True, "range": span, "autorange": False}
