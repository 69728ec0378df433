"""Who was doing what when: lanes of processes over time, what they got through in a second, and what lay ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.figures.theme import axis, layout, round_up

Array = NDArray[Any]
Figure = dict[str, Any]
WIDTH = 13  # pixels of a lane
GAP = 0.7  # lanes between two groups
# What a process does: its name, its colour, and how wide it is drawn beside the lane.
KINDS: dict[str, tuple[str, str, float]] = {
    "even": ("Fetching items", "@train", 1.0),
    "odd": ("Fetching items, next batch", "@train/0.5", 1.0),
    "waiting": ("Waiting for a batch", "@negative/0.8", 0.25),
    "using": ("Training on a batch", "@model", 0.7),
    "starting": ("Worker starting", "@muted", 0.25),
}


@dataclass(frozen=True)
class Span:
    """Something that a process was doing: one of KINDS, from and to in seconds, and words for it."""

    kind: str
    start: float
    end: float
    words: str


def lanes(groups: Sequence[Sequence[tuple[str, Sequence[Span]]]], until: float) -> Figure:
    """Lanes (name, spans) from the top down, a gap between groups; all begin at 0 seconds."""
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
    x = axis("Seconds since the loop began", [0, round_up_finely(until)])
    margin = {"l": 132, "r": 12, "t": 28, "b": 40}
    return {"data": data, "layout": layout(x, axis("", [y + GAP + 0.4, 0.6], **ticks), margin=margin)}


def _trace(kind: str, rows: Sequence[Sequence[Span]], heights: Sequence[float]) -> dict[str, Any]:
    """All spans of one kind as one line with gaps."""
    name, colour, share = KINDS[kind]
    found = [(span, height) for spans, height in zip(rows, heights, strict=True) for span in spans if span.kind == kind]
    x = np.array([[span.start, span.end, np.nan] for span, _ in found], np.float32).reshape(-1)
    y = np.array([[height, height, np.nan] for _, height in found], np.float32).reshape(-1)
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "visible": True, "showlegend": kind != "odd",
        "line": {"color": colour, "width": WIDTH * share}, "hoverinfo": "text",
        "hovertext": [text for span, _ in found for text in (span.words, span.words, "")],
    }  # fmt: skip


def round_up_finely(value: float) -> float:
    """The next tenth of the power of ten above: an axis that ends there moves seldom and leaves little empty."""
    top = round_up(value)
    return float(np.ceil(value / top * 20 - 1e-9) / 20 * top)


def throughput(rates: Mapping[str, tuple[float | None, float | None]], most: float) -> Figure:
    """Samples a second by number of workers: (all in, without the start-up), None where not measured yet."""
    names = list(rates)
    whole, without = ([rate[at] for rate in rates.values()] for at in (0, 1))
    data = [
        {"type": "bar", "name": "Start-up included", "x": names, "y": whole, "marker": {"color": "@train/0.75"},
         "text": ["" if rate is None else f"{rate:.0f}" for rate in whole], "textposition": "inside",
         "insidetextanchor": "start",
         "hovertemplate": "%{x}: %{y:.1f} samples/s, start-up included<extra></extra>"},
        {"type": "scatter", "mode": "markers", "name": "Once started", "x": names, "y": without,
         "marker": {"symbol": "diamond-open", "size": 11, "color": "@text", "line": {"width": 2}},
         "hovertemplate": "%{x}: %{y:.1f} samples/s once the first batch is there<extra></extra>"},
    ]  # fmt: skip
    x = axis("", [-0.5, len(names) - 0.5], type="category", categoryorder="array", categoryarray=names)
    y = axis("Samples/s", [0, round_up_finely(most * 1.1)])
    return {"data": data, "layout": layout(x, y, margin={"l": 54, "r": 8, "t": 22, "b": 26}, bargap=0.4)}


def ahead(lines: Sequence[tuple[str, Array, Array]], most: float, until: float) -> Figure:
    """How many batches lay ready over time, each (name, seconds, batches): a stair that holds until the next change."""
    data = [
        {"type": "scatter", "mode": "lines", "name": name, "x": seconds, "y": ready,
         "line": {"color": f"@series{index}", "width": 2, "shape": "hv", "dash": ("solid", "dot")[index % 2]},
         "hovertemplate": name + ": %{y} ready at %{x:.3f} s<extra></extra>"}
        for index, (name, seconds, ready) in enumerate(lines)
    ]  # fmt: skip
    x, y = axis("Seconds since the loop began", [0, round_up_finely(until)]), axis("Batches", [0, most], dtick=1)
    return {"data": data, "layout": layout(x, y, margin={"l": 40, "r": 8, "t": 22, "b": 36})}
