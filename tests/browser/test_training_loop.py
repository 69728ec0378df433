"""The page Training loop in a real Chromium: a step line by line, back in time, and shapes edited until they fit.

The `page` fixture also holds that no tab had a console error or asked a foreign host for anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.student import PATIENCE, Board

Open = Callable[..., Any]


def text_of(board: Board, chart: str) -> str:
    """What is written into a chart, as it stands on the page, with ordinary spaces."""
    return "\n".join(board.notes(chart)[0]).replace("\u00a0", " ")


def test_a_step_is_taken_line_by_line_and_in_eval_mode_at_the_same_line(page: Open) -> None:
    tab = page("/training_loop?training_loop_lab=step&training_loop_step_model=cnn")
    board = Board(tab.page).ready()
    assert "Which line will move the weights?" in board.said()
    for line, (said, written) in enumerate(
        (
            ("Dropout set", "(16, 1, 28, 28)"), ("The loss of this batch", "int64"),
            ("Every .grad was None already", "None"), ("Every .grad is filled", "None →"),
            ("The weights moved by 0.3", "loss of this batch:"),
        ),
        start=1,
    ):  # fmt: skip
        board.press("Step")
        board.until(lambda line=line: board.step == line, f"line {line}")
        board.until(lambda said=said: said in board.said(), said)
        board.until(lambda written=written: written in text_of(board, "lines"), written)
    tab.page.get_by_role("button", name="Step", exact=True).click(modifiers=["Shift"])
    units = tab.page.get_by_role("combobox", name="Unit of a step")
    assert units.locator("option").all_inner_texts() == ["lines", "steps"]
    units.select_option("epoch")
    tab.page.get_by_role("spinbutton", name="Steps or epochs to take").fill("2")
    tab.page.keyboard.press("Enter")
    board.until(lambda: board.step == 15, "two steps of the optimizer, five lines each")
    trained = board.said()
    mode = tab.page.locator('[data-knob="mode"]').get_by_role("combobox")
    mode.select_option("eval")
    board.until(lambda: board.said() != trained and board.step == 15, "the same line in eval mode")
    board.until(lambda: "model.eval()" in text_of(board, "lines"), "the code says so")


def test_the_first_linear_is_edited_until_it_fits(page: Open) -> None:
    tab = page("/training_loop?training_loop_lab=shapes")
    answer = tab.page.locator("[data-line] samp")
    message = "mat1 and mat2 shapes cannot be multiplied (8x1568 and 784x10)"
    tab.page.wait_for_selector("[data-testid=stMain] [data-chart] .main-svg", timeout=1000 * PATIENCE)
    assert answer.inner_text() == f"RuntimeError: {message}"
    field = tab.page.locator('[data-knob="in_features"] input')
    field.fill("1568")
    field.press("Enter")
    answer.filter(has_text="torch.Size([8, 10])").wait_for(timeout=1000 * PATIENCE)
    assert field.evaluate("input => input.scrollWidth <= input.clientWidth"), "the whole number is seen"
    assert "It fits: 32 × 7 × 7 = 1,568" in tab.page.locator("[data-line] .note").inner_text()
    tab.page.wait_for_url("**training_loop_shapes_in_features=1568**", timeout=1000 * PATIENCE)


@pytest.mark.parametrize("width", [1280, 1366, 390])
def test_the_chosen_lab_is_in_sight_among_seven(page: Open, width: int) -> None:
    tab = page("/training_loop?training_loop_lab=errors", width=width, height=844)
    Board(tab.page).ready()
    is_seen = """(title) => {
      const tab = document.querySelector('.st-key-tabs [aria-checked="true"]');
      if (tab?.textContent.trim() !== title) return false;
      const [row, { left, right }] = [tab.closest(".st-key-tabs"), tab].map((each) => each.getBoundingClientRect());
      return left >= row.left - 1 && right <= row.right + 1;
    }"""
    for title in ("Error messages", "One step", "Myths"):
        if title != "Error messages":
            tab.page.get_by_role("radiogroup").get_by_text(title, exact=True).click()
        tab.page.wait_for_function(is_seen, arg=title, timeout=1000 * PATIENCE)
