"""Arrays of any shape as drawn cells, each with its number; of a large one, a corner."""

from __future__ import annotations

import numpy as np

from playground.figures.cells import Block
from playground.parsing.arrays import MOST_AXES, MOST_CELLS, Array, text_of, times

CORNER = 8  # cells drawn along each axis of an array that is too large


def block(
    title: str, array: Array, *, mark: Array | None = None, scale: float | None = None, ghost: Array | None = None
) -> Block:
    """An array as cells, the strongest colour for `scale` (else its own largest value); of a large one, a corner."""
    shown, mark, ghost = corner(array), _corner_of(mark), _corner_of(ghost)
    numbers = shown.astype(float)
    finite = np.where(np.isfinite(numbers), numbers, np.where(np.isnan(numbers), np.nan, np.sign(numbers) * 1e300))
    largest = scale or float(np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0)) or 1.0
    texts = np.array([text_of(value) for value in shown.ravel()], dtype=object).reshape(shown.shape)
    places = [f"{list(place)}: {value}" for place, value in np.ndenumerate(shown)]
    title += f" (a corner of {times(array.shape)})" if shown.size < array.size else ""
    return Block(title, texts, (finite / largest).clip(-1, 1), ghost, mark, np.array(places).reshape(shown.shape))


def corner(array: Array) -> Array:
    """The array, or the first CORNER cells along each of its last three axes."""
    array = array[(0,) * max(array.ndim - MOST_AXES, 0)] if array.ndim > MOST_AXES else array
    if array.size > MOST_CELLS:
        array = array[tuple(slice(CORNER if array.ndim < 3 else 3) for _ in array.shape)]
    return array[:MOST_CELLS] if array.ndim == 1 else array


def _corner_of(flags: Array | None) -> Array | None:
    return None if flags is None else corner(flags)
