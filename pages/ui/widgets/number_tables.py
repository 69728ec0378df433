"""Arrays and kernels as tables to type into: an edited cell is written into the text of a knob."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import streamlit as st

from pages.ui.messages import TEXT
from pages.ui.widgets import knob_widgets
from playground.knobs import Config
from playground.lessons.convolution.kernels import OWN, kernel_text, read_kernel
from playground.lessons.convolution.slide import SlideConfig
from playground.lessons.tensors.operations import OperationsConfig
from playground.parsing.arrays import Numbers, as_rows, read_array, with_cells

Cells = Mapping[tuple[int, int], Any]  # (row, column) -> the new number; None: the cell was emptied


def array(lab: str, config: OperationsConfig) -> None:
    """A popover with the lab's array as a table; the table is sent when the popover is opened."""
    popover = st.popover(TEXT.tables.array, key=f"{lab}:table", on_change="rerun", width="stretch")
    if not popover.open:
        return
    with popover:
        try:
            numbers = read_array(config.array, config.shape)
        except ValueError:
            st.caption(TEXT.tables.array_unreadable)
            return
        if len(numbers.shape) not in (1, 2):
            st.caption(TEXT.tables.array_axes)
            return
        _table(lab, f"{config.array}:{config.shape}", as_rows(numbers), partial(with_array_cells, config, numbers))


def kernel(lab: str, config: SlideConfig) -> None:
    """The lab's kernel as a table."""
    text = kernel_text(config.kernel, config.cells, config.size, config.seed)
    try:
        read_kernel(text)
    except ValueError:
        st.caption(TEXT.tables.kernel_unreadable)
        return
    st.caption(TEXT.tables.kernel)
    rows = [list(map(float, row)) for row in as_rows(read_array(text))]
    _table(lab, text, rows, partial(with_kernel_cells, config, text))


def with_array_cells(config: OperationsConfig, numbers: Numbers, cells: Cells) -> OperationsConfig:
    """The config with the edited cells; the shape is then the table's."""
    return config.with_values(array=with_cells(numbers, cells), shape="")


def with_kernel_cells(config: SlideConfig, text: str, cells: Cells) -> SlideConfig:
    """The config with the edited kernel as the student's own; an emptied cell is 0."""
    changes = {place: value or 0 for place, value in cells.items()}
    return config.with_values(kernel=OWN, cells=with_cells(read_array(text), changes))


def edited_cells(rows: Mapping[int, Mapping[str, Any]]) -> Cells:
    """The edited cells as Streamlit's table editor gives them: row -> column -> number."""
    return {(row, int(column)): value for row, cells in rows.items() for column, value in cells.items()}


def _table(lab: str, text: str, rows: Iterable[Sequence[Any]], edit: Callable[[Cells], Config]) -> None:
    """A table of these rows, written in the text; `edit` makes the lab's next config from the edited cells."""
    key = f"{lab}:table:{text}"  # another text is another table, without the edits of this one
    columns = {str(column): list(values) for column, values in enumerate(zip(*rows, strict=True))}
    with legal_edits(key):
        st.data_editor(columns, key=key, hide_index=True, on_change=partial(_take, lab, key, edit))


@contextmanager
def legal_edits(key: str) -> Iterator[None]:
    """Around a table editor: forget edits of cells that the table does not have (a browser can send anything)."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError):
        st.session_state.pop(key, None)
        st.toast(TEXT.tables.refused)


def _take(lab: str, key: str, edit: Callable[[Cells], Config]) -> None:
    try:
        knob_widgets.choose(lab, edit(edited_cells(st.session_state[key]["edited_rows"])))
    except (ValueError, LookupError, TypeError):
        st.toast(TEXT.tables.refused)  # a browser can send anything
