"""How soon a page shows the first frame after an answer, by turns with an experiment that asks nothing.

    pytest -s tests/benchmarks/bench_answer.py

From the click on the answer to the animation frame after the board has painted what it started: the way to the server,
the page's rerun where the settings come after the answer, the first steps or the drawing, the way back, and Plotly. Run
it on a machine that does nothing else.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

import pytest

from tests.benchmarks.turns import report

TURNS = 8
MAX_MS = 200.0  # median

pytestmark = pytest.mark.timeout(600)

# Resolves with the milliseconds from the next click to the first frame after it in which the main chart is another
# one and the run is at this step or beyond.
WATCH = """(least) => {
  const frames = window.__board_frames;
  const step = () => document.querySelector("[data-status=step]");
  let isOther = false;
  const watched = new MutationObserver(() => (isOther = true));
  watched.observe(document.querySelector("[data-testid=stMain] [data-board] .main-svg"),
                  { subtree: true, childList: true, attributes: true, characterData: true });
  const isNew = () => isOther && window.__board_frames > frames && (!step() || Number(step().textContent) >= least);
  window.__shown = new Promise((resolve) => addEventListener("click", () => {
    isOther = false;
    const clicked = performance.now();
    const look = () => isNew() ? resolve(performance.now() - clicked) : requestAnimationFrame(look);
    look();
  }, { once: true, capture: true }));
}"""

SHOWN = """() => new Promise((resolve, reject) => {
  window.__shown.then(resolve);
  setTimeout(() => reject(new Error("no new frame within 10 s of the click")), 10_000);
})"""


@dataclass(frozen=True)
class Way:
    """What is clicked on the page of an address, after an experiment was chosen in the rail's list."""

    address: str
    click: str
    experiment: str = ""  # a still lab that an address has set up is not drawn again
    step: int = 1  # 0 where the first picture is a new one
    limited: bool = False


WAYS = {
    "nothing asked": Way("/regression?predict=off&regression_try=small-steps", "[data-rail] .rail-run"),
    "answer, the run stands ready": Way("/regression?regression_try=small-steps", '[data-option="between"]',
                                        limited=True),
    "nothing asked, path drawn ahead": Way("/gradient_descent?predict=off&gradient_descent_try=saddle",
                                           "[data-rail] .rail-run"),
    "answer, settings after it": Way("/gradient_descent?gradient_descent_try=saddle", '[data-option="pass"]',
                                     step=0, limited=True),
    "the same, until the point moves": Way("/gradient_descent?gradient_descent_try=saddle", '[data-option="pass"]'),
    "nothing asked, still lab": Way("/gradient_descent?predict=off&gradient_descent_lab=rates",
                                    "[data-rail] .rail-run", "round-valley"),
    "answer, still lab": Way("/gradient_descent?gradient_descent_try=round-valley", '[data-option="one"]',
                             limited=True),
}  # fmt: skip


def milliseconds(browser: Any, url: str, way: Way) -> float:
    """Of one click, in a visit of its own."""
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
    try:
        tab = context.new_page()
        tab.goto(way.address)
        tab.locator("[data-testid=stMain] [data-board] .main-svg").first.wait_for()
        if way.experiment:
            tab.locator("[data-rail] .rail-count").click()
            tab.locator(f'.rail-list [data-id="{way.experiment}"]').click()
        target = tab.locator(way.click)
        target.wait_for()
        tab.wait_for_timeout(1500)
        tab.evaluate(WATCH, way.step)
        target.click()
        return float(tab.evaluate(SHOWN))
    finally:
        context.close()


def test_the_first_frame_comes_right_after_the_answer(browser: Any, app_url: str) -> None:
    found: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(TURNS + 1):
        for name, way in WAYS.items():
            found[name].append(milliseconds(browser, app_url, way))
    for name, times in found.items():
        median, slowest = statistics.median(times[1:]), max(times[1:])  # the first ones warm things up
        report(name, f"{median:5.0f} / {slowest:5.0f} ms" + f"   (at most {MAX_MS:g})" * WAYS[name].limited)
    medians = {name: statistics.median(times[1:]) for name, times in found.items() if WAYS[name].limited}
    assert all(median <= MAX_MS for median in medians.values()), medians
