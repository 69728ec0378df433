"""How soon classification reaches what TensorFlow Playground reaches, with its nets, data and learning rates.

    pytest -s tests/benchmarks/bench_peer.py

TensorFlow Playground, in Chromium on a machine of this kind: a test loss below 0.02 on circle after 1.2 s (2-4-2-1,
tanh, rate 0.03, batch 10, no noise, 250 training points), below 0.1 on spiral after 4.2 s (two layers of 8, all
inputs). Its loss, half the squared error of a tanh output, is our squared error of probabilities: with p = (1 + tanh)
/ 2 both are 2 (1 - p)².
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest
import torch

from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.classification.config import INPUTS, ClassificationConfig
from playground.lessons.classification.lesson import build

SEEDS = range(1, 6)
MOST_STEPS = 30_000
PEER: dict[str, Any] = {
    "points": 125, "test_share": 1.0, "noise": 0.0, "activation": "tanh", "layers": 2, "lr": 0.03, "batch_size": 10,
    "loss": "brier", "max_steps": 0,
}  # fmt: skip
CIRCLE = PEER | {"cloud": "circle", "units_1": 4, "units_2": 2}
SPIRAL = PEER | {"cloud": "spiral", "units_1": 8, "units_2": 8, "inputs": ",".join(INPUTS)}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def seconds_until(config: ClassificationConfig, name: str, enough: Any) -> float:
    """Training time until a number of the history's row is good enough; infinite if it never is."""
    run = build(config)
    start = time.perf_counter()
    while run.steps < MOST_STEPS:
        run.step()
        if run.steps % 20 == 0:
            with torch.no_grad():
                row = run.measure()
            if enough(row[name]):
                return time.perf_counter() - start
    return float("inf")


@pytest.mark.parametrize(
    ("name", "values", "below", "peer_seconds"), [("circle", CIRCLE, 0.02, 1.2), ("spiral", SPIRAL, 0.1, 4.2)]
)
def test_half_the_peers_time_is_enough(name: str, values: dict[str, Any], below: float, peer_seconds: float) -> None:
    every = [
        seconds_until(ClassificationConfig(seed=seed, **values), "test", lambda loss: loss < below) for seed in SEEDS
    ]
    print(f"\n{name}: test loss below {below} after {statistics.median(every):.2f} s, median of {sorted(every)}")
    assert statistics.median(every) <= peer_seconds / 2


def test_the_experiment_with_the_spiral_passes_95_percent_within_30_seconds() -> None:
    (spiral,) = [each for each in experiments(LESSONS["classification"]) if each.id == "spiral"]
    seconds = seconds_until(spiral.config, "test_accuracy", lambda accuracy: accuracy > 0.95)
    print(f"\nThe spiral: test accuracy above 95 % after {seconds:.2f} s")
    assert seconds < 30
