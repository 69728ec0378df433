"""On a phone what belongs together is in sight together, and the focus is never lost by what is pressed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.student import Board

Open = Callable[..., Any]
TOUCH = {"has_touch": True, "is_mobile": True}
LARGE_TYPE = "localStorage.setItem('board-large', 'yes')"
FOCUSED = """() => {
  const { activeElement: at } = document;
  return at === document.body ? "" : at.getAttribute("aria-label") || at.textContent.trim();
}"""
# left, top, right, bottom
BOX = """(selector) => {
  const { left, top, right, bottom } = document.querySelector(selector).getBoundingClientRect();
  return [left, top, right, bottom];
}"""
REACHED = """(selector) => {
  const node = document.querySelector(selector);
  const { left, top, width, height } = node.getBoundingClientRect();
  return node.contains(document.elementFromPoint(left + width / 2, top + height / 2));
}"""


@pytest.mark.in_turns
@pytest.mark.parametrize(
    ("width", "height", "large"),
    [(390, 844, False), (320, 640, False), (390, 844, True), (844, 390, False), (640, 450, False)],
)  # the last one is 1280x900 at 200 %
def test_settings_picture_and_player_are_in_sight_together(page: Open, width: int, height: int, large: bool) -> None:
    script = LARGE_TYPE if large else ""
    tab = page("/classification", width=width, height=height, options=TOUCH, script=script).page
    Board(tab).ready()
    tab.locator(".player .settings").tap()
    sheet = tab.locator(".st-key-drawer")
    sheet.wait_for()
    tab.wait_for_timeout(300)
    parts = (("hero", "[data-place=hero] > .card"), ("sheet", ".st-key-drawer"), ("player", "[data-board] .player"))
    boxes = {name: tab.evaluate(BOX, selector) for name, selector in parts}
    for name, (left, top, right, bottom) in boxes.items():
        assert left >= -1 and top >= 0 and right <= width + 1 and bottom <= height + 1, (name, boxes)
    hero, shown, player = boxes["hero"], boxes["sheet"], boxes["player"]
    assert shown[1] >= hero[3] - 1 or shown[0] >= hero[2] - 1, "the settings cover the picture"
    assert player[1] >= shown[3] - 1, "the settings cover the player"
    assert shown[3] - shown[1] >= 200
    for control in (".player .play", ".player .settings", ".st-key-drawer .close"):
        assert tab.evaluate(REACHED, control), control


def test_the_title_row_and_the_picture_stay_in_sight_while_the_page_is_scrolled(page: Open) -> None:
    tab = page("/classification", width=390, height=844, options=TOUCH).page
    Board(tab).ready()
    main = tab.get_by_test_id("stMain")
    main.evaluate("(node) => node.scrollTo(0, 250)")
    tab.wait_for_timeout(300)
    assert main.evaluate("(node) => node.scrollTop") == 250
    assert tab.evaluate(BOX, ".st-key-title-row")[1] == 0
    assert tab.evaluate(REACHED, "[data-testid=stPopoverButton]")
    assert tab.evaluate(REACHED, "[data-place=hero] .stage")


def test_beside_a_phones_picture_on_its_side_all_else_can_be_scrolled_to(page: Open) -> None:
    tab = page("/classification", width=844, height=390, options=TOUCH).page
    Board(tab).ready()
    for part in ("[data-place=strip]", "[data-rail] [data-try]", "[data-thumb]"):
        tab.evaluate("(part) => document.querySelector(part).scrollIntoView({ block: 'center' })", part)
        tab.wait_for_timeout(200)
        assert tab.evaluate(REACHED, part), part


def test_the_focus_is_not_lost_by_all_pictures_nor_by_now(page: Open) -> None:
    tab = page("/classification?classification_max_steps=0").page
    board = Board(tab).ready()
    everything = tab.get_by_role("button", name="All pictures", exact=True)
    everything.focus()
    for expanded in ("true", "false", "true"):
        everything.press("Enter")
        assert everything.get_attribute("aria-expanded") == expanded
        assert tab.evaluate(FOCUSED) == "All pictures"
    small = tab.locator("[data-place=more] [data-thumb]").last
    name = small.get_attribute("data-thumb")
    small.press("Enter")
    tab.locator(f'[data-place=second] [data-chart="{name}"], [data-place=hero] [data-chart="{name}"]').wait_for()
    assert tab.evaluate(FOCUSED).startswith("More about this picture")
    board.play()
    board.wait_frames(10)
    board.pause()
    time = tab.get_by_role("slider", name="Time")
    time.press("ArrowLeft")
    now = tab.locator("button.now")
    now.wait_for()
    now.press("Enter")
    now.wait_for(state="hidden")
    assert tab.evaluate(FOCUSED).startswith("Time")


def test_larger_type_on_a_phone_keeps_numbers_and_steps_in_the_page(page: Open) -> None:
    tab = page("/classification", width=390, height=844, options=TOUCH, script=LARGE_TYPE).page
    Board(tab).ready()
    for each in tab.locator("[data-board] .numbers .stat").all():
        box = each.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390, each.text_content()
    ticks = tab.locator("[data-place=strip] .xtick text")
    assert ticks.all_text_contents()[-1] == "100 steps"
    assert all("rotate" not in each.get_attribute("transform") for each in ticks.all()), "text is level"


# The parts of the screen that the focus is in, one after the other, while Tab is pressed in the board.
PARTS = """() => {
  const at = document.activeElement.closest(".screen > *");
  return at ? [at.dataset.place ?? (at.matches("[data-rail]") ? "rail" : at.classList[0]), at.offsetTop] : null;
}"""


@pytest.mark.parametrize(("width", "first"), [(390, "hero"), (1280, "rail")])
def test_tab_follows_what_is_seen(page: Open, width: int, first: str) -> None:
    tab = page("/regression", width=width, height=844).page
    Board(tab).ready()
    tab.locator(".screen > [data-place=hero] .dots" if first == "hero" else "[data-rail] button").first.focus()
    parts = []
    while (part := tab.evaluate(PARTS)) and len(parts) < 60:
        parts.append(part)
        tab.keyboard.press("Tab")
    order = list(dict.fromkeys(name for name, _ in parts))
    assert order[0] == first and order[-1] == "player", order
    last = "thumbs" if first == "hero" else "strip"
    wanted = ["hero", "line", "strip", "rail", "second"] if first == "hero" else ["rail", "second", "thumbs", "hero"]
    assert [each for each in order if each in wanted] == [each for each in wanted if each in order], order
    assert order[-2] == last, order


def test_the_focus_stays_when_the_page_becomes_narrow(page: Open) -> None:
    tab = page("/regression").page
    Board(tab).ready()
    play = tab.get_by_role("button", name="Play", exact=True)
    play.focus()
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.wait_for_function("() => document.querySelector('.screen').firstElementChild.dataset.place === 'hero'")
    assert play.evaluate("(node) => node === document.activeElement")


def touch(storage: Any, kind: str, x: float, y: float) -> None:
    points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
    storage.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_text_over_a_chart_goes_with_a_swipe(page: Open) -> None:
    tab = page("/regression", width=390, height=844, options=TOUCH).page
    board = Board(tab).ready()
    finger = tab.context.new_cdp_session(tab)
    left, top, right, bottom = tab.evaluate(BOX, "[data-place=hero] .plot .nsewdrag")
    hovers = tab.locator("[data-place=hero] .hoverlayer > *")
    x, y = (left + right) / 2, (top + bottom) / 2
    tab.touchscreen.tap(x, y)
    board.until(lambda: hovers.count() > 0, "a tap shows text")
    touch(finger, "touchStart", x, y)
    for moved in range(10, 130, 10):
        touch(finger, "touchMove", x, y - moved)
    touch(finger, "touchEnd", x, y)
    board.until(lambda: hovers.count() == 0, "a swipe closes it")
