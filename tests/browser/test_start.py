"""What Streamlit's front end asks for when a page opens: its socket at once, and no font that is not needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.student import Board

Open = Callable[..., Any]
# Streamlit's icons that are in sight: how each is drawn.
ICONS = """() => [...document.querySelectorAll("[data-testid=stIconMaterial]")].filter((icon) => icon.checkVisibility())
  .map((icon) => {
    const { fontFamily, fontSize, maskImage, rotate } = getComputedStyle(icon);
    const { width, height } = icon.getBoundingClientRect();
    return { name: icon.textContent, isSet: fontFamily.includes("Material") && fontSize !== "0px",
             isDrawn: maskImage.startsWith("url("), rotate, isSquare: width > 10 && width === height };
  })"""


def opened(page: Open, path: str) -> tuple[Any, list[str]]:
    """A page in a browser that has never been here, and what it asked for."""
    tab = page(options={"color_scheme": "light"}).page
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("websocket", lambda socket: asked.append(socket.url))
    tab.goto(path)
    return tab, asked


def fonts(asked: list[str]) -> list[str]:
    return [address for address in asked if address.endswith((".woff2", ".woff", ".ttf"))]


def test_the_front_end_does_not_search_for_its_server(page: Open) -> None:
    tab, asked = opened(page, "/regression")
    Board(tab).ready()
    own = [
        address.partition("/_stcore/")[0].partition("//")[2].partition("/")[2]
        for address in asked
        if "_stcore" in address
    ]
    assert own, "the socket"
    assert set(own) == {""}, "it is at the server's own address, and nowhere below the page's"


@pytest.mark.parametrize("path", ["/", "/regression", "/tensors"])
def test_a_page_loads_no_font(page: Open, path: str) -> None:
    tab, asked = opened(page, path)
    tab.locator("h1").first.wait_for()
    tab.get_by_test_id("stSidebarNavLink").first.wait_for()
    tab.wait_for_timeout(1000)  # for what comes after the first picture
    assert fonts(asked) == []


def test_the_icons_that_every_page_shows_are_drawn_without_streamlits_font(page: Open) -> None:
    tab, asked = opened(page, "/regression")
    Board(tab).ready()
    tab.get_by_test_id("stMain").get_by_role("button", name="All settings").locator("visible=true").first.click()
    tab.locator(".st-key-drawer summary").first.click()
    tab.get_by_test_id("stSidebarHeader").hover()

    def drawn() -> dict[str, str]:
        found = tab.evaluate(ICONS)
        assert [icon["name"] for icon in found if icon["isSet"] or not icon["isDrawn"] or not icon["isSquare"]] == []
        return {icon["name"]: icon["rotate"] for icon in found}

    icons = drawn()
    assert icons["keyboard_arrow_right"] == "-90deg"
    assert icons["keyboard_arrow_down"] == "none"
    assert icons["expand_more"] == "none"
    assert icons["keyboard_double_arrow_left"] == "180deg"
    tab.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    tab.get_by_test_id("stExpandSidebarButton").wait_for()
    tab.get_by_test_id("stPopoverButton").first.click()
    tab.get_by_test_id("stPopoverBody").wait_for()
    icons = drawn()
    assert icons["keyboard_double_arrow_right"] == "none"
    assert icons["expand_less"] == "180deg"
    assert fonts(asked) == []


def test_any_other_icon_of_streamlits_brings_its_font(page: Open) -> None:
    tab, _ = opened(page, "/regression")
    Board(tab).ready()
    with tab.expect_response(lambda response: "MaterialSymbols" in response.url) as font:
        tab.evaluate("""() => {
          const icon = document.body.appendChild(document.createElement("span"));
          icon.style.fontFamily = "Material Symbols Rounded";
          icon.textContent = "upload";
        }""")
    assert font.value.status == 200
