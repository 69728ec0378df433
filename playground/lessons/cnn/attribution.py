"""What in an image a model's prediction depends on: gradients, covered patches, and small steps that fool the model.

All functions need a model that does not change meanwhile (`cnn.frozen`), so that they do not disturb the training.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

Array = NDArray[Any]


def saliency(model: nn.Module, x: Tensor, target: int) -> Array:
    """The absolute gradient of a class's logit with respect to each pixel of x (1, 1, side, side), as (side, side).

    Simonyan, Vedaldi and Zisserman 2014.
    """
    with torch.enable_grad():
        image = x.detach().requires_grad_()
        slope = torch.autograd.grad(model(image)[0, target], image)[0]
    sizes: Array = slope[0, 0].abs().nan_to_num(0.0, 0.0, 0.0).cpu().numpy()
    return sizes


class Occlusion:
    """How much a class's logit falls where a patch of the image is blackened (Zeiler and Fergus 2014), in slices.

    `advance` covers patches until its time is up; `falls` (side, side) has for each pixel the mean fall over the
    patches that include it, NaN where none has been covered yet.
    """

    def __init__(self, model: nn.Module, x: Tensor, target: int, *, patch: int = 6, stride: int = 2) -> None:
        self.model, self.x, self.target, self.patch = model, x, target, patch
        side = x.shape[-1]
        starts = range(0, side - patch + 1, stride)
        self.places = [(top, left) for top in starts for left in starts]
        self.covered = 0
        self._sums, self._counts = np.zeros((side, side)), np.zeros((side, side))
        self._uncovered: float | None = None

    @property
    def is_done(self) -> bool:
        """Whether all patches have been covered."""
        return self.covered == len(self.places)

    @torch.no_grad()
    def advance(self, seconds: float, at_once: int = 24) -> None:
        """Cover patches, `at_once` in a batch, until the time is up: at least one batch."""
        end = time.perf_counter() + seconds
        if self._uncovered is None:
            self._uncovered = float(self.model(self.x)[0, self.target])
        while not self.is_done:
            chosen = self.places[self.covered : self.covered + at_once]
            images = self.x.repeat(len(chosen), 1, 1, 1)  # (patches, 1, side, side)
            for image, (top, left) in zip(images, chosen, strict=True):
                image[:, top : top + self.patch, left : left + self.patch] = 0
            falls = self._uncovered - self.model(images)[:, self.target]
            for (top, left), fall in zip(chosen, falls.nan_to_num(0.0, 0.0, 0.0).tolist(), strict=True):
                self._sums[top : top + self.patch, left : left + self.patch] += fall
                self._counts[top : top + self.patch, left : left + self.patch] += 1
            self.covered += len(chosen)
            if time.perf_counter() >= end:
                return

    @property
    def falls(self) -> Array:
        """The mean fall for each pixel so far: (side, side)."""
        empty = np.full(self._sums.shape, np.nan)
        means: Array = np.divide(self._sums, self._counts, out=empty, where=self._counts > 0)
        return means


def fgsm(model: nn.Module, x: Tensor, target: int, epsilon: float, steps: int = 1) -> Tensor:
    """The image x (1, 1, side, side) moved towards a class, each pixel by at most epsilon and within 0 to 1.

    One step is the fast gradient sign method (Goodfellow, Shlens and Szegedy 2015), x - epsilon · sign(d loss / d x)
    with the loss for the target class; several steps of epsilon / steps follow the gradient as it turns (Kurakin,
    Goodfellow and Bengio 2017).
    """
    wanted = torch.tensor([target], device=x.device)
    moved = x.detach()
    for _ in range(steps):
        with torch.enable_grad():
            image = moved.detach().requires_grad_()
            slope = torch.autograd.grad(functional.cross_entropy(model(image), wanted), image)[0]
        moved = (moved - epsilon / steps * slope.nan_to_num(0.0, 0.0, 0.0).sign()).clamp(0, 1)
    return moved
