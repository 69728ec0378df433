"""Looking into state_dicts: what each tensor is, how its numbers are spread, and how two state_dicts differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.runs.state_checks import name_of

Array = NDArray[Any]
State = Mapping[str, Tensor]


@dataclass(frozen=True)
class Entry:
    """One tensor of a state_dict: name, shape, dtype, how many numbers, their bytes, mean and standard deviation."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    numbers: int
    bytes: int
    mean: float
    deviation: float


def entries(state: State) -> list[Entry]:
    """Every tensor of a state_dict, in its order. The deviation is that of all numbers, not of a sample."""
    return [
        Entry(
            name, tuple(value.shape), name_of(value.dtype), value.numel(), value.numel() * value.element_size(),
            float(value.double().mean()), float(value.double().std(correction=0)),
        )
        for name, value in state.items()
    ]  # fmt: skip


def layers(state: State) -> list[str]:
    """The layers that have a weight, by the number (or path) their tensors' names begin with."""
    return [name.removesuffix(".weight") for name in state if name.endswith(".weight")]


def matrix(state: State, layer: str) -> Array:
    """A linear layer's numbers as one matrix, a row for each unit; the last column is the bias: (units, inputs + 1)."""
    weight, bias = state[f"{layer}.weight"], state[f"{layer}.bias"]
    return torch.cat([weight, bias.unsqueeze(dim=1)], dim=1).numpy()


def largest_change(before: State, after: State, name: str) -> float:
    """By how much the number that changed most has changed."""
    return float((after[name] - before[name]).abs().max())


def histogram(values: Array, edges: Array) -> Array:
    """How many values lie between each two edges: (edges - 1,)."""
    counts: Array = np.histogram(values, edges)[0]
    return counts


def edges_for(*several: Array) -> Array:
    """Edges of equal bins around zero that hold all values, more bins for more values: (bins + 1,)."""
    every = np.concatenate([values.ravel() for values in several])
    bins = int(np.clip(2 * max(values.size for values in several) ** 0.5, 6, 24))
    reach = max(float(np.abs(every).max(initial=0.0)), 1e-3)
    return np.linspace(-reach, reach, bins + 1)
