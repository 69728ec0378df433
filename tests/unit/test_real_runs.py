"""What a class sees after its vote: real runs, recorded from their start to the end of their question."""

from __future__ import annotations

from typing import Any

import pytest

from playground import predictions, real_runs
from playground.experiments import experiments
from playground.lesson import LiveLesson
from playground.lessons import LESSONS
from playground.predictions import Choice
from playground.real_runs import MOMENTS

ASKED = [
    (lesson.name, name, prediction)
    for lesson in LESSONS.values()
    for name, prediction in predictions.of(lesson).items()
]
BESIDE = [each for each in ASKED if each[2].beside]


def test_every_answer_that_is_a_setting_has_a_run_of_its_own() -> None:
    found = real_runs.real_runs("classification", "circle-cuts")
    assert [each.name for each in found.recordings] == ["2", "3", "4", "8"]
    assert found.truth == predictions.truth_of(
        predictions.of(LESSONS["classification"])["circle-cuts"].ask, config_of("classification", "circle-cuts")
    )
    for each in found.recordings:
        steps = [moment.step for moment in each.moments]
        assert steps[0] == 0 and steps[-1] == 500 and steps == sorted(set(steps))
        assert MOMENTS <= len(steps) <= 2 * MOMENTS + 1
        assert each.moments[0].miniature.kind == "map2" and each.moments[0].miniature.data
        assert each.moments[-1].curve and not each.moments[0].curve
    units = [each.moments[-1].units for each in found.recordings]
    assert units == [2, 3, 4, 8]


def config_of(lesson: str, experiment: str) -> Any:
    return next(each.config for each in experiments(LESSONS[lesson]) if each.id == experiment)


def test_a_question_about_one_run_is_answered_by_that_run() -> None:
    found = real_runs.real_runs("regression", "no-hidden-layer")
    (recording,) = found.recordings
    prediction = predictions.of(LESSONS["regression"])["no-hidden-layer"]
    run = predictions.played(LESSONS["regression"], config_of("regression", "no-hidden-layer"), prediction.until)
    assert recording.name == "" and recording.moments[-1].step == run.steps
    assert found.truth == predictions.truth_of(prediction.ask, run), "seen in small, it trains as always"


def test_the_lines_of_a_race_have_names() -> None:
    (recording,) = real_runs.real_runs("optimizers", "tutorial").recordings
    assert recording.moments[-1].miniature.kind == "race" and "Adam" in recording.lines


def test_a_still_lab_has_a_truth_and_no_runs() -> None:
    found = real_runs.real_runs("convolution", "stride-3")
    assert found.truth == 9.0 and found.recordings == ()


def test_a_run_that_takes_too_long_is_shown_as_far_as_it_came_and_tells_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(real_runs, "MAX_SECONDS", 0.0)
    found = real_runs.real_runs("regression", "no-hidden-layer")
    assert found.truth is None and len(found.recordings[0].moments) == 1


@pytest.mark.parametrize(("lesson", "name", "prediction"), BESIDE, ids=[f"{each[0]} {each[1]}" for each in BESIDE])
def test_runs_side_by_side_are_few_and_belong_to_answers_or_have_a_title(
    lesson: str, name: str, prediction: Any
) -> None:
    assert isinstance(LESSONS[lesson], LiveLesson) and isinstance(prediction.ask, Choice)
    assert 2 <= len(prediction.beside) <= 4
    config = config_of(lesson, name)
    found = {title: config.with_values(**values) for title, values in prediction.beside.items()}
    assert len(set(map(str, found.values()))) == len(found), "each shows something else"
    options = set(prediction.ask.options)
    assert set(found) == options or not set(found) & options
    assert all(0 < len(title) <= 24 for title in set(found) - options)
