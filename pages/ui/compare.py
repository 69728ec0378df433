"""Two runs in one picture: the lesson's own, and a second one on the same data with one knob changed.

The second run starts at step 0 or branches off at the step that the first one shows; from then on both advance together
(playground/engine/lockstep.py). `?versus=<knob>:<value>` in the link opens a second run from step 0. Where the first
run was continued from an earlier step, the second one is that run as it was before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.ui import board, rail
from pages.ui.classroom import locks
from pages.ui.messages import TEXT, quoted
from pages.ui.session import SecondRun, pool, session
from pages.ui.widgets import knob_widgets
from playground.engine.commands import GoBack
from playground.engine.open_run import UnknownRun
from playground.knobs import Config, Knob, Value, as_text, shorten
from playground.lesson import LiveLesson
from playground.lessons import BENCHES
from playground.workers.wire import Start

LINK = "versus"
MAX_STEP = 10**12  # of a run
BEFORE: Start = "before"
STARTS: dict[Start, str] = {"start": TEXT.compare.from_start, "here": TEXT.compare.from_here}
BEFORE_TOO: dict[Start, str] = {BEFORE: TEXT.compare.before, **STARTS}


def switch(lesson: LiveLesson) -> bool:
    """The toggle that opens and closes the second run; whether it is open."""
    key, text = f"{lesson.name}:versus", st.query_params.get(LINK, "")
    _open_again(lesson)
    if key not in st.session_state:
        if is_left := not text and _has_left(lesson):
            second = session().bench(lesson.name).second
            st.session_state[f"{lesson.name}:versus:from"] = second.start if second is not None else "start"
        st.session_state[key] = is_left or _from_link(lesson) is not None
        is_bad = bool(text) and not st.session_state[key]
        session().bench(lesson.name).comparison_problem = TEXT.compare.bad_link.format(text=shorten(text)) * is_bad
    if _start(lesson) == BEFORE and not _has_run_before(lesson):
        st.session_state[key], st.session_state[f"{lesson.name}:versus:from"] = False, "start"
    return st.toggle(TEXT.compare.switch, st.session_state[key], key=key, help=TEXT.compare.switch_help)


def board_of(lesson: LiveLesson, config: Config, run_id: str, *, two: bool) -> None:
    """The lesson's board; with `two` also the form that says how the second run differs, which the board shows, too."""
    with st.container(gap=None):
        # Always here: a container that came and went would move the boards to another place of the page, and in a rerun
        # that is cut short Streamlit's front end may then find an element where it expects a container, and give up.
        with st.container(key="versus"):
            if two:
                session().bench(lesson.name).comparison_problem = ""
            elif problem := session().bench(lesson.name).comparison_problem:
                st.warning(quoted(problem))
            choice = _choice(lesson, config) if two else None
        if not two:
            st.query_params.pop(LINK, None)
        if choice is None:
            _close(lesson)
        second = "" if choice is None else _second(lesson, *choice, run_id)
        board.live(f"{lesson.name}:board", run_id, lesson.charts, lesson.status, units=lesson.units,
                   settings=in_words(config), second=second, compares=two, knobs=knob_widgets.for_board(lesson, config),
                   on_turn=knob_widgets.turner(lesson.name), rail=rail.data(lesson, lesson.name),
                   on_try=rail.taker(lesson, lesson.name), on_continue=_continuer(lesson))  # fmt: skip


def _open_again(lesson: LiveLesson) -> None:
    """Open the form for a second run that came back from the browser after a restart."""
    bench = session().bench(lesson.name)
    second, is_back, bench.is_second_back = bench.second, bench.is_second_back, False
    if not is_back or second is None or not _is_open(second, bench.run_id):
        return
    key = f"{lesson.name}:versus"
    st.session_state[key], st.session_state[f"{key}:from"] = True, second.start
    if second.start != BEFORE:
        st.session_state[f"{key}:knob"], st.session_state[f"{key}:knob:{second.knob}"] = second.knob, second.value
        bench.compared, bench.compared_values[second.knob] = second.knob, second.value


def widgets(lesson: str) -> dict[str, Any]:
    """What the toggle and the form of a lesson's comparison hold, by their keys."""
    key, knobs = f"{lesson}:{LINK}", BENCHES[lesson].config.knobs() if lesson in BENCHES else ()
    keys = (key, f"{key}:from", f"{key}:knob", *(f"{key}:knob:{name}" for name in knobs))
    return {each: st.session_state[each] for each in keys if each in st.session_state}


def reopen(lesson: str) -> None:
    """Put the second run that was open when a lesson's page was left back into the address, which has lost it."""
    second = session().bench(lesson).second
    if second is not None and second.start == "start" and LINK not in st.query_params:
        st.query_params[LINK] = f"{second.knob}:{as_text(second.value)}"


def _continuer(lesson: LiveLesson) -> Callable[[Any], None]:
    """A callback for the board: it takes {"run": its run, "step": where that continues}; the run before is compared."""

    def take(asked: Any) -> None:
        bench = session().bench(lesson.name)
        step = asked.get("step") if isinstance(asked, dict) and asked.get("run") == bench.run_id else None
        if type(step) is not int or not 0 <= step <= MAX_STEP:
            return
        try:
            second = pool().open_beside(bench.run_id, BEFORE, "", "")
            pool().command(bench.run_id, GoBack(step))  # it waits until the run before is kept
        except UnknownRun:  # it was closed meanwhile; the board says so
            return
        bench.second = SecondRun(second, bench.run_id, BEFORE, "", "")
        st.session_state[f"{lesson.name}:versus"] = True
        st.session_state[f"{lesson.name}:versus:from"] = BEFORE

    return take


def _has_left(lesson: LiveLesson) -> bool:
    """Whether the page was left with a second run that no link can say, and that is still open."""
    bench = session().bench(lesson.name)
    second = bench.second
    return second is not None and second.start != "start" and _is_open(second, bench.run_id)


def _has_run_before(lesson: LiveLesson) -> bool:
    """Whether the run is open that this lesson's run was, before it was continued from an earlier step."""
    bench = session().bench(lesson.name)
    return bench.second is not None and bench.second.start == BEFORE and _is_open(bench.second, bench.run_id)


def _is_open(second: SecondRun, first: str) -> bool:
    return second.first == first and pool().has(second.run_id)


def _close(lesson: LiveLesson) -> None:
    bench = session().bench(lesson.name)
    if bench.second is not None:
        pool().close(bench.second.run_id, "")  # on purpose: nothing to tell
        bench.second = None


def _start(lesson: LiveLesson) -> Start:
    """Where the second run starts; a browser can send anything."""
    found = st.session_state.setdefault(f"{lesson.name}:versus:from", "start")
    return found if found in BEFORE_TOO else "start"


def _choice(lesson: LiveLesson, config: Config) -> tuple[str, Value] | None:
    """The knob that differs and the second run's value, from the form; None, with a sentence, if the runs are equal."""
    if _start(lesson) == BEFORE:
        with st.container(horizontal=True, vertical_alignment="center"):
            _show_start(lesson)
            st.caption(TEXT.compare.before_about)
        st.query_params.pop(LINK, None)
        return "", ""
    here = _start(lesson) == "here"
    specs = {name: spec for name, spec in comparable_knobs(lesson, config).items() if spec.live or not here}
    if not specs:
        st.info(TEXT.compare.nothing_free)
        return None
    key, linked, bench = f"{lesson.name}:versus:knob", _from_link(lesson), session().bench(lesson.name)
    if st.session_state.get(key) not in specs:
        wanted = linked[0] if linked else bench.compared
        if wanted and wanted not in specs:
            spec = config.knobs()[wanted]
            sentence = TEXT.compare.not_live if here and not spec.live else TEXT.compare.cannot_differ
            st.caption(quoted(locks.refusal(lesson, [wanted]) or sentence.format(label=spec.label)))
        st.session_state[key] = wanted if wanted in specs else _first(specs)
    with st.container(horizontal=True, vertical_alignment="center"):
        _show_start(lesson)
        name = st.selectbox(TEXT.compare.setting, list(specs), key=key, width=220,
                            index=list(specs).index(st.session_state[key]),
                            format_func=lambda name: specs[name].label,
                            label_visibility="collapsed")  # fmt: skip
        value_key = f"{key}:{name}"
        if value_key not in st.session_state:
            near = bench.compared_values.get(name, another_value(specs[name], getattr(config, name)))
            st.session_state[value_key] = linked[1] if linked and linked[0] == name else near
        if isinstance(getattr(config, name), bool):
            st.session_state[value_key] = not getattr(config, name)
            value: Value = st.session_state[value_key]
        else:
            with st.container(width=320):
                value = knob_widgets.widget(value_key, specs[name], st.session_state[value_key],
                                            is_labelled=False)  # fmt: skip
    bench.compared, bench.compared_values[name] = name, value
    texts = {name: as_text(getattr(config, name)) for name in config.knobs()}
    other, problems = type(config).parse({**texts, name: as_text(value)})
    for problem in problems:
        st.warning(problem)
    if here:
        st.query_params.pop(LINK, None)  # a link cannot say where the first run is
    else:
        st.query_params[LINK] = f"{name}:{as_text(getattr(other, name))}"
    if getattr(other, name) == getattr(config, name):
        st.info(TEXT.compare.same)
        return None
    return name, getattr(other, name)


def _show_start(lesson: LiveLesson) -> None:
    """The choice of where the second run starts; the run before is one as long as it is there."""
    starts = BEFORE_TOO if _has_run_before(lesson) else STARTS
    if _start(lesson) != BEFORE:
        st.markdown(TEXT.compare.start, width="content", help=TEXT.compare.start_help)
    st.segmented_control(TEXT.compare.start, list(starts), format_func=starts.get, required=True,
                         default=_start(lesson), key=f"{lesson.name}:versus:from",
                         label_visibility="collapsed")  # fmt: skip


def in_words(config: Config) -> dict[str, str]:
    """The settings that have an effect: label -> value in words."""
    specs = {name: spec for name, spec in config.knobs().items() if spec.applies_to(config)}
    return {spec.label: spec.name_of(getattr(config, name)) for name, spec in specs.items()}


def comparable_knobs(lesson: LiveLesson, config: Config) -> dict[str, Knob]:
    """The knobs that two runs can differ in: shown, with an effect in this config, and with one value of a few.

    The class of the points to click is none: they are added to both runs.
    """
    left_out = {*knob_widgets.hidden_knobs(), *(chart.brush for chart in lesson.charts)}
    return {
        name: spec
        for name, spec in config.knobs().items()
        if name not in left_out
        and spec.applies_to(config)
        and not spec.many
        and not (isinstance(spec.default, str) and spec.options is None)
    }


def _first(specs: dict[str, Knob]) -> str:
    """The learning rate, which is compared most; else the first knob."""
    return "lr" if "lr" in specs else next(iter(specs))


def another_value(spec: Knob, value: Value) -> Value:
    """A value near this one, far enough away to make a visible difference."""
    if spec.options is not None:
        at = list(spec.options).index(value)
        return spec.options[at + 1 if at + 1 < len(spec.options) else at - 1]
    step = (spec.step or 1) * 2
    lo, hi = spec.lo or 0, spec.hi or 0
    return type(value)(min(hi, value + step) if value < hi else max(lo, value - step))  # type: ignore[operator]


def _from_link(lesson: LiveLesson) -> tuple[str, Value] | None:
    """The knob and value in the link; None where the link has no legal ones."""
    name, _, text = st.query_params.get(LINK, "").partition(":")
    if name not in lesson.config.knobs():
        return None
    config, problems = lesson.config.parse({name: text})
    return None if problems else (name, getattr(config, name))


def _second(lesson: LiveLesson, name: str, value: Value, first: str) -> str:
    """The id of the run beside the first one, opened again whenever it would not be what its heading says.

    From step 0, another value needs another run; from a later step, the running run takes the new value.
    """
    bench, start = session().bench(lesson.name), _start(lesson)
    before = bench.second
    if start == BEFORE:
        return "" if before is None else before.run_id
    same_run = before is not None and (before.first, before.start, before.knob) == (first, start, name)
    try:
        if (
            before is None
            or not (same_run and pool().has(before.run_id))
            or (start == "start" and before.value != value)
        ):
            run_id = pool().open_beside(first, start, name, value)
        else:
            run_id = before.run_id
            if before.value != value:
                pool().vary(run_id, name, value)
    except UnknownRun:
        st.error(TEXT.compare.not_ready)
        return ""
    bench.second = SecondRun(run_id, first, start, name, value)
    return run_id
