"""The run of the lesson "Regression": training, the student's edits of the points, and what its charts show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from playground.data import datasets
from playground.data.datasets import Split
from playground.engine.frames import Figure
from playground.figures import curves, graphs
from playground.lessons import narrator
from playground.lessons.regression.config import (
    MOST_CLICKS,
    ORDER,
    Edits,
    RegressionConfig,
    build_model,
    coordinate,
    draw_data,
    generator,
    optimizer_of,
    spans,
)
from playground.runs import state_checks as check
from playground.runs.history import KINDS, layer_norms
from playground.runs.training_run import TrainingRun, View
from playground.settings import Settings
from playground.training import models
from playground.training.trainer import LOSSES, OPTIMIZERS, Batches, Trainer

GRID_POINTS = 160


@dataclass(frozen=True)
class Seen:
    """What a model gives for the grid, the training and the test points, in one pass; and what follows from it."""

    outputs: list[Tensor]  # of each module, (grid + train + test, units)
    prediction: Any  # on the grid, (grid,)
    losses: dict[str, float]
    r2: float
    dead: list[Any]  # for each hidden layer, which of its units give zero for every training point, (units,)


class RegressionRun(TrainingRun):
    """One student's regression."""

    def __init__(self, config: RegressionConfig, edits: Edits, settings: Settings) -> None:
        self.edits = edits
        model = build_model(config)
        data = draw_data(config, edits)
        if data.points > settings.max_points:
            raise datasets.DataError(
                f"This makes {data.points:,} points with the test points; at most {settings.max_points:,} fit here. "
                "Choose fewer, then press Reset."
            )
        batches = Batches(data.x_train, data.y_train, config.batch_size, generator(config, ORDER))
        trainer = Trainer(model, LOSSES[config.loss][1](), optimizer_of(config, model), batches)
        self.layer_names = [f"Layer {index + 1}" for index in range(len(config.widths))] + ["Output"]
        self.peak = 0.0
        self.told: tuple[Any, Any, str] | None = None  # the narrator's last sentence, and what it was said of
        self._lay_out(data)
        columns = ("train", "test", *(f"{kind} {name}" for name in self.layer_names for kind in KINDS))
        super().__init__(config, data, model, trainer, columns, settings)

    def _lay_out(self, data: Split) -> None:
        """Work out once what stays the same from frame to frame."""
        self.spans = spans(data)
        self.reach = float(data.x_train.abs().max())
        grid = torch.linspace(self.spans[0][0], self.spans[0][1], GRID_POINTS).unsqueeze(dim=1)  # (grid, 1)
        self.inputs = torch.cat([grid, data.x_train, data.x_test])
        self.grid_x = grid[:, 0].numpy()
        train = (data.x_train[:, 0].numpy().copy(), data.y_train[:, 0].numpy().copy())
        test = (data.x_test[:, 0].numpy().copy(), data.y_test[:, 0].numpy().copy())
        self.fit_base = curves.fit(train, test, self.grid_x, np.zeros_like(self.grid_x), spans=self.spans)
        self.spread = float(data.y_train.var(correction=0))

    # Training.

    def measure(self) -> dict[str, float]:
        """Losses on the whole training and test data."""
        losses = self._losses(self.model(self.inputs[GRID_POINTS:]), self.trainer.loss_fn)
        if np.isfinite(losses["train"]):
            self.peak = max(self.peak, losses["train"], losses.get("test", 0.0))
        return losses

    def _losses(self, prediction: Tensor, loss_fn: nn.Module) -> dict[str, float]:
        """Losses from the predictions for the training points, then the test points."""
        count = len(self.data.x_train)
        losses = {"train": loss_fn(prediction[:count], self.data.y_train).item()}
        if len(self.data.x_test):
            losses["test"] = loss_fn(prediction[count:], self.data.y_test).item()
        return losses

    def trace(self, before: list[Tensor]) -> dict[str, float]:
        """The size of each layer's gradient and of its update."""
        return layer_norms(self.layer_names, self.parameters, before)

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
            x, y = (coordinate(command.get(axis)) for axis in ("x", "y"))
            if name == "add" and self.data.points >= self.settings.max_points:
                raise datasets.DataError(f"There are {self.data.points:,} points already, as many as fit.")
            if name == "remove" and len(self.data.x_train) <= datasets.FEWEST_POINTS:
                raise datasets.DataError("Two points must stay, or there is nothing to learn from.")
            if len(self.edits.clicks) >= MOST_CLICKS:
                raise datasets.DataError(f"{MOST_CLICKS:,} points were added or removed, as many as fit. Undo some.")
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
        self.note()

    def own_state(self) -> dict[str, Any]:
        """The student's own points, and where the loss axis ends."""
        return {"edits": self.edits.state_dict(), "peak": self.peak}

    def load_own_state(self, state: Any) -> None:
        """Take them up again."""
        found = check.entries(state, ("edits", "peak"), "own")
        self._edit(Edits.of_state(found["edits"], self.settings.max_points))
        self.peak = check.number(found["peak"], "peak")

    # Drawing.

    def ghost(self, config: RegressionConfig) -> nn.Sequential:
        """The model that shows a snapshot, with the activation it had then."""
        model = super().ghost(config)
        models.set_activation(model, config.activation)
        return model

    def see(self, model: nn.Sequential, config: RegressionConfig) -> Seen:
        """One pass over the grid and all points."""
        outputs = models.layer_outputs(model, self.inputs)
        prediction = outputs[-1]  # (grid + train + test, 1)
        losses = self._losses(prediction[GRID_POINTS:], LOSSES[config.loss][1]())
        train = slice(GRID_POINTS, GRID_POINTS + len(self.data.x_train))
        error = (
            losses["train"] if config.loss == "mse" else float(((prediction[train] - self.data.y_train) ** 2).mean())
        )
        hidden, can_die = outputs[1::2], models.ACTIVATIONS[config.activation].can_die
        dead = [(h[train] <= 0).all(dim=0).numpy() if can_die else np.zeros(h.shape[1], bool) for h in hidden]
        r2 = 1 - error / self.spread if self.spread else float("nan")
        return Seen(outputs, prediction[:GRID_POINTS, 0].numpy(), losses, r2, dead)

    def status(self, view: View) -> dict[str, float]:
        """Losses, R² on the training points, and the size of the model."""
        seen: Seen = view.seen
        test_loss = seen.losses.get("test", float("nan"))
        losses = {"loss": seen.losses["train"], "test_loss": test_loss}
        return losses | {"r2": seen.r2, "parameters": self.parameter_count}

    def figures(self, view: View, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The charts by name."""
        return {
            "fit": lambda: self._fit(view, with_units=options.get("units", False)),
            "loss": lambda: self._loss(view, log=options.get("log", False)),
            "network": lambda: self._network(view),
            "gradients": lambda: self._gradients(view),
        }

    def _fit(self, view: View, *, with_units: bool) -> Figure:
        units = self._units(view) if with_units and len(view.model) > 1 else None
        return curves.with_model(self.fit_base, self.grid_x, view.seen.prediction, units)

    def _units(self, view: View) -> curves.UnitCurves:
        """What each unit of the last hidden layer adds, and where the units of the first bend."""
        seen: Seen = view.seen
        first, last = (models.linears(view.model)[index] for index in (0, -1))
        y = (seen.outputs[-2][:GRID_POINTS] * last.weight).T.numpy()  # (units, grid)
        if not models.ACTIVATIONS[view.config.activation].can_die:
            return curves.UnitCurves(y, seen.dead[-1])
        bends = (-first.bias / first.weight[:, 0]).numpy()  # where w x + b = 0
        inside = np.isfinite(bends) & (bends > self.spans[0][0]) & (bends < self.spans[0][1])
        kinks = np.interp(bends[inside], self.grid_x, seen.prediction)
        return curves.UnitCurves(y, seen.dead[-1], bends[inside], kinks)

    def _loss(self, view: View, *, log: bool) -> Figure:
        history, cursor = self.history, None if view.is_now else view.steps
        lines = [("Train", "@train", history.column("train"))]
        if len(self.data.x_test):
            lines.append(("Test", "@test", history.column("test")))
        until = max(self.steps, self.stop_at if np.isfinite(self.stop_at) else 0)
        return curves.loss_curve(
            history.steps(), lines, peak=self.peak, until=until, marks=self.marks, cursor=cursor, log=log
        )

    def _network(self, view: View) -> Figure:
        layers = models.linears(view.model)
        weights, biases = [layer.weight.numpy() for layer in layers], [layer.bias.numpy() for layer in layers]
        return graphs.network(weights, biases, view.seen.dead, inputs=["x"], outputs=["y"])

    def _gradients(self, view: View) -> Figure:
        column, cursor = self.history.column, None if view.is_now else view.steps
        sizes = [(name, column(f"gradient {name}"), column(f"update {name}")) for name in self.layer_names]
        return curves.layer_sizes(self.history.steps(), sizes, cursor=cursor)

    def narrate(self, view: View) -> str:
        """What is to be seen, in one sentence; judged anew when the history has grown or something else has changed."""
        dead = sum(int(layer.sum()) for layer in view.seen.dead)
        rows, moment = self.history.column("train"), None if view.is_now and not self.outcome else view.steps
        known = (self.steps == 0, moment, self.outcome, dead, self.spans)
        if self.told is None or self.told[0] is not rows or self.told[1] != known:
            units = sum(view.config.widths)
            said = narrator.regression(self, view, dead=dead, units=units, reach=self.reach)
            self.told = (rows, known, said)
        return self.told[2]
