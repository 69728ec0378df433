"""Knobs as widgets: a lesson's config, read from the link, turned by hand, and written back to the link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from playground.knobs import Config, Knob

MOST_ON_A_SLIDER = 5000  # a number that may be larger is typed in
STARTS_OVER = "Turning it starts the run over."
HIDE = "hide"  # the teacher's link parameter: names of knobs that are not shown


def read(lesson: str, config_type: type[Config], apart: Iterable[str] = ()) -> tuple[Config, list[str]]:
    """The present config of a lesson (or lab), and a sentence for each value that was refused just now.

    `apart` names the labs whose parameters also begin with the lesson's name and are not its own.
    The link decides on the first visit and whenever the visitor changes it (with the browser's Back); else the widgets.
    """
    if f"{lesson}:config" not in st.session_state:
        config, problems = config_type.parse(_link(lesson, apart))
    else:
        config, problems = _from_widgets(lesson, config_type)
        by_hand = config != st.session_state[f"{lesson}:config"] or problems
        if not by_hand and _link_has_changed(lesson, apart):
            config, problems = config_type.parse(_link(lesson, apart))
    use(lesson, config)  # even if it is the same: widgets that were not on the page have forgotten their values
    return config, problems


def turned(lesson: str, config_type: type[Config]) -> bool:
    """Whether a widget on the page holds another value than the config that was read last."""
    before = st.session_state.get(f"{lesson}:config")
    return before is not None and _from_widgets(lesson, config_type)[0] != before


def _link_has_changed(lesson: str, apart: Iterable[str]) -> bool:
    """Whether the visitor, not this page, has changed the address.

    An address without settings counts only where they were open already: coming back to them keeps them.
    Just after a click that chose a config the browser may still send the address before; that is no change.
    """
    chosen, texts = st.session_state.pop(f"{lesson}:chosen", False), _link(lesson, apart)
    coming_back = not texts and st.session_state.get("arrived", False)
    return not chosen and not coming_back and texts != st.session_state.get(f"{lesson}:link", {})


def choose(lesson: str, config: Config) -> None:
    """What a button does that sets the whole config at once: a preset, an experiment."""
    use(lesson, config)
    st.session_state[f"{lesson}:chosen"] = True
    st.session_state.pop("told", None)


def use(lesson: str, config: Config) -> None:
    """Make this the lesson's config: its widgets take over the values."""
    st.session_state[f"{lesson}:config"] = config
    for name in config.knobs():
        key = f"{lesson}_{name}"
        value = getattr(config, name)
        if config.knobs()[name].many:
            value = value.split(",")  # as its widget holds it
        if st.session_state.get(key, value) != value or key not in st.session_state:
            st.session_state[key] = value


def told(configs: Mapping[str, Config], problems: list[str]) -> list[str]:
    """The problems to tell: the new ones, or else those of before, as long as nothing has been turned since."""
    before, still = st.session_state.get("told", (None, []))
    if problems or configs != before or st.session_state.get("arrived", False):
        still = problems
    st.session_state["told"] = (configs, still)
    return still


def write_link(lesson: str, configs: Mapping[str, Config]) -> None:
    """Bring the address up to date: it names each knob that differs from its default, of the configs by their names."""
    link = {name: text for name, text in st.query_params.to_dict().items() if not name.startswith(f"{lesson}_")}
    for name, config in configs.items():
        link |= {f"{name}_{knob}": text for knob, text in config.as_texts().items()}
    if st.query_params.to_dict() != link:
        st.query_params.from_dict(link)
    for name, config in configs.items():  # after it is sent: the next click may cut this run short at any line
        st.session_state[f"{name}:link"] = config.as_texts()
    st.session_state["open"] = list(configs)
    st.session_state["arrived"] = False


def show(lesson: str, config: Config) -> None:
    """The knobs as widgets, group by group in order of declaration; the less used ones behind "More"."""
    specs = {name: spec for name, spec in config.knobs().items() if name not in hidden()}
    specs = {name: spec for name, spec in specs.items() if not (spec.shy and spec.applies) or spec.applies(config)}
    for name in config.knobs().keys() - specs.keys():
        st.session_state.pop(f"{lesson}_{name}", None)  # or it would come back later in the place of the knob's own
    for group in dict.fromkeys(spec.group for spec in specs.values()):
        of_group = {name: spec for name, spec in specs.items() if spec.group == group}
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


def _link(lesson: str, apart: Iterable[str] = ()) -> dict[str, str]:
    prefix, others = f"{lesson}_", tuple(f"{name}_" for name in apart)
    texts = {name: text for name, text in st.query_params.to_dict().items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): text for name, text in texts.items() if not name.startswith(others)}


def _from_widgets(lesson: str, config_type: type[Config]) -> tuple[Config, list[str]]:
    """What the widgets hold. A value past its limit (a browser can send anything) is refused with a sentence.

    Only widgets that are on the page count: Streamlit gives an absent one the value it had before it first appeared.
    """
    before: Config = st.session_state[f"{lesson}:config"]
    if st.session_state.get("arrived", False) or lesson not in st.session_state.get("open", ()):
        return before, []
    texts = {}
    for name in config_type.knobs():
        value = st.session_state.get(f"{lesson}_{name}", getattr(before, name))
        if isinstance(value, list):
            order = config_type.knobs()[name].options or ()
            value = ",".join(str(option) for option in order if option in value) or getattr(before, name)
        texts[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return config_type.parse(texts)


def _widgets(lesson: str, config: Config, specs: dict[str, Knob]) -> None:
    for name, spec in specs.items():
        applies = not spec.applies or spec.applies(config)
        widget(f"{lesson}_{name}", spec, getattr(config, name), applies=applies)


def widget(key: str, spec: Knob, value: Any, *, applies: bool = True) -> Any:
    """One knob's widget, of the kind that suits its values; what it holds.

    Every run says the knob's value again. The browser mounts what a popover holds when it is opened first, long after
    the run that set the value, and a widget that was told none takes its smallest one and sends it back.
    """
    words = spec.help if spec.live else f"{spec.help} {STARTS_OVER}".strip()
    common: dict[str, Any] = {"label": spec.label, "key": key, "help": words or None, "disabled": not applies}
    if isinstance(value, bool):
        return st.toggle(value=value, **common)
    if spec.many:
        return st.pills(options=spec.options, default=value.split(","), selection_mode="multi",
                        format_func=spec.name_of, **common)  # fmt: skip
    if isinstance(value, str) and spec.options is None:
        return st.text_input(value=value, max_chars=spec.max_length, **common)
    options = list(spec.options or ())
    if isinstance(value, str):
        return st.selectbox(options=options, index=options.index(value), format_func=spec.name_of, **common)
    if options:
        return st.select_slider(options=options, value=value, format_func=spec.name_of, **common)
    kind = type(value)  # Streamlit wants the bounds to be numbers of the value's own kind
    bounds = {"min_value": kind(spec.lo or 0), "max_value": kind(spec.hi or 0), "step": kind(spec.step or 1)}
    typed = spec.hi is not None and spec.hi > MOST_ON_A_SLIDER
    return (st.number_input if typed else st.slider)(value=value, **bounds, **common)
