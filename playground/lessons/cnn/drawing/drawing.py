"""What a student has drawn or uploaded, how it is made an input, and what the sliders beside it ask for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.lesson import Slider, Toggle
from playground.lessons.cnn.drawing.preprocessing import Stage, Switches, pad_bits, stages
from playground.lessons.cnn.model import SIDE

Array = NDArray[Any]
TOGGLES = (
    Toggle("invert", "Invert", on=True),
    Toggle("threshold", "Black and white", on=True),
    Toggle("crop", "Crop", on=True),
    Toggle("fit", "20 × 20", on=True),
    Toggle("centre", "Centre by mass", on=True),
)
SLIDERS = (Slider("target", "Into a", 0, 9, 1, 8), Slider("epsilon", "ε", 0.0, 0.5, 0.01, 0.2))


@dataclass
class Drawn:
    """A drawing or a picture as grey levels, uint8 (height, width); None as long as there is neither."""

    grey: Array | None = None
    switches: Switches = field(default_factory=Switches)
    target: int = 8
    epsilon: float = 0.2

    def draw(self, command: Mapping[str, Any]) -> Tensor | None:
        """Take what the pad sends; the input that it makes, or None where the pad is empty.

        Raises ValueError with a sentence.
        """
        bits = command.get("bits")
        self.grey = None if bits is None else pad_bits(bits)
        return self.input()

    def use_picture(self, grey: Any) -> Tensor | None:
        """Take a picture, grey levels uint8 (height, width). Raises ValueError with a sentence where it is blank."""
        picture = np.asarray(grey)
        if picture.ndim != 2 or picture.dtype != np.uint8 or min(picture.shape) < 1 or picture.min() == picture.max():
            raise ValueError("There is nothing to be seen on this picture: it is all of one shade.")
        self.grey = picture
        return self.input()

    def switch(self, options: Mapping[str, bool]) -> bool:
        """Switch the stages as a viewer's toggles say; returns whether that changes anything."""
        before = self.switches
        self.switches = Switches(**{each.name: options.get(each.name, True) for each in fields(Switches)})
        return self.switches != before

    def slide(self, command: Mapping[str, Any]) -> None:
        """Set what a slider sends. Raises ValueError with a sentence."""
        slider = next((each for each in SLIDERS if each.name == command.get("name")), None)
        value = command.get("value")
        if slider is None:
            raise ValueError("There is no such slider here.")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not slider.lo <= value <= slider.hi:
            raise ValueError(f"“{slider.label}” takes numbers from {slider.lo:g} to {slider.hi:g}.")
        setattr(self, slider.name, math.floor(value) if slider.name == "target" else float(value))

    def input(self) -> Tensor | None:
        """What the model gets of it, float32 from 0 to 1 (1, 1, 28, 28)."""
        if self.grey is None:
            return None
        return torch.from_numpy(stages(self.grey, self.switches)[-1].image).reshape(1, 1, SIDE, SIDE)

    def stages_of(self, image: Array, *, own: bool) -> list[Stage]:
        """Every stage, of the student's own, or of an image (28, 28) from the data, whose greys are kept."""
        if own and self.grey is not None:
            return stages(self.grey, self.switches)
        return stages(image, Switches(threshold=False))
