"""A race: trainings side by side that start from the same weights and get the same batches in the same order."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from playground.lessons.optimizers import words
from playground.runs import state_checks as check
from playground.runs.state import load_optimizer_state, optimizer_state
from playground.training.optimizers import build_optimizer, torch_settings
from playground.training.trainer import Batches, Trainer

MAX_LOSS = 1e6  # a racer with a larger loss drops out
SMOOTHING = 0.9  # the share of the smoothed loss that each step keeps; the rest is the new batch's loss
SAVED = ("loss", "smooth", "seconds", "left_at", "why", "fed")  # of each racer in a checkpoint
REASONS = ("", "number", "bound")  # why a racer dropped out, by the keys of words.WHY


@dataclass(frozen=True)
class Entry:
    """A participant: a unique name, its label, one of OPTIMIZERS, its learning rate and its settings."""

    name: str
    label: str
    optimizer: str
    lr: float
    settings: Mapping[str, float] = field(default_factory=dict)


class SharedBatches:
    """The batches of a race: one is drawn for each step, and every racer's RacerBatches give it."""

    def __init__(self, batches: Batches) -> None:
        self.batches = batches
        self.batch = (batches.x[:0], batches.y[:0])
        self.checksum = b""  # of the batch

    def draw(self) -> None:
        """Draw the batch of the next step."""
        self.batch = x, y = self.batches.next()
        self.checksum = _crc(y, _crc(x, 0)).to_bytes(4, "big")

    def peek(self) -> tuple[Tensor, Tensor]:
        """The batch of the next step, without drawing it."""
        state = self.batches.state_dict()
        coming = self.batches.next()
        self.batches.load_state_dict(state)
        return coming


class RacerBatches(Batches):
    """One racer's batches: those that all share, with a checksum of all batches that it has got."""

    def __init__(self, shared: SharedBatches) -> None:
        self.shared = shared
        self.checksum = 0

    def next(self) -> tuple[Tensor, Tensor]:
        """The batch of this step, the same for all."""
        self.checksum = zlib.crc32(self.shared.checksum, self.checksum)
        return self.shared.batch


class Racer:
    """One training in a race: a plain Trainer with its losses, its time, and when and why it dropped out.

    `left_at` is the step at which it dropped out, -1 while it runs.
    """

    def __init__(self, entry: Entry, model: nn.Sequential, loss_fn: nn.Module, shared: SharedBatches) -> None:
        self.entry = entry
        self.start = checksum(model)  # of the weights at step 0
        self.batches = RacerBatches(shared)
        self.trainer = Trainer(model, loss_fn, self._optimizer(model), self.batches)
        self.parameters = list(model.parameters())
        self.loss = self.smooth = math.nan
        self.seconds = 0.0
        self.left_at = -1
        self.why = ""

    def _optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        entry = self.entry
        return build_optimizer(entry.optimizer, model.parameters(), lr=entry.lr, settings=entry.settings)

    @property
    def group(self) -> dict[str, Any]:
        """The optimizer's settings as torch holds them."""
        groups: list[dict[str, Any]] = self.trainer.optimizer.param_groups
        return groups[0]

    @property
    def left(self) -> bool:
        """Whether it has dropped out."""
        return self.left_at >= 0

    def retune(self, entry: Entry) -> None:
        """Continue with other settings; the optimizer keeps its state."""
        self.entry = entry
        self.group.update(torch_settings(entry.optimizer, entry.settings))

    def record_loss(self, loss: float) -> bool:
        """Keep the loss of a batch; returns whether the racer stays in the race."""
        self.loss = loss
        self.smooth = loss if math.isnan(self.smooth) else SMOOTHING * self.smooth + (1 - SMOOTHING) * loss
        return loss <= MAX_LOSS  # False for NaN, too

    def copy_state(self) -> list[dict[str, Any]]:
        """A copy of the optimizer's `state` for each parameter, empty before the first step."""
        state = self.trainer.optimizer.state
        return [{key: _copied(value) for key, value in state.get(each, {}).items()} for each in self.parameters]

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it, apart from weights and optimizer."""
        return {
            "loss": check.finite_or_none(self.loss),
            "smooth": check.finite_or_none(self.smooth),
            "seconds": self.seconds,
            "left_at": self.left_at,
            "why": self.why,
            "fed": self.batches.checksum,
        }

    def load_state_dict(self, state: Any) -> None:
        """Take over what `state_dict` gave. Raises StateError."""
        row = check.entries(state, SAVED, "own/racers")
        self.loss, self.smooth = _loss(row["loss"]), _loss(row["smooth"])
        self.seconds = check.number(row["seconds"], "seconds")
        self.left_at = check.whole(row["left_at"], "left_at", least=-1)
        self.why = check.one_of(row["why"], REASONS, "why")
        self.batches.checksum = check.whole(row["fed"], "fed", most=2**32 - 1)
        if self.left is not (self.why != ""):
            raise check.StateError(words.BAD_DROP_OUT)


class Placing(NamedTuple):
    """A racer with its loss at some step and its place: 1 is the lowest loss, 0 has dropped out."""

    racer: Racer
    loss: float
    place: int


class Race:
    """Racers over the same batches, all at the same step; used as a Trainer is."""

    def __init__(self, racers: Sequence[Racer], shared: SharedBatches, loss_fn: nn.Module) -> None:
        self.racers = tuple(racers)
        self.running = list(racers)
        self.shared = shared
        self.loss_fn = loss_fn
        self.model = nn.Sequential(*(racer.trainer.model for racer in racers))
        self.steps = 0

    @property
    def batches(self) -> Batches:
        """The batches that all racers share."""
        return self.shared.batches

    def step(self) -> Tensor:
        """One optimizer update of every racer that is still running, all from the same batch.

        Returns the lowest loss before the update; NaN if every racer has dropped out.
        """
        self.shared.draw()
        self.steps += 1
        dropped_out, best = [], math.inf
        for racer in self.running:
            begun = time.perf_counter()
            loss = racer.trainer.step().item()
            racer.seconds += time.perf_counter() - begun
            if racer.record_loss(loss):
                best = min(best, loss)
            else:
                dropped_out.append(racer)
        for racer in dropped_out:
            self._drop_out(racer)
        return torch.tensor(best if self.running else math.nan)

    def _drop_out(self, racer: Racer) -> None:
        racer.left_at, racer.why = self.steps, "number" if not math.isfinite(racer.loss) else "bound"
        self.running.remove(racer)

    def set_rates(self, factor: float) -> None:
        """Multiply every racer's own learning rate by a schedule's factor, for the steps to come."""
        for racer in self.running:
            racer.group["lr"] = racer.entry.lr * factor

    def is_running(self, racer: Racer, loss: float, steps: int) -> bool:
        """Whether a racer was still in the race at a step, with this loss."""
        return math.isfinite(loss) and not 0 <= racer.left_at <= steps

    def placings(self, losses: Sequence[float], steps: int) -> list[Placing]:
        """The racers in their own order with these losses, and their places at a step."""
        pairs = list(zip(self.racers, losses, strict=True))
        running = sorted(loss for racer, loss in pairs if self.is_running(racer, loss, steps))
        return [
            Placing(racer, loss, running.index(loss) + 1 if self.is_running(racer, loss, steps) else 0)
            for racer, loss in pairs
        ]

    @property
    def starts(self) -> int:
        """How many different sets of weights the racers started from; 1 in a fair race."""
        return len({racer.start for racer in self.racers})

    @property
    def orders(self) -> int:
        """How many different sequences of batches the running racers have got; 1 in a fair race."""
        return len({racer.batches.checksum for racer in self.running or self.racers[:1]})

    def optimizer_states(self) -> dict[str, Any]:
        """The state of each racer's optimizer, by the racer's name."""
        return {racer.entry.name: optimizer_state(racer.trainer.optimizer) for racer in self.racers}

    def load_optimizer_states(self, state: Any) -> None:
        """Take over what `optimizer_states` gave. Raises StateError."""
        found = check.entries(state, [racer.entry.name for racer in self.racers], "optimizer")
        for racer in self.racers:
            load_optimizer_state(racer.trainer.optimizer, found[racer.entry.name])

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of each racer, by its name."""
        return {racer.entry.name: racer.state_dict() for racer in self.racers}

    def load_state_dict(self, state: Any) -> None:
        """Take over what `state_dict` gave. Raises StateError."""
        found = check.entries(state, [racer.entry.name for racer in self.racers], "own/racers")
        for racer in self.racers:
            racer.load_state_dict(found[racer.entry.name])
        self.running = [racer for racer in self.racers if not racer.left]


@torch.enable_grad()
def gradients(model: nn.Module, loss_fn: nn.Module, batch: tuple[Tensor, Tensor]) -> list[Tensor]:
    """The gradient of each parameter for a batch of x and y; the model and its own gradients stay as they are."""
    x, y = batch
    return list(torch.autograd.grad(loss_fn(model(x), y), list(model.parameters())))


def checksum(model: nn.Module) -> int:
    """A checksum (CRC-32) of a model's parameters, bit for bit."""
    value = 0
    for parameter in model.parameters():
        value = _crc(parameter.detach().contiguous(), value)
    return value


def order_checksum(batches: Batches) -> int:
    """A checksum (CRC-32) of the next epoch's batches in their order, without drawing them."""
    state, value = batches.state_dict(), 0
    for _ in range(batches.left_in_epoch):
        x, y = batches.next()
        value = _crc(y, _crc(x, value))
    batches.load_state_dict(state)
    return value


def _crc(tensor: Tensor, value: int) -> int:
    return zlib.crc32(tensor.numpy().data, value)


def _loss(value: Any) -> float:
    return math.nan if value is None else check.number(value, "loss", most=1e300)


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value
