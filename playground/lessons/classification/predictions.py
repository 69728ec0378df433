"""What a classifier says of points and of the plane, shared by all charts of a frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from playground.lessons.classification.clouds import REACH
from playground.lessons.classification.config import ClassificationConfig, inputs_of
from playground.training import models

SIDE = 100  # pixels of the decision map


def fitted(logits: Tensor, classes: int) -> Tensor:
    """Logits with a column for each class; a model from before there were so many gives the others no chance."""
    return functional.pad(logits, (0, max(0, classes - logits.shape[1])), value=-30.0)


def plane_points() -> Tensor:
    """The centres of the decision map's pixels, rows from the top: (SIDE * SIDE, 2)."""
    step = 2 * REACH / SIDE
    across = torch.arange(SIDE) * step - REACH + step / 2
    x2, x1 = torch.meshgrid(-across, across, indexing="ij")
    return torch.stack([x1.ravel(), x2.ravel()], dim=1)


PLANE = plane_points()


@dataclass(frozen=True)
class Seen:
    """What a model says of the points, and, where a chart asks, of the whole plane."""

    model: nn.Sequential
    config: ClassificationConfig
    losses: dict[str, float]
    guesses: Any  # the likeliest class of each training, then each test point
    logits: Tensor  # of the same points: (points, classes)

    @cached_property
    def plane(self) -> list[Tensor]:
        """The output of every module for every pixel of the map, each (SIDE * SIDE, units)."""
        with torch.no_grad():
            return models.layer_outputs(self.model, inputs_of(self.config, PLANE))
