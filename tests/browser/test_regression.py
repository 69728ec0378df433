"""A student's journey through the lesson "Regression": knobs, points, tables, presets, links."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.browser.student import Board

Open = Callable[..., Any]
ENDLESS = "/regression?regression_max_steps=0"


def test_a_live_knob_acts_without_a_reset_and_leaves_a_mark(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    board.play()
    board.wait_frames(10)
    run, before = board.run, board.step
    tab.page.get_by_role("slider", name="Learning rate").press("ArrowLeft")
    board.until(lambda: len(board.trace("loss", "Setting changed")["x"]) == 1, "the mark")
    assert board.run == run
    assert board.step > before
    assert board.state == "playing"
    assert board.trace("loss", "Setting changed")["x"][0] >= before
    board.until(lambda: "regression_lr=0.3" in tab.page.url, "the link follows")


def test_a_knob_that_changes_the_shape_starts_over_and_goes_on_playing(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    board.play()
    board.until(lambda: board.step > 300, "some steps")
    tab.page.get_by_role("button", name="Add a unit: Units in layer 1").click()
    board.until(lambda: board.number("parameters") == 34, "another model")
    board.until(lambda: board.state == "playing", "it goes on playing")
    assert len(board.trace("loss", "Setting changed")["x"]) == 0


def test_too_high_a_rate_diverges_with_a_sentence_and_a_lower_one_recovers(page: Open) -> None:
    tab = page("/regression?regression_lr=10&regression_max_steps=0")
    board = Board(tab.page).ready()
    board.press("Play")
    board.until(lambda: board.state == "failed", "it fails")
    assert "Diverged" in board.said()
    assert "Lower the learning rate" in board.said()
    assert tab.page.get_by_role("button", name="Play", exact=True).is_disabled()
    slider = tab.page.get_by_role("slider", name="Learning rate")
    for _ in range(5):
        slider.press("ArrowLeft")
    board.until(lambda: "regression_lr=0.2" in tab.page.url, "the rate is 0.2")
    board.press("Reset")
    board.until(lambda: board.state in ("paused", "playing") and board.number("loss") < 1, "a fresh start")
    if board.state == "paused":
        board.play()
    board.until(lambda: board.step > 100 and board.number("loss") < 0.05, "it learns")


def test_after_a_divergence_the_run_goes_back_to_its_last_good_step_and_trains_on(page: Open) -> None:
    tab = page("/regression?regression_lr=0.1&regression_activation=tanh&regression_max_steps=0")
    board = Board(tab.page).ready()
    board.play()
    board.until(lambda: board.step > 200, "it learns")
    board.pause()
    step, slider = board.step, tab.page.get_by_role("slider", name="Learning rate")
    slider.press("End")
    board.until(lambda: "“Learning rate” to 10" in board.said(), "the narrator names the change")
    board.press("Play")  # it may have failed before anybody sees it play
    board.until(lambda: board.state == "failed", "it fails")
    back = tab.page.get_by_role("button", name=re.compile("^Go back to step "))
    good = int(re.sub(r"\D", "", back.inner_text()))
    assert step - 20 < good < step + 20, "about the change: the first steps after it may lower the loss once more"
    back.click()
    board.until(lambda: board.state == "paused" and board.step == good, "it is back")
    assert board.number("loss") < 0.1 and board.said().startswith("You went back to step ")
    for _ in range(6):
        slider.press("ArrowLeft")
    board.until(lambda: "“Learning rate” to 0.1" in board.said(), "a lower rate")
    board.play()
    board.until(lambda: board.step > step + 100 and board.state == "playing", "it trains on")


def test_a_wide_layer_is_drawn_and_labels_stay_when_the_units_change_while_it_plays(page: Open) -> None:
    tab = page("/regression?regression_hidden=32&regression_activation=tanh&regression_lr=0.1&regression_max_steps=0")
    board = Board(tab.page).ready()
    labels = "[...document.querySelectorAll('[data-chart=network] .annotation-text')].map((each) => each.textContent)"
    assert tab.page.evaluate(labels) == ["x", "y", "+ 20 more"]
    board.play()
    board.drawer()
    tab.page.get_by_role("slider", name="Units in layer 1").press("Home")
    board.until(lambda: board.number("parameters") == 4, "one unit")
    board.until(lambda: tab.page.evaluate(labels) == ["x", "y"], "its labels")
    tab.page.get_by_role("button", name="Remove a hidden layer: Hidden layers").click()
    board.until(lambda: board.number("parameters") == 2, "no hidden layer")
    board.until(lambda: tab.page.evaluate(labels) == ["x", "y"], "labels without a hidden layer")


def test_a_click_adds_a_point_and_a_shift_click_takes_the_nearest_away(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    assert len(board.trace("fit", "Train")["x"]) == 100
    board.click_at("fit", 0.5, 1.0)
    board.until(lambda: len(board.trace("fit", "Train")["x"]) == 101, "a point more")
    points = board.trace("fit", "Train")
    assert min(abs(x - 0.5) + abs(y - 1.0) for x, y in zip(points["x"], points["y"], strict=True)) < 0.05
    board.click_at("fit", 0.5, 1.0, ("Shift",))
    board.until(lambda: len(board.trace("fit", "Train")["x"]) == 100, "and gone")
    board.own_points()
    tab.page.get_by_role("button", name="Undo last click").click()
    board.until(lambda: len(board.trace("fit", "Train")["x"]) == 101, "the removal is undone")


def test_a_students_own_table_is_learned_and_a_bad_one_gets_a_sentence(page: Open, tmp_path: Any) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    board.own_points()
    paste = tab.page.get_by_label("Paste rows of x,y")
    paste.fill("x,y\n0,1\n1,three\n2,3\n")
    paste.press("Control+Enter")
    tab.page.get_by_role("button", name="Use these points").click()
    tab.page.wait_for_selector("text=/line 3/i")
    assert len(board.trace("fit", "Train")["x"]) == 100
    paste.fill("x,y\n-1,1\n-0.5,0\n0,0.5\n0.5,0\n1,1\n")
    paste.press("Control+Enter")
    tab.page.get_by_role("button", name="Use these points").click()
    board.until(lambda: len(board.trace("fit", "Train")["x"]) == 4, "four points")
    assert len(board.trace("fit", "Test")["x"]) == 1
    with tab.page.expect_download() as saved:
        tab.page.get_by_role("button", name="Download the points").click()
    saved.value.save_as(tmp_path / "points.csv")
    assert "-0.5" in (tmp_path / "points.csv").read_text()
    tab.page.get_by_role("button", name="Back to generated points").click()
    tab.page.locator('[data-chart="fit"]').scroll_into_view_if_needed()
    board.until(lambda: len(board.trace("fit", "Train")["x"]) == 100, "the hundred points again")


def test_hidden_units_and_the_log_scale_can_be_switched_on(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    board.play()
    board.wait_frames(5)
    board.pause()
    board.choose("fit", "Hidden units")
    board.until(lambda: len(board.trace("fit", "Units")["x"]) > 500, "each unit's curve")
    board.choose("loss", "Log scale")
    kind = "document.querySelector('[data-chart=loss]')._fullLayout.yaxis.type"
    board.until(lambda: tab.page.evaluate(kind) == "log", "a log axis")
    board.wait_frames(0)
    board.choose("loss", "Log scale")
    board.until(lambda: tab.page.evaluate(kind) == "linear", "a linear axis")


def test_an_experiment_is_one_click_and_back_undoes_it(page: Open) -> None:
    tab = page("/regression")
    board = Board(tab.page).ready()
    tab.page.get_by_role("button", name="Later experiment").click()
    board.press("Set up and run")
    board.until(lambda: board.number("parameters") == 2, "a straight line")
    board.until(lambda: "regression_layers=0" in tab.page.url, "the link follows")
    tab.page.go_back()
    board.until(lambda: board.number("parameters") == 31, "the model before")


def test_a_value_past_its_limit_in_a_link_gets_a_sentence(page: Open) -> None:
    tab = page("/regression?regression_hidden=9999&regression_activation=<script>alert(1)</script>&hide=seed,noise")
    board = Board(tab.page).ready()
    assert board.number("parameters") == 64 * 3 + 1
    tab.page.wait_for_selector("text=/Units in layer 1 cannot be 9999/")
    tab.page.wait_for_selector("text=/Activation cannot be/")
    assert tab.page.get_by_role("slider", name="Noise").count() == 0
    assert tab.page.get_by_role("slider", name="Learning rate").count() == 1


def test_a_shared_link_opens_the_same_experiment(page: Open) -> None:
    tab = page("/regression?regression_target=sine&regression_seed=7")
    board = Board(tab.page).ready()
    board.more()
    tab.page.locator("summary", has_text="Share").click()
    link = str(tab.page.locator('[data-testid="stPopoverBody"] code').first.inner_text()).strip()
    assert link.endswith("/regression?regression_target=sine&regression_seed=7")
    other = Board(page(link).page).ready()
    assert other.run != board.run
    assert other.trace("fit", "Train") == board.trace("fit", "Train")
    assert other.number("loss") == board.number("loss")


def test_the_network_is_changed_where_it_is_drawn_and_the_focus_stays(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    more = tab.page.get_by_role("button", name="Add a unit: Units in layer 1")
    more.focus()
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("Enter")
    board.until(lambda: board.number("parameters") == 37, "two units more")
    assert tab.page.evaluate("document.activeElement.ariaLabel") == "Add a unit: Units in layer 1"
    tab.page.get_by_role("button", name="Add a hidden layer: Hidden layers").click()
    board.until(lambda: board.number("parameters") == 2 * 12 + 13 * 10 + 11, "a layer more")
    assert tab.page.locator('[data-knob="hidden_2"]').is_visible()
    heads = "[...document.querySelectorAll('.network .head')].filter((each) => !each.hidden).map((e) => e.textContent)"
    assert tab.page.evaluate(heads) == ["Data", "Input", "12 units", "10 units", "Output"]
    board.knob("activation").select_option("tanh")
    board.until(lambda: "regression_activation=tanh" in tab.page.url, "the link follows")
    tab.page.get_by_role("button", name="Data: x². Choose another").click()
    tab.page.get_by_role("button", name="|x|", exact=True).click()
    board.until(lambda: "regression_target=absolute" in tab.page.url, "other data")
    assert tab.page.get_by_role("button", name="Data: |x|. Choose another").is_visible()


def test_the_lines_of_a_step_one_at_a_time_and_without_zero_grad(page: Open) -> None:
    tab = page(ENDLESS)
    board = Board(tab.page).ready()
    tab.page.get_by_role("button", name="The step").click()
    lines = tab.page.get_by_role("button", name="Next line", exact=True).locator("visible=true").first
    chart = tab.page.locator('[data-chart="step"]')
    for line in range(1, 5):
        lines.click()
        board.until(lambda line=line: f"line {line} of 5" in words_of(chart), f"line {line}")
        assert board.step == 0
    lines.click()
    board.until(lambda: board.step == 1, "the last line takes the step")
    tab.page.get_by_role("switch", name="zero_grad()").locator("visible=true").first.click()
    board.until(lambda: "left out" in words_of(chart), "the line is left out")
    board.until(lambda: "regression_zero_grad=false" in tab.page.url, "the link follows")


def words_of(chart: Any) -> str:
    """The words in a chart."""
    return " ".join(chart.locator("text").all_text_contents()).replace("\u00a0", " ")
