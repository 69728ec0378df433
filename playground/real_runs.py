"""What a class sees after its vote: the run that shows what is true, or one run for each answer, played and recorded.

A recording is a few dozen moments of a run as a wall of boards sees it (`playground.glance`), so it can be watched on a
projector without a run, and all answers run in step.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from playground import predictions
from playground.experiments import Experiment, experiments
from playground.glance import Glance
from playground.lesson import LiveLesson
from playground.lessons import LESSONS
from playground.predictions import Answer, Prediction
from playground.settings import Settings

MOMENTS = 48  # of a recording: from as many to twice as many
MAX_SECONDS = 120.0  # that the runs of one question may take


@runtime_checkable
class Recordable(Protocol):
    """A run that can be seen in small."""

    outcome: Any
    steps: int

    def advance(self, seconds: float, steps: int) -> int:
        """Take steps until the time is up or the number is reached; returns how many."""

    def glance(self, *, has_picture: bool) -> Glance:
        """The numbers of the current step, and perhaps a small picture."""


@runtime_checkable
class Race(Protocol):
    """A run whose picture has several lines."""

    def line_names(self) -> tuple[str, ...]:
        """What each line is called."""


@dataclass(frozen=True)
class Recording:
    """A run from step 0 on, seen at some `moments`. `name` is an option of the question, a title, or "" for the run."""

    name: str
    moments: tuple[Glance, ...]
    lines: tuple[str, ...] = ()  # the names of the lines of a race


@dataclass(frozen=True)
class RealRuns:
    """What is true, and the runs that show it; None or empty where there was no time, or where nothing runs."""

    truth: Answer | None
    recordings: tuple[Recording, ...]


def real_runs(lesson_name: str, experiment: str) -> RealRuns:
    """Play what the question of an experiment asks for."""
    lesson = LESSONS[lesson_name]
    found = next(each for each in experiments(lesson) if each.id == experiment)
    prediction, bench = predictions.of(lesson)[experiment], found.bench
    end = time.monotonic() + MAX_SECONDS
    if not isinstance(bench, LiveLesson):
        subject = predictions.subject_of(prediction, bench, found.config)
        return RealRuns(predictions.truth_of(prediction.ask, subject), ())
    runs = {
        name: bench.build(found.config.with_values(**values), settings=Settings())
        for name, values in (prediction.beside or {"": {}}).items()
    }
    recordings = tuple(_recorded(name, run, prediction, end) for name, run in runs.items())
    return RealRuns(_truth(prediction, found, runs), tuple(each for each in recordings if each.moments))


def _truth(prediction: Prediction, experiment: Experiment, runs: Mapping[str, Any]) -> Answer | None:
    """What the rule reads from the settings, or from the run of the experiment; None if that has not ended."""
    if prediction.reads == "config":
        return predictions.truth_of(prediction.ask, experiment.config)
    run = next((run for run in runs.values() if run.config == experiment.config), None)
    run = run or predictions.played(experiment.bench, experiment.config, prediction.until)
    return predictions.truth_of(prediction.ask, run) if _is_over(run, prediction) else None


def _is_over(run: Any, prediction: Prediction) -> bool:
    return bool(run.outcome) or (prediction.until is not None and run.steps >= prediction.until)


def _recorded(name: str, run: Any, prediction: Prediction, end: float) -> Recording:
    """A run, played to the end of its question, or as far as there is time."""
    if not isinstance(run, Recordable):
        return Recording(name, ())
    moments, apart = [run.glance(has_picture=True)], 1
    while not _is_over(run, prediction) and time.monotonic() < end:
        _advance(run, apart if prediction.until is None else min(apart, prediction.until - run.steps))
        moments.append(run.glance(has_picture=True))
        if len(moments) > 2 * MOMENTS:
            moments, apart = [*moments[:-1:2], moments[-1]], 2 * apart
    moments[:-1] = [replace(each, curve=b"") for each in moments[:-1]]  # the last one has all of it
    lines = run.line_names() if isinstance(run, Race) else ()
    return Recording(name, tuple(moments), lines)


def _advance(run: Recordable, steps: int) -> None:
    goal = run.steps + steps
    while run.steps < goal and not run.outcome:
        if not run.advance(1.0, goal - run.steps):
            time.sleep(predictions.WAIT_SECONDS)
