"""The student's own points: a popover to paste, upload, undo, redraw and download the data of a run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from functools import partial
from typing import Any

import streamlit as st

from pages.ui import knob_widgets
from pages.ui.messages import TEXT
from pages.ui.session import engine, session
from playground.data.datasets import DataError
from playground.engine.commands import Undo
from playground.engine.engine import UnknownRun
from playground.lesson import LiveLesson, OwnPoints

GONE = (UnknownRun, CancelledError, TimeoutError)


def popover(lesson: LiveLesson) -> Callable[[str], None]:
    """A function that fills the popover "Data" for a run id, in a lesson whose students bring points of their own."""
    assert lesson.own_points is not None
    return partial(_popover, lesson, lesson.own_points)


def _popover(lesson: LiveLesson, points: OwnPoints, run_id: str) -> None:
    """Paste or upload a CSV, undo, go back to generated points or draw new ones, and download the current ones."""
    text = TEXT.points
    st.caption(points.what)
    pasted = st.text_area(text.paste.format(columns=points.columns), placeholder=points.example,
                          key=f"{lesson.name}:csv", height=110)  # fmt: skip
    uploaded = st.file_uploader(text.upload, type="csv", key=f"{lesson.name}:file")
    with st.container(horizontal=True):
        if st.button(text.use, type="primary", disabled=not (pasted.strip() or uploaded)):
            _learn_from(points, run_id, uploaded.getvalue() if uploaded else pasted.encode())
        if st.button(text.undo):
            engine().command(run_id, Undo())
        if st.button(text.generated):
            _on_run(run_id, lambda run: run.use_rows(None), both=True)
        if points.redraw:
            st.button(text.redraw, on_click=_redraw, args=(lesson, points.redraw), help=text.redraw_help)
    st.download_button(text.download, lambda: _on_run(run_id, lambda run: points.write(run.data)) or "",
                       file_name="points.csv", mime="text/csv", on_click="ignore")  # fmt: skip


def _redraw(lesson: LiveLesson, name: str) -> None:
    """Increase by one the knob that draws other points; after its last value comes 0."""
    config, spec = session().bench(lesson.name).config, lesson.config.knobs()[name]
    if config is not None:
        draw = getattr(config, name) + 1
        knob_widgets.choose(lesson.name, config.with_values(**{name: draw if draw <= (spec.hi or 0) else 0}))


def _learn_from(points: OwnPoints, run_id: str, content: bytes) -> None:
    try:
        rows = points.read(content.decode("utf-8-sig"), engine().settings.max_points)
    except UnicodeDecodeError:
        st.error(TEXT.points.not_utf8)
    except DataError as error:
        st.error(str(error))
    else:
        if _on_run(run_id, lambda run: run.use_rows(rows) or rows, both=True):
            st.success(TEXT.points.used.format(rows=len(rows)))
            if remark := points.remark(rows):
                st.warning(remark)


def _on_run(run_id: str, function: Callable[[Any], Any], *, both: bool = False) -> Any:
    """What the function returns for the run; None, with a sentence on the page, where that fails."""
    try:
        return engine().call(run_id, function, both=both)
    except GONE:
        st.error(TEXT.points.not_ready)
    except ValueError as error:
        st.error(str(error))
    return None
