"""The evidence that a lesson's own run gives: what its history and its weights say of each layer, when a rule asks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from playground.lessons.doctor.evidence import Layer
from playground.runs.history import History
from playground.training import models

ROWS = 10  # of the history since a change: the first ones say how a training begins, the last ones where it is


def layers_of(
    layers: Sequence[nn.Module], names: Sequence[str], history: History, since: int, places: Sequence[int] = ()
) -> tuple[Layer, ...]:
    """Layers with a weight and a bias, with the gradients of the first recorded steps after step `since`.

    The first layer has that of the last recorded steps where it is larger: its gradient has come back then.
    `names` are those of the history's columns "gradient <name>", `places` says where each layer is used, if not once.
    A layer without a recorded gradient has NaN.
    """
    found: list[Layer] = []
    start = int(np.searchsorted(history.steps(), since, side="right"))
    for layer, name, count in zip(layers, names, places or [1] * len(layers), strict=True):
        recorded = history.column(f"gradient {name}")[start:]
        gradient = _median(recorded[:ROWS]) if found else max(_median(recorded[:ROWS]), _median(recorded[-ROWS:]))
        size = sum(each.numel() for each in layer.parameters())
        found.append(Layer(size=size, gradient=gradient, places=count))
    return tuple(found)


def _median(values: NDArray[np.float32]) -> float:
    """The median; NaN for none, or where one of them is NaN."""
    numbers = values.tolist()  # NumPy's median takes ten times as long for so few
    return median(numbers) if numbers and not any(map(math.isnan, numbers)) else math.nan


@torch.enable_grad()
def gradient_norms(
    model: nn.Sequential, x: Tensor, y: Tensor, loss_fn: Callable[[Tensor, Tensor], Tensor]
) -> tuple[float, float]:
    """The norm of the gradients that a model's weights hold from earlier steps, and that of the new one on x and y.

    The first is NaN where they hold none. The model stays as it is. Dropout is left out: no random numbers are drawn.
    """
    weights = [layer.weight for layer in models.linears(model)]
    outputs = x
    for module in model:
        outputs = (module[0] if isinstance(module, nn.Sequential) else module)(outputs)
    held = [weight.grad for weight in weights if weight.grad is not None]
    return _norm(held) if held else math.nan, _norm(torch.autograd.grad(loss_fn(outputs, y), weights))


def _norm(tensors: Sequence[Tensor]) -> float:
    return float(torch.stack([each.norm() for each in tensors]).norm())
