"""The board: charts that are updated in place, still (a frame given with the page) or live (the stream of a run)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from pages.ui.routes import assets
from pages.ui.routes import still as still_socket
from pages.ui.routes.live import LOST
from pages.ui.session import session
from playground.engine.frames import Figure, encode
from playground.figures.theme import PALETTE
from playground.lesson import Chart

WORDS = {
    "player": "Player", "play": "Play", "pause": "Pause", "playKey": "space", "step": "Step", "reset": "Reset",
    "stepCount": "Steps or epochs to take", "stepUnit": "Unit of a step",
    "units": {"step": "batches", "epoch": "epochs"},
    "speed": "Speed", "speedShort": "Speed", "speedAuto": "Auto", "speedSteps": "{n} steps/s", "speedFull": "Full",
    "large": "Larger type", "boardFullScreen": "Full screen", "time": "Time: look back at earlier steps",
    "timeShort": "Time", "now": "Now", "moment": "step {step}", "resetZoom": "Reset zoom", "png": "Save as PNG",
    "csv": "Save data as CSV", "fullScreen": "Full screen", "reconnecting": "The connection was lost. Reconnecting …",
    "lost": LOST,
    "weights": "Set weights by hand", "unit": "Unit", "bias": "Bias", "weightFrom": "Weight from {source}",
    "undo": "Undo", "close": "Close", "views": "What to look at",
    "pad": "Drawing pad. Arrow keys move the pen, space puts it down and lifts it, Backspace undoes, Delete clears.",
    "padHint": "Draw with mouse, finger or pen; or with arrow keys and space.",
    "penDown": "The pen is down: arrow keys draw, space lifts it.",
    "clear": "Clear", "penWidth": "Width of the pen", "penWidths": ["Thin", "Medium", "Thick"],
    "pin": "Pin this run, to compare others with it", "pinned": "Pinned {n}", "pins": "Pinned runs", "unpin": "Unpin",
    "thisRun": "This run", "playedSeconds": "Seconds", "pinsFull": "{most} runs are pinned. Unpin one, then pin again.",
    "queued": "Many runs are open: yours is number {place} in the queue and starts automatically.",
}  # fmt: skip

_board = st.components.v2.component(
    "board",
    js=assets.loader("board.js"),
    css=(assets.STATIC / "board.css").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def live(
    key: str,
    run_id: str,
    charts: Sequence[Chart],
    status: Mapping[str, str],
    *,
    units: Sequence[str] = ("step", "epoch"),
    leader: str = "",
    settings: Mapping[str, str] | None = None,
) -> None:
    """Show the player and the charts of a run. `units` are what its Step can count.

    With a `leader`, another run on the page, the board has no player and follows the leader's. With `settings`, in
    words, its runs can be pinned and compared.
    """
    data = _data(charts) | {"run": run_id, "status": dict(status), "units": list(units), "leader": leader}
    data |= {"settings": None if settings is None else dict(settings)}
    _board(key=key, data=data, on_restart_change=lambda: None)  # the page reruns, and opens a new run


@dataclass(frozen=True)
class Picture:
    """Figures on their way to a still board: the frame's bytes, its number in the session, and the board's own id."""

    frame: bytes
    number: int
    board: str


def ahead(key: str, figures: Mapping[str, Figure]) -> Picture:
    """Send figures to a still board before the rest of its page; give what comes back to `still`.

    The same figures again are the same picture, which is not sent twice.
    """
    shown = session().board(key)
    charts = {name: {"figure": figure} for name, figure in figures.items()}
    digest = hashlib.sha256(encode(charts)).digest()
    is_new = digest != shown.digest
    shown.digest, shown.number = digest, shown.number + is_new
    frame = encode({"charts": charts, "number": shown.number})
    if is_new:
        still_socket.send(shown.board_id, frame)
    return Picture(frame, shown.number, shown.board_id)


def still(
    key: str, charts: Sequence[Chart], picture: Picture, on_pick: Callable[[Any], None] = lambda picked: None
) -> None:
    """Show charts that change only when the page reruns; their nodes and the visitor's zoom stay.

    `on_pick` is called with what the browser sends after a click in a chart that sets knobs.
    """
    sent = {"frame": base64.b64encode(picture.frame).decode(), "number": picture.number, "board": picture.board}
    _board(
        key=key, data=_data(charts) | sent, on_restart_change=lambda: None,
        on_picked_change=lambda: on_pick(st.session_state[key].picked),
    )  # fmt: skip


def _data(charts: Sequence[Chart]) -> dict[str, Any]:
    return {
        "charts": [asdict(chart) for chart in charts],
        "palette": PALETTE,
        "words": WORDS,
        "plotly": assets.url("plotly.min.js"),
        "status": {},
    }
