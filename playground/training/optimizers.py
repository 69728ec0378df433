"""The optimizers on offer, what can be set on each, and the schedules that a learning rate can follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MethodType
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Setting:
    """A number that some optimizers take beside the learning rate: its name, torch's default, its bounds."""

    label: str
    default: float
    lo: float
    hi: float
    step: float


SETTINGS: dict[str, Setting] = {
    "momentum": Setting("Momentum", 0.9, 0.0, 0.99, 0.01),
    "alpha": Setting("α", 0.99, 0.0, 0.999, 0.001),
    "rho": Setting("ρ", 0.9, 0.0, 0.999, 0.001),
    "beta1": Setting("β₁", 0.9, 0.0, 0.99, 0.01),
    "beta2": Setting("β₂", 0.999, 0.0, 0.999, 0.001),
    "weight_decay": Setting("Weight decay", 0.0, 0.0, 1.0, 0.01),
}


@dataclass(frozen=True)
class OptimizerChoice:
    """An optimizer on offer: its name for people, its class, its fixed settings, and which of SETTINGS it takes.

    All of them take a weight decay.
    """

    label: str
    type: type[torch.optim.Optimizer]
    settings: tuple[tuple[str, Any], ...] = ()
    takes: tuple[str, ...] = ()

    @property
    def momentum(self) -> bool:
        """Whether it takes a momentum."""
        return "momentum" in self.takes


OPTIMIZERS: dict[str, OptimizerChoice] = {
    "sgd": OptimizerChoice("SGD", torch.optim.SGD),
    "momentum": OptimizerChoice("SGD with momentum", torch.optim.SGD, takes=("momentum",)),
    "nesterov": OptimizerChoice("Nesterov", torch.optim.SGD, (("nesterov", True),), takes=("momentum",)),
    "adagrad": OptimizerChoice("AdaGrad", torch.optim.Adagrad),
    "rmsprop": OptimizerChoice("RMSprop", torch.optim.RMSprop, takes=("alpha",)),
    "adadelta": OptimizerChoice("Adadelta", torch.optim.Adadelta, takes=("rho",)),
    "adam": OptimizerChoice("Adam", torch.optim.Adam, takes=("beta1", "beta2")),
    "adamw": OptimizerChoice("AdamW", torch.optim.AdamW, takes=("beta1", "beta2")),
}


def build_optimizer(
    name: str,
    parameters: Iterable[Tensor],
    *,
    lr: float,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    settings: Mapping[str, float] | None = None,
) -> torch.optim.Optimizer:
    """One of OPTIMIZERS over the parameters; momentum is used by those that take one.

    `settings` gives any of SETTINGS that it takes; those left out have torch's defaults.
    Tiny tensors are stepped one by one: gathering them first (torch's foreach) costs more than it saves here.
    """
    choice = OPTIMIZERS[name]
    given = {"momentum": momentum} | dict(settings or {})
    chosen = dict(choice.settings, lr=lr, weight_decay=weight_decay, foreach=False) | torch_settings(name, given)
    if chosen.get("nesterov") and not chosen["momentum"]:
        del chosen["nesterov"]  # torch's constructor refuses it; without momentum there is nothing to look ahead with
    optimizer = choice.type(list(parameters), **chosen)
    for group in optimizer.param_groups:
        group.update(choice.settings)
    leave_unrecorded(optimizer)
    return optimizer


def leave_unrecorded(optimizer: torch.optim.Optimizer) -> None:
    """Have the optimizer's steps taken without a record for torch's profiler, and without hooks: nobody has any here.

    torch 2.13 wraps the `step` of each class to give every call a name and to look for hooks, which is a fifteenth of
    a tiny model's training. What is called now is the function inside: the weights are the same bit for bit.
    """
    recorded: Any = type(optimizer).step
    if getattr(recorded, "hooked", False):  # as torch itself marks what it has wrapped
        optimizer.step = MethodType(recorded.__wrapped__, optimizer)  # type: ignore[method-assign]


def torch_settings(name: str, values: Mapping[str, float]) -> dict[str, Any]:
    """Those of SETTINGS that one of OPTIMIZERS takes, as torch's constructors and `param_groups` name them.

    Adam's two are one pair, `betas`, and come only where both are given. Others in `values` are left out, but for
    the weight decay, which all take.
    """
    takes = (*OPTIMIZERS[name].takes, "weight_decay")
    found: dict[str, Any] = {key: values[key] for key in takes if key in values}
    if "beta1" in found and "beta2" in found:
        found["betas"] = (found.pop("beta1"), found.pop("beta2"))
    return {key: value for key, value in found.items() if key not in ("beta1", "beta2")}


# Schedules: by which factor the learning rate is multiplied at a step, counted from 0, of a plan of `total` steps.

Factor = Callable[[int, int], float]


@dataclass(frozen=True)
class Schedule:
    """A way for the learning rate to change: its name for people, its factor, and torch's class for the same."""

    label: str
    factor: Factor
    code: str


WARM_SHARE = 0.1  # of the plan, over which a warm-up rises
ONE_CYCLE_RISE, ONE_CYCLE_DIV, ONE_CYCLE_FINAL = 0.3, 25.0, 1e4  # torch's defaults
STEPS_DOWN, STEP_GAMMA = 3, 0.1  # a plan of three stairs, each a tenth of the one before


def constant(step: int, total: int) -> float:
    """Always 1."""
    del step, total
    return 1.0


def stairs(step: int, total: int) -> float:
    """A tenth as much after each third of the plan, as StepLR(step_size=ceil(total / 3), gamma=0.1)."""
    return float(STEP_GAMMA ** (step // max(1, -(-total // STEPS_DOWN))))


def cosine(step: int, total: int) -> float:
    """From 1 to 0 along half a cosine (Loshchilov and Hutter 2017), as CosineAnnealingLR(T_max=total)."""
    return 0.5 * (1 + math.cos(math.pi * min(step, total) / max(1, total)))


def one_cycle(step: int, total: int) -> float:
    """Up from 1/25 to 1 over three tenths of the plan, then down to almost nothing (Smith 2018), as OneCycleLR."""
    top = ONE_CYCLE_RISE * total - 1  # the step at which torch's is highest
    last = total - 1
    start, end = 1 / ONE_CYCLE_DIV, 1 / (ONE_CYCLE_DIV * ONE_CYCLE_FINAL)
    if step <= top:
        return _along_cosine(start, 1.0, step / top)
    return _along_cosine(1.0, end, min(1.0, (step - top) / max(1e-9, last - top)))


def warm_up(step: int, total: int) -> float:
    """Rising evenly to 1 over the first tenth of the plan, then 1, as LinearLR with start_factor 1 / that tenth."""
    rise = max(1, round(WARM_SHARE * total))
    return min(1.0, (step + 1) / rise)


def _along_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


SCHEDULES: dict[str, Schedule] = {
    "constant": Schedule("Constant", constant, "no scheduler"),
    "step": Schedule("Steps down", stairs, "StepLR"),
    "cosine": Schedule("Cosine", cosine, "CosineAnnealingLR"),
    "one_cycle": Schedule("One cycle", one_cycle, "OneCycleLR"),
    "warm_up": Schedule("Warm-up", warm_up, "LinearLR"),
}
