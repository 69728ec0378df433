"""What a training was like at earlier steps: for the time slider to look back at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Snapshot:
    """The model at one step: its parameters in one vector, and the config it was trained with just then."""

    steps: int
    epochs: int
    parameters: Tensor  # (parameters,)
    config: Any


class Snapshots:
    """Snapshots that thin themselves: at most `capacity`, evenly spread over the run."""

    def __init__(self, capacity: int) -> None:
        self.capacity = max(2, capacity)
        self.stride = 1
        self.kept: list[Snapshot] = []

    def limit(self, other: Snapshots) -> None:
        """Keep no more, and no closer together, than another run: both then keep the same steps."""
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
