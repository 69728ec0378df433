"""A student's own table in a real Chromium: what was given last is used, by the first click of the button."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.student import PATIENCE, Board

FILE = "x;y\r\n" + "".join(f"{at},5;{at * at},25\r\n" for at in range(7))


def test_rows_typed_after_an_upload_are_used_by_the_first_click_and_a_column_is_chosen(
    page: Callable[..., Any],
) -> None:
    tab = page("/regression?regression_test_share=0")
    board = Board(tab.page).ready()
    board.drawer()
    tab.page.get_by_text("Your own points").click()
    field = tab.page.locator('input[type="file"]').first
    field.wait_for(state="attached", timeout=1000 * PATIENCE)
    field.set_input_files({"name": "heights.txt", "mimeType": "text/plain", "buffer": FILE.encode("utf-16")})
    tab.page.get_by_text("7 rows; columns x, y from the header.").wait_for(timeout=1000 * PATIENCE)
    use = tab.page.get_by_role("button", name="Use these points")
    use.click()
    board.until(lambda: len(board.trace("fit", "Train")["x"]) == 7, "the file's points")
    assert board.trace("fit", "Train")["x"][0] == 0.5
    tab.page.get_by_label("Paste rows of x,y").fill("a,b,c\n1,2,3\n4,5,7\n6,8,9\n")
    use.click()  # at once: leaving the field and pressing the button are one gesture
    board.until(lambda: len(board.trace("fit", "Train")["x"]) == 3, "the rows typed last")
    tab.page.get_by_text("From the pasted text: 3 rows").wait_for(timeout=1000 * PATIENCE)
    column = tab.page.get_by_role("combobox", name="Column for y")
    column.scroll_into_view_if_needed()
    tab.page.wait_for_timeout(300)  # a list that opens while the drawer scrolls closes again
    column.click()
    tab.page.get_by_role("option", name="c", exact=True).click()
    board.until(lambda: list(board.trace("fit", "Train")["y"]) == [3.0, 7.0, 9.0], "the other column")
