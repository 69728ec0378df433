"""What holds a training up: how far its loss alone would fall from here, and how hard the penalties pull against it.

A penalty is the cause of a loss that stays high if its pull on the weights is about as strong as the loss's own
gradient, and if that gradient would still lead far down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn

from playground.training import models

PROBE_STEPS = 20  # of gradient descent on the loss alone, each as long as it pays
MAX_HALVINGS = 30  # of a step that does not pay


@dataclass(frozen=True)
class Probe:
    """The loss on all training points, the loss that PROBE_STEPS steps without penalties lead to, and the pulls.

    `loss_pull` is the norm of the loss's gradient, `decay_pull` and `l1_pull` those of the penalties; with AdamW, whose
    weight decay is no part of the gradient, both are the norms of what they add to a step at a learning rate of 1.
    `largest_weights` has the largest absolute weight of each layer, and `rate` is the median of the rates of the steps.
    """

    loss: float
    reachable: float
    loss_pull: float
    decay_pull: float
    l1_pull: float
    largest_weights: tuple[float, ...]
    rate: float = 0.0

    @property
    def gain(self) -> float:
        """The share of the loss that the steps would take away."""
        return (self.loss - self.reachable) / self.loss if self.loss > 0 else 0.0

    @property
    def penalty_share(self) -> float:
        """How strong the stronger penalty pulls, as a share of the loss's own pull."""
        pull = max(self.decay_pull, self.l1_pull)
        return pull / self.loss_pull if self.loss_pull > 0 else float(pull > 0)


@torch.enable_grad()
def probe(
    model: nn.Sequential,
    x: Tensor,
    y: Tensor,
    loss_fn: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    l1: float = 0.0,
) -> Probe:
    """Probe a model at its current weights, on inputs x (points, features). The model itself stays as it is.

    `loss_fn` is the loss without penalties. Dropout is left out, so no random numbers are drawn.
    """
    plain = [module[0] if isinstance(module, nn.Sequential) else module for module in model]
    own = [parameter for parameter in model.parameters() if parameter.requires_grad]
    weights = [parameter.detach().clone().requires_grad_() for parameter in own]
    layers = models.linears(model)
    group = optimizer.param_groups[0]
    l1_pull = l1 * sum(int((layer.weight != 0).sum()) for layer in layers) ** 0.5
    decay_pull = float(group["weight_decay"]) * _norm(weights)
    loss, gradient = _loss_and_gradient(plain, weights, x, y, loss_fn)
    loss_pull = _norm(gradient)
    if isinstance(optimizer, torch.optim.AdamW):
        steps = [
            state["exp_avg"] / (state["exp_avg_sq"].sqrt() + group["eps"])
            for parameter in own
            if (state := optimizer.state.get(parameter))
        ]
        loss_pull = _norm(steps) or loss_pull
    start, rate = loss, 1.0
    rates = []
    for _ in range(PROBE_STEPS):
        for _ in range(MAX_HALVINGS):
            moved = [(w - rate * g).detach().requires_grad_() for w, g in zip(weights, gradient, strict=True)]
            found, slopes = _loss_and_gradient(plain, moved, x, y, loss_fn)
            if found < loss:
                break
            rate /= 2
        else:
            break
        rates.append(rate)
        weights, loss, gradient, rate = moved, found, slopes, 2 * rate
    largest = tuple(float(layer.weight.detach().abs().max()) for layer in layers)
    return Probe(start, loss, loss_pull, decay_pull, l1_pull, largest, median(rates) if rates else 0.0)


def _loss_and_gradient(
    modules: list[nn.Module], weights: list[Tensor], x: Tensor, y: Tensor, loss_fn: Callable[[Tensor, Tensor], Tensor]
) -> tuple[float, list[Tensor]]:
    remaining = iter(weights)
    for module in modules:
        x = nn.functional.linear(x, next(remaining), next(remaining)) if isinstance(module, nn.Linear) else module(x)
    loss = loss_fn(x, y)
    return loss.item(), list(torch.autograd.grad(loss, weights))


def _norm(tensors: list[Tensor]) -> float:
    return float(sum(float((each.detach() ** 2).sum()) for each in tensors) ** 0.5)
