"""Modules that scripts contain in the place of the run's own, written as a beginner would write them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """In training, sets each input to zero with probability p and divides the others by 1 - p."""

    def __init__(self, p: float, generator: torch.Generator) -> None:
        super().__init__()
        self.p = p
        self.generator = generator  # the page's own random numbers: nn.Dropout draws from torch's global generator

    def forward(self, x: Tensor) -> Tensor:
        """The same shape as x."""
        if self.p == 0 or not self.training:
            return x
        kept = torch.rand(x.shape, generator=self.generator) >= self.p
        return x * kept / (1 - self.p)
