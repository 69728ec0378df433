"""The question before an experiment runs, as a student answers it: by mouse, by keyboard, with a drawn curve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from playground.lessons.regression.before_play import PREDICTIONS
from tests.browser.student import PATIENCE, Board
from tests.browser.test_rail import Rail, beginning, of

Open = Callable[..., Any]
MOMENTUM = "/regression?regression_try=momentum"


def wait(page: Any, selector: str) -> Any:
    found = page.locator(selector)
    found.first.wait_for(timeout=1000 * PATIENCE)
    return found


def test_an_answer_runs_the_experiment_and_the_run_grades_it(page: Open) -> None:
    tab = page("/regression").page
    board, rail = Board(tab).ready(), Rail(tab)
    rail.root.locator(".rail-count").click()
    tab.locator('[role=option][data-id="too-large-a-step"]').click()
    rail.run.click()
    wait(tab, '[data-option="falls"]')
    assert "20 times that of the tutorial" in rail.text and not rail.run.is_visible()
    assert board.state == "paused" and board.step == 0, "it waits for the answer"
    assert tab.evaluate("document.activeElement.closest('.rail-options') !== null"), "the focus is where one answers"
    height = rail.height
    tab.keyboard.press("Enter")  # the first option
    wait(tab, '[data-option="over"]')
    assert "NaN" in rail.text and "✗" in rail.text
    tab.locator('[data-option="noise"]').click()
    wait(tab, "[data-rail]:not(.asks) .rail-run:not([hidden])")
    assert "noise" in rail.text and rail.run.inner_text() == "Run again"
    assert rail.height == height


def test_play_without_an_answer_counts_as_skip(page: Open) -> None:
    tab = page("/regression?regression_try=small-steps").page
    board, rail = Board(tab).ready(), Rail(tab)
    wait(tab, "[data-option]")
    board.press("Play")
    board.until(lambda: board.step > 0, "it runs")
    board.until(lambda: not tab.locator("[data-option]").count(), "the question has gone")
    board.until(lambda: "3,000 steps" in rail.text, "what it shows is said")


def test_where_an_answer_is_required_only_that_starts_the_run(page: Open) -> None:
    tab = page("/regression?predict=required&regression_try=dead-on-arrival").page
    board = Board(tab).ready()
    wait(tab, ".rail-number input")
    board.until(lambda: tab.get_by_role("button", name="Play", exact=True).is_disabled(), "Play waits")
    assert not tab.get_by_role("button", name="Skip", exact=True).is_visible()
    hero = tab.locator("[data-place=hero]")
    before = hero.bounding_box()
    tab.locator(".rail-number input").fill("a few of them, or more")
    tab.keyboard.press("Enter")
    tab.get_by_text("is not a number").first.wait_for()
    assert hero.bounding_box() == before, "a refused answer moves nothing"
    tab.locator(".rail-number input").fill("4")
    tab.keyboard.press("Enter")
    board.until(lambda: board.step > 0, "it runs")
    wait(tab, '[data-option="grad"]')
    assert "✓" in Rail(tab).text


def drawn(tab: Any) -> list[float]:
    """The heights of the dashed line in the strip."""
    return list(
        tab.evaluate(
            """() => Array.from(document.querySelector('[data-chart=loss]').data
              .findLast((trace) => trace.line?.dash === '6px,4px' && trace.opacity !== 0)?.y ?? [])"""
        )
    )


@pytest.mark.in_turns
@pytest.mark.parametrize("way", ["mouse", "keyboard"])
def test_a_curve_is_drawn_and_the_gap_to_the_truth_is_shaded(page: Open, way: str) -> None:
    tab = page(MOMENTUM).page
    board = Board(tab).ready()
    pad = wait(tab, "[data-sketch]")
    board.until(lambda: pad.bounding_box()["height"] > 150, "the strip is high enough to draw in")
    if way == "mouse":
        box = pad.bounding_box()
        tab.mouse.move(box["x"] + 50, box["y"] + 30)
        tab.mouse.down()
        tab.mouse.move(box["x"] + box["width"] - 60, box["y"] + box["height"] - 40, steps=12)
        tab.mouse.up()
        board.until(lambda: len(drawn(tab)) == 24, "the line")
        heights = drawn(tab)
        assert heights[0] > heights[12] > heights[-1] > 0
        board.press("Done")
    else:
        pad.focus()
        for key in ["ArrowUp"] * 4 + ["ArrowRight"] * 3 + ["ArrowDown"] * 8:
            tab.keyboard.press(key)
        board.until(lambda: drawn(tab) and drawn(tab)[-1] < 0.5 * drawn(tab)[0], "the line as the last key left it")
        before = drawn(tab)
        tab.keyboard.press("Backspace")
        board.until(lambda: drawn(tab) != before, "undone")
        tab.keyboard.press("Enter")
    board.until(lambda: board.step > 0, "it runs")
    wait(tab, '[data-option="slope"]')
    assert tab.evaluate("document.querySelector('[data-chart=loss]').data.some((trace) => trace.fill === 'toself')")


def test_in_larger_type_on_a_low_screen_question_curve_and_its_axis_are_in_sight(page: Open) -> None:
    large = "localStorage.setItem('board-large', 'yes')"
    tab = page(MOMENTUM, width=1366, height=657, script=large).page
    board = Board(tab).ready()
    wait(tab, "[data-sketch]")

    def are_apart() -> bool:
        names = (".st-key-title-row", "[data-place=strip] .card", "[data-rail]", "[data-board] .player")
        boxes = [tab.locator(each).bounding_box() for each in names]
        ends = [end for box in boxes for end in (box["y"], box["y"] + box["height"])]
        return ends == sorted(ends) and boxes[1]["height"] > 150

    board.until(are_apart, "title, strip, rail and player, one below the other")


def test_a_question_moves_nothing(page: Open) -> None:
    tab = page("/regression").page
    board, rail = Board(tab).ready(), Rail(tab)
    rail.root.locator(".rail-count").click()
    tab.locator('[role=option][data-id="small-steps"]').click()
    hero = tab.locator("[data-place=hero]")
    before = hero.bounding_box()
    rail.run.click()
    wait(tab, "[data-option]")
    assert hero.bounding_box() == before
    tab.locator('[data-option="between"]').click()
    wait(tab, '[data-option="sum"]')
    assert hero.bounding_box() == before
    assert board.step == 1000


def test_on_a_phone_the_answers_are_large_and_below_the_picture(page: Open) -> None:
    tab = page("/regression?regression_try=small-steps", width=390, height=844, options={"has_touch": True}).page
    Board(tab).ready()
    options = wait(tab, "[data-option]")
    heights = [each.bounding_box()["height"] for each in options.all()]
    assert len(heights) == 3 and min(heights) >= 44
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    options.nth(0).scroll_into_view_if_needed()
    options.nth(0).tap()
    wait(tab, '[data-option="sum"]')


def test_before_the_answer_no_message_holds_what_follows_it(page: Open) -> None:
    tab = page("/").page
    heard: list[str] = []
    told: list[str] = []

    def listen(socket: Any) -> None:
        socket.on("framereceived", lambda frame: heard.append(as_text(frame)))
        socket.on("framesent", lambda frame: told.append(as_text(frame)))

    tab.on("websocket", listen)
    tab.goto(tab.url.rstrip("/") + "/regression?regression_try=too-large-a-step")
    board = Board(tab).ready()
    wait(tab, '[data-option="falls"]')
    experiment = next(each for each in of("regression") if each.id == "too-large-a-step")
    why = PREDICTIONS[experiment.id].why
    later = [beginning(each) for each in (experiment.after, why.question, *why.options.values())]
    later += [beginning(each) for each in why.misconceptions.values()]

    def revealed() -> list[str]:
        everything = "\n".join([*heard, tab.content()])
        return [each for each in later if each in everything]

    assert any("20 times that of the tutorial" in each for each in heard), "the question is heard"
    assert revealed() == []
    tab.locator('[data-option="falls"]').click()
    wait(tab, '[data-option="noise"]').click()
    assert '{"do":"play","steps":20}' in told, "the board begins the run itself: no rerun of the page comes before it"
    board.until(lambda: later[0] in revealed(), "what it shows comes after the answer")


def as_text(frame: str | bytes) -> str:
    return frame if isinstance(frame, str) else frame.decode(errors="replace")
