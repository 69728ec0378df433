"""How soon a stroke on the drawing pad shows its prediction, in a real Chromium, at rest and while the model trains.

    pytest -s tests/benchmarks/bench_pad.py

From the pointer's move to the animation frame after the bars of the softmax have changed: the pad's pause between two
messages, the way to the run, the pipeline, the model, the charts in sight, the way back, Plotly. Run it on a machine
that does nothing else.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.test_draw import Pad

LONGEST_MS = 150.0  # median
STROKES = 20

pytestmark = pytest.mark.timeout(300)

# Resolves with the milliseconds from the pointer's next move on the pad to the frame after the image behind the bars
# has changed. While the model trains the bars change by themselves, so it is the image of the stages that counts.
WATCH = """() => {
  const input = () => {
    const maps = document.querySelector('[data-chart="drawn"]').parentElement.querySelector("canvas.maps");
    return maps.toDataURL();
  };
  const softmax = () => String(document.querySelector('[data-chart="drawn"]').data[1].y);
  const [image, bars] = [input(), softmax()];
  window.__shown = new Promise((resolve) => document.querySelector("[data-pad]").addEventListener("pointermove", () => {
    const moved = performance.now();
    const look = () => input() !== image && softmax() !== bars ? resolve(performance.now() - moved)
                                                               : requestAnimationFrame(look);
    look();
  }, { once: true, capture: true }));
}"""


@pytest.mark.parametrize("trains", [False, True], ids=["at rest", "while it trains"])
def test_a_stroke_shows_its_prediction_at_once(page: Callable[..., Any], trains: bool) -> None:
    tab = page("/cnn?cnn_epochs=0")
    pad = Pad(tab)
    pad.draw([(0.2, 0.2), (0.8, 0.2)])
    if trains:
        pad.board.play()
    tab.page.wait_for_timeout(2000)
    box = pad.canvas.bounding_box()
    delays = []
    for stroke in range(STROKES + 1):
        y = box["y"] + box["height"] * (0.25 + 0.6 * stroke / STROKES)
        tab.page.mouse.move(box["x"] + box["width"] * 0.8, y)
        tab.page.mouse.down()
        tab.page.wait_for_timeout(250)  # the point itself has been sent and shown
        tab.page.evaluate(WATCH)
        tab.page.mouse.move(box["x"] + box["width"] * (0.2 + 0.3 * (stroke % 2)), y)
        delays.append(tab.page.evaluate("window.__shown"))
        tab.page.mouse.up()
        tab.page.wait_for_timeout(200)
    median, slowest = statistics.median(delays[1:]), max(delays[1:])  # the first warms things up
    print(f"  {'while it trains' if trains else 'at rest':<16} {median:5.0f} / {slowest:5.0f} ms   "
          f"(median at most {LONGEST_MS:g})")  # fmt: skip
    assert median <= LONGEST_MS
