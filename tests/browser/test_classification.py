"""The lesson "Classification" in a real Chromium: the map under the points, surgery while it plays, clicks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.figures.theme import PALETTE
from tests.browser.student import COUNT_FULL_UPDATES, Board

Open = Callable[..., Any]
CIRCLE = (
    "/classification?classification_cloud=circle&classification_noise=0.4&classification_units_1=4"
    "&classification_activation=tanh&classification_lr=0.1&classification_batch_size=10&classification_max_steps=0"
)
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
    Board(tab.page).ready()
    tab.page.evaluate(
        """() => {
          const saved = window.Plotly.toImage;
          window.Plotly.toImage = (figure, ...rest) => {
            window.__shapes = figure.layout.shapes;
            return saved(figure, ...rest);
          };
        }"""
    )
    with tab.page.expect_download():
        tab.page.get_by_role("button", name="Save as PNG: Network").click()
    frames = tab.page.evaluate("window.__shapes.filter(({ type }) => type === 'rect')")
    assert len(frames) == 10, "as many as units"
    grey = [int(PALETTE["light"]["muted"][at : at + 2], 16) for at in (1, 3, 5)]
    one = tab.page.evaluate(
        "document.querySelector('[data-chart=network]')._fullLayout.xaxis.p2d(1)"
        " - document.querySelector('[data-chart=network]')._fullLayout.xaxis.p2d(0)"
    )
    for frame in frames:
        middle = (frame["y0"] + frame["y1"]) / 2
        for side in ("x0", "x1"):
            near = [tab.page.evaluate(PIXEL, ["network", frame[side] + step * one, middle]) for step in (-1, 0, 1)]
            assert [*grey, 255] in near, "a line where the map ends"


def test_units_and_layers_come_and_go_while_it_plays(page: Open) -> None:
    tab = page(CIRCLE)
    board = Board(tab.page).ready()
    board.play()
    board.until(lambda: board.step > 300, "some steps")
    run, before = board.run, board.step
    tab.page.get_by_role("slider", name="Units in layer 1").press("ArrowRight")
    board.until(lambda: board.number("parameters") == 5 * 3 + 2 * 6, "a unit more")
    tab.page.get_by_role("slider", name="Hidden layers").press("ArrowRight")
    board.until(lambda: board.number("parameters") == 5 * 3 + 8 * 6 + 2 * 9, "a layer more")
    tab.page.get_by_role("button", name="x₁²").click()
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
    tab.page.get_by_label("Test", exact=True).uncheck()
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
        """() => {
          const plot = document.querySelector("[data-chart=network]");
          const { xaxis, yaxis } = plot._fullLayout;
          return { x: xaxis._offset + xaxis.d2p(0.5), y: yaxis._offset + yaxis.d2p(1 - 0.5 / 4) };
        }"""
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
    tab.page.get_by_label("Explain", exact=True).check()
    board.click_at("map", -2.0, 3.0)
    board.until(lambda: abs(board.trace("map", "Explained")["y"][0] - 3.0) < 0.1, "a plain click, too")
    field = tab.page.get_by_label("x₁: Explain a point")
    field.scroll_into_view_if_needed()
    board.until(lambda: abs(float(field.input_value() or 0) + 2.0) < 0.1, "the field shows the place")
    field.fill("4.5")
    field.press("Enter")
    tab.page.locator('[data-chart="map"]').scroll_into_view_if_needed()
    board.until(lambda: board.trace("map", "Explained")["x"] == [4.5], "and sets it")
    assert len(board.trace("map", "Train 0")["x"]) == points, "no point was added"


def test_doubtful_points_move_without_plotly_and_say_what_is_so(page: Open) -> None:
    tab = page("/classification?classification_max_steps=0&classification_noise=3", height=1700)
    board = Board(tab.page).ready()
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
