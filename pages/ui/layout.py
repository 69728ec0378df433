"""What every lesson's page has: header, columns for charts and knobs, warnings, presets and the popover "Share"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.ui import knob_widgets
from pages.ui.messages import TEXT, quoted
from pages.ui.popovers import share_replay
from playground.knobs import Config
from playground.lesson import Bench, Lesson

MAX_PROBLEMS = 4  # shown at once, however many a link has


def header(lesson: Lesson) -> Any:
    """The row with title and sentence; what is added inside it appears beside them."""
    row = st.container(horizontal=True, vertical_alignment="bottom", key="lesson-header")
    with row, st.container(width="stretch"):
        st.title(lesson.title, anchor=False)
        st.caption(lesson.sentence)
    return row


def columns() -> tuple[Any, Any]:
    """The places for charts and for knobs.

    The charts come first in the page, so that on a narrow screen they are above the knobs; a wide one swaps the two.
    """
    with st.container(key="workbench"):
        charts, knob_column = st.columns([3.4, 1])
    with knob_column:
        return charts, st.container(key="knobs")


def warn(problems: list[str]) -> None:
    """A warning for each of the first few problems."""
    for problem in problems[:MAX_PROBLEMS]:
        st.warning(quoted(problem))


def presets(bench: Bench) -> None:
    """A popover with the named settings of a lesson or lab."""
    if bench.presets:
        with st.popover(TEXT.page.presets):
            for title, values in bench.presets.items():
                st.button(title, key=f"{bench.name}:preset:{title}", width="stretch",
                          on_click=knob_widgets.choose, args=(bench.name, bench.config(**values)))  # fmt: skip


def share(lesson: Lesson, configs: Mapping[str, Config]) -> None:
    """A popover with the link to exactly these settings, and a teacher's link that hides some of the knobs."""
    popover = st.popover(TEXT.share.popover, key=f"{lesson.name}:share", on_change="rerun")
    if not popover.open:
        return
    with popover:
        st.caption(TEXT.share.settings)
        labels = {name: spec.label for config in configs.values() for name, spec in config.knobs().items()}
        hidden = st.multiselect(TEXT.share.hide, list(labels), format_func=labels.get, key=f"{lesson.name}:hide")
        query = {f"{name}_{knob}": text for name, config in configs.items() for knob, text in config.as_texts().items()}
        if hidden:
            query[knob_widgets.HIDE] = ",".join(hidden)
        st.code(share_replay.address(lesson, query), language=None, wrap_lines=True)
        share_replay.offer(lesson, query)
