"""Batches of images: shared bytes that are converted to float32 batch by batch, shifted and rotated at random."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from playground.lessons.cnn.model import scaled
from playground.training.trainer import Batches


@dataclass(frozen=True)
class Augmentation:
    """Random shifts by up to `shift` pixels in each direction, and rotations by up to `turn` degrees."""

    shift: float = 0.0
    turn: float = 0.0

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Images (batch, 1, side, side), each shifted and rotated by its own random amounts; new pixels are 0."""
        if not self.shift and not self.turn:
            return x
        draws = 2 * torch.rand(len(x), 3, generator=generator) - 1  # (batch, 3): rotation, right, down
        angle = draws[:, 0] * math.radians(self.turn)
        across, down = draws[:, 1:].T * (2 * self.shift / x.shape[-1])  # in the grid's units: the image is 2 wide
        return moved(x, angle, across, down)


def moved(x: Tensor, angle: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """Images (batch, 1, side, side), rotated clockwise by `angle` radians, shifted by fractions of half their width."""
    cosine, sine = angle.cos(), angle.sin()
    rows = [
        torch.stack([cosine, sine, -cosine * across - sine * down], dim=1),
        torch.stack([-sine, cosine, sine * across - cosine * down], dim=1),
    ]
    grid = functional.affine_grid(torch.stack(rows, dim=1).to(x.device), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, align_corners=False)


class ImageBatches(Batches):
    """Batches that keep x as uint8 pixels (n, 1, side, side) and return it as float32 from 0 to 1, augmented."""

    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        batch_size: int,
        generator: torch.Generator,
        augmentation: Augmentation,
        *,
        is_sorted: bool = False,
    ) -> None:
        super().__init__(x, y, batch_size, generator)
        self.augmentation = augmentation
        self.is_sorted = is_sorted

    def new_order(self) -> Tensor:
        """The order of the images in the coming epoch: at random, or by their labels."""
        return self.y.cpu().argsort(stable=True) if self.is_sorted else super().new_order()

    def next(self) -> tuple[Tensor, Tensor]:
        """The next batch: x (batch, 1, side, side) and its labels (batch,)."""
        x, y = super().next()
        return self.augmentation(scaled(x), self.generator), y
