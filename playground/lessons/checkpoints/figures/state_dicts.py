"""State_dicts as figures: matrices as heat maps, histograms, and trainings that diverge or stay together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.parts import DASHES, line
from playground.figures.theme import axis, layout, round_up
from playground.lessons.numbers import fixed, number

Array = NDArray[Any]
MAX_NUMBERED_CELLS = 48  # a larger matrix is drawn without numbers
MAX_DECIMALS = 4  # in a cell
MAX_COLUMNS = 6  # with numbers, side by side
INPUT, UNIT = "From input", "Unit"
WIDTHS = (6.0, 3.0, 2.2, 2.2)  # the first line is the widest, so it stays visible under another one


def heat(values: Array, reach: float, *, inputs: Sequence[str]) -> Figure:
    """A layer's matrix (units, columns) as colours from -reach to reach, one row for each unit.

    A small matrix with more columns than numbers fit side by side is drawn on its side: one column for each unit.
    """
    small = values.size <= MAX_NUMBERED_CELLS
    decimals = decimals_for(values)
    across, down = (INPUT, list(inputs)), (UNIT, [str(unit) for unit in range(len(values))])
    hover = "unit %{y}, from %{x}: %{z:.5f}<extra></extra>"
    if small and len(inputs) > MAX_COLUMNS:
        values, across, down = values.T, down, across
        hover = "unit %{x}, from %{y}: %{z:.5f}<extra></extra>"
    cells = {
        "type": "heatmap", "x": across[1], "y": down[1], "z": [row.tolist() for row in values.astype(float)],
        "zmin": -reach, "zmax": reach, "xgap": 1, "ygap": 1,
        "colorscale": [[0, "@negative"], [0.5, "@ground"], [1, "@positive"]],
        "colorbar": {"thickness": 10, "tickfont": {"size": 10}, "outlinewidth": 0},
        "text": [[in_cell(value, decimals) for value in row] for row in values],
        "texttemplate": "%{text}" if small else "", "hovertemplate": hover,
    }  # fmt: skip
    x = axis(across[0], None, type="category", showgrid=False, tickangle=0, tickfont={"size": 10})
    y = axis(down[0], [len(values) - 0.5, -0.5], type="category", showgrid=False)
    return {"data": [cells], "layout": layout(x, y, margin={"l": 44, "r": 6, "t": 8, "b": 38})}


def decimals_for(values: Array) -> int:
    """The decimals with which the largest of the numbers has two significant digits; at least 2."""
    largest = float(np.abs(values).max(initial=0.0))
    return max(2, 1 - math.floor(math.log10(largest))) if 0 < largest < math.inf else 2


def in_cell(value: float, decimals: int) -> str:
    """A number with these decimals, or in short with an exponent where they are many; an exact 0 is “0”."""
    return "0" if value == 0 else fixed(value, decimals) if decimals <= MAX_DECIMALS else number(value, 2)


def histograms(edges: Array, counted: Sequence[tuple[str, str, Array]]) -> Figure:
    """Outlines of several histograms with the same edges, each (name, colour role, counts)."""
    data = [
        line(name, edges, np.append(counts, counts[-1:]),
             {"color": colour, "width": 2.2, "shape": "hv", "dash": DASHES[index % len(DASHES)]},
             name + ", from %{x:.2f} on: %{y}<extra></extra>")
        | {"fill": "tozeroy" if index == 0 else "none", "fillcolor": f"{colour}/0.15"}
        for index, (name, colour, counts) in enumerate(counted)
    ]  # fmt: skip
    top = round_up(max(float(counts.max()) for _, _, counts in counted))
    x = axis("Value", [float(edges[0]), float(edges[-1])])
    return {"data": data, "layout": layout(x, axis("How many numbers", [0, top]))}


def diverging(
    lines: Sequence[tuple[str, str, Array]],
    *,
    stopped: int,
    title: str,
) -> Figure:
    """Values of several trainings over steps on a log axis, each (name, colour role, values), the first from step 0 on.

    The others begin where they were resumed, at the step `stopped`, marked by a vertical line. Zeros are left out.
    """
    shown = [np.where(values > 0, values, np.nan).astype(np.float32) for _, _, values in lines]
    data = [
        line(name, np.arange(len(values)) + (stopped if index else 0), values,
             {"color": colour, "width": WIDTHS[index % 4], "dash": DASHES[index % 4]},
             name + " %{y:.5g} at step %{x}<extra></extra>") | {"showlegend": bool(name)}
        for index, ((name, colour, _), values) in enumerate(zip(lines, shown, strict=True))
    ]  # fmt: skip
    mark = {"type": "line", "x0": stopped, "x1": stopped, "yref": "paper", "y0": 0, "y1": 1,
            "line": {"color": "@text", "width": 1, "dash": "dot"}}  # fmt: skip
    x = axis("Step (dotted: stopped and resumed)", [0, len(shown[0]) - 1])
    y = axis(title, decades(*shown), type="log", dtick=1, exponentformat="e")
    return {"data": data, "layout": layout(x, y, shapes=[mark])}


def decades(*several: Array) -> list[float]:
    """The range of a log axis: the whole decades around all finite values, at least one decade."""
    every = np.concatenate(several)
    every = every[np.isfinite(every)]
    if not len(every):
        return [-2.0, 0.0]
    low, high = np.floor(np.log10(every.min())), np.ceil(np.log10(every.max()))
    return [float(low), float(max(high, low + 1))]
