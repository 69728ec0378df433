"""What a viewer is sent: whole figures at first, then only what changed; arrays as raw bytes behind a JSON head."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson

Figure = dict[str, Any]

_ALIGNMENT = 8
_SENT_AS = {"<f4": "f4", "<f8": "f8", "<i4": "i4", "|u1": "u1"}


def changes(before: Any, after: Any, path: tuple[str | int, ...] = ()) -> Iterator[list[Any]]:
    """Each [path, value] that turns one figure into another; arrays, lists (but of dicts) and leaves as a whole."""
    if before is after:
        return
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        for key, value in after.items():
            yield from changes(before[key], value, (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        parts = [part for index, item in enumerate(after) for part in changes(before[index], item, (*path, index))]
        if all(isinstance(item, dict) for item in (*before, *after)):
            yield from parts
        elif parts:  # Plotly sees a change in a trace's values only where the list is another one
            yield [path, after]
    elif isinstance(before, np.ndarray) and isinstance(after, np.ndarray):
        if before.dtype != after.dtype or before.shape != after.shape or before.tobytes() != after.tobytes():
            yield [path, after]
    elif isinstance(before, (dict, list, np.ndarray)) or type(before) is not type(after) or before != after:
        yield [path, after]


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

    def write(self, head: dict[str, Any], charts: dict[str, Figure]) -> bytes:
        """The bytes that bring the viewer's head (state, status, ...) and charts up to date; empty when they are."""
        frame: dict[str, Any] = {key: value for key, value in head.items() if self._head.get(key, self) != value}
        parts: dict[str, Any] = {}
        for name, figure in charts.items():
            if name not in self._sent or self._sent[name].keys() != figure.keys():
                parts[name] = {"figure": figure}
            elif patch := list(changes(self._sent[name], figure)):
                parts[name] = {"set": patch}
            self._sent[name] = figure
        self._head = dict(head)
        if parts:
            frame["charts"] = parts
        return encode(frame) if frame else b""
