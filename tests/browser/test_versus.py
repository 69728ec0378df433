"""Two runs side by side in a real Chromium: what one player says, both do; what differs is the one setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.student import PATIENCE

Open = Callable[..., Any]
BOTH = "() => [...document.querySelectorAll('[data-board]')].map((board) => ({{ {} }}))"
SEEN = BOTH.format(
    "state: board.dataset.state, step: Number(board.querySelector('[data-status=\"step\"]').textContent), "
    "loss: board.querySelector('[data-status=\"loss\"]').textContent, "
    "heading: board.querySelector('.heading').textContent, moment: board.querySelector('.moment').textContent"
)


def until(page: Any, holds: str) -> None:
    """Wait until an expression over `boards` holds."""
    page.wait_for_function(f"() => {{ const boards = ({SEEN})(); return {holds}; }}", timeout=1000 * PATIENCE)


def test_both_runs_obey_one_player_and_differ_in_one_setting(page: Open) -> None:
    tab = page("/regression?versus=lr:0.05&regression_max_steps=0").page
    until(tab, "boards.length === 2 && boards.every((board) => board.state === 'paused' && board.loss !== '–')")
    first, second = tab.evaluate(SEEN)
    assert first["heading"] == "Learning rate: 0.5" and second["heading"] == "Learning rate: 0.05"
    assert first["loss"] == second["loss"], "the same data and the same start"
    play = tab.get_by_role("button", name="Play", exact=True)
    assert play.count() == 1, "one player for both"
    play.click()
    until(tab, "boards.every((board) => board.state === 'playing' && board.step > 20)")
    tab.get_by_role("button", name="Pause", exact=True).click()
    until(tab, "boards.every((board) => board.state === 'paused')")
    first, second = tab.evaluate(SEEN)
    assert first["step"] == second["step"] and first["loss"] != second["loss"]
    tab.keyboard.press("Space")  # the focus is on the button: one press, not two
    until(tab, "boards.every((board) => board.state === 'playing')")
    tab.get_by_role("button", name="Reset", exact=True).click()
    until(tab, "boards.every((board) => board.step === 0)")


def test_the_charts_of_both_runs_are_level_and_have_names_of_their_own(page: Open) -> None:
    tab = page("/regression?versus=lr:1&regression_max_steps=0").page
    until(tab, "boards.length === 2 && boards.every((board) => board.state === 'paused' && board.loss !== '–')")
    tops = (
        "() => [...document.querySelectorAll('[data-board] > .cards')].map((each) => each.getBoundingClientRect().top)"
    )
    tab.evaluate(
        """() => [...document.querySelectorAll(".narrator")].forEach((each, at) => {
             each.textContent = "One sentence more. ".repeat(1 + 20 * at);
        })"""
    )
    tab.wait_for_function(f"() => {{ const [one, other] = ({tops})(); return Math.abs(one - other) < 1; }}")
    names = tab.evaluate("() => [...document.querySelectorAll('.card')].map((each) => each.getAttribute('aria-label'))")
    assert len(set(names)) == len(names) and "Fit (Learning rate: 1)" in names
    tab.get_by_text("Compare", exact=True).click()
    until(tab, "boards.length === 1")
    tab.wait_for_function("() => !document.querySelector('.cards').style.marginTop")
    tab.wait_for_function("() => document.querySelector('.card').getAttribute('aria-label') === 'Fit'")


def test_a_second_run_catches_up_with_the_first_and_goes_again(page: Open) -> None:
    tab = page("/classification?classification_max_steps=0").page
    until(tab, "boards.length === 1 && boards[0].state === 'paused'")
    tab.get_by_label("Steps or epochs to take").fill("30")
    tab.get_by_role("button", name="Step", exact=True).click()
    until(tab, "boards[0].step === 30")
    tab.get_by_text("Compare", exact=True).click()
    until(tab, "boards.length === 2 && boards[1].step === 30")
    assert "versus=" in tab.url
    tab.get_by_text("Compare", exact=True).click()
    until(tab, "boards.length === 1 && boards[0].step === 30")
    tab.wait_for_function("() => !location.search.includes('versus')")


def test_comparing_and_choosing_another_setting_never_stop_the_first_run(page: Open) -> None:
    tab = page("/regression?regression_max_steps=0&regression_lr=0.1").page
    until(tab, "boards.length === 1 && boards[0].state === 'paused'")
    tab.get_by_role("button", name="Play", exact=True).click()
    until(tab, "boards[0].step > 200")
    for _ in range(2):
        tab.get_by_text("Compare", exact=True).click()
        before = tab.evaluate(SEEN)[0]["step"]
        until(tab, f"boards.length === 2 && boards[0].state === 'playing' && boards[0].step > {before}")
        until(tab, "boards[1].heading === 'Learning rate: 0.2' && boards[1].step > 0")
        tab.get_by_text("Compare", exact=True).click()
        before = tab.evaluate(SEEN)[0]["step"]
        until(tab, f"boards.length === 1 && boards[0].state === 'playing' && boards[0].step > {before}")
    tab.get_by_text("Compare", exact=True).click()
    until(tab, "boards.length === 2")
    tab.locator(".st-key-versus input").first.click()
    tab.get_by_role("option", name="Optimizer", exact=True).click()
    until(tab, "boards.length === 2 && boards[1].heading === 'Optimizer: SGD with momentum'")
    assert tab.evaluate(SEEN)[0]["heading"] == "Optimizer: SGD"
    tab.get_by_role("button", name="Pause", exact=True).click()
    until(tab, "boards.every((board) => board.state === 'paused') && boards[0].step === boards[1].step")
    first, second = tab.evaluate(SEEN)
    assert second["loss"] != first["loss"]
    for to in (0, 5, 3):
        tab.get_by_role("slider", name="Time").first.evaluate(
            "(slider, to) => { slider.value = to; slider.dispatchEvent(new Event('input')); }", to
        )
        until(tab, f"boards.every((board) => (board.step === 0) === ({to} === 0) && board.step === boards[0].step)")
    tab.get_by_role("button", name="Now", exact=True).first.click()
    until(tab, "boards.every((board) => board.step > 200)")
