"""The page of a lesson of labs: one lab is open at a time, its knobs beside its charts, a note and tables below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui import board, knob_widgets, layout, prose, sheet, turns
from pages.ui.messages import TEXT, quoted
from pages.ui.session import run_of, session
from playground.knobs import Config
from playground.lesson import Lab, LabLesson, Sheet

MAX_COORDINATE = 1e9  # of a click in a chart
BelowKnobs = Callable[[Config], None]


@dataclass(frozen=True)
class DrawnSheet:
    """A still lab's sheet, and its charts as they were sent ahead of the page."""

    sheet: Sheet
    picture: board.Picture


def show(lesson: LabLesson, below_knobs: Mapping[str, BelowKnobs] | None = None) -> None:
    """The whole page. `below_knobs` gives labs, by name, more to show below their knobs."""
    _workbench(lesson, below_knobs or {})
    prose.show(lesson)


@st.fragment
@turns.turn()
def _workbench(lesson: LabLesson, below_knobs: Mapping[str, BelowKnobs]) -> None:
    """Everything that a changed knob affects: a fragment, so that a knob reruns this part of the page alone."""
    by_hand = knob_widgets.changed_by_hand(lesson.name, lesson.picker)
    picked, problems = knob_widgets.read(lesson.name, lesson.picker, apart=[lab.name for lab in lesson.labs])
    if by_hand:
        session().arrived = True  # in another lab, which keeps its settings
    lab = next(lab for lab in lesson.labs if lab.name == f"{lesson.name}_{picked.lab}")
    config, more_problems = knob_widgets.read(lab.name, lab.config)
    configs = {lesson.name: picked, lab.name: config}
    problems = knob_widgets.problems_to_show(configs, [*problems, *more_problems])
    knob_widgets.write_link(lesson.name, configs)
    drawn = _draw(lab, config)
    with layout.header(lesson):
        layout.presets(lab)
        layout.share(lesson, configs)
    if "lab" not in knob_widgets.hidden_knobs():
        _picker(lesson, picked.lab)
    layout.warn(problems)
    charts, knob_column = layout.columns()
    with knob_column:
        knob_widgets.show(lab.name, config)
        if lab.name in below_knobs:
            below_knobs[lab.name](config)
    with charts:
        st.markdown(lab.sentence)
        _charts(lab, config, drawn)


def _picker(lesson: LabLesson, picked: str) -> None:
    titles = {lab.name.removeprefix(f"{lesson.name}_"): lab.title for lab in lesson.labs}
    st.segmented_control(TEXT.page.lab, list(titles), required=True, format_func=titles.get, default=picked,
                         key=f"{lesson.name}_lab", label_visibility="collapsed")  # fmt: skip


def _draw(lab: Lab, config: Config) -> DrawnSheet | str:
    """A still lab's sheet, with its charts sent ahead, or the reason why there is none; "" for a live lab."""
    if lab.draw is None:
        return ""
    try:
        found = lab.draw(config)
    except ValueError as error:
        return str(error)
    return DrawnSheet(found, board.ahead(f"{lab.name}:board", found.charts))


def _charts(lab: Lab, config: Config, drawn: DrawnSheet | str) -> None:
    key = f"{lab.name}:board"
    if lab.build is not None:
        board.live(key, run_of(lab.name, lab.build, config), lab.charts, lab.status, units=lab.units,
                   on_pick=lambda picked: _pick(lab, config, picked))  # fmt: skip
    elif isinstance(drawn, str):
        st.error(quoted(drawn))
    else:
        _sheet(key, lab, config, drawn)


def _sheet(key: str, lab: Lab, config: Config, drawn: DrawnSheet) -> None:
    if lab.charts:
        board.still(key, lab.charts, drawn.picture, lambda picked: _pick(lab, config, picked),
                    speaks=not drawn.sheet.note)  # fmt: skip
    if drawn.sheet.note or drawn.sheet.tables:
        sheet.show(f"{lab.name}:sheet", lab.title, drawn.sheet.note, drawn.sheet.tables)


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
