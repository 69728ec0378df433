"""Every way around a lock that a student may try: it is refused with one sentence, or has no effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.classroom import locks
from pages.ui.classroom.words import LOCKED
from pages.ui.messages import quoted
from pages.ui.session import pool
from playground.lessons import LESSONS
from playground.workers import messages
from playground.workers.operations import CheckpointFile, RowsInUse
from tests.pages.a_class import CODE, Class, order, started, state
from tests.pages.session import (
    Open,
    board,
    click,
    follow,
    link,
    rail,
    run_id,
    say,
    settings,
    shown_knobs,
    try_out,
    warnings,
    widgets,
)

REGRESSION, CLASSIFICATION, TENSORS, OPTIMIZERS = (
    LESSONS[name] for name in ("regression", "classification", "tensors", "optimizers")
)
RATE = quoted(LOCKED.format(label="Learning rate"))


@pytest.fixture
def lesson() -> Iterator[Class]:
    with started() as made:
        yield made


def locked(visit: Open, lesson: Class, *names: str, at: Any = REGRESSION, **parameters: str) -> AppTest:
    """The page of a student whose teacher has locked these settings."""
    session = visit(at, **{"class": CODE, **parameters})
    lesson.seat(session, at.name)
    lesson.do("lock", names=list(names))
    order(session, again=True)
    return session


def rate(session: AppTest) -> float:
    """The learning rate of the page, and of its run."""
    found = settings(session, REGRESSION).lr
    assert pool().config_of(run_id(session)).lr == found
    return float(found)


@pytest.mark.parametrize("code", ["", "BCDFGJ", "nonsense", "bcdfgh"])
def test_another_class_in_the_address_takes_nobody_out_of_this_one(visit: Open, lesson: Class, code: str) -> None:
    session = locked(visit, lesson, "lr")
    before = rate(session)
    follow(session, **{"class": code, "regression_lr": "0.001"})
    assert link(session)["class"] == CODE and rate(session) == before


def test_an_address_without_the_class_is_still_in_it(visit: Open, lesson: Class) -> None:
    session = locked(visit, lesson, "lr")
    before = rate(session)
    follow(session, regression_lr="0.001")
    assert link(session)["class"] == CODE and rate(session) == before


def test_who_says_to_leave_and_keeps_the_seat_is_still_locked(visit: Open, lesson: Class) -> None:
    session = locked(visit, lesson, "lr")
    before = rate(session)
    order(session, leave=True)
    say(session, "board", "turned", {"name": "lr", "value": 0.001})
    assert rate(session) == before


def test_a_second_tab_is_locked_at_the_defaults(visit: Open, lesson: Class) -> None:
    locked(visit, lesson, "lr")
    second = visit(REGRESSION, **{"class": CODE, "regression_lr": "0.001"})
    say(second, "board", "turned", {"name": "lr", "value": 0.001})
    assert settings(second, REGRESSION) == REGRESSION.config()  # type: ignore[attr-defined]


def test_to_defaults_and_undo_in_the_address_turn_no_locked_setting(visit: Open, lesson: Class) -> None:
    session = locked(visit, lesson, "lr", regression_lr="0.1", regression_noise="0.5")
    click(session, next(key for key in widgets(session) if key and key.endswith(":defaults")))
    found = settings(session, REGRESSION)
    assert (found.lr, found.noise) == (0.1, REGRESSION.config().noise)  # type: ignore[attr-defined]
    follow(session, **{"class": CODE, "regression_lr": "0.5"})
    assert rate(session) == 0.1


def test_reset_begins_again_with_the_locked_settings(visit: Open, lesson: Class) -> None:
    session = locked(visit, lesson, "lr", regression_lr="0.1")
    pool().command(run_id(session), {"do": "reset"})
    say(session, "board", "restart", run_id(session))
    assert rate(session) == 0.1


def test_a_link_that_replays_another_rate_is_refused(visit: Open, lesson: Class) -> None:
    at = {"at": "10.00000000"}
    for parameters in ({"regression_lr": "0.001"}, {"since": "~lr:0.5;5~lr:0.03"}, {"since": "nonsense~lr:x"}):
        session = visit(REGRESSION, **{"class": CODE})
        lesson.seat(session, "regression")
        lesson.do("lock", names=["lr"])
        before, run = rate(session), run_id(session)
        follow(session, **{"class": CODE, **at, **parameters})
        assert warnings(session) == [RATE] and rate(session) == before and run_id(session) == run
        lesson.do("lock", names=[])


def test_a_replay_with_the_locked_settings_is_followed_and_so_is_the_teachers(visit: Open, lesson: Class) -> None:
    session = locked(visit, lesson, "lr")
    run = run_id(session)
    follow(session, **{"class": CODE, "at": "10.00000000"})
    assert warnings(session) == [] and run_id(session) != run
    lesson.send("regression", "?regression_lr=0.001&at=10.00000000&since=~lr:0.5;5~lr:0.001", kind="preset")
    order(session, go=lesson.of.sent.n)
    assert warnings(session) == [] and rate(session) == 0.001


def test_a_checkpoint_with_another_rate_is_refused(visit: Open, lesson: Class) -> None:
    session = visit(REGRESSION, **{"class": CODE, "regression_lr": "0.1"})
    lesson.seat(session, "regression")
    file = pool().call(run_id(session), CheckpointFile("regression"))
    say(session, "board", "turned", {"name": "lr", "value": 0.03})
    lesson.do("lock", names=["lr"])
    run = run_id(session)
    assert upload(session, file) == quoted(messages.LOCKED.format(label="Learning rate"))
    assert rate(session) == 0.03 and run_id(session) == run
    lesson.do("lock", names=["noise"])
    assert upload(session, file) == quoted(messages.LOCKED.format(label="Noise")), "the file may have data of its own"
    lesson.do("lock", names=[])
    upload(session, file)
    assert rate(session) == 0.1 and run_id(session) != run


def upload(session: AppTest, content: bytes) -> str:
    """Continue from a file; what the page says about it."""
    session.session_state["regression:save"] = True
    session.run()
    session.file_uploader[0].set_value(("run.safetensors", content, "application/octet-stream")).run()
    assert list(session.exception) == []
    return next(each.value for each in [*session.error, *session.success])


@pytest.mark.parametrize("at", [REGRESSION, CLASSIFICATION])
def test_under_a_lock_of_data_no_table_is_used_and_no_point_is_added(visit: Open, lesson: Class, at: Any) -> None:
    name = at.own_points.without_effect[0]
    sentence = LOCKED.format(label=at.config.knobs()[name].label)
    session = locked(visit, lesson, name, at=at)
    session.session_state[f"{at.name}:data"] = True
    session.run()
    assert [each.value for each in session.info] == [sentence]
    assert not session.text_area and not session.file_uploader
    run = run_id(session)
    for command in ("add", "remove"):
        assert locks.command_refusal(run, command) == sentence
    for command in ("play", "step", "reset", "set", "undo", "explain", "nonsense", ""):
        assert locks.command_refusal(run, command) == ""
    assert pool().call(run, RowsInUse()) == 0
    lesson.do("lock", names=["lr"])
    assert locks.command_refusal(run, "add") == "", "the points are not locked"


def test_a_table_whose_fields_were_open_before_the_lock_is_not_used(visit: Open, lesson: Class) -> None:
    session = visit(REGRESSION, **{"class": CODE})
    lesson.seat(session, "regression")
    session.session_state["regression:data"] = True
    session.run()
    session.text_area[0].set_value("0,0\n1,1\n2,4\n3,9\n")
    lesson.do("lock", names=["noise"])
    next(each for each in session.button if each.label == "Use these points").click().run()
    assert list(session.exception) == [] and pool().call(run_id(session), RowsInUse()) == 0


def test_compare_offers_no_locked_setting_and_without_any_says_so(visit: Open, lesson: Class) -> None:
    lesson.do("lock", names=["lr"])
    session = visit(REGRESSION, **{"class": CODE, "versus": "lr:0.1"})
    lesson.seat(session, "regression")
    key = "regression:versus:knob"
    assert "lr" not in widgets(session)[key].options and not board(session)["second"].startswith("lr")
    assert any(each.value == RATE for each in session.caption)
    lesson.do("lock", names=["all"])
    order(session, again=True)
    assert [each.value for each in session.info] == ["There is no setting that a second run may change here."]
    assert not board(session)["second"]


def test_presets_racers_and_tables_turn_no_locked_setting(visit: Open, lesson: Class) -> None:
    session = locked(visit, lesson, "all", at=OPTIMIZERS)
    before = settings(session, OPTIMIZERS)
    for name, value in before.__dict__.items():
        say(session, "board", "turned", {"name": name, "value": value})
    for each in rail(session)["list"]:
        try_out(session, each["id"])
        say(session, "board", "tried", {"id": each["id"], "skip": "play"})
    assert settings(session, OPTIMIZERS) == before and not shown_knobs(session, OPTIMIZERS)


def test_the_teachers_settings_hold_on_another_page_too_and_are_locked_then(visit: Open, lesson: Class) -> None:
    session = locked(visit, lesson, "lr")
    lesson.send("classification", "?classification_lr=0.3")
    order(session, go=lesson.of.sent.n)
    assert state(session).page == "classification" and settings(session, CLASSIFICATION).lr == 0.3
    for value in (0.1, 0.01):
        say(session, "board", "turned", {"name": "lr", "value": value})
        follow(session, **{"class": CODE, "classification_lr": str(value)})
    assert settings(session, CLASSIFICATION).lr == 0.3


def test_back_brings_the_own_settings_and_they_are_locked(visit: Open, lesson: Class) -> None:
    session = locked(visit, lesson, "lr", regression_lr="0.1")
    lesson.send("regression", "?regression_lr=0.02", kind="preset")
    order(session, go=lesson.of.sent.n)
    order(session, back=True)
    assert rate(session) == 0.1
    say(session, "board", "turned", {"name": "lr", "value": 0.5})
    assert rate(session) == 0.1
