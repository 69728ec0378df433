"""A picture of a digit from the visitor's own camera or disk, for a run that looks at images."""

from __future__ import annotations

from concurrent.futures import CancelledError

import streamlit as st

from pages.ui.messages import quoted
from pages.ui.routes.live import engine
from playground.engine.engine import UnknownRun
from playground.lessons.cnn.drawing import uploads as pictures

KEY = "picture"
NOT_READY = "The run is not ready. Press Reset, then try again."
IN_USE = "The picture is in use. Open **Draw** to see what is made of it; **Clear** on the drawing pad goes back."


def upload(run_id: str) -> None:
    """What fills the popover "Data": a field for a picture, which becomes the image that the run looks at."""
    st.caption("A photograph or a scan of one digit that you wrote: dark on light paper or light on dark, with nothing "
               "else on it.")  # fmt: skip
    uploaded = st.file_uploader("Upload a digit (PNG or JPEG)", ["png", "jpg", "jpeg"], key=KEY, on_change=_use,
                                args=(run_id,), max_upload_size=pictures.MOST_BYTES // 1_000_000)  # fmt: skip
    worked, told = st.session_state.get(f"{KEY}:told", (True, ""))
    if uploaded is not None and told:
        if worked:
            st.success(told)
        else:
            st.error(quoted(told))


def _use(run_id: str) -> None:
    uploaded = st.session_state.get(KEY)
    if uploaded is None:
        return
    try:
        grey = pictures.read(uploaded.getvalue())
        engine().call(run_id, lambda run: run.use_picture(grey))  # type: ignore[attr-defined]
    except (UnknownRun, CancelledError, TimeoutError):
        told = (False, NOT_READY)
    except ValueError as error:
        told = (False, str(error))
    else:
        told = (True, IN_USE)
    st.session_state[f"{KEY}:told"] = told
