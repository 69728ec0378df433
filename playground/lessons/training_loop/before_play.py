"""What students predict of the experiments of Training loop, and the rules that read the truth from the run."""

from __future__ import annotations

from playground.lessons.training_loop.loop import BACKWARD, CODE, FORWARD, STEP, ZERO_GRAD
from playground.lessons.training_loop.one_step import OneStepRun
from playground.predictions import Choice, Prediction, Why


def line_that_moves(run: OneStepRun) -> str:
    """The one line that has moved a weight."""
    (found,) = {record.line for record in run.loop.records if record.moved}
    return found


def when_weights_move(run: OneStepRun) -> str:
    """Whether the weights move from the first step on ("usual"), from the second on ("late"), or "never"."""
    moved = [bool(record.moved) for record in run.loop.records if record.line == STEP]
    return "never" if not any(moved) else "usual" if moved[0] else "late"


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
}  # fmt: skip
