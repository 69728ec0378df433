"""Models as drawings: data, inputs, units and outputs in columns, weights as lines of their size and sign.

The board adds the controls that change the model where they act; `meta.network` of the figure says where its columns
are, in the axes' coordinates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure, LayerParameters, Maps
from playground.figures.parts import hidden_axis, note, outlines
from playground.figures.theme import layout

Array = NDArray[Any]
WIDTHS = (0.4, 0.9, 1.5, 2.3, 3.2, 4.2)  # pixels, from the weakest to the strongest weight
MIN_WIDTH = 0.4  # pixels
MAX_UNITS = 16  # in a layer that is drawn whole; of a wider one the units with the largest weights are drawn
WIDE_UNITS = 12  # that are drawn of a wider layer
STICKY = 1.3  # how much larger a unit that is not drawn must be to take the place of one that is
LABEL_SHIFT = 4  # pixels from a unit's edge to its label
DATA_X, OUTPUT_X = 0.085, 0.95  # the columns of the data and of the outputs, of a width of 1
INPUTS_X = (0.34, 0.34, 0.3)  # the column of the inputs, for 0, 1 and 2 hidden layers
DEEP_INPUTS_X = 0.295  # for more
SPREAD = {"inputs": 0.2, "units": 0.25, "outputs": 0.18}  # the largest distance of two units in a column
HALF_WIDTHS = {"inputs": 0.055, "units": 0.085, "outputs": 0.02}  # of their pictures at most
HALF_HEIGHT = 0.078
DATA_HALF_WIDTH = 0.08
HALF_SHARE, HALF_SHARE_ACROSS = 0.44, 0.29  # of the distance of two units, and of two columns
CURVE_SHARE = 0.82  # of a picture's half height that a curve takes
# Largest number of weights, points of each line, and the share of its width: more weights have thinner lines.
SAMPLES = ((60, 13, 1.0), (150, 13, 0.7), (400, 9, 0.5), (10**9, 6, 0.4))
BELOW, BELOW_DEEP = 36, 58  # pixels under the drawing, for one row of buttons and for two
NARROW = 3  # hidden layers: words under units are short
DEEP = 5  # hidden layers: the buttons under each stand one above the other
OUTPUT_SIZE = 14  # pixels
MAX_NUMBERS = 12  # on the lines of a layer
DASH = "6px,4px"  # of a negative weight's line

WORDS = {
    "unit": "unit {unit}", "more": "+ {units} more", "more, short": "+{units}", "data": "Data", "inputs": "Inputs",
    "input": "Input", "output": "Output", "units": "{units} units", "one": "1 unit",
}  # fmt: skip


@dataclass(frozen=True)
class Pictures:
    """What a drawing shows in its units: either maps of bytes (units, side * side), or curves (units, places).

    Both are lists with the inputs first, then each hidden layer. Outputs have symbols and colour roles. `points` is the
    data as a small picture: x and y from 0 to 1 and the class of each point. `data` and `inputs` are the pictures that
    data sets and inputs are chosen by; they are the same in every frame.
    """

    maps: Sequence[Array] = ()
    curves: Sequence[Array] = ()
    symbols: Sequence[str] = ("circle",)
    colours: Sequence[str] = ("@model",)
    points: Mapping[str, Array] = field(default_factory=dict)
    data: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)
    inputs: Mapping[str, Array] = field(default_factory=dict)
    output_labels: bool = True
    enlarged: tuple[float, float, float, float] | None = None  # x0, x1, y0, y1 of a map in the chart that enlarges it


@dataclass(frozen=True)
class EdgeNumbers:
    """A number on each line: what they are, in words, and for each layer an array of (units out, units in)."""

    title: str
    values: Sequence[Array]


@dataclass(frozen=True)
class _Column:
    """A column of units: its place, and half the width and height of each unit's picture."""

    x: float
    y: Array  # (units,)
    half_width: float
    half_height: float


def network(
    weights: Sequence[Array],
    biases: Sequence[Array],
    dead: Sequence[Array],
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    shown: Sequence[Array] | None = None,
    pictures: Pictures | None = None,
    numbers: EdgeNumbers | None = None,
) -> Figure:
    """The model as a graph. Weights are (units out, units in), biases (units out,), dead hidden units (units,).

    `shown` has the indices of each hidden layer's units that are drawn, as `shown_units` gives them; `pictures` have
    all units of each layer. With many lines, only the largest `numbers` are written.
    """
    pictures = pictures or Pictures()
    shown = shown_units(weights) if shown is None else shown
    every = [np.arange(len(inputs)), *shown, np.arange(len(outputs))]
    counts = [weights[0].shape[1], *(w.shape[0] for w in weights)]
    strongest = max(float(np.abs(w[np.isfinite(w)]).max(initial=0.0)) for w in weights) or 1.0
    missing = [count - len(units) for count, units in zip(counts, every, strict=True)]
    rooms = tuple(len(units) + bool(more) for units, more in zip(every, missing, strict=True))
    places = _places(rooms, tuple(map(len, every)))
    columns = places.columns
    drawn = np.concatenate(
        [w[np.ix_(out, into)].ravel() for w, into, out in zip(weights, every, every[1:], strict=False)]
    )
    levels = np.ceil(np.sqrt(np.abs(np.nan_to_num(drawn)) / strongest) * len(WIDTHS)).clip(1, len(WIDTHS)) * np.sign(
        drawn
    )
    lines = [places.beside]
    for sign, colour, dash in ((1, "@positive", "solid"), (-1, "@negative", DASH)):
        for level, width in enumerate(WIDTHS, start=1):
            mine = levels == sign * level
            shade = f"{colour}/{0.35 + 0.6 * (level - 1) / (len(WIDTHS) - 1):.2f}"
            pen = {"color": shade, "width": max(MIN_WIDTH, places.thin * width), "dash": dash}
            lines.append(_line(places.x[mine].ravel(), places.y[mine].ravel(), pen))
    if pictures.curves:
        lines += [places.boxes, *_curves(columns, every, dead, pictures.curves)]
    labels, units = _units(places, weights, biases, dead, inputs, outputs, every, pictures)
    for column, more in zip(columns, missing, strict=True):
        if more:
            text = WORDS["more" if len(shown) < NARROW else "more, short"].format(units=more)
            labels.append({**_label(text, column.x, float(column.y[-1])), "xanchor": "center"})
    if numbers is not None:
        labels += _numbers_on_lines(numbers, every, places)
    figure: Figure = {
        "parameters": _parameters(weights, biases, inputs, outputs),
        "data": [*lines, units],
        "layout": layout(
            hidden_axis([0.0, 1.0]),
            hidden_axis([0.0, 1.0]),
            margin={"l": 0, "r": 0, "t": 26, "b": BELOW_DEEP if len(shown) >= DEEP else BELOW},
            showlegend=False,
            annotations=labels,
            meta={"network": _meta(columns, every, counts, pictures)},
        ),
    }
    if pictures.maps:
        figure["maps"] = _maps(columns, every, pictures)
    return figure


@dataclass(frozen=True)
class _Places:
    """Where everything is drawn: it depends on the numbers of units alone.

    x and y are the lines of all weights (weights, points), layer by layer, each layer's in the order of its matrix.
    """

    columns: tuple[_Column, ...]
    units: Array  # (units, 2)
    x: Array
    y: Array
    thin: float  # the share of a line's width
    beside: dict[str, Any]  # lines from the data and to the prediction
    boxes: dict[str, Any]  # of the curves


@lru_cache(maxsize=64)
def _places(rooms: tuple[int, ...], counts: tuple[int, ...]) -> _Places:
    """The places of `counts` units in each column that has room for `rooms`."""
    columns = _columns(rooms)
    at = [
        np.stack([np.full(count, column.x), column.y[:count]], axis=1)
        for column, count in zip(columns, counts, strict=True)
    ]
    weights = sum(into * out for into, out in pairwise(counts))
    samples, thin = next((samples, thin) for most, samples, thin in SAMPLES if weights <= most)
    pieces = [
        _bent(
            np.tile(start, (len(end), 1)), np.repeat(end, len(start), axis=0), samples, (one.half_width, two.half_width)
        )
        for (start, end), (one, two) in zip(pairwise(at), pairwise(columns), strict=True)
    ]
    x, y = (np.concatenate(each) for each in zip(*pieces, strict=True))
    boxed = list(zip(columns[:-1], at[:-1], strict=True))
    left = np.concatenate([units[:, 0] - column.half_width for column, units in boxed])
    top = np.concatenate([units[:, 1] - column.half_height for column, units in boxed])
    wide, high = (
        2 * np.concatenate([np.full(len(units), size(column)) for column, units in boxed])
        for size in (attrgetter("half_width"), attrgetter("half_height"))
    )
    box_x, box_y = outlines(left, top, wide, high)
    boxes = _line(box_x, box_y, {"color": "@grid", "width": 1}) | {"fill": "toself", "fillcolor": "@ground"}
    return _Places(tuple(columns), np.concatenate(at), x, y, thin, _paths_beside(columns, at), boxes)


def _numbers_on_lines(numbers: EdgeNumbers, every: Sequence[Array], places: _Places) -> list[dict[str, Any]]:
    """A number beside each unit of the larger column, the largest of its lines, and under the drawing what they are."""
    found = [note(numbers.title, 0.0, 0.0, "@text", 12) | {"xanchor": "left", "yanchor": "bottom", "align": "left"}]
    first, last = 0, places.x.shape[1] - 2  # of a layer's lines, and of a line's points but the gap
    for values, into, out in zip(numbers.values, every, every[1:], strict=False):
        matrix = values[np.ix_(out, into)]
        drawn, sizes = matrix.ravel(), np.abs(np.nan_to_num(matrix))
        arrives = len(out) >= len(into)
        share = 0.75 if arrives else 0.25  # where lines are apart: near the column with more units
        best = sizes.argmax(axis=1 if arrives else 0)  # of the lines of each of these units, the largest number
        each_unit = np.arange(len(best))
        chosen = each_unit * len(into) + best if arrives else best * len(into) + each_unit
        chosen = chosen[np.argsort(-sizes.ravel()[chosen], kind="stable")[:MAX_NUMBERS]]
        for at in np.sort(chosen).tolist():
            x, y = (float(each[first + at, round(share * last)]) for each in (places.x, places.y))
            label = _label(f"{drawn[at]:.2g}".replace("-", "−"), x, y)
            found.append(label | {"bgcolor": "@ground/0.85", "font": {"color": "@text", "size": 10}})
        first += len(drawn)
    return found


def _columns(counts: Sequence[int]) -> list[_Column]:
    """The columns of the inputs, the hidden layers and the outputs, from the number of units in each."""
    hidden = len(counts) - 2
    start = INPUTS_X[hidden] if hidden < len(INPUTS_X) else DEEP_INPUTS_X
    apart = (OUTPUT_X - start) / (hidden + 1)
    kinds = ["inputs", *["units"] * hidden, "outputs"]
    columns = []
    for at, (count, kind) in enumerate(zip(counts, kinds, strict=True)):
        step = min(1 / count, SPREAD[kind])
        y = 0.5 + ((count - 1) / 2 - np.arange(count)) * step
        half = min(HALF_WIDTHS[kind], HALF_SHARE_ACROSS * apart)
        columns.append(_Column(start + at * apart, y, half, min(HALF_HEIGHT, HALF_SHARE * step)))
    return columns


def _meta(
    columns: Sequence[_Column], every: Sequence[Array], counts: Sequence[int], pictures: Pictures
) -> dict[str, Any]:
    """What the board needs for its controls: the columns with their heads, and the pictures to choose from."""
    found: list[dict[str, Any]] = [{"kind": "data", "x": DATA_X, "title": WORDS["data"], "short": WORDS["data"]}]
    for at, (column, units, count) in enumerate(zip(columns, every, counts, strict=True)):
        kind = "inputs" if at == 0 else "output" if at == len(columns) - 1 else "layer"
        title = WORDS["input" if kind == "inputs" and count == 1 else kind] if kind != "layer" else (
            WORDS["one" if count == 1 else "units"].format(units=count)
        )  # fmt: skip
        found.append(
            {"kind": kind, "x": column.x, "title": title, "short": str(count) if kind == "layer" else title,
             "layer": at - 1, "units": units.astype(np.int32), "y": column.y[: len(units)].astype(np.float32),
             "half": [column.half_width, column.half_height]}
        )  # fmt: skip
    return {
        "columns": found, "deep": len(columns) - 2 >= DEEP,
        "points": dict(pictures.points), "data": dict(pictures.data), "inputs": dict(pictures.inputs),
    }  # fmt: skip


def _maps(columns: Sequence[_Column], every: Sequence[Array], pictures: Pictures) -> Maps:
    """The small maps of the inputs and of the hidden units that are drawn: squares in the middle of their boxes."""
    boxes, values = [], []
    for column, units, each in zip(columns, every, pictures.maps, strict=False):
        y, ones = column.y[: len(units)], np.ones(len(units))
        x, wide, high = column.x * ones, column.half_width, column.half_height
        boxes.append(np.stack([x - wide, x + wide, y - high, y + high], axis=1))
        values.append(each[units])
    found: Maps = {
        "side": round(pictures.maps[0].shape[1] ** 0.5), "values": np.concatenate(values).ravel(),
        "boxes": np.concatenate(boxes).ravel().astype(np.float32), "lut": "signed", "over": True, "frame": "@muted",
        "square": True,
    }  # fmt: skip
    if pictures.enlarged:
        found["enlarged"] = np.array(pictures.enlarged, np.float32)
    return found


def _curves(
    columns: Sequence[_Column], every: Sequence[Array], dead: Sequence[Array], curves: Sequence[Array]
) -> list[dict[str, Any]]:
    """The curves of the outputs of inputs and hidden units in their boxes, each scaled to its largest size."""
    xs, ys, gone = [], [], []
    for at, (column, units, each) in enumerate(zip(columns, every, curves, strict=False)):
        values = np.nan_to_num(each[units])
        size = np.abs(values).max(axis=1, keepdims=True, initial=0.0)
        values = np.divide(values, size, out=np.zeros_like(values), where=size > 0)
        rows = column.y[: len(units), None] + CURVE_SHARE * column.half_height * values
        x = column.x + column.half_width * np.linspace(-0.9, 0.9, values.shape[1])
        xs.append(np.broadcast_to(x, rows.shape))
        ys.append(rows)
        gone.append(dead[at - 1][units] if 0 < at <= len(dead) else np.zeros(len(units), bool))
    is_dead = np.concatenate(gone)
    all_x, all_y = (
        np.pad(np.concatenate(each), ((0, 0), (0, 1)), constant_values=np.nan).astype(np.float32) for each in (xs, ys)
    )
    return [
        _line(all_x[mine].ravel(), all_y[mine].ravel(), {"color": colour, "width": 1.8})
        for mine, colour in ((~is_dead, "@gradient"), (is_dead, "@dead"))
    ]


def _line(x: Array, y: Array, pen: dict[str, Any]) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "hoverinfo": "skip", "showlegend": False, "line": pen}


def _paths_beside(columns: Sequence[_Column], places: Sequence[Array]) -> dict[str, Any]:
    """Lines from the data to the inputs, and from the outputs to the edge, where the prediction is drawn."""
    samples = SAMPLES[0][1]
    data, edge = (np.broadcast_to([at, 0.5], each.shape) for at, each in ((DATA_X, places[0]), (1.0, places[-1])))
    pieces = (_bent(data, places[0], samples, (DATA_HALF_WIDTH, columns[0].half_width)),
              _bent(places[-1], edge, samples, (0.0, 0.0)))  # fmt: skip
    x, y = (np.concatenate([piece.ravel() for piece in each]) for each in zip(*pieces, strict=True))
    return _line(x, y, {"color": "@muted/0.35", "width": 1.2})


def _bent(start: Array, end: Array, samples: int, halves: tuple[float, float]) -> tuple[Array, Array]:
    """The x and y of lines from places (lines, 2) to others: both (lines, points), with a gap at each line's end.

    They leave and arrive level, over `halves` of the width at their two ends, where most of the samples are: there the
    lines bend.
    """
    t = (1 - np.cos(np.linspace(0, np.pi, samples))) / 2
    gap = np.full((len(start), 1), np.nan)
    (x0, y0), (x1, y1) = ((each[:, :1], each[:, 1:]) for each in (start, end))
    left, right = x0 + halves[0], x1 - halves[1]
    x = np.concatenate([x0, left + (right - left) * t, x1, gap], axis=1)
    y = np.concatenate([y0, y0 + (y1 - y0) * (t * t * (3 - 2 * t)), y1, gap], axis=1)
    return x.astype(np.float32), y.astype(np.float32)


def _parameters(
    weights: Sequence[Array], biases: Sequence[Array], inputs: Sequence[str], outputs: Sequence[str]
) -> list[LayerParameters]:
    """All numbers of the model, layer by layer, also those of units that are not drawn: for the CSV file."""
    units = [[WORDS["unit"].format(unit=unit + 1) for unit in range(len(b))] for b in biases[:-1]]
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


def _units(
    places: _Places,
    weights: Sequence[Array],
    biases: Sequence[Array],
    dead: Sequence[Array],
    inputs: Sequence[str],
    outputs: Sequence[str],
    shown: Sequence[Array],
    pictures: Pictures,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The labels beside the units, and every drawn unit as a marker; hovering shows its weights and its bias.

    Markers are invisible where units have pictures. Labels are notes: Plotly loses the words at markers when the number
    of markers changes.
    """
    has_pictures = bool(pictures.maps or pictures.curves)
    at, columns = places.units, places.columns
    fade = "/0" if has_pictures else ""
    texts, colours, symbols = (
        [f"input {name}" for name in inputs],
        [f"@muted{fade}"] * len(inputs),
        ["circle"] * len(at),
    )
    edges = [0.0 if has_pictures else 2.0] * (len(at) - len(outputs)) + [2.0] * len(outputs)
    notes = [
        _label(name, column_x, float(y)) | {"xanchor": "right", "xshift": -LABEL_SHIFT}
        for name, column_x, y in zip(
            inputs, [columns[0].x - columns[0].half_width] * len(inputs), columns[0].y, strict=True
        )
    ]
    for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
        last = layer == len(weights) - 1
        column = columns[layer + 1]
        for row, unit in enumerate(shown[layer + 1]):
            is_dead = not last and layer < len(dead) and bool(dead[layer][unit])
            into = ", ".join(f"{value:.3g}" for value in w[unit][:8]) + (", …" if w.shape[1] > 8 else "")
            where = f"output {outputs[unit]}" if last else f"hidden layer {layer + 1}, unit {unit + 1}"
            texts.append(
                f"{where}{' (dead)' if is_dead else ''}<br>weights {into}<br>bias {b[unit]:.3g}".replace("-", "−")
            )
            y = float(column.y[row])
            if last:
                symbols[len(texts) - 1] = pictures.symbols[unit % len(pictures.symbols)]
                colours.append(pictures.colours[unit % len(pictures.colours)])
                if pictures.output_labels:
                    notes.append(_label(outputs[unit], column.x, y) | {"xanchor": "left", "xshift": 2, "yshift": -16})
            else:
                colours.append(f"@{'dead' if is_dead else 'gradient'}{fade}")
                if is_dead:
                    notes.append(_label("×", column.x + column.half_width, y) | {"xanchor": "left", "xshift": 1})
    return notes, {
        "type": "scatter", "mode": "markers", "x": at[:, 0].astype(np.float32), "y": at[:, 1].astype(np.float32),
        "hovertext": texts, "hoverinfo": "text", "showlegend": False, "cliponaxis": False,
        "marker": {"size": OUTPUT_SIZE, "color": colours, "symbol": symbols,
                   "line": {"color": "@ground", "width": edges}},
    }  # fmt: skip


def _label(text: str, x: float, y: float) -> dict[str, Any]:
    return {"text": text, "x": x, "y": y, "xref": "x", "yref": "y", "showarrow": False, "yanchor": "middle",
            "font": {"color": "@text", "size": 12}}  # fmt: skip
