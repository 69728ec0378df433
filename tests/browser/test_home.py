"""The home page: a curve bends while one looks, one way to start, and a tile for each lesson, all in one screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from playground.experiments import experiments
from playground.lessons import LESSONS, welcome
from tests.browser.student import PATIENCE, Board

Open = Callable[..., Any]
PROJECTOR = 1920  # pixels: larger type is for it
SIZES = [(1280, 900), (1366, 657), (1920, 1080)]
LARGE = "localStorage.setItem('board-large', 'yes')"
STEP = "() => Number(document.querySelector('[data-home] .step')?.textContent.match(/\\d+/)?.[0] ?? -1)"
# Words that are wider or higher than the box that has them, in tiles and beside the picture.
CUT = """() => [...document.querySelectorAll(".st-key-home p, .st-key-home h1, .st-key-home h2")].filter((each) => {
  const box = each.getBoundingClientRect();
  const room = each.closest("[class*=st-key-tile-]")?.getBoundingClientRect()
    ?? document.querySelector(".st-key-home").getBoundingClientRect();
  const words = document.createRange();
  words.selectNodeContents(each);
  const text = words.getBoundingClientRect();
  return text.right > room.right + 1 || text.bottom > room.bottom + 1 || text.left < room.left - 1
    || text.width > box.width + 1;
}).map((each) => each.textContent)"""
# Pairs of texts of one tile that lie over each other.
OVER = """() => [...document.querySelectorAll("[class*=st-key-tile-]")].filter((tile) => {
  const [title, minutes] = [...tile.querySelectorAll("p")].map((each) => {
    const words = document.createRange();
    words.selectNodeContents(each);
    return words.getBoundingClientRect();
  });
  return title.bottom > minutes.top + 4;
}).map((each) => each.textContent)"""


class HomePage:
    """The home page in an open tab."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.picture = page.locator("[data-home] canvas")
        self.picture.wait_for(timeout=1000 * PATIENCE)
        self.button = page.locator("[data-home] button")
        self.start = page.get_by_role("link", name="Start here")
        page.locator(".st-key-tiles img").last.wait_for()

    def resize(self, width: int, height: int) -> None:
        """Give the window another size, and wait until the page has been drawn at it."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    @property
    def step(self) -> int:
        return int(self.page.evaluate(STEP))

    def until_step(self, holds: Callable[[int], bool], what: str) -> None:
        for _ in range(int(PATIENCE * 20)):
            if holds(self.step):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"{what}: it is at step {self.step}")


def test_the_curve_bends_by_itself_and_can_be_paused(page: Open) -> None:
    home = HomePage(page("/").page)
    home.until_step(lambda step: step > 4, "it plays")
    seen, step = home.picture.screenshot(), home.step
    home.until_step(lambda now: now > step + 40, "it continues")
    assert home.picture.screenshot() != seen
    home.page.get_by_role("button", name="Pause the picture").click()
    home.page.wait_for_timeout(200)
    seen, step = home.picture.screenshot(), home.step
    home.page.wait_for_timeout(600)
    assert (home.step, home.picture.screenshot()) == (step, seen), "it stands still"
    home.page.get_by_role("button", name="Play the picture").press("Enter")
    home.until_step(lambda now: now > step, "it continues from there")


def test_it_reaches_the_last_step_and_begins_again(page: Open) -> None:
    home = HomePage(page("/").page)
    last = welcome.recorded().steps
    home.until_step(lambda step: step == last, "it ends")
    home.until_step(lambda step: step < last / 2, "it begins again")


def test_where_motion_is_not_wanted_it_stands_at_the_last_step_until_asked(page: Open) -> None:
    home = HomePage(page("/", options={"reduced_motion": "reduce"}).page)
    last = welcome.recorded().steps
    home.until_step(lambda step: step == last, "the last picture")
    home.page.wait_for_timeout(600)
    assert home.step == last
    home.page.get_by_role("button", name="Play the picture").click()
    home.until_step(lambda step: 0 < step < last, "it plays from the beginning")


def test_the_picture_has_a_name_and_nobody_asks_for_a_stream(page: Open) -> None:
    tab = page()
    opened: list[str] = []
    tab.page.on("websocket", lambda socket: opened.append(socket.url))
    tab.page.goto("/")
    home = HomePage(tab.page)
    assert home.page.get_by_role("img", name="learns a wave").count() == 1
    assert [url for url in opened if "/live/" in url or "/still/" in url] == []
    assert home.page.evaluate("typeof Plotly") == "undefined", "no chart library is loaded for it"


def test_start_here_opens_the_first_experiment_and_keeps_what_a_teacher_hides(page: Open) -> None:
    home = HomePage(page("/?hide=noise").page)
    home.start.click()
    home.page.wait_for_url("**/regression?*")
    Board(home.page).ready()
    home.page.wait_for_function("() => location.search.includes('hide=noise')")
    first = experiments(LESSONS["regression"])[0]
    assert f"regression_try={first.id}" in home.page.url
    assert home.page.locator("[data-rail]").get_by_text(first.title).first.is_visible()


@pytest.mark.parametrize("large", [False, True], ids=["usual type", "larger type"])
def test_all_is_in_one_screen_and_no_words_are_cut(page: Open, large: bool) -> None:
    home = HomePage(page("/", script=LARGE if large else "").page)
    for width, height in SIZES:
        if large and width < PROJECTOR:
            continue
        home.resize(width, height)
        for each in (home.picture, home.start, *home.page.locator('[class*="st-key-tile-"]').all()):
            box = each.bounding_box()
            assert box["y"] >= 0 and box["y"] + box["height"] <= height, (width, each)
        picture = home.picture.bounding_box()
        assert picture["width"] * picture["height"] >= 0.3 * width * height, width
        assert home.page.evaluate(CUT) == [] and home.page.evaluate(OVER) == [], width


def test_on_a_narrow_screen_nothing_is_cut_and_nothing_scrolls_sideways(page: Open) -> None:
    home = HomePage(page("/", width=1024, height=844).page)
    main = home.page.get_by_test_id("stMain")
    for width in (1024, 820, 390, 320):
        home.resize(width, 844)
        assert main.evaluate("(node) => node.scrollWidth <= node.clientWidth"), width
        assert home.page.evaluate(CUT) == [] and home.page.evaluate(OVER) == [], width
        for target in (home.start, home.button):
            box = target.bounding_box()
            assert min(box["width"], box["height"]) >= 44, width
        main.focus()
        order: list[str] = []
        while not order or order[-1] != "Tensors":
            home.page.keyboard.press("Tab")
            order.append(home.page.evaluate("document.activeElement.innerText || document.activeElement.ariaLabel"))
            assert len(order) < 10, (width, order)
        places = [order.index(each) for each in ("Pause the picture", "Start here")]
        assert places == sorted(places, reverse=width == 1024), "as they stand on the screen"
        if width <= 390:
            main.evaluate("(node) => node.scrollTo(0, 0)")
            assert home.picture.bounding_box()["y"] < home.start.bounding_box()["y"] < 844


def test_the_words_are_there_before_the_picture_and_nothing_moves_when_it_comes(page: Open) -> None:
    tab = page(script="new PerformanceObserver((list) => { for (const each of list.getEntries()) window.__shift = "
               "(window.__shift ?? 0) + each.value; }).observe({ type: 'layout-shift', buffered: true })")  # fmt: skip
    tab.page.goto("/")
    home = HomePage(tab.page)
    before = home.page.evaluate("window.__shift ?? 0")
    home.until_step(lambda step: step > 30, "it plays")
    assert home.page.evaluate("window.__shift ?? 0") == before, "while it plays"


def test_a_tile_is_as_high_as_its_neighbours_and_opens_its_lesson_wherever_it_is_clicked(page: Open) -> None:
    home = HomePage(page("/").page)
    tiles = home.page.locator('[class*="st-key-tile-"]')
    assert tiles.count() == len(LESSONS)
    boxes = [tile.bounding_box() for tile in tiles.all()]
    for box in boxes:
        assert {round(each["height"]) for each in boxes if each["y"] == box["y"]} == {round(box["height"])}
    tiles.nth(list(LESSONS).index("regression")).click(position={"x": 20, "y": 12})
    home.page.wait_for_url("**/regression*")
    Board(home.page).ready()
