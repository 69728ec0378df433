"""Many trainings at once: models of one shape stacked along a first dimension, and optimizers with settings for each.

All copies go forward and back together, in as many torch operations as one of them would take. What one copy does never
reaches another: each has its own rows in every tensor, so a copy that diverges leaves the rest as they were.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from playground.training import models

Setting = float | Tensor  # one value for all copies, or one for each: (copies,)


class Stacked(nn.Module):
    """Several models of one shape as one: weights (copies, in, out) and biases (copies, 1, out) for each layer.

    All of them share one block of memory, `flat` of shape (copies, parameters), so that an optimizer moves every copy
    with one operation; a copy's row holds its layers in order, each weight as (in, out) before its bias.
    """

    def __init__(self, every: Sequence[nn.Sequential], between: nn.Module) -> None:
        """`between` is what stands between two layers: an activation, and dropout if any."""
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
        self._views = views  # found once: going through a ParameterList takes longer than adding
        self.between = between

    def __len__(self) -> int:
        """How many copies there are."""
        return len(self.flat)

    def forward(self, x: Tensor) -> Tensor:
        """(copies, batch, inputs) -> (copies, batch, outputs)."""
        return self._pass(x, self._views)

    def of_part(self, start: int, stop: int, x: Tensor) -> Tensor:
        """What the copies from `start` up to `stop` give; x of shape (1 or their number, batch, inputs)."""
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

    def forget_gradients(self) -> None:
        """Begin the next backward pass from nothing."""
        for view in self._views:
            view.grad = None

    def gradient(self) -> Tensor:
        """What the last backward pass found, in the layout of `flat`: (copies, parameters)."""
        return torch.cat([view.grad.flatten(1) for view in self._views if view.grad is not None], dim=1)


class Rule(ABC):
    """One optimizer for some consecutive copies: how it moves their rows of `flat`, given their gradient.

    Settings have torch's names and defaults. Each is one number, or a tensor with one for each copy; `lr` may be given
    anew at any time. `weight_decay` adds that share of the parameters to the gradient, as in torch.
    """

    def __init__(self, rows: Tensor, lr: Setting, weight_decay: Setting = 0.0) -> None:
        self.rows = rows  # (copies, parameters), moved in place
        self.lr = lr
        self.weight_decay = column(weight_decay)

    @property
    def lr(self) -> Tensor:
        """The learning rates, (copies, 1)."""
        return self._lr

    @lr.setter
    def lr(self, value: Setting) -> None:
        rates = torch.as_tensor(value, dtype=self.rows.dtype).reshape(-1, 1)
        self._lr = rates.expand(len(self.rows), 1)

    def zeros(self) -> Tensor:
        """A running value for every parameter, zero at the start."""
        return torch.zeros_like(self.rows)

    def decayed(self, gradient: Tensor) -> Tensor:
        """The gradient with the weight decay's share."""
        if isinstance(self.weight_decay, float) and self.weight_decay == 0:
            return gradient
        return gradient + self.weight_decay * self.rows

    @abstractmethod
    def update(self, gradient: Tensor) -> None:
        """Move the rows; the gradient has their shape, (copies, parameters)."""


class SGD(Rule):
    """w -= lr * g."""

    def update(self, gradient: Tensor) -> None:
        """One step."""
        self.rows.addcmul_(self.decayed(gradient), self.lr, value=-1)


class Momentum(Rule):
    """m = momentum * m + g; w -= lr * m (Polyak 1964, as torch writes it)."""

    def __init__(self, rows: Tensor, lr: Setting, momentum: Setting = 0.9, weight_decay: Setting = 0.0) -> None:
        super().__init__(rows, lr, weight_decay)
        self.momentum = column(momentum)
        self.buffer = self.zeros()

    def update(self, gradient: Tensor) -> None:
        """One step."""
        self.buffer.mul_(self.momentum).add_(self.decayed(gradient))
        self.rows.addcmul_(self.buffer, self.lr, value=-1)


class Nesterov(Momentum):
    """m = momentum * m + g; w -= lr * (g + momentum * m) (Sutskever et al. 2013, as torch writes it)."""

    def update(self, gradient: Tensor) -> None:
        """One step."""
        gradient = self.decayed(gradient)
        self.buffer.mul_(self.momentum).add_(gradient)
        self.rows.addcmul_(gradient + self.momentum * self.buffer, self.lr, value=-1)


class AdaGrad(Rule):
    """s += g²; w -= lr * g / (√s + eps) (Duchi, Hazan and Singer 2011)."""

    def __init__(self, rows: Tensor, lr: Setting, eps: float = 1e-10, weight_decay: Setting = 0.0) -> None:
        super().__init__(rows, lr, weight_decay)
        self.eps = eps
        self.sum = self.zeros()

    def update(self, gradient: Tensor) -> None:
        """One step."""
        gradient = self.decayed(gradient)
        self.sum.addcmul_(gradient, gradient)
        self.rows.addcdiv_(gradient * self.lr, self.sum.sqrt().add_(self.eps), value=-1)


class RMSprop(Rule):
    """s = alpha * s + (1 - alpha) * g²; w -= lr * g / (√s + eps) (Tieleman and Hinton 2012)."""

    def __init__(
        self, rows: Tensor, lr: Setting, alpha: Setting = 0.99, eps: float = 1e-8, weight_decay: Setting = 0.0
    ) -> None:
        super().__init__(rows, lr, weight_decay)
        self.alpha, self.eps = column(alpha), eps
        self.square = self.zeros()

    def update(self, gradient: Tensor) -> None:
        """One step."""
        gradient = self.decayed(gradient)
        self.square.lerp_(gradient.square(), 1 - self.alpha)
        self.rows.addcdiv_(gradient * self.lr, self.square.sqrt().add_(self.eps), value=-1)


class Adadelta(Rule):
    """s = rho * s + (1 - rho) * g²; d = √(u + eps) / √(s + eps) * g; u as s, of d²; w -= lr * d (Zeiler 2012)."""

    def __init__(
        self, rows: Tensor, lr: Setting, rho: Setting = 0.9, eps: float = 1e-6, weight_decay: Setting = 0.0
    ) -> None:
        super().__init__(rows, lr, weight_decay)
        self.rho, self.eps = column(rho), eps
        self.square, self.moved = self.zeros(), self.zeros()

    def update(self, gradient: Tensor) -> None:
        """One step."""
        gradient = self.decayed(gradient)
        self.square.lerp_(gradient.square(), 1 - self.rho)
        delta = (self.moved + self.eps).sqrt_().div_((self.square + self.eps).sqrt_()).mul_(gradient)
        self.moved.lerp_(delta.square(), 1 - self.rho)
        self.rows.addcmul_(delta, self.lr, value=-1)


class Adam(Rule):
    """Averages of g and g², corrected for their start at zero; w -= lr * m / (√v + eps) (Kingma and Ba 2015)."""

    def __init__(
        self,
        rows: Tensor,
        lr: Setting,
        betas: tuple[Setting, Setting] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: Setting = 0.0,
    ) -> None:
        super().__init__(rows, lr, weight_decay)
        self.betas, self.eps = (column(betas[0]), column(betas[1])), eps
        self.mean, self.square, self.steps = self.zeros(), self.zeros(), 0

    def update(self, gradient: Tensor) -> None:
        """One step."""
        self.move(self.decayed(gradient))

    def move(self, gradient: Tensor) -> None:
        """Adam's own part, with the gradient as it is."""
        one, two = self.betas
        self.steps += 1
        self.mean.lerp_(gradient, 1 - one)
        self.square.lerp_(gradient.square(), 1 - two)
        size = (self.square / (1 - two**self.steps)).sqrt_().add_(self.eps)
        self.rows.addcdiv_(self.mean * (self.lr / (1 - one**self.steps)), size, value=-1)


class AdamW(Adam):
    """Adam, with the weights shrunk by lr * weight_decay apart from it (Loshchilov and Hutter 2019)."""

    def __init__(
        self,
        rows: Tensor,
        lr: Setting,
        betas: tuple[Setting, Setting] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: Setting = 0.01,
    ) -> None:
        super().__init__(rows, lr, betas, eps, weight_decay)

    def update(self, gradient: Tensor) -> None:
        """One step."""
        self.rows.mul_(1 - self.lr * self.weight_decay)
        self.move(gradient)


class StackedOptimizer:
    """Rules for a stacked model, each for as many copies as it has rows, in order; used as torch's optimizers are."""

    def __init__(self, model: Stacked, rules: Sequence[Rule]) -> None:
        self.model = model
        self.rules = list(rules)
        if sum(len(rule.rows) for rule in rules) != len(model):
            raise ValueError(f"The rules are for {sum(len(r.rows) for r in rules)} copies; there are {len(model)}.")

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self.model.forget_gradients()

    @torch.no_grad()
    def step(self) -> None:
        """Move every copy by its rule."""
        gradient = self.model.gradient()
        start = 0
        for rule in self.rules:
            rule.update(gradient[start : start + len(rule.rows)])
            start += len(rule.rows)


def column(setting: Setting) -> Setting:
    """A setting as it meets rows of parameters: a number as it is, one for each copy as (copies, 1)."""
    return setting.reshape(-1, 1) if isinstance(setting, Tensor) else float(setting)


RULES: dict[str, type[Rule]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RMSprop,
    "adadelta": Adadelta,
    "adam": Adam,
    "adamw": AdamW,
}  # named as in optimizers.OPTIMIZERS
