"""The figures of a race: losses, ranking, learned curves, paths on a surface and learning rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.parts import Part, upright
from playground.figures.tables import undrawn, with_table
from playground.figures.theme import axis, layout, round_up
from playground.lessons.optimizers import words

Array = NDArray[Any]
COLOURS = 5
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
PLAIN = {"l": 58, "r": 12, "t": 10, "b": 42}  # margins without a legend: the loss and the ranking name the lines
MIN_LOG = 1e-8  # on a log axis
LETTER, SAMPLE, LEGEND_WIDTH = 6.5, 44.0, 230.0  # pixels: of a letter, of a line's sample, of a legend's row
ORDINALS = ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th")


@dataclass(frozen=True)
class Track:
    """One racer's line: its name, the number of its pen, and its values over x."""

    name: str
    pen: int
    x: Array
    y: Array


def pen_style(pen: int) -> dict[str, Any]:
    """The colour and dash of a racer's lines; no two pens below 25 share both."""
    dash = DASHES[(pen % COLOURS + pen // COLOURS) % len(DASHES)]
    return {"color": f"@series{pen % COLOURS}", "dash": dash}


def legend_margin(names: Sequence[str]) -> dict[str, int]:
    """Margins with room above the plot for a legend of these names."""
    rows = math.ceil(sum(SAMPLE + LETTER * len(name) for name in names) / LEGEND_WIDTH)
    return {"l": 58, "r": 12, "t": 26 + 18 * max(0, rows - 1), "b": 42}


def log_axis(title: str, columns: Sequence[Array], *, least: float = MIN_LOG, most: float = math.inf) -> Part:
    """A logarithmic axis over the whole decades of some values, cut off at `least` and `most`."""
    values = np.concatenate([np.asarray(column, np.float64).ravel() for column in columns] or [np.ones(1)])
    values = np.clip(values[np.isfinite(values) & (values > 0)], least, most)
    lowest, highest = (float(values.min()), float(values.max())) if values.size else (0.1, 1.0)
    start, end = math.floor(math.log10(lowest)), math.ceil(math.log10(highest))
    return axis(title, [float(start), float(max(end, start + 1))], type="log", dtick=1, exponentformat="e")


def losses(
    smooth: Sequence[Track],
    raw: Sequence[Track],
    *,
    title: str,
    until: float,
    peak: float,
    log: bool,
    marks: Sequence[tuple[float, str]] = (),
    cursor: float | None = None,
) -> Figure:
    """Each racer's smoothed loss, and the losses of its batches behind it where they are given.

    x is named by `title` and ends at `until`; `marks` are places on x with a text each.
    """
    bounds = {"least": MIN_LOG, "most": 100 * peak}
    name = words.SMOOTHED_LOSS
    y = log_axis(name, [t.y for t in smooth], **bounds) if log else axis(name, [0, round_up(peak)])
    blank = np.empty(0, np.float32)
    behind = raw or [Track(track.name, track.pen, blank, blank) for track in smooth]
    faint = [_line(track, 1.0, "of a batch", faint=True) | {"name": f"{track.name}, batches"} for track in behind]
    lines = [_line(track, 2.2, title.lower()) for track in smooth]
    floor = 10 ** y["range"][0] if log else 0.0
    events = {
        "type": "scatter", "mode": "markers", "name": "Marks", "showlegend": False, "cliponaxis": False,
        "x": np.array([x for x, _ in marks], np.float32), "y": np.full(len(marks), floor, np.float32),
        "text": [text for _, text in marks], "hovertemplate": "%{text}<extra></extra>",
        "marker": {"symbol": "triangle-up", "size": 10, "color": "@mark"},
    }  # fmt: skip
    shapes = [] if cursor is None else [upright(cursor, "@text", "solid")]
    frame = layout(axis(title, [0, until]), y, shapes=shapes, margin=legend_margin([t.name for t in smooth]))
    return {"data": [*faint, *lines, undrawn(events)], "layout": frame}


def over_steps(tracks: Sequence[Track], *, title: str, until: float, cursor: float | None = None) -> Figure:
    """A positive number of each racer over steps, on a log axis."""
    frame = layout(
        axis("Step", [0, until]), log_axis(title, [t.y for t in tracks]), showlegend=False, margin=PLAIN,
        shapes=[] if cursor is None else [upright(cursor, "@text", "solid")],
    )  # fmt: skip
    return {"data": [_line(track, 1.8, "at step") for track in tracks], "layout": frame}


def rates(past: Sequence[Track], plan: Sequence[Track], *, until: float, now: float) -> Figure:
    """The learning rates so far, and the plan for the steps to come; a line may represent several racers."""
    tops = [float(np.nanmax(t.y, initial=0.0)) for t in (*past, *plan)]
    top, low = max(tops, default=1.0), min((value for value in tops if value > 0), default=1.0)
    wide = top > 20 * low  # on a linear axis the smallest would lie at 0
    y = log_axis("Learning rate", [t.y for t in (*past, *plan)]) if wide else axis("Learning rate", [0, round_up(top)])
    planned = [
        _line(track, 1.4, "planned at step", faint=True) | {"name": f"{track.name}, planned", "showlegend": False}
        for track in plan
    ]
    here = {
        "type": "scatter", "mode": "lines", "name": "Now", "showlegend": False, "hoverinfo": "skip",
        "x": np.array([now, now], np.float32), "y": np.array([low / 1e4, 10 * top], np.float32),
        "line": {"color": "@text", "width": 1, "dash": "dot"},
    }  # fmt: skip
    margin = legend_margin([t.name for t in past])
    frame = layout(axis("Step", [0, until]), y, margin=margin, showlegend=True)
    return {"data": [*planned, *(_line(track, 2.4, "at step") for track in past), undrawn(here)], "layout": frame}


@dataclass(frozen=True)
class Standing:
    """A racer's place, from 1, or 0 if it has dropped out; its loss; and a text for its bar."""

    name: str
    pen: int
    place: int
    loss: float
    more: str


def ranking(
    standings: Sequence[Standing], *, ranked: bool, span: tuple[float, float], badge: str, fair: bool
) -> Figure:
    """A bar for each racer, always in the same row; its length is the loss, between the decades of `span`.

    `ranked` says whether places are written beside the bars.
    """
    start, end = math.floor(math.log10(span[0])), math.ceil(math.log10(span[1]))
    end = max(end, start + 1)
    right = end + 0.2 * (end - start)  # room for the places
    rows = np.arange(len(standings), dtype=np.float32)
    shown = [min(max(each.loss, 10.0**start), 10.0**end) if each.place else math.nan for each in standings]
    bars = [
        {"type": "scatter", "mode": "lines", "name": each.name, "showlegend": False,
         "x": np.array([10.0**start, loss], np.float64), "y": np.array([row, row], np.float32),
         "line": pen_style(each.pen) | {"width": 7, "dash": "solid"},  # a dashed bar looks broken
         "hovertemplate": f"%{{x:.5g}}<br>{each.more}<extra>{each.name}</extra>"}
        for row, loss, each in zip(rows, shown, standings, strict=True)
    ]  # fmt: skip
    named = [ORDINALS[each.place - 1] if each.place else words.DROPPED_OUT for each in standings]  # they rarely change
    texts = named if ranked else [""] * len(named)
    places = {
        "type": "scatter", "mode": "text", "name": "Places", "showlegend": False, "y": rows,
        "x": np.full(len(rows), 10.0**right), "text": texts, "textposition": "middle left",
        "textfont": {"color": "@text", "size": 13}, "hoverinfo": "skip",
    }  # fmt: skip
    ticks = list(range(start, end + 1))
    x = axis(words.LOSS_ON_ALL, [start, right], type="log", tickvals=[10.0**tick for tick in ticks],
             ticktext=[f"{10.0**tick:g}" for tick in ticks])  # fmt: skip
    y = axis("", [len(standings) - 0.4, -0.6], tickvals=rows.tolist(), ticktext=[each.name for each in standings],
             showgrid=False, zeroline=False, fixedrange=True)  # fmt: skip
    widest = max(len(each.name) for each in standings)
    sign = {"text": badge, "x": 0.0, "y": 1.0, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom",
            "xshift": -LETTER * widest - 14, "showarrow": False, "align": "left",
            "font": {"color": "@gradient" if fair else "@negative", "size": 12}}  # fmt: skip
    margin = {"l": round(24 + LETTER * widest), "r": 12, "t": 44, "b": 42}
    figure: Figure = {"data": [*bars, places], "layout": layout(x, y, annotations=[sign], margin=margin)}
    return with_table(
        figure,
        {
            words.PLACE: [each.place if ranked and each.place else math.nan for each in standings],
            words.RACER: [each.name for each in standings],
            words.LOSS_ON_ALL: np.array([each.loss if each.place else math.nan for each in standings]),
        },
    )


def points(x: Array, y: Array) -> Part:
    """The data behind the fits: one trace that stays the same from frame to frame."""
    return {
        "type": "scatter", "mode": "markers", "name": "Data", "showlegend": False, "x": x, "y": y,
        "marker": {"color": "@muted", "symbol": "circle", "size": 4, "opacity": 0.45}, "hoverinfo": "skip",
    }  # fmt: skip


def fits(data: Part, curves: Sequence[Track], *, spans: tuple[list[float], list[float]]) -> Figure:
    """Each racer's curve over the data."""
    lines = [_line(track, 2.2, "x") for track in curves]
    frame = layout(axis("x", spans[0]), axis("y", spans[1]), showlegend=False, margin=PLAIN)
    return {"data": [data, *lines], "layout": frame}


def contours(x: Array, y: Array, z: Array) -> Part:
    """The contours of a surface, z of shape (y, x): one trace that stays the same from frame to frame."""
    return undrawn({
        "type": "contour", "name": "Heights", "x": x.astype(np.float32), "y": y.astype(np.float32),
        "z": list(z.astype(np.float32)), "ncontours": 12, "contours": {"coloring": "lines"}, "showscale": False,
        "colorscale": [[0, "@dead"], [1, "@grid"]], "line": {"width": 1}, "hoverinfo": "skip", "showlegend": False,
    })  # fmt: skip


def paths(surface: Part, tracks: Sequence[Track], *, spans: tuple[list[float], list[float]], minima: Array) -> Figure:
    """Each racer's path on a surface, with a cross at its current place; minima of shape (minima, 2)."""
    size = [(span[1] - span[0]) / 60 for span in spans]
    crosses = []
    for track in tracks:
        here = (float(track.x[-1]), float(track.y[-1])) if len(track.x) else (math.nan, math.nan)
        cross = Track(
            track.name,
            track.pen,
            np.array([here[0] - size[0], here[0] + size[0], math.nan, here[0], here[0]], np.float32),
            np.array([here[1], here[1], math.nan, here[1] - size[1], here[1] + size[1]], np.float32),
        )
        line = _line(cross, 4.0, "now at x =")
        crosses.append(
            undrawn(
                line | {"name": f"{track.name}, now", "showlegend": False, "line": line["line"] | {"dash": "solid"}}
            )
        )
    goals = {
        "type": "scatter", "mode": "markers", "name": "Minimum", "showlegend": False, "x": minima[:, 0],
        "y": minima[:, 1], "marker": {"symbol": "star-open", "size": 11, "color": "@text"},
        "hovertemplate": "a minimum (%{x:.3g}, %{y:.3g})<extra></extra>",
    }  # fmt: skip
    lines = [_line(track, 2.0, "x") for track in tracks]
    x, y = (axis(name, span, showgrid=False, zeroline=False) for name, span in zip("xy", spans, strict=True))
    frame = layout(x, y, showlegend=False, margin=PLAIN)
    return {"data": [surface, goals, *lines, *crosses], "layout": frame}


def _line(track: Track, width: float, at: str, *, faint: bool = False) -> dict[str, Any]:
    style = pen_style(track.pen)
    if faint:
        style = {"color": f"{style['color']}/0.4", "dash": "solid"}
    return {"type": "scatter", "mode": "lines", "name": track.name, "x": track.x, "y": track.y, "connectgaps": False,
            "showlegend": not faint, "line": style | {"width": width}, "hoverinfo": "skip" if faint else "all",
            "hovertemplate": f"{track.name} %{{y:.4g}}, {at} %{{x:.4g}}<extra></extra>"}  # fmt: skip
