"""Knobs as widgets: a lesson's config, read from the link, turned by hand, and written back to the link."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from playground.knobs import Config, Knob, as_texts, default_of, knobs, parse

MOST_ON_A_SLIDER = 5000  # a number that may be larger is typed in
STARTS_OVER = "Turning it starts the run over."
HIDE = "hide"  # the teacher's link parameter: names of knobs that are not shown


def read(lesson: str, config_type: type[Config]) -> tuple[Config, list[str]]:
    """The lesson's present config, and a sentence for each value that was refused.

    The link decides on the first visit and whenever it changes; after that the widgets do.
    """
    texts = _link(lesson)
    if texts and texts != st.session_state.get(f"{lesson}:link"):
        config, problems = parse(config_type, texts)
        use(lesson, config)
        st.session_state[f"{lesson}:problems"] = problems
    elif f"{lesson}:config" not in st.session_state:
        use(lesson, config_type())
    else:
        before = st.session_state[f"{lesson}:config"]
        config, problems = _from_widgets(lesson, config_type)
        use(lesson, config)
        if problems or config != before:
            st.session_state[f"{lesson}:problems"] = problems
    return st.session_state[f"{lesson}:config"], st.session_state.get(f"{lesson}:problems", [])


def use(lesson: str, config: Config) -> None:
    """Make this the lesson's config: its widgets take over the values."""
    st.session_state[f"{lesson}:config"] = config
    for name in knobs(type(config)):
        key = f"{lesson}_{name}"
        value = getattr(config, name)
        if st.session_state.get(key, value) != value or key not in st.session_state:
            st.session_state[key] = value


def write_link(lesson: str, config: Config) -> None:
    """Bring the address up to date: it names each knob that differs from its default."""
    texts = {f"{lesson}_{name}": text for name, text in as_texts(config).items()}
    others = {name: text for name, text in st.query_params.to_dict().items() if not name.startswith(f"{lesson}_")}
    st.session_state[f"{lesson}:link"] = {name.removeprefix(f"{lesson}_"): text for name, text in texts.items()}
    if st.query_params.to_dict() != others | texts:
        st.query_params.from_dict(others | texts)


def show(lesson: str, config: Config, groups: Iterable[str]) -> None:
    """The knobs as widgets, group by group; the less used ones behind "More"."""
    specs = {name: spec for name, spec in knobs(type(config)).items() if name not in hidden()}
    for group in groups:
        of_group = {name: spec for name, spec in specs.items() if spec.group == group}
        if not of_group:
            continue
        extra = {name: spec for name, spec in of_group.items() if spec.more}
        with st.container(horizontal=True, vertical_alignment="center", key=f"{lesson}-head-{group}"):
            st.markdown(f"**{group}**")
            if extra:
                with st.popover("More", type="tertiary"):
                    _widgets(lesson, config, extra)
        _widgets(lesson, config, {name: spec for name, spec in of_group.items() if not spec.more})


def hidden() -> set[str]:
    """The knobs that the link asks to hide."""
    return {name.strip() for name in st.query_params.get(HIDE, "").split(",") if name.strip()}


def _link(lesson: str) -> dict[str, str]:
    prefix = f"{lesson}_"
    return {
        name.removeprefix(prefix): text for name, text in st.query_params.to_dict().items() if name.startswith(prefix)
    }


def _from_widgets(lesson: str, config_type: type[Config]) -> tuple[Config, list[str]]:
    """What the widgets hold. A value past its limit (a browser can send anything) is refused with a sentence."""
    before: Config = st.session_state[f"{lesson}:config"]
    texts = {}
    for name in knobs(config_type):
        value = st.session_state.get(f"{lesson}_{name}", getattr(before, name))
        texts[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return parse(config_type, texts)


def _widgets(lesson: str, config: Config, specs: dict[str, Knob]) -> None:
    for name, spec in specs.items():
        _widget(
            f"{lesson}_{name}", spec, default_of(type(config), name), applies=not spec.applies or spec.applies(config)
        )


def _widget(key: str, spec: Knob, default: Any, *, applies: bool) -> None:
    words = spec.help if spec.live else f"{spec.help} {STARTS_OVER}".strip()
    common: dict[str, Any] = {"label": spec.label, "key": key, "help": words or None, "disabled": not applies}
    if isinstance(default, bool):
        st.toggle(**common)
    elif spec.options is not None and isinstance(default, str):
        st.selectbox(options=spec.options, format_func=spec.name_of, **common)
    elif spec.options is not None:
        st.select_slider(options=spec.options, format_func=spec.name_of, **common)
    else:
        kind = type(default)  # Streamlit wants the bounds to be numbers of the value's own kind
        bounds = {"min_value": kind(spec.lo or 0), "max_value": kind(spec.hi or 0), "step": kind(spec.step or 1)}
        typed = spec.hi is not None and spec.hi > MOST_ON_A_SLIDER
        (st.number_input if typed else st.slider)(**bounds, **common)
