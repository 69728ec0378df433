"""The image that all charts of a digit model show: a test image, or one that the student brings.

For whoever gives it images to look at (a drawing pad, an upload): through the engine, `call` one of

- `run.look_at(image)`: (28, 28) numbers from 0 to 1, white on black, becomes the image whose prediction and maps all
  charts show, now and while it trains; None goes back to the test image. From a browser the same is the command
  {"do": "look_at", "pixels": 784 bytes from 0 to 255, row by row, in base64}; `"pixels": null` goes back.
- `run.use_picture(grey)`: a picture of any size, uint8, becomes the image as MNIST was made (`digit_pipeline`); so does
  what the drawing pad sends, {"do": "draw", "bits": ...}.
- `run.model_now()`: a copy of the model at the moment that is shown, and its device, to compute with in any thread
  (saliency, occlusion, ...): it answers as in a test, does not change, and lets gradients through to its input.
- `run.predict(image)`: the probability of each digit, (10,), by the model of now.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from playground.engine.run import Drawing
from playground.lessons.cnn import model as cnn
from playground.lessons.cnn.charts.draw import LATER, Desk
from playground.lessons.cnn.predictions import Look, image_of, own_image
from playground.runs.training_run import TrainingRun

QUICK_RATE, QUICK_SECONDS = 25.0, 1.0  # frames a second, and how long after a stroke
FULL_EVERY_SECONDS = 0.3  # between two frames of all charts meanwhile


class LookingRun(TrainingRun):
    """A training on digits that looks at one image; while one draws, frames come quickly, else at its own rate."""

    look: Look
    frame_rate: float
    stroke_at = -math.inf  # when the last stroke came
    is_fresh = False  # whether no frame has shown it yet
    full_at = -math.inf  # when all charts were last drawn

    def look_at(self, image: Any) -> None:
        """Show this image (28, 28), numbers from 0 to 1, in all charts; None goes back to the test image.

        Raises ValueError with a sentence.
        """
        self.look.own, self.look.drawn.grey = None if image is None else own_image(image), None

    def use_picture(self, grey: Any) -> None:
        """Show a picture of a digit, grey levels uint8 (height, width). Raises ValueError with a sentence."""
        self.look.own = self.look.drawn.use_picture(grey)

    @cached_property
    def desk(self) -> Desk:
        """What this run keeps of work on the image that takes several frames."""
        return Desk()

    def draw(self, charts: list[str], options: Mapping[str, bool]) -> Drawing:
        """The charts asked for; the viewer's switches say which stages a drawing goes through.

        The first frame after a stroke has the prediction, and what takes longer follows with the next.
        """
        drawn = self.look.drawn
        if drawn.switch(options) and self.look.own is not None and drawn.grey is not None:
            self.look.own = drawn.input()
        now = time.monotonic()
        draws = now < self.stroke_at + QUICK_SECONDS
        if not draws:
            self.frame_rate = type(self).frame_rate
        soon = self.is_fresh or (draws and now < self.full_at + FULL_EVERY_SECONDS)
        first, self.is_fresh = soon and "drawn" in charts, False
        self.full_at = self.full_at if first else now
        drawing = super().draw([name for name in charts if name not in LATER] if first else charts, options)
        self.desk.waits = self.desk.waits or first
        return drawing

    @torch.no_grad()
    def predict(self, image: Any) -> NDArray[np.float32]:
        """The probability of each digit for an image (28, 28), by the model of now: (10,)."""
        shares = torch.softmax(self.model(own_image(image).to(self.config.torch_device)), dim=1)
        answer: NDArray[np.float32] = shares[0].nan_to_num().cpu().numpy()
        return answer

    def model_now(self) -> tuple[nn.Sequential, torch.device]:
        """A copy of the model at the moment that is shown, for any thread, and the device that it computes on."""
        return cnn.frozen(self.view().model, self.config.torch_device), torch.device(self.config.torch_device)

    def edit(self, command: Mapping[str, Any]) -> None:
        """Look at an image or a drawing that a viewer sends, or no longer; set what a slider says."""
        kind = command.get("do")
        if kind == "look_at":
            self.look.own, self.look.drawn.grey = image_of(command), None
        elif kind == "draw":
            self.look.own = self.look.drawn.draw(command)
            self.stroke_at, self.frame_rate, self.is_fresh = time.monotonic(), QUICK_RATE, True
        elif kind == "slide":
            self.look.drawn.slide(command)
        else:
            super().edit(command)
