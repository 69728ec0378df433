"""The data of a regression: target functions, noisy points drawn from them, tables, points added and removed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from playground.data import own_rows
from playground.data.messages import REFUSALS
from playground.data.own_rows import POINTS as POINTS
from playground.data.own_rows import DataError as DataError

MIN_TRAINING_POINTS = own_rows.MIN_ROWS
MESSAGES = REFUSALS


@dataclass(frozen=True)
class Split:
    """Training points and test points, as float32 tensors of shape (points, features)."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor

    @property
    def points(self) -> int:
        """The number of points, training and test together."""
        return len(self.x_train) + len(self.x_test)


@dataclass(frozen=True)
class Target:
    """A function of one variable on [-1, 1]: its label, the function, and its code for a script."""

    label: str
    function: Callable[[Tensor], Tensor]
    code: str


TARGETS: dict[str, Target] = {
    "square": Target("x²", lambda x: x.pow(2), "x.pow(2)"),
    "sine": Target("sin(πx)", lambda x: torch.sin(math.pi * x), "torch.sin(torch.pi * x)"),
    "absolute": Target("|x|", lambda x: x.abs(), "x.abs()"),
    "step": Target("step", lambda x: (x > 0).to(x.dtype), "(x > 0).to(x.dtype)"),
    "x_sine": Target("x sin(6x)", lambda x: x * torch.sin(6 * x), "x * torch.sin(6 * x)"),
    "cubic": Target("2x³ − x", lambda x: 2 * x.pow(3) - x, "2 * x.pow(3) - x"),
    "wave": Target("sin(3πx)", lambda x: torch.sin(3 * math.pi * x), "torch.sin(3 * torch.pi * x)"),
}


def curve(target: str, points: int, noise: float, test_share: float, generator: torch.Generator) -> Split:
    """Noisy points of a target: `points` training points at evenly spaced x in [-1, 1], test points at random x.

    y = target(x) + noise * u with u uniform in [0, 1), as in the tutorial. `test_share` is the number of test points
    per training point. Shapes: (points, 1) and (round(points * test_share), 1).
    """
    function = TARGETS[target].function
    x_train = torch.linspace(-1, 1, points).unsqueeze(dim=1)  # (points, 1)
    y_train = function(x_train) + noise * torch.rand(x_train.size(), generator=generator)
    x_test = 2 * torch.rand(round(points * test_share), 1, generator=generator) - 1
    y_test = function(x_test) + noise * torch.rand(x_test.size(), generator=generator)
    return Split(x_train, y_train, x_test, y_test)


def table(rows: Sequence[tuple[float, float]], test_share: float, generator: torch.Generator) -> Split:
    """A student's own (x, y) rows, split at random into training and test points (see `split_rows`)."""
    values = torch.tensor(rows, dtype=torch.float32)  # (rows, 2)
    train, test = split_rows(len(rows), test_share, generator)
    return Split(values[train, :1], values[train, 1:], values[test, :1], values[test, 1:])


def split_rows(rows: int, test_share: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The indices of the training rows and of the test rows, each in ascending order.

    With `test_share` test points per training point, test_share / (1 + test_share) of the rows are test rows.
    """
    test_rows = round(rows * test_share / (1 + test_share))
    order = torch.randperm(rows, generator=generator)
    return order[test_rows:].sort().values, order[:test_rows].sort().values


def check_size(points: int, max_points: int) -> None:
    """Raise DataError for more than `max_points` points, training and test together."""
    if points > max_points:
        raise DataError(MESSAGES["too_many_points"].format(points=points, max_points=max_points))


def add_point(split: Split, x: float, y: float) -> Split:
    """The same split with one more training point."""
    x_train = torch.cat([split.x_train, torch.tensor([[x]])])
    y_train = torch.cat([split.y_train, torch.tensor([[y]])])
    return Split(x_train, y_train, split.x_test, split.y_test)


def read_csv(text: str, max_rows: int) -> tuple[tuple[float, float], ...]:
    """The (x, y) rows of a table in a text. Raises DataError, naming the line and the limit."""
    return tuple((x, y) for x, y in POINTS.read(text, max_rows).rows)


def write_csv(split: Split) -> str:
    """The split as CSV text with the columns x, y and split; `read_csv` gives exactly the same numbers."""
    lines = ["x,y,split"]
    for name, xs, ys in (("train", split.x_train, split.y_train), ("test", split.x_test, split.y_test)):
        lines += [f"{x!s},{y!s},{name}" for x, y in zip(xs[:, 0].numpy(), ys[:, 0].numpy(), strict=True)]
    return "\n".join(lines) + "\n"
