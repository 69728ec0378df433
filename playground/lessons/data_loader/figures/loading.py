"""Batches as figures: which sample is in which slot, how often each was drawn, and the lines that a loop prints."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.parts import hidden_axis, line, markers
from playground.figures.tables import undrawn
from playground.figures.theme import axis, layout

Array = NDArray[Any]
MAX_NUMBERED = (6, 20)  # epochs and slots: a larger map has no room for numbers
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace"
INDENT = "  "  # of a row that continues a line
LINES, ROWS, WIDTH = 8, 18, 46  # printed lines at most, rows that are shown, and characters in a row
SHORT, DROPPED = "short: {count}", "dropped: {count}"


def batch_map(order: Array, *, batch_size: int, dropped: int, latest: tuple[int, int] | None) -> Figure:
    """The sample (1 ..) in each slot of each epoch (0 ..): order (epochs, samples), 0 for an empty slot.

    Vertical lines separate the batches; a short batch and the dropped slots are marked. `latest` is (epoch, batch).
    """
    epochs, slots = order.shape
    numbered = epochs <= MAX_NUMBERED[0] and slots <= MAX_NUMBERED[1]
    numbers = [[int(each) or None for each in row] for row in order]
    cells = {
        "type": "heatmap", "x": list(range(1, slots + 1)), "y": list(range(epochs)), "z": numbers,
        "zmin": 1, "zmax": max(slots, 2), "xgap": 2, "ygap": 3, "showscale": False,
        "colorscale": [[0, "@series0/0.7"], [0.5, "@muted/0.18"], [1, "@series1/0.7"]],
        "text": [["" if each is None else str(each) for each in row] for row in numbers],
        "texttemplate": "%{text}" if numbered else "", "textfont": {"color": "@text", "size": 14},
        "hovertemplate": "sample %{z} in slot %{x} of epoch %{y}<extra></extra>", "hoverongaps": False,
    }  # fmt: skip
    used, short = slots - dropped, (slots - dropped) % batch_size
    edges = [0, *range(batch_size, used, batch_size), used]
    shapes, notes = [_separator(edge + 0.5, epochs) for edge in edges], []
    if short:
        shapes.append(_box(used - short + 0.5, used + 0.5, -0.5, epochs - 0.5, "@negative", "dash"))
        notes.append(_note(used + 0.5 - short / 2, SHORT.format(count=short)))
    if dropped:
        shapes.append(_box(used + 0.5, slots + 0.5, -0.5, epochs - 0.5, "@dead", "dot"))
        notes.append(_note(used + 0.5 + dropped / 2, DROPPED.format(count=dropped)))
    if latest is not None:
        epoch, start = latest[0], latest[1] * batch_size
        shapes.append(
            _box(start + 0.5, min(start + batch_size, used) + 0.5, epoch - 0.5, epoch + 0.5, "@text", "solid")
        )
    x = axis(
        "Slot (blue: first samples, orange: last)",
        [0.4, slots + 0.6],
        showgrid=False,
        zeroline=False,
        **_whole(slots),
    )
    y = axis("Epoch", [epochs - 0.45, -0.55], showgrid=False, zeroline=False, tick0=0, dtick=1 if epochs <= 5 else 3)
    low = {"l": 44, "r": 8, "t": 20, "b": 42}
    frame = layout(x, y, shapes=shapes, annotations=notes, margin=low)
    return {"data": [_slots(epochs, slots), cells], "layout": frame}


def _slots(epochs: int, slots: int) -> dict[str, Any]:
    """The slots that are filled one by one, as pale cells."""
    return undrawn({
        "type": "heatmap", "x": list(range(1, slots + 1)), "y": list(range(epochs)), "z": [[1] * slots] * epochs,
        "zmin": 0, "zmax": 1, "xgap": 2, "ygap": 3, "showscale": False, "hoverinfo": "skip",
        "colorscale": [[0, "@muted/0.1"], [1, "@muted/0.1"]],
    })  # fmt: skip


def times_drawn(counts: Array, *, top: float, expected: float) -> Figure:
    """How often each sample (1 ..) has been drawn: counts (samples,). The dashed line is once per epoch."""
    samples = np.arange(1, len(counts) + 1)
    never = counts == 0
    data = [
        {"type": "bar", "name": "Drawn", "x": samples, "y": counts, "marker": {"color": "@train/0.75"},
         "hovertemplate": "sample %{x}, times drawn: %{y}<extra></extra>"},
        markers("Not yet", samples[never], np.full(int(never.sum()), top * 0.03),
                {"symbol": "x-thin-open", "size": 7, "color": "@negative"},
                "sample %{x} has not been drawn yet<extra></extra>"),
        line("Once per epoch", [0.4, len(counts) + 0.6], [expected, expected],
             {"color": "@text", "width": 1, "dash": "dash"}),
    ]  # fmt: skip
    x = axis("Sample", [0.4, len(counts) + 0.6], showgrid=False, **_whole(len(counts)))
    y = axis("Times", [0, top], dtick=1 if top <= 5 else 5)
    return {"data": data, "layout": layout(x, y, bargap=0.15, margin={"l": 40, "r": 8, "t": 10, "b": 42})}


def printed(lines: Sequence[str]) -> Figure:
    """The last lines that a script printed, in a monospace font; a long line continues in the next row."""
    rows = [row for line in lines for row in textwrap.wrap(line, WIDTH, subsequent_indent=INDENT)]
    shown = rows[-ROWS:]
    notes = [
        {"text": html.escape(line, quote=False), "x": 0, "y": 1 - (row + 0.5) / ROWS, "xref": "paper", "yref": "paper",
         "xanchor": "left", "yanchor": "middle", "showarrow": False, "align": "left",
         "font": {"family": MONO, "size": 12, "color": "@text"}}
        for row, line in enumerate(shown)
    ]  # fmt: skip
    text = "\n".join(lines[-LINES:])
    figure = layout(
        hidden_axis([0, 1]),
        hidden_axis([0, 1]),
        annotations=notes,
        showlegend=False,
        meta={"words": text, "csv": text + "\n"},
    )
    return {"data": [], "layout": figure | {"margin": {"l": 8, "r": 8, "t": 6, "b": 8}}}


def _whole(count: int) -> dict[str, Any]:
    """Ticks at a few whole numbers, from 1 on."""
    return {"tick0": 1 if count <= 12 else 0, "dtick": 1 if count <= 12 else 5 if count <= 40 else 10}


def _separator(x: float, epochs: int) -> dict[str, Any]:
    return {"type": "line", "x0": x, "x1": x, "y0": -0.5, "y1": epochs - 0.5, "line": {"color": "@muted", "width": 1.5}}


def _box(x0: float, x1: float, y0: float, y1: float, colour: str, dash: str) -> dict[str, Any]:
    return {"type": "rect", "x0": x0, "x1": x1, "y0": y0, "y1": y1, "line": {"color": colour, "width": 2, "dash": dash}}


def _note(x: float, text: str) -> dict[str, Any]:
    return {"text": text, "x": x, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False,
            "font": {"color": "@text", "size": 11}}  # fmt: skip
