"""What a classifier predicts: the plane coloured by class, the points on it, and maps of what each unit computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures import images
from playground.figures.parts import markers
from playground.figures.tables import with_table
from playground.figures.theme import TICKS_INSIDE, axis, layout

Array = NDArray[Any]
TRUE, POINTS = "True class", "Points"
TEST_POINTS = "test points"
MAX_SHADE = 0.7  # of the colour, so that the counts can be read on it
CELL = 0.96  # the coloured share of a cell
PREDICTED, PREDICTED_OF = "Predicted class", "Predicted class ({count:,} {points} points)"
LEVELS = 51  # steps of certainty for one class: byte = 51 * class + certainty
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")


def class_bytes(probabilities: Array, *, discrete: bool = False) -> Array:
    """Bytes of a map of classes (pixels,) from probabilities (classes, pixels): the likeliest class, how certain it is.

    Certainty is 0 where all classes are equally likely and 1 where one has probability 1; `discrete` shows only the
    class.
    """
    classes = len(probabilities)
    best = probabilities.argmax(axis=0)
    if discrete:
        return np.asarray(LEVELS * best + LEVELS - 1, np.uint8)
    certain = (probabilities.max(axis=0) - 1 / classes) / (1 - 1 / classes)
    level = np.nan_to_num(np.clip(certain, 0, 1)) * (LEVELS - 1)
    return np.asarray(LEVELS * best + np.rint(level), np.uint8)


def signed_bytes(values: Array) -> Array:
    """Bytes of signed maps (units, pixels), each unit scaled to its largest absolute value; 128 is zero."""
    size = np.abs(values).max(axis=1, keepdims=True)
    scaled = np.divide(values, size, out=np.zeros_like(values), where=np.isfinite(size) & (size > 0))
    return np.asarray(128 + np.rint(127 * np.nan_to_num(scaled)), np.uint8)


def points(name: str, x: Array, labels: Array, classes: int, *, is_open: bool) -> list[dict[str, Any]]:
    """Labelled points (points, 2) as one trace for each class: its own colour and its own shape."""
    traces = []
    for label in range(classes):
        mine = labels == label
        shape = SYMBOLS[label] + ("-open" if is_open else "")
        ring = {"color": "@text" if is_open else "@ground", "width": 1}
        marker = {"color": f"@class{label}", "symbol": shape, "size": 7, "line": ring}
        hover = f"{name}, class {label}: (%{{x:.2f}}, %{{y:.2f}})<extra></extra>"
        trace = markers(f"{name} {label}", x[mine, 0], x[mine, 1], marker, hover)
        # The buttons of the classes are the legend of the filled points.
        legend = {"legendgroup": name, "meta": {"legend": TEST_POINTS}} if is_open else {}
        traces.append(trace | legend | {"visible": True, "showlegend": is_open and label == 0})
    return traces


def plane(
    traces: Sequence[dict[str, Any]],
    pixels: Array,
    *,
    shown: float,
    reach: tuple[float, float],
    size: tuple[int, int],
    classes: int,
) -> Figure:
    """The plane in colours, with points on it: at least the square from -shown to shown, in the chart's own shape.

    The pixels are bytes, `size` of them across and down (rows from the top), up to `reach` on each side.
    """
    x = axis("x₁", [-shown, shown], showgrid=False, zeroline=False) | TICKS_INSIDE
    y = axis("x₂", [-shown, shown], scaleanchor="x", showgrid=False, zeroline=False, side="right") | TICKS_INSIDE
    (wide, tall), (right, top) = size, reach
    return {
        "data": list(traces),
        "layout": layout(x, y, margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False, meta={"classes": classes}),
        "maps": {
            "side": wide, "tall": tall, "values": pixels, "lut": "classes", "over": False,
            "boxes": np.array([-right, right, -top, top], np.float32),
        },
    }  # fmt: skip


def confusion(counts: Array, *, points: str = "") -> Figure:
    """How often each true class (row) was predicted as each class (column): counts (classes, classes).

    `points` says which points were counted, for example "test"; the title of the axis names them.
    """
    classes = len(counts)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names, at = [str(label) for label in range(classes)], list(range(classes))
    true, predicted = np.indices(counts.shape).reshape(2, -1)
    # Shades are maps, and counts are notes: they change in every frame without a full update of the chart.
    cells = {
        "type": "heatmap", "x": at, "y": at, "z": [row.tolist() for row in share], "zmin": 0, "zmax": 1,
        "colorscale": [[0, "@ground"], [1, "@class0"]], "showscale": False, "opacity": 0,
        "text": [[f"{int(count)}" for count in row] for row in counts],
        "hovertemplate": "class %{y} predicted as class %{x}: %{text}<extra></extra>",
    }  # fmt: skip
    notes = [
        {"text": f"{int(count)}", "x": float(column), "y": float(row), "xref": "x", "yref": "y", "showarrow": False,
         "xanchor": "center", "align": "center", "font": {"color": "@text", "size": 13}}
        for row, column, count in zip(true, predicted, counts.ravel(), strict=True)
    ]  # fmt: skip
    shades = images.signed(MAX_SHADE * share.ravel(), 1.0)
    half = CELL / 2
    maps = images.boxes(predicted - half, predicted + half, true - half, true + half, shades, images.SIGNED)
    title = (PREDICTED_OF if points else PREDICTED).format(points=points, count=int(counts.sum()))
    x = axis(title, [-0.5, classes - 0.5], tickvals=at, ticktext=names, zeroline=False, showgrid=False)
    y = axis(TRUE, [classes - 0.5, -0.5], tickvals=at, ticktext=names, zeroline=False, showgrid=False)
    margin = {"l": 50, "r": 12, "t": 8, "b": 42}
    figure: Figure = {"data": [cells], "layout": layout(x, y, annotations=notes, margin=margin), "maps": maps}
    return with_table(figure, {TRUE: true, PREDICTED: predicted, POINTS: counts.ravel()})
