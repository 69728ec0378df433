"""What it costs that a browser keeps what brings its run back: frames and steps a second with it and without, by turns.

pytest -s tests/benchmarks/bench_keeping.py
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import pytest

from tests.benchmarks.turns import TURN_SECONDS, Playing, compare, report
from tests.browser.student import Board

TURNS = 8
LEAST_SHARE = 0.97  # of the steps, and of the frames, without it
PAGES = {
    "Regression": "/regression?regression_max_steps=0",
    "Classification": "/classification?classification_max_steps=0",
    "CNN": "/cnn?cnn_epochs=0",
}
# The server is not asked to give anything to keep.
KEEPS_NOTHING = """
window.WebSocket = class extends WebSocket {
  constructor(url, ...rest) { super(String(url).replace("?keeps=1", ""), ...rest); }
};
"""

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("name", PAGES)
def test_to_keep_a_run_costs_neither_steps_nor_frames(page: Callable[..., Any], serve: Any, name: str) -> None:
    with serve() as server:
        tabs = [page(PAGES[name], base=server.url, script=script) for script in (KEEPS_NOTHING, None)]
        without, kept = (Playing(Board(tab.page).ready()) for tab in tabs)
        for tab, playing in zip(tabs, (without, kept), strict=True):
            tab.page.get_by_label("Speed").select_option("0")
            playing(TURN_SECONDS)
            playing.frames.clear()
        found = compare(without, kept, TURNS)
        assert tabs[0].page.evaluate("Object.keys(sessionStorage).some((key) => key.startsWith('kept '))") is False
        assert tabs[1].page.evaluate("Object.keys(sessionStorage).some((key) => key.startsWith('kept '))") is True
        for tab in tabs:
            tab.page.close()
    frames = statistics.median(kept.frames) / statistics.median(without.frames)
    print(f"\n{name}: kept in its browser, against not")
    report("steps a second, kept / not", f"{statistics.median(found.live):,.0f} / {statistics.median(found.bare):,.0f}")
    report("ratio", f"{found.ratio:.3f}   (at least {LEAST_SHARE:g})")
    report("frames painted a second, ratio", f"{frames:.3f}   (at least {LEAST_SHARE:g})")
    assert found.ratio >= LEAST_SHARE
    assert frames >= LEAST_SHARE
