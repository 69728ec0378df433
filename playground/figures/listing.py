"""Code with what stands beside each line: the line that ran last is marked, the others wait or are done."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from playground.engine.frames import Figure
from playground.figures.parts import hidden_axis
from playground.figures.theme import layout

MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace"
MARGIN = {"l": 8, "r": 8, "t": 6, "b": 6}
SIGNS = {"active": "▶", "raised": "✗", "left_out": " ", "done": " ", "waiting": " "}
SAID = "{sign} {code} {facts}"


State = Literal["active", "raised", "done", "waiting", "left_out"]


@dataclass(frozen=True)
class CodeLine:
    """A line of code, and rows of cells beside it; `state` says what has become of it."""

    code: str
    rows: tuple[tuple[str, ...], ...] = ((),)
    state: State = "waiting"


def listing(lines: Sequence[CodeLine], columns: Sequence[float], headings: Sequence[str], *, words: str = "") -> Figure:
    """The code in the first column, and the cells of each line at the `columns` (0 to 1) beside it."""
    count = 1 + sum(max(len(line.rows), 1) for line in lines)
    notes, shapes, row = [_cell(text, x, 0, count, "@muted") for text, x in zip(headings, columns, strict=True)], [], 1
    for line in lines:
        high = max(len(line.rows), 1)
        if line.state in ("active", "raised"):
            shapes.append(_band(row, high, count, "@negative" if line.state == "raised" else "@mark"))
        colour = "@muted" if line.state in ("waiting", "left_out") else "@text"
        notes.append(_cell(f"{SIGNS[line.state]} {line.code}", 0.0, row, count, colour))
        for at, cells in enumerate(line.rows):
            notes += [_cell(text, x, row + at, count, "@text") for text, x in zip(cells, columns, strict=False) if text]
        row += high
    return {
        "data": [],
        "layout": layout(
            hidden_axis([0.0, 1.0]), hidden_axis([0.0, 1.0]), margin=MARGIN, showlegend=False, dragmode=False,
            annotations=notes, shapes=shapes, meta={"words": words, "csv": as_csv(lines, headings)},
        ),
    }  # fmt: skip


def as_csv(lines: Sequence[CodeLine], headings: Sequence[str]) -> str:
    """The lines as CSV: the code, then its cells."""
    rows = [("code", *(heading or "tensor" for heading in headings))]
    rows += [(line.code, *cells) for line in lines for cells in line.rows]
    return "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)


def _cell(text: str, x: float, row: int, count: int, colour: str) -> dict[str, Any]:
    plain = html.escape(text, quote=False).replace(" ", "\u00a0")
    return {
        "text": plain, "x": x, "y": 1 - (row + 0.5) / count, "xref": "paper", "yref": "paper", "xanchor": "left",
        "yanchor": "middle", "showarrow": False, "align": "left",
        "font": {"family": MONO, "size": 12, "color": colour},
    }  # fmt: skip


def _band(row: int, high: int, count: int, colour: str) -> dict[str, Any]:
    return {
        "type": "rect", "xref": "paper", "yref": "paper", "layer": "below", "x0": -0.01, "x1": 1.01,
        "y0": 1 - row / count, "y1": 1 - (row + high) / count, "fillcolor": f"{colour}/0.14", "line": {"width": 0},
    }  # fmt: skip
