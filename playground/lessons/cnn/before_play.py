"""What students predict of the experiments of CNN, and the rules that read the truth from the run."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from playground.lessons.cnn.model import CLASSES, frozen, scaled
from playground.lessons.cnn.run import CnnRun
from playground.predictions import GRID_POINTS, Choice, Curve, Number, Prediction, Why

TEST_IMAGES = 1_000
SMALL_STEPS = (0.0, 200.0)  # of the small model
LEVELS = {"guess": 20, "half": 65, "most": 93}  # percent of the test images, below which an accuracy is called so


@torch.no_grad()
def test_accuracy(run: CnnRun) -> float:
    """The percentage of the first TEST_IMAGES test images that the model of this step reads correctly."""
    x, y = (each[:TEST_IMAGES] for each in (run.digits.x_test, run.digits.y_test))
    return 100 * float((frozen(run.model)(scaled(x)).argmax(dim=1) == y).float().mean())


@torch.no_grad()
def all_test_images(run: CnnRun) -> float:
    """The percentage of all test images that the model at the end of the training reads correctly."""
    return 100 * run.status(run.view())["full_accuracy"]


def level(run: CnnRun) -> str:
    """The name of the test accuracy: one of LEVELS, or "all"."""
    accuracy = test_accuracy(run)
    return next((name for name, below in LEVELS.items() if accuracy < below), "all")


def size_of_loss(run: CnnRun) -> str:
    """The training loss of this step: "low", about that of a "guess", or not finite ("nan")."""
    loss = float(run.history.column("train")[-1])
    if not math.isfinite(loss):
        return "nan"
    return "guess" if loss > 0.8 * math.log(CLASSES) else "low"


def losses_of_steps(run: CnnRun) -> NDArray[np.float64]:
    """The training loss on the grid of the drawn curve; before the first batch, that of the first one."""
    steps, losses = run.history.steps(), run.history.column("train")
    kept = np.isfinite(losses)
    found: NDArray[np.float64] = np.interp(np.linspace(*SMALL_STEPS, GRID_POINTS), steps[kept], losses[kept])
    return found


def when_ninety(run: CnnRun) -> str:
    """Whether a test of the sample has reached 90 % up to this step: "early" or "later"."""
    tested = run.history.column("test_accuracy")
    return "early" if (tested >= 0.9).any() else "later"


PREDICTIONS = {
    "tutorial": Prediction(
        Choice(
            "How many of the 1,200 steps does it take to read 90 % of the test images?",
            {"later": "About half", "end": "Nearly all", "early": "Fewer than a quarter"},
            when_ninety,
        ),
        Why(
            "What are the other steps for?",
            {
                "last": "The last percents take longest",
                "same": "Each step adds about the same",
                "waste": "They are not needed",
            },
            "last",
            {
                "same": "Most digits are easy and are learned first. Then fewer and fewer mistakes are left.",
                "waste": "From 90 % to 98 % the mistakes fall to a fifth.",
            },
        ),
        until=256,
    ),
    "small": Prediction(
        Curve("A small model, 200 steps. Draw the training loss. It starts at 2.3, that of guessing.", chart="loss",
              rule=losses_of_steps, x=SMALL_STEPS, tolerance=0.25),
        Why(
            "Where does it fall fastest?",
            {
                "even": "Nowhere: all steps are alike",
                "early": "In the first half",
                "late": "At the end, with ready filters",
            },
            "early",
            {
                "even": "Easy digits come first. The few hard ones that are left change the loss little.",
                "late": "The filters are learned together with everything else, from the first step on.",
            },
        ),
    ),
    "linear": Prediction(
        Choice(
            "The whole model is one linear function. How many test images does it read after 150 steps?",
            {"most": "Over two thirds", "half": "About half", "guess": "10 %: guessing",
             "all": "98 %"},
            level,
        ),
        Why(
            "Why that many?",
            {
                "deep": "Two layers are never linear",
                "templates": "Where the ink is says much",
                "random": "Random filters are enough",
            },
            "templates",
            {
                "deep": "A linear function of a linear function is linear, however many there are.",
                "random": "The filters are trained. What is missing is the bend between them.",
            },
        ),
        until=150,
    ),
    "one-pixel": Prediction(
        Choice(
            "One pixel shows no edge. How many test images does the model read after 200 steps?",
            {"guess": "10 %: guessing", "all": "98 %", "most": "Over two thirds",
             "half": "About half"},
            level,
        ),
        Why(
            "What does the reading, then?",
            {
                "pooling": "Pooling finds the edges",
                "linear": "The linear layer sees where the ink is",
                "nothing": "Nothing: without edges a digit cannot be read",
            },
            "linear",
            {
                "pooling": "It keeps the darkest pixel of four, and finds no edge.",
                "nothing": "Where there is ink already says much. Edges add the rest.",
            },
        ),
        until=200,
    ),
    "too-fast": Prediction(
        Choice(
            "A hundred times the learning rate. Where is the loss after 100 steps?",
            {"low": "Lower, and sooner", "guess": "At 2.3, that of guessing", "nan": "At NaN"},
            size_of_loss,
        ),
        Why(
            "Why?",
            {
                "bigger": "Larger steps learn faster",
                "explode": "The weights grow without a limit",
                "dead": "ReLU units are pushed to 0",
            },
            "dead",
            {
                "bigger": "Up to a limit. These first steps throw the weights far away.",
                "explode": "Adam’s steps are about as long as the rate, so nothing explodes.",
            },
        ),
        until=100,
    ),
    "fifty-images": Prediction(
        Number("28,938 parameters learn 50 images by heart. How many percent of the test images are read correctly?",
               rule=all_test_images, lo=0, hi=100, tolerance=8, unit="%"),
        Why(
            "Why not 100 %, as in training?",
            {
                "short": "It was not trained long enough for the others",
                "heart": "It knows its 50 images by heart",
                "large": "It has too few parameters",
            },
            "heart",
            {
                "short": "The training accuracy is 100 %: longer training changes hardly anything.",
                "large": "It has over 500 for each image. What is missing is images.",
            },
        ),
    ),
    "more-from-200": Prediction(
        Number("200 images as they are: 81 % of the test images. How many if each is shifted and rotated a little?",
               rule=all_test_images, lo=0, hi=100, tolerance=4, unit="%"),
        Why(
            "Why?",
            {
                "harder": "Harder images are learned worse",
                "same": "The same 200 teach no more",
                "new": "Each epoch has new images",
            },
            "new",
            {
                "harder": "They are: the training accuracy is lower. The test accuracy is what counts.",
                "same": "They teach that a shifted 3 is still a 3.",
            },
        ),
    ),
}  # fmt: skip
