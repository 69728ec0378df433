"""Pinned runs in a real Chromium: a ghost on the loss chart, a row with what differs, and both survive a reload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.student import PATIENCE, Board

Open = Callable[..., Any]
CURVES = """() => document.querySelector('[data-chart="loss"]').data.map((trace) => [trace.name, trace.y.length])"""
ROWS = (
    """() => [...document.querySelectorAll('.pins tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"""
)


def test_a_pinned_run_stays_as_a_ghost_beside_the_next_ones(page: Open) -> None:
    tab = page("/regression?regression_lr=0.05")
    board = Board(tab.page).ready()
    assert not tab.page.locator(".pins").is_visible(), "nothing is pinned yet"
    board.take(40)
    board.until(lambda: board.step == 40, "forty steps")
    pinned_loss = tab.page.locator('[data-status="loss"]').text_content()
    board.pin()
    board.knob("lr").press("ArrowRight")
    board.until(lambda: "regression_lr=0.05" not in tab.page.url, "another rate")
    board.press("Reset")
    board.until(lambda: board.step == 0, "from the start")
    head, now, pinned = tab.page.evaluate(ROWS)
    assert head[1] == "Learning rate" and len(set(head)) >= 5
    assert pinned[1] == "0.05" and now[1] != "0.05"
    assert pinned_loss in pinned and pinned[2] == "40" and now[2] == "0"
    names = dict(tab.page.evaluate(CURVES))
    assert names["Pinned 1: Train"] == 41 and "Pinned 1: Test" in names
    tab.page.reload()
    Board(tab.page).ready()
    tab.page.wait_for_function(
        f"() => ({CURVES})().some(([name]) => name === 'Pinned 1: Train')", timeout=1000 * PATIENCE
    )
    assert tab.page.evaluate(ROWS)[2] == pinned
    tab.page.get_by_role("button", name="Unpin: Pinned 1").click()
    tab.page.wait_for_function(f"() => !({CURVES})().some(([name]) => String(name).startsWith('Pinned'))")
    assert not tab.page.locator(".pins").is_visible()


def test_pins_are_bounded_and_rubbish_in_the_store_is_ignored(page: Open) -> None:
    tab = page("/regression")
    board = Board(tab.page).ready()
    board.pin(7)
    assert len(tab.page.evaluate(ROWS)) == 2 + 6
    tab.page.get_by_text("6 runs are pinned. Unpin one").wait_for()
    tab.page.evaluate("""() => sessionStorage.setItem("pins:/regression", '[{"curves": 1}, {"a": "<img>"}')""")
    tab.page.reload()
    board = Board(tab.page).ready()
    board.press("Step")
    board.until(lambda: board.step == 1, "it runs all the same")
    assert not tab.page.locator(".pins").is_visible()


def test_steps_under_a_longer_pinned_run_reach_its_end(page: Open) -> None:
    tab = page("/regression?regression_max_steps=0").page
    board = Board(tab).ready()
    board.take(40)
    board.until(lambda: board.step == 40, "forty steps")
    board.pin()
    board.press("Reset")
    board.until(lambda: board.step == 0, "from the start")
    ticks = tab.locator("[data-place=strip] .xtick text").all_text_contents()
    assert ticks[0] == "0" and ticks[-1] == "40 steps", ticks
