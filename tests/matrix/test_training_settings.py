"""Every combination of the settings that change how a model is built and trained."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import pytest

from playground.engine.frames import encode
from playground.lesson import LiveLesson
from playground.lessons import LESSONS
from playground.saving import checkpoint
from playground.settings import Settings
from tests.matrix.cases import cases, pairwise

SETTINGS = Settings(torch_threads=1)
STEPS = 3


def options(lesson: str, knob: str) -> tuple[Any, ...]:
    found = LESSONS[lesson].config.knobs()[knob].options
    assert found
    return tuple(found)


def assert_trains_draws_and_is_restored(name: str, **values: Any) -> None:
    lesson = LESSONS[name]
    assert isinstance(lesson, LiveLesson)
    run = lesson.build(lesson.config(**values), settings=SETTINGS)
    run.advance(60.0, STEPS)
    if run.outcome == "failed":
        return
    encode(run.draw([chart.name for chart in lesson.charts], {}).charts)
    restored, _ = checkpoint.restore(checkpoint.load(checkpoint.save(name, run)), lesson, SETTINGS)
    assert checkpoint.save(name, restored) == checkpoint.save(name, run)


@cases(
    activation=options("regression", "activation"),
    optimizer=options("regression", "optimizer"),
    initialisation=options("regression", "initialisation"),
    loss=options("regression", "loss"),
)
def test_regression_trains_draws_and_is_restored(values: dict[str, Any]) -> None:
    assert_trains_draws_and_is_restored("regression", **values)


@cases(
    activation=options("classification", "activation"),
    optimizer=options("classification", "optimizer"),
    loss=options("classification", "loss"),
    inputs=options("classification", "inputs"),
)
def test_classification_trains_draws_and_is_restored(values: dict[str, Any]) -> None:
    assert_trains_draws_and_is_restored("classification", layers=2, **values)


@pytest.mark.in_ci
@pytest.mark.parametrize("sizes", [(2, 2), (3, 1, 2), (9, 8, 6, 3), (2,) * 4, (5, 4, 4, 3, 2)], ids=str)
def test_the_part_that_every_run_takes_has_every_pair(sizes: tuple[int, ...]) -> None:
    part = pairwise(sizes)
    for one, other in combinations(range(len(sizes)), 2):
        assert {(case[one], case[other]) for case in part} == set(product(range(sizes[one]), range(sizes[other])))
    assert len(part) <= 2 * max(first * second for first, second in combinations(sizes, 2))
