"""What students predict of the experiments of Training loop, and the rules that read the truth from the run."""

from __future__ import annotations

import math

from playground.lessons.training_loop.clinic.one_batch import OneBatchRun
from playground.lessons.training_loop.loop import BACKWARD, CODE, FORWARD, STEP, ZERO_GRAD
from playground.lessons.training_loop.one_step import OneStepRun
from playground.lessons.training_loop.paired_shapes import (
    LOSSES,
    PairedShapesConfig,
    draw_pairs,
    loss_of,
    points,
    shaped,
    train,
)
from playground.lessons.training_loop.shape_walk import ShapeWalkConfig, walk
from playground.predictions import Choice, Number, Prediction, Why

NEAR_ZERO = 0.01  # of a loss
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


def loss_with_these_shapes(config: PairedShapesConfig) -> str:
    """Whether the loss that the chosen shapes teach ends near "zero" or stays "above" it."""
    loss = float(draw_pairs(config).tables[0].rows[0][4])
    return "zero" if loss < NEAR_ZERO else "above"


def test_accuracy(run: OneBatchRun) -> float:
    """The percentage of the test digits that the trained model reads correctly."""
    return 100 * float(run.first.script.value("test_accuracy"))


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
                "moves": "It moves them a first time",
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
                "kept": "It uses the last gradient",
                "none": "zero_grad() has removed them",
                "order": "Their order does not matter",
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
                "image": "It takes a whole image",
                "maps": "It takes the axis of maps",
                "last": "It takes the last axis alone",
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
                "more": "It adds up six times as many",
                "wrong": "Wrong pairs are further apart",
                "rows": "All rows of pairs are equal",
            },
            "rows",
            {
                "more": "The loss is the mean of the differences, not their sum.",
                "wrong": "They are once the predictions differ. Here each of them is 0.",
            },
        ),
        reads="config",
    ),
    "without-noise": Prediction(
        Choice(
            "Points exactly on a line; predictions (n, 1), y (n). Where does the loss end?",
            {"zero": "At 0", "above": "Far above 0", "nan": "At NaN"},
            loss_with_these_shapes,
        ),
        Why(
            "Why?",
            {
                "line": "A line can meet all points",
                "noise": "Training is never exact",
                "pairs": "Each number is compared with all",
            },
            "pairs",
            {
                "line": "It could. But the loss compares each prediction with the targets of all points.",
                "noise": "With equal shapes the same steps end at 0.0000.",
            },
        ),
    ),
    "one-batch": Prediction(
        Number("It learns 16 digits by heart. How many percent of other digits does it read?", rule=test_accuracy,
               lo=0, hi=100, tolerance=12, unit="%"),
        Why(
            "What does passing this test prove?",
            {
                "model": "That the model reads digits",
                "loop": "That loss and step() work",
                "all": "That nothing in the loop is wrong",
            },
            "loop",
            {
                "model": "16 digits learned by heart say nothing about others.",
                "all": "A forgotten zero_grad() passes it, too.",
            },
        ),
    ),
}  # fmt: skip
