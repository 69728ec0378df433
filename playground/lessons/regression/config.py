"""What a regression run is built from: its knobs, its points with the student's edits, and its model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from playground.data import datasets
from playground.data.datasets import Split
from playground.engine.commands import coordinate
from playground.figures.theme import padded
from playground.knobs import Config, knob
from playground.runs import state_checks as check
from playground.training import models, training_knobs
from playground.training.trainer import LOSSES

MAX_LAYERS = 4
MAX_UNITS = 64  # of a hidden layer
MAX_CLICKS = 1_000  # points added or removed by hand
# What a click did: it added a point (x, y), or omitted the point with a number (x). In older files, "remove" stands for
# the point that is nearest to (x, y).
ADD, OMIT, REMOVE = "add", "omit", "remove"
LEARNING_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 3.0, 10.0)
WEIGHT_DECAYS = (0.0, 1e-5, 1e-4, 1e-3, 0.01, 0.1)
BATCH_SIZES = (0, 1, 2, 5, 10, 20, 32, 50, 100, 200)
# Offsets that keep the data's, the weights' and the batches' random numbers apart for one seed.
DATA, WEIGHTS, ORDER = 0, 10_000, 20_000

STATUS = {
    "step": "Step", "epoch": "Epoch", "loss": "Train loss", "test_loss": "Test loss", "r2": "Train R²",
    "parameters": "Parameters", "steps_per_second": "Steps/s",
}  # fmt: skip


def _has_layer(number: int) -> Callable[[Any], bool]:
    return lambda config: config.layers >= number


def _units(layer: int) -> Any:
    return knob(10, f"Units in layer {layer}", group="Model", lo=1, hi=MAX_UNITS, step=1, applies=_has_layer(layer),
                more=layer > 1)  # fmt: skip


@dataclass(frozen=True)
class RegressionConfig(Config):
    """The settings of one regression run; the defaults are the tutorial's."""

    # fmt: off
    target: str = knob("square", "Target", help="The function behind the points.", group="Data", live=True,
                       options=tuple(datasets.TARGETS), names=training_knobs.labels(datasets.TARGETS))
    noise: float = knob(0.2, "Noise", help="A random number between 0 and this is added to each y.", group="Data",
                        live=True, lo=0.0, hi=1.0, step=0.05)
    points: int = knob(100, "Training points", group="Data", lo=4, hi=1000, step=1, more=True)
    test_share: float = knob(0.2, "Test share", group="Data", lo=0.0, hi=1.0, step=0.05, more=True,
                             help="Test points per training point: 0.2 means 20 for 100. The model never trains on "
                             "them.")
    scale: int = knob(1, "Scale of x", help="x is multiplied by this number, as in another unit: metres, millimetres.",
                      group="Data", options=(1, 10, 100))
    normalise: bool = knob(False, "Normalise x", group="Data", remedy=True,
                           help="The model gets x minus its mean, divided by its standard deviation (of the training "
                           "points).")
    seed: int = training_knobs.seed()
    layers: int = knob(1, "Hidden layers", group="Model", lo=0, hi=MAX_LAYERS, step=1)
    hidden: int = _units(1)
    hidden_2: int = _units(2)
    hidden_3: int = _units(3)
    hidden_4: int = _units(4)
    activation: str = training_knobs.activation("relu", applies=_has_layer(1))
    initialisation: str = training_knobs.initialisation("default")
    lr: float = training_knobs.learning_rate(0.5, LEARNING_RATES)
    optimizer: str = training_knobs.optimizer("sgd")
    batch_size: int = training_knobs.batch_size(0, BATCH_SIZES)
    momentum: float = training_knobs.momentum(0.9)
    weight_decay: float = training_knobs.weight_decay(0.0, WEIGHT_DECAYS)
    zero_grad: bool = knob(True, "zero_grad()", live=True, more=True,
                           help="Off: the line is left out, so each step adds its gradient to the sum of all before.")
    loss: str = knob("mse", "Loss", live=True, options=tuple(LOSSES), more=True,
                     names={name: choice[0] for name, choice in LOSSES.items()})
    max_steps: int = training_knobs.max_steps(100)
    target_loss: float = training_knobs.target_loss(0.0)
    # fmt: on

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units in each hidden layer."""
        return (self.hidden, self.hidden_2, self.hidden_3, self.hidden_4)[: self.layers]


@dataclass(frozen=True)
class Edits:
    """The student's own data: a table (or None), and the points added or removed by hand, in order."""

    rows: tuple[tuple[float, float], ...] | None = None
    clicks: tuple[tuple[str, float, float], ...] = ()

    def state_dict(self) -> dict[str, Any]:
        """The edits as a checkpoint stores them."""
        return {"rows": check.table_state(self.rows), "clicks": [list(click) for click in self.clicks]}

    @classmethod
    def from_state(cls, state: Any, max_rows: int) -> Edits:
        """The edits from a `state_dict`. Raises StateError or DataError."""
        found = check.entries(state, ("rows", "clicks"), "edits")
        rows = check.table(found["rows"], "edits/rows", 2, max_rows)
        clicks = []
        for kind, *place in check.rows(found["clicks"], MAX_CLICKS, 3, "edits/clicks"):
            x, y = map(coordinate, place)
            clicks.append((check.one_of(kind, (ADD, OMIT, REMOVE), "edits/clicks"), x, y))
        return cls(rows, tuple(clicks))


def generator(config: RegressionConfig, stream: int) -> torch.Generator:
    """A new generator with the run's own random numbers, one stream for each use."""
    return torch.Generator().manual_seed(config.seed + stream)


def draw_data(config: RegressionConfig, edits: Edits) -> Split:
    """The points that a config describes, with the student's edits, their x as the model gets it."""
    return as_model_gets(config, numbered_data(config, edits)[0])


def as_model_gets(config: RegressionConfig, split: Split) -> Split:
    """The same points with x scaled and normalised as the config says."""
    if config.scale == 1 and not config.normalise:
        return split
    shift, factor = x_units(config, split)
    x_train, x_test = ((each * config.scale - shift) / factor for each in (split.x_train, split.x_test))
    return Split(x_train, split.y_train, x_test, split.y_test)


def x_units(config: RegressionConfig, split: Split) -> tuple[float, float]:
    """What is subtracted from the scaled x, and what it is then divided by."""
    if not config.normalise:
        return 0.0, 1.0
    x = split.x_train * config.scale
    return x.mean().item(), x.std().item() or 1.0


def to_unscaled(config: RegressionConfig, split: Split, x: float) -> float:
    """The x of a point, neither scaled nor normalised, for an x in the units of the model."""
    shift, factor = x_units(config, split)
    return (x * factor + shift) / config.scale


def numbered_data(config: RegressionConfig, edits: Edits) -> tuple[Split, list[int]]:
    """The points that a config describes, with the student's edits, and a number for each training point.

    The number is that of the generated point, or of the table's row, from 0; the points added by hand have -1, -2, ...
    in the order in which they were added. It is the same with other noise, so a removed point stays the one removed.
    """
    if edits.rows is not None:
        split = datasets.table(edits.rows, config.test_share, generator(config, DATA))
        numbers = datasets.split_rows(len(edits.rows), config.test_share, generator(config, DATA))[0].tolist()
    else:
        split = datasets.curve(config.target, config.points, config.noise, config.test_share, generator(config, DATA))
        numbers = list(range(config.points))
    added = 0
    for kind, x, y in edits.clicks:
        if kind == ADD:
            added += 1
            split, numbers = datasets.add_point(split, x, y), [*numbers, -added]
        elif len(numbers) > datasets.MIN_TRAINING_POINTS:  # there may be fewer points than at the click
            if kind == OMIT and int(x) not in numbers:
                continue
            at = numbers.index(int(x)) if kind == OMIT else nearest(split, x, y)
            keep = torch.arange(len(numbers)) != at
            split = Split(split.x_train[keep], split.y_train[keep], split.x_test, split.y_test)
            del numbers[at]
    return split, numbers


def nearest(split: Split, x: float, y: float) -> int:
    """The index of the training point nearest to a place in the chart."""
    (left, right), (low, high) = spans(split)
    distance = ((split.x_train[:, 0] - x) / (right - left)) ** 2 + ((split.y_train[:, 0] - y) / (high - low)) ** 2
    return int(distance.argmin())


def spans(split: Split) -> tuple[list[float], list[float]]:
    """The ranges of x and y that show every point, with a margin."""
    x, y = torch.cat([split.x_train, split.x_test]), torch.cat([split.y_train, split.y_test])
    return padded(float(x.min()), float(x.max()), 0.05), padded(float(y.min()), float(y.max()), 0.15)


def build_model(config: RegressionConfig) -> nn.Sequential:
    """The model: 1 input, the hidden layers, 1 output."""
    return models.mlp(
        1,
        config.widths,
        1,
        activation=config.activation,
        initialisation=config.initialisation,
        generator=generator(config, WEIGHTS),
    )
