"""Links that replay a run and the script of a run, with no browser."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.session import pool
from playground.lesson import LiveLesson
from playground.lessons import LESSONS
from playground.saving.replay import AT, SINCE, THREADS
from playground.workers.operations import Operation, UseRows
from tests.pages.questions import Advance, Checksum, Peek, RepeatShared, Weights
from tests.pages.session import HOSTILE, Open, assert_dead, board, follow, link, run_id, turn, warnings, widgets
from tests.written_scripts import SCRIPTS

LIVE = {name: lesson for name, lesson in LESSONS.items() if isinstance(lesson, LiveLesson)}
REGRESSION = LIVE["regression"]


def ask(session: AppTest, what: Operation[Any]) -> Any:
    return pool().call(run_id(session), what)


def train(session: AppTest, count: int) -> None:
    ask(session, Advance(count))


def replay(session: AppTest) -> str:
    """Take the steps that the page has asked for, as a viewer would let it; what the narrator says then."""
    return str(ask(session, RepeatShared()))


def shared(session: AppTest, lesson: LiveLesson) -> dict[str, str]:
    """The parameters of the longest link in the popover "Share"."""
    session.session_state[f"{lesson.name}:share"] = True  # the popover is open
    session.run()
    assert list(session.exception) == []
    links = [code.value for code in session.code if code.value.partition("?")[0].endswith(lesson.name)]
    return dict(parse_qsl(max(links, key=len).partition("?")[2]))


def test_a_shared_link_leads_another_visitor_to_the_same_weights(visit: Open) -> None:
    mine = visit(REGRESSION, regression_batch_size="20")
    train(mine, 30)
    turn(mine, REGRESSION, "lr", 0.1)
    train(mine, 20)
    parameters = shared(mine, REGRESSION)
    assert parameters[AT].startswith("50.") and parameters[SINCE] == "~lr:0.5;30~lr:0.1"
    assert any(parameters[AT].partition(".")[2] in caption.value for caption in mine.caption)
    other = visit(REGRESSION, **parameters)
    assert warnings(other) == []
    assert link(other) == {"regression_batch_size": "20", "regression_lr": "0.1"}
    assert "Replayed to step 50: the same weights to the last bit" in replay(other)
    weights = [ask(each, Weights()) for each in (mine, other)]
    assert weights[0] == weights[1]
    other.run()
    assert (ask(other, Peek("steps")), ask(other, Peek("config.lr"))) == (50, 0.1), "a rerun leaves the run alone"


def test_other_weights_than_those_of_the_link_are_told(visit: Open) -> None:
    session = visit(REGRESSION, at="5.00000000")
    assert "but the weights differ: 00000000 in the link" in replay(session)


@pytest.mark.parametrize("name", LIVE)
def test_every_training_lesson_replays(visit: Open, name: str) -> None:
    lesson, mine = LIVE[name], visit(LIVE[name])
    if not ask(mine, Checksum()):
        pytest.skip("its run is no training")
    train(mine, 3)
    assert "the same weights to the last bit" in replay(visit(lesson, **shared(mine, lesson)))


def test_own_points_are_not_in_a_link_and_the_page_says_so(visit: Open) -> None:
    session = visit(REGRESSION)
    ask(session, UseRows(((0.0, 1.0), (1.0, 2.0), (0.5, 1.0))))
    train(session, 3)
    assert AT not in shared(session, REGRESSION)
    assert any("points or weights that you have changed by hand" in caption.value for caption in session.caption)


@pytest.mark.parametrize("parameter", [AT, SINCE, THREADS])
def test_a_hostile_replay_gets_one_sentence_and_the_page_opens(visit: Open, parameter: str) -> None:
    session = visit(REGRESSION)
    for text in [*HOSTILE, "0.12345678", "100001.12345678", "7.XYZ", "~lr:0.1", "~layers:3", "9~lr:9;8~lr:0.1"]:
        follow(session, **({AT: "7.12345678"} | {parameter: text}))
        assert link(session) == {}
        if text or parameter == AT:
            (sentence,) = warnings(session)
            assert sentence.endswith(".") and len(sentence) < 300
            assert_dead(sentence)
        assert board(session)["run"]
        follow(session)


@pytest.mark.parametrize("name", LIVE)
def test_no_knob_is_called_like_a_parameter_of_a_replay(name: str) -> None:
    assert not {AT, SINCE, THREADS} & {f"{name}_{knob}" for knob in LIVE[name].config.knobs()}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_script_on_the_page_is_that_of_the_run(visit: Open, name: str) -> None:
    session = visit(LIVE[name])
    train(session, 7)
    widgets(session)[f"{name}:code"].set_value(True).run()
    (script,) = [code.value for code in session.code if "torch.set_num_threads" in code.value]
    assert "range(1, 8)" in script
    needs = "It needs PyTorch, NumPy and" if name == "cnn" else "It needs PyTorch and nothing else."
    assert any("up to step 7" in caption.value and needs in caption.value for caption in session.caption)
