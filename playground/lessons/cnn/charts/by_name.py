"""The charts of the lesson "CNN on MNIST" by name, and what a click on one does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from playground.engine.frames import Figure
from playground.lessons.cnn.charts import anatomy, mistakes
from playground.lessons.cnn.charts import projection as cnn_plane
from playground.lessons.cnn.charts import training as curves
from playground.lessons.cnn.charts.projection import Plane
from playground.lessons.cnn.predictions import Moment
from playground.lessons.regression.config import coordinate

TESTED = {"confusion", "per_class", "cell", "hardest"}  # drawn from a test of the model


def figures(moment: Moment, memory: Plane, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
    """The charts by name."""
    return {
        "loss": lambda: curves.loss(moment, options),
        "accuracy": lambda: curves.accuracy(moment, options),
        "gradients": lambda: curves.gradients(moment),
        "parameters": lambda: curves.parameters(moment),
        "answer": lambda: anatomy.answer(moment),
        "maps": lambda: anatomy.maps(moment),
        "convolution": lambda: anatomy.convolution(moment),
        "times": lambda: anatomy.times(moment),
        "confusion": lambda: mistakes.confusion(moment),
        "per_class": lambda: mistakes.per_class(moment),
        "cell": lambda: mistakes.cell(moment),
        "hardest": lambda: mistakes.hardest(moment),
        "predictions": lambda: mistakes.predictions(moment),
        "plane": lambda: cnn_plane.plane(moment, memory, tsne=options.get("tsne", False)),
    }


def shows_mistakes(charts: Collection[str]) -> bool:
    """Whether one of the charts needs a test of the model."""
    return not TESTED.isdisjoint(charts)


def pick(moment: Moment, memory: Plane, command: Mapping[str, Any]) -> None:
    """Look at what a click on a chart, or its fields, chose. Raises ValueError with a sentence."""
    x, y, chart = coordinate(command.get("x")), coordinate(command.get("y")), command.get("chart")
    if command.get("do") == "explain":
        anatomy.choose(moment, x, y)
    elif chart == "maps":
        anatomy.pick(moment, x, y)
    elif chart == "plane":
        cnn_plane.pick(moment, memory, x, y)
    elif chart == "predictions" or chart in TESTED:
        mistakes.pick(moment, str(chart), x, y)
    else:
        raise ValueError("There is nothing to choose in that chart.")
