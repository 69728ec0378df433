"""The page around the board in a real Chromium: drawer, larger type, popovers, title row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.student import PATIENCE, Board

Open = Callable[..., Any]
# The size of the type in pixels: of the sidebar, of a setting, of the prose, of the title.
SIZES = """() => [
  "[data-testid=stSidebarNavLink] p, [data-testid=stSidebarNavLink] span", ".st-key-drawer label p",
  ".st-key-prose p", "h1",
].map((selector) => parseFloat(getComputedStyle(document.querySelector(selector)).fontSize))"""
FOCUS = "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"
IN_POPOVER = "() => Boolean(document.activeElement.closest('[data-testid=stPopoverBody]'))"
SIDEWAYS = """() => [document.documentElement, document.querySelector("[data-testid=stMain]")]
  .map((node) => node.scrollWidth - node.clientWidth)"""


def drawer(tab: Any) -> Any:
    return tab.locator(".st-key-drawer")


def button(tab: Any, name: str) -> Any:
    return tab.get_by_test_id("stMain").get_by_role("button", name=name).locator("visible=true").first


def test_the_drawer_opens_without_a_rerun_and_stays_open_after_a_reload(page: Open) -> None:
    tab = page().page
    sent: list[Any] = []

    def watch(socket: Any) -> None:
        if "_stcore" in socket.url:
            socket.on("framesent", lambda frame: sent.append(frame))

    tab.on("websocket", watch)
    tab.goto("/regression")
    Board(tab).ready()
    assert not drawer(tab).is_visible()
    settings = button(tab, "All settings")
    assert settings.get_attribute("aria-expanded") == "false"
    tab.wait_for_timeout(500)
    before, width = len(sent), tab.locator("[data-board]").bounding_box()["width"]
    settings.click()
    drawer(tab).wait_for()
    assert settings.get_attribute("aria-expanded") == "true"
    assert len(sent) == before, "opening it asks nothing of the server"
    assert tab.locator("[data-board]").bounding_box()["width"] < width - 200, "it stands beside the board"
    tab.reload()
    Board(tab).ready()
    assert drawer(tab).is_visible()
    button(tab, "All settings").click()
    drawer(tab).wait_for(state="hidden")
    tab.reload()
    Board(tab).ready()
    assert not drawer(tab).is_visible()


def test_a_setting_turned_in_the_board_is_turned_in_the_closed_drawer_and_the_number_says_it(page: Open) -> None:
    tab = page("/regression?regression_noise=0.3").page
    board = Board(tab).ready()
    assert button(tab, "All settings, 1 is not at its default").is_visible()
    rate = tab.locator('[data-board] [data-knob="lr"]').get_by_role("slider")
    rate.press("ArrowLeft")
    board.until(lambda: "regression_lr=" in tab.url, "the link has it")
    board.until(lambda: button(tab, "All settings, 2 are not").count() == 1, "the number")
    text = rate.get_attribute("aria-valuetext")
    button(tab, "All settings").click()
    widget = drawer(tab).get_by_role("slider", name="Learning rate")
    assert widget.get_attribute("aria-valuetext") == text
    button(tab, "Back to the defaults").click()
    board.until(lambda: "regression_" not in tab.url, "the link is empty")
    board.until(lambda: rate.get_attribute("aria-valuetext") != text, "the board follows")


def test_on_a_narrow_page_the_drawer_lies_over_the_board_and_escape_closes_it(page: Open) -> None:
    tab = page("/regression", width=1024, height=768).page
    Board(tab).ready()
    width = tab.locator("[data-board]").bounding_box()["width"]
    settings = button(tab, "All settings")
    settings.focus()
    settings.press("Enter")
    drawer(tab).wait_for()
    assert tab.locator("[data-board]").bounding_box()["width"] == width
    assert drawer(tab).evaluate("(node) => node.contains(document.activeElement)"), "the focus is in it"
    tab.keyboard.press("Escape")
    drawer(tab).wait_for(state="hidden")
    assert tab.evaluate(FOCUS) == "All settings"


def test_on_a_phone_the_drawer_is_a_sheet_that_leaves_the_hero_in_sight(page: Open) -> None:
    tab = page("/regression", width=390, height=844, options={"has_touch": True}).page
    Board(tab).ready()
    assert not drawer(tab).is_visible()
    tab.evaluate("window.dispatchEvent(new CustomEvent('board:settings'))")
    drawer(tab).wait_for()
    hero, sheet = tab.locator('[data-place="hero"]').bounding_box(), drawer(tab).bounding_box()
    assert sheet["y"] >= hero["y"] + hero["height"] - 1 and sheet["width"] == 390
    close = drawer(tab).get_by_role("button", name="Close the settings")
    close.click()
    drawer(tab).wait_for(state="hidden")
    tab.reload()
    Board(tab).ready()
    assert not drawer(tab).is_visible(), "it would cover the page"


def test_larger_type_scales_the_whole_page_and_is_kept_on_every_page(page: Open) -> None:
    tab = page("/regression", width=1920, height=1080).page
    Board(tab).ready()
    button(tab, "All settings").click()
    sizes, sidebar = tab.evaluate(SIZES), tab.get_by_test_id("stSidebar").bounding_box()["width"]
    button(tab, "More").click()
    large = tab.get_by_role("button", name="Larger type (A+)")
    assert large.get_attribute("aria-pressed") == "false"
    large.click()
    assert large.get_attribute("aria-pressed") == "true"
    assert tab.evaluate(SIZES) == pytest.approx([1.5 * size for size in sizes])
    assert tab.get_by_test_id("stSidebar").bounding_box()["width"] == pytest.approx(1.5 * sidebar)
    for path in ("/", "/tensors", "/regression"):
        tab.goto(path)
        tab.locator("[data-testid=stSidebarNavLink]").first.wait_for()
        assert tab.evaluate("getComputedStyle(document.documentElement).fontSize") == "24px", path
    Board(tab).ready()
    button(tab, "More").click()
    large = tab.get_by_role("button", name="Larger type (A+)")
    assert large.get_attribute("aria-pressed") == "true"
    large.click()
    assert tab.evaluate(SIZES) == sizes
    tab.goto("/")
    large = tab.get_by_role("button", name="Larger type (A+)")
    assert large.get_attribute("aria-pressed") == "false"
    large.click()
    assert tab.evaluate("getComputedStyle(document.documentElement).fontSize") == "24px"


def test_larger_type_is_there_before_anything_is_painted(page: Open) -> None:
    note = """
      localStorage.setItem("board-large", "yes");
      window.__sizes = [];
      new MutationObserver(() => {
        const shown = document.querySelector("[data-testid=stSidebarNavLink]");
        if (shown) window.__sizes.push(getComputedStyle(document.documentElement).fontSize);
      }).observe(document, { childList: true, subtree: true });
    """
    tab = page("/regression", script=note).page
    Board(tab).ready()
    assert set(tab.evaluate("window.__sizes")) == {"24px"}


def test_a_popover_takes_the_focus_keeps_it_and_gives_it_back(page: Open) -> None:
    tab = page("/regression").page
    Board(tab).ready()
    more = button(tab, "More")
    more.focus()
    more.press("Enter")
    tab.wait_for_function(IN_POPOVER, timeout=1000 * PATIENCE)
    first = tab.evaluate(FOCUS)
    stops = [first]
    for _ in range(20):
        tab.keyboard.press("Tab")
        assert tab.evaluate(IN_POPOVER)
        stops.append(tab.evaluate(FOCUS))
        if stops[-1] == first:
            break
    assert stops[-1] == first, "after the last comes the first"
    assert [stop for stop in stops if stop.startswith(("Pin", "Larger", "Full"))] == [
        "Pin this run", "Larger type (A+)", "Full screen",
    ]  # fmt: skip
    tab.keyboard.press("Shift+Tab")
    assert tab.evaluate(FOCUS) == stops[-2]
    tab.keyboard.press("Escape")
    tab.wait_for_function(f"() => !({IN_POPOVER})()")
    tab.wait_for_function("() => document.activeElement.dataset.testid === 'stPopoverButton'")


def test_the_way_to_the_idea_scrolls_there_and_takes_the_focus(page: Open) -> None:
    tab = page("/regression").page
    Board(tab).ready()
    assert tab.locator(".st-key-prose").bounding_box()["y"] >= 900, "the board fills the screen"
    button(tab, "The idea").click()
    tab.wait_for_function("() => document.querySelector('.st-key-prose').getBoundingClientRect().y < 200")
    assert tab.evaluate("document.activeElement.classList.contains('st-key-prose')")
    assert "#" not in tab.url


def test_warnings_of_a_link_lie_over_the_rail_and_go_when_they_are_read(page: Open) -> None:
    tab = page("/regression?regression_lr=77").page
    Board(tab).ready()
    problem = tab.get_by_test_id("stAlert")
    assert problem.bounding_box()["height"] < 60
    assert tab.get_by_role("button", name="Play", exact=True).bounding_box()["y"] < 900 - 40
    button(tab, "Close").click()
    problem.wait_for(state="detached", timeout=1000 * PATIENCE)


def test_the_sidebar_closes_and_comes_back_and_covers_nothing(page: Open) -> None:
    tab = page("/regression").page
    Board(tab).ready()
    width = tab.locator("[data-board]").bounding_box()["width"]
    tab.get_by_test_id("stSidebarHeader").hover()
    tab.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    tab.wait_for_function("(width) => document.querySelector('[data-board]').clientWidth > width + 150", arg=width)
    opening = tab.get_by_test_id("stExpandSidebarButton").bounding_box()
    assert opening["x"] + opening["width"] <= button(tab, "All settings").bounding_box()["x"]
    tab.get_by_test_id("stExpandSidebarButton").click()
    tab.wait_for_function("(width) => document.querySelector('[data-board]').clientWidth <= width", arg=width)


@pytest.mark.in_turns
@pytest.mark.parametrize("name", ["regression", "tensors", "checkpoints"])
def test_the_title_row_fits_and_no_page_scrolls_sideways(page: Open, name: str) -> None:
    tab = page(f"/{name}", width=390, height=740).page
    tab.wait_for_selector("[data-testid=stMain] [data-chart] .main-svg", timeout=1000 * PATIENCE)
    for width in (390, 320, 1024):
        tab.set_viewport_size({"width": width, "height": 740})
        tab.wait_for_timeout(300)
        Board(tab).until(lambda: max(tab.evaluate(SIDEWAYS)) <= 0, "charts follow the new width")
        menu = tab.get_by_test_id("stMainMenuButton").bounding_box()
        more = button(tab, "More").bounding_box()
        assert more["x"] + more["width"] <= menu["x"] or more["y"] >= menu["y"] + menu["height"]
        button(tab, "More").click(timeout=5000)  # nothing lies over it
        tab.get_by_role("dialog").wait_for()
        tab.keyboard.press("Escape")
        tab.get_by_role("dialog").wait_for(state="detached")


def test_a_rerun_does_not_dim_the_drawer(page: Open) -> None:
    tab = page("/regression").page
    Board(tab).ready()
    button(tab, "All settings").click()
    tab.evaluate("""() => {
      window.__faint = 0;
      const look = () => {
        for (const each of document.querySelectorAll(".st-key-drawer [data-testid=stElementContainer]")) {
          if (Number(getComputedStyle(each).opacity) < 1) window.__faint++;
        }
        requestAnimationFrame(look);
      };
      look();
    }""")
    slider = drawer(tab).get_by_role("slider", name="Noise")
    for _ in range(5):
        slider.press("ArrowRight")
        tab.wait_for_timeout(150)
    tab.wait_for_timeout(500)
    assert tab.evaluate("window.__faint") == 0
