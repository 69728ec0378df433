"""Still labs in a real Chromium: code and answer under the charts, tables beside them, and what cannot be drawn."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from tests.browser.student import PATIENCE

Open = Callable[..., Any]
FIELD = '[data-knob="a"] input'
BROADCASTING = "/tensors?tensors_lab=broadcasting&tensors_broadcasting_a="


def opened(page: Open, address: str, **options: Any) -> Any:
    tab = page(address, **options).page
    tab.locator("[data-line] code").wait_for(timeout=1000 * PATIENCE)
    tab.locator("[data-testid=stMain] [data-place=hero] .main-svg").first.wait_for(timeout=1000 * PATIENCE)
    return tab


def shape(tab: Any) -> Any:
    """The field for the first shape that stands in the board."""
    return tab.locator(FIELD)


def test_code_and_answer_stand_under_the_charts_in_one_screen(page: Open) -> None:
    tab = opened(page, BROADCASTING + "4%201&tensors_broadcasting_b=3")
    line = tab.locator("[data-line]")
    assert line.locator("code").text_content() == "(a + b).shape"
    assert line.locator("samp").text_content() == "torch.Size([4, 3])"
    for width, height in ((1280, 900), (1366, 657)):
        tab.set_viewport_size({"width": width, "height": height})
        tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        boxes = [tab.locator(each).bounding_box() for each in ("[data-place=hero]", "[data-line]", FIELD)]
        for above, below in pairwise(boxes):
            assert above["y"] + above["height"] <= below["y"] + 1, (width, height)
        assert boxes[-1]["y"] + boxes[-1]["height"] <= height, (width, height)


def test_an_answer_that_is_an_error_looks_like_one(page: Open) -> None:
    tab = opened(page, BROADCASTING + "2%203&tensors_broadcasting_b=2")
    answer = tab.locator("[data-line] samp.error")
    assert answer.text_content().startswith("RuntimeError: The size of tensor a (3) must match")
    assert tab.locator("[data-line] .note").text_content().startswith("The shapes do not fit")


def test_what_cannot_be_drawn_is_said_over_the_last_picture_until_it_can(page: Open) -> None:
    tab = opened(page, BROADCASTING + "4%201&tensors_broadcasting_b=3")
    refusal, picture = tab.locator("[data-refusal]"), tab.locator("[data-place=hero] > .card")
    marked = tab.locator("[data-place=hero] .plot").evaluate_handle("(node) => node")
    assert not refusal.is_visible()
    shape(tab).fill("4 x")
    shape(tab).press("Enter")
    refusal.wait_for(timeout=1000 * PATIENCE)
    assert "4 x" in refusal.text_content()
    shape(tab).fill("<b>4</b>")
    shape(tab).press("Enter")
    refusal.get_by_text("“<b>4</b>”").wait_for(timeout=1000 * PATIENCE)
    assert refusal.locator("p > *").count() == 0, "markup is text"
    assert not refusal.get_by_role("button").is_visible(), "the same settings would be refused again"
    assert tab.evaluate("(node) => node.isConnected", marked), "the picture stays"
    pale = tab.locator("[data-place=hero] .stage").evaluate("(node) => getComputedStyle(node).opacity")
    assert float(pale) < 0.5
    over, hero = refusal.bounding_box(), picture.bounding_box()
    assert hero["x"] <= over["x"] and over["x"] + over["width"] <= hero["x"] + hero["width"]
    assert tab.locator("[data-rail]").is_visible() and shape(tab).is_enabled()
    shape(tab).fill("2 1")
    shape(tab).press("Enter")
    refusal.wait_for(state="hidden", timeout=1000 * PATIENCE)
    assert tab.locator("[data-line] samp").text_content() == "torch.Size([2, 3])"
    assert tab.evaluate("(node) => node.isConnected", marked)


def test_a_link_that_cannot_be_drawn_says_so_in_the_heros_place(page: Open) -> None:
    tab = page(BROADCASTING + "xx").page
    tab.locator("[data-refusal]").wait_for(timeout=1000 * PATIENCE)
    assert "xx" in tab.locator("[data-refusal]").text_content()
    assert not tab.locator("[data-line]").get_by_text(">>>").is_visible()
    shape(tab).fill("4 1")
    shape(tab).press("Enter")
    tab.locator("[data-refusal]").wait_for(state="hidden", timeout=1000 * PATIENCE)
    tab.locator("[data-testid=stMain] [data-place=hero] .main-svg").first.wait_for(timeout=1000 * PATIENCE)


def test_tables_stand_beside_a_labs_one_chart_and_below_more_of_them(page: Open) -> None:
    tab = opened(page, "/checkpoints?checkpoints_lab=ways")
    table = tab.locator("[data-place=second] table").first
    hero, beside = tab.locator("[data-place=hero]").bounding_box(), table.bounding_box()
    assert beside["x"] + beside["width"] <= hero["x"] + 1 and beside["y"] < hero["y"] + hero["height"]
    assert tab.locator("[data-sheet]").count() == 1
    tab.goto("/tensors?tensors_lab=broadcasting")
    below = tab.locator("[data-sheet]:not(.beside) table")
    below.first.wait_for(timeout=1000 * PATIENCE)
    assert tab.locator("[data-place=second] table").count() == 0
    board = tab.locator("[data-board]").bounding_box()
    assert below.first.bounding_box()["y"] >= board["y"] + board["height"]
