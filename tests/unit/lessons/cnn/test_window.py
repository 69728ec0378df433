"""The kernel that moves over the image: its number is the map's, and what moves it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from playground.engine.commands import CommandError, Explain, Slide
from playground.lessons.cnn import model as cnn
from playground.lessons.cnn.config import CnnConfig
from playground.lessons.cnn.lesson import build
from playground.lessons.cnn.run import CnnRun
from playground.lessons.numbers import number
from tests.recorded.record import small_digits


@pytest.fixture(autouse=True)
def _digits() -> Any:
    with small_digits():
        yield


def make() -> CnnRun:
    return build(CnnConfig(filters_1=3, filters_2=4, kernel=3, images=200))


def titles(run: CnnRun, **options: bool) -> list[str]:
    figure = run.draw(["window"], options).charts["window"]
    return [each["text"] for each in figure["layout"]["annotations"]]


@pytest.mark.parametrize("layer", [1, 2])
def test_the_number_at_a_place_is_the_maps(layer: int) -> None:
    run = make()
    run.apply(Explain(layer, 2))
    run.apply(Slide("row", 10))
    run.apply(Slide("column", 17))
    with torch.no_grad():
        image = run.selection.image(run.config, run.digits)
        stages = [each for each in cnn.stages(run.model, image) if each.kind == "convolution"]
    row, column = (10, 17) if layer == 1 else (5, 8)
    value = stages[layer - 1].output[0, 1, row, column].item()
    assert titles(run)[-1].endswith(f"= {number(value)}")


def test_it_moves_by_itself_only_where_that_is_switched_on() -> None:
    run = make()
    for column in (14, 14):
        titles(run)
        assert (run.selection.row, run.selection.column) == (14, column) and not run.restless
    for column in (15, 16):
        titles(run, moves=True)
        assert (run.selection.row, run.selection.column) == (14, column) and run.restless
    run.selection.row, run.selection.column = 27, 27
    titles(run, moves=True)
    assert (run.selection.row, run.selection.column) == (0, 0)


def test_places_outside_are_refused() -> None:
    run = make()
    for value in (-1.0, 28.0, 1e6):
        with pytest.raises(CommandError):
            run.apply(Slide("row", value))
