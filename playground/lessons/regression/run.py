"""The run of the lesson "Regression": it trains, follows the student's edits of the points, and draws its charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from playground.data import datasets
from playground.data.datasets import Split
from playground.engine.commands import AddPoint, Command, RemovePoint, Undo
from playground.engine.frames import Figure
from playground.figures import curves, graphs, strips
from playground.figures.theme import StickyRange, round_up
from playground.glance import FIT_PLACES, Miniature, fit, points_in
from playground.lessons.doctor import examine
from playground.lessons.edge_numbers import on_edges
from playground.lessons.narrator import first_finding
from playground.lessons.regression import pictures, step_chart
from playground.lessons.regression.config import (
    ADD,
    MAX_CLICKS,
    MAX_LAYERS,
    MAX_UNITS,
    OMIT,
    ORDER,
    REMOVE,
    Edits,
    RegressionConfig,
    as_model_gets,
    build_model,
    draw_data,
    generator,
    nearest,
    numbered_data,
    spans,
    to_unscaled,
)
from playground.lessons.training_rules import MAX_FAR_INPUT, RULES, TrainingSituation
from playground.runs import state
from playground.runs import state_checks as check
from playground.runs.history import KINDS, layer_norms
from playground.runs.line_walk import LineRun
from playground.runs.training_run import View
from playground.settings import Settings
from playground.training import models
from playground.training.probe import Probe, probe
from playground.training.retune import optimizer_of, retune_optimizer
from playground.training.trainer import LOSSES, Batches, trainer_type

GRID_POINTS = 160
CURVE_STRIDE = 5  # of the grid's points, one is in the small curve of a unit
MESSAGES = {
    "too_many_points": "There are {points:,} points already, the largest number allowed.",
    "too_many_clicks": "You have added or removed {clicks:,} points, the largest number allowed. Undo some first.",
    "nothing_to_undo": "No point was added or removed, so there is nothing to undo.",
}
MARK = "Points changed"


@dataclass(frozen=True)
class Predictions:
    """A model's outputs for the grid, the training and the test points, from one forward pass, and their losses."""

    outputs: list[Tensor]  # of each module, (grid + train + test, units)
    curve: NDArray[Any]  # the prediction on the grid, (grid,)
    losses: dict[str, float]
    r2: float  # on the training points
    dead: list[NDArray[np.bool_]]  # for each hidden layer, which units output 0 for every training point, (units,)
    errors: NDArray[Any]  # prediction - y of each training point, (points,)


class RegressionRun(LineRun):
    """One student's regression."""

    marked_changes = LineRun.marked_changes | {MARK: "points"}

    def __init__(self, config: RegressionConfig, edits: Edits, settings: Settings) -> None:
        self.edits = edits
        model = build_model(config)
        data = draw_data(config, edits)
        datasets.check_size(data.points, settings.max_points)
        batches = Batches(data.x_train, data.y_train, config.batch_size, generator(config, ORDER))
        trainer = trainer_type(config)(model, LOSSES[config.loss][1](), optimizer_of(config, model), batches)
        self.layer_names = [f"Layer {index + 1}" for index in range(len(config.widths))] + ["Output"]
        self.peak = 0.0
        self.error_span = StickyRange()
        self.shown_units: list[NDArray[Any]] = []  # of each hidden layer, in the drawing of the model
        self._constant_loss: tuple[Split, str, float] | None = None  # of these data and this loss
        self._curve_loss: tuple[Split, str, float] | None = None
        self._prepare_drawing(data)
        columns = ("train", "test", *(f"{kind} {name}" for name in self.layer_names for kind in KINDS))
        super().__init__(config, data, model, trainer, columns, settings)

    def _prepare_drawing(self, data: Split) -> None:
        """Compute once what is the same in every frame."""
        self.spans = spans(data)
        self.largest_input = float(data.x_train.abs().max())
        grid = torch.linspace(self.spans[0][0], self.spans[0][1], GRID_POINTS).unsqueeze(dim=1)  # (grid, 1)
        self.inputs = torch.cat([grid, data.x_train, data.x_test])
        self.grid_x = grid[:, 0].numpy()
        train = (data.x_train[:, 0].numpy().copy(), data.y_train[:, 0].numpy().copy())
        test = (data.x_test[:, 0].numpy().copy(), data.y_test[:, 0].numpy().copy())
        self.fit_base = curves.fit(train, test, self.grid_x, np.zeros_like(self.grid_x), spans=self.spans)
        self.variance = float(data.y_train.var(correction=0))
        self.targets = float(data.y_train.mean()), self.variance**0.5
        self.point_picture = pictures.of_points(data, self.spans)

    # Training.

    def measure(self) -> dict[str, float]:
        """The losses on all training points and on all test points."""
        losses = self._losses(self.model(self.inputs[GRID_POINTS:]), self.trainer.loss_fn)
        if np.isfinite(losses["train"]):
            self.peak = max(self.peak, losses["train"], losses.get("test", 0.0))
        return losses

    def _losses(self, prediction: Tensor, loss_fn: nn.Module) -> dict[str, float]:
        """The losses of predictions (train + test, 1), training points first."""
        count = len(self.data.x_train)
        losses = {"train": loss_fn(prediction[:count], self.data.y_train).item()}
        if len(self.data.x_test):
            losses["test"] = loss_fn(prediction[count:], self.data.y_test).item()
        return losses

    def trace(self, before: list[Tensor]) -> dict[str, float]:
        """The norms of each layer's gradient and of its update."""
        return layer_norms(self.layer_names, self.parameters, before)

    def retune(self, before: RegressionConfig, after: RegressionConfig, names: set[str]) -> None:
        """Give the running trainer the settings that changed."""
        if "activation" in names:
            models.set_activation(self.model, after.activation)
        if "loss" in names:
            self.trainer.loss_fn = LOSSES[after.loss][1]()
        if "zero_grad" in names:
            trainer = self.trainer
            self.trainer = trainer_type(after)(trainer.model, trainer.loss_fn, trainer.optimizer, trainer.batches)
            trainer.optimizer.zero_grad()  # the sum begins here
        if "batch_size" in names:
            self.trainer.batches.resize(after.batch_size)
        retune_optimizer(self.trainer, after, is_new="optimizer" in names)
        if names & {"noise", "target"}:
            self._use_data(draw_data(self.config, self.edits))

    def _use_data(self, data: Split) -> None:
        self.data = data
        self.trainer.batches.replace(data.x_train, data.y_train)
        self._prepare_drawing(data)

    # Judging.

    @torch.no_grad()
    def losses_now(self) -> dict[str, float]:
        """The losses of the current weights on all points."""
        return self.measure()

    def probe(self) -> Probe:
        """How far the loss alone would fall from here, and how hard the weight decay pulls; kept for a while."""
        return self.kept_probe(lambda: self._probe_of(self.model))

    def fresh_probe(self) -> Probe:
        """The same of the weights at step 0."""
        return self.kept_fresh_probe(self.probe(), lambda: self._probe_of(build_model(self.config)))

    def _probe_of(self, model: nn.Sequential) -> Probe:
        return probe(model, self.data.x_train, self.data.y_train, self.trainer.loss_fn, self.trainer.optimizer)

    def _gradient_norms(self) -> tuple[float, float]:
        return examine.gradient_norms(self.model, self.data.x_train, self.data.y_train, self.trainer.loss_fn)

    def constant_loss(self) -> float:
        """The training loss of the better of two constant predictions: the mean and the median of y."""
        kept, name = self._constant_loss, self.config.loss
        if kept is None or kept[0] is not self.data or kept[1] != name:
            y, loss_fn = self.data.y_train, LOSSES[name][1]()
            best = min(loss_fn(each.expand_as(y), y).item() for each in (y.mean(), y.median()))
            self._constant_loss = kept = (self.data, name, best)
        return kept[2]

    def curve_loss(self) -> float:
        """The training loss of the target itself, plus the mean of its noise; NaN for points of the student."""
        kept, name = self._curve_loss, self.config.loss
        if kept is None or kept[0] is not self.data or kept[1] != name:
            target, y = datasets.TARGETS[self.config.target].function, self.data.y_train
            x = numbered_data(self.config, self.edits)[0].x_train
            loss = LOSSES[name][1]()(target(x) + self.config.noise / 2, y).item()
            self._curve_loss = kept = (self.data, name, loss if self.edits == Edits() else float("nan"))
        return kept[2]

    def rebuilt(self, config: RegressionConfig) -> Self:
        """A new run at step 0 with another config and the same edits of the points."""
        return type(self)(config, self.edits, self.settings)

    def went_back(self) -> None:
        """Also without the gradients of the steps that are undone."""
        super().went_back()
        self.trainer.optimizer.zero_grad()

    # The student's own points.

    def edit(self, command: Command) -> None:
        """Add a point, remove the nearest, or undo the last of these."""
        if isinstance(command, Undo):
            if not self.edits.clicks:
                raise datasets.DataError(MESSAGES["nothing_to_undo"])
            self._edit(Edits(self.edits.rows, self.edits.clicks[:-1]))
        elif isinstance(command, (AddPoint, RemovePoint)):
            name = ADD if isinstance(command, AddPoint) else REMOVE
            if name == ADD and self.data.points >= self.settings.max_points:
                raise datasets.DataError(MESSAGES["too_many_points"].format(points=self.data.points))
            if name == REMOVE and len(self.data.x_train) <= datasets.MIN_TRAINING_POINTS:
                raise datasets.DataError(datasets.MESSAGES["too_few_points"])
            if len(self.edits.clicks) >= MAX_CLICKS:
                raise datasets.DataError(MESSAGES["too_many_clicks"].format(clicks=MAX_CLICKS))
            click = (
                (ADD, self._unscaled(command.x), command.y)
                if name == ADD
                else (OMIT, float(self._number_at(command)), 0.0)
            )
            self._edit(Edits(self.edits.rows, (*self.edits.clicks, click)))
        else:
            super().edit(command)

    def _number_at(self, command: RemovePoint | AddPoint) -> int:
        """The number of the training point nearest to a click."""
        split, numbers = numbered_data(self.config, self.edits)
        return numbers[nearest(as_model_gets(self.config, split), command.x, command.y)]

    def _unscaled(self, x: float) -> float:
        """The x of a click as it is kept, whatever the scale."""
        if self.config.scale == 1 and not self.config.normalise:
            return x
        return to_unscaled(self.config, numbered_data(self.config, self.edits)[0], x)

    def use_rows(self, rows: tuple[tuple[float, float], ...] | None) -> None:
        """Train on the student's own (x, y) rows; None returns to the generated points."""
        self._edit(Edits(rows), "no_table" if rows is None else "table")

    def _edit(self, edits: Edits, what: str = "points") -> None:
        data = draw_data(self.config, edits)  # raises before anything has changed
        with self.changing(what):
            self.edits = edits
            self._use_data(data)
            self.mark(MARK)
        self.record_change()

    def acting_knobs(self, before: RegressionConfig, after: RegressionConfig) -> set[str]:
        """The live knobs that act on the training: those of generated points do not while a table is in use."""
        found = super().acting_knobs(before, after)
        return found if self.edits.rows is None else found - {"target", "noise"}

    def own_state(self) -> dict[str, Any]:
        """The student's edits of the points, the highest loss so far, and the gradients that the next step adds to."""
        left = {} if self.config.zero_grad else {"gradients": state.gradients_of(self.model)}
        return {"edits": self.edits.state_dict(), "peak": self.peak} | left

    def load_own_state(self, own: Any) -> None:
        """Restore what `own_state` gave."""
        names = ("edits", "peak") if self.config.zero_grad else ("edits", "peak", "gradients")
        found = check.entries(own, names, "own")
        self._edit(Edits.from_state(found["edits"], self.settings.max_points))
        self.peak = check.number(found["peak"], "peak")
        if not self.config.zero_grad:
            state.load_gradients(self.model, found["gradients"])

    # Drawing.

    def miniature(self) -> Miniature:
        """The curve at 32 places; points, unless they are the student's."""
        places = np.rint(np.linspace(0, GRID_POINTS - 1, FIT_PLACES)).astype(int)
        heights = self.model(self.inputs[torch.from_numpy(places)])[:, 0].numpy()
        shown = self.point_picture
        data = b"" if self.edits.rows else points_in(shown["x"], shown["y"])
        return replace(fit(heights, *self.spans[1]), data=data)

    def size(self) -> int:
        """The number of hidden units."""
        return sum(self.config.widths)

    def snapshot_model(self, config: RegressionConfig) -> nn.Sequential:
        """A model to show a snapshot with, with the activation of the snapshot's config."""
        model = super().snapshot_model(config)
        models.set_activation(model, config.activation)
        return model

    def predict(self, model: nn.Sequential, config: RegressionConfig) -> Predictions:
        """The model's predictions for the grid and for all points."""
        outputs = models.layer_outputs(model, self.inputs)
        prediction = outputs[-1]  # (grid + train + test, 1)
        losses = self._losses(prediction[GRID_POINTS:], LOSSES[config.loss][1]())
        train = slice(GRID_POINTS, GRID_POINTS + len(self.data.x_train))
        error = (
            losses["train"] if config.loss == "mse" else float(((prediction[train] - self.data.y_train) ** 2).mean())
        )
        hidden, can_die = outputs[1::2], models.ACTIVATIONS[config.activation].can_die
        dead = [(h[train] <= 0).all(dim=0).numpy() if can_die else np.zeros(h.shape[1], bool) for h in hidden]
        r2 = 1 - error / self.variance if self.variance else float("nan")
        errors = (prediction[train] - self.data.y_train)[:, 0].numpy()
        return Predictions(outputs, prediction[:GRID_POINTS, 0].numpy(), losses, r2, dead, errors)

    def status(self, view: View) -> dict[str, float]:
        """The losses, R² on the training points, and the number of parameters."""
        predictions: Predictions = view.predictions
        losses = predictions.losses
        return {
            "loss": losses["train"], "test_loss": losses.get("test", float("nan")),
            "r2": round(predictions.r2, 6) + 0.0,  # no −8e-8 for a constant
            "parameters": self.parameter_count,
        }  # fmt: skip

    def figures(self, view: View, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The functions that draw the charts, by chart name."""
        return {
            "fit": lambda: self._fit(view, with_units=options.get("units", False)),
            "loss": lambda: self._loss(view, log=options.get("log", False)),
            "network": lambda: self._network(view),
            "step": self._step_lines,
            "errors": lambda: self._errors(view),
            "gradients": lambda: self._gradients(view),
        }

    def _fit(self, view: View, *, with_units: bool) -> Figure:
        units = self._units(view) if with_units and len(view.model) > 1 else None
        return curves.with_model(self.fit_base, self.grid_x, view.predictions.curve, units)

    def _units(self, view: View) -> curves.UnitCurves:
        """The contribution of each unit of the last hidden layer, and the places where units of the first bend."""
        predictions: Predictions = view.predictions
        first, last = (models.linears(view.model)[index] for index in (0, -1))
        y = (predictions.outputs[-2][:GRID_POINTS] * last.weight).T.numpy()  # (units, grid)
        if not models.ACTIVATIONS[view.config.activation].can_die:
            return curves.UnitCurves(y, predictions.dead[-1])
        bends = (-first.bias / first.weight[:, 0]).numpy()  # where w x + b = 0
        inside = np.isfinite(bends) & (bends > self.spans[0][0]) & (bends < self.spans[0][1])
        kinks = np.interp(bends[inside], self.grid_x, predictions.curve)
        return curves.UnitCurves(y, predictions.dead[-1], bends[inside], kinks)

    def _loss(self, view: View, *, log: bool) -> Figure:
        lines = [("Train", "@train", self.history.column("train"))]
        if len(self.data.x_test):
            lines.append(("Test", "@test", self.history.column("test")))
        return strips.losses(
            self.history.steps(), lines, peak=self.peak, until=self.progress.stop_at, marks=self.marks, log=log,
            numbers={"loss": "Train", "test_loss": "Test"},
        )  # fmt: skip

    def _network(self, view: View) -> Figure:
        layers = models.linears(view.model)
        weights, biases = [layer.weight.numpy() for layer in layers], [layer.bias.numpy() for layer in layers]
        self.shown_units = graphs.shown_units(weights, self.shown_units)
        grid = slice(0, GRID_POINTS, CURVE_STRIDE)
        hidden = [output[grid].T.numpy() for output in view.predictions.outputs[1::2]]
        drawn = graphs.Pictures(
            curves=[self.grid_x[None, grid], *hidden], points=self.point_picture, data=pictures.of_targets()
        )
        return graphs.network(
            weights, biases, view.predictions.dead, inputs=["x"], outputs=["y"], shown=self.shown_units,
            pictures=drawn, numbers=on_edges(self.walk, view.model) if view.is_current else None,
        )  # fmt: skip

    def _step_lines(self) -> Figure:
        walk = self.walk
        if walk is not None:
            return step_chart.step_lines(walk.lines, walk.step, walk.shown)
        return step_chart.step_lines(self.coming_step(), self.steps + 1, None)

    def _errors(self, view: View) -> Figure:
        predictions: Predictions = view.predictions
        data, count = self.data, len(self.data.x_train)
        test = (predictions.outputs[-1][GRID_POINTS + count :] - data.y_test)[:, 0].numpy()
        every = np.concatenate([predictions.errors, test])
        size = round_up(float(np.abs(every[np.isfinite(every)]).max(initial=0.0)) or 1.0)
        return curves.errors(
            (data.x_train[:, 0].numpy(), predictions.errors), (data.x_test[:, 0].numpy(), test),
            spans=(self.spans[0], self.error_span.over(-size, size)),
        )  # fmt: skip

    def _gradients(self, view: View) -> Figure:
        column, cursor = self.history.column, None if view.is_current else view.steps
        sizes = [(name, column(f"gradient {name}"), column(f"update {name}")) for name in self.layer_names]
        return curves.layer_sizes(self.history.steps(), sizes, cursor=cursor)

    def time(self) -> dict[str, Any]:
        """The time slider. After a divergence of large inputs "remedy" is the switch that the narrator advises."""
        found = super().time()
        if self.outcome == "failed" and self.largest_input > MAX_FAR_INPUT and not self.config.normalise:
            found["remedy"] = "normalise"
        return found

    def narrate(self, view: View) -> str:
        """What the first rule of the narrator that applies says."""
        return first_finding(RULES, self.situation(view)).text

    def situation(self, view: View) -> TrainingSituation:
        """What the narrator's rules read."""
        predictions: Predictions = view.predictions
        return TrainingSituation(
            config=view.config, period=self.period, step=view.steps, is_current=view.is_current, outcome=self.outcome,
            loss=predictions.losses["train"], test_loss=predictions.losses.get("test", float("nan")),
            steps_per_epoch=self.trainer.batches.steps_per_epoch, rows=self.loss_rows(), fit=predictions.r2,
            constant_loss=self.constant_loss(), floor=self.curve_loss(), is_whole=self.trainer.batches.whole,
            dead=tuple(int(layer.sum()) for layer in predictions.dead),
            largest_input=self.largest_input, stop_at=self.progress.stop_at, probe=self.probe,
            fresh_probe=self.fresh_probe,
            errors=predictions.errors if self.config.loss == "mse" else None,
            same_units=models.layer_of_same_units(view.model), good_step=self.good_step,
            max_units=MAX_UNITS, max_layers=MAX_LAYERS, targets=self.targets,
            output_spread=float(np.std(predictions.errors + self.data.y_train[:, 0].numpy())),
            layers=lambda: examine.layers_of(
                models.linears(view.model), self.layer_names, self.history, self.period.start),
            held_gradients=None if view.config.zero_grad else self._gradient_norms,
        )  # fmt: skip
