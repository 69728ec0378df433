"""The next step of each optimizer written out line by line, with torch's own operations in torch's own order.

So the last line gives the very weight that `optimizer.step()` gives, bit for bit. Sources of the rules: torch's
documentation of each optimizer, after Polyak 1964 (momentum), Sutskever et al. 2013 (Nesterov), Duchi et al. 2011
(AdaGrad), Tieleman and Hinton 2012 (RMSprop), Zeiler 2012 (Adadelta), Kingma and Ba 2015 (Adam), Loshchilov and Hutter
2019 (AdamW).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Number = float | Tensor


@dataclass(frozen=True)
class Line:
    """One line of a rule: the quantity's name, its formula, a template for the numbers in it, and its value.

    Each of `parts`, which fill the template, and the value are one number for all weights, or a tensor of their shape.
    """

    name: str
    formula: str
    template: str
    parts: tuple[Number, ...]
    value: Number

    def with_numbers(self, at: int) -> str:
        """The template filled with the numbers of one weight; `at` is its index in the flattened tensor."""
        return self.template.format(*(readable(number_at(part, at)) for part in self.parts))


@dataclass(frozen=True)
class Update:
    """A whole step for one parameter tensor: its lines, and the weights after it."""

    lines: tuple[Line, ...]
    weight: Tensor


# From weight, gradient, `optimizer.state[parameter]` (empty before the first step) and its `param_groups` entry to
# the next step. Nothing that is given is changed.
UpdateRule = Callable[[Tensor, Tensor, Mapping[str, Any], Mapping[str, Any]], Update]
Steps = tuple[list[Line], Tensor]  # lines, and the weights after them
StepRule = Callable[[Tensor, Tensor, Mapping[str, Any], Mapping[str, Any]], Steps]


def number_at(part: Number, at: int) -> float:
    """The number of one weight."""
    return float(part.reshape(-1)[at]) if isinstance(part, Tensor) and part.numel() > 1 else float(part)


def readable(value: float) -> str:
    """A number with four digits and a true minus sign, in brackets if it is negative."""
    text = f"{value:.4g}".replace("-", "−")
    return f"({text})" if value < 0 else text


def with_weight_decay(step: StepRule) -> UpdateRule:
    """The rule of an optimizer whose weight decay adds λ · w to the gradient."""

    @torch.no_grad()
    def rule(weight: Tensor, gradient: Tensor, state: Mapping[str, Any], group: Mapping[str, Any]) -> Update:
        decay, first = group["weight_decay"], []
        if decay:
            decayed = gradient.add(weight, alpha=decay)
            first.append(Line("g", "g + λ · w", "{} + {} · {}", (gradient, decay, weight), decayed))
            gradient = decayed
        lines, after = step(weight, gradient, state, group)
        return Update((*first, *lines), after)

    return rule


def with_decoupled_weight_decay(step: StepRule) -> UpdateRule:
    """The rule of an optimizer whose weight decay shrinks the weights before the step (Loshchilov and Hutter 2019)."""

    @torch.no_grad()
    def rule(weight: Tensor, gradient: Tensor, state: Mapping[str, Any], group: Mapping[str, Any]) -> Update:
        lr, decay, first = group["lr"], group["weight_decay"], []
        if decay:
            shrunk = weight.clone().mul_(1 - lr * decay)
            first.append(Line("w", "w · (1 − lr · λ)", "{} · (1 − {} · {})", (weight, lr, decay), shrunk))
            weight = shrunk
        lines, after = step(weight, gradient, state, group)
        return Update((*first, *lines), after)

    return rule


def _sgd(weight: Tensor, gradient: Tensor, state: Mapping[str, Any], group: Mapping[str, Any]) -> Steps:
    momentum, lr, lines, direction, symbol = group["momentum"], group["lr"], [], gradient, "g"
    if momentum:
        before = state.get("momentum_buffer")
        if before is None:
            buffer = gradient.clone()
            lines.append(Line("m", "g  (the first step)", "{}", (gradient,), buffer))
        else:
            buffer = before.clone().mul_(momentum).add_(gradient, alpha=1)
            lines.append(Line("m", "μ · m + g", "{} · {} + {}", (momentum, before, gradient), buffer))
        direction, symbol = buffer, "m"
        if group["nesterov"]:
            direction, symbol = gradient.add(buffer, alpha=momentum), "d"
            lines.append(Line("d", "g + μ · m", "{} + {} · {}", (gradient, momentum, buffer), direction))
    after = weight.clone().add_(direction, alpha=-lr)
    lines.append(Line("w", f"w − lr · {symbol}", "{} − {} · {}", (weight, lr, direction), after))
    return lines, after


def _adagrad(weight: Tensor, gradient: Tensor, state: Mapping[str, Any], group: Mapping[str, Any]) -> Steps:
    lr, eps, before = group["lr"], group["eps"], state.get("sum", torch.zeros_like(weight))
    total = before.clone().addcmul_(gradient, gradient, value=1)
    after = weight.clone().addcdiv_(gradient, total.sqrt().add_(eps), value=-lr)
    return [
        Line("s", "s + g²", "{} + {}²", (before, gradient), total),
        Line("w", "w − lr · g / (√s + ε)", "{} − {} · {} / (√{} + {})", (weight, lr, gradient, total, eps), after),
    ], after


def _rmsprop(weight: Tensor, gradient: Tensor, state: Mapping[str, Any], group: Mapping[str, Any]) -> Steps:
    lr, eps, alpha = group["lr"], group["eps"], group["alpha"]
    before = state.get("square_avg", torch.zeros_like(weight))
    square = before.clone().mul_(alpha).addcmul_(gradient, gradient, value=1 - alpha)
    after = weight.clone().addcdiv_(gradient, square.sqrt().add_(eps), value=-lr)
    return [
        Line("v", "α · v + (1 − α) · g²", "{} · {} + {} · {}²", (alpha, before, 1 - alpha, gradient), square),
        Line("w", "w − lr · g / (√v + ε)", "{} − {} · {} / (√{} + {})", (weight, lr, gradient, square, eps), after),
    ], after


def _adadelta(weight: Tensor, gradient: Tensor, state: Mapping[str, Any], group: Mapping[str, Any]) -> Steps:
    lr, eps, rho = group["lr"], group["eps"], group["rho"]
    before = state.get("square_avg", torch.zeros_like(weight))
    moved = state.get("acc_delta", torch.zeros_like(weight))
    square = before.clone().mul_(rho).addcmul_(gradient, gradient, value=1 - rho)
    delta = moved.add(eps).sqrt_().div_(square.add(eps).sqrt_()).mul_(gradient)
    moves = moved.clone().mul_(rho).addcmul_(delta, delta, value=1 - rho)
    after = weight.clone().add_(delta, alpha=-lr)
    parts = (moved, eps, square, eps, gradient)
    return [
        Line("v", "ρ · v + (1 − ρ) · g²", "{} · {} + {} · {}²", (rho, before, 1 - rho, gradient), square),
        Line("d", "√(u + ε) / √(v + ε) · g", "√({} + {}) / √({} + {}) · {}", parts, delta),
        Line("u", "ρ · u + (1 − ρ) · d²", "{} · {} + {} · {}²", (rho, moved, 1 - rho, delta), moves),
        Line("w", "w − lr · d", "{} − {} · {}", (weight, lr, delta), after),
    ], after


def _adam(weight: Tensor, gradient: Tensor, state: Mapping[str, Any], group: Mapping[str, Any]) -> Steps:
    lr, eps, (beta1, beta2) = group["lr"], group["eps"], group["betas"]
    nothing = torch.zeros_like(weight)
    mean_before, square_before = state.get("exp_avg", nothing), state.get("exp_avg_sq", nothing)
    step = float(state.get("step", 0.0)) + 1
    mean = mean_before.clone().lerp_(gradient, 1 - beta1)
    square = square_before.clone().mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
    correction1, correction2 = 1 - beta1**step, 1 - beta2**step
    after = weight.clone().addcdiv_(
        mean, (square.sqrt() / correction2**0.5).add_(eps), value=-(lr / correction1)
    )  # torch divides lr, not m, by the first correction
    mean_now, square_now = mean / correction1, square / correction2
    one, two = (beta1, mean_before, 1 - beta1, gradient), (beta2, square_before, 1 - beta2, gradient)
    last = (weight, lr, mean_now, square_now, eps)
    return [
        Line("m", "β₁ · m + (1 − β₁) · g", "{} · {} + {} · {}", one, mean),
        Line("v", "β₂ · v + (1 − β₂) · g²", "{} · {} + {} · {}²", two, square),
        Line("m̂", "m / (1 − β₁ᵗ)", "{} / (1 − {}^{})", (mean, beta1, step), mean_now),
        Line("v̂", "v / (1 − β₂ᵗ)", "{} / (1 − {}^{})", (square, beta2, step), square_now),
        Line("w", "w − lr · m̂ / (√v̂ + ε)", "{} − {} · {} / (√{} + {})", last, after),
    ], after


sgd = with_weight_decay(_sgd)
adagrad = with_weight_decay(_adagrad)
rmsprop = with_weight_decay(_rmsprop)
adadelta = with_weight_decay(_adadelta)
adam = with_weight_decay(_adam)
adamw = with_decoupled_weight_decay(_adam)
