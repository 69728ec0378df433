"""A classifier's predictions for the points and for the plane, shared by all charts of a frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from playground.lessons.classification.clouds import MAP_END
from playground.lessons.classification.config import ClassificationConfig, inputs_of
from playground.training import models

SIDE = 100  # pixels of the decision map


def pad_logits(logits: Tensor, classes: int) -> Tensor:
    """Logits (points, outputs) with at least `classes` columns: -30, a probability of almost 0, in the new ones."""
    return functional.pad(logits, (0, max(0, classes - logits.shape[1])), value=-30.0)


def plane_points() -> Tensor:
    """The centres of the decision map's pixels, rows from the top: (SIDE * SIDE, 2)."""
    step = 2 * MAP_END / SIDE
    across = torch.arange(SIDE) * step - MAP_END + step / 2
    x2, x1 = torch.meshgrid(-across, across, indexing="ij")
    return torch.stack([x1.ravel(), x2.ravel()], dim=1)


PLANE = plane_points()


@dataclass(frozen=True)
class Predictions:
    """A model's predictions for all points and, when a chart asks for it, for the plane."""

    model: nn.Sequential
    config: ClassificationConfig
    losses: dict[str, float]
    predicted: NDArray[np.int64]  # the class of each training point, then of each test point, (points,)
    logits: Tensor  # of the same points: (points, classes)
    outputs: list[Tensor]  # of every module for the training points, each (training points, units)

    @cached_property
    def dead(self) -> list[NDArray[np.bool_]]:
        """For each hidden layer, which units output 0 for every training point and so get no gradient: (units,)."""
        hidden, can_die = self.outputs[1::2], models.ACTIVATIONS[self.config.activation].can_die
        return [(h <= 0).all(dim=0).numpy() if can_die else np.zeros(h.shape[1], bool) for h in hidden]

    @cached_property
    def plane(self) -> list[Tensor]:
        """The output of every module for every pixel of the map, each (SIDE * SIDE, units)."""
        with torch.no_grad():
            return models.layer_outputs(self.model, inputs_of(self.config, PLANE))
