"""Knobs as widgets: a bench's config, read from the link, changed by hand, and written back to the link.

A bench is a lesson that trains, a lab, or the choice of labs. The widget of one of its knobs has the key
`<bench>_<knob>`, which is also the knob's parameter in the link.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal

import streamlit as st

from pages.ui.classroom import locks
from pages.ui.messages import TEXT
from pages.ui.session import session
from pages.ui.widgets import widget_values
from playground.knobs import MAX_NUMBER, Config, Knob, KnobError, Value, as_text
from playground.lesson import Lab, LiveLesson
from playground.lessons import LESSONS

Kind = Literal["choice", "slider", "number", "switch", "many", "text"]  # of the control that sets a knob

MAX_ON_A_SLIDER = 5000  # a number that may be larger gets a field to type into
MAX_PLACES = 2_000  # of a slider, too: with more a pixel is several of them
widget_values.check_all()  # before the first page reads one
HIDE = "hide"  # the teacher's link parameter: names of knobs that are not shown
TRY = "try"  # what follows a lesson's name in the link parameter that names an experiment; no knob can be called so


def read(bench: str, config_type: type[Config], apart: Iterable[str] = ()) -> tuple[Config, list[str]]:
    """The current config of a bench, and a sentence for each value that this rerun has refused.

    `apart` names the labs whose parameters also begin with the bench's name and belong to the labs.
    The link decides on the first visit and whenever the visitor changes it (with the browser's Back); else the widgets.
    """
    before = session().bench(bench).config
    if before is None:
        config, problems = config_type.parse(in_address(bench, apart))
    else:
        config, problems = _from_widgets(bench, config_type, before)
        by_hand = config != before or problems
        if not by_hand and _link_has_changed(bench, apart):
            config, problems = config_type.parse(in_address(bench, apart))
        problems = [*session().bench(bench).refused, *problems]
    session().bench(bench).refused = []
    config = keep_locked(bench, config, before)
    set_widgets(bench, config)  # even if it is the same: widgets that were not on the page have lost their values
    return config, problems


def changed_by_hand(bench: str, config_type: type[Config]) -> bool:
    """Whether a widget on the page holds another value than the config that was read last."""
    before = session().bench(bench).config
    return before is not None and _from_widgets(bench, config_type, before)[0] != before


def _link_has_changed(bench: str, apart: Iterable[str]) -> bool:
    """Whether the visitor, not this page, has changed the address.

    An address without settings counts only where they were open already: coming back to them keeps them.
    Just after a click that chose a config, the browser may still send the earlier address; that is not a change.
    """
    state, texts = session().bench(bench), in_address(bench, apart)
    chosen, state.chosen = state.chosen, False
    coming_back = not texts and session().arrived
    return not chosen and not coming_back and texts != state.link


def choose(bench: str, config: Config) -> None:
    """Set the whole config at once, for a callback: an experiment, a click in a chart. Locked settings stay."""
    config = keep_locked(bench, config, session().bench(bench).config)
    set_widgets(bench, config)
    session().bench(bench).chosen = True
    session().problems, session().problems_of = [], None


def keep_locked(bench: str, config: Config, before: Config | None) -> Config:
    """The config with those settings as they were, or at their defaults, that the teacher of the class has locked."""
    if session().bench(bench).is_given:
        return config
    return config.with_values(**locked_values(type(config), before))


def locked_values(config_type: type[Config], config: Config | None) -> dict[str, Value]:
    """The settings that the teacher of the class has locked, as they are in the config, or else at their defaults."""
    known = config if config is not None else config_type()
    return {name: getattr(known, name) for name in locks.locked() & known.knobs().keys()}


def turn(bench: str, name: object, value: object) -> bool:
    """Set one knob of a bench that is open, for a callback of its board; whether that was possible.

    A browser can send anything. A number outside its bounds is moved to the nearest one, as in a link, and the next
    `read` says so; everything else that is not legal, a hidden knob and one without an effect are left as they are.
    """
    config = session().bench(bench).config if bench in session().open else None
    if config is None or not isinstance(name, str) or name not in config.knobs() or name in hidden_knobs():
        return False
    spec = config.knobs()[name]
    if not spec.applies_to(config):
        return False
    problems: list[str] = []
    try:
        turned = spec.checked(value)
    except KnobError:
        if not _is_number_out_of_bounds(spec, value):
            return False
        parsed, problems = type(config).parse({name: as_text(value)})  # type: ignore[arg-type]  # it is a number
        turned = getattr(parsed, name)
    choose(bench, config.with_values(**{name: turned}))
    session().bench(bench).refused = problems
    return True


def turner(bench: str) -> Callable[[Any], None]:
    """A callback for a board of this bench: it takes {"name": ..., "value": ...} of the knob that was turned."""

    def take(turned: Any) -> None:
        if isinstance(turned, dict):
            turn(bench, turned.get("name"), turned.get("value"))

    return take


def _is_number_out_of_bounds(spec: Knob, value: object) -> bool:
    """Whether a value that the knob has refused is a number, of a knob whose numbers have bounds."""
    is_bounded = spec.options is None and type(spec.default) in (int, float)
    kinds = (int,) if type(spec.default) is int else (int, float)
    return is_bounded and type(value) in kinds and abs(value) < MAX_NUMBER  # type: ignore[arg-type]


def set_widgets(bench: str, config: Config) -> None:
    """Make this the bench's config, and give its values to the widgets."""
    session().bench(bench).config = config
    for name, spec in config.knobs().items():
        key, value = f"{bench}_{name}", getattr(config, name)
        if spec.many:
            value = value.split(",")  # as its widget holds it
        if st.session_state.get(key, value) != value or key not in st.session_state:
            st.session_state[key] = value


def problems_to_show(configs: Mapping[str, Config], problems: list[str]) -> list[str]:
    """The problems to show: new ones, or the previous ones until a setting changes."""
    state = session()
    if problems or configs != state.problems_of or state.arrived:
        state.problems = problems
    state.problems_of = configs
    return state.problems


def write_link(lesson: str, configs: Mapping[str, Config], experiment: str = "") -> None:
    """Update the address: it has each knob that differs from its default, of the benches in `configs`.

    It also has the id of the experiment that is chosen, if one is.

    What else the session's first link had is in it again if the sidebar has dropped it. After the browser's Back the
    front end may send the settings of the page that was left; they do not belong to this one.
    """
    link = session().kept_parameters | st.query_params.to_dict()
    knobs = tuple(f"{name}_" for name in (lesson, *LESSONS))
    link = {name: text for name, text in link.items() if not name.startswith(knobs)}
    for name, config in configs.items():
        link |= {f"{name}_{knob}": text for knob, text in config.as_texts().items()}
    if experiment:
        link[try_parameter(lesson)] = experiment
    if st.query_params.to_dict() != link:
        st.query_params.from_dict(link)
    for name, config in configs.items():  # after it is sent: the next click may interrupt this run at any line
        session().bench(name).link = config.as_texts()
    session().rail(lesson).address = experiment
    session().open = tuple(configs)
    session().arrived = False


def changed(config: Config) -> list[str]:
    """The names of the knobs that are shown and not at their defaults."""
    return [name for name in config.changed_from(type(config)()) if name in _shown(config)]


def to_defaults(bench: str) -> None:
    """Set all knobs of a bench but the hidden ones to their defaults, for a button's callback."""
    config, hidden = session().bench(bench).config, hidden_knobs()
    if config is not None:
        values = {name: spec.default for name, spec in config.knobs().items() if name not in hidden}
        choose(bench, config.with_values(**values))


def show(bench: str, config: Config, additions: Mapping[str, Callable[[], None]] | None = None) -> None:
    """The knobs as widgets, group by group in order of declaration; the less used ones behind "More".

    `additions` show more at the end of the groups that they are named by, or at the end of all.
    """
    specs, rest = _shown(config), dict(additions or {})
    for name in config.knobs().keys() - specs.keys():
        st.session_state.pop(f"{bench}_{name}", None)  # or a widget shown later would start with this old value
    for group in dict.fromkeys(spec.group for spec in specs.values()):
        of_group = {name: spec for name, spec in specs.items() if spec.group == group}
        extra = {name: spec for name, spec in of_group.items() if spec.more}
        st.markdown(f"**{group}**")
        _widgets(bench, config, {name: spec for name, spec in of_group.items() if not spec.more})
        if extra:
            with st.expander(TEXT.page.more, key=f"{bench}-more-{group}"):
                _widgets(bench, config, extra)
        rest.pop(group, _nothing)()
    for add in rest.values():
        add()


def _shown(config: Config) -> dict[str, Knob]:
    """The knobs that have a widget: not hidden, and with an effect if they are shy."""
    hidden = hidden_knobs()
    return {
        name: spec
        for name, spec in config.knobs().items()
        if name not in hidden and (not spec.shy or spec.applies_to(config))
    }


def _nothing() -> None:
    """Shows nothing."""


def for_board(bench: LiveLesson | Lab, config: Config, hidden: Collection[str] | None = None) -> list[dict[str, Any]]:
    """The knobs that a board shows as controls of its own, in order of declaration: each with its spec and its value.

    These are the ones beside the player (`bar`), those that a chart shows where they act, and remedies; shy ones only
    while they have an effect. A `hidden` one (by the link, if nothing is given) is `locked` beside the player, and
    where it says what the network is: the board shows its value.
    """
    of_network: set[str] = set()
    stated: set[str] = set()  # also where they are hidden
    for chart in bench.charts:
        of_network |= set(chart.controls)
        of_network |= {chart.brush} | (chart.network.names if chart.network else set())
        if chart.network:
            stated |= {chart.network.data, chart.network.layers, chart.network.activation}
    hidden, shown = hidden_knobs() if hidden is None else hidden, []
    for name, spec in config.knobs().items():
        if spec.shy and not spec.applies_to(config):
            continue
        if spec.bar or spec.remedy or name in stated or (name in of_network and name not in hidden):
            value = getattr(config, name)
            control: dict[str, Any] = {
                "name": name,
                "label": spec.label,
                "help": help_of(spec),
                "kind": kind_of(spec),
                "options": [{"value": option, "text": spec.name_of(option)} for option in spec.options or ()],
                "lo": spec.lo, "hi": spec.hi, "step": spec.step,
                "value": value, "text": spec.name_of(value),
                "applies": spec.applies_to(config), "bar": spec.bar, "live": spec.live, "locked": name in hidden,
            }  # fmt: skip
            shown.append(control)
    return shown


def kind_of(spec: Knob) -> Kind:
    """The kind of control that suits a knob's values."""
    if isinstance(spec.default, bool):
        return "switch"
    if spec.many:
        return "many"
    if isinstance(spec.default, str):
        return "text" if spec.options is None else "choice"
    if spec.options is not None:
        return "slider"
    lo, hi, step = spec.lo or 0, spec.hi or 0, spec.step or 1
    return "number" if hi > MAX_ON_A_SLIDER or (hi - lo) / step > MAX_PLACES else "slider"


def help_of(spec: Knob) -> str:
    """What a knob does, and whether changing it starts the run over."""
    return spec.help if spec.live else TEXT.page.starts_over.format(help=spec.help).strip()


def hidden_knobs() -> set[str]:
    """The names of the knobs that the link asks to hide, and of those that the teacher of the class has locked."""
    return names_in(st.query_params.get(HIDE, session().kept_parameters.get(HIDE, ""))) | locks.locked()


def names_in(text: str) -> set[str]:
    """The names in a list with commas."""
    return {name.strip() for name in text.split(",") if name.strip()}


def try_parameter(lesson: str) -> str:
    """The link parameter that names an experiment of this lesson."""
    return f"{lesson}_{TRY}"


def in_address(bench: str, apart: Iterable[str] = ()) -> dict[str, str]:
    """The settings of a bench that the address has: knob -> text."""
    prefix, others = f"{bench}_", tuple(f"{name}_" for name in apart)
    texts = {name: text for name, text in st.query_params.to_dict().items() if name.startswith(prefix)}
    texts.pop(try_parameter(bench), None)
    return {name.removeprefix(prefix): text for name, text in texts.items() if not name.startswith(others)}


def _from_widgets(bench: str, config_type: type[Config], before: Config) -> tuple[Config, list[str]]:
    """The config that the widgets hold, and a sentence for each illegal value (a browser can send anything).

    Only widgets that are on the page count: Streamlit gives an absent one the value it had before it first appeared.
    """
    if session().arrived or bench not in session().open:
        return before, []
    texts = {}
    for name, spec in config_type.knobs().items():
        value = st.session_state.get(f"{bench}_{name}", getattr(before, name))
        if isinstance(value, list):
            value = ",".join(str(option) for option in spec.options or () if option in value) or getattr(before, name)
        texts[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return config_type.parse(texts)


def _widgets(bench: str, config: Config, specs: dict[str, Knob]) -> None:
    for name, spec in specs.items():
        widget(f"{bench}_{name}", spec, getattr(config, name), applies=spec.applies_to(config))


def widget(key: str, spec: Knob, value: Any, *, applies: bool = True, is_labelled: bool = True) -> Any:
    """Show one knob's widget, of the kind that suits its values, and give back the value that it holds.

    Every rerun gives the widget the knob's value. The browser builds what is in a popover when it is first opened, long
    after the rerun that set the value, and a widget without a value then takes its smallest one and sends it back.
    """
    common: dict[str, Any] = {"label": spec.label, "key": key, "help": help_of(spec) or None, "disabled": not applies}
    if not is_labelled:  # its label stands beside it
        common |= {"help": None, "label_visibility": "collapsed"}
    kind, options = kind_of(spec), list(spec.options or ())
    if kind == "switch":
        return st.toggle(value=value, **common)
    if kind == "many":
        return st.pills(options=spec.options, default=value.split(","), selection_mode="multi",
                        format_func=spec.name_of, **common)  # fmt: skip
    if kind == "text":
        return st.text_input(value=value, max_chars=spec.max_length, **common)
    if kind == "choice":
        return st.selectbox(options=options, index=options.index(value), format_func=spec.name_of, **common)
    if options:
        return st.select_slider(options=options, value=value, format_func=spec.name_of, **common)
    number = type(value)  # Streamlit wants the bounds to be numbers of the value's own type
    bounds = {"min_value": number(spec.lo or 0), "max_value": number(spec.hi or 0), "step": number(spec.step or 1)}
    return (st.number_input if kind == "number" else st.slider)(value=value, **bounds, **common)
