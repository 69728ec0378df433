"""The run of the lesson "Classification": it trains, changes its model while it runs, and draws its charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from playground.data import datasets
from playground.data.datasets import DataError
from playground.engine.commands import AddPoint, Command, Explain, RemovePoint, SetWeight, Undo
from playground.engine.frames import Figure
from playground.figures import curves, fields, graphs, strips
from playground.glance import Challenge as ChallengeState
from playground.glance import Miniature, map_of_classes, points_in
from playground.knobs import Config
from playground.lessons.classification import explain_point, look_inside, pictures
from playground.lessons.classification.challenge import Challenge
from playground.lessons.classification.clouds import MAP_END, MAX_CLASSES, LabelledPoints
from playground.lessons.classification.config import (
    DROPOUT,
    INPUTS,
    LOSSES,
    MAX_LAYERS,
    MAX_UNITS,
    ORDER,
    ClassificationConfig,
    build_model,
    generator,
    inputs_of,
    loss_of,
)
from playground.lessons.classification.drawing_state import DrawingState
from playground.lessons.classification.edits import (
    ADD,
    MAX_EDITS,
    OMIT,
    Click,
    Edits,
    Rows,
    WeightSet,
    checked_index,
    nearest,
)
from playground.lessons.classification.figures.weights import with_parameters
from playground.lessons.classification.predictions import (
    CELLS,
    REACH,
    TALL,
    WIDE,
    Predictions,
    pad_logits,
    small_maps,
)
from playground.lessons.classification.words import MARKS, MESSAGES
from playground.lessons.doctor import examine
from playground.lessons.edge_numbers import on_edges
from playground.lessons.narrator import first_finding
from playground.lessons.training_rules import RULES, TrainingSituation
from playground.runs import journal
from playground.runs import state_checks as check
from playground.runs.history import KINDS, layer_norms
from playground.runs.line_walk import LineRun
from playground.runs.training_run import View, load_parameters
from playground.settings import Settings
from playground.training import models
from playground.training.probe import Probe, probe
from playground.training.retune import optimizer_of, retune_optimizer
from playground.training.trainer import Batches, Trainer

CLASS_COLOURS = [f"@class{label}" for label in range(MAX_CLASSES)]
COLUMNS = ("train", "test", "accuracy", "test_accuracy")
SHAPE_KNOBS = {"inputs", "layers", *(f"units_{layer}" for layer in range(1, MAX_LAYERS + 1))}
POINT_KNOBS = {"cloud", "noise", "classes", "points", "test_share", "draw"}
CALM_STEPS = 20  # without dropout, to see whether it keeps the loss up
NO_EDITS = Edits()


class ClassificationRun(LineRun):
    """One student's classification."""

    edits: Edits
    inert_knobs = LineRun.inert_knobs | {"brush", "most_parameters", "least_accuracy"}
    marked_changes = LineRun.marked_changes | {
        MARKS["points"]: "points",
        MARKS["weight"]: "weight",
        MARKS["weight_undone"]: "weight_undone",
    }

    def __init__(self, config: ClassificationConfig, settings: Settings, edits: Edits = NO_EDITS) -> None:
        self.edits, config = edits, edits.with_table_classes(config)
        self.dropout = models.Dropout(config.dropout, generator(config, DROPOUT))
        model = build_model(config, self.dropout)
        data = edits.points(config, settings)
        batches = Batches(inputs_of(config, data.x_train), data.y_train, config.batch_size, generator(config, ORDER))
        trainer = Trainer(model, loss_of(config, model), optimizer_of(config, model), batches)
        self.peak = 0.0
        self.challenge = Challenge.from_config(config)
        self.drawing_state = DrawingState()
        self._constant_loss: tuple[LabelledPoints, str, float] | None = None  # of these data and this loss
        self._calm: tuple[Probe, float] | None = None  # of a probe: the loss that steps without dropout lead to
        self._prepare_drawing(config, data)
        names = [*(f"Layer {index + 1}" for index in range(MAX_LAYERS)), "Output"]
        columns = (*COLUMNS, *(f"{kind} {name}" for name in names for kind in KINDS))
        super().__init__(config, data, model, trainer, columns, settings)

    def _prepare_drawing(self, config: ClassificationConfig, data: LabelledPoints) -> None:
        """Compute once what is the same in every frame."""
        self.inputs = inputs_of(config, torch.cat([data.x_train, data.x_test]))
        self.labels = torch.cat([data.y_train, data.y_test]).numpy()
        self.largest_input = float(data.x_train.abs().max())
        counts = torch.bincount(data.y_train, minlength=config.outputs)
        self.classes = tuple(torch.nonzero(counts)[:, 0].tolist())  # that training points have
        train, test = data.x_train.numpy(), data.x_test.numpy()
        classes = config.outputs
        self.train_traces = fields.points("Train", train, data.y_train.numpy(), classes, is_open=False)
        self.point_picture = pictures.of_points(data)
        self.test_traces = fields.points("Test", test, data.y_test.numpy(), classes, is_open=True)

    # Training.

    def measure(self) -> dict[str, float]:
        """The losses and accuracies on all training points and on all test points."""
        row, _ = self._evaluate(self.model(self.inputs), self.config)
        if np.isfinite(row["train"]):
            self.peak = max(self.peak, row["train"], row.get("test", 0.0))
        return row

    def _evaluate(self, logits: Tensor, config: ClassificationConfig) -> tuple[dict[str, float], NDArray[np.int64]]:
        """The losses and accuracies for the logits of all points (points, classes), and the predictions (points,)."""
        loss_fn, count = LOSSES[config.loss][1](), len(self.data.x_train)
        predicted = logits.argmax(dim=1).numpy()
        correct = predicted == self.labels
        row = {"train": loss_fn(logits[:count], self.data.y_train).item(), "accuracy": float(correct[:count].mean())}
        if len(correct) > count:
            row["test"] = loss_fn(logits[count:], self.data.y_test).item()
            row["test_accuracy"] = float(correct[count:].mean())
        return row, predicted

    def record(self, traced: dict[str, float]) -> None:
        """Add the current step to the history, and check whether it meets the challenge."""
        super().record(traced)
        if self.challenge.is_open:
            accuracy = float(self.history.column("test_accuracy")[-1])
            if self.challenge.is_met(self.parameter_count, accuracy):
                self.challenge.met_at = self.steps
                self.mark(MARKS["challenge"])

    def trace(self, before: list[Tensor]) -> dict[str, float]:
        """The norms of each layer's gradient and of its update."""
        return layer_norms(self._layer_names(self.config), self.parameters, before)

    @staticmethod
    def _layer_names(config: ClassificationConfig) -> list[str]:
        return [*(f"Layer {index + 1}" for index in range(len(config.widths))), "Output"]

    def retune(self, before: ClassificationConfig, after: ClassificationConfig, names: set[str]) -> None:
        """Give the running trainer the settings that changed; a model of another shape keeps the weights that fit."""
        self.dropout.p = after.dropout
        if names & {"most_parameters", "least_accuracy"}:
            self.challenge = Challenge.from_config(after)
        if before.outputs != after.outputs or names & SHAPE_KNOBS:
            self._reshape_model(before, after)
        elif "activation" in names:
            models.set_activation(self.model, after.activation, self.dropout)
        if names & {"optimizer", "loss", "l1"} or names & SHAPE_KNOBS or before.outputs != after.outputs:
            self.trainer.loss_fn = loss_of(after, self.model)
        retune_optimizer(self.trainer, after, is_new="optimizer" in names)
        if "batch_size" in names:
            self.trainer.batches.resize(after.batch_size)
        if names & (POINT_KNOBS | {"inputs"}):
            self._use_data(self.edits.points(after, self.settings))

    def _reshape_model(self, before: ClassificationConfig, after: ClassificationConfig) -> None:
        """Replace the model by one of another shape, with every weight that has a place in it."""
        model = build_model(after, self.dropout)
        old, new = before.input_names, after.input_names
        models.graft(self.model, model, [(old.index(name), new.index(name)) for name in new if name in old])
        self.replace_model(model)
        self.trainer.optimizer = optimizer_of(after, model)

    def _use_data(self, data: LabelledPoints) -> None:
        self.data = data
        self._prepare_drawing(self.config, data)
        self.trainer.batches.replace(inputs_of(self.config, data.x_train), data.y_train)

    def loss_for(self, model: nn.Module) -> nn.Module:
        """The loss function of a copy of the model, with the L1 term of the copy's weights."""
        assert isinstance(model, nn.Sequential)
        return loss_of(self.config, model)

    # Judging.

    @property
    def edited_points(self) -> Any:
        """The student's table and clicks, without the weights set by hand."""
        return self.edits.rows, self.edits.clicks

    def acting_knobs(self, before: ClassificationConfig, after: ClassificationConfig) -> set[str]:
        """The live knobs that act on the training: those of generated points do not while a table is in use."""
        found = super().acting_knobs(before, after)
        return found if self.edits.rows is None else found - {"cloud", "noise", "classes", "points"}

    @torch.no_grad()
    def losses_now(self) -> dict[str, float]:
        """The losses and accuracies of the current weights on all points."""
        return self.measure()

    def probe(self) -> Probe:
        """How far the loss alone would fall from here, and how hard the penalties pull; kept for a while."""
        return self.kept_probe(lambda: self._probe_of(self.model))

    def fresh_probe(self) -> Probe:
        """The same of the weights at step 0."""
        return self.kept_fresh_probe(self.probe(), lambda: self._probe_of(build_model(self.config)))

    def _probe_of(self, model: nn.Sequential) -> Probe:
        x, loss_fn = self.inputs[: len(self.data.x_train)], LOSSES[self.config.loss][1]()
        return probe(model, x, self.data.y_train, loss_fn, self.trainer.optimizer, l1=self.config.l1)

    @torch.enable_grad()
    def loss_without_dropout(self) -> float:
        """The training loss after a few steps of a copy at the run's own rate, without dropout; kept for a while."""
        now = self.probe()
        if self._calm is None or self._calm[0] is not now:
            model, count = build_model(self.config), len(self.data.x_train)
            load_parameters(model, torch.cat([each.detach().reshape(-1) for each in self.parameters]))
            optimizer = optimizer_of(self.config, model)
            optimizer.load_state_dict(deepcopy(self.trainer.optimizer.state_dict()))
            batches = Batches(self.inputs[:count], self.data.y_train, 0, generator(self.config, ORDER))
            trainer = Trainer(model, loss_of(self.config, model), optimizer, batches)
            for _ in range(CALM_STEPS):
                trainer.step()
            with torch.no_grad():
                self._calm = now, LOSSES[self.config.loss][1]()(model(self.inputs[:count]), self.data.y_train).item()
        return self._calm[1]

    def constant_loss(self) -> float:
        """The training loss of a model that always predicts the shares of the classes."""
        kept, name = self._constant_loss, self.config.loss
        if kept is None or kept[0] is not self.data or kept[1] != name:
            labels = self.data.y_train
            counts = torch.bincount(labels, minlength=self.config.outputs)
            logits = (counts / counts.sum()).clamp_min(1e-9).log().expand(len(labels), -1)
            self._constant_loss = kept = (self.data, name, LOSSES[name][1]()(logits, labels).item())
        return kept[2]

    def went_back(self) -> None:
        """Also forget that the challenge was met after the current step."""
        super().went_back()
        if self.challenge.met_at is not None and self.challenge.met_at > self.steps:
            self.challenge.met_at = None

    def rebuilt(self, config: ClassificationConfig) -> Self:
        """A new run at step 0 with another config, the same points and the same place to explain."""
        run = type(self)(config, self.settings, self.edits)
        run.select(self.selected())
        return run

    def selected(self) -> tuple[float, float] | None:
        """The point that the student wants explained."""
        return self.drawing_state.place

    def select(self, selected: tuple[float, float] | None) -> None:
        """Explain this point."""
        self.drawing_state.place = selected

    # The student's edits.

    def tune(self, config: Config) -> None:
        """Change live settings; the student's table, if there is one, still decides the number of classes."""
        assert isinstance(config, ClassificationConfig)
        super().tune(self.edits.with_table_classes(config))

    def edit(self, command: Command) -> None:
        """Choose the point to explain, add or remove a point, set a weight, or undo the last of these edits."""
        done = self.edits.done
        if isinstance(command, Explain):
            self.drawing_state.place = command.x, command.y
        elif isinstance(command, Undo):
            self._undo()
        elif isinstance(command, (AddPoint, RemovePoint, SetWeight)) and len(done) >= MAX_EDITS:
            raise DataError(MESSAGES["too_many_edits"].format(edits=MAX_EDITS))
        elif isinstance(command, SetWeight):
            self._set_weight(command)
        elif isinstance(command, (AddPoint, RemovePoint)):
            if isinstance(command, RemovePoint) and len(self.data.x_train) <= datasets.MIN_TRAINING_POINTS:
                raise DataError(datasets.MESSAGES["too_few_points"])
            self._use_edits(replace(self.edits, done=(*done, self._click(command))))
        else:
            super().edit(command)

    def _click(self, command: AddPoint | RemovePoint) -> Click:
        """What a click at a place does."""
        if isinstance(command, AddPoint):
            return ADD, command.x, command.y, self.config.brush
        data, numbers = self.edits.numbered_points(self.config, self.settings)
        number, label = numbers[nearest(data.x_train, command.x, command.y)]
        return OMIT, float(number), 0.0, label

    def use_rows(self, rows: Rows | None) -> None:
        """Train on the student's own (x1, x2, class) rows; None returns to the generated points."""
        self._use_edits(Edits(rows, tuple(edit for edit in self.edits.done if isinstance(edit, WeightSet))),
                        "no_table" if rows is None else "table")  # fmt: skip

    def replace_model(self, model: nn.Sequential) -> None:
        """Train this model from now on; weights set by hand in the earlier model cannot be undone in it."""
        super().replace_model(model)
        self.edits = replace(self.edits, done=self.edits.clicks)

    def load_edits(self, edits: Edits) -> None:
        """Use these edits of a checkpoint, whose weights are already set, in a run without edits of its own."""
        if edits.rows is not None or edits.clicks:
            self._use_edits(replace(edits, done=edits.clicks))
        layers = models.linears(self.model)
        for edit in edits.done:
            if isinstance(edit, WeightSet):
                layer = layers[checked_index(edit.layer, "layer", len(layers))]
                checked_index(edit.unit, "unit", layer.out_features)
                checked_index(edit.source or 0, "input", layer.in_features)
        self.edits = edits

    def _use_edits(self, edits: Edits, what: str = "points") -> None:
        """Train on the points with these edits; a table with other classes changes the number of outputs."""
        before, after = self.config, edits.with_table_classes(self.config)
        edits.points(after, self.settings)  # raises before anything has changed
        with self.changing(what):
            self.edits, self.config = edits, after
            self.retune(before, after, {"points"})
            self.mark(MARKS["points"])
        self.record_change()

    def _set_weight(self, command: SetWeight) -> None:
        """Set one weight, or a bias if its source is None, of the running model."""
        if self.shown_snapshot is not None:
            raise DataError(MESSAGES["looking_back"])
        layers = models.linears(self.model)
        layer = checked_index(command.layer, "layer", len(layers))
        unit = checked_index(command.unit, "unit", layers[layer].out_features)
        source = command.source
        if source is not None:
            checked_index(source, "input", layers[layer].in_features)
        with self.changing("weight"):
            before = self._write_weight(layer, unit, source, command.value)
            self.edits = replace(self.edits, done=(*self.edits.done, WeightSet(layer, unit, source, before)))
            self.mark(MARKS["weight"])

    def _undo(self) -> None:
        """Undo the last edit, of a point or of a weight."""
        if not self.edits.done:
            raise DataError(MESSAGES["nothing_to_undo"])
        *done, last = self.edits.done
        if isinstance(last, WeightSet):
            with self.changing("weight_undone"):
                self._write_weight(last.layer, last.unit, last.source, last.before)
                self.edits = replace(self.edits, done=tuple(done))
                self.mark(MARKS["weight_undone"])
        else:
            self._use_edits(replace(self.edits, done=tuple(done)))

    @torch.no_grad()
    def _write_weight(self, layer: int, unit: int, source: int | None, value: float) -> float:
        """Write a weight, or a bias, into the running model; returns its value before."""
        linear = models.linears(self.model)[layer]
        row, at = (linear.bias, unit) if source is None else (linear.weight[unit], source)
        before = row[at].item()
        row[at] = value
        self.weights_set += 1
        self.record_change(journal.WeightSet(layer, unit, source, value))
        return before

    # Checkpoints.

    def own_state(self) -> dict[str, Any]:
        """The student's edits, the dropout's generator, when the challenge was met, and the highest loss so far."""
        dropout = self.dropout.generator.get_state()
        met_at = self.challenge.met_at
        return {"edits": self.edits.state_dict(), "dropout": dropout, "met_at": met_at, "peak": self.peak}

    def load_own_state(self, state: Any) -> None:
        """Restore what `own_state` gave."""
        found = check.entries(state, ("edits", "dropout", "met_at", "peak"), "own")
        self.load_edits(Edits.from_state(found["edits"], self.settings.max_points))
        self.dropout.generator.set_state(check.generator(found["dropout"], "own/dropout"))
        met_at = found["met_at"]
        self.challenge.met_at = None if met_at is None else check.whole(met_at, "met_at")
        self.peak = check.number(found["peak"], "peak")

    def config_state(self, config: ClassificationConfig) -> dict[str, Any]:
        """A config as texts, with the number of classes of the table in use."""
        return super().config_state(config) | {"table_classes": config.table_classes}

    def config_of(self, state: Any) -> ClassificationConfig:
        """The config from a `config_state`."""
        texts = check.entries(state, {"table_classes", *(state if isinstance(state, dict) else ())}, "configs")
        classes = check.whole(texts["table_classes"], "table_classes", most=MAX_CLASSES)
        knobs_only = {name: text for name, text in texts.items() if name != "table_classes"}
        config: ClassificationConfig = super().config_of(knobs_only)
        return replace(config, table_classes=classes)

    # Drawing.

    def miniature(self) -> Miniature:
        """What the model thinks of the middle of the plane, in 16 x 16 cells; points, unless they are the student's."""
        logits = pad_logits(self.model(inputs_of(self.config, CELLS)), self.config.outputs)
        shown = self.point_picture
        data = b"" if self.edits.rows else points_in(shown["x"], shown["y"], shown["class"])
        return replace(map_of_classes(logits.softmax(dim=1).numpy()), data=data)

    def challenge_state(self) -> ChallengeState:
        """Whether there is a challenge, and whether it is met."""
        return "met" if self.challenge.met_at is not None else "open" if self.challenge.is_open else ""

    def size(self) -> int:
        """The number of hidden units."""
        return sum(self.config.widths)

    def snapshot_model(self, config: ClassificationConfig) -> nn.Sequential:
        """A model to show a snapshot with, with the shape and activation of the snapshot's config."""
        return build_model(config, self.dropout)

    def predict(self, model: nn.Sequential, config: ClassificationConfig) -> Predictions:
        """The model's predictions for all points, and for the plane when a chart asks for it."""
        inputs = self.inputs
        if config.inputs != self.config.inputs:  # a snapshot from before the inputs changed
            inputs = inputs_of(config, torch.cat([self.data.x_train, self.data.x_test]))
        outputs = models.layer_outputs(model, inputs)
        logits, count = pad_logits(outputs[-1], self.config.outputs), len(self.data.x_train)
        row, predicted = self._evaluate(logits, config)
        return Predictions(model, config, row, predicted, logits, [each[:count] for each in outputs])

    def status(self, view: View) -> dict[str, float]:
        """The losses, the accuracies as fractions of 1, and the number of parameters."""
        row, missing = view.predictions.losses, float("nan")
        return {
            "loss": row["train"], "test_loss": row.get("test", missing), "accuracy": row["accuracy"],
            "test_accuracy": row.get("test_accuracy", missing), "parameters": models.count_parameters(view.model),
        }  # fmt: skip

    def figures(self, view: View, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The functions that draw the charts, by chart name."""
        return {
            "map": lambda: self._map(view, options),
            "network": lambda: self._network(view),
            "loss": lambda: self._loss(view, log=options.get("log", False)),
            "accuracy": lambda: self._accuracy(view),
            "confusion": lambda: self._confusion(view),
            "gradients": lambda: self._gradients(view),
            "explain": lambda: explain_point.explain(view, self.drawing_state),
        } | look_inside.figures(self.config, self.data, view, self.drawing_state)

    def _map(self, view: View, options: Mapping[str, bool]) -> Figure:
        probabilities = view.predictions.plane[-1].softmax(dim=1).T.numpy()  # (classes, pixels)
        pixels = fields.class_bytes(probabilities, discrete=options.get("discrete", False))
        shown = [("train", self.train_traces), ("test", self.test_traces)]
        traces = [
            trace if options.get(name, True) else trace | {"visible": False} for name, each in shown for trace in each
        ]
        traces += look_inside.marks(self.config, self.data, view, self.drawing_state, options)
        return fields.plane(traces, pixels, shown=MAP_END, reach=REACH, size=(WIDE, TALL), classes=self.config.outputs)

    def _network(self, view: View) -> Figure:
        layers = models.linears(view.model)
        weights, biases = [layer.weight.numpy() for layer in layers], [layer.bias.numpy() for layer in layers]
        names, classes = view.config.input_names, view.config.outputs
        labels, outputs = [INPUTS[name].label for name in names], [str(label) for label in range(classes)]
        maps = [fields.signed_bytes(small_maps(output)) for output in view.predictions.plane[1::2]]
        drawn = graphs.Pictures(
            maps=[np.stack([pictures.of_input(name) for name in names]), *maps],
            symbols=fields.SYMBOLS, colours=CLASS_COLOURS, points=self.point_picture,
            data=pictures.of_clouds(), enlarged=(-MAP_END, MAP_END, -MAP_END, MAP_END),
            inputs=pictures.of_inputs(), output_labels=False,
        )  # fmt: skip
        figure = graphs.network(
            weights, biases, view.predictions.dead, inputs=labels, outputs=outputs, pictures=drawn,
            numbers=on_edges(self.walk, view.model) if view.is_current else None,
        )  # fmt: skip
        return with_parameters(figure, weights, biases, inputs=labels, outputs=outputs)

    def _lines(self, train: str, test: str) -> list[tuple[str, str, NDArray[Any]]]:
        lines = [("Train", "@train", self.history.column(train))]
        return lines + ([("Test", "@test", self.history.column(test))] if len(self.data.x_test) else [])

    def _loss(self, view: View, *, log: bool) -> Figure:
        return strips.losses(
            self.history.steps(), self._lines("train", "test"), peak=self.peak, until=self.progress.stop_at,
            marks=self.marks, log=log, numbers={"loss": "Train", "test_loss": "Test"},
        )  # fmt: skip

    def _accuracy(self, view: View) -> Figure:
        cursor = None if view.is_current else view.steps
        until = max(self.steps, self.progress.stop_at if np.isfinite(self.progress.stop_at) else 0)
        return curves.loss_curve(
            self.history.steps(), self._lines("accuracy", "test_accuracy"), peak=1.0, until=until, marks=self.marks,
            cursor=cursor, title="Accuracy",
        )  # fmt: skip

    def _confusion(self, view: View) -> Figure:
        """The confusion matrix of the test points, or of the training points if there are no test points."""
        start = len(self.data.x_train) if len(self.data.x_test) else 0
        classes = self.config.outputs
        counts = np.zeros((classes, classes), int)
        np.add.at(counts, (self.labels[start:], np.minimum(view.predictions.predicted[start:], classes - 1)), 1)
        return fields.confusion(counts, points="test" if start else "training")

    def _gradients(self, view: View) -> Figure:
        column, cursor = self.history.column, None if view.is_current else view.steps
        names = self._layer_names(self.config)
        sizes = [(name, column(f"gradient {name}"), column(f"update {name}")) for name in names]
        return curves.layer_sizes(self.history.steps(), sizes, cursor=cursor)

    def narrate(self, view: View) -> str:
        """The state of the challenge, if there is one, and what the first rule of the narrator that applies says."""
        accuracy = view.predictions.losses.get("test_accuracy", float("nan"))
        sentences = self.challenge.sentences(models.count_parameters(view.model), accuracy)
        return " ".join([*sentences, first_finding(RULES, self.situation(view)).text])

    def _one_class(self, predictions: Predictions) -> int:
        """The only class that training points are predicted to have, -1 if there are several."""
        found = np.unique(predictions.predicted[: len(self.data.x_train)])
        return int(found[0]) if len(found) == 1 else -1

    def situation(self, view: View) -> TrainingSituation:
        """What the narrator's rules read."""
        predictions: Predictions = view.predictions
        config, accuracy, chance = view.config, predictions.losses["accuracy"], 1 / view.config.outputs
        return TrainingSituation(
            config=config, period=self.period, step=view.steps, is_current=view.is_current, outcome=self.outcome,
            loss=predictions.losses["train"], test_loss=predictions.losses.get("test", float("nan")),
            steps_per_epoch=self.trainer.batches.steps_per_epoch, rows=self.loss_rows(),
            fit=(accuracy - chance) / (1 - chance),
            constant_loss=self.constant_loss(), is_whole=self.trainer.batches.whole,
            dead=tuple(int(layer.sum()) for layer in predictions.dead),
            largest_input=self.largest_input, stop_at=self.progress.stop_at, probe=self.probe,
            without_dropout=self.loss_without_dropout, fresh_probe=self.fresh_probe,
            accuracy=accuracy, classes=self.classes, same_units=models.layer_of_same_units(view.model),
            good_step=self.good_step, max_units=MAX_UNITS, max_layers=MAX_LAYERS,
            has_more_inputs=len(config.input_names) < len(INPUTS), one_class=self._one_class(predictions),
            layers=lambda: examine.layers_of(
                models.linears(view.model), self._layer_names(config), self.history, self.period.start),
        )  # fmt: skip
