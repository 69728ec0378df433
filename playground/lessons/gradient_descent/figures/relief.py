"""A surface from an angle, drawn as pixels without a graphics card, column by column from the front to the back.

The eye is far away, so all rays are parallel. In each column of the image the surface is followed away from the eye: a
point above all points in front of it is visible, and a point below all of them is visible from below (a "floating
horizon", Wright 1973, A two-space solution to the hidden line problem).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.theme import layout
from playground.lessons.gradient_descent.figures.landscapes import Span, Walk
from playground.lessons.numbers import number

Array = NDArray[Any]
COLUMNS, DEPTHS, ROWS = 220, 240, 220
HALF_DIAGONAL = math.sqrt(2.0)  # of the square from -1 to 1
EDGE = 1.5  # the image goes from -EDGE to EDGE
ROOM = 0.35  # at the left of the image, for the heights
RISE = math.radians(48)  # of the eye above the horizon
TALL = 0.95  # from the lowest to the highest point; the square is 2 wide
MESH = 8  # lines across the square
HEIGHT = "height"
LIGHT = (-0.55, -0.35, 0.76)  # the direction to the light: across, away from the eye, up


def turned(turn: float) -> tuple[Array, Array]:
    """The directions across the image and away from the eye, in the plane of the square, for an angle in degrees."""
    angle = math.radians(turn)
    return np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])


def ground(turn: float) -> Array:
    """The places in the square from -1 to 1 under each column and depth (COLUMNS, DEPTHS, 2); NaN outside it."""
    across, away = turned(turn)
    u = np.linspace(-EDGE, EDGE, COLUMNS)[:, None, None]
    t = np.linspace(-HALF_DIAGONAL, HALF_DIAGONAL, DEPTHS)[None, :, None]
    places = u * across + t * away
    places[(np.abs(places) > 1).any(axis=2)] = np.nan
    return np.asarray(places)


@dataclass(frozen=True)
class Relief:
    """A surface at a rotation: its places and its heights, as shares from lowest to highest (COLUMNS, DEPTHS)."""

    turn: float
    places: Array
    shares: Array

    @property
    def lifted(self) -> Array:
        """The vertical position of each place in the image (COLUMNS, DEPTHS)."""
        return _lift(np.linspace(-HALF_DIAGONAL, HALF_DIAGONAL, DEPTHS), self.shares)

    def pixels(self) -> Array:
        """The image, rows from the top (ROWS, COLUMNS): the shade of the nearest point on each ray."""
        shade, rows = self._shades(), np.linspace(EDGE, -EDGE, ROWS)
        image = np.zeros((ROWS, COLUMNS))
        for column, lifted in enumerate(self.lifted):
            inside = np.flatnonzero(np.isfinite(lifted))
            if len(inside) < 2:
                continue
            v, shades = lifted[inside], shade[column, inside]
            over = np.searchsorted(np.maximum.accumulate(v), rows)
            below = np.searchsorted(-np.minimum.accumulate(v), -rows)
            top = rows >= v[0]
            first = np.where(top, over, below)
            visible = first < len(v)
            value = shades[np.minimum(first, len(v) - 1)]
            image[:, column] = np.where(visible, np.where(top, value, 0.35 * value), 0)
        return np.asarray(128 + np.rint(127 * np.clip(image, 0, 1)), np.uint8)

    def _shades(self) -> Array:
        """The darkness of each place: from its height, its angle to the light, and the lines of the mesh."""
        step_u, step_t = 2 * EDGE / (COLUMNS - 1), 2 * HALF_DIAGONAL / (DEPTHS - 1)
        over_u, over_t = np.gradient(TALL * self.shares, step_u, step_t)
        normal = np.stack([-over_u, -over_t, np.ones_like(over_u)])
        lit = np.tensordot(LIGHT, normal / np.linalg.norm(normal, axis=0), axes=1)
        lit = np.nan_to_num(lit, nan=LIGHT[2])
        cell = np.floor(np.nan_to_num(self.places, nan=9.0) * MESH / 2)
        line = (np.diff(cell, axis=1, append=cell[:, -1:]) != 0).any(axis=2)
        line |= (np.diff(cell, axis=0, append=cell[-1:]) != 0).any(axis=2)
        return np.asarray(0.1 + 0.42 * np.nan_to_num(self.shares) + 0.3 * (1 - lit) + 0.16 * line)

    def project(self, places: Array, shares: Array) -> tuple[Array, Array, Array]:
        """The image coordinates (across, up) of places (n, 2) with heights as shares (n,), and whether they are hidden.

        NaN outside the square.
        """
        across, away = turned(self.turn)
        u, t = places @ across, places @ away
        outside = ~(np.abs(places) <= 1 + 1e-9).all(axis=1)
        v = np.where(outside, np.nan, _lift(t, shares))
        lifted, depths = self.lifted, np.linspace(-HALF_DIAGONAL, HALF_DIAGONAL, DEPTHS)
        hidden = np.zeros(len(u), bool)
        for at in np.flatnonzero(~outside):
            column = lifted[round((u[at] + EDGE) / (2 * EDGE) * (COLUMNS - 1))]
            before = column[(depths < t[at] - 0.02) & np.isfinite(column)]
            hidden[at] = before.size > 0 and before.min() + 0.02 < v[at] < before.max() - 0.02
        return np.where(outside, np.nan, u), v, hidden


def _lift(depth: Array, shares: Array) -> Array:
    return np.asarray(depth * math.sin(RISE) + math.cos(RISE) * TALL * (shares - 0.5))


def scene(
    relief: Relief,
    pixels: Array,
    walk: Walk,
    track: tuple[Array, Array],
    spans: Sequence[Span],
    ends: tuple[str, str],
    note: str = "",
) -> Figure:
    """The surface with the path of the ball: `track` has places in the square (n, 2) and heights as shares (n,).

    `ends` are the lowest and the highest height as text, `note` is shown in a corner.
    """
    u, v, hidden = relief.project(*track)
    before = np.arange(len(u)) <= walk.at
    ball = slice(walk.at, walk.at + 1)
    covered = bool(hidden[ball].all())
    data = [
        _line("Way ahead", np.where(before | walk.revealed, u, np.nan), v, "@muted/0.55", 1, "solid"),
        _line("Behind a hill", np.where(before, u, np.nan), v, "@model/0.45", 1.5, "dot"),
        _line("Path", np.where(before & ~hidden, u, np.nan), v, "@model", 2.5, "solid"),
        {"type": "scatter", "mode": "markers", "name": "Ball", "x": u[ball], "y": v[ball], "hoverinfo": "skip",
         "showlegend": False,
         "marker": {"symbol": "circle-open" if covered else "circle", "size": 13,
                    "color": "@text", "line": {"color": "@text" if covered else "@ground", "width": 2}}},
    ]  # fmt: skip
    box = np.array([-EDGE, EDGE, -EDGE, EDGE], np.float32)
    bare = {"visible": False, "fixedrange": True, "autorange": False, "constrain": "domain"}
    return {
        "data": data,
        "layout": layout(
            bare | {"range": [-EDGE - ROOM, EDGE]}, bare | {"range": [-EDGE, EDGE * 0.9], "scaleanchor": "x"},
            margin={"l": 4, "r": 4, "t": 4, "b": 4}, showlegend=False,
            annotations=[*_names(relief.turn, spans), *_heights(relief.turn, ends), _corner(note)],
        ),
        "maps": {"side": COLUMNS, "values": pixels.ravel(), "lut": "signed", "over": False, "boxes": box},
    }  # fmt: skip


def _names(turn: float, spans: Sequence[Span]) -> list[dict[str, Any]]:
    """The names and the ends of the two front edges, as annotations below them."""
    across, away = turned(turn)
    notes = []
    for index, name in enumerate("xy"):
        front = -1.0 if away[1 - index] > 0 else 1.0  # the edge that is nearer to the eye
        for along, text in ((-0.8, number(spans[index][0])), (0.0, name), (0.8, number(spans[index][1]))):
            place = np.empty(2)
            place[index], place[1 - index] = along, front * 1.13
            notes.append(
                {"x": float(place @ across), "y": float(_lift(place @ away, np.zeros(1))[0]), "text": text,
                 "showarrow": False, "font": {"size": 12, "color": "@muted"}}
            )  # fmt: skip
    return notes


def _heights(turn: float, ends: tuple[str, str]) -> list[dict[str, Any]]:
    """The lowest and the highest height beside the corner of the square that is furthest to the left."""
    across, away = turned(turn)
    corners = np.array([[x, y] for x in (-1.0, 1.0) for y in (-1.0, 1.0)])
    corner = corners[(corners @ across).argmin()]
    u, depth = float(corner @ across), float(corner @ away)
    return [
        {"x": u, "y": float(_lift(np.array(depth), np.array(share))), "text": text, "showarrow": False,
         "xanchor": "right", "xshift": -3, "font": {"size": 12, "color": "@muted"}}
        for share, text in zip((0.0, 0.5, 1.0), (ends[0], HEIGHT, ends[1]), strict=True)
    ]  # fmt: skip


def _corner(text: str) -> dict[str, Any]:
    return {"x": 0, "y": 0, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "text": text,
            "showarrow": False, "font": {"size": 12, "color": "@muted"}}  # fmt: skip


def _line(name: str, u: Array, v: Array, colour: str, width: float, dash: str) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "name": name, "x": u, "y": v, "connectgaps": False,
            "hoverinfo": "skip", "showlegend": False,
            "line": {"color": colour, "width": width, "dash": dash}}  # fmt: skip
