"""A page that is loaded again (F5) comes back to its run, with its points and settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.student import PATIENCE, Board

Open = Callable[..., Any]


def points(board: Board) -> int:
    return len(board.trace("fit", "Train")["x"])


def test_a_reload_comes_back_to_the_run_with_its_points_and_plays_on(page: Open) -> None:
    tab = page("/regression?regression_max_steps=0")
    board = Board(tab.page).ready()
    before = points(board)
    tab.page.locator('[data-cursor="fit"]').focus()
    tab.page.keyboard.press("Enter")
    board.until(lambda: points(board) == before + 1, "a point of one's own")
    board.play()
    board.until(lambda: board.step > 50, "it trains")
    run = board.run
    tab.page.reload()
    board.ready()
    board.until(lambda: board.run == run and board.step > 50, "the same run")
    board.until(lambda: points(board) == before + 1, "with the point")
    step = board.step
    board.until(lambda: board.step > step, "it plays on")
    assert "step 0" not in board.said()


def test_a_setting_turned_before_the_reload_stays_and_can_be_turned(page: Open) -> None:
    tab = page("/regression")
    board = Board(tab.page).ready()
    board.press("Step")
    board.until(lambda: board.step == 1, "one step")
    tab.page.locator('[data-knob="optimizer"] select').select_option("adam")
    tab.page.wait_for_url("**optimizer=adam**", timeout=1000 * PATIENCE)
    tab.page.reload()
    board.ready()
    board.until(lambda: board.step == 1, "the same run")
    knob = tab.page.locator('[data-knob="optimizer"] select')
    assert knob.input_value() == "adam"
    knob.select_option("sgd")
    tab.page.wait_for_function("() => !location.search.includes('adam')", timeout=1000 * PATIENCE)
    assert board.step == 1, "a live setting does not begin the run again"


def test_a_tab_that_is_opened_anew_or_duplicated_has_a_run_of_its_own(page: Open) -> None:
    tab = page("/regression")
    board = Board(tab.page).ready()
    run = board.run
    kept = tab.page.evaluate("sessionStorage.getItem('session')")
    assert kept
    other = page("/regression")
    Board(other.page).ready()
    other.page.evaluate("(kept) => sessionStorage.setItem('session', kept)", kept)  # as a duplicated tab has it
    other.page.reload()
    second = Board(other.page).ready()
    assert second.run != run, "the first page still has it"
    board.press("Step")
    board.until(lambda: board.step == 1, "and goes on")


@pytest.mark.in_turns
@pytest.mark.parametrize("kept", ["", "0" * 16, "a, b, c"])
def test_nonsense_in_the_tabs_storage_opens_a_new_page(page: Open, kept: str) -> None:
    tab = page("/regression")
    Board(tab.page).ready()
    tab.page.evaluate("(kept) => sessionStorage.setItem('session', kept)", kept)
    tab.page.reload()
    assert Board(tab.page).ready().step == 0
    tab.errors.clear()
