"""What a question tells of another run, so that the student can compare, is what that run gives."""

from __future__ import annotations

from typing import Any

import pytest

from playground.experiments import experiments
from playground.lessons import LESSONS
from playground.lessons.activations import before_play as activations
from playground.lessons.checkpoints import before_play as checkpoints
from playground.lessons.learning_rates import before_play as learning_rates
from playground.lessons.optimizers import before_play as optimizers
from playground.predictions import of, played


def asked(lesson: str, experiment: str, said: str) -> tuple[Any, Any]:
    """The bench and the config of an experiment whose question says something."""
    assert said in of(LESSONS[lesson])[experiment].ask.question
    found = next(each for each in experiments(LESSONS[lesson]) if each.id == experiment)
    return found.bench, found.config


def test_rmsprop_without_a_schedule() -> None:
    bench, config = asked("optimizers", "cosine", "a loss of 0.03")
    run = played(bench, config.with_values(schedule="constant"))
    assert optimizers.loss_of_rmsprop(run) == pytest.approx(0.03, abs=0.005)


def test_a_share_at_temperature_1() -> None:
    _, config = asked("activations", "hot", "a share of 0.64")
    assert activations.share_of_first(config.with_values(temperature=1.0)) == pytest.approx(0.64, abs=0.005)


def test_a_long_valley_without_momentum() -> None:
    _, config = asked("learning_rates", "very-long-valley", "leaves 98 %")
    plain = config.with_values(momentum=0.0)
    best = plain.with_values(lr=round(learning_rates.best_rate(plain), 2))
    assert learning_rates.percent_left(best) == pytest.approx(98, abs=0.5)


def test_the_imports_of_a_whole_model() -> None:
    _, config = asked("checkpoints", "state-dict", "imports eight names")
    assert checkpoints.imports(config.with_values(file="whole")) == 8
