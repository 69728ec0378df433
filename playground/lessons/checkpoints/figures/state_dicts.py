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
MARGIN = {"l": 54, "r": 12, "t": 10, "b": 42}
MAX_NUMBERED_CELLS = 48  # a larger matrix is drawn without numbers
MAX_DECIMALS = 4  # in a cell
MAX_COLUMNS = 6  # with numbers, side by side
INPUT, UNIT = "From input", "Unit"
PANEL = "{title}<br>colours to ±{reach}"
WIDTHS = (6.0, 3.0, 2.2, 2.2)  # the first line is the widest, so it stays visible under another one


def heats(panels: Sequence[tuple[str, Array, float]], *, inputs: Sequence[str]) -> Figure:
    """A layer's matrices (units, columns) side by side, each (title, values, reach): a row for each unit.

    Their colours go from -reach to reach, which stands below the title. Small matrices with more columns than numbers
    fit side by side are drawn on their side: one column for each unit.
    """
    small = panels[0][1].size <= MAX_NUMBERED_CELLS
    across, down = (INPUT, list(inputs)), (UNIT, [str(unit) for unit in range(len(panels[0][1]))])
    hover = "unit %{y}, from %{x}: %{z:.5f}<extra></extra>"
    turned = small and len(inputs) > MAX_COLUMNS
    if turned:
        across, down = down, across
        hover = "unit %{x}, from %{y}: %{z:.5f}<extra></extra>"
    data, axes, notes = [], {}, []
    for at, (title, matrix, reach) in enumerate(panels):
        values, number_of, wide = matrix.T if turned else matrix, "" if at == 0 else str(at + 1), 1 / len(panels)
        decimals = decimals_for(values)
        domain = [at * wide + (0.03 if at else 0.0), (at + 1) * wide]
        data.append({
            "type": "heatmap", "name": title, "x": across[1], "y": down[1], "xaxis": f"x{number_of}",
            "z": [row.tolist() for row in values.astype(float)], "zmin": -reach, "zmax": reach, "xgap": 1, "ygap": 1,
            "colorscale": [[0, "@negative"], [0.5, "@ground"], [1, "@positive"]], "showscale": False,
            "text": [[in_cell(value, decimals) for value in row] for row in values],
            "texttemplate": "%{text}" if small else "", "hovertemplate": title + ": " + hover, "showlegend": False,
        })  # fmt: skip
        name = across[0] if at == len(panels) // 2 else ""
        axes[f"xaxis{number_of}"] = axis(name, None, type="category", showgrid=False, tickangle=0, domain=domain)
        notes.append({
            "text": PANEL.format(title=title, reach=number(reach)), "x": sum(domain) / 2, "y": 1, "xref": "paper",
            "yref": "paper", "xanchor": "center", "yanchor": "bottom", "showarrow": False,
            "font": {"size": 12, "color": "@text"},
        })  # fmt: skip
    y = axis(down[0], [len(down[1]) - 0.5, -0.5], type="category", showgrid=False)
    x = axes.pop("xaxis")
    margin = {"l": 48, "r": 8, "t": 40, "b": 40}
    return {"data": data, "layout": layout(x, y, **axes, annotations=notes, margin=margin, showlegend=False)}


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
    return {"data": data, "layout": layout(x, axis("How many numbers", [0, top]), margin=MARGIN)}


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
    return {"data": data, "layout": layout(x, y, shapes=[mark], margin=MARGIN)}


def decades(*several: Array) -> list[float]:
    """The range of a log axis: the whole decades around all finite values, at least one decade."""
    every = np.concatenate(several)
    every = every[np.isfinite(every)]
    if not len(every):
        return [-2.0, 0.0]
    low, high = np.floor(np.log10(every.min())), np.ceil(np.log10(every.max()))
    return [float(low), float(max(high, low + 1))]
