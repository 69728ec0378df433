"""Figures of a few images side by side with their titles, and of bars for ten digits beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure, Maps
from playground.figures.tables import with_table
from playground.figures.theme import axis, layout
from playground.lessons.cnn import words
from playground.lessons.cnn.figures.pixel_maps import ink, largest, signed

Array = NDArray[Any]
GAP = 0.12  # between two panels, as a share of one
TITLE_HEIGHT = 0.24  # above a panel, as a share of it
BARS_SHARE, BARS_GAP = 0.42, 0.07  # of the height: the bars under the panels, and the gap between both
BARS = 10


@dataclass(frozen=True, eq=False)
class Panel:
    """One image (height, width) with its title and hover text.

    Ink goes from 0 to 1, and so do grey levels, which are drawn from black to white in both themes; other numbers are
    signed, on the scale of their largest, and NaN is not known yet.
    """

    title: str
    image: Array
    hover: str
    is_ink: bool = True
    is_grey: bool = False


@dataclass(frozen=True, eq=False)
class Bars:
    """One number from 0 to 1 for each digit: their name, their colour role, and which bars are filled."""

    name: str
    colour: str
    values: Array  # (10,)
    full: Sequence[int] = tuple(range(BARS))


def panels(
    row: Sequence[Panel],
    *,
    bars: Sequence[Bars] = (),
    columns: int = 3,
    meta: dict[str, Any] | None = None,
) -> Figure:
    """The panels in lines of `columns`, each under its title; with `bars`, the lower part has the bars."""
    columns = min(columns, len(row))
    wide = columns * (1 + GAP) - GAP
    lines = -(-len(row) // columns)
    groups, notes = [], []
    centres = np.empty((len(row), 2), np.float32)
    for at, panel in enumerate(row):
        left, top = at % columns * (1 + GAP), -(at // columns) * (1 + TITLE_HEIGHT)
        groups.append(_group(panel, left, top))
        notes.append(_title(panel.title, left, top))
        centres[at] = left + 0.5, top - 0.5
    points = {
        "type": "scatter", "mode": "markers", "name": "Images", "x": centres[:, 0], "y": centres[:, 1],
        "hovertext": [panel.hover for panel in row], "hoverinfo": "text", "showlegend": False,
        "marker": {"size": 18, "opacity": 0, "color": "@text"},
    }  # fmt: skip
    bare = {"visible": False, "fixedrange": True, "autorange": False, "constrain": "domain"}
    x = bare | {"range": [0, wide], "domain": [0, 1], "constraintoward": "center"}
    y = bare | {
        "range": [-(lines - 1) * (1 + TITLE_HEIGHT) - 1, TITLE_HEIGHT],
        "domain": [BARS_SHARE + BARS_GAP if bars else 0, 1],
        "scaleanchor": "x",
        "constraintoward": "top",
    }
    frame: dict[str, Any] = {
        "annotations": notes,
        "shapes": [_edge(each["boxes"]) for each in groups],
        "margin": {"l": 30 if bars else 6, "r": 8, "t": 2, "b": 22 if bars else 4},
    }
    frame |= {"barmode": "group", "meta": meta or {}}
    if bars:
        ticks = {"tickvals": list(range(BARS)), "ticktext": [str(digit) for digit in range(BARS)]}
        frame["xaxis2"] = axis("", [-0.6, BARS - 0.4], anchor="y2", showgrid=False, zeroline=False, fixedrange=True,
                               **ticks)  # fmt: skip
        frame["yaxis2"] = axis("", [0, 1], anchor="x2", domain=[0, BARS_SHARE], fixedrange=True, tickvals=[0, 0.5, 1])
        notes.append(_title(words.PROBABILITY, 0, 0) | {"xref": "paper", "yref": "paper", "y": BARS_SHARE})
        frame["meta"] = {"of": words.PROBABILITY} | frame["meta"]
    return {
        "data": [points, *(_bars(each, is_only=len(bars) == 1) for each in bars)],
        "layout": layout(x, y, **frame),
        "maps": groups,
    }


def _bars(bars: Bars, *, is_only: bool) -> dict[str, Any]:
    colours = [bars.colour if digit in bars.full else f"{bars.colour}/0.35" for digit in range(BARS)]
    return {
        "type": "bar", "name": bars.name, "showlegend": not is_only, "x": list(range(BARS)),
        "y": np.nan_to_num(bars.values).astype(np.float32),
        "marker": {"color": colours}, "xaxis": "x2", "yaxis": "y2",
        "hovertemplate": words.BAR_HOVER.format(name=bars.name) + "<extra></extra>",
    }  # fmt: skip


def _group(panel: Panel, left: float, top: float) -> Maps:
    high, wide = panel.image.shape
    longest = max(high, wide)
    x, y = left + (1 - wide / longest) / 2, top - (1 - high / longest) / 2
    box = np.array([x, x + wide / longest, y - high / longest, y], np.float32)
    values = ink(panel.image) if panel.is_ink else _signed(panel.image)
    return {"side": wide, "tall": high, "values": values.ravel(), "boxes": box, "over": True, "crisp": longest < 64,
            "lut": "grey" if panel.is_grey else "ink" if panel.is_ink else "signed filling", "name": panel.title,
            "size": 1.0 if panel.is_ink else largest(panel.image)}  # fmt: skip


def _edge(box: Array) -> dict[str, Any]:
    """The edge of a panel, whose zeros have the colour of the page."""
    x0, x1, y0, y1 = (float(each) for each in box)
    return {"type": "rect", "x0": x0, "x1": x1, "y0": y0, "y1": y1, "line": {"color": "@muted/0.4", "width": 1}}


def _signed(image: Array) -> Array:
    missing = np.isnan(image)
    values = signed(np.where(missing, 0, image))
    values[missing] = 0
    return values


def _title(text: str, x: float, y: float) -> dict[str, Any]:
    return {"text": text, "x": x, "y": y + 0.02, "xref": "x", "yref": "y", "xanchor": "left", "yanchor": "bottom",
            "showarrow": False, "align": "left", "font": {"size": 11, "color": "@muted"}}  # fmt: skip


def over_shifts(shifts: Array, lines: Sequence[tuple[str, str, Array]], *, note: str) -> Figure:
    """Accuracies over the pixels of a shift, each (name, colour role, values), and a note in the corner."""
    data = [
        {"type": "scatter", "mode": "lines+markers", "name": name, "x": shifts, "y": values, "line": {"color": colour,
         "width": 2.5, "dash": "solid" if at == 0 else "dash"}, "marker": {"symbol": "circle" if at == 0 else "square"},
         "customdata": 100 * values, "hovertemplate": words.SHIFT_HOVER.format(name=name) + "<extra></extra>"}
        for at, (name, colour, values) in enumerate(lines)
    ]  # fmt: skip
    # fmt: off
    notes = [{"text": note, "x": 0.98, "y": 0.97, "xref": "paper", "yref": "paper", "xanchor": "right",
              "yanchor": "top", "showarrow": False, "align": "right", "font": {"size": 11, "color": "@muted"}}]
    x = axis(words.SHIFT_AXIS, [-0.3, float(shifts[-1]) + 0.3], dtick=1)
    figure: Figure = {"data": data, "layout": layout(x, axis(words.SHIFT_ACCURACY_AXIS, [0, 1.02],
                                                             **words.PERCENT_TICKS), annotations=notes)}
    # fmt: on
    columns = {words.ACCURACY_OF.format(name=name): 100 * values for name, _, values in lines}
    return with_table(figure, {words.SHIFT_AXIS: shifts, **columns})
