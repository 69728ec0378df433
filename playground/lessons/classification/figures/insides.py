"""Inside a classifier: points after a hidden layer, the least certain points, and accuracy over confidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures import fields, images, parts
from playground.figures.tables import with_table
from playground.figures.theme import axis, beside_rows, layout

Array = NDArray[Any]
WITH_TEXTS = 1.25  # the right end of bars up to 1 with room for their texts, also on a phone
HALF_BAR = 0.36  # in rows
PALE, FULL = 15, 45  # the strength of a bar's colour, of fields.LEVELS

# What a visitor reads in these charts.
DIRECTIONS = ("Direction A", "Direction B")
UNITS = ["Unit 1", "Unit 2"]
CLASS = "Class"
LEAST_CERTAIN = "Least certain"
GRID = "Grid of the plane"
TOO_LARGE = "The activations are too large to draw (over 1e15). Lower the learning rate, then press Reset."
TRUE_CLASS = "Probability of the true class"
CERTAINTY_COLUMNS = ("x₁", "x₂", "True class", "Predicted class", TRUE_CLASS)  # of the CSV file
CORRECT_BAR, WRONG_BAR = "{share:.0f} %", "{share:.0f} %, predicted {predicted}"
POINT = "({x:.{digits}f}, {y:.{digits}f}) class {label}"
CALIBRATED, MODEL = "Perfectly calibrated", "Model"
CONFIDENCE, ACCURACY = "Probability of the predicted class", "Accuracy"
GAP = "Average gap {gap:.1f} %"
BIN = "{points}: confidence {confidence:.1f} %, accuracy {accuracy:.1f} %"
ONE_POINT, POINTS = "1 point", "{count} points"


def inside(
    points: Sequence[dict[str, Any]],
    grid: Array,
    pixels: Array,
    *,
    titles: tuple[str, str],
    spans: tuple[list[float], list[float]],
    side: int,
    rows: Sequence[str] = (),
    note: str = "",
) -> Figure:
    """Traces of points over the plane's grid (points, 2), with NaN between its lines, on a class map (side * side,).

    `rows` names the whole numbers 0, 1, ... of the y axis where it shows classes; `note` stands above all.
    """
    bent = {
        "type": "scatter", "mode": "lines", "name": GRID, "x": grid[:, 0], "y": grid[:, 1],
        "hoverinfo": "skip", "line": {"color": "@text/0.22", "width": 1}, "showlegend": False,
    }  # fmt: skip
    named = {"tickvals": list(range(len(rows))), "ticktext": list(rows)} if rows else {"tickvals": None}
    x, y = axis(titles[0], spans[0], showgrid=False), axis(titles[1], spans[1], showgrid=False, **named)
    return {
        "data": [bent, *points],
        "layout": layout(x, y, margin={"l": 50, "r": 10, "t": 8, "b": 40}, showlegend=False,
                         annotations=[parts.note(note, 0.5, 0.96, "@text")]),
        "maps": {"side": side, "values": pixels, "lut": "classes", "over": False,
                 "boxes": np.array([*spans[0], *spans[1]], np.float32)},
    }  # fmt: skip


def least_certain(x: Array, labels: Array, predicted: Array, probabilities: Array, *, rows: int, name: str) -> Figure:
    """A bar for each point x (points, 2), the first on top: the probability of its true class.

    A wrong point has a paler bar in a dashed frame, and its predicted class in words. There is room for `rows` bars.
    """
    wrong = predicted != labels
    probabilities, row = np.nan_to_num(probabilities), np.arange(len(x), dtype=np.float32)
    texts = [
        (WRONG_BAR if is_wrong else CORRECT_BAR).format(share=100 * share, predicted=label)
        for share, label, is_wrong in zip(probabilities, predicted, wrong, strict=True)
    ]
    names, full_names = (
        [
            POINT.format(x=a, y=b, label=label, digits=digits).replace("-", "−")
            for (a, b), label in zip(x, labels, strict=True)
        ]
        for digits in (1, 2)
    )
    points = {
        "type": "scatter", "mode": "markers", "name": name, "x": probabilities.astype(np.float32), "y": row,
        "marker": {"size": 18, "opacity": 0, "color": "@text"},  # invisible, for the hover text
        "hovertext": [f"{point}: {text}" for point, text in zip(full_names, texts, strict=True)], "hoverinfo": "text",
    }  # fmt: skip
    y = axis("", [rows - 0.5, -0.5], showgrid=False, zeroline=False, tickvals=[])
    x_axis = axis(TRUE_CLASS, [0, WITH_TEXTS], tickvals=[0, 0.5, 1], ticktext=["0 %", "50 %", "100 %"])
    colours = (fields.LEVELS * labels + np.where(wrong, PALE, FULL)).astype(np.uint8)
    frames = [
        _framed("Correct", probabilities[~wrong], row[~wrong], {"color": "@muted", "width": 1}),
        _framed("Wrong", probabilities[wrong], row[wrong], {"color": "@text", "width": 1.5, "dash": "dash"}),
    ]
    figure: Figure = {
        "data": [points, *frames],
        "layout": layout(x_axis, y, margin={"l": 130, "r": 22, "t": 8, "b": 40}, showlegend=False,
                         annotations=beside_rows(names, texts), hovermode="y"),
        "maps": images.boxes(np.zeros(len(x)), probabilities, row - HALF_BAR, row + HALF_BAR, colours, "classes"),
    }  # fmt: skip
    columns = dict(zip(CERTAINTY_COLUMNS, (x[:, 0], x[:, 1], labels, predicted, probabilities), strict=True))
    return with_table(figure, columns)


def _framed(name: str, lengths: Array, row: Array, line: dict[str, Any]) -> dict[str, Any]:
    """Frames around bars from 0 to these lengths, as one line with gaps."""
    zero, gap = np.zeros(len(row)), np.full(len(row), np.nan)
    x = np.stack([zero, lengths, lengths, zero, zero, gap], axis=1)
    y = np.stack([row - HALF_BAR, row - HALF_BAR, row + HALF_BAR, row + HALF_BAR, row - HALF_BAR, gap], axis=1)
    return {"type": "scatter", "mode": "lines", "name": name, "x": x.ravel().astype(np.float32), "hoverinfo": "skip",
            "y": y.ravel().astype(np.float32), "line": line}  # fmt: skip


def rings(x: Array, is_wrong: Array, *, is_shown: bool) -> dict[str, Any]:
    """A ring around each point x (points, 2), with a cross in it if the model is wrong."""
    return {
        "type": "scatter", "mode": "markers", "name": LEAST_CERTAIN, "x": x[:, 0], "y": x[:, 1], "visible": is_shown,
        "hoverinfo": "skip",
        "marker": {"symbol": ["circle-x-open" if each else "circle-open" for each in is_wrong], "size": 17,
                   "color": "@text", "line": {"width": 2}},
    }  # fmt: skip


def calibration(confidence: Array, accuracy: Array, counts: Array, *, gap: float) -> Figure:
    """Accuracy over mean confidence for bins with `counts` points: each (bins,), NaN in empty bins.

    `gap` is the mean distance from the diagonal, on which the accuracy equals the confidence.
    """
    diagonal = {
        "type": "scatter", "mode": "lines", "name": CALIBRATED, "x": [0, 1], "y": [0, 1], "hoverinfo": "skip",
        "line": {"color": "@muted", "width": 1.5, "dash": "dot"},
    }  # fmt: skip
    texts = [
        BIN.format(points=ONE_POINT if count == 1 else POINTS.format(count=count),
                   confidence=100 * sure, accuracy=100 * correct)
        for count, sure, correct in zip(counts, confidence, accuracy, strict=True)
    ]  # fmt: skip
    bins = {
        "type": "scatter", "mode": "lines+markers", "name": MODEL, "x": confidence, "y": accuracy, "connectgaps": True,
        "text": texts, "line": {"color": "@model", "width": 1.5}, "cliponaxis": False,
        "marker": {"color": "@model", "opacity": 0.8, "line": {"width": 0},
                   "size": np.where(counts > 0, 5 + 15 * np.sqrt(counts / max(counts.sum(), 1)), 0)},
        "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    note = GAP.format(gap=100 * gap) if np.isfinite(gap) else ""
    ticks = {"tickvals": [0, 0.25, 0.5, 0.75, 1], "ticktext": ["0 %", "25 %", "50 %", "75 %", "100 %"]}
    return {
        "data": [diagonal, bins],
        "layout": layout(
            axis(CONFIDENCE, [0, 1.02], **ticks),
            axis(ACCURACY, [0, 1.02], **ticks),
            margin={"l": 62, "r": 22, "t": 12, "b": 40},
            showlegend=False,
            annotations=[
                {"text": note, "x": 0.02, "y": 0.98, "xref": "paper", "yref": "paper", "xanchor": "left",
                 "yanchor": "top", "showarrow": False, "font": {"color": "@text", "size": 12}}
            ],
        ),
    }  # fmt: skip
