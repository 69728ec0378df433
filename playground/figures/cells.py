"""Arrays as cells: rectangles with their numbers, side by side or below each other, some as ghosts, some marked.

The board fills the cells on a canvas under the chart, so that numbers and colours change without a full Plotly update.
Everything is measured in cells: the board makes them as large as the chart's place allows, with the numbers and titles.
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
GHOST = 0.3  # of that, for a ghost that has a shade
ROOM = 0.04  # cells, between the edge of a cell and its outline
GAP, PLANE_GAP, SIGN_GAP = 0.9, 0.45, 1.3  # cells between two arrays, two planes of one array, and around a sign
TITLE_LINE, TITLE_LETTER = 0.5, 0.17  # cells: the height of a line of a title, and the width of a letter
LINE_HEIGHT = 16  # pixels of a line of a title, whose type has 12; the board enlarges both
EDGE = 0.15  # cells around the drawing
WORDS, WORDS_WITH_SHAPE = "{title}: {numbers}", "{title}, {shape}: {numbers}"  # an array, for screen readers
MAX_LINE_LENGTH = 40  # characters of a message before it wraps


@dataclass(frozen=True)
class Block:
    """One array of at most three axes; the other arrays here have its shape.

    `shades` are from -1 to 1: the sign gives the colour, NaN is grey. `ghost` cells are not in memory and are drawn
    dotted, without their shade unless `shaded_ghosts` is true; `mark` cells get a frame; `hovers` are the tooltips.
    `detail` is a second line below the title. With a `message` the array does not exist: its place is a dashed frame
    around the message.
    """

    title: str
    texts: Array  # of str
    shades: Array  # of float
    ghost: Array | None = None  # of bool
    mark: Array | None = None  # of bool
    hovers: Array | None = None  # of str
    shaded_ghosts: bool = False
    detail: str = ""
    message: str = ""

    @property
    def name(self) -> str:
        """The title with its detail, as one line."""
        return ", ".join(filter(None, (self.title, self.detail)))


def missing(title: str, message: str, shape: tuple[int, int] = (2, 3)) -> Block:
    """The place of an array that does not exist, with a message in it."""
    return Block(title, np.full(shape, "", object), np.zeros(shape), message=message)


def cells(
    blocks: Sequence[Block],
    *,
    message: str = "",
    signs: Sequence[str] = (),
    rows: Sequence[Sequence[int]] | None = None,
) -> Figure:
    """The arrays in reading order, each under its title, with a sign between each and the next, or a message.

    `rows` has the ways to arrange them, each as the number of arrays in each row; the first is the figure itself, the
    `others` come with it, and the board shows the one with the largest cells. Without it they are all that are even.
    """
    ways = _arrangements(len(blocks)) if rows is None else rows
    figure = _arranged(blocks, ways[0], message, signs)
    if len(ways) > 1:
        figure["others"] = [_arranged(blocks, way, message, signs) for way in ways[1:]]
    return figure


def in_words(blocks: Sequence[Block], message: str = "") -> str:
    """The arrays as text, row by row and with the shape of those that have several axes, for screen readers."""
    texts = []
    for block in blocks:
        shape = " × ".join(str(size) for size in block.texts.shape)
        words = WORDS if block.texts.ndim < 2 or shape in block.name or block.message else WORDS_WITH_SHAPE
        rows = np.atleast_1d(block.texts).reshape(-1, (1, *block.texts.shape)[-1] or 1)
        numbers = "; ".join(", ".join(str(text) for text in row) for row in rows)
        texts.append(words.format(title=block.name, shape=shape, numbers=block.message or numbers))
    return ". ".join([*texts, *([message] if message else [])])


def as_csv(blocks: Sequence[Block]) -> str:
    """The arrays as CSV: a row of array, index and value for each cell."""
    rows = ["array,index,value"]
    for block in blocks:
        title = block.name.replace('"', '""')
        if block.message:
            rows.append(f'"{title}",,"{block.message}"')
            continue
        for place, text in np.ndenumerate(block.texts):
            rows.append(f'"{title}",{" ".join(str(index) for index in place)},{text}')
    return "\n".join(rows) + "\n"


def _arrangements(count: int) -> list[list[int]]:
    """The ways to put `count` arrays into one or more rows of equal length, as the number in each row."""
    found = [[count]]
    for rows in range(2, count + 1):
        longest = -(-count // rows)
        sizes = [min(longest, count - at) for at in range(0, count, longest)]
        if sizes not in found:
            found.append(sizes)
    return found


@dataclass(frozen=True)
class _Placed:
    """A block, the places of its cells in the array's order, its left, top, right and bottom edge, and its planes."""

    block: Block
    x: Array
    y: Array
    box: tuple[float, float, float, float]
    planes: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class _Drawing:
    """All blocks with their places, the signs between them, each (text, x, y), and the drawing's width and height."""

    placed: tuple[_Placed, ...]
    signs: tuple[tuple[str, float, float], ...]
    wide: float
    high: float


def _arranged(blocks: Sequence[Block], rows: Sequence[int], message: str, signs: Sequence[str]) -> Figure:
    """The blocks in rows of these lengths, as a figure of its own."""
    drawing = _placed(blocks, rows, signs)
    shown = [place for place in drawing.placed if not place.block.message]
    return {
        "data": _traces(shown),
        "maps": _fills(shown),
        "layout": layout(
            hidden_axis([0.0, drawing.wide]),
            hidden_axis([drawing.high, 0.0]) | {"scaleanchor": "x"},
            margin={"l": 6, "r": 6, "t": 6, "b": 6},
            showlegend=False,
            meta={
                "words": in_words(blocks, message), "csv": as_csv(blocks), "cells": True,
            },
            shapes=[_empty(place) for place in drawing.placed if place.block.message],
            annotations=[
                *[each for place in drawing.placed for each in _titles(place)],
                *[_note("sign", text, x, y, "middle", "@muted") for text, x, y in drawing.signs],
                *([_message(message)] if message else []),
            ],
        ),
    }  # fmt: skip


def _placed(blocks: Sequence[Block], rows: Sequence[int], signs: Sequence[str]) -> _Drawing:
    """The blocks in rows; each row is centred, and so is each block under its title."""
    queue = list(blocks)
    lines = [[queue.pop(0) for _ in range(size)] for size in rows]
    gaps = SIGN_GAP if signs else GAP
    widths = [sum(map(_width, line)) + gaps * (len(line) - 1) for line in lines]
    beside = [2 * SIGN_GAP * bool(signs and at) for at in range(len(lines))]  # a row that begins with a sign
    wide = max(1.0, *(width + room for width, room in zip(widths, beside, strict=True))) + 2 * EDGE
    placed: list[_Placed] = []
    said: list[tuple[str, float, float]] = []
    top = EDGE
    for line, width in zip(lines, widths, strict=True):
        top += max(map(_title_lines, line), default=0) * TITLE_LINE
        left, high = (wide - width) / 2, max((_size(block)[1] for block in line), default=1.0)
        for block in line:
            if placed and signs:
                said.append((signs[len(placed) - 1], left - gaps / 2, top + high / 2))
            room = _width(block)
            placed.append(_place(block, left + (room - _size(block)[0]) / 2, top))
            left += room + gaps
        top += high + GAP / 2
    return _Drawing(tuple(placed), tuple(said), wide, max(top - GAP / 2, 1.0) + EDGE)


def _size(block: Block) -> tuple[float, float]:
    """The width and height of a block's cells."""
    planes, rows, columns = (1, 1, 1, *block.texts.shape)[-3:]
    return planes * columns + (planes - 1) * PLANE_GAP, float(rows)


def _width(block: Block) -> float:
    """The width of a block with its title."""
    return max(_size(block)[0], TITLE_LETTER * max(len(block.title), len(block.detail)))


def _title_lines(block: Block) -> int:
    planes: int = (1, 1, 1, *block.texts.shape)[-3]
    return bool(block.title) + bool(block.detail) + (planes > 1)


def _place(block: Block, left: float, top: float) -> _Placed:
    """The places of a block's cells, from its left and top edge."""
    planes, rows, columns = (1, 1, 1, *block.texts.shape)[-3:]
    plane, row, column = np.indices((planes, rows, columns)).reshape(3, -1)
    starts = left + np.arange(planes) * (columns + PLANE_GAP)
    names = [f"[{index}]" if planes > 1 else "" for index in range(planes)]
    wide, high = _size(block)
    box = (left, top, left + wide, top + high)
    return _Placed(block, starts[plane] + column, top + row, box, tuple(zip(starts, names, strict=True)))


def _traces(placed: Sequence[_Placed]) -> list[dict[str, Any]]:
    """The outlines and the numbers: always the same traces in the same order, hidden if empty, for fast updates."""
    blocks = [place.block for place in placed]
    x = np.concatenate([each.x for each in placed] or [np.empty(0)])
    y = np.concatenate([each.y for each in placed] or [np.empty(0)])
    ghost, mark = _flags([block.ghost for block in blocks], blocks), _flags([block.mark for block in blocks], blocks)
    traces = [
        _outline(x, y, ~ghost, {"color": "@muted/0.35", "width": 1}),
        _outline(x, y, ghost, {"color": "@muted/0.7", "width": 1, "dash": "dot"}),
        _outline(x, y, mark, {"color": "@mark", "width": 3}),
    ]
    texts = [str(text) for block in blocks for text in block.texts.ravel()]
    hovers = [str(text) for block in blocks for text in (block.texts if block.hovers is None else block.hovers).ravel()]
    traces.append(
        {"type": "scatter", "mode": "text", "x": x + 0.5, "y": y + 0.5, "text": texts,
         "hovertext": hovers, "hoverinfo": "text",
         "textfont": {"size": 12, "color": ["@muted" if pale else "@text" for pale in ghost.tolist()]}}
    )  # fmt: skip
    return traces


def _fills(placed: Sequence[_Placed]) -> Maps:
    """The maps of the cells, one pixel for each: no colour for a ghost and for 0, grey for NaN."""
    blocks = [place.block for place in placed]
    x = np.concatenate([each.x for each in placed] or [np.empty(0)])
    y = np.concatenate([each.y for each in placed] or [np.empty(0)])
    shades = np.concatenate([block.shades.ravel() for block in blocks] or [np.empty(0)]).astype(float)
    ghost = _flags([block.ghost for block in blocks], blocks)
    size = np.abs(np.nan_to_num(shades)).clip(0, 1)
    strength = np.where(size > 0, FILL[0] + (FILL[1] - FILL[0]) * size, 0.0) * np.where(ghost, GHOST, 1.0)
    values = images.signed(np.sign(np.nan_to_num(shades)) * strength, 1.0)
    values[np.isnan(shades)] = 0
    values[_flags([None if block.shaded_ghosts else block.ghost for block in blocks], blocks)] = images.ZERO
    return images.boxes(x + ROOM, x + 1 - ROOM, y + ROOM, y + 1 - ROOM, values, images.SIGNED + images.FILLING)


def _flags(columns: Sequence[Array | None], blocks: Sequence[Block]) -> Array:
    """One flat array of bool for all blocks; without flags a block is all False."""
    parts = [np.zeros(block.texts.size, bool) if flags is None else np.broadcast_to(flags, block.texts.shape).ravel()
             for flags, block in zip(columns, blocks, strict=True)]  # fmt: skip
    return np.concatenate(parts or [np.zeros(0, bool)])


def _outline(x: Array, y: Array, chosen: Array, line: dict[str, Any]) -> dict[str, Any]:
    xs, ys = outlines(x[chosen] + ROOM, y[chosen] + ROOM, 1 - 2 * ROOM, 1 - 2 * ROOM)
    return {"type": "scatter", "mode": "lines", "x": xs, "y": ys, "line": line, "hoverinfo": "skip",
            "visible": bool(chosen.any())}  # fmt: skip


def _empty(place: _Placed) -> dict[str, Any]:
    """The dashed frame in the place of an array that does not exist."""
    x0, y0, x1, y1 = place.box
    return {"type": "rect", "x0": x0, "y0": y0, "x1": x1, "y1": y1, "layer": "below", "fillcolor": "@negative/0.06",
            "line": {"color": "@negative", "width": 2, "dash": "dash"}}  # fmt: skip


def _titles(place: _Placed) -> list[dict[str, Any]]:
    """A block's title over its middle, the indices of its planes, if there are several, and its message, if any."""
    left, top, right, bottom = place.box
    block, middle, lines = place.block, (left + right) / 2, int(len(place.planes) > 1)
    notes = []
    if len(place.planes) > 1:
        for start, name in place.planes:
            notes.append(_note("title", name, start + block.texts.shape[-1] / 2, top - 0.06, "bottom", "@muted"))
    for words, colour in ((block.detail, "@muted"), (block.title, "@text")):
        if words:
            line = _note("title", words, middle, top - 0.06, "bottom", colour, bold=colour == "@text")
            notes.append(line | {"yshift": lines * LINE_HEIGHT})
            lines += 1
    if block.message:
        notes.append(_note("title", block.message, middle, (top + bottom) / 2, "middle", "@negative", bold=True))
    return notes


def _note(kind: str, text: str, x: float, y: float, anchor: str, colour: str, *, bold: bool = False) -> dict[str, Any]:
    """A text at a place of the drawing; the board gives each kind, "title" or "sign", a size that suits the cells."""
    font = {"size": 12 if kind == "title" else 18, "color": colour, "weight": 600 if bold else 400}
    return {"name": kind, "x": float(x), "y": float(y), "xref": "x", "yref": "y", "xanchor": "center",
            "yanchor": anchor, "align": "center", "showarrow": False, "yshift": 0, "text": text,
            "font": font}  # fmt: skip


def _message(text: str) -> dict[str, Any]:
    """A note with the message in the middle, as plain text."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    lines = textwrap.wrap(plain, MAX_LINE_LENGTH, max_lines=6, placeholder=" …")
    return note("<br>".join(lines), 0.5, 0.5, "@text", 15)
