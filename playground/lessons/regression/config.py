"""What a regression run is made of: its knobs, its points with the student's edits, its model and its optimizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from playground.data import datasets
from playground.data.datasets import Split
from playground.figures.theme import padded
from playground.knobs import Config, Value, knob
from playground.runs import state_checks as check
from playground.training import models
from playground.training.trainer import LOSSES, OPTIMIZERS, build_optimizer

MOST_LAYERS = 4
MOST_CLICKS = 1_000
LEARNING_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 3.0, 10.0)
WEIGHT_DECAYS = (0.0, 1e-5, 1e-4, 1e-3, 0.01, 0.1)
BATCH_SIZES = (0, 1, 2, 5, 10, 20, 32, 50, 100, 200)
# Offsets that keep the data's, the weights' and the batches' random numbers apart for one seed.
DATA, WEIGHTS, ORDER = 0, 10_000, 20_000


STATUS = {
    "step": "Step", "epoch": "Epoch", "loss": "Train loss", "test_loss": "Test loss", "r2": "R²",
    "parameters": "Parameters", "steps_per_second": "Steps/s",
}  # fmt: skip
PRESETS: dict[str, dict[str, Value]] = {
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
        "points": 10,
        "noise": 1.0,
        "test_share": 1.0,
        "seed": 4,
        "layers": 2,
        "hidden": 48,
        "hidden_2": 48,
        "activation": "tanh",
        "optimizer": "adam",
        "lr": 0.01,
        "max_steps": 0,
    },
    "Diverge": {"lr": 10.0, "max_steps": 0},
}


def _names(choices: Mapping[str, Any]) -> dict[Any, str]:
    return {name: choice.label for name, choice in choices.items()}


def _has_layer(number: int) -> Callable[[Any], bool]:
    return lambda config: config.layers >= number


@dataclass(frozen=True)
class RegressionConfig(Config):
    """The settings of one regression run; the defaults are the tutorial's."""

    # fmt: off
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
                              step=0.001, more=True)
    # fmt: on

    @property
    def widths(self) -> tuple[int, ...]:
        """The units of each hidden layer."""
        return (self.hidden, self.hidden_2, self.hidden_3, self.hidden_4)[: self.layers]


@dataclass(frozen=True)
class Edits:
    """What the student did to the data by hand: a table of their own, and points added or removed, in order."""

    rows: tuple[tuple[float, float], ...] | None = None
    clicks: tuple[tuple[str, float, float], ...] = ()

    def state_dict(self) -> dict[str, Any]:
        """The edits as a checkpoint keeps them."""
        return {"rows": check.table_state(self.rows), "clicks": [list(click) for click in self.clicks]}

    @classmethod
    def of_state(cls, state: Any, most_rows: int) -> Edits:
        """The edits that `state_dict` gave. Raises StateError or DataError."""
        found = check.entries(state, ("rows", "clicks"), "edits")
        rows = check.table(found["rows"], "edits/rows", 2, most_rows)
        clicks = []
        for kind, *place in check.rows(found["clicks"], MOST_CLICKS, 3, "edits/clicks"):
            x, y = map(coordinate, place)
            clicks.append((check.one_of(kind, ("add", "remove"), "edits/clicks"), x, y))
        return cls(rows, tuple(clicks))


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
        elif len(split.x_train) > datasets.FEWEST_POINTS:  # fewer points may be generated now than when it was removed
            xs, ys = spans(split)
            split = datasets.remove_nearest(split, x, y, xs[1] - xs[0], ys[1] - ys[0])
    return split


def coordinate(value: Any) -> float:
    """A coordinate that a viewer sent. Raises DataError where it is no number, or a huge one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= 1e6:
        raise datasets.DataError("A point needs x and y, numbers from -1e6 to 1e6.")
    return float(value)


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


def optimizer_of(config: RegressionConfig, model: nn.Module) -> torch.optim.Optimizer:
    """The optimizer a config asks for, over the model's parameters."""
    return build_optimizer(
        config.optimizer,
        model.parameters(),
        lr=config.lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
    )
