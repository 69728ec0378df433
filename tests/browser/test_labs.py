"""Every lesson of labs in a real Chromium: it opens by its link, paints, keeps nodes and settings, and goes back.

The `page` fixture also holds that no tab had a console error or asked a foreign host for anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from playground.knobs import Knob
from playground.lesson import Lab, LabLesson
from playground.lessons import LESSONS
from tests.browser.student import PATIENCE, Board

Open = Callable[..., Any]
LAB_LESSONS = {name: lesson for name, lesson in LESSONS.items() if isinstance(lesson, LabLesson)}
LABS = {lab.name: (lesson, lab) for lesson in LAB_LESSONS.values() for lab in lesson.labs}
every_lesson = pytest.mark.parametrize("lesson", LAB_LESSONS.values(), ids=list(LAB_LESSONS))


def slider(lab: Lab) -> tuple[str, Knob] | None:
    """The name of the first knob that is a slider and shown by default."""
    config = lab.config()
    for name, spec in lab.config.knobs().items():
        value = lab.config.knobs()[name].default
        shown = not spec.more and (spec.applies is None or spec.applies(config))
        if shown and type(value) in (int, float) and (spec.options is not None or (spec.hi or 0) <= 5000):
            return name, spec
    return None


STILL = {name: each for name, each in LABS.items() if each[1].draw and each[1].charts and slider(each[1])}
SETTLED = ("training_loop_pairs",)  # its first slider adds one step to a training that has settled: the same picture
ONE_STILL = {lesson.name: lab for lesson, lab in STILL.values() if lab.name not in SETTLED}  # the last of each lesson
SEVERAL = {name: lesson for name, lesson in LAB_LESSONS.items() if len(lesson.labs) > 1}
each_lesson = pytest.mark.parametrize("lesson", SEVERAL.values(), ids=list(SEVERAL))


class Bench:
    """One open lab of a page (playwright.sync_api.Page)."""

    def __init__(self, page: Any, lesson: LabLesson, lab: Lab) -> None:
        self.page, self.lesson, self.lab = page, lesson, lab

    @property
    def short(self) -> str:
        return self.lab.name.removeprefix(f"{self.lesson.name}_")

    @property
    def link(self) -> str:
        return f"/{self.lesson.name}?{self.lesson.name}_lab={self.short}"

    def ready(self) -> Bench:
        """Wait until the large charts of this lab are painted or, where it has none, its tables are there."""
        for chart in self.lab.charts:
            self.page.wait_for_selector(
                f'[data-testid=stMain] [data-chart="{chart.name}"]', state="attached", timeout=1000 * PATIENCE
            )
        self.page.wait_for_function(
            """(names) => {
              const large = [...document.querySelectorAll("[data-testid=stMain] [data-place] [data-chart]")];
              return names.length
                ? large.length &&
                  large.every((each) => names.includes(each.dataset.chart) && each.querySelector(".main-svg"))
                : document.querySelector("[data-place=hero] table");
            }""",
            arg=[chart.name for chart in self.lab.charts],
            timeout=1000 * PATIENCE,
            polling=60,
        )
        return self

    def open_every_chart(self) -> None:
        """Open each small picture in turn, and wait until its chart is painted."""
        for chart in self.lab.charts:
            Board(self.page).open_chart(chart.name)

    def wait(self, holds: str, *arguments: Any) -> None:
        self.page.wait_for_function(holds, arg=list(arguments), timeout=1000 * PATIENCE)

    def address_has(self, text: str, *, present: bool = True) -> None:
        self.wait("([text, present]) => location.search.includes(text) === present", text, present)

    def knob(self, spec: Knob) -> Any:
        """Its slider. Streamlit adds words of its own to a slider's name."""
        named = re.compile(rf"^\s*{re.escape(spec.label)}")
        Board(self.page).drawer()
        return self.page.locator(".st-key-drawer").get_by_role("slider", name=named).first

    def held(self) -> str:
        """What the first slider shows."""
        found = slider(self.lab)
        assert found is not None
        return str(self.knob(found[1]).evaluate("(each) => each.value ?? each.getAttribute('aria-valuenow')"))

    def turn(self) -> str:
        """Turn the first slider by one key press; returns what the address then says."""
        found = slider(self.lab)
        assert found is not None
        name, spec = found
        value = self.lab.config.knobs()[name].default
        last = spec.options[-1] if spec.options is not None else spec.hi
        self.knob(spec).press("ArrowLeft" if value == last else "ArrowRight")
        parameter = f"{self.lab.name}_{name}="
        self.address_has(parameter)
        return parameter

    def open_other(self, other: Bench) -> None:
        self.page.get_by_role("radiogroup").get_by_text(other.lab.title, exact=True).click()
        other.ready()


def first_numbers(bench: Bench) -> str:
    """All coordinates in the lab's charts, and the words on them, as one text that differs when a picture does."""
    text = bench.page.evaluate(
        """() => JSON.stringify([...document.querySelectorAll("[data-chart]")].map((plot) => [
          (plot.data ?? []).map(({ x, y, z, text, name }) => [x, y, z, text, name].map((v) => v && Array.from(v))),
          plot.layout?.shapes, plot.layout?.annotations?.map(({ text }) => text)]))"""
    )
    return str(text)


@pytest.mark.in_turns
@every_lesson
def test_every_lab_paints_all_its_charts_and_a_turned_slider_draws_in_the_same_nodes(
    page: Open, lesson: LabLesson
) -> None:
    """One lab by its link, a still one where a slider can be turned in it; then the others as a student picks them."""
    tab = page()
    first = ONE_STILL.get(lesson.name, lesson.labs[-1])
    bench = Bench(tab.page, lesson, first)
    tab.page.goto(bench.link)
    bench.ready()
    if lesson.name in ONE_STILL:
        assert_a_turned_slider_draws_in_the_same_nodes(bench)
    bench.open_every_chart()
    for lab in lesson.labs:
        if lab is first:
            continue
        other = Bench(tab.page, lesson, lab)
        bench.open_other(other)
        assert tab.page.locator('[role="alert"][data-testid="stAlert"], [data-refusal]:visible').count() == 0
        other.open_every_chart()


def assert_a_turned_slider_draws_in_the_same_nodes(bench: Bench) -> None:
    kept = bench.page.evaluate(
        """() => {
          window.__kept = [...document.querySelectorAll("[data-chart], [data-chart] .plot-container")];
          return window.__kept.length;
        }"""
    )
    frames, before = bench.page.evaluate("window.__board_frames"), first_numbers(bench)
    bench.turn()
    bench.wait("([frames]) => window.__board_frames > frames", frames)
    assert first_numbers(bench) != before, "another setting and the same picture"
    assert bench.page.evaluate("window.__kept.filter((node) => node.isConnected).length") == kept >= 2


@pytest.mark.in_turns
@each_lesson
def test_another_lab_and_back_keeps_the_settings_and_the_browsers_back_works(page: Open, lesson: LabLesson) -> None:
    tab = page()
    able = [lab for lab in lesson.labs if slider(lab)]
    one, other = Bench(tab.page, lesson, able[0]), Bench(tab.page, lesson, able[1])
    tab.page.goto(one.link)
    one.ready()
    before, parameter = one.held(), one.turn()
    turned = one.held()
    assert turned != before
    one.open_other(other)
    one.address_has(parameter, present=False)
    other.open_other(one)
    one.address_has(parameter)
    assert one.held() == turned
    tab.page.go_back()
    other.ready()
    other.address_has(f"{lesson.name}_lab={other.short}")


def test_a_click_and_a_drag_in_a_chart_move_its_point_its_slider_and_the_link(page: Open) -> None:
    (lesson, lab) = LABS["autograd_slope"]
    bench = Bench(page("/autograd?autograd_lab=slope").page, lesson, lab).ready()
    tab = bench.page
    at = """(x) => { const plot = document.querySelector('[data-chart="curve"]'), full = plot._fullLayout;
      plot.scrollIntoView({ block: "center" });
      const box = plot.getBoundingClientRect(), middle = full.yaxis._offset + full.yaxis._length / 2;
      return [box.left + full.xaxis._offset + full.xaxis.d2p(x), box.top + middle]; }"""
    moved = "([x]) => Math.abs(Number(new URLSearchParams(location.search).get('autograd_slope_x')) - x) < 0.08"
    tab.mouse.click(*tab.evaluate(at, -1.5))
    bench.wait(moved, -1.5)
    assert (
        abs(float(bench.knob(lab.config.knobs()["x"]).evaluate("(each) => each.value ?? each.ariaValueNow")) + 1.5)
        < 0.08
    )
    tab.mouse.move(*tab.evaluate(at, -1.5))
    tab.mouse.down()
    for x in (-1.0, 0.0, 1.0, 2.0):
        tab.mouse.move(*tab.evaluate(at, x), steps=3)
    tab.mouse.up()
    bench.wait(moved, 2.0)
    assert tab.evaluate("document.querySelector('[data-chart=\"curve\"]')._fullLayout.xaxis.range")[0] < -3, "no zoom"
