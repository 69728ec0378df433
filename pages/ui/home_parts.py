"""What the home page is made of: the recorded run, the first experiment, and a tile for each lesson."""

from __future__ import annotations

from dataclasses import asdict

import streamlit as st

from pages.ui import emblems, session
from pages.ui.messages import TEXT
from pages.ui.routes.files import assets
from playground.experiments import experiments
from playground.figures.theme import PALETTE
from playground.lesson import Lesson
from playground.lessons import LESSONS, welcome
from playground.questions import questions

FIRST = "regression"  # the lesson that "Start here" opens, with its first experiment

_picture = st.components.v2.component(
    "home",
    js=assets.loader("home.js"),
    css=assets.styles("home_picture.css"),
    isolate_styles=False,
)
_progress = st.components.v2.component("progress", js=assets.loader("questions/on_home.js"), isolate_styles=False)


def picture() -> None:
    """A recorded run as a moving picture: no worker is needed."""
    text, run = TEXT.home, welcome.recorded()
    alt = text.picture.format(units=run.units, points=len(run.x), steps=run.steps)
    words = {"alt": alt, "step": text.step, "play": text.play, "pause": text.pause}
    _picture(key="picture", data={"run": asdict(run), "words": words, "palette": PALETTE})


def start() -> None:
    """The link to the first experiment."""
    query = {f"{FIRST}_try": experiments(LESSONS[FIRST])[0].id}
    st.page_link(f"{FIRST}.py", label=TEXT.home.start, query_params=query, width="stretch")


def classes() -> None:
    """The ways to a live class, whose pages are no pages of Streamlit's."""
    if session.pool().settings.classes:
        text = TEXT.home
        links = f'<a href="./join">{text.join_class}</a> <a href="./class">{text.teach_class}</a>'
        st.html(f'<p class="classes">{links}</p>')


def tile(number: int, lesson: Lesson) -> None:
    """A lesson's drawing, title, number and minutes; all of it is one link."""
    with st.container(key=f"tile-{lesson.name}", gap=None):
        drawing = emblems.as_html(lesson.name) if lesson.name in emblems.DRAWINGS else ""
        st.html(f'<span class="drawing">{drawing}<span class="mark" data-mark="{lesson.name}"></span></span>')
        st.page_link(f"{lesson.name}.py", label=lesson.title)
        st.caption(TEXT.home.minutes.format(number=number, minutes=lesson.minutes))


def progress() -> None:
    """What the visitor's browser keeps of answers: marks on the tiles, and a line to take it away or read it back."""
    text = TEXT.progress
    words = {
        "none": text.none, "sum": text.sum, "sumWithPredictions": text.sum_with_predictions, "save": text.save,
        "read": text.read, "forget": text.forget, "sure": text.sure, "forgotten": text.forgotten,
        "notRead": text.not_read, "wasRead": text.was_read, "notKept": text.not_kept,
        "mark": text.mark, "markWithPredictions": text.mark_with_predictions,
    }  # fmt: skip
    lessons = [{"name": lesson.name, "ids": [each.id for each in questions(lesson)]} for lesson in LESSONS.values()]
    _progress(key="progress", data={"words": words, "lessons": lessons, "session": session.session().name})


def hours() -> str:
    """How long all lessons take together."""
    return TEXT.home.hours.format(hours=round(sum(lesson.minutes for lesson in LESSONS.values()) / 60))
