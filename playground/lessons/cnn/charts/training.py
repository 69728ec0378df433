"""Charts of a training on digits: loss, accuracy and gradients over its steps, and the parameters it learns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from playground.engine.frames import Figure
from playground.figures import curves, strips
from playground.lessons.cnn import model as cnn
from playground.lessons.cnn.figures import digits
from playground.lessons.cnn.frame_context import FrameContext
from playground.lessons.cnn.metrics import LAYERS
from playground.lessons.cnn.words import ACCURACY, LOSS, TEST_SAMPLE, TRAIN

TOP_RANGE = [0.9, 1.002]  # of accuracies late in a training


def loss(frame: FrameContext, options: Mapping[str, bool]) -> Figure:
    """The mean loss of the batches since the last point, as the strip along which one looks back."""
    steps, values = frame.history.steps(), frame.history.column("train")
    known = np.isfinite(values)
    peak = float(np.nanmax(values[known], initial=2.4))
    return strips.losses(
        steps[known], [(TRAIN, "@train", values[known])], peak=peak, until=frame.plan_end, marks=frame.marks,
        log=options.get("log", False), title=LOSS, numbers={"loss": TRAIN},
    )  # fmt: skip


def accuracy(frame: FrameContext, options: Mapping[str, bool]) -> Figure:
    """The accuracy on the batches, on a sample of the test images, and on all of them."""
    tests = np.array([test[:2] for test in frame.tester.full_tests], np.float32).reshape(-1, 2)
    lines = [(TRAIN, "@train", "accuracy"), (TEST_SAMPLE, "@test", "test_accuracy")]
    span = TOP_RANGE if options.get("top", False) else [0.0, 1.02]
    return _over_steps(frame, lines, ACCURACY, list(span), (tests[:, 0], tests[:, 1]))


def _over_steps(
    frame: FrameContext,
    lines: list[tuple[str, str, str]],
    title: str,
    span: list[float] | None,
    tests: tuple[np.ndarray, np.ndarray] | None = None,
) -> Figure:
    steps = frame.history.steps()
    return digits.over_steps(
        [(name, colour, steps, frame.history.column(column)) for name, colour, column in lines],
        title=title,
        span=span,
        until=frame.plan_end,
        tests=tests,
        marks=frame.marks,
        cursor=None if frame.view.is_current else frame.view.steps,
    )


def gradients(frame: FrameContext) -> Figure:
    """The norms of each layer's gradient and update over the steps."""
    column, layers = frame.history.column, cnn.convolutions(frame.view.model)
    names = [*LAYERS[: len(layers)], LAYERS[-1]]
    sizes = [(name, column(f"gradient {name}"), column(f"update {name}")) for name in names]
    return curves.layer_sizes(frame.history.steps(), sizes, cursor=None if frame.view.is_current else frame.view.steps)


def parameters(frame: FrameContext) -> Figure:
    """How many parameters each layer has."""
    found = cnn.layer_sizes(frame.view.model)
    return digits.sizes([size.name for size in found], [size.count for size in found], [size.sum for size in found])
