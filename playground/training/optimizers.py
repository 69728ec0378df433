"""The optimizers on offer, one record for each, and the schedules that a learning rate can follow.

A record in OPTIMIZERS is all that an optimizer needs: from it come the choices of every lesson, the racers and what can
be typed as an own entry, its state in checkpoints, its charts, its sweeps and its line in an exported script.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MethodType
from typing import Any

import torch
from torch import Tensor

from playground.training import update_rules
from playground.training.update_rules import UpdateRule

# The settings that optimizers have beside the learning rate: their lowest and highest values.
SETTINGS: dict[str, tuple[float, float]] = {
    "momentum": (0.0, 0.99),
    "alpha": (0.0, 0.999),
    "rho": (0.0, 0.999),
    "beta1": (0.0, 0.99),
    "beta2": (0.0, 0.999),
    "weight_decay": (0.0, 1.0),
}


@dataclass(frozen=True)
class StateTensor:
    """A tensor that an optimizer keeps for each parameter: its name in torch's state, its symbol in the update rule.

    It has the parameter's shape, or is one number for the whole parameter (`is_scalar`). `is_squared`: it grows with
    the square of the gradient.
    """

    name: str
    symbol: str = ""
    is_squared: bool = False
    is_scalar: bool = False


@dataclass(frozen=True)
class OptimizerChoice:
    """An optimizer on offer: label, torch's class, the written rule of its step, its state and its settings.

    `settings` names those of SETTINGS that it has; all have a weight decay as well. `fixed` are constructor arguments
    that nobody can change. Records of one class have the same state; a parameter has all of its tensors, or none before
    its first update. Each step must be proportional to the learning rate: `stacked` relies on it.
    """

    label: str
    type: type[torch.optim.Optimizer]
    rule: UpdateRule
    state: tuple[StateTensor, ...]
    settings: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    short: str = ""

    @property
    def short_label(self) -> str:
        """The label where there is little room."""
        return self.short or self.label

    @property
    def momentum(self) -> bool:
        """Whether it has a momentum."""
        return "momentum" in self.settings


STEP = StateTensor("step", is_scalar=True)
SGD_STATE = (StateTensor("momentum_buffer", "m"),)
ADAM_STATE = (STEP, StateTensor("exp_avg", "m"), StateTensor("exp_avg_sq", "v", is_squared=True))

OPTIMIZERS: dict[str, OptimizerChoice] = {
    "sgd": OptimizerChoice("SGD", torch.optim.SGD, update_rules.sgd, SGD_STATE),
    "momentum": OptimizerChoice(
        "SGD with momentum",
        torch.optim.SGD,
        update_rules.sgd,
        SGD_STATE,
        settings=("momentum",),
        short="Momentum",
    ),
    "nesterov": OptimizerChoice(
        "Nesterov",
        torch.optim.SGD,
        update_rules.sgd,
        SGD_STATE,
        settings=("momentum",),
        fixed={"nesterov": True},
    ),
    "adagrad": OptimizerChoice(
        "AdaGrad",
        torch.optim.Adagrad,
        update_rules.adagrad,
        (STEP, StateTensor("sum", "s", is_squared=True)),
    ),
    "rmsprop": OptimizerChoice(
        "RMSprop",
        torch.optim.RMSprop,
        update_rules.rmsprop,
        (STEP, StateTensor("square_avg", "v", is_squared=True)),
        settings=("alpha",),
    ),
    "adadelta": OptimizerChoice(
        "Adadelta",
        torch.optim.Adadelta,
        update_rules.adadelta,
        (STEP, StateTensor("square_avg", "v", is_squared=True), StateTensor("acc_delta", "u", is_squared=True)),
        settings=("rho",),
    ),
    "adam": OptimizerChoice("Adam", torch.optim.Adam, update_rules.adam, ADAM_STATE, settings=("beta1", "beta2")),
    "adamw": OptimizerChoice("AdamW", torch.optim.AdamW, update_rules.adamw, ADAM_STATE, settings=("beta1", "beta2")),
}


def state_of(optimizer: torch.optim.Optimizer) -> tuple[StateTensor, ...]:
    """The tensors that one of OPTIMIZERS, as `build_optimizer` made it, keeps for each parameter."""
    return next(choice.state for choice in OPTIMIZERS.values() if choice.type is type(optimizer))


def build_optimizer(
    name: str,
    parameters: Iterable[Tensor],
    *,
    lr: float,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    settings: Mapping[str, float] | None = None,
) -> torch.optim.Optimizer:
    """One of OPTIMIZERS over the parameters, with those of the given settings that it has.

    `settings` may hold any of SETTINGS and wins over `momentum` and `weight_decay`; for those left out torch's defaults
    hold. Tiny tensors are updated one by one: gathering them first (torch's foreach) costs more than it saves here.
    """
    choice = OPTIMIZERS[name]
    given = {"momentum": momentum} | dict(settings or {})
    chosen = dict(choice.fixed, lr=lr, weight_decay=weight_decay, foreach=False) | torch_settings(name, given)
    if chosen.get("nesterov") and not chosen["momentum"]:
        del chosen["nesterov"]  # torch's constructor refuses it; without momentum there is nothing to look ahead with
    optimizer = choice.type(list(parameters), **chosen)
    for group in optimizer.param_groups:
        group.update(choice.fixed)
    skip_profiler_records(optimizer)
    return optimizer


def skip_profiler_records(optimizer: torch.optim.Optimizer) -> None:
    """Let the optimizer take its steps without records for torch's profiler and without hooks; neither is used here.

    torch 2.13 wraps the `step` of each class to give every call a name and to call its hooks, which is a fifteenth of
    a tiny model's training. The function inside is called directly: the weights are the same bit for bit.
    """
    recorded: Any = type(optimizer).step
    if getattr(recorded, "hooked", False):  # as torch itself marks what it has wrapped
        optimizer.step = MethodType(recorded.__wrapped__, optimizer)  # type: ignore[method-assign]


def torch_settings(name: str, values: Mapping[str, float]) -> dict[str, Any]:
    """The given settings that one of OPTIMIZERS has, named as in torch's constructors and `param_groups`.

    beta1 and beta2 become one pair, `betas`, and only if both are given. The weight decay is included for every
    optimizer; other settings are left out.
    """
    found: dict[str, Any] = {key: values[key] for key in (*OPTIMIZERS[name].settings, "weight_decay") if key in values}
    if "beta1" in found and "beta2" in found:
        found["betas"] = (found.pop("beta1"), found.pop("beta2"))
    return {key: value for key, value in found.items() if key not in ("beta1", "beta2")}


# Schedules: the factor by which the learning rate is multiplied at a step, counted from 0, of a plan of `total` steps.

Factor = Callable[[int, int], float]


@dataclass(frozen=True)
class Schedule:
    """A schedule for the learning rate: its label and its factor at each step."""

    label: str
    factor: Factor


WARM_SHARE = 0.1  # of the plan: the part over which a warm-up rises
ONE_CYCLE_RISE, ONE_CYCLE_DIV, ONE_CYCLE_FINAL = 0.3, 25.0, 1e4  # torch's defaults
STEPS_DOWN, STEP_GAMMA = 3, 0.1  # three stairs in a plan, each a tenth of the previous one


def constant(step: int, total: int) -> float:
    """Always 1."""
    del step, total
    return 1.0


def stairs(step: int, total: int) -> float:
    """A tenth of the previous factor after each third of the plan, as StepLR(step_size=ceil(total / 3), gamma=0.1)."""
    return float(STEP_GAMMA ** (step // max(1, -(-total // STEPS_DOWN))))


def cosine(step: int, total: int) -> float:
    """From 1 to 0 along half a cosine (Loshchilov and Hutter 2017), as CosineAnnealingLR(T_max=total)."""
    return 0.5 * (1 + math.cos(math.pi * min(step, total) / max(1, total)))


def one_cycle(step: int, total: int) -> float:
    """Up from 1/25 to 1 over three tenths of the plan, then down to almost nothing (Smith 2018), as OneCycleLR."""
    top = ONE_CYCLE_RISE * total - 1  # the step at which torch's schedule is highest
    last = total - 1
    start, end = 1 / ONE_CYCLE_DIV, 1 / (ONE_CYCLE_DIV * ONE_CYCLE_FINAL)
    if step <= top:
        return _along_cosine(start, 1.0, step / top)
    return _along_cosine(1.0, end, min(1.0, (step - top) / max(1e-9, last - top)))


def warm_up(step: int, total: int) -> float:
    """Rises linearly to 1 over the first tenth of the plan, then 1, as LinearLR with start_factor 1 / that tenth."""
    rise = max(1, round(WARM_SHARE * total))
    return min(1.0, (step + 1) / rise)


def _along_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


SCHEDULES: dict[str, Schedule] = {
    "constant": Schedule("Constant", constant),
    "step": Schedule("Steps down", stairs),
    "cosine": Schedule("Cosine", cosine),
    "one_cycle": Schedule("One cycle", one_cycle),
    "warm_up": Schedule("Warm-up", warm_up),
}
