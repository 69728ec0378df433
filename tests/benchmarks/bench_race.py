"""How fast the race of four optimizers is in a real Chromium as it opens, beside four bare loops.

    pytest -s tests/benchmarks/bench_race.py

Run it on a machine that does nothing else.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import pytest

from tests.benchmarks.turns import Playing, compare, loop, report
from tests.browser.student import Board

RACE = "/optimizers?optimizers_max_steps=0"
RACERS = 4
FEWEST_FRAMES_PER_SECOND = 20.0
LEAST_SHARE_OF_BARE_LOOPS = 0.85

pytestmark = pytest.mark.timeout(600)


def test_a_race_of_four_is_smooth_and_costs_training_little(page: Callable[..., Any], serve: Any) -> None:
    with serve() as server, loop("tests.benchmarks.bare_race") as bare:
        tab = page(RACE, base=server.url, width=1280, height=900)
        board = Board(tab.page).ready()
        shown = tab.page.evaluate(
            "[...document.querySelectorAll('[data-place] [data-chart], [data-thumb]')].filter((c) => c.offsetWidth)"
            ".map((each) => each.dataset.chart ?? each.dataset.thumb)"
        )
        tab.page.get_by_label("Speed").select_option("0")
        live = Playing(board, per_step=RACERS)
        found = compare(bare, live)
        tab.page.close()
    rate = statistics.median(live.frames)
    print(
        f"\nThe tutorial's race, {len(shown)} charts shown: {', '.join(shown)}; full speed; all racers' steps together"
    )
    report("frames painted a second", f"{rate:.1f}   (at least {FEWEST_FRAMES_PER_SECOND:g})")
    found.report(LEAST_SHARE_OF_BARE_LOOPS)
    assert len(shown) == 8, "three large charts and five small pictures"
    assert rate >= FEWEST_FRAMES_PER_SECOND
    assert found.ratio >= LEAST_SHARE_OF_BARE_LOOPS
