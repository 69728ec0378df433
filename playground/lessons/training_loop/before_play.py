"""What students predict of the experiments of Training loop, and the rules that read the truth from the run."""

from __future__ import annotations

from playground.lessons.training_loop import paired_shapes
from playground.lessons.training_loop.clinic.one_batch import OneBatchRun
from playground.lessons.training_loop.loop import BACKWARD, CODE, FORWARD, STEP, ZERO_GRAD
from playground.lessons.training_loop.one_step import OneStepRun
from playground.lessons.training_loop.paired_shapes import PairedShapesConfig
from playground.lessons.training_loop.shape_walk import ShapeWalkConfig, walk
from playground.predictions import Choice, Number, Prediction, Why

NEAR_ZERO = 0.01  # of a loss


def line_that_moves(run: OneStepRun) -> str:
    """The one line that has moved a weight."""
    (found,) = {record.line for record in run.loop.records if record.moved}
    return found


def when_weights_move(run: OneStepRun) -> str:
    """Whether the weights move from the first step on ("usual"), from the second on ("late"), or "never"."""
    moved = [bool(record.moved) for record in run.loop.records if record.line == STEP]
    return "never" if not any(moved) else "usual" if moved[0] else "late"


def numbers_read_at_once(config: ShapeWalkConfig) -> str:
    """The size of the last axis that arrives at Linear, which is what it reads."""
    arrived = [stop.shape for stop in walk(config) if stop.shape is not None]
    return f"{arrived[-1][-1]:,}"


def loss_with_these_shapes(config: PairedShapesConfig) -> str:
    """Whether the loss that the chosen shapes teach ends near "zero" or stays "above" it."""
    loss = float(paired_shapes.draw_pairs(config).tables[0].rows[0][4])
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
            "Maps of 32 × 7 × 7 arrive at nn.Linear without a Flatten. How many numbers does it read at once?",
            {"1,568": "1,568", "49": "49", "32": "32", "7": "7"},
            numbers_read_at_once,
        ),
        Why(
            "Why?",
            {
                "last": "It reads the last axis alone",
                "all": "It flattens what arrives",
                "maps": "It reads one map at a time",
            },
            "last",
            {
                "all": "Linear never flattens: it needs the number of features in the last axis.",
                "maps": "A map has two axes, and Linear reads only one: a row of pixels.",
            },
        ),
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
               lo=0, hi=100, tolerance=15, unit="%"),
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
