"""The script of the session's run, written when it is asked for: shown, copied and downloaded."""

from __future__ import annotations

import streamlit as st

from pages.ui.messages import TEXT
from pages.ui.session import NO_ANSWER, pool, session
from playground.lesson import Lesson, LiveLesson
from playground.workers.operations import WriteScript, WrittenScript


def show(lesson: Lesson) -> bool:
    """Show the script of the lesson's run up to its current step; False where there is none."""
    script = _script_of(lesson) if isinstance(lesson, LiveLesson) and lesson.script is not None else None
    if script is None:
        return False
    if script.refusal:
        st.caption(script.refusal)
        return False
    file = f"{lesson.name}.py"
    st.caption(TEXT.script.about.format(steps=script.steps, file=file, needs=script.needs, promise=script.promise,
                                        prints=script.prints))  # fmt: skip
    if script.why_saved:
        st.caption(script.why_saved)
    with st.container(horizontal=True):
        st.download_button(TEXT.script.download.format(file=file), script.text, file_name=file, mime="text/x-python",
                           on_click="ignore")  # fmt: skip
        st.button(TEXT.script.update, key=f"{lesson.name}:script", help=TEXT.script.update_help)
    st.code(script.text, language="python")
    return True


def _script_of(lesson: LiveLesson) -> WrittenScript | None:
    try:
        return pool().call(session().bench(lesson.name).run_id, WriteScript(lesson.name))
    except (*NO_ANSWER, ValueError):
        return None
