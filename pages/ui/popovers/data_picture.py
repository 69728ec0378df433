"""A picture of a digit from the visitor's own camera or disk, for a run that looks at images."""

from __future__ import annotations

import streamlit as st

from pages.ui.messages import TEXT, quoted
from pages.ui.popovers import upload
from pages.ui.session import NO_ANSWER, Upload, pool, session, why_not
from playground.lessons.cnn.drawing import uploads
from playground.workers.operations import UsePicture

KEY = "picture"  # of the widget that takes the file


def expander(run_id: str) -> None:
    """A part of the group Data: a field for a picture, which becomes the image that the run looks at."""
    place = st.expander(TEXT.picture.title, key=f"{KEY}:data", on_change="rerun")
    if place.open:
        with place:
            _content(run_id)


def _content(run_id: str) -> None:
    st.caption(TEXT.picture.about)
    uploaded = upload.field(TEXT.picture.upload, ["png", "jpg", "jpeg"], key=KEY, on_change=_use, args=(run_id,),
                            megabytes=uploads.MAX_BYTES // 1_000_000)  # fmt: skip
    result = session().uploads.get(KEY)
    if uploaded is not None and result is not None:
        if result.accepted:
            st.success(result.sentence)
        else:
            st.error(quoted(result.sentence))


def _use(run_id: str) -> None:
    uploaded = st.session_state.get(KEY)
    if uploaded is None:
        return
    try:
        pool().call(run_id, UsePicture(uploads.read(uploaded.getvalue())))
    except (*NO_ANSWER, ValueError) as error:
        result = Upload(False, why_not(error))
    else:
        result = Upload(True, TEXT.picture.used)
    session().uploads[KEY] = result
