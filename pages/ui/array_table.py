"""An array as a table to type into: what is edited there is written into the text of a knob."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from pages.ui import knob_widgets as controls
from playground.lessons.tensors.operations import OperationsConfig
from playground.parsing.arrays import Numbers, as_rows, read_array, with_cells


def below(lab: str, config: OperationsConfig) -> None:
    """A popover with the lab's array as a table; the table is sent when it is opened."""
    popover = st.popover("Edit a as a table", key=f"{lab}:table", on_change="rerun", width="stretch")
    if not popover.open:
        return
    with popover:
        try:
            numbers = read_array(config.array, config.shape)
        except ValueError:
            st.caption("Type an array first that can be read.")
            return
        if len(numbers.shape) not in (1, 2):
            st.caption("A table has one or two axes. Take another shape.")
            return
        key = f"{lab}:table:{config.array}:{config.shape}"  # another array is another table
        table = {str(column): list(values) for column, values in enumerate(zip(*as_rows(numbers), strict=True))}
        st.data_editor(table, key=key, hide_index=True, on_change=partial(_take, lab, config, numbers, key))


def edited(config: OperationsConfig, numbers: Numbers, rows: dict[int, dict[str, Any]]) -> OperationsConfig:
    """The config with the cells that were edited; the shape is then as the table has it."""
    changes = {(row, int(column)): value for row, cells in rows.items() for column, value in cells.items()}
    return config.with_values(array=with_cells(numbers, changes), shape="")


def _take(lab: str, config: OperationsConfig, numbers: Numbers, key: str) -> None:
    try:
        controls.choose(lab, edited(config, numbers, st.session_state[key]["edited_rows"]))
    except (ValueError, IndexError):
        st.toast("That is no number of this table.")  # a browser can send anything
