"""A sweep: every optimizer at every learning rate from several seeds, trained side by side as one stacked model.

Each training gets what it would get alone: all trainings of one seed start from the same weights and get the same
batches in the same order, whatever their optimizer and rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from playground.training.models import mlp
from playground.training.stacked import Stacked, StackedOptimizer, StackedPart
from playground.training.trainer import Batches

Array = NDArray[Any]
HIDDEN = 20  # units, as in the tutorial
MAX_LOSS = 100.0  # a training with a larger loss has diverged: the data lies between 0 and 1
COPIES_AT_ONCE = 64  # measured together, so that memory stays small


class Sweep:
    """The trainings of all optimizers, rates and seeds: copies in this order, the seed running fastest."""

    def __init__(
        self,
        optimizers: Sequence[StackedPart],
        rates: Sequence[float],
        seeds: Sequence[int],
        data: tuple[Tensor, Tensor],
        *,
        batch_size: int,
        measure_each: int = 1,
    ) -> None:
        """Data x and y of shape (points, 1); losses are measured on each `measure_each`-th point."""
        self.shape = (len(optimizers), len(rates), len(seeds))
        starts = [start_model(seed) for seed in seeds]
        self.model = Stacked(starts * (len(optimizers) * len(rates)), nn.ReLU(inplace=True))
        lr = torch.tensor(rates, dtype=torch.float32).repeat_interleave(len(seeds)).repeat(len(optimizers))  # (copies,)
        self.optimizer = StackedOptimizer(self.model, optimizers, lr)
        self.batches = [batches_of(seed, data, batch_size) for seed in seeds]
        self.points = data[0][::measure_each], data[1][::measure_each]
        self.steps = 0

    def step(self) -> None:
        """One update of every training: the gradient of the summed loss is, for each copy, that of its own loss."""
        x, y = self.next_batch()
        loss = functional.mse_loss(self.model(x), y, reduction="sum")
        self.optimizer.zero_grad()
        loss.backward(torch.tensor(1 / x.shape[1]))  # type: ignore[no-untyped-call]  # a copy's loss is a mean
        self.optimizer.step()
        self.steps += 1

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """Each seed's next batch, for all its copies: x and y of shape (copies, batch, 1)."""
        drawn = [batches.next() for batches in self.batches]
        cells = self.shape[0] * self.shape[1]
        if len(drawn) == 1:
            return drawn[0][0].expand(cells, -1, -1), drawn[0][1].expand(cells, -1, -1)
        x, y = torch.stack([x for x, _ in drawn]), torch.stack([y for _, y in drawn])  # (seeds, batch, 1)
        return x.repeat(cells, 1, 1), y.repeat(cells, 1, 1)

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimizers, batches and the step, copied."""
        return {
            "steps": self.steps, "weights": self.model.flat.clone(), "optimizer": self.optimizer.state_dict(),
            "batches": [each.state_dict() for each in self.batches],
        }  # fmt: skip

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from where `state_dict` was taken."""
        self.steps = state["steps"]
        self.model.flat.copy_(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        for each, kept in zip(self.batches, state["batches"], strict=True):
            each.load_state_dict(kept)

    @torch.no_grad()
    def losses(self) -> Array:
        """The mean squared error of every training on the measured points: (optimizers, rates, seeds)."""
        x, y = self.points
        found = []
        for start in range(0, len(self.model), COPIES_AT_ONCE):
            prediction = self.model.of_part(start, start + COPIES_AT_ONCE, x.unsqueeze(0))  # (copies, points, 1)
            found.append((prediction - y).square_().mean(dim=(1, 2)))
        return np.asarray(torch.cat(found).reshape(self.shape).numpy())


def start_model(seed: int) -> nn.Sequential:
    """The tutorial's model, 1-20-1 with ReLU, with the initial weights of a seed."""
    return mlp(1, [HIDDEN], 1, generator=torch.Generator().manual_seed(2 * seed))


def batches_of(seed: int, data: tuple[Tensor, Tensor], batch_size: int) -> Batches:
    """The batches that every training of a seed gets."""
    return Batches(*data, batch_size, torch.Generator().manual_seed(2 * seed + 1))


def has_diverged(losses: Array) -> Array:
    """Where a loss is not finite or above MAX_LOSS: the shape of the losses."""
    return ~(losses <= MAX_LOSS)
