"""Processes over time: a lane for each, their throughput, and how many batches were waiting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.parts import line, markers, segments
from playground.figures.theme import axis, layout, round_up

Array = NDArray[Any]
LANE_WIDTH = 20  # pixels
GAP = 0.7  # lanes between two groups
# What a process does: its name, its colour, and its width as a share of the lane's.
KINDS: dict[str, tuple[str, str, float]] = {
    "even": ("Fetching items", "@train", 1.0),
    "odd": ("Fetching items, next batch", "@train/0.5", 1.0),
    "waiting": ("Waiting for a batch", "@negative/0.8", 0.25),
    "using": ("Training on a batch", "@model", 0.7),
    "starting": ("Worker starting", "@muted", 0.25),
}


@dataclass(frozen=True)
class Span:
    """What a process did from start to end, in seconds: one of KINDS, with the text of its tooltip."""

    kind: str
    start: float
    end: float
    words: str


def lanes(groups: Sequence[Sequence[tuple[str, Sequence[Span]]]], until: float) -> Figure:
    """Lanes (name, spans) from the top down, with a gap between groups; time starts at 0 seconds."""
    heights, names, rows = [], [], []
    y = 0.0
    for group in groups:
        for name, spans in group:
            heights.append(y)
            names.append(name)
            rows.append(spans)
            y -= 1
        y -= GAP
    data = [_trace(kind, rows, heights) for kind in KINDS]
    ticks = {"tickmode": "array", "tickvals": heights, "ticktext": names, "showgrid": False, "zeroline": False}
    x = axis("Seconds since the loop started", [0, round_up_finely(until)])
    margin = {"l": 132, "r": 12, "t": 10, "b": 40}
    return {"data": data, "layout": layout(x, axis("", [y + GAP + 0.4, 0.6], **ticks), margin=margin)}


def _trace(kind: str, rows: Sequence[Sequence[Span]], heights: Sequence[float]) -> dict[str, Any]:
    """One trace with all spans of a kind, as a line with gaps."""
    name, colour, share = KINDS[kind]
    found = [(span, height) for spans, height in zip(rows, heights, strict=True) for span in spans if span.kind == kind]
    levels = [height for _, height in found]
    x, y = segments([span.start for span, _ in found], levels, [span.end for span, _ in found], levels)
    texts = [text for span, _ in found for text in (span.words, span.words, "")]
    more = {"visible": True, "showlegend": kind != "odd", "hoverinfo": "text", "hovertext": texts}
    return line(name, x, y, {"color": colour, "width": LANE_WIDTH * share}) | more


def round_up_finely(value: float) -> float:
    """The next twentieth of `round_up(value)`, so that an axis that ends there rarely changes and is nearly full."""
    top = round_up(value)
    return float(np.ceil(value / top * 20 - 1e-9) / 20 * top)


def throughput(rates: Mapping[str, tuple[float | None, float | None]], top: float) -> Figure:
    """Samples per second by number of workers: (with start-up, without it), None if not measured yet."""
    names = list(rates)
    whole, without = ([rate[at] for rate in rates.values()] for at in (0, 1))
    data = [
        {"type": "bar", "name": "Start-up included", "x": names, "y": whole, "marker": {"color": "@train/0.75"},
         "text": ["" if rate is None else f"{rate:.0f}" for rate in whole], "textposition": "inside",
         "insidetextanchor": "start",
         "hovertemplate": "%{x}: %{y:.1f} samples/s, start-up included<extra></extra>"},
        markers("After start-up", names, without,
                {"symbol": "diamond-open", "size": 11, "color": "@text", "line": {"width": 2}},
                "%{x}: %{y:.1f} samples/s after the first batch<extra></extra>"),
    ]  # fmt: skip
    x = axis("", [-0.5, len(names) - 0.5], type="category", categoryorder="array", categoryarray=names)
    y = axis("Samples/s", [0, round_up_finely(top * 1.1)])
    return {"data": data, "layout": layout(x, y, margin={"l": 54, "r": 8, "t": 10, "b": 38}, bargap=0.4)}


def ahead(lines: Sequence[tuple[str, Array, Array]], top: float, until: float) -> Figure:
    """How many batches were waiting over time, each (name, seconds, batches), as stairs from change to change."""
    data = [
        line(name, seconds, waiting,
             {"color": f"@series{index}", "width": 2, "shape": "hv", "dash": ("solid", "dot")[index % 2]},
             name + ": %{y} waiting at %{x:.3f} s<extra></extra>")
        for index, (name, seconds, waiting) in enumerate(lines)
    ]  # fmt: skip
    x, y = axis("Seconds since the loop started", [0, round_up_finely(until)]), axis("Batches", [0, top], dtick=1)
    return {"data": data, "layout": layout(x, y, margin={"l": 40, "r": 8, "t": 10, "b": 36})}
