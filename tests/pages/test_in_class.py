"""A page in a class: locks hold whatever a browser sends, the teacher's sends are followed, and own runs are kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st

from pages.ui.classroom.boards import BOARDS
from pages.ui.session import pool
from playground.classroom.orders import obey
from playground.lessons import LESSONS
from playground.workers.operations import PointsAsCsv
from tests.pages.a_class import CODE, Class, bar, knob, order, started, state
from tests.pages.session import (
    Open,
    board,
    follow,
    given_to_all,
    go,
    link,
    rail,
    run_id,
    say,
    settings,
    shown_knobs,
    try_out,
)

REGRESSION, CLASSIFICATION, TENSORS = (LESSONS[name] for name in ("regression", "classification", "tensors"))


@pytest.fixture
def lesson() -> Iterator[Class]:
    with started() as made:
        yield made


def test_a_page_without_a_class_has_nothing_of_it(visit: Open) -> None:
    session = visit(REGRESSION)
    assert not [each for each in given_to_all(session) if isinstance(each, dict) and "placed" in each]
    for nonsense in ("BCDFG", "bcdfgh", "AEIOUY", "<b>", "BCDFGHJ"):
        follow(session, **{"class": nonsense})
        assert not [each for each in given_to_all(session) if isinstance(each, dict) and "placed" in each]


def test_a_locked_setting_is_shown_and_nobody_turns_it(visit: Open, lesson: Class) -> None:
    session = visit(REGRESSION, **{"class": CODE})
    lesson.seat(session, "regression")
    before = settings(session, REGRESSION).lr
    lesson.do("lock", names=["lr"])
    order(session, again=True)
    assert bar(session)["locks"] == ["lr"] and bar(session)["labels"] == {"lr": "Learning rate"}
    assert "lr" not in shown_knobs(session, REGRESSION) and knob(session, "lr")["locked"]
    say(session, "board", "turned", {"name": "lr", "value": 0.001})
    assert settings(session, REGRESSION).lr == before, "by the board"
    follow(session, **{"class": CODE, "regression_lr": "0.001", "regression_noise": "0.1"})
    assert settings(session, REGRESSION).lr == before, "by a link"
    assert settings(session, REGRESSION).noise == 0.1, "what is not locked is turned"
    try_out(session, "small-steps")
    say(session, "board", "tried", {"id": "small-steps", "skip": "play"})
    assert settings(session, REGRESSION).lr == before, "by an experiment"
    lesson.do("lock", names=[])
    say(session, "board", "turned", {"name": "lr", "value": 0.001})
    assert settings(session, REGRESSION).lr == 0.001


def test_a_lock_holds_at_once_also_for_a_page_that_has_not_heard_of_it(visit: Open, lesson: Class) -> None:
    session = visit(REGRESSION, **{"class": CODE})
    before = settings(session, REGRESSION)
    lesson.do("lock", names=["all"])
    say(session, "board", "turned", {"name": "lr", "value": 0.001})
    session.session_state["regression_noise"] = 0.0
    session.run()
    assert settings(session, REGRESSION) == before
    assert not shown_knobs(session, REGRESSION)


def test_another_page_of_the_class_is_locked_at_its_defaults(visit: Open, lesson: Class) -> None:
    lesson.do("lock", names=["lr"])
    session = visit(REGRESSION, **{"class": CODE, "regression_lr": "0.001"})
    assert settings(session, REGRESSION) == REGRESSION.config()  # type: ignore[attr-defined]


def test_a_class_that_is_over_locks_nothing(visit: Open, lesson: Class) -> None:
    session = visit(REGRESSION, **{"class": CODE})
    lesson.do("lock", names=["all"])
    lesson.of.end()
    say(session, "board", "turned", {"name": "lr", "value": 0.001})
    assert settings(session, REGRESSION).lr == 0.001


def test_the_page_goes_where_the_teacher_sends_it_once(visit: Open, lesson: Class) -> None:
    session = visit(REGRESSION, **{"class": CODE, "regression_lr": "0.1"})
    connection = lesson.seat(session, "regression")
    own = run_id(session)
    lesson.send("classification", "?classification_lr=0.3&hide=noise")
    order(session, go=lesson.of.sent.n)
    assert state(session).page == "classification" and settings(session, CLASSIFICATION).lr == 0.3
    assert bar(session)["placed"] == lesson.of.sent.n and bar(session)["back"]
    assert link(session)["class"] == CODE
    lesson.shows(connection, session, "classification")
    say(session, "board", "turned", {"name": "lr", "value": 0.1})
    order(session, go=lesson.of.sent.n)  # repeated, as after a rerun that was cut short
    assert settings(session, CLASSIFICATION).lr == 0.1, "what was turned since then stays"
    order(session, back=True)
    assert state(session).page == "regression" and settings(session, REGRESSION).lr == 0.1
    assert run_id(session) == own and pool().has(own), "the own run was kept"
    assert not bar(session)["back"]


def test_a_send_that_is_taken_back_brings_the_own_run_again(visit: Open, lesson: Class) -> None:
    session = visit(REGRESSION, **{"class": CODE, "regression_lr": "0.1"})
    connection, own = lesson.seat(session, "regression"), run_id(session)
    lesson.send("classification")
    order(session, go=lesson.of.sent.n)
    obey(lesson.of, connection, {"do": "placed", "send": lesson.of.sent.n})
    lesson.do("undo", act=lesson.of.acts[-1].id)
    order(session, go=10**6)
    assert state(session).page == "regression" and run_id(session) == own and not bar(session)["back"]


def test_a_send_to_the_place_where_a_student_is_leaves_the_own_run(visit: Open, lesson: Class) -> None:
    session = visit(REGRESSION, **{"class": CODE, "regression_lr": "0.1"})
    lesson.seat(session, "regression")
    own = run_id(session)
    lesson.send("regression")
    order(session, go=lesson.of.sent.n)
    assert run_id(session) == own and settings(session, REGRESSION).lr == 0.1
    assert bar(session)["placed"] == lesson.of.sent.n and not bar(session)["back"]


def test_three_sends_at_once_lead_to_the_last_and_back_to_the_own_run(visit: Open, lesson: Class) -> None:
    session = visit(REGRESSION, **{"class": CODE, "regression_lr": "0.1"})
    lesson.seat(session, "regression")
    own, sends = run_id(session), []
    for page, query in (("classification", ""), ("regression", "?regression_lr=0.02"), ("tensors", "")):
        lesson.send(page, query)
        sends.append(lesson.of.sent.n)
    for number in sends:  # the bar asks for each of them, and more than once
        order(session, go=number)
    assert state(session).page == "tensors" and bar(session)["placed"] == sends[-1]
    order(session, back=True)
    assert state(session).page == "regression" and run_id(session) == own and settings(session, REGRESSION).lr == 0.1


def test_a_send_that_another_rerun_has_swallowed_is_followed_when_it_is_asked_for_again(
    visit: Open, lesson: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = visit(REGRESSION, **{"class": CODE, "regression_lr": "0.1"})
    lesson.seat(session, "regression")
    own = run_id(session)
    lesson.send("classification", "?classification_lr=0.3")
    with monkeypatch.context() as patch:
        patch.setattr(st, "switch_page", lambda *_, **__: st.stop())  # the page was left before the other one came
        say(session, "class", "order", {"go": lesson.of.sent.n})
    follow(session, **{"class": CODE, "regression_lr": "0.1"})  # the browser is still there
    assert state(session).page == "regression" and bar(session)["placed"] == 0
    order(session, go=lesson.of.sent.n)
    assert state(session).page == "classification" and settings(session, CLASSIFICATION).lr == 0.3
    assert bar(session)["placed"] == lesson.of.sent.n
    order(session, back=True)
    assert run_id(session) == own and settings(session, REGRESSION).lr == 0.1


def test_own_runs_are_kept_over_several_sends_also_where_a_student_went_elsewhere_between(
    visit: Open, lesson: Class
) -> None:
    session = visit(REGRESSION, **{"class": CODE, "regression_lr": "0.1"})
    lesson.seat(session, "regression")
    own = run_id(session)
    lesson.send("regression", "?regression_lr=0.02")
    order(session, go=lesson.of.sent.n)
    given = run_id(session)
    go(session, "classification.py", **{"class": CODE})
    elsewhere = run_id(session)
    lesson.send("tensors")
    order(session, go=lesson.of.sent.n)
    order(session, back=True)
    assert state(session).page == "classification" and run_id(session) == elsewhere
    go(session, "regression.py", **{"class": CODE})
    assert run_id(session) == own != given and settings(session, REGRESSION).lr == 0.1


def test_a_comparison_is_there_again_after_back(visit: Open, lesson: Class) -> None:
    session = visit(REGRESSION, **{"class": CODE, "versus": "lr:0.1"})
    lesson.seat(session, "regression")
    own, second = run_id(session), board(session)["second"]
    assert second
    lesson.send("regression", "?regression_lr=0.02")
    order(session, go=lesson.of.sent.n)
    assert run_id(session) != own and not board(session)["second"], "what is sent is one run"
    order(session, back=True)
    assert run_id(session) == own and board(session)["second"] == second and pool().has(second)


def test_an_open_question_is_still_open_after_back(visit: Open, lesson: Class) -> None:
    session = visit(REGRESSION, **{"class": CODE})
    lesson.seat(session, "regression")
    try_out(session, "small-steps")
    assert rail(session)["prediction"]["phase"] == "open"
    lesson.send("regression", "?regression_lr=0.02")
    order(session, go=lesson.of.sent.n)
    assert rail(session)["prediction"] is None
    order(session, back=True)
    assert rail(session)["at"] == "small-steps" and rail(session)["prediction"]["phase"] == "open"


def test_a_preset_of_the_same_lesson_begins_a_run_of_its_own(visit: Open, lesson: Class) -> None:
    session = visit(REGRESSION, **{"class": CODE, "regression_lr": "0.1"})
    lesson.seat(session, "regression")
    own = run_id(session)
    lesson.do("lock", names=["lr"])
    lesson.send("regression", "?regression_lr=0.02&regression_optimizer=adam", kind="preset")
    order(session, go=lesson.of.sent.n)
    found = settings(session, REGRESSION)
    assert (found.lr, found.optimizer) == (0.02, "adam"), "the teacher sets what is locked"
    assert run_id(session) != own
    say(session, "board", "turned", {"name": "lr", "value": 0.5})
    assert settings(session, REGRESSION).lr == 0.02
    order(session, back=True)
    assert run_id(session) == own and settings(session, REGRESSION).optimizer != "adam"


def test_an_experiment_of_a_lab_is_opened(visit: Open, lesson: Class) -> None:
    session = visit(REGRESSION, **{"class": CODE})
    lesson.seat(session, "regression")
    experiment = rail(visit(TENSORS))["list"][0]["id"]
    lesson.send("tensors", "", experiment=experiment)
    order(session, go=lesson.of.sent.n)
    assert state(session).page == "tensors" and rail(session)["at"] == experiment


def test_the_teachers_own_run_is_where_everybody_begins(visit: Open, lesson: Class) -> None:
    teacher, session = visit(REGRESSION), visit(REGRESSION, **{"class": CODE})
    theirs = run_id(teacher)
    pool().command(theirs, {"do": "add", "x": 0.25, "y": 3.0})
    given = BOARDS.shown(state(teacher).name, theirs)
    obey(lesson.of, lesson.teacher, {"do": "board", "session": state(teacher).name, "run": given,
                                     "page": "regression", "query": "", "experiment": None})  # fmt: skip
    lesson.seat(session, "regression")
    own = run_id(session)
    lesson.send("regression", "", kind="run", run=given)
    order(session, go=lesson.of.sent.n)
    points = pool().call(run_id(session), PointsAsCsv("regression"))
    assert run_id(session) not in (own, theirs)
    assert points == pool().call(theirs, PointsAsCsv("regression")) != pool().call(own, PointsAsCsv("regression"))


def test_the_real_run_of_a_vote_grades_the_students_own_answer(visit: Open, lesson: Class) -> None:
    session = visit(CLASSIFICATION, **{"class": CODE})
    connection = lesson.seat(session, "classification")
    lesson.do("ask", page="regression", experiment="small-steps")
    vote = lesson.of.vote
    assert vote is not None
    obey(lesson.of, connection, {"do": "answer", "vote": vote.id, "in": "open 1", "answer": "between"})
    order(session, run=vote.id)
    assert state(session).page == "classification", "not before the teacher plays"
    lesson.do("close", vote=vote.id, **{"in": "open 1"})
    lesson.do("show", vote=vote.id, **{"in": "closed 1"}, sure=True)
    lesson.do("play", vote=vote.id, **{"in": "shown 1"})
    order(session, run=vote.id)
    asked = rail(session)["prediction"]
    assert state(session).page == "regression" and rail(session)["at"] == "small-steps"
    assert asked["phase"] == "running" and asked["answer"] == "between" and "verdict" not in asked
    assert settings(session, REGRESSION).lr == 0.001
    assert bar(session)["ran"] == vote.id and bar(session)["back"]


@pytest.mark.parametrize(
    "said", [None, 3, [], {}, {"go": "x"}, {"go": 10**9}, {"run": []}, {"back": True}, {"leave": 0}, {"other": 1}]
)
def test_what_a_browser_invents_takes_the_page_nowhere(visit: Open, lesson: Class, said: object) -> None:
    session = visit(REGRESSION, **{"class": CODE})
    lesson.seat(session, "regression")
    before = settings(session, REGRESSION)
    say(session, "class", "order", said)
    assert state(session).page == "regression" and settings(session, REGRESSION) == before
    assert link(session)["class"] == CODE and state(session).placed == 0


def test_a_send_is_only_for_the_seats_that_it_names(visit: Open, lesson: Class) -> None:
    session, other = visit(REGRESSION, **{"class": CODE}), visit(REGRESSION, **{"class": CODE})
    lesson.seat(session, "regression")
    lesson.seat(other, "regression")
    lesson.send("classification", to=[1])
    for each in (session, other):
        order(each, go=10**6)
    assert (state(session).page, state(other).page) == ("classification", "regression")


def test_who_leaves_is_in_no_class_on_any_page(visit: Open, lesson: Class) -> None:
    session = visit(REGRESSION, **{"class": CODE})
    connection = lesson.seat(session, "regression")
    lesson.do("lock", names=["all"])
    obey(lesson.of, connection, {"do": "leave"})
    order(session, leave=True)
    assert "class" not in link(session)
    assert not [each for each in given_to_all(session) if isinstance(each, dict) and "placed" in each]
    say(session, "board", "turned", {"name": "lr", "value": 0.001})
    assert settings(session, REGRESSION).lr == 0.001


def test_eyes_up_lets_the_runs_of_the_class_rest_and_no_others(visit: Open, lesson: Class) -> None:
    session, stranger = visit(REGRESSION, **{"class": CODE}), visit(REGRESSION)
    lesson.seat(session, "regression")
    lesson.do("eyes", on=True)
    assert pool()._held == {state(session).name: False} != {state(stranger).name: False}
    lesson.do("eyes", on=False)
    assert not pool()._held
    lesson.do("eyes", on=True)
    lesson.of.end()
    assert not pool()._held, "also when the class ends meanwhile"


def test_no_run_of_the_class_takes_a_step_while_its_pages_follow(visit: Open, lesson: Class) -> None:
    session = visit(REGRESSION, **{"class": CODE})
    connection = lesson.seat(session, "regression")
    lesson.send("classification")
    assert pool()._held == {state(session).name: True}, "it obeys its student"
    order(session, go=True)
    obey(lesson.of, connection, {"do": "placed", "send": state(session).placed})
    assert not pool()._held
