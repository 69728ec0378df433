"""The board: charts that are drawn in place, still (a frame given with the page) or live (the stream of a run)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui import assets
from playground.figures.theme import PALETTE
from playground.frames import Figure, encode
from playground.lesson import Chart

WORDS = {
    "player": "Player", "play": "Play", "pause": "Pause", "playKey": "space", "step": "Step", "reset": "Reset",
    "stepCount": "Steps or epochs to take", "stepUnit": "Unit of a step", "batches": "batches", "epochs": "epochs",
    "speed": "Speed", "speedShort": "Speed", "speedAuto": "Auto", "speedSteps": "{n} steps/s", "speedFull": "Full",
    "large": "Larger type", "boardFullScreen": "Full screen", "time": "Time: look back at earlier steps",
    "timeShort": "Time", "now": "Now", "moment": "step {step}", "resetZoom": "Reset zoom", "png": "Save as PNG",
    "csv": "Save data as CSV", "fullScreen": "Full screen", "reconnecting": "The connection dropped. Reconnecting …",
    "lost": "This run is no longer there. Press Reset to start anew.",
    "queued": "Many runs are open: yours is number {place} in the queue and starts by itself.",
}  # fmt: skip

# The module itself is a file of ours that browsers keep; Streamlit only carries this line of it.
LOADER = """
const board = await import(new URL("{url}", location.origin));
export default board.default;
"""

_board = st.components.v2.component(
    "board",
    js=LOADER.replace("{url}", assets.url("board.js")),
    css=(Path(__file__).parent / "board.css").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def live(
    key: str, run_id: str, charts: Sequence[Chart], status: Mapping[str, str], *, on_restart: Any = lambda: None
) -> None:
    """The player and the charts of a run. `on_restart` is called when the visitor wants a new run for a lost one."""
    data = _data(charts) | {"run": run_id, "status": dict(status)}
    _board(key=key, data=data, on_restart_change=on_restart)


def still(key: str, charts: Sequence[Chart], figures: Mapping[str, Figure]) -> None:
    """Charts that stand still until the page is run again; their nodes and the visitor's zoom stay."""
    frame = encode({"charts": {name: {"figure": figure} for name, figure in figures.items()}})
    data = _data(charts) | {"frame": base64.b64encode(frame).decode()}
    _board(key=key, data=data, on_restart_change=lambda: None)


def _data(charts: Sequence[Chart]) -> dict[str, Any]:
    return {
        "charts": [asdict(chart) for chart in charts],
        "palette": PALETTE,
        "words": WORDS,
        "plotly": assets.url("plotly.min.js"),
        "status": {},
    }
