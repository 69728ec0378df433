"""The frame of a page: how many settings are changed, the way back to the defaults, problems, what "More" has."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.lesson import Lesson
from playground.lessons import LESSONS
from tests.pages import toys
from tests.pages.session import Open, _given, click, follow, go, link, settings, shown_knobs, turn, warnings, widgets

ECHO, LINE, *_ = toys.LESSON.benches
REGRESSION = LESSONS["regression"]
CLASSIFICATION = LESSONS["classification"]


@pytest.fixture
def toy(visit: Open) -> AppTest:
    """The page of the small labs, with the first one open."""
    return visit(toys.LESSON)


def part(session: AppTest, name: str) -> dict[str, Any]:
    (found,) = (given for given in _given(session, "title") if given["part"] == name)
    return found


def changed(session: AppTest) -> int:
    """The number beside "All settings"."""
    return int(part(session, "settings")["changed"])


def test_the_number_of_changed_settings_stands_beside_the_drawers_button(toy: AppTest) -> None:
    assert changed(toy) == 0
    turn(toy, ECHO, "times", 5)
    assert changed(toy) == 1
    assert part(toy, "settings")["label"] == "All settings, 1 is not at its default"
    turn(toy, ECHO, "loud", True)
    assert changed(toy) == 2
    turn(toy, ECHO, "times", 3)
    turn(toy, ECHO, "loud", False)
    assert changed(toy) == 0
    assert part(toy, "settings")["label"] == "All settings"


def test_a_setting_that_cannot_be_seen_does_not_count(toy: AppTest) -> None:
    follow(toy, hide="times", toys_echo_times="5", toys_echo_loud="true")
    assert changed(toy) == 1
    follow(toy, toys_lab="line", toys_line_bend="2")
    assert "bend" not in shown_knobs(toy, LINE)
    assert changed(toy) == 0


def test_back_to_the_defaults_sets_every_setting_and_empties_the_link(visit: Open) -> None:
    session = visit(CLASSIFICATION, classification_lr="0.1", classification_units_1="4", classification_noise="2")
    assert changed(session) == 3
    click(session, "classification:defaults")
    assert settings(session, CLASSIFICATION) == CLASSIFICATION.config()
    assert link(session) == {}
    assert changed(session) == 0
    assert widgets(session)["classification:defaults"].disabled
    turn(session, CLASSIFICATION, "noise", 2.0)
    assert link(session) == {"classification_noise": "2"}, "and they can be turned again"


def test_back_to_the_defaults_leaves_what_a_teacher_hides_and_other_labs(toy: AppTest) -> None:
    follow(toy, hide="times", toys_lab="line", toys_line_slope="1")
    widgets(toy)["toys_lab"].set_value("echo").run()
    turn(toy, ECHO, "loud", True)
    assert "times" not in shown_knobs(toy, ECHO)
    follow(toy, hide="times", toys_lab="echo", toys_echo_times="5", toys_echo_loud="true")
    click(toy, f"{ECHO.name}:defaults")
    assert settings(toy, ECHO) == ECHO.config(times=5)
    widgets(toy)["toys_lab"].set_value("line").run()
    assert settings(toy, LINE).slope == 1.0


def test_problems_are_shown_until_they_are_read_or_a_setting_changes(visit: Open) -> None:
    session = visit(REGRESSION, regression_lr="77", regression_foo="1")
    assert len(warnings(session)) == 2
    click(session, "problems:read")
    assert warnings(session) == []
    go(session, "classification.py", classification_lr="77")
    assert len(warnings(session)) == 1
    turn(session, CLASSIFICATION, "noise", 2.0)
    assert warnings(session) == []
    assert "problems:read" not in widgets(session)


def test_many_problems_are_four(visit: Open) -> None:
    assert len(warnings(visit(REGRESSION, **{f"regression_x{at}": "1" for at in range(9)}))) == 4


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_every_lesson_has_the_same_frame(visit: Open, lesson: Lesson) -> None:
    session = visit(lesson)
    assert [title.value for title in session.title] == [lesson.title]
    assert sorted(given["part"] for given in _given(session, "title")) == ["actions", "head", "idea", "settings"]
    expanders = [each.label for each in session.expander]
    assert "Share a link" in expanders
    assert ("Save and restore" in expanders) == (lesson.name in ("regression", "classification", "optimizers", "cnn"))


def test_what_is_long_to_load_is_on_the_page_only_when_it_is_open(visit: Open) -> None:
    session = visit(CLASSIFICATION)
    assert session.get("file_uploader") == [] and list(session.code) == [] and session.get("text_area") == []
    session.session_state["classification:data"] = True
    session.run()
    assert len(session.get("text_area")) == 1 and len(session.get("file_uploader")) == 1
    session.session_state["classification:save"] = True
    session.session_state["classification:share"] = True
    session.run()
    assert len(session.get("file_uploader")) == 2
    assert "classification" in session.code[0].value


def test_the_run_can_be_pinned_where_a_chart_shows_pinned_runs(visit: Open) -> None:
    assert part(visit(REGRESSION), "actions")["pin"]
    assert not part(visit(LESSONS["tensors"]), "actions")["pin"]
