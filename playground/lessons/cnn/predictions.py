"""The output of every module of a digit model for one image, computed once for all charts of a frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numpy.typing import NDArray
from torch import Tensor, nn

from playground.lessons.cnn.model import Stage, stages

Array = NDArray[Any]


@dataclass(frozen=True)
class Predictions:
    """One model and one image, and what comes out of every module for it."""

    model: nn.Sequential
    image: Tensor  # (1, 1, 28, 28) on the CPU
    label: int | None  # None if the true digit is not known

    @cached_property
    def stages(self) -> list[Stage]:
        """The output of each module, on the CPU."""
        device = next(self.model.parameters()).device
        return [
            Stage(stage.kind, stage.layer, stage.output.cpu()) for stage in stages(self.model, self.image.to(device))
        ]

    @cached_property
    def logits(self) -> Array:
        """(10,)."""
        logits: Array = self.stages[-1].output[0].numpy()
        return logits

    @cached_property
    def probabilities(self) -> Array:
        """The probability of each digit: (10,)."""
        probabilities: Array = self.stages[-1].output[0].softmax(dim=0).nan_to_num().numpy()
        return probabilities

    @property
    def predicted(self) -> int:
        """The most likely digit."""
        return int(self.probabilities.argmax())
