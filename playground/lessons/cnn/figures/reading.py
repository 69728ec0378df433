"""The figure of how a model reads one digit: the image, some maps of each layer, and the probability of each digit.

Everything is placed in a square of 1 by 1 that fills the chart; images and maps stay square in their boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure, Maps
from playground.figures import images
from playground.figures.parts import hidden_axis, outlines
from playground.figures.theme import layout
from playground.lessons.cnn import words
from playground.lessons.cnn.figures.pixel_maps import ink, largest, signed

Array = NDArray[Any]
DIGITS = 10
MAX_MAPS = (8, 12, 12)  # that are drawn of each layer
IN_COLUMN = (4, 6, 6)  # maps one above the other; more stand in a second column
IMAGE_X = {1: (0.005, 0.33), 2: (0.005, 0.24), 3: (0.005, 0.2)}  # from left to right, by the number of layers
LAYERS_X = {1: ((0.41, 0.75),), 2: ((0.29, 0.55), (0.6, 0.795)), 3: ((0.245, 0.43), (0.475, 0.625), (0.665, 0.8))}
LABEL_X, TRACK_X = 0.865, (0.885, 0.99)  # of the digits
MAX_PITCH = 0.3  # of two maps in a column: few ones do not get huge
GAP = 0.06  # around a map, as a share of its box
PITCH, BAR_HALF = 0.096, 0.019  # of two digits, and half the height of a bar
BEND = 15  # points of a line
MARGIN = {"l": 4, "r": 6, "t": 26, "b": 40}  # the heads are above, and the buttons of image and layers below
PALE = 26  # of 255: the ground of a bar
PLAIN, STRONG = 96, 255  # the shades of bars: all, and that of the prediction
CENTRE = 0.5 + (np.arange(DIGITS) - 4.5) * -PITCH  # of the bars, from top to bottom
LEFT, RIGHT = np.full(DIGITS, TRACK_X[0]), np.full(DIGITS, TRACK_X[1])  # of the bars' grounds
TOP, BOTTOM = CENTRE + BAR_HALF, CENTRE - BAR_HALF


@dataclass(frozen=True)
class LayerMaps:
    """The maps of a layer (maps, side, side) that are drawn, of `count` in all; `hovers` describe each of those."""

    name: str
    maps: Array
    count: int
    hovers: Sequence[str]


def reading(
    image: Array,
    title: str,
    layers: Sequence[LayerMaps],
    probabilities: Array,
    *,
    number: int,
    predicted: int,
    label: int | None,
    chosen: tuple[int, int] | None,
    in_words: str,
) -> Figure:
    """The image (side, side), maps of one to three layers, and a bar for each digit.

    `number` is the test image's; `chosen` (layer, map) gets a frame.
    """
    places = _places(tuple(len(layer.maps) for layer in layers))
    shades = [signed(layer.maps) for layer in layers]
    groups: list[Maps] = [_group(words.IMAGE, ink(image), places.edges[0], "ink", 1.0)]
    groups += [
        _group(layer.name, shade, edges, "signed", largest(layer.maps))
        for layer, shade, edges in zip(layers, shades, places.edges[1:], strict=True)
    ]
    groups += _chosen(chosen, shades, places.boxes)
    groups += _bars(probabilities, predicted)
    counts = tuple(layer.count for layer in layers)
    figure: Figure = {
        "data": [places.links, _true(label), _pointers(places, title, layers, probabilities)],
        "layout": layout(
            hidden_axis([0.0, 1.0]), hidden_axis([0.0, 1.0]), margin=MARGIN, showlegend=False,
            annotations=_notes(title, counts, places),
            meta={"words": in_words, "network": _columns(counts, places),
                  "image": {"x": sum(IMAGE_X[len(layers)]) / 2, "number": number}},
        ),
        "maps": groups,
    }  # fmt: skip
    return figure


@dataclass(frozen=True, eq=False)
class Places:
    """Where everything stands that stays from frame to frame. Nothing of it may be changed."""

    boxes: Sequence[Array]  # of the image and of each layer's maps: (maps, 4)
    edges: Sequence[Array]  # the same as they are sent: (maps * 4,)
    links: dict[str, Any]  # the trace of the lines between them
    x: Array  # of the pointers: at the image, the maps and the bars
    y: Array


@lru_cache(maxsize=8)
def _places(counts: tuple[int, ...]) -> Places:
    """The places of a model with these numbers of drawn maps; computed once: they are the same in every frame."""
    boxes = [np.array([[*IMAGE_X[len(counts)], 0.0, 1.0]])]
    boxes += [_boxes(count, at, LAYERS_X[len(counts)][at]) for at, count in enumerate(counts)]
    each = np.concatenate(boxes)
    x = np.concatenate([(each[:, 0] + each[:, 1]) / 2, np.full(DIGITS, sum(TRACK_X) / 2)])
    y = np.concatenate([(each[:, 2] + each[:, 3]) / 2, CENTRE])
    edges = [box.ravel().astype(np.float32) for box in boxes]
    return Places(boxes, edges, _links(boxes), x.astype(np.float32), y.astype(np.float32))


def find(counts: Sequence[int], x: float, y: float) -> tuple[int, int] | None:
    """The (layer, map) at a place, given the number of maps that are drawn of each layer; None beside them."""
    for layer, count in enumerate(counts):
        boxes = _boxes(count, layer, LAYERS_X[len(counts)][layer])
        inside = (boxes[:, 0] <= x) & (x <= boxes[:, 1]) & (boxes[:, 2] <= y) & (y <= boxes[:, 3])
        if inside.any():
            return layer, int(inside.argmax())
    return None


def _boxes(count: int, layer: int, x: tuple[float, float]) -> Array:
    """The boxes of a layer's maps, row by row: (maps, 4)."""
    columns = 1 if count <= IN_COLUMN[layer] // 2 else 2
    rows = -(-count // columns)
    pitch = min(1 / rows, MAX_PITCH)
    wide = (x[1] - x[0]) / 2
    start = (x[0] + x[1]) / 2 - columns * wide / 2
    left = start + wide * (np.arange(count) % columns)
    top = 0.5 + pitch * (rows / 2 - np.arange(count) // columns)
    gaps = GAP * wide, GAP * pitch
    return np.stack([left + gaps[0], left + wide - gaps[0], top - pitch + gaps[1], top - gaps[1]], axis=1)


def _group(name: str, values: Array, edges: Array, lut: str, size: float) -> Maps:
    return {"name": name, "size": size, "side": values.shape[-1], "values": values.ravel(), "lut": lut, "over": False,
            "boxes": edges, "crisp": True, "square": True}  # fmt: skip


GROUNDS = images.boxes(LEFT, RIGHT, TOP, BOTTOM, np.full(DIGITS, PALE, np.uint8), images.INK)


def _bars(probabilities: Array, predicted: int) -> list[Maps]:
    """The bars as boxes of one pixel: the grounds, all digits, and the predicted one."""
    ends = LEFT + (RIGHT - LEFT) * np.clip(np.nan_to_num(probabilities), 0.004, 1.0)
    shades = np.full(DIGITS, PLAIN, np.uint8)
    first = slice(predicted, predicted + 1)
    bars = images.boxes(LEFT, ends, TOP, BOTTOM, shades, images.INK)
    strong = images.boxes(
        LEFT[first], ends[first], TOP[first], BOTTOM[first], np.array([STRONG], np.uint8), images.SIGNED
    )
    return [GROUNDS, bars, strong]


def _links(boxes: Sequence[Array]) -> dict[str, Any]:
    """Lines from each column to the rows of the next one, and from the last layer to the digits."""
    xs, ys = [], []
    t = np.linspace(0, 1, BEND)
    for source, target in zip(boxes, [*boxes[1:], None], strict=True):
        start = float(source[:, 1].max()) + 0.004
        end = LABEL_X - 0.022 if target is None else float(target[:, 0].min()) - 0.004
        rows = CENTRE if target is None else np.unique((target[:, 2] + target[:, 3]) / 2)
        for row in rows:
            xs.append(np.append(start + (end - start) * t, np.nan))
            ys.append(np.append(0.5 + (row - 0.5) * t * t * (3 - 2 * t), np.nan))
    return {"type": "scatter", "mode": "lines", "name": "Links", "x": np.concatenate(xs).astype(np.float32),
            "y": np.concatenate(ys).astype(np.float32), "line": {"color": "@muted/0.35", "width": 1.2},
            "hoverinfo": "skip", "showlegend": False, "meta": {"csv": False}}  # fmt: skip


@lru_cache(maxsize=DIGITS + 1)
def _true(label: int | None) -> dict[str, Any]:
    """An outline around the bar of the true digit, where it is known."""
    chosen = CENTRE[label : label + 1] if label is not None else CENTRE[:0]
    left = np.full(len(chosen), TRACK_X[0])
    x, y = outlines(left, chosen - BAR_HALF, TRACK_X[1] - TRACK_X[0], 2 * BAR_HALF)
    return {"type": "scatter", "mode": "lines", "name": "True digit", "x": x, "y": y, "hoverinfo": "skip",
            "showlegend": False, "line": {"color": "@text", "width": 1.6}, "meta": {"csv": False}}  # fmt: skip


def _chosen(chosen: tuple[int, int] | None, shades: Sequence[Array], boxes: Sequence[Array]) -> list[Maps]:
    """The chosen map once more, with a frame, if it is drawn."""
    if chosen is None or chosen[0] >= len(shades) or chosen[1] >= len(shades[chosen[0]]):
        return []
    layer, number = chosen
    edges = boxes[layer + 1][number].astype(np.float32)
    group = _group("", shades[layer][number], edges, "signed", 1.0)
    group["frame"] = "@mark"
    return [group]


def _pointers(places: Places, title: str, layers: Sequence[LayerMaps], probabilities: Array) -> dict[str, Any]:
    """Invisible markers for hovering and clicking: at the image and the maps, and at the bars."""
    hovers = [title, *(text for layer in layers for text in layer.hovers)]
    bars = [words.DIGIT_PROBABILITY.format(digit=digit, percent=100 * value)
            for digit, value in enumerate(np.nan_to_num(probabilities).tolist())]  # fmt: skip
    return {"type": "scatter", "mode": "markers", "name": "Maps", "showlegend": False, "x": places.x,
            "y": places.y, "hovertext": [*hovers, *bars], "hoverinfo": "text",
            "marker": {"size": 18, "opacity": 0, "color": "@text"}, "meta": {"csv": False}}  # fmt: skip


@lru_cache(maxsize=32)
def _notes(title: str, counts: tuple[int, ...], places: Places) -> list[dict[str, Any]]:
    """The heads of the columns, each layer's with its number of maps, and the digits beside their bars."""
    found = [_head(title, places.boxes[0]), _head(words.ANSWER, np.array([[LABEL_X, TRACK_X[1], 0, 1]]))]
    for count, each in zip(counts, places.boxes[1:], strict=True):
        text = words.FILTERS_SHOWN if count > len(each) else words.FILTERS_ALL
        found.append(_head(text.format(count=count, shown=len(each)), each))
    found += [
        {"text": str(digit), "x": LABEL_X, "y": float(y), "xref": "x", "yref": "y", "xanchor": "center",
         "yanchor": "middle", "showarrow": False, "font": {"size": 14, "color": "@text"}}
        for digit, y in enumerate(CENTRE)
    ]  # fmt: skip
    return found


def _head(text: str, boxes: Array) -> dict[str, Any]:
    middle = float(boxes[:, 0].min() + boxes[:, 1].max()) / 2
    return {"text": text, "x": middle, "y": 1.0, "xref": "x", "yref": "paper", "xanchor": "center", "align": "center",
            "yanchor": "bottom", "yshift": 4, "showarrow": False, "font": {"size": 12, "color": "@muted"}}  # fmt: skip


@lru_cache(maxsize=32)
def _columns(counts: tuple[int, ...], places: Places) -> dict[str, Any]:
    """Where the board puts the buttons of the image and of each layer."""
    middles = [float(each[:, 0].min() + each[:, 1].max()) / 2 for each in places.boxes[1:]]
    columns: list[dict[str, Any]] = [
        {"kind": "layer", "x": x, "title": "", "short": str(count), "layer": at}
        for at, (count, x) in enumerate(zip(counts, middles, strict=True))
    ]
    return {"columns": columns}
