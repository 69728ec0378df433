"""Steps that would take long are prepared in parts, layer by layer, with the same numbers as in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from playground.lessons.cnn.metrics import TrainingMetrics
from playground.lessons.cnn.model import SIDE, BatchNorm
from playground.training.models import Dropout
from playground.training.precision import rounding
from playground.training.trainer import Batches, Trainer

LONG_STEP = 0.5e9  # multiplications in the forward pass of a batch: on one core, about 30 ms for a step


def is_long(trainer: Trainer) -> bool:
    """Whether a step takes so long that it is worth to prepare it in parts."""
    assert isinstance(trainer.model, nn.Sequential)
    batches = trainer.batches
    return min(batches.batch_size, len(batches.x)) * multiplications(trainer.model) > LONG_STEP


def multiplications(model: nn.Sequential) -> int:
    """The multiplications of a forward pass for one image."""
    count, side = 0, SIDE
    for module in model:
        if isinstance(module, nn.Conv2d):
            count += side * side * module.weight.numel()
        elif isinstance(module, nn.Linear):
            count += module.weight.numel()
        elif isinstance(module, (nn.MaxPool2d, nn.AvgPool2d)):
            side //= 2
    return count


class PreparedStep:
    """One update of a trainer up to its optimizer's step, in parts. Nothing of the trainer changes before `take`.

    A part is the forward or the backward pass of one module. The operations are those of `Trainer.step`, with the same
    arguments, so the weights are the same bit for bit.
    """

    def __init__(self, trainer: LongTrainer) -> None:
        assert isinstance(trainer.model, nn.Sequential)
        assert isinstance(trainer.loss_fn, TrainingMetrics)
        self.is_ready = False
        self._trainer, self._model, self._metrics = trainer, trainer.model, trainer.loss_fn
        self._gradients: list[tuple[nn.Parameter, Tensor]] = []
        self._changes: list[Callable[[], object]] = []  # what a forward pass changes in the trainer
        self._parts = self._prepare()

    def advance(self) -> None:
        """Compute the next part."""
        if next(self._parts, self) is self:
            self.is_ready = True

    def take(self) -> Tensor:
        """Give the trainer what was computed, and let its optimizer step; returns the loss."""
        trainer = self._trainer
        for change in self._changes:
            change()
        trainer.optimizer.zero_grad()
        for parameter, gradient in self._gradients:
            parameter.grad = gradient
        trainer.optimizer.step()
        return self._loss

    def _prepare(self) -> Iterator[None]:
        with _kept(self._trainer.batches, self._changes):
            x, y = self._trainer.batches.next()
        yield
        passes: list[tuple[Tensor, list[nn.Parameter], Tensor]] = []  # input, parameters, output of each module
        for module in self._model:
            x = x.detach().requires_grad_(bool(passes))  # nobody needs the gradient of the images
            with self._trainer.rounding(), _unchanged(module, self._changes):
                output = module(x)
            passes.append((x, [each for each in module.parameters() if each.requires_grad], output))
            x = output
            yield
        logits = x.detach().requires_grad_()
        with self._trainer.rounding():
            self._loss: Tensor = self._metrics.loss_fn(logits, y)
            loss = self._loss.detach()
            self._changes.append(lambda: self._metrics.add(loss, logits.detach(), y))
            (gradient,) = torch.autograd.grad(self._loss, [logits])
        self._loss = loss
        yield
        while passes:
            x, parameters, output = passes.pop()
            wanted = [x, *parameters] if passes else parameters
            with self._trainer.rounding():
                found = list(torch.autograd.grad([output], wanted, [gradient])) if wanted else []
            if passes:
                gradient = found.pop(0)
            self._gradients += [(each, _as_kept(grad, each)) for each, grad in zip(parameters, found, strict=True)]
            yield


class LongTrainer(Trainer):
    """A trainer of a CNN on a device with a precision; its step can be prepared in parts before it is taken."""

    def __init__(
        self,
        model: nn.Module,
        loss_fn: nn.Module,
        optimizer: torch.optim.Optimizer,
        batches: Batches,
        *,
        device: str,
        precision: str,
    ) -> None:
        super().__init__(model, loss_fn, optimizer, batches)
        self.device, self.precision = device, precision
        self.prepared: PreparedStep | None = None

    def rounding(self) -> AbstractContextManager[Any]:
        """The context in which a step computes with the precision."""
        return rounding(self.precision, self.device)

    def prepare(self) -> bool:
        """Compute the next part of the coming step; returns whether `step` has only to take it."""
        if self.prepared is None:
            self.prepared = PreparedStep(self)
        if not self.prepared.is_ready:
            self.prepared.advance()
        return self.prepared.is_ready

    def forget(self) -> None:
        """Drop what was prepared, because something has changed that it depends on; the coming step begins again."""
        self.prepared = None

    def step(self) -> Tensor:
        """Take the prepared step, or else one in one go; returns the loss before the update, a scalar tensor."""
        prepared, self.prepared = self.prepared, None
        if prepared is not None and prepared.is_ready:
            return prepared.take()
        with self.rounding():
            return super().step()


@contextmanager
def _kept(batches: Batches, changes: list[Callable[[], object]]) -> Iterator[None]:
    """Undo what the block changes in the batches, and add a function that changes it again."""
    before = batches.state_dict()
    yield
    after = batches.state_dict()
    changes.append(lambda: batches.load_state_dict(after))
    batches.load_state_dict(before)


@contextmanager
def _unchanged(module: nn.Module, changes: list[Callable[[], object]]) -> Iterator[None]:
    """The same for the running averages or the random numbers of a module."""
    if isinstance(module, BatchNorm):
        averages = (module.running_mean.data, module.running_var.data)
        before = [each.clone() for each in averages]
        yield
        after = [each.clone() for each in averages]
        changes.append(lambda: _copy(after, averages))
        _copy(before, averages)
    elif isinstance(module, Dropout):
        random_numbers = module.generator.get_state()
        yield
        later = module.generator.get_state()
        changes.append(lambda: module.generator.set_state(later))
        module.generator.set_state(random_numbers)
    else:
        yield


def _copy(values: list[Tensor], to: tuple[Tensor, ...]) -> None:
    for value, each in zip(values, to, strict=True):
        each.copy_(value)


def _as_kept(gradient: Tensor, parameter: nn.Parameter) -> Tensor:
    """The gradient in its parameter's layout in memory, as backward() leaves it in `.grad`."""
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter, requires_grad=False).copy_(gradient)
