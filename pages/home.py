"""The page every visit starts on: what this is, the lessons in order, and how to use the player."""

import streamlit as st

from pages.ui import board
from pages.ui.emblems import DRAWINGS, SIZE, emblem
from playground.lesson import prose
from playground.lessons import LESSONS, welcome

WORDS = prose("welcome")

what, picture = st.columns([1.15, 1], gap="large")
with what:
    st.title("PyTorch Playground", anchor=False)
    st.markdown(WORDS["Welcome"])
    st.caption(WORDS["What you see here"])
with picture:
    board.still("home:board", welcome.CHARTS, board.ahead("home:board", welcome.picture()))
st.subheader("The lessons", anchor=False)
with st.container(key="lesson-cards"):
    for number, lesson in enumerate(LESSONS.values(), start=1):
        with st.container(key=f"lesson-card-{lesson.name}", border=True, gap=None):
            if lesson.name in DRAWINGS:
                st.image(emblem(lesson.name), width=SIZE[0])
            st.page_link(f"{lesson.name}.py", label=f"**{number} · {lesson.title}**")
            st.caption(lesson.sentence)
with st.container(key="prose"):
    st.subheader("The player", anchor=False)
    st.markdown(WORDS["The player"])
