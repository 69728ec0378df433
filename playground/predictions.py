"""Predictions: what a student says will happen, before an experiment runs; the run itself then says what is true.

A lesson's predictions stand in `lessons/<lesson>/before_play.py`, by the id of their experiment in its prose:

    PREDICTIONS = {
        "small-steps": Prediction(
            Number("How large is the loss after 100 steps?", lo=0, hi=1, tolerance=0.05, rule=train_loss),
            Why("Why?", {"slow": "Each step is short", "stuck": "It is stuck"}, "slow",
                {"stuck": "A loss that falls slowly has stopped."}),
            until=100,
        ),
    }

The truth is never written down. A `rule` reads it: in a live bench from the run at the step `until` (None: at its end),
in a still lab from the config. Where the answer is a setting, or follows from several runs, the prediction `reads` the
config in a live bench, too: its rule plays the runs itself (`played`), and has two seconds. Options are shown in the
order in which they are written.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, Literal

import numpy as np

from playground.knobs import Config
from playground.lesson import PROSE, Bench, Lesson
from playground.settings import Settings

GRID_POINTS = 24  # of a drawn curve
MAX_QUESTION_LENGTH = 120  # characters: two lines of the rail
MAX_OPTION_LENGTH = 36
MAX_WHY_LENGTH = 48  # of an option of "why"
MAX_SENTENCE_LENGTH = 130  # of a verdict, and of a misconception
MAX_COORDINATE = 1e9
NEARLY_ZERO = 0.01  # of the tolerance: a smaller number is called 0
WAIT_SECONDS = 0.01  # for a run whose next step is not ready

MESSAGES = {
    "right": "The answer is {truth}.",
    "wrong": "You said {answer}. The answer is {truth}.",
    "right_curve": "Your curve is close to the real one.",
    "wrong_curve": "The shaded gap lies between your curve and the real one.",
    "quoted": "“{text}”",
    "with_unit": "{number} {unit}",
    "no rule": "The rule of “{question}” gave {truth}, which is no possible answer.",
}

Answer = str | float | tuple[float, ...]  # of a Choice, a Number, a Curve


@dataclass(frozen=True)
class Choice:
    """A question with 3 or 4 `options` (key -> a few words). The rule returns the key of the true one."""

    question: str
    options: Mapping[str, str]
    rule: Callable[[Any], str]


@dataclass(frozen=True)
class Number:
    """A question for a number from `lo` to `hi`, in `unit`. The rule returns the true number.

    An answer is right within `tolerance` of the truth; if that `is_factor`, between truth / tolerance and truth *
    tolerance. With `chart`, the number is drawn as a line in this chart: across it at a height ("y"), or upright ("x").
    """

    question: str
    rule: Callable[[Any], float]
    lo: float
    hi: float
    tolerance: float
    unit: str = ""
    is_factor: bool = False
    chart: str = ""
    axis: Literal["x", "y"] = "y"


@dataclass(frozen=True)
class Curve:
    """A question whose answer is drawn in a chart. The rule returns the true y at each x of `grid`, (GRID_POINTS,).

    `x` is the range of the curve in the units of the chart's axis, `y` heights for which the axis has room while it is
    drawn, where the chart's own do not tell. An answer is right if its mean distance from the
    truth is at most `tolerance`, in the units of y; if the tolerance `is_factor`, if the mean ratio is at most that.
    """

    question: str
    chart: str
    rule: Callable[[Any], Any]
    x: tuple[float, float]
    tolerance: float
    is_factor: bool = False
    y: tuple[float, float] | None = None

    @property
    def grid(self) -> tuple[float, ...]:
        """The places along x at which a curve is given, evenly spaced: (GRID_POINTS,)."""
        return tuple(float(x) for x in np.linspace(*self.x, GRID_POINTS))


Ask = Choice | Number | Curve


@dataclass(frozen=True)
class Why:
    """A second question, after the verdict: `misconceptions` names what is behind each wrong option, in a sentence."""

    question: str
    options: Mapping[str, str]
    right: str
    misconceptions: Mapping[str, str]


@dataclass(frozen=True)
class Prediction:
    """A question before an experiment runs, and what is said when the run has come to `until` (None: to its end).

    `right` and `wrong` are sentences with the fields {answer} and {truth}; without them there are general ones.
    The rule `reads` the run, or the experiment's config.
    With `applies` "after", the experiment's settings are applied only after the answer, as in all still labs: for
    pictures that show the future. `hides` names toggles of charts that are off until then.
    After its vote a class sees the runs of `beside` side by side, or else the run of the experiment: by the option that
    a run belongs to, or a title of its own, the settings in which it differs from the experiment.
    """

    ask: Ask
    why: Why
    right: str = ""
    wrong: str = ""
    until: int | None = None
    applies: Literal["before", "after"] = "before"
    hides: tuple[str, ...] = ()
    reads: Literal["run", "config"] = "run"
    beside: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """How a prediction came out, in a sentence, and what was true."""

    is_right: bool
    sentence: str
    truth: Answer


def of(lesson: Lesson) -> Mapping[str, Prediction]:
    """The predictions of a lesson, by the id of their experiment; none where it has no module for them."""
    return _of(lesson.name)


@cache
def _of(lesson: str) -> Mapping[str, Prediction]:
    if not (PROSE / lesson / "before_play.py").exists():
        return {}
    found: Mapping[str, Prediction] = import_module(f"playground.lessons.{lesson}.before_play").PREDICTIONS
    return found


def read(ask: Ask, value: object) -> Answer | None:
    """An answer that a browser sent; None for one that the question does not allow."""
    if isinstance(ask, Choice):
        return value if isinstance(value, str) and value in ask.options else None
    if isinstance(ask, Number):
        return float(value) if _is_number(value) and ask.lo <= value <= ask.hi else None  # type: ignore[operator,arg-type]
    if not isinstance(value, (list, tuple)) or len(value) != GRID_POINTS or not all(map(_is_number, value)):
        return None
    return tuple(map(float, value)) if not ask.is_factor or min(value) > 0 else None


def truth_of(ask: Ask, subject: Any) -> Answer:
    """What the rule says of a run, or of the config of a still lab. Raises ValueError if that is no possible answer."""
    truth = ask.rule(subject)
    if isinstance(ask, Choice):
        found: Answer | None = read(ask, truth)
    elif isinstance(ask, Number):
        found = float(truth) if _is_number(truth := float(truth)) else None
    else:
        found = read(ask, np.asarray(truth, dtype=float).tolist())
    if found is None:
        raise ValueError(MESSAGES["no rule"].format(question=ask.question, truth=truth))
    return found


def grade(prediction: Prediction, answer: Answer, truth: Answer) -> Verdict:
    """How an answer comes out against the truth; both are legal answers of its question."""
    ask = prediction.ask
    is_right, kind = is_close(ask, answer, truth), "_curve" if isinstance(ask, Curve) else ""
    default = MESSAGES[f"right{kind}" if is_right else f"wrong{kind}"]
    sentence = (prediction.right if is_right else prediction.wrong) or default
    return Verdict(is_right, sentence.format(answer=in_words(ask, answer), truth=in_words(ask, truth)), truth)


def is_close(ask: Ask, answer: Answer, truth: Answer) -> bool:
    """Whether an answer is right: the true option, or within the tolerance."""
    if isinstance(ask, Choice):
        return answer == truth
    one, other = np.atleast_1d(np.asarray(answer, float)), np.atleast_1d(np.asarray(truth, float))
    if not ask.is_factor:
        return bool(np.abs(one - other).mean() <= ask.tolerance)
    if min(one.min(), other.min()) <= 0:
        return bool((one == other).all())
    return bool(np.abs(np.log(one / other)).mean() <= math.log(ask.tolerance) + 1e-12)


def in_words(ask: Ask, answer: Answer) -> str:
    """An answer as part of a sentence; "" for a curve, which is seen."""
    if isinstance(ask, Choice):
        return MESSAGES["quoted"].format(text=ask.options[str(answer)])
    if isinstance(ask, Curve):
        return ""
    assert isinstance(answer, float)
    if not ask.is_factor and abs(answer) < NEARLY_ZERO * ask.tolerance:
        answer = 0.0
    number = f"{answer:.3g}" if 1e-3 <= abs(answer) < 1e5 or not answer else f"{answer:.1e}".replace("e-0", "e-")
    number = f"{answer:,.0f}" if 1e3 <= abs(answer) < 1e5 else number
    number = number.replace("-", "−")
    return MESSAGES["with_unit"].format(number=number, unit=ask.unit) if ask.unit else number


def subject_of(prediction: Prediction, bench: Bench, config: Config) -> Any:
    """What the rule of a prediction reads, made for it: a run of a live bench, or the config."""
    is_still = getattr(bench, "draw", None) is not None
    return config if is_still or prediction.reads == "config" else played(bench, config, prediction.until)


def played(bench: Bench, config: Config, until: int | None = None) -> Any:
    """A new run of a live bench at the step `until`, or at its end, as an experiment plays it."""
    build: Any = bench.build  # type: ignore[attr-defined]
    run = build(config, Settings())
    while not run.outcome and (until is None or run.steps < until):
        if not run.advance(1.0, 10_000 if until is None else until - run.steps):
            time.sleep(WAIT_SECONDS)
    return run


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MAX_COORDINATE  # not NaN
