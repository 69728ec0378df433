"""The script every session runs: the frame around all pages, and which of them is open."""

from pathlib import Path

import streamlit as st

from pages.ui import compare, layout, link, turns
from pages.ui.classroom import in_class
from pages.ui.messages import TEXT
from pages.ui.session import session
from playground.lessons import LESSONS

STATIC = Path(__file__).parent / "ui" / "static"

ICON = str(STATIC / "icon.png")

st.set_page_config(page_title=TEXT.page.app, page_icon=ICON, layout="wide")
st.html(STATIC / "styles" / "page.css")
home = st.Page("home.py", title=TEXT.page.home, default=True)
lessons = [st.Page(f"{lesson.name}.py", title=lesson.title) for lesson in LESSONS.values()]
page = st.navigation({"": [home], TEXT.page.lessons: lessons})
if page != home:
    st.set_page_config(page_title=TEXT.page.title.format(page=page.title, app=TEXT.page.app))
if session().page != page.url_path:
    session().arrived = True  # from another page, or for the first time; until the page has read its link
    session().page = page.url_path
    compare.reopen(page.url_path)
link.keep()
in_class.follow({page.url_path: page for page in [home, *lessons]}, page.url_path)
with turns.turn():
    if page == home:
        layout.large_type()
    page.run()
in_class.report(page.url_path)
