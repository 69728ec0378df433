"""Knobs that are shown and turned in a board: what the page gives the board, and what it takes from a browser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.widgets import knob_widgets
from playground.lesson import Lab, LiveLesson
from playground.lessons import BENCHES, LESSONS
from tests.pages import toys
from tests.pages.session import Open, another, board, follow, held, link, say, settings, warnings, widgets

ECHO, LINE, COUNT, _ = toys.LESSON.benches
REGRESSION = LESSONS["regression"]
DRAWN = [bench for bench in BENCHES.values() if isinstance(bench, (Lab, LiveLesson)) and bench.charts]


@pytest.fixture
def toy(visit: Open) -> AppTest:
    """The page of the small labs, with the first one open."""
    return visit(toys.LESSON)


def turned(session: AppTest, name: object, value: object) -> None:
    """Have the board say that one of its knobs was turned."""
    say(session, "board", "turned", {"name": name, "value": value})


def controls(session: AppTest) -> dict[str, dict[str, Any]]:
    return {control["name"]: control for control in board(session)["knobs"]}


@pytest.mark.parametrize(("name", "value"), [("text", "two"), ("times", 7), ("loud", True), ("kinds", "a,c")], ids=str)
def test_a_knob_turned_in_the_board_turns_its_widget_the_picture_and_the_link(
    toy: AppTest, name: str, value: Any
) -> None:
    turned(toy, name, value)
    assert getattr(settings(toy, ECHO), name) == value
    assert widgets(toy)[f"{ECHO.name}_{name}"].value == held(ECHO, name, value)
    assert link(toy)[f"{ECHO.name}_{name}"] == str(value).lower()
    assert controls(toy)[name]["value"] == value
    assert warnings(toy) == []


def test_a_whole_number_of_javascript_sets_a_knob_that_takes_floats(toy: AppTest) -> None:
    follow(toy, toys_lab="line")
    turned(toy, "slope", 1)
    assert settings(toy, LINE).slope == 1.0
    turned(toy, "shift", -2)
    assert settings(toy, LINE).shift == -2.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("times", "7"), ("times", 2.5), ("times", True), ("times", None), ("times", [3]), ("text", 7), ("text", "a\n"),
        ("text", "A" * 200), ("loud", 1), ("loud", "true"), ("kinds", ""), ("kinds", "a,z"), ("kinds", ["a"]),
        ("nothing", 1), ("__class__", 1), (None, 1), ({"times": 1}, 1), (["times"], 1), (7, 7),
    ],
    ids=str,
)  # fmt: skip
def test_what_the_board_cannot_send_changes_nothing(toy: AppTest, name: object, value: object) -> None:
    before = settings(toy, ECHO)
    turned(toy, name, value)
    assert settings(toy, ECHO) == before
    assert warnings(toy) == []


@pytest.mark.parametrize("sent", [None, 1, "times", [["times", 2]], {}, {"name": "times"}, {"value": 2}], ids=str)
def test_a_message_of_another_shape_changes_nothing(toy: AppTest, sent: object) -> None:
    before = settings(toy, ECHO)
    say(toy, "board", "turned", sent)
    assert settings(toy, ECHO) == before


def test_numbers_that_json_should_not_have_change_nothing(toy: AppTest) -> None:
    follow(toy, toys_lab="line")
    before = settings(toy, LINE)
    for value in (float("nan"), float("inf"), 10**400):
        turned(toy, "shift", value)
        assert settings(toy, LINE) == before


def test_a_typed_number_out_of_bounds_is_moved_to_the_nearest_and_the_page_says_so_until_the_next_change(
    toy: AppTest,
) -> None:
    turned(toy, "times", 300)
    assert settings(toy, ECHO).times == 9
    assert [("300" in warning and "9" in warning) for warning in warnings(toy)] == [True]
    turned(toy, "times", 4)
    assert warnings(toy) == []


def test_a_hidden_knob_cannot_be_turned_and_the_board_shows_it_locked(toy: AppTest) -> None:
    follow(toy, hide="times,loud")
    turned(toy, "times", 7)
    turned(toy, "loud", True)
    assert settings(toy, ECHO) == ECHO.config()
    locked = {name: control["locked"] for name, control in controls(toy).items()}
    assert locked == {"text": False, "times": True, "loud": True, "kinds": False}
    assert controls(toy)["times"]["value"] == 3


def test_a_knob_without_effect_cannot_be_turned(toy: AppTest) -> None:
    follow(toy, toys_lab="line")
    turned(toy, "bend", 2.0)
    assert settings(toy, LINE) == LINE.config()
    assert "bend" not in controls(toy)
    turned(toy, "shape", "bent")
    turned(toy, "bend", 2.0)
    assert settings(toy, LINE).bend == 2.0


def test_a_knob_of_a_lab_that_is_not_open_cannot_be_turned(toy: AppTest) -> None:
    follow(toy, toys_lab="line")
    turned(toy, "times", 7)
    follow(toy, toys_lab="echo")
    assert settings(toy, ECHO) == ECHO.config()


def test_turning_twice_before_the_browser_knows_the_new_address_keeps_both(toy: AppTest) -> None:
    old = link(toy)
    turned(toy, "times", 5)
    toy.query_params.clear()
    for name, text in old.items():
        toy.query_params[name] = text
    turned(toy, "loud", True)
    assert (settings(toy, ECHO).times, settings(toy, ECHO).loud) == (5, True)


@pytest.mark.parametrize("bench", DRAWN, ids=lambda bench: bench.name)
def test_every_control_says_all_that_the_board_needs_and_its_values_are_legal(bench: Lab | LiveLesson) -> None:
    config = bench.config()
    for control in json.loads(json.dumps(knob_widgets.for_board(bench, config))):
        spec = bench.config.knobs()[control["name"]]
        values = [option["value"] for option in control["options"]]
        assert spec.checked(control["value"]) == getattr(config, control["name"])
        assert [spec.checked(value) for value in values] == list(spec.options or ()) or spec.many
        assert control["label"] and (control["text"] or control["value"] == "")
        assert all(option["text"] for option in control["options"])
        assert (control["kind"] in ("slider", "choice", "many")) == bool(values) or control["kind"] == "slider"
        if control["kind"] == "number" or (control["kind"] == "slider" and not values):
            assert control["lo"] < control["hi"]


@pytest.mark.parametrize("bench", DRAWN, ids=lambda bench: bench.name)
def test_the_board_has_the_knobs_of_the_bar_and_of_a_drawn_network(bench: Lab | LiveLesson) -> None:
    names = {control["name"] for control in knob_widgets.for_board(bench, bench.config())}
    specs = bench.config.knobs()
    shown = {name for name, spec in specs.items() if not spec.shy or spec.applies_to(bench.config())}
    assert {name for name in shown if specs[name].bar} <= names
    for chart in bench.charts:
        if chart.network is not None:
            network = chart.network
            named = {network.data, network.inputs, network.layers, network.activation, *network.units} - {""}
            assert named <= specs.keys()
            assert named & shown <= names, "a knob that the drawing names does not exist, or is not given to the board"
    assert all(another(bench.config, name) != specs[name].default for name in names)


def test_a_run_follows_a_live_knob_and_starts_over_for_another(visit: Open) -> None:
    session = visit(REGRESSION)
    bar = [name for name, spec in REGRESSION.config.knobs().items() if spec.bar]
    for name in bar:
        value = another(REGRESSION.config, name)
        turned(session, name, value)
        assert getattr(settings(session, REGRESSION), name) == value
