"""The charts of the lesson "CNN on MNIST" by name, and what a click on one selects."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from playground.engine.commands import CommandError, Explain, Pick
from playground.engine.frames import Figure
from playground.lessons.cnn.charts import anatomy, draw, mistakes, projection, training, window
from playground.lessons.cnn.charts.draw import PendingWork
from playground.lessons.cnn.charts.projection import Projection
from playground.lessons.cnn.frame_context import FrameContext
from playground.lessons.cnn.words import NOTHING_TO_CHOOSE

TESTED = {"confusion", "per_class", "cell", "hardest"}  # drawn from a test of the model


def figures(
    frame: FrameContext, memory: Projection, work: PendingWork, options: Mapping[str, bool]
) -> dict[str, Callable[[], Figure]]:
    """The functions that draw the charts, by chart name."""
    return {
        "loss": lambda: training.loss(frame, options),
        "accuracy": lambda: training.accuracy(frame, options),
        "gradients": lambda: training.gradients(frame),
        "parameters": lambda: training.parameters(frame),
        "reading": lambda: anatomy.reading(frame),
        "answer": lambda: anatomy.answer(frame),
        "maps": lambda: anatomy.maps(frame),
        "convolution": lambda: anatomy.convolution(frame),
        "times": lambda: anatomy.times(frame),
        window.CHART: lambda: window.window(frame),
        "confusion": lambda: mistakes.confusion(frame),
        "per_class": lambda: mistakes.per_class(frame),
        "cell": lambda: mistakes.cell(frame),
        "hardest": lambda: mistakes.hardest(frame),
        "predictions": lambda: mistakes.predictions(frame),
        "plane": lambda: projection.plane(frame, memory, tsne=options.get("tsne", False)),
        **draw.figures(frame, work, options),
    }


def shows_mistakes(charts: Collection[str]) -> bool:
    """Whether one of the charts needs a test of the model."""
    return not TESTED.isdisjoint(charts)


def pick(frame: FrameContext, memory: Projection, command: Pick | Explain) -> None:
    """Select what was clicked on in a chart, or the map whose layer and number were typed. Raises ValueError."""
    if isinstance(command, Explain):
        anatomy.choose(frame, command.x, command.y)
    elif command.chart == "reading":
        anatomy.pick_map(frame, command.x, command.y)
    elif command.chart == "maps":
        anatomy.pick(frame, command.x, command.y)
    elif command.chart == "plane":
        projection.pick(frame, memory, command.x, command.y)
    elif command.chart == "predictions" or command.chart in TESTED:
        mistakes.pick(frame, command.chart, command.x, command.y)
    else:
        raise CommandError(NOTHING_TO_CHOOSE)
