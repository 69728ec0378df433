"""The parameters of a model and their .grad as grids of colours, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures import images
from playground.figures.parts import hidden_axis, outlines
from playground.figures.theme import layout

Array = NDArray[Any]
LEFT, RIGHT = (0.0, 0.485), (0.515, 1.0)  # the columns of values and of gradients
TITLE, LABEL, GAP = 0.8, 0.62, 0.3  # heights: of the titles, of a row's names, and below a row
VECTOR, MATRIX = 0.5, 1.3  # heights of the grids
MARGIN = {"l": 8, "r": 8, "t": 4, "b": 6}


@dataclass(frozen=True)
class Grid:
    """One parameter: its name, its numbers, its .grad or None, a text for each, and which of the two has changed."""

    name: str
    value: Array
    grad: Array | None
    value_text: str
    grad_text: str
    value_changed: bool = False
    grad_changed: bool = False


def grids(
    rows: Sequence[Grid], titles: tuple[str, str], peaks: tuple[float, float], *, none: str, words: str
) -> Figure:
    """Each parameter in a row: its values at the left, its gradients at the right, framed where they have changed.

    `peaks` are the numbers with the strongest colours, for values and gradients; `none` is written where there is no
    gradient. A tensor of more than two axes is drawn as a matrix, all but its first axis in one row.
    """
    notes = [_note(title, span[0], 0.1, "@text", bold=True) for title, span in zip(titles, (LEFT, RIGHT), strict=True)]
    shapes: list[dict[str, Any]] = []
    traces: list[dict[str, Any]] = []
    cells: list[tuple[Array, Array, Array, Array, Array]] = []
    framed: list[tuple[float, float, float, float]] = []
    top = TITLE
    for row in rows:
        high = MATRIX if row.value.ndim > 1 else VECTOR
        notes.append(_note(row.value_text, LEFT[0], top + 0.05, "@muted"))
        notes.append(_note(row.grad_text, RIGHT[0], top + 0.05, "@muted"))
        top += LABEL
        for values, span, peak, changed in (
            (row.value, LEFT, peaks[0], row.value_changed),
            (row.grad, RIGHT, peaks[1], row.grad_changed),
        ):
            box = (span[0], top, span[1] - span[0], high)
            shapes.append(_edge(box, is_empty=values is None))
            if values is None:
                notes.append(_centred(none, box))
            else:
                matrix = as_matrix(values)
                cells.append(_cells(matrix, box, peak))
                traces.append(_hover(row.name, matrix, box))
            if changed:
                framed.append(box)
        top += high + GAP
    left, right, upper, lower, filled = (np.concatenate(each) for each in zip(*cells, strict=True))
    x, y = outlines(*(np.array([box[at] for box in framed]) for at in range(4)))
    frame = {"type": "scatter", "mode": "lines", "name": "Changed", "x": x, "y": y, "hoverinfo": "skip",
             "line": {"color": "@mark", "width": 3}}  # fmt: skip
    return {
        "data": [*traces, frame],
        "maps": images.boxes(left, right, upper, lower, filled, images.SIGNED),
        "layout": layout(
            hidden_axis([-0.008, 1.008]), hidden_axis([top - GAP + 0.1, 0.0]), margin=MARGIN, showlegend=False,
            dragmode=False, annotations=notes, shapes=shapes,
            meta={"words": words, "csv": as_csv(rows), "made_for": [380, round(42 * top)]},
        ),
    }  # fmt: skip


def as_matrix(values: Array) -> Array:
    """A tensor's numbers as a matrix that is at least as wide as high."""
    matrix = values.reshape(1, -1) if values.ndim < 2 else values.reshape(len(values), -1)
    return matrix.T if len(matrix) > matrix.shape[1] else matrix


def as_csv(rows: Sequence[Grid]) -> str:
    """All numbers as CSV: parameter, index, value and gradient."""
    lines = ["parameter,index,value,grad"]
    for row in rows:
        for place, value in np.ndenumerate(row.value):
            grad = "" if row.grad is None else f"{row.grad[place]:.6g}"
            lines.append(f"{row.name},{' '.join(map(str, place))},{value:.6g},{grad}")
    return "\n".join(lines) + "\n"


def _cells(
    matrix: Array, box: tuple[float, float, float, float], peak: float
) -> tuple[Array, Array, Array, Array, Array]:
    """The edges (left, right, top, bottom) of a grid's cells, and their bytes."""
    x, y, wide, high = box
    rows, columns = matrix.shape
    at_row, at_column = np.indices(matrix.shape).reshape(2, -1)
    left, upper = x + wide * at_column / columns, y + high * at_row / rows
    # By the square root, so that small numbers are seen beside large ones.
    shades = np.sign(matrix) * np.sqrt(np.abs(np.nan_to_num(matrix)) / (peak or 1.0))
    return left, left + wide / columns, upper, upper + high / rows, images.signed(shades.ravel(), 1.0)


def _hover(name: str, matrix: Array, box: tuple[float, float, float, float]) -> dict[str, Any]:
    """A trace that is not seen, for the pointer alone."""
    x, y, wide, high = box
    rows, columns = matrix.shape
    return {
        "type": "heatmap", "z": matrix, "opacity": 0, "showscale": False, "showlegend": False, "name": name,
        "x0": x + wide / columns / 2, "dx": wide / columns, "y0": y + high / rows / 2, "dy": high / rows,
        "hovertemplate": f"{name} %{{z:.4g}}<extra></extra>",
    }  # fmt: skip


def _edge(box: tuple[float, float, float, float], *, is_empty: bool) -> dict[str, Any]:
    """The edge of a grid, whose zeros have the colour of the page; dashed in the place of numbers that do not exist."""
    x, y, wide, high = box
    line = {"color": "@muted/0.7", "width": 1, "dash": "dot"} if is_empty else {"color": "@muted/0.4", "width": 1}
    return {"type": "rect", "x0": x, "y0": y, "x1": x + wide, "y1": y + high, "layer": "above", "line": line}


def _centred(text: str, box: tuple[float, float, float, float]) -> dict[str, Any]:
    x, y, wide, high = box
    return _note(text, x + wide / 2, y + high / 2, "@muted") | {"xanchor": "center", "yanchor": "middle"}


def _note(text: str, x: float, y: float, colour: str, *, bold: bool = False) -> dict[str, Any]:
    return {
        "text": text, "x": x, "y": y, "xref": "x", "yref": "y", "xanchor": "left", "yanchor": "top",
        "showarrow": False, "align": "left", "font": {"size": 12, "color": colour, "weight": 600 if bold else 400},
    }  # fmt: skip
