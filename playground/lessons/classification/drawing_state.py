"""What a classification keeps from frame to frame, so that its charts do not jump."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from playground.figures.theme import round_up

SHRINK_BELOW = 1 / 8  # an axis shrinks when its data needs less than this share of it


@dataclass
class DrawingState:
    """The last projection, the axes' ends, and the point to explain."""

    layer: Any = None  # identifies the layer whose activations were projected last
    directions: Tensor | None = None  # of the last projection, (2, units)
    ends: dict[str, float] = field(default_factory=dict)
    place: tuple[float, float] | None = None  # the point that the student wants explained

    def end(self, name: str, size: float) -> float:
        """The end of an axis that must reach `size` (0 or more): it grows in steps and shrinks late."""
        kept = self.ends.get(name, 0.0)
        if not kept * SHRINK_BELOW <= size <= kept:
            self.ends[name] = kept = round_up(size) if size > 0 else 0.0
        return kept

    def span(self, name: str, values: NDArray[Any]) -> list[float]:
        """A range around zero and all finite values, with a margin."""
        finite = values[np.isfinite(values)]
        below = self.end(f"{name} below", float(-finite.min(initial=0.0)))
        above = self.end(f"{name} above", float(finite.max(initial=0.0)))
        margin = 0.06 * (below + above or 1.0)
        return [-below - margin, above + margin]
