"""Weights, gradients and optimizers as the doctor sees them: what a backward pass reaches, and what a step moves."""

from __future__ import annotations

import math
import weakref
from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import torch
from torch import Tensor

from playground.lessons.doctor.evidence import Layer

EARLY = 10  # backward passes: those whose gradients say how a training begins
MAX_MODELS = 64
SAME = 1e-5  # of the largest weight: units whose weights differ by less are the same
GONE = 1e-3  # of the highest learning rate: a lower one is as good as none
LATE = 10  # measurements


@dataclass(eq=False)
class WeightRecord:
    """A weight matrix: its values before the first backward pass, and what became of them."""

    weight: Tensor
    start: Tensor
    has_moved: bool = False
    has_gradient: bool = False  # other than 0, at least once
    passes: int = 0
    missed: int = 0  # of the first passes: those that did not reach it
    norms: list[float] = field(default_factory=list)


@dataclass(eq=False)
class ModelRecord:
    """A model that was trained: its first weights and the shapes of all."""

    first: Tensor
    shapes: list[torch.Size]
    steps: int = 0
    is_used_later: bool = False


class Updates:
    """Follows each weight from the gradient to the update."""

    def __init__(self) -> None:
        self._records: dict[int, WeightRecord] = {}
        self._order: list[Tensor] = []  # in the last forward pass
        self._places: dict[int, int] = {}  # of each weight
        self._models: list[ModelRecord] = []
        self._updates = self._empty = self._kept = self._passes = 0
        self._kept_norms: deque[float] = deque(maxlen=LATE)
        self._new_norms: deque[float] = deque(maxlen=LATE)
        self._is_used = False  # whether an update has used the gradients since the last backward pass
        self._old: Tensor | None = None  # the gradient that was there before the backward pass
        self._rates: list[float] = []
        self._optimized: dict[int, weakref.ref[Tensor]] = {}
        self._decay = 0.0
        self._decay_shares: deque[float] = deque(maxlen=LATE)
        self._was_restored = False

    # Backward passes.

    @torch.no_grad()
    def before_backward(self, weights: list[Tensor], *, is_due: bool) -> None:
        """A backward pass starts; `weights` are those of the forward pass, in their order."""
        self._old = None
        gradients = [each.grad for each in weights if each.is_leaf and each.requires_grad and each.grad is not None]
        if self._is_used and any(bool(each.any()) for each in gradients):
            self._kept += 1
            last = weights[-1]
            if is_due and last.is_leaf and last.grad is not None:
                self._old = last.grad.clone()
        for each in weights:
            if each.is_leaf and id(each) not in self._records:
                self._records[id(each)] = WeightRecord(each, each.detach().clone())

    @torch.no_grad()
    def after_backward(self, weights: list[Tensor], *, is_due: bool) -> None:
        """A backward pass is over."""
        self._is_used = False
        self._passes += 1
        self._order = [each for each in dict.fromkeys(weights) if each.is_leaf]
        if self._old is not None and weights[-1].grad is not None:
            self._kept_norms.append(float(self._old.norm()))
            self._new_norms.append(float((weights[-1].grad - self._old).norm()))
        for each in self._order:
            record = self._records[id(each)]
            record.passes += 1
            if each.grad is None:
                record.missed += record.passes <= EARLY
            elif record.passes <= EARLY:
                record.norms.append(float(each.grad.norm()))
            if not record.has_gradient:
                record.has_gradient = each.grad is not None and bool(each.grad.any())
            if not record.has_moved and (record.passes <= EARLY or is_due):
                record.has_moved = not torch.equal(each, record.start)
        self._note_model()

    def _note_model(self) -> None:
        if not self._order:
            return
        first, shapes = self._order[0], [each.shape for each in self._order]
        if not self._models or self._models[-1].first is not first:
            if len(self._models) >= MAX_MODELS:
                return
            self._models.append(ModelRecord(first, shapes))
        self._models[-1].steps += 1

    def layer(self, weight: Tensor, places: int) -> None:
        """A layer with this weight was called; it uses each weight at this number of places of an example."""
        self._places[id(weight)] = places
        for each in self._models[:-1]:
            if each.first is weight:
                each.is_used_later = True

    def copied(self, target: Tensor) -> None:
        """Values were copied into a tensor: of a weight, these are loaded ones."""
        if self._updates and target.requires_grad and target.is_leaf:
            self._was_restored = True

    # Updates.

    @torch.no_grad()
    def update(self, optimizer: torch.optim.Optimizer, *, is_due: bool) -> None:
        """An optimizer is about to take a step."""
        self._updates += 1
        self._was_restored = False
        self._is_used = True
        groups = optimizer.param_groups
        parameters = [each for group in groups for each in group["params"]]
        gradients = [each.grad for each in parameters if each.grad is not None]
        self._empty += not any(bool(each.any()) for each in gradients)
        self._rates.append(max((float(group["lr"]) for group in groups), default=0.0))
        if self._passes <= EARLY or is_due:
            self._optimized |= {id(each): weakref.ref(each) for each in parameters}
        self._decay = max((float(group.get("weight_decay", 0.0)) for group in groups), default=0.0)
        if is_due and self._decay and gradients:
            self._decay_shares.append(_decay_share(optimizer))

    def _is_optimized(self, weight: Tensor) -> bool:
        found = self._optimized.get(id(weight))
        return found is not None and found() is weight

    def _layer_of(self, weight: Tensor) -> Layer:
        record = self._records[id(weight)]
        now = weight.detach()
        return Layer(
            size=now.numel(),
            units=len(now) if now.ndim else 1,
            gradient=median(record.norms) if record.norms else math.nan,
            places=self._places.get(id(weight), 1),
            has_moved=record.has_moved or not torch.equal(now, record.start),
            has_gradient=record.has_gradient,
            is_frozen=not weight.requires_grad,
            is_optimized=self._is_optimized(weight),
            same_units=_are_the_same(record.start) and _are_the_same(now),
            missed=record.missed,
            passes=record.passes,
        )

    def facts(self) -> dict[str, Any]:
        """Its part of the evidence."""
        again = [each for each in self._models if each.shapes == self._models[-1].shapes]
        is_again = len(again) == len(self._models) > 1 and not any(each.is_used_later for each in again)
        highest = max(self._rates, default=0.0)
        gone = next((at for at, rate in enumerate(self._rates) if rate < GONE * highest), None)
        is_gone = gone is not None and max(self._rates[gone:]) < GONE * highest
        return {
            "layers": tuple(self._layer_of(each) for each in self._order),
            "updates": self._updates,
            "empty_updates": self._empty,
            "kept_gradients": self._kept,
            "kept_norm": median(self._kept_norms) if self._kept_norms else math.nan,
            "new_norm": median(self._new_norms) if self._new_norms else math.nan,
            "models": len(again) if is_again else 1,
            "steps_per_model": int(median(each.steps for each in again)) if is_again else 0,
            "is_one_model": len(self._models) <= 1,
            "are_weights_finite": all(bool(each.isfinite().all()) for each in self._order),
            "first_rate": highest if self._rates else math.nan,
            "last_rate": self._rates[-1] if self._rates else math.nan,
            "rate_gone_at": 1 + gone if gone is not None and is_gone else 0,
            "decay": self._decay,
            "decay_share": median(self._decay_shares) if self._decay_shares else math.nan,
            "was_restored": self._was_restored,
        }


def _are_the_same(weight: Tensor) -> bool:
    """Whether all units of a layer, at least two rows of its weights, are equal."""
    if weight.ndim < 2 or len(weight) < 2 or not weight.isfinite().all():
        return False
    rows = weight.flatten(1)
    return bool((rows - rows[0]).abs().max() <= SAME * rows.abs().max())


def _decay_share(optimizer: torch.optim.Optimizer) -> float:
    """How hard the weight decay pulls, in units of the loss's own pull; for AdamW, of its step at a rate of 1."""
    pull = own = 0.0
    for group in optimizer.param_groups:
        for each in group["params"]:
            if each.grad is None or each.ndim < 2:
                continue
            step, state = each.grad, optimizer.state.get(each, {})
            if isinstance(optimizer, torch.optim.AdamW) and "exp_avg" in state:
                step = state["exp_avg"] / (state["exp_avg_sq"].sqrt() + group["eps"])
            pull += float((group.get("weight_decay", 0.0) * each).norm()) ** 2
            own += float(step.norm()) ** 2
    return math.sqrt(pull / own) if own else math.inf
