"""The board: charts that are updated in place, still (a frame given with the page) or live (the stream of a run)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from pages.ui.messages import TEXT
from pages.ui.routes import still as still_socket
from pages.ui.routes.files import assets
from pages.ui.routes.live import LOST
from pages.ui.session import session
from playground.figures.theme import PALETTE
from playground.lesson import Chart
from playground.workers.wire import DrawnLab

WORDS = {
    "player": "Player", "play": "Play", "pause": "Pause", "playKey": "space", "step": "Step", "reset": "Reset",
    "stepCount": "Steps or epochs to take", "stepCountBlank": "Type how many: a whole number from 1 to {most}.",
    "stepCountBad": "“{value}” is not a whole number from 1 to {most}.", "stepUnit": "Unit of a step",
    "units": {"step": "batches", "epoch": "epochs", "line": "lines of the step"},
    "nextLine": "Next line", "line": "Line",
    "speed": "Speed", "speedShort": "Speed", "speedAuto": "Auto", "speedSteps": "{n} steps/s", "speedFull": "Full",
    "time": "Time: look back at earlier steps",
    "now": "Now", "goBack": "Go back to step {step}", "moment": "step {step}",
    "keyOf": "{name} ({key})", "stepTitle": "Step (Shift+Enter or a long press: several)",
    "severalSteps": "Several steps", "takeSteps": "Take them", "pace": "steps/s", "allSettings": "All settings",
    "locked": "Locked by the teacher", "inQueue": "in line: {place}", "queueTitle": "Number {place} in line",
    "queueHint": "Many runs train at once. Yours starts automatically.", "lastPicture": "The last picture stays.",
    "startAgain": "Start again", "startAgainLower": "Start again with learning rate {rate}",
    "startAgainSwitched": "Start again with “{label}” on",
    "notFinite": "✕ The loss is not finite",
    "stripHint": "{title} over the steps is drawn here. Drag along it to look back.",
    "plainHint": "Drag along this line to look back.", "stepsWord": "{n} steps", "unitsWord": "{n} {unit}",
    "branch": "Continue from here",
    "branchHelp": "Training continues from this step; the optimizer begins with empty state. The run as it is now "
    "stays beside it, dashed, so that both can be compared.",
    "notches": "Changes of settings", "notch": "Step {step}: {text}",
    "resetZoom": "Reset zoom", "png": "Save as PNG",
    "csv": "Save data as CSV", "fullScreen": "Full screen", "reconnecting": "The connection was lost. Reconnecting …",
    "blocked": TEXT.page.blocked,
    "reloaded": "The page was loaded again, so the run starts at step 0. Before: step {step}.",
    "lost": LOST,
    "comingBack": "The server no longer has this run. Bringing it back …",
    "notBack": "The server no longer has this run, so it starts at step 0. {why}",
    "notSent": "What the browser kept of it did not reach the server.",
    "notStored": "This browser stores no data for this site, so no run comes back after the page was loaded again.",
    "forgotten": "The server no longer knows this page's settings. The run continues; reload the page to change them.",
    "weights": "Set weights by hand", "unit": "Unit", "bias": "Bias", "weightFrom": "Weight from {source}",
    "undo": "Undo", "close": "Close",
    "thumbs": "Small pictures: one opens in the place of a large one", "allPictures": "All pictures",
    "menu": "More about this picture", "exchange": "Change places with the other large picture",
    "pad": "Drawing pad. Arrow keys move the pen, space puts it down and lifts it, Backspace undoes, Delete clears.",
    "padHint": "Draw with mouse, finger or pen; or with arrow keys and space.",
    "penDown": "The pen is down: arrow keys draw, space lifts it.",
    "clear": "Clear", "penWidth": "Width of the pen", "penWidths": ["Thin", "Medium", "Thick"],
    "pin": "Pin this run, to compare others with it", "pinned": "Pinned {n}", "pins": "Pinned runs", "unpin": "Unpin",
    "rail": "Experiments", "railEarlier": "Earlier experiment", "railLater": "Later experiment", "railOf": "of {count}",
    "railWhich": "Experiment {number} of {count}: {title}. Show all", "railAll": "All experiments",
    "railInOrder": "Experiments, in order", "railSet": "set up now", "railTried": "tried",
    "railSetUp": ["Set up", "Set up and run"], "railAgain": ["Set up again", "Run again"],  # without a run, with one
    "railNext": "Next",
    # The question before an experiment runs.
    "predictSkip": "Skip", "predictRequired": "Your answer starts the run",
    "predictWaits": "The run waits for your answer.",
    "predictLine": "Your prediction", "predictGap": "Prediction and truth",
    "said": "Your answer: {answer}", "saidCurve": "Your curve is the dashed line.",
    "predictRight": "✓ Right.", "predictWrong": "✗ Not this time.", "whyRight": "✓ Yes.", "whyWrong": "✗ No.",
    "predictChanged": "The settings have changed since your answer, so this run cannot show whether it is right.",
    "predictLate": "The server did not answer in time, so your answer was not compared. Run it again.",
    "numberAnswer": "Your answer", "numberSubmit": "Answer", "numberRange": "{lo} to {hi} {unit}",
    "numberBlank": "Type a number from {lo} to {hi} first.",
    "numberBad": "“{value}” is not a number from {lo} to {hi}.",
    "curveSubmit": "Done", "curveHint": "Draw it in “{title}”, from left to right.",
    "curveMore": "Draw over it to change it.",
    "sketch": "Draw a curve in {title}. Left and right move along, up and down change the height, with Shift in small "
    "steps; Backspace undoes, Delete clears, Enter is done.",
    "network": {
        "data": "Data sets", "chooseData": "Data: {name}. Choose another", "redraw": "New points",
        "own": "Your own points …", "inputs": "Choose the inputs", "addInput": "± input",
        "dense": {"unit": "a unit", "layer": "a hidden layer"},
        "convolution": {"unit": "a filter", "layer": "a convolution layer"},
        "less": "Remove {what}: {knob}", "more": "Add {what}: {knob}",
        "layers": "{n} layers", "oneLayer": "1 layer", "brush": "Class of added points", "brushLabel": "Add",
        "brushClass": "Add points of class {label}",
    },
    "racers": {
        "add": "+ racer", "own": "Your own entry …", "remove": "Take {name} out of the race",
        "inside": "Look inside {name}",
    },
    "script": {
        "line": "Line {n}: {code}", "choices": "Changes to try", "answers": "Your answer",
        "signs": {"+": "put in", "−": "taken out"},
        "marks": {"wrong": "not the fault", "fault": "the fault", "error": "raised the error", "now": "ran last"},
        "states": {"no": "Did not help", "yes": "Cured", "running": "Running"},
    },
    "image": {
        "image": "Test image", "short": "image", "earlier": "The test image before", "later": "The next test image",
    },
    "axes": {
        "smaller": "{name}, axis {axis}: smaller", "larger": "{name}, axis {axis}: larger",
        "add": "{name}: one more axis",
    },
    "curtain": "Curtain between the two runs: the first at its left, the second at its right",
    "thisRun": "This run", "playedSeconds": "Seconds", "pinsFull": "{most} runs are pinned. Unpin one, then pin again.",
    "noCharts": "The chart library did not load. Reload the page.",
    "pinsNotKept": "This browser stores no data for this site: pinned runs last until you reload or close the page.",
    "tryAgain": "Try again",
    "largeNotKept": "This browser stores no data for this site: the larger type lasts until you reload the page.",
    "queued": "Many runs train at once: yours is number {place} in the queue and starts automatically.",
    "cursor": "Cursor in {title}. Arrow keys move it, with Shift in small steps. {acts}",
    "cursorActs": {
        "add": "Enter adds a point; Shift and Enter removes the nearest.", "pick": "Enter picks the place.",
        "turns": "Enter sets the settings to the place.", "magnify": "What is under it is shown larger beside.",
        "explain": "Alt and Enter explains the place.",
    },
    "cursorAt": "{x}, {y}", "cursorDone": "Chosen: {x}, {y}", "cursorOutside": "Edge of the chart: {x}, {y}",
    # What a chart shows, for screen readers; each is a sentence of its own.
    "alt": {
        "axes": "Horizontal axis: {x}. Vertical axis: {y}.",
        "constant": "{name}: stays at {first}.",
        "falls_still": "{name}: falls from {first} to {last}, still falling at the end.",
        "falls_level": "{name}: falls from {first} to {last}, level at the end.",
        "falls_turned": "{name}: falls from {first} to {last}, rising at the end.",
        "rises_still": "{name}: rises from {first} to {last}, still rising at the end.",
        "rises_level": "{name}: rises from {first} to {last}, level at the end.",
        "rises_turned": "{name}: rises from {first} to {last}, falling at the end.",
        "valley": "{name}: falls from {first} to {low} at {at}, then rises to {last}.",
        "hill": "{name}: rises from {first} to {high} at {at}, then falls to {last}.",
        "wave": "{name}: from {first} to {last}, up and down between {low} at {lowAt} and {high} at {highAt}.",
        "path": "{name}: a path of {count} points from ({x0}, {y0}) to ({x1}, {y1}).",
        "lines": "{name}: {count} separate lines.",
        "point": "{name}: one point at ({x}, {y}).",
        "points": "{name}: {count} points, across from {left} to {right}, up from {low} to {high}.",
        "list": "{name}: {items}.",
        "bars": "{name}: {count} bars, lowest {low} at {lowAt}, highest {high} at {highAt}.",
        "cells": "Cells", "table": "{name}, {rows} × {columns}: {items}.",
        "rows": "{columns}: {items}.", "long_table": "A table of {count} rows: {columns}.",
        "group": "{key}: {name} from {low} at {lowAt} to {high} at {highAt}.",
        "extremes": "{name}: from {low} at {lowAt} to {high} at {highAt}.",
        "empty": "{name}, {rows} × {columns}: no numbers.",
        "matrix": "{name}, {rows} × {columns}: from {low} to {high}, which is at {x}, {y}.",
        "map": "An image of {rows} × {columns} pixels.", "maps": "{count} images of {rows} × {columns} pixels.",
        "gaps": "{said} No number in {count} of its rows.", "named": "{name}: {said}",
        "drawing": "A drawing with {points} marked points. Words in it: {items}.",
        "plane": "Coloured plane: {shares}.", "share": "{cls} on {share} %", "class": "class {cls}",
        "layer": "Layer {at}: units: {units}; weights from {low} to {high}.",
    },
}  # fmt: skip

_board = st.components.v2.component(
    "board",
    js=assets.loader("board.js"),  # its styles are in the page's head
    isolate_styles=False,
)


def live_data(
    charts: Sequence[Chart],
    status: Mapping[str, str],
    *,
    units: Sequence[str] = ("step", "epoch"),
    unit_names: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    knobs: Sequence[Mapping[str, Any]] = (),
    rail: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a live board needs to know before it has a run; the arguments are those of `live`."""
    words = {"status": dict(status), "units": list(units), "settings": None if settings is None else dict(settings)}
    return _data(charts, knobs, rail) | words | {"unitNames": {**WORDS["units"], **(unit_names or {})}}


def live(
    key: str,
    run_id: str,
    charts: Sequence[Chart],
    status: Mapping[str, str],
    *,
    units: Sequence[str] = ("step", "epoch"),
    unit_names: Mapping[str, str] | None = None,
    second: str = "",
    compares: bool = False,
    settings: Mapping[str, str] | None = None,
    knobs: Sequence[Mapping[str, Any]] = (),
    rail: Mapping[str, Any] | None = None,
    on_pick: Callable[[Any], None] = lambda picked: None,
    on_turn: Callable[[Any], None] = lambda turned: None,
    on_try: Callable[[Any], None] = lambda tried: None,
    on_continue: Callable[[Any], None] | None = None,
) -> None:
    """Show the player and the charts of a run. `units` are what its Step can count, `unit_names` their words.

    A `second` run, compared with it, is shown in the same pictures; `compares` if a form for that stands above the
    board. With `settings`, in words, its runs can be pinned. `on_pick` is called with what the browser sends after a
    click in a chart that sets knobs, `on_turn` after one of the `knobs` was turned, and `on_try` after an experiment of
    the `rail` was chosen. Where a run can be compared with itself as it was, `on_continue` is called when it is to
    continue from an earlier step.
    """
    data = live_data(charts, status, units=units, unit_names=unit_names, settings=settings, knobs=knobs, rail=rail)
    data |= {
        "bench": key.removesuffix(":board"),
        "run": run_id,
        "second": second,
        "compares": compares,
        "session": session().name,
    }
    data["continues"] = on_continue is not None
    _board(
        key=key, data=data,
        on_restart_change=lambda: None,  # the page reruns, and opens a new run
        on_picked_change=lambda: on_pick(st.session_state[key].picked),
        on_turned_change=lambda: on_turn(st.session_state[key].turned),
        on_tried_change=lambda: on_try(st.session_state[key].tried),
        on_continued_change=lambda: None if on_continue is None else on_continue(st.session_state[key].continued),
    )  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """Charts on their way to a still board: the frame's bytes, its number in the session, and the board's own id."""

    frame: bytes
    number: int
    board: str


def ahead(key: str, drawn: DrawnLab) -> Picture:
    """Send what was drawn to a still board before the rest of its page; give what comes back to `still`.

    The same figures again are the same picture, which is not sent twice.
    """
    shown = session().board(key)
    if shown.take(drawn):
        still_socket.send(shown.board_id, drawn.frame)
    return Picture(drawn.frame, drawn.number, shown.board_id)


@dataclass(frozen=True)
class LabText:
    """What a still board says: code and its answer as text, a note and tables as HTML.

    A `refusal` says why nothing can be drawn; if that came `late`, the next try may succeed.
    """

    line: str = ""
    answer: str = ""
    note: str = ""
    tables: str = ""
    refusal: str = ""
    late: bool = False


def still_data(
    charts: Sequence[Chart], text: LabText, knobs: Sequence[Mapping[str, Any]], rail: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The data of a still board, without its picture."""
    return _data(charts, knobs, rail) | {"lab": asdict(text)}


def still(
    key: str,
    charts: Sequence[Chart],
    picture: Picture | None,
    text: LabText,
    on_pick: Callable[[Any], None] = lambda picked: None,
    *,
    knobs: Sequence[Mapping[str, Any]] = (),
    rail: Mapping[str, Any] | None = None,
    on_turn: Callable[[Any], None] = lambda turned: None,
    on_try: Callable[[Any], None] = lambda tried: None,
    speaks: bool = False,
) -> None:
    """Show charts that change only when the page reruns; their nodes and the visitor's zoom stay.

    Without a picture the board keeps its last one. The callbacks are those of `live`. A board that `speaks` has screen
    readers say what its charts show that is new.
    """
    sent: dict[str, Any] = {"speaks": speaks, "session": session().name}
    if picture is not None:
        frame = base64.b64encode(picture.frame).decode()
        sent |= {"frame": frame, "number": picture.number, "board": picture.board}
    _board(
        key=key, data=still_data(charts, text, knobs, rail) | sent, on_restart_change=lambda: None,
        on_again_change=lambda: None,  # the page reruns, and has it drawn again
        on_picked_change=lambda: on_pick(st.session_state[key].picked),
        on_turned_change=lambda: on_turn(st.session_state[key].turned),
        on_tried_change=lambda: on_try(st.session_state[key].tried),
    )  # fmt: skip


def _data(
    charts: Sequence[Chart], knobs: Sequence[Mapping[str, Any]], rail: Mapping[str, Any] | None
) -> dict[str, Any]:
    return {
        "charts": [asdict(chart) | {"turns": chart.knobs_set_by_click} for chart in charts],
        "knobs": [dict(each) for each in knobs],
        "rail": None if rail is None else dict(rail),
        "palette": PALETTE,
        "words": WORDS,
        "plotly": assets.url(assets.PLOTLY),
        "status": {},
    }
