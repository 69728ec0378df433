"""The base of the labs Convolution and Pooling: an output that is computed at once and shown number by number."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from playground.engine.commands import Command, Pick
from playground.engine.frames import Figure
from playground.figures import images
from playground.figures.images import Marks
from playground.lesson import Chart
from playground.lessons.convolution.figures import pair
from playground.lessons.convolution.kernels import WHITE, Axis, both_csv
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings

OUTPUT = "output"  # the chart in which a click, or two fields, choose a number
COORDINATES = ("Column", "Row")
PLAY_SECONDS = 12.0  # for the whole output at automatic speed


class UncoveringRun(SteppedRun):
    """A window that moves over an image, row by row; a lab computes the `output` (rows, columns).

    Once the output is complete, the window is where the output is strongest, until another place is chosen: the last
    place, in a corner, has nothing to show.
    """

    image: Tensor
    output: Tensor
    rows: Axis  # of the window on the image
    columns: Axis
    places: pair.Places  # of the pixels in the chart of the output

    def __init__(self, config: Any, settings: Settings) -> None:
        self.compute(config)
        super().__init__(config, settings, self.output.numel())

    @abstractmethod
    def compute(self, config: Any) -> None:
        """Set `image`, `output`, the axes and the places, and whatever the charts show of the computation."""

    @abstractmethod
    def marks(self, at: int) -> Marks:
        """What is marked in the image after `at` places."""

    @property
    def auto_speed(self) -> float:
        """Places per second that show the whole output in about PLAY_SECONDS."""
        return max(2.0, self.output.numel() / PLAY_SECONDS)

    def step(self) -> None:
        """Move to the next place; nothing is computed."""

    def edit(self, command: Command) -> None:
        """Show the window of the output's number at this place, and all numbers before it.

        A place in the image stands for the window around it.
        """
        if not isinstance(command, Pick) or command.chart != OUTPUT:
            super().edit(command)
            return
        rows, columns = self.output.shape
        is_image = self.places.has(command.x, command.y)
        y, x = self._window_around(command.x, command.y) if is_image else (command.y, command.x)
        row, column = (min(max(math.floor(at), 0), size - 1) for at, size in ((y, rows), (x, columns)))
        self._viewed = row * columns + column + 1
        self.steps = max(self.steps, self._viewed)
        self.outcome = "done" if self.steps == self.length else ""

    def tune(self, config: Any) -> None:
        """Compute the output again. As many places stay shown as before; a complete output stays complete."""
        self.compute(config)
        self.config, self.length = config, self.output.numel()
        self.steps = self.length if self.outcome == "done" else min(self.steps, self.length)
        self.outcome = "done" if self.steps == self.length else ""
        if self._viewed is not None and self._viewed > self.steps:
            self._viewed = None

    def place(self, at: int) -> tuple[int, int]:
        """The row and column of the number that step `at` shows; steps count from 1."""
        complete = at == self.output.numel() and self._viewed is None
        return divmod(int(self.output.abs().argmax()) if complete else at - 1, self.output.shape[1])

    def _window_around(self, x: float, y: float) -> tuple[float, float]:
        """The row and column of the output whose window has its middle nearest to a place in the image."""
        pixel = self.places.pixel_at(x, y)
        starts = (
            (at - axis.span / 2 + axis.padding) / axis.stride
            for at, axis in zip(pixel, (self.rows, self.columns), strict=True)
        )
        row, column = (math.floor(start + 0.5) for start in starts)
        return row, column

    def output_figure(self, at: int, numbers: NDArray[np.uint8], colours: str, titles: Mapping[str, str]) -> Figure:
        """The image, and the first `at` numbers of the output as bytes, with the place that the two fields show."""
        image, (rows, columns) = self.image.numpy(), self.output.shape
        both = titles["image"].format(digit=self.config.digit), titles["output"].format(rows=rows, columns=columns)
        figure = pair.pair(
            self.places, images.ink(image, WHITE), images.uncovered(numbers, at),
            (images.INK, colours + images.FILLING), self.marks(at), self.place(at) if at else None,
            titles=both, words=". ".join(both), csv=both_csv(image, self.output.numpy()),
        )  # fmt: skip
        row, column = self.place(max(at, 1))
        figure["layout"]["meta"]["place"] = [column, row]
        return figure


def output_chart(alt: str) -> Chart:
    """The chart of image and output: a click in it, or its two fields, choose the number whose window is shown."""
    return Chart(OUTPUT, "The digit and the output", alt, click="pick", place=COORDINATES)
