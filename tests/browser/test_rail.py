"""The rail: from an opened lesson to a running experiment in one click, by mouse, by keyboard and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from playground.experiments import Experiment, experiments
from playground.lessons import LESSONS
from tests.browser.student import PATIENCE, Board

Open = Callable[..., Any]
SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((each) => (sum += each.value))).observe(
    { type: "layout-shift", buffered: false });
  setTimeout(() => done(sum), 2500);
})"""
LARGE = "localStorage.setItem('board-large', 'yes')"


class Rail:
    """The rail of an open page (playwright.sync_api.Page)."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.root = page.locator("[data-rail]")
        self.root.wait_for(timeout=1000 * PATIENCE)
        self.run = self.root.locator(".rail-run")
        self.list = self.root.get_by_role("listbox")

    @property
    def text(self) -> str:
        """What is to be read: the title and one sentence."""
        return str(self.root.locator(".rail-what p[aria-hidden=false]").inner_text()).replace("\n", " ")

    @property
    def number(self) -> str:
        return " ".join(self.root.locator(".rail-count").inner_text().split())

    @property
    def height(self) -> float:
        return float(self.root.bounding_box()["height"])

    def later(self) -> None:
        self.root.get_by_role("button", name="Later experiment").click()

    def wait_for(self, text: str) -> None:
        self.root.locator(".rail-what p[aria-hidden=false]", has_text=text).wait_for(timeout=1000 * PATIENCE)


def of(lesson: str, lab: str = "") -> list[Experiment]:
    """The experiments of a lesson, or of one lab."""
    found = experiments(LESSONS[lesson])
    return [each for each in found if not lab or each.bench.name == f"{lesson}_{lab}"]


def beginning(sentence: str) -> str:
    """The first words, without markup."""
    return sentence.split("`")[0].split("*")[0][:20]


@pytest.mark.parametrize("lesson", ["regression", "classification", "optimizers"])
def test_one_click_sets_up_and_runs_with_the_board_in_sight(page: Open, lesson: str) -> None:
    tab = page(f"/{lesson}?predict=off")
    board, rail = Board(tab.page).ready(), Rail(tab.page)
    first, second = of(lesson)[:2]
    assert first.title in rail.text and beginning(first.before) in rail.text
    rail.later()
    assert second.title in rail.text and rail.number.startswith("2 of ")
    assert board.state == "paused" and "_try" not in tab.page.url, "to look at one changes nothing"
    height = rail.height
    rail.run.click()
    board.until(lambda: board.state in ("playing", "done") and board.step > 0, "it runs")
    rail.wait_for(beginning(second.after))
    assert rail.run.inner_text() == "Run again"
    assert rail.height == height, "what is said after it takes no more room"
    board.until(lambda: f"{lesson}_try={second.id}" in tab.page.url, "the link names it")
    box = tab.page.locator('[data-place="hero"]').bounding_box()
    assert box["y"] >= 0 and box["y"] + box["height"] <= tab.page.viewport_size["height"]


def test_it_runs_again_from_step_0_and_the_focus_stays(page: Open) -> None:
    endless = next(each for each in of("regression") if each.config.max_steps == 0)  # type: ignore[attr-defined]
    tab = page(f"/regression?predict=off&regression_try={endless.id}")
    board, rail = Board(tab.page).ready(), Rail(tab.page)
    assert endless.title in rail.text and rail.run.inner_text() == "Set up and run", "a link sets it up"
    assert board.state == "paused"
    rail.run.focus()
    tab.page.keyboard.press("Enter")
    board.until(lambda: board.state == "playing" and board.step > 100, "it runs")
    assert rail.run.evaluate("(button) => button === document.activeElement")
    board.until(lambda: board.step > 2000, "for long enough")
    board.pause()
    run, ended = board.run, board.step
    rail.run.focus()
    tab.page.keyboard.press("Enter")
    board.until(lambda: board.state == "playing" and board.step < ended, "it begins again")
    assert board.run == run
    board.pause()
    assert rail.run.inner_text() == "Run again" and beginning(endless.after) in rail.text


def test_an_experiment_of_another_lab_runs_there_and_keeps_the_focus(page: Open) -> None:
    tab = page("/gradient_descent?predict=off")
    rail = Rail(tab.page)
    labs = LESSONS["gradient_descent"].benches
    other = next(each for each in of("gradient_descent") if each.bench is not labs[0] and each.bench.build is not None)
    rail.root.locator(".rail-count").click()
    rail.list.get_by_role("option", name=other.title).first.click()
    assert other.title in rail.text
    rail.run.click()
    board = Board(tab.page)
    board.until(lambda: f"gradient_descent_try={other.id}" in tab.page.url, "the other lab is open")
    board.ready()
    board.until(lambda: board.state in ("playing", "done") and board.step > 0, "it runs")
    rail = Rail(tab.page)
    rail.wait_for(beginning(other.after))
    assert rail.run.evaluate("(button) => button === document.activeElement")
    tab.page.go_back()
    board.until(lambda: "_try" not in tab.page.url, "Back")
    rail.wait_for(of("gradient_descent")[0].title)


def test_the_list_is_used_by_keyboard_and_gives_the_focus_back(page: Open) -> None:
    tab = page("/tensors?predict=off")
    rail = Rail(tab.page)
    all_of = of("tensors")
    button = rail.root.locator(".rail-count")
    button.focus()
    tab.page.keyboard.press("Enter")
    rail.list.wait_for()
    assert rail.list.get_by_role("option").count() == len(all_of)
    focus = "() => document.activeElement.dataset.id"
    assert tab.page.evaluate(focus) == all_of[0].id
    for key, at in (("ArrowDown", 1), ("End", -1), ("ArrowUp", -2), ("Home", 0), ("ArrowUp", 0)):
        tab.page.keyboard.press(key)
        assert tab.page.evaluate(focus) == all_of[at].id, key
    tab.page.keyboard.press("Escape")
    rail.list.wait_for(state="hidden")
    assert button.evaluate("(button) => button === document.activeElement")
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Enter")
    rail.list.wait_for(state="hidden")
    assert all_of[1].title in rail.text
    assert button.evaluate("(button) => button === document.activeElement")
    box = rail.root.bounding_box()
    tab.page.keyboard.press("Enter")
    shown = rail.list.bounding_box()
    assert shown["y"] >= box["y"] and shown["y"] + shown["height"] <= tab.page.viewport_size["height"], "not cut"


def test_a_still_lab_is_set_up_and_says_what_to_see(page: Open) -> None:
    tab = page("/tensors?predict=off")
    rail = Rail(tab.page)
    first, second = of("tensors")[:2]
    assert beginning(first.before) in rail.text and rail.run.inner_text() == "Set up"
    rail.later()
    rail.run.click()
    rail.wait_for(beginning(second.after))
    assert rail.run.inner_text() == "Set up again"
    rail.root.get_by_role("button", name="Next").click()
    assert of("tensors")[2].title in rail.text
    assert rail.run.evaluate("(button) => button === document.activeElement")


def test_a_chart_that_an_experiment_names_opens_and_the_next_one_finds_the_charts_as_they_were(page: Open) -> None:
    shows = next(each for each in of("classification") if each.show)
    plain = next(each for each in of("classification") if not each.show)
    tab = page("/classification?predict=off")
    Board(tab.page).ready()
    rail = Rail(tab.page)
    places = "() => ['hero', 'second'].map((place) => " \
        "document.querySelector(`[data-place=${place}] [data-chart]`)?.dataset.chart)"  # fmt: skip
    before = tab.page.evaluate(places)
    assert shows.show not in before
    for experiment, holds in ((shows, True), (plain, False)):
        rail.root.locator(".rail-count").click()
        rail.list.get_by_role("option", name=experiment.title).first.click()
        rail.run.click()
        Board(tab.page).until(lambda holds=holds: (shows.show in tab.page.evaluate(places)) is holds, experiment.id)
    assert tab.page.evaluate(places) == before


def test_a_link_opens_the_chart_that_its_experiment_names(page: Open) -> None:
    shows = next(each for each in of("classification") if each.show)
    tab = page(f"/classification?predict=off&classification_try={shows.id}")
    Board(tab.page).ready()
    tab.page.wait_for_selector(f'[data-place="second"] [data-chart="{shows.show}"]', timeout=1000 * PATIENCE)


@pytest.mark.in_turns
@pytest.mark.parametrize(
    ("sizes", "large"),
    [([(1280, 900), (1366, 657), (1920, 1080), (1024, 768)], False), ([(1920, 1080)], True)],
    ids=["usual type", "larger type"],
)
def test_every_experiment_of_a_lesson_takes_the_same_room(
    page: Open, sizes: list[tuple[int, int]], large: bool
) -> None:
    tab = page("/activations?predict=off", width=sizes[0][0], height=sizes[0][1], script=LARGE if large else "")
    rail = Rail(tab.page)
    for width, height in sizes:
        tab.page.set_viewport_size({"width": width, "height": height})
        tab.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        found = set()
        for _ in of("activations"):
            found.add(round(rail.height))
            inside = tab.page.evaluate(
                """() => [...document.querySelectorAll("[data-rail] .rail-what p")].every((line) => {
                  const own = line.getBoundingClientRect();
                  const box = line.closest("[data-rail]").getBoundingClientRect();
                  return own.top >= box.top && own.bottom <= box.bottom;
                })"""
            )
            assert inside, (width, rail.text)
            rail.later()
        assert len(found) == 1, (width, found)


def test_on_a_phone_the_buttons_are_large_and_nothing_is_cut(page: Open) -> None:
    tab = page("/classification?predict=off", width=390, height=844)
    board, rail = Board(tab.page).ready(), Rail(tab.page)
    for button in (rail.run, rail.root.locator(".rail-count")):
        box = button.bounding_box()
        assert box["height"] >= 44 and box["width"] >= 44
    rail.run.click()
    board.until(lambda: board.state in ("playing", "done"), "it runs")
    next_one = rail.root.get_by_role("button", name="Next")
    next_one.wait_for()
    assert next_one.bounding_box()["height"] >= 44
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_nothing_moves_when_an_experiment_begins_to_run(page: Open) -> None:
    tab = page("/regression?predict=off")
    Board(tab.page).ready()
    rail = Rail(tab.page)
    tab.page.wait_for_timeout(600)
    rail.run.click()
    assert tab.page.evaluate(SHIFTS) < 0.02
