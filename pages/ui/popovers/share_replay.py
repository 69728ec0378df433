"""Links that replay a run: offered in the popover "Share", and followed when a page is opened with one."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import CancelledError
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from pages.ui.messages import TEXT
from pages.ui.session import engine, replace_run, run_of, session
from playground.engine.commands import Step
from playground.engine.engine import UnknownRun
from playground.knobs import Config
from playground.lesson import Lesson, LiveLesson
from playground.runs.journal import RunHistory
from playground.runs.training_run import TrainingRun
from playground.saving import replay

GONE = (UnknownRun, CancelledError, TimeoutError)


def address(lesson: Lesson, query: Mapping[str, str]) -> str:
    """The whole address of a lesson's page with these parameters."""
    here = urlsplit(st.context.url or f"/{lesson.name}")
    return urlunsplit(here._replace(query=urlencode(query, safe=":,~"), fragment=""))


def run_history_of(lesson: Lesson) -> RunHistory | None:
    """How the session's run of a lesson came to its current step; None without a run that keeps a journal."""
    try:
        return engine().call(session().bench(lesson.name).run_id, _run_history)
    except (*GONE, ValueError):
        return None


def _run_history(run: Any) -> RunHistory | None:
    return run.run_history() if isinstance(run, TrainingRun) else None


def offer(lesson: Lesson, query: Mapping[str, str]) -> None:
    """Show a link that also has the run's current step, or the reason why there is none."""
    run_history = run_history_of(lesson) if isinstance(lesson, LiveLesson) else None
    if run_history is None:
        return
    if not run_history.steps:
        st.caption(TEXT.share.no_steps)
        return
    try:
        more = replay.parameters(run_history)
    except replay.ReplayError as error:
        st.caption(str(error))
        return
    checksum = run_history.checksum[: replay.CHECKSUM_DIGITS]
    st.caption(TEXT.share.replay.format(steps=run_history.steps, checksum=checksum))
    others = {name: text for name, text in query.items() if not name.startswith(f"{lesson.name}_")}
    settings = {f"{lesson.name}_{name}": text for name, text in run_history.config.as_texts().items()}
    st.code(address(lesson, settings | others | more), language=None, wrap_lines=True)
    st.button(TEXT.share.update, key=f"{lesson.name}:share:again", help=TEXT.share.update_help)


def follow(lesson: LiveLesson, config: Config) -> list[str]:
    """Start the replay that the address asks for, if it does; a sentence where that is not possible."""
    at, since, threads = (st.query_params.pop(name, None) for name in (replay.AT, replay.SINCE, replay.THREADS))
    if at is None:
        return []
    try:
        start, again = replay.read(config, at, since or "", threads or "")
        run = replay.build(lesson.build, start, again, engine().settings)
        replace_run(lesson.name, run, config, lesson.build)
        engine().command(run_of(lesson.name, lesson.build, config), Step(again.at))
    except UnknownRun:
        pass  # closed at once; the page opens another
    except ValueError as error:
        return [str(error)]
    return []
