"""Predictions: every one of all lessons is played, and answers are graded by the run."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from playground import predictions
from playground.experiments import Experiment, experiments
from playground.lesson import LabLesson
from playground.lessons import LESSONS
from playground.predictions import Answer, Ask, Choice, Curve, Number, Prediction, Why
from playground.settings import Settings

CASES = {
    f"{name}/{each.id}": (each, predictions.of(lesson)[each.id])
    for name, lesson in LESSONS.items()
    for each in experiments(lesson)
    if each.id in predictions.of(lesson)
}
each_case = pytest.mark.parametrize(("experiment", "prediction"), CASES.values(), ids=CASES)
_truths: dict[str, Answer] = {}


def truth_of(experiment: Experiment, prediction: Prediction) -> Answer:
    """What is true, played once."""
    name = f"{experiment.bench.name}/{experiment.id}"
    if name not in _truths:
        subject = predictions.subject_of(prediction, experiment.bench, experiment.config)
        _truths[name] = predictions.truth_of(prediction.ask, subject)
    return _truths[name]


@each_case
def test_the_run_says_what_is_true_and_grades_answers(experiment: Experiment, prediction: Prediction) -> None:
    ask, truth = prediction.ask, truth_of(experiment, prediction)
    assert predictions.grade(prediction, truth, truth).is_right
    for wrong in wrong_answers(ask, truth):
        verdict = predictions.grade(prediction, wrong, truth)
        assert not verdict.is_right and verdict.truth == truth, f"{wrong} counts as right beside {truth}"
    for verdict in (predictions.grade(prediction, answer, truth) for answer in [truth, *wrong_answers(ask, truth)]):
        assert "{" not in verdict.sentence and len(verdict.sentence) <= predictions.MAX_SENTENCE_LENGTH + 60


@each_case
def test_before_the_answer_the_run_does_not_know_the_truth(experiment: Experiment, prediction: Prediction) -> None:
    """Where a run computes its whole path at once, its pictures may show it: such settings are applied after it."""
    build = getattr(experiment.bench, "build", None)
    if build is None or prediction.applies == "after" or prediction.reads == "config":
        return
    try:
        early = predictions.truth_of(prediction.ask, build(experiment.config, settings=Settings()))
    except (ValueError, IndexError, KeyError, AssertionError):
        return
    truth = truth_of(experiment, prediction)
    assert early != truth or isinstance(prediction.ask, Choice), "the run knows at step 0 what is true at the end"


def wrong_answers(ask: Ask, truth: Answer) -> list[Answer]:
    if isinstance(ask, Choice):
        return [key for key in ask.options if key != truth]
    if isinstance(ask, Number):
        assert ask.lo <= truth <= ask.hi, f"the truth, {truth}, cannot be answered"  # type: ignore[operator]
        wrong = [end for end in (ask.lo, ask.hi) if not predictions.is_close(ask, float(end), truth)]
        assert wrong, "every number is right"
        return [float(end) for end in wrong]
    assert isinstance(truth, tuple)
    flat = [(value,) * predictions.GRID_POINTS for value in (max(truth), min(truth))]
    wrong_curves = [curve for curve in flat if not predictions.is_close(ask, curve, truth)]
    assert wrong_curves, "a level line is right"
    return list(wrong_curves)


@each_case
def test_a_question_fits_and_its_chart_is_there(experiment: Experiment, prediction: Prediction) -> None:
    ask, why = prediction.ask, prediction.why
    assert len(ask.question) <= predictions.MAX_QUESTION_LENGTH, ask.question
    assert "::" not in ask.question
    if isinstance(ask, Choice):
        assert 3 <= len(ask.options) <= 4
        assert all(len(text) <= predictions.MAX_OPTION_LENGTH for text in ask.options.values()), ask.options
    else:
        assert ask.tolerance > 1 or not ask.is_factor
        charts = {chart.name for chart in experiment.bench.charts}
        assert ask.chart in charts | ({""} if isinstance(ask, Number) else set())
    assert 3 <= len(why.options) <= 4 and why.right in why.options
    assert all(len(text) <= predictions.MAX_WHY_LENGTH for text in why.options.values()), why.options
    assert why.misconceptions.keys() == why.options.keys() - {why.right}, "each wrong option has a misconception"
    sentences = [prediction.right, prediction.wrong, *why.misconceptions.values()]
    assert all(len(text) <= predictions.MAX_SENTENCE_LENGTH for text in sentences), sentences
    if prediction.hides:
        assert set(prediction.hides) <= {t.name for chart in experiment.bench.charts for t in chart.toggles}


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_a_prediction_belongs_to_an_experiment_and_a_lab_asks_little(lesson: Any) -> None:
    found, all_of_them = predictions.of(lesson), experiments(lesson)
    assert found.keys() <= {each.id for each in all_of_them}, "the prediction of no experiment"
    if isinstance(lesson, LabLesson):
        each_lab = Counter(each.bench.name for each in all_of_them if each.id in found)
        assert all(count <= 2 for count in each_lab.values()), each_lab


CONSTANT: Mapping[str, Callable[[Choice], str]] = {
    "the first": lambda ask: next(iter(ask.options)),
    "the second": lambda ask: list(ask.options)[1],
    "the third": lambda ask: list(ask.options)[2],
    "the last": lambda ask: list(ask.options)[-1],
    "the longest": lambda ask: max(ask.options, key=lambda key: len(ask.options[key])),
    "the shortest": lambda ask: min(ask.options, key=lambda key: len(ask.options[key])),
    "the largest": lambda ask: max(ask.options, key=lambda key: size_of(ask.options[key])),
    "the smallest": lambda ask: min(ask.options, key=lambda key: size_of(ask.options[key])),
}


def size_of(option: str) -> float:
    """The first number of an option; 0 where it has none."""
    found = re.search(r"\d+(?:[.,]\d+)*", option)
    return float(found[0].replace(",", "")) if found else 0.0


@pytest.mark.parametrize("strategy", CONSTANT)
def test_no_constant_strategy_answers_the_questions(strategy: str) -> None:
    choices = [(each.ask, truth_of(found, each)) for found, each in CASES.values() if isinstance(each.ask, Choice)]
    chance = sum(1 / len(ask.options) for ask, _ in choices) / len(choices)
    right = sum(CONSTANT[strategy](ask) == truth for ask, truth in choices) / len(choices)
    assert right <= chance + 0.1, f"{strategy} option is right in {right:.0%}, by chance in {chance:.0%}"


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_no_constant_number_is_an_answer(share: float) -> None:
    """Always at the same place between the lowest and the highest number that can be given."""
    numbers = [(each.ask, truth_of(found, each)) for found, each in CASES.values() if isinstance(each.ask, Number)]
    chance = sum(chance_of(ask) for ask, _ in numbers) / len(numbers)
    right = sum(predictions.is_close(ask, placed(ask, share), truth) for ask, truth in numbers) / len(numbers)
    assert len(numbers) >= 20
    assert right <= chance + 0.1, f"{share:.0%} of the range is right in {right:.0%}, by chance in {chance:.0%}"


def is_logarithmic(ask: Number) -> bool:
    return ask.is_factor and ask.lo > 0


def placed(ask: Number, share: float) -> float:
    """A number at a share of the way from the lowest to the highest answer."""
    if is_logarithmic(ask):
        return float(ask.lo * (ask.hi / ask.lo) ** share)
    return float(ask.lo + share * (ask.hi - ask.lo))


def chance_of(ask: Number) -> float:
    """The share of the possible answers that count as right, wherever the truth is."""
    if is_logarithmic(ask):
        return min(1.0, 2 * math.log(ask.tolerance) / math.log(ask.hi / ask.lo))
    return min(1.0, 2 * ask.tolerance / (ask.hi - ask.lo))


def test_no_level_line_is_an_answer() -> None:
    curves = [(each.ask, truth_of(found, each)) for found, each in CASES.values() if isinstance(each.ask, Curve)]
    assert len(curves) >= 4
    for ask, truth in curves:
        assert isinstance(truth, tuple)
        for height in (min(truth), sum(truth) / len(truth), max(truth)):
            assert not predictions.is_close(ask, (height,) * predictions.GRID_POINTS, truth), ask.question


def test_the_questions_are_of_all_three_kinds_and_at_least_60() -> None:
    kinds = Counter(type(prediction.ask) for _, prediction in CASES.values())
    assert sum(kinds.values()) >= 60 and min(kinds.values()) >= 4 and len(kinds) == 3


@pytest.mark.parametrize("strategy", CONSTANT)
def test_no_constant_strategy_explains_them(strategy: str) -> None:
    whys = [(Choice("", each.why.options, lambda _: ""), each.why.right) for _, each in CASES.values()]
    chance = sum(1 / len(ask.options) for ask, _ in whys) / len(whys)
    right = sum(CONSTANT[strategy](ask) == truth for ask, truth in whys) / len(whys)
    assert right <= chance + 0.1, f"{strategy} option is right in {right:.0%}, by chance in {chance:.0%}"


WHY = Why("Why?", {"a": "A", "b": "B", "c": "C"}, "a", {"b": "B is wrong.", "c": "C is wrong."})
CHOICE = Choice("Which?", {"a": "Up", "b": "Down", "c": "Level"}, lambda run: "b")
NUMBER = Number("How many?", lambda run: 30.0, lo=1, hi=100, tolerance=1.5, is_factor=True, unit="steps")
CURVE = Curve("Draw it.", "loss", lambda run: [1.0] * predictions.GRID_POINTS, x=(0, 10), tolerance=0.1)
LEVEL = [1.0] * predictions.GRID_POINTS


@pytest.mark.parametrize(
    ("ask", "value"),
    [
        (CHOICE, "d"), (CHOICE, 0), (CHOICE, None), (CHOICE, ["a"]), (NUMBER, 0), (NUMBER, 101), (NUMBER, "30"),
        (NUMBER, float("nan")), (NUMBER, float("inf")), (NUMBER, True), (NUMBER, [30]), (CURVE, LEVEL[:-1]),
        (CURVE, [*LEVEL, 1.0]), (CURVE, [*LEVEL[:-1], "1"]), (CURVE, [*LEVEL[:-1], float("nan")]), (CURVE, {"a": 1}),
        (CURVE, [*LEVEL[:-1], 1e300]), (CURVE, 1.0),
    ],
)  # fmt: skip
def test_an_answer_that_the_question_does_not_allow_is_none(ask: Ask, value: object) -> None:
    assert predictions.read(ask, value) is None


def test_a_number_is_right_within_its_tolerance() -> None:
    close = {answer: predictions.is_close(NUMBER, float(answer), 30.0) for answer in (19, 20, 30, 45, 46)}
    assert close == {19: False, 20: True, 30: True, 45: True, 46: False}


def test_a_curve_is_right_by_its_mean_distance() -> None:
    off = tuple(1.0 + 0.15 * (at % 2) for at in range(predictions.GRID_POINTS))
    assert predictions.is_close(CURVE, off, tuple(LEVEL))
    assert not predictions.is_close(CURVE, tuple(2.0 for _ in LEVEL), tuple(LEVEL))


def test_a_verdict_names_the_answer_and_the_truth() -> None:
    found = predictions.grade(Prediction(NUMBER, WHY), 90.0, 30.0)
    assert not found.is_right and "90 steps" in found.sentence and "30 steps" in found.sentence
    assert "“Down”" in predictions.grade(Prediction(CHOICE, WHY), "a", "b").sentence


def test_a_number_is_said_in_few_digits_and_far_below_the_tolerance_as_0() -> None:
    near = Number("How large?", lambda run: 0.0, lo=-1, hi=1, tolerance=0.1)
    said = {value: predictions.in_words(near, value) for value in (1.5e-4, -1.5e-4, 0.0123456, -0.5)}
    assert said == {1.5e-4: "0", -1.5e-4: "0", 0.0123456: "0.0123", -0.5: "−0.5"}
    small = Number("How small?", lambda run: 1e-4, lo=1e-6, hi=1, tolerance=2, is_factor=True)
    assert predictions.in_words(small, 1.5e-4) == "1.5e−4"


def test_a_rule_that_gives_no_possible_answer_is_an_error() -> None:
    for ask in (
        Choice("Which?", CHOICE.options, lambda run: "z"),
        Number("How many?", lambda run: float("nan"), lo=0, hi=1, tolerance=0.1),
        Curve("Draw it.", "loss", lambda run: [float("nan")] * predictions.GRID_POINTS, x=(0, 1), tolerance=1),
    ):
        with pytest.raises(ValueError, match="no possible answer"):
            predictions.truth_of(ask, None)
