"""The lab "Convolution": a kernel slides over a digit, and each place gives one number of the output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import functional

from playground.engine.frames import Figure
from playground.figures import images
from playground.figures.cells import Block, cells
from playground.figures.images import Marks
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab
from playground.lessons.convolution.kernels import (
    EXAMPLES,
    NAMES,
    OWN,
    RANDOM,
    Axis,
    digit_image,
    fit,
    kernel_text,
    number,
    read_kernel,
    texts,
)
from playground.lessons.convolution.run import UncoveringRun

MOST_TERMS = 4  # of a sum that is written out in a sentence
WHITE = 255.0

SENTENCES = {
    "start": "The kernel goes over the digit, row by row: {places:,} places, one number each. Press Play or Step.",
    "nothing": "Row {row}, column {column}: every product is 0, and so is their sum.",
    "all": "Row {row}, column {column}: {terms} = {total}.",
    "sum": "Row {row}, column {column}: {terms} = {total}. The other products are 0.",
    "long": "Row {row}, column {column}: {terms} + … = {total}, of {count} products that are not 0.",
    "last": "{sentence} The output is complete: {height} × {width} numbers, from {least} to {most}.",
}


@dataclass(frozen=True)
class SlideConfig(Config):
    """The digit, the kernel, and how it moves."""

    # fmt: off
    digit: int = knob(5, "Digit", group="Picture", live=True, lo=0, hi=9, step=1)
    example: int = knob(0, "Which one", group="Picture", live=True, lo=0, hi=EXAMPLES - 1, step=1)
    kernel: str = knob("vertical", "Kernel", group="Kernel", live=True, options=tuple(NAMES), names=NAMES)
    cells: str = knob("0 1 0; 1 1 1; 0 1 0", "Its numbers", group="Kernel", live=True, shy=True, max_length=400,
                      applies=lambda config: config.kernel == OWN,
                      help="Rows with ; between them. Up to 7 rows and columns.")
    size: int = knob(3, "Size", group="Kernel", live=True, options=(1, 3, 5, 7), shy=True,
                     applies=lambda config: config.kernel == RANDOM)
    seed: int = knob(0, "Seed", group="Kernel", live=True, lo=0, hi=99, shy=True,
                     applies=lambda config: config.kernel == RANDOM)
    stride: int = knob(1, "Stride", group="How it moves", live=True, lo=1, hi=5, step=1,
                       help="How many pixels the window goes on from place to place.")
    padding: int = knob(0, "Padding", group="How it moves", live=True, lo=0, hi=3, step=1,
                        help="Rows and columns of zeros on each side of the image.")
    dilation: int = knob(1, "Dilation", group="How it moves", live=True, lo=1, hi=3, step=1, more=True,
                         help="The distance between the pixels that the kernel reads.")
    # fmt: on


def kernel_of(config: SlideConfig) -> Tensor:
    """The kernel, float32 (rows, columns). Raises ValueError with a sentence."""
    return read_kernel(kernel_text(config.kernel, config.cells, config.size, config.seed))


def convolve(image: Tensor, kernel: Tensor, stride: int, padding: int, dilation: int) -> Tensor:
    """The output of one kernel on one image, both (rows, columns), by torch.nn.functional.conv2d."""
    batch = image[None, None]  # (1 image, 1 channel, rows, columns)
    weight = kernel[None, None]  # (1 output channel, 1 input channel, rows, columns)
    return functional.conv2d(batch, weight, stride=stride, padding=padding, dilation=dilation)[0, 0]


class SlideRun(UncoveringRun):
    """The kernel's way over the image; the output was computed in one call, and is uncovered place by place."""

    def compute(self, config: SlideConfig) -> None:
        """The output, in one call."""
        self.image = digit_image(config.digit, config.example)
        self.kernel = kernel_of(config)
        self.rows, self.columns = (
            Axis(self.image.shape[at], self.kernel.shape[at], config.stride, config.padding, config.dilation)
            for at in (0, 1)
        )
        self.padded = functional.pad(self.image, (config.padding,) * 4)
        self.output = convolve(self.image, self.kernel, config.stride, config.padding, config.dilation)
        self.largest = float(self.output.abs().max()) or 1.0

    def patch(self, row: int, column: int) -> Tensor:
        """The padded image's pixels that the kernel meets for one number of the output; the kernel's shape."""
        top, left, apart = row * self.rows.stride, column * self.columns.stride, self.rows.dilation
        return self.padded[top : top + self.rows.reach : apart, left : left + self.columns.reach : apart]

    def status(self, at: int) -> dict[str, float]:
        """How many places there are, and the sum at the present one."""
        total = self.output[self.place(at)].item() if at else 0.0
        return {"places": self.output.numel(), "sum": float(f"{total:.6g}")}

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The window on the image, the sum, and the output after `at` places."""
        return {"image": lambda: self._image(at), "output": lambda: self._output(at), "sum": lambda: self._sum(at)}

    def _image(self, at: int) -> Figure:
        padding = self.rows.padding
        height, width = self.image.shape
        edge = (-padding, -padding, height + 2 * padding, width + 2 * padding)
        marks = Marks(edge=edge, unused=unused(self.rows, self.columns))
        if at:
            row, column = self.place(at)
            top, left = self.rows.starts()[row], self.columns.starts()[column]
            apart = self.rows.dilation
            places = np.indices(tuple(self.kernel.shape)).reshape(2, -1).T * apart + (top, left)
            window = (top, left, self.rows.reach, self.columns.reach)
            marks = Marks(window, places if apart > 1 else places[:0], edge, marks.unused)
        grey = self.image.numpy()
        return images.pixels(images.ink(grey, WHITE), images.INK, marks, margin=padding, csv=images.numbers_csv(grey),
                             words=f"Digit {self.config.digit}, 28 × 28 pixels")  # fmt: skip

    def _output(self, at: int) -> Figure:
        numbers = self.output.numpy()
        shown = images.uncovered(images.signed(numbers, self.largest), at)
        marks = Marks((*self.place(at), 1, 1) if at else None, edge=(0, 0, *numbers.shape))
        return images.pixels(shown, images.SIGNED + images.FILLING, marks, csv=images.numbers_csv(numbers),
                             words=f"Output, {numbers.shape[0]} × {numbers.shape[1]} numbers")  # fmt: skip

    def _sum(self, at: int) -> Figure:
        kernel = self.kernel.numpy()
        patch = self.patch(*self.place(max(at, 1))).numpy()
        strongest = float(np.abs(kernel).max()) or 1.0
        total = self.output[self.place(max(at, 1))].item()
        blocks = [
            Block("Pixels under the window", texts(patch), patch / WHITE),
            Block("× kernel", texts(kernel), kernel / strongest),
            Block("= products", texts(patch * kernel), patch * kernel / (strongest * WHITE)),
            Block("sum", texts(np.array([[total]])), np.array([[total / self.largest]]), mark=np.array([[True]])),
        ]
        return cells(blocks, width=640.0)

    def narrate(self, at: int) -> str:
        """The sum of the place that came last, written out; at the start and the end what there is to know."""
        if at == 0:
            return SENTENCES["start"].format(places=self.output.numel()) + fit(self.rows)
        row, column = self.place(at)
        pairs = zip(self.patch(row, column).flatten().tolist(), self.kernel.flatten().tolist(), strict=True)
        products = [(pixel, weight) for pixel, weight in pairs if pixel * weight != 0]
        short = "all" if len(products) == self.kernel.numel() else "sum"
        kind = "nothing" if not products else short if len(products) <= MOST_TERMS else "long"
        said = SENTENCES[kind].format(
            row=row, column=column, count=len(products), total=number(self.output[row, column].item()),
            terms=" + ".join(f"{number(pixel)} × {number(weight)}" for pixel, weight in products[:MOST_TERMS]),
        )  # fmt: skip
        if at < self.output.numel():
            return said
        least, most = (number(value.item()) for value in self.output.aminmax())
        height, width = self.output.shape
        return SENTENCES["last"].format(sentence=said, height=height, width=width, least=least, most=most)


def unused(rows: Axis, columns: Axis) -> list[images.Box]:
    """The strips of an image, padding included, at the right and the bottom, that no window comes to."""
    high, wide = (axis.size + 2 * axis.padding for axis in (rows, columns))
    boxes: list[images.Box] = []
    if columns.rest:
        boxes.append((-rows.padding, columns.size + columns.padding - columns.rest, high, columns.rest))
    if rows.rest:
        boxes.append((rows.size + rows.padding - rows.rest, -columns.padding, rows.rest, wide))
    return boxes


PRESETS: dict[str, Mapping[str, Any]] = {
    "Upright edges": {},
    "Level edges": {"kernel": "horizontal"},
    "Outline": {"kernel": "outline"},
    "Blur": {"kernel": "blur"},
    "Sharpen": {"kernel": "sharpen"},
    "Emboss": {"kernel": "emboss"},
    "The tutorial’s 5 × 5, untrained": {"kernel": "random", "size": 5, "padding": 2},
    "A stride that does not fit": {"stride": 3, "kernel": "outline", "digit": 0},
}

LAB = Lab(
    name="convolution_slide",
    title="Convolution",
    sentence="A window of weights slides over the digit. At each place: multiply, add up, write one number.",
    config=SlideConfig,
    build=SlideRun,
    charts=(
        Chart("image", "The digit", "The digit’s pixels, with a frame around those under the window."),
        Chart("output", "The output", "One number for each place of the window: blue above 0, orange below."),
        Chart("sum", "At this place", "The window’s pixels, the kernel, their products, and the sum.", height="low",
              width="wide"),
    ),
    status={"step": "Place", "places": "of", "sum": "Sum"},
    presets=PRESETS,
)  # fmt: skip
