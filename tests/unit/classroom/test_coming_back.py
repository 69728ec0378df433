"""After a restart of the server: who comes back with which token, what of the class is there, and forged receipts."""

from __future__ import annotations

from typing import Any

import pytest

from playground.classroom.classroom import RETURN_SECONDS, Classroom
from tests.unit.classroom.people import CODE, EXPERIMENT, PAGE, Browser, School, answer, press

PLACE = {"page": PAGE, "query": "", "experiment": EXPERIMENT, "title": "Circle"}


class Before:
    """A class before the restart: six students, five answers to the first vote, sent somewhere and locked."""

    def __init__(self, *events: str) -> None:
        self.school = School(class_joins=1000)
        self.of = self.school.start(names="own", show_names=True)
        self.teacher = self.school.teacher(self.of)
        self.students = [self.school.student(self.of, f"Comet {number}") for number in range(6)]
        self.teacher.send("send", kind="place", **PLACE, run=None, to="all")
        self.teacher.send("lock", names=["all"])
        self.teacher.send("ask", page=PAGE, experiment=EXPERIMENT)
        self.options = [key for key, _ in self.teacher.vote["ask"]["options"]]
        for student in self.students[:5]:
            answer(student, self.options[0])
        self.students[4].send("help", on=True)
        for event in events:
            press(self.teacher, event, sure=True)
        self.collect()
        self.token = self.teacher.token

    def collect(self) -> None:
        """The teacher's browser gets the state that it keeps."""
        for _ in range(3):
            self.school.second()
            self.teacher.read()
        self.keep = self.teacher.last("keep")["keep"]

    def first(self, student: Browser) -> dict[str, Any]:
        """What this student's browser sends first when it connects again."""
        student.read()
        seat = student.last("seat")
        answers = [each for each in student.received if isinstance(each, dict) and each["is"] == "receipt"]
        return {"as": "student", "token": seat["token"], "kept": seat["kept"], "answers": answers}


class After:
    """The server after the restart, with the same secret."""

    def __init__(self, before: Before, **settings: Any) -> None:
        self.before = before
        self.school = School(before.school.clock, **settings)

    @property
    def of(self) -> Classroom:
        found = self.school.register.find(CODE)
        assert found is not None
        return found

    def teacher(self, **fields: Any) -> Browser:
        keep = {"keep": self.before.keep} | fields
        return self.school.enter({"as": "teacher", "token": self.before.token, "view": "wall", **keep})

    def student(self, number: int, **fields: Any) -> Browser:
        return self.school.enter(self.before.first(self.before.students[number]) | fields)


@pytest.mark.parametrize("first", ["teacher", "students"])
def test_the_class_goes_on_with_its_seats_names_settings_and_answers(first: str) -> None:
    before = Before()
    after = After(before)
    if first == "teacher":
        teacher = after.teacher()
    students = [after.student(number) for number in range(6)]
    if first == "students":
        teacher = after.teacher()
    assert after.of.returning is None, "all are back"
    assert [each.state["name"] for each in students] == [f"Comet {number}" for number in range(6)]
    state = students[0].state
    assert state["locks"] == ["all"] and state["sent"]["page"] == PAGE and state["vote"]["answer"] == before.options[0]
    assert students[4].state["help"] is True
    assert teacher.state["show_names"] and teacher.vote["answered"] == 5
    press(teacher, "close")
    press(teacher, "show")
    assert teacher.vote["result"]["sums"][before.options[0]] == 5


def test_votes_wait_until_most_seats_are_back_and_ten_seconds_at_most() -> None:
    after = After(Before())
    teacher = after.teacher()
    assert teacher.state["coming_back"] == {"back": 0, "of": 6}
    press(teacher, "close")
    assert teacher.was_refused == "wait"
    for number in range(5):
        after.student(number)
    press(teacher, "close")
    assert teacher.was_refused == "wait", "5 of 6 are fewer than 90 %"
    after.student(5)
    press(teacher, "close")
    assert teacher.vote["state"] == "closed 1"
    again = After(Before())
    teacher = again.teacher()
    for _ in range(int(RETURN_SECONDS)):
        again.school.second()
    assert teacher.state["coming_back"] is None
    press(teacher, "close")
    assert teacher.was_refused == ""


def test_a_closed_answer_cannot_be_altered() -> None:
    before = Before("close")
    other = before.options[1]
    changed = before.students[0]
    changed.read()
    receipts = [each for each in changed.received if isinstance(each, dict) and each["is"] == "receipt"]
    assert [each["closed"] for each in receipts] == [0, 1]
    after = After(before)
    after.teacher()
    forged = [
        [{**receipts[1], "answer": other}],  # another answer with the same receipt
        [receipts[0]],  # the receipt of before the vote was closed
        [{**receipts[1], "closed": 2}], [{**receipts[1], "n": 2}], [{**receipts[1], "vote": 99}],
        [{**receipts[1], "receipt": "A" * 22}], [{**receipts[1], "receipt": None}], [{}], ["x"], [None],
    ]  # fmt: skip
    for answers in forged:
        student = after.student(0, answers=answers)
        assert student.vote["answer"] is None, answers
    assert after.student(1, answers=receipts).vote["answer"] is None, "the receipts of another seat"
    assert after.student(0).vote["answer"] == before.options[0]


def test_a_changed_answer_comes_back_as_it_was_when_the_vote_was_closed() -> None:
    before = Before()
    student = before.students[0]
    answer(student, before.options[1])
    answer(student, before.options[2])
    press(before.teacher, "close")
    press(before.teacher, "reopen")
    answer(student, before.options[1])
    press(before.teacher, "close")
    for _ in range(3):
        before.school.second()
        before.teacher.read()
    before.keep = before.teacher.last("keep")["keep"]
    after = After(before)
    after.teacher()
    receipts = before.first(student)["answers"]
    for brought in (receipts[:-1], receipts):
        back = after.student(0, answers=brought)
        assert back.vote["answer"] == (before.options[1] if brought is receipts else None)


def test_answers_to_earlier_questions_come_back_for_the_file() -> None:
    before = Before("close", "show", "next")
    after = After(before)
    for number in range(6):
        after.student(number)
    after.teacher()
    (vote,) = after.of.past
    assert len(vote.first) == 5 and set(vote.first.values()) == {before.options[0]}


def test_the_state_that_the_teachers_browser_keeps_has_no_answers_and_cannot_be_altered() -> None:
    before = Before("close", "open 2")
    assert not {"first", "second", "answers", "result"} & set(before.keep["data"]["vote"])
    after = After(before)
    data = before.keep["data"]
    for forged in (
        {**before.keep, "data": {**data, "epoch": 7}}, {**before.keep, "seal": "A" * 22}, {**before.keep, "began": 1},
        {**before.keep, "code": "BCDFGH"}, {**before.keep, "version": 2}, {}, None, "x", {"data": None}, [1],
    ):  # fmt: skip
        teacher = after.teacher(keep=forged)
        assert teacher.vote is None and after.of.seats == {} and after.of.restored < 0
        after.school.register.classes.clear()
    assert after.teacher().vote["state"] == "open 2"


def test_of_two_devices_the_later_state_counts() -> None:
    before = Before()
    early = before.keep
    before.teacher.send("eyes", on=True)
    for _ in range(3):
        before.school.second()
        before.teacher.read()
    late = before.teacher.last("keep")["keep"]
    after = After(before)
    assert after.teacher(keep=early).state["eyes"] is False
    assert after.teacher(keep=late).state["eyes"] is True
    assert after.teacher(keep=early).state["eyes"] is True


def test_who_was_taken_out_stays_out() -> None:
    before = Before()
    first = before.first(before.students[0])
    before.teacher.send("take out", seat=1)
    for _ in range(3):
        before.school.second()
        before.teacher.read()
    before.keep = before.teacher.last("keep")["keep"]
    after = After(before)
    early = after.school.enter(first)  # before the teacher's state is there
    after.teacher()
    assert early.closed == 4401
    with pytest.raises(ValueError, match="void"):
        after.school.enter(first)


@pytest.mark.parametrize(
    "change",
    [
        {"kept": {"seat": 1, "name": "Rude", "typed": False, "joined": 1.0, "seal": "A" * 22}},
        {"kept": None}, {"kept": [1]}, {"kept": {"seat": 1, "name": [[]], "seal": "x"}}, {"answers": "x"},
        {"kept": {"seat": 1, "name": 1e400}},
    ],
)  # fmt: skip
def test_a_name_comes_back_only_with_its_seal(change: dict[str, Any]) -> None:
    after = After(Before())
    student = after.student(0, **change)
    if "kept" in change:
        assert student.closed == 4405 and after.of.seats == {}
    else:
        assert student.last("seat")["name"] == "Comet 0"


def test_without_the_secret_a_token_opens_nothing_after_a_restart() -> None:
    before = Before()
    for secret in (b"", b"another secret"):
        after = After(before, secret=secret)
        with pytest.raises(ValueError, match="no class"):
            after.teacher()
        with pytest.raises(ValueError, match="no class"):
            after.student(0)
    assert after.school.register.classes == {}


def test_nobody_joins_before_the_teacher_is_back_and_old_tokens_open_no_class() -> None:
    before = Before()
    after = After(before)
    after.student(0)
    new = after.school.enter({"as": "join"})
    assert new.last("door")["open"] is False
    new.send("join", name="Late")
    assert new.was_refused == "wait"
    late = After(before)
    late.school.clock.pass_by(8 * 3600)
    with pytest.raises(ValueError, match="no class"):
        late.student(0)


def test_a_projector_that_comes_first_opens_no_class_and_tries_again() -> None:
    before = Before()
    after = After(before)
    first = {"as": "projector", "token": before.of.token_of("projector")}
    with pytest.raises(ValueError, match="slow"):
        after.school.enter(first)
    assert after.school.register.classes == {}
    after.student(0)
    assert after.school.enter(first).last("welcome")["role"] == "projector"
    after.of.end()
    with pytest.raises(ValueError, match="ended"):
        after.school.enter(first)
    late = After(before)
    late.school.clock.pass_by(8 * 3600)
    with pytest.raises(ValueError, match="no class"):
        late.school.enter(first)


def test_an_ended_class_does_not_come_back() -> None:
    before = Before()
    first = before.first(before.students[0])
    before.teacher.send("end")
    for message in (first, {"as": "teacher", "token": before.token, "view": "wall", "keep": before.keep}):
        with pytest.raises(ValueError, match="ended"):
            before.school.enter(message)


def test_a_teachers_device_without_a_state_does_not_keep_another_ones_from_coming_back() -> None:
    before = Before()
    after = After(before)
    student = after.student(0)
    student.read()
    assert not [each for each in student.received if each["is"] == "state"], "its page stays as it is"
    tab = after.teacher(view="board", keep=None)
    tab.read()
    wall = after.teacher()
    assert wall.vote["answered"] == 1 and student.state["name"] == "Comet 0"
    alone = After(before)
    tab, student = alone.teacher(view="board", keep=None), alone.student(0)
    for _ in range(int(RETURN_SECONDS) + 1):
        alone.school.second()
    assert student.state["vote"] is None, "after ten seconds the class goes on with who is back"
    assert alone.teacher().vote["answered"] == 1, "and the state still comes back"


def test_a_device_that_was_taken_out_cannot_take_the_class_by_coming_first_after_a_restart() -> None:
    before = Before()
    old_keep = before.keep
    thief = before.school.teacher(before.of, "remote", fresh=True)
    stolen = thief.last("welcome")["token"]
    before.teacher.send("take out device", device=2)
    for _ in range(3):
        before.school.second()
        before.teacher.read()
    before.keep, before.token = before.teacher.last("keep")["keep"], before.teacher.last("token")["token"]
    after = After(before)
    thief = after.school.enter({"as": "teacher", "token": stolen, "view": "wall", "keep": old_keep})
    for _ in range(20):
        after.school.second()
    teacher = after.teacher()
    assert teacher.state["device"] == 1 and thief.closed == 4401
    with pytest.raises(ValueError, match="void"):
        after.school.enter({"as": "teacher", "token": stolen, "view": "wall", "keep": old_keep})


def test_a_timer_that_runs_out_meanwhile_waits_for_the_answers_that_come_back() -> None:
    before = Before()
    vote = before.teacher.vote
    before.teacher.send("timer", vote=vote["id"], **{"in": vote["state"]}, seconds=30)
    before.collect()
    after = After(before)
    after.school.clock.pass_by(60)
    teacher = after.teacher()
    after.school.second()
    assert teacher.vote["state"] == "open 1"
    for number in range(6):
        after.student(number)
    after.school.second()
    assert teacher.vote["state"] == "closed 1" and teacher.vote["answered"] == 5


def test_numbers_that_were_given_in_the_last_seconds_are_not_given_again() -> None:
    before = Before()
    keep = before.keep
    late = before.school.student(before.of, "Late")
    press(before.teacher, "close")
    press(before.teacher, "next")
    before.teacher.send("ask", page=PAGE, experiment=EXPERIMENT)
    answer(late, before.options[1])
    before.teacher.send("send", kind="place", **PLACE, run=None, to="all")
    last_vote, last_send = before.of.vote, before.of.sent
    assert last_vote is not None and last_send is not None
    first = before.first(late)
    before.keep = keep
    after = After(before)
    teacher = after.teacher()
    for number in range(6):
        after.student(number)
    new = after.school.student(after.of, "New")
    back = after.school.enter(first)
    assert not new.closed and new.last("seat")["seat"] != back.last("seat")["seat"]
    press(teacher, "close")
    press(teacher, "next")
    teacher.send("ask", page=PAGE, experiment=EXPERIMENT)
    teacher.send("send", kind="place", **PLACE, run=None, to="all")
    assert back.vote["id"] > last_vote.id and back.vote["answer"] is None
    assert back.state["sent"]["n"] > last_send.n, "pages follow only later sends"


def test_a_state_from_before_a_device_was_taken_out_does_not_give_it_its_token_back() -> None:
    before = Before()
    thief = before.school.teacher(before.of, "remote", fresh=True)
    stolen = thief.last("welcome")["token"]
    before.teacher.send("take out device", device=2)
    before.token = before.teacher.last("token")["token"]  # the state was kept before
    after = After(before)
    after.student(0)  # who opens the class again knows nothing of it
    teacher = after.teacher()
    assert teacher.vote["state"] == "open 1" and not teacher.closed
    with pytest.raises(ValueError, match="void"):
        after.school.enter({"as": "teacher", "token": stolen, "view": "wall"})


def test_until_the_teachers_state_is_back_students_are_told_to_wait() -> None:
    before = Before()
    after = After(before)
    student = after.student(4)
    assert student.last("returning")
    for do, fields in (("help", {"on": False}), ("done", {"on": True}),
                       ("answer", {"vote": 1, "in": "open 1", "answer": before.options[0]})):  # fmt: skip
        student.send(do, **fields)
        assert student.was_refused == "wait"
    after.teacher()
    assert student.state["help"] is True


def test_a_state_that_could_not_come_back_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Before()
    monkeypatch.setattr("playground.classroom.coming_back.MAX_CHARACTERS", 100)
    before.teacher.received.clear()
    before.teacher.send("eyes", on=True)
    for _ in range(3):
        before.school.second()
        before.teacher.read()
    assert not [each for each in before.teacher.received if isinstance(each, dict) and each["is"] == "keep"]
