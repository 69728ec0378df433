"""The script every session runs: the frame around all pages, and which of them is open."""

from pathlib import Path

import streamlit as st

from playground.lessons import LESSONS

ICON = Path(__file__).parent / "ui" / "static" / "icon.png"
STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 1.6rem 1.5rem 3rem; max-width: 110rem; }
section[data-testid="stSidebar"]:not([aria-expanded="false"]) { width: 13rem !important; min-width: 13rem !important; }
[data-testid="stHeader"] { height: 2.2rem; background: transparent; }
.st-key-lesson-header { flex-wrap: wrap; }
.st-key-lesson-header > div:first-child { min-width: 15rem; }
.st-key-lesson-header h1 { padding: 0; font-size: 1.7rem; }
.st-key-workbench > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"] { flex-direction: row-reverse; }
.st-key-knobs { gap: 0.35rem; }
.st-key-prose { max-width: 52rem; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding: 2.8rem 1rem 3rem; } }
</style>"""

st.set_page_config(page_title="PyTorch Playground", page_icon=str(ICON), layout="wide")
st.html(STYLE)
home = st.Page("home.py", title="Home", default=True)
lessons = [st.Page(f"{lesson.name}.py", title=lesson.title) for lesson in LESSONS.values()]
st.navigation({"": [home], "Lessons": lessons}).run()
