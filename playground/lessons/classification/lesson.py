"""The lesson "Classification": a small model learns which points belong to which class (tutorial 2.2)."""

from __future__ import annotations

from playground.lesson import Chart, LiveLesson, NetworkKnobs, Toggle
from playground.lessons import training_charts
from playground.lessons.classification import clouds
from playground.lessons.classification.config import MAX_LAYERS, ClassificationConfig, build_model
from playground.lessons.classification.edits import OWN_POINTS
from playground.lessons.classification.run import ClassificationRun
from playground.lessons.classification.script import ClassificationScript
from playground.settings import Settings
from playground.training.trainer import Trainer


def build(config: ClassificationConfig, settings: Settings | None = None) -> ClassificationRun:
    """A new run at step 0."""
    return ClassificationRun(config, settings or Settings())


LESSON = LiveLesson(
    name="classification",
    title="Classification",
    sentence="A small model separates classes: its predictions colour the plane.",
    minutes=25,
    config=ClassificationConfig,
    build=build,
    charts=(
        Chart(
            "map",
            "Map",
            "The points, and the plane in the colour of the predicted class, stronger where the model is confident.",
            click="add",
            brush="brush",
            toggles=(
                Toggle("discrete", "Discrete"),
                Toggle("train", "Train", on=True),
                Toggle("test", "Test", on=True),
                Toggle("doubtful", "Least certain"),
                Toggle("explain", "Explain", click="explain"),
            ),
        ),
        Chart(
            "network",
            "Network",
            "Each hidden unit with a map of its output (point at one to enlarge it); weights as lines: wider for "
            "larger ones, dashed for negative ones.",
            every=2,
            magnified_on="map",
            beside="weights",
            network=NetworkKnobs(
                data="cloud",
                noise="noise",
                redraw="draw",
                inputs="inputs",
                layers="layers",
                units=tuple(f"units_{layer}" for layer in range(1, MAX_LAYERS + 1)),
                activation="activation",
            ),
        ),
        training_charts.LOSS,
        Chart("accuracy", "Accuracy", "Share of training and test points classified correctly, over steps.", every=2),
        Chart(
            "inside",
            "Inside",
            "Training points and a grid of the plane after the last hidden layer: by the outputs of its two units, or "
            "along two principal directions. Colour: the class that the output layer predicts there.",
            every=3,
        ),
        Chart(
            "confusion",
            "Confusion",
            "Confusion matrix of the test points (or training points): how often each true class is predicted as each "
            "class.",
        ),
        training_charts.GRADIENTS,
        Chart(
            "calibration",
            "Calibration",
            "Accuracy of the test points (or training points) over the probability of their predicted class, in bins. "
            "On the dotted diagonal the model is perfectly calibrated: its probability is its accuracy.",
            every=6,
        ),
        Chart(
            "doubtful",
            "Least certain points",
            "The test points (or training points) that are wrong or least certain, with the probability of their true "
            "class. Wrong ones have a paler bar in a dashed frame.",
            every=4,
        ),
        Chart(
            "explain",
            "Explain a point",
            "The forward pass of one point: a bar for each unit of each layer, then the logits and the softmax. "
            "Point at a unit to see its calculation. Alt-click on the map, or switch on “Explain” there, "
            "to choose a point.",
            every=2,
            wide=True,
            place=("x₁", "x₂"),
        ),
    ),
    units=("step", "epoch", "line"),
    status={
        "step": "Step",
        "epoch": "Epoch",
        "loss": "Train loss",
        "test_loss": "Test loss",
        "accuracy": "Train accuracy",
        "test_accuracy": "Test accuracy",
        "parameters": "Parameters",
        "steps_per_second": "Steps/s",
    },
    own_points=OWN_POINTS,
    script=ClassificationScript,
    code=(Trainer.step, build_model, clouds.labelled_points),
)
