"""A visitor's own digit, drawn or uploaded: how it becomes the model's input, and the settings beside it."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.engine.commands import CommandError
from playground.lesson import Slider, Toggle
from playground.lessons.cnn.drawing.preprocessing import Stage, Switches, pad_bits, stages
from playground.lessons.cnn.model import SIDE
from playground.lessons.cnn.words import BLANK_PICTURE, NO_SUCH_SLIDER, SLIDER_RANGE

Array = NDArray[Any]
TOGGLES = (
    Toggle("flatten", "Even light", on=True),
    Toggle("invert", "Invert", on=True),
    Toggle("threshold", "Black and white", on=True),
    Toggle("crop", "Crop", on=True),
    Toggle("fit", "20 × 20", on=True),
    Toggle("centre", "Centre by mass", on=True),
)
SLIDERS = (Slider("target", "Target digit", 0, 9, 1, 8), Slider("epsilon", "ε", 0.0, 0.5, 0.01, 0.2))
DRAWING_FRAME_RATE, DRAWING_SECONDS = 25.0, 1.0  # frames per second, and how long after the last stroke
ALL_CHARTS_SECONDS = 0.3  # between two frames with all charts while somebody draws


@dataclass
class PadDrawing:
    """A drawing or a picture as grey levels, uint8 (height, width), and what the sliders beside it are set to."""

    grey: Array | None = None  # None until something is drawn or uploaded
    switches: Switches = field(default_factory=Switches)
    target: int = 8
    epsilon: float = 0.2
    _computed: tuple[Array, Switches, list[Stage]] | None = field(default=None, repr=False, compare=False)

    def draw(self, bits: str | None) -> Tensor | None:
        """The model's input for the bits that the pad sends; None where it is empty. Raises ValueError.

        The drawing is kept as dark ink on white paper, so that there is something to invert.
        """
        ink = None if bits is None else pad_bits(bits)
        self.grey = ink if ink is None or not ink.any() else 255 - ink
        return self.input()

    def use_picture(self, grey: Any) -> Tensor | None:
        """The model's input for a picture, grey levels uint8 (height, width). Raises ValueError where it is blank."""
        picture = np.asarray(grey)
        if picture.ndim != 2 or picture.dtype != np.uint8 or min(picture.shape) < 1 or picture.min() == picture.max():
            raise ValueError(BLANK_PICTURE)
        self.grey = picture
        return self.input()

    def switch(self, options: Mapping[str, bool]) -> bool:
        """Whether the viewer's toggles, which are taken over, switch another set of stages on."""
        before = self.switches
        self.switches = Switches(**{each.name: options.get(each.name, True) for each in fields(Switches)})
        return self.switches != before

    def slide(self, name: str, value: float) -> None:
        """Set the value of a slider. Raises ValueError."""
        slider = next((each for each in SLIDERS if each.name == name), None)
        if slider is None:
            raise CommandError(NO_SUCH_SLIDER)
        if not slider.lo <= value <= slider.hi:
            raise CommandError(SLIDER_RANGE.format(label=slider.label, lo=slider.lo, hi=slider.hi))
        setattr(self, slider.name, math.floor(value) if slider.name == "target" else value)

    def input(self) -> Tensor | None:
        """The model's input, float32 from 0 to 1 (1, 1, 28, 28); None where nothing is drawn."""
        if self.grey is None:
            return None
        return torch.from_numpy(self._own_stages(self.grey)[-1].image).reshape(1, 1, SIDE, SIDE)

    def stages_of(self, image: Array, *, own: bool) -> list[Stage]:
        """Every stage of the visitor's own digit, or of an image (28, 28) from the data, whose grey levels are kept."""
        if own and self.grey is not None:
            return self._own_stages(self.grey)
        return stages(image, Switches(threshold=False))

    def _own_stages(self, grey: Array) -> list[Stage]:
        """The stages of the visitor's digit, computed once for each picture: a frame of every chart asks for them."""
        if self._computed is None or self._computed[0] is not grey or self._computed[1] != self.switches:
            self._computed = grey, self.switches, stages(grey, self.switches)
        return self._computed[2]


class DrawingPace:
    """How often frames come: quickly while somebody draws, and then the first after a stroke has few charts."""

    def __init__(self, frame_rate: float) -> None:
        self.stroke_at = -math.inf
        self._rest_frame_rate = frame_rate
        self._stroke_is_new = False  # no frame has shown it yet
        self._all_charts_at = -math.inf

    @property
    def is_drawing(self) -> bool:
        """Whether the last stroke was less than a second ago."""
        return time.monotonic() < self.stroke_at + DRAWING_SECONDS

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return DRAWING_FRAME_RATE if self.is_drawing else self._rest_frame_rate

    def stroke(self) -> None:
        """Note that the drawing has changed."""
        self.stroke_at, self._stroke_is_new = time.monotonic(), True

    def leaves_out_slow_charts(self, charts: Collection[str]) -> bool:
        """Whether the next frame shows the prediction without the charts that take longer, which follow."""
        now = time.monotonic()
        soon = self._stroke_is_new or (self.is_drawing and now < self._all_charts_at + ALL_CHARTS_SECONDS)
        first, self._stroke_is_new = soon and "drawn" in charts, False
        self._all_charts_at = self._all_charts_at if first else now
        return first
