"""The page Learning rates in a real Chromium: a sweep fills its map and can be cancelled; the ranking follows the rate.

The `page` fixture also holds that no tab had a console error or asked a foreign host for anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.student import Board

Open = Callable[..., Any]
SWEEP = "/learning_rates?learning_rates_sweep_optimizers=sgd,adam&learning_rates_sweep_seeds=1"
WINNER = "/learning_rates?learning_rates_lab=winner&learning_rates_winner_steps=100&learning_rates_winner_seeds=1"


def test_a_sweep_fills_its_map_can_be_cancelled_and_looked_back_at(page: Open) -> None:
    tab = page(SWEEP)
    board = Board(tab.page).ready()
    assert board.number("trainings") == 32 and "Press Play" in board.said()
    tab.page.get_by_label("Speed").select_option("0")
    board.play()
    board.until(lambda: board.number("diverged") > 0, "some have diverged")
    board.until(lambda: len(board.trace("map", "Diverged")["x"]) > 0, "their crosses are there")
    board.press("Reset")
    board.until(lambda: board.state == "paused" and board.step == 0, "the sweep is cancelled")
    board.play()
    board.until(lambda: board.state == "done", "the sweep is over")
    assert board.step == 400 and board.number("share") == 100
    assert len(board.trace("map", "Best rate of each")["x"]) == 2 and "Lowest after 400 steps" in board.said()
    board.scrub(0)
    board.until(lambda: board.trace("map", "Diverged")["x"] == [], "the map of step 0")
    assert board.number("diverged") == 0


def test_the_ranking_follows_the_rate_by_slider_and_by_click(page: Open) -> None:
    tab = page(WINNER)
    board = Board(tab.page).ready()
    tab.page.get_by_label("Speed").select_option("0")
    board.play()
    board.until(lambda: board.state == "done", "the sweep is over")
    board.until(lambda: "100 steps at 0.01:" in board.said(), "ranked at the knob's rate")
    run = board.run
    tab.page.locator(".st-key-knobs").get_by_role("slider", name="Learning rate").press("ArrowRight")
    board.until(lambda: "steps at 0.01468:" in board.said(), "the ranking has followed the slider")
    assert board.run == run and board.step == 100, "nothing is trained anew"
    board.click_at("lines", 0.0, 0.5)
    board.until(lambda: "steps at 1:" in board.said(), "the ranking has followed the click")
    assert "diverged" in str(tab.page.locator('[data-chart="ranking"]').text_content())
