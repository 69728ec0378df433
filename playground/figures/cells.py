"""Arrays as cells: rectangles with their numbers, side by side, some of them as ghosts, some marked.

The board fills the cells on a canvas under the chart, so that numbers and colours change without a full Plotly update.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure, Maps
from playground.figures import images
from playground.figures.parts import hidden_axis, note, outlines
from playground.figures.theme import layout

Array = NDArray[Any]
FILL = (0.06, 0.62)  # how strongly a cell is filled, from the smallest values to the largest
MIN_EXTENT = (4.0, 3.0)  # cells: a drawing is at least this wide and high, so that few cells do not become huge
CARD = (330.0, 140.0)  # pixels that a small card has for its cells; the size of the numbers follows from it
GAP, PLANE_GAP = 0.9, 0.45  # cells between two arrays, and between the planes of one array
MIN_FONT_SIZE = 5.5  # pixels: smaller numbers are not written in the cells; the tooltip shows them
TITLE_HEIGHT = 18.0  # pixels of a line of a title
WORDS, WORDS_WITH_SHAPE = "{title}: {numbers}", "{title}, {shape}: {numbers}"  # an array, for screen readers
MAX_LINE_LENGTH = 44  # characters of a message before it wraps


@dataclass(frozen=True)
class Block:
    """One array of at most three axes; the other arrays here have its shape.

    `shades` are from -1 to 1: the sign gives the colour, NaN is grey. `ghost` cells are not in memory and are drawn
    dotted, without their shade unless `shaded_ghosts` is true; `mark` cells get a frame; `hovers` are the tooltips.
    """

    title: str
    texts: Array  # of str
    shades: Array  # of float
    ghost: Array | None = None  # of bool
    mark: Array | None = None  # of bool
    hovers: Array | None = None  # of str
    shaded_ghosts: bool = False


def cells(blocks: Sequence[Block], *, message: str = "", width: float = CARD[0], stacked: bool = False) -> Figure:
    """The arrays from left to right (or, if `stacked`, one below the other), each under its title, or a message.

    `width` is the chart's approximate width in pixels.
    """
    placed, right, bottom = _place(blocks, stacked=stacked)
    longest = max((len(str(text)) for block in blocks for text in block.texts.ravel()), default=1)
    wide, high = max(right, MIN_EXTENT[0]), max(bottom, MIN_EXTENT[1])
    size = min(14.0, width / wide / (0.62 * max(longest, 2)), 0.75 * CARD[1] / high)
    lines = 1 + any(len(place.planes) > 1 for place in placed)
    above = lines * max(0.6, TITLE_HEIGHT * high / CARD[1]) + 0.1
    x_room, y_room = (wide - right) / 2, (high - bottom) / 2
    return {
        "data": _traces(blocks, placed, size),
        "maps": _fills(blocks, placed),
        "layout": layout(
            hidden_axis([-0.1 - x_room, right + x_room + 0.1]),
            hidden_axis([bottom + y_room + 0.1, -above - y_room]),
            margin={"l": 6, "r": 6, "t": 4, "b": 6},
            showlegend=False,
            meta={"words": in_words(blocks, message), "csv": as_csv(blocks)},
            annotations=[*_titles(blocks, placed, size), *([_message(message)] if message else [])],
        ),
    }


def in_words(blocks: Sequence[Block], message: str = "") -> str:
    """The arrays as text, row by row and with the shape of those that have several axes, for screen readers."""
    texts = []
    for block in blocks:
        shape = " × ".join(str(size) for size in block.texts.shape)
        words = WORDS if block.texts.ndim < 2 or shape in block.title else WORDS_WITH_SHAPE
        rows = np.atleast_1d(block.texts).reshape(-1, (1, *block.texts.shape)[-1] or 1)
        numbers = "; ".join(", ".join(str(text) for text in row) for row in rows)
        texts.append(words.format(title=block.title, shape=shape, numbers=numbers))
    return ". ".join([*texts, *([message] if message else [])])


def as_csv(blocks: Sequence[Block]) -> str:
    """The arrays as CSV: a row of array, index and value for each cell."""
    rows = ["array,index,value"]
    for block in blocks:
        for place, text in np.ndenumerate(block.texts):
            title = block.title.replace('"', '""')
            rows.append(f'"{title}",{" ".join(str(index) for index in place)},{text}')
    return "\n".join(rows) + "\n"


@dataclass(frozen=True)
class _Placed:
    """The places of a block's cells, in the array's order; the left edge of each plane; the block's top edge."""

    x: Array
    y: Array
    planes: tuple[tuple[float, str], ...]
    top: float = 0.0


def _place(blocks: Sequence[Block], *, stacked: bool = False) -> tuple[list[_Placed], float, float]:
    """The places of each block's cells, and their right and bottom ends."""
    placed: list[_Placed] = []
    left, right, top, bottom = 0.0, 0.0, 0.0, 0.0
    for block in blocks:
        planes, rows, columns = (1, 1, 1, *block.texts.shape)[-3:]
        plane, row, column = np.indices((planes, rows, columns)).reshape(3, -1)
        starts = left + np.arange(planes) * (columns + PLANE_GAP)
        names = [f"[{index}]" if planes > 1 else "" for index in range(planes)]
        placed.append(_Placed(starts[plane] + column, top + row, tuple(zip(starts, names, strict=True)), top))
        right, bottom = max(right, float(starts[-1]) + columns), max(bottom, top + rows)
        left, top = (0.0, bottom + GAP) if stacked else (right + GAP, 0.0)
    return placed, max(right, 1.0), max(bottom, 1.0)


def _traces(blocks: Sequence[Block], placed: Sequence[_Placed], size: float) -> list[dict[str, Any]]:
    """The outlines and the numbers: always the same traces in the same order, hidden if empty, for fast updates."""
    x = np.concatenate([each.x for each in placed] or [np.empty(0)])
    y = np.concatenate([each.y for each in placed] or [np.empty(0)])
    ghost, mark = _flags([block.ghost for block in blocks], blocks), _flags([block.mark for block in blocks], blocks)
    traces = [
        _outline(x, y, ~ghost, {"color": "@muted/0.6", "width": 1}),
        _outline(x, y, ghost, {"color": "@muted/0.6", "width": 1, "dash": "dot"}),
        _outline(x, y, mark, {"color": "@mark", "width": 3}),
    ]
    texts = [str(text) if size >= MIN_FONT_SIZE else "" for block in blocks for text in block.texts.ravel()]
    hovers = [str(text) for block in blocks for text in (block.texts if block.hovers is None else block.hovers).ravel()]
    traces.append(
        {"type": "scatter", "mode": "text", "x": x + 0.5, "y": y + 0.5, "text": texts,
         "hovertext": hovers, "hoverinfo": "text",
         "textfont": {"size": max(size, 8.0), "color": ["@muted" if pale else "@text" for pale in ghost.tolist()]}}
    )  # fmt: skip
    return traces


def _fills(blocks: Sequence[Block], placed: Sequence[_Placed]) -> Maps:
    """The maps of the cells, one pixel for each: no colour for a ghost and for 0, grey for NaN."""
    x = np.concatenate([each.x for each in placed] or [np.empty(0)])
    y = np.concatenate([each.y for each in placed] or [np.empty(0)])
    shades = np.concatenate([block.shades.ravel() for block in blocks] or [np.empty(0)]).astype(float)
    size = np.abs(np.nan_to_num(shades)).clip(0, 1)
    strength = np.where(size > 0, FILL[0] + (FILL[1] - FILL[0]) * size, 0.0)
    values = images.signed(np.sign(np.nan_to_num(shades)) * strength, 1.0)
    values[np.isnan(shades)] = 0
    values[_flags([None if block.shaded_ghosts else block.ghost for block in blocks], blocks)] = images.ZERO
    return images.boxes(x, x + 1, y, y + 1, values, images.SIGNED + images.FILLING)


def _flags(columns: Sequence[Array | None], blocks: Sequence[Block]) -> Array:
    """One flat array of bool for all blocks; without flags a block is all False."""
    parts = [np.zeros(block.texts.size, bool) if flags is None else np.broadcast_to(flags, block.texts.shape).ravel()
             for flags, block in zip(columns, blocks, strict=True)]  # fmt: skip
    return np.concatenate(parts or [np.zeros(0, bool)])


def _outline(x: Array, y: Array, chosen: Array, line: dict[str, Any]) -> dict[str, Any]:
    xs, ys = outlines(x[chosen], y[chosen], 1, 1)
    return {"type": "scatter", "mode": "lines", "x": xs, "y": ys, "line": line, "hoverinfo": "skip",
            "visible": bool(chosen.any())}  # fmt: skip


def _titles(blocks: Sequence[Block], placed: Sequence[_Placed], size: float) -> list[dict[str, Any]]:
    """Each block's title above its first cell; the indices of planes, if there are several, on a line below it."""
    notes = []
    for block, place in zip(blocks, placed, strict=True):
        for index, (x, plane) in enumerate(place.planes):
            words = "<br>".join(word for word in (block.title if index == 0 else "", plane) if word)
            notes.append(
                {"x": float(x), "y": place.top - 0.06, "xref": "x", "yref": "y", "xanchor": "left", "yanchor": "bottom",
                 "align": "left", "showarrow": False, "text": words,
                 "font": {"size": max(11.0, min(size, 12.0)), "color": "@muted"}}
            )  # fmt: skip
    return notes


def _message(text: str) -> dict[str, Any]:
    """A note with the message in the middle, as plain text."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    lines = textwrap.wrap(plain, MAX_LINE_LENGTH, max_lines=6, placeholder=" …")
    return note("<br>".join(lines), 0.5, 0.5, "@text", 13)
