"""The lesson "Classification" in a real Chromium: the map under the points, surgery while it plays, clicks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from playground.figures.theme import PALETTE
from tests.browser.student import COUNT_FULL_UPDATES, Board

Open = Callable[..., Any]
CIRCLE = (
    "/classification?classification_cloud=circle&classification_noise=0.4&classification_units_1=4"
    "&classification_activation=tanh&classification_lr=0.1&classification_batch_size=10&classification_max_steps=0"
)
# The place of a unit of the network, of all units from the inputs on, in the axes' coordinates.
UNIT = """(at) => {
  const { data } = document.querySelector("[data-chart=network]");
  const { x, y } = data[data.length - 1];
  return [x[at], y[at]];
}"""
PIXEL = """
([chart, x, y]) => {
  const plot = document.querySelector(`[data-chart="${chart}"]`);
  const { xaxis, yaxis } = plot._fullLayout;
  const canvas = plot.parentElement.querySelector("canvas.maps");
  const ratio = canvas.width / plot.clientWidth;
  const at = [xaxis._offset + xaxis.d2p(x), yaxis._offset + yaxis.d2p(y)].map((pixels) => Math.round(pixels * ratio));
  return [...canvas.getContext("2d").getImageData(at[0], at[1], 1, 1).data];
}
"""


def test_the_map_takes_the_colours_of_the_classes_as_it_learns(page: Open) -> None:
    tab = page(CIRCLE)
    board = Board(tab.page).ready()
    board.play()
    board.until(lambda: board.number("test_accuracy") >= 0.95, "it learns")
    board.until(lambda: board.step > 2_000, "and grows sure")
    board.wait_frames(5)
    red, _, blue, alpha = tab.page.evaluate(PIXEL, ["map", 0, 0])
    assert alpha == 255 and blue > red, "the disk is blue"
    red, _, blue, alpha = tab.page.evaluate(PIXEL, ["map", 5.5, 5.5])
    assert alpha == 255 and red > blue, "outside it is orange"
    small = tab.page.evaluate(
        "document.querySelector('[data-chart=network]').parentElement.querySelector('canvas').width"
    )
    assert small > 100, "the units have their maps"


def test_each_units_map_has_a_frame_on_the_page_and_in_the_picture(page: Open) -> None:
    tab = page("/classification")
    board = Board(tab.page).ready()
    tab.page.evaluate(
        """() => {
          const saved = window.Plotly.toImage;
          window.Plotly.toImage = (figure, ...rest) => {
            window.__images = figure.layout.images;
            return saved(figure, ...rest);
          };
        }"""
    )
    with tab.page.expect_download():
        board.choose("network", "Save as PNG")
    images = tab.page.evaluate("window.__images")
    assert len(images) == 12, "as many as inputs and units"
    assert all(each["sizing"] == "contain" for each in images), "squares, whatever the picture's shape"
    grey = [int(PALETTE["light"]["muted"][at : at + 2], 16) for at in (1, 3, 5)]
    for at in range(12):
        x, y = tab.page.evaluate(UNIT, at)
        row = [
            tab.page.evaluate(PIXEL, ["network", x + side * step / 500, y]) for side in (-1, 1) for step in range(55)
        ]
        assert row.count([*grey, 255]) >= 2, "a line at both sides of the map"


def test_units_and_layers_come_and_go_while_it_plays(page: Open) -> None:
    tab = page(CIRCLE)
    board = Board(tab.page).ready()
    board.play()
    board.until(lambda: board.step > 300, "some steps")
    run, before = board.run, board.step
    tab.page.get_by_role("button", name="Add a unit: Units in layer 1").click()
    board.until(lambda: board.number("parameters") == 5 * 3 + 2 * 6, "a unit more")
    tab.page.get_by_role("button", name="Add a hidden layer: Hidden layers").click()
    board.until(lambda: board.number("parameters") == 5 * 3 + 8 * 6 + 2 * 9, "a layer more")
    tab.page.get_by_role("button", name="Choose the inputs").click()
    tab.page.get_by_role("button", name="x₁²", exact=True).click()
    board.until(lambda: board.number("parameters") == 5 * 4 + 8 * 6 + 2 * 9, "an input more")
    assert board.run == run
    assert board.step > before
    assert board.state == "playing"
    board.until(lambda: "classification_inputs=x1%2Cx2%2Cx1%5E2" in tab.page.url, "the link follows")


def test_a_click_on_the_map_adds_a_point(page: Open) -> None:
    tab = page(CIRCLE)
    board = Board(tab.page).ready()
    before = len(board.trace("map", "Train 0")["x"])
    board.click_at("map", 5.0, 5.0)
    board.until(lambda: len(board.trace("map", "Train 0")["x"]) == before + 1, "a point more")
    board.click_at("map", 5.0, 5.0, ("Shift",))
    board.until(lambda: len(board.trace("map", "Train 0")["x"]) == before, "and gone")


def test_points_can_be_hidden(page: Open) -> None:
    tab = page(CIRCLE)
    board = Board(tab.page).ready()
    shown = "document.querySelectorAll('[data-chart=map] .scatterlayer .trace').length"
    board.until(lambda: tab.page.evaluate(shown) == 4, "two classes, train and test")
    board.choose("map", "Test")
    board.until(lambda: tab.page.evaluate(shown) == 2, "the training points alone")


def test_pointing_at_a_unit_shows_what_it_sees_on_the_map(page: Open) -> None:
    tab = page(CIRCLE)
    board = Board(tab.page).ready()
    board.play()
    board.until(lambda: board.number("accuracy") > 0.95, "it learns")
    board.pause()
    corners = [[5.5, 5.5], [-5.5, 5.5], [5.5, -5.5], [-5.5, -5.5]]
    look = f"(corners) => corners.map(([x, y]) => ({PIXEL.strip()})(['map', x, y])).map(([red, , blue]) => red > blue)"
    assert tab.page.evaluate(look, corners) == [True] * 4, "all corners are outside the disk, so orange"
    spot = tab.page.evaluate(
        f"""() => {{
          const plot = document.querySelector("[data-chart=network]");
          const {{ xaxis, yaxis }} = plot._fullLayout;
          const [x, y] = ({UNIT.strip()})(2);
          return {{ x: xaxis._offset + xaxis.d2p(x), y: yaxis._offset + yaxis.d2p(y) }};
        }}"""
    )
    tab.page.locator('[data-chart="network"]').hover(position=spot)
    board.until(lambda: len(set(tab.page.evaluate(look, corners))) > 1, "a straight cut has corners on both sides")
    tab.page.mouse.move(640, 5)
    board.until(lambda: tab.page.evaluate(look, corners) == [True] * 4, "the classes again")


def test_an_alt_click_explains_a_point_and_so_do_the_switch_and_the_fields(page: Open) -> None:
    tab = page(CIRCLE)
    board = Board(tab.page).ready()
    points = len(board.trace("map", "Train 0")["x"])
    board.click_at("map", 1.0, -1.0, ("Alt",))
    board.until(lambda: board.trace("map", "Explained")["x"] != [], "marked on the map")
    assert abs(board.trace("map", "Explained")["x"][0] - 1.0) < 0.1
    board.choose("map", "Explain")
    board.click_at("map", -2.0, 3.0)
    board.until(lambda: abs(board.trace("map", "Explained")["y"][0] - 3.0) < 0.1, "a plain click, too")
    board.open_chart("explain")
    field = tab.page.get_by_label("x₁: Explain a point")
    board.until(lambda: abs(float(field.input_value() or 0) + 2.0) < 0.1, "the field shows the place")
    field.fill("4.5")
    field.press("Enter")
    board.until(lambda: board.trace("map", "Explained")["x"] == [4.5], "and sets it")
    assert len(board.trace("map", "Train 0")["x"]) == points, "no point was added"


def test_doubtful_points_move_without_plotly_and_say_what_is_so(page: Open) -> None:
    tab = page("/classification?classification_max_steps=0&classification_noise=3", height=1700)
    board = Board(tab.page).ready()
    board.open_chart("doubtful")
    board.until(lambda: tab.page.locator('[data-chart="doubtful"] .annotation').count() == 16, "eight bars")
    board.play()
    board.until(lambda: board.step > 40, "the first steps")
    tab.page.evaluate(COUNT_FULL_UPDATES)
    before, seen = board.frames(), set()
    for _ in range(8):
        board.wait_frames(4)
        shown, known = board.notes("doubtful")
        assert shown == known
        seen.add(" ".join(shown))
    assert len(seen) > 4, "the numbers move"
    assert tab.page.evaluate("window.__full").get("doubtful", 0) < (board.frames() - before) / 4


def test_the_class_of_a_clicked_point_is_chosen_at_the_map(page: Open) -> None:
    tab = page(f"{CIRCLE.replace('circle', 'rings')}&classification_classes=3")
    board = Board(tab.page).ready()
    before = len(board.trace("map", "Train 2")["x"])
    assert tab.page.get_by_role("radio", name="Add points of class").count() == 3
    tab.page.get_by_role("radio", name="Add points of class 0").focus()
    tab.page.keyboard.press("ArrowLeft")
    chosen = tab.page.get_by_role("radio", name="Add points of class 2")
    board.until(lambda: chosen.get_attribute("aria-checked") == "true", "the last class")
    board.until(lambda: "classification_brush=2" in tab.page.url, "the link follows")
    board.click_at("map", 5.5, 5.0)
    board.until(lambda: len(board.trace("map", "Train 2")["x"]) == before + 1, "a point of that class")


def test_networks_of_six_layers_of_twelve_units_are_drawn_whole(page: Open) -> None:
    units = "".join(f"&classification_units_{layer}=12" for layer in range(1, 7))
    tab = page(f"/classification?classification_layers=6{units}&classification_inputs=x1,x2,sin x1,sin x2")
    Board(tab.page).ready()
    steppers = tab.page.locator("[data-knob^=units_]:visible")
    assert steppers.count() == 6
    boxes = [steppers.nth(at).bounding_box() for at in range(6)]
    assert all(one["x"] + one["width"] <= two["x"] for one, two in itertools.pairwise(boxes))
    assert all(min(each["width"], each["height"] / 2) >= 24 for each in boxes), "large enough to be hit"
    inputs = tab.page.get_by_role("button", name="Choose the inputs").bounding_box()
    assert inputs["x"] + inputs["width"] <= boxes[0]["x"]
    assert tab.page.evaluate("document.querySelector('[data-chart=network]').data.at(-1).x.length") == 4 + 72 + 2
