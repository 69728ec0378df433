"""What the labs of the lesson Learning rates share: the tutorial's data, its optimizers' settings, and knobs (2.6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playground.knobs import Config, knob
from playground.lessons.learning_rates.trainings import Entry
from playground.training.optimizers import OPTIMIZERS, torch_settings

POINTS = 1000
TUTORIAL = {"momentum": 0.8, "alpha": 0.9, "rho": 0.9, "beta1": 0.9, "beta2": 0.99}
LABELS = {name: "Momentum" if name == "momentum" else choice.label for name, choice in OPTIMIZERS.items()}
MEASURE_EACH = 4  # every fourth point: enough to tell losses apart
LOWEST_RATE, DECADES = -4, 5  # learning rates from 10^-4 to 10


@dataclass(frozen=True)
class TrainingsConfig(Config):
    """Which optimizers, how often, and on what."""

    # fmt: off
    optimizers: str = knob("sgd,momentum,nesterov,adagrad,rmsprop,adadelta,adam", "Optimizers", group="Trainings",
                           options=tuple(OPTIMIZERS), names=LABELS, many=True,
                           help="With the tutorial's settings: momentum 0.8, α 0.9, β 0.9 and 0.99.")
    seeds: int = knob(3, "Seeds", group="Trainings", options=(1, 3, 5, 9),
                      help="Trainings in each cell, from other starts and with other batches; shown is their mean.")
    steps: int = knob(400, "Steps", group="Trainings", options=(100, 200, 400, 800))
    batch_size: int = knob(32, "Batch size", group="Trainings", options=(8, 32, 128), more=True)
    weight_decay: float = knob(0.0, "Weight decay", group="Trainings", options=(0.0, 0.001, 0.01, 0.1), more=True,
                               help="Of all optimizers. At 0, AdamW is Adam.")
    noise: float = knob(0.1, "Noise", help="Its standard deviation, about y = x².", group="Data", lo=0.0, hi=0.5,
                        step=0.05)
    seed: int = knob(0, "Seed", help="Of the noise, and of the first start.", group="Data", lo=0, hi=999, step=1)
    # fmt: on


def names_of(config: TrainingsConfig) -> list[str]:
    """The optimizers chosen."""
    return config.optimizers.split(",")


def entries_of(config: TrainingsConfig) -> list[Entry]:
    """The optimizers chosen, with the tutorial's settings."""
    values = TUTORIAL | {"weight_decay": config.weight_decay}
    return [Entry(name, torch_settings(name, values)) for name in names_of(config)]


def draw_points(noise: float, seed: int) -> tuple[Tensor, Tensor]:
    """The tutorial's data for 2.6: y = x² + noise * normal at 1000 even places in [-1, 1]; both (1000, 1)."""
    x = torch.linspace(-1, 1, POINTS).unsqueeze(dim=1)
    return x, x.pow(2) + noise * torch.randn(x.size(), generator=torch.Generator().manual_seed(seed))


def rates_of(count: int) -> list[float]:
    """Learning rates from 0.0001 to 10, evenly spread by their logarithm, with four digits."""
    return [float(f"{10**power:.4g}") for power in np.linspace(LOWEST_RATE, LOWEST_RATE + DECADES, count)]
