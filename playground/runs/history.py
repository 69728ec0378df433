"""What a run remembers of its earlier steps: numbers for the curves, and snapshots of the model to look back at."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

KINDS = ("gradient", "update")


def layer_norms(layers: Sequence[str], parameters: Sequence[Tensor], before: Sequence[Tensor]) -> dict[str, float]:
    """The Euclidean norms of each layer's gradient and of its last update, as "gradient <layer>" and "update <layer>".

    Each layer has two parameters, weight and bias; `before` holds them as they were before the update.
    """
    row = {f"{kind} {name}": 0.0 for name in layers for kind in KINDS}  # squares, then their roots
    for index, (parameter, old) in enumerate(zip(parameters, before, strict=True)):
        name = layers[index // 2]
        update = (parameter.detach().numpy() - old.numpy()).ravel()  # NumPy: a torch operation costs far more
        row[f"update {name}"] += float(np.vdot(update, update))
        if parameter.grad is not None:
            gradient = parameter.grad.numpy().ravel()
            row[f"gradient {name}"] += float(np.vdot(gradient, gradient))
    return {name: math.sqrt(square) for name, square in row.items()}


class History:
    """Named columns of numbers over steps, at most `capacity` rows however long the run: they thin themselves.

    A row is due every `stride` steps. When the table is full, every second row is dropped and the stride doubles, so
    what is kept depends on the steps alone.
    """

    def __init__(self, columns: Iterable[str], capacity: int = 128) -> None:
        self.capacity = capacity
        self.stride = 1
        self.rows = 0
        self.columns = tuple(columns)
        self._shown: dict[str, NDArray[Any]] = {}
        self._table = np.full((capacity, len(self.columns) + 1), np.nan, dtype=np.float32)
        self._steps = np.zeros(capacity, dtype=np.int64)

    def is_due(self, steps: int) -> bool:
        """Whether a row belongs to this step."""
        return steps % self.stride == 0

    def append(self, steps: int, row: dict[str, float]) -> None:
        """Add the row of a step; columns left out stay empty (NaN)."""
        while self.rows == self.capacity:  # more than once where rows come at rare steps only
            self._thin()
            if not self.is_due(steps):
                return
        self._shown.clear()
        self._steps[self.rows] = steps
        for index, name in enumerate(self.columns):
            self._table[self.rows, index] = row.get(name, np.nan)
        self.rows += 1

    def column(self, name: str) -> NDArray[np.float32]:
        """One column, oldest row first: shape (rows,). The same array until a row is added."""
        if name not in self._shown:
            self._shown[name] = self._table[: self.rows, self.columns.index(name)].copy()
        return self._shown[name]

    def steps(self) -> NDArray[np.float32]:
        """The steps of the rows, exact up to 16 million: shape (rows,). The same array until a row is added."""
        if "" not in self._shown:
            self._shown[""] = self._steps[: self.rows].astype(np.float32)
        return self._shown[""]

    def _thin(self) -> None:
        self.stride *= 2
        keep = np.flatnonzero(self._steps[: self.rows] % self.stride == 0)
        self._steps[: len(keep)] = self._steps[keep]
        self._table[: len(keep)] = self._table[keep]
        self._table[len(keep) :] = np.nan
        self.rows = len(keep)

    def state_dict(self) -> dict[str, Any]:
        """The rows kept and the stride."""
        return {
            "stride": self.stride,
            "steps": self._steps[: self.rows].copy(),
            "table": self._table[: self.rows].copy(),
        }

    def cut(self, steps: int) -> None:
        """Forget the rows after this step."""
        state = self.state_dict()
        kept = state["steps"] <= steps
        self.load_state_dict(state | {"steps": state["steps"][kept], "table": state["table"][kept]})

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up where `state_dict` was taken."""
        self.stride, self.rows = state["stride"], len(state["steps"])
        self._shown.clear()
        self._steps[: self.rows] = state["steps"]
        self._table[:] = np.nan
        self._table[: self.rows] = state["table"]


@dataclass(frozen=True)
class Snapshot:
    """The model at one step: its parameters in one vector, and the config it was trained with at that step."""

    steps: int
    epochs: int
    parameters: Tensor  # (parameters,)
    config: Any


class Snapshots:
    """At most `capacity` snapshots, evenly spread over the run: they thin themselves."""

    def __init__(self, capacity: int) -> None:
        self.capacity = max(2, capacity)
        self.stride = 1
        self.kept: list[Snapshot] = []

    def limit(self, other: Snapshots) -> None:
        """Keep no more snapshots, and none closer together, than another run, so that both keep the same steps."""
        self.capacity, self.stride = min(self.capacity, other.capacity), max(self.stride, other.stride)
        while len(self.kept) > self.capacity:
            self.stride *= 2
            self.kept = [kept for kept in self.kept if self.is_due(kept.steps)]

    def is_due(self, steps: int) -> bool:
        """Whether a snapshot belongs to this step."""
        return steps % self.stride == 0

    def append(self, snapshot: Snapshot) -> None:
        """Keep a snapshot, thinning the older ones when there are too many."""
        if len(self.kept) == self.capacity:
            self.stride *= 2
            self.kept = [kept for kept in self.kept if self.is_due(kept.steps)]
        if self.is_due(snapshot.steps):
            self.kept.append(snapshot)
