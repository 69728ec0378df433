"""The lab Pooling: a window moves over a digit and keeps the largest pixel, or the average."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.nn import functional

from playground.engine.frames import Figure
from playground.figures import images
from playground.figures.cells import Block, cells
from playground.figures.images import Marks
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab
from playground.lessons.convolution.figures import pair
from playground.lessons.convolution.kernels import EXAMPLES, WHITE, Axis, digit_image, stride_note, texts
from playground.lessons.convolution.run import UncoveringRun, output_chart
from playground.lessons.convolution.slide import unused
from playground.lessons.numbers import number

AS_WINDOW = 0
SENTENCES = {
    "start": "One number per window: {size} × {size} pixels become {out} × {out}. Press Play or Step.{note}",
    "max": "Row {row}, column {column}: the largest of {count} pixels is {result}. The other values are dropped.",
    "average": "Row {row}, column {column}: {count} pixels add up to {total}; {total} / {count} = {result}.",
    "one": "Row {row}, column {column}: the window has one pixel, and the result is that pixel, {result}.",
    "last": "The output is complete. Pooling has no weights: it does not learn anything. {sentence}",
}
TITLES = {
    "window": "Pixels",
    "max": "The largest",
    "average": "The average",
    "image": "Digit {digit}, 28 × 28 pixels",
    "output": "Output, {rows} × {columns} pixels",
}
SIGNS = ("→",)


@dataclass(frozen=True)
class PoolingConfig(Config):
    """The digit, and the arguments of the pooling."""

    # fmt: off
    digit: int = knob(5, "Digit", group="Picture", live=True, bar=True, lo=0, hi=9, step=1)
    example: int = knob(0, "Which one", group="Picture", live=True, lo=0, hi=EXAMPLES - 1, step=1)
    kind: str = knob("max", "Keep", group="Pooling", live=True, bar=True, options=("max", "average"),
                     names={"max": "The largest pixel", "average": "The average"})
    window: int = knob(2, "Window", group="Pooling", live=True, bar=True, lo=1, hi=7, step=1)
    stride: int = knob(AS_WINDOW, "Stride", group="Pooling", live=True, bar=True, options=(AS_WINDOW, 1, 2, 3, 4, 5),
                       names={AS_WINDOW: "As the window"}, help="Default: same as the window, as in PyTorch.")
    # fmt: on


def pool(image: Tensor, kind: str, window: int, stride: int) -> Tensor:
    """The pooled image, both (rows, columns), by torch.nn.functional.max_pool2d or avg_pool2d."""
    pooled = functional.max_pool2d if kind == "max" else functional.avg_pool2d
    return pooled(image[None, None], window, stride)[0, 0]


class PoolingRun(UncoveringRun):
    """A window that moves over the image; the output is computed in one call and shown number by number."""

    def compute(self, config: PoolingConfig) -> None:
        """Set the image and its output."""
        self.image = digit_image(config.digit, config.example)
        self.axis = Axis(self.image.shape[0], config.window, config.stride or config.window)
        self.rows = self.columns = self.axis
        self.output = pool(self.image, config.kind, config.window, self.axis.stride)
        self.places = pair.Places(self.output.shape[0], self.image.shape[0])

    def patch(self, row: int, column: int) -> Tensor:
        """The pixels under the window, (window, window)."""
        top, left = row * self.axis.stride, column * self.axis.stride
        return self.image[top : top + self.axis.window, left : left + self.axis.window]

    def status(self, at: int) -> dict[str, float]:
        """The number of places, and the result at the current one."""
        result = self.output[self.place(at)].item() if at else 0.0
        return {"places": self.output.numel(), "result": float(f"{result:.6g}")}

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The window on the image and the output after `at` places, and the window's pixels."""
        return {
            "output": lambda: self.output_figure(at, images.ink(self.output.numpy(), WHITE), images.INK, TITLES),
            "window": lambda: self._window(at),
        }

    def marks(self, at: int) -> Marks:
        """The window, and what no window reads."""
        window = None
        if at:
            row, column = self.place(at)
            window = (row * self.axis.stride, column * self.axis.stride, self.axis.window, self.axis.window)
        return Marks(window, edge=(0, 0, *self.image.shape), unused=unused(self.axis, self.axis))

    def _window(self, at: int) -> Figure:
        place = self.place(max(at, 1))
        patch, result = self.patch(*place).numpy(), self.output[place].item()
        mark = np.zeros(patch.shape, bool)
        if self.config.kind == "max":
            mark.ravel()[patch.argmax()] = True
        one = Block(
            TITLES[self.config.kind], texts(np.array([[result]])), np.array([[result / WHITE]]), mark=np.array([[True]])
        )
        return cells([Block(TITLES["window"], texts(patch), patch / WHITE, mark=mark), one], signs=SIGNS)

    def narrate(self, at: int) -> str:
        """A sentence on the result at the current place."""
        if at == 0:
            sizes = {"window": self.axis.window, "size": self.axis.size, "out": self.axis.out}
            return SENTENCES["start"].format(**sizes, note=stride_note(self.axis))
        row, column = self.place(at)
        patch = self.patch(row, column)
        sentence = SENTENCES["one" if patch.numel() == 1 else self.config.kind].format(
            row=row, column=column, count=patch.numel(), total=number(patch.sum().item(), 4),
            result=number(self.output[row, column].item(), 4),
        )  # fmt: skip
        return SENTENCES["last"].format(sentence=sentence) if at == self.output.numel() else sentence


LAB = Lab(
    name="convolution_pooling",
    title="Pooling",
    sentence="Pooling makes an image smaller: from each window it keeps one number. Click on a pixel of the output "
    "to see its window.",
    config=PoolingConfig,
    build=PoolingRun,
    charts=(
        output_chart("The digit’s pixels, with a frame around the window, and one pixel for each window."),
        Chart("window", "At this place", "The window’s pixels and the result."),
    ),
    status={"step": "Place", "places": "of", "result": "Result"},
)  # fmt: skip
