"""The lines of a trainer's coming step with what each of them computes, found on a copy: the trainer stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from playground.training.trainer import Batches, Trainer, WithoutZeroGrad

FORWARD, LOSS, ZERO_GRAD, BACKWARD, STEP = LINES = ("forward", "loss", "zero_grad", "backward", "step")
CODE = {
    FORWARD: "prediction = model(x)",
    LOSS: "loss = loss_fn(prediction, y)",
    ZERO_GRAD: "optimizer.zero_grad()",
    BACKWARD: "loss.backward()",
    STEP: "optimizer.step()",
}


@dataclass(frozen=True)
class StepLines:
    """What the lines of one step compute, for each parameter in order where it is a list.

    `old` are the gradients that the last step has left, None where there are none; `clears` is false where zero_grad()
    is left out, so that `gradients` (after backward) are sums. `updates` are what the optimizer adds to the parameters.
    """

    prediction: Tensor  # (batch, outputs)
    loss: float
    clears: bool
    old: list[Tensor | None]
    gradients: list[Tensor]
    updates: list[Tensor]


@torch.enable_grad()
def coming_step(
    trainer: Trainer,
    copied: Callable[[nn.Module], tuple[nn.Module, torch.optim.Optimizer]],
) -> StepLines:
    """What the lines of the trainer's coming step compute, without taking it.

    `copied` gives the loss function and a new optimizer, of the same kind and settings, for a copy of the model.
    """
    model = deepcopy(trainer.model)
    loss_fn, optimizer = copied(model)
    parameters = list(model.parameters())
    old = [None if each.grad is None else each.grad.clone() for each in trainer.model.parameters()]
    for parameter, gradient in zip(parameters, old, strict=True):
        parameter.grad = None if gradient is None else gradient.clone()
    optimizer.load_state_dict(deepcopy(trainer.optimizer.state_dict()))
    with _kept(trainer.batches):
        x, y = trainer.batches.next()
    prediction: Tensor = model(x)
    loss: Tensor = loss_fn(prediction, y)
    clears = not isinstance(trainer, WithoutZeroGrad)
    if clears:
        optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = [torch.zeros_like(each) if each.grad is None else each.grad.clone() for each in parameters]
    before = [each.detach().clone() for each in parameters]
    optimizer.step()
    updates = [each.detach() - start for each, start in zip(parameters, before, strict=True)]
    return StepLines(prediction.detach(), loss.item(), clears, old, gradients, updates)


@contextmanager
def _kept(batches: Batches) -> Iterator[None]:
    """Undo what the block changes in the batches."""
    before = batches.state_dict()
    yield
    batches.load_state_dict(before)


def length(tensors: list[Tensor] | list[Tensor | None]) -> float:
    """The Euclidean norm of all numbers together; a missing tensor counts as 0."""
    return float(sum(float((each.double() ** 2).sum()) for each in tensors if each is not None) ** 0.5)
