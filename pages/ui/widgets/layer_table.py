"""A chain of layers as a table with a row for each: change a cell, add a row or delete one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.ui.messages import TEXT
from pages.ui.widgets import knob_widgets
from pages.ui.widgets.number_tables import legal_edits
from playground.lessons.convolution.chain import MAX_VALUES, ChainConfig, Layer, read_layers

KINDS = ("conv", "pool")
NEW = Layer("conv", 3, 1, pad=1, maps=16)  # an added row


def layers(lab: str, config: ChainConfig) -> None:
    """A popover with the layers as a table; the table is sent when the popover is opened."""
    popover = st.popover(TEXT.tables.layers, key=f"{lab}:table", on_change="rerun", width="stretch")
    if not popover.open:
        return
    with popover:
        try:
            rows = [row_of(layer) for layer in read_layers(config.layers)]
        except ValueError:
            st.caption(TEXT.tables.layers_unreadable)
            return
        key = f"{lab}:table:{config.layers}"  # other layers are another table, without the edits of this one
        columns = {"kind": st.column_config.SelectboxColumn(options=KINDS, required=True)}
        columns |= {
            name: st.column_config.NumberColumn(min_value=0 if name == "pad" else 1, max_value=most, step=1)
            for name, most in MAX_VALUES.items()
        }
        st.caption(TEXT.tables.layers_about)
        with legal_edits(key):
            st.data_editor(rows, key=key, hide_index=True, num_rows="dynamic", column_config=columns,
                           column_order=list(row_of(NEW)), on_change=_take, args=(lab, key, config))  # fmt: skip


def row_of(layer: Layer) -> dict[str, Any]:
    """The cells of a layer's row; a pool has no number of maps."""
    maps = layer.maps if layer.kind == "conv" else None
    return {"kind": layer.kind, "window": layer.window, "stride": layer.stride, "pad": layer.pad,
            "dilation": layer.dilation, "maps": maps}  # fmt: skip


def with_edits(config: ChainConfig, edits: Mapping[str, Any]) -> ChainConfig:
    """The config with the edits of Streamlit's table editor: changed cells, added rows, deleted rows.

    Raises ValueError, or any error of a forged edit.
    """
    rows = [row_of(layer) for layer in read_layers(config.layers)]
    for index, cells in edits["edited_rows"].items():
        rows[int(index)] |= cells
    deleted: Sequence[int] = edits["deleted_rows"]
    rows = [row for index, row in enumerate(rows) if index not in deleted]
    rows += [row_of(NEW) | {name: value for name, value in cells.items() if value is not None}
             for cells in edits["added_rows"]]  # fmt: skip
    text = "; ".join(layer_of(row).code for row in rows)
    read_layers(text)
    return config.with_values(layers=text)


def layer_of(row: Mapping[str, Any]) -> Layer:
    """The layer of a row; an emptied cell has its default."""
    kind = "pool" if row["kind"] == "pool" else "conv"
    window = int(row["window"] or NEW.window)
    stride = int(row["stride"] or (window if kind == "pool" else 1))
    maps = int(row["maps"] or NEW.maps) if kind == "conv" else 1
    return Layer(kind, window, stride, int(row["pad"] or 0), int(row["dilation"] or 1), maps)


def _take(lab: str, key: str, config: ChainConfig) -> None:
    try:
        knob_widgets.choose(lab, with_edits(config, st.session_state[key]))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        st.toast(TEXT.tables.refused)  # a browser can send anything
