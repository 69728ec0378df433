"""What a classification run is built from: its knobs, its points, its inputs, its model and its loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from playground.knobs import Config, knob
from playground.lessons.classification import clouds
from playground.lessons.classification.clouds import CLOUDS, MAX_CLASSES, LabelledPoints
from playground.training import models, training_knobs

MAX_LAYERS = 6
MAX_UNITS = 12  # of a hidden layer
LEARNING_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
PENALTIES = (0.0, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1)  # rates of L1 and of weight decay
BATCH_SIZES = (0, 1, 5, 10, 20, 32, 50, 100)
# Offsets that keep the data's, the weights', the batches' and the dropout's random numbers apart for one seed.
DATA, WEIGHTS, ORDER, DROPOUT = 0, 10_000, 20_000, 30_000
RESAMPLED = 40_000  # is added for each new sample of the points


@dataclass(frozen=True)
class Input:
    """A number that the model gets for each point: its label, its function, and its code for a script."""

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
    """The Brier score: the mean over points of the sum over classes of (probability - target)², target 0 or 1."""

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Logits (batch, classes) and labels (batch,) -> a scalar."""
        one_hot = nn.functional.one_hot(target, logits.shape[1])
        return ((logits.softmax(dim=1) - one_hot) ** 2).sum(dim=1).mean()


class SoftmaxTwice(nn.Module):
    """A common mistake: cross-entropy of probabilities. It applies softmax itself, so here softmax is applied twice.

    Two probabilities differ by 1 at most, so the loss cannot fall below log(1 + (classes - 1) / e).
    """

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Logits (batch, classes) and labels (batch,) -> a scalar."""
        return nn.functional.cross_entropy(logits.softmax(dim=1), target)


LOSSES: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "cross_entropy": ("Cross-entropy", nn.CrossEntropyLoss),
    "brier": ("Squared error of probabilities", Brier),
    "softmax_twice": ("Softmax twice (a mistake)", SoftmaxTwice),
}


class WithL1(nn.Module):
    """A loss plus `rate` times the L1 norm of the model's weights (biases excluded).

    Its gradient is a subgradient, `rate` times the sign: a step moves each weight by lr * rate, also past zero. So
    weights end near zero and not at it, as they would with a soft threshold.
    """

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
    return knob(default, f"Units in layer {layer}", group="Model", lo=1, hi=MAX_UNITS, step=1, live=True,
                applies=lambda config: config.layers >= layer, more=layer > 2)  # fmt: skip


@dataclass(frozen=True)
class ClassificationConfig(Config):
    """The settings of one classification; the defaults are the tutorial's."""

    # fmt: off
    cloud: str = knob("blobs", "Data", group="Data", live=True, options=tuple(CLOUDS),
                      names=training_knobs.labels(CLOUDS))
    noise: float = knob(1.0, "Noise", help="Standard deviation for blobs; other data gets a quarter of it.",
                        group="Data", live=True, lo=0.0, hi=3.0, step=0.1)
    classes: int = knob(2, "Classes", help="Circle and moons have two classes, xor has two or four.", group="Data",
                        live=True, lo=2, hi=MAX_CLASSES, step=1, more=True)
    points: int = knob(100, "Training points per class", group="Data", live=True, lo=5, hi=500, step=5, more=True)
    test_share: float = knob(0.5, "Test share", help="Test points per training point: 0.5 means 50 for 100.",
                             group="Data", live=True, lo=0.0, hi=1.0, step=0.1, more=True)
    seed: int = training_knobs.seed()
    draw: int = knob(0, "Resample the points", help="Draws new points (or a new train/test split of your table). The "
                     "model keeps its weights.", group="Data", live=True, lo=0, hi=99, step=1, more=True)
    brush: int = knob(0, "Class of added points", help="A click on the map adds a point of this class.", group="Data",
                      live=True, more=True, lo=0, hi=MAX_CLASSES - 1, step=1)
    inputs: str = knob("x1,x2", "Inputs", help="The numbers that the model gets for each point.", group="Model",
                       live=True, many=True, options=tuple(INPUTS), names=training_knobs.labels(INPUTS))
    layers: int = knob(1, "Hidden layers", group="Model", lo=0, hi=MAX_LAYERS, step=1, live=True)
    units_1: int = _units(1)
    units_2: int = _units(2)
    units_3: int = _units(3)
    units_4: int = _units(4)
    units_5: int = _units(5)
    units_6: int = _units(6)
    activation: str = training_knobs.activation("relu", applies=lambda config: config.layers > 0)
    initialisation: str = training_knobs.initialisation("default")
    dropout: float = knob(0.0, "Dropout", help="Share of the hidden units that are left out at random in each step.",
                          group="Model", live=True, lo=0.0, hi=0.8, step=0.1, more=True,
                          applies=lambda config: config.layers > 0)
    lr: float = training_knobs.learning_rate(0.02, LEARNING_RATES)
    optimizer: str = training_knobs.optimizer("sgd")
    batch_size: int = training_knobs.batch_size(0, BATCH_SIZES)
    momentum: float = training_knobs.momentum(0.9)
    weight_decay: float = training_knobs.weight_decay(0.0, PENALTIES, label="L2 rate (weight decay)")
    l1: float = knob(0.0, "L1 rate", help="Pulls all weights to 0 equally hard, whatever their size. Those that the "
                     "loss does not need end within one step of 0, but not at exactly 0.", live=True,
                     options=PENALTIES, more=True)
    loss: str = knob("cross_entropy", "Loss", live=True, options=tuple(LOSSES), more=True,
                     names={name: choice[0] for name, choice in LOSSES.items()})
    max_steps: int = training_knobs.max_steps(100)
    target_loss: float = training_knobs.target_loss(0.0)
    most_parameters: int = knob(0, "Challenge: max. parameters", help="0 means no challenge.", live=True,
                                lo=0, hi=1_000, step=1, more=True)
    least_accuracy: float = knob(0.0, "Challenge: min. test accuracy (%)", help="0 means no challenge.", live=True,
                                 lo=0.0, hi=100.0, step=0.5, more=True)
    # fmt: on
    table_classes: int = 0  # not a knob: the number of classes of the student's own table, or 0 if none is in use

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units in each hidden layer."""
        every = (self.units_1, self.units_2, self.units_3, self.units_4, self.units_5, self.units_6)
        return every[: self.layers]

    @property
    def outputs(self) -> int:
        """The number of classes, which is the number of the model's outputs."""
        return self.table_classes or clouds.class_count(self.cloud, self.classes)

    @property
    def input_names(self) -> list[str]:
        """The model's inputs, in order."""
        return self.inputs.split(",")


def generator(config: ClassificationConfig, stream: int) -> torch.Generator:
    """A new generator with the run's own random numbers, one stream for each use."""
    return torch.Generator().manual_seed(config.seed + stream)


def data_numbers(config: ClassificationConfig) -> torch.Generator:
    """A new generator with the random numbers of the points."""
    return generator(config, DATA + RESAMPLED * config.draw)


def draw_points(config: ClassificationConfig, rows: Sequence[tuple[float, ...]] | None = None) -> LabelledPoints:
    """The points that a config describes, or a student's own rows (x1, x2, class), split by its test share."""
    numbers = data_numbers(config)
    if rows is not None:
        return clouds.table(rows, config.test_share, numbers)
    return clouds.labelled_points(config.cloud, config.points, config.classes, config.noise, config.test_share, numbers)


def inputs_of(config: ClassificationConfig, x: Tensor) -> Tensor:
    """The model's inputs for points x (points, 2): (points, inputs)."""
    return torch.stack([INPUTS[name].function(x) for name in config.input_names], dim=1)


def build_model(config: ClassificationConfig, dropout: models.Dropout | None = None) -> nn.Sequential:
    """The model: the chosen inputs, the hidden layers, one logit for each class."""
    return models.mlp(
        len(config.input_names),
        config.widths,
        config.outputs,
        activation=config.activation,
        initialisation=config.initialisation,
        generator=generator(config, WEIGHTS),
        dropout=dropout,
    )


def loss_of(config: ClassificationConfig, model: nn.Sequential) -> nn.Module:
    """The loss function that a config trains with, its L1 term included."""
    loss_fn = LOSSES[config.loss][1]()
    return WithL1(loss_fn, model, config.l1) if config.l1 else loss_fn
