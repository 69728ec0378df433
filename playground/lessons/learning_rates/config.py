"""What the labs of the lesson share: the tutorial's data, its optimizers' settings, and knobs (2.6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playground.knobs import Config, knob
from playground.training.optimizers import OPTIMIZERS
from playground.training.stacked import StackedPart

POINTS = 1000
TUTORIAL = {"momentum": 0.8, "alpha": 0.9, "rho": 0.9, "beta1": 0.9, "beta2": 0.99}
LABELS = {name: choice.short_label for name, choice in OPTIMIZERS.items()}
MEASURE_EACH = 4  # losses are measured on every fourth point: enough to tell them apart
MIN_RATE_POWER, MAX_RATE_POWER = -4, 1  # learning rates from 10^-4 to 10


@dataclass(frozen=True)
class TrainingsConfig(Config):
    """The optimizers to train, how often, and on which data."""

    # fmt: off
    optimizers: str = knob("sgd,momentum,nesterov,adagrad,rmsprop,adadelta,adam", "Optimizers", group="Trainings",
                           options=tuple(OPTIMIZERS), names=LABELS, many=True,
                           help="With the tutorial's settings: momentum 0.8, α 0.9, β 0.9 and 0.99.")
    seeds: int = knob(3, "Seeds", group="Trainings", bar=True, options=(1, 3, 5, 9),
                      help="Trainings per cell, each with its own start and batches; the map shows the mean.")
    steps: int = knob(400, "Steps", group="Trainings", bar=True, options=(100, 200, 400, 800))
    batch_size: int = knob(32, "Batch size", group="Trainings", options=(8, 32, 128), more=True)
    weight_decay: float = knob(0.0, "Weight decay", group="Trainings", options=(0.0, 0.001, 0.01, 0.1), more=True,
                               help="Used by all optimizers. With 0, AdamW equals Adam.")
    noise: float = knob(0.1, "Noise", help="Standard deviation of the noise around x².", group="Data", lo=0.0, hi=0.5,
                        step=0.05)
    seed: int = knob(0, "Seed", help="Seed of the noise and of the first start.", group="Data", lo=0, hi=999, step=1)
    # fmt: on


def names_of(config: TrainingsConfig) -> list[str]:
    """The chosen optimizers."""
    return config.optimizers.split(",")


def parts_of(config: TrainingsConfig) -> list[StackedPart]:
    """The chosen optimizers with the tutorial's settings."""
    settings = TUTORIAL | {"weight_decay": config.weight_decay}
    return [StackedPart(name, settings) for name in names_of(config)]


def draw_points(noise: float, seed: int) -> tuple[Tensor, Tensor]:
    """The tutorial's data for 2.6: y = x² + noise * normal at 1000 evenly spaced x in [-1, 1]; both (1000, 1)."""
    x = torch.linspace(-1, 1, POINTS).unsqueeze(dim=1)
    return x, x.pow(2) + noise * torch.randn(x.size(), generator=torch.Generator().manual_seed(seed))


def rates_of(count: int) -> list[float]:
    """Learning rates from 0.0001 to 10, evenly spaced on a log scale and rounded to four digits."""
    return [float(f"{10**power:.4g}") for power in np.linspace(MIN_RATE_POWER, MAX_RATE_POWER, count)]
