"""CNN on MNIST: a convolutional network learns to read digits, and can be looked into while it does (tutorial 3.2)."""

from __future__ import annotations

from playground.lesson import Chart, LiveLesson, NetworkKnobs, Toggle
from playground.lessons.cnn import model as cnn
from playground.lessons.cnn.charts import window
from playground.lessons.cnn.config import CnnConfig
from playground.lessons.cnn.drawing.drawing import SLIDERS, TOGGLES
from playground.lessons.cnn.run import CnnRun
from playground.lessons.cnn.script import CnnScript
from playground.settings import Settings
from playground.training.trainer import Trainer

VIEWS = TRAINING, ANATOMY, DRAW, MISTAKES, LAST_LAYER = "Training", "Anatomy", "Draw", "Mistakes", "Last layer"


def build(config: CnnConfig, settings: Settings | None = None) -> CnnRun:
    """A run at step 0."""
    return CnnRun(config, settings or Settings())


LESSON = LiveLesson(
    name="cnn",
    title="CNN on MNIST",
    sentence="A convolutional network learns to read handwritten digits.",
    minutes=25,
    config=CnnConfig,
    build=build,
    charts=(
        Chart("loss", "Loss", "Mean training loss of the batches since the last point, over steps.",
              toggles=(Toggle("log", "Log scale"),), views=VIEWS, pins=True, strip=True),
        # In every frame, as the sentence above the strip is: both say what the model reads.
        Chart("reading", "How it reads this digit",
              "The selected image, some maps of each layer after its activation, and the probability of each digit. "
              "The predicted digit's bar is blue, the true digit's has an outline. Click a map to choose it.",
              click="pick", views=(TRAINING,), controls=("image",),
              network=NetworkKnobs(
                  layers="layers", units=("filters_1", "filters_2", "filters_3"), kind="convolution")),
        Chart("maps", "All maps",
              "Row by row: the first filters, their gradients, and for this image every map of every layer after "
              "convolution, activation and pooling; last the flattened vector. Blue is positive, orange negative. "
              "Click a map to see beside it how it is made.", wide=True, click="pick", views=(ANATOMY,)),
        Chart("convolution", "How the map is made",
              "Each input map, its kernel, and the convolution of both; their sum plus the bias is the map.",
              every=2, place=("Layer", "Map"), views=(ANATOMY,)),
        Chart(window.CHART, "The kernel at one place",
              "The kernel’s window on the image or on an input map, the kernel, their products, and the number that "
              "they make in the map. Row and column move the window.", every=2, sliders=window.SLIDERS,
              toggles=(window.MOVES,), views=(ANATOMY,)),
        Chart("times", "The map at earlier steps",
              "The same image at earlier steps: the filter, the map after the activation, and the prediction.",
              every=6, views=(ANATOMY,)),
        Chart("drawn", "Draw a digit",
              "The drawing pad; the model's input of 28 by 28 numbers, from your digit or (while the pad is empty) a "
              "test image; and the probability of each digit.", beside="pad", wide=True, views=(DRAW,)),
        Chart("stages", "How it becomes an input",
              "The stages by which MNIST was made: inverted so that ink is 1, made black and white, cropped, scaled to "
              "20 by 20, placed by its centre of mass; a photograph gets even light first. Each stage can be switched "
              "off.", toggles=TOGGLES, views=(DRAW,)),
        Chart("attack", "Turn it into another digit",
              "A step that lowers the loss for the target digit, at most ε for each pixel: the image, the change, both "
              "together, and the probabilities before and after.",
              sliders=SLIDERS, toggles=(Toggle("small_steps", "Ten small steps"),), every=2, views=(DRAW,)),
        Chart("attention", "What the prediction depends on",
              "The image; how strongly each pixel changes the logit of the predicted digit (saliency); and how far "
              "that logit falls where a patch is black (occlusion).", every=2, views=(DRAW,)),
        Chart("shift", "Shifted test images",
              "The accuracy on 400 test images that are shifted up, down, left or right, over pixels: of this model, "
              "and of a fully connected one with about as many parameters.", every=2,
              toggles=(Toggle("shift_test", "Start"),), views=(DRAW,)),
        Chart("confusion", "Confusion (test images)",
              "How often each true digit was predicted as each digit, in the last test. Click a cell for its images.",
              every=2, click="pick", wide=True, views=(MISTAKES,)),
        Chart("cell", "Images of the selected cell",
              "The images behind a cell of the confusion table, the most confident predictions first; at first those "
              "of the most frequent confusion.",
              every=2, click="pick", views=(MISTAKES,)),
        Chart("predictions", "Predictions",
              "Some test images with their predictions, half of them hard ones: a solid green frame where the model is "
              "right, a dashed red one where it is wrong. Click an image to see how the model reads it.",
              every=3, click="pick", views=(TRAINING, MISTAKES)),
        Chart("hardest", "Hardest images", "The test images with the largest loss, the largest first.",
              every=2, click="pick", views=(MISTAKES,)),
        Chart("per_class", "Accuracy of each digit", "The accuracy on the test images of each digit.", every=2,
              views=(MISTAKES,)),
        Chart("accuracy", "Accuracy",
              "Fraction of correct predictions over steps: on the training batches, on 200 test images, and (diamonds) "
              "on all test images.", toggles=(Toggle("top", "From 90 %"),), views=(TRAINING,)),
        Chart("gradients", "Gradients", "Size of each layer's gradient and update over steps.", every=4,
              views=(TRAINING,)),
        Chart("parameters", "Parameters", "How many parameters each layer has, and how they are counted.", every=8,
              views=(TRAINING,)),
        Chart("plane", "500 test images, as the last layer gets them",
              "Each test image as a point, along the two directions in which the flattened vectors spread the most, or "
              "placed by t-SNE. Colour and shape show the digit. Point at one to see the image, click to look inside.",
              every=6, wide=True, click="pick", toggles=(Toggle("tsne", "t-SNE"),), views=(LAST_LAYER,)),
        Chart("answer", "Image and prediction",
              "The selected image; the output of the linear layer for each digit (logits); and the probabilities "
              "(softmax). The predicted digit's bar is filled, the true digit's has an outline.",
              views=(LAST_LAYER, ANATOMY, MISTAKES)),
    ),
    status={
        "step": "Step",
        "epoch": "Epoch",
        "loss": "Train loss",
        "accuracy": "Train accuracy",
        "test_accuracy": "Test, sample",
        "full_accuracy": "Test, all",
        "images_per_second": "Images/s",
        "seconds_left": "Seconds left",
    },
    script=CnnScript,
    code=(Trainer.step, cnn.cnn),
)  # fmt: skip
