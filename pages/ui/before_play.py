"""The question of an experiment before it runs: asked, answered or skipped, compared with the run, and explained.

`?predict=` in a teacher's link says whether experiments ask: "on" (the default), "off", or "required", where only an
answer starts the run. Before it is given, nothing that tells the answer is sent to the browser: the truth is not known
before the run is there, and what follows the verdict is sent with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

import streamlit as st

from pages.ui import prose
from pages.ui.messages import TEXT
from pages.ui.session import NO_ANSWER, Predicted, Rail, pool, session
from playground import predictions
from playground.experiments import Experiment
from playground.knobs import Config, shorten
from playground.lesson import Lesson
from playground.predictions import Choice, Curve, Number, Prediction
from playground.workers.operations import Grade

PARAMETER = "predict"
Mode = Literal["on", "off", "required"]
MODES: tuple[Mode, ...] = ("on", "off", "required")
GRADE_SECONDS = 10.0  # the longest wait for a verdict


def mode() -> Mode:
    """Whether experiments ask, as the link says; "on" for a text that is none of these."""
    return mode_of(_text())


def mode_of(text: str) -> Mode:
    """The mode of this name, or "on"."""
    return cast(Mode, text) if text in MODES else "on"


def problems() -> list[str]:
    """A sentence if the link asks for a mode that does not exist."""
    text = _text()
    return [] if text in MODES else [TEXT.rail.bad_mode.format(value=shorten(text), modes=", ".join(MODES))]


def _text() -> str:
    return str(st.query_params.get(PARAMETER, session().kept_parameters.get(PARAMETER, "on")))


def of(lesson: Lesson, experiment: Experiment, asks: Mode) -> Prediction | None:
    """The prediction of an experiment; None where it has none, or where none is asked for."""
    return None if asks == "off" else predictions.of(lesson).get(experiment.id)


def is_committed(state: Rail, experiment: Experiment) -> bool:
    """Whether the visitor has answered or skipped the question of an experiment."""
    found = state.predicted.get(experiment.id)
    return found is not None and found.phase in ("running", "graded", "skipped")


def is_revealed(lesson: Lesson, experiment: Experiment, state: Rail, asks: Mode) -> bool:
    """Whether what an experiment shows may be said: it asks nothing, or its question is done with."""
    found = state.predicted.get(experiment.id)
    return of(lesson, experiment, asks) is None or (found is not None and found.phase in ("graded", "skipped"))


def is_open(state: Rail, experiment: Experiment) -> bool:
    """Whether the question of an experiment waits for an answer."""
    found = state.predicted.get(experiment.id)
    return found is not None and found.phase == "open"


def is_still(experiment: Experiment) -> bool:
    """Whether the experiment shows a picture, and no run."""
    return getattr(experiment.bench, "build", None) is None


def applies_after(prediction: Prediction, experiment: Experiment) -> bool:
    """Whether the settings of an experiment are applied only after the answer."""
    return prediction.applies == "after" or is_still(experiment)


def ask(state: Rail, experiment: Experiment) -> None:
    """Open the question of an experiment; others that are not graded yet are withdrawn."""
    withdraw(state)
    state.predicted[experiment.id] = Predicted()


def withdraw(state: Rail) -> None:
    """Forget the questions that are open and the answers that no run has shown to be right or wrong yet."""
    done = ("graded", "skipped")
    state.predicted = {name: each for name, each in state.predicted.items() if each.phase in done}


def follow_settings(lesson: Lesson, experiment: Experiment, state: Rail, config: Config | None, asks: Mode) -> None:
    """Bring what is remembered of an experiment's question up to date with the settings of its bench.

    Other settings than the experiment's take an open question away; where an answer is required, it stays, and the
    answer sets the experiment up again. An answer that no run has shown to be right or wrong is given up.
    """
    prediction, found = of(lesson, experiment, asks), state.predicted.get(experiment.id)
    if prediction is None or found is None or config == experiment.config:
        return
    if found.phase == "open" and asks != "required" and not applies_after(prediction, experiment):
        del state.predicted[experiment.id]
    elif found.phase == "running":
        found.phase = "changed"


def read_answer(prediction: Prediction, found: Predicted, sent: Mapping[str, Any]) -> bool:
    """Take the answer that a browser sent, or the one that has begun the run; whether there is one."""
    answer = found.answer if found.has_begun else predictions.read(prediction.ask, sent.get("answer"))
    if answer is None:
        return False
    found.phase, found.answer = "running", answer
    return True


def grade(lesson: Lesson, experiment: Experiment, found: Predicted, run_id: str) -> None:
    """Compare an answer with the run, or with the still lab's truth; a run that is not there yet changes nothing."""
    if found.phase != "running" or found.answer is None:
        return
    operation = Grade(lesson.name, experiment.id, found.answer)
    try:
        if is_still(experiment):
            verdict = pool().compute(session().name, operation)
        else:
            verdict = pool().call(run_id, operation, GRADE_SECONDS)
    except NO_ANSWER:
        found.phase = "late"
        return
    except ValueError:
        found.phase = "changed"
        return
    if verdict is not None:
        found.phase, found.verdict = "graded", verdict


def explain(prediction: Prediction, found: Predicted, option: object) -> None:
    """Take the answer to "why"."""
    if found.phase == "graded" and not found.why and isinstance(option, str) and option in prediction.why.options:
        found.why = option


def data(
    lesson: Lesson, experiment: Experiment, state: Rail, config: Config | None, asks: Mode
) -> dict[str, Any] | None:
    """What the board shows of the prediction of an experiment that was set up; None for nothing.

    A verdict is not shown beside other settings than the experiment's.
    """
    prediction, found = of(lesson, experiment, asks), state.predicted.get(experiment.id)
    is_its_own = config == experiment.config
    if prediction is None or found is None or found.phase == "skipped" or (found.phase == "graded" and not is_its_own):
        return None
    ask = prediction.ask
    shown: dict[str, Any] = {
        "phase": found.phase, "question": prose.inline(ask.question), "required": asks == "required",
        "until": prediction.until, "hides": list(prediction.hides), "still": is_still(experiment),
        "own": is_its_own, "applied": is_its_own and not applies_after(prediction, experiment),
        "answer": found.answer, "ask": _ask_as_data(ask),
    }  # fmt: skip
    if found.answer is not None:
        shown["said"] = predictions.in_words(ask, found.answer)
    if found.verdict is not None:
        why = prediction.why
        shown["verdict"] = {
            "right": found.verdict.is_right, "truth": found.verdict.truth,
            "sentence": prose.inline(found.verdict.sentence),
        }  # fmt: skip
        shown["why"] = {"question": prose.inline(why.question), "options": _options(why.options)}
        if found.why:
            shown["why"] |= {
                "answer": found.why, "right": found.why == why.right,
                "feedback": prose.inline(why.misconceptions.get(found.why) or _as_sentence(why.options[found.why])),
                "because": "" if found.why == why.right else prose.inline(
                    TEXT.rail.because.format(option=why.options[why.right])),
            }  # fmt: skip
    return shown


def _ask_as_data(ask: predictions.Ask) -> dict[str, Any]:
    if isinstance(ask, Choice):
        return {"kind": "choice", "options": _options(ask.options)}
    if isinstance(ask, Number):
        return {
            "kind": "number", "lo": ask.lo, "hi": ask.hi, "unit": ask.unit, "chart": ask.chart, "axis": ask.axis,
        }  # fmt: skip
    assert isinstance(ask, Curve)
    return {"kind": "curve", "chart": ask.chart, "grid": list(ask.grid), "positive": ask.is_factor, "y": ask.y}


def _as_sentence(option: str) -> str:
    """An option that is a statement without its full stop, as a sentence."""
    return option if option.endswith((".", "?", "!")) else TEXT.rail.statement.format(option=option)


def _options(options: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "text": prose.inline(text)} for key, text in options.items()]
