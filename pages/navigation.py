"""The script every session runs: the frame around all pages, and which of them is open."""

from pathlib import Path

import streamlit as st

from playground.lessons import LESSONS

ICON = Path(__file__).parent / "ui" / "static" / "icon.png"
STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 1.6rem 1.5rem 3rem; max-width: 110rem; }
section[data-testid="stSidebar"]:not([aria-expanded="false"]) { width: 13rem !important; min-width: 13rem !important; }
[data-testid="stSidebarNavLink"] { padding-right: 0.2rem; }
[data-testid="stHeader"] { height: 2.2rem; background: transparent; }
.st-key-lesson-header { flex-wrap: wrap; }
.st-key-lesson-header > div:first-child { min-width: 15rem; }
[data-testid="stMainBlockContainer"] h1 { padding: 0 0 0.2rem; font-size: 1.7rem; }
[data-testid="stMainBlockContainer"] [data-testid="stHeading"] h3 { padding: 0.6rem 0 0.3rem; font-size: 1.25rem; }
.st-key-lesson-cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr));
  align-items: stretch; gap: 0.8rem; }
.st-key-lesson-cards > * { display: flex; }
[class*="st-key-lesson-card-"] { position: relative; flex: 1; }
[class*="st-key-lesson-card-"]:hover { border-color: currentColor; }
[class*="st-key-lesson-card-"] [data-testid="stImage"] { padding-bottom: 0.5rem; }
[class*="st-key-lesson-card-"] [data-testid="stElementToolbar"] { display: none; }
[class*="st-key-lesson-card-"] a { padding: 0; background: none; }
[class*="st-key-lesson-card-"] [data-testid="stElementContainer"] { position: static; }
[class*="st-key-lesson-card-"] a::after { content: ""; position: absolute; inset: 0; }
[class*="st-key-lesson-card-"] a p { font-size: 1rem; }
.st-key-workbench > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"] { flex-direction: row-reverse; }
.st-key-knobs { gap: 0.35rem; }
.st-key-knobs > :not(:first-child) > [class*="-head-"] { padding-top: 0.5rem; }
.st-key-prose { max-width: 52rem; }
.sheet { overflow-x: auto; }
.sheet table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
.sheet th, .sheet td { text-align: left; vertical-align: top; padding: 0.25rem 0.8rem 0.25rem 0; }
.sheet th, .sheet td { border-bottom: 1px solid #8884; }
.sheet code { white-space: pre-wrap; }
@media (max-width: 900px) { [class*="st-key-"][class*="-boards"] { flex-direction: column; } }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding: 2.8rem 1rem 3rem; }
  .st-key-lesson-header > div:first-child { min-width: 100%; } }
</style>"""

st.set_page_config(page_title="PyTorch Playground", page_icon=str(ICON), layout="wide")
st.html(STYLE)
home = st.Page("home.py", title="Home", default=True)
lessons = [st.Page(f"{lesson.name}.py", title=lesson.title) for lesson in LESSONS.values()]
page = st.navigation({"": [home], "Lessons": lessons})
if st.session_state.get("page") != page.url_path:
    st.session_state["arrived"] = True  # from another page, or for the first time; until the page has read its link
    st.session_state["page"] = page.url_path
page.run()
