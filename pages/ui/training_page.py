"""The anatomy of a lesson's page: header, knobs beside the board, prose, and the way to the next lesson."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages.ui import compare as versus
from pages.ui import knob_widgets as controls
from pages.ui import prose
from pages.ui.messages import quoted
from pages.ui.popovers import save as checkpoints
from pages.ui.popovers import share_replay as replays
from pages.ui.runs import run_of
from playground.knobs import Config
from playground.lesson import Bench, Lesson, LiveLesson

MOST_PROBLEMS = 4  # told at once, however many a link has

Extra = Callable[[str], None]
Below = Callable[[Config], None]


def show(lesson: LiveLesson, extra: Extra | None = None, below: Below | None = None) -> None:
    """The whole page of a lesson that trains.

    `extra` fills the popover "Data" for the run whose id it is given; `below` adds to the charts, for the config.
    """
    _workbench(lesson, extra, below)
    prose.show(lesson)


@st.fragment
def _workbench(lesson: LiveLesson, extra: Extra | None, below: Below | None) -> None:
    """Everything that a turned knob changes; a knob reruns this much of the page and no more."""
    config, problems = controls.read(lesson.name, lesson.config)
    problems = controls.told({lesson.name: config}, problems + replays.follow(lesson, config))
    controls.write_link(lesson.name, {lesson.name: config})
    run_id = run_of(lesson.name, lesson.build, config)
    with header(lesson):
        two = versus.switch(lesson)
        presets(lesson)
        if extra is not None:
            # What takes a browser long to load is sent when it is asked for.
            data = st.popover("Data", key=f"{lesson.name}:data", on_change="rerun")
            if data.open:
                with data:
                    extra(run_id)
        checkpoints.popover(lesson, run_id)
        share(lesson, {lesson.name: config})
    complain(problems)
    charts, knob_column = columns()
    with knob_column:
        controls.show(lesson.name, config)
    with charts:
        versus.boards(lesson, config, run_id, two=two)
        if below is not None:
            below(config)


def header(lesson: Lesson) -> Any:
    """Title and sentence, and beside them what is added inside it."""
    row = st.container(horizontal=True, vertical_alignment="bottom", key="lesson-header")
    with row, st.container(width="stretch"):
        st.title(lesson.title, anchor=False)
        st.caption(lesson.sentence)
    return row


def columns() -> tuple[Any, Any]:
    """The places for charts and for knobs.

    The charts stand first, so that on a narrow screen they come before the knobs; a wide one swaps the two.
    """
    with st.container(key="workbench"):
        charts, knob_column = st.columns([3.4, 1])
    with knob_column:
        return charts, st.container(key="knobs")


def complain(problems: list[str]) -> None:
    """A warning for each of the first few problems."""
    for problem in problems[:MOST_PROBLEMS]:
        st.warning(quoted(problem))


def presets(bench: Bench) -> None:
    """A popover with the settings worth a name."""
    if bench.presets:
        with st.popover("Presets"):
            for title, values in bench.presets.items():
                st.button(title, key=f"{bench.name}:preset:{title}", width="stretch",
                          on_click=controls.choose, args=(bench.name, bench.config(**values)))  # fmt: skip


def share(lesson: Lesson, configs: Mapping[str, Config]) -> None:
    """A popover with the link to exactly these settings, and a teacher's link that hides some of the knobs."""
    popover = st.popover("Share", key=f"{lesson.name}:share", on_change="rerun")
    if not popover.open:
        return
    with popover:
        st.caption("This link opens the lesson with the settings you see now.")
        labels = {name: spec.label for config in configs.values() for name, spec in config.knobs().items()}
        hidden = st.multiselect("Hide from students", list(labels), format_func=labels.get, key=f"{lesson.name}:hide")
        query = {f"{name}_{knob}": text for name, config in configs.items() for knob, text in config.as_texts().items()}
        if hidden:
            query[controls.HIDE] = ",".join(hidden)
        st.code(replays.address(lesson, query), language=None, wrap_lines=True)
        replays.offer(lesson, query)
