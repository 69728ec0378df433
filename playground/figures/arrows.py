"""Arrows over a chart: a vector from a place, with its name at the tip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_SHARE = 0.22  # of the chart's width: a longer vector is drawn that long, in its own direction
NAMES_AT = ("bottom {side}", "top {side}", "middle {other}")  # of the tips, so that names are apart
OTHER = {"left": "right", "right": "left"}
MIN_SHARE = 0.004  # a shorter one is not drawn


@dataclass(frozen=True)
class Arrow:
    """A vector (2,) in the units of the axes, its name, its colour role and its dash.

    One that is `whole` is drawn in its true length, however long it is.
    """

    name: str
    vector: NDArray[Any]
    colour: str
    dash: str = "solid"
    whole: bool = False


def arrows(at: NDArray[Any] | None, found: Sequence[Arrow], span: Sequence[float]) -> list[dict[str, Any]]:
    """A trace for each arrow, from the place `at` (2,) on; without a place, or where one is too short, it is empty.

    `span` is the range of the horizontal axis, whose units are those of the vertical one.
    """
    return [_trace(at, arrow, span, NAMES_AT[number % len(NAMES_AT)]) for number, arrow in enumerate(found)]


def _trace(at: NDArray[Any] | None, arrow: Arrow, span: Sequence[float], name_at: str) -> dict[str, Any]:
    wide, side = span[1] - span[0], "right"
    length = float(np.hypot(*arrow.vector)) if at is not None else 0.0
    is_drawn = at is not None and np.isfinite(length) and length > MIN_SHARE * wide
    x, y = np.empty(0), np.empty(0)
    if is_drawn and at is not None:
        tip = at + arrow.vector * (1.0 if arrow.whole else min(1.0, MAX_SHARE * wide / length))
        side = "left" if 2 * tip[0] > span[0] + span[1] else "right"  # where the chart has more room for the name
        x, y = np.array([at[0], tip[0]]), np.array([at[1], tip[1]])
    return {
        "type": "scatter", "mode": "lines+markers+text", "name": arrow.name, "x": x, "y": y, "showlegend": False,
        "line": {"color": arrow.colour, "width": 2.5, "dash": arrow.dash}, "hoverinfo": "skip",
        "marker": {"symbol": "arrow", "angleref": "previous", "size": [0, 12], "color": arrow.colour},
        "text": ["", arrow.name], "textposition": name_at.format(side=side, other=OTHER[side]),
        "textfont": {"color": arrow.colour, "size": 12},
        "cliponaxis": False,
    }  # fmt: skip
