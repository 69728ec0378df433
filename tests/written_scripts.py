"""The scripts of the lessons' runs, for tests of all of them."""

from __future__ import annotations

from playground.lesson import LiveLesson
from playground.lessons import LESSONS
from playground.runs.journal import RunHistory

SCRIPTS = {
    name: lesson.script
    for name, lesson in LESSONS.items()
    if isinstance(lesson, LiveLesson) and lesson.script is not None
}


def script(lesson: str, run_history: RunHistory) -> str:
    """A lesson's run at its present step as a plain PyTorch script."""
    return SCRIPTS[lesson](run_history).text()
