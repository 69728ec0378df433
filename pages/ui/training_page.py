"""The page of a lesson that trains: title row, drawer, board, prose, and the way to the next lesson."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.ui import compare, layout, prose, rail, turns
from pages.ui.popovers import save, share_replay
from pages.ui.session import run_of
from pages.ui.widgets import knob_widgets
from playground.knobs import Config
from playground.lesson import LiveLesson

DATA = "Data"  # the group of knobs at whose end visitors bring data of their own
OwnData = Callable[[str], None]
Below = Callable[[Config], None]


def show(lesson: LiveLesson, data: OwnData | None = None, below: Below | None = None) -> None:
    """The whole page of a lesson that trains.

    `data` shows, for the run whose id it is given, how visitors bring data of their own; `below` adds to what is below
    the board, for the config.
    """
    _workbench(lesson, data, below)
    prose.show(lesson)


@st.fragment
@turns.turn()
def _workbench(lesson: LiveLesson, data: OwnData | None, below: Below | None) -> None:
    """Everything that a changed knob affects: a fragment, so that a knob reruns this part of the page alone."""
    tried = rail.follow(lesson)
    config, problems = knob_widgets.read(lesson.name, lesson.config)
    problems += [*tried, *share_replay.follow(lesson, config)]
    problems = knob_widgets.problems_to_show({lesson.name: config}, problems)
    knob_widgets.write_link(lesson.name, {lesson.name: config}, rail.in_address(lesson, lesson.name, config))
    run_id = run_of(lesson.name, config)
    with layout.page(tabs=False):
        _, more = layout.title_row(lesson, lesson.sentence, lesson.name, config, player=True)
        with more:
            two = compare.switch(lesson)
            layout.actions(lesson.name, pin=any(chart.pins for chart in lesson.charts))
            save.expander(lesson, run_id)
            layout.share(lesson, {lesson.name: config})
        drawer, place = layout.workbench(problems)
        with drawer:
            layout.drawer_head(lesson.name, config)
            with st.container(key="knobs", gap=None):
                additions = {} if data is None else {DATA: lambda: data(run_id)}
                knob_widgets.show(lesson.name, config, additions)
        with place:
            compare.board_of(lesson, config, run_id, two=two)
    if below is not None:
        with st.container(key="below"):
            below(config)
