"""A still lab: a worker draws it, and its board shows the sheet, or says over the last one why there is nothing new."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui import board, sheet
from pages.ui.classroom import locks
from pages.ui.classroom.boards import BOARDS
from pages.ui.messages import TEXT
from pages.ui.session import Still, pool, session
from playground.knobs import Config
from playground.lesson import Lab
from playground.workers.wire import DrawnLab

MAX_NOTE = 90  # letters: a longer note does not fit under the charts, and stands below the board


@dataclass(frozen=True)
class DrawnSheet:
    """A lab's charts, as they were sent ahead of the page, and the rest of its sheet."""

    picture: board.Picture
    sheet: DrawnLab


@dataclass(frozen=True)
class NotDrawn:
    """Why there is nothing to show, in a sentence; `is_late` if the same settings may be drawn at the next try."""

    sentence: str
    is_late: bool = False


def draw(lab: Lab, config: Config) -> DrawnSheet | NotDrawn:
    """Have a worker draw the lab, and send its charts to their board at once; a slow drawing shows a spinner here."""
    shown = session().board(_key(lab))
    try:
        with st.spinner(TEXT.lab.drawing):
            drawn = pool().draw(session().name, lab.name, config, shown.digest, shown.number)
    except ValueError as error:
        return NotDrawn(str(error))
    except TimeoutError as error:
        return NotDrawn(str(error), is_late=True)
    return DrawnSheet(board.ahead(_key(lab), drawn), drawn)


def show(
    lab: Lab,
    drawn: DrawnSheet | NotDrawn,
    on_pick: Callable[[Any], None] = lambda picked: None,
    *,
    knobs: Sequence[Mapping[str, Any]] = (),
    rail: Mapping[str, Any] | None = None,
    on_turn: Callable[[Any], None] = lambda turned: None,
    on_try: Callable[[Any], None] = lambda tried: None,
    speaks: bool = True,
) -> None:
    """Show what was drawn, or the reason why there is nothing, in the lab's board; a long note and tables below it.

    `on_pick` is called with what the browser sends after a click in a chart that sets knobs, `on_turn` after one of
    the `knobs` was turned, `on_try` after an experiment of the `rail` was chosen. A lab that `speaks` has screen
    readers say what is new.
    """
    if isinstance(drawn, NotDrawn):
        text = board.LabText(refusal=drawn.sentence, late=drawn.is_late)
        _tell_class(lab, text)
        board.still(_key(lab), lab.charts, None, text, on_pick, knobs=knobs, rail=rail, on_turn=on_turn,
                    on_try=on_try)  # fmt: skip
        return
    found, text = drawn.sheet, text_of(lab, drawn.sheet)
    note = "" if text.note else sheet.note_as_html(found.note)
    tables = "" if text.tables else sheet.as_html(lab.title, found.tables)
    _tell_class(lab, text, drawn.picture.frame, note, tables)
    speaks = speaks and not found.note and not found.answer
    board.still(_key(lab), lab.charts, drawn.picture, text, on_pick, knobs=knobs, rail=rail, on_turn=on_turn,
                on_try=on_try, speaks=speaks)  # fmt: skip
    if note or tables:
        sheet.show(f"{lab.name}:sheet", note, tables)


def text_of(lab: Lab, found: DrawnLab) -> board.LabText:
    """What the board itself says: a short note, and tables where there is room for them."""
    is_short = len(found.note) <= MAX_NOTE and "\n" not in found.note
    is_beside = len([chart for chart in lab.charts if not chart.strip]) < 2  # there is room in the board
    return board.LabText(
        line=found.line,
        answer=found.answer,
        note=sheet.note_as_html(found.note) if is_short else "",
        tables=sheet.as_html(lab.title, found.tables) if is_beside else "",
    )


def _tell_class(lab: Lab, text: board.LabText, frame: bytes = b"", note: str = "", tables: str = "") -> None:
    """In a class others may look at this board, too; where nothing was drawn, its last picture stays."""
    if not locks.code():
        return
    before, config = session().still, session().bench(lab.name).config
    if not frame and before is not None and before.bench == lab.name:
        frame = before.frame
    BOARDS.shows_still(Still(lab.name, config or lab.config(), text, frame, note, tables))


def _key(lab: Lab) -> str:
    return f"{lab.name}:board"
