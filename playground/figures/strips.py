"""Strips: low, wide charts over the steps, along which one looks back.

The board draws on a strip what it has for all of them: the step that is shown, the current step, and the words of the
marks. A strip has small margins, few ticks and no room for titles, which the board hides in its place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.curves import loss_curve
from playground.figures.theme import round_up

Array = NDArray[Any]
MESSAGES = {"last": "{step:,} steps", "one": "1 step", "long": "{step:,}"}
MARGIN = {"l": 46, "r": 48, "t": 12, "b": 20}
MIN_LENGTH = 10  # of the axis, in steps
NEAR_ZERO = 1e-6  # of the other end of an axis
LONG = 100_000  # from here on the last tick has no room for a word
PARTS = 4  # of the axis, between its ticks
NICE = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)  # tops of an axis, times a power of ten


def losses(
    steps: Array,
    lines: Sequence[tuple[str, str, Array]],
    *,
    peak: float,
    until: float,
    marks: Sequence[tuple[int, str]] = (),
    log: bool = False,
    title: str = "Loss",
    numbers: Mapping[str, str] | None = None,
) -> Figure:
    """Losses over steps as a strip: the parameters of `loss_curve`, and `numbers` as in `as_strip`.

    `until` is the planned length; infinity or 0 where there is none.
    """
    figure = loss_curve(steps, lines, peak=peak, until=MIN_LENGTH, marks=marks, log=log, title=title)
    if figure["layout"]["yaxis"].get("type") != "log":
        figure["layout"]["yaxis"]["range"] = [0.0, top_of(peak)]
    return as_strip(figure, until=until, marks=marks, numbers=numbers)


def as_strip(
    figure: Figure,
    *,
    until: float,
    marks: Sequence[tuple[int, str]] = (),
    numbers: Mapping[str, str] | None = None,
) -> Figure:
    """A figure of lines over steps with the axes and margins of a strip.

    `until` is the planned length of the run, infinity or 0 where there is none: then the axis grows with the run.
    `marks` are steps with a few words each, which the board shows on request. `numbers` says which status belongs to
    which line, by the line's name: {"loss": "Train"}; it gets the line's pen, so that it is the line's legend.
    """
    last = max((float(each["x"][-1]) for each in figure["data"] if len(each.get("x", ()))), default=0.0)
    frame = figure["layout"]
    meta = frame.get("meta", {}) | {
        "strip": {"marks": [[int(step), text] for step, text in marks], "lines": dict(numbers or {})}
    }
    frame = {
        **frame,
        "xaxis": frame["xaxis"] | step_axis(until, last),
        "yaxis": frame["yaxis"] | end_ticks(frame["yaxis"]),
        "margin": MARGIN,
        "showlegend": False,
        "meta": meta,
    }
    strip: Figure = {**figure, "layout": frame}
    return strip


def step_axis(until: float, last: float = 0.0) -> dict[str, Any]:
    """Range and ticks of an axis from 0 to the planned length, or to a round number not below the last step."""
    planned = math.isfinite(until) and until >= max(last, 1.0)
    end = float(until) if planned else round_up(max(last, MIN_LENGTH))
    spacing = _spacing(end)
    ticks = [float(tick) for tick in np.arange(0.0, end, spacing) if end - tick > 0.6 * spacing]
    last_text = MESSAGES["one" if end == 1 else "last" if end < LONG else "long"].format(step=int(end))
    texts = [*(f"{tick:,.0f}" for tick in ticks), last_text]
    return {
        "range": [0.0, end], "autorange": False, "fixedrange": True, "showgrid": False, "zeroline": False,
        "tickmode": "array", "tickvals": [*ticks, end], "ticktext": texts,
    }  # fmt: skip


def end_ticks(axis: Mapping[str, Any]) -> dict[str, Any]:
    """Ticks at both ends of an axis."""
    low, high = (float(end) for end in axis["range"])
    is_log = axis.get("type") == "log"
    if not is_log and abs(low) < NEAR_ZERO * abs(high):
        low = 0.0
    texts = [f"1e{end:.0f}" if is_log else f"{end:.3g}" for end in (low, high)]
    values = [10**low, 10**high] if is_log else [low, high]
    return {
        "fixedrange": True, "showgrid": False, "zeroline": not is_log and low < 0 < high, "tickmode": "array",
        "tickvals": values, "ticktext": texts,
    }  # fmt: skip


def top_of(peak: float) -> float:
    """A round number at or a little above the peak, so that the axis rarely changes and little of it is empty."""
    if not math.isfinite(peak) or peak <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(peak))
    return next(nice * power for nice in NICE if peak <= nice * power * (1 + 1e-9))


def _spacing(end: float) -> float:
    """Of the ticks: a whole number of steps, 1, 2, 5 or 2.5 times a power of ten."""
    wanted = max(end / PARTS, 1.0)
    power = 10.0 ** math.floor(math.log10(wanted))
    nice = (1.0, 2.0, 2.5, 5.0, 10.0) if power > 1 else (1.0, 2.0, 5.0, 10.0)
    return next(each * power for each in nice if wanted <= each * power * (1 + 1e-9))
