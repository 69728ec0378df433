"""Figures of images and feature maps as pixels: tables of maps, grids of small images, one large image.

The board draws the pixels on one canvas over the chart (`maps`: groups of maps of one size, one byte for each pixel);
the traces are only for hovering and for frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure, Maps
from playground.figures import images
from playground.figures.tables import with_table
from playground.figures.theme import layout

Array = NDArray[Any]
WIDTH = 100.0  # units of a table's width; heights are in the same units
LABELS = 13.0  # of these units, for the rows' names
GAP = 0.12  # between two maps, as a share of their size
MAX_IN_LINE = 16  # maps of a row side by side; more go on below
EXTRA_SIDE, EXTRA_TITLE = 24.0, 3.0  # units: a large map under a table, and its name above it


@dataclass(frozen=True)
class Row:
    """One row of a table: its name, its maps (n, side, side) of signed numbers, and a hover text for each.

    All maps of a row share one scale, so a pale map is a weak one. `ink` is for images from 0 to 1.
    """

    name: str
    maps: Array
    hovers: Sequence[str]
    ink: bool = False
    height: float = 1.0  # as a share of the tallest that fits
    label: str = ""  # beside the row, if not the name


@dataclass(frozen=True)
class Extra:
    """One large map (side, side) under a table, and its name."""

    name: str
    map: Array
    hover: str


def signed(maps: Array) -> Array:
    """Bytes of signed maps on one scale: 128 is zero, 255 and 1 the largest size; all 128 if that is not finite."""
    size = float(np.abs(maps).max(initial=0.0))
    return images.signed(maps if np.isfinite(size) else np.zeros_like(maps), size if np.isfinite(size) else 1.0)


def largest(maps: Array) -> float:
    """The size that the strongest bytes of `signed` stand for; NaN counts as 0."""
    size = float(np.nanmax(np.abs(maps), initial=0.0))
    return size if np.isfinite(size) and size else 1.0


def ink(shades: Array) -> Array:
    """Bytes of images from 0 to 1."""
    return images.ink(np.nan_to_num(shades), 1.0)


def width_of(count: int, in_line: int = MAX_IN_LINE) -> float:
    """The width of one of `count` maps with its gap, in units, in lines of `in_line` maps."""
    return (WIDTH - LABELS) / max(1, min(count, in_line))


def lines_of(count: int, in_line: int = MAX_IN_LINE) -> int:
    """The lines that `count` maps need."""
    return -(-count // in_line)


def table(
    rows: Sequence[Row],
    *,
    height: float,
    extra: Extra | None = None,
    chosen: tuple[int, int] | None = None,
    place: tuple[int, int] | None = None,
    in_line: int = MAX_IN_LINE,
) -> Figure:
    """Rows of maps one above the other, within WIDTH by `height` units, each in lines of `in_line` maps at most.

    `chosen` (row, map) gets a frame; `place` are the two numbers in the chart's fields.
    """
    room = height - (EXTRA_SIDE + EXTRA_TITLE if extra else 0.0)
    counts = [len(row.maps) for row in rows]
    sizes = row_sizes(rows, room, in_line)
    groups: list[Maps] = []
    centres: list[tuple[float, float]] = []
    hovers: list[str] = []
    frame: list[tuple[float, float, float]] = []
    notes: list[dict[str, Any]] = []
    top = 0.0
    pitches = _pitches(counts, sizes, in_line)
    for at, (row, size, pitch) in enumerate(zip(rows, sizes, pitches, strict=True)):
        number, inner = np.arange(len(row.maps)), size * (1 - GAP)
        left, above = LABELS + pitch * (number % in_line), top + size * (number // in_line)
        boxes = np.stack([left, left + inner, -above - inner, -above], axis=1)
        groups.append(_group(row.name, row.maps, boxes, is_ink=row.ink))
        centres += [(x + inner / 2, -y - inner / 2) for x, y in zip(left.tolist(), above.tolist(), strict=True)]
        hovers += list(row.hovers)
        if chosen is not None and chosen[0] == at and chosen[1] < len(left):
            frame.append((float(left[chosen[1]]), -float(above[chosen[1]]), inner))
        high = size * lines_of(len(row.maps), in_line)
        notes.append(_name(row.label or row.name, 0.0, -top - high / 2))
        top += high
    if extra is not None:
        side = min(EXTRA_SIDE, height - top - EXTRA_TITLE)
        y = -top - EXTRA_TITLE
        groups.append(_group(extra.name, extra.map[None], np.array([[LABELS, LABELS + side, y - side, y]]),
                             is_ink=False))  # fmt: skip
        centres.append((LABELS + side / 2, y - side / 2))
        hovers.append(extra.hover)
        notes.append(_name(extra.name, LABELS, y + EXTRA_TITLE / 2))
    return {
        "data": [_points(centres, hovers), _frames("Chosen", frame, "@mark", 2) | {"showlegend": False}],
        "layout": _square([0, WIDTH], [-height, 0.5], notes, place=list(place) if place else None),
        "maps": groups,
    }


def row_sizes(rows: Sequence[Row], height: float, in_line: int = MAX_IN_LINE) -> list[float]:
    """The size of a map of each row with its gap, in units: as wide as a line allows, all shrunk until they fit."""
    widths, lines = ([each(len(row.maps), in_line) for row in rows] for each in (width_of, lines_of))
    tallest = max(widths, default=1.0)
    for _ in range(60):
        sizes = [min(width, tallest * row.height) for width, row in zip(widths, rows, strict=True)]
        if sum(size * count for size, count in zip(sizes, lines, strict=True)) <= height:
            break
        tallest *= 0.94
    return sizes if rows else []


def find(
    rows: Sequence[int], sizes: Sequence[float], x: float, y: float, in_line: int = MAX_IN_LINE
) -> tuple[int, int] | None:
    """The (row, map) at a place of a table, given the number of maps in each row; None between maps."""
    top = 0.0
    for at, (count, size, pitch) in enumerate(zip(rows, sizes, _pitches(rows, sizes, in_line), strict=True)):
        high = size * lines_of(count, in_line)
        column, line = int((x - LABELS) // pitch), int((-y - top) // size)
        number = line * in_line + column
        if top <= -y < top + high and x >= LABELS and column < min(count, in_line) and number < count:
            return at, number
        top += high
    return None


def _pitches(counts: Sequence[int], sizes: Sequence[float], in_line: int) -> list[float]:
    """The distance between the maps of each row; equal in rows with as many in a line, so that they form columns."""
    across = [min(count, in_line) for count in counts]
    return [max(size for size, other in zip(sizes, across, strict=True) if other == count) for count in across]


TIMES_IN_LINE, TIMES_LINE = 6, 2.1  # steps side by side, and the height of a line of them, in widths of a step


def times(filters: tuple[str, Array], maps: tuple[str, Array], captions: Sequence[str]) -> Figure:
    """A filter and a map at several steps, each with a caption: (name, pixels of shape (steps, side, side))."""
    number = np.arange(len(captions))
    x, y = number % TIMES_IN_LINE, -TIMES_LINE * (number // TIMES_IN_LINE)
    across = min(TIMES_IN_LINE, len(captions))
    groups, centres = [], []
    for (name, pixels), left, top, side in ((filters, 0.3, 0.04, 0.4), (maps, 0.05, 0.5, 0.9)):
        boxes = np.stack([x + left, x + left + side, y - top - side, y - top], axis=1)
        groups.append(_group(name, pixels, boxes, is_ink=False))
        centres += [(float(a + left + side / 2), float(b - top - side / 2)) for a, b in zip(x, y, strict=True)]
    notes = [
        _name(text, float(a) + 0.05, float(b) - 1.44) | {"yanchor": "top"}
        for text, a, b in zip(captions, x, y, strict=True)
    ]
    high = TIMES_LINE * lines_of(len(captions), TIMES_IN_LINE)
    return {
        "data": [_points(centres, [*captions, *captions])],
        "layout": _square([0, max(across, TIMES_IN_LINE)], [-high, 0.05], notes),
        "maps": groups,
    }


def strip(name: str, values: Array, *, rows: int, y: float, high: float) -> tuple[Maps, dict[str, Any]]:
    """A long vector (n,) as a band of `rows` rows: its group of pixels, and its name for the layout."""
    wide = -(-len(values) // rows)
    padded = np.zeros(wide * rows, np.float32)
    padded[: len(values)] = values
    box = np.array([LABELS, WIDTH, -y - high, -y], np.float32)
    group: Maps = {"side": wide, "tall": rows, "values": signed(padded), "boxes": box, "lut": "signed", "over": False,
                   "crisp": True, "name": name, "size": largest(values)}  # fmt: skip
    return group, _name(name, 0.0, -y - high / 2)


@dataclass(frozen=True)
class Small:
    """One image of a grid: pixels uint8 (28, 28), the words under it, its hover text, and whether it is right."""

    pixels: Array
    words: str
    hover: str
    is_right: bool | None = None
    numbers: tuple[float, ...] = ()  # in the CSV file, in the order of its columns


CELL = (1.0, 1.36)  # of a grid: the width, and the height with the words


def grid(images: Sequence[Small], *, columns: int, rows: int, names: Sequence[str] = (), message: str = "") -> Figure:
    """Small images row by row; a solid frame where the model is right, a dashed one where it is wrong.

    `names` are those of the columns of the images' numbers.
    """
    shown = images[: columns * rows]
    left = np.arange(len(shown)) % columns * CELL[0] + 0.06
    top = -(np.arange(len(shown)) // columns) * CELL[1] - 0.06
    side = CELL[0] - 0.12
    boxes = np.stack([left, left + side, top - side, top], axis=1) if shown else np.empty((0, 4))
    side_pixels = shown[0].pixels.shape[-1] if shown else 1
    values = np.concatenate([image.pixels.ravel() for image in shown]) if shown else np.empty(0, np.uint8)
    group: Maps = {"side": side_pixels, "values": values, "boxes": boxes.ravel().astype(np.float32), "lut": "ink",
                   "over": False, "crisp": False}  # fmt: skip
    corners = [(float(x), float(y), side) for x, y in zip(left, top, strict=True)]
    right = [corner for corner, image in zip(corners, shown, strict=True) if image.is_right]
    wrong = [corner for corner, image in zip(corners, shown, strict=True) if image.is_right is False]
    words = {
        "type": "scatter", "mode": "text", "name": "Words", "showlegend": False,
        "x": (left + side / 2).astype(np.float32),
        "y": (top - side - 0.2).astype(np.float32), "text": [image.words for image in shown], "hoverinfo": "skip",
        "textfont": {"size": 11, "color": ["@gradient" if image.is_right else "@text" if image.is_right is None
                                           else "@test" for image in shown]},
    }  # fmt: skip
    points = _points([(x + side / 2, y - side / 2) for x, y, _ in corners], [image.hover for image in shown])
    notes = [_name(message, 0.1, -0.5)] if message else []
    figure: Figure = {
        "data": [
            points,
            words,
            _frames("Right", right, "@gradient", 1.5),
            _frames("Wrong", wrong, "@test", 2.5, "dash"),
        ],
        "layout": _square([0, columns * CELL[0]], [-rows * CELL[1] - 0.1, 0], notes),
        "maps": [group],
    }
    numbers = np.array([image.numbers for image in shown]).reshape(len(shown), len(names)).T
    return with_table(figure, dict(zip(names, numbers, strict=True)))


def grid_find(columns: int, x: float, y: float) -> int:
    """The number of the image at a place of a grid."""
    return int(-y // CELL[1]) * columns + min(columns - 1, int(x // CELL[0]))


def image(pixels: Array, title: str) -> Figure:
    """One large image (28, 28) from 0 to 1 with its title."""
    side = float(pixels.shape[-1])
    box = np.array([0, side, -side, 0], np.float32)
    group: Maps = {
        "side": int(side),
        "values": ink(pixels).ravel(),
        "boxes": box,
        "lut": "ink",
        "over": False,
        "crisp": True,
        "name": title,
    }
    return {
        "data": [_points([(side / 2, -side / 2)], [title])],
        "layout": _square([0, side], [-side, 0], [], margin={"l": 8, "r": 8, "t": 24, "b": 8},
                          title={"text": title, "font": {"size": 13, "color": "@text"}, "x": 0.01, "xanchor": "left",
                                 "y": 0.97, "yanchor": "top"}),
        "maps": [group],
    }  # fmt: skip


def _group(name: str, maps: Array, boxes: Array, *, is_ink: bool) -> Maps:
    return {
        "name": name, "size": 1.0 if is_ink else largest(maps),
        "side": maps.shape[-1], "values": (ink if is_ink else signed)(maps).ravel(), "over": False, "crisp": True,
        "boxes": boxes.ravel().astype(np.float32), "lut": "ink" if is_ink else "signed",
    }  # fmt: skip


def _points(centres: Sequence[tuple[float, float]], hovers: Sequence[str]) -> dict[str, Any]:
    """Invisible markers for hovering and clicking."""
    at = np.array(centres, np.float32).reshape(-1, 2)
    return {"type": "scatter", "mode": "markers", "name": "Maps", "showlegend": False, "hovertext": list(hovers),
            "x": at[:, 0], "y": at[:, 1], "hoverinfo": "text",
            "marker": {"size": 18, "opacity": 0, "color": "@text"}}  # fmt: skip


def _frames(
    name: str, corners: Sequence[tuple[float, float, float]], colour: str, width: float, dash: str = "solid"
) -> dict[str, Any]:
    """Squares (left, top, side) as one line with gaps."""
    xs: list[float] = []
    ys: list[float] = []
    for x, y, side in corners:
        xs += [x, x + side, x + side, x, x, np.nan]
        ys += [y, y, y - side, y - side, y, np.nan]
    return {"type": "scatter", "mode": "lines", "name": name, "x": np.array(xs, np.float32), "hoverinfo": "skip",
            "y": np.array(ys, np.float32), "line": {"color": colour, "width": width, "dash": dash}}  # fmt: skip


def _name(text: str, x: float, y: float) -> dict[str, Any]:
    return {"text": text, "x": float(x), "y": float(y), "xref": "x", "yref": "y", "xanchor": "left",
            "yanchor": "middle", "showarrow": False, "align": "left",
            "font": {"size": 11, "color": "@muted"}}  # fmt: skip


def _square(x: list[float], y: list[float], notes: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The layout of axes without ticks and with equal units in both directions."""
    bare = {"visible": False, "fixedrange": True, "autorange": False, "constrain": "domain"}
    top = {"scaleanchor": "x", "constraintoward": "top"}
    place = more.pop("place", None)
    frame = {"margin": {"l": 4, "r": 4, "t": 4, "b": 4}, "showlegend": False, "annotations": notes}
    meta = {"meta": {"place": place}} if place is not None else {}
    return layout(bare | {"range": x}, bare | {"range": y} | top, **(frame | meta | more))
