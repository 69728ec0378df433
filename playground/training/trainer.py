"""The training loop a student must know, and the little it needs: batches and losses."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from playground.training.optimizers import OPTIMIZERS as OPTIMIZERS
from playground.training.optimizers import build_optimizer as build_optimizer

LOSSES: dict[str, tuple[str, Callable[[], nn.Module], str]] = {
    "mse": ("MSE (mean squared error)", nn.MSELoss, "nn.MSELoss()"),
    "l1": ("L1 (mean absolute error)", nn.L1Loss, "nn.L1Loss()"),
    "huber": ("Huber", nn.HuberLoss, "nn.HuberLoss()"),
}


class Batches:
    """An endless supply of (x, y) batches, shuffled again for each epoch by its own generator.

    With a batch size of 0, or of at least the number of points, each batch is the whole data in its own order.
    """

    def __init__(self, x: Tensor, y: Tensor, batch_size: int, generator: torch.Generator) -> None:
        self.x, self.y = x, y
        self.batch_size = batch_size
        self.generator = generator
        self.epochs = 0
        self.order = torch.empty(0, dtype=torch.long)
        self.position = 0

    @property
    def whole(self) -> bool:
        """Whether each batch is the whole data."""
        return self.batch_size == 0 or self.batch_size >= len(self.x)

    @property
    def steps_per_epoch(self) -> int:
        """The number of batches in an epoch."""
        return 1 if self.whole else -(-len(self.x) // self.batch_size)

    @property
    def left_in_epoch(self) -> int:
        """The number of batches left in the current epoch; those of a whole epoch at its start."""
        if self.whole:
            return 1
        left = len(self.order) - self.position or len(self.x)
        return -(-left // self.batch_size)

    def next(self) -> tuple[Tensor, Tensor]:
        """The next batch: x of shape (batch, features) and its y."""
        if self.whole:
            self.epochs += 1
            return self.x, self.y
        if self.position == len(self.order):
            self.order, self.position = self.new_order(), 0
        chosen = self.order[self.position : self.position + self.batch_size]
        self.position += len(chosen)
        if self.position == len(self.order):
            self.epochs += 1
        return self.x[chosen], self.y[chosen]

    def new_order(self) -> Tensor:
        """The order of the points in the coming epoch: (points,)."""
        return torch.randperm(len(self.x), generator=self.generator)

    def replace(self, x: Tensor, y: Tensor) -> None:
        """Continue with other data; if its size differs, a new epoch begins."""
        if len(x) != len(self.x):
            self.order, self.position = torch.empty(0, dtype=torch.long), 0
        self.x, self.y = x, y

    def resize(self, batch_size: int) -> None:
        """Continue with batches of another size; the points left in a shuffled epoch come first."""
        was_whole, self.batch_size = self.whole, batch_size
        if was_whole or self.whole:
            self.order, self.position = torch.empty(0, dtype=torch.long), 0

    def state_dict(self) -> dict[str, Any]:
        """Everything that determines the coming batches, except the data."""
        return {
            "batch_size": self.batch_size,
            "epochs": self.epochs,
            "order": self.order.clone(),
            "position": self.position,
            "generator": self.generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from where `state_dict` was taken."""
        self.batch_size, self.epochs = state["batch_size"], state["epochs"]
        self.order, self.position = state["order"].clone(), state["position"]
        self.generator.set_state(state["generator"])


class Trainer:
    """A model, its loss function, its optimizer and its batches; `step` is one optimizer update."""

    def __init__(
        self, model: nn.Module, loss_fn: nn.Module, optimizer: torch.optim.Optimizer, batches: Batches
    ) -> None:
        self.model = model
        self.loss_fn = loss_fn
        self.optimizer = optimizer
        self.batches = batches

    def step(self) -> Tensor:
        """Learn from one batch; returns the loss before the update, a scalar tensor."""
        x, y = self.batches.next()
        prediction = self.model(x)
        loss: Tensor = self.loss_fn(prediction, y)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Model, optimizer and batches: what a resumed training needs to be equal to an uninterrupted one."""
        return {
            "model": {name: value.clone() for name, value in self.model.state_dict().items()},
            "optimizer": deepcopy(self.optimizer.state_dict()),  # the next step changes torch's own dict
            "batches": self.batches.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from where `state_dict` was taken."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(deepcopy(state["optimizer"]))
        self.batches.load_state_dict(state["batches"])


class WithoutZeroGrad(Trainer):
    """A trainer whose step leaves out zero_grad(): each gradient is added to the sum of all before it."""

    def step(self) -> Tensor:
        """Learn from one batch, and from what is left in `.grad`; returns the loss before the update."""
        x, y = self.batches.next()
        prediction = self.model(x)
        loss: Tensor = self.loss_fn(prediction, y)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss


class HasZeroGrad(Protocol):
    """A config that says whether a step begins with zero_grad()."""

    @property
    def zero_grad(self) -> bool:
        """Whether it does."""


def trainer_type(config: HasZeroGrad) -> type[Trainer]:
    """The trainer whose step a config describes."""
    return Trainer if config.zero_grad else WithoutZeroGrad
