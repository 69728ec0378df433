"""The page every visit starts on: what this is, the lessons in order, and how to use the player."""

import streamlit as st

from pages.ui import emblems, still_lab
from pages.ui.messages import TEXT
from playground.lesson import prose
from playground.lessons import LESSONS, welcome

PROSE = prose("welcome")

what, picture = st.columns([1.15, 1], gap="large")
with what:
    st.title(TEXT.page.app, anchor=False)
    st.markdown(PROSE["Welcome"])
    st.caption(PROSE["What you see here"])
st.header(TEXT.home.lessons, anchor=False)
with st.container(key="lesson-cards"):
    for number, lesson in enumerate(LESSONS.values(), start=1):
        with st.container(key=f"lesson-card-{lesson.name}", border=True, gap=None):
            if lesson.name in emblems.DRAWINGS:
                st.html(emblems.as_html(lesson.name))
            st.page_link(f"{lesson.name}.py", label=TEXT.home.lesson.format(number=number, title=lesson.title))
            st.caption(lesson.sentence)
with st.container(key="prose"):
    st.header(TEXT.home.player, anchor=False)
    st.markdown(PROSE["The player"])
with picture:  # last: the server may just have started, and its workers not yet
    still_lab.show(welcome.BENCH, still_lab.draw(welcome.BENCH, welcome.BENCH.config()), speaks=False)
