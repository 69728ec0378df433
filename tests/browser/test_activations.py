"""Activations in a real Chromium: the tangent in the legend, a click in the loss, settings that come and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.student import PATIENCE

Open = Callable[..., Any]


def opened(page: Open, link: str, chart: str) -> Any:
    tab = page(link).page
    tab.wait_for_selector(f'[data-place] [data-chart="{chart}"] .main-svg', timeout=1000 * PATIENCE)
    return tab


def test_the_tangent_stands_in_the_legend_and_can_be_switched_off(page: Open) -> None:
    tab = opened(page, "/activations?activations_curves_function=tanh", "function")
    shown = "document.querySelector('[data-chart=function]')._fullLayout.shapes.map(({ visible }) => visible)"
    assert tab.evaluate(shown) == [True, True, True], "tangent, line and dot"
    tab.locator('[data-place="hero"] .legend').get_by_role("button", name="Tangent").click()
    tab.wait_for_function(f"() => {shown}[0] === false", timeout=1000 * PATIENCE)
    assert tab.evaluate(shown) == [False, True, True]


def test_a_click_in_the_loss_takes_steps_and_the_sliders_of_a_unit_come_and_go(page: Open) -> None:
    tab = opened(page, "/activations?activations_lab=units", "loss")
    place = tab.evaluate(
        """() => { const plot = document.querySelector("[data-chart=loss]"), { xaxis, yaxis } = plot._fullLayout;
          const box = plot.getBoundingClientRect();
          return [box.left + xaxis._offset + xaxis.d2p(40), box.top + yaxis._offset + yaxis._length / 2]; }"""
    )
    tab.mouse.click(*place)
    tab.wait_for_function("() => location.search.includes('activations_units_descent=40')", timeout=1000 * PATIENCE)
    chooser = tab.locator(".bar [data-knob=turned] input")
    chooser.focus()
    chooser.press("ArrowRight")
    tab.wait_for_selector(".bar [data-knob=w2]", timeout=1000 * PATIENCE)
    names = "[...document.querySelectorAll('.bar [data-knob]')].map(({ dataset }) => dataset.knob)"
    assert tab.evaluate(names) == ["turned", "w2", "b2", "v2"]
    assert tab.evaluate("document.activeElement.closest('[data-knob]')?.dataset.knob") == "turned", "the focus stays"
