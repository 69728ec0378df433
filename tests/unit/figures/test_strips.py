"""Strips: the planned length as the axis, few ticks, and what the board needs to draw over them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from playground.figures import strips

STEPS = np.array([0, 10, 20], np.float32)
LINES = [("Train", "@train", np.array([0.84, 0.5, 0.3], np.float32))]


@pytest.mark.parametrize(
    ("until", "ticks", "last"),
    [
        (1000, [0, 250, 500, 750, 1000], "1,000 steps"),
        (384, [0, 100, 200, 300, 384], "384 steps"),
        (100, [0, 25, 50, 75, 100], "100 steps"),
        (7, [0, 2, 4, 7], "7 steps"),
        (1, [0, 1], "1 step"),
        (200_000, [0, 50_000, 100_000, 150_000, 200_000], "200,000"),
    ],
)
def test_the_axis_is_as_long_as_the_run_is_planned_and_says_so(until: float, ticks: list[float], last: str) -> None:
    axis = strips.step_axis(until)
    assert axis["range"] == [0, until]
    assert axis["tickvals"] == ticks
    assert axis["ticktext"][-1] == last


def test_without_a_planned_length_the_axis_grows_in_round_numbers() -> None:
    assert [strips.step_axis(math.inf, last)["range"][1] for last in (0, 11, 300, 1001)] == [10, 20, 500, 2000]
    assert strips.step_axis(0, 30)["range"] == [0, 50], "0 is no limit"
    assert strips.step_axis(100, 130)["range"] == [0, 200], "a run that was trained on"


def test_a_strip_of_losses_has_ticks_at_its_ends_and_tells_the_board_its_marks_and_lines() -> None:
    figure = strips.losses(
        STEPS, LINES, peak=0.84, until=100, marks=[(10, "Learning rate: 0.1 → 0.3")], numbers={"loss": "Train"}
    )
    layout = figure["layout"]
    assert layout["yaxis"]["tickvals"] == [0, 1] and layout["yaxis"]["range"] == [0, 1]
    assert layout["xaxis"]["range"] == [0, 100]
    assert layout["yaxis"]["title"]["text"] == "Loss", "for the CSV file, and for screen readers"
    assert layout["meta"]["strip"] == {"marks": [[10, "Learning rate: 0.1 → 0.3"]], "lines": {"loss": "Train"}}


def test_a_log_axis_has_its_decades_at_its_ends() -> None:
    figure = strips.losses(STEPS, LINES, peak=0.84, until=100, log=True)
    assert figure["layout"]["yaxis"]["ticktext"] == ["1e-1", "1e0"]
    assert figure["layout"]["yaxis"]["tickvals"] == pytest.approx([0.1, 1])


def test_before_the_first_step_the_whole_planned_length_is_there() -> None:
    figure = strips.losses(STEPS[:1], [("Train", "@train", LINES[0][2][:1])], peak=0.84, until=100)
    assert figure["layout"]["xaxis"]["range"] == [0, 100]
