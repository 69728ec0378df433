"""Two runs side by side: the lesson's own, and a second on the same data with one knob changed.

It begins where the first began, or branches off from the moment that the first one shows; from then on both advance
together (playground/lockstep.py). `?versus=<knob>:<value>` in the link opens a second one from the start.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.ui import board
from pages.ui import knob_widgets as controls
from pages.ui.routes.live import engine
from playground.engine.engine import UnknownRun
from playground.knobs import Config, Knob, Value, as_text
from playground.lesson import LiveLesson
from playground.saving import branch as branching

LINK = "versus"
STARTS = {"start": "the start", "here": "this moment"}
BUILDERS = {"start": branching.from_start, "here": branching.from_here}
NOT_READY = "The run to compare with is not ready. Switch the comparison off and on again."


def switch(lesson: LiveLesson) -> bool:
    """The toggle that opens and closes the second run; whether it is open."""
    key = f"{lesson.name}:versus"
    if key not in st.session_state:
        st.session_state[key] = _of_link(lesson) is not None
    return st.toggle("Compare", key=key, help="A second run on the same data from the same start, one setting changed.")


def boards(lesson: LiveLesson, config: Config, run_id: str, *, two: bool) -> None:
    """The lesson's board, and with `two` the choice of what the second run has otherwise, and its board."""
    other = _choice(lesson, config) if two else None
    if not two:
        st.query_params.pop(LINK, None)
        engine().close(st.session_state.pop(_slot(lesson), ("",))[0])
    with st.container(horizontal=True, key=f"{lesson.name}-boards"):
        with st.container(key=f"{lesson.name}-board-1"):
            board.live(f"{lesson.name}:board", run_id, lesson.charts, lesson.status, settings=_words(config))
        if other is not None:
            with st.container(key=f"{lesson.name}-board-2"):
                if second := _second(lesson, *other, run_id):
                    board.live(f"{lesson.name}:versus:board", second, lesson.charts, lesson.status, leader=run_id)


def _slot(lesson: LiveLesson) -> str:
    return f"{lesson.name}:versus:run"


def _from(lesson: LiveLesson) -> str:
    """Where the second run begins: "start", or "here" for the moment that the first one shows."""
    return str(st.session_state.setdefault(f"{lesson.name}:versus:from", "start"))


def _choice(lesson: LiveLesson, config: Config) -> tuple[str, Value] | None:
    """The knob that differs and the second run's value, as the widgets have them; None with a sentence if equal."""
    here = _from(lesson) == "here"
    specs = {name: spec for name, spec in _choices(config).items() if spec.live or not here}
    key, linked = f"{lesson.name}:versus:knob", _of_link(lesson)
    if st.session_state.get(key) not in specs:
        st.session_state[key] = linked[0] if linked and linked[0] in specs else _first(specs)
    with st.container(horizontal=True, vertical_alignment="bottom", key="versus"):
        st.segmented_control("A second run from", list(STARTS), format_func=STARTS.get, required=True,
                             default=_from(lesson), key=f"{lesson.name}:versus:from",
                             help="From this moment: with the weights that you see now. The time slider says which "
                             "moment that is; at an earlier one the optimizer begins with no memory.")  # fmt: skip
        name = st.selectbox("with another", list(specs), key=key, width=220,
                            index=list(specs).index(st.session_state[key]),
                            format_func=lambda name: specs[name].label)  # fmt: skip
        value_key = f"{key}:{name}"
        if value_key not in st.session_state:
            near = _another(specs[name], getattr(config, name))
            st.session_state[value_key] = linked[1] if linked and linked[0] == name else near
        if isinstance(getattr(config, name), bool):
            st.session_state[value_key] = not getattr(config, name)
            value: Value = st.session_state[value_key]
        else:
            with st.container(width=320):
                value = controls.widget(value_key, specs[name], st.session_state[value_key])
    other, problems = type(config).parse({**_texts(config), name: as_text(value)})
    for problem in problems:
        st.warning(problem)
    if here:
        st.query_params.pop(LINK, None)  # a moment is not in a link
    else:
        st.query_params[LINK] = f"{name}:{as_text(getattr(other, name))}"
    if getattr(other, name) == getattr(config, name):
        st.info("Both runs would be the same. Choose another value for the second one.")
        return None
    return name, getattr(other, name)


def _words(config: Config) -> dict[str, str]:
    """The settings at work, in words."""
    specs = {name: spec for name, spec in config.knobs().items() if spec.applies is None or spec.applies(config)}
    return {spec.label: spec.name_of(getattr(config, name)) for name, spec in specs.items()}


def _texts(config: Config) -> dict[str, str]:
    return {name: as_text(getattr(config, name)) for name in config.knobs()}


def _choices(config: Config) -> dict[str, Knob]:
    """The knobs that two runs can differ in: shown, at work in this config, and with one value of a few."""
    specs = {name: spec for name, spec in config.knobs().items() if name not in controls.hidden()}
    return {
        name: spec
        for name, spec in specs.items()
        if (spec.applies is None or spec.applies(config))
        and not spec.many
        and not (isinstance(getattr(config, name), str) and spec.options is None)
    }


def _first(specs: dict[str, Knob]) -> str:
    """The learning rate, which is compared most; else the first knob."""
    return "lr" if "lr" in specs else next(iter(specs))


def _another(spec: Knob, here: Value) -> Value:
    """A value near the one here that makes a difference to be seen."""
    if spec.options is not None:
        at = list(spec.options).index(here)
        return spec.options[at + 1 if at + 1 < len(spec.options) else at - 1]
    step = (spec.step or 1) * 2
    lo, hi = spec.lo or 0, spec.hi or 0
    return type(here)(min(hi, here + step) if here < hi else max(lo, here - step))  # type: ignore[operator]


def _of_link(lesson: LiveLesson) -> tuple[str, Value] | None:
    """The knob and value that the link names; None where it names none that there is."""
    name, _, text = st.query_params.get(LINK, "").partition(":")
    if name not in lesson.config.knobs():
        return None
    config, problems = lesson.config.parse({name: text})
    return None if problems else (name, getattr(config, name))


def _second(lesson: LiveLesson, name: str, value: Value, first: str) -> str:
    """The id of the run beside the first one, opened again wherever it would not be what its heading says.

    From the start, another value is another run from the start; from a moment, the value is turned while it goes on.
    """
    kind = _from(lesson)
    run_id, *opened = st.session_state.get(_slot(lesson), ("", "", "", "", ""))
    same_run = engine().has(run_id) and opened[:3] == [first, kind, name]
    try:
        if not same_run or (kind == "start" and opened[3] != value):
            run_id = engine().open_beside(first, BUILDERS[kind], partial(_varied, name, value), name)
        elif opened[3] != value:
            engine().vary(run_id, partial(_varied, name, value))
    except UnknownRun:
        st.error(NOT_READY)
        return ""
    st.session_state[_slot(lesson)] = (run_id, first, kind, name, value)
    return run_id


def _varied(name: str, value: Value, config: Config) -> Config:
    return config.with_values(**{name: value})
