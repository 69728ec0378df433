"""A digit of one's own: how a drawing becomes an input, what the answer hangs on, what fools it, and shifts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from playground.engine.frames import Figure
from playground.lessons.cnn.attribution import Occlusion, fgsm, saliency
from playground.lessons.cnn.charts.shift_test import SHIFTS, ShiftTest
from playground.lessons.cnn.drawing.drawing import Drawn
from playground.lessons.cnn.figures.panels import Bars, Panel, over_shifts, panels
from playground.lessons.cnn.model import frozen
from playground.lessons.cnn.predictions import Moment
from playground.training import devices

Array = NDArray[Any]
SLICE_SECONDS = 0.015  # of long work, for each frame
SMALL_STEPS = 10
LATER = {"stages", "attack", "attention", "shift"}  # charts that a stroke's prediction need not wait for
TITLES = {"given": "As given", "inverted": "Ink is white", "bilevel": "Black and white", "cropped": "Cropped",
          "fitted": "Made to fit", "centred": "Placed in 28 × 28"}  # fmt: skip


@dataclass
class Desk:
    """What one run keeps of work that takes several frames; `waits` while some of it is on its way."""

    waits: bool = False
    occlusion: Occlusion | None = None
    of: tuple[int, bytes, int] | None = None  # the step, image and class that the occlusion is of
    shift: ShiftTest | None = None


@dataclass
class Sketch:
    """What the charts of one frame share."""

    moment: Moment
    drawn: Drawn
    desk: Desk

    @cached_property
    def model(self) -> nn.Sequential:
        """A copy of the model that is shown, whose gradients disturb nothing."""
        return frozen(self.moment.view.model, self.moment.config.torch_device)

    @cached_property
    def x(self) -> Tensor:
        """The image on the model's device: (1, 1, 28, 28)."""
        return self.moment.seen.image.to(self.moment.config.torch_device)


def figures(moment: Moment, desk: Desk, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
    """The charts by name."""
    desk.waits = False
    sketch = Sketch(moment, moment.look.drawn, desk)
    charts = {
        "drawn": lambda: verdict(sketch),
        "stages": lambda: stages(sketch),
        "attack": lambda: attack(sketch, steps=SMALL_STEPS if options.get("small_steps", False) else 1),
        "attention": lambda: attention(sketch),
        "shift": lambda: shift(sketch, on=options.get("shift_test", False)),
    }
    return {name: partial(_on_one_core, draw) for name, draw in charts.items()}


def _on_one_core(draw: Callable[[], Figure]) -> Figure:
    """One image is too little work to share: on a busy machine the cores would wait for each other."""
    with devices.threads(1):
        return draw()


def verdict(sketch: Sketch) -> Figure:
    """The image as the model gets it, and the probability of each digit."""
    seen, own = sketch.moment.seen, sketch.moment.look.own is not None
    name = "Your digit" if own else "A test image"
    image = Panel(name, seen.image[0, 0].numpy(), "What the model gets, 28 × 28 numbers from 0 to 1")
    bars = Bars("Softmax", "@model", seen.shares, full=(seen.guess,))
    return panels([image], bars=[bars], share=0.36, gap=0.15, meta={"drawn": own and sketch.drawn.grey is not None})


def stages(sketch: Sketch) -> Figure:
    """From what was drawn to the input."""
    moment = sketch.moment
    found = sketch.drawn.stages_of(moment.seen.image[0, 0].numpy(), own=moment.look.own is not None)
    row = [
        Panel(TITLES[stage.name], stage.image, f"{TITLES[stage.name]}: {stage.image.shape[1]} × {stage.image.shape[0]}")
        for stage in found
    ]
    return panels(row)


def attention(sketch: Sketch) -> Figure:
    """The image, how the guess's logit changes with each pixel, and how it falls where a patch is blackened."""
    seen, desk = sketch.moment.seen, sketch.desk
    found = saliency(sketch.model, sketch.x, seen.guess)
    of = sketch.moment.view.steps, seen.image.numpy().tobytes(), seen.guess
    if desk.occlusion is None or desk.of is None or desk.of[1:] != of[1:] or (desk.of != of and desk.occlusion.is_done):
        desk.occlusion, desk.of = Occlusion(sketch.model, sketch.x, seen.guess), of
    desk.occlusion.advance(SLICE_SECONDS)
    desk.waits = desk.waits or not desk.occlusion.is_done or desk.of != of
    falls, size = desk.occlusion.falls, float(found.max(initial=0.0))
    return panels([
        Panel(f"Taken for a {seen.guess}", seen.image[0, 0].numpy(), "What the model gets"),
        Panel("Saliency", found, f"Size of the logit's gradient by each pixel, up to {size:.3g}", is_ink=False),
        Panel("Occlusion", falls, "How far the logit falls (blue) or rises (orange) where 6 × 6 pixels are black",
              is_ink=False),
    ])  # fmt: skip


def attack(sketch: Sketch, *, steps: int) -> Figure:
    """The image, a small change, both together, and what the model says before and after."""
    drawn, seen = sketch.drawn, sketch.moment.seen
    moved = fgsm(sketch.model, sketch.x, drawn.target, drawn.epsilon, steps)
    with torch.no_grad():
        shares: Array = torch.softmax(sketch.model(moved), dim=1)[0].nan_to_num().cpu().numpy()
    before, after = seen.image[0, 0].numpy(), moved[0, 0].cpu().numpy()
    guess = int(np.argmax(shares))
    row = [
        Panel(f"A {seen.guess}: {100 * float(seen.shares[seen.guess]):.0f} %", before, "What the model gets"),
        Panel("The change", after - before, "Brighter (blue) or darker (orange)", is_ink=False),
        Panel(f"A {guess}: {100 * float(shares[guess]):.0f} %", after, "The image with the change added"),
    ]
    bars = [Bars("Before", "@weight", seen.shares), Bars("After", "@model", shares)]
    return panels(row, bars=bars, share=0.46, meta={"sliders": {"target": drawn.target, "epsilon": drawn.epsilon}})


def shift(sketch: Sketch, *, on: bool) -> Figure:
    """How many moved test images are still right: of this model, and of a plain one of the same size."""
    desk = sketch.desk
    if not on:
        desk.shift = None
        empty = np.full((2, len(SHIFTS)), np.nan, np.float32)
        return _shift_lines(empty, "Switch the test on: a plain model<br>trains, then both are tested.")
    if desk.shift is None:
        desk.shift = ShiftTest(sketch.moment)
    test = desk.shift
    test.advance(SLICE_SECONDS)
    desk.waits = desk.waits or not test.is_done
    if test.trained < test.steps:
        return _shift_lines(test.right, f"The plain model learns:<br>step {test.trained:,} of {test.steps:,}")
    note = f"CNN: {test.of_step:,} steps, {test.parameters:,} parameters<br>" \
           f"Plain: {test.steps:,} steps, {test.plain_parameters:,} parameters"  # fmt: skip
    return _shift_lines(test.right, note)


def _shift_lines(right: Array, note: str) -> Figure:
    cnn_right, plain_right = right.copy()  # the test goes on writing into its own
    lines = [("CNN", "@model", cnn_right), ("Plain, as large", "@weight", plain_right)]
    return over_shifts(np.array(SHIFTS, np.float32), lines, note=note)
