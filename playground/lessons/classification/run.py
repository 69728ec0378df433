"""The run of the lesson "Classification": training, surgery on the running model, and what its charts show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from playground.engine.frames import Figure
from playground.figures import curves, fields, graphs
from playground.lessons import narrator
from playground.lessons.classification import explain_point as explain
from playground.lessons.classification import look_inside as insides
from playground.lessons.classification.challenge import Challenge
from playground.lessons.classification.clouds import MOST_CLASSES, REACH, Labelled
from playground.lessons.classification.config import (
    DROPOUT,
    INPUTS,
    LOSSES,
    MOST_LAYERS,
    ORDER,
    ClassificationConfig,
    build_model,
    generator,
    inputs_of,
    loss_of,
    optimizer_of,
)
from playground.lessons.classification.edits import EditedRun, Edits
from playground.lessons.classification.figures.weights import with_parameters
from playground.lessons.classification.predictions import SIDE, Seen, fitted
from playground.runs import state_checks as check
from playground.runs.history import KINDS, layer_norms
from playground.runs.training_run import View
from playground.settings import Settings
from playground.training import models
from playground.training.trainer import OPTIMIZERS, Batches, Trainer

UNIT_SIDE = SIDE // 5  # pixels of a unit's small map
COLUMNS = ("train", "test", "accuracy", "test_accuracy")
SHAPE = {"inputs", "layers", *(f"units_{layer}" for layer in range(1, MOST_LAYERS + 1))}
NO_EDITS = Edits()
POINTS = {"cloud", "noise", "classes", "points", "test_share", "draw"}


class ClassificationRun(EditedRun):
    """One student's classification."""

    def __init__(self, config: ClassificationConfig, settings: Settings, edits: Edits = NO_EDITS) -> None:
        self.edits, config = edits, edits.worn(config)
        self.dropout = models.Dropout(config.dropout, generator(config, DROPOUT))
        model = build_model(config, self.dropout)
        data = edits.points(config, settings)
        batches = Batches(inputs_of(config, data.x_train), data.y_train, config.batch_size, generator(config, ORDER))
        trainer = Trainer(model, loss_of(config, model), optimizer_of(config, model), batches)
        self.peak = 0.0
        self.challenge = Challenge.of(config)
        self.memory = insides.Memory()
        self._lay_out(config, data)
        names = [*(f"Layer {index + 1}" for index in range(MOST_LAYERS)), "Output"]
        columns = (
            "train",
            "test",
            "accuracy",
            "test_accuracy",
            *(f"{kind} {name}" for name in names for kind in KINDS),
        )
        super().__init__(config, data, model, trainer, columns, settings)

    def _lay_out(self, config: ClassificationConfig, data: Labelled) -> None:
        """Work out once what stays the same from frame to frame."""
        self.inputs = inputs_of(config, torch.cat([data.x_train, data.x_test]))
        self.labels = torch.cat([data.y_train, data.y_test]).numpy()
        train, test = data.x_train.numpy(), data.x_test.numpy()
        classes = config.outputs
        self.train_traces = fields.points("Train", train, data.y_train.numpy(), classes, is_open=False)
        self.test_traces = fields.points("Test", test, data.y_test.numpy(), classes, is_open=True)

    # Training.

    def measure(self) -> dict[str, float]:
        """Losses and accuracies on the whole training and test data."""
        row, _ = self._judge(self.model(self.inputs), self.config)
        if np.isfinite(row["train"]):
            self.peak = max(self.peak, row["train"], row.get("test", 0.0))
        return row

    def _judge(self, logits: Tensor, config: ClassificationConfig) -> tuple[dict[str, float], Any]:
        """Losses and accuracies from the logits of all points, and the likeliest class of each point."""
        loss_fn, count = LOSSES[config.loss][1](), len(self.data.x_train)
        guesses = logits.argmax(dim=1).numpy()
        right = guesses == self.labels
        row = {"train": loss_fn(logits[:count], self.data.y_train).item(), "accuracy": float(right[:count].mean())}
        if len(right) > count:
            row["test"] = loss_fn(logits[count:], self.data.y_test).item()
            row["test_accuracy"] = float(right[count:].mean())
        return row, guesses

    def record(self, traced: dict[str, float]) -> None:
        """Add the present step to the history, and see whether it meets the challenge."""
        super().record(traced)
        if self.challenge.waits:
            self._try_challenge()

    def _try_challenge(self) -> None:
        if self.challenge.is_met(self.parameter_count, float(self.history.column("test_accuracy")[-1])):
            self.challenge.met_at = self.steps
            self.mark("Challenge met")

    def trace(self, before: list[Tensor]) -> dict[str, float]:
        """The size of each layer's gradient and of its update."""
        return layer_norms(self._layer_names(self.config), self.parameters, before)

    @staticmethod
    def _layer_names(config: ClassificationConfig) -> list[str]:
        return [*(f"Layer {index + 1}" for index in range(len(config.widths))), "Output"]

    def retune(self, before: ClassificationConfig, after: ClassificationConfig, names: set[str]) -> None:
        """Hand the turned knobs to the running trainer; weights that have a place in the new model stay."""
        self.dropout.p = after.dropout
        if names & {"most_parameters", "least_accuracy"}:
            self.challenge = Challenge.of(after)
        if before.outputs != after.outputs or names & SHAPE:
            self._operate(before, after)
        elif "activation" in names:
            models.set_activation(self.model, after.activation, self.dropout)
        if names & {"optimizer", "loss", "l1"} or names & SHAPE or before.outputs != after.outputs:
            self.trainer.loss_fn = loss_of(after, self.model)
        if "optimizer" in names:
            self.trainer.optimizer = optimizer_of(after, self.model)
        for group in self.trainer.optimizer.param_groups:
            group["lr"], group["weight_decay"] = after.lr, after.weight_decay
            if OPTIMIZERS[after.optimizer].momentum:
                group["momentum"] = after.momentum
        if "batch_size" in names:
            self.trainer.batches.resize(after.batch_size)
        if names & (POINTS | {"inputs"}):
            self._use(self.edits.points(after, self.settings))

    def _operate(self, before: ClassificationConfig, after: ClassificationConfig) -> None:
        """Put a model of another shape in the place of this one, grafting every weight that has a place in it."""
        model = build_model(after, self.dropout)
        old, new = before.input_names, after.input_names
        models.graft(self.model, model, [(old.index(name), new.index(name)) for name in new if name in old])
        self.replace_model(model)
        self.trainer.optimizer = optimizer_of(after, model)

    def _use(self, data: Labelled) -> None:
        self.data = data
        self._lay_out(self.config, data)
        self.trainer.batches.replace(inputs_of(self.config, data.x_train), data.y_train)

    def rebuilt(self, config: ClassificationConfig) -> Self:
        """A run from the start on the same points, the student's own among them."""
        run = type(self)(config, self.settings, self.edits)
        run.memory.place = self.memory.place
        return run

    def edit(self, command: Mapping[str, Any]) -> None:
        """Remember the place to explain, or change the points or the weights by hand."""
        if command.get("do") == "explain":
            self.memory.place = explain.place_of(command)
        else:
            super().edit(command)

    def own_state(self) -> dict[str, Any]:
        """The student's edits, the dropout's random numbers, how the challenge stands, where the loss axis ends."""
        dropout = self.dropout.generator.get_state()
        met_at = self.challenge.met_at
        return {"edits": self.edits.state_dict(), "dropout": dropout, "met_at": met_at, "peak": self.peak}

    def load_own_state(self, state: Any) -> None:
        """Take them up again."""
        found = check.entries(state, ("edits", "dropout", "met_at", "peak"), "own")
        self.load_edits(Edits.of_state(found["edits"], self.settings.max_points))
        self.dropout.generator.set_state(check.generator(found["dropout"], "own/dropout"))
        met_at = found["met_at"]
        self.challenge.met_at = None if met_at is None else check.whole(met_at, "met_at")
        self.peak = check.number(found["peak"], "peak")

    def config_state(self, config: ClassificationConfig) -> dict[str, Any]:
        """A config as texts, with the classes of the table that was in use."""
        return super().config_state(config) | {"table_classes": config.table_classes}

    def config_of(self, state: Any) -> ClassificationConfig:
        """The config that `config_state` gave."""
        texts = check.entries(state, {"table_classes", *(state if isinstance(state, dict) else ())}, "configs")
        classes = check.whole(texts["table_classes"], "table_classes", most=MOST_CLASSES)
        knobs_only = {name: text for name, text in texts.items() if name != "table_classes"}
        config: ClassificationConfig = super().config_of(knobs_only)
        return replace(config, table_classes=classes)

    # Drawing.

    def ghost(self, config: ClassificationConfig) -> nn.Sequential:
        """A model of the shape and activation of a snapshot's config."""
        return build_model(config, self.dropout)

    def see(self, model: nn.Sequential, config: ClassificationConfig) -> Seen:
        """One pass over all points; the plane only when a chart asks for it."""
        inputs = self.inputs
        if config.inputs != self.config.inputs:  # a snapshot from before another input was switched on
            inputs = inputs_of(config, torch.cat([self.data.x_train, self.data.x_test]))
        logits = fitted(model(inputs), self.config.outputs)
        return Seen(model, config, *self._judge(logits, config), logits=logits)

    def status(self, view: View) -> dict[str, float]:
        """Losses, accuracies as fractions of 1, and the size of the model."""
        row, missing = view.seen.losses, float("nan")
        return {
            "loss": row["train"], "test_loss": row.get("test", missing), "accuracy": row["accuracy"],
            "test_accuracy": row.get("test_accuracy", missing), "parameters": models.count_parameters(view.model),
        }  # fmt: skip

    def figures(self, view: View, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The charts by name."""
        return {
            "map": lambda: self._map(view, options),
            "network": lambda: self._network(view),
            "loss": lambda: self._over_steps(view, ("train", "test"), log=options.get("log", False)),
            "accuracy": lambda: self._over_steps(view, ("accuracy", "test_accuracy"), title="Accuracy"),
            "confusion": lambda: self._confusion(view),
            "gradients": lambda: self._gradients(view),
            "explain": lambda: explain.explain(view, self.memory),
        } | insides.figures(self.config, self.data, view, self.memory)

    def _map(self, view: View, options: Mapping[str, bool]) -> Figure:
        shares = view.seen.plane[-1].softmax(dim=1).T.numpy()  # (classes, pixels)
        pixels = fields.class_bytes(shares, discrete=options.get("discrete", False))
        shown = [("train", self.train_traces), ("test", self.test_traces)]
        traces = [
            trace if options.get(name, True) else trace | {"visible": False} for name, each in shown for trace in each
        ]
        traces += insides.marks(self.config, self.data, view, self.memory, options)
        return fields.plane(traces, pixels, reach=REACH, side=SIDE)

    def _network(self, view: View) -> Figure:
        layers = models.linears(view.model)
        weights, biases = [layer.weight.numpy() for layer in layers], [layer.bias.numpy() for layer in layers]
        labels = [INPUTS[name].label for name in view.config.input_names]
        hidden = [output.T for output in view.seen.plane[1::2]]
        dead = [(output == output[:, :1]).all(dim=1).numpy() for output in hidden]
        outputs = [str(label) for label in range(view.config.outputs)]
        figure = graphs.network(weights, biases, dead, inputs=labels, outputs=outputs)
        figure = with_parameters(figure, weights, biases, inputs=labels, outputs=outputs)
        step = SIDE // UNIT_SIDE
        small = [
            output.reshape(-1, SIDE, SIDE)[:, ::step, ::step].reshape(len(output), -1).numpy() for output in hidden
        ]
        values = fields.signed_bytes(np.concatenate(small)).ravel() if small else np.empty(0, np.uint8)
        boxes = graphs.unit_boxes([len(labels), *view.config.widths, view.config.outputs])
        units = {"side": UNIT_SIDE, "values": values, "boxes": boxes, "lut": "signed", "over": True, "frame": "@muted"}
        return figure | {"maps": units}

    def _over_steps(self, view: View, columns: tuple[str, str], *, log: bool = False, title: str = "Loss") -> Figure:
        history, cursor = self.history, None if view.is_now else view.steps
        lines = [("Train", "@train", history.column(columns[0]))]
        if len(self.data.x_test):
            lines.append(("Test", "@test", history.column(columns[1])))
        until = max(self.steps, self.stop_at if np.isfinite(self.stop_at) else 0)
        peak = self.peak if title == "Loss" else 1.0
        return curves.loss_curve(
            history.steps(), lines, peak=peak, until=until, marks=self.marks, cursor=cursor, log=log, title=title
        )

    def _confusion(self, view: View) -> Figure:
        """Of the test points, or of the training points where there are none."""
        start = len(self.data.x_train) if len(self.data.x_test) else 0
        classes = self.config.outputs
        counts = np.zeros((classes, classes), int)
        np.add.at(counts, (self.labels[start:], np.minimum(view.seen.guesses[start:], classes - 1)), 1)
        return fields.confusion(counts)

    def _gradients(self, view: View) -> Figure:
        column, cursor = self.history.column, None if view.is_now else view.steps
        names = self._layer_names(self.config)
        sizes = [(name, column(f"gradient {name}"), column(f"update {name}")) for name in names]
        return curves.layer_sizes(self.history.steps(), sizes, cursor=cursor)

    def narrate(self, view: View) -> str:
        """How a challenge stands, if there is one, and what is to be seen."""
        accuracy = view.seen.losses.get("test_accuracy", float("nan"))
        stands = self.challenge.say(models.count_parameters(view.model), accuracy)
        return stands + narrator.classification(self, view)
