"""The question of a vote: the prediction of an experiment of a lesson."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from playground import predictions
from playground.experiments import Experiment, experiments
from playground.lesson import Lesson
from playground.lessons import LESSONS
from playground.predictions import Answer, Ask, Choice, Number, Prediction

HOME = ""  # the page that is no lesson
TRY = "?{lesson}_try={experiment}"
MAX_PARAMETERS = 10**6  # of a challenge


@dataclass(frozen=True)
class Question:
    """What a class is asked, and where its experiment is."""

    page: str
    experiment: str
    title: str
    prediction: Prediction

    @property
    def ask(self) -> Ask:
        """What is answered."""
        return self.prediction.ask

    @property
    def query(self) -> str:
        """The query of a link to its experiment."""
        return TRY.format(lesson=self.page, experiment=self.experiment)

    def data(self, inline: Callable[[str], str]) -> dict[str, Any]:
        """The question as a message has it, its words set by `inline`: nothing in it tells the answer."""
        ask, words = self.ask, inline(self.ask.question)
        if isinstance(ask, Choice):
            options = [[key, inline(text)] for key, text in ask.options.items()]
            return {"kind": "choice", "question": words, "options": options}
        if isinstance(ask, Number):
            return {"kind": "number", "question": words, "lo": ask.lo, "hi": ask.hi, "unit": ask.unit}
        heights = None if ask.y is None else list(ask.y)
        return {
            "kind": "curve", "question": words, "chart": ask.chart, "x": list(ask.x), "y": heights,
            "grid": list(ask.grid),
        }  # fmt: skip

    def read(self, value: object) -> Answer | None:
        """An answer that a browser sent; None for one that the question does not allow."""
        return predictions.read(self.ask, value)

    def said(self, truth: Answer) -> str:
        """The right answer in a sentence."""
        words = predictions.in_words(self.ask, truth)
        return (self.prediction.right or RIGHT[isinstance(self.ask, predictions.Curve)]).format(
            answer=words, truth=words
        )


RIGHT = {False: predictions.MESSAGES["right"], True: predictions.MESSAGES["right_curve"]}


def find(page: object, experiment: object) -> Question | None:
    """The question of an experiment; None where there is none."""
    if not isinstance(page, str) or not isinstance(experiment, str) or page not in LESSONS:
        return None
    found, prediction = _experiments(page).get(experiment), predictions.of(LESSONS[page]).get(experiment)
    return None if found is None or prediction is None else Question(page, experiment, found.title, prediction)


def challenge(page: str, query: str, experiment: str | None) -> tuple[float, int]:
    """The least test accuracy (percent) and the most parameters that a place sets as a challenge; 0 for none."""
    given = dict(parse_qsl(query.removeprefix("?")))
    found = _experiments(page).get(experiment or "") if page in LESSONS else None
    settings = {} if found is None else found.config.as_texts()
    texts = settings | {name.removeprefix(f"{page}_"): text for name, text in given.items()}
    return _number(texts.get("least_accuracy"), 100), round(_number(texts.get("most_parameters"), MAX_PARAMETERS))


def _number(text: str | None, most: float) -> float:
    try:
        found = float(text or 0)
    except ValueError:
        return 0.0
    return found if 0 <= found <= most else 0.0


def is_page(page: object) -> bool:
    """Whether this is a page of the app: a lesson, or the home page."""
    return isinstance(page, str) and (page == HOME or page in LESSONS)


def is_experiment(page: str, experiment: str) -> bool:
    """Whether a lesson has this experiment."""
    return page in LESSONS and experiment in _experiments(page)


def lesson_number(page: str) -> int:
    """The place of a lesson in their order; 255 for the home page."""
    return _numbers().get(page, 255)


def lesson_title(page: str) -> str:
    """The title of a lesson; "" for the home page."""
    return LESSONS[page].title if page in LESSONS else ""


def experiment_number(page: str, experiment: str | None) -> int:
    """The place of an experiment in its lesson's rail, from 1; 0 for none."""
    if experiment is None or page not in LESSONS:
        return 0
    return next((at for at, each in enumerate(_experiments(page), start=1) if each == experiment), 0)


def lessons() -> list[str]:
    """The names of the lessons, in their order."""
    return list(LESSONS)


@cache
def _numbers() -> dict[str, int]:
    return {name: number for number, name in enumerate(LESSONS)}


@cache
def _experiments(page: str) -> dict[str, Experiment]:
    lesson: Lesson = LESSONS[page]
    return {each.id: each for each in experiments(lesson)}
