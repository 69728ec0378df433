"""Places in a ranking: equal numbers share a place, and those that share one are named together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
TWO = "{first} and {last}"
ANOTHER = "{first} and another"
OTHERS = "{first} and {count} others"
COMMA = ", "


def places(values: Array) -> Array:
    """The place of each value along the first axis: 1 for the lowest; equal values share a place; NaN stays NaN."""
    values = np.asarray(values, np.float64)
    lower = (values[None, :] < values[:, None]).sum(axis=1)
    return np.where(np.isnan(values), np.nan, 1.0 + lower)


def listed(names: Sequence[str], most: int = 0) -> str:
    """Names as words: “A”, “A and B”, “A, B and C”; those beyond `most`, unless it is 0, are only counted."""
    if 0 < most < len(names):
        count = len(names) - most
        return (ANOTHER if count == 1 else OTHERS).format(first=COMMA.join(names[:most]), count=count)
    *first, last = names or ("",)
    return TWO.format(first=COMMA.join(first), last=last) if first else last
