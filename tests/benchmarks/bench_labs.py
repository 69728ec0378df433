"""How soon a still lab's first chart shows a turned slider, in a real Chromium.

    pytest -s tests/benchmarks/bench_labs.py

From the key press to the animation frame after the board has painted the new picture: Streamlit's wait for further
keys, the way to the server, the lab's draw, the way back, and Plotly. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import pytest

from playground.lesson import Lab, LabLesson
from tests.browser.test_labs import STILL, Bench, slider

LONGEST_MS = 150.0  # median
TURNS = 10

pytestmark = pytest.mark.timeout(300)

# Resolves with the milliseconds from the next key to the first frame painted after it.
WATCH = """() => {
  const frames = window.__board_frames;
  window.__shown = new Promise((resolve) => addEventListener("keydown", () => {
    const pressed = performance.now();
    const look = () => window.__board_frames > frames ? resolve(performance.now() - pressed)
                                                      : requestAnimationFrame(look);
    look();
  }, { once: true, capture: true }));
}"""


@pytest.mark.parametrize(("lesson", "lab"), STILL.values(), ids=list(STILL))
def test_a_sliders_move_shows_at_once(page: Callable[..., Any], lesson: LabLesson, lab: Lab) -> None:
    tab = page()
    bench = Bench(tab.page, lesson, lab)
    tab.page.goto(bench.link)
    bench.ready()
    tab.page.wait_for_timeout(1000)
    found = slider(lab)
    assert found is not None
    _, spec = found
    last = spec.options[-1] if spec.options is not None else spec.hi
    there, back = ("ArrowLeft", "ArrowRight") if spec.default == last else ("ArrowRight", "ArrowLeft")
    delays = []
    for turn in range(TURNS + 1):
        tab.page.evaluate(WATCH)
        bench.knob(spec).press(there if turn % 2 == 0 else back)
        delays.append(tab.page.evaluate("window.__shown"))
        tab.page.wait_for_timeout(400)
    median, slowest = statistics.median(delays[1:]), max(delays[1:])  # the first warms things up
    print(f"  {lab.name:<36} {median:5.0f} / {slowest:5.0f} ms   (median at most {LONGEST_MS:g})")
    assert median <= LONGEST_MS
