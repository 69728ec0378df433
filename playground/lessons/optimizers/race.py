"""A race: trainings side by side that start from the same weights and see the same batches in the same order."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from playground.training.optimizers import build_optimizer, torch_settings
from playground.training.trainer import Batches, Trainer

MOST_LOSS = 1e6  # a racer whose loss is larger has left the track
KEPT = 0.9  # of the smoothed loss at each step; the rest is the new batch's


@dataclass(frozen=True)
class Entry:
    """Who takes part: a name of its own, its label, one of OPTIMIZERS, its learning rate and its settings."""

    name: str
    label: str
    optimizer: str
    lr: float
    settings: Mapping[str, float] = field(default_factory=dict)


class Dealer:
    """Gives every racer the very same batch: one is drawn for a step, and each racer's `Feed` hands it on.

    `stamp` is the dealt batch's checksum.
    """

    def __init__(self, batches: Batches) -> None:
        self.batches = batches
        self.dealt = (batches.x[:0], batches.y[:0])
        self.stamp = b""

    def deal(self) -> None:
        """Draw the batch of the next step."""
        self.dealt = x, y = self.batches.next()
        self.stamp = _crc(y, _crc(x, 0)).to_bytes(4, "big")

    def peek(self) -> tuple[Tensor, Tensor]:
        """The batch that the next step will draw; it is drawn all the same."""
        state = self.batches.state_dict()
        coming = self.batches.next()
        self.batches.load_state_dict(state)
        return coming


class Feed(Batches):
    """One racer's batches: those that are dealt, with a checksum of all that it has been given."""

    def __init__(self, dealer: Dealer) -> None:
        self.dealer = dealer
        self.checksum = 0

    def next(self) -> tuple[Tensor, Tensor]:
        """The batch that was dealt, the same for all."""
        self.checksum = zlib.crc32(self.dealer.stamp, self.checksum)
        return self.dealer.dealt


class Racer:
    """One training in a race: a plain Trainer, with its losses, its time, and why it left, if it did."""

    def __init__(self, entry: Entry, model: nn.Sequential, loss_fn: nn.Module, dealer: Dealer) -> None:
        self.entry = entry
        self.start = checksum(model)  # of the weights at step 0
        self.feed = Feed(dealer)
        self.trainer = Trainer(model, loss_fn, self._optimizer(model), self.feed)
        self.parameters = list(model.parameters())
        self.loss = self.smooth = math.nan
        self.seconds = 0.0
        self.left_at = -1
        self.why = ""

    def _optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        entry = self.entry
        rest = {name: value for name, value in entry.settings.items() if name != "weight_decay"}
        decay = entry.settings.get("weight_decay", 0.0)
        return build_optimizer(entry.optimizer, model.parameters(), lr=entry.lr, weight_decay=decay, settings=rest)

    @property
    def group(self) -> dict[str, Any]:
        """The optimizer's settings as torch holds them."""
        groups: list[dict[str, Any]] = self.trainer.optimizer.param_groups
        return groups[0]

    @property
    def left(self) -> bool:
        """Whether it has left the race."""
        return self.left_at >= 0

    def retune(self, entry: Entry) -> None:
        """Go on with other settings, and the same memory."""
        self.entry = entry
        self.group.update(torch_settings(entry.optimizer, entry.settings))

    def note(self, loss: float) -> bool:
        """Remember a batch's loss; False where the racer has left the track."""
        self.loss = loss
        self.smooth = loss if math.isnan(self.smooth) else KEPT * self.smooth + (1 - KEPT) * loss
        return loss <= MOST_LOSS  # False for NaN, too

    def memory(self) -> list[dict[str, Any]]:
        """A copy of the optimizer's `state` for each parameter, empty before the first step."""
        state = self.trainer.optimizer.state
        return [{key: _copied(value) for key, value in state.get(each, {}).items()} for each in self.parameters]


class Race:
    """Racers over the same batches, in step with each other; used as a Trainer is."""

    def __init__(self, racers: Sequence[Racer], dealer: Dealer, loss_fn: nn.Module) -> None:
        self.racers = tuple(racers)
        self.running = list(racers)
        self.dealer = dealer
        self.loss_fn = loss_fn
        self.model = nn.Sequential(*(racer.trainer.model for racer in racers))
        self.steps = 0

    @property
    def batches(self) -> Batches:
        """The batches that all are dealt."""
        return self.dealer.batches

    def step(self) -> Tensor:
        """One optimizer update of every racer that is still running, all from the same batch.

        Returns the lowest loss before the update; NaN when nobody runs any more.
        """
        self.dealer.deal()
        self.steps += 1
        lost, best = [], math.inf
        for racer in self.running:
            begun = time.perf_counter()
            loss = racer.trainer.step().item()
            racer.seconds += time.perf_counter() - begun
            if racer.note(loss):
                best = min(best, loss)
            else:
                lost.append(racer)
        for racer in lost:
            self._leave(racer)
        return torch.tensor(best if self.running else math.nan)

    def _leave(self, racer: Racer) -> None:
        racer.left_at, racer.why = self.steps, "number" if not math.isfinite(racer.loss) else "bound"
        self.running.remove(racer)

    def set_rates(self, factor: float) -> None:
        """Multiply every racer's own learning rate by a schedule's factor, for the steps to come."""
        for racer in self.running:
            racer.group["lr"] = racer.entry.lr * factor

    @property
    def starts(self) -> int:
        """How many different sets of weights the racers started from; 1 in a fair race."""
        return len({racer.start for racer in self.racers})

    @property
    def orders(self) -> int:
        """How many different sequences of batches the running racers have been given; 1 in a fair race."""
        return len({racer.feed.checksum for racer in self.running or self.racers[:1]})


@torch.enable_grad()
def gradients(model: nn.Module, loss_fn: nn.Module, batch: tuple[Tensor, Tensor]) -> list[Tensor]:
    """The gradient of each parameter for a batch of x and y; nothing is changed."""
    x, y = batch
    return list(torch.autograd.grad(loss_fn(model(x), y), list(model.parameters())))


def checksum(model: nn.Module) -> int:
    """A checksum (CRC-32) of a model's parameters, bit for bit."""
    value = 0
    for parameter in model.parameters():
        value = _crc(parameter.detach().contiguous(), value)
    return value


def order_checksum(batches: Batches) -> int:
    """A checksum (CRC-32) of the order in which the next epoch's batches will come; they still come."""
    state, value = batches.state_dict(), 0
    for _ in range(batches.left_in_epoch):
        x, y = batches.next()
        value = _crc(y, _crc(x, value))
    batches.load_state_dict(state)
    return value


def _crc(tensor: Tensor, value: int) -> int:
    return zlib.crc32(tensor.numpy().data, value)


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value
