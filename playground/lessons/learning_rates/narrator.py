"""What the labs that train say: which training is first and last, from what was measured last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.lessons.numbers import number
from playground.lessons.ranking import listed

Array = NDArray[Any]


@dataclass(frozen=True)
class Ends:
    """The ends of a ranking: who shares the lowest value, who the highest, and how many have diverged (NaN)."""

    first: tuple[str, ...]
    lowest: float
    last: tuple[str, ...]
    highest: float
    diverged: int
    count: int

    @property
    def kind(self) -> str:
        """The sentence that describes it: a key of words.RANKING_AT; "" if all have diverged."""
        if not self.first:
            return ""
        if self.lowest < self.highest:
            return "diverged" if self.diverged else "all"
        if len(self.first) > 1:
            return "equal"
        return "only left" if self.diverged else "only"


def ends(names: Sequence[str], values: Array) -> Ends:
    """The ends of the ranking of these values, the lowest first; NaN has diverged."""
    values = np.asarray(values, np.float64)
    finite = values[np.isfinite(values)]
    lowest, highest = (float(finite.min()), float(finite.max())) if len(finite) else (np.nan, np.nan)
    of = {end: tuple(np.array(names)[values == end].tolist()) for end in {lowest, highest}}
    gone = len(values) - len(finite)
    return Ends(of.get(lowest, ()), lowest, of.get(highest, ()), highest, gone, len(values))


def ranking(sentences: Mapping[str, str], found: Ends, **fields: Any) -> str:
    """The sentence about a ranking, from one of the tables in words.py with its own `fields`."""
    return sentences[found.kind].format(
        first=listed(found.first), lowest=number(found.lowest), last=listed(found.last),
        highest=number(found.highest), diverged=found.diverged, count=found.count, **fields,
    )  # fmt: skip
