"""Every question, verdict and "why" of every lesson, as the rail shows it at each size, and what axe says of questions.

A plain run takes one lesson; naming this file takes them all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pages.ui import rail
from pages.ui.session import Predicted
from pages.ui.session import Rail as Memory
from playground import predictions
from playground.experiments import Experiment, experiments
from playground.lesson import Lesson
from playground.lessons import LESSONS
from playground.predictions import Answer, Choice, Curve, Prediction
from tests.browser.student import IN_PAGE, PATIENCE, Board
from tests.browser.test_everybody import Inspector

Open = Callable[..., Any]
SIZES = ((1280, 900), (1366, 657), (1920, 1080), (390, 844))
MAX_OVER = 1.75  # rem of the rail over the pictures, a row; on a phone it is as high as it needs
# Keeps the rail of the page at hand.
CATCH = """() => {
  const { Rail } = window.__modules["controls/rail/rail.js"];
  const { show } = Rail.prototype;
  Rail.prototype.show = function () {
    window.__rail = this;
    return show.call(this);
  };
  document.querySelector("[data-rail] .rail-arrow").click();
}"""
# Shows each state in turn and gives what is wrong with it: texts that are cut, leave the rail or lie over one another.
SPOILT = """async ([states, most]) => {
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const rail = window.__rail;
  const found = [];
  for (const [name, data] of states) {
    rail.update(data);
    await painted();
    const box = rail.root.getBoundingClientRect();
    const isPhone = getComputedStyle(rail.root).flexWrap === "wrap";
    const parts = [...rail.root.querySelectorAll(
      ".rail-what p[aria-hidden=false], .rail-answers p, .rail-hint, button, input")].filter((each) =>
      each.checkVisibility({ visibilityProperty: true }) && !each.closest("[popover]"));
    const boxes = parts.map((each) => [each, each.getBoundingClientRect()]);
    for (const [each, own] of boxes) {
      const words = each.textContent.trim().slice(0, 40);
      const isOut = own.left < box.left - 1 || own.right > box.right + 1 || own.top < box.top - 1 ||
        own.bottom > box.bottom + 1 || own.right > innerWidth;
      if (isOut) found.push(`${name}: outside the rail: ${words}`);
      if (each.scrollWidth > each.clientWidth + 1 && each.clientWidth) found.push(`${name}: cut: ${words}`);
      if (each.scrollHeight > each.clientHeight + 2 && each.clientHeight && !each.matches("p")) {
        found.push(`${name}: cut below: ${words}`);
      }
      for (const [other, its] of boxes) {
        if (other === each || other.contains(each) || each.contains(other)) continue;
        const across = Math.min(own.right, its.right) - Math.max(own.left, its.left);
        const down = Math.min(own.bottom, its.bottom) - Math.max(own.top, its.top);
        if (across > 1 && down > 1) found.push(`${name}: ${words} over ${other.textContent.trim().slice(0, 40)}`);
      }
    }
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const over = (rail.root.offsetHeight - parseFloat(getComputedStyle(rail.root).minHeight)) / rem;
    if (!isPhone && over > most) found.push(`${name}: ${over.toFixed(1)} rem over the pictures`);
  }
  return [...new Set(found)];
}"""


def states_of(lesson: Lesson, experiment: Experiment, prediction: Prediction) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that the rail may have to show of one prediction, with its longest answers."""
    ask, name = prediction.ask, experiment.id
    for phase in ("open", "running", "changed", "late"):
        yield f"{name} {phase}", shown(lesson, experiment, Predicted(phase, None if phase == "open" else longest(ask)))
    yield f"{name} required", shown(lesson, experiment, Predicted(), required=True)
    for answer in (longest(ask), other(ask)):
        verdict = predictions.grade(prediction, answer, longest(ask))
        yield f"{name} verdict on {answer}"[:60], shown(lesson, experiment, Predicted("graded", answer, verdict))
    for why in prediction.why.options:
        yield f"{name} why {why}", shown(lesson, experiment, Predicted("graded", answer, verdict, why))


def shown(lesson: Lesson, experiment: Experiment, predicted: Predicted, *, required: bool = False) -> dict[str, Any]:
    state = Memory(at=experiment.id, number=1, predicted={experiment.id: predicted})
    bench, config = experiment.bench.name, experiment.config
    found = rail.data_of(lesson, bench, config, state, frozenset(), "required" if required else "on")
    return found | {"number": -1}  # no chart is opened for it


def longest(ask: predictions.Ask) -> Answer:
    """The legal answer with the longest words."""
    if isinstance(ask, Choice):
        return max(ask.options, key=lambda key: len(ask.options[key]))
    if isinstance(ask, Curve):
        return tuple(1.0 for _ in ask.grid)
    return ask.hi - (ask.hi - ask.lo) * 0.123456


def other(ask: predictions.Ask) -> Answer:
    """Another one, which is wrong beside it."""
    if isinstance(ask, Choice):
        return sorted(ask.options, key=lambda key: len(ask.options[key]))[-2]
    if isinstance(ask, Curve):
        return tuple(1e6 for _ in ask.grid)
    return ask.lo + (ask.hi - ask.lo) * 0.0123456


def cases() -> list[Any]:
    return [
        pytest.param(lesson, id=name, marks=[pytest.mark.in_ci] * (name == "regression"))
        for name, lesson in LESSONS.items()
        if predictions.of(lesson)
    ]


@pytest.mark.parametrize("lesson", cases())
def test_each_question_verdict_and_why_is_whole_at_each_size(page: Open, lesson: Lesson) -> None:
    problems = []
    asks = predictions.of(lesson)
    for bench in lesson.benches:
        found = [each for each in experiments(lesson) if each.bench is bench and each.id in asks]
        states = [state for each in found for state in states_of(lesson, each, asks[each.id])]
        if not states:
            continue
        lab = "" if bench.name == lesson.name else f"?{lesson.name}_lab={bench.name.removeprefix(f'{lesson.name}_')}"
        tab = page(f"/{lesson.name}{lab}").page
        tab.wait_for_selector(f"{IN_PAGE} [data-board] :is(.main-svg, table)", timeout=1000 * PATIENCE)
        tab.evaluate(CATCH)
        for large, (width, height) in [*((False, size) for size in SIZES), (True, (1366, 657)), (True, (1920, 1080))]:
            tab.evaluate("(large) => window.__modules['page/page.js'].setLarge(large)", large)
            tab.set_viewport_size({"width": width, "height": height})
            where = f"{width}x{height}{', larger type' * large}"
            spoilt = tab.evaluate(SPOILT, [json.loads(json.dumps(states)), MAX_OVER])
            problems += [f"{where}: {each}" for each in spoilt]
    assert problems == [], "\n".join(problems)


# An address of each lab of Training loop where something is asked: in the rail, or in the picture itself.
ASKED = {
    "step": "training_loop_try=five-lines",
    "shapes": "training_loop_try=no-flatten",
    "pairs": "training_loop_try=without-noise",
    "one_batch": "training_loop_try=one-batch",
    "clinic": "training_loop_lab=clinic",
    "errors": "training_loop_lab=errors",
    "myths": "training_loop_lab=myths",
}


def test_each_lab_of_training_loop_has_an_address_here() -> None:
    lesson = LESSONS["training_loop"]
    assert [f"training_loop_{name}" for name in ASKED] == [lab.name for lab in lesson.benches]


@pytest.mark.parametrize("lab", ASKED)
def test_axe_finds_nothing_in_a_lab_with_its_question(page: Open, lab: str) -> None:
    tab = page(f"/training_loop?{ASKED[lab]}").page
    tab.wait_for_selector(f"{IN_PAGE} [data-board] :is(.main-svg, table)", timeout=1000 * PATIENCE)
    if "try" in ASKED[lab]:
        tab.locator("[data-answers] :is([data-option], input)").first.wait_for()
    inspector = Inspector(tab)
    inspector.load()
    problems = inspector.in_both_themes(f"{lab}, asked")
    if lab == "clinic":
        board = Board(tab)
        tab.locator("[data-script] .code-line", has_text="optimizer.step").last.click()
        board.until(lambda: tab.locator("[data-choice]").count() == 4, "the changes are there")
        tab.locator("[data-choice]", has_text="lr=1.0").last.click()
        board.until(lambda: board.state == "done", "one was tried")
    elif tab.locator("[data-board] .play").count():
        tab.locator("[data-board] .play").click()
        tab.wait_for_timeout(1500)
    assert problems + inspector.in_both_themes(f"{lab}, run") == []
