"""The board is there before Streamlit: the true picture, where the page will have it, and the same one afterwards."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image, ImageChops

from tests.browser.student import PATIENCE, Board

Open = Callable[..., Any]
EARLY = ".first-board [data-board]"
MAX_DIFFERENT = 0.01  # of the hero's pixels
VISIBLE = 8  # levels of 255 by which a pixel differs
VARIABLES = (
    "background-color", "secondary-background-color", "text-color", "primary-color", "link-color", "border-color",
    "code-background-color", "code-text-color", "red-text-color", "base-radius",
)  # fmt: skip
STYLE = """(node) => {
  const style = getComputedStyle(node);
  const valueOf = (name) => style.getPropertyValue(`--st-${name}`).toLowerCase();
  const values = Object.fromEntries(VARIABLES.map((name) => [name, valueOf(name)]));
  return { ...values, size: style.fontSize, line: style.lineHeight, colour: style.color, scheme: style.colorScheme };
}""".replace("VARIABLES", str(list(VARIABLES)))
# Where hero, second place and player stand, in pixels.
PLACES = """() => [...document.querySelectorAll("[data-place=hero], [data-place=second], .player")].map((node) => {
  const { left, top, width, height } = node.getBoundingClientRect();
  return [left, top, width, height].map((each) => Math.round(10 * each) / 10);
})"""


class Visit:
    """A page whose Streamlit is held back until `go`."""

    def __init__(self, tab: Any, path: str) -> None:
        self.page, self._held, self._holds = tab.page, [], True
        end = time.monotonic() + PATIENCE
        while self.page.request.get(f"/first{path}").status != 200:  # of a server that has just started
            assert time.monotonic() < end, "there is no first picture"
        self.page.route("**/static/js/**", self._hold)
        self.page.goto(path, wait_until="commit")

    def _hold(self, route: Any) -> None:
        if self._holds:
            self._held.append(route)
        else:
            route.continue_()

    def early(self) -> Any:
        """The early board, when its hero is drawn."""
        self.page.wait_for_selector(f"{EARLY} .hero .main-svg", state="attached", timeout=1000 * PATIENCE)
        self.page.wait_for_timeout(400)  # words and small pictures follow in the next frames
        return self.page.locator(EARLY)

    def go(self) -> None:
        """Let Streamlit come, and wait until the page has the board."""
        self._holds = False
        for route in self._held:
            route.continue_()
        self.page.wait_for_selector("[data-testid=stMain] [data-board]", timeout=1000 * PATIENCE)
        self.page.wait_for_timeout(400)

    def hero(self) -> Image.Image:
        """The hero's picture."""
        return Image.open(io.BytesIO(self.page.locator("[data-place=hero]").screenshot())).convert("RGB")


@pytest.fixture
def visit(page: Open) -> Iterator[Callable[..., Visit]]:
    """Open a page and hold Streamlit back: `visit("/regression", width=390)`."""

    def open_page(path: str, *, storage: str = "", **options: Any) -> Visit:
        return Visit(page(script=storage, **options), path)

    yield open_page


@pytest.mark.in_turns
@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/regression", {}),
        ("/cnn", {"options": {"color_scheme": "dark"}}),
        ("/classification?classification_layers=3", {"width": 1366, "height": 657}),
        ("/tensors", {"width": 390, "height": 844}),
        ("/regression", {"storage": "localStorage.setItem('board-large', 'yes')", "width": 1920, "height": 1080}),
        ("/regression", {"storage": "localStorage.setItem('drawer', 'open')"}),
    ],
    ids=["wide", "dark", "from a link", "phone", "larger type", "drawer"],
)  # fmt: skip
def test_the_first_picture_comes_without_streamlit_and_stays_when_the_page_takes_it(
    visit: Callable[..., Visit], path: str, options: dict[str, Any]
) -> None:
    opened = visit(path, **options)
    board = opened.early()
    assert opened.page.locator("h1").count() == 0
    places, style, early = opened.page.evaluate(PLACES), board.evaluate(STYLE), opened.hero()
    node = board.element_handle()
    opened.go()
    assert opened.page.locator(".first-board").count() == 0
    assert opened.page.evaluate("(node) => node === document.querySelector('[data-board]')", node)
    assert opened.page.evaluate(PLACES) == places
    assert opened.page.locator("[data-board]").evaluate(STYLE) == style
    difference = ImageChops.difference(early, opened.hero()).convert("L").point(lambda level: 255 * (level > VISIBLE))
    assert difference.histogram()[255] <= MAX_DIFFERENT * early.width * early.height


def test_its_figures_are_those_of_the_run_and_nothing_is_drawn_twice(visit: Callable[..., Visit]) -> None:
    opened = visit("/regression?regression_noise=0.3&regression_seed=5")
    opened.early()
    opened.page.evaluate(
        """() => {
          const { react } = window.Plotly;
          window.redrawn = [];
          window.Plotly.react = (plot, ...rest) => {
            window.redrawn.push(plot.dataset.chart);
            return react(plot, ...rest);
          };
        }"""
    )
    before = Board(opened.page).trace("fit", "Train")
    opened.go()
    opened.page.wait_for_selector("[data-board][data-run]", timeout=1000 * PATIENCE)
    opened.page.wait_for_timeout(500)
    assert Board(opened.page).trace("fit", "Train") == before
    assert "fit" not in opened.page.evaluate("window.redrawn")


def test_a_click_before_the_page_is_there_is_done_when_it_is(visit: Callable[..., Visit]) -> None:
    opened = visit("/regression")
    opened.early()
    assert opened.page.locator(".first-board").evaluate("(node) => node.inert")
    box = opened.page.locator(".first-board .play").bounding_box()
    opened.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.go()
    opened.page.wait_for_selector('[data-board][data-state="done"]', timeout=1000 * PATIENCE)
    assert Board(opened.page).step == 100


@pytest.mark.parametrize("path", ["/regression?regression_lr=abc", "/regression?versus=lr:0.1", "/nowhere", "/"])
def test_where_a_page_says_more_than_a_picture_it_comes_as_before(page: Open, path: str) -> None:
    tab = page()
    tab.page.goto(path, wait_until="commit")
    tab.page.wait_for_selector("h1, [data-testid=stDialog]", timeout=1000 * PATIENCE)
    assert tab.page.locator(".first-board").count() == 0
    tab.errors.clear()


def test_a_visitor_who_goes_on_before_the_page_has_come_sees_the_other_page(visit: Callable[..., Visit]) -> None:
    opened = visit("/regression")
    opened.early()
    opened.page.evaluate("history.pushState({}, '', '/tensors'); history.replaceState({}, '', '/tensors')")
    opened.go()
    assert opened.page.locator("h1").inner_text() == "Tensors"
    assert opened.page.locator(".first-board").count() == 0
    assert opened.page.locator("[data-board] [data-chart=torch], [data-board] [data-chart=numpy]").count()
