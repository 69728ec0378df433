"""The page every visit starts on: what this is, the lessons in order, and how to use the player."""

import streamlit as st

from pages.ui import board
from playground.lesson import prose
from playground.lessons import LESSONS, welcome

WORDS = prose("welcome")

st.title("PyTorch Playground", anchor=False)
what, picture = st.columns([1.15, 1], gap="large")
with what:
    st.markdown(WORDS["Welcome"])
    st.subheader("The lessons", anchor=False)
    for number, lesson in enumerate(LESSONS.values(), start=1):
        with st.container(key=f"lesson-card-{lesson.name}", gap=None):
            st.page_link(f"{lesson.name}.py", label=f"**{number} · {lesson.title}**")
            st.caption(lesson.sentence)
with picture:
    board.still("home:board", welcome.CHARTS, board.ahead("home:board", welcome.picture()))
    st.caption(WORDS["What you see here"])
with st.container(key="prose"):
    st.subheader("The player", anchor=False)
    st.markdown(WORDS["The player"])
