"""Which lessons' runs can be written as a script."""

from __future__ import annotations

from collections.abc import Mapping

from playground.lessons.classification.script import ClassificationScript
from playground.lessons.cnn.script import CnnScript
from playground.lessons.optimizers.script import OptimizersScript
from playground.lessons.regression.script import RegressionScript
from playground.runs.journal import Course
from playground.scripts.script import TrainingScript

SCRIPTS: Mapping[str, type[TrainingScript]] = {
    "regression": RegressionScript,
    "classification": ClassificationScript,
    "cnn": CnnScript,
    "optimizers": OptimizersScript,
}


def script(lesson: str, course: Course) -> str:
    """A lesson's run at its present step as a plain PyTorch script. Raises ScriptError with a sentence."""
    return SCRIPTS[lesson](course).text()
