"""Where charts stand, what small pictures show, and what a teacher's link locks, in a real Chromium."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from tests.browser.student import Board

Open = Callable[..., Any]
ONE_POINT = (
    "/classification?classification_cloud=xor&classification_noise=0.4&classification_units_1=6"
    "&classification_activation=tanh&classification_lr=0.1&classification_batch_size=10&classification_max_steps=0"
    "&classification_try=one-point"
)
PAINTED = """(name) => {
  const canvas = document.querySelector(`[data-thumb="${name}"] canvas`);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, at) => at % 4 === 3 && value > 0).length;
}"""


def place_of(board: Board, chart: str) -> str | None:
    """The name of the place in which a chart stands; None for a small picture."""
    places = board.page.locator("[data-place]", has=board.page.locator(f'[data-chart="{chart}"]'))
    return places.get_attribute("data-place") if places.count() else None


def test_an_experiment_about_a_wide_chart_leaves_the_hero_in_sight(page: Open) -> None:
    board = Board(page(ONE_POINT).page).ready()
    board.until(lambda: place_of(board, "explain") == "hero", "the experiment opens its chart")
    assert place_of(board, "map") == "second", "its points are chosen on the map"
    legend = board.page.locator("[data-place=hero] .legend")
    assert legend.inner_text().strip() == "", "words and numbers in a chart have no entry in its legend"


def test_the_hero_that_a_wide_chart_replaced_is_in_the_row_and_comes_back(page: Open) -> None:
    board = Board(page("/classification").page).ready()
    board.open_chart("explain")
    board.until(lambda: place_of(board, "explain") == "hero", "it changes places with the hero")
    assert place_of(board, "network") == "second"
    board.page.locator('[data-place=thumbs] [data-thumb="map"]').click()
    board.until(lambda: place_of(board, "map") == "hero", "the map is the hero again")
    assert place_of(board, "network") == "second"


def test_no_small_picture_is_empty_at_step_0(page: Open) -> None:
    board = Board(page("/regression").page).ready()
    for chart in ("errors", "gradients"):
        board.until(lambda chart=chart: board.page.evaluate(PAINTED, chart) > 50, f"{chart} shows something")


def test_what_a_teacher_hides_at_the_network_is_shown_with_a_lock(page: Open) -> None:
    board = Board(page("/regression?hide=target,layers,activation").page).ready()
    data = board.page.locator("[data-knob=target] button")
    board.until(lambda: data.is_visible(), "the picture of the data")
    assert data.is_disabled() and "Locked by the teacher" in data.get_attribute("aria-label")
    layers = board.page.locator(".counter[data-knob=layers]")
    assert layers.inner_text().strip() == "1 layer" and layers.get_by_role("button").count() == 0
    activation = board.page.locator(".knob[data-knob=activation]")
    assert "ReLU" in activation.inner_text() and activation.locator("select").count() == 0
    assert board.page.locator("[data-place=second] .lock:visible").count() == 3


def test_beside_the_open_drawer_the_hero_stays_the_largest_picture(page: Open) -> None:
    board = Board(page("/classification").page).ready()
    board.drawer()
    sizes = "() => ['hero', 'second'].map((place) => document.querySelector(`[data-place=${place}]`).clientWidth)"
    board.until(lambda: operator.gt(*board.page.evaluate(sizes)), "the second place gives way")
    words = "() => [...document.querySelectorAll('[data-place=thumbs] .label')].map((label) => label.clientHeight)"
    assert max(board.page.evaluate(words)) < 20, "the words under the small pictures have a line each"


def test_every_picture_is_there_also_where_the_page_has_something_to_say_first(page: Open) -> None:
    tab = page("/classification?classification_try=nonsense")
    board = Board(tab.page).ready()
    for name in ("accuracy", "gradients"):
        board.until(lambda name=name: tab.page.evaluate(PAINTED, name) > 0, f"the small picture of {name}")
    board.until(lambda: tab.page.locator('[data-chart="network"] .main-svg').count() > 0, "the network")
