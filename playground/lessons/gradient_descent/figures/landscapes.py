"""Landscapes with a ball: curves with a tangent, surfaces as levels, and heights along a path."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure, Maps
from playground.figures import strips
from playground.figures.arrows import Arrow, arrows
from playground.figures.theme import TICKS_INSIDE, axis, layout, padded
from playground.lessons.numbers import number

Array = NDArray[Any]
Span = tuple[float, float]
BANDS = 16  # levels from the lowest to the highest
MIN_HEIGHT, MAX_HEIGHT = 1e-10, 1e12  # on a log axis
MAX_MINIMA = 8  # with a mark
HOVER = "step {step}"


@dataclass(frozen=True)
class Walk:
    """The path of a ball (points, dims) with its heights (points,), the step that is shown, and the known minima.

    `lowest` are the lowest minima (n, dims + 1, the height last), `local` the other ones. Unless `revealed`, the path
    ahead is not drawn.
    """

    positions: Array
    heights: Array
    at: int
    lowest: Array
    local: Array
    revealed: bool = True


def stretch(z: Array) -> float:
    """The power that moves the median height to one half, so that levels show the valley and not only the walls."""
    share = shares(z, 1.0)
    middle = float(np.median(share[np.isfinite(share)])) if np.isfinite(share).any() else 0.5
    return float(np.clip(math.log(0.5) / math.log(np.clip(middle, 1e-6, 0.99)), 0.15, 1.0))


def shares(z: Array, power: float) -> Array:
    """Heights as shares from 0 (the lowest) to 1 (the highest), raised to a power."""
    finite = z[np.isfinite(z)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.clip((z - low) / ((high - low) or 1.0), 0, 1) ** power)


def level_bytes(z: Array) -> Array:
    """Pixels of a surface (rows of y upwards, columns of x): higher is darker, in bands separated by thin lines."""
    level = BANDS * shares(z, stretch(z))
    down, across = np.gradient(level)
    steep = np.hypot(down, across)
    with np.errstate(invalid="ignore", divide="ignore"):
        near = np.clip(1.3 - np.abs(level - np.rint(level)) / steep, 0, 1)
    line = np.where((steep > 0.01) & (np.rint(level) > 0), np.nan_to_num(near), 0)
    shade = 6 + 58 * np.floor(level) / BANDS + 26 * line
    return np.asarray(128 + np.rint(np.nan_to_num(np.where(np.isfinite(z), shade, 0)))[::-1], np.uint8)


def ends_of(z: Array) -> Span:
    """The lowest and the highest of the finite heights."""
    finite = z[np.isfinite(z)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)


def curve(x: Array, y: Array, walk: Walk, slope: float, following: tuple[float, float] | None) -> Figure:
    """A curve with the ball, its tangent, the next step along x, and the places of the path."""
    low, high = ends_of(y)
    span, heights = [float(x[0]), float(x[-1])], padded(low, high, 0.12)
    here = (float(walk.positions[walk.at, 0]), float(walk.heights[walk.at]))
    half = 0.16 * (span[1] - span[0])  # of the tangent
    touching = np.array([here[0] - half, here[0] + half])
    step = np.empty((0, 2)) if following is None else np.array([here, (following[0], here[1]), following])
    data = [
        {"type": "scatter", "mode": "lines", "name": "Height", "x": x, "y": y, "showlegend": False,
         "line": {"color": "@train", "width": 3},
         "hovertemplate": "x %{x:.3f}, height %{y:.4g}<extra></extra>"},
        _line("Tangent", touching, here[1] + slope * (touching - here[0]), "@gradient", 2, "dash"),
        _line("Next step", step[:, 0], step[:, 1], "@mark", 2, "dot"),
        *_minima(walk, last=1),
        *_trail(walk.positions[:, 0], walk.heights, walk),
    ]  # fmt: skip
    return {"data": data, "layout": _to_the_edges(axis("x", span, nticks=8), axis("Height", heights, nticks=8))}


def _to_the_edges(x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    """The layout of a chart that fills its card, with the numbers inside."""
    right = TICKS_INSIDE | {"side": "right"}
    return layout(x | TICKS_INSIDE, y | right, margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False)


def surface(spans: Sequence[Span], pixels: Array, walk: Walk, side: int, vectors: Sequence[Arrow] = ()) -> Figure:
    """A surface from above with the path on it; pixels (side * side,) of its levels, rows from the top.

    The `vectors` of the coming step begin at the ball.
    """
    traces = [*_minima(walk, last=1), *_trail(walk.positions[:, 0], walk.positions[:, 1], walk)]
    traces += arrows(walk.positions[walk.at], vectors, spans[0])
    return {"data": traces, "layout": plane(spans), "maps": under(spans, pixels, side, "signed")}


def plane(spans: Sequence[Span]) -> dict[str, Any]:
    """The axes of a surface from above, with equal units in x and y."""
    bare = {"constrain": "domain", "showgrid": False, "zeroline": False}
    x, y = (axis(name, list(span), **bare, tickvals=inner_ticks(span)) for name, span in zip("xy", spans, strict=True))
    return _to_the_edges(x, y | {"scaleanchor": "x"})


def inner_ticks(span: Span, parts: int = 5) -> list[float]:
    """About as many round numbers strictly inside a range: at its ends the numbers of two axes would meet."""
    low, high = span
    wanted = (high - low) / parts
    power = 10.0 ** math.floor(math.log10(wanted))
    step = next(nice * power for nice in (1.0, 2.0, 5.0, 10.0) if wanted <= nice * power * (1 + 1e-9))
    first, last = math.ceil((low + 0.05 * (high - low)) / step), math.floor((high - 0.05 * (high - low)) / step)
    return [round(step * at, 10) for at in range(first, last + 1)]


def under(spans: Sequence[Span], pixels: Array, side: int, lut: str) -> Maps:
    """Pixels under a chart, which fill its spans."""
    box = np.array([*spans[0], *spans[1]], np.float32)
    return {"side": side, "values": pixels.ravel(), "lut": lut, "over": False, "boxes": box}


def slope(x: Array, slopes: Array, walk: Walk, gradients: Array) -> Figure:
    """The slope of a curve over x, with the ball at the slope of its place and the places of its path.

    The slopes are (points,), the gradients along the path (points of it,).
    """
    low, high = ends_of(slopes)
    here = (float(walk.positions[walk.at, 0]), float(gradients[walk.at]))
    data = [
        {"type": "scatter", "mode": "lines", "name": "Slope", "x": x, "y": slopes,
         "line": {"color": "@gradient", "width": 3},
         "hovertemplate": "x %{x:.3f}, slope %{y:.4g}<extra></extra>"},
        _line("Flat", np.array([x[0], x[-1]]), np.zeros(2), "@muted", 1.5, "dash"),
        _line("Slope here", np.array([here[0], here[0]]), np.array([0.0, here[1]]), "@mark", 2, "dot")
        | {"showlegend": False},
        *_trail(walk.positions[:, 0], gradients, walk),
    ]  # fmt: skip
    span = [float(x[0]), float(x[-1])]
    slopes_shown = padded(min(low, 0.0), max(high, 0.0), 0.12)
    return {"data": data, "layout": _to_the_edges(axis("x", span, nticks=6), axis("Slope", slopes_shown, nticks=8))}


def along(walk: Walk, own: Span, *, floor: float | None, log: bool) -> Figure:
    """The height after each step, as a strip: the part behind the ball, the part ahead, and the ball.

    `own` are the lowest and the highest height of the landscape, `floor` is its lowest minimum if that is known. With
    `log` it is the height above the floor. The axis becomes logarithmic by itself once the ball is above all of the
    landscape: then it diverges, and a linear axis would not show how.
    """
    steps = np.arange(len(walk.heights), dtype=np.float32)
    low, _ = ends_of(walk.heights)
    if log or (rises_out(walk, own) and not falls_out(walk.heights, own)):
        y = np.clip(walk.heights - (min(own[0], low) if floor is None else floor), MIN_HEIGHT, MAX_HEIGHT)
        ends = _log_axis(y)
    else:
        y, ends = walk.heights, axis("Height", _height_span(walk, own))
    frame = layout(axis("Step", [0, max(1.0, float(steps[-1]))]), ends)
    figure = strips.as_strip({"data": _trail(steps, y, walk), "layout": frame}, until=max(1, len(steps) - 1))
    ticks = ends["tickvals"][:: len(ends["tickvals"]) - 1] if "tickvals" in ends else [own[0], float(walk.heights[0])]
    nearly_zero = 0.0 if log else 1e-3 * abs(ticks[1] - ticks[0])
    texts = ["0" if abs(tick) < nearly_zero else number(tick, 2) for tick in ticks]
    figure["layout"]["yaxis"] |= {"tickvals": ticks, "ticktext": texts}
    return figure


def rises_out(walk: Walk, own: Span) -> bool:
    """Whether the ball has been far above all of the landscape, up to the step that is shown."""
    return bool((walk.heights[: walk.at + 1] > own[1] + 0.5 * (own[1] - own[0])).any())


def falls_out(heights: Array, own: Span) -> bool:
    """Whether some of these heights are below all of the landscape that is drawn: it has no bottom there."""
    return bool((heights < own[0] - 0.01 * (own[1] - own[0])).any())


def _height_span(walk: Walk, own: Span) -> list[float]:
    """From the lowest height of the landscape to the highest of the path, so that a ball that hardly moves stays level.

    A path that falls out of the landscape is shown to its end, but only from the step on at which it does.
    """
    low, high = ends_of(walk.heights)
    fallen = falls_out(walk.heights if walk.revealed else walk.heights[: walk.at + 1], own)
    return padded(low if fallen else own[0], max(float(walk.heights[0]), min(own[1], high)), 0.08)


def _log_axis(values: Array) -> dict[str, Any]:
    finite = values[np.isfinite(values) & (values > 0)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.1, 1.0)
    ends = [float(math.floor(math.log10(low))), float(math.ceil(math.log10(high)))]
    ends[1] = max(ends[1], ends[0] + 1)
    every = max(1, math.ceil((ends[1] - ends[0]) / 6))
    ticks = [10.0**power for power in range(int(ends[0]), int(ends[1]) + 1, every)]
    texts = [number(tick) for tick in ticks]
    return axis("Height above the lowest", ends, type="log", tickvals=ticks, ticktext=texts)


def _trail(x: Array, y: Array, walk: Walk) -> list[dict[str, Any]]:
    """The whole path in grey if it is revealed, the part behind the ball over it, and the ball.

    Every frame has the same number of markers: those of later steps are under the ball.
    """
    x, y, at = np.asarray(x, np.float64), np.asarray(y, np.float64), walk.at
    reached = np.minimum(np.arange(len(x)), at)
    ahead = np.arange(len(x)) if walk.revealed else reached
    return [
        {"type": "scatter", "mode": "lines+markers", "name": "Way ahead", "x": x[ahead], "y": y[ahead],
         "line": {"color": "@muted/0.5", "width": 1}, "marker": {"color": "@muted/0.6", "size": 3.5},
         "showlegend": False, "hoverinfo": "skip"},
        {"type": "scatter", "mode": "lines", "name": "Path", "x": x[: at + 1], "y": y[: at + 1], "hoverinfo": "skip",
         "showlegend": False, "line": {"color": "@model", "width": 2}},
        {"type": "scatter", "mode": "markers", "name": "Places", "x": x[reached], "y": y[reached], "showlegend": False,
         "marker": {"color": "@model", "size": 4.5}, "hovertext": [HOVER.format(step=step) for step in reached],
         "hovertemplate": "%{hovertext}: (%{x:.4g}, %{y:.4g})<extra></extra>"},
        {"type": "scatter", "mode": "markers", "name": "Ball", "x": x[at : at + 1], "y": y[at : at + 1],
         "showlegend": False, "hoverinfo": "skip",
         "marker": {"color": "@text", "size": 13, "line": {"color": "@ground", "width": 2}}},
    ]  # fmt: skip


def _minima(walk: Walk, *, last: int) -> list[dict[str, Any]]:
    """Stars at the known minima: full for the lowest, open for the others; `last` is the column of the y axis."""
    return [
        {"type": "scatter", "mode": "markers", "name": name, "showlegend": False, "x": found[:MAX_MINIMA, 0],
         "y": found[:MAX_MINIMA, last], "hovertemplate": name + " (%{x:.3f}, %{y:.3f})<extra></extra>",
         "marker": {"symbol": symbol, "size": 11, "color": "@gradient", "line": {"color": "@ground", "width": width}}}
        for name, found, symbol, width in (
            ("Global minimum", walk.lowest, "star", 1), ("Local minimum", walk.local, "star-open", 2),
        )
    ]  # fmt: skip


def _line(name: str, x: Array, y: Array, colour: str, width: float, dash: str) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "hoverinfo": "skip",
            "line": {"color": colour, "width": width, "dash": dash}}  # fmt: skip
