"""Classification by hand in a real Chromium: a table in and out, other points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.browser.student import Board
from tests.browser.test_classification import UNIT

Open = Callable[..., Any]
CIRCLE = (
    "/classification?classification_cloud=circle&classification_noise=0.4&classification_units_1=4"
    "&classification_activation=tanh&classification_lr=0.1&classification_batch_size=10&classification_max_steps=0"
)
THREE = "x1,x2,class\n1,1,0\n1,2,0\n-1,1,1\n-1,2,1\n0,-1,2\n0,-2,2"


def test_a_table_comes_in_and_goes_out(page: Open, tmp_path: Path) -> None:
    tab = page(CIRCLE)
    board = Board(tab.page).ready()
    board.own_points()
    paste = tab.page.get_by_label("Paste rows of x1,x2,class")
    paste.fill("1,1,0\n2,two,1")
    paste.press("Control+Enter")
    tab.page.get_by_role("button", name="Use these points").click()
    tab.page.get_by_text("is not a number. Each line must be x1,x2,class.").wait_for()
    paste.fill(THREE)
    paste.press("Control+Enter")
    tab.page.get_by_role("button", name="Use these points").click()
    tab.page.get_by_text("6 rows in use.").wait_for()
    board.until(lambda: board.number("parameters") == 4 * 3 + 3 * 5, "an output for the third class")
    with tab.page.expect_download() as saving:
        tab.page.get_by_role("button", name="Download the points").click()
    saving.value.save_as(tmp_path / "points.csv")
    assert (tmp_path / "points.csv").read_text().count("\n") == 7
    tab.page.get_by_role("button", name="Back to generated points").click()
    board.until(lambda: board.number("parameters") == 4 * 3 + 2 * 5, "two classes again")


def test_new_points_come_without_starting_over(page: Open) -> None:
    tab = page(CIRCLE)
    board = Board(tab.page).ready()
    board.play()
    board.until(lambda: board.step > 100, "some steps")
    board.pause()
    run, step, before = board.run, board.step, board.trace("map", "Train 0")["x"]
    tab.page.get_by_role("button", name="Data: Circle. Choose another").click()
    tab.page.get_by_role("button", name="New points").click()
    board.until(lambda: board.trace("map", "Train 0")["x"] != before, "other points")
    assert (board.run, board.step) == (run, step)
    board.until(lambda: "classification_draw=1" in tab.page.url, "the link follows")


def test_a_click_on_a_unit_opens_its_weights_and_a_typed_number_is_the_running_models(page: Open) -> None:
    tab = page(CIRCLE)
    board = Board(tab.page).ready()
    tab.page.wait_for_selector("[data-testid=stMain] [data-chart=network] .scatterlayer .point")
    board.click_at("network", *tab.page.evaluate(UNIT, 2))
    form = tab.page.get_by_role("dialog", name="Set weights by hand")
    form.wait_for()
    assert form.get_by_label("Unit").input_value() == "0,0"
    board.play()
    board.until(lambda: board.step > 20, "it trains")
    field = form.get_by_label("Weight from x₁")
    field.fill("7.5")
    field.press("Enter")
    marks = (
        "() => document.querySelector('[data-chart=loss]').data.find((each) => each.name === 'Setting changed').text"
    )
    board.until(lambda: any("Weight set by hand" in text for text in tab.page.evaluate(marks)), "the chart says so")
    board.pause()
    form.get_by_label("Bias", exact=True).focus()
    board.until(lambda: abs(float(field.input_value()) - 7.5) < 1.5, "the unit learns on from there")
    field.fill("2e6")
    field.press("Enter")
    board.until(lambda: "from -1e6 to 1e6" in board.said(), "a weight too large is refused")
    field.press("Escape")
    form.wait_for(state="hidden")


def test_a_click_on_a_weights_line_opens_that_weight(page: Open) -> None:
    tab = page(CIRCLE)
    board = Board(tab.page).ready()
    tab.page.wait_for_selector("[data-testid=stMain] [data-chart=network] .scatterlayer .point")
    (x0, y0), (x1, y1) = (tab.page.evaluate(UNIT, at) for at in (1, 5))
    board.click_at("network", (x0 + x1 + 0.055 - 0.085) / 2, (y0 + y1) / 2)
    form = tab.page.get_by_role("dialog", name="Set weights by hand")
    form.wait_for()
    assert form.get_by_label("Unit", exact=True).input_value() == "0,3"
    assert tab.page.evaluate("document.activeElement.parentNode.textContent") == "Weight from x₂"
    tab.page.keyboard.type("1.5")
    tab.page.keyboard.press("Enter")
    marks = "() => document.querySelector('[data-chart=loss]').data.find(({ name }) => name === 'Setting changed').text"
    board.until(lambda: any("Weight set by hand" in text for text in tab.page.evaluate(marks)), "the loss says so")


# A place one pixel beside a steep line between two hidden layers, and which weight that line is.
STEEP = """() => {
  const plot = document.querySelector("[data-chart=network]");
  const { xaxis, yaxis } = plot._fullLayout;
  const [, , from, to] = plot.layout.meta.network.columns.filter(({ units }) => units);
  const place = (x, y) => [xaxis._offset + xaxis.d2p(x), yaxis._offset + yaxis.d2p(y)];
  const [left, top] = place((from.x + from.half[0] + to.x - to.half[0]) / 2, (from.y[0] + to.y.at(-1)) / 2);
  return { x: Math.round(left) + 1, y: Math.round(top), unit: `${to.layer},${to.units.at(-1)}`, source: from.units[0] };
}"""


def test_a_click_beside_a_steep_line_opens_its_weight(page: Open) -> None:
    tab = page("/classification?classification_layers=3&classification_units_2=1&classification_units_3=5")
    Board(tab.page).ready()
    tab.page.wait_for_selector("[data-testid=stMain] [data-chart=network] .scatterlayer .point")
    spot = tab.page.evaluate(STEEP)
    tab.page.locator("[data-chart=network]").click(position={"x": spot["x"], "y": spot["y"]})
    form = tab.page.get_by_role("dialog", name="Set weights by hand")
    form.wait_for()
    assert form.get_by_label("Unit", exact=True).input_value() == spot["unit"]
    fields = "() => [...document.querySelectorAll('.weights .rows input')].indexOf(document.activeElement)"
    assert tab.page.evaluate(fields) == spot["source"] + 1, "the bias is the first"


def test_weights_can_be_set_and_set_back_with_the_keyboard_alone(page: Open) -> None:
    tab = page(CIRCLE)
    board = Board(tab.page).ready()
    tab.page.wait_for_selector("[data-testid=stMain] [data-chart=network] .scatterlayer .point")
    board.choose("network", "Set weights by hand")
    bias = tab.page.get_by_label("Bias", exact=True)
    bias.wait_for()
    before = bias.input_value()
    tab.page.keyboard.press("Control+A")
    tab.page.keyboard.type("3.25")
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("button", name="Undo", exact=True).press("Enter")
    board.until(lambda: bias.input_value() == before, "set back")
    tab.page.keyboard.press("Escape")
    assert tab.page.evaluate("document.activeElement.className") == "dots", (
        "the menu that opened it has the focus again"
    )


def test_a_teachers_challenge_comes_with_the_link_and_is_met_while_it_plays(page: Open) -> None:
    tab = page(f"{CIRCLE}&classification_most_parameters=25&classification_least_accuracy=95")
    board = Board(tab.page).ready()
    board.until(lambda: board.said().startswith("Challenge: test accuracy "), "the narrator says so")
    board.play()
    board.until(lambda: board.said().startswith("You met the challenge at step "), "met")
    board.more()
    tab.page.locator("summary", has_text="Share").click()
    shared = tab.page.get_by_text("classification_least_accuracy=95").first  # the other link also says the step
    shared.wait_for()
    assert "classification_most_parameters=25" in str(shared.text_content())
