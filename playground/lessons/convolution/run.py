"""The base of the labs Convolution and Pooling: an output that is computed at once and shown number by number."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from torch import Tensor

from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings

PLAY_SECONDS = 12.0  # for the whole output at automatic speed


class UncoveringRun(SteppedRun):
    """A window that moves over an image, row by row; a lab computes the `output` (rows, columns)."""

    output: Tensor

    def __init__(self, config: Any, settings: Settings) -> None:
        self.compute(config)
        super().__init__(config, settings, self.output.numel())

    @abstractmethod
    def compute(self, config: Any) -> None:
        """Set `output`, and whatever the charts show of its computation."""

    @property
    def auto_speed(self) -> float:
        """Places per second that show the whole output in about PLAY_SECONDS."""
        return max(2.0, self.output.numel() / PLAY_SECONDS)

    def step(self) -> None:
        """Move to the next place; nothing is computed."""

    def tune(self, config: Any) -> None:
        """Compute the output again. As many places stay shown as before; a complete output stays complete."""
        self.compute(config)
        self.config, self.length = config, self.output.numel()
        self.steps = self.length if self.outcome == "done" else min(self.steps, self.length)
        self.outcome = "done" if self.steps == self.length else ""

    def place(self, at: int) -> tuple[int, int]:
        """The row and column of the number that step `at` showed; steps count from 1."""
        return divmod(at - 1, self.output.shape[1])
