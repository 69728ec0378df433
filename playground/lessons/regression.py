"""Regression: a small network bends a curve to noisy points (tutorial 1.1 and 2.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from playground import datasets, models
from playground.datasets import Split
from playground.figures import curves, graphs
from playground.frames import Figure
from playground.lesson import Chart, Lesson, Toggle
from playground.lessons import narrator
from playground.lessons.regression_setup import (
    ORDER,
    Edits,
    RegressionConfig,
    build_model,
    draw_data,
    generator,
    optimizer_of,
    spans,
)
from playground.settings import Settings
from playground.training import LOSSES, OPTIMIZERS, Batches, Trainer
from playground.training_run import TrainingRun, View

GRID_POINTS = 160
KINDS = ("gradient", "update")


class RegressionRun(TrainingRun):
    """One student's regression."""

    def __init__(self, config: RegressionConfig, edits: Edits, settings: Settings) -> None:
        self.edits = edits
        model = build_model(config)
        data = draw_data(config, edits)
        batches = Batches(data.x_train, data.y_train, config.batch_size, generator(config, ORDER))
        trainer = Trainer(model, LOSSES[config.loss][1](), optimizer_of(config, model), batches)
        self.layer_names = [f"Layer {index + 1}" for index in range(len(config.widths))] + ["Output"]
        self.peak = 0.0
        self._lay_out(data)
        columns = ("train", "test", *(f"{kind} {name}" for name in self.layer_names for kind in KINDS))
        super().__init__(config, data, model, trainer, columns, settings)

    def _lay_out(self, data: Split) -> None:
        """Work out once what stays the same from frame to frame."""
        self.spans = spans(data)
        self.grid = torch.linspace(self.spans[0][0], self.spans[0][1], GRID_POINTS).unsqueeze(dim=1)  # (grid, 1)
        self.train_points = (data.x_train[:, 0].numpy().copy(), data.y_train[:, 0].numpy().copy())
        self.test_points = (data.x_test[:, 0].numpy().copy(), data.y_test[:, 0].numpy().copy())
        self.grid_x = self.grid[:, 0].numpy().copy()
        mean = data.y_train.mean()
        self.spread = float(((data.y_train - mean) ** 2).mean())

    # Training.

    def measure(self) -> dict[str, float]:
        """Losses on the whole training and test data."""
        losses = self._losses(self.model, self.data)
        if np.isfinite(losses["train"]):
            self.peak = max(self.peak, losses["train"], losses.get("test", 0.0))
        return losses

    def _losses(self, model: nn.Module, data: Split) -> dict[str, float]:
        loss_fn = self.trainer.loss_fn
        losses = {"train": loss_fn(model(data.x_train), data.y_train).item()}
        if len(data.x_test):
            losses["test"] = loss_fn(model(data.x_test), data.y_test).item()
        return losses

    def trace(self, before: Tensor) -> dict[str, float]:
        """The size of each layer's gradient and of its update."""
        row, start = {}, 0
        update = parameters_to_vector(self.model.parameters()).detach() - before
        for name, layer in zip(self.layer_names, models.linears(self.model), strict=True):
            count = layer.weight.numel() + layer.bias.numel()
            assert layer.weight.grad is not None and layer.bias.grad is not None
            row[f"gradient {name}"] = torch.cat([layer.weight.grad.ravel(), layer.bias.grad]).norm().item()
            row[f"update {name}"] = update[start : start + count].norm().item()
            start += count
        return row

    def retune(self, before: RegressionConfig, after: RegressionConfig, names: set[str]) -> None:
        """Hand the turned knobs to the running trainer."""
        if "activation" in names:
            models.set_activation(self.model, after.activation)
        if "loss" in names:
            self.trainer.loss_fn = LOSSES[after.loss][1]()
        if "batch_size" in names:
            self.trainer.batches.resize(after.batch_size)
        if "optimizer" in names:
            self.trainer.optimizer = optimizer_of(after, self.model)
        for group in self.trainer.optimizer.param_groups:
            group["lr"], group["weight_decay"] = after.lr, after.weight_decay
            if OPTIMIZERS[after.optimizer].momentum:
                group["momentum"] = after.momentum
        if names & {"noise", "target"}:
            self._use_data()

    def _use_data(self) -> None:
        self.data = draw_data(self.config, self.edits)
        self.trainer.batches.replace(self.data.x_train, self.data.y_train)
        self._lay_out(self.data)

    def rebuilt(self, config: RegressionConfig) -> Self:
        """A run from the start on the same points, the student's own among them."""
        return type(self)(config, self.edits, self.settings)

    # The student's own points.

    def edit(self, command: Mapping[str, Any]) -> None:
        """Add a point, remove the nearest, or undo the last of these."""
        name = command.get("do")
        if name == "undo":
            if not self.edits.clicks:
                raise datasets.DataError("There is no added or removed point to undo.")
            self._edit(Edits(self.edits.rows, self.edits.clicks[:-1]))
        elif name in ("add", "remove"):
            x, y = (_coordinate(command.get(axis)) for axis in ("x", "y"))
            if name == "add" and self.data.points >= self.settings.max_points:
                raise datasets.DataError(f"There are {self.data.points:,} points already, as many as fit.")
            self._edit(Edits(self.edits.rows, (*self.edits.clicks, (name, x, y))))
        else:
            super().edit(command)

    def use_rows(self, rows: tuple[tuple[float, float], ...] | None) -> None:
        """Learn from the student's own (x, y) rows; None goes back to the generated points."""
        self._edit(Edits(rows))

    def _edit(self, edits: Edits) -> None:
        data = draw_data(self.config, edits)  # raises before anything has changed
        self.edits = edits
        self.data = data
        self.trainer.batches.replace(data.x_train, data.y_train)
        self._lay_out(data)
        self.mark("Points changed")

    # Drawing.

    def dress(self, model: nn.Sequential, config: RegressionConfig) -> None:
        """Give the model that shows a snapshot the activation it had then."""
        models.set_activation(model, config.activation)

    def status(self, view: View) -> dict[str, float]:
        """Losses, R² on the training points, and the size of the model."""
        losses = self._losses(view.model, view.data)
        error = float(((view.model(view.data.x_train) - view.data.y_train) ** 2).mean())
        return {
            "loss": losses["train"],
            "test_loss": losses.get("test", float("nan")),
            "r2": 1 - error / self.spread if self.spread else float("nan"),
            "parameters": models.count_parameters(view.model),
        }

    def figures(self, view: View, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The charts by name."""
        return {
            "fit": lambda: self._fit(view, with_units=options.get("units", False)),
            "loss": lambda: self._loss(view, log=options.get("log", False)),
            "network": lambda: self._network(view),
            "gradients": lambda: self._gradients(view),
        }

    def _fit(self, view: View, *, with_units: bool) -> Figure:
        prediction = view.model(self.grid)[:, 0].numpy()
        units = self._units(view, prediction) if with_units and len(view.model) > 1 else None
        return curves.fit(self.train_points, self.test_points, self.grid_x, prediction, spans=self.spans, units=units)

    def _units(self, view: View, prediction: Any) -> curves.UnitCurves:
        """What each unit of the last hidden layer adds, and where the units of the first bend."""
        hidden = models.layer_outputs(view.model, self.grid)[-2]  # (grid, units)
        first, last = (models.linears(view.model)[index] for index in (0, -1))
        y = (hidden * last.weight).T.numpy()  # (units, grid)
        dead = self._dead(view)[-1]
        if not models.ACTIVATIONS[view.config.activation].can_die:
            return curves.UnitCurves(y, dead)
        bends = (-first.bias / first.weight[:, 0]).numpy()  # where w x + b = 0
        inside = np.isfinite(bends) & (bends > self.spans[0][0]) & (bends < self.spans[0][1])
        return curves.UnitCurves(y, dead, bends[inside], np.interp(bends[inside], self.grid_x, prediction))

    def _dead(self, view: View) -> list[Any]:
        """For each hidden layer, which of its units give zero for every training point: shape (units,)."""
        outputs = models.layer_outputs(view.model, view.data.x_train)[1::2]
        if not models.ACTIVATIONS[view.config.activation].can_die:
            return [np.zeros(out.shape[1], bool) for out in outputs]
        return [(out <= 0).all(dim=0).numpy() for out in outputs]

    def _loss(self, view: View, *, log: bool) -> Figure:
        columns = [("Train", "@train", self.history.column("train"))]
        if len(self.data.x_test):
            columns.append(("Test", "@test", self.history.column("test")))
        until = max(self.steps, self.stop_at if np.isfinite(self.stop_at) else 0)
        cursor = None if view.is_now else view.steps
        steps = self.history.steps().astype(np.float32)
        return curves.loss_curve(steps, columns, peak=self.peak, until=until, marks=self.marks, cursor=cursor, log=log)

    def _network(self, view: View) -> Figure:
        layers = models.linears(view.model)
        return graphs.network(
            [layer.weight.numpy() for layer in layers],
            [layer.bias.numpy() for layer in layers],
            self._dead(view),
            inputs=["x"],
            outputs=["y"],
        )

    def _gradients(self, view: View) -> Figure:
        column = self.history.column
        sizes = [(name, column(f"gradient {name}"), column(f"update {name}")) for name in self.layer_names]
        cursor = None if view.is_now else view.steps
        return curves.layer_sizes(self.history.steps().astype(np.float32), sizes, cursor=cursor)

    def narrate(self, view: View) -> str:
        """What is to be seen, in one sentence."""
        dead = [int(layer.sum()) for layer in self._dead(view)]
        units = sum(view.config.widths)
        return narrator.regression(self, view, dead=sum(dead), units=units)


def build(config: RegressionConfig, settings: Settings | None = None) -> RegressionRun:
    """A run at step 0."""
    return RegressionRun(config, Edits(), settings or Settings())


def _coordinate(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= 1e6:
        raise datasets.DataError("A point needs x and y, numbers from -1e6 to 1e6.")
    return float(value)


LESSON = Lesson(
    name="regression",
    title="Regression",
    sentence="A small network bends a curve until it runs through noisy points.",
    config=RegressionConfig,
    build=build,
    charts=(
        Chart(
            "fit",
            "Fit",
            "The points and the curve the model draws through them.",
            editable=True,
            toggles=(Toggle("units", "Hidden units"),),
        ),
        Chart("loss", "Loss", "Training and test loss over steps.", toggles=(Toggle("log", "Log scale"),)),
        Chart(
            "network",
            "Network",
            "Units as circles; weights as lines, wider when larger, dashed when negative.",
            every=3,
        ),
        Chart("gradients", "Gradients", "Size of each layer's gradient and update over steps.", every=4),
    ),
    status={
        "step": "Step",
        "epoch": "Epoch",
        "loss": "Train loss",
        "test_loss": "Test loss",
        "r2": "R²",
        "parameters": "Parameters",
        "steps_per_second": "Steps/s",
    },
    presets={
        "Tutorial": {},
        "No limit, gentle": {"lr": 0.1, "max_steps": 0},
        "Sine, two layers": {
            "target": "sine",
            "layers": 2,
            "hidden": 16,
            "hidden_2": 16,
            "activation": "tanh",
            "optimizer": "adam",
            "lr": 0.01,
            "max_steps": 3000,
        },
        "Overfit": {
            "points": 12,
            "noise": 0.6,
            "test_share": 1.0,
            "layers": 2,
            "hidden": 48,
            "hidden_2": 48,
            "optimizer": "adam",
            "lr": 0.01,
            "max_steps": 0,
        },
        "Diverge": {"lr": 10.0, "max_steps": 0},
    },
    code=(Trainer.step, build_model, datasets.curve),
)
