"""An image and what a sliding window makes of it, side by side, with the window and the number that it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.images import Box, Marks
from playground.figures.parts import hidden_axis, line, outlines
from playground.figures.theme import layout

Array = NDArray[Any]
GAP = 0.16  # between the two pictures, as a share of their height
ROOM = 0.012  # around both, as a share of their height
NOT_READ = "Not read"


@dataclass(frozen=True)
class Places:
    """Where the pixels are: the output's at their columns and rows, the image's to the left, equally high together.

    The output has `rows`, the image `side` rows and columns with `padding` on each side.
    """

    rows: int
    side: int
    padding: int = 0

    @property
    def scale(self) -> float:
        """The width of a pixel of the image; a pixel of the output is 1 wide."""
        return self.rows / (self.side + 2 * self.padding)

    @property
    def left(self) -> float:
        """The left edge of the image's padding."""
        return -(1 + GAP) * self.rows

    def box(self, row: float, column: float, height: float, width: float) -> Box:
        """A part of the image, in its pixels, as a part of the picture."""
        scale, padding = self.scale, self.padding
        return scale * (row + padding), self.left + scale * (column + padding), scale * height, scale * width

    def has(self, x: float, y: float) -> bool:
        """Whether a place of the picture is in the image or its padding."""
        return 0 <= x - self.left <= self.rows and 0 <= y <= self.rows

    def pixel_at(self, x: float, y: float) -> tuple[float, float]:
        """The row and the column of the image at a place of the picture."""
        return y / self.scale - self.padding, (x - self.left) / self.scale - self.padding


def pair(
    places: Places,
    image: NDArray[np.uint8],
    output: NDArray[np.uint8],
    luts: tuple[str, str],
    marks: Marks,
    number: tuple[int, int] | None,
    *,
    titles: tuple[str, str],
    words: str,
    csv: str,
) -> Figure:
    """The image (side, side) and the output (rows, columns) as bytes, coloured by their luts.

    `marks` are those of the image; `number` is the row and column of the output's number that its window gives.
    """
    rows, columns = output.shape
    side = places.side
    window = [places.box(*marks.window)] if marks.window else []
    one: list[Box] = [] if number is None else [(*number, 1, 1)]
    whole: Box = (0, 0, rows, columns)
    unused = [places.box(*each) for each in marks.unused]
    cells = [places.box(row, column, 1, 1) for row, column in marks.cells.tolist()]
    edges = [whole, *([places.box(*marks.edge)] if marks.edge else [])]
    top, left, high, wide = places.box(0, 0, side, side)
    room = ROOM * rows
    return {
        "data": [
            line(NOT_READ, *_outlines(unused), {"color": "@negative", "width": 1.5, "dash": "dash"})
            | {"showlegend": bool(unused)},
            _hidden(line("Edge", *_outlines(edges), {"color": "@muted", "width": 1, "dash": "dot"})),
            _hidden(line("Cells", *_outlines(cells), {"color": "@mark", "width": 1})),
            _hidden(line("Link", *_links(window, one), {"color": "@mark/0.6", "width": 1.5})),
            _hidden(line("Window", *_outlines([*window, *one]), {"color": "@mark", "width": 3})),
        ],
        "layout": layout(
            hidden_axis([places.left - room, columns + room]) | {"constrain": "domain"},
            hidden_axis([rows + room, -room]) | {"constrain": "domain", "scaleanchor": "x"},
            margin={"l": 6, "r": 6, "t": 26, "b": 6},
            showlegend=False,
            annotations=[
                _title(titles[0], places.left + rows / 2),
                _title(titles[1], columns / 2),
            ],
            meta={"words": words, "csv": csv},
        ),
        "maps": [
            {"side": side, "tall": side, "values": image.ravel(), "lut": luts[0], "over": False, "crisp": True,
             "boxes": np.array([left, left + wide, top + high, top], np.float32)},
            {"side": columns, "tall": rows, "values": output.ravel(), "lut": luts[1], "over": False, "crisp": True,
             "boxes": np.array([0, columns, rows, 0], np.float32)},
        ],
    }  # fmt: skip


def _hidden(trace: dict[str, Any]) -> dict[str, Any]:
    return trace | {"showlegend": False}


def _title(text: str, x: float) -> dict[str, Any]:
    return {"text": text, "x": x, "y": 0, "xref": "x", "yref": "y", "xanchor": "center", "yanchor": "bottom",
            "yshift": 4, "showarrow": False, "font": {"size": 12, "color": "@muted"}}  # fmt: skip


def _outlines(boxes: Sequence[Box]) -> tuple[Array, Array]:
    """The x and y of the boxes' outlines, with a gap behind each."""
    row, column, height, width = np.array(boxes, np.float32).reshape(-1, 4).T
    return outlines(column, row, width, height)


def _links(window: Sequence[Box], one: Sequence[Box]) -> tuple[Array, Array]:
    """Lines from the right corners of the window to the left corners of the number that it gives."""
    if not window or not one:
        return np.empty(0, np.float32), np.empty(0, np.float32)
    (top, left, high, wide), (row, column, *_) = window[0], one[0]
    x = [left + wide, column, np.nan, left + wide, column, np.nan]
    y = [top, row, np.nan, top + high, row + 1, np.nan]
    return np.array(x, np.float32), np.array(y, np.float32)
