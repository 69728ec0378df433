"""What many trainings at once cost, beside one plain torch training in the same run.

    pytest -s tests/benchmarks/bench_stacked.py

Both are timed in turns, in seconds of processor time on one thread, and the fastest of each counts: neighbours on the
machine then cost neither of them anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from playground.lessons.classification import lesson as classification
from playground.lessons.classification.config import ClassificationConfig
from playground.lessons.classification.seeds import build as build_seeds
from playground.lessons.learning_rates.config import TUTORIAL, draw_points
from playground.lessons.learning_rates.trainings import Sweep
from playground.training.devices import set_threads
from playground.training.optimizers import OPTIMIZERS, torch_settings
from playground.training.stacked import StackedPart

COPIES, STEPS, BATCH_SIZE = 64, 200, 32
TURNS = 12
MOST_TIMES_ONE = 1.5
RATES = torch.logspace(-4, -1, COPIES).tolist()
CIRCLE = ClassificationConfig(cloud="circle", noise=0.4, units_1=4, activation="tanh", lr=0.1, max_steps=0)


def plain_torch(name: str) -> Callable[[], None]:
    """One training of the tutorial's model as a script would write it."""
    x, y = draw_points(0.1, 0)
    model = nn.Sequential(nn.Linear(1, 20), nn.ReLU(), nn.Linear(20, 1))
    choice = OPTIMIZERS[name]
    optimizer = choice.type(model.parameters(), lr=0.01, **choice.fixed, **torch_settings(name, TUTORIAL))
    loss_fn = nn.MSELoss()

    def train() -> None:
        for step in range(STEPS):
            at = step % (len(x) // BATCH_SIZE) * BATCH_SIZE
            if at == 0:
                order = torch.randperm(len(x))
            chosen = order[at : at + BATCH_SIZE]
            loss = loss_fn(model(x[chosen]), y[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return train


def sweep_of(name: str) -> Callable[[], None]:
    """The same training at 64 learning rates."""
    sweep = Sweep([StackedPart(name, TUTORIAL)], RATES, [0], draw_points(0.1, 0), batch_size=BATCH_SIZE)

    def train() -> None:
        for _ in range(STEPS):
            sweep.step()

    return train


def fastest(*trainings: Callable[[], object]) -> list[float]:
    """The shortest time of each, in processor seconds, timed in turns."""
    set_threads(1)
    times: list[list[float]] = [[] for _ in trainings]
    for turn in range(TURNS + 1):
        for train, found in zip(trainings, times, strict=True):
            start = time.process_time()
            train()
            if turn:  # the first warms up
                found.append(time.process_time() - start)
    return [min(found) for found in times]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_64_learning_rates_take_little_more_than_one(name: str) -> None:
    one, many = fastest(plain_torch(name), sweep_of(name))
    print(f"\n  {name:<10} one {1e3 * one:6.1f} ms   64 rates {1e3 * many:6.1f} ms   "
          f"{many / one:.2f} times   (at most {MOST_TIMES_ONE:g})")  # fmt: skip
    assert many <= MOST_TIMES_ONE * one


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("batch_size", [0, 10])
def test_nine_seeds_take_little_more_than_one_run(optimizer: str, batch_size: int) -> None:
    config = CIRCLE.with_values(optimizer=optimizer, batch_size=batch_size)
    runs = classification.build(config), build_seeds(config)

    one, nine = fastest(*(partial(run.advance, 60.0, STEPS) for run in runs))
    print(f"\n  {optimizer}, batches of {batch_size or 200}: one run {1e6 * one / STEPS:.0f} µs a step, "
          f"nine seeds {1e6 * nine / STEPS:.0f}   {nine / one:.2f} times   (at most {MOST_TIMES_ONE:g})")  # fmt: skip
    assert nine <= MOST_TIMES_ONE * one
