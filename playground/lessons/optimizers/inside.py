"""Looking inside one racer's optimizer: its memory, its next step for every parameter, and that step written out."""

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
from playground.lessons.optimizers.figures import race_inside
from playground.lessons.optimizers.figures.race_inside import Group
from playground.lessons.optimizers.race import Racer, gradients
from playground.training.optimizers import OPTIMIZERS, StateTensor
from playground.training.update_rules import Update, number_at, readable

Array = NDArray[Any]
Batch = tuple[Tensor, Tensor]
STATE_COLOURS = ("@series1", "@series3", "@series2")

HEADINGS = {
    "next": "{racer}, step {step}: how parameter {number}, {place} = {weight}, moves with g = {gradient}",
    "left": "{racer} has left the race. Its next step would have moved parameter {number}, {place} = {weight}, so:",
}
NOT_SAVED = "The optimizers' memories at this step were not saved with the checkpoint. Press Now to see the present."
MEMORY_EMPTY = "{racer} remembers nothing: the step follows the gradient alone."
MEMORY_NEW = "{racer} remembers nothing yet."


@dataclass(frozen=True)
class Moment:
    """What one racer's next step depends on besides its weights: the coming batch, its memory, its settings."""

    batch: Batch
    memory: list[Mapping[str, Any]]  # for each parameter tensor
    group: dict[str, Any]


def moment(racer: Racer, batch: Batch, factor: float, *, kept: bool) -> Moment:
    """A racer's present moment; `factor` is the schedule's, for the next step.

    One that is `kept` has a copy of the memory; else it is torch's own, which the next step changes.
    """
    group = {key: value for key, value in racer.group.items() if key != "params"}
    state = racer.trainer.optimizer.state
    memory: list[Mapping[str, Any]] = [*racer.memory()] if kept else [state.get(each, {}) for each in racer.parameters]
    return Moment(batch, memory, group | {"lr": racer.entry.lr * factor})


@dataclass(frozen=True)
class Inside:
    """One racer's next step: its parameter tensors with their names, gradients, memory and updates."""

    racer: str
    steps: int
    left: bool
    names: list[str]
    weights: list[Tensor]
    gradients: list[Tensor]
    memory: list[Mapping[str, Any]]
    updates: list[Update]
    lr: float
    state: tuple[StateTensor, ...]


def look(racer: Racer, model: nn.Sequential, now: Moment, steps: int) -> Inside:
    """Look inside a racer at a moment, when it had this model."""
    found = gradients(model, racer.trainer.loss_fn, now.batch)
    weights = [parameter.detach() for parameter in model.parameters()]
    parts = zip(weights, found, now.memory, strict=True)
    choice = OPTIMIZERS[racer.entry.optimizer]
    updates = [choice.rule(weight, slope, state, now.group) for weight, slope, state in parts]
    left = 0 <= racer.left_at <= steps
    names = [name for name, _ in model.named_parameters()]
    return Inside(racer.entry.label, steps, left, names, weights, found, now.memory, updates, now.group["lr"], choice.state)


def draw(name: str, inside: Inside | None, chosen: int, reach: StickyRange) -> Figure:
    """The chart "memory" or "reach", with one chosen parameter marked; None: nothing is known."""
    if inside is None:
        return race_inside.rule(NOT_SAVED, [])
    return {"memory": _memory, "reach": _next}[name](inside, chosen, reach)


def _memory(inside: Inside, chosen: int, reach: StickyRange) -> Figure:
    """Gradient and memory of every parameter in the gradient's own units: of what is squared, the root."""
    series = [("gradient g", "@gradient", "circle-open", _flat(inside.gradients))]
    for each in inside.state:
        if each.is_scalar or each.name not in inside.memory[0]:
            continue
        kept = _flat([state[each.name] for state in inside.memory])
        name, values, symbol = f"{each.symbol}  ({each.name})", kept, "square"
        if each.is_squared:
            name, values, symbol = f"√{name}", np.sqrt(kept), "diamond"
        series.append((name, STATE_COLOURS[(len(series) - 1) % len(STATE_COLOURS)], symbol, values))
    empty = MEMORY_EMPTY if inside.steps else MEMORY_NEW
    note = "" if len(series) > 1 else empty.format(racer=inside.racer)
    return race_inside.by_parameter(
        _groups(inside), series, at=_bounded(inside, chosen), title="Size, as a gradient", log=False, reach=reach,
        note=note,
    )  # fmt: skip


def _next(inside: Inside, chosen: int, reach: StickyRange) -> Figure:
    """How far the next step moves every parameter, beside plain gradient descent at the same learning rate."""
    moved = [(update.weight - weight).abs() for update, weight in zip(inside.updates, inside.weights, strict=True)]
    plain = [inside.lr * gradient.abs() for gradient in inside.gradients]
    series = [
        ("plain SGD would: lr · |g|", "@muted", "circle-open", _flat(plain)),
        (f"{inside.racer} moves by", "@model", "diamond", _flat(moved)),
    ]
    return race_inside.by_parameter(
        _groups(inside), series, at=_bounded(inside, chosen), title="Length of the next step", log=True, reach=reach
    )


def rule(inside: Inside | None, chosen: int) -> Figure:
    """The rule of the next step for one parameter, with its numbers; None: nothing is known."""
    if inside is None:
        return race_inside.rule(NOT_SAVED, [])
    number = _bounded(inside, chosen)
    tensor, at = _locate(inside, number)
    index = [int(each) for each in np.unravel_index(at, tuple(inside.weights[tensor].shape))]
    heading = HEADINGS["left" if inside.left else "next"].format(
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
    """Which tensor a parameter is in, and its place in it."""
    for tensor, weight in enumerate(inside.weights):
        if number < weight.numel():
            return tensor, number
        number -= weight.numel()
    raise AssertionError("the number is bounded before")


def _flat(tensors: list[Tensor]) -> Array:
    return torch.cat([tensor.reshape(-1) for tensor in tensors]).numpy().copy()
