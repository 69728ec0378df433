"""What a visitor does on a page that Streamlit runs with no browser; tests of pages are written in these words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from streamlit.components.v2.bidi_component.main import _make_trigger_id as trigger_id
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

from pages.ui.session import KEY
from playground.knobs import Config, Knob, Value
from playground.lesson import Bench

SCRIPT = Path(__file__).resolve().parents[2] / "pages" / "navigation.py"
RUN_SECONDS = 60.0
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "[Free lessons](https://evil.example)",
    "![](https://evil.example/pixel.png)",
    "https://evil.example",
    "www.evil.example",
    "`</code>` ``<b>`` www.evil.example",
    "“quoted” <b>bold</b> ”[x](//evil.example)“",
    ":red[alarm] :material/warning: $x^2$",
    "A" * 5_000,
    "\n\n# Heading\n\n- list",
    "",
    "nan",
    "-inf",
    "1e999",
    "9" * 400,
    "0x10",
    "\x00\x1b[31m",
)
Open = Callable[..., AppTest]


def go(session: AppTest, to: str, **parameters: str) -> None:
    """Follow a link to another page."""
    session.query_params.clear()
    for name, text in parameters.items():
        session.query_params[name] = text
    session.switch_page(to).run()
    assert list(session.exception) == []


def follow(session: AppTest, **parameters: str) -> None:
    """Follow a link to the same page with other query parameters, or press the browser's Back."""
    session.query_params.clear()
    for name, text in parameters.items():
        session.query_params[name] = text
    session.run()
    assert list(session.exception) == []


def link(session: AppTest) -> dict[str, str]:
    """The query parameters in the address."""
    return {name: text if isinstance(text, str) else text[-1] for name, text in session.query_params.items()}


def parameters_of(bench: Bench, config: Config) -> dict[str, str]:
    return {f"{bench.name}_{name}": text for name, text in config.as_texts().items()}


def settings(session: AppTest, bench: Bench) -> Config:
    """The config of a lesson or lab as the page read it last."""
    found = session.session_state[KEY].bench(bench.name).config
    assert isinstance(found, Config)
    return found


def board(session: AppTest) -> dict[str, Any]:
    """What the page gives its one board."""
    (found,) = boards(session)
    return found


def boards(session: AppTest) -> list[dict[str, Any]]:
    """What the page gives its boards, of which it may have none."""
    return _given(session, "board")


def words(session: AppTest) -> str:
    """The HTML of the page's prose."""
    (found,) = _given(session, "prose")
    return str(found["html"])


def asked(session: AppTest) -> list[dict[str, Any]]:
    """The questions of the page's prose."""
    (found,) = _given(session, "prose")
    return list(found["questions"])


def given_to_all(session: AppTest) -> list[Any]:
    """What the page gives all its components."""
    return [json.loads(each.proto.json) for each in session.get("bidi_component")]


def sheets(session: AppTest) -> list[tuple[str, str]]:
    """The HTML of the note and of the tables of a still lab, in its board or below it; none where it has neither."""
    places = [*(each["lab"] for each in boards(session) if "lab" in each), *_given(session, "sheet")]
    note, tables = ("".join(str(place[part]) for place in places) for part in ("note", "tables"))
    return [(note, tables)] if note or tables else []


def refusals(session: AppTest) -> list[str]:
    """What boards say over their last pictures, where a still lab cannot be drawn."""
    return [each["lab"]["refusal"] for each in boards(session) if each.get("lab", {}).get("refusal")]


def _given(session: AppTest, component: str) -> list[dict[str, Any]]:
    found = (each.proto for each in session.get("bidi_component"))
    return [dict(json.loads(proto.json)) for proto in found if proto.component_name == component]


def try_out(session: AppTest, experiment: object) -> None:
    """Press the button of an experiment: the board says its id, and a browser can say anything."""
    say(session, "board", "tried", {"id": experiment})


def rail(session: AppTest) -> dict[str, Any]:
    """What the board shows of the lesson's experiments."""
    return dict(board(session)["rail"])


def say(session: AppTest, component: str, event: str, value: object) -> None:
    """Have a component say this: a browser can say anything."""
    (found,) = (each.proto for each in session.get("bidi_component") if each.proto.component_name == component)
    states = session._tree.get_widget_states()
    said = WidgetState(id=trigger_id(found.id, "events"))
    said.json_trigger_value = json.dumps([{"event": event, "value": value}])
    states.widgets.append(said)
    session._run(states)
    assert list(session.exception) == []


def run_id(session: AppTest) -> str:
    """The run that the board shows."""
    return str(board(session)["run"])


def warnings(session: AppTest) -> list[str]:
    return [warning.value for warning in session.warning]


def widgets(session: AppTest) -> dict[str, Any]:
    """Every widget with a key."""
    kinds = ("button", "toggle", "selectbox", "select_slider", "slider", "number_input", "text_input", "button_group")
    return {widget.key: widget for kind in kinds for widget in session.get(kind) if widget.key}


def shown_knobs(session: AppTest, bench: Bench) -> set[str]:
    return {name for name in bench.config.knobs() if f"{bench.name}_{name}" in widgets(session)}


def held(bench: Bench, name: str, value: Value) -> Any:
    """A knob's value as its widget holds it."""
    return str(value).split(",") if bench.config.knobs()[name].many else value


def turn(session: AppTest, bench: Bench, name: str, value: Value) -> None:
    """Turn one knob by hand."""
    widgets(session)[f"{bench.name}_{name}"].set_value(held(bench, name, value)).run()
    assert list(session.exception) == []


def can_turn(session: AppTest, bench: Bench, name: str) -> bool:
    """Whether the knob's widget is there and enabled: not every knob matters for every config."""
    widget = widgets(session).get(f"{bench.name}_{name}")
    return widget is not None and not widget.disabled


def click(session: AppTest, key: str) -> None:
    widgets(session)[key].click().run()
    assert list(session.exception) == []


def another(config_type: type[Config], name: str) -> Value:
    """A legal value of a knob that is not its default."""
    spec = config_type.knobs()[name]
    default = spec.default
    if isinstance(default, bool):
        return not default
    if spec.options is not None:
        return next(option for option in reversed(spec.options) if option != default)
    if isinstance(default, str):
        return f"{default}1"[-spec.max_length :]
    step = spec.step or 1
    near = default + step if default + step <= spec.hi else default - step
    return type(default)(near)


def numbers(config_type: type[Config]) -> dict[str, Knob]:
    """The knobs that are numbers within bounds."""
    return {name: spec for name, spec in config_type.knobs().items() if spec.lo is not None and spec.hi is not None}


def one_of_each_kind(config_type: type[Config], among: Iterable[str] = ()) -> dict[str, Knob]:
    """One knob (`among` some, if any) for each way a text is read: by type, and from options or within bounds."""
    specs = config_type.knobs()
    kinds = {(type(specs[name].default), specs[name].options is None): name for name in among or specs}
    return {name: specs[name] for name in kinds.values()}


def live_text(sentence: str) -> str:
    """What of a Markdown sentence is not inside code."""
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", sentence, flags=re.DOTALL)


def assert_dead(sentence: str) -> None:
    """No HTML, link, picture, colour, formula or address of a hostile text is outside code, where Markdown ends."""
    assert not re.search(r"[<>\[\]$#]|:\w+|www\.|//|evil|\n", live_text(sentence)), sentence
