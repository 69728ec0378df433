"""The clinic in a real Chromium: the line, a change that does not help, the cure; with the keyboard, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.student import Board

Open = Callable[..., Any]
CLINIC = "/training_loop?training_loop_lab=clinic"  # the case without the brackets of step()
STEP = "optimizer.step"
LIST_AND_LINE = ("[data-script] .lines", "[data-script] .is-error")


def line(board: Board, code: str) -> Any:
    return board.page.locator("[data-script] .code-line", has_text=code).last


def change(board: Board, code: str) -> Any:
    return board.page.locator("[data-choice]", has_text=code).last


def inside(outer: dict[str, float], inner: dict[str, float]) -> bool:
    return inner["y"] >= outer["y"] - 1 and inner["y"] + inner["height"] <= outer["y"] + outer["height"] + 1


def note(board: Board) -> str:
    return str(board.page.locator(".narrator").text_content())


def test_a_wrong_line_then_the_right_one_then_a_change_that_does_not_help_then_the_cure(page: Open) -> None:
    board = Board(page(CLINIC).page).ready()
    assert board.page.locator("[data-choice]").count() == 0
    line(board, "loss_fn = nn.MSELoss()").click()
    board.until(lambda: note(board) == "Line 5 is not where the fault is.", "the wrong line is refused")
    line(board, STEP).click()
    board.until(lambda: board.page.locator("[data-choice]").count() == 4, "the changes are there")
    change(board, "lr=1.0").click()
    board.until(lambda: board.state == "done", "the changed script has run by itself")
    board.until(lambda: note(board).startswith("That does not help: mse"), "it did not help")
    change(board, "optimizer.step()").click()
    board.until(lambda: board.state == "done" and note(board).startswith("Cured: mse"), "it is cured")
    assert change(board, "optimizer.step()").locator(".state").text_content() == "Cured"
    assert board.page.locator("[data-script] .script-row.is-in").count() == 1
    boxes = [each.bounding_box() for each in (board.page.locator("[data-script] .lines"), change(board, STEP))]
    assert inside(*boxes), "the change that was chosen stays in sight"


@pytest.mark.in_turns
def test_the_keyboard_finds_line_and_cure_and_keeps_the_focus(page: Open) -> None:
    board = Board(page(CLINIC).page).ready()
    focused = "() => document.activeElement.textContent"
    line(board, "torch.manual_seed").focus()
    for key in ("End", "ArrowUp"):
        board.page.keyboard.press(key)
    assert STEP in board.page.evaluate(focused)
    board.page.keyboard.press("Enter")
    board.until(lambda: board.page.locator("[data-choice]").count() == 4, "the changes are there")
    board.until(lambda: board.page.evaluate("() => document.activeElement.dataset.choice") == "0", "the focus is there")
    while "optimizer.step()" not in board.page.evaluate(focused):
        board.page.keyboard.press("Tab")
    board.page.keyboard.press("Enter")
    board.until(lambda: note(board).startswith("Cured: mse"), "it is cured")
    assert "optimizer.step()" in board.page.evaluate(focused), "the focus is where it was"
    assert board.page.evaluate("document.querySelector('[data-chart=curves]').data.length") == 2, "both curves"


@pytest.mark.in_turns
def test_an_error_is_shown_with_its_line_and_a_myth_asks_first(page: Open) -> None:
    board = Board(page("/training_loop?training_loop_lab=errors").page).ready()
    board.page.get_by_role("button", name="Play", exact=True).click()
    error = board.page.locator("[data-script] .error")
    board.until(lambda: "mat1 and mat2 shapes" in error.text_content(), "torch's message is there")
    assert board.page.locator("[data-script] .script-row.is-error").count() == 1
    myth = Board(page("/training_loop?training_loop_lab=myths&training_loop_myths_case=m2").page).ready()
    myth.page.locator("[data-answer='1']").click()
    myth.until(lambda: note(myth).startswith("Not broken: mse"), "both scripts have run")
    assert str(myth.page.locator("[data-script] .verdict").text_content()).startswith("You were right.")


@pytest.mark.in_turns
def test_a_myth_is_the_only_thing_asked_and_waits_for_the_answer(page: Open) -> None:
    tab = page("/training_loop?training_loop_lab=myths").page
    board = Board(tab).ready()
    assert "Read the claim under the script" in tab.locator("[data-rail] .rail-what p[aria-hidden=false]").inner_text()
    tab.locator("[data-try]").click()
    tab.wait_for_timeout(500)
    assert board.state == "paused" and board.step == 0
    board.press("Play")
    board.until(lambda: board.state == "done", "both scripts have run")
    answers = tab.locator("[data-script] [data-answer]")
    assert answers.evaluate_all("(all) => all.map((each) => each.ariaDisabled)") == ["true", "true"]
    answers.first.click(force=True)
    tab.wait_for_timeout(300)
    assert "You gave no answer" in tab.locator("[data-script] .verdict").text_content()


def test_on_a_phone_the_line_that_failed_is_in_sight(page: Open) -> None:
    board = Board(page("/training_loop?training_loop_lab=errors", width=390, height=844).page).ready()
    board.press("Play")
    board.until(lambda: board.page.locator("[data-script] .is-error").count() == 1, "it has failed")
    board.until(lambda: inside(*(board.page.locator(each).bounding_box() for each in LIST_AND_LINE)), "it is seen")
    assert board.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0, "the page stays"


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
def test_the_script_stays_in_its_place(page: Open, size: tuple[int, int]) -> None:
    board = Board(page(CLINIC, width=size[0], height=size[1]).page).ready()
    line(board, STEP).click()
    board.until(lambda: board.page.locator("[data-choice]").count() == 4, "the changes are there")
    outer, inner = (board.page.locator(each).bounding_box() for each in ("[data-place=hero]", "[data-script]"))
    assert inner["x"] >= outer["x"] and inner["x"] + inner["width"] <= outer["x"] + outer["width"] + 1
    assert inner["y"] + inner["height"] <= outer["y"] + outer["height"] + 1
    assert board.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
