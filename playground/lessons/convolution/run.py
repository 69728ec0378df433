"""What the labs "Convolution" and "Pooling" share: an output that is computed at once and uncovered place by place."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from torch import Tensor

from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings

PLAY_SECONDS = 12.0  # for a whole output, when nobody chose a speed


class UncoveringRun(SteppedRun):
    """A window's way over an image, row by row; a lab says how its `output` (rows, columns) is computed."""

    output: Tensor

    def __init__(self, config: Any, settings: Settings) -> None:
        self.compute(config)
        super().__init__(config, settings, self.output.numel())

    @abstractmethod
    def compute(self, config: Any) -> None:
        """Set `output`, and what the charts show of its making."""

    @property
    def auto_speed(self) -> float:
        """The whole output in about PLAY_SECONDS."""
        return max(2.0, self.output.numel() / PLAY_SECONDS)

    def step(self) -> None:
        """Go on to the next place."""

    def tune(self, config: Any) -> None:
        """Compute anew. As many places stay uncovered as there were; a complete output stays complete."""
        self.compute(config)
        self.config, self.length = config, self.output.numel()
        self.steps = self.length if self.outcome == "done" else min(self.steps, self.length)
        self.outcome = "done" if self.steps == self.length else ""

    def place(self, at: int) -> tuple[int, int]:
        """The row and column of the output's number that came with step `at`, from 1 on."""
        return divmod(at - 1, self.output.shape[1])
