"""What a student changes by hand in a running classification: its points, by table or click, and single weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from typing import Any

import torch
from torch import nn

from playground.data.datasets import DataError
from playground.knobs import Config
from playground.lesson import OwnPoints
from playground.lessons.classification import clouds
from playground.lessons.classification.clouds import MOST_CLASSES, Labelled
from playground.lessons.classification.config import ClassificationConfig, draw_points
from playground.lessons.regression.config import coordinate
from playground.runs import journal
from playground.runs import state_checks as check
from playground.runs.training_run import TrainingRun
from playground.settings import Settings
from playground.training import models

MOST_EDITS = 1_000
LARGEST_WEIGHT = 1e6
LARGEST_PLACE = 10_000  # of a layer, unit or input in a file; the model's own size is looked at later
OWN_POINTS = OwnPoints(
    what="Click on the map to add a point; shift-click removes the nearest. Or learn from your own table: while it is "
    "in use, Data, Noise, Classes and the number of points have no effect.",
    columns="x1,x2,class",
    example="0.5, -1.5, 0\n-2, 1, 1",
    read=clouds.read_csv,
    write=clouds.write_csv,
    remark=clouds.out_of_sight,
    redraw="draw",
)

Rows = tuple[tuple[float, ...], ...]  # (x1, x2, class) each
Click = tuple[str, float, float, int]  # ("add" or "remove", x1, x2, class)


@dataclass(frozen=True)
class WeightSet:
    """A weight that was set by hand (a bias where `source` is None), and what it was before."""

    layer: int
    unit: int
    source: int | None
    before: float


@dataclass(frozen=True)
class Edits:
    """What the student did by hand: a table of their own; points added or removed, and weights set, in order."""

    rows: Rows | None = None
    done: tuple[Click | WeightSet, ...] = ()

    @property
    def clicks(self) -> tuple[Click, ...]:
        """The points added or removed."""
        return tuple(edit for edit in self.done if not isinstance(edit, WeightSet))

    def state_dict(self) -> dict[str, Any]:
        """The edits as a checkpoint keeps them."""
        done = [["set", *astuple(edit)] if isinstance(edit, WeightSet) else list(edit) for edit in self.done]
        return {"rows": check.table_state(self.rows), "done": done}

    @classmethod
    def of_state(cls, state: Any, most_rows: int) -> Edits:
        """The edits that `state_dict` gave. Raises StateError or DataError."""
        found = check.entries(state, ("rows", "done"), "edits")
        rows = check.table(found["rows"], "edits/rows", 3, most_rows)
        for number, row in enumerate(rows or (), start=1):
            clouds.check_class(number, row)
        return cls(rows, tuple(_edit_of(each) for each in check.rows(found["done"], MOST_EDITS, None, "edits/done")))

    def worn(self, config: ClassificationConfig) -> ClassificationConfig:
        """The config with the classes of the table in use, if one is."""
        return replace(config, table_classes=max(2, 1 + int(max(row[2] for row in self.rows))) if self.rows else 0)

    def points(self, config: ClassificationConfig, settings: Settings) -> Labelled:
        """The table's points, or else those that the config describes, after the clicks. Raises DataError."""
        data = draw_points(config, self.rows)
        x, y = data.x_train, data.y_train
        for kind, x1, x2, label in self.clicks:
            if kind == "add":
                x = torch.cat([x, torch.tensor([[x1, x2]])])
                y = torch.cat([y, torch.tensor([min(label, config.outputs - 1)])])
            elif len(x) > 2:
                keep = torch.arange(len(x)) != int(((x - torch.tensor([x1, x2])) ** 2).sum(dim=1).argmin())
                x, y = x[keep], y[keep]
        made = Labelled(x, y, data.x_test, data.y_test)
        if made.points > settings.max_points:
            raise DataError(
                f"This makes {made.points:,} points with the test points; at most {settings.max_points:,} fit here. "
                "Choose fewer, then press Reset."
            )
        return made


class EditedRun(TrainingRun):
    """A classification that a student changes by hand."""

    edits: Edits

    def tune(self, config: Config) -> None:
        """Turn live knobs; the classes stay the table's where one is in use."""
        assert isinstance(config, ClassificationConfig)
        super().tune(self.edits.worn(config))

    def load_edits(self, edits: Edits) -> None:
        """Take these edits over, of which the weights are set already, in a run that has none."""
        if edits.rows is not None or edits.clicks:
            self._use_edits(replace(edits, done=edits.clicks))
        layers = models.linears(self.model)
        for edit in edits.done:
            if isinstance(edit, WeightSet):
                layer = layers[_index(edit.layer, "layer", len(layers))]
                _index(edit.unit, "unit", layer.out_features)
                _index(edit.source or 0, "input", layer.in_features)
        self.edits = edits

    def use_rows(self, rows: Rows | None) -> None:
        """Learn from the student's own (x1, x2, class) rows; None goes back to the generated points."""
        self._use_edits(Edits(rows, tuple(edit for edit in self.edits.done if isinstance(edit, WeightSet))))

    def edit(self, command: Mapping[str, Any]) -> None:
        """Add a point of the chosen class, remove the nearest, set a weight, or undo the last of these."""
        name, done = command.get("do"), self.edits.done
        if name == "undo":
            self._undo()
        elif name in ("add", "remove", "set") and len(done) >= MOST_EDITS:
            raise DataError(f"{MOST_EDITS:,} points or weights were changed by hand, as many as fit. Undo some.")
        elif name == "set":
            self._set(command)
        elif name in ("add", "remove"):
            x1, x2 = (coordinate(command.get(axis)) for axis in ("x", "y"))
            if name == "remove" and len(self.data.x_train) <= 2:
                raise DataError("Two points must stay, or there is nothing to learn from.")
            self._use_edits(replace(self.edits, done=(*done, (name, x1, x2, self.config.brush))))
        else:
            super().edit(command)

    def replace_model(self, model: nn.Sequential) -> None:
        """Train this model from now on; weights set by hand in the one before cannot be taken back in it."""
        super().replace_model(model)
        self.edits = replace(self.edits, done=self.edits.clicks)

    def _set(self, command: Mapping[str, Any]) -> None:
        """Set one weight, or a bias where "input" is None, of the running model."""
        if self._viewed is not None:
            raise DataError("You are looking back at an earlier step. Press Now, then set the weight.")
        value = command.get("value")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= LARGEST_WEIGHT:
            raise DataError("A weight takes a number from -1e6 to 1e6.")
        layers = models.linears(self.model)
        layer = _index(command.get("layer"), "layer", len(layers))
        unit = _index(command.get("unit"), "unit", layers[layer].out_features)
        source = command.get("input")
        if source is not None:
            _index(source, "input", layers[layer].in_features)
        before = self._put(layer, unit, source, float(value))
        self.edits = replace(self.edits, done=(*self.edits.done, WeightSet(layer, unit, source, before)))
        self.mark("Weight set by hand")

    def _undo(self) -> None:
        """Take back the last edit, of a point or of a weight."""
        if not self.edits.done:
            raise DataError("There is no point or weight changed by hand to undo.")
        *done, last = self.edits.done
        if isinstance(last, WeightSet):
            self._put(last.layer, last.unit, last.source, last.before)
            self.edits = replace(self.edits, done=tuple(done))
            self.mark("Weight set back")
        else:
            self._use_edits(replace(self.edits, done=tuple(done)))

    @torch.no_grad()
    def _put(self, layer: int, unit: int, source: int | None, value: float) -> float:
        """Write a weight, or a bias, into the running model; returns what was there."""
        linear = models.linears(self.model)[layer]
        row, at = (linear.bias, unit) if source is None else (linear.weight[unit], source)
        before = row[at].item()
        row[at] = value
        self.note(journal.WeightSet(layer, unit, source, value))
        return before

    def _use_edits(self, edits: Edits) -> None:
        """Learn from the points with these edits; a table of other classes takes other outputs."""
        before, after = self.config, edits.worn(self.config)
        edits.points(after, self.settings)  # raises before anything has changed
        self.edits, self.config = edits, after
        self.retune(before, after, {"points"})
        self.mark("Points changed")
        self.note()


def _edit_of(state: list[Any]) -> Click | WeightSet:
    """One edit from its row in a state. Raises DataError or StateError."""
    kind = check.one_of(state[0], ("add", "remove", "set"), "edits/done")
    (row,) = check.rows([state], 1, 5 if kind == "set" else 4, "edits/done")
    if kind != "set":
        return kind, coordinate(row[1]), coordinate(row[2]), check.whole(row[3], "class", most=MOST_CLASSES - 1)
    layer, unit, source, before = row[1:]
    for place in (layer, unit, source or 0):
        check.whole(place, "edits/done", most=LARGEST_PLACE)
    return WeightSet(layer, unit, source, check.number(before, "edits/done", most=3e38))


def _index(value: Any, name: str, count: int) -> int:
    """Which layer, unit or input a viewer means. Raises DataError where there is none of this number."""
    if type(value) is not int or not 0 <= value < count:
        raise DataError(f"The {name} of a weight is a whole number from 0 to {count - 1} here.")
    return value
