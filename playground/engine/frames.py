"""What a viewer is sent: whole figures at first, then only what changed; arrays as raw bytes behind a JSON head."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

import numpy as np
import orjson
from numpy.typing import NDArray


class Maps(TypedDict):
    """A group of maps of equal size: grids of bytes that the board draws as pixels on a canvas, without Plotly.

    A heatmap trace takes ten times as long, and its new values need a full update of the chart.
    """

    side: int  # pixels in a row of one map
    values: NDArray[np.uint8]  # (maps * rows * side,), rows from the top
    boxes: NDArray[np.float32]  # (maps * 4,): x0, x1, y0 and y1 of each map, in the axes' coordinates
    lut: str  # colours: "ink", "grey", "signed" or "classes"; with " filling" behind it, 0 is not computed yet
    over: bool  # over the traces instead of under them; the first group decides for the whole canvas
    crisp: NotRequired[bool]  # pixels have sharp edges instead of being smoothed
    tall: NotRequired[int]  # rows of one map, if not `side`
    frame: NotRequired[str]  # the colour role of a frame around each map
    enlarged: NotRequired[NDArray[np.float32]]  # (4,): the box of a map in the chart that shows it enlarged
    square: NotRequired[bool]  # each map is a square in the middle of its box, whatever the chart's shape
    name: NotRequired[str]  # in the CSV file, which has the pixels of maps with a name
    classes: NotRequired[dict[str, str]]  # with "classes": what each means, by number, if it is no class
    size: NotRequired[float]  # the number that the strongest byte stands for, 1 if it is not given


class LayerParameters(TypedDict):
    """The parameters of one layer in a drawing of the model, for the form that sets them by hand."""

    weights: NDArray[np.float32]  # (units * inputs,), one row per unit
    biases: NDArray[np.float32]  # (units,)
    units: list[str]  # their names
    sources: list[str]  # the names of the inputs


class Figure(TypedDict):
    """What a chart shows, in plain dicts, lists and arrays: Plotly's figure, and what the board adds to it.

    `layout["meta"]` has what Plotly does not draw, each key only where a chart needs it:

    - "words": the chart's numbers as text for screen readers (without it: each trace's length and last value);
    - "csv": the text of the chart's CSV file (without it: the table, the pixels of named maps, or x, y and z of the
      traces);
    - "table": the columns of that file by name;
    - "place": the two current values of the form in the card's header that chooses a place;
    - "sliders": the current values of the sliders in the card's header, by name;
    - "made_for": the width and height in pixels for which the type in a drawing with words in boxes is made;
    - "axes": of each knob with a shape, its sizes and the places of the controls that change them;
    - "cells": whether it is a drawing of cells, whose axes end where it ends: the board makes them as large as it can;
    - "letters": the letters of the longest number in cells at any step, so that their type does not change as it plays;
    - "network": the columns of a drawing of the model, for the controls that change it (`figures/graphs.py`);
    - "drawn": whether the image comes from the drawing pad.
    """

    data: list[dict[str, Any]]  # Plotly's traces; a colour is a role of the theme: "@train", "@muted/0.5"
    layout: dict[str, Any]  # Plotly's layout
    maps: NotRequired[Maps | list[Maps]]  # drawn on a canvas under or over the traces
    parameters: NotRequired[list[LayerParameters]]  # for each layer, where weights can be set by hand
    others: NotRequired[list[Figure]]  # the same drawing in other arrangements; the board shows the one that fits


_ALIGNMENT = 8
Path = tuple[str | int, ...]
_LEAVES = frozenset((str, int, float, bool, type(None)))
_SENT_AS = {"<f4": "f4", "<f8": "f8", "<i4": "i4", "|u1": "u1"}


def changes(before: Any, after: Any) -> list[list[Any]]:
    """Each [path, value] that turns one figure into another; lists of dicts item by item, arrays and others whole."""
    found: list[list[Any]] = []
    _compare(before, after, (), found)
    return found


def _compare(before: Any, after: Any, path: Path, found: list[list[Any]]) -> None:
    kind = type(after)
    if kind is dict and type(before) is dict and before.keys() == after.keys():
        for key, value in after.items():
            old = before[key]
            if old is value or (type(value) in _LEAVES and type(old) is type(value) and old == value):
                continue  # checked here without a call, because most entries of a figure are like this
            _compare(old, value, (*path, key), found)
    elif kind is list and type(before) is list and len(before) == len(after):
        _compare_lists(before, after, path, found)
    elif kind is np.ndarray and type(before) is np.ndarray:
        if before.dtype != after.dtype or before.shape != after.shape or before.tobytes() != after.tobytes():
            found.append([path, after])
    elif kind is not type(before) or kind in (dict, list) or before != after:
        found.append([path, after])


def _compare_lists(before: list[Any], after: list[Any], path: Path, found: list[list[Any]]) -> None:
    """Lists of dicts item by item, others as a whole: Plotly notices changed values only in a new list."""
    if all(type(item) is dict for item in (*before, *after)):
        for index, item in enumerate(after):
            _compare(before[index], item, (*path, index), found)
    elif any(changes(old, new) for old, new in zip(before, after, strict=True)):
        found.append([path, after])


def encode(frame: dict[str, Any]) -> bytes:
    """A frame as bytes: the head's length (4 bytes, little-endian), the head as JSON, then the arrays, aligned to 8.

    In the head an array is {"$": [offset behind the head, items, type]} with type f4, f8, i4 or u1; other number types
    travel as f8.
    """
    buffers: list[bytes] = []
    size = 0

    def place(value: Any) -> Any:
        nonlocal size
        if isinstance(value, np.ndarray):
            kind = _SENT_AS.get(value.dtype.str)
            raw = (value if kind else value.astype("<f8")).tobytes()
            offset = size
            padding = -len(raw) % _ALIGNMENT
            buffers.append(raw + b"\0" * padding)
            size += len(raw) + padding
            return {"$": [offset, value.size, kind or "f8"]}
        raise TypeError(f"A frame cannot carry a {type(value).__name__}.")

    head = orjson.dumps(frame, default=place)
    head += b" " * (-(len(head) + 4) % _ALIGNMENT)
    return len(head).to_bytes(4, "little") + head + b"".join(buffers)


class FrameWriter:
    """Remembers what one viewer has been sent, and writes the next frame as the difference."""

    def __init__(self) -> None:
        self._sent: dict[str, Figure] = {}
        self._head: dict[str, Any] = {}

    def write(
        self, head: dict[str, Any], charts: dict[str, Figure], written: dict[tuple[int, ...], bytes] | None = None
    ) -> bytes:
        """The bytes that bring the viewer's head (state, status, ...) and charts up to date; empty when they are.

        Neither of the two may be changed afterwards. `written` is shared by the writers of one drawing: viewers that
        were sent the same before get the same bytes, written once.
        """
        key = (id(self._head) if self._head else 0, *(id(self._sent.get(name)) for name in charts))
        found = None if written is None else written.get(key)
        if found is None:
            found = self._difference(head, charts)
            if written is not None:
                written[key] = found
        self._head = head
        self._sent.update(charts)
        return found

    def is_level_with(self, other: FrameWriter) -> bool:
        """Whether both viewers were sent the same drawing last."""
        return self._head is other._head

    def _difference(self, head: dict[str, Any], charts: dict[str, Figure]) -> bytes:
        frame: dict[str, Any] = {key: value for key, value in head.items() if self._head.get(key, self) != value}
        parts: dict[str, Any] = {}
        for name, figure in charts.items():
            if name not in self._sent or self._sent[name].keys() != figure.keys():
                parts[name] = {"figure": figure}
            elif patch := changes(self._sent[name], figure):
                parts[name] = {"set": patch}
        if parts:
            frame["charts"] = parts
        return encode(frame) if frame else b""
