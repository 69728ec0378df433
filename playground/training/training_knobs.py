"""Knobs that lessons which train have in common; each lesson gives its defaults and its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from playground.knobs import knob
from playground.training.models import ACTIVATIONS, INITIALISATIONS
from playground.training.optimizers import OPTIMIZERS


class HasLabel(Protocol):
    """A choice that has a label."""

    @property
    def label(self) -> str:
        """Its label."""


def labels(choices: Mapping[str, HasLabel]) -> dict[Any, str]:
    """The label of each choice, as a knob's `names`."""
    return {name: choice.label for name, choice in choices.items()}


def seed() -> Any:
    """Seed of the data, the weights and the batches."""
    return knob(1, "Seed", help="The same seed gives the same data, weights and batches.", group="Data",
                lo=0, hi=9999, step=1, more=True)  # fmt: skip


def activation(default: str, *, applies: Callable[[Any], bool]) -> Any:
    """Activation function of the hidden layers."""
    return knob(default, "Activation", group="Model", live=True, options=tuple(ACTIVATIONS), names=labels(ACTIVATIONS),
                applies=applies)  # fmt: skip


def initialisation(default: str) -> Any:
    """How the weights start."""
    return knob(default, "Initialisation", help="How the starting weights are drawn.", group="Model", more=True,
                options=tuple(INITIALISATIONS), names=labels(INITIALISATIONS))  # fmt: skip


def learning_rate(default: float, options: tuple[float, ...]) -> Any:
    """Learning rate."""
    return knob(default, "Learning rate", help="How far each step goes against the gradient.", live=True,
                options=options, bar=True)  # fmt: skip


def optimizer(default: str) -> Any:
    """Optimizer, one of OPTIMIZERS."""
    return knob(default, "Optimizer", help="A new optimizer starts with empty state.", live=True,
                options=tuple(OPTIMIZERS), names=labels(OPTIMIZERS), bar=True)  # fmt: skip


def batch_size(default: int, options: tuple[int, ...]) -> Any:
    """Batch size in points; 0 is all of them."""
    return knob(default, "Batch size", help="Points in each step.", live=True, options=options, names={0: "all"},
                bar=True)  # fmt: skip


def momentum(default: float) -> Any:
    """Momentum of the optimizers that take one."""
    return knob(default, "Momentum", help="Used by SGD with momentum and by Nesterov.", live=True,
                lo=0.0, hi=0.99, step=0.01, more=True,
                applies=lambda config: OPTIMIZERS[config.optimizer].momentum)  # fmt: skip


def weight_decay(default: float, options: tuple[float, ...], *, label: str = "Weight decay") -> Any:
    """Weight decay."""
    return knob(default, label, live=True, options=options, more=True)


def max_steps(default: int) -> Any:
    """Stop rule: a number of steps."""
    return knob(default, "Stop after (steps)", help="0 means no limit.", names={0: "no limit"}, live=True,
                lo=0, hi=1_000_000, step=100)  # fmt: skip


def target_loss(default: float) -> Any:
    """Stop rule: a training loss."""
    return knob(default, "Stop at training loss", help="0 means never.", names={0.0: "never"}, live=True, lo=0.0,
                hi=10.0, step=0.001, more=True)  # fmt: skip
