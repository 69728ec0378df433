"""Regression: a small network bends a curve to noisy points (tutorial 1.1 and 2.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from playground import datasets, models
from playground.datasets import Split
from playground.figures import curves, graphs
from playground.figures.theme import padded
from playground.frames import Figure
from playground.knobs import Config, knob
from playground.lesson import Chart, Lesson, Toggle
from playground.lessons import narrator
from playground.settings import Settings
from playground.training import LOSSES, OPTIMIZERS, Batches, Trainer, build_optimizer
from playground.training_run import Snapshots, TrainingRun, View

MOST_LAYERS = 4
GRID_POINTS = 160
LEARNING_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 3.0, 10.0)
WEIGHT_DECAYS = (0.0, 1e-5, 1e-4, 1e-3, 0.01, 0.1)
BATCH_SIZES = (0, 1, 2, 5, 10, 20, 32, 50, 100, 200)
# Offsets that keep the data's, the weights' and the batches' random numbers apart for one seed.
DATA, WEIGHTS, ORDER = 0, 10_000, 20_000


def _names(choices: Mapping[str, Any]) -> dict[Any, str]:
    return {name: choice.label for name, choice in choices.items()}


def _has_layer(number: int) -> Callable[[Any], bool]:
    return lambda config: config.layers >= number


@dataclass(frozen=True)
class RegressionConfig(Config):
    """The settings of one regression run; the defaults are the tutorial's."""

    target: str = knob("square", "Target", help="The function behind the points.", group="Data", live=True,
                       options=tuple(datasets.TARGETS), names=_names(datasets.TARGETS))
    noise: float = knob(0.2, "Noise", help="Each y gets up to this much added, at random.", group="Data", live=True,
                        lo=0.0, hi=1.0, step=0.05)
    points: int = knob(100, "Training points", group="Data", lo=4, hi=1000, step=1, more=True)
    test_share: float = knob(0.2, "Test share", group="Data", lo=0.0, hi=1.0, step=0.05, more=True,
                             help="Fresh test points for each training point; the model never learns from them.")
    seed: int = knob(1, "Seed", help="The same seed gives the same data, weights and batches.", group="Data",
                     lo=0, hi=9999, step=1, more=True)
    layers: int = knob(1, "Hidden layers", group="Model", lo=0, hi=MOST_LAYERS, step=1)
    hidden: int = knob(10, "Units in layer 1", group="Model", lo=1, hi=64, step=1, applies=_has_layer(1))
    hidden_2: int = knob(10, "Units in layer 2", group="Model", lo=1, hi=64, step=1, applies=_has_layer(2), more=True)
    hidden_3: int = knob(10, "Units in layer 3", group="Model", lo=1, hi=64, step=1, applies=_has_layer(3), more=True)
    hidden_4: int = knob(10, "Units in layer 4", group="Model", lo=1, hi=64, step=1, applies=_has_layer(4), more=True)
    activation: str = knob("relu", "Activation", group="Model", live=True, options=tuple(models.ACTIVATIONS),
                           names=_names(models.ACTIVATIONS), applies=_has_layer(1))
    initialisation: str = knob("default", "Initialisation", help="How the weights start.", group="Model",
                               options=tuple(models.INITIALISATIONS), names=_names(models.INITIALISATIONS), more=True)
    lr: float = knob(0.5, "Learning rate", help="How far each step goes along the gradient.", live=True,
                     options=LEARNING_RATES)
    optimizer: str = knob("sgd", "Optimizer", live=True, options=tuple(OPTIMIZERS), names=_names(OPTIMIZERS),
                          help="A new optimizer starts with an empty memory.")
    batch_size: int = knob(0, "Batch size", help="Points in each step.", live=True, options=BATCH_SIZES,
                           names={0: "all"})
    momentum: float = knob(0.9, "Momentum", help="Used by SGD with momentum and by Nesterov.", live=True,
                           lo=0.0, hi=0.99, step=0.01, more=True, applies=lambda c: OPTIMIZERS[c.optimizer].momentum)
    weight_decay: float = knob(0.0, "Weight decay", live=True, options=WEIGHT_DECAYS, more=True)
    loss: str = knob("mse", "Loss", live=True, options=tuple(LOSSES), more=True,
                     names={name: choice[0] for name, choice in LOSSES.items()})
    max_steps: int = knob(100, "Stop after (steps)", help="0 means no limit.", live=True, lo=0, hi=1_000_000, step=100)
    target_loss: float = knob(0.0, "Stop at training loss", help="0 means never.", live=True, lo=0.0, hi=10.0,
                              step=0.001, more=True)  # fmt: skip

    @property
    def widths(self) -> tuple[int, ...]:
        """The units of each hidden layer."""
        return (self.hidden, self.hidden_2, self.hidden_3, self.hidden_4)[: self.layers]


@dataclass(frozen=True)
class Edits:
    """What the student did to the data by hand: a table of their own, and points added or removed, in order."""

    rows: tuple[tuple[float, float], ...] | None = None
    clicks: tuple[tuple[str, float, float], ...] = ()


def generator(config: RegressionConfig, stream: int) -> torch.Generator:
    """Random numbers of the run's own, one stream for each use."""
    return torch.Generator().manual_seed(config.seed + stream)


def draw_data(config: RegressionConfig, edits: Edits) -> Split:
    """The points a config describes, after the student's edits."""
    if edits.rows is not None:
        split = datasets.table(edits.rows, config.test_share, generator(config, DATA))
    else:
        split = datasets.curve(config.target, config.points, config.noise, config.test_share, generator(config, DATA))
    for kind, x, y in edits.clicks:
        if kind == "add":
            split = datasets.add_point(split, x, y)
        else:
            xs, ys = spans(split)
            split = datasets.remove_nearest(split, x, y, xs[1] - xs[0], ys[1] - ys[0])
    return split


def spans(split: Split) -> tuple[list[float], list[float]]:
    """The ranges of x and y that show every point, with a little room."""
    x, y = torch.cat([split.x_train, split.x_test]), torch.cat([split.y_train, split.y_test])
    return padded(float(x.min()), float(x.max()), 0.05), padded(float(y.min()), float(y.max()), 0.15)


def build_model(config: RegressionConfig) -> nn.Sequential:
    """The network: 1 input, the hidden layers, 1 output."""
    return models.mlp(
        1,
        config.widths,
        1,
        activation=config.activation,
        initialisation=config.initialisation,
        generator=generator(config, WEIGHTS),
    )


class RegressionRun(TrainingRun):
    """One student's regression."""

    def __init__(self, config: RegressionConfig, edits: Edits, settings: Settings) -> None:
        self.edits = edits
        self.settings = settings
        model = build_model(config)
        data = draw_data(config, edits)
        batches = Batches(data.x_train, data.y_train, config.batch_size, generator(config, ORDER))
        trainer = Trainer(model, LOSSES[config.loss][1](), _optimizer(config, model), batches)
        self.layer_names = [f"Layer {index + 1}" for index in range(len(config.widths))] + ["Output"]
        self.COLUMNS = ("train", "test", *(f"{kind} {name}" for name in self.layer_names for kind in KINDS))
        self.peak = 0.0
        self._lay_out(data)
        parameters = models.count_parameters(model)
        super().__init__(config, data, model, trainer, Snapshots(min(128, settings.max_run_mb * 250_000 // parameters)))

    def _lay_out(self, data: Split) -> None:
        """Work out once what stays the same from frame to frame."""
        self.spans = spans(data)
        self.grid = torch.linspace(*self.spans[0], GRID_POINTS).unsqueeze(dim=1)  # (grid, 1)
        self.shown = tuple(
            (x[:, 0].numpy().copy(), y[:, 0].numpy().copy())
            for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test))
        )
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
            self.trainer.optimizer = _optimizer(after, self.model)
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
        return curves.fit(*self.shown, self.grid_x, prediction, spans=self.spans, units=units)

    def _units(self, view: View, prediction: Any) -> curves.UnitCurves:
        """What each unit of the last hidden layer adds, and where the units of the first bend."""
        hidden = models.layer_outputs(view.model, self.grid)[-2]  # (grid, units)
        y = (hidden * view.model[-1].weight).T.numpy()  # (units, grid)
        dead = self._dead(view)[-1]
        if not models.ACTIVATIONS[view.config.activation].can_die:
            return curves.UnitCurves(y, dead)
        first = view.model[0]
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
        return curves.loss_curve(
            steps, columns, peak=self.peak, until=until, marks=self.marks, cursor=cursor, log=log
        )

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
        sizes = [(name, *(self.history.column(f"{kind} {name}") for kind in KINDS)) for name in self.layer_names]
        cursor = None if view.is_now else view.steps
        return curves.layer_sizes(self.history.steps().astype(np.float32), sizes, cursor=cursor)

    def narrate(self, view: View) -> str:
        """What is to be seen, in one sentence."""
        dead = [int(layer.sum()) for layer in self._dead(view)]
        units = sum(view.config.widths)
        return narrator.regression(self, view, dead=sum(dead), units=units)


KINDS = ("gradient", "update")


def build(config: RegressionConfig, settings: Settings | None = None) -> RegressionRun:
    """A run at step 0."""
    return RegressionRun(config, Edits(), settings or Settings())


def _optimizer(config: RegressionConfig, model: nn.Module) -> torch.optim.Optimizer:
    return build_optimizer(
        config.optimizer,
        model.parameters(),
        lr=config.lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
    )


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
        Chart("fit", "Fit", "The points and the curve the model draws through them.", editable=True,
              toggles=(Toggle("units", "Hidden units"),)),
        Chart("loss", "Loss", "Training and test loss over steps.", toggles=(Toggle("log", "Log scale"),)),
        Chart("network", "Network", "Units as circles; weights as lines, wider when larger, dashed when negative.",
              every=3),
        Chart("gradients", "Gradient and update size", "Size of each layer's gradient and update over steps.", every=4),
    ),  # fmt: skip
    status={
        "step": "Step", "epoch": "Epoch", "loss": "Train loss", "test_loss": "Test loss", "r2": "R²",
        "parameters": "Parameters", "steps_per_second": "Steps/s",
    },  # fmt: skip
    presets={
        "Tutorial": {},
        "No limit, gentle": {"lr": 0.1, "max_steps": 0},
        "Sine, two layers": {"target": "sine", "layers": 2, "hidden": 16, "hidden_2": 16, "activation": "tanh",
                             "optimizer": "adam", "lr": 0.01, "max_steps": 3000},
        "Overfit": {"points": 12, "noise": 0.6, "test_share": 1.0, "layers": 2, "hidden": 48, "hidden_2": 48,
                    "optimizer": "adam", "lr": 0.01, "max_steps": 0},
        "Diverge": {"lr": 10.0, "max_steps": 0},
    },  # fmt: skip
    code=(Trainer.step, build_model, datasets.curve),
)
