"""The plane of learning rate and momentum as coloured regions, a path down a quadratic, and its distance over steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.fields import LEVELS
from playground.figures.tables import undrawn
from playground.figures.theme import axis, layout

Array = NDArray[Any]
# The regions by number: the name, and the class whose colour it has on the map.
REGIONS = (("Monotone", 0), ("Oscillating", 2), ("Diverging", 1))
MARGIN = {"l": 54, "r": 12, "t": 10, "b": 42}
DIVERGING_STRENGTH = 0.55  # of the colour where a training diverges
MIN_STRENGTH = 0.2  # of the colour where it converges most slowly


def region_bytes(regions: Array, speeds: Array) -> Array:
    """The bytes of a map from each pixel's region, numbered as in REGIONS, and its speed: 0 is weak, 1 is strong."""
    classes = np.array([number for _, number in REGIONS])[regions]
    strength = np.where(regions == 2, DIVERGING_STRENGTH, MIN_STRENGTH + (1 - MIN_STRENGTH) * np.clip(speeds, 0, 1))
    return np.asarray(LEVELS * classes + np.rint(strength * (LEVELS - 1)), np.uint8)


def plane(
    pixels: Array, *, side: int, upper: tuple[float, float], borders: Sequence[tuple[str, Array, Array]],
    chosen: tuple[float, float], best: tuple[float, float],
) -> Figure:  # fmt: skip
    """The map over (learning rate, momentum) from 0 to `upper`, borders (name, x, y), the chosen pair and the best."""
    line = {"color": "@text", "width": 1.5}
    data = [
        {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "hoverinfo": "skip",
         "line": line | {"dash": ("dash", "dot", "solid")[index]}}
        for index, (name, x, y) in enumerate(borders)
    ]  # fmt: skip
    nowhere = np.array([np.nan])
    data += [
        {"type": "scatter", "mode": "markers", "name": name, "x": nowhere, "y": nowhere, "hoverinfo": "skip",
         "marker": {"symbol": "square", "size": 11, "color": f"@class{number}/0.6"}}
        for name, number in REGIONS
    ]  # fmt: skip
    data += [
        _point("Polyak's best", best, {"symbol": "star", "size": 15, "color": "@text"}),
        _point("Chosen", chosen, {"symbol": "circle", "size": 13, "color": "@mark",
                                  "line": {"color": "@text", "width": 2}}),
    ]  # fmt: skip
    x = axis("Learning rate", [0, upper[0]], showgrid=False, zeroline=False)
    y = axis("Momentum", [0, upper[1]], showgrid=False, zeroline=False)
    return {
        "data": data,
        "layout": layout(x, y, margin=MARGIN),
        "maps": {"side": side, "values": pixels, "lut": "classes", "over": False,
                 "boxes": np.array([0, upper[0], 0, upper[1]], np.float32),
                 "classes": {str(number): name for name, number in REGIONS}},
    }  # fmt: skip


def path(points: Array, curvatures: tuple[float, float], half_width: float) -> Figure:
    """The iterates (steps + 1, 2) on the quadratic's contours; both axes go from -half_width to half_width."""
    turn = np.linspace(0, 2 * np.pi, 121)
    data: list[dict[str, Any]] = []
    for index, level in enumerate(np.array([0.1, 0.3, 0.6, 1.0, 1.5]) * half_width):
        widths = [min(float(level * (curvatures[1] / each) ** 0.5), 1e3) for each in curvatures]
        data.append(undrawn(
            {"type": "scatter", "mode": "lines", "name": f"Contour {index + 1}", "x": widths[0] * np.cos(turn),
             "y": widths[1] * np.sin(turn), "line": {"color": "@muted/0.5", "width": 1}, "hoverinfo": "skip",
             "showlegend": False}
        ))  # fmt: skip
    drawable = np.clip(np.nan_to_num(points, nan=1e6, posinf=1e6, neginf=-1e6), -1e6, 1e6)
    data.append(
        {"type": "scatter", "mode": "lines+markers", "name": "Iterates", "x": drawable[:, 0], "y": drawable[:, 1],
         "line": {"color": "@model", "width": 1.5}, "marker": {"color": "@model", "size": 5}, "showlegend": False,
         "text": [f"step {step}" for step in range(len(drawable))],
         "hovertemplate": "%{text}: (%{x:.3g}, %{y:.3g})<extra></extra>"}
    )  # fmt: skip
    data.append(
        _point(
            "Start", (float(drawable[0, 0]), float(drawable[0, 1])), {"symbol": "diamond", "size": 11, "color": "@text"}
        )
        | {"showlegend": False}
    )
    ticks = {"tickvals": [-1, 0, 1]}  # at the corner the numbers of both axes would meet
    x = axis("Along the small curvature", [-half_width, half_width], **ticks)
    y = axis("Along the large curvature", [-half_width, half_width], **ticks)
    return {"data": data, "layout": layout(x, y, margin=MARGIN)}


def distances(measured: Array, theory: Array, decades: tuple[float, float]) -> Figure:
    """The distance from the minimum over steps, (steps + 1,) each, on a log axis of fixed decades."""
    steps = np.arange(len(measured))
    data = [
        {"type": "scatter", "mode": "lines", "name": name, "x": steps, "y": np.where(y > 0, y, np.nan),
         "line": {"color": colour, "width": width, "dash": dash},
         "hovertemplate": name + " %{y:.3g} at step %{x}<extra></extra>"}
        for name, y, colour, width, dash in (
            ("Measured", measured, "@model", 2.5, "solid"),
            ("Theory: shrinks by ρ each step", theory, "@text", 1.5, "dot"),
        )
    ]  # fmt: skip
    y = axis("Distance", list(decades), type="log", dtick=4, exponentformat="e")
    return {"data": data, "layout": layout(axis("Step", [0, len(measured) - 1]), y, margin=MARGIN | {"l": 62})}


def _point(name: str, at: tuple[float, float], marker: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "name": name, "x": np.array([at[0]]), "y": np.array([at[1]]),
        "marker": marker, "cliponaxis": False, "hovertemplate": name + " (%{x:.3g}, %{y:.3g})<extra></extra>",
    }  # fmt: skip
