"""The rail above a lesson's charts: its experiments, of which one is in sight and can be set up and run.

    problems = rail.follow(lesson)                                the experiment that the address asks for
    write_link(lesson.name, configs, rail.in_address(...))        the one that is chosen stays in the address
    board.live(..., rail=rail.data(lesson, bench), on_try=rail.taker(lesson, bench))

`?<lesson>_try=<id>` opens an experiment. Alone it sets the experiment's settings; together with settings of the same
bench these hold, and the rail shows the experiment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

import streamlit as st

from pages.ui import before_play, prose
from pages.ui.messages import TEXT
from pages.ui.session import Predicted, Rail, session
from pages.ui.widgets import knob_widgets
from playground.experiments import Experiment, experiments
from playground.knobs import Config, shorten
from playground.lesson import LabLesson, Lesson
from playground.predictions import Answer, Prediction
from playground.saving import replay

ABOUT_QUESTIONS = {"answer", "skip", "reached", "why"}
LAB = "lab"  # the knob of a lesson of labs that says which one is open
MAX_VALUE_LENGTH = 24  # of a value in "what differs"


def follow(lesson: Lesson) -> list[str]:
    """Choose the experiment that the visitor's address asks for; a sentence where the lesson does not have it."""
    state, asked = session().rail(lesson.name), st.query_params.get(knob_widgets.try_parameter(lesson.name), "")
    chosen, state.chosen = state.chosen, False
    coming_back = not asked and session().arrived
    problems = before_play.problems() if session().arrived else []
    if chosen or coming_back or asked == state.address:
        return problems
    if not asked:
        state.at, state.opened = "", {}
        before_play.withdraw(state)
        return problems
    found = find(lesson, asked)
    if found is None:
        return [*problems, TEXT.rail.unknown.format(id=shorten(asked))]
    if _is_open_by_address(lesson, found):
        _open(lesson, found, has_settings=_has_settings(lesson, found))
    return problems


def _open(lesson: Lesson, found: Experiment, *, has_settings: bool) -> None:
    """Set an experiment up that the address names, and ask its question; a link that replays a run shows the answer."""
    state, prediction = session().rail(lesson.name), before_play.of(lesson, found, before_play.mode())
    asks, waits = False, False
    if prediction is not None and not before_play.is_committed(state, found) and replay.AT not in st.query_params:
        before_play.ask(state, found)
        asks, waits = True, before_play.applies_after(prediction, found)
    if not has_settings:
        _set_up(lesson, found, settings=not waits)
    if asks:
        session().bench(found.bench.name).waits = _is_live(found)
    _note(lesson, found)


def taker(lesson: Lesson, bench: str) -> Callable[[Any], None]:
    """A callback for a board of this bench: it takes {"id": ...} of an experiment, sets it up and runs it.

    An experiment with a question asks first. What is sent then names the experiment, too: its `answer`, `skip`, or
    after it that the run has `reached` the step at which the question ends, or a choice among the answers to `why`. A
    board whose run stands ready begins it at once, and says so with the answer (`begun`); others send the answer on
    their own line, too (`routes/answers.py`).
    """

    def take(tried: Any) -> None:
        asked = tried.get("id") if isinstance(tried, dict) else None
        hidden = knob_widgets.hidden_knobs()
        found = next((each for each in _listed(lesson, bench, hidden) if each.id == asked), None)
        if found is None:
            return
        state, mode = session().rail(lesson.name), before_play.mode()
        prediction, predicted = before_play.of(lesson, found, mode), state.predicted.get(found.id)
        if not tried.keys() & ABOUT_QUESTIONS:
            asks = prediction is not None and not before_play.is_committed(state, found)
            _begin(lesson, found, prediction, asks=asks)
        elif prediction is None or predicted is None or state.at != found.id:
            return
        elif "why" in tried:
            before_play.explain(prediction, predicted, tried["why"])
        elif "reached" in tried:
            before_play.grade(lesson, found, predicted, session().bench(bench).run_id)
        elif predicted.phase == "open" and (
            before_play.read_answer(prediction, predicted, tried)
            or predicted.has_begun
            or ("skip" in tried and mode != "required")
        ):
            if predicted.answer is None:
                predicted.phase = "skipped"
            _run(lesson, found, prediction, predicted, has_begun=predicted.has_begun or tried.get("begun") is True)

    return take


def run_with_answer(lesson: Lesson, name: str, answer: Answer | None) -> None:
    """Set an experiment up and run it with an answer that was given elsewhere, or with none."""
    found, state = find(lesson, name), session().rail(lesson.name)
    if found is None:
        return
    before_play.withdraw(state)
    state.predicted[found.id] = Predicted("skipped" if answer is None else "running", answer)
    _run(lesson, found, before_play.of(lesson, found, "on"), state.predicted[found.id])
    _note(lesson, found)


def _begin(lesson: Lesson, found: Experiment, prediction: Prediction | None, *, asks: bool) -> None:
    """Set an experiment up, and run it, or ask its question first."""
    state, bench = session().rail(lesson.name), session().bench(found.bench.name)
    if asks and prediction is not None:
        before_play.ask(state, found)
        _set_up(lesson, found, settings=not before_play.applies_after(prediction, found))
        bench.waits = _is_live(found)
    elif prediction is not None:
        _run(lesson, found, prediction, state.predicted[found.id])
    else:
        before_play.withdraw(state)
        _run(lesson, found)
    _note(lesson, found)


def _run(
    lesson: Lesson,
    found: Experiment,
    prediction: Prediction | None = None,
    predicted: Predicted | None = None,
    *,
    has_begun: bool = False,
) -> None:
    """Run an experiment, unless its board has begun; one with an answer up to the step where its question ends."""
    state, bench = session().rail(lesson.name), session().bench(found.bench.name)
    _set_up(lesson, found)
    state.chosen = True
    state.tried.add(found.id)
    is_graded = prediction is not None and predicted is not None and predicted.phase == "running"
    bench.plays, bench.plays_steps = _plays(found) and not has_begun, 0
    bench.waits = _is_live(found) and not _plays(found)
    if is_graded and prediction is not None:
        bench.plays_steps = prediction.until or 0


def in_address(lesson: Lesson, bench: str, config: Config) -> str:
    """The id of the experiment that belongs into the address while this bench is open; "" for none.

    Where all settings are back at their defaults the address has none, and an experiment in it would set its own.
    """
    state = session().rail(lesson.name)
    found = find(lesson, state.at)
    if found is None or found.bench.name != bench:
        return ""
    before_play.follow_settings(lesson, found, state, config, before_play.mode())
    would_be_set = not config.as_texts() and found.config != config
    return "" if would_be_set and not before_play.is_open(state, found) else found.id


def data(lesson: Lesson, bench: str) -> dict[str, Any]:
    """What the board shows of the experiments while this bench is open.

    `at` is the id of the one in sight; `set` that of the one that was set up, or whose settings the page opened with,
    "" for none; `opens` the same, also where a link has other settings beside it. `tried` are those that were run in
    this session. `number` counts what was set up: a new one opens its chart `show`.
    """
    state, hidden = session().rail(lesson.name), frozenset(knob_widgets.hidden_knobs())
    found = find(lesson, state.at)
    if found is not None and found.bench.name == bench and found.id in state.predicted and not _is_live(found):
        before_play.grade(lesson, found, state.predicted[found.id], "")  # of a picture that is on its way already
    return data_of(lesson, bench, session().bench(bench).config, state, hidden, before_play.mode())


def data_of(
    lesson: Lesson, bench: str, config: Config | None, state: Rail, hidden: frozenset[str], mode: before_play.Mode
) -> dict[str, Any]:
    """The same, for what a session remembers (which is brought up to date), and what a teacher hides and asks."""
    found = _listed(lesson, bench, hidden)
    here = [each for each in found if each.bench.name == bench]
    chosen = next((each for each in here if each.id == state.at), None)
    at = chosen or (here or found or [None])[0]
    if chosen is None and at is not None and at.bench.name == bench and at.config == config:
        state.opened[bench] = at.id
    is_set = chosen is not None or (at is not None and state.opened.get(bench) == at.id)
    if chosen is not None:
        before_play.follow_settings(lesson, chosen, state, config, mode)
    is_asked = chosen is not None and chosen.id in state.predicted
    if at is not None and not is_asked and not before_play.is_revealed(lesson, at, state, mode):
        is_set = False  # it has a question, which was not asked yet, or is not asked beside other settings
    return {
        "lesson": lesson.name,
        "list": [_as_data(lesson, each, hidden, before_play.is_revealed(lesson, each, state, mode)) for each in found],
        "at": "" if at is None else at.id,
        "set": at.id if at is not None and is_set else "",
        "opens": at.id if at is not None and (is_set or at is chosen) else "",
        "tried": [each.id for each in found if each.id in state.tried],
        "number": state.number,
        "prediction": None if chosen is None else before_play.data(lesson, chosen, state, config, mode),
    }


def _as_data(lesson: Lesson, each: Experiment, hidden: frozenset[str], is_revealed: bool) -> dict[str, Any]:
    title = getattr(each.bench, "title", "") if isinstance(lesson, LabLesson) else ""
    return {
        "id": each.id, "title": each.title, "before": prose.inline(each.before),
        "after": prose.inline(each.after) if is_revealed else "",
        "differs": what_differs(each.config, hidden), "lab": title, "show": each.show,
        "runs": _is_live(each), "plays": _plays(each),
    }  # fmt: skip


@lru_cache(maxsize=1024)
def what_differs(config: Config, hidden: frozenset[str]) -> str:
    """The settings that differ from their defaults, in words, apart from those that a teacher hides."""
    values = []
    for name in config.as_texts():
        spec, value = config.knobs()[name], getattr(config, name)
        words = spec.name_of(value)
        if isinstance(value, bool):
            words = TEXT.rail.on if value else TEXT.rail.off
        if name not in hidden:
            values.append(TEXT.rail.setting.format(label=spec.label, value=shorten(words, MAX_VALUE_LENGTH)))
    return TEXT.rail.separator.join(values) or TEXT.rail.defaults


def _listed(lesson: Lesson, bench: str, hidden: Collection[str]) -> list[Experiment]:
    """The experiments of a lesson; where a teacher hides the choice of labs, those of the open lab."""
    stays = isinstance(lesson, LabLesson) and LAB in hidden
    return [each for each in experiments(lesson) if not stays or each.bench.name == bench]


def _is_live(found: Experiment) -> bool:
    """Whether there is a run to play, and not only a picture."""
    return getattr(found.bench, "build", None) is not None


def _plays(found: Experiment) -> bool:
    """Whether there is a run that plays as soon as the experiment is set up."""
    return _is_live(found) and not getattr(found.bench, "asks", False)


def find(lesson: Lesson, name: object) -> Experiment | None:
    """The experiment of a lesson with this id."""
    return next((each for each in experiments(lesson) if each.id == name), None)


def _is_open_by_address(lesson: Lesson, found: Experiment) -> bool:
    """Whether the address opens no other lab than the experiment's."""
    lab = st.query_params.get(f"{lesson.name}_{LAB}") if isinstance(lesson, LabLesson) else None
    return lab is None or f"{lesson.name}_{lab}" == found.bench.name


def _has_settings(lesson: Lesson, found: Experiment) -> bool:
    """Whether the address also has settings of the experiment's bench."""
    parameter = knob_widgets.try_parameter(lesson.name)
    return any(name.startswith(f"{found.bench.name}_") and name != parameter for name in st.query_params)


def _set_up(lesson: Lesson, found: Experiment, *, settings: bool = True) -> None:
    """Open the bench of an experiment with its settings, or with those that the bench has."""
    current = session().bench(found.bench.name).config or found.bench.config()
    knob_widgets.choose(found.bench.name, found.config if settings else current)
    if isinstance(lesson, LabLesson):
        knob_widgets.choose(lesson.name, lesson.picker(lab=found.bench.name.removeprefix(f"{lesson.name}_")))


def _note(lesson: Lesson, found: Experiment) -> None:
    state = session().rail(lesson.name)
    state.at, state.number = found.id, state.number + 1
