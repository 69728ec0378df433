"""What a visitor has selected: the image that all charts show, one of its maps, and a cell of the confusion table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from torch import Tensor

from playground.engine.commands import CommandError
from playground.lessons.cnn.config import CnnConfig, CnnData
from playground.lessons.cnn.drawing.drawing import PadDrawing
from playground.lessons.cnn.model import SIDE, scaled
from playground.lessons.cnn.words import WINDOW_RANGE


@dataclass
class Selection:
    """An own image or one of the test set, a map of it, and a cell of mistakes; it survives a reset."""

    own_image: Tensor | None = None  # (1, 1, 28, 28), float32 from 0 to 1
    drawing: PadDrawing = field(default_factory=PadDrawing)  # what the own image was made from
    picked: int | None = None  # a test image that was clicked on, until the knob is changed
    layer: int = 0
    channel: int = 0
    row: int = 14  # of the kernel's window on the image, and its column
    column: int = 14
    cell: tuple[int, int] | None = None  # true digit, predicted digit
    axis_ends: dict[str, float] = field(default_factory=dict)  # kept, so that axes do not jump

    def image_number(self, config: CnnConfig, digits: CnnData) -> int:
        """The index of the selected test image, also while an own image is shown instead."""
        chosen = config.image if self.picked is None else self.picked
        return chosen % len(digits.x_test)

    def image(self, config: CnnConfig, digits: CnnData) -> Tensor:
        """The image shown, float32 from 0 to 1 on the CPU: (1, 1, 28, 28)."""
        if self.own_image is not None:
            return self.own_image
        return scaled(digits.x_test[self.image_number(config, digits)][None].cpu())

    def label(self, config: CnnConfig, digits: CnnData) -> int | None:
        """The true digit of the image shown; None for an own image, where it is not known."""
        return None if self.own_image is not None else int(digits.y_test[self.image_number(config, digits)])

    def copied(self) -> Selection:
        """An independent copy, without what can be computed again."""
        drawing = replace(self.drawing, _computed=None)
        return replace(self, drawing=drawing, axis_ends=dict(self.axis_ends))

    def slide_window(self, name: str, value: float) -> None:
        """Put the kernel's window into another row or column. Raises CommandError."""
        if not 0 <= value < SIDE:
            raise CommandError(WINDOW_RANGE.format(most=SIDE - 1))
        setattr(self, name, int(value))

    def move_window(self) -> None:
        """Put the kernel's window at the next place, row by row."""
        self.row, self.column = divmod((self.row * SIDE + self.column + 1) % SIDE**2, SIDE)

    def pick(self, number: int) -> None:
        """Show a test image, instead of an own image or the one of the knob."""
        self.own_image, self.picked = None, number

    def axis_end(self, name: str, size: float) -> float:
        """Where an axis ends that must reach `size`: it grows at once, and shrinks only when far too long."""
        kept = self.axis_ends.get(name, 0.0)
        if not kept / 8 <= size <= kept:
            self.axis_ends[name] = kept = 1.25 * size or 1.0
        return kept
