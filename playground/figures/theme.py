"""The colours, axes and layout that all charts share; colours have roles, in a light and a dark theme.

A figure names a colour by its role ("@train", or "@train/0.3" for 30 % opacity); the board fills in the colour of the
theme in use. The hues are those of Okabe and Ito (2008), which colour-blind people can distinguish, lighter in the dark
theme; shape or dash always repeats what a colour means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

PALETTE: dict[str, dict[str, str]] = {
    "light": {
        "text": "#0f1720", "muted": "#5f6b7a", "grid": "#e3e8ee", "ground": "#ffffff",
        "train": "#0072b2", "test": "#d55e00", "model": "#a83279", "gradient": "#007a59", "weight": "#5f6b7a",
        "positive": "#0072b2", "negative": "#d55e00", "dead": "#828e9b", "mark": "#7a5af8",
        "class0": "#0072b2", "class1": "#d55e00", "class2": "#007a59", "class3": "#a83279", "class4": "#8a6d00",
        "series0": "#0072b2", "series1": "#d55e00", "series2": "#007a59", "series3": "#a83279", "series4": "#8a6d00",
        "series5": "#0f1720", "series6": "#7a5af8",
    },
    "dark": {
        "text": "#e6ebf1", "muted": "#9aa7b5", "grid": "#2b3440", "ground": "#0f151c",
        "train": "#56b4e9", "test": "#f0a63c", "model": "#ec8fc4", "gradient": "#35c99d", "weight": "#9aa7b5",
        "positive": "#56b4e9", "negative": "#f0a63c", "dead": "#66727f", "mark": "#b4a3ff",
        "class0": "#56b4e9", "class1": "#f0a63c", "class2": "#35c99d", "class3": "#ec8fc4", "class4": "#f0e442",
        "series0": "#56b4e9", "series1": "#f0a63c", "series2": "#35c99d", "series3": "#ec8fc4", "series4": "#f0e442",
        "series5": "#e6ebf1", "series6": "#b4a3ff",
    },
}  # fmt: skip

MIN_USED_SHARE = 0.39  # of a StickyRange: it narrows below this, so 2 of 5 does not narrow it


# Of an axis of a chart that fills its card to the edges. Its title is for screen readers and the CSV file alone.
TICKS_INSIDE: dict[str, Any] = {
    "ticklabelposition": "inside", "ticklabelstandoff": 4, "ticks": "", "tickfont": {"color": "@text"},
}  # fmt: skip


def axis(title: str, span: list[float] | None = None, **more: Any) -> dict[str, Any]:
    """An axis with its title in words and units, and a fixed range where one is given."""
    shown: dict[str, Any] = {
        "title": {"text": title, "standoff": 6},
        "gridcolor": "@grid",
        "zerolinecolor": "@grid",
        "linecolor": "@grid",
        "color": "@muted",
        "automargin": False,
    }
    if span is not None:
        shown |= {"range": span, "autorange": False}
    return shown | more


def layout(x: dict[str, Any], y: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The layout of a figure; the user's zoom is kept from frame to frame."""
    return {
        "xaxis": x,
        "yaxis": y,
        "margin": {"l": 54, "r": 12, "t": 26, "b": 42},
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "@text", "size": 12},
        "hovermode": "closest",
        "uirevision": "kept",
    } | more


def beside_rows(names: Sequence[str], values: Sequence[str]) -> list[dict[str, Any]]:
    """Notes at the rows 0, 1, ... of a chart: a name left of the axis, a value at its right end.

    They are notes, not ticks, because a note's text can change without a full update of the chart.
    """
    right = {"xref": "paper", "xanchor": "right", "align": "right", "showarrow": False, "font": {"color": "@text"}}
    return [
        right | {"text": text, "x": x, "xshift": shift, "y": float(row)}
        for row, words in enumerate(zip(names, values, strict=True))
        for text, x, shift in zip(words, (0, 1), (-8, 0), strict=True)
    ]


def round_up(value: float) -> float:
    """The next number of the form 1, 2 or 5 times a power of ten, so that an axis that ends there rarely changes."""
    if not math.isfinite(value) or value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(nice * power for nice in (1, 2, 5, 10) if value <= nice * power * (1 + 1e-9))


class StickyRange:
    """An axis's range from frame to frame: it widens at once, and narrows only when its values need far less.

    So the axis does not jump when a number alternates between two steps of `round_up`.
    """

    def __init__(self) -> None:
        self.span = [0.0, 0.0]

    def over(self, lo: float, hi: float) -> list[float]:
        """The range to show for values from `lo` to `hi`."""
        wide = self.span[1] - self.span[0]
        if lo < self.span[0] or hi > self.span[1] or hi - lo < MIN_USED_SHARE * wide:
            self.span = [lo, hi]
        return list(self.span)


def padded(lo: float, hi: float, share: float = 0.1) -> list[float]:
    """A range a little wider than the data."""
    room = (hi - lo or 1.0) * share
    return [lo - room, hi + room]
