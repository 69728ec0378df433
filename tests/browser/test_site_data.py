"""A browser that keeps nothing for the site, blocked or full: all works as long as the page is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pages.ui.messages import TEXT
from tests.browser.student import Board

Open = Callable[..., Any]
BLOCKED = """
for (const area of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, area, { get() { throw new DOMException("Access is denied", "SecurityError"); } });
}
"""
NO_COOKIES = 'Object.defineProperty(Document.prototype, "cookie", { get: () => "", set() {} });'
FULL = 'Storage.prototype.setItem = () => { throw new DOMException("It is full", "QuotaExceededError"); };'


@pytest.mark.parametrize("script", [BLOCKED, FULL], ids=["blocked", "full"])
def test_without_storage_pins_and_larger_type_work_and_say_that_they_are_not_kept(page: Open, script: str) -> None:
    tab = page("/regression", script=script)
    board = Board(tab.page).ready()
    large = board.larger()
    assert large.get_attribute("aria-pressed") == "true"
    tab.page.get_by_role("status").filter(has_text="stores no data for this site: the larger type lasts").wait_for()
    tab.page.keyboard.press("Escape")
    board.pin()
    assert "stores no data for this site: pinned runs last" in board.said()
    assert tab.page.locator(".pins tbody tr").count() == 2
    board.press("Step")
    board.until(lambda: board.step == 1, "it trains")
    tab.page.get_by_test_id("stSidebarNav").get_by_role("link", name="Tensors").click()
    tab.page.get_by_role("heading", level=1, name="Tensors").wait_for()
    tab.page.locator("[data-testid=stMain] [data-chart] .main-svg").first.wait_for()
    tab.page.get_by_test_id("stSidebarNav").get_by_role("link", name="Regression").click()
    board.ready()
    assert tab.page.locator(".pins tbody tr").count() == 2, "pins last while the page is open"
    assert tab.page.evaluate("getComputedStyle(document.documentElement).fontSize") == "24px"


@pytest.mark.parametrize("script", [BLOCKED, FULL], ids=["blocked", "full"])
def test_without_storage_a_page_that_is_loaded_again_says_that_no_run_comes_back(page: Open, script: str) -> None:
    tab = page("/regression", script=script)
    board = Board(tab.page).ready()
    board.press("Step")
    board.until(lambda: board.step == 1, "it trains")
    tab.page.reload()
    board.ready()
    board.until(lambda: "no run comes back" in board.said(), "it says so")
    assert board.step == 0


def test_a_sentence_of_the_board_is_not_wiped_away_by_the_next_frame(page: Open) -> None:
    tab = page("/regression?regression_max_steps=0", script=FULL)
    board = Board(tab.page).ready()
    board.play()
    board.pin()
    board.wait_frames(5)
    assert "pinned runs last" in board.said()


@pytest.mark.parametrize(("script", "is_said"), [("", False), (NO_COOKIES, True)], ids=["cookies", "none"])
def test_a_field_for_a_file_says_where_no_file_can_be_sent(page: Open, script: str, is_said: bool) -> None:
    tab = page("/regression", script=script)
    board = Board(tab.page).ready()
    board.own_points()
    tab.page.get_by_test_id("stFileUploader").first.wait_for()
    sentence = tab.page.get_by_text(TEXT.page.no_cookies)
    assert sentence.count() == 1
    assert sentence.is_visible() is is_said
