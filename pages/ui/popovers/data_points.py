"""The student's own points: a part of the group Data to paste, upload, undo, redraw and download the data of a run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import streamlit as st

from pages.ui.classroom import locks
from pages.ui.messages import TEXT, quoted
from pages.ui.popovers import upload
from pages.ui.session import NO_ANSWER, OwnTable, pool, session, why_not
from pages.ui.widgets import knob_widgets
from playground.data.own_rows import MAX_BYTES, Choice, DataError, Reading
from playground.engine.commands import Undo
from playground.lesson import LiveLesson, OwnPoints
from playground.parsing.tables import Form, Mark
from playground.workers.operations import CountClasses, Operation, PointsAsCsv, RowsInUse, UseRows

Result = TypeVar("Result")
FILE_TYPES = ("csv", "tsv", "txt", "dat", "data", "tab", "asc", "prn")
LINE_BREAK = "  \n"  # in Markdown
MAX_MEGABYTES = 4 * MAX_BYTES // 1_000_000  # a character has at most four bytes


@dataclass(frozen=True)
class Given:
    """What the student gave last, as pasted text or as a file, and a sentence with its origin and a {summary}."""

    content: bytes | str
    sentence: str
    file: str = ""

    @property
    def digest(self) -> str:
        """A name for this content: the choices for another content are not used for it."""
        content = self.content if isinstance(self.content, bytes) else self.content.encode(errors="replace")
        return hashlib.sha256(content).hexdigest()[:16]


def expander(lesson: LiveLesson) -> Callable[[str], None]:
    """A function that shows the part for a run id, in a lesson whose students bring points of their own."""
    assert lesson.own_points is not None
    return partial(_expander, lesson, lesson.own_points)


def _expander(lesson: LiveLesson, points: OwnPoints, run_id: str) -> None:
    """The closed part; what a browser needs long to load is sent only when it is opened."""
    place = st.expander(TEXT.points.title, key=f"{lesson.name}:data", on_change="rerun")
    if place.open:
        with place:
            _content(lesson, points, run_id)


def _content(lesson: LiveLesson, points: OwnPoints, run_id: str) -> None:
    """Paste or upload a table, undo, go back to generated points or draw new ones, and download the current ones.

    The button stands directly below the fields, and all that a rerun adds stands below it: a button that moves between
    the press and the release of the mouse is not clicked.
    """
    text, table = TEXT.points, session().tables.setdefault(lesson.name, OwnTable())
    st.caption(points.what)
    if refusal := locks.data_refusal(lesson):
        st.info(refusal)
        _download(lesson, run_id)
        return
    if points.brush:
        _brush(lesson, points, run_id)
    given = _given(lesson, points, table)
    with st.container(horizontal=True):
        is_used = st.button(text.use, type="primary")
        if st.button(text.undo):
            pool().command(run_id, Undo())
        if st.button(text.generated):
            _on_run(run_id, UseRows(None), both=True)
        if points.redraw:
            st.button(text.redraw, on_click=_redraw, args=(lesson, points.redraw), help=text.redraw_help)
    is_used, table.chosen = is_used or table.chosen, False
    if given is None:
        if is_used:
            st.error(text.nothing)
    else:
        _table(lesson, points, run_id, given, table, is_used=is_used)
    _caption_of_use(lesson, points, run_id)
    _download(lesson, run_id)


def _download(lesson: LiveLesson, run_id: str) -> None:
    st.download_button(TEXT.points.download, lambda: _on_run(run_id, PointsAsCsv(lesson.name)) or "",
                       file_name="points.csv", mime="text/csv", on_click="ignore")  # fmt: skip


def _given(lesson: LiveLesson, points: OwnPoints, table: OwnTable) -> Given | None:
    """The pasted text or the file, whichever came last; a caption says so where there are both."""
    text, keys = TEXT.points, (f"{lesson.name}:csv", f"{lesson.name}:file")
    pasted = st.text_area(text.paste.format(columns=points.format.columns), placeholder=points.example, key=keys[0],
                          height=110, on_change=_note_source, args=(table, keys[0], "text"))  # fmt: skip
    uploaded = upload.field(text.upload, FILE_TYPES, key=keys[1], on_change=_note_source,
                            args=(table, keys[1], "file"), megabytes=MAX_MEGABYTES)  # fmt: skip
    file = None if uploaded is None else Given(uploaded.getvalue(), text.from_file, uploaded.name)
    rows = Given(pasted, text.from_text) if pasted.strip() else None
    return (file or rows) if table.source == "file" else (rows or file)


def _note_source(table: OwnTable, key: str, source: Any) -> None:
    """Remember which field was filled last; an emptied one leaves the other in use."""
    if st.session_state.get(key):
        table.source = source


def _table(lesson: LiveLesson, points: OwnPoints, run_id: str, given: Given, table: OwnTable, *, is_used: bool) -> None:
    """How the table is understood, other ways to read it, and its rows in use if the student asked for that."""
    key = f"{lesson.name}:{given.digest}"
    try:
        reading = points.format.read(given.content, pool().settings.max_points, _choice(points, key, table))
    except DataError as error:
        st.error(quoted(str(error)))
        if error.reading is not None:
            table.columns = error.reading.columns
            _choices(points, key, error.reading, table)
        return
    table.columns = reading.columns
    if is_used and _on_run(run_id, UseRows(reading.rows), both=True):
        st.success(TEXT.points.used.format(rows=len(reading.rows)))
        if remark := points.remark(reading.rows):
            st.warning(remark)
    summary = given.sentence.format(summary=reading.summary, file=given.file)
    st.caption(LINE_BREAK.join(map(quoted, (summary, *reading.notes))))
    _choices(points, key, reading, table)


# The student's choices.


def _choice(points: OwnPoints, key: str, table: OwnTable) -> Choice:
    """What the widgets of this table say; None in each place where there are none yet."""
    columns = [st.session_state.get(f"{key}:{role.name}") for role in points.format.roles]
    header, decimal = st.session_state.get(f"{key}:header"), st.session_state.get(f"{key}:decimal")
    form = Form(header if isinstance(header, bool) else None, decimal if decimal in (".", ",") else None)
    are_all = all(type(at) is int for at in columns)
    return Choice(tuple(columns) if are_all and table.chosen_for == key else None, form)


def _choices(points: OwnPoints, key: str, reading: Reading, table: OwnTable) -> None:
    """A column for each role, and, where a table can be read in two ways, which one is right."""
    text, roles = TEXT.points, [role.name for role in points.format.roles]
    with st.container(horizontal=True):
        for at, role in enumerate(roles):
            st.selectbox(text.column.format(role=role), range(len(reading.options)), index=reading.columns[at],
                         format_func=lambda option: reading.options[option], key=f"{key}:{role}",
                         on_change=_choose_column, args=(table, key, roles, at), width=130)  # fmt: skip
        if reading.first:
            names = {True: text.names, False: text.point}
            st.selectbox(text.first.format(first=reading.first), list(names), format_func=names.get,
                         index=list(names).index(reading.first_is_names), key=f"{key}:header",
                         on_change=_choose, args=(table,), width=200)  # fmt: skip
        if reading.unclear_decimal:
            marks: dict[Mark, str] = {",": text.decimal_comma, ".": text.thousands_comma}
            st.selectbox(text.decimal, list(marks), format_func=marks.get, key=f"{key}:decimal",
                         index=list(marks).index(reading.unclear_decimal),
                         on_change=_choose, args=(table,), width=200)  # fmt: skip


def _choose(table: OwnTable) -> None:
    table.chosen = True


def _choose_column(table: OwnTable, key: str, roles: list[str], at: int) -> None:
    """Use the chosen column; the role that had it gets this role's earlier one."""
    chosen, before = st.session_state[f"{key}:{roles[at]}"], table.columns
    for other, role in enumerate(roles):
        if other != at and len(before) == len(roles) and before[other] == chosen:
            st.session_state[f"{key}:{role}"] = before[at]
    table.chosen, table.chosen_for = True, key


# The run.


def _caption_of_use(lesson: LiveLesson, points: OwnPoints, run_id: str) -> None:
    """While a table is in use: which settings have no effect."""
    try:
        rows = pool().call(run_id, RowsInUse())
    except (*NO_ANSWER, ValueError):
        return
    if rows:
        labels = [lesson.config.knobs()[name].label for name in points.without_effect]
        st.caption(TEXT.points.in_use.format(rows=rows, labels=", ".join(labels)))


def _brush(lesson: LiveLesson, points: OwnPoints, run_id: str) -> None:
    """The class of clicked points, one of those that the run's data has."""
    config, key = session().bench(lesson.name).config, f"{lesson.name}:brush"
    try:
        classes = pool().call(run_id, CountClasses(lesson.name))
    except (*NO_ANSWER, ValueError):
        return
    if config is not None and classes:
        chosen = min(getattr(config, points.brush), classes - 1)
        st.session_state[key] = chosen  # the knob among the settings may have changed it
        st.segmented_control(TEXT.points.brush, range(classes), key=key, required=True, on_change=_choose_brush,
                             args=(lesson, points, key))  # fmt: skip


def _choose_brush(lesson: LiveLesson, points: OwnPoints, key: str) -> None:
    config, chosen = session().bench(lesson.name).config, st.session_state.get(key)
    if config is not None and type(chosen) is int:
        knob_widgets.choose(lesson.name, config.with_values(**{points.brush: chosen}))


def _redraw(lesson: LiveLesson, name: str) -> None:
    """Increase by one the knob that draws other points; after its last value comes 0."""
    config, spec = session().bench(lesson.name).config, lesson.config.knobs()[name]
    if config is not None:
        draw = getattr(config, name) + 1
        knob_widgets.choose(lesson.name, config.with_values(**{name: draw if draw <= (spec.hi or 0) else 0}))


def _on_run(run_id: str, operation: Operation[Result], *, both: bool = False) -> Result | None:
    """The result of an operation on the run; None, with a sentence on the page, where that fails."""
    try:
        return pool().call(run_id, operation, both=both)
    except (*NO_ANSWER, ValueError) as error:
        st.error(quoted(why_not(error)))
    return None
