"""The page every visit starts on: a model that learns, where to start, and the lessons in order."""

from pathlib import Path

import streamlit as st

from pages.ui import home_parts
from pages.ui.messages import TEXT
from playground.lesson import prose
from playground.lessons import LESSONS

PROSE = prose("welcome")

st.html(Path(__file__).parent / "ui" / "static" / "styles" / "home.css")
with st.container(key="home"), st.container(key="home-screen", gap=None):
    with st.container(key="home-words", gap=None):
        st.title(TEXT.home.title, anchor=False)
        st.markdown(PROSE["Welcome"])
        home_parts.start()
        st.caption(TEXT.home.start_with)
        home_parts.classes()
    with st.container(key="home-picture"):
        home_parts.picture()
    with st.container(key="home-head", horizontal=True, gap=None):
        st.header(TEXT.home.lessons, anchor=False)
        st.caption(home_parts.hours(), width="content")
    with st.container(key="tiles", gap=None):
        for number, lesson in enumerate(LESSONS.values(), start=1):
            home_parts.tile(number, lesson)
with st.container(key="home-more"):
    home_parts.progress()
    st.caption(PROSE["More"])
