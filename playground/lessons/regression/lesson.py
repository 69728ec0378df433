"""The lesson "Regression": a small model fits a curve to noisy points (tutorial 1.1 and 2.1)."""

from __future__ import annotations

from playground.data import datasets
from playground.lesson import Chart, LiveLesson, NetworkKnobs, OwnPoints, Toggle
from playground.lessons import training_charts
from playground.lessons.regression.config import STATUS, Edits, RegressionConfig, build_model
from playground.lessons.regression.run import RegressionRun
from playground.lessons.regression.script import RegressionScript
from playground.settings import Settings
from playground.training.trainer import Trainer


def build(config: RegressionConfig, settings: Settings | None = None) -> RegressionRun:
    """A new run at step 0."""
    return RegressionRun(config, Edits(), settings or Settings())


LESSON = LiveLesson(
    name="regression",
    title="Regression",
    sentence="A small model bends a curve until it fits noisy points.",
    minutes=20,
    config=RegressionConfig,
    build=build,
    charts=(
        Chart(
            "fit",
            "Fit",
            "The points and the curve that the model fits to them.",
            click="add",
            toggles=(Toggle("units", "Hidden units"),),
        ),
        Chart(
            "network",
            "Network",
            "From the data to the prediction: each hidden unit with the curve of its output over x; weights as lines: "
            "wider for larger ones, dashed for negative ones.",
            every=3,
            network=NetworkKnobs(
                data="target",
                noise="noise",
                layers="layers",
                units=("hidden", "hidden_2", "hidden_3", "hidden_4"),
                activation="activation",
            ),
        ),
        training_charts.LOSS,
        Chart("errors", "Errors", "The error of each point, prediction minus y, over x.", every=2),
        Chart(
            "step",
            "The step",
            "The five lines of the coming step, with what each one computes. The last one takes the step.",
            every=4,
            controls=("zero_grad",),
        ),
        training_charts.GRADIENTS,
    ),
    units=("step", "epoch", "line"),
    status=STATUS,
    own_points=OwnPoints(
        what="Click on the fit to add a point; shift-click removes the nearest one. Or use your own table:",
        format=datasets.POINTS,
        example="0.1, 0.4\n0.2, 0.3",
        write=datasets.write_csv,
        without_effect=("target", "noise", "points"),
    ),
    script=RegressionScript,
    code=(Trainer.step, build_model, datasets.curve),
)
