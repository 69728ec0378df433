"""What a link sets apart from knobs: it lasts for the session, although the sidebar's links drop it."""

from __future__ import annotations

import streamlit as st

from pages.ui.classroom import locks
from pages.ui.compare import LINK
from pages.ui.session import session
from pages.ui.widgets.knob_widgets import HIDE
from playground.lessons import LESSONS
from playground.saving import replay

OF_ONE_PAGE = {LINK, replay.AT, replay.SINCE, replay.THREADS}


def keep() -> None:
    """Remember the parameters in the address that are not about one lesson alone, and put back what is missing.

    Above all what a teacher hides. Names that are given one by one are joined.
    """
    kept = session().kept_parameters
    knobs = tuple(f"{name}_" for name in LESSONS)
    for name in st.query_params:
        if name == locks.PARAMETER and locks.stays():
            continue  # who is in a class stays in it until it is left
        if name not in OF_ONE_PAGE and not name.startswith(knobs):
            texts = st.query_params.get_all(name)
            kept[name] = ",".join(texts) if name == HIDE else texts[-1]
    for name, text in kept.items():
        if st.query_params.get_all(name) != [text]:
            st.query_params[name] = text
