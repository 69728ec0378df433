"""The layers of a deep model: the distribution of numbers in each layer, their sizes, and mean slopes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.theme import axis, layout

Array = NDArray[Any]
MAX_SHOWN, BINS = 3.0, 33  # BINS between ±MAX_SHOWN; larger values are counted in the outermost bins
HALF = 0.44  # half of the widest bin, as a share of the distance between two layers
USUAL_DECADES, MORE_DECADES = 6, 6  # the log axis shows 1e-6 to 1e6, and grows by six decades at a time
SYMBOLS = ("circle", "diamond", "square")
DASHES = ("solid", "dash", "dot")


def bin_shares(values: Array) -> Array:
    """The share of the finite values in each bin, from -MAX_SHOWN up: (BINS,); all zero if no value is finite."""
    finite = values[np.isfinite(values)].clip(-MAX_SHOWN, MAX_SHOWN)
    counts, _ = np.histogram(finite, bins=BINS, range=(-MAX_SHOWN, MAX_SHOWN))
    return counts / max(finite.size, 1)


def spread(layers: Array, binned: Array, hovers: Sequence[str], *, colour: str, title: str) -> Figure:
    """A vertical histogram for each layer from `binned` (layers, BINS), scaled to the widest bin of the layer.

    The width of a bin is the square root of its share, so that a few extreme values are still visible.
    """
    widest = binned.max(axis=1, keepdims=True, initial=0.0)
    half = HALF * np.sqrt(binned / np.where(widest > 0, widest, 1.0))
    edges = np.linspace(-MAX_SHOWN, MAX_SHOWN, BINS + 1)
    up_y = np.repeat(edges, 2)[1:-1]  # each bin's lower and upper edge
    up_x = np.repeat(half, 2, axis=1)
    at = layers[:, None]
    gap = np.full((len(layers), 1), np.nan)
    x = np.concatenate([at - up_x, (at + up_x)[:, ::-1], at - up_x[:, :1], gap], axis=1)
    y = np.broadcast_to(np.concatenate([up_y, up_y[::-1], up_y[:1], [np.nan]]), x.shape)
    data = [
        {"type": "scatter", "mode": "lines", "name": title, "x": x.ravel().astype(np.float32),
         "y": y.ravel().astype(np.float32), "fill": "toself", "fillcolor": f"{colour}/0.75", "hoverinfo": "skip",
         "showlegend": False, "line": {"color": colour, "width": 0, "simplify": False}},
        {"type": "scatter", "mode": "markers", "name": "Layers", "x": layers, "y": np.zeros(len(layers), np.float32),
         "showlegend": False, "text": list(hovers), "hovertemplate": "%{text}<extra></extra>",
         "marker": {"size": 14, "opacity": 0}},
    ]  # fmt: skip
    return {"data": data, "layout": layout(_layer_axis(layers), axis(title, [-MAX_SHOWN - 0.1, MAX_SHOWN + 0.1]),
                                           showlegend=False)}  # fmt: skip


def sizes(layers: Array, lines: Sequence[tuple[str, str, Array]]) -> Figure:
    """Sizes over the layers on a log axis, each (name, colour role, values), without zeros and non-finite values.

    The axis shows 1e-6 to 1e6, and six decades more at a time if the sizes leave this range.
    """
    shown = [np.where(np.isfinite(values) & (values > 0), values, np.nan) for _, _, values in lines]
    decades = np.log10(np.concatenate(shown))
    decades = decades[np.isfinite(decades)]
    low = _decades(-float(decades.min(initial=0.0)))
    high = _decades(float(decades.max(initial=0.0)))
    data = [
        {"type": "scatter", "mode": "lines+markers", "name": name, "x": layers, "y": values,
         "line": {"color": colour, "width": 2, "dash": DASHES[index]},
         "marker": {"symbol": SYMBOLS[index], "size": 5},
         "hovertemplate": name + " %{y:.3g} at layer %{x}<extra></extra>"}
        for index, ((name, colour, _), values) in enumerate(zip(lines, shown, strict=True))
    ]  # fmt: skip
    y = axis("Size (log scale)", [-low, high], type="log", dtick=(low + high) / 6, exponentformat="e")
    margin = {"l": 66, "r": 12, "t": 26, "b": 42}
    return {"data": data, "layout": layout(_layer_axis(layers), y, margin=margin)}


def slopes(layers: Array, mean: Array, flat: Array) -> Figure:
    """The mean slope of the activation in each layer as bars, and the share of flat places as a line."""
    data = [
        {"type": "bar", "name": "Mean slope", "x": layers, "y": mean, "marker": {"color": "@gradient/0.7"},
         "hovertemplate": "mean slope %{y:.3f} in layer %{x}<extra></extra>"},
        {"type": "scatter", "mode": "lines+markers", "name": "Share that is flat", "x": layers, "y": flat,
         "line": {"color": "@negative", "width": 2, "dash": "dash"}, "marker": {"size": 5},
         "customdata": 100 * flat, "hovertemplate": "flat: %{customdata:.1f} % in layer %{x}<extra></extra>"},
    ]  # fmt: skip
    every = np.concatenate([np.zeros(1), layers])
    return {"data": data, "layout": layout(_layer_axis(every), axis("Slope, and share (0 to 1)", [-0.04, 1.15]),
                                           bargap=0.35)}  # fmt: skip


def _layer_axis(layers: Array) -> dict[str, Any]:
    return axis("Layer (0: the input)", [-0.7, float(layers[-1]) + 0.7], showgrid=False)


def _decades(needed: float) -> float:
    beyond = max(0.0, needed - USUAL_DECADES)
    return float(USUAL_DECADES + MORE_DECADES * math.ceil(beyond / MORE_DECADES - 1e-9))
