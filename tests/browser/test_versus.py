"""Two runs in one picture in a real Chromium: what one player says, both do; what differs is the one setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.student import Board

Open = Callable[..., Any]
NAMES = "() => [...document.querySelectorAll('[data-place=hero] .whose')].map((each) => each.textContent)"
DASHED = """() => document.querySelector('[data-chart=fit]').data.filter(({ name }) => /\\(/.test(name ?? ""))
  .map(({ name, line, y }) => ({ name, dash: line.dash, last: y[y.length - 1] }))"""

# Whether a name of a run that reaches out of the picture is not seen there.
UNCOVERED = """(name) => {
  const box = document.querySelector(name).getBoundingClientRect();
  const stage = document.querySelector("[data-place=hero] .stage").getBoundingClientRect();
  const x = box.left < stage.left ? stage.left - 2 : stage.right + 2;
  return !document.elementFromPoint(x, (box.top + box.bottom) / 2)?.closest(".curtain");
}"""


def second(board: Board, name: str) -> float:
    """A number of the second run."""
    return float(board.page.locator(f'[data-second="{name}"]').text_content())


def shows_two(board: Board) -> bool:
    return bool(board.root.get_attribute("data-second")) and board.page.evaluate(NAMES) != []


def compare(board: Board) -> None:
    """Switch the comparison on or off, in the menu More."""
    board.more()
    board.page.get_by_text("Compare", exact=True).click()
    board.page.keyboard.press("Escape")


def test_both_runs_obey_one_player_and_differ_in_one_setting(page: Open) -> None:
    tab = page("/regression?versus=lr:0.05&regression_max_steps=0").page
    board = Board(tab).ready()
    board.until(lambda: shows_two(board), "both runs")
    assert tab.evaluate(NAMES) == ["Learning rate: 0.5", "Learning rate: 0.05"]
    assert board.number("loss") == second(board, "loss"), "the same data and the same start"
    assert tab.locator("[data-board]").count() == 1
    board.play()
    board.until(lambda: board.step > 20, "steps")
    board.pause()
    board.until(lambda: second(board, "loss") != board.number("loss"), "two losses")
    board.until(lambda: [line["dash"] for line in tab.evaluate(DASHED)] == ["dash"], "its line is dashed")
    (line,) = tab.evaluate(DASHED)
    assert line["name"] == "Model (Learning rate: 0.05)"
    assert line["last"] != board.trace("fit", "Model")["y"][-1]
    tab.keyboard.press("Space")  # the focus is on the button: one press, not two
    board.until(lambda: board.state == "playing", "playing")
    tab.get_by_role("button", name="Reset", exact=True).click()
    board.until(lambda: board.step == 0 and second(board, "loss") == board.number("loss"), "both at the start")


def test_a_plane_is_shared_by_a_curtain_and_the_comparison_leaves_no_trace(page: Open) -> None:
    tab = page("/classification?versus=lr:0.3").page
    board = Board(tab).ready()
    board.until(lambda: shows_two(board), "both runs")
    curtain = tab.get_by_role("slider", name="Curtain")
    assert curtain.get_attribute("aria-valuenow") == "50"
    place = curtain.bounding_box()["x"]
    curtain.press("PageUp")
    assert curtain.get_attribute("aria-valuenow") == "60"
    assert curtain.bounding_box()["x"] > place
    for key, which in (("Home", ".first"), ("End", ".other")):
        curtain.press(key)
        assert tab.evaluate(UNCOVERED, f".curtain {which}"), "a name ends where the picture does"
    compare(board)
    board.until(lambda: not shows_two(board), "one run")
    assert curtain.count() == 0 and tab.locator("[data-second]").count() == 0


def test_a_picture_that_cannot_hold_both_stands_twice(page: Open) -> None:
    tab = page("/cnn?versus=lr:0.01").page
    board = Board(tab).ready()
    board.until(lambda: shows_two(board), "both runs")
    tab.wait_for_selector(".twin .plot .main-svg")
    assert tab.evaluate(NAMES) == ["Learning rate: 0.001", "Learning rate: 0.01"]


def test_a_second_run_catches_up_with_the_first_and_goes_again(page: Open) -> None:
    tab = page("/classification?classification_max_steps=0").page
    board = Board(tab).ready()
    board.take(30)
    board.until(lambda: board.step == 30, "thirty steps")
    compare(board)
    board.until(lambda: shows_two(board) and "versus=" in tab.url, "both runs")
    board.until(lambda: second(board, "loss") != board.number("loss"), "its own loss at step 30")
    compare(board)
    board.until(lambda: not shows_two(board) and board.step == 30, "one run")
    board.until(lambda: "versus" not in tab.url, "the link")


def test_comparing_and_choosing_another_setting_never_stop_the_first_run(page: Open) -> None:
    tab = page("/regression?regression_max_steps=0&regression_lr=0.1").page
    board = Board(tab).ready()
    board.play()
    board.until(lambda: board.step > 200, "steps")
    for _ in range(2):
        compare(board)
        before = board.step
        board.until(lambda at=before: shows_two(board) and board.state == "playing" and board.step > at, "both")
        assert tab.evaluate(NAMES)[1] == "Learning rate: 0.2"
        compare(board)
        before = board.step
        board.until(lambda at=before: not shows_two(board) and board.state == "playing" and board.step > at, "one")
    compare(board)
    board.until(lambda: shows_two(board), "both")
    tab.locator(".st-key-versus [data-testid=stSelectbox] input").click()
    tab.get_by_role("option", name="Optimizer", exact=True).click()
    board.until(
        lambda: tab.evaluate(NAMES) == ["Optimizer: SGD", "Optimizer: SGD with momentum"], "another setting", 30
    )
    assert tab.locator("[data-board] .notice").text_content() == "", "that the other run was replaced is no news"
    board.pause()
    board.until(lambda: second(board, "loss") != board.number("loss"), "two losses")
    for to in (0, 5, 3):
        board.scrub(to)
        board.until(lambda at=to: (board.step == 0) == (at == 0), "an earlier step")
        board.until(lambda at=to: (second(board, "loss") == board.number("loss")) == (at == 0), "both look back")
    tab.get_by_role("button", name="Now", exact=True).first.click()
    board.until(lambda: board.step > 200, "now")


CURVES = """() => document.querySelector('[data-place=strip] [data-chart]').data
  .filter(({ name, visible }) => visible !== false && /^Train/.test(name ?? ""))
  .map(({ line, x }) => [line.dash ?? "solid", x[x.length - 1]])"""

MARKS = """(wanted) => {
  const { marker, visible, y } = document.querySelector("[data-chart=fit]").data.find(({ name }) => name === wanted);
  return { symbol: marker.symbol, visible, y: [...y] };
}"""

# The traces of points that the curtain cuts off, with the shapes that do so.
SIDES = """() => {
  const { data, _fullData } = document.querySelector("[data-chart=map]");
  const plot = document.querySelector("[data-chart=map]");
  return _fullData.map(({ uid }, at) => [data[at].name, plot.querySelector(`.trace${uid}`)?.style.clipPath ?? ""])
    .filter(([name, path]) => /class|test/i.test(name ?? "") && path);
}"""


def test_a_run_continues_from_an_earlier_step_beside_itself_as_it_was(page: Open) -> None:
    tab = page("/regression?regression_optimizer=adam").page
    board = Board(tab).ready()
    onward = tab.get_by_role("button", name="Continue from here")
    board.press("Play")
    board.until(lambda: board.state == "done", "done")
    assert not onward.is_visible()
    loss = board.number("loss")
    board.scrub(30)
    board.until(lambda: board.step == 30 and onward.is_visible(), "an earlier step")
    onward.hover()
    tab.get_by_text("the optimizer begins with empty state").locator("visible=true").first.wait_for()
    onward.click()
    board.until(lambda: shows_two(board) and board.state == "paused" and board.places() == 30, "both, at step 30")
    assert "You continue from step 30" in board.said()
    assert tab.evaluate(NAMES) == ["Continued", "Before"]
    assert tab.get_by_role("button", name="Play", exact=True).evaluate("(node) => node === document.activeElement")
    board.until(lambda: board.number("loss") == second(board, "loss"), "the same weights")
    ends = {"solid": 30, "dash": 100}
    board.until(lambda: dict(tab.evaluate(CURVES)) == ends, "all of the curve before is there, dashed")
    board.press("Play")
    board.until(lambda: board.state == "done" and board.step == 100, "it trains as far as before")
    board.until(lambda: second(board, "loss") == loss, "the run before has the loss that it had")
    compare(board)
    board.until(lambda: not shows_two(board), "one run")


def test_compared_runs_show_their_own_points(page: Open) -> None:
    tab = page("/regression?versus=noise:0.5").page
    board = Board(tab).ready()
    board.until(lambda: shows_two(board), "both runs")
    assert tab.evaluate(NAMES) == ["Noise: 0.2 ●", "Noise: 0.5 ⊙"]
    own, others = (tab.evaluate(MARKS, name) for name in ("Train", "Train (Noise: 0.5)"))
    assert others["symbol"] == "circle-open-dot" and len(others["y"]) == len(own["y"]) and others["y"] != own["y"]
    tab.get_by_role("button", name="Train", exact=True).click()
    board.until(lambda: tab.evaluate(MARKS, "Train (Noise: 0.5)")["visible"] is False, "hidden in both")


def test_the_points_of_each_run_are_on_its_side_of_the_curtain(page: Open) -> None:
    tab = page("/classification?versus=noise:2").page
    board = Board(tab).ready()
    board.until(lambda: shows_two(board) and tab.evaluate(SIDES) != [], "both runs")
    sides = tab.evaluate(SIDES)
    own = {path for name, path in sides if "(" not in name}
    others = {path for name, path in sides if "(" in name}
    assert len(own) == len(others) == 1 and own != others
    tab.get_by_role("slider", name="Curtain").press("Home")
    widths = "() => [...document.querySelectorAll('clipPath[id^=curtain] rect')].map((each) => each.getAttribute('x'))"
    assert float(tab.evaluate(widths)[1]) == 0, "with the curtain at the left end, only the second run's are seen"
    compare(board)
    board.until(lambda: not shows_two(board), "one run")
    assert tab.evaluate(SIDES) == []
