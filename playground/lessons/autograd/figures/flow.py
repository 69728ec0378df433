"""A computation as a graph from left to right: values in boxes, and gradients that flow back along the edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.figures.theme import layout
from playground.lessons.autograd.figures.layers import Places, places

Array = NDArray[Any]
Size = tuple[int, int]
MAX_NODES = 60  # drawn: those nearest to the result
MAX_COLUMNS, MAX_ROWS = 8, 5  # with boxes, fewer in a narrow place; a larger graph has dots, with numbers on hovering
MADE_FOR = (700, 340)  # pixels of the graph with its table; the board enlarges the words in a larger place
NARROW = (350, 290)  # pixels of the graph alone, for a phone
CHARACTER, LINE = 6.2, 14.3  # pixels
BOX = (0.43, 0.43)  # half of a box's width and height, in columns and rows
WORDS = 0.8  # columns: the width of the words in a box
STRIP = 0.25  # share of the height for the table below the graph
SLOPE = 1.3  # width of a graph in its place, as a share of what it is made for: arrows are turned along their lines
HOVER = {"value": "value {value}", "gradient": "gradient {gradient}", "no_gradient": "no gradient yet"}


@dataclass(frozen=True)
class Node:
    """One box: its formula, torch's name for it, its value and gradient, and its state.

    Value and gradient are texts from the longest to the shortest; the first that fits is drawn. No text means that it
    is not known yet. `state` is "waiting", "active" or "done".
    """

    label: str
    name: str
    value: tuple[str, ...]
    gradient: tuple[str, ...]
    state: str
    is_leaf: bool = False


@dataclass(frozen=True)
class Edge:
    """A line from an input (left) to a result (right), by index; `state` as for a node."""

    left: int
    right: int
    state: str


@dataclass(frozen=True)
class Sums:
    """The table below the graph: where its columns begin (0 to 1), their headings, and its rows."""

    starts: tuple[float, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def flow(
    nodes: Sequence[Node], edges: Sequence[Edge], sums: Sums, *, too_many: str = "", dots: str = "", words: str = ""
) -> Figure:
    """The graph as a figure; node 0 is the result. `others` has it without the table, for narrow places.

    `too_many` is shown if only some of the nodes are drawn, `dots` if there is no room for boxes, and `words` describes
    the figure.
    """
    figure = _drawn(nodes, edges, sums, too_many, dots, words, MADE_FOR)
    figure["others"] = [_drawn(nodes, edges, None, too_many, dots, words, NARROW)]
    return figure


def _drawn(
    nodes: Sequence[Node], edges: Sequence[Edge], sums: Sums | None, too_many: str, dots: str, words: str, size: Size
) -> Figure:
    """The graph in boxes whose words fit into a place of this size."""
    strip = 0.0 if sums is None else STRIP
    left_out = len(nodes) - MAX_NODES
    edges = [edge for edge in edges if max(edge.left, edge.right) < MAX_NODES]
    nodes = nodes[:MAX_NODES]
    where = places(len(nodes), [(edge.left, edge.right) for edge in edges])
    boxed = where.columns <= MAX_COLUMNS * size[0] / MADE_FOR[0] and where.rows <= MAX_ROWS
    sentences = [dots] * (not boxed) + [too_many] * (left_out > 0)
    room = (size[0], (1 - strip) * size[1])
    notes = [*(_table(sums) if sums else []), _note("<br>".join(sentences), 0.01, 1.0)]
    rows = max(where.rows, 2)
    bare = {"visible": False, "fixedrange": True, "autorange": False}
    return {
        "data": [*_lines(edges, where, boxed, room), _dots(nodes, where, boxed), *_texts(nodes, where, boxed, room)],
        "layout": layout(
            bare | {"range": [-0.5, where.columns - 0.5]},
            bare | {"range": [-rows / 2, rows / 2], "domain": [strip, 1.0 - 0.06 * len(sentences)]},
            margin={"l": 4, "r": 4, "t": 4, "b": 4},
            showlegend=False,
            dragmode=False,
            shapes=_boxes(nodes, where) if boxed else [],
            annotations=notes,
            meta={"words": words, "made_for": list(size)},
        ),
    }


def _boxes(nodes: Sequence[Node], where: Places) -> list[dict[str, Any]]:
    """A frame around each node: thick and violet for the active node, filled for those that are done."""
    drawn = []
    for index, (node, (x, y)) in enumerate(zip(nodes, where.at, strict=True)):
        colour = "@train" if node.is_leaf else "@model" if index == 0 else "@muted"
        active = node.state == "active"
        drawn.append(
            {"type": "rect", "layer": "below", "x0": x - BOX[0], "x1": x + BOX[0], "y0": y - BOX[1], "y1": y + BOX[1],
             "fillcolor": "@mark/0.16" if active else "@gradient/0.13" if node.state == "done" else "@ground",
             "line": {"color": "@mark" if active else colour, "width": 3 if active else 1.5,
                      "dash": "dot" if node.state == "waiting" and not node.is_leaf else "solid"}}
        )  # fmt: skip
    return drawn


def _lines(edges: Sequence[Edge], where: Places, boxed: bool, size: tuple[float, float]) -> list[dict[str, Any]]:
    """The edges by state, with an arrow on each: to the right for the value, to the left once a gradient was sent."""
    room = BOX[0] if boxed else 0.08
    pieces: dict[str, list[Array]] = {"waiting": [], "done": [], "active": []}
    arrows: dict[str, list[tuple[float, float, float]]] = {"waiting": [], "done": [], "active": []}
    for index, (edge, corners) in enumerate(zip(edges, where.edges, strict=True)):
        twins = [at for at, other in enumerate(edges) if (other.left, other.right) == (edge.left, edge.right)]
        aside = (twins.index(index) - (len(twins) - 1) / 2) * 0.26
        path = _curve(corners, room, aside)
        pieces[edge.state].append(np.vstack([path, [[np.nan, np.nan]]]))
        middle = len(path) // 2
        across, up = (path[middle + 1] - path[middle - 1]) * (
            SLOPE * size[0] / where.columns,
            -size[1] / max(where.rows, 2),
        )
        arrows[edge.state].append((*path[middle], float(np.degrees(np.arctan2(up, across)))))
    traces: list[dict[str, Any]] = []
    for state, colour, width in (("waiting", "@muted/0.7", 1.3), ("done", "@gradient", 2.5), ("active", "@mark", 4)):
        path = np.concatenate(pieces[state] or [np.empty((0, 2))]).astype(np.float32)
        ends = np.array(arrows[state] or np.empty((0, 3)), np.float32)
        symbol = "triangle-right" if state == "waiting" else "triangle-left"
        plain = {"type": "scatter", "hoverinfo": "skip", "showlegend": False}
        traces.append(
            plain | {"mode": "lines", "x": path[:, 0], "y": path[:, 1], "line": {"color": colour, "width": width}}
        )
        traces.append(plain | {"mode": "markers", "x": ends[:, 0], "y": ends[:, 1],
                               "marker": {"symbol": symbol, "color": colour, "size": 7 + 1.5 * width,
                                          "angle": ends[:, 2]}})  # fmt: skip
    return traces


def _curve(corners: Sequence[tuple[float, float]], room: float, aside: float) -> Array:
    """A smooth line through the corner points, from the side of one box to the side of the next: (points, 2)."""
    t = np.linspace(0, 1, 9)
    ease = t * t * (3 - 2 * t)
    pieces = []
    for index, ((x0, y0), (x1, y1)) in enumerate(pairwise(corners)):
        start = x0 + (room if index == 0 else 0)
        end = x1 - (room if index == len(corners) - 2 else 0)
        pieces.append(np.stack([start + (end - start) * t, y0 + (y1 - y0) * ease + aside], axis=1))
    return np.concatenate(pieces)


def _dots(nodes: Sequence[Node], where: Places, boxed: bool) -> dict[str, Any]:
    """Markers with the label, value and gradient of each node on hovering; visible dots if there are no boxes."""
    colours = {"waiting": "@muted", "done": "@gradient", "active": "@mark"}
    hover = [
        "<br>".join(filter(None, (
            node.label, node.name, HOVER["value"].format(value=node.value[0]) if node.value else "",
            HOVER["gradient"].format(gradient=node.gradient[0]) if node.gradient else HOVER["no_gradient"],
        )))
        for node in nodes
    ]  # fmt: skip
    sizes = [40 if boxed else 20 if node.state == "active" else 13 for node in nodes]
    return {
        "type": "scatter", "mode": "markers", "hoverinfo": "text", "hovertext": hover, "showlegend": False,
        "x": np.array([x for x, _ in where.at], np.float32), "y": np.array([y for _, y in where.at], np.float32),
        "marker": {"size": sizes, "opacity": 0 if boxed else 1, "color": [colours[node.state] for node in nodes],
                   "symbol": ["square" if node.is_leaf else "circle" for node in nodes]},
    }  # fmt: skip


def _texts(nodes: Sequence[Node], where: Places, boxed: bool, size: tuple[float, float]) -> list[dict[str, Any]]:
    """The texts in the boxes: formula, name, value and below them the gradient; next to dots, names of inputs only."""
    wide = int(WORDS * size[0] / where.columns / CHARACTER)
    high = int(2 * BOX[1] * size[1] / max(where.rows, 2) / LINE)
    above, below = [], []
    for node in nodes:
        upper, lower = _lines_of(node, wide, high) if boxed else ([f"{node.label}   "] * node.is_leaf, [])
        above.append("<br>".join([*upper, *[" "] * len(lower)]))
        below.append("<br>".join([*[" "] * len(upper), *lower]))
    x, y = (np.array([place[axis] for place in where.at], np.float32) for axis in (0, 1))
    plain = {"type": "scatter", "mode": "text", "x": x, "y": y, "hoverinfo": "skip", "showlegend": False}
    side = "middle center" if boxed else "middle left"
    return [
        plain | {"text": above, "textposition": side, "textfont": {"color": "@text", "size": 11}},
        plain | {"text": below, "textposition": side, "textfont": {"color": "@gradient", "size": 11}},
    ]


def _lines_of(node: Node, wide: int, high: int) -> tuple[list[str], list[str]]:
    """The lines of a box: (title, name, value) and (gradient), with room for a gradient that is not known yet."""
    labelled = bool(node.label) and len(node.label) * 1.15 <= wide
    upper = [f"<b>{node.label if labelled else _short(node.name, wide)}</b>"]
    if labelled and not node.is_leaf and high > 4:
        upper.append(_short(node.name, wide))
    value = _fitting(node.value, wide, max(1, (high - len(upper)) // 2))
    gradient = _fitting([f"grad {node.gradient[0]}", *node.gradient], wide - 1, 2) if node.gradient else []
    upper += value
    return upper, [f"<b>{line}</b>" for line in gradient] or [" "]


def _short(name: str, room: int) -> str:
    room = int(room / 1.35)  # bold letters are wider, and a name does not touch the sides of its box
    return name if len(name) <= room else name.removesuffix("Backward0").removesuffix("Backward1")[:room]


def _fitting(texts: Sequence[str], wide: int, high: int) -> list[str]:
    """The lines of the first text that fits, or the start of the last one."""
    for text in texts:
        lines = text.split("\n")
        if len(lines) <= high and max(map(len, lines)) <= wide:
            return lines
    return [texts[-1][:wide]] if texts else []


def _table(sums: Sums) -> list[dict[str, Any]]:
    """The table of arithmetic below the graph, as annotations."""
    notes = []
    for line, row in enumerate((sums.headings, *sums.rows)):
        for x, text in zip(sums.starts, row, strict=True):
            notes.append(_note(text, x, STRIP - 0.02 - 0.068 * line, head=line == 0))
    return notes


def _note(text: str, x: float, y: float, *, head: bool = True) -> dict[str, Any]:
    return {
        "text": text or " ", "x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "top",
        "showarrow": False, "align": "left",
        "font": {"color": "@muted" if head else "@text", "size": 11 if head else 13},
    }  # fmt: skip
