"""The page of a lesson that trains: header, knobs beside the board, prose, and the way to the next lesson."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.ui import compare, knob_widgets, layout, prose, turns
from pages.ui.messages import TEXT
from pages.ui.popovers import save, share_replay
from pages.ui.session import run_of
from playground.knobs import Config
from playground.lesson import LiveLesson

DataPopover = Callable[[str], None]
Below = Callable[[Config], None]


def show(lesson: LiveLesson, data: DataPopover | None = None, below: Below | None = None) -> None:
    """The whole page of a lesson that trains.

    `data` fills the popover "Data" for the run whose id it is given; `below` adds to the charts, for the config.
    """
    _workbench(lesson, data, below)
    prose.show(lesson)


@st.fragment
@turns.turn()
def _workbench(lesson: LiveLesson, data: DataPopover | None, below: Below | None) -> None:
    """Everything that a changed knob affects: a fragment, so that a knob reruns this part of the page alone."""
    config, problems = knob_widgets.read(lesson.name, lesson.config)
    problems += share_replay.follow(lesson, config)
    problems = knob_widgets.problems_to_show({lesson.name: config}, problems)
    knob_widgets.write_link(lesson.name, {lesson.name: config})
    run_id = run_of(lesson.name, config)
    with layout.header(lesson):
        two = compare.switch(lesson)
        layout.presets(lesson)
        if data is not None:
            # What a browser needs long to load is sent only when the popover is opened.
            popover = st.popover(TEXT.page.data, key=f"{lesson.name}:data", on_change="rerun")
            if popover.open:
                with popover:
                    data(run_id)
        save.popover(lesson, run_id)
        layout.share(lesson, {lesson.name: config})
    layout.warn(problems)
    charts, knob_column = layout.columns()
    with knob_column:
        knob_widgets.show(lesson.name, config)
    with charts:
        compare.boards(lesson, config, run_id, two=two)
        if below is not None:
            below(config)
