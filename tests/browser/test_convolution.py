"""The page Convolution in a real Chromium: a kernel goes over the digit, is edited, and the whole output follows.

The `page` fixture also holds that no tab had a console error or asked a foreign host for anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.browser.student import COUNT_FULL_UPDATES, Board

Open = Callable[..., Any]
COLOURED = """(name) => {
  const canvas = document.querySelector(`[data-chart="${name}"]`).parentElement.querySelector("canvas.maps");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) count += Math.max(data[i], data[i + 1], data[i + 2]) -
    Math.min(data[i], data[i + 1], data[i + 2]) > 40;
  return count;
}"""


def type_into_table(page: Any, text: str) -> None:
    """Type into the middle cell of the kernel's table of 3 by 3, which is a canvas with a header of one row."""
    table = page.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    cell = {"x": box["width"] / 2, "y": box["height"] * 0.62}
    table.hover(position=cell)
    page.wait_for_timeout(500)  # the table looks once a frame what the pointer is on, and what is chosen
    table.click(position=cell)
    page.wait_for_timeout(500)
    page.keyboard.type(text)
    page.wait_for_timeout(500)
    page.keyboard.press("Enter")


def test_a_kernel_is_stepped_played_and_edited(page: Open) -> None:
    tab = page("/convolution?convolution_lab=slide&convolution_slide_stride=3")
    board = Board(tab.page).ready()
    assert board.number("places") == 81 and "81 places" in board.said()
    board.press("Step")
    board.until(lambda: board.step == 1, "one place")
    assert "Row 0, column 0" in board.said()
    assert tab.page.evaluate(COLOURED, "output") < 50, "only the frame of one number"
    board.press("Play")
    board.until(lambda: board.state == "done", "all places")
    assert board.step == 81 and "The output is complete: 9 × 9" in board.said()
    board.until(lambda: tab.page.evaluate(COLOURED, "output") > 500, "blue and orange")
    assert board.number("sum") != 0, "the window is left at the strongest number, not in the empty corner"
    board.click_at("output", 3.5, 2.5)
    board.until(lambda: board.said().startswith("Row 2, column 3:"), "the window of the number clicked")
    row = tab.page.get_by_role("spinbutton", name="Row")
    assert row.input_value() == "2"
    row.fill("4")
    row.press("Enter")
    board.until(lambda: board.said().startswith("Row 4, column 3:"), "the window of the number typed")
    board.press("Now")

    before = board.said()
    board.drawer()
    type_into_table(tab.page, "7")
    own = re.compile(r"convolution_slide_kernel=own.*convolution_slide_cells=-1\+0\+1%3B\+-2\+7\+2")
    board.until(lambda: own.search(tab.page.url), "the edited kernel in the address")
    board.until(lambda: board.said() != before, "the new output's range")
    assert (board.state, board.step) == ("done", 81), "a complete output stays complete"
    assert tab.page.locator('[data-testid="stException"]').count() == 0
    digits = tab.page.get_by_text(re.compile("^(The digits are MNIST|MNIST is not installed)"))
    offers = tab.page.get_by_role("button", name="Download MNIST").count()
    assert (offers == 1) == ("not installed" in digits.text_content()), "the page says which digits these are"


def test_while_it_plays_the_numbers_under_the_window_are_those_of_the_place_in_each_frame(page: Open) -> None:
    """Also in the chart of cells: none lags behind the others, and none is drawn anew."""
    tab = page("/convolution?convolution_lab=slide")
    board = Board(tab.page).ready()
    board.until(lambda: tab.page.locator('[data-chart="sum"] .main-svg').count(), "the numbers at this place")
    board.play()
    board.until(lambda: board.step > 100, "places with ink")
    tab.page.evaluate(COUNT_FULL_UPDATES)
    tab.page.evaluate(
        """() => {
          const sums = (window.__sums = []);
          const look = () => {
            const words = [...document.querySelectorAll('[data-chart="sum"] .textpoint text')];
            const sum = document.querySelector('[data-status="sum"]').textContent;
            sums.push([words.at(-1).textContent, sum].map((text) => Number(text.replace("−", "-"))));
            if (sums.length < 60) requestAnimationFrame(look);
          };
          look();
        }"""
    )
    board.until(lambda: tab.page.evaluate("window.__sums.length") == 60, "60 frames")
    sums = tab.page.evaluate("window.__sums")
    assert len({status for _, status in sums}) > 10, "it moved"
    assert all(shown == status for shown, status in sums)
    assert tab.page.evaluate("window.__full").get("sum", 0) < 6, "a full update a second at most"
