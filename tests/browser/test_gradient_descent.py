"""A student's journey through "Gradient descent": a ball rolls, a slider bends its path, a click moves its start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.student import Board

Open = Callable[..., Any]


@pytest.mark.in_turns
def test_the_ball_rolls_to_the_bottom_and_the_rate_bends_the_whole_path(page: Open) -> None:
    tab = page("/gradient_descent")
    board = Board(tab.page).ready()
    assert board.number("x") == 2.5
    board.press("Step")
    board.until(lambda: board.number("x") == 2.0 and board.step == 1, "one step")
    board.play()
    board.until(lambda: board.state == "done", "it comes to rest")
    assert "global minimum" in board.said() and abs(board.number("gradient")) < 1e-4
    slider = tab.page.get_by_role("slider", name="Learning rate")
    slider.press("ArrowLeft")
    board.until(lambda: "not flat yet" in board.said() or board.step > 50, "the whole new path")
    assert len(board.trace("curve", "Path")["x"]) == board.step + 1
    at = board.trace("curve", "Ball")["x"][0]
    board.until(lambda: board.trace("slope", "Ball")["x"][0] == at, "the ball in the picture of the slope")
    assert board.trace("slope", "Ball")["y"][0] == pytest.approx(2 * at), "the slope of the parabola at the ball"


@pytest.mark.in_turns
def test_a_click_on_the_levels_starts_there(page: Open) -> None:
    tab = page("/gradient_descent?gradient_descent_lab=surface")
    board = Board(tab.page).ready()
    board.until(lambda: board.number("x") == 3.5 and board.number("y") == 2.0, "the start of the knobs")
    board.until(lambda: len(board.trace("levels", "Ball")["x"]) == 1, "the ball is drawn")
    board.click_at("levels", -2.0, -1.0)
    board.until(lambda: board.number("x") == pytest.approx(-2.0, abs=0.1), "the start is moved")
    assert board.number("y") == pytest.approx(-1.0, abs=0.1) and board.step == 0
    board.until(lambda: "gradient_descent_surface_x=-" in tab.page.url, "the link has the start")
    board.drawer()
    for name in ("x", "y"):
        knob = tab.page.get_by_role("slider", name=f"Start {name}").get_attribute("aria-valuetext")
        assert float(str(knob)) == pytest.approx(board.number(name), abs=0.01), "knob and ball agree"
    assert len(board.trace("levels", "Global minimum")["x"]) == 0, "the answer is not drawn before"
    board.play()
    board.until(lambda: board.state == "done", "it comes to rest")
    assert "global minimum" in board.said()
    board.until(lambda: len(board.trace("levels", "Global minimum")["x"]) == 1, "the answer")


@pytest.mark.in_turns
def test_too_large_a_rate_is_told_with_its_limit(page: Open) -> None:
    link = "/gradient_descent?gradient_descent_lab=surface&gradient_descent_surface_lr=0.21"
    board = Board(page(link).page).ready()
    board.play()
    board.until(lambda: "2 / 10 = 0.2" in board.said(), "the sentence")
