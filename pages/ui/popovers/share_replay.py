"""Links that replay a run: offered in the popover "Share", and followed when a page is opened with one."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import CancelledError
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from pages.ui import runs
from pages.ui.routes.live import engine
from playground.engine.engine import UnknownRun
from playground.knobs import Config
from playground.lesson import Lesson, LiveLesson
from playground.runs.journal import Course, Journaled
from playground.saving import replay

GONE = (UnknownRun, CancelledError, TimeoutError)


def address(lesson: Lesson, query: Mapping[str, str]) -> str:
    """The whole address of a lesson's page with these parameters."""
    here = urlsplit(st.context.url or f"/{lesson.name}")
    return urlunsplit(here._replace(query=urlencode(query, safe=":,~"), fragment=""))


def course_of(lesson: Lesson) -> Course | None:
    """How the session's run of a lesson came to its present step; None where there is no run, or none that tells."""
    run_id, _ = st.session_state.get(f"{lesson.name}:run", ("", None))
    try:
        return engine().call(run_id, _course)
    except (*GONE, ValueError):
        return None


def _course(run: Any) -> Course | None:
    return run.course() if isinstance(run, Journaled) else None


def offer(lesson: Lesson, query: Mapping[str, str]) -> None:
    """A link that also carries the present step, or the reason why there is none."""
    course = course_of(lesson) if isinstance(lesson, LiveLesson) else None
    if course is None:
        return
    if not course.steps:
        st.caption("After some steps of training there is also a link that repeats them.")
        return
    try:
        more = replay.parameters(course)
    except replay.ReplayError as error:
        st.caption(str(error))
        return
    found = course.checksum[: replay.CHECKSUM_DIGITS]
    st.caption(f"This link also repeats the training up to step {course.steps:,}, with every knob turned on the way, "
               f"and compares the weights there. Here they have the checksum {found}.")  # fmt: skip
    others = {name: text for name, text in query.items() if not name.startswith(f"{lesson.name}_")}
    settings = {f"{lesson.name}_{name}": text for name, text in course.config.as_texts().items()}
    st.code(address(lesson, settings | others | more), language=None, wrap_lines=True)
    st.button("Link to the present step", key=f"{lesson.name}:share:again", help="The run may have gone on since.")


def follow(lesson: LiveLesson, config: Config) -> list[str]:
    """Begin the replay that the address asks for, if it does; a sentence where that cannot be done."""
    at, since, threads = (st.query_params.pop(name, None) for name in (replay.AT, replay.SINCE, replay.THREADS))
    if at is None:
        return []
    try:
        start, again = replay.read(config, at, since or "", threads or "")
        run = replay.build(lesson.build, start, again, engine().settings)
        runs.put_in_place(lesson.name, run, config, lesson.build)
        engine().command(runs.run_of(lesson.name, lesson.build, config), {"do": "step", "n": again.at, "unit": "step"})
    except UnknownRun:
        pass  # dropped at once; the page opens another
    except ValueError as error:
        return [str(error)]
    return []
