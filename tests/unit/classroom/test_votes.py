"""A vote: each event in each state, what a browser may send then, and that no result leaves the server before Show."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from playground.classroom import questions
from playground.classroom.classroom import PLAY_SECONDS
from playground.classroom.votes import EVENTS, STATES, State, Vote
from playground.glance import Glance
from playground.real_runs import RealRuns, Recording
from tests.unit.classroom.people import EXPERIMENT, PAGE, Browser, School, answer, press

# What each event leads to, as the document of the live class says it; everything else is refused.
LEGAL: dict[tuple[str, str], str] = {
    ("open 1", "close"): "closed 1",
    ("closed 1", "reopen"): "open 1",
    ("closed 1", "show"): "shown 1",
    ("closed 1", "open 2"): "open 2",
    ("closed 1", "next"): "over",
    ("shown 1", "hide"): "closed 1",
    ("shown 1", "open 2"): "open 2",
    ("shown 1", "play"): "run",
    ("shown 1", "next"): "over",
    ("open 2", "close"): "closed 2",
    ("closed 2", "reopen"): "open 2",
    ("closed 2", "show"): "shown 2",
    ("closed 2", "next"): "over",
    ("shown 2", "hide"): "closed 2",
    ("shown 2", "play"): "run",
    ("shown 2", "next"): "over",
    ("run", "next"): "over",
}
WAY = {  # to each state
    "open 1": (),
    "closed 1": ("close",),
    "shown 1": ("close", "show"),
    "open 2": ("close", "open 2"),
    "closed 2": ("close", "open 2", "close"),
    "shown 2": ("close", "open 2", "close", "show"),
    "run": ("close", "show", "play"),
}
CURVE, NUMBER = "inside", "tutorial"


def vote(state: State = "open 1", experiment: str = EXPERIMENT) -> Vote:
    question = questions.find(PAGE, experiment)
    assert question is not None
    found = Vote(1, question)
    for event in WAY.get(state, ()):
        found.take(event)
    assert found.state == state
    return found


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", [state for state in STATES if state != "over"])
def test_each_event_in_each_state_leads_where_the_table_says_or_is_refused(state: State, event: str) -> None:
    school = School()
    of = school.start()
    teacher = school.teacher(of)
    for student in school.students(of, 5):
        student.read()
    teacher.send("ask", page=PAGE, experiment=EXPERIMENT)
    for step in WAY[state]:
        press(teacher, step, sure=True)
    assert teacher.vote["state"] == state
    press(teacher, event, sure=True)
    expected = LEGAL.get((state, event))
    if expected is None:
        assert teacher.was_refused == "state"
        assert teacher.vote["state"] == state
    elif expected == "over":
        assert teacher.vote is None
    else:
        assert teacher.vote["state"] == expected


def test_a_command_that_was_pressed_in_another_state_is_refused_so_two_devices_cannot_skip_a_step() -> None:
    school = School()
    of = school.start()
    wall, phone = school.teacher(of), school.teacher(of, "remote")
    wall.send("ask", page=PAGE, experiment=EXPERIMENT)
    before = wall.vote
    press(phone, "close")
    wall.send("close", vote=before["id"], **{"in": "open 1"})
    assert wall.was_refused == "state"
    phone.send("open 2", vote=before["id"], **{"in": "closed 1"})
    wall.send("open 2", vote=before["id"], **{"in": "closed 1"})
    assert wall.was_refused == "state"
    student = school.student(of)
    wall.send("close", vote=before["id"], **{"in": "open 1"})
    assert wall.was_refused == "state", "it would close the second vote"
    option = student.vote["ask"]["options"][0][0]
    student.send("answer", vote=before["id"], **{"in": "open 1"}, answer=option)
    assert student.was_refused == "state"
    wall.send("close", vote=before["id"] + 1, **{"in": "open 2"})
    assert wall.was_refused == "state"
    assert of.vote is not None and of.vote.state == "open 2" and of.vote.second == {}


@pytest.mark.parametrize("state", ["closed 1", "shown 1", "closed 2", "shown 2", "run"])
def test_only_an_open_vote_takes_answers(state: State) -> None:
    found = vote(state)
    assert found.answer(1, "3") is None
    assert found.first == found.second == {}


def test_an_answer_can_be_changed_while_the_vote_is_open_and_both_votes_are_kept_apart() -> None:
    school = School()
    of = school.start()
    teacher, (one, other) = school.teacher(of), school.students(of, 2)
    teacher.send("ask", page=PAGE, experiment=EXPERIMENT)
    options = [key for key, _ in one.vote["ask"]["options"]]
    answer(one, options[0])
    answer(one, options[1])
    answer(other, options[0])
    press(teacher, "close")
    press(teacher, "open 2")
    assert one.vote["answer"] is None and one.vote["first"] == options[1]
    answer(one, options[2])
    assert of.vote is not None
    assert of.vote.first == {1: options[1], 2: options[0]} and of.vote.second == {1: options[2]}


@pytest.mark.parametrize("value", ["not an option", 3, None, True, ["3"], {"3": 1}, "3" * 100, float("1e300")])
def test_what_is_no_answer_is_refused(value: Any) -> None:
    school = School()
    of = school.start()
    teacher, student = school.teacher(of), school.student(of)
    teacher.send("ask", page=PAGE, experiment=EXPERIMENT)
    answer(student, value)
    assert student.was_refused == "field"
    assert of.vote is not None and of.vote.first == {}


def test_numbers_and_curves_are_votes_too() -> None:
    number, curve = vote(experiment=NUMBER), vote(experiment=CURVE)
    ask: Any = number.question.ask
    for seat, value in enumerate((ask.hi, ask.lo), start=1):
        assert number.answer(seat, value) == value
    assert number.answer(3, ask.hi + 1) is None
    assert number.result(number.first, {1, 2}, Random(1)) == {"n": 2, "values": [ask.lo, ask.hi]}
    drawn = [0.1] * 24
    assert curve.answer(1, drawn) == tuple(drawn)
    assert curve.answer(2, drawn[:-1]) is None
    assert curve.result(curve.first, {1}, Random(1)) == {"n": 1, "curves": [drawn]}


def test_moves_count_only_who_answered_twice() -> None:
    found = vote()
    for seat, value in ((1, "two"), (2, "two"), (3, "three")):
        found.first[seat] = value
    options = list(found.question.ask.options)  # type: ignore[union-attr]
    found.first = {1: options[0], 2: options[0], 3: options[1]}
    found.second = {1: options[1], 2: options[0], 4: options[0]}
    moves = found.moves({1, 2, 3, 4}, Random(1))
    assert moves[options[0]] == {options[1]: 1, options[0]: 1} | dict.fromkeys(options[2:], 0)
    assert sum(moves[options[1]].values()) == 0
    assert found.changed({1, 2, 3, 4}) == 1


def test_with_fewer_than_five_answers_show_asks_first() -> None:
    school = School()
    of = school.start()
    teacher, students = school.teacher(of), school.students(of, 4)
    teacher.send("ask", page=PAGE, experiment=EXPERIMENT)
    for student in students:
        answer(student, student.vote["ask"]["options"][0][0])
    press(teacher, "close")
    press(teacher, "show")
    assert teacher.was_refused == "few" and "5" in teacher.answers[0]["say"]
    press(teacher, "show", sure=True)
    assert teacher.vote["result"]["n"] == 4


def test_a_timer_closes_an_open_vote_and_only_shows_the_time_to_talk() -> None:
    school = School()
    of = school.start()
    teacher = school.teacher(of)
    school.students(of, 5)
    teacher.send("ask", page=PAGE, experiment=EXPERIMENT)
    press(teacher, "timer", seconds=3)
    assert teacher.vote["until"] == school.clock() + 3
    for _ in range(3):
        school.second()
    assert teacher.vote["state"] == "closed 1"
    press(teacher, "timer", seconds=2)
    assert teacher.vote["talk"] == school.clock() + 2
    for _ in range(5):
        school.second()
    assert teacher.vote["state"] == "closed 1"
    press(teacher, "show", sure=True)
    press(teacher, "timer", seconds=2)
    assert teacher.was_refused == "state"


def test_the_right_answer_comes_after_the_run_and_the_sentence_with_it() -> None:
    school = School()
    of = school.start()
    teacher, student = school.teacher(of), school.student(of)
    teacher.send("ask", page=PAGE, experiment=EXPERIMENT)
    for event in ("close", "show", "play"):
        press(teacher, event, sure=True)
    (errand,) = of.errands
    assert (errand.kind, errand.page, errand.experiment) == ("runs", PAGE, EXPERIMENT)
    press(teacher, "reveal")
    assert teacher.was_refused == "state", "nothing can be revealed before the run has said it"
    truth = student.vote["ask"]["options"][0][0]
    of.runs_found(errand.number, RealRuns(truth, RECORDINGS))
    teacher.send("eyes", on=True)  # so that all states are sent again
    assert student.state["eyes"] and "truth" not in student.vote and "truth" not in teacher.vote
    press(teacher, "reveal")
    assert student.vote["truth"] == truth and student.vote["say"]


RECORDINGS = (
    Recording("2", (Glance(), Glance(step=500, loss=0.3, accuracy=0.8, curve=b"\x80\x70" * 2))),
    Recording("3", (Glance(), Glance(step=500, loss=0.1, accuracy=0.99))),
)


def playing(school: School) -> tuple[Any, Any, Any, Any]:
    """A class whose vote has come to its real runs, which are there: class, teacher, projector, student."""
    of = school.start()
    teacher, projector, student = school.teacher(of), school.projector(of), school.student(of)
    teacher.send("ask", page=PAGE, experiment=EXPERIMENT)
    for event in ("close", "show", "play"):
        press(teacher, event, sure=True)
    of.runs_found(of.errands.popleft().number, RealRuns("3", RECORDINGS))
    return of, teacher, projector, student


def test_the_projector_gets_the_real_runs_of_all_answers_once() -> None:
    school = School()
    of, teacher, projector, student = playing(school)
    found = projector.last("runs")
    assert [(each["name"], each["steps"], each["accuracy"][-1]) for each in found["runs"]] == [
        ("2", [0, 500], 0.8), ("3", [0, 500], 0.99),
    ]  # fmt: skip
    assert found["vote"] == of.vote.id and found["at"] == school.clock()
    assert teacher.last("runs") == found
    school.second()
    news = [each for browser in (teacher, projector) for each in browser.read() if isinstance(each, dict)]
    assert "runs" not in {each["is"] for each in news}
    assert "runs" not in {each["is"] for each in student.received if isinstance(each, dict)}
    assert school.projector(of).last("runs") == found, "a page that is loaded again gets them again"
    press(teacher, "next")
    teacher.send("ask", page=PAGE, experiment=EXPERIMENT)
    assert "runs" not in {each["is"] for each in school.projector(of).received}


def test_the_right_answer_waits_for_the_recordings_where_no_board_trains() -> None:
    school = School()
    of, _, projector, _ = playing(school)
    school.second()
    assert "truth" not in projector.vote
    school.clock.pass_by(PLAY_SECONDS)
    school.second()
    assert projector.vote["truth"] == "3"
    school = School()
    of, teacher, _, student = playing(school)
    student.send("board", run="run", page=PAGE, query="", experiment=EXPERIMENT)
    of.take_glances({"run": Glance(state="playing", step=20)})
    school.clock.pass_by(2 * PLAY_SECONDS)
    school.second()
    assert "truth" not in teacher.vote, "the boards are not there yet"
    of.take_glances({"run": Glance(state="playing", step=500)})
    assert teacher.vote["truth"] == "3"


# Nothing of a result leaves the server before Show.


RESULTS = {"result", "results", "moves", "changed", "sums", "values", "curves"}


def results_in(message: Any) -> bool:
    """Whether anything in a message could tell what somebody else said."""
    if isinstance(message, dict):
        return any(
            key in message for key in ("result", "results", "moves", "changed", "sums", "values", "curves")
        ) or any(map(results_in, message.values()))
    return isinstance(message, list) and any(map(results_in, message))


@pytest.mark.parametrize("seed", range(20))
def test_no_message_of_a_random_play_has_a_result_before_show(seed: int) -> None:
    random, school = Random(seed), School(class_acts=1000)
    of = school.start()
    wall, phone, projector = school.teacher(of), school.teacher(of, "remote"), school.projector(of)
    students = school.students(of, 8)
    browsers = [wall, phone, projector, *students]
    was_shown = 0
    for _ in range(150):
        if of.vote is None:
            wall.send("ask", page=PAGE, experiment=random.choice([EXPERIMENT, NUMBER, CURVE]))
        assert of.vote is not None
        for browser in random.sample(browsers, 3):
            act(browser, random, school)
        if random.random() < 0.3:
            school.second()
        peeks = random.choice([wall, phone]) if random.random() < 0.1 else None
        if peeks is not None:
            peeks.connection.peeks_until = 0
        for browser in browsers:
            for message in browser.read():
                if isinstance(message, bytes):
                    continue
                is_shown = of.vote is not None and of.vote.state in ("shown 1", "shown 2", "run")
                was_shown += results_in(message)
                assert not results_in(message) or is_shown or message["is"] == "peek", message
                if isinstance(message.get("vote"), dict) and not is_shown:
                    assert "truth" not in message["vote"]
                if message["is"] == "keep":
                    assert '"first"' not in str(message) and not results_in(message["keep"])
    assert was_shown, "the play has shown no result at all, so this test holds nothing"


def act(browser: Browser, random: Random, school: School) -> None:
    """Something that this browser might do."""
    of = browser.of
    assert of.vote is not None or browser.connection.role
    if of.vote is None:
        return
    pressed = {"vote": of.vote.id, "in": of.vote.state}
    if browser.connection.role == "student":
        ask: Any = of.vote.question.ask
        value = (
            random.choice(list(ask.options)) if hasattr(ask, "options")
            else random.uniform(ask.lo, ask.hi) if hasattr(ask, "lo")
            else [random.uniform(0.1, 1) for _ in range(24)]
        )  # fmt: skip
        browser.send("answer", **pressed, answer=value)
    elif browser.connection.role == "teacher":
        browser.send(random.choice(EVENTS), **pressed, sure=True)


def test_peek_gives_sums_to_the_device_that_holds_it_and_ends_by_itself() -> None:
    school = School()
    of = school.start()
    wall, phone, projector = school.teacher(of), school.teacher(of, "remote", fresh=True), school.projector(of)
    student = school.student(of)
    wall.send("ask", page=PAGE, experiment=EXPERIMENT)
    answer(student, student.vote["ask"]["options"][0][0])
    phone.send("peek", on=True)
    assert phone.last("peek")["result"]["n"] == 1
    for _ in range(6):
        school.second()
        for each in (wall, phone, projector, student):
            each.read()
    assert len([each for each in phone.received if isinstance(each, dict) and each["is"] == "peek"]) <= 3
    for each in (wall, projector, student):
        assert not any(isinstance(message, dict) and message["is"] == "peek" for message in each.received)
    press(wall, "close")
    press(wall, "show", sure=True)
    assert phone.send("peek", on=True) == [] or phone.last("state")["vote"]["state"] == "shown 1"
