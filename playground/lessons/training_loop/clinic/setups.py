"""What the scripts of the clinic find ready: torch, small data sets, and a measure of accuracy.

All data is drawn with torch's global generator, which a script seeds in its first line.
"""

from __future__ import annotations

import copy
import io
import math
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from playground.mnist.small_digits import MAX_GREY, small_table

TEST_DIGITS = 597  # of the 1,797 images, drawn at random; the others can be training images


def parabola(points: int = 100) -> tuple[Tensor, Tensor]:
    """The tutorial's points of x² with noise: x and y, (points, 1) each."""
    x = torch.linspace(-1, 1, points).unsqueeze(1)
    return x, x.pow(2) + 0.2 * torch.rand(x.size())


def moons(points: int = 400) -> tuple[Tensor, Tensor]:
    """Two half circles, each with one end inside the other: x (points, 2), labels y (points,)."""
    angle = math.pi * torch.rand(points)
    y = torch.arange(points) % 2
    upper = torch.stack([angle.cos(), angle.sin()], dim=1)
    lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], dim=1)
    return torch.where(y.unsqueeze(1) == 1, lower, upper) + 0.15 * torch.randn(points, 2), y


def rings(points: int = 400) -> tuple[Tensor, Tensor]:
    """A ring inside a ring: x (points, 2), labels y (points,)."""
    angle = 2 * math.pi * torch.rand(points)
    y = torch.arange(points) % 2
    radius = torch.where(y == 1, 0.5, 1.0)
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    return radius.unsqueeze(1) * circle + 0.08 * torch.randn(points, 2), y


def blobs(points: int = 100, centre: float = 2.0) -> tuple[Tensor, Tensor]:
    """Two round clouds around (centre, centre) and (-centre, -centre): x (2 points, 2), labels y (2 points,)."""
    x = torch.cat([torch.randn(points, 2) + centre, torch.randn(points, 2) - centre])
    return x, (torch.arange(2 * points) >= points).long()


def digits(train: int = 1200) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Small digits: x (train, 64) from 0 to 1 and labels y (train,), then the same for 597 test images."""
    x, y, x_test, y_test = digit_bytes(train)
    return x / 255, y, x_test / 255, y_test


def digit_bytes(train: int = 1200) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The same as bytes: x (train, 64) of uint8 from 0 to 255."""
    images, labels = _digits()
    order = torch.randperm(len(images))
    x, y = images[order], labels[order]
    return x[:train], y[:train], x[-TEST_DIGITS:], y[-TEST_DIGITS:]


def pictures(train: int = 600, size: int = 16) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Small digits anywhere in larger pictures, each in a colour of its own; height, width, channel as in files.

    x (train, size, size, 3) from 0 to 1 and labels y (train,), then the same for 597 test images.
    """
    x, y, x_test, y_test = digits(train)
    return _coloured(x, size), y, _coloured(x_test, size), y_test


def _coloured(x: Tensor, size: int) -> Tensor:
    """Digits (images, 64) at random places, in random colours: (images, size, size, 3)."""
    found = torch.zeros(len(x), size, size, 3)
    rows, columns = torch.randint(0, size - 7, (2, len(x), 1, 1))
    image, eight = torch.arange(len(x))[:, None, None], torch.arange(8)
    colour = 0.3 + 0.7 * torch.rand(len(x), 1, 1, 3)
    found[image, rows + eight[:, None], columns + eight] = x.view(-1, 8, 8, 1) * colour
    return found


@cache
def _digits() -> tuple[Tensor, Tensor]:
    table = torch.from_numpy(small_table())  # (1797, 65): 64 pixels and the label
    return (table[:, :-1] * 255 / MAX_GREY).round().to(torch.uint8), table[:, -1].long()


def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """The share of inputs whose largest output is that of their label."""
    with torch.no_grad():
        return float((model(x).argmax(1) == y).float().mean())


def graph_megabytes(value: Any) -> float:
    """How many megabytes of tensors the graph behind a value keeps for a backward pass; 0 for a plain number."""
    nodes, visited, sizes = [getattr(value, "grad_fn", None)], set(), {}
    while nodes:
        node = nodes.pop()
        if node is None or node in visited:
            continue
        visited.add(node)
        nodes += [each for each, _ in node.next_functions]
        for name in _saved_names(type(node)):  # type: ignore[arg-type]  # a class is hashable
            saved = getattr(node, name)
            if isinstance(saved, Tensor):
                storage = saved.untyped_storage()
                sizes[storage.data_ptr()] = storage.nbytes()
    return sum(sizes.values()) / 1e6


@cache
def _saved_names(kind: type) -> tuple[str, ...]:
    return tuple(name for name in dir(kind) if name.startswith("_saved_"))


def names() -> dict[str, Any]:
    """The names that a script starts with."""
    return {
        "torch": torch, "nn": nn, "np": np, "copy": copy, "io": io,
        "DataLoader": DataLoader, "TensorDataset": TensorDataset,
        "parabola": parabola, "moons": moons, "rings": rings, "blobs": blobs, "digits": digits,
        "digit_bytes": digit_bytes, "pictures": pictures, "accuracy": accuracy, "graph_megabytes": graph_megabytes,
    }  # fmt: skip
