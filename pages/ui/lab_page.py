"""The page of a lesson of labs: one lab is open at a time, with its knobs in the drawer and beside its charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages.ui import board, layout, prose, rail, still_lab, turns
from pages.ui.classroom.boards import BOARDS
from pages.ui.messages import TEXT
from pages.ui.session import run_of, session
from pages.ui.widgets import knob_widgets
from playground.knobs import Config
from playground.lesson import Lab, LabLesson

MAX_COORDINATE = 1e9  # of a click in a chart
BelowKnobs = Callable[[Config], None]


def show(lesson: LabLesson, below_knobs: Mapping[str, BelowKnobs] | None = None) -> None:
    """The whole page. `below_knobs` gives labs, by name, more to show below the knobs in the drawer."""
    _workbench(lesson, below_knobs or {})
    prose.show(lesson)


@st.fragment
@turns.turn()
def _workbench(lesson: LabLesson, below_knobs: Mapping[str, BelowKnobs]) -> None:
    """Everything that a changed knob affects: a fragment, so that a knob reruns this part of the page alone."""
    tried = rail.follow(lesson)
    by_hand = knob_widgets.changed_by_hand(lesson.name, lesson.picker)
    picked, problems = knob_widgets.read(lesson.name, lesson.picker, apart=[lab.name for lab in lesson.labs])
    if by_hand:
        session().arrived = True  # in another lab, which keeps its settings
    lab = next(lab for lab in lesson.labs if lab.name == f"{lesson.name}_{picked.lab}")
    config, more_problems = knob_widgets.read(lab.name, lab.config)
    configs = {lesson.name: picked, lab.name: config}
    problems = knob_widgets.problems_to_show(configs, [*tried, *problems, *more_problems])
    knob_widgets.write_link(lesson.name, configs, rail.in_address(lesson, lab.name, config))
    run_id = run_of(lab.name, config) if lab.draw is None else ""  # a worker builds it, and draws, meanwhile
    has_tabs = "lab" not in knob_widgets.hidden_knobs()
    with layout.page(tabs=has_tabs):
        tabs, more = layout.title_row(lesson, lab.sentence, lab.name, config, player=lab.draw is None)
        if has_tabs:
            with tabs:
                _picker(lesson, picked.lab)
        drawer, place = layout.workbench(problems)
        with place:
            drawn = None if lab.draw is None else still_lab.draw(lab, config)
        with more:
            layout.actions(lab.name)
            layout.share(lesson, configs)
        with drawer:
            layout.drawer_head(lab.name, config)
            with st.container(key="knobs", gap=None):
                additions = {lab.name: lambda: below_knobs[lab.name](config)} if lab.name in below_knobs else {}
                knob_widgets.show(lab.name, config, additions)
        with place:
            _charts(lesson, lab, config, run_id, drawn)
    with st.container(key="below"):
        st.caption(lab.sentence)


def _picker(lesson: LabLesson, picked: str) -> None:
    titles = {lab.name.removeprefix(f"{lesson.name}_"): lab.title for lab in lesson.labs}
    st.segmented_control(TEXT.page.lab, list(titles), required=True, format_func=titles.get, default=picked,
                         key=f"{lesson.name}_lab", label_visibility="collapsed", wrap=False)  # fmt: skip


def _charts(
    lesson: LabLesson, lab: Lab, config: Config, run_id: str, drawn: still_lab.DrawnSheet | still_lab.NotDrawn | None
) -> None:
    """The charts of a live lab, or of a still one what was drawn."""

    def on_pick(picked: Any) -> None:
        _pick(lab, config, picked)

    if drawn is None:
        BOARDS.shows_still(None)
        board.live(f"{lab.name}:board", run_id, lab.charts, lab.status, units=lab.units, unit_names=lab.unit_names,
                   on_pick=on_pick, knobs=knob_widgets.for_board(lab, config), on_turn=knob_widgets.turner(lab.name),
                   rail=rail.data(lesson, lab.name), on_try=rail.taker(lesson, lab.name))  # fmt: skip
    else:
        still_lab.show(lab, drawn, on_pick, knobs=knob_widgets.for_board(lab, config),
                       on_turn=knob_widgets.turner(lab.name), rail=rail.data(lesson, lab.name),
                       on_try=rail.taker(lesson, lab.name))  # fmt: skip


def _pick(lab: Lab, config: Config, picked: Any) -> None:
    """Set a chart's knobs to the place that was clicked; a browser can send anything, and nonsense is ignored."""
    if not isinstance(picked, dict):
        return
    places = [picked.get("x"), picked.get("y")]
    for chart in lab.charts:
        if chart.name == picked.get("chart") and all(_is_number(place) for place in places):
            values = dict(zip(chart.knobs_set_by_click, places, strict=False))
            knob_widgets.choose(lab.name, config.with_closest(values))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and abs(value) < MAX_COORDINATE  # which NaN is not
