"""Models as drawings: units as circles in columns, weights as lines whose width and colour show size and sign."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure, LayerParameters
from playground.figures.parts import hidden_axis
from playground.figures.theme import layout

Array = NDArray[Any]
WIDTHS = (0.4, 1.0, 1.8, 2.8, 4.0, 5.5)  # pixels, from the weakest to the strongest weight
LETTER = 7  # pixels of a letter beside an input, about
MAX_UNITS = 16  # in a layer that is drawn whole; of a wider one the units with the largest weights are drawn
WIDE_UNITS = 12  # that are drawn of a wider layer
UNIT = "unit {unit}"
MORE = "+ {units} more"  # below them
STICKY = 1.3  # how much larger a unit that is not drawn must be to take the place of one that is
LABEL_SHIFT = 11  # pixels from a unit's centre to its label


def network(
    weights: Sequence[Array],
    biases: Sequence[Array],
    dead: Sequence[Array],
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    shown: Sequence[Array] | None = None,
) -> Figure:
    """The model as a graph. Weights are (units out, units in), biases (units out,), dead hidden units (units,).

    `shown` has the indices of each hidden layer's units that are drawn, as `shown_units` gives them.
    """
    shown = shown_units(weights) if shown is None else shown
    every = [np.arange(len(inputs)), *shown, np.arange(len(outputs))]
    counts = [weights[0].shape[1], *(w.shape[0] for w in weights)]
    strongest = max(float(np.abs(w[np.isfinite(w)]).max(initial=0.0)) for w in weights) or 1.0
    missing = [count - len(units) for count, units in zip(counts, every, strict=True)]
    places = [
        _column(index / (len(counts) - 1), len(units) + bool(more))[: len(units)]
        for index, (units, more) in enumerate(zip(every, missing, strict=True))
    ]
    drawn = [w[np.ix_(out, into)] for w, into, out in zip(weights, every, every[1:], strict=False)]
    lines = []
    for sign, colour, dash in ((1, "@positive", "solid"), (-1, "@negative", "dash")):
        for level, width in enumerate(WIDTHS):
            x, y = _edges(drawn, places, strongest, sign, level)
            shade = f"{colour}/{0.35 + 0.6 * level / (len(WIDTHS) - 1):.2f}"
            lines.append(
                {"type": "scatter", "mode": "lines", "x": x, "y": y, "hoverinfo": "skip", "showlegend": False,
                 "line": {"color": shade, "width": width, "dash": dash}}
            )  # fmt: skip
    labels, units = _units(places, weights, biases, dead, inputs, outputs, every)
    for index, more in enumerate(missing):
        if more:
            across, up = index / (len(counts) - 1), 0.5 / (len(every[index]) + 1)
            labels.append({**_label(MORE.format(units=more), across, up), "xanchor": "center"})
    return {
        "parameters": _parameters(weights, biases, inputs, outputs),
        "data": [*lines, units],
        "layout": layout(
            hidden_axis([-0.12, 1.12]),
            hidden_axis([-0.04, 1.04]),
            margin={"l": 8 + LETTER * max(0, max(map(len, inputs)) - 2), "r": 8, "t": 10, "b": 10},
            showlegend=False,
            annotations=labels,
        ),
    }


def _parameters(
    weights: Sequence[Array], biases: Sequence[Array], inputs: Sequence[str], outputs: Sequence[str]
) -> list[LayerParameters]:
    """All numbers of the model, layer by layer, also those of units that are not drawn: for the CSV file."""
    units = [[UNIT.format(unit=unit + 1) for unit in range(len(b))] for b in biases[:-1]]
    every = [list(inputs), *units, list(outputs)]
    return [
        {"weights": w.ravel().astype(np.float32), "biases": b.astype(np.float32), "units": out, "sources": into}
        for w, b, into, out in zip(weights, biases, every, every[1:], strict=False)
    ]


def shown_units(weights: Sequence[Array], last: Sequence[Array] = ()) -> list[Array]:
    """The indices of each hidden layer's units that are drawn: all, or the WIDE_UNITS with the largest weights.

    `last` is what was drawn before: a unit keeps its place until another one is clearly larger.
    """
    chosen = []
    for layer, (into, out) in enumerate(pairwise(weights)):
        units = np.arange(len(into))
        if len(units) > MAX_UNITS:
            sizes = np.nan_to_num(np.abs(into).sum(axis=1) + np.abs(out).sum(axis=0))
            if layer < len(last) and last[layer].max() < len(units) and len(last[layer]) == WIDE_UNITS:
                sizes[last[layer]] *= STICKY
            units = np.sort(np.argsort(-sizes, kind="stable")[:WIDE_UNITS])
        chosen.append(units)
    return chosen


def unit_boxes(counts: Sequence[int]) -> Array:
    """The places of the hidden units' small maps in a drawing of the model: x0, x1, y0, y1 of each (4 * units,)."""
    half = min(0.055, 0.42 / max(counts))
    boxes = []
    for index, count in enumerate(counts[1:-1], start=1):
        x, y = _column(index / (len(counts) - 1), count).T
        boxes.append(np.stack([x - 0.75 * half, x + 0.75 * half, y - half, y + half], axis=1))
    return np.concatenate(boxes).ravel().astype(np.float32) if boxes else np.empty(0, np.float32)


def _column(x: float, count: int) -> Array:
    """The places of a layer's units: shape (units, 2)."""
    return np.stack([np.full(count, x), 1 - (np.arange(count) + 0.5) / count], axis=1)


def _edges(
    weights: Sequence[Array], places: Sequence[Array], strongest: float, sign: int, level: int
) -> tuple[Array, Array]:
    """The weights of one sign and one class of strength, as one line with gaps."""
    xs, ys = [], []
    for w, start, end in zip(weights, places, places[1:], strict=False):
        classes = np.ceil(np.sqrt(np.abs(np.nan_to_num(w)) / strongest) * len(WIDTHS)).clip(1, len(WIDTHS)) - 1
        out, into = np.nonzero((classes == level) & (np.sign(w) == sign))
        gap = np.full(len(out), np.nan)
        xs.append(np.stack([start[into, 0], end[out, 0], gap], axis=1).ravel())
        ys.append(np.stack([start[into, 1], end[out, 1], gap], axis=1).ravel())
    return np.concatenate(xs).astype(np.float32), np.concatenate(ys).astype(np.float32)


def _units(
    places: Sequence[Array],
    weights: Sequence[Array],
    biases: Sequence[Array],
    dead: Sequence[Array],
    inputs: Sequence[str],
    outputs: Sequence[str],
    shown: Sequence[Array],
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The labels beside the units, and every drawn unit as a circle; hovering shows its weights and its bias.

    Labels are notes: Plotly loses the words at markers when the number of markers changes.
    """
    at = np.concatenate(places)
    texts, colours, labels = [f"input {name}" for name in inputs], ["@muted"] * len(inputs), list(inputs)
    for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
        last = layer == len(weights) - 1
        for unit in shown[layer + 1]:
            is_dead = not last and layer < len(dead) and bool(dead[layer][unit])
            into = ", ".join(f"{value:.3g}" for value in w[unit][:8]) + (", …" if w.shape[1] > 8 else "")
            where = f"output {outputs[unit]}" if last else f"hidden layer {layer + 1}, unit {unit + 1}"
            texts.append(
                f"{where}{' (dead)' if is_dead else ''}<br>weights {into}<br>bias {b[unit]:.3g}".replace("-", "−")
            )
            colours.append("@dead" if is_dead else "@model" if last else "@gradient")
            labels.append(outputs[unit] if last else "×" if is_dead else "")
    notes = []
    for index, (text, (x, y)) in enumerate(zip(labels, at, strict=True)):
        if text:
            side = (
                {"xanchor": "right", "xshift": -LABEL_SHIFT}
                if index < len(inputs)
                else {"xanchor": "left", "xshift": LABEL_SHIFT}
            )
            notes.append(_label(text, float(x), float(y)) | side)
    return notes, {
        "type": "scatter", "mode": "markers", "x": at[:, 0].astype(np.float32), "y": at[:, 1].astype(np.float32),
        "hovertext": texts, "hoverinfo": "text", "showlegend": False, "cliponaxis": False,
        "marker": {"size": 15, "color": colours, "line": {"color": "@ground", "width": 2}},
    }  # fmt: skip


def _label(text: str, x: float, y: float) -> dict[str, Any]:
    return {"text": text, "x": x, "y": y, "xref": "x", "yref": "y", "showarrow": False, "yanchor": "middle",
            "font": {"color": "@text", "size": 12}}  # fmt: skip
