"""The anatomy of a page of labs: one is open at a time, its knobs beside its charts, what they show in words below."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui import board, prose
from pages.ui import knob_widgets as controls
from pages.ui import training_page as lesson
from playground.knobs import Config
from playground.lesson import Lab, LabLesson, Sheet, Table

FARTHEST = 1e9  # a coordinate that a click may have
Extra = Callable[[Config], None]


@dataclass(frozen=True)
class Drawn:
    """A still lab's sheet, and its charts as they were sent ahead of the page."""

    sheet: Sheet
    picture: board.Picture


def show(page: LabLesson, extras: Mapping[str, Extra] | None = None) -> None:
    """The whole page. `extras` gives labs, by name, more to show below their knobs."""
    _workbench(page, extras or {})
    prose.show(page)


@st.fragment
def _workbench(page: LabLesson, extras: Mapping[str, Extra]) -> None:
    """Everything that a turned knob changes; a knob reruns this much of the page and no more."""
    by_hand = controls.turned(page.name, page.picker)
    picked, problems = controls.read(page.name, page.picker, apart=[lab.name for lab in page.labs])
    if by_hand:
        st.session_state["arrived"] = True  # in another lab, whose settings stay as they were
    lab = next(lab for lab in page.labs if lab.name == f"{page.name}_{picked.lab}")
    config, more_problems = controls.read(lab.name, lab.config)
    configs = {page.name: picked, lab.name: config}
    problems = controls.told(configs, [*problems, *more_problems])
    controls.write_link(page.name, configs)
    drawn = _draw(lab, config)
    with lesson.header(page):
        lesson.presets(lab)
        lesson.share(page, configs)
    if "lab" not in controls.hidden():
        _picker(page, picked.lab)
    lesson.complain(problems)
    charts, knob_column = lesson.columns()
    with knob_column:
        controls.show(lab.name, config)
        if lab.name in extras:
            extras[lab.name](config)
    with charts:
        st.markdown(lab.sentence)
        _charts(lab, config, drawn)


def _picker(page: LabLesson, picked: str) -> None:
    titles = {lab.name.removeprefix(f"{page.name}_"): lab.title for lab in page.labs}
    st.segmented_control("Lab", list(titles), required=True, format_func=titles.get, default=picked,
                         key=f"{page.name}_lab", label_visibility="collapsed")  # fmt: skip


def _draw(lab: Lab, config: Config) -> Drawn | str:
    """A still lab's sheet, its charts already on their way, or the sentence that says why there is none; else ""."""
    if lab.draw is None:
        return ""
    try:
        sheet = lab.draw(config)
    except ValueError as error:
        return str(error)
    return Drawn(sheet, board.ahead(f"{lab.name}:board", sheet.charts))


def _charts(lab: Lab, config: Config, drawn: Drawn | str) -> None:
    key = f"{lab.name}:board"
    if lab.build is not None:
        run_id = lesson.run_of(lab.name, lab.build, config)
        board.live(key, run_id, lab.charts, lab.status, units=lab.units)
    elif isinstance(drawn, str):
        st.error(lesson.quoted(drawn))
    else:
        _sheet(key, lab, config, drawn)


def _sheet(key: str, lab: Lab, config: Config, drawn: Drawn) -> None:
    if lab.charts:
        board.still(key, lab.charts, drawn.picture, lambda picked: _pick(lab, config, picked))
    if drawn.sheet.note:
        st.markdown(drawn.sheet.note)
    for table in drawn.sheet.tables:
        st.html(as_html(table))


def _pick(lab: Lab, config: Config, picked: Any) -> None:
    """A click into a chart turns its knobs to that place; a browser can say anything, and of nonsense nothing comes."""
    if not isinstance(picked, dict):
        return
    places = [picked.get("x"), picked.get("y")]
    for chart in lab.charts:
        if chart.name == picked.get("chart") and all(_is_number(place) for place in places):
            controls.choose(lab.name, config.with_closest(dict(zip(chart.turns, places, strict=False))))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and abs(value) < FARTHEST  # not NaN either


def as_html(table: Table) -> str:
    """A table as HTML; every cell is text, whatever it holds."""
    code = {index for index, column in enumerate(table.columns) if column in table.code}
    head = "".join(f"<th>{html.escape(column)}</th>" for column in table.columns)
    rows = []
    for row in table.rows:
        cells = [
            f"<td><code>{html.escape(cell)}</code></td>" if index in code else f"<td>{html.escape(cell)}</td>"
            for index, cell in enumerate(row)
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f'<div class="sheet"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
