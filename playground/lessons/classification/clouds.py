"""Labelled points in the plane: generated clouds, one for each class, or a student's own table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from playground.data.datasets import DataError, split_rows
from playground.data.own_rows import labelled_points as labelled_rows
from playground.lessons.classification.words import MESSAGES

MAP_END = 6.0  # the map shows -MAP_END to MAP_END on both axes
MAX_CLASSES = 5
ROWS = labelled_rows(MAX_CLASSES)  # the format of a student's own table
JITTER_SHARE = 0.25  # the part of the noise that every cloud except the blobs gets

Draw = Callable[[Tensor, int, torch.Generator], Tensor]  # (labels, classes, generator) -> (points, 2), without noise


@dataclass(frozen=True)
class Cloud:
    """A kind of data: its label, a function that draws its points without noise, and the numbers of classes it has."""

    label: str
    draw: Draw
    classes: tuple[int, ...] = (2, 3, 4, 5)


@dataclass(frozen=True)
class LabelledPoints:
    """Training points and test points with their classes: x float32 (points, 2), y int64 (points,)."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor

    @property
    def points(self) -> int:
        """The number of points, training and test together."""
        return len(self.x_train) + len(self.x_test)


def _uniform(count: int, lo: float, hi: float, generator: torch.Generator) -> Tensor:
    return lo + (hi - lo) * torch.rand(count, generator=generator)


def _polar(radius: Tensor, angle: Tensor) -> Tensor:
    return torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1)


def _blobs(labels: Tensor, classes: int, generator: torch.Generator) -> Tensor:
    """Centres on a circle through (2, 2) and (-2, -2), the tutorial's two."""
    angle = math.pi / 4 + 2 * math.pi * labels / classes
    return _polar(torch.full((len(labels),), 8**0.5), angle)


def _circle(labels: Tensor, classes: int, generator: torch.Generator) -> Tensor:
    """A disk of radius 2.5 inside a ring from 3.5 to 5."""
    inner = labels == 0
    disk = _uniform(len(labels), 0, 2.5, generator)
    ring = _uniform(len(labels), 3.5, 5, generator)
    return _polar(torch.where(inner, disk, ring), _uniform(len(labels), 0, 2 * math.pi, generator))


def _xor(labels: Tensor, classes: int, generator: torch.Generator) -> Tensor:
    """Quadrants, counter-clockwise from the first; with two classes, opposite quadrants have the same class."""
    turn = 2 * torch.randint(2, (len(labels),), generator=generator) if classes == 2 else torch.zeros(len(labels))
    quadrant = labels + turn
    x = _uniform(len(labels), 0.4, 5, generator)
    y = _uniform(len(labels), 0.4, 5, generator)
    x_sign = torch.where((quadrant == 0) | (quadrant == 3), 1.0, -1.0)
    y_sign = torch.where(quadrant < 2, 1.0, -1.0)
    return torch.stack([x * x_sign, y * y_sign], dim=1)


def _spiral(labels: Tensor, classes: int, generator: torch.Generator) -> Tensor:
    """One arm for each class: radius up to 5 over 1.75 turns, evenly spaced along the arm."""
    along = torch.empty(len(labels))
    for label in range(classes):
        arm = labels == label
        along[arm] = torch.linspace(0, 1, int(arm.sum()) + 1)[1:]
    return _polar(5 * along, math.pi / 2 - 1.75 * 2 * math.pi * along + 2 * math.pi * labels / classes)


def _moons(labels: Tensor, classes: int, generator: torch.Generator) -> Tensor:
    """Two half circles of radius 3, each with one end inside the other."""
    angle = _uniform(len(labels), 0, math.pi, generator)
    upper = torch.stack([3 * torch.cos(angle) - 1.5, 3 * torch.sin(angle) - 0.75], dim=1)
    lower = torch.stack([1.5 - 3 * torch.cos(angle), 0.75 - 3 * torch.sin(angle)], dim=1)
    return torch.where((labels == 0).unsqueeze(dim=1), upper, lower)


def _rings(labels: Tensor, classes: int, generator: torch.Generator) -> Tensor:
    """Rings around the origin, class 0 innermost."""
    width = 5 / classes
    radius = width * (labels + _uniform(len(labels), 0.15, 0.85, generator))
    return _polar(radius, _uniform(len(labels), 0, 2 * math.pi, generator))


CLOUDS: dict[str, Cloud] = {
    "blobs": Cloud("Blobs", _blobs),
    "circle": Cloud("Circle", _circle, (2,)),
    "xor": Cloud("Xor", _xor, (2, 4)),
    "spiral": Cloud("Spiral", _spiral),
    "moons": Cloud("Moons", _moons, (2,)),
    "rings": Cloud("Rings", _rings),
}


def class_count(cloud: str, classes: int) -> int:
    """The number of classes of a cloud when `classes` are wanted: the largest one that it has and that is not more."""
    return max(count for count in CLOUDS[cloud].classes if count <= max(classes, 2))


def labelled_points(
    cloud: str, points: int, classes: int, noise: float, test_share: float, generator: torch.Generator
) -> LabelledPoints:
    """Noisy points of a cloud: `points` training points and points * test_share test points of each class.

    The noise is normal, with standard deviation `noise` for blobs (1 in the tutorial) and a quarter of it for others.
    """
    count = class_count(cloud, classes)
    x_train, y_train = _noisy_points(cloud, points, count, noise, generator)
    x_test, y_test = _noisy_points(cloud, round(points * test_share), count, noise, generator)
    return LabelledPoints(x_train, y_train, x_test, y_test)


def _noisy_points(
    cloud: str, points: int, classes: int, noise: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    labels = torch.arange(classes).repeat_interleave(points)  # (classes * points,)
    jitter = noise if cloud == "blobs" else JITTER_SHARE * noise
    x = CLOUDS[cloud].draw(labels, classes, generator) + jitter * torch.randn(len(labels), 2, generator=generator)
    return x, labels


def table(rows: Sequence[tuple[float, ...]], test_share: float, generator: torch.Generator) -> LabelledPoints:
    """A student's own (x1, x2, class) rows, split at random into training and test points (see `split_rows`)."""
    values = torch.tensor(rows, dtype=torch.float32)  # (rows, 3)
    train, test = split_rows(len(rows), test_share, generator)
    x, y = values[:, :2], values[:, 2].long()
    return LabelledPoints(x[train], y[train], x[test], y[test])


def read_csv(text: str, max_rows: int) -> tuple[tuple[float, ...], ...]:
    """The (x1, x2, class) rows of a table in a text; its classes get the numbers from 0. Raises DataError."""
    return ROWS.read(text, max_rows).rows


def check_class(line: int, row: tuple[float, ...]) -> None:
    """Raise DataError, naming the line, if the class of a row (x1, x2, class) is not legal."""
    if row[2] not in range(MAX_CLASSES):
        raise DataError(MESSAGES["bad_class"].format(line=line, last=MAX_CLASSES - 1, value=row[2]))


def remark_on_hidden_points(rows: Sequence[tuple[float, ...]]) -> str:
    """A sentence about rows (x1, x2, class) outside the map; "" if there are none."""
    hidden = sum(max(abs(row[0]), abs(row[1])) > MAP_END for row in rows)
    return MESSAGES["hidden_points"].format(end=MAP_END, count=hidden) if hidden else ""


def write_csv(points: LabelledPoints) -> str:
    """The points as CSV text with the columns x1, x2, class and split; `read_csv` gives exactly the same numbers."""
    lines = ["x1,x2,class,split"]
    for name, x, y in (("train", points.x_train, points.y_train), ("test", points.x_test, points.y_test)):
        pairs = zip(x.numpy(), y.tolist(), strict=True)
        lines += [f"{x1!s},{x2!s},{label},{name}" for (x1, x2), label in pairs]
    return "\n".join(lines) + "\n"
