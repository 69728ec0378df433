"""The figures of a race: losses, ranking, learned curves, paths on a surface and learning rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure, Maps
from playground.figures import images, strips
from playground.figures.parts import Part, hidden_axis, upright
from playground.figures.tables import undrawn, with_table
from playground.figures.theme import axis, layout, round_up
from playground.lessons.optimizers import words

Array = NDArray[Any]
COLOURS = 5
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")
OUT = "x"  # the symbol of a racer that has dropped out
MARGIN = {"l": 54, "r": 10, "t": 8, "b": 36}
MIN_LOG = 1e-8  # on a log axis
ORDINALS = ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th")
# Of the list of racers: the places of a row's parts, in rows from its middle down and in shares of the width.
NAME_AT, BAR_AT, MARKER_X, BARS_X, LOSS_X = -0.17, 0.24, 0.03, (0.09, 0.9), 0.74
MAX_HIGH = 5  # racers; with more of them a row is one line
DENSE_BARS_X, DENSE_LOSS_X = (0.38, 0.58), 0.75
MAX_TICKS = 5  # under the bars
BANDS, DEEPEST = 14, 0.55  # of the picture of a surface: the number of its colours, and the strongest one's strength
LIST_MARGIN = {"l": 2, "r": 6, "t": 20, "b": 58}  # the last has room for the axis, a button and the checksums


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


def symbol_of(pen: int) -> str:
    """The symbol of a racer's marker: filled or, for the pens after the first few, open."""
    return SYMBOLS[pen % COLOURS] + ("-open" if pen // COLOURS % 2 else "")


def log_axis(title: str, columns: Sequence[Array], *, least: float = MIN_LOG, most: float = math.inf) -> Part:
    """A logarithmic axis over the whole decades of some values, cut off at `least` and `most`."""
    values = np.concatenate([np.asarray(column, np.float64).ravel() for column in columns] or [np.ones(1)])
    values = np.clip(values[np.isfinite(values) & (values > 0)], least, most)
    lowest, highest = (float(values.min()), float(values.max())) if values.size else (0.1, 1.0)
    start, end = math.floor(math.log10(lowest)), math.ceil(math.log10(highest))
    return axis(title, [float(start), float(max(end, start + 1))], type="log", dtick=1, tickformat="~g")


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
    """Each racer's smoothed loss with a marker at its end; behind it the losses of its batches, where there are some.

    x is named by `title` and ends at `until`; `marks` are places on x with a text each. A racer whose loss has no
    value at the end has dropped out. With a `cursor` the markers stand there.
    """
    bounds = {"least": MIN_LOG, "most": 100 * peak}
    name = words.SMOOTHED_LOSS
    y = log_axis(name, [t.y for t in smooth], **bounds) if log else axis(name, [0, round_up(peak)])
    blank = np.empty(0, np.float32)
    behind = raw or [Track(track.name, track.pen, blank, blank) for track in smooth]
    faint = [_line(track, 1.0, "of a batch", faint=True) | {"name": f"{track.name}, batches"} for track in behind]
    lines = [_line(track, 2.4, title.lower()) | {"showlegend": False} for track in smooth]
    heads = [_head(track, cursor, size=11) for track in smooth]
    floor = 10 ** y["range"][0] if log else 0.0
    events = {
        "type": "scatter", "mode": "markers", "name": "Marks", "showlegend": False, "cliponaxis": False,
        "x": np.array([x for x, _ in marks], np.float32), "y": np.full(len(marks), floor, np.float32),
        "text": [text for _, text in marks], "hovertemplate": "%{text}<extra></extra>",
        "marker": {"symbol": "triangle-up", "size": 10, "color": "@mark"},
    }  # fmt: skip
    shapes = [] if cursor is None else [upright(cursor, "@text", "solid")]
    frame = layout(axis(title, [0, until]), y, shapes=shapes, margin=MARGIN)
    return {"data": [*faint, *lines, *heads, undrawn(events), *map(_key, smooth)], "layout": frame}


def _head(track: Track, cursor: float | None, *, size: float) -> dict[str, Any]:
    """The marker at the end of a racer's line, or where it was at the cursor."""
    known = np.isfinite(track.y) & np.isfinite(track.x)
    at = np.flatnonzero(known if cursor is None else known & (track.x <= cursor))[-1:]
    has_left = len(at) > 0 and cursor is None and not known[-1]
    x, y = (np.asarray(values[at] if len(at) else [np.nan], np.float32) for values in (track.x, track.y))
    marker = {"symbol": OUT if has_left else symbol_of(track.pen), "size": size, "color": pen_style(track.pen)["color"]}
    return undrawn(
        {"type": "scatter", "mode": "markers", "name": track.name, "x": x, "y": y, "showlegend": False,
         "cliponaxis": False, "marker": marker, "hoverinfo": "skip"}
    )  # fmt: skip


def _key(track: Track) -> dict[str, Any]:
    """A racer's entry in the legend: the dash and the symbol of its line; nothing is drawn."""
    style = pen_style(track.pen)
    return undrawn(
        {"type": "scatter", "mode": "lines+markers", "name": track.name, "x": [None], "y": [None],
         "line": style | {"width": 2.4}, "marker": {"symbol": symbol_of(track.pen), "color": style["color"], "size": 9},
         "hoverinfo": "skip"}
    )  # fmt: skip


def leaders(steps: Array, loss: Array, *, peak: float, until: float, marks: Sequence[tuple[int, str]]) -> Figure:
    """The loss of the leader at each step, as the strip along which one looks back."""
    lines = [(words.LEADERS_LOSS, "@train", loss)]
    return strips.losses(steps, lines, peak=peak, until=until, marks=marks, log=True, title=words.SMOOTHED_LOSS,
                         numbers={"loss": words.LEADERS_LOSS})  # fmt: skip


def lowest(steps: Array, height: Array, *, peak: float, until: float) -> Figure:
    """The height of the lowest racer on a surface at each step, as the strip along which one looks back."""
    lines = [(words.LOWEST_HEIGHT, "@train", height)]
    figure = strips.losses(steps, lines, peak=peak, until=until, log=True, title=words.HEIGHT,
                           numbers={"height": words.LOWEST_HEIGHT})  # fmt: skip
    figure["layout"]["meta"]["strip"]["title"] = words.LOWEST_HEIGHT  # in place of the chart's own
    return figure


def over_steps(tracks: Sequence[Track], *, title: str, until: float, cursor: float | None = None) -> Figure:
    """A positive number of each racer over steps, on a log axis."""
    frame = layout(
        axis("Step", [0, until]), log_axis(title, [t.y for t in tracks]), margin=MARGIN,
        shapes=[] if cursor is None else [upright(cursor, "@text", "solid")],
    )  # fmt: skip
    return {"data": [_line(track, 1.8, "at step") for track in tracks], "layout": frame}


def rates(past: Sequence[Track], plan: Sequence[Track], *, until: float, now: float) -> Figure:
    """The learning rates so far, and the plan for the steps to come; a line may represent several racers."""
    tops = [float(np.nanmax(t.y, initial=0.0)) for t in (*past, *plan)]
    top, low = max(tops, default=1.0), min((value for value in tops if value > 0), default=1.0)
    wide = top > 20 * low  # on a linear axis the smallest would lie at 0
    y = (
        log_axis("Learning rate", [t.y for t in (*past, *plan)])
        if wide
        else axis("Learning rate", [0, round_up(1.2 * top)])
    )
    planned = [
        _line(track, 1.4, "planned at step", faint=True) | {"name": f"{track.name}, planned", "showlegend": False}
        for track in plan
    ]
    here = {
        "type": "scatter", "mode": "lines", "name": "Now", "showlegend": False, "hoverinfo": "skip",
        "x": np.array([now, now], np.float32), "y": np.array([low / 1e4, 10 * top], np.float32),
        "line": {"color": "@text", "width": 1, "dash": "dot"},
    }  # fmt: skip
    frame = layout(axis("Step", [0, until]), y, margin=MARGIN)
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
    standings: Sequence[Standing],
    *,
    ranked: bool,
    span: tuple[float, float],
    badge: str,
    fair: bool,
    turns: dict[str, Any] | None = None,
    title: str = words.LOSS_ON_ALL,
) -> Figure:
    """A list of the racers, always in the same rows: marker, name, loss, place, and the loss as a bar.

    `title` says what the losses are. The bars lie between the decades of `span`. `ranked` says whether places are
    written; `turns` is what the list's buttons turn, and goes into the figure as it is.
    """
    start, end = math.floor(math.log10(span[0])), math.ceil(math.log10(span[1]))
    end = max(end, start + 1)
    count = len(standings)
    rows = np.arange(count, dtype=np.float32)
    is_dense = count > MAX_HIGH
    name_at, bar_at = (0.0, 0.0) if is_dense else (NAME_AT, BAR_AT)
    bars_x, loss_x = (DENSE_BARS_X, DENSE_LOSS_X) if is_dense else (BARS_X, LOSS_X)
    shown = [min(max(each.loss, 10.0**start), 10.0**end) if each.place else math.nan for each in standings]
    ends = np.array([10.0**start, 10.0**end, math.nan] * count)
    tracks = {
        "type": "scatter", "mode": "lines", "name": "Tracks", "showlegend": False, "hoverinfo": "skip", "x": ends,
        "y": np.repeat(rows + bar_at, 3).astype(np.float32), "line": {"color": "@grid", "width": 7},
    }  # fmt: skip
    bars = [
        {"type": "scatter", "mode": "lines", "name": each.name, "showlegend": False,
         "x": np.array([10.0**start, loss], np.float64), "y": np.array([row, row], np.float32) + np.float32(bar_at),
         "line": pen_style(each.pen) | {"width": 7, "dash": "solid"},  # a dashed bar looks broken
         "hovertemplate": f"%{{x:.5g}}<br>{each.more}<extra>{each.name}</extra>"}
        for row, loss, each in zip(rows, shown, standings, strict=True)
    ]  # fmt: skip
    signs = {
        "type": "scatter", "mode": "markers", "name": "Signs", "showlegend": False, "hoverinfo": "skip", "xaxis": "x2",
        "x": np.full(count, MARKER_X, np.float32), "y": rows,
        "marker": {"symbol": [symbol_of(each.pen) if each.place else OUT for each in standings], "size": 13,
                   "color": [pen_style(each.pen)["color"] for each in standings]},
    }  # fmt: skip
    most = 2 if is_dense else MAX_TICKS
    ticks = list(range(start, end + 1, -(-(end - start) // (most - 1))))
    x = axis("", [start, end], type="log", tickangle=0, tickvals=[10.0**tick for tick in ticks], fixedrange=True,
             ticktext=[f"{10.0**tick:g}" for tick in ticks], domain=list(bars_x),
             showgrid=False, showline=False)  # fmt: skip
    y = axis("", [count - 0.5, -0.5], showgrid=False, zeroline=False, showline=False, fixedrange=True,
             showticklabels=False, tickvals=rows.tolist(), ticktext=[each.name for each in standings])  # fmt: skip
    whole = hidden_axis([0, 1]) | {"domain": [0, 1], "anchor": "y"}
    notes = [_cell(title, loss_x, 1.0, "right", "@muted", 11) | {"yref": "paper", "yanchor": "bottom"}]
    for row, each in enumerate(standings):
        at, loss = row + name_at, f"{each.loss:.4g}" if each.place else words.NO_LOSS
        running = ORDINALS[each.place - 1] if ranked and each.place else words.NO_PLACE
        place = running if each.place else words.DROPPED_OUT
        notes += [
            _cell(each.name, BARS_X[0], at, "left", "@text", 14),
            _cell(loss, loss_x, at, "right", "@text", 13),
            _cell(place, BARS_X[1], at, "right", "@muted", 13),
        ]
    sign = {"text": f" <br>{badge}", "x": 1.0, "y": 0.0, "xref": "paper", "yref": "paper", "xanchor": "right",
            "yanchor": "top", "yshift": -6, "showarrow": False, "align": "right",
            "font": {"color": "@gradient" if fair else "@negative", "size": 11}}  # fmt: skip
    frame = layout(x, y, xaxis2=whole, annotations=[sign, *notes], margin=LIST_MARGIN, meta={"racers": turns})
    return with_table(
        {"data": [tracks, *bars, signs], "layout": frame},
        {
            words.PLACE: [each.place if ranked and each.place else math.nan for each in standings],
            words.RACER: [each.name for each in standings],
            title: np.array([each.loss if each.place else math.nan for each in standings]),
        },
    )


def _cell(text: str, x: float, y: float, anchor: str, colour: str, size: float) -> dict[str, Any]:
    """A text of the list of racers, at a share of its width and a row."""
    return {"text": text, "x": x, "y": float(y), "xref": "paper", "yref": "y", "xanchor": anchor, "align": anchor,
            "yanchor": "middle", "showarrow": False, "font": {"color": colour, "size": size}}  # fmt: skip


def points(x: Array, y: Array) -> Part:
    """The data behind the fits: one trace that stays the same from frame to frame."""
    return {
        "type": "scatter", "mode": "markers", "name": "Data", "showlegend": False, "x": x, "y": y,
        "marker": {"color": "@muted", "symbol": "circle", "size": 4, "opacity": 0.45}, "hoverinfo": "skip",
    }  # fmt: skip


def fits(data: Part, curves: Sequence[Track], *, spans: tuple[list[float], list[float]]) -> Figure:
    """Each racer's curve over the data."""
    lines = [_line(track, 2.2, "x") for track in curves]
    frame = layout(axis("x", spans[0]), axis("y", spans[1]), margin=MARGIN | {"l": 46})
    return {"data": [data, *lines], "layout": frame}


def hills(x: Array, y: Array, heights: Array) -> Maps:
    """A surface as a picture that stays the same from frame to frame: the lower, the bluer, in bands.

    `heights` from 0 to 1, of shape (y, x), rows from the bottom.
    """
    depth = np.floor((1 - np.clip(heights, 0, 1)) * BANDS) / BANDS
    pixels = images.signed(DEEPEST * depth[::-1], 1.0)
    box = np.array([x[0], x[-1], y[0], y[-1]], np.float32)
    return {"side": len(x), "tall": len(y), "values": pixels.ravel(), "boxes": box, "lut": images.SIGNED,
            "over": False, "crisp": False}  # fmt: skip


def paths(surface: Maps, tracks: Sequence[Track], *, spans: tuple[list[float], list[float]], minima: Array) -> Figure:
    """Each racer's path on a surface, with its marker at its current place; minima of shape (minima, 2)."""
    goals = {
        "type": "scatter", "mode": "markers", "name": words.MINIMUM, "x": minima[:, 0], "y": minima[:, 1],
        "marker": {"symbol": "star-open", "size": 13, "color": "@text"},
        "hovertemplate": "a minimum (%{x:.3g}, %{y:.3g})<extra></extra>",
    }  # fmt: skip
    lines = [_line(track, 2.4, "x") | {"showlegend": False} for track in tracks]
    heads = [_head(track, None, size=12) for track in tracks]
    x, y = (axis("", span, showgrid=False, zeroline=False, showticklabels=False) for span in spans)
    frame = layout(x, y, margin={"l": 0, "r": 0, "t": 0, "b": 0})
    figure: Figure = {"data": [goals, *lines, *heads, *map(_key, tracks)], "layout": frame, "maps": [surface]}
    return figure


def _line(track: Track, width: float, at: str, *, faint: bool = False) -> dict[str, Any]:
    style = pen_style(track.pen)
    if faint:
        style = {"color": f"{style['color']}/0.4", "dash": "solid"}
    return {"type": "scatter", "mode": "lines", "name": track.name, "x": track.x, "y": track.y, "connectgaps": False,
            "showlegend": not faint, "line": style | {"width": width}, "hoverinfo": "skip" if faint else "all",
            "hovertemplate": f"{track.name} %{{y:.4g}}, {at} %{{x:.4g}}<extra></extra>"}  # fmt: skip
