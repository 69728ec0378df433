"""Charts of a visitor's own digit: its way to the model's input, what the prediction depends on, an attack, shifts."""

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
from playground.lessons.cnn import words
from playground.lessons.cnn.attribution import Occlusion, fgsm, saliency
from playground.lessons.cnn.charts.shift_test import SHIFTS, ShiftTest
from playground.lessons.cnn.drawing.drawing import PadDrawing
from playground.lessons.cnn.drawing.preprocessing import Stage
from playground.lessons.cnn.figures.panels import Bars, Panel, over_shifts, panels
from playground.lessons.cnn.frame_context import FrameContext
from playground.lessons.cnn.model import frozen
from playground.training import devices

Array = NDArray[Any]
SLICE_SECONDS = 0.015  # of long work, for each frame
SMALL_STEPS = 10
SLOW_CHARTS = {"stages", "attack", "attention", "shift"}  # the first frame after a stroke does not wait for them


@dataclass
class PendingWork:
    """Work of one run that takes several frames; `is_pending` while some of it is not done."""

    is_pending: bool = False
    occlusion: Occlusion | None = None
    occlusion_of: tuple[int, bytes, int] | None = None  # its step, image and digit
    shift_test: ShiftTest | None = None


@dataclass
class DrawContext:
    """What the charts of one frame share."""

    frame: FrameContext
    work: PendingWork

    @property
    def drawing(self) -> PadDrawing:
        """The visitor's own digit, with the sliders' values."""
        return self.frame.selection.drawing

    @cached_property
    def model(self) -> nn.Sequential:
        """A copy of the model shown, so that its gradients do not disturb the training."""
        return frozen(self.frame.view.model, self.frame.config.torch_device)

    @cached_property
    def x(self) -> Tensor:
        """The image on the model's device: (1, 1, 28, 28)."""
        return self.frame.predictions.image.to(self.frame.config.torch_device)


def figures(frame: FrameContext, work: PendingWork, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
    """The functions that draw the charts, by chart name."""
    work.is_pending = False
    context = DrawContext(frame, work)
    charts = {
        "drawn": lambda: prediction(context),
        "stages": lambda: stages(context),
        "attack": lambda: attack(context, steps=SMALL_STEPS if options.get("small_steps", False) else 1),
        "attention": lambda: attention(context),
        "shift": lambda: shift(context, on=options.get("shift_test", False)),
    }
    return {name: partial(_on_one_core, draw) for name, draw in charts.items()}


def _on_one_core(draw: Callable[[], Figure]) -> Figure:
    """One image is too little work to share: on a busy machine the cores would wait for each other."""
    with devices.threads(1):
        return draw()


def prediction(context: DrawContext) -> Figure:
    """The model's input, and the probability of each digit."""
    predictions, selection = context.frame.predictions, context.frame.selection
    is_own = selection.own_image is not None
    title = words.YOUR_DIGIT if is_own else words.A_TEST_IMAGE
    image = Panel(title, predictions.image[0, 0].numpy(), words.MODEL_INPUT_HOVER)
    bars = Bars("Softmax", "@model", predictions.probabilities, full=(predictions.predicted,))
    is_drawn = is_own and selection.drawing.grey is not None
    return panels([image], bars=[bars], meta={"drawn": is_drawn})


def stages(context: DrawContext) -> Figure:
    """Every stage from the drawing to the input."""
    frame = context.frame
    found = context.drawing.stages_of(frame.predictions.image[0, 0].numpy(), own=frame.selection.own_image is not None)
    return panels([_stage(each) for each in found])


def _stage(stage: Stage) -> Panel:
    high, wide = stage.image.shape
    title = words.STAGES[stage.name].format(side=max(high, wide))
    return Panel(title, stage.image, words.STAGE_HOVER.format(title=title, wide=wide, high=high), is_grey=True)


def attention(context: DrawContext) -> Figure:
    """The image, the gradient of the predicted digit's logit, and how far that logit falls without each patch."""
    predictions, work = context.frame.predictions, context.work
    gradient = saliency(context.model, context.x, predictions.predicted)
    wanted = context.frame.view.steps, predictions.image.numpy().tobytes(), predictions.predicted
    if (
        work.occlusion is None
        or work.occlusion_of is None
        or work.occlusion_of[1:] != wanted[1:]
        or (work.occlusion_of != wanted and work.occlusion.is_done)
    ):
        work.occlusion, work.occlusion_of = Occlusion(context.model, context.x, predictions.predicted), wanted
    work.occlusion.advance(SLICE_SECONDS)
    work.is_pending = work.is_pending or not work.occlusion.is_done or work.occlusion_of != wanted
    saliency_hover = words.SALIENCY_HOVER.format(largest=float(gradient.max(initial=0.0)))
    return panels([
        Panel(words.PREDICTED.format(predicted=predictions.predicted), predictions.image[0, 0].numpy(),
              words.MODEL_INPUT_HOVER),
        Panel(words.SALIENCY, gradient, saliency_hover, is_ink=False),
        Panel(words.OCCLUSION, work.occlusion.falls, words.OCCLUSION_HOVER, is_ink=False),
    ], columns=2)  # fmt: skip


def attack(context: DrawContext, *, steps: int) -> Figure:
    """The image, a small change, both together, and the predictions before and after."""
    drawing, predictions = context.drawing, context.frame.predictions
    attacked = fgsm(context.model, context.x, drawing.target, drawing.epsilon, steps)
    with torch.no_grad():
        after: Array = torch.softmax(context.model(attacked), dim=1)[0].nan_to_num().cpu().numpy()
    before, image = predictions.probabilities, predictions.image[0, 0].numpy()
    attacked_image = attacked[0, 0].cpu().numpy()
    row = [
        Panel(_read_as(before), image, words.MODEL_INPUT_HOVER),
        Panel(words.ATTACK_CHANGE, attacked_image - image, words.ATTACK_CHANGE_HOVER, is_ink=False),
        Panel(_read_as(after), attacked_image, words.ATTACKED_HOVER),
    ]
    bars = [Bars(words.BEFORE, "@weight", before), Bars(words.AFTER, "@model", after)]
    return panels(row, bars=bars, meta={"sliders": {"target": drawing.target, "epsilon": drawing.epsilon}})


def _read_as(probabilities: Array) -> str:
    predicted = int(np.argmax(probabilities))
    return words.READ_AS.format(predicted=predicted, percent=100 * float(probabilities[predicted]))


def shift(context: DrawContext, *, on: bool) -> Figure:
    """The accuracy on shifted test images, of the model shown and of a fully connected one of the same size."""
    work = context.work
    if not on:
        work.shift_test = None
        return _shift_lines(np.full((2, len(SHIFTS)), np.nan, np.float32), words.SHIFT_START)
    if work.shift_test is None:
        work.shift_test = ShiftTest(context.frame)
    test = work.shift_test
    test.advance(SLICE_SECONDS)
    work.is_pending = work.is_pending or not test.is_done
    if test.trained < test.steps:
        return _shift_lines(test.accuracies, words.SHIFT_TRAINING.format(step=test.trained, steps=test.steps))
    note = words.SHIFT_MODELS.format(
        steps=test.cnn_steps,
        parameters=test.parameters,
        plain_steps=test.steps,
        plain_parameters=test.plain_parameters,
    )
    return _shift_lines(test.accuracies, note)


def _shift_lines(accuracies: Array, note: str) -> Figure:
    cnn, plain = accuracies.copy()  # the test keeps writing into its own array
    lines = [(words.SHIFT_CNN, "@model", cnn), (words.SHIFT_PLAIN, "@weight", plain)]
    return over_shifts(np.array(SHIFTS, np.float32), lines, note=note)
