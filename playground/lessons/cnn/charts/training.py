"""How a training on digits goes: losses, accuracies, gradients over its steps, and the parameters it turns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from playground.engine.frames import Figure
from playground.figures import curves
from playground.lessons.cnn import model as cnn
from playground.lessons.cnn.figures import digits
from playground.lessons.cnn.metrics import LAYERS
from playground.lessons.cnn.predictions import Moment

TOP = [0.9, 1.002]  # the part of the accuracies that matters in the end


def loss(moment: Moment, options: Mapping[str, bool]) -> Figure:
    """The mean loss of the batches since the last point."""
    values = moment.history.column("train")
    peak = float(np.nanmax(values[np.isfinite(values)], initial=2.4))
    span = None if options.get("log", False) else [0.0, 1.05 * peak]
    return _over_steps(moment, [("Train", "@train", "train")], "Loss", span)


def accuracy(moment: Moment, options: Mapping[str, bool]) -> Figure:
    """The share of right answers: in the batches, in a sample of the test images, and in all of them."""
    whole = np.array([(step, accuracy) for step, accuracy, _ in moment.tester.whole], np.float32).reshape(-1, 2)
    lines = [("Train", "@train", "accuracy"), ("Test, sample", "@test", "test_accuracy")]
    span = TOP if options.get("top", False) else [0.0, 1.02]
    return _over_steps(moment, lines, "Accuracy", list(span), (whole[:, 0], whole[:, 1]))


def _over_steps(
    moment: Moment,
    lines: list[tuple[str, str, str]],
    title: str,
    span: list[float] | None,
    tests: tuple[np.ndarray, np.ndarray] | None = None,
) -> Figure:
    steps = moment.history.steps()
    return digits.over_steps(
        [(name, colour, steps, moment.history.column(column)) for name, colour, column in lines],
        title=title,
        span=span,
        until=moment.until,
        tests=tests,
        marks=moment.marks,
        cursor=None if moment.view.is_now else moment.view.steps,
    )


def gradients(moment: Moment) -> Figure:
    """Each layer's gradient and update over the steps."""
    column, layers = moment.history.column, cnn.convolutions(moment.view.model)
    names = [*LAYERS[: len(layers)], LAYERS[-1]]
    sizes = [(name, column(f"gradient {name}"), column(f"update {name}")) for name in names]
    return curves.layer_sizes(moment.history.steps(), sizes, cursor=None if moment.view.is_now else moment.view.steps)


def parameters(moment: Moment) -> Figure:
    """How many numbers each layer learns."""
    found = cnn.layer_sizes(moment.view.model)
    return digits.sizes([size.name for size in found], [size.count for size in found], [size.sum for size in found])
