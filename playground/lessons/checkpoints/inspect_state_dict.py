"""Measures of state_dicts: each tensor's shape and size, histograms, and the differences of two state_dicts."""

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
    """One tensor of a state_dict: name, shape, dtype, count of numbers, bytes, mean and standard deviation."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    numbers: int
    bytes: int
    mean: float
    deviation: float


def entries(state: State) -> list[Entry]:
    """Every tensor of a state_dict, in its order; the standard deviation is without Bessel's correction."""
    return [
        Entry(
            name, tuple(value.shape), name_of(value.dtype), value.numel(), value.numel() * value.element_size(),
            float(value.double().mean()), float(value.double().std(correction=0)),
        )
        for name, value in state.items()
    ]  # fmt: skip


def layers(state: State) -> list[str]:
    """The layers with a weight: the numbers (or paths) that their tensors' names begin with."""
    return [name.removesuffix(".weight") for name in state if name.endswith(".weight")]


def matrix(state: State, layer: str) -> Array:
    """A linear layer as one matrix (units, inputs + 1): a row for each unit; the last column is the bias."""
    weight, bias = state[f"{layer}.weight"], state[f"{layer}.bias"]
    return torch.cat([weight, bias.unsqueeze(dim=1)], dim=1).numpy()


def largest_change(before: State, after: State, name: str) -> float:
    """The largest absolute change of a number of the tensor."""
    return float((after[name] - before[name]).abs().max())


def histogram(values: Array, edges: Array) -> Array:
    """The number of values in each bin (edges - 1,)."""
    counts: Array = np.histogram(values, edges)[0]
    return counts


def edges_for(*several: Array) -> Array:
    """Edges of equal bins around zero that contain all values; more bins for more values (bins + 1,)."""
    every = np.concatenate([values.ravel() for values in several])
    bins = int(np.clip(2 * max(values.size for values in several) ** 0.5, 6, 24))
    reach = max(float(np.abs(every).max(initial=0.0)), 1e-3)
    return np.linspace(-reach, reach, bins + 1)
