"""The script of the session's run, written when it is asked for: shown, copied and downloaded."""

from __future__ import annotations

import streamlit as st

from pages.ui.messages import TEXT
from pages.ui.popovers import share_replay
from playground.lesson import Lesson, LiveLesson
from playground.scripts.script import WHY_SAVED, ScriptError


def show(lesson: Lesson) -> bool:
    """Show the script of the lesson's run up to its current step; False where there is none."""
    writer = lesson.script if isinstance(lesson, LiveLesson) else None
    run_history = share_replay.run_history_of(lesson) if writer is not None else None
    if writer is None or run_history is None:
        return False
    script = writer(run_history)
    try:
        text = script.text()
    except ScriptError as error:
        st.caption(str(error))
        return False
    file = f"{lesson.name}.py"
    st.caption(TEXT.script.about.format(steps=run_history.steps, file=file, needs=script.needs, promise=script.promise,
                                        prints=script.prints))  # fmt: skip
    if run_history.saved is not None:
        st.caption(WHY_SAVED[run_history.saved.why].format(step=run_history.start.steps))
    with st.container(horizontal=True):
        st.download_button(TEXT.script.download.format(file=file), text, file_name=file, mime="text/x-python",
                           on_click="ignore")  # fmt: skip
        st.button(TEXT.script.update, key=f"{lesson.name}:script", help=TEXT.script.update_help)
    st.code(text, language="python")
    return True
