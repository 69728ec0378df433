"""What a model learns from: named targets, the points drawn from them, and the student's own edits to those points."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from playground.knobs import shorten

MAX_CSV_BYTES = 1_000_000
FEWEST_POINTS = 2  # to learn from


class DataError(ValueError):
    """Data that cannot be learnt from; the message is a sentence that names the line and the limit."""


@dataclass(frozen=True)
class Split:
    """Points to learn from and points kept aside, as float32 tensors of shape (points, features)."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor

    @property
    def points(self) -> int:
        """How many points there are, train and test together."""
        return len(self.x_train) + len(self.x_test)


@dataclass(frozen=True)
class Target:
    """A function of one variable to be learnt, on [-1, 1]."""

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
    """Noisy points of a target: `points` evenly spaced x in [-1, 1] to train on, and fresh ones at random x to test on.

    y = target(x) + noise * u with u uniform in [0, 1), as in the tutorial. `test_share` is the number of test points
    for each training point. Shapes: (points, 1) and (round(points * test_share), 1).
    """
    function = TARGETS[target].function
    x_train = torch.linspace(-1, 1, points).unsqueeze(dim=1)  # (points, 1)
    y_train = function(x_train) + noise * torch.rand(x_train.size(), generator=generator)
    x_test = 2 * torch.rand(round(points * test_share), 1, generator=generator) - 1
    y_test = function(x_test) + noise * torch.rand(x_test.size(), generator=generator)
    return Split(x_train, y_train, x_test, y_test)


def table(rows: Sequence[tuple[float, float]], test_share: float, generator: torch.Generator) -> Split:
    """A student's own (x, y) rows, a random part of them kept aside for testing.

    With `test_share` test points for each training point, test points are test_share / (1 + test_share) of the rows.
    """
    values = torch.tensor(rows, dtype=torch.float32)  # (rows, 2)
    held = round(len(rows) * test_share / (1 + test_share))
    order = torch.randperm(len(rows), generator=generator)
    test, train = order[:held].sort().values, order[held:].sort().values
    return Split(values[train, :1], values[train, 1:], values[test, :1], values[test, 1:])


def add_point(split: Split, x: float, y: float) -> Split:
    """The same split with one more training point."""
    x_train = torch.cat([split.x_train, torch.tensor([[x]])])
    y_train = torch.cat([split.y_train, torch.tensor([[y]])])
    return Split(x_train, y_train, split.x_test, split.y_test)


def remove_nearest(split: Split, x: float, y: float, x_scale: float, y_scale: float) -> Split:
    """The same split without the training point nearest to (x, y), distances measured in units of the two scales.

    Raises DataError where only two training points are left.
    """
    if len(split.x_train) <= FEWEST_POINTS:
        raise DataError("Two points must stay, or there is nothing to learn from.")
    distance = ((split.x_train[:, 0] - x) / x_scale) ** 2 + ((split.y_train[:, 0] - y) / y_scale) ** 2
    keep = torch.arange(len(distance)) != int(distance.argmin())
    return Split(split.x_train[keep], split.y_train[keep], split.x_test, split.y_test)


def read_csv(text: str, max_rows: int) -> tuple[tuple[float, float], ...]:
    """The (x, y) rows of a CSV text, read as `read_rows` does."""
    return tuple((x, y) for x, y in read_rows(text, max_rows, ("x", "y"), "0.5, 0.25"))


def read_rows(
    text: str,
    max_rows: int,
    columns: Sequence[str],
    example: str,
    check: Callable[[int, tuple[float, ...]], None] | None = None,
) -> tuple[tuple[float, ...], ...]:
    """The rows of a CSV text: columns of numbers, an optional header line, comma, semicolon or tab between.

    Raises DataError, naming line and limit, for text, NaN, infinite or huge numbers, a wrong number of columns, fewer
    than two rows or more than `max_rows`; `check` may refuse a row, given its line, for more than that.
    """
    names = ",".join(columns)
    if len(text) > MAX_CSV_BYTES:
        raise DataError(f"The CSV is over {MAX_CSV_BYTES // 1000:,} kB. Keep at most {max_rows:,} rows of {names}.")
    dialect = max(",;\t", key=text.count)
    rows: list[tuple[float, ...]] = []
    lines = csv.reader(text.splitlines(), delimiter=dialect)
    try:
        for cells in lines:
            number = lines.line_num
            if not any(cell.strip() for cell in cells) or (number == 1 and _is_header(cells)):
                continue
            if len(rows) == max_rows:
                raise DataError(f"Line {number}: there are more than {max_rows:,} rows. Keep at most {max_rows:,}.")
            rows.append(_row(number, cells, columns))
            if check is not None:
                check(number, rows[-1])
    except csv.Error:
        raise DataError(f"Line {lines.line_num} is not a line of a CSV. Each line is {names}.") from None
    if len(rows) < FEWEST_POINTS:
        raise DataError(f"The CSV needs at least two rows of {names}, such as “{example}”.")
    return tuple(rows)


def write_csv(split: Split) -> str:
    """The split as CSV text with the columns x, y and split; every number is read back as it was."""
    lines = ["x,y,split"]
    for name, xs, ys in (("train", split.x_train, split.y_train), ("test", split.x_test, split.y_test)):
        lines += [f"{x!s},{y!s},{name}" for x, y in zip(xs[:, 0].numpy(), ys[:, 0].numpy(), strict=True)]
    return "\n".join(lines) + "\n"


def _is_header(cells: list[str]) -> bool:
    return all(cell.strip() and not _number(cell) for cell in cells)


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _row(number: int, cells: list[str], columns: Sequence[str]) -> tuple[float, ...]:
    count, names = len(columns), " and ".join((", ".join(columns[:-1]), columns[-1]))
    if len(cells) == count + 1 and cells[-1].strip() in ("train", "test"):  # a file this page wrote
        cells = cells[:-1]
    if len(cells) != count:
        needed = {2: "two", 3: "three"}.get(count, str(count))
        raise DataError(f"Line {number}: {needed} columns are needed, {names}; the number found is {len(cells)}.")
    for cell in cells:
        if not _number(cell):
            raise DataError(f"Line {number}: “{shorten(cell, 20)}” is not a number. Each line is {','.join(columns)}.")
        if not math.isfinite(float(cell)) or abs(float(cell)) > 1e6:
            raise DataError(f"Line {number}: “{shorten(cell, 20)}” is out of range; numbers go from -1e6 to 1e6.")
    return tuple(float(cell) for cell in cells)
