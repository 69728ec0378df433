"""The student's edits of a classification: a table of points, added and removed points, and weights set by hand."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import Any

import torch

from playground.data import datasets
from playground.data.datasets import DataError
from playground.engine.commands import coordinate
from playground.lesson import OwnPoints
from playground.lessons.classification import clouds, words
from playground.lessons.classification.clouds import MAX_CLASSES, LabelledPoints
from playground.lessons.classification.config import ClassificationConfig, data_numbers, draw_points
from playground.runs import state_checks as check
from playground.settings import Settings

MAX_EDITS = 1_000
MAX_SAVED_INDEX = 10_000  # of a layer, unit or input in a checkpoint; the model's own size is checked later
MAX_SAVED_WEIGHT = 3e38
OWN_POINTS = OwnPoints(
    what=words.OWN_POINTS,
    format=clouds.ROWS,
    example="0.5, -1.5, 0\n-2, 1, 1",
    write=clouds.write_csv,
    remark=clouds.remark_on_hidden_points,
    redraw="draw",
    without_effect=("cloud", "noise", "classes", "points"),
    brush="brush",
    classes=lambda run: run.config.outputs,
)

Rows = tuple[tuple[float, ...], ...]  # each row is (x1, x2, class)
PointNumber = tuple[int, int]  # of a training point: its number and a class
# What a click did: it added a point (x1, x2) of a class, or omitted the point with a number (x1) and class. In older
# files, "remove" stands for the point that is nearest to (x1, x2).
ADD, OMIT, REMOVE = "add", "omit", "remove"
Click = tuple[str, float, float, int]  # (ADD, OMIT or REMOVE, x1, x2, class)


@dataclass(frozen=True)
class WeightSet:
    """A weight that was set by hand (a bias if `source` is None), and its value before."""

    layer: int
    unit: int
    source: int | None
    before: float


@dataclass(frozen=True)
class Edits:
    """The student's own table (or None), and the points and weights changed by hand (`done`), in order."""

    rows: Rows | None = None
    done: tuple[Click | WeightSet, ...] = ()

    @property
    def clicks(self) -> tuple[Click, ...]:
        """The points added or removed, in order."""
        return tuple(edit for edit in self.done if not isinstance(edit, WeightSet))

    def state_dict(self) -> dict[str, Any]:
        """The edits as a checkpoint stores them."""
        done = [["set", *astuple(edit)] if isinstance(edit, WeightSet) else list(edit) for edit in self.done]
        return {"rows": check.table_state(self.rows), "done": done}

    @classmethod
    def from_state(cls, state: Any, max_rows: int) -> Edits:
        """The edits from a `state_dict`. Raises StateError or DataError."""
        found = check.entries(state, ("rows", "done"), "edits")
        rows = check.table(found["rows"], "edits/rows", 3, max_rows)
        for line, row in enumerate(rows or (), start=1):
            clouds.check_class(line, row)
        done = check.rows(found["done"], MAX_EDITS, None, "edits/done")
        return cls(rows, tuple(_edit_from_state(each) for each in done))

    def with_table_classes(self, config: ClassificationConfig) -> ClassificationConfig:
        """The config with the number of classes of the student's table, or 0 if there is no table."""
        return replace(config, table_classes=max(2, 1 + int(max(row[2] for row in self.rows))) if self.rows else 0)

    def points(self, config: ClassificationConfig, settings: Settings) -> LabelledPoints:
        """The points of the table, or those that the config describes, with the clicks. Raises DataError."""
        return self.numbered_points(config, settings)[0]

    def numbered_points(
        self, config: ClassificationConfig, settings: Settings
    ) -> tuple[LabelledPoints, list[PointNumber]]:
        """The same points, and a number with a class for each training point.

        The number counts the generated points of this class from 0, or is that of the table's row (with class 0); the
        points added by hand have -1, -2, ... It is the same with other noise, so a removed point stays the one removed.
        """
        data = draw_points(config, self.rows)
        x, y, added = data.x_train, data.y_train, 0
        numbers = self._numbers(config, y)
        for kind, x1, x2, label in self.clicks:
            if kind == ADD:
                added += 1
                x = torch.cat([x, torch.tensor([[x1, x2]])])
                y = torch.cat([y, torch.tensor([min(label, config.outputs - 1)])])
                numbers.append((-added, 0))
            elif len(x) > datasets.MIN_TRAINING_POINTS:
                number = (int(x1), label)
                if kind == OMIT and number not in numbers:  # there are fewer points than at the click
                    continue
                at = numbers.index(number) if kind == OMIT else nearest(x, x1, x2)
                keep = torch.arange(len(x)) != at
                x, y = x[keep], y[keep]
                del numbers[at]
        datasets.check_size(len(x) + len(data.x_test), settings.max_points)
        return LabelledPoints(x, y, data.x_test, data.y_test), numbers

    def _numbers(self, config: ClassificationConfig, labels: torch.Tensor) -> list[PointNumber]:
        if self.rows is not None:
            rows = datasets.split_rows(len(self.rows), config.test_share, data_numbers(config))[0]
            return [(row, 0) for row in rows.tolist()]
        counts: dict[int, int] = {}
        found = []
        for label in labels.tolist():
            found.append((counts.get(label, 0), label))
            counts[label] = counts.get(label, 0) + 1
        return found


def nearest(x: torch.Tensor, x1: float, x2: float) -> int:
    """The index of the point in x (points, 2) that is nearest to a place."""
    return int(((x - torch.tensor([x1, x2])) ** 2).sum(dim=1).argmin())


def _edit_from_state(state: list[Any]) -> Click | WeightSet:
    """One edit from its row in a state. Raises DataError or StateError."""
    kind = check.one_of(state[0], (ADD, OMIT, REMOVE, "set"), "edits/done")
    (row,) = check.rows([state], 1, 5 if kind == "set" else 4, "edits/done")
    if kind != "set":
        return kind, coordinate(row[1]), coordinate(row[2]), check.whole(row[3], "class", most=MAX_CLASSES - 1)
    layer, unit, source, before = row[1:]
    for index in (layer, unit, source or 0):
        check.whole(index, "edits/done", most=MAX_SAVED_INDEX)
    return WeightSet(layer, unit, source, check.number(before, "edits/done", most=MAX_SAVED_WEIGHT))


def checked_index(value: Any, what: str, count: int) -> int:
    """The index of a "layer", "unit" or "input" out of `count`. Raises DataError if there is none with this index."""
    if type(value) is not int or not 0 <= value < count:
        raise DataError(words.MESSAGES[f"bad_{what}"].format(last=count - 1))
    return value
