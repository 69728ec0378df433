"""Watching a training changes nothing in it, and the doctor names what a small script does wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from playground.lessons.doctor.rules import diagnose
from playground.lessons.doctor.watch import Watch

POINTS = 120


def points(seed: int, classes: int = 0) -> tuple[Tensor, Tensor]:
    """Inputs (points, 3), with targets (points, 1) or classes (points,)."""
    torch.manual_seed(seed)
    x = torch.randn(POINTS, 3)
    if classes:
        return x, (x[:, 0] * 2 + x[:, 1]).argsort().argsort() * classes // POINTS
    return x, (x[:, :1] ** 2 + x[:, 1:2]) / 2


def mlp(*outputs: nn.Module, units: int = 12, classes: int = 1, middle: tuple[nn.Module, ...] = ()) -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, units), *middle, nn.ReLU(), nn.Linear(units, classes), *outputs)


def train(
    model: nn.Module, x: Tensor, y: Tensor, *, steps: int = 60, loss_fn: Any = None, lr: float = 0.1,
    each_step: Callable[[int], None] = lambda step: None,
) -> list[float]:  # fmt: skip
    """The usual loop; returns the losses."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    loss_fn = loss_fn or nn.MSELoss()
    losses = []
    for step in range(steps):
        each_step(step)
        loss = loss_fn(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def named(script: Callable[[], Any]) -> str:
    """The name of the rule that speaks about a script; "" if none does."""
    with Watch() as watch:
        script()
    found = diagnose(watch.evidence())
    return "" if found is None else found.rule


def test_a_watched_training_is_the_same_to_the_last_bit() -> None:
    def script() -> tuple[list[float], Tensor]:
        x, y = points(3, classes=4)
        model = mlp(classes=4, middle=(nn.BatchNorm1d(12), nn.Dropout(0.2)))
        return train(model, x, y, loss_fn=nn.CrossEntropyLoss()), torch.rand(3)

    plain = script()
    with Watch():
        watched = script()
    assert watched[0] == plain[0] and torch.equal(watched[1], plain[1])


def test_other_threads_are_not_watched() -> None:
    x, y = points(1)
    with Watch() as watch:
        other = threading.Thread(target=lambda: train(mlp(), x, y, steps=5))
        other.start()
        other.join()
    assert watch.steps == 0 and watch.evidence().updates == 0


def test_a_watch_continues_where_it_was_left() -> None:
    x, y = points(1)
    model, watch = mlp(), Watch()
    for _ in range(3):
        with watch:
            train(model, x, y, steps=10)
        train(mlp(), x, y, steps=2)
    assert watch.steps == watch.evidence().updates == 30


@pytest.mark.parametrize("seed", range(3))
def test_a_healthy_training_gets_no_remark(seed: int) -> None:
    x, y = points(seed)
    assert named(lambda: train(mlp(), x, y, steps=150)) == ""
    x, y = points(seed, classes=3)
    assert named(lambda: train(mlp(classes=3), x, y, steps=150, loss_fn=nn.CrossEntropyLoss())) == ""
