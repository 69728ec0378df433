"""The script of a classification run: its points, inputs, model and loss as plain PyTorch."""

from __future__ import annotations

import re
from typing import Any

from playground.lessons.classification import clouds
from playground.lessons.classification.clouds import CLOUDS, JITTER_SHARE, LabelledPoints
from playground.lessons.classification.config import (
    DATA,
    DROPOUT,
    INPUTS,
    ORDER,
    RESAMPLED,
    WEIGHTS,
    Brier,
    SoftmaxTwice,
)
from playground.lessons.classification.edits import Edits
from playground.runs.journal import Change, RunHistory
from playground.scripts.code import written
from playground.scripts.modules import Dropout
from playground.scripts.script import TrainingScript
from playground.training import models

COORDINATES = "x1,x2"  # the inputs that are the points themselves


class ClassificationScript(TrainingScript):
    """The script of a classification."""

    title = "Classification"
    order_seed, weights_seed = ORDER, WEIGHTS

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        configs = [each.config for each in self.every]
        self.has_features = any(config.inputs != COORDINATES for config in configs)
        self.has_dropout = any(config.dropout for config in configs)
        self.has_l1 = any(config.l1 for config in configs)
        self.points_name = "points" if self.has_features else "x"
        self.after_activation = "dropout" if self.has_dropout else ""

    # Data.

    def points(self, change: Change) -> LabelledPoints:
        """The points after a change."""
        edits: Edits = change.edits
        return edits.points(change.config, self.run_history.settings)

    def data_key(self, change: Change) -> Any:
        """The settings and edits that the points depend on."""
        config = change.config
        settings = (config.cloud, config.noise, config.classes, config.points, config.draw, config.test_share)
        return *settings, change.edits.rows, change.edits.clicks

    def data(self, change: Change) -> list[str]:
        """Lines that generate the points, or list them if the student changed them; then the inputs."""
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
            lines = self.cloud(change.config, x, [side for side, _, _ in sides])
        if self.has_features:
            lines += self.inputs(change.config, [side for side, _, _ in sides])
        return lines

    def inputs_changed(self, before: Change, after: Change) -> list[str]:
        """Statements for other inputs."""
        if before.config.inputs == after.config.inputs:
            return []
        return self.inputs(after.config, ["train", *(["test"] if len(self.points(after).x_test) else [])])

    def model_inputs(self, change: Change) -> list[str]:
        """The inputs again, of the points as they are now."""
        return ["x_train = inputs(points_train)"] if self.has_features else []

    def cloud(self, config: Any, x: str, sides: list[str]) -> list[str]:
        """Lines that generate the points of a cloud."""
        kind, classes = CLOUDS[config.cloud], clouds.class_count(config.cloud, config.classes)
        name = self.define(kind.draw)
        for needed in (clouds._uniform, clouds._polar):
            if re.search(rf"\b{needed.__name__[1:]}\(", self.definitions[name]):
                self.define(needed)
        jitter = config.noise if config.cloud == "blobs" else JITTER_SHARE * config.noise
        counts = {"train": config.points, "test": round(config.points * config.test_share)}
        return [
            "def draw(count):",
            f"    y = torch.arange({classes}).repeat_interleave(count)  # count points of each class",
            f"    x = {name}(y, {classes}, generator)",
            f"    return x + {jitter!r} * torch.randn(len(y), 2, generator=generator), y",
            "",
            f"generator = torch.Generator().manual_seed({config.seed + DATA + RESAMPLED * config.draw})",
            *(f"{x}_{side}, y_{side} = draw({counts[side]})" for side in sides),
        ]

    @staticmethod
    def inputs(config: Any, sides: list[str]) -> list[str]:
        """Lines that compute the model's inputs from the points."""
        columns = ", ".join(INPUTS[name].code for name in config.input_names)
        return ["", "def inputs(x):", f"    return torch.stack([{columns}], dim=1)", "",
                *(f"x_{side} = inputs(points_{side})" for side in sides)]  # fmt: skip

    # Model and loss.

    def model(self, config: Any) -> list[str]:
        """Lines that build the model: the chosen inputs, the hidden layers, one logit for each class."""
        lines = self.layers(len(config.input_names), config.widths, config.outputs, config)
        if not self.has_dropout:
            return lines
        self.define(Dropout)
        seed = f"torch.Generator().manual_seed({self.seed + DROPOUT})"
        return [f"dropout = Dropout({config.dropout!r}, {seed})", *lines]

    def reshaped(self, before: Any, after: Any) -> list[str] | None:
        """Lines that build a model of the new shape and copy every weight that has a place in it; None if unchanged."""
        if (before.inputs, before.widths, before.outputs) == (after.inputs, after.widths, after.outputs):
            return None
        self.define(models.linears)
        self.define(models.graft)
        old, new = before.input_names, after.input_names
        pairs = [(old.index(name), new.index(name)) for name in new if name in old]
        skipped = 1 if self.has_dropout else 0  # the dropout module is kept
        return ["old = model", *self.model(after)[skipped:], f"graft(old, model, {pairs})"]

    def loss_fn(self, config: Any) -> str:
        """The expression for the loss function, one of torch's own or the page's."""
        own = {"brier": Brier, "softmax_twice": SoftmaxTwice}.get(config.loss)
        return "nn.CrossEntropyLoss()" if own is None else f"{self.define(own)}()"

    def penalty(self) -> list[str]:
        """Lines that add the L1 term to the loss."""
        if not self.has_l1:
            return []
        weights = "[layer.weight.abs().sum() for layer in model if isinstance(layer, nn.Linear)]"
        return [
            "if l1:", f"    weights = {weights}", "    loss = loss + l1 * torch.stack(weights).sum()"]  # fmt: skip

    def settings(self, config: Any) -> dict[str, str]:
        """The rate of the L1 term, by the variable's name."""
        return {"l1": repr(config.l1)} if self.has_l1 else {}

    def changed(self, before: Change, after: Change) -> list[str]:
        """The lines for a change of settings, with the dropout rate."""
        lines = super().changed(before, after)
        if before.config.dropout == after.config.dropout:
            return lines
        return [f"dropout.p = {after.config.dropout!r}", *lines]

    def scores(self) -> dict[str, str]:
        """The loss and the accuracy, as expressions by name."""
        return super().scores() | {"accuracy": "(model({x}).argmax(dim=1) == {y}).sum().item() / len({y})"}

    def more_saved(self, own: Any) -> dict[str, Any]:
        """The state of the dropout's generator."""
        return {"dropout": own["dropout"]} if self.has_dropout else {}
