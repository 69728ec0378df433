"""The script of the session's run, as it is when it is asked for: shown, copied and downloaded."""

from __future__ import annotations

import streamlit as st

from pages.ui.popovers import share_replay as replays
from playground.lesson import Lesson, LiveLesson
from playground.scripts.script import WHY, ScriptError


def show(lesson: Lesson) -> bool:
    """The script of the lesson's run up to its present step; False where there is none to show."""
    writer = lesson.script if isinstance(lesson, LiveLesson) else None
    course = replays.course_of(lesson) if writer is not None else None
    if writer is None or course is None:
        return False
    script = writer(course)
    try:
        text = script.text()
    except ScriptError as error:
        st.caption(str(error))
        return False
    name = f"{lesson.name}.py"
    st.caption(f"This is the run on this page up to step {course.steps:,}. Save it as `{name}` and run it with Python. "
               f"{script.needs} {script.promise} {script.prints}")  # fmt: skip
    if course.saved is not None:
        st.caption(WHY[course.saved.why])
    with st.container(horizontal=True):
        st.download_button(f"Download {name}", text, file_name=name, mime="text/x-python", on_click="ignore")
        st.button("Write it for the present step", key=f"{lesson.name}:script", help="The run may have gone on since.")
    st.code(text, language="python")
    return True
