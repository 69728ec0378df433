"""Labelled points in the plane: the clouds that a classifier learns to tell apart, or a student's own table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from playground.data.datasets import DataError, read_rows

REACH = 6.0  # the plane that is shown goes from -REACH to REACH on both axes
MOST_CLASSES = 5
JITTER_SHARE = 0.25  # of the noise, for every cloud but the blobs

Draw = Callable[[Tensor, int, torch.Generator], Tensor]  # (labels, classes, generator) -> (points, 2), without noise


@dataclass(frozen=True)
class Cloud:
    """A way to lay points out: its name for people, its points without noise, and how many classes it takes."""

    label: str
    draw: Draw
    classes: tuple[int, ...] = (2, 3, 4, 5)


@dataclass(frozen=True)
class Labelled:
    """Points to learn from and points kept aside: x float32 (points, 2), y int64 (points,)."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor

    @property
    def points(self) -> int:
        """How many points there are, train and test together."""
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
    """Quadrants, counted from the first, counter-clockwise; with two classes, opposite ones belong together."""
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
    """Two half circles of radius 3, each with an end inside the other."""
    angle = _uniform(len(labels), 0, math.pi, generator)
    upper = torch.stack([3 * torch.cos(angle) - 1.5, 3 * torch.sin(angle) - 0.75], dim=1)
    lower = torch.stack([1.5 - 3 * torch.cos(angle), 0.75 - 3 * torch.sin(angle)], dim=1)
    return torch.where((labels == 0).unsqueeze(dim=1), upper, lower)


def _rings(labels: Tensor, classes: int, generator: torch.Generator) -> Tensor:
    """Rings about the origin, from the inside out."""
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


def classes_of(cloud: str, classes: int) -> int:
    """The number of classes that a cloud makes when asked for `classes`: the largest it takes that is not more."""
    return max(count for count in CLOUDS[cloud].classes if count <= max(classes, 2))


def labelled(
    cloud: str, points: int, classes: int, noise: float, test_share: float, generator: torch.Generator
) -> Labelled:
    """Noisy points of a cloud: `points` of each class to train on, and points * test_share of each to test on.

    Each coordinate gets a normal deviate of deviation `noise` for blobs (1 in the tutorial), a quarter of it elsewhere.
    """
    count = classes_of(cloud, classes)
    x_train, y_train = _drawn(cloud, points, count, noise, generator)
    x_test, y_test = _drawn(cloud, round(points * test_share), count, noise, generator)
    return Labelled(x_train, y_train, x_test, y_test)


def _drawn(cloud: str, points: int, classes: int, noise: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    labels = torch.arange(classes).repeat_interleave(points)  # (classes * points,)
    jitter = noise if cloud == "blobs" else JITTER_SHARE * noise
    x = CLOUDS[cloud].draw(labels, classes, generator) + jitter * torch.randn(len(labels), 2, generator=generator)
    return x, labels


def table(rows: Sequence[tuple[float, ...]], test_share: float, generator: torch.Generator) -> Labelled:
    """A student's own (x1, x2, class) rows, a random part of them kept aside for testing.

    With `test_share` test points for each training point, test points are test_share / (1 + test_share) of the rows.
    """
    values = torch.tensor(rows, dtype=torch.float32)  # (rows, 3)
    held = round(len(rows) * test_share / (1 + test_share))
    order = torch.randperm(len(rows), generator=generator)
    test, train = order[:held].sort().values, order[held:].sort().values
    x, y = values[:, :2], values[:, 2].long()
    return Labelled(x[train], y[train], x[test], y[test])


def read_csv(text: str, max_rows: int) -> tuple[tuple[float, ...], ...]:
    """The (x1, x2, class) rows of a CSV text; the class is a whole number from 0 to MOST_CLASSES - 1.

    Raises DataError, naming line and limit, as `playground.datasets.read_rows` does.
    """
    return read_rows(text, max_rows, ("x1", "x2", "class"), "0.5, -1.5, 1", check_class)


def check_class(number: int, row: tuple[float, ...]) -> None:
    """Raise DataError, naming the line, where a row's class is none."""
    if row[2] not in range(MOST_CLASSES):
        raise DataError(f"Line {number}: the class is a whole number from 0 to {MOST_CLASSES - 1}, not {row[2]:g}.")


def out_of_sight(rows: Sequence[tuple[float, ...]]) -> str:
    """A sentence on the rows of (x1, x2, class) that lie beyond the plane that is shown; "" if none does."""
    beyond = sum(max(abs(row[0]), abs(row[1])) > REACH for row in rows)
    if not beyond:
        return ""
    return (
        f"Points beyond ±{REACH:g}, which the map does not show: {beyond:,}. The model learns from them all the same. "
        "Scale the columns (for instance to mean 0 and deviation 2) to see all of them."
    )


def write_csv(points: Labelled) -> str:
    """The points as CSV text with the columns x1, x2, class and split; every number is read back as it was."""
    lines = ["x1,x2,class,split"]
    for name, x, y in (("train", points.x_train, points.y_train), ("test", points.x_test, points.y_test)):
        pairs = zip(x.numpy(), y.tolist(), strict=True)
        lines += [f"{x1!s},{x2!s},{label},{name}" for (x1, x2), label in pairs]
    return "\n".join(lines) + "\n"
