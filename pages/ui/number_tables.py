"""The kernel of the lesson Convolution as a table to type into: what is edited there is a kernel of one's own."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from pages.ui import knob_widgets as controls
from pages.ui import mnist_panel as mnist
from playground.lessons.convolution.kernels import OWN, kernel_text, read_kernel
from playground.lessons.convolution.slide import SlideConfig
from playground.parsing.arrays import as_rows, read_array, with_cells

LAB = "convolution_slide"


def below(config: SlideConfig) -> None:
    """The table, and below it which digits these are."""
    text = kernel_text(config.kernel, config.cells, config.size, config.seed)
    try:
        read_kernel(text)
    except ValueError:
        st.caption("Type a kernel that can be read, and it is a table here.")
    else:
        key = f"{LAB}:table:{text}"  # another kernel is another table
        columns = zip(*as_rows(read_array(text)), strict=True)
        table = {str(column): list(map(float, values)) for column, values in enumerate(columns)}
        st.caption("The kernel’s numbers: click one to change it.")
        st.data_editor(table, key=key, hide_index=True, on_change=partial(_take, config, text, key))
    mnist.show()


def edited(config: SlideConfig, text: str, rows: dict[int, dict[str, Any]]) -> SlideConfig:
    """The config with the kernel whose cells were edited as the student's own; an emptied cell is 0."""
    changes = {(row, int(column)): value or 0 for row, cells in rows.items() for column, value in cells.items()}
    return config.with_values(kernel=OWN, cells=with_cells(read_array(text), changes))


def _take(config: SlideConfig, text: str, key: str) -> None:
    try:
        controls.choose(LAB, edited(config, text, st.session_state[key]["edited_rows"]))
    except (ValueError, IndexError):
        st.toast("That is no number of this table.")  # a browser can send anything
