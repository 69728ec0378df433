"""Inside a classifier: its points as a layer sees them, its doubts, and its promises against its deeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.figures import fields, images
from playground.figures.theme import axis, beside_rows, layout

Array = NDArray[Any]
THICK = 0.36  # half of a bar, in rows
PALE, FULL = 15, 45  # how certain the colour of a bar looks, of fields.LEVELS


def inside(
    points: Sequence[dict[str, Any]],
    grid: Array,
    pixels: Array,
    *,
    titles: tuple[str, str],
    spans: tuple[list[float], list[float]],
    side: int,
    rows: Sequence[str] = (),
) -> dict[str, Any]:
    """Traces of points over the plane's grid (places, 2), its lines broken by NaN, on a map (side * side,) of classes.

    `rows` names whole numbers on the upright axis, where that is no quantity.
    """
    bent = {
        "type": "scatter", "mode": "lines", "name": "Grid of the plane", "x": grid[:, 0], "y": grid[:, 1],
        "hoverinfo": "skip", "line": {"color": "@text/0.22", "width": 1},
    }  # fmt: skip
    named = {"tickvals": list(range(len(rows))), "ticktext": list(rows)} if rows else {"tickvals": None}
    x, y = axis(titles[0], spans[0], showgrid=False), axis(titles[1], spans[1], showgrid=False, **named)
    return {
        "data": [bent, *points],
        "layout": layout(x, y, margin={"l": 50, "r": 10, "t": 8, "b": 40}, showlegend=False),
        "maps": {"side": side, "values": pixels, "lut": "classes", "over": False,
                 "boxes": np.array([*spans[0], *spans[1]], np.float32)},
    }  # fmt: skip


def doubtful(
    x: Array, labels: Array, guesses: Array, shares: Array, *, rows: int, name: str = "Doubtful"
) -> dict[str, Any]:
    """A bar for each point x (points, 2), the first on top: the share of probability its true class got.

    A point taken for another class has a paler bar in a dashed frame, and says for which. There is room for `rows`.
    """
    wrong = guesses != labels
    shares, row = np.nan_to_num(shares), np.arange(len(x), dtype=np.float32)
    said = [
        f"{100 * share:.0f} %, taken for {guess}" if is_wrong else f"{100 * share:.0f} %"
        for share, guess, is_wrong in zip(shares, guesses, wrong, strict=True)
    ]
    names, full = (
        [
            f"({a:.{digits}f}, {b:.{digits}f}) class {label}".replace("-", "−")
            for (a, b), label in zip(x, labels, strict=True)
        ]
        for digits in (1, 2)
    )
    points = {
        "type": "scatter", "mode": "markers", "name": name, "x": shares.astype(np.float32), "y": row,
        "marker": {"size": 18, "opacity": 0, "color": "@text"},  # what one points at
        "hovertext": [f"{point}: {words}" for point, words in zip(full, said, strict=True)], "hoverinfo": "text",
    }  # fmt: skip
    y = axis("", [rows - 0.5, -0.5], showgrid=False, zeroline=False, tickvals=[])
    x_axis = axis("Probability of the true class", [0, 1], tickvals=[0, 0.5, 1], ticktext=["0 %", "50 %", "100 %"])
    colours = (fields.LEVELS * labels + np.where(wrong, PALE, FULL)).astype(np.uint8)
    frames = [
        _framed("Right", shares[~wrong], row[~wrong], {"color": "@muted", "width": 1}),
        _framed("Wrong", shares[wrong], row[wrong], {"color": "@text", "width": 1.5, "dash": "dash"}),
    ]
    return {
        "data": [points, *frames],
        "layout": layout(x_axis, y, margin={"l": 130, "r": 22, "t": 8, "b": 40}, showlegend=False,
                         annotations=beside_rows(names, said), hovermode="y"),
        "maps": images.boxes(np.zeros(len(x)), shares, row - THICK, row + THICK, colours, "classes"),
    }  # fmt: skip


def _framed(name: str, shares: Array, row: Array, line: dict[str, Any]) -> dict[str, Any]:
    """Frames around bars from 0 to these shares, as one line with gaps."""
    none, gap = np.zeros(len(row)), np.full(len(row), np.nan)
    x = np.stack([none, shares, shares, none, none, gap], axis=1)
    y = np.stack([row - THICK, row - THICK, row + THICK, row + THICK, row - THICK, gap], axis=1)
    return {"type": "scatter", "mode": "lines", "name": name, "x": x.ravel().astype(np.float32), "hoverinfo": "skip",
            "y": y.ravel().astype(np.float32), "line": line}  # fmt: skip


def rings(x: Array, is_wrong: Array, *, is_shown: bool) -> dict[str, Any]:
    """A ring around each of some points (points, 2), with a cross in it where the model is wrong."""
    return {
        "type": "scatter", "mode": "markers", "name": "Doubtful", "x": x[:, 0], "y": x[:, 1], "visible": is_shown,
        "hoverinfo": "skip",
        "marker": {"symbol": ["circle-x-open" if each else "circle-open" for each in is_wrong], "size": 17,
                   "color": "@text", "line": {"width": 2}},
    }  # fmt: skip


def calibration(promised: Array, kept: Array, counts: Array, *, gap: float) -> dict[str, Any]:
    """The share of points that are right, over the probability promised, for bins of `counts` points (empty: NaN).

    `gap` is the mean distance from the diagonal, on which promises are kept exactly.
    """
    diagonal = {
        "type": "scatter", "mode": "lines", "name": "As sure as right", "x": [0, 1], "y": [0, 1], "hoverinfo": "skip",
        "line": {"color": "@muted", "width": 1.5, "dash": "dot"},
    }  # fmt: skip
    said = [f"{count} points" if count != 1 else "1 point" for count in counts]
    bins = {
        "type": "scatter", "mode": "lines+markers", "name": "Model", "x": promised, "y": kept, "connectgaps": True,
        "text": said, "line": {"color": "@model", "width": 1.5}, "cliponaxis": False,
        "marker": {"color": "@model", "opacity": 0.8, "line": {"width": 0},
                   "size": np.where(counts > 0, 5 + 15 * np.sqrt(counts / max(counts.sum(), 1)), 0)},
        "hovertemplate": "%{text}: sure to %{x:.1%}, %{y:.1%} right<extra></extra>",
    }  # fmt: skip
    note = f"Average gap {100 * gap:.1f} %" if np.isfinite(gap) else ""
    ticks = {"tickvals": [0, 0.25, 0.5, 0.75, 1], "ticktext": ["0 %", "25 %", "50 %", "75 %", "100 %"]}
    return {
        "data": [diagonal, bins],
        "layout": layout(
            axis("Probability of the chosen class", [0, 1.02], **ticks),
            axis("Share that is right", [0, 1.02], **ticks),
            margin={"l": 62, "r": 22, "t": 12, "b": 40},
            showlegend=False,
            annotations=[
                {"text": note, "x": 0.02, "y": 0.98, "xref": "paper", "yref": "paper", "xanchor": "left",
                 "yanchor": "top", "showarrow": False, "font": {"color": "@text", "size": 12}}
            ],
        ),
    }  # fmt: skip
