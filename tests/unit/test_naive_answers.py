"""In each lesson at least one prediction is answered wrongly by a rule that beginners trust."""

from __future__ import annotations

import pytest

from playground import predictions
from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.predictions import Answer

NAIVE: dict[tuple[str, str], tuple[str, Answer]] = {
    ("tensors", "repeat"): ("the same name does the same in both libraries", "1 1 2 2 3 3"),
    ("tensors", "expand"): ("a tensor with 12 numbers has 12 in memory", 12.0),
    ("regression", "too-large-a-step"): ("bigger is faster", "falls"),
    ("gradient_descent", "large-steps"): ("bigger is faster", "all"),
    ("autograd", "unused"): ("what has no effect has a gradient of zero", "tensor([0., 0.])"),
    ("autograd", "straight-line"): ("a smaller step is more exact", "1e-7"),
    ("activations", "up-by-one"): ("a larger score gets a larger share", "all"),
    ("activations", "too-large-tanh"): ("bounded outputs keep gradients small", "stays"),
    ("classification", "noise"): ("a lower training loss is better", "falls"),
    ("training_loop", "step-before-backward"): ("step() uses the last gradient", "late"),
    ("training_loop", "no-flatten"): ("Linear takes all numbers of an image", "1568"),
    ("training_loop", "at-the-start"): ("more differences make a larger loss", "larger"),
    ("checkpoints", "why-so-large"): ("six times the numbers, six times the file", "six"),
    ("checkpoints", "resumed-with-sgd"): ("SGD has no state", 3.0),
    ("data_loader", "one-sample"): ("four times the samples, a quarter of the noise", "quarter"),
    ("data_loader", "larger-steps"): ("bigger is faster", "low"),
    ("optimizers", "tutorial"): ("Adam always wins", "adam"),
    ("optimizers", "rate-for-sgd"): ("Adam always wins", "adam"),
    ("learning_rates", "thirty-times-as-much"): ("Adam always wins", "adam"),
    ("learning_rates", "too-few-steps"): ("smaller steps are more exact", "all"),
    ("convolution", "three-small-for-one-large"): ("more layers have more parameters", "small"),
    ("convolution", "move-the-one"): ("the digit follows the 1", "up-left"),
    ("cnn", "too-fast"): ("bigger is faster", "low"),
}  # fmt: skip


@pytest.mark.parametrize(("lesson", "experiment"), NAIVE, ids="/".join)
def test_the_naive_rule_is_wrong(lesson: str, experiment: str) -> None:
    rule, answer = NAIVE[lesson, experiment]
    prediction = predictions.of(LESSONS[lesson])[experiment]
    found = next(each for each in experiments(LESSONS[lesson]) if each.id == experiment)
    assert predictions.read(prediction.ask, answer) == answer, "a student can give this answer"
    truth = predictions.truth_of(prediction.ask, predictions.subject_of(prediction, found.bench, found.config))
    assert not predictions.is_close(prediction.ask, answer, truth), rule


def test_each_lesson_has_three_predictions_and_one_against_a_naive_rule() -> None:
    assert [name for name, lesson in LESSONS.items() if len(predictions.of(lesson)) < 3] == []
    assert {lesson for lesson, _ in NAIVE} == set(LESSONS)
