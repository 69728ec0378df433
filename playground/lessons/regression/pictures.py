"""Small pictures for the drawing of the network: the run's points, and the targets to choose from."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from playground.data.datasets import TARGETS, Split, curve

MAX_POINTS = 120  # in a picture of data
EXAMPLE_POINTS, NOISE = 60, 0.2  # in the picture of a target
MARGIN = 0.12  # above and below the points of a target's picture

Picture = dict[str, NDArray[np.generic]]


def of_points(data: Split, spans: tuple[list[float], list[float]]) -> Picture:
    """Some of the training points: x and y from 0 to 1 over the ranges of the fit."""
    stride = -(-len(data.x_train) // MAX_POINTS)
    (left, right), (low, high) = spans
    return {"x": ((data.x_train[::stride, 0].numpy() - left) / (right - left)).astype(np.float32),
            "y": ((data.y_train[::stride, 0].numpy() - low) / (high - low)).astype(np.float32)}  # fmt: skip


@cache
def of_targets() -> dict[str, Picture]:
    """A picture of each target."""
    found = {}
    for name in TARGETS:
        data = curve(name, EXAMPLE_POINTS, NOISE, 0.0, torch.Generator().manual_seed(1))
        low, high = float(data.y_train.min()), float(data.y_train.max())
        room = MARGIN * (high - low)
        found[name] = of_points(data, ([-1.1, 1.1], [low - room, high + room]))
    return found
