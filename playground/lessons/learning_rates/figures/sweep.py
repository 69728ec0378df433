"""The figures of sweeps: losses by optimizer and learning rate, rankings at a rate, and trainings over steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure, Maps
from playground.figures import images, strips
from playground.figures.parts import upright
from playground.figures.tables import undrawn
from playground.figures.theme import axis, beside_rows, layout
from playground.lessons.learning_rates.words import DIVERGED, PLACE, VALUE
from playground.lessons.narrator import DIGITS
from playground.lessons.numbers import number
from playground.lessons.ranking import places

Array = NDArray[Any]
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "star", "hexagon")
MARGIN = {"l": 76, "r": 12, "t": 10, "b": 42}
SHADES = ((0.0, 1.0), (0.3, 0.6), (0.6, 0.25), (1.0, 0.05))  # strengths of a map's colour, lowest value first
COLOURS = [[at, f"@positive/{strength}"] for at, strength in SHADES]
FILLED = (0.97, 0.93)  # the coloured share of a map's cell: width, height
TEXT_DECADES = 1.1  # room for the numbers beside a ranking
ROUNDING = 1e-9  # allowed when whole decades are counted


@dataclass(frozen=True)
class Line:
    """One line: its name, its index among all possible lines (which gives its colour), and its values."""

    name: str
    place: int
    y: Array
    low: Array | None = None  # the spread around y, if there is one
    high: Array | None = None

    @property
    def colour(self) -> str:
        """Its colour, one of five in turn."""
        return f"@series{self.place % 5}"

    @property
    def dash(self) -> str:
        """Its dash, a new one each time the colours repeat."""
        return DASHES[self.place // 5 * 2]

    @property
    def symbol(self) -> str:
        """Its marker, different from that of every other line."""
        return SYMBOLS[self.place % len(SYMBOLS)]


def heat_map(
    rates: Array, names: Sequence[str], values: Array, *, words: Sequence[str], best: Array, ranked: bool,
    span: tuple[float, float], title: str, log: bool,
) -> Figure:  # fmt: skip
    """Values (optimizers, rates) as colours, the lowest the strongest; a diverged training (NaN) is a cross.

    `words` are the hover texts, row by row; `best` is the column of each row's best, -1 for a row without one. It is
    marked if anything is `ranked` yet.
    """
    rows, columns = values.shape
    x, y = np.tile(np.log10(rates), rows), np.repeat(np.arange(rows, dtype=np.float64), columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        shown = np.log10(values) if log else values
    gone = np.isnan(values).ravel()
    has = best >= 0
    ends = [math.log10(end) for end in span] if log else list(span)
    ticks = decades(*span) if log else [span[0], sum(span) / 2, span[1]]
    bar = {
        "title": {"text": title, "side": "right", "font": {"color": "@muted"}}, "thickness": 12, "outlinewidth": 0,
        "tickvals": [math.log10(each) if log else each for each in ticks], "tickfont": {"color": "@muted"},
        "ticktext": [f"{each:g}" if log else f"{each:.0%}" for each in ticks],
    }  # fmt: skip
    ring = {"symbol": "circle-open", "size": 15, "color": "@text", "line": {"width": 2.5}}
    half = float(np.log10(rates[1] / rates[0])) / 2
    data = [
        {"type": "heatmap", "name": title, "x": x, "y": y, "z": shown.ravel(), "opacity": 0, "showscale": False,
         "text": list(words), "hovertemplate": "%{text}<extra></extra>", "hoverongaps": False,
         "showlegend": False},
        {"type": "scatter", "mode": "markers", "name": "Scale", "x": [None], "y": [None], "showlegend": False,
         "hoverinfo": "skip", "marker": {"color": [ends[0]], "cmin": ends[0], "cmax": ends[1], "colorscale": COLOURS,
                                         "showscale": True, "colorbar": bar}},
        {"type": "scatter", "mode": "markers", "name": "Diverged", "x": x[gone], "y": y[gone], "showlegend": True,
         "text": [word for word, lost in zip(words, gone, strict=True) if lost],
         "hovertemplate": "%{text}<extra></extra>",
         "marker": {"symbol": "x-thin", "size": 7, "line": {"color": "@negative", "width": 1.8}}},
        {"type": "scatter", "mode": "markers", "name": "Best rate of each", "x": np.log10(rates)[best[has]],
         "y": np.flatnonzero(has).astype(np.float64), "marker": ring, "hoverinfo": "skip", "showlegend": True,
         "visible": ranked},
    ]  # fmt: skip
    across = rate_axis(rates, room=half) | {"showgrid": False}
    down = axis("", [rows - 0.5, -0.5], tickvals=list(range(rows)), ticktext=list(names), showgrid=False,
                zeroline=False)  # fmt: skip
    frame = layout(across, down, margin=MARGIN | {"l": 84, "r": 8})
    return {"data": data, "layout": frame, "maps": _shaded(x, y, shown.ravel(), ends, half * FILLED[0])}


def _shaded(x: Array, y: Array, values: Array, ends: Sequence[float], half: float) -> Maps:
    """The cells of a map, each one pixel on the board's canvas: a new map then needs no full update of the chart."""
    height = np.clip((values - ends[0]) / ((ends[1] - ends[0]) or 1.0), 0, 1)
    strength = np.interp(height, [at for at, _ in SHADES], [share for _, share in SHADES])
    shades, up = images.signed(np.nan_to_num(strength), 1.0), FILLED[1] / 2
    return images.boxes(x - half, x + half, y - up, y + up, shades, images.SIGNED)


def ranking(lines: Sequence[Line], *, at: Sequence[str], ranked: bool, span: tuple[float, float], title: str) -> Figure:
    """A point and a spread for each line, the lowest on top, with the text of `at` beside it; NaN: it has diverged.

    Each line has one value. Where they are not `ranked`, their names have no places.
    """
    values = np.array([line.y[0] for line in lines])
    order = np.argsort(np.where(np.isnan(values), np.inf, values), kind="stable")
    rows = np.empty(len(lines), np.float32)
    rows[order] = np.arange(len(lines))
    data = []
    for line, value, row in zip(lines, values, rows.tolist(), strict=True):
        low, high = (value if edge is None else edge[0] for edge in (line.low, line.high))
        data += [
            {"type": "scatter", "mode": "lines", "name": f"{line.name}, spread", "showlegend": False,
             "hoverinfo": "skip", "x": np.clip([low, high], *span), "y": np.array([row, row], np.float32),
             "line": {"color": line.colour, "width": 2}},
            {"type": "scatter", "mode": "markers", "name": line.name, "showlegend": False,
             "x": np.clip([value], *span), "y": np.array([row], np.float32),
             "marker": {"symbol": line.symbol, "size": 10, "color": line.colour},
             "hovertemplate": f"{line.name} %{{x:.4g}}<extra></extra>"},
        ]  # fmt: skip
    lost, place = np.isnan(values), places(values)
    names = [
        line.name if gone or not ranked else PLACE.format(place=rank, name=line.name)
        for line, gone, rank in zip(lines, lost, place, strict=True)
    ]
    sizes = [
        VALUE.format(value=DIVERGED if gone else number(value, DIGITS), at=text).strip()
        for value, gone, text in zip(values, lost, at, strict=True)
    ]
    notes = beside_rows([names[index] for index in order], [sizes[index] for index in order])
    across = loss_axis(title, span, room=TEXT_DECADES)
    down = axis("", [len(lines) - 0.4, -0.75], tickvals=[], zeroline=False)
    return {"data": data, "layout": layout(across, down, margin=MARGIN | {"l": 98, "t": 8}, annotations=notes)}


def over_rates(rates: Array, lines: Sequence[Line], *, probe: float, span: tuple[float, float], title: str) -> Figure:
    """Losses over the learning rate, both logarithmic; a line ends where its training has diverged (NaN).

    A vertical line is at the probe, with a marker where each line meets it.
    """
    x, at = np.log10(rates), int(np.abs(rates - probe).argmin())
    data = [_spread(x, line) for line in lines] + [_drawn(x, line, f"{title.lower()} %{{y:.4g}}") for line in lines]
    data += [_ends(line, x[at : at + 1], line.y[at : at + 1]) for line in lines]
    probed = [upright(float(x[at]), width=1.5)]
    return {"data": data, "layout": layout(rate_axis(rates), loss_axis(title, span), shapes=probed,
                                           margin=MARGIN | {"l": 58})}  # fmt: skip


def ranks(rates: Array, lines: Sequence[Line], *, probe: float, ranked: bool) -> Figure:
    """Each line's place over the learning rate: 1 is the lowest loss; NaN: it has diverged.

    The lines are out of sight where nothing is `ranked` yet.
    """
    x, at = np.log10(rates), int(np.abs(rates - probe).argmin())
    data = [_drawn(x, line, "place %{y}") | {"showlegend": False} for line in lines]
    data += [_ends(line, x[at : at + 1], line.y[at : at + 1]) for line in lines]
    data = [trace | {"visible": ranked} for trace in data]
    y = axis("Place", [len(lines) + 0.4, 0.6], dtick=1, zeroline=False)
    margin = MARGIN | {"l": 44, "t": 8}
    return {
        "data": data,
        "layout": layout(rate_axis(rates), y, shapes=[upright(float(x[at]), width=1.5)], margin=margin),
    }


def over_steps(
    steps: Array, lines: Sequence[Line], *, until: int, cursor: int, span: tuple[float, float], title: str,
    legend: bool = False, log: bool = True,
) -> Figure:  # fmt: skip
    """Values of several trainings at these steps, each with a marker at the step `cursor`.

    With a `legend`, lines differ in their dashes too; losses go up and down too much for dashes to be visible.
    """
    data = [
        {"type": "scatter", "mode": "lines", "name": line.name, "x": steps, "y": line.y, "showlegend": False,
         "line": {"color": line.colour, "width": 2.5 if legend else 1.5,
                  "dash": DASHES[line.place % 5] if legend else line.dash},
         "hovertemplate": line.name + " %{y:.4g} at step %{x}<extra></extra>"}
        for line in lines
    ]  # fmt: skip
    now = min(int(np.searchsorted(steps, cursor)), len(steps) - 1)
    data += [
        undrawn(_ends(line, steps[now : now + 1], line.y[now : now + 1]) | {"showlegend": legend}) for line in lines
    ]
    y = loss_axis(title, span) if log else axis(title, [span[0], 1.08 * span[1]])
    return {"data": data, "layout": layout(axis("Step", [0, until]), y, shapes=[upright(cursor, width=1.5)],
                                           margin=MARGIN | {"l": 62})}  # fmt: skip


def strip(
    steps: Array, lines: Sequence[Line], *, until: int, cursor: int, span: tuple[float, float], title: str
) -> Figure:
    """The losses of `over_steps` as a strip, whose axis has its ticks at powers of ten."""
    figure = over_steps(steps, lines, until=until, cursor=cursor, span=span, title=title)
    figure["layout"]["shapes"] = []  # the board draws the step that is shown
    low = strips.as_strip(figure, until=until)
    ticks = [power for power in decades(*span) if power in (min(decades(*span)), max(decades(*span)))]
    low["layout"]["yaxis"] |= {"tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}
    return low


def rate_axis(rates: Array, room: float = 0.06) -> dict[str, Any]:
    """An axis of learning rates with ticks at powers of ten; the data's x is log10 of the rate."""
    low, high = math.log10(rates[0]), math.log10(rates[-1])
    ticks = decades(float(rates[0]), float(rates[-1]))
    return axis("Learning rate", [low - room, high + room], tickvals=[math.log10(each) for each in ticks],
                ticktext=[f"{each:g}" for each in ticks], zeroline=False)  # fmt: skip


def loss_axis(title: str, span: tuple[float, float], room: float = 0.0) -> dict[str, Any]:
    """A logarithmic axis over a fixed span, with `room` decades for text at its end."""
    ticks = decades(*span)
    ends = [math.log10(span[0]), math.log10(span[1]) + room]
    return axis(title, ends, type="log", tickvals=ticks, ticktext=[f"{each:g}" for each in ticks])


def decades(low: float, high: float) -> list[float]:
    """The powers of ten from low to high."""
    first, last = math.ceil(math.log10(low) - ROUNDING), math.floor(math.log10(high) + ROUNDING)
    return [10.0**power for power in range(first, last + 1)]


def _drawn(x: Array, line: Line, words: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": line.name, "x": x, "y": line.y, "connectgaps": False,
        "line": {"color": line.colour, "width": 2, "dash": line.dash},
        "text": [f"{10**at:.3g}" for at in x], "hovertemplate": f"{line.name}, {words} at %{{text}}<extra></extra>",
    }  # fmt: skip


def _ends(line: Line, x: Array, y: Array) -> dict[str, Any]:
    """A marker at one place of a line."""
    return {
        "type": "scatter", "mode": "markers", "name": line.name, "x": x, "y": y, "showlegend": False,
        "hoverinfo": "skip", "cliponaxis": False, "marker": {"symbol": line.symbol, "size": 9, "color": line.colour},
    }  # fmt: skip


def _spread(x: Array, line: Line) -> dict[str, Any]:
    """A vertical bar at each rate from the lowest to the highest seed."""
    low, high = (line.y if each is None else each for each in (line.low, line.high))
    gap = np.full(len(x), np.nan)
    return {
        "type": "scatter", "mode": "lines", "name": f"{line.name}, spread", "x": np.stack([x, x, gap], axis=1).ravel(),
        "y": np.stack([low, high, gap], axis=1).ravel(), "line": {"color": f"{line.colour}/0.25", "width": 1.5},
        "showlegend": False, "hoverinfo": "skip",
    }  # fmt: skip
