"""The home page's recorded run is what the recipe trains, and shows what its description says; lessons' minutes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from playground.experiments import experiments
from playground.lesson import Lab, Lesson
from playground.lessons import LESSONS, welcome
from playground.lessons.regression.config import RegressionConfig
from playground.questions import SECTION, questions

ROUNDING = 0.02  # float32 on another processor, after 300 steps of Adam
WORDS_A_MINUTE = 130  # of a textbook in a second language
MINUTES_OF = {"an experiment that trains": 1.0, "one that is drawn at once": 0.4, "a question": 0.5}
MINUTES_OFF = 6.0


def curve(model: list[float], x: np.ndarray) -> np.ndarray:
    """What the page draws: a recorded model's predictions. Shapes: (points,)."""
    units = welcome.recorded().units
    weights, biases, outs = (np.array(model[at * units : (at + 1) * units]) for at in range(3))
    return np.tanh(np.outer(x, weights) + biases) @ outs + model[-1]


def test_recipe_trains_the_recorded_run() -> None:
    kept, trained = welcome.recorded(), welcome.record()
    assert RegressionConfig.parse(kept.config) == (welcome.CONFIG, [])
    assert (kept.units, kept.steps_apart, kept.steps) == (8, welcome.STEPS_APART, welcome.CONFIG.max_steps)
    for name in ("x", "y", "models"):
        np.testing.assert_allclose(getattr(trained, name), getattr(kept, name), atol=ROUNDING)


def test_recording_is_written_as_it_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = welcome.recorded()
    monkeypatch.setattr(welcome, "FILE", tmp_path / "welcome.json")
    welcome.write(kept)
    welcome.recorded.cache_clear()
    assert welcome.recorded() == kept
    monkeypatch.undo()
    welcome.recorded.cache_clear()
    assert welcome.FILE.stat().st_size < 40_000, "each visit to the home page fetches it"


def test_curve_begins_as_a_nearly_straight_line_and_follows_the_points_in_the_end() -> None:
    run = welcome.recorded()
    x, y = np.array(run.x), np.array(run.y)
    first, last = curve(run.models[0], x), curve(run.models[-1], x)
    line = np.polyval(np.polyfit(x, first, 1), x)
    assert np.abs(first - line).max() < 0.1 * (y.max() - y.min())
    assert 1 - np.mean((first - y) ** 2) / y.var() < 0.2
    assert 1 - np.mean((last - y) ** 2) / y.var() > 0.95


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
def test_minutes_are_those_of_reading_trying_and_answering(lesson: Lesson) -> None:
    texts = [text for name, text in lesson.prose.items() if name not in ("Try this", SECTION)]
    for question in questions(lesson):
        texts += [question.text, question.explanation, *getattr(question.kind, "options", ())]
    words = sum(len(text.split()) for text in texts)
    trying = [experiment.bench for experiment in experiments(lesson)]
    at_once = sum(isinstance(bench, Lab) and bench.build is None for bench in trying)
    counts = (len(trying) - at_once, at_once, len(questions(lesson)))
    minutes = words / WORDS_A_MINUTE + sum(map(math.prod, zip(counts, MINUTES_OF.values(), strict=True)))
    assert lesson.minutes == pytest.approx(minutes, abs=MINUTES_OFF)
    assert lesson.minutes % 5 == 0, "an estimate is not exact"
