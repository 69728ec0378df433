"""How fast the lesson "CNN on MNIST" learns while it is watched, beside a bare torch loop in the same run.

    PLAYGROUND_DATA=<folder of MNIST> pytest -s tests/benchmarks/bench_cnn.py

Speeds are ratios to the bare loop, by turns with it. It needs the real MNIST and a machine that does nothing else.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground import mnist
from tests.benchmarks.turns import WAITING, Playing, compare, loop, report
from tests.browser.student import Board

ROOT = Path(__file__).resolve().parents[2]
LEAST_ACCURACY = 0.98
LEAST_SHARE_WATCHED = 0.90  # of the bare loop, with a viewer that takes 5 frames a second and draws nothing
LEAST_SHARE_IN_CHROMIUM = 0.65  # with Chromium drawing on the same cores
FEWEST_FRAMES_PER_SECOND = 5.0
FAIR_SHARE = (0.45, 0.55)  # of two runs that train at once
BATCH = 50
FAST = {"batch_size": 64, "lr": 0.01, "schedule": "one_cycle", "images": 20_000}  # “98 % soon”

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not mnist.load().real, reason="MNIST is not on this machine; set PLAYGROUND_DATA."),
]


def watched(config: dict[str, Any], runs: int = 1) -> list[dict[str, float]]:
    """What became of so many watched runs, in a process of their own that waits as the app does."""
    command = [sys.executable, "-m", "tests.benchmarks.watched_cnn", json.dumps(config), str(runs)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, env=WAITING | os.environ)
    return list(json.loads(done.stdout))


def test_learning_with_a_viewer_is_nearly_as_fast_as_a_bare_loop() -> None:
    """A viewer of the first view, small pictures included, takes 5 frames a second and draws nothing."""
    with loop("tests.benchmarks.bare_cnn") as bare, loop("tests.benchmarks.watched_cnn_turns", waiting=True) as live:
        found = compare(bare, live, turns=30)  # the limit is close: a machine's noise must not decide
    print("\nThe tutorial's settings, with a viewer of the first view")
    found.report(LEAST_SHARE_WATCHED, "images a second")
    assert found.ratio >= LEAST_SHARE_WATCHED


def test_the_tutorials_epoch_and_the_fast_one_beside_it() -> None:
    (tutorial,) = watched({})
    (fast,) = watched(FAST)
    print("\nThe tutorial's epoch, and the experiment “98 % soon”, each with a viewer")
    report("frames a second", f"{tutorial['frames_per_second']:.1f}")
    report("accuracy on all test images", f"{tutorial['accuracy']:.4f}   (at least {LEAST_ACCURACY:g})")
    report("seconds, with its test", f"{tutorial['seconds']:.1f}")
    report("fast: accuracy", f"{fast['accuracy']:.4f}   (at least {LEAST_ACCURACY:g})")
    report("fast: seconds, with its test", f"{fast['seconds']:.1f}")
    report("fast: share of the tutorial's time", f"{fast['seconds'] / tutorial['seconds']:.2f}   (below 1)")
    assert tutorial["accuracy"] >= LEAST_ACCURACY
    assert fast["accuracy"] >= LEAST_ACCURACY
    assert fast["seconds"] < tutorial["seconds"]


def test_two_students_get_half_each() -> None:
    one, other = watched({"images": 20_000}, runs=2)
    share = one["images_then"] / (one["images_then"] + other["images_then"])
    print("\nTwo students train at once")
    report("the first one's share of the images", f"{share:.3f}   (from {FAIR_SHARE[0]:g} to {FAIR_SHARE[1]:g})")
    report("images a second, both", f"{one['images_per_second'] + other['images_per_second']:,.0f}")
    assert FAIR_SHARE[0] <= share <= FAIR_SHARE[1]


@pytest.mark.parametrize("view", ["Training", "Anatomy"])
def test_with_chromium_drawing_on_the_same_cores(page: Callable[..., Any], serve: Any, view: str) -> None:
    with serve() as server, loop("tests.benchmarks.bare_cnn") as bare:
        tab = page("/cnn?cnn_epochs=0", base=server.url, width=1280, height=1500)
        board = Board(tab.page).ready()
        if view != "Training":
            tab.page.locator(".thumbs .thumb", has_text=view).click()
        live = Playing(board, per_step=BATCH)
        found = compare(bare, live)
        tab.page.close()
    rate = statistics.median(live.frames)
    print(f"\nThe tutorial's settings in Chromium, view “{view}”")
    report("frames painted a second", f"{rate:.1f}   (at least {FEWEST_FRAMES_PER_SECOND:g})")
    found.report(LEAST_SHARE_IN_CHROMIUM, "images a second")
    assert rate >= FEWEST_FRAMES_PER_SECOND
    assert found.ratio >= LEAST_SHARE_IN_CHROMIUM
