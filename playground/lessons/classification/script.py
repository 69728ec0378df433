"""How a classification is written as a script."""

from __future__ import annotations

import re
from typing import Any

from playground.lessons.classification import clouds
from playground.lessons.classification.clouds import CLOUDS, JITTER_SHARE, Labelled
from playground.lessons.classification.config import DATA, DROPOUT, INPUTS, ORDER, REDRAWN, WEIGHTS, Brier
from playground.lessons.classification.edits import Edits
from playground.runs.journal import Change, Course
from playground.scripts.code import written
from playground.scripts.script import TrainingScript
from playground.training import models

ALL = "x1,x2"  # the inputs that are the points themselves


class ClassificationScript(TrainingScript):
    """The script of a classification."""

    title = "Classification"
    order_seed, weights_seed = ORDER, WEIGHTS

    def __init__(self, course: Course) -> None:
        super().__init__(course)
        configs = [each.config for each in self.every]
        self.is_told_more = any(config.inputs != ALL for config in configs)
        self.drops = any(config.dropout for config in configs)
        self.l1 = any(config.l1 for config in configs)
        self.points_name = "points" if self.is_told_more else "x"
        self.after_activation = "dropout" if self.drops else ""

    # Data.

    def points(self, change: Change) -> Labelled:
        """The points of a moment."""
        edits: Edits = change.edits
        return edits.points(change.config, self.course.settings)

    def data_key(self, change: Change) -> Any:
        """What decides the points."""
        config = change.config
        drawn = (config.cloud, config.noise, config.classes, config.points, config.draw, config.test_share)
        return *drawn, change.edits.rows, change.edits.clicks

    def data(self, change: Change) -> list[str]:
        """Drawn as the page draws them, or written out where the student has changed them; then the inputs."""
        data = self.points(change)
        x = self.points_name
        sides = [
            ("train", data.x_train, data.y_train),
            *([("test", data.x_test, data.y_test)] * bool(len(data.x_test))),
        ]
        if change.edits.rows is not None or change.edits.clicks:
            lines = [f"{name}_{side} = {written(values)}"
                     for side, points, labels in sides for name, values in ((x, points), ("y", labels))]  # fmt: skip
        else:
            lines = self.drawn(change.config, x, [side for side, _, _ in sides])
        if self.is_told_more:
            lines += self.inputs(change.config, [side for side, _, _ in sides])
        return lines

    def retold(self, before: Change, after: Change) -> list[str]:
        """Statements for other inputs."""
        if before.config.inputs == after.config.inputs:
            return []
        return self.inputs(after.config, ["train", *(["test"] if len(self.points(after).x_test) else [])])

    def told(self, change: Change) -> list[str]:
        """The inputs again, of the points as they are now."""
        return ["x_train = inputs(points_train)"] if self.is_told_more else []

    def drawn(self, config: Any, x: str, sides: list[str]) -> list[str]:
        """Statements that draw the points of a cloud."""
        cloud, classes = CLOUDS[config.cloud], clouds.classes_of(config.cloud, config.classes)
        name = self.define(cloud.draw)
        for needed in (clouds._uniform, clouds._polar):
            if re.search(rf"\b{needed.__name__[1:]}\(", self.definitions[name]):
                self.define(needed)
        jitter = config.noise if config.cloud == "blobs" else JITTER_SHARE * config.noise
        counts = {"train": config.points, "test": round(config.points * config.test_share)}
        return [
            "def draw(count):",
            f"    y = torch.arange({classes}).repeat_interleave(count)  # so many points of each class",
            f"    x = {name}(y, {classes}, generator)",
            f"    return x + {jitter!r} * torch.randn(len(y), 2, generator=generator), y",
            "",
            f"generator = torch.Generator().manual_seed({config.seed + DATA + REDRAWN * config.draw})",
            *(f"{x}_{side}, y_{side} = draw({counts[side]})" for side in sides),
        ]

    @staticmethod
    def inputs(config: Any, sides: list[str]) -> list[str]:
        """Statements that make the model's inputs of the points."""
        columns = ", ".join(INPUTS[name].code for name in config.input_names)
        return ["", "def inputs(x):", f"    return torch.stack([{columns}], dim=1)", "",
                *(f"x_{side} = inputs(points_{side})" for side in sides)]  # fmt: skip

    # Model and loss.

    def model(self, config: Any) -> list[str]:
        """The chosen inputs, the hidden layers, one logit for each class."""
        lines = self.layers(len(config.input_names), config.widths, config.outputs, config)
        if not self.drops:
            return lines
        self.define(models.Dropout)
        seed = f"torch.Generator().manual_seed({self.seed + DROPOUT})"
        return [f"dropout = Dropout({config.dropout!r}, {seed})", *lines]

    def reshaped(self, before: Any, after: Any) -> list[str] | None:
        """A fresh model of the new shape, into which every weight goes that has a place there."""
        if (before.inputs, before.widths, before.outputs) == (after.inputs, after.widths, after.outputs):
            return None
        self.define(models.linears)
        self.define(models.graft)
        old, new = before.input_names, after.input_names
        pairs = [(old.index(name), new.index(name)) for name in new if name in old]
        dropped = 1 if self.drops else 0  # the dropout module stays the one that there is
        return ["old = model", *self.model(after)[dropped:], f"graft(old, model, {pairs})"]

    def loss_fn(self, config: Any) -> str:
        """One of torch's own, or the page's."""
        return "nn.CrossEntropyLoss()" if config.loss == "cross_entropy" else f"{self.define(Brier)}()"

    def penalty(self) -> list[str]:
        """The L1 term."""
        if not self.l1:
            return []
        weights = "[layer.weight.abs().sum() for layer in model if isinstance(layer, nn.Linear)]"
        return [
            "if l1:", f"    weights = {weights}", "    loss = loss + l1 * torch.stack(weights).sum()"]  # fmt: skip

    def settings(self, config: Any) -> dict[str, str]:
        """The rate of the L1 term."""
        return {"l1": repr(config.l1)} if self.l1 else {}

    def changed(self, before: Change, after: Change) -> list[str]:
        """The same, and another share dropped."""
        lines = super().changed(before, after)
        if before.config.dropout == after.config.dropout:
            return lines
        return [f"dropout.p = {after.config.dropout!r}", *lines]

    def scores(self) -> dict[str, str]:
        """The loss, and the share of points in their class."""
        return super().scores() | {"accuracy": "(model({x}).argmax(dim=1) == {y}).sum().item() / len({y})"}

    def more_saved(self, own: Any) -> dict[str, Any]:
        """The random numbers of the dropout."""
        return {"dropout": own["dropout"]} if self.drops else {}
