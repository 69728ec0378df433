"""Many trainings at once: models of one shape stacked along a first dimension, with a learning rate for each.

All copies go forward and back together, in as many torch operations as one of them would take. No copy ever affects
another: each has its own rows in every tensor, so if one diverges, the others stay as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from inspect import unwrap
from typing import Any

import torch
from torch import Tensor, nn

from playground.training import models
from playground.training.optimizers import STEP, build_optimizer, state_of


class Stacked(nn.Module):
    """Several models of one shape as one: weights (copies, in, out) and biases (copies, 1, out) for each layer.

    All of them share one block of memory, `flat` of shape (copies, parameters), so that an optimizer moves every copy
    with one operation; a copy's row holds its layers in order, each weight as (in, out) before its bias.
    """

    def __init__(self, every: Sequence[nn.Sequential], between: nn.Module) -> None:
        """`between` is the module between two layers: an activation, and dropout if any."""
        super().__init__()
        places = {model: place for place, model in enumerate(dict.fromkeys(every))}  # each is read once
        layers = list(zip(*(models.linears(model) for model in places), strict=True))
        starts: list[Tensor] = []
        for layer in layers:
            starts.append(torch.stack([each.weight.detach().T for each in layer]))
            starts.append(torch.stack([each.bias.detach().unsqueeze(dim=0) for each in layer]))
        self.flat = torch.cat([start.flatten(1) for start in starts], dim=1)[[places[model] for model in every]]
        parts = torch.split(self.flat, [start[0].numel() for start in starts], dim=1)
        shapes = [(len(every), *start.shape[1:]) for start in starts]
        views = [nn.Parameter(part.view(shape)) for part, shape in zip(parts, shapes, strict=True)]
        self.weights, self.biases = nn.ParameterList(views[::2]), nn.ParameterList(views[1::2])
        self._views = views  # kept as a list: going through a ParameterList takes longer than adding
        self.between = between
        self.gradient = torch.zeros_like(self.flat)  # of the last `gather_gradient`

    def __len__(self) -> int:
        """The number of copies."""
        return len(self.flat)

    def forward(self, x: Tensor) -> Tensor:
        """(copies, batch, inputs) -> (copies, batch, outputs)."""
        return self._pass(x, self._views)

    def of_part(self, start: int, stop: int, x: Tensor) -> Tensor:
        """The outputs of the copies from `start` up to `stop`; x of shape (1 or their number, batch, inputs)."""
        views = [view[start:stop] for view in self._views]
        return self._pass(x.expand(len(views[0]), -1, -1), views)

    def _pass(self, x: Tensor, parts: Sequence[Tensor]) -> Tensor:
        for weight, bias in zip(parts[::2], parts[1::2], strict=True):
            if weight.shape[2] == 1:  # one output: a product and a sum, faster than a matrix product for each copy
                x = bias + (x * weight.transpose(1, 2)).sum(dim=2, keepdim=True)
            else:
                x = torch.baddbmm(bias, x, weight)
            if bias is not parts[-1]:
                x = self.between(x)
        return x

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of the last backward pass."""
        del set_to_none  # nothing is shared with a kept gradient
        for view in self._views:
            view.grad = None

    def gather_gradient(self) -> None:
        """Write what the last backward pass found into `gradient`, in the layout of `flat`: (copies, parameters)."""
        torch.cat([view.grad.flatten(1) for view in self._views if view.grad is not None], dim=1, out=self.gradient)


@dataclass(frozen=True)
class StackedPart:
    """An optimizer for some of the copies: one of OPTIMIZERS, and its settings by the names of SETTINGS."""

    optimizer: str
    settings: Mapping[str, float] = field(default_factory=dict)


class StackedOptimizer:
    """torch's own optimizers for a stacked model, with a learning rate for each copy; used as torch's optimizers are.

    Each optimizer steps its rows of `flat` with lr = 1; then each copy keeps that share of the step which its own rate
    says: w = before + lr * (after - before). Every step of OPTIMIZERS is proportional to lr, the weight decay
    included, so this is what a copy alone would get, up to rounding.
    """

    def __init__(self, model: Stacked, parts: Sequence[StackedPart], lr: float | Tensor) -> None:
        """Each part has an equal number of copies, in order; `lr` is one number, or one for each copy: (copies,).

        Raises ValueError if the copies cannot be divided evenly.
        """
        copies, left = divmod(len(model), len(parts))
        if left:
            raise ValueError(f"{len(model)} copies cannot be divided evenly among {len(parts)} optimizers.")
        self.model = model
        self.lr = lr
        self._before = torch.empty_like(model.flat)
        self._optimizers: list[tuple[torch.optim.Optimizer, Tensor]] = []  # and the rows that each of them moves
        self._steps = []
        blocks = torch.split(model.flat, copies), torch.split(model.gradient, copies)
        for part, rows, gradient in zip(parts, *blocks, strict=True):
            rows.grad = gradient
            optimizer = build_optimizer(part.optimizer, [rows], lr=1.0, settings=part.settings)
            if STEP in state_of(optimizer) and "fused" in optimizer.defaults:
                optimizer.param_groups[0]["fused"] = True  # one pass over the rows; for SGD it costs more than it saves
            # torch's wrappers around `step` switch gradients off, which is done once for all here.
            self._optimizers.append((optimizer, rows))
            self._steps.append(partial(unwrap(type(optimizer).step), optimizer))

    @property
    def lr(self) -> Tensor:
        """The learning rates, (copies, 1)."""
        return self._lr

    @lr.setter
    def lr(self, value: float | Tensor) -> None:
        rates = torch.as_tensor(value, dtype=self.model.flat.dtype).reshape(-1, 1)
        self._lr = rates.expand(len(self.model), 1)

    def state_dict(self) -> list[dict[str, Any]]:
        """What each optimizer keeps of its rows, copied."""
        return [
            {name: value.clone() if isinstance(value, Tensor) else value for name, value in each.state[rows].items()}
            for each, rows in self._optimizers
        ]

    def load_state_dict(self, states: Sequence[Mapping[str, Any]]) -> None:
        """Continue from where `state_dict` was taken."""
        for (optimizer, rows), state in zip(self._optimizers, states, strict=True):
            optimizer.state[rows] = {
                name: value.clone() if isinstance(value, Tensor) else value for name, value in state.items()
            }

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self.model.zero_grad()

    @torch.no_grad()
    def step(self) -> None:
        """Update every copy."""
        self.model.gather_gradient()
        after = self.model.flat
        self._before.copy_(after)
        for step in self._steps:
            step()
        torch.lerp(self._before, after, self.lr, out=after)
