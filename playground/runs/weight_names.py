"""Matching the tensors of a weights file with a model's: by name, or in order if another class was saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from playground.knobs import shorten
from playground.runs import messages
from playground.runs import state_checks as check
from playground.runs.state_checks import StateError

COUNTER = "num_batches_tracked"  # a buffer of nn.BatchNorm2d that no output depends on


@dataclass(frozen=True)
class Assignment:
    """A file's tensors under the model's names; `in_order` says that the names in the file were different."""

    weights: dict[str, Tensor]
    in_order: bool


def assign(weights: Mapping[str, Tensor], model: Mapping[str, Tensor], script_names: Sequence[str]) -> Assignment:
    """The tensor of a file for each tensor of a model's state_dict.

    `script_names` are the names that these have in the exported script, in the same order. Other names are accepted if
    the modules with parameters, in order, have the same parameters of the same shapes. Raises StateError with a
    sentence that says what differs, also for numbers that are not finite or not of the model's dtype.
    """
    found = {name: value for name, value in weights.items() if name.rpartition(".")[2] != COUNTER}
    by_name = (
        dict(zip(script_names, model, strict=True)),
        {name: name for name in model},
    )  # name in the file: the model's
    names = next((each for each in by_name if each.keys() == found.keys()), None)
    in_order = names is None
    if names is None:
        mine, its = _places(model), _places(found)
        if mine.keys() != its.keys():
            nearest = max(by_name, key=lambda each: len(each.keys() & found.keys()))
            raise StateError(_difference(nearest, found))
        names = {its[place]: name for place, name in mine.items()}
    for name, own in names.items():
        shape, needed = list(found[name].shape), list(model[own].shape)
        if shape != needed:
            raise StateError(messages.WEIGHT_SHAPE.format(name=shorten(name), found=shape, needed=needed))
        check.like(found[name], shorten(name), model[own])
    return Assignment({own: found[name] for name, own in names.items()}, in_order)


def _places(names: Iterable[str]) -> dict[tuple[int, str], str]:
    """Each name by the index of its module, in order of appearance, and the parameter's own name."""
    numbers: dict[str, int] = {}
    found: dict[tuple[int, str], str] = {}
    for name in names:
        module, _, parameter = name.rpartition(".")
        found[numbers.setdefault(module, len(numbers)), parameter] = name
    return found


def _difference(needed: Iterable[str], found: Iterable[str]) -> str:
    """A sentence about the first tensor that only one of the two has: by name, or by place if no name is in both."""
    if set(needed) & set(found):
        mine, its = {(0, name): name for name in needed}, {(0, name): name for name in found}
    else:
        mine, its = _places(needed), _places(found)
    for place, name in mine.items():
        if place not in its:
            return messages.WEIGHT_MISSING.format(name=name)
    extra = next(name for place, name in its.items() if place not in mine)
    return messages.WEIGHT_UNKNOWN.format(name=shorten(extra))
