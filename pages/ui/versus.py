"""Two runs side by side: the lesson's own, and a second on the same data with one knob changed.

It begins where the first began, or branches off from the moment that the first one shows. Its player follows the first
one's. `?versus=<knob>:<value>` in the link opens a second one from the start.
"""

from __future__ import annotations

from concurrent.futures import CancelledError
from typing import Any

import streamlit as st

from pages.ui import board, controls
from pages.ui.stream import engine
from playground.branching import branched
from playground.engine import UnknownRun
from playground.knobs import Config, Knob, Value, as_text, knobs, needs_rebuild, parse
from playground.lesson import LiveLesson
from playground.run import Run

LINK = "versus"
STARTS = {"start": "the start", "here": "this moment"}
GONE = (UnknownRun, CancelledError, TimeoutError)


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
        engine().close(st.session_state.pop(f"{lesson.name}:versus:run", ("",))[0])
    with st.container(horizontal=True, key=f"{lesson.name}-boards"):
        with st.container(key=f"{lesson.name}-board-1"):
            if other is not None:
                st.markdown(f"**{_title(config, other[0])}**")
            board.live(f"{lesson.name}:board", run_id, lesson.charts, lesson.status, settings=_words(config))
        if other is not None:
            with st.container(key=f"{lesson.name}-board-2"):
                st.markdown(f"**{_title(other[1], other[0])}**")
                if second := _second(lesson, other[1], run_id):
                    board.live(f"{lesson.name}:versus:board", second, lesson.charts, lesson.status, leader=run_id)


def _branches(lesson: LiveLesson) -> bool:
    """Whether the second run branches off from the moment that is shown."""
    return bool(st.session_state.setdefault(f"{lesson.name}:versus:from", "start") == "here")


def _title(config: Config, name: str) -> str:
    spec = knobs(type(config))[name]
    return f"{spec.label}: {spec.name_of(getattr(config, name))}"


def _choice(lesson: LiveLesson, config: Config) -> tuple[str, Config] | None:
    """The knob that differs and the second run's config, as the widgets have them; None with a sentence if equal."""
    here = _branches(lesson)
    specs = {name: spec for name, spec in _choices(config).items() if spec.live or not here}
    key, linked = f"{lesson.name}:versus:knob", _of_link(lesson)
    if st.session_state.get(key) not in specs:
        st.session_state[key] = linked[0] if linked and linked[0] in specs else _first(specs)
    with st.container(horizontal=True, vertical_alignment="bottom", key="versus"):
        st.segmented_control("A second run from", list(STARTS), format_func=STARTS.get, required=True,
                             key=f"{lesson.name}:versus:from",
                             help="From this moment: with the weights that you see now. The time slider says which "
                             "moment that is; at an earlier one the optimizer begins with no memory.")  # fmt: skip
        name = st.selectbox("with another", list(specs), key=key, width=220,
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
                value = controls.widget(value_key, specs[name], getattr(config, name))
    other, problems = parse(type(config), {**_texts(config), name: as_text(value)})
    for problem in problems:
        st.warning(problem)
    if here:
        st.query_params.pop(LINK, None)  # a moment is not in a link
    else:
        st.query_params[LINK] = f"{name}:{as_text(getattr(other, name))}"
    if getattr(other, name) == getattr(config, name):
        st.info("Both runs would be the same. Choose another value for the second one.")
        return None
    return name, other


def _words(config: Config) -> dict[str, str]:
    """The settings at work, in words."""
    specs = {name: spec for name, spec in knobs(type(config)).items() if spec.applies is None or spec.applies(config)}
    return {spec.label: spec.name_of(getattr(config, name)) for name, spec in specs.items()}


def _texts(config: Config) -> dict[str, str]:
    return {name: as_text(getattr(config, name)) for name in knobs(type(config))}


def _choices(config: Config) -> dict[str, Knob]:
    """The knobs that two runs can differ in: shown, at work in this config, and with one value of a few."""
    specs = {name: spec for name, spec in knobs(type(config)).items() if name not in controls.hidden()}
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
    if name not in knobs(lesson.config):
        return None
    config, problems = parse(lesson.config, {name: text})
    return None if problems else (name, getattr(config, name))


def _second(lesson: LiveLesson, config: Config, first: str) -> str:
    """The id of the second run, brought up to date; one that starts anew catches up with the first, which waits."""
    slot, here = f"{lesson.name}:versus:run", _branches(lesson)
    run_id, built, branched_off = st.session_state.get(slot, ("", config, here))
    try:
        if branched_off != here:
            engine().close(run_id)
        if not engine().has(run_id):
            run_id = _branch(first, config) if here else _open(first, config)
        elif needs_rebuild(built, config):
            engine().rebuild(run_id, config)
            _catch_up(first, run_id)
        elif built != config:
            engine().tune(run_id, config)
    except GONE:
        st.error("The run to compare with is not ready. Switch the comparison off and on again.")
        return ""
    except ValueError as error:
        st.error(str(error))
        return ""
    st.session_state[slot] = (run_id, config, here)
    return run_id


def _open(first: str, config: Config) -> str:
    """A second run from the start, with the points that the student has added to the first."""
    source: Any = engine().call(first, lambda run: run.rebuilt(config))  # type: ignore[attr-defined]

    def build(wanted: Any) -> Run:
        made: Run = source.rebuilt(wanted)
        return made

    run_id = engine().open(st.session_state["session"], build, config)
    _catch_up(first, run_id)
    return run_id


def _branch(first: str, config: Config) -> str:
    """A second run from the moment that the first one shows, which waits."""
    engine().command(first, {"do": "pause"})
    made: Any = engine().call(first, lambda run: branched(run, config))  # type: ignore[type-var]

    def build(wanted: Any) -> Run:
        given: Run = made if wanted == config else made.rebuilt(wanted)
        return given

    return engine().open(st.session_state["session"], build, config)


def _catch_up(first: str, second: str) -> None:
    engine().command(first, {"do": "pause"})
    steps = engine().call(first, lambda run: run.steps)
    if steps:
        engine().command(second, {"do": "step", "n": steps, "unit": "step"})
