"""What students predict of the experiments of Training loop, and the rules that read the truth from the run."""

from __future__ import annotations

import math

from playground.lessons.training_loop.loop import BACKWARD, CODE, FORWARD, STEP, ZERO_GRAD
from playground.lessons.training_loop.one_step import OneStepRun
from playground.lessons.training_loop.paired_shapes import LOSSES, PairedShapesConfig, loss_of, points, shaped, train
from playground.lessons.training_loop.shape_walk import ShapeWalkConfig, walk
from playground.predictions import Choice, Prediction, Why

SIZES = ("7", "32", "1568")  # the last axis, the maps, and all numbers of an image


def line_that_moves(run: OneStepRun) -> str:
    """The one line that has moved a weight."""
    (found,) = {record.line for record in run.loop.records if record.moved}
    return found


def when_weights_move(run: OneStepRun) -> str:
    """Whether the weights move from the first step on ("usual"), from the second on ("late"), or "never"."""
    moved = [bool(record.moved) for record in run.loop.records if record.line == STEP]
    return "never" if not any(moved) else "usual" if moved[0] else "late"


def size_that_fits(config: ShapeWalkConfig) -> str:
    """The one of SIZES that Linear takes as in_features without an error."""
    (found,) = (size for size in SIZES if not walk(config.with_values(in_features=int(size)))[-1].error)
    return found


def against_equal_shapes(config: PairedShapesConfig) -> str:
    """Whether the loss is "larger", "smaller" or the "same" with these shapes as with equal ones, for equal weights."""
    x, y = points(config)
    weights, loss_fn = train(config, config.prediction, config.target), LOSSES[config.loss][1]
    prediction = weights[0] * x + weights[1]
    these = loss_of(loss_fn, shaped(prediction, config.prediction), shaped(y, config.target)).item()
    equal = loss_of(loss_fn, shaped(prediction, "flat"), y).item()
    return "same" if math.isclose(these, equal, rel_tol=1e-5) else "larger" if these > equal else "smaller"


PREDICTIONS = {
    "five-lines": Prediction(
        Choice(
            "Five lines make a step. Which of them moves the weights?",
            {BACKWARD: CODE[BACKWARD], STEP: CODE[STEP], FORWARD: CODE[FORWARD], ZERO_GRAD: CODE[ZERO_GRAD]},
            line_that_moves,
        ),
        Why(
            "What does loss.backward() do, then?",
            {
                "grad": "It writes gradients into .grad",
                "moves": "It moves the weights along the gradient",
                "checks": "It checks the graph for errors",
            },
            "grad",
            {
                "moves": "It only computes. Without step() the model never changes, however often you call it.",
                "checks": "It walks through the graph and adds a gradient to .grad of each parameter.",
            },
        ),
        until=5,
    ),
    "step-before-backward": Prediction(
        Choice(
            "zero_grad(), then step(), then backward(). When do the weights move?",
            {"usual": "In each step, as usual", "late": "From the second step on", "never": "Never"},
            when_weights_move,
        ),
        Why(
            "Why?",
            {
                "kept": "step() uses the gradient of the last backward()",
                "none": "zero_grad() has just removed every gradient",
                "order": "The order of these lines does not matter",
            },
            "none",
            {
                "kept": "It would, one step late. But zero_grad() stands before it and removes that gradient.",
                "order": "Only zero_grad() may move, and only to a place where it removes no gradient in use.",
            },
        ),
        until=25,
    ),
    "no-flatten": Prediction(
        Choice(
            "x has the shape (8, 32, 7, 7), and Flatten is missing. Which in_features would Linear accept?",
            {"7": "7", "32": "32", "1568": "32 × 7 × 7 = 1568"},
            size_that_fits,
        ),
        Why(
            "Why?",
            {
                "image": "Linear takes all numbers of an image",
                "maps": "Linear takes the axis after the batch",
                "last": "Linear takes the last axis alone",
            },
            "last",
            {
                "image": "That is what Flatten is for: it makes one axis of the three.",
                "maps": "A convolution reads its maps there. Linear reads the last axis, however many stand before it.",
            },
        ),
        reads="config",
    ),
    "at-the-start": Prediction(
        Choice(
            "Every prediction is 0. How is the loss over all 36 pairs, against the 6 right ones?",
            {"larger": "It is larger", "smaller": "It is smaller", "same": "It is the same"},
            against_equal_shapes,
        ),
        Why(
            "Why?",
            {
                "more": "It adds up six times the differences",
                "wrong": "Differences of wrong pairs are larger",
                "rows": "With equal predictions all rows are equal",
            },
            "rows",
            {
                "more": "The loss is the mean of the differences, not their sum.",
                "wrong": "They are once the predictions differ. Here each of them is 0.",
            },
        ),
        reads="config",
    ),
}  # fmt: skip
