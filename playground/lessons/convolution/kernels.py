"""What the labs of the lesson Convolution share: a digit to look at, the kernels, and the size of what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground import mnist
from playground.parsing.arrays import as_numpy, read_array

EXAMPLES = 20  # digits of each kind to choose from
WIDEST = 7  # of a kernel typed in
LARGEST_WEIGHT = 1_000.0
OWN, RANDOM = "own", "random"

KERNELS: dict[str, str] = {
    "identity": "0 0 0; 0 1 0; 0 0 0",
    "vertical": "-1 0 1; -2 0 2; -1 0 1",
    "horizontal": "-1 -2 -1; 0 0 0; 1 2 1",
    "outline": "-1 -1 -1; -1 8 -1; -1 -1 -1",
    "blur": "0.0625 0.125 0.0625; 0.125 0.25 0.125; 0.0625 0.125 0.0625",
    "sharpen": "0 -1 0; -1 5 -1; 0 -1 0",
    "emboss": "-2 -1 0; -1 1 1; 0 1 2",
}
NAMES = {
    "identity": "Identity",
    "vertical": "Upright edges (Sobel)",
    "horizontal": "Level edges (Sobel)",
    "outline": "Outline",
    "blur": "Blur",
    "sharpen": "Sharpen",
    "emboss": "Emboss",
    RANDOM: "Random",
    OWN: "Your own",
}


def digit_image(digit: int, example: int) -> Tensor:
    """One of the first training images of a digit, float32 (28, 28), grey levels from 0 to 255."""
    digits = mnist.load()
    place = np.flatnonzero(digits.train_labels == digit)[example]
    return torch.from_numpy(digits.train_images[place].astype(np.float32))


def kernel_text(kernel: str, cells: str, size: int, seed: int) -> str:
    """A kernel as text: a preset's, the student's own, or random weights from -1 to 1 in steps of 0.1."""
    if kernel == RANDOM:
        generator = torch.Generator().manual_seed(seed)
        tenths = torch.randint(-10, 11, (size, size), generator=generator)
        return "; ".join(" ".join(f"{tenth / 10:g}" for tenth in row) for row in tenths.tolist())
    return cells if kernel == OWN else KERNELS[kernel]


def read_kernel(text: str) -> Tensor:
    """A kernel typed in, float32 (rows, columns). Raises ValueError with a sentence."""
    numbers = as_numpy(read_array(text), "float64")
    grid = numbers.reshape(1, -1) if numbers.ndim < 2 else numbers
    if grid.ndim > 2 or max(grid.shape) > WIDEST:
        raise ValueError(f"A kernel here has up to {WIDEST} rows and columns. Type fewer numbers.")
    if not np.isfinite(grid).all() or np.abs(grid).max() > LARGEST_WEIGHT:
        raise ValueError(f"A weight here is a number from −{LARGEST_WEIGHT:,.0f} to {LARGEST_WEIGHT:,.0f}. "
                         "Change the kernel.")  # fmt: skip
    return torch.tensor(grid, dtype=torch.float32)


@dataclass(frozen=True)
class Axis:
    """One axis of a convolution or a pooling: input size, window, stride, padding on both sides, dilation."""

    size: int
    window: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def reach(self) -> int:
        """How many pixels a window spans, from its first to its last."""
        return self.dilation * (self.window - 1) + 1

    @property
    def room(self) -> int:
        """How far the window can move; negative where it does not fit."""
        return self.size + 2 * self.padding - self.reach

    @property
    def out(self) -> int:
        """The size that comes out, floor(room / stride) + 1 (torch's documentation of Conv2d). ValueError if none."""
        if self.room < 0:
            raise ValueError(f"The window spans {self.reach} pixels, and there are only {self.size + 2 * self.padding} "
                             "with the padding. Take a smaller window or more padding.")  # fmt: skip
        return self.room // self.stride + 1

    @property
    def rest(self) -> int:
        """How many pixels, padding included, are left over at the end, since the stride does not fit."""
        return self.room % self.stride

    def starts(self) -> list[int]:
        """Where each window begins; pixel 0 is the first one that is no padding."""
        return [index * self.stride - self.padding for index in range(self.out)]

    def unread(self) -> list[int]:
        """The input's pixels that no window reads."""
        read = {start + step * self.dilation for start in self.starts() for step in range(self.window)}
        return sorted(set(range(self.size)) - read)

    def rest_of_input(self) -> int:
        """How many of the left over pixels are the input's own, and no padding."""
        return max(0, self.rest - self.padding)


def number(value: float) -> str:
    """A number in a sum: four digits, a true minus."""
    value = value + 0.0  # no minus before a zero
    text = f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e7 else f"{value:.4g}"
    return text.replace("-", "−")


def texts(values: Any) -> Any:
    """Each number of an array as text; the same shape."""
    return np.array([number(float(value)) for value in values.ravel()], dtype=object).reshape(values.shape)


FITS: Mapping[str, str] = {
    "fits": "",
    "padding": " The stride does not fit: {count} of the padding’s columns and rows, at the right and the bottom, stay "
    "unused. No pixel of the image is lost.",
    "pixels": " The stride does not fit: the last {count} columns and rows of the image are left out.",
    "pixel": " The stride does not fit: the last column and the last row of the image are left out.",
}


def fit(axis: Axis) -> str:
    """A warning where the stride does not fit, for a square image; else nothing."""
    lost = axis.rest_of_input()
    kind = "fits" if axis.rest == 0 else "padding" if lost == 0 else "pixel" if lost == 1 else "pixels"
    return FITS[kind].format(count=lost or axis.rest)
