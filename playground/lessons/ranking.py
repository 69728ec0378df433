"""Places in a ranking: equal numbers share a place, and those that share one are named together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
TWO = "{first} and {last}"
COMMA = ", "


def places(values: Array) -> Array:
    """The place of each value along the first axis: 1 for the lowest; equal values share a place; NaN stays NaN."""
    values = np.asarray(values, np.float64)
    lower = (values[None, :] < values[:, None]).sum(axis=1)
    return np.where(np.isnan(values), np.nan, 1.0 + lower)


def listed(names: Sequence[str]) -> str:
    """Names as words: “A”, “A and B”, “A, B and C”."""
    *first, last = names
    return TWO.format(first=COMMA.join(first), last=last) if first else last
