"""Gradients of batches compared with the gradient of all the data, and two trainings side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.parts import line, markers
from playground.figures.theme import axis, layout

Array = NDArray[Any]
MARGIN = {"l": 54, "r": 12, "t": 10, "b": 42}


def cosines(scattered: Mapping[int, Array], chosen: int) -> Figure:
    """The cosine of each batch by batch size, their mean as a line, and a band behind the chosen size."""
    names = [str(size) for size in scattered]
    x = [str(size) for size, values in scattered.items() for _ in values]
    finite = [values[np.isfinite(values)] for values in scattered.values()]  # a gradient of 0 has no direction
    means = np.array([values.mean() if values.size else np.nan for values in finite], np.float32)
    data = [
        markers("One batch", x, np.concatenate([*scattered.values()]), {"color": "@train/0.35", "size": 7},
                "batch of %{x}: %{y:.3f}<extra></extra>"),
        {"type": "scatter", "mode": "lines+markers", "name": "Mean", "x": names, "y": means,
         "line": {"color": "@gradient", "width": 2.5}, "marker": {"symbol": "diamond", "size": 7},
         "hovertemplate": "mean of batches of %{x}: %{y:.3f}<extra></extra>"},
    ]  # fmt: skip
    at = names.index(str(chosen))
    band = {"type": "rect", "x0": at - 0.4, "x1": at + 0.4, "yref": "paper", "y0": 0, "y1": 1, "layer": "below",
            "fillcolor": "@mark/0.12", "line": {"width": 0}}  # fmt: skip
    y = axis("Cosine (1: same direction)", [-1.1, 1.1], dtick=0.5)
    return {"data": data, "layout": layout(_sizes(names), y, shapes=[band], margin=MARGIN)}


def cloud(batches: Array, full: Array, each: Array) -> Figure:
    """Gradients as points: of batches (batches, 2), of all the data (2,), and of each sample in grey (samples, 2)."""
    reach = max(0.5, float(np.ceil(2.2 * np.quantile(np.abs(each), 0.97)) / 2))
    arrow = np.stack([np.zeros(2), full])
    data = [
        markers("Sample", each[:, 0], each[:, 1], {"color": "@muted/0.35", "size": 4}),
        markers("Batch", batches[:, 0], batches[:, 1], {"color": "@train/0.6", "size": 8, "symbol": "diamond"},
                "(%{x:.3f}, %{y:.3f})<extra></extra>"),
        {"type": "scatter", "mode": "lines+markers", "name": "All data", "x": arrow[:, 0], "y": arrow[:, 1],
         "line": {"color": "@gradient", "width": 3}, "marker": {"symbol": ["circle", "x"], "size": [5, 12]},
         "hovertemplate": "all data: (%{x:.3f}, %{y:.3f})<extra></extra>"},
    ]  # fmt: skip
    x = axis("Gradient of the slope", [-reach, reach], zerolinecolor="@muted")
    return {
        "data": data,
        "layout": layout(x, axis("Gradient of the intercept", [-reach, reach], zerolinecolor="@muted"), margin=MARGIN),
    }


def updates(counts: Mapping[int, int], chosen: int) -> Figure:
    """Updates per epoch by batch size; the chosen size is marked."""
    names = [str(size) for size in counts]
    bars = {
        "type": "bar", "name": "Updates", "x": names, "y": list(counts.values()),
        "marker": {"color": ["@mark" if size == chosen else "@train/0.6" for size in counts]},
        "text": [str(count) for count in counts.values()], "textposition": "outside", "cliponaxis": False,
        "hovertemplate": "batch size %{x}, updates: %{y}<extra></extra>",
    }  # fmt: skip
    low = {"l": 54, "r": 12, "t": 18, "b": 38}
    return {"data": [bars], "layout": layout(_sizes(names), axis("Updates", [0, 140]), margin=low, showlegend=False)}


def side_by_side(
    lines: Sequence[tuple[str, str, Array]], *, title: str, span: list[float], epoch: int, floor: float | None = None
) -> Figure:
    """Values over steps of several trainings, each (name, colour, values); faint vertical lines separate the epochs."""
    steps = max(len(values) for _, _, values in lines)
    data = [
        line(name, np.arange(len(values)), values,
             {"color": colour, "width": 2.5, "dash": ("solid", "dash")[index % 2]},
             name + " %{y:.3f} at step %{x}<extra></extra>")
        for index, (name, colour, values) in enumerate(lines)
    ]  # fmt: skip
    shapes: list[dict[str, Any]] = [
        {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1,
         "line": {"color": "@muted/0.4", "width": 1, "dash": "dot"}}
        for at in range(0, steps, epoch)
    ]  # fmt: skip
    if floor is not None:
        shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": floor, "y1": floor,
                       "line": {"color": "@text", "width": 1, "dash": "dot"}})  # fmt: skip
    x = axis("Step (dotted: a new epoch)", [0, max(steps - 1, 1)])
    return {"data": data, "layout": layout(x, axis(title, span), shapes=shapes, margin=MARGIN)}


def _sizes(names: Sequence[str]) -> dict[str, Any]:
    """The axis of batch sizes, at equal distances."""
    order = {"type": "category", "categoryorder": "array", "categoryarray": list(names)}
    return axis("Batch size", [-0.5, len(names) - 0.5], **order)
