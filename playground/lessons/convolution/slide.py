"""The lab Convolution: a kernel slides over a digit, and each place gives one number of the output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from playground.engine.frames import Figure
from playground.figures import images
from playground.figures.cells import Block, cells
from playground.figures.images import Marks
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab
from playground.lessons.convolution.figures import pair
from playground.lessons.convolution.kernels import (
    EXAMPLES,
    NAMES,
    OWN,
    RANDOM,
    WHITE,
    Axis,
    digit_image,
    kernel_text,
    read_kernel,
    stride_note,
    texts,
)
from playground.lessons.convolution.run import UncoveringRun, output_chart
from playground.lessons.numbers import number

MAX_TERMS = 4  # of a sum in a sentence; a longer sum is cut

SENTENCES = {
    "start": "The kernel moves over the digit, row by row: {places:,} places, one number each. Press Play or Step."
    "{note}",
    "nothing": "Row {row}, column {column}: every product is 0, and so is their sum.",
    "all": "Row {row}, column {column}: {terms} = {total}.",
    "sum": "Row {row}, column {column}: {terms} = {total}. The other products are 0.",
    "long": "Row {row}, column {column}: {terms} + … = {total}, a sum of {count} products that are not 0.",
    "last": "The output is complete: {height} × {width} numbers, from {least} to {most}. The frame is at the "
    "strongest. {sentence}",
    "corner": "{sentence} The output is complete.",
}
TITLES = {
    "window": "Pixels",
    "kernel": "Kernel",
    "products": "Products",
    "sum": "Sum",
    "image": "Digit {digit}, 28 × 28 pixels",
    "output": "Output, {rows} × {columns} numbers",
}
SIGNS = ("×", "=", "→")


@dataclass(frozen=True)
class SlideConfig(Config):
    """The digit, the kernel, and the arguments of the convolution."""

    # fmt: off
    digit: int = knob(5, "Digit", group="Picture", live=True, bar=True, lo=0, hi=9, step=1)
    example: int = knob(0, "Which one", group="Picture", live=True, lo=0, hi=EXAMPLES - 1, step=1)
    kernel: str = knob("vertical", "Kernel", group="Kernel", live=True, bar=True, options=tuple(NAMES), names=NAMES,
                       help="The two kernels for edges are Sobel’s.")
    cells: str = knob("0 1 0; 1 1 1; 0 1 0", "Its numbers", group="Kernel", live=True, shy=True, max_length=400,
                      applies=lambda config: config.kernel == OWN,
                      help="Rows, separated by ; – up to 7 rows and columns.")
    size: int = knob(3, "Size", group="Kernel", live=True, options=(1, 3, 5, 7), shy=True,
                     applies=lambda config: config.kernel == RANDOM)
    seed: int = knob(0, "Seed", group="Kernel", live=True, lo=0, hi=99, shy=True,
                     applies=lambda config: config.kernel == RANDOM)
    stride: int = knob(1, "Stride", group="How it moves", live=True, bar=True, lo=1, hi=5, step=1,
                       help="How many pixels the window moves from place to place.")
    padding: int = knob(0, "Padding", group="How it moves", live=True, bar=True, lo=0, hi=3, step=1,
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
    """A kernel that moves over the image; the output is computed in one call and shown number by number."""

    def compute(self, config: SlideConfig) -> None:
        """Set the image, the kernel and the output."""
        self.image = digit_image(config.digit, config.example)
        self.kernel = kernel_of(config)
        self.rows, self.columns = (
            Axis(self.image.shape[at], self.kernel.shape[at], config.stride, config.padding, config.dilation)
            for at in (0, 1)
        )
        self.padded = functional.pad(self.image, (config.padding,) * 4)
        self.output = convolve(self.image, self.kernel, config.stride, config.padding, config.dilation)
        self.places = pair.Places(self.output.shape[0], self.image.shape[0], config.padding)
        self.largest = float(self.output.abs().max()) or 1.0

    def patch(self, row: int, column: int) -> Tensor:
        """The pixels of the padded image that give one number of the output; they have the kernel's shape."""
        top, left, apart = row * self.rows.stride, column * self.columns.stride, self.rows.dilation
        return self.padded[top : top + self.rows.span : apart, left : left + self.columns.span : apart]

    def status(self, at: int) -> dict[str, float]:
        """The number of places, and the sum at the current one."""
        total = self.output[self.place(at)].item() if at else 0.0
        return {"places": self.output.numel(), "sum": float(f"{total:.6g}")}

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The window on the image and the output after `at` places, and the sum."""
        return {
            "output": lambda: self.output_figure(
                at, images.signed(self.output.numpy(), self.largest), images.SIGNED, TITLES
            ),
            "sum": lambda: self._sum(at),
        }

    def marks(self, at: int) -> Marks:
        """The window, and what no window reads."""
        padding = self.rows.padding
        height, width = self.image.shape
        edge = (-padding, -padding, height + 2 * padding, width + 2 * padding)
        marks = Marks(edge=edge, unused=unused(self.rows, self.columns))
        if at:
            row, column = self.place(at)
            top, left = self.rows.starts()[row], self.columns.starts()[column]
            apart = self.rows.dilation
            places = np.indices(tuple(self.kernel.shape)).reshape(2, -1).T * apart + (top, left)
            window = (top, left, self.rows.span, self.columns.span)
            marks = Marks(window, places if apart > 1 else places[:0], edge, marks.unused)
        return marks

    def _sum(self, at: int) -> Figure:
        kernel = self.kernel.numpy()
        patch = self.patch(*self.place(max(at, 1))).numpy()
        strongest = float(np.abs(kernel).max()) or 1.0
        total = self.output[self.place(max(at, 1))].item()
        blocks = [
            Block(TITLES["window"], texts(patch), patch / WHITE),
            Block(TITLES["kernel"], texts(kernel), kernel / strongest),
            Block(TITLES["products"], texts(patch * kernel), patch * kernel / (strongest * WHITE)),
            Block(
                TITLES["sum"], texts(np.array([[total]])), np.array([[total / self.largest]]), mark=np.array([[True]])
            ),
        ]
        figure = cells(blocks, signs=SIGNS)
        ends = (*self.output.aminmax(), torch.tensor(-WHITE * strongest))
        letters = max(len(number(end.item(), 4)) for end in ends)
        for each in (figure, *figure.get("others", ())):
            each["layout"]["meta"]["letters"] = letters
        return figure

    def narrate(self, at: int) -> str:
        """A sentence with the sum at the current place; another one at the start, one more at the end."""
        if at == 0:
            return SENTENCES["start"].format(places=self.output.numel(), note=stride_note(self.rows))
        row, column = self.place(at)
        pairs = zip(self.patch(row, column).flatten().tolist(), self.kernel.flatten().tolist(), strict=True)
        products = [(pixel, weight) for pixel, weight in pairs if pixel * weight != 0]
        short = "all" if len(products) == self.kernel.numel() else "sum"
        kind = "nothing" if not products else short if len(products) <= MAX_TERMS else "long"
        sentence = SENTENCES[kind].format(
            row=row, column=column, count=len(products), total=number(self.output[row, column].item(), 4),
            terms=" + ".join(f"{number(pixel, 4)} × {number(weight, 4)}" for pixel, weight in products[:MAX_TERMS]),
        )  # fmt: skip
        if at < self.output.numel():
            return sentence
        if self._viewed is not None:
            return SENTENCES["corner"].format(sentence=sentence)
        least, most = (number(value.item(), 4) for value in self.output.aminmax())
        height, width = self.output.shape
        return SENTENCES["last"].format(sentence=sentence, height=height, width=width, least=least, most=most)


def unused(rows: Axis, columns: Axis) -> list[images.Box]:
    """The strips at the right and the bottom of a padded image that no window reaches."""
    high, wide = (axis.size + 2 * axis.padding for axis in (rows, columns))
    boxes: list[images.Box] = []
    if columns.rest:
        boxes.append((-rows.padding, columns.size + columns.padding - columns.rest, high, columns.rest))
    if rows.rest:
        boxes.append((rows.size + rows.padding - rows.rest, -columns.padding, rows.rest, wide))
    return boxes


LAB = Lab(
    name="convolution_slide",
    title="Convolution",
    sentence="A window of weights slides over the digit. At each place: multiply, add up, write one number. Click on a "
    "number of the output to see how it was made.",
    config=SlideConfig,
    build=SlideRun,
    charts=(
        output_chart("The digit’s pixels, with a frame around those under the window, and one number for each place of "
                     "the window: blue above 0, orange below."),
        Chart("sum", "At this place", "The window’s pixels, the kernel, their products, and the sum."),
    ),
    status={"step": "Place", "places": "of", "sum": "Sum"},
)  # fmt: skip
