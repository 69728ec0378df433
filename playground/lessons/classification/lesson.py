"""Classification: a small network learns to tell clouds of points apart (tutorial 2.2)."""

from __future__ import annotations

from playground.lesson import Chart, LiveLesson, Toggle
from playground.lessons.classification import clouds
from playground.lessons.classification.config import PRESETS, ClassificationConfig, build_model
from playground.lessons.classification.edits import OWN_POINTS
from playground.lessons.classification.run import ClassificationRun
from playground.lessons.classification.script import ClassificationScript
from playground.settings import Settings
from playground.training.trainer import Trainer


def build(config: ClassificationConfig, settings: Settings | None = None) -> ClassificationRun:
    """A run at step 0."""
    return ClassificationRun(config, settings or Settings())


LESSON = LiveLesson(
    name="classification",
    title="Classification",
    sentence="A small network learns to tell clouds of points apart, and colours the plane by what it thinks.",
    config=ClassificationConfig,
    build=build,
    charts=(
        Chart(
            "map",
            "Map",
            "The plane in the colour of the likeliest class, stronger where the model is surer, and the points on it.",
            editable=True,
            tall=True,
            toggles=(
                Toggle("discrete", "Discrete"),
                Toggle("train", "Train", on=True),
                Toggle("test", "Test", on=True),
                Toggle("doubtful", "Doubtful"),
                Toggle("explain", "Explain"),
            ),
        ),
        Chart(
            "network",
            "Network",
            "Each hidden unit with a map of what it sees (point at one to see it large); weights as lines, wider when "
            "larger, dashed when negative.",
            every=2,
            tall=True,
            magnified_on="map",
            weights=True,
        ),
        Chart("loss", "Loss", "Training and test loss over steps.", toggles=(Toggle("log", "Log scale"),)),
        Chart("accuracy", "Accuracy", "Share of training and test points in their class, over steps.", every=2),
        Chart("confusion", "Confusion", "How often each true class was taken for each class.", every=6),
        Chart("gradients", "Gradients", "Size of each layer's gradient and update over steps.", every=4),
        Chart(
            "inside",
            "Inside",
            "Training points and the grid of the plane, bent, as the last hidden layer sees them: by its two units, or "
            "along its two main directions. Colour: the class that the output layer would choose there.",
            every=3,
        ),
        Chart(
            "doubtful",
            "Doubtful points",
            "The test points (or training points) that the model gets wrong or is least sure of, with the probability "
            "of their true class; hatched where wrong.",
            every=4,
        ),
        Chart(
            "calibration",
            "Calibration",
            "Test points (or training points) in bins of the probability of the class chosen: the share that is right "
            "against that probability. On the dotted diagonal the model is as often right as it says.",
            every=6,
        ),
        Chart(
            "explain",
            "Explain a point",
            "One point's way through the model: a bar for each unit of each layer, then the logits and the softmax. "
            "Hover over a unit to see its weights plugged in. Alt-click on the map, or switch on “Explain” there, "
            "to choose a point.",
            every=2,
            wide=True,
            place=("x₁", "x₂"),
        ),
    ),
    status={
        "step": "Step",
        "epoch": "Epoch",
        "loss": "Train loss",
        "test_loss": "Test loss",
        "accuracy": "Accuracy",
        "test_accuracy": "Test accuracy",
        "parameters": "Parameters",
        "steps_per_second": "Steps/s",
    },
    presets=PRESETS,
    own_points=OWN_POINTS,
    script=ClassificationScript,
    code=(Trainer.step, build_model, clouds.labelled),
)
