"""CNN on MNIST in a real browser: its views, its maps, a click on each, and looking back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.student import COUNT_FULL_UPDATES, Board

Open = Callable[..., Any]
SMALL = "/cnn?cnn_filters_1=4&cnn_filters_2=6&cnn_images=500&cnn_batch_size=20"
INK = """
(chart) => {
  const canvas = document.querySelector(`[data-chart="${chart}"]`).parentElement.querySelector("canvas.maps");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}
"""
BARS = """() => {
  const plot = document.querySelector("[data-chart=answer]");
  return [...plot.querySelectorAll(".trace.bars")].map((group, at) => {
    const { y, yaxis } = plot.data[at + 1], axis = plot._fullLayout[yaxis.replace("y", "yaxis")];
    const paths = [...group.querySelectorAll(".point > path")].map((path) => path.getAttribute("d"));
    return paths.map((path, digit) => Math.abs(Number(/V([\\d.-]+)/.exec(path)[1]) - axis.d2p(y[digit])));
  });
}"""
COLOURS = """() => {
  const plot = document.querySelector("[data-chart=predictions]");
  const at = plot.data.findIndex(({ mode }) => mode === "text"), { text, textfont } = plot.data[at];
  const probe = document.createElement("i");
  const rgb = (colour) => ((probe.style.color = colour), probe.style.color);
  const nodes = [...plot.querySelectorAll(`.trace${plot._fullData[at].uid} .textpoint text`)];
  const known = text.map((word, i) => [word, rgb(textfont.color[i])]);
  return [nodes.map((node) => [node.textContent, node.style.fill]), known];
}"""
META = "(chart) => document.querySelector(`[data-chart=${chart}]`).layout?.meta?.place ?? null"


def choose(tab: Any, view: str) -> None:
    tab.page.locator(".thumbs .thumb", has_text=view).click()


def hero(tab: Any) -> str:
    return str(tab.page.locator('[data-place="hero"] h2').text_content())


def test_it_learns_is_tested_and_shows_one_view_at_a_time(page: Open) -> None:
    tab = page(SMALL)
    board = Board(tab.page).ready()
    assert hero(tab) == "How it reads this digit"
    board.play()
    board.until(lambda: board.state == "done", "an epoch", 60)
    assert board.step == 25
    board.until(lambda: board.numbers()["full_accuracy"] not in ("–", "0"), "tested on all test images")
    assert board.said().startswith("Tested on all ")
    run = board.run
    choose(tab, "Mistakes")
    board.until(lambda: hero(tab) == "Confusion (test images)", "the view")
    confusion = (
        "document.querySelector('[data-chart=confusion]').data?.[0].text.flat().map(Number).reduce((a, b) => a + b)"
    )
    board.until(lambda: (tab.page.evaluate(confusion) or 0) > 100, "all images are in the table")
    assert board.run == run and board.state == "done", "a view is no other run"


def test_a_click_on_a_prediction_and_the_buttons_under_the_image_choose_what_is_read(page: Open) -> None:
    tab = page(SMALL)
    board = Board(tab.page).ready()
    number = "document.querySelector('[data-chart=reading]').layout?.meta?.image?.number"
    board.until(lambda: tab.page.evaluate(number) == 0, "the first image")
    board.open_chart("predictions")
    board.click_at("predictions", 1.5, -0.5)
    board.until(lambda: tab.page.evaluate(number) == 1000, "the image that was clicked")
    board.press("The next test image")
    board.until(lambda: tab.page.evaluate(number) == 1001, "the one after it")
    assert "cnn_image=1001" in tab.page.url
    board.press("The test image before")
    board.until(lambda: tab.page.evaluate(number) == 1000, "back")


def test_filters_are_added_under_their_layer(page: Open) -> None:
    tab = page(SMALL)
    board = Board(tab.page).ready()
    heads = "[...document.querySelectorAll('[data-chart=reading] .annotation-text')].map((node) => node.textContent)"
    board.until(lambda: "Filters: 4" in tab.page.evaluate(heads), "four filters")
    tab.page.get_by_role("button", name="Add a filter: Filters in layer 1").click()
    board.until(lambda: "Filters: 5" in tab.page.evaluate(heads), "five filters")
    assert "cnn_filters_1=5" in tab.page.url


def test_anatomy_shows_pixels_and_a_click_on_a_map_shows_how_it_is_made(page: Open) -> None:
    tab = page(SMALL)
    board = Board(tab.page).ready()
    choose(tab, "Anatomy")
    board.until(lambda: tab.page.evaluate(META, "convolution") == [1, 1], "the first map")
    board.until(lambda: tab.page.evaluate(INK, "maps") > 50, "maps in many colours")
    places = board.trace("maps", "Maps")
    board.click_at("maps", places["x"][-1], places["y"][-1])
    board.until(lambda: tab.page.evaluate(META, "convolution") == [2, 6], "the last map of the second layer")
    tab.page.get_by_label("Map: How the map is made").fill("2")
    tab.page.get_by_label("Map: How the map is made").press("Enter")
    board.until(lambda: tab.page.evaluate(META, "convolution") == [2, 2], "chosen by its number")
    board.press("Step")
    board.until(lambda: board.step == 1, "a step")
    board.scrub(0)
    board.until(lambda: board.step == 0, "back to the start")
    assert "Nothing is learned yet" in board.said()


@pytest.mark.in_turns
def test_bars_words_and_their_colours_move_without_plotly_to_where_it_would_put_them(page: Open) -> None:
    tab = page(SMALL + "&cnn_epochs=0")
    board = Board(tab.page).ready()
    board.play()
    board.until(lambda: board.step > 60, "the guess has settled")
    choose(tab, "Anatomy")
    board.open_chart("times")
    board.wait_frames(12)
    for _ in range(3):
        board.wait_frames(3)
        shown, known = board.notes("times")
        assert shown == known and len(shown) > 3
    board.open_chart("answer")
    board.wait_frames(12)
    tab.page.evaluate(COUNT_FULL_UPDATES)
    before, bars = board.frames(), []
    for _ in range(8):
        board.wait_frames(3)
        bars.append(tab.page.evaluate(BARS))
    full, frames = tab.page.evaluate("window.__full"), board.frames() - before
    assert all([len(ends) for ends in each] == [10, 10] for each in bars)
    assert max(distance for each in bars for ends in each for distance in ends) < 1.0, "pixels"
    assert full.get("answer", 0) < frames / 4, "half the frames have these bars"
    choose(tab, "Training")
    board.wait_frames(12)
    colours = set()
    for _ in range(4):
        board.wait_frames(3)
        shown, known = tab.page.evaluate(COLOURS)
        assert shown == known
        colours |= {colour for _, colour in shown}
    assert len(colours) == 2, "right and wrong"
