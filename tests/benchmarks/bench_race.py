"""How fast the race of four optimizers is in a real Chromium with all its charts in sight, beside four bare loops.

    pytest -s tests/benchmarks/bench_race.py

The bare loops are timed before and after in a process of their own. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.benchmarks.bench_live import bare_steps_per_second, report
from tests.browser.student import Board

RACE = "/optimizers?optimizers_max_steps=0"
ALL_CHARTS = {"width": 1280, "height": 1800}  # pixels
RACERS = 4
LIVE_SECONDS = 10.0
FEWEST_FRAMES_PER_SECOND = 20.0
LEAST_SHARE_OF_BARE_LOOPS = 0.85

pytestmark = pytest.mark.timeout(600)


def test_a_race_of_four_with_all_charts_is_smooth_and_costs_training_little(
    page: Callable[..., Any], serve: Any
) -> None:
    before = bare_steps_per_second("tests.benchmarks.bare_race")
    with serve() as server:
        tab = page(RACE, base=server.url, **ALL_CHARTS)
        board = Board(tab.page).ready()
        shown = tab.page.evaluate(
            "[...document.querySelectorAll('[data-chart]')].filter((c) => c.getBoundingClientRect().top < innerHeight)"
            ".map((chart) => chart.dataset.chart)"
        )
        tab.page.get_by_label("Speed").select_option("0")
        board.play()
        tab.page.wait_for_timeout(3000)
        frames, steps, start = board.frames(), board.step, time.monotonic()
        tab.page.wait_for_timeout(1000 * LIVE_SECONDS)
        frames, steps, seconds = board.frames() - frames, board.step - steps, time.monotonic() - start
        tab.page.close()
    bare = statistics.mean([before, bare_steps_per_second("tests.benchmarks.bare_race")])
    updates, rate = RACERS * steps / seconds, frames / seconds
    print(f"\nThe tutorial's race, {len(shown)} charts shown: {', '.join(shown)}; full speed")
    report("frames painted a second", f"{rate:.1f}   (at least {FEWEST_FRAMES_PER_SECOND:g})")
    report("steps a second, all racers together", f"{updates:,.0f}")
    report("four bare torch loops, together", f"{bare:,.0f}")
    report("ratio", f"{updates / bare:.3f}   (at least {LEAST_SHARE_OF_BARE_LOOPS:g})")
    assert len(shown) == 9
    assert rate >= FEWEST_FRAMES_PER_SECOND
    assert updates / bare >= LEAST_SHARE_OF_BARE_LOOPS
