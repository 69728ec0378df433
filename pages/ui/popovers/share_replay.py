"""Links that replay a run: offered in "Share a link", and followed when a page is opened with one."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from pages.ui.classroom import locks
from pages.ui.messages import TEXT
from pages.ui.session import NO_ANSWER, pool, replace_run, session
from pages.ui.widgets import knob_widgets
from playground.knobs import Config
from playground.lesson import Lesson, LiveLesson
from playground.saving import replay
from playground.workers.operations import ReplayLink, WriteReplayLink


def address(lesson: Lesson, query: Mapping[str, str]) -> str:
    """The whole address of a lesson's page with these parameters."""
    here = urlsplit(st.context.url or f"/{lesson.name}")
    return urlunsplit(here._replace(query=urlencode(query, safe=":,~"), fragment=""))


def offer(lesson: Lesson, query: Mapping[str, str]) -> None:
    """Show a link that also has the run's current step, or the reason why there is none."""
    link = _link_of(lesson) if isinstance(lesson, LiveLesson) else None
    if link is None:
        return
    if link.refusal:
        st.caption(link.refusal)
        return
    if not link.steps:
        st.caption(TEXT.share.no_steps)
        return
    st.caption(TEXT.share.replay.format(steps=link.steps, checksum=link.checksum))
    others = {name: text for name, text in query.items() if not name.startswith(f"{lesson.name}_")}
    settings = {f"{lesson.name}_{name}": text for name, text in link.settings.items()}
    st.code(address(lesson, settings | others | dict(link.parameters)), language=None, wrap_lines=True)
    st.button(TEXT.share.update, key=f"{lesson.name}:share:again", help=TEXT.share.update_help)


def _link_of(lesson: LiveLesson) -> ReplayLink | None:
    """What a link to the current step of the session's run needs; None without a run that keeps a journal."""
    try:
        return pool().call(session().bench(lesson.name).run_id, WriteReplayLink())
    except (*NO_ANSWER, ValueError):
        return None


def follow(lesson: LiveLesson, config: Config) -> list[str]:
    """Start the replay that the address asks for, if it does; a sentence where that is not possible."""
    at, since, threads = (st.query_params.pop(name, None) for name in (replay.AT, replay.SINCE, replay.THREADS))
    if at is None:
        return []
    refusal = locks.refusal(lesson, _settings_of(lesson, config, since or ""))
    if refusal and not session().bench(lesson.name).is_given:
        return [refusal]
    before = session().bench(lesson.name).run_id
    try:
        run_id = pool().replay(session().name, lesson.name, config, at, since or "", threads or "", replaces=before)
    except NO_ANSWER:
        return [TEXT.share.not_started]
    except ValueError as error:
        return [str(error)]
    replace_run(lesson.name, run_id, config)
    return []


def _settings_of(lesson: LiveLesson, config: Config, since: str) -> set[str]:
    """The settings that a link replays otherwise than the page now has them, at the end or on the way there."""
    asked, _ = lesson.config.parse(knob_widgets.in_address(lesson.name))
    return set(asked.changed_from(config)) | set(replay.changed_settings(since))
