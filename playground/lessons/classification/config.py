"""What a classification is made of: its knobs, its inputs, its model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from playground.knobs import Config, Value, knob
from playground.lessons.classification import clouds
from playground.lessons.classification.clouds import CLOUDS, MOST_CLASSES, Labelled
from playground.training import models
from playground.training.trainer import OPTIMIZERS, build_optimizer

MOST_LAYERS = 6
MOST_UNITS = 12
LEARNING_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
RATES = (0.0, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1)  # of L1 and of weight decay
BATCH_SIZES = (0, 1, 5, 10, 20, 32, 50, 100)
# Offsets that keep the data's, the weights', the batches' and the dropout's random numbers apart for one seed.
DATA, WEIGHTS, ORDER, DROPOUT = 0, 10_000, 20_000, 30_000
REDRAWN = 40_000  # from one draw of the points to the next


@dataclass(frozen=True)
class Input:
    """One number that the model is given about a point."""

    label: str
    function: Callable[[Tensor], Tensor]  # x (points, 2) -> (points,)
    code: str


INPUTS: dict[str, Input] = {
    "x1": Input("x₁", lambda x: x[:, 0], "x[:, 0]"),
    "x2": Input("x₂", lambda x: x[:, 1], "x[:, 1]"),
    "x1^2": Input("x₁²", lambda x: x[:, 0] ** 2, "x[:, 0] ** 2"),
    "x2^2": Input("x₂²", lambda x: x[:, 1] ** 2, "x[:, 1] ** 2"),
    "x1x2": Input("x₁x₂", lambda x: x[:, 0] * x[:, 1], "x[:, 0] * x[:, 1]"),
    "sin x1": Input("sin x₁", lambda x: torch.sin(x[:, 0]), "torch.sin(x[:, 0])"),
    "sin x2": Input("sin x₂", lambda x: torch.sin(x[:, 1]), "torch.sin(x[:, 1])"),
}


class Brier(nn.Module):
    """The squared error of the probabilities: the mean over points of the sum over classes of (p - 1 or 0)²."""

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Logits (batch, classes) and labels (batch,) -> a scalar."""
        hit = nn.functional.one_hot(target, logits.shape[1])
        return ((logits.softmax(dim=1) - hit) ** 2).sum(dim=1).mean()


LOSSES: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "cross_entropy": ("Cross-entropy", nn.CrossEntropyLoss),
    "brier": ("Squared error of probabilities", Brier),
}


class WithL1(nn.Module):
    """A loss plus the L1 norm of the model's weights times a rate."""

    def __init__(self, loss_fn: nn.Module, model: nn.Sequential, rate: float) -> None:
        super().__init__()
        self.loss_fn = loss_fn
        self.weights = [layer.weight for layer in models.linears(model)]
        self.rate = rate

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Logits (batch, classes) and labels (batch,) -> a scalar."""
        loss: Tensor = self.loss_fn(logits, target)
        return loss + self.rate * torch.stack([weight.abs().sum() for weight in self.weights]).sum()


def _units(layer: int) -> Any:
    default = {1: 10, 2: 8}.get(layer, 4)
    return knob(default, f"Units in layer {layer}", group="Model", lo=1, hi=MOST_UNITS, step=1, live=True,
                applies=lambda config: config.layers >= layer, more=layer > 2)  # fmt: skip


@dataclass(frozen=True)
class ClassificationConfig(Config):
    """The settings of one classification; the defaults are the tutorial's."""

    # fmt: off
    cloud: str = knob("blobs", "Data", group="Data", live=True, options=tuple(CLOUDS),
                      names={name: cloud.label for name, cloud in CLOUDS.items()})
    noise: float = knob(1.0, "Noise", help="Standard deviation of the blobs; the other clouds get a quarter of it.",
                        group="Data", live=True, lo=0.0, hi=3.0, step=0.1)
    classes: int = knob(2, "Classes", help="Circle and moons have two, xor two or four.", group="Data", live=True,
                        lo=2, hi=MOST_CLASSES, step=1, more=True)
    points: int = knob(100, "Training points of each class", group="Data", live=True, lo=5, hi=500, step=5, more=True)
    test_share: float = knob(0.5, "Test share", help="Fresh test points for each training point.", group="Data",
                             live=True, lo=0.0, hi=1.0, step=0.1, more=True)
    seed: int = knob(1, "Seed", help="The same seed gives the same data, weights and batches.", group="Data",
                     lo=0, hi=9999, step=1, more=True)
    draw: int = knob(0, "Draw of the points", help="Other points for the same seed; the model goes on as it is.",
                     group="Data", live=True, lo=0, hi=99, step=1, more=True)
    brush: int = knob(0, "Class of a clicked point", group="Data", live=True, more=True,
                     lo=0, hi=MOST_CLASSES - 1, step=1)
    inputs: str = knob("x1,x2", "Inputs", help="What the model is told about a point.", group="Model", live=True,
                       many=True, options=tuple(INPUTS), names={name: each.label for name, each in INPUTS.items()})
    layers: int = knob(1, "Hidden layers", group="Model", lo=0, hi=MOST_LAYERS, step=1, live=True)
    units_1: int = _units(1)
    units_2: int = _units(2)
    units_3: int = _units(3)
    units_4: int = _units(4)
    units_5: int = _units(5)
    units_6: int = _units(6)
    activation: str = knob("relu", "Activation", group="Model", live=True, options=tuple(models.ACTIVATIONS),
                           names={name: each.label for name, each in models.ACTIVATIONS.items()},
                           applies=lambda config: config.layers > 0)
    initialisation: str = knob("default", "Initialisation", help="How the weights start.", group="Model", more=True,
                               options=tuple(models.INITIALISATIONS),
                               names={name: each.label for name, each in models.INITIALISATIONS.items()})
    dropout: float = knob(0.0, "Dropout", help="Share of the hidden units left out at random in each step.",
                          group="Model", live=True, lo=0.0, hi=0.8, step=0.1, more=True,
                          applies=lambda config: config.layers > 0)
    lr: float = knob(0.02, "Learning rate", help="How far each step goes along the gradient.", live=True,
                     options=LEARNING_RATES)
    optimizer: str = knob("sgd", "Optimizer", live=True, options=tuple(OPTIMIZERS),
                          names={name: each.label for name, each in OPTIMIZERS.items()},
                          help="A new optimizer starts with an empty memory.")
    batch_size: int = knob(0, "Batch size", help="Points in each step.", live=True, options=BATCH_SIZES,
                           names={0: "all"})
    momentum: float = knob(0.9, "Momentum", help="Used by SGD with momentum and by Nesterov.", live=True,
                           lo=0.0, hi=0.99, step=0.01, more=True, applies=lambda c: OPTIMIZERS[c.optimizer].momentum)
    weight_decay: float = knob(0.0, "L2 rate (weight decay)", live=True, options=RATES, more=True)
    l1: float = knob(0.0, "L1 rate", help="Pulls weights to exactly zero.", live=True, options=RATES, more=True)
    loss: str = knob("cross_entropy", "Loss", live=True, options=tuple(LOSSES), more=True,
                     names={name: choice[0] for name, choice in LOSSES.items()})
    max_steps: int = knob(100, "Stop after (steps)", help="0 means no limit.", live=True, lo=0, hi=1_000_000, step=100)
    target_loss: float = knob(0.0, "Stop at training loss", help="0 means never.", live=True, lo=0.0, hi=10.0,
                              step=0.001, more=True)
    most_parameters: int = knob(0, "Challenge, parameters at most", help="0 means no challenge.", live=True,
                                lo=0, hi=1_000, step=1, more=True)
    least_accuracy: float = knob(0.0, "Challenge, test accuracy at least (%)", help="0 means no challenge.", live=True,
                                 lo=0.0, hi=100.0, step=0.5, more=True)
    # fmt: on
    table_classes: int = 0  # no knob: the classes of the student's own table, which the run sets where one is in use

    @property
    def widths(self) -> tuple[int, ...]:
        """The units of each hidden layer."""
        every = (self.units_1, self.units_2, self.units_3, self.units_4, self.units_5, self.units_6)
        return every[: self.layers]

    @property
    def outputs(self) -> int:
        """The classes that there are: those of the table in use; and not every cloud comes in every number."""
        return self.table_classes or clouds.classes_of(self.cloud, self.classes)

    @property
    def input_names(self) -> list[str]:
        """The model's inputs, in order."""
        return self.inputs.split(",")


SPIRAL: dict[str, Value] = {
    "cloud": "spiral", "noise": 0.4, "layers": 2, "units_1": 12, "units_2": 12, "activation": "tanh",
    "optimizer": "adam", "lr": 0.01, "batch_size": 32, "max_steps": 0,
}  # fmt: skip
PRESETS: dict[str, dict[str, Value]] = {
    "Tutorial": {},
    "Circle": {"cloud": "circle", "noise": 0.4, "layers": 1, "units_1": 4, "activation": "tanh", "lr": 0.1,
               "batch_size": 10, "max_steps": 0},
    "Circle, no hidden layer": {"cloud": "circle", "noise": 0.4, "layers": 0, "inputs": "x1^2,x2^2", "lr": 0.03,
                                "batch_size": 10, "max_steps": 0},
    "Xor": {"cloud": "xor", "noise": 0.4, "units_1": 6, "activation": "tanh", "lr": 0.1, "batch_size": 10,
            "max_steps": 0},
    "Spiral": SPIRAL,
    "Five arms": SPIRAL | {"classes": 5, "noise": 0.2},
}  # fmt: skip


def generator(config: ClassificationConfig, stream: int) -> torch.Generator:
    """Random numbers of the run's own, one stream for each use."""
    return torch.Generator().manual_seed(config.seed + stream)


def draw_points(config: ClassificationConfig, rows: Sequence[tuple[float, ...]] | None = None) -> Labelled:
    """The points a config describes; or a student's own (x1, x2, class) rows, split as it says."""
    numbers = generator(config, DATA + REDRAWN * config.draw)
    if rows is not None:
        return clouds.table(rows, config.test_share, numbers)
    return clouds.labelled(config.cloud, config.points, config.classes, config.noise, config.test_share, numbers)


def inputs_of(config: ClassificationConfig, x: Tensor) -> Tensor:
    """What the model is given for points x (points, 2): (points, inputs)."""
    return torch.stack([INPUTS[name].function(x) for name in config.input_names], dim=1)


def build_model(config: ClassificationConfig, dropout: models.Dropout | None = None) -> nn.Sequential:
    """The network: the chosen inputs, the hidden layers, one logit for each class."""
    return models.mlp(
        len(config.input_names),
        config.widths,
        config.outputs,
        activation=config.activation,
        initialisation=config.initialisation,
        generator=generator(config, WEIGHTS),
        dropout=dropout,
    )


def optimizer_of(config: ClassificationConfig, model: nn.Module) -> torch.optim.Optimizer:
    """The optimizer a config asks for, over the model's parameters."""
    return build_optimizer(
        config.optimizer,
        model.parameters(),
        lr=config.lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
    )


def loss_of(config: ClassificationConfig, model: nn.Sequential) -> nn.Module:
    """The loss a config trains with, its L1 term included."""
    plain = LOSSES[config.loss][1]()
    return WithL1(plain, model, config.l1) if config.l1 else plain
