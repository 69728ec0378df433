"""CNN on MNIST: a convolutional network learns to read digits, and can be looked into while it does (tutorial 3.2)."""

from __future__ import annotations

from playground.lesson import Chart, LiveLesson, Toggle
from playground.lessons.cnn import model as cnn
from playground.lessons.cnn.config import PRESETS, CnnConfig, load_digits
from playground.lessons.cnn.drawing.drawing import SLIDERS, TOGGLES
from playground.lessons.cnn.run import CnnRun
from playground.lessons.cnn.script import CnnScript
from playground.settings import Settings
from playground.training.trainer import Trainer

TRAINING, ANATOMY, DRAW, MISTAKES, LAST_LAYER = "Training", "Anatomy", "Draw", "Mistakes", "Last layer"


def build(config: CnnConfig, settings: Settings | None = None) -> CnnRun:
    """A run at step 0."""
    return CnnRun(config, settings or Settings())


def prepare() -> str:
    """Read the digits, which takes seconds the first time; returns what they are, in a sentence."""
    return load_digits().sentence


LESSON = LiveLesson(
    name="cnn",
    title="CNN on MNIST",
    sentence="A convolutional network learns to read handwritten digits. Look at every map it makes while it learns.",
    config=CnnConfig,
    build=build,
    charts=(
        Chart("loss", "Loss", "Mean training loss of the batches since the last point, over steps.",
              toggles=(Toggle("log", "Log scale"),), views=(TRAINING,)),
        Chart("accuracy", "Accuracy",
              "Share of right answers over steps: in the training batches, in 200 test images, and (diamonds) in all "
              "test images.", toggles=(Toggle("top", "From 90 %"),), views=(TRAINING,)),
        Chart("predictions", "Predictions",
              "Some test images and what the model takes them for: a full green frame where it is right, a dashed red "
              "one where it is wrong. A click looks inside one.", every=2, pick=True, views=(TRAINING, MISTAKES)),
        Chart("gradients", "Gradients", "Size of each layer's gradient and update over steps.", every=4,
              views=(TRAINING,)),
        Chart("parameters", "Parameters", "How many numbers each layer learns, and the sum that gives it.", every=8,
              views=(TRAINING,)),
        Chart("answer", "Image and answer",
              "The image that is looked at; what the linear layer gives for each digit (logits); and that as "
              "probabilities (softmax). The guess is full, the true digit has an edge.", every=2, wide=True, low=True,
              views=(ANATOMY,)),
        Chart("maps", "All maps",
              "Row by row: the first filters, their gradients, and for this image every map of every layer after its "
              "convolution, activation and pooling; last the flattened vector. Blue is positive, orange negative. A "
              "click on a map shows below how it is made.", wide=True, pick=True, views=(ANATOMY,)),
        Chart("convolution", "How the chosen map is made",
              "Each input map, the kernel that slides over it, what comes out; their sum and the bias are the map.",
              every=2, wide=True, place=("Layer", "Map"), views=(ANATOMY,)),
        Chart("times", "The chosen map at earlier steps",
              "The same image at steps of the past: the filter, the map after its activation, and the guess then.",
              every=6, wide=True, low=True, views=(ANATOMY,)),
        Chart("drawn", "Draw a digit",
              "The drawing pad; the 28 by 28 numbers that the model gets of your digit, or of a test image where the "
              "pad is empty; and the probability of each digit.", pad=True, views=(DRAW,)),
        Chart("stages", "How it becomes an input",
              "Stage by stage as MNIST was made: ink made white, greys made black or white, cut out, shrunk into 20 by "
              "20, placed by its centre of mass. Each can be switched off.", wide=True, low=True, toggles=TOGGLES,
              views=(DRAW,)),
        Chart("attack", "Turn it into another digit",
              "A step against the gradient of the loss for the digit you choose, at most ε for each pixel: the image, "
              "the change, both together, and the probabilities before and after.", wide=True, low=True,
              sliders=SLIDERS, toggles=(Toggle("small_steps", "Ten small steps"),), every=2, views=(DRAW,)),
        Chart("attention", "What the answer hangs on",
              "The image; how strongly each pixel changes the logit of the guess (saliency); and how far that logit "
              "falls where a patch is blackened (occlusion).", every=2, views=(DRAW,)),
        Chart("shift", "Moved test images",
              "The share of 400 test images that is right when they are moved up, down, left or right, over pixels: of "
              "this model, and of a plain one with as many parameters.", every=2,
              toggles=(Toggle("shift_test", "Run the test"),), views=(DRAW,)),
        Chart("confusion", "Confusion", "How often each true digit was taken for each digit, among the images of the "
              "last test. A click on a cell shows its images.", every=2, tall=True, pick=True, views=(MISTAKES,)),
        Chart("cell", "Images of the chosen cell", "The images behind a cell of the confusion table, the surest first; "
              "at first those of its fullest wrong cell.", every=2, tall=True, pick=True, views=(MISTAKES,)),
        Chart("hardest", "Hardest images", "The images with the largest loss, the worst first.", every=2, pick=True,
              views=(MISTAKES,)),
        Chart("per_class", "Accuracy of each digit", "The share of each digit's test images that is right.", every=2,
              views=(MISTAKES,)),
        Chart("plane", "500 test images, as the last layer gets them",
              "Each test image as a point, along the two directions in which the flattened vectors spread the most, or "
              "placed by t-SNE. Colour and shape are its digit; pointing shows the image, a click looks inside it.",
              every=6, wide=True, pick=True, toggles=(Toggle("tsne", "t-SNE"),), views=(LAST_LAYER,)),
    ),
    status={
        "step": "Step",
        "epoch": "Epoch",
        "loss": "Train loss",
        "accuracy": "Accuracy",
        "test_accuracy": "Test, sample",
        "full_accuracy": "Test, all",
        "images_per_second": "Images/s",
        "seconds_left": "Seconds left",
    },
    presets=PRESETS,
    script=CnnScript,
    code=(Trainer.step, cnn.cnn),
)  # fmt: skip
