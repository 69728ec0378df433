"""The student's own points: a popover to paste, upload, undo and download the data of a run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any

import streamlit as st

from pages.ui.stream import engine
from playground.datasets import DataError, read_csv, write_csv
from playground.engine import UnknownRun

WHAT = "Click on the fit to add a point; shift-click removes the nearest. Or learn from your own table:"
GONE = (UnknownRun, CancelledError, TimeoutError)


def popover(run_id: str) -> None:
    """The student's own points: paste or upload a CSV, undo, go back, and take the present points away."""
    st.caption(WHAT)
    pasted = st.text_area("Paste rows of x,y", placeholder="0.1, 0.4\n0.2, 0.3", key="regression:csv", height=110)
    uploaded = st.file_uploader("or upload a CSV", type="csv", key="regression:file")
    with st.container(horizontal=True):
        if st.button("Use these points", type="primary", disabled=not (pasted.strip() or uploaded)):
            _learn_from(run_id, uploaded.getvalue() if uploaded else pasted.encode())
        if st.button("Undo last click"):
            engine().command(run_id, {"do": "undo"})
        if st.button("Back to generated points"):
            _on_run(run_id, lambda run: run.use_rows(None))
    st.download_button("Download the points", lambda: _on_run(run_id, lambda run: write_csv(run.data)) or "",
                       file_name="points.csv", mime="text/csv", on_click="ignore")  # fmt: skip


def _learn_from(run_id: str, content: bytes) -> None:
    try:
        rows = read_csv(content.decode("utf-8-sig"), engine().settings.max_points)
    except UnicodeDecodeError:
        st.error("The file is not text in UTF-8. Save it as CSV (UTF-8) and upload it again.")
    except DataError as error:
        st.error(str(error))
    else:
        _on_run(run_id, lambda run: run.use_rows(rows))
        st.success(f"{len(rows):,} rows in use.")


def _on_run(run_id: str, function: Callable[[Any], Any]) -> Any:
    try:
        return engine().call(run_id, function)
    except GONE:
        st.error("The run is not ready. Press Reset, then try again.")
        return None
