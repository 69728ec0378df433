"""What a teacher's link sets lasts for the whole session, wherever the student goes."""

from __future__ import annotations

import pytest

from playground.lesson import LabLesson, Lesson
from playground.lessons import LESSONS
from tests.pages.session import Open, board, follow, go, link, shown_knobs

REGRESSION, TENSORS = LESSONS["regression"], LESSONS["tensors"]


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_hidden_settings_stay_hidden_after_a_round_trip_through_the_sidebar(visit: Open, lesson: Lesson) -> None:
    bench = lesson.benches[0]
    names = list(bench.config.knobs())[:2]
    session = visit(lesson, hide=",".join(names))
    shown = shown_knobs(session, bench)
    assert not shown & set(names)
    go(session, "home.py")
    assert link(session) == {"hide": ",".join(names)}, "also for a reload there"
    go(session, f"{lesson.name}.py")
    assert shown_knobs(session, bench) == shown
    assert link(session)["hide"] == ",".join(names), "a reload keeps it too"


def test_the_choice_of_labs_stays_hidden(visit: Open) -> None:
    assert isinstance(TENSORS, LabLesson)
    session = visit(TENSORS, hide="lab", tensors_lab="memory")
    go(session, "regression.py")
    go(session, "tensors.py")
    assert [picker.key for picker in session.button_group if picker.key == "tensors_lab"] == []
    assert link(session) == {"hide": "lab", "tensors_lab": "memory"}


def test_what_a_teacher_hides_is_hidden_on_every_page(visit: Open) -> None:
    session = visit(REGRESSION, hide="lr,noise")
    go(session, "classification.py")
    assert "lr" not in shown_knobs(session, LESSONS["classification"].benches[0])
    assert link(session)["hide"] == "lr,noise"


def test_any_other_parameter_lasts_too_but_no_lessons_own(visit: Open) -> None:
    session = visit(REGRESSION, lang="de", group="7b", regression_lr="0.1", versus="noise:0.1", at="0.x")
    go(session, "classification.py")
    assert link(session) == {"lang": "de", "group": "7b"}
    go(session, "regression.py")
    assert link(session) == {"lang": "de", "group": "7b", "regression_lr": "0.1", "versus": "noise:0.1"}
    assert board(session)["second"], "the comparison is open again"


def test_a_comparison_that_was_closed_stays_closed(visit: Open) -> None:
    session = visit(REGRESSION, versus="lr:0.05")
    session.toggle(key="regression:versus").set_value(False).run()
    go(session, "home.py")
    go(session, "regression.py")
    assert "versus" not in link(session)
    assert not board(session)["second"]


def test_a_rerun_that_still_has_the_address_of_the_page_before_hides_as_well(visit: Open) -> None:
    session = visit(REGRESSION, hide="lr")
    follow(session)
    assert "lr" not in shown_knobs(session, REGRESSION.benches[0])
    assert link(session)["hide"] == "lr"


def test_another_teachers_link_takes_the_place_of_the_first(visit: Open) -> None:
    session = visit(REGRESSION, hide="lr")
    go(session, "regression.py", hide="noise")
    go(session, "home.py")
    go(session, "regression.py")
    shown = shown_knobs(session, REGRESSION.benches[0])
    assert "lr" in shown and "noise" not in shown
    follow(session, hide="")
    assert {"lr", "noise"} <= shown_knobs(session, REGRESSION.benches[0])


def test_names_may_be_hidden_one_by_one(visit: Open) -> None:
    session = visit()
    session.query_params["hide"] = ["lr", "noise"]
    session.switch_page("regression.py").run()
    assert not {"lr", "noise"} & shown_knobs(session, REGRESSION.benches[0])
    assert link(session)["hide"] == "lr,noise"
