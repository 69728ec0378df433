"""Whether the real Plotly takes a figure, in both themes, and whether it can travel as a frame."""

from __future__ import annotations

import re
from typing import Any

import plotly.graph_objects as go

from playground.engine.frames import Figure, encode
from playground.figures.theme import PALETTE

ROLE = re.compile(r"@(\w+)(?:/([\d.]+))?")


def coloured(value: Any, palette: dict[str, str]) -> Any:
    """A figure with colours in the place of their roles, as the board fills them in."""
    if isinstance(value, str) and (match := ROLE.fullmatch(value)):
        colour = palette[match[1]]
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        return f"rgba({red},{green},{blue},{match[2]})" if match[2] else colour
    if isinstance(value, dict):
        return {key: coloured(item, palette) for key, item in value.items()}
    if isinstance(value, list):
        return [coloured(item, palette) for item in value]
    return value


def assert_plotly_takes(figure: Figure) -> None:
    for each in (figure, *figure.get("others", ())):
        for palette in PALETTE.values():
            go.Figure(coloured({"data": each["data"], "layout": each["layout"]}, palette))
    assert len(encode({"charts": {"it": {"figure": figure}}})) > 4
