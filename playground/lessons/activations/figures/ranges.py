"""Lanes over x that show where a result is right, wrong or not finite, and positive numbers over x."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.parts import upright
from playground.figures.theme import axis, layout

Array = NDArray[Any]
STATES = (("right", "@positive", "solid", 9), ("wrong", "@mark", "dash", 4), ("inf or NaN", "@negative", "dot", 3))
DASHES = ("solid", "dash", "dot")


def lanes(x: Array, names: Sequence[str], states: Array, *, probe: float, title: str) -> Figure:
    """A lane for each name, from the top; states of shape (lanes, x) are indices of STATES."""
    data = []
    for state, (word, colour, dash, width) in enumerate(STATES):
        runs = [(*run, -lane) for lane, row in enumerate(states) for run in _runs(x, row == state)]
        data.append(
            {"type": "scatter", "mode": "lines", "name": word, "connectgaps": False, "hoverinfo": "skip",
             "x": np.array([at for start, end, _ in runs for at in (start, end, np.nan)], np.float32),
             "y": np.array([at for *_, lane in runs for at in (lane, lane, np.nan)], np.float32),
             "line": {"color": colour, "width": width, "dash": dash}}
        )  # fmt: skip
    y = axis("", [0.6 - len(names), 0.6], tickvals=[-index for index in range(len(names))], ticktext=list(names))
    return {"data": data, "layout": layout(axis(title, [float(x[0]), float(x[-1])]), y, shapes=[upright(probe)],
                                           margin={"l": 92, "r": 12, "t": 26, "b": 42})}  # fmt: skip


def sizes_over(
    x: Array, lines: Sequence[tuple[str, Array]], *, decades: tuple[float, float], probe: float, titles: tuple[str, str]
) -> Figure:
    """Positive numbers over x on a log axis of fixed decades; zeros, inf and NaN are gaps."""
    data = [
        {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": np.where(np.isfinite(y) & (y > 0), y, np.nan),
         "line": {"color": f"@series{index}", "width": 2 + 1.8 * (len(lines) - 1 - index), "dash": DASHES[index]},
         "hovertemplate": name + " %{y:.3g} at %{x:.3g}<extra></extra>"}
        for index, (name, y) in enumerate(lines)
    ]  # fmt: skip
    across = axis(titles[0], [float(x[0]), float(x[-1])])
    y = axis(titles[1], list(decades), type="log", dtick=(decades[1] - decades[0]) / 4, exponentformat="e")
    margin = {"l": 66, "r": 12, "t": 26, "b": 42}
    return {"data": data, "layout": layout(across, y, shapes=[upright(probe)], margin=margin)}


def _runs(x: Array, holds: Array) -> list[tuple[float, float]]:
    """The intervals of x where `holds` is true, each half a step longer on both sides."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]]).astype(np.int8)))
    half = float(x[1] - x[0]) / 2
    return [(float(x[start]) - half, float(x[end - 1]) + half) for start, end in edges.reshape(-1, 2)]
