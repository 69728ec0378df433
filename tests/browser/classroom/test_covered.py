"""What a class spares its browsers: pictures that are as before, and frames of a board that nobody sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import pretend_class as class_of
from tests.browser.pretend_class import CODE, pretend
from tests.browser.student import Board

Open = Callable[..., Any]
WALL = f"/class?class={CODE}#t={'T' * 22}"
COVERED_MS = 1_000  # as in stream.js
SAY = "(message) => window.__say(message)"
PAINTED = """(() => {
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  window.__painted = [];
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    const seat = this.canvas.closest(".tile")?.dataset.seat;
    if (seat) window.__painted.push(Number(seat));
    return clear.apply(this, box);
  };
})();"""
ASKED = """(() => {
  const send = WebSocket.prototype.send;
  window.__asked = [];
  WebSocket.prototype.send = function (text) {
    if (String(text).startsWith('{"ask"')) window.__asked.push(performance.now());
    return send.call(this, text);
  };
  addEventListener("class:uncovered", () => (window.__uncovered = performance.now()), true);
})();"""


def test_the_wall_paints_only_the_tiles_whose_picture_has_changed(page: Open) -> None:
    wall = pretend([class_of.welcome("teacher"), class_of.teacher(), class_of.seats(8), class_of.tiles(8)])
    tab = page(WALL, script=PAINTED + wall)
    tab.page.wait_for_function("() => new Set(window.__painted).size === 8")
    tab.page.wait_for_timeout(1_500)  # the whole wall is drawn once more
    tab.page.evaluate("window.__painted = []")
    tab.page.evaluate(SAY, class_of.later_tiles({2: True, 3: False, 5: True}, 77))
    tab.page.locator('.tile[data-seat="3"]', has_text="step 77").wait_for()
    tab.page.wait_for_timeout(1_500)
    assert sorted(tab.page.evaluate("window.__painted")) == [2, 5]


@pytest.mark.in_turns
def test_a_covered_board_asks_once_a_second_and_at_once_when_it_is_seen_again(page: Open) -> None:
    seat = f'sessionStorage.setItem("class", JSON.stringify({{ code: "{CODE}", token: "t", answers: [] }}));'
    tab = page(
        f"/regression?class={CODE}&regression_max_steps=5000", script=seat + ASKED + pretend([class_of.student()])
    )
    board = Board(tab.page).ready()
    board.play()
    followed = {"what": "follow", "run": None, "name": None, "mine": False}
    tab.page.evaluate(SAY, class_of.student(screen=followed))
    board.until(lambda: tab.page.evaluate("document.body.inert"), "the page is covered")
    asked, step = len(tab.page.evaluate("window.__asked")), board.step
    tab.page.wait_for_timeout(2.5 * COVERED_MS)
    times = tab.page.evaluate("window.__asked")[asked:]
    assert 1 <= len(times) <= 3, "one that was on its way, then one a second"
    assert all(later - time > 0.9 * COVERED_MS for time, later in zip(times[-2:], times[-1:], strict=False))
    assert board.step > step, "it trains on"
    cut = """() => {
      window.__close(1006, "");
      return [document.querySelector("[data-class-bar]").dataset.says, document.body.inert];
    }"""
    assert tab.page.evaluate(cut) == ["lost", True], "a line that is cut uncovers nothing"
    where = tab.page.locator("[data-class-bar]")
    board.until(lambda: where.get_attribute("data-says") == "free", "the line is back")
    tab.page.evaluate(SAY, class_of.student(screen=followed))
    board.until(lambda: tab.page.evaluate("document.body.inert"), "covered again")
    tab.page.evaluate("() => { window.__asked = []; }")
    tab.page.evaluate(SAY, class_of.student())
    board.until(lambda: tab.page.evaluate("window.__asked.length") > 5, "frames come again")
    first, *_, last = tab.page.evaluate("window.__asked.slice(0, 6).map((each) => each - window.__uncovered)")
    assert 0 <= first < 0.1 * COVERED_MS and last < 2 * COVERED_MS, "it goes on at its own pace"
