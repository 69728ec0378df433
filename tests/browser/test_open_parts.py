"""What opens over a page is for everybody: axe-core, the keyboard alone, high contrast, and where the focus goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.student import Board

Open = Callable[..., Any]
FOCUSED = """() => {
  const { activeElement: at } = document;
  return at === document.body ? "" : at.getAttribute("aria-label") || at.textContent.trim();
}"""
AXE = """async ([where, rules]) => {
  const off = [[".plot-container"], ["label[disabled]"]]; // an image with its words; of a setting that does not apply
  const options = { resultTypes: ["violations"], ...(rules && { runOnly: [rules] }) };
  const { violations } = await axe.run({ include: [[where]], exclude: off }, options);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${where}: ${id}: ${html.slice(0, 160)}`));
}"""
# Streamlit's own: a name and a role at once on its file uploader.
STREAMLITS = "presentation-role-conflict"
HERO_MENU = "[data-place=hero] .dots"
LONGEST = (
    "Since you set “Learning rate” to 0.03 at step 1,200: 12 of the 200 training points cause 55 % of the loss. "
    "Try other inputs, another layer or another seed."
)


def focused(tab: Any) -> str:
    return str(tab.evaluate(FOCUSED))


def press(tab: Any, *keys: str) -> None:
    for key in keys:
        tab.keyboard.press(key)


@pytest.mark.in_turns
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_opens(page: Open, scheme: str) -> None:
    tab = page("/classification", options={"color_scheme": scheme, "reduced_motion": "reduce"}).page
    board = Board(tab).ready()
    tab.evaluate(Axe().axe_script)
    rules = None if scheme == "light" else "color-contrast"
    problems = []

    def check(where: str) -> None:
        tab.locator(where).locator("visible=true").first.wait_for()
        problems.extend(tab.evaluate(AXE, [where, rules]))

    for button, panel in (
        (".rail-count", ".rail-list"),
        (HERO_MENU, "[data-place=hero] .chart-menu"),
        (".network .data", ".network .data ~ .pictures, .pictures:popover-open"),
        (".network .plus", ".pictures:popover-open"),
    ):
        tab.locator(button).first.focus()
        press(tab, "Enter")
        check(panel.split(", ")[-1])
        press(tab, "Escape")
    board.choose("network", "Weights")
    check(".weights")
    press(tab, "Escape")
    board.more()
    check("[data-testid=stPopoverBody]")
    press(tab, "Escape")
    board.drawer()
    check(".st-key-drawer")
    assert [each for each in problems if STREAMLITS not in each] == []


def test_data_inputs_and_weights_are_set_by_keyboard_alone(page: Open) -> None:
    tab = page("/classification?classification_max_steps=0").page
    board = Board(tab).ready()
    tab.locator(".network .data").focus()
    press(tab, "Enter")
    board.until(lambda: focused(tab) == "Blobs", "the chosen data has the focus")
    press(tab, "Tab", "Enter")
    board.until(lambda: "Blobs" not in focused(tab) and "Data" in focused(tab), "other data, and the focus is back")
    tab.locator(".network .plus").focus()
    press(tab, "Enter")
    board.until(lambda: focused(tab) == "x₁", "the first input has the focus")
    press(tab, "Tab", "Tab", "Space")
    third = tab.locator(".pictures:popover-open .choice").nth(2)
    board.until(lambda: third.get_attribute("aria-pressed") == "true", "a third input")
    press(tab, "Escape")
    board.until(lambda: tab.locator(".network .plus").evaluate("(at) => at === document.activeElement"), "back")
    dots = tab.locator("[data-place=second] .dots")
    dots.focus()
    press(tab, "Enter")
    menu = tab.locator("[data-place=second] .chart-menu")
    menu.get_by_role("button", name="Set weights by hand").focus()
    press(tab, "Enter")
    bias = tab.locator(".weights input").first
    board.until(lambda: bias.evaluate("(at) => at === document.activeElement"), "the form has the focus")
    bias.fill("2.5")
    press(tab, "Tab")
    board.until(lambda: bias.input_value() == "2.5" and board.step == 0, "the bias is set")
    press(tab, "Escape")
    assert focused(tab).startswith("More about this picture")


@pytest.mark.parametrize("way", ["a picture's menu", "More"])
def test_the_focus_is_back_after_full_screen(page: Open, way: str) -> None:
    tab = page("/regression").page
    board = Board(tab).ready()
    if way == "More":
        tab.get_by_role("button", name="More", exact=True).press("Enter")
        tab.get_by_role("button", name="Full screen").press("Enter")
        opener = "More"
    else:
        tab.locator(HERO_MENU).press("Enter")
        tab.locator("[data-place=hero] .chart-menu .act", has_text="Full screen").press("Enter")
        opener = "More about this picture"
    board.until(lambda: tab.evaluate("document.fullscreenElement !== null"), "it fills the screen")
    tab.keyboard.press("Tab")
    inside = "document.fullscreenElement.contains(document.activeElement)"
    board.until(lambda: tab.evaluate(inside), "the keyboard is in it")
    tab.evaluate("document.exitFullscreen()")  # as Escape does, which never reaches the page
    board.until(lambda: focused(tab).startswith(opener), "the focus is back")


def test_the_page_does_not_glide_to_the_idea_where_motion_is_not_wanted(page: Open) -> None:
    tab = page("/regression", options={"reduced_motion": "reduce"}).page
    Board(tab).ready()
    tab.locator(".st-key-prose").wait_for()
    assert (
        tab.get_by_role("button", name="The idea").evaluate(
            """(button) => {
          button.click();
          return document.querySelector("[data-testid=stMain]").scrollTop; // at once
        }"""
        )
        > 100
    )


def test_high_contrast_keeps_classes_sliders_and_what_is_chosen(page: Open) -> None:
    tab = page("/classification", options={"forced_colors": "active"}).page
    Board(tab).ready()
    own = "(node) => getComputedStyle(node).forcedColorAdjust"
    for part in (".brush i", "[data-place=hero] .stage", ".thumb canvas", ".pen", ".glass > .handle"):
        assert tab.locator(part).first.evaluate(own) == "none", part
    edge = "(node) => getComputedStyle(node).outlineStyle + getComputedStyle(node).borderTopStyle"
    assert tab.locator(".brush [aria-checked=true]").evaluate(edge) != tab.locator(
        ".brush [aria-checked=false]"
    ).first.evaluate(edge)
    for part in ("[data-rail]", ".rail-run", ".network .plus"):
        assert tab.locator(part).first.evaluate("(node) => parseFloat(getComputedStyle(node).borderTopWidth)") >= 1


def test_the_longest_sentence_is_whole_beside_the_drawer(page: Open) -> None:
    tab = page("/classification", script="localStorage.setItem('drawer', 'open')").page
    Board(tab).ready()
    assert tab.evaluate("document.documentElement.dataset.drawer") == "open"
    is_whole = """(text) => {
      document.querySelector("[data-board] .narrator").textContent = text;
      const said = document.querySelector("[data-board] .said");
      return said.scrollHeight <= said.clientHeight + 1;
    }"""
    assert tab.evaluate(is_whole, LONGEST)


@pytest.mark.parametrize("lesson", ["regression", "classification", "optimizers", "cnn"])
def test_the_sentence_beside_the_title_is_seen(page: Open, lesson: str) -> None:
    tab = page(f"/{lesson}").page
    Board(tab).ready()
    top, bottom, text = tab.locator(".st-key-sentence").evaluate(
        """(node) => {
      const { top, bottom } = node.getBoundingClientRect();
      const text = node.querySelector("p").getBoundingClientRect();
      return [top, bottom, text.top];
    }"""
    )
    assert top <= text < bottom, "a sentence that has no room is in the next line"


def test_numbers_have_a_real_minus(page: Open) -> None:
    tab = page("/gradient_descent?gradient_descent_line_x=-1.5").page
    board = Board(tab).ready()
    board.until(lambda: any("−" in text for text in board.numbers().values()), "the ball is left of zero")
    assert not any("-" in text for text in board.numbers().values())
