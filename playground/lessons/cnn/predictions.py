"""What a digit model makes of the image that is looked at, shared by all charts of a frame."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from playground.lessons.cnn.config import CnnConfig, CnnData
from playground.lessons.cnn.drawing.drawing import Drawn
from playground.lessons.cnn.evaluation import Tester
from playground.lessons.cnn.model import SIDE, Stage, scaled, stages
from playground.runs.history import History, Snapshot, Snapshots
from playground.runs.training_run import View

Array = NDArray[Any]
PIXELS = SIDE * SIDE


@dataclass
class Look:
    """What the student looks at: an image of their own or one of the test set, a map of it, and a cell of mistakes."""

    own: Tensor | None = None  # (1, 1, 28, 28), float32 from 0 to 1
    drawn: Drawn = field(default_factory=Drawn)  # what their own was made of, if it was drawn or uploaded
    picked: int | None = None  # a test image that was clicked on, until the knob is turned
    layer: int = 0
    channel: int = 0
    cell: tuple[int, int] | None = None  # true class, class it was taken for
    spans: dict[str, float] = field(default_factory=dict)  # where axes end, so that they do not jump

    def image_number(self, config: CnnConfig, digits: CnnData) -> int:
        """The number of the test image that is looked at, or would be but for the student's own."""
        chosen = config.image if self.picked is None else self.picked
        return chosen % len(digits.x_test)

    def image(self, config: CnnConfig, digits: CnnData) -> Tensor:
        """The image that is looked at, float32 from 0 to 1 on the CPU: (1, 1, 28, 28)."""
        if self.own is not None:
            return self.own
        return scaled(digits.x_test[self.image_number(config, digits)][None].cpu())

    def label(self, config: CnnConfig, digits: CnnData) -> int | None:
        """The digit that it is; nobody knows of the student's own."""
        return None if self.own is not None else int(digits.y_test[self.image_number(config, digits)])

    def end(self, name: str, size: float) -> float:
        """Where an axis ends that must reach `size`: it grows at once, and shrinks only when far too long."""
        kept = self.spans.get(name, 0.0)
        if not kept / 8 <= size <= kept:
            self.spans[name] = kept = 1.25 * size or 1.0
        return kept


def own_image(value: Any) -> Tensor:
    """An image (28, 28) of numbers from 0 to 1 as the model takes it. Raises ValueError with a sentence."""
    try:
        image = np.array(value, dtype=np.float32)
    except (TypeError, ValueError):
        raise ValueError("An image of your own is 28 rows of 28 numbers from 0 to 1.") from None
    if image.shape != (SIDE, SIDE) or not np.isfinite(image).all() or image.min() < 0 or image.max() > 1:
        raise ValueError("An image of your own is 28 rows of 28 numbers from 0 to 1.")
    return torch.from_numpy(image).reshape(1, 1, SIDE, SIDE)


def image_of(command: Mapping[str, Any]) -> Tensor | None:
    """The image that a viewer's command carries: 784 bytes in base64, or None. Raises ValueError with a sentence."""
    text = command.get("pixels")
    if text is None:
        return None
    try:
        raw = base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raw = b""
    if len(raw) != PIXELS:
        raise ValueError(f"The pixels of an image are {PIXELS} bytes in base64.")
    return own_image(np.frombuffer(raw, np.uint8).reshape(SIDE, SIDE) / np.float32(255))


@dataclass(frozen=True)
class Seen:
    """One moment's model and one image, and what comes out of every module for it."""

    model: nn.Sequential
    image: Tensor  # (1, 1, 28, 28) on the CPU
    label: int | None

    @cached_property
    def stages(self) -> list[Stage]:
        """The output of each module, on the CPU."""
        device = next(self.model.parameters()).device
        return [
            Stage(stage.kind, stage.layer, stage.output.cpu()) for stage in stages(self.model, self.image.to(device))
        ]

    @cached_property
    def logits(self) -> Array:
        """(10,)."""
        logits: Array = self.stages[-1].output[0].numpy()
        return logits

    @cached_property
    def shares(self) -> Array:
        """The probability of each digit: (10,)."""
        shares: Array = self.stages[-1].output[0].softmax(dim=0).nan_to_num().numpy()
        return shares

    @property
    def guess(self) -> int:
        """The likeliest digit."""
        return int(self.shares.argmax())


@dataclass(frozen=True)
class Moment:
    """All that the charts of one frame are drawn from."""

    config: CnnConfig
    digits: CnnData
    view: View
    look: Look
    history: History
    tester: Tester
    snapshots: Snapshots
    marks: Sequence[tuple[int, str]]
    until: int  # the step at which the plan ends
    model_at: Callable[[Snapshot], nn.Sequential]
    learning: nn.Sequential  # the model of now, with its gradients

    @property
    def seen(self) -> Seen:
        """What the model shown makes of the image."""
        seen: Seen = self.view.seen
        return seen
