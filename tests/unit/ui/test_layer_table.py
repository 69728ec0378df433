"""Edits in the table of layers become the text of the knob, and nonsense is refused."""

from __future__ import annotations

from typing import Any

import pytest

from pages.ui.widgets.layer_table import NEW, layer_of, row_of, with_edits
from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.convolution.chain import ChainConfig, read_layers

FOUND = (each.config for each in experiments(LESSONS["convolution"]))
CHAINS = [ChainConfig(), *(config for config in FOUND if isinstance(config, ChainConfig))]


def edited(config: ChainConfig, **edits: Any) -> str:
    return with_edits(config, {"edited_rows": {}, "added_rows": [], "deleted_rows": []} | edits).layers


@pytest.mark.parametrize("config", CHAINS, ids=lambda config: config.layers)
def test_a_table_without_edits_is_the_same_chain(config: ChainConfig) -> None:
    layers = read_layers(config.layers)
    assert read_layers(edited(config)) == layers == [layer_of(row_of(layer)) for layer in layers]


def test_a_cell_a_new_row_and_a_deleted_row_change_the_chain() -> None:
    config = ChainConfig()
    assert edited(config, edited_rows={0: {"pad": 0}, 2: {"pad": None}}) == (
        "conv 5 maps 16; pool 2; conv 5 maps 32; pool 2"
    )
    assert edited(config, deleted_rows=[1, 2, 3]) == "conv 5 pad 2 maps 16"
    assert edited(config, deleted_rows=[1, 2, 3], added_rows=[{}]).endswith(f"; {NEW.code}")
    assert edited(
        config, deleted_rows=[0, 1, 2], added_rows=[{"kind": "pool", "window": 3, "stride": 3, "pad": 0}]
    ) == ("pool 2; pool 3")
    assert edited(config, edited_rows={1: {"kind": "conv", "stride": 1}}).split("; ")[1] == "conv 2 maps 16"


@pytest.mark.parametrize(
    "edits",
    [
        {"edited_rows": {0: {"window": 99}}},
        {"deleted_rows": [0, 1, 2, 3]},
        {"added_rows": [{}] * 5},
        {"edited_rows": {1: {"pad": 2}}},
        {"edited_rows": {0: {"window": "x"}}},
        {"edited_rows": {9: {"window": 3}}},
    ],
)
def test_an_edit_that_no_layer_has_is_refused(edits: dict[str, Any]) -> None:
    with pytest.raises((ValueError, IndexError)):
        edited(ChainConfig(), **edits)
