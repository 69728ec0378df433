"""A browser sends widgets values that no widget has: the page stays as it is, and the log stays short."""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest

from pages.ui.session import KEY
from pages.ui.widgets import widget_values
from pages.ui.widgets.widget_values import BAD_MESSAGE, LEFT_OUT, OnceInAWhile
from playground.knobs import Config
from playground.lessons import LESSONS
from tests.pages.session import Open

POPOVERS = ("data", "save", "share", "versus", "code", "seeds", "table")
EDITS = '{"edited_rows": {"99": {"x": "z"}}, "added_rows": [5], "deleted_rows": ["a"]}'
EVENTS = '[{"event": "picked", "value": {"chart": [], "x": {}, "y": "z"}}, {"event": "chosen", "value": 5}]'
Fill = Callable[[WidgetState], Any]


def array(name: str, *values: Any) -> Fill:
    def fill(state: WidgetState) -> None:
        part = getattr(state, name)
        part.SetInParent()
        part.data.extend(values)

    return fill


def plain(name: str, value: Any) -> Fill:
    return lambda state: setattr(state, name, value)


def upload(state: WidgetState) -> None:
    state.file_uploader_state_value.uploaded_file_info.add(file_id="nowhere", name="x", size=5)


FORGED: dict[str, Fill] = {
    "trigger": plain("trigger_value", True),
    "bool": plain("bool_value", True),
    "NaN": plain("double_value", math.nan),
    "a huge number": plain("double_value", 1e308),
    "int": plain("int_value", -1),
    "no text": plain("string_value", ""),
    "text": plain("string_value", "\x00’1e999"),
    "edits": plain("string_value", EDITS),
    "JSON": plain("json_value", EDITS),
    "a number as JSON": plain("json_value", "5"),
    "events": plain("json_trigger_value", EVENTS),
    "no JSON": plain("json_trigger_value", "{"),
    "no numbers": array("double_array_value"),
    "numbers": array("double_array_value", math.nan, 1e308, -5),
    "indices": array("int_array_value", -1, 2**40),
    "texts": array("string_array_value", "x", "", "9" * 400),
    "bytes": plain("bytes_value", b"\xff\xfe"),
    "a table": lambda state: setattr(state.arrow_value, "data", b"junk"),
    "a file": upload,
    "words": lambda state: setattr(state.chat_input_value, "data", "x"),
    "nothing": lambda state: None,
}


def widgets(page: AppTest) -> list[str]:
    """The ids of all widgets that a page has shown."""
    return list(page.session_state._state._state._new_widget_state.widget_metadata)


def send(page: AppTest, fill: Fill, names: list[str] | None = None) -> None:
    """What a browser sends when it gives widgets of the page, or all, one value."""
    states = WidgetStates()
    for widget in names or widgets(page):
        state = states.widgets.add()
        state.id = widget
        fill(state)
    page._run(states)


@pytest.fixture
def logged() -> Iterator[list[logging.LogRecord]]:
    """What is logged, with a memory of nothing that was logged before."""
    records: list[logging.LogRecord] = []
    catch = logging.Handler()
    catch.emit = records.append  # type: ignore[method-assign]
    catch.addFilter(OnceInAWhile())
    names = (widget_values.log.name, *widget_values.STREAMLIT)
    for each in map(logging.getLogger, names):
        each.addHandler(catch)
    yield records
    for each in map(logging.getLogger, names):
        each.removeHandler(catch)


OPEN: dict[str, dict[str, str]] = {  # what else a page is opened with, to have all kinds of widgets
    "home": {},
    **{name: {} for name in LESSONS},
    "convolution, layers": {"convolution_lab": "chain"},
    "tensors, an array": {"tensors_lab": "operations"},
}


@pytest.mark.parametrize("name", OPEN)
def test_forged_values_of_all_widgets_change_nothing_but_legal_settings(
    name: str, visit: Open, logged: list[logging.LogRecord]
) -> None:
    lesson = LESSONS.get(name.partition(",")[0])
    page = visit(lesson, **OPEN[name])
    benches = [lesson.name, *(bench.name for bench in lesson.benches)] if lesson else []
    for bench in benches:
        for popover in POPOVERS:
            page.session_state[f"{bench}:{popover}"] = True
    page.run()
    for what, fill in FORGED.items():
        send(page, fill)
        assert [error.message for error in page.exception] == [], what
    assert not [record.getMessage() for record in logged if record.exc_info], "a traceback"
    assert len(logged) <= 2, "one line for all of them"
    for each in page.session_state[KEY].benches.values():
        assert each.config is None or isinstance(each.config, Config)
    page.run()
    assert not page.exception


def test_a_forged_value_leaves_the_knob_as_it_is(visit: Open) -> None:
    page = visit(LESSONS["regression"], regression_lr="0.3")
    before = page.session_state[KEY].bench("regression").config
    (widget,) = (each for each in widgets(page) if each.endswith("regression_lr"))
    for what in ("NaN", "JSON", "bytes", "a file", "indices", "text"):
        send(page, FORGED[what], [widget])
        assert page.session_state[KEY].bench("regression").config == before, what


def test_a_right_value_is_taken(visit: Open) -> None:
    page = visit(LESSONS["regression"])
    (widget,) = (each for each in widgets(page) if each.endswith("regression_lr"))
    send(page, array("string_array_value", "0.1"), [widget])
    assert page.session_state[KEY].bench("regression").config.lr == 0.1
    (widget,) = (each for each in widgets(page) if each.endswith("regression_max_steps"))
    send(page, plain("int_value", 700), [widget])  # as the browser's field for integers sends it
    assert page.session_state[KEY].bench("regression").config.max_steps == 700


# The log.


def receive_bytes() -> None:
    """As Starlette's function of this name when the message is text."""
    raise KeyError("bytes")


def fails(error: Exception) -> None:
    raise error


def record_of(failing: Callable[[], None], message: str = "Uncaught app execution") -> logging.LogRecord:
    try:
        failing()
    except Exception:
        trace = sys.exc_info()
    return logging.LogRecord("streamlit", logging.ERROR, __file__, 1, message, (), trace)


def test_the_same_error_is_logged_once_in_a_while_with_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    once, now = OnceInAWhile(), [0.0]
    monkeypatch.setattr(widget_values.time, "monotonic", lambda: now[0])
    passed = 0
    for _ in range(2_800):
        record = record_of(lambda: fails(TypeError("one")))
        passed += once.filter(record)
        assert record.exc_info, "an error of ours keeps its traceback"
    assert passed == 1
    assert once.filter(record_of(lambda: fails(ValueError("another")))), "another error is logged at once"
    now[0] += widget_values.QUIET_SECONDS
    assert once.filter(record_of(lambda: fails(TypeError("one")))), "and the first one again after a while"


@pytest.mark.parametrize(
    "record",
    [
        record_of(lambda: fails(ValueError("protobuf")), widget_values.UNREADABLE),
        record_of(receive_bytes, "Exception in ASGI application"),
    ],
    ids=["no protobuf", "a text"],
)
def test_what_is_no_message_at_all_is_one_line(record: logging.LogRecord) -> None:
    assert OnceInAWhile().filter(record)
    assert record.getMessage() == BAD_MESSAGE and not record.exc_info


def test_information_is_always_logged() -> None:
    once = OnceInAWhile()
    record = logging.LogRecord("streamlit", logging.INFO, __file__, 1, "Started", (), None)
    assert all(once.filter(record) for _ in range(3))


def test_a_widget_is_named_by_its_key_in_one_short_line() -> None:
    assert widget_values.shorten("$$ID-f92b3bce65a0-regression_lr") == "regression_lr"
    assert len(widget_values.shorten("\n\x1b[31m" * 999)) <= 60 and "\n" not in widget_values.shorten("a\nb")
    assert LEFT_OUT.count("%s") == 1
