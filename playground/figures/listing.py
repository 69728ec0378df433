"""Code with a table beside it: what each line has made. The line that ran last is marked."""

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
SIZE, CHARACTER, ROW = 15, 9.1, 23.0  # pixels: of the type, the width of a character and the height of a row
BELOW = 8 * " "  # before a short line below its code
SIGNS = {"active": "▶ ", "raised": "✗ "}  # before a line of code
NO_SIGN = "  "
GAP = 2  # characters between code and table, at least
State = Literal["plain", "waiting", "left_out", "done", "active", "raised"]


@dataclass(frozen=True)
class CodeLine:
    """A line of code, or several that run as one, with the rows of the table beside it.

    A row has as many cells as the table has columns, or one cell alone, which may be as wide as the table. `below` says
    the same in short lines, which stand below the code where the place is narrow. A `plain` line is part of the code,
    but is never the current one.
    """

    code: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = ()
    below: tuple[str, ...] = ()
    state: State = "waiting"


def listing(
    lines: Sequence[CodeLine],
    headings: Sequence[str],
    widths: Sequence[int],
    *,
    code_width: int,
    min_rows: int = 0,
    words: str = "",
) -> Figure:
    """The code with its table at the right; `others` has the form for narrow places, with short lines below the code.

    `widths` are those of the columns in characters, `code_width` the least of the code. With fewer than `min_rows` rows
    it does not fill the height of its place.
    """
    figure = _beside(lines, headings, widths, code_width, min_rows, words)
    figure["others"] = [_below(lines, headings, min_rows, words)]
    return figure


def _beside(
    lines: Sequence[CodeLine],
    headings: Sequence[str],
    widths: Sequence[int],
    code_width: int,
    min_rows: int,
    words: str,
) -> Figure:
    longest = max((len(text) for line in lines for text in line.code), default=0)
    code_width = max(code_width, len(NO_SIGN) + longest + GAP)
    total = code_width + sum(widths)
    starts = [(code_width + sum(widths[:at])) / total for at in range(len(widths))]
    count = max(1 + sum(_height(line) for line in lines), min_rows)
    notes = [_note(text, x, 0, count, "@muted") for text, x in zip(headings, starts, strict=True)]
    shapes, row = [], 1
    for line in lines:
        shapes += _mark(line, row, _height(line), count)
        notes += _code(line, row, count)
        for at, cells in enumerate(line.rows):
            notes += [_note(text, x, row + at, count, "@text") for text, x in zip(cells, starts, strict=False)]
        row += _height(line)
    size = (total * CHARACTER, count * ROW)
    return _figure(notes, shapes, lines, headings, words, size)


def _below(lines: Sequence[CodeLine], headings: Sequence[str], min_rows: int, words: str) -> Figure:
    """The short lines of each line below its code."""
    count = max(sum(len(line.code) + len(line.below) for line in lines), min_rows)
    notes, shapes, row, longest = [], [], 0, 0
    for line in lines:
        high = len(line.code) + len(line.below)
        shapes += _mark(line, row, high, count)
        notes += _code(line, row, count)
        texts = [BELOW + text for text in line.below]
        notes += [_note(text, 0.0, row + len(line.code) + at, count, "@text") for at, text in enumerate(texts)]
        longest = max(longest, *(len(text) for text in (*texts, *line.code)))
        row += high
    return _figure(notes, shapes, lines, headings, words, ((longest + len(NO_SIGN)) * CHARACTER, count * ROW))


def _figure(
    notes: list[dict[str, Any]], shapes: list[dict[str, Any]], lines: Sequence[CodeLine], headings: Sequence[str],
    words: str, size: tuple[float, float],
) -> Figure:  # fmt: skip
    return {
        "data": [],
        "layout": layout(
            hidden_axis([0.0, 1.0]), hidden_axis([0.0, 1.0]), margin=MARGIN, showlegend=False, dragmode=False,
            annotations=notes, shapes=shapes,
            meta={"words": words, "csv": as_csv(lines, headings), "made_for": [round(side) for side in size]},
        ),
    }  # fmt: skip


def as_csv(lines: Sequence[CodeLine], headings: Sequence[str]) -> str:
    """The lines as CSV: the code, then the cells of its rows."""
    rows = [("code", *headings)]
    for line in lines:
        rows += [(" ".join(part.strip() for part in line.code), *cells) for cells in line.rows or ((),)]
    return "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)


def _height(line: CodeLine) -> int:
    return max(len(line.rows), len(line.code))


def _code(line: CodeLine, row: int, count: int) -> list[dict[str, Any]]:
    colour, is_bold = "@muted" if line.state in ("waiting", "left_out", "plain") else "@text", line.state != "plain"
    signs = [SIGNS.get(line.state, NO_SIGN), *[NO_SIGN] * (len(line.code) - 1)]
    return [
        _note(sign + text, 0.0, row + at, count, colour, is_bold=is_bold)
        for at, (sign, text) in enumerate(zip(signs, line.code, strict=True))
    ]


def _mark(line: CodeLine, row: int, high: int, count: int) -> list[dict[str, Any]]:
    """The band behind the current line."""
    if line.state not in SIGNS:
        return []
    colour = "@negative" if line.state == "raised" else "@mark"
    return [{
        "type": "rect", "xref": "paper", "yref": "paper", "layer": "below", "x0": -0.01, "x1": 1.01,
        "y0": 1 - row / count, "y1": 1 - (row + high) / count, "fillcolor": f"{colour}/0.14", "line": {"width": 0},
    }]  # fmt: skip


def _note(text: str, x: float, row: float, count: int, colour: str, *, is_bold: bool = False) -> dict[str, Any]:
    plain = html.escape(text, quote=False).replace(" ", "\u00a0")
    return {
        "text": plain or "\u00a0", "x": x, "y": 1 - (row + 0.5) / count, "xref": "paper", "yref": "paper",
        "xanchor": "left", "yanchor": "middle", "showarrow": False, "align": "left",
        "font": {"family": MONO, "size": SIZE, "color": colour, "weight": 600 if is_bold else 400},
    }  # fmt: skip
