"""A still lab: a worker draws it, and the page shows its charts, note and tables, or says why there are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui import board, sheet
from pages.ui.messages import TEXT, quoted
from pages.ui.session import pool, session
from playground.knobs import Config
from playground.lesson import Lab, Table


@dataclass(frozen=True)
class DrawnSheet:
    """A lab's charts, as they were sent ahead of the page, its note and its tables."""

    picture: board.Picture
    note: str
    tables: Sequence[Table]


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
    return DrawnSheet(board.ahead(_key(lab), drawn), drawn.note, drawn.tables)


def show(
    lab: Lab,
    drawn: DrawnSheet | NotDrawn,
    on_pick: Callable[[Any], None] = lambda picked: None,
    *,
    knobs: Sequence[Mapping[str, Any]] = (),
    on_turn: Callable[[Any], None] = lambda turned: None,
    speaks: bool = True,
) -> None:
    """Show what was drawn, or the reason why there is nothing.

    `on_pick` is called with what the browser sends after a click in a chart that sets knobs, `on_turn` after one of the
    `knobs` was turned. A lab that `speaks` has screen readers say what is new.
    """
    if isinstance(drawn, NotDrawn):
        st.error(quoted(drawn.sentence))
        if drawn.is_late:
            st.button(TEXT.lab.try_again, key=f"{lab.name}:again")
        return
    if lab.charts:
        board.still(_key(lab), lab.charts, drawn.picture, on_pick, knobs=knobs, on_turn=on_turn,
                    speaks=speaks and not drawn.note)  # fmt: skip
    if drawn.note or drawn.tables:
        sheet.show(f"{lab.name}:sheet", lab.title, drawn.note, drawn.tables)


def _key(lab: Lab) -> str:
    return f"{lab.name}:board"
