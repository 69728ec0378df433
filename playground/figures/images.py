"""Images as grids of pixels: coloured on the board's canvas, with frames around what matters in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.figures.theme import layout

Array = NDArray[Any]
Figure = dict[str, Any]
Box = tuple[float, float, float, float]  # row, column, height, width: of a part of an image, in pixels
ZERO = 128  # the byte of the number 0 in SIGNED
INK, SIGNED = "ink", "signed"  # how bytes are coloured: from the ground to the text's colour, or by sign
FILLING = " filling"  # behind one of them: the byte 0 is a pixel that is not there yet


@dataclass(frozen=True)
class Marks:
    """What is drawn on an image: a `window` with a bold frame, the `cells` it reads, a dotted `edge`, pale `unused`."""

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


def boxes(left: Array, right: Array, top: Array, bottom: Array, values: NDArray[np.uint8], lut: str) -> Figure:
    """The `maps` of a figure that are rectangles of one colour each: their edges and bytes, all (rectangles,)."""
    edges = np.stack(np.broadcast_arrays(left, right, bottom, top), axis=1).ravel().astype(np.float32)
    return {"side": 1, "values": values, "boxes": edges, "lut": lut, "over": False, "crisp": True}


def uncovered(image: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """The image with its first `count` pixels alone, row by row, to be drawn with a lut that ends in FILLING."""
    shown = image.clip(1)
    shown.ravel()[count:] = 0
    return shown


def pixels(
    image: NDArray[np.uint8], lut: str, marks: Marks | None = None, *, margin: int = 0, words: str = "", csv: str = ""
) -> Figure:
    """One image of bytes (height, width), rows from the top, with room for `margin` more pixels on each side.

    `lut` colours the bytes; `words` and `csv` are the picture for who does not see it, and its numbers.
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
            _lines("Unused", _corners(marks.unused), {"color": "@negative", "width": 1.5, "dash": "dash"}),
            _lines("Edge", _corners([marks.edge] if marks.edge else []),
                   {"color": "@muted", "width": 1, "dash": "dot"}),
            _lines("Cells", _corners([(row, column, 1, 1) for row, column in marks.cells.tolist()]),
                   {"color": "@mark", "width": 1}),
            _lines("Window", _corners([marks.window] if marks.window else []), {"color": "@mark", "width": 3}),
        ],
        "layout": layout(
            _bare([-around, width + around], constrain="domain"),
            _bare([height + around, -around], constrain="domain", scaleanchor="x"),
            margin={"l": 4, "r": 4, "t": 4, "b": 6},
            showlegend=False,
            meta={"words": words, "csv": csv},
        ),
        "maps": {"side": side, "values": square.ravel(), "lut": lut, "over": False, "crisp": True,
                 "boxes": np.array([0, side, side, 0], np.float32)},
    }  # fmt: skip


def numbers_csv(values: Array) -> str:
    """An image's numbers as rows of row, column and value."""
    rows = [f"{row},{column},{value:g}" for (row, column), value in np.ndenumerate(values)]
    return "\n".join(["row,column,value", *rows]) + "\n"


def _corners(boxes: Sequence[Box]) -> tuple[Array, Array]:
    """The corners of boxes, box after box, with a gap behind each: x and y."""
    if not boxes:
        return np.empty(0, np.float32), np.empty(0, np.float32)
    row, column, height, width = np.array(boxes, np.float32).T
    gap = np.full_like(row, np.nan)
    xs = np.stack([column, column + width, column + width, column, column, gap], axis=1)
    ys = np.stack([row, row, row + height, row + height, row, gap], axis=1)
    return xs.ravel(), ys.ravel()


def _lines(name: str, corners: tuple[Array, Array], line: dict[str, Any]) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "name": name, "x": corners[0], "y": corners[1], "line": line,
            "hoverinfo": "skip"}  # fmt: skip


def _bare(span: list[float], **more: Any) -> dict[str, Any]:
    return {"visible": False, "fixedrange": True, "range": span, "autorange": False} | more
