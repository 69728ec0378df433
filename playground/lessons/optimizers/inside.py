"""Looking inside one racer's optimizer: its state, its next step for every parameter, and that step written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from playground.engine.frames import Figure
from playground.figures.theme import StickyRange
from playground.lessons.optimizers import words
from playground.lessons.optimizers.figures import race_inside
from playground.lessons.optimizers.figures.race_inside import Group
from playground.lessons.optimizers.race import Racer, gradients
from playground.training.optimizers import OPTIMIZERS, StateTensor
from playground.training.update_rules import Update, number_at, readable

Array = NDArray[Any]
Batch = tuple[Tensor, Tensor]
STATE_COLOURS = ("@series1", "@series3", "@series2")


@dataclass(frozen=True)
class StepInputs:
    """What a racer's next step depends on, apart from its weights: the coming batch, optimizer state and settings."""

    batch: Batch
    state: list[Mapping[str, Any]]  # for each parameter tensor
    group: dict[str, Any]


def step_inputs(racer: Racer, batch: Batch, factor: float, *, copied: bool) -> StepInputs:
    """The inputs of a racer's next step; `factor` is the schedule's for that step.

    If not `copied`, the state is torch's own, which the next step changes.
    """
    group = {key: value for key, value in racer.group.items() if key != "params"}
    own = racer.trainer.optimizer.state
    state: list[Mapping[str, Any]] = [*racer.copy_state()] if copied else [own.get(p, {}) for p in racer.parameters]
    return StepInputs(batch, state, group | {"lr": racer.entry.lr * factor})


@dataclass(frozen=True)
class Inside:
    """One racer's next step: its parameter tensors with their names, gradients, optimizer state and updates."""

    racer: str
    steps: int
    left: bool
    names: list[str]
    weights: list[Tensor]
    gradients: list[Tensor]
    state: list[Mapping[str, Any]]
    state_tensors: tuple[StateTensor, ...]
    updates: list[Update]
    lr: float


def look_inside(racer: Racer, model: nn.Sequential, inputs: StepInputs, steps: int) -> Inside:
    """The next step of a racer that had this model and these inputs after `steps` steps."""
    choice = OPTIMIZERS[racer.entry.optimizer]
    slopes = gradients(model, racer.trainer.loss_fn, inputs.batch)
    weights = [parameter.detach() for parameter in model.parameters()]
    parts = zip(weights, slopes, inputs.state, strict=True)
    return Inside(
        racer=racer.entry.label,
        steps=steps,
        left=0 <= racer.left_at <= steps,
        names=[name for name, _ in model.named_parameters()],
        weights=weights,
        gradients=slopes,
        state=inputs.state,
        state_tensors=choice.state,
        updates=[choice.rule(weight, slope, state, inputs.group) for weight, slope, state in parts],
        lr=inputs.group["lr"],
    )


def state_chart(inside: Inside | None, chosen: int, shown: StickyRange) -> Figure:
    """Gradient and state of every parameter in the gradient's own unit: the root of what is squared.

    The chosen parameter is marked. None: the inputs of this step are not known.
    """
    if inside is None:
        return race_inside.rule(words.STATE_NOT_SAVED, [])
    series = [(words.GRADIENT_NAME, "@gradient", "circle-open", _flat(inside.gradients))]
    for each in inside.state_tensors:
        if each.is_scalar or each.name not in inside.state[0]:
            continue
        values = _flat([state[each.name] for state in inside.state])
        name, symbol = f"{each.symbol}  ({each.name})", "square"
        if each.is_squared:
            name, symbol, values = f"√{name}", "diamond", np.sqrt(values)
        series.append((name, STATE_COLOURS[(len(series) - 1) % len(STATE_COLOURS)], symbol, values))
    empty = words.NO_STATE if inside.steps else words.NO_STATE_YET
    note = "" if len(series) > 1 else empty.format(racer=inside.racer)
    return race_inside.by_parameter(
        _groups(inside), series, at=_bounded(inside, chosen), title=words.STATE_TITLE, log=False, shown=shown,
        note=note,
    )  # fmt: skip


def next_step_chart(inside: Inside | None, chosen: int, shown: StickyRange) -> Figure:
    """How far the next step moves every parameter, beside plain gradient descent at the same learning rate.

    The chosen parameter is marked. None: the inputs of this step are not known.
    """
    if inside is None:
        return race_inside.rule(words.STATE_NOT_SAVED, [])
    moved = [(update.weight - weight).abs() for update, weight in zip(inside.updates, inside.weights, strict=True)]
    plain = [inside.lr * gradient.abs() for gradient in inside.gradients]
    series = [
        (words.PLAIN_SGD_NAME, "@muted", "circle-open", _flat(plain)),
        (inside.racer, "@model", "diamond", _flat(moved)),
    ]
    return race_inside.by_parameter(
        _groups(inside), series, at=_bounded(inside, chosen), title=words.NEXT_STEP_TITLE, log=True, shown=shown
    )


def rule_chart(inside: Inside | None, chosen: int) -> Figure:
    """The update rule of the next step for one parameter, with its numbers; None: they are not known."""
    if inside is None:
        return race_inside.rule(words.STATE_NOT_SAVED, [])
    number = _bounded(inside, chosen)
    tensor, at = _locate(inside, number)
    index = [int(each) for each in np.unravel_index(at, tuple(inside.weights[tensor].shape))]
    heading = words.RULE_HEADINGS["left" if inside.left else "next"].format(
        racer=inside.racer,
        step=inside.steps + 1,
        number=number,
        place=f"{inside.names[tensor]}{index}",
        weight=readable(number_at(inside.weights[tensor], at)).strip("()"),
        gradient=readable(number_at(inside.gradients[tensor], at)).strip("()"),
    )
    lines = [
        (line.name, line.formula, line.with_numbers(at), readable(number_at(line.value, at)).strip("()"))
        for line in inside.updates[tensor].lines
    ]
    return race_inside.rule(heading, lines)


def _groups(inside: Inside) -> list[Group]:
    return [Group(name, weight.numel()) for name, weight in zip(inside.names, inside.weights, strict=True)]


def _bounded(inside: Inside, chosen: int) -> int:
    return min(chosen, sum(weight.numel() for weight in inside.weights) - 1)


def _locate(inside: Inside, number: int) -> tuple[int, int]:
    """The index of the tensor that holds a parameter, and the parameter's place in it."""
    for tensor, weight in enumerate(inside.weights):
        if number < weight.numel():
            return tensor, number
        number -= weight.numel()
    raise AssertionError("the number is within bounds")


def _flat(tensors: list[Tensor]) -> Array:
    return torch.cat([tensor.reshape(-1) for tensor in tensors]).numpy().copy()
