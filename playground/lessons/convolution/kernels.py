"""The parts that the labs share: the digits, the kernels, and the sizes of windows and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground import mnist
from playground.lessons.numbers import number
from playground.parsing.arrays import as_numpy, read_array

EXAMPLES = 20  # digits of each kind to choose from
MAX_SIDE = 7  # rows or columns of a kernel that is typed in
MAX_WEIGHT = 1_000.0
WHITE = 255.0  # the largest grey level
OWN, RANDOM = "own", "random"
MESSAGES = {
    "large kernel": "A kernel has up to {max_side} rows and columns here. Type fewer numbers.",
    "large weight": "A weight must be a number from −{limit:,.0f} to {limit:,.0f}. Change the kernel.",
    "large window": "The window spans {span} pixels, but with the padding there are only {pixels}. Choose a smaller "
    "window or more padding.",
    "one pixel": "The window spans {span} pixels, but with the padding there is only one. Choose a smaller window or "
    "more padding.",
}
STRIDE_NOTES: Mapping[str, str] = {  # by kind_of_rest
    "fits": "",
    "padding": " The stride does not divide evenly: {count} rows and columns of padding at the right and the bottom "
    "are not used. No image pixel is lost.",
    "one of padding": " The stride does not divide evenly: one row and one column of padding are not used. No image "
    "pixel is lost.",
    "pixels": " The stride does not divide evenly: the last {count} columns and rows of the image are left out.",
    "pixel": " The stride does not divide evenly: the last column and the last row of the image are left out.",
}

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
    "vertical": "Vertical edges",
    "horizontal": "Horizontal edges",
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
    """A kernel as text: a named one, the student's own, or random weights from -1 to 1 in steps of 0.1."""
    if kernel == RANDOM:
        generator = torch.Generator().manual_seed(seed)
        tenths = torch.randint(-10, 11, (size, size), generator=generator)
        return "; ".join(" ".join(f"{tenth / 10:g}" for tenth in row) for row in tenths.tolist())
    return cells if kernel == OWN else KERNELS[kernel]


def read_kernel(text: str) -> Tensor:
    """The kernel that was typed, float32 (rows, columns). Raises ValueError with a sentence."""
    numbers = as_numpy(read_array(text), "float64")
    grid = numbers.reshape(1, -1) if numbers.ndim < 2 else numbers
    if grid.ndim > 2 or max(grid.shape) > MAX_SIDE:
        raise ValueError(MESSAGES["large kernel"].format(max_side=MAX_SIDE))
    if not np.isfinite(grid).all() or np.abs(grid).max() > MAX_WEIGHT:
        raise ValueError(MESSAGES["large weight"].format(limit=MAX_WEIGHT))
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
    def span(self) -> int:
        """The number of pixels that a window spans, from its first to its last."""
        return self.dilation * (self.window - 1) + 1

    @property
    def room(self) -> int:
        """How many pixels the window can move; negative if it does not fit."""
        return self.size + 2 * self.padding - self.span

    @property
    def out(self) -> int:
        """The output's size, floor(room / stride) + 1 (torch's documentation of Conv2d). Raises ValueError if none."""
        if self.room < 0:
            pixels = self.size + 2 * self.padding
            raise ValueError(
                MESSAGES["one pixel" if pixels == 1 else "large window"].format(span=self.span, pixels=pixels)
            )
        return self.room // self.stride + 1

    @property
    def rest(self) -> int:
        """The pixels left over at the end, padding included, because the stride does not divide evenly."""
        return self.room % self.stride

    def starts(self) -> list[int]:
        """The first pixel of each window; pixel 0 is the first of the image, after the padding."""
        return [index * self.stride - self.padding for index in range(self.out)]

    def unread(self) -> list[int]:
        """The pixels of the image that no window reads."""
        read = {start + step * self.dilation for start in self.starts() for step in range(self.window)}
        return sorted(set(range(self.size)) - read)

    def rest_of_input(self) -> int:
        """How many of the pixels left over belong to the image, not to the padding."""
        return max(0, self.rest - self.padding)


def texts(values: Any) -> Any:
    """Each number of an array as text; the same shape."""
    return np.array([number(float(value), 4) for value in values.ravel()], dtype=object).reshape(values.shape)


def both_csv(image: Any, output: Any) -> str:
    """The numbers of an image and of its output as CSV: a row of array, row, column and value for each."""
    rows = ["array,row,column,value"]
    for name, values in (("image", image), ("output", output)):
        rows += [f"{name},{row},{column},{value:g}" for (row, column), value in np.ndenumerate(values)]
    return "\n".join(rows) + "\n"


def kind_of_rest(axis: Axis) -> str:
    """Which of STRIDE_NOTES is true: what is left over because the stride does not divide evenly."""
    lost = axis.rest_of_input()
    if lost:
        return "pixel" if lost == 1 else "pixels"
    return "fits" if axis.rest == 0 else "one of padding" if axis.rest == 1 else "padding"


def stride_note(axis: Axis) -> str:
    """What is left over of a square image, as a sentence after others; or an empty text."""
    return STRIDE_NOTES[kind_of_rest(axis)].format(count=axis.rest_of_input() or axis.rest)
