"""A classifier's predictions for the points and for the plane, shared by all charts of a frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from playground.glance import MAP_SIDE
from playground.lessons.classification.clouds import MAP_END
from playground.lessons.classification.config import ClassificationConfig, inputs_of
from playground.training import models

STEP = 0.2  # of the plane, between two pixels of the decision map
WIDE, TALL = 138, 78  # pixels of the decision map: it is wider than what is always seen, MAP_END on each side
REACH = (WIDE * STEP / 2, TALL * STEP / 2)
UNIT_SIDE = 20  # pixels of a unit's or an input's small map, which shows MAP_END on each side


def pad_logits(logits: Tensor, classes: int) -> Tensor:
    """Logits (points, outputs) with at least `classes` columns: -30, a probability of almost 0, in the new ones."""
    return functional.pad(logits, (0, max(0, classes - logits.shape[1])), value=-30.0)


def plane_points(wide: int, tall: int, step: float) -> Tensor:
    """The centres of a map's pixels around the origin, rows from the top: (wide * tall, 2)."""
    across, down = (step * (torch.arange(count) - (count - 1) / 2) for count in (wide, tall))
    x2, x1 = torch.meshgrid(-down, across, indexing="ij")
    return torch.stack([x1.ravel(), x2.ravel()], dim=1)


PLANE = plane_points(WIDE, TALL, STEP)
# The cells of a miniature, rows from the lowest: (cells, 2).
CELLS = plane_points(MAP_SIDE, MAP_SIDE, 2 * MAP_END / MAP_SIDE).view(MAP_SIDE, MAP_SIDE, 2).flip(0).reshape(-1, 2)


def small_maps(values: Tensor) -> NDArray[Any]:
    """Small maps (units, UNIT_SIDE * UNIT_SIDE) of the middle of the plane, from its values (pixels, units)."""
    inner = round(2 * MAP_END / STEP)
    top, left, stride = (TALL - inner) // 2, (WIDE - inner) // 2, inner // UNIT_SIDE
    square = values.T.reshape(-1, TALL, WIDE)[:, top : top + inner : stride, left : left + inner : stride]
    return np.asarray(square.reshape(values.shape[1], -1).numpy())


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
        """The output of every module for every pixel of the map, each (WIDE * TALL, units)."""
        with torch.no_grad():
            return models.layer_outputs(self.model, inputs_of(self.config, PLANE))
