"""Images as grids of pixels: coloured on the board's canvas, with frames around their parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure, Maps
from playground.figures.parts import hidden_axis, line, outlines
from playground.figures.theme import layout

Array = NDArray[Any]
Box = tuple[float, float, float, float]  # row, column, height, width of a part of an image, in pixels
ZERO = 128  # the byte of the number 0 in SIGNED
INK, SIGNED = "ink", "signed"  # colours of the bytes: from the background to the text's colour, or by sign
FILLING = " filling"  # after one of them: the byte 0 is a pixel that is not shown yet


@dataclass(frozen=True)
class Marks:
    """What is drawn on an image: a frame around `window`, the `cells` it reads, a dotted `edge`, `unused` parts."""

    window: Box | None = None
    cells: Array = field(default_factory=lambda: np.empty((0, 2)))  # (cells, 2): rows and columns
    edge: Box | None = None
    unused: Sequence[Box] = ()


def ink(values: Array, largest: float = 255.0) -> NDArray[np.uint8]:
    """Grey levels from 0 to `largest` as bytes to be drawn with the lut INK; the same shape."""
    return np.rint(np.clip(values / (largest or 1.0), 0, 1) * 255).astype(np.uint8)


def signed(values: Array, largest: float) -> NDArray[np.uint8]:
    """Numbers from -largest to largest as bytes to be drawn with the lut SIGNED; the same shape."""
    return (ZERO + np.rint(np.clip(values / (largest or 1.0), -1, 1) * 127)).astype(np.uint8)


def boxes(left: Array, right: Array, top: Array, bottom: Array, values: NDArray[np.uint8], lut: str) -> Maps:
    """The `maps` of a figure: rectangles of one colour each, from their edges and bytes, all of shape (rectangles,)."""
    edges = np.stack(np.broadcast_arrays(left, right, bottom, top), axis=1).ravel().astype(np.float32)
    return {"side": 1, "values": values, "boxes": edges, "lut": lut, "over": False, "crisp": True}


def uncovered(image: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """The image with only its first `count` pixels, row by row, to be drawn with a lut that ends in FILLING."""
    shown = image.clip(1)
    shown.ravel()[count:] = 0
    return shown


def pixels(
    image: NDArray[np.uint8], lut: str, marks: Marks | None = None, *, margin: int = 0, words: str = "", csv: str = ""
) -> Figure:
    """One image of bytes (height, width), rows from the top, with room for `margin` more pixels on each side.

    `lut` colours the bytes; `words` describe the image to screen readers, `csv` holds its numbers.
    """
    height, width = image.shape
    side = max(height, width)
    marks = marks or Marks()
    ground = ZERO if lut.startswith(SIGNED) else int(lut.endswith(FILLING))
    square = np.full((side, side), ground, dtype=np.uint8)
    square[:height, :width] = image
    around = margin + 0.3
    return {
        "data": [
            line("Unused", *_corners(marks.unused), {"color": "@negative", "width": 1.5, "dash": "dash"}),
            line("Edge", *_corners([marks.edge] if marks.edge else []),
                 {"color": "@muted", "width": 1, "dash": "dot"}),
            line("Cells", *_corners([(row, column, 1, 1) for row, column in marks.cells.tolist()]),
                 {"color": "@mark", "width": 1}),
            line("Window", *_corners([marks.window] if marks.window else []), {"color": "@mark", "width": 3}),
        ],
        "layout": layout(
            hidden_axis([-around, width + around]) | {"constrain": "domain"},
            hidden_axis([height + around, -around]) | {"constrain": "domain", "scaleanchor": "x"},
            margin={"l": 4, "r": 4, "t": 4, "b": 6},
            showlegend=False,
            meta={"words": words, "csv": csv},
        ),
        "maps": {"side": side, "values": square.ravel(), "lut": lut, "over": False, "crisp": True,
                 "boxes": np.array([0, side, side, 0], np.float32)},
    }  # fmt: skip


def _corners(boxes: Sequence[Box]) -> tuple[Array, Array]:
    """The x and y of the boxes' outlines, with a gap behind each."""
    if not boxes:
        return np.empty(0, np.float32), np.empty(0, np.float32)
    row, column, height, width = np.array(boxes, np.float32).T
    return outlines(column, row, width, height)
