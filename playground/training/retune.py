"""The optimizer that a config describes, built for a model or changed while a trainer runs."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import nn

from playground.training.optimizers import OPTIMIZERS, build_optimizer
from playground.training.trainer import Trainer


class OptimizerConfig(Protocol):
    """The knobs of an optimizer, as configs of lessons that train call them."""

    @property
    def optimizer(self) -> str:
        """One of OPTIMIZERS."""

    @property
    def lr(self) -> float:
        """Learning rate."""

    @property
    def momentum(self) -> float:
        """Momentum, for optimizers that take one."""

    @property
    def weight_decay(self) -> float:
        """Weight decay."""


def optimizer_of(config: OptimizerConfig, model: nn.Module) -> torch.optim.Optimizer:
    """A new optimizer with the config's settings, over the model's parameters that require a gradient."""
    return build_optimizer(
        config.optimizer,
        [parameter for parameter in model.parameters() if parameter.requires_grad],
        lr=config.lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
    )


def retune_optimizer(trainer: Trainer, config: OptimizerConfig, *, is_new: bool) -> None:
    """Give a running trainer the config's learning rate, momentum and weight decay; `is_new` also its optimizer.

    A new optimizer starts with empty state; otherwise the optimizer keeps its state.
    """
    if is_new:
        trainer.optimizer = optimizer_of(config, trainer.model)
    for group in trainer.optimizer.param_groups:
        group["lr"], group["weight_decay"] = config.lr, config.weight_decay
        if OPTIMIZERS[config.optimizer].momentum:
            group["momentum"] = config.momentum
