"""The student's own points: a popover to paste, upload, undo, draw anew and download the data of a run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from functools import partial
from typing import Any

import streamlit as st

from pages.ui import knob_widgets as controls
from pages.ui.routes.live import engine
from playground.data.datasets import DataError
from playground.engine.engine import UnknownRun
from playground.lesson import LiveLesson, OwnPoints

GONE = (UnknownRun, CancelledError, TimeoutError)


def popover(lesson: LiveLesson) -> Callable[[str], None]:
    """What fills the popover "Data" of a lesson whose students bring points of their own, given the run's id."""
    assert lesson.own_points is not None
    return partial(_popover, lesson, lesson.own_points)


def _popover(lesson: LiveLesson, points: OwnPoints, run_id: str) -> None:
    """Paste or upload a CSV, undo, go back to the generated points or draw others, and take the present ones away."""
    st.caption(points.what)
    pasted = st.text_area(f"Paste rows of {points.columns}", placeholder=points.example, key=f"{lesson.name}:csv",
                          height=110)  # fmt: skip
    uploaded = st.file_uploader("or upload a CSV", type="csv", key=f"{lesson.name}:file")
    with st.container(horizontal=True):
        if st.button("Use these points", type="primary", disabled=not (pasted.strip() or uploaded)):
            _learn_from(points, run_id, uploaded.getvalue() if uploaded else pasted.encode())
        if st.button("Undo last click"):
            engine().command(run_id, {"do": "undo"})
        if st.button("Back to generated points"):
            _on_run(run_id, lambda run: run.use_rows(None))
        if points.redraw:
            st.button("New points", on_click=_redraw, args=(lesson, points.redraw),
                      help="Draws others, of a table another test split. The model goes on as it is.")  # fmt: skip
    st.download_button("Download the points", lambda: _on_run(run_id, lambda run: points.write(run.data)) or "",
                       file_name="points.csv", mime="text/csv", on_click="ignore")  # fmt: skip


def _redraw(lesson: LiveLesson, name: str) -> None:
    """Turn the knob that draws other points on by one; after its last value comes the first."""
    config, spec = st.session_state[f"{lesson.name}:config"], lesson.config.knobs()[name]
    draw = getattr(config, name) + 1
    controls.choose(lesson.name, config.with_values(**{name: draw if draw <= (spec.hi or 0) else 0}))


def _learn_from(points: OwnPoints, run_id: str, content: bytes) -> None:
    try:
        rows = points.read(content.decode("utf-8-sig"), engine().settings.max_points)
    except UnicodeDecodeError:
        st.error("The file is not text in UTF-8. Save it as CSV (UTF-8) and upload it again.")
    except DataError as error:
        st.error(str(error))
    else:
        if _on_run(run_id, lambda run: run.use_rows(rows) or rows):
            st.success(f"{len(rows):,} rows in use.")
            if remark := points.remark(rows):
                st.warning(remark)


def _on_run(run_id: str, function: Callable[[Any], Any]) -> Any:
    """What the function gives for the run; None, with a sentence on the page, where it gives nothing."""
    try:
        return engine().call(run_id, function)
    except GONE:
        st.error("The run is not ready. Press Reset, then try again.")
    except ValueError as error:
        st.error(str(error))
    return None
