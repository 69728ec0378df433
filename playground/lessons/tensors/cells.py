"""Arrays of any shape as cells with numbers; for large arrays, only a corner."""

from __future__ import annotations

import numpy as np

from playground.figures.cells import Block
from playground.parsing.arrays import MAX_AXES, MAX_CELLS, Array, number_text, shape_text

CORNER = 8  # cells drawn along each axis of a large array
MAX_LINE = 70  # characters of what Python prints
CORNER_DETAIL = "a corner of {shape}"


def block(
    title: str,
    array: Array,
    detail: str = "",
    *,
    mark: Array | None = None,
    scale: float | None = None,
    ghost: Array | None = None,
) -> Block:
    """An array as cells, or a corner of a large one; `scale` has the strongest colour (default: the largest value)."""
    shown, mark, ghost = corner(array), _corner_of(mark), _corner_of(ghost)
    numbers = shown.astype(float)
    finite = np.where(np.isfinite(numbers), numbers, np.where(np.isnan(numbers), np.nan, np.sign(numbers) * 1e300))
    largest = scale or float(np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0)) or 1.0
    texts = np.array([number_text(value) for value in shown.ravel()], dtype=object).reshape(shown.shape)
    places = [f"{list(place)}: {value}" for place, value in np.ndenumerate(shown)]
    if shown.size < array.size:
        detail = CORNER_DETAIL.format(shape=shape_text(array.shape))
    shades, hovers = (finite / largest).clip(-1, 1), np.array(places).reshape(shown.shape)
    return Block(title, texts, shades, ghost, mark, hovers, detail=detail)


def one_line(text: str) -> str:
    """What Python prints for an array, as one line that is cut if it is long."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_LINE else f"{line[: MAX_LINE - 2]} …"


def corner(array: Array) -> Array:
    """The array, or its first CORNER cells along each of its last three axes."""
    array = array[(0,) * max(array.ndim - MAX_AXES, 0)] if array.ndim > MAX_AXES else array
    if array.size > MAX_CELLS:
        array = array[tuple(slice(CORNER if array.ndim < 3 else 3) for _ in array.shape)]
    return array[:MAX_CELLS] if array.ndim == 1 else array


def _corner_of(flags: Array | None) -> Array | None:
    return None if flags is None else corner(flags)
