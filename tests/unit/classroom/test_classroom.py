"""A class: what each event of the teacher and of students changes, for whom, and what undoes it."""

from __future__ import annotations

import gc
import math
import struct
from collections.abc import Iterator
from types import FrameType
from typing import Any

import numpy as np
import pytest

from playground.classroom import messages
from playground.classroom.classroom import AWAY_SECONDS, EYES_SECONDS, LOST_SEAT_SECONDS, ON_THE_WAY_SECONDS
from playground.classroom.commands import MAX_SEATS
from playground.classroom.feed import KEEP_SECONDS
from playground.classroom.tiles import HEAD, MAX_LOSSES, SAME_LOSSES, Flag
from playground.glance import Glance, Miniature, thinned
from tests.unit.classroom.people import CODE, EXPERIMENT, PAGE, Browser, School, answer, press

PLACE = {"page": PAGE, "query": "?classification_try=circle-cuts", "experiment": EXPERIMENT, "title": "Circle"}
BOARD = {"session": "mine", "page": PAGE, "query": "", "experiment": EXPERIMENT}


def send(teacher: Browser, to: Any = "all", **fields: Any) -> None:
    teacher.send("send", **{"kind": "place", **PLACE, "run": None, "to": to, **fields})


def undo(teacher: Browser) -> None:
    acts = [each for each in teacher.state["acts"] if each["undo"]]
    teacher.send("undo", act=acts[-1]["act"])


# Sends.


def test_while_pages_follow_a_send_the_class_is_on_its_way() -> None:
    school = School()
    of = school.start()
    seen: list[bool] = []
    school.register.listeners.append(lambda each: seen.append(each.is_on_its_way))
    teacher, students = school.teacher(of), school.students(of, 12)
    for number, student in enumerate(students[:11]):
        student.send("board", **{**BOARD, "session": f"{number}"}, run=None)
    assert not of.is_on_its_way
    assert of.sessions() == {f"{number}" for number in range(11)}, "a phone that only answers has no page"
    send(teacher)
    number = students[0].state["sent"]["n"]
    assert of.is_on_its_way and seen[-1]
    for student in students[:10]:
        assert of.is_on_its_way
        student.send("placed", send=number)
    assert not of.is_on_its_way and not seen[-1], "a straggler holds up nobody"
    send(teacher)
    assert of.is_on_its_way
    for student in students[:11]:
        of.depart(student.connection)
    assert not of.is_on_its_way, "who is gone does not follow"
    send(teacher)
    back = [school.enter({"as": "student", "token": student.token}) for student in students[:11]]
    assert back and of.is_on_its_way
    for _ in range(6):
        school.second()
    assert not of.is_on_its_way and not seen[-1], "after five seconds the runs continue"
    send(teacher, to=[1])
    assert not of.is_on_its_way, "for one, with others who have never followed the send before, nobody waits"


# The door.


def test_a_student_takes_the_offered_name_or_types_one_if_the_class_allows_it() -> None:
    school = School()
    of = school.start(names="own")
    one = school.enter({"as": "join"})
    offer = one.last("door")["offer"]
    one.send("join")
    assert one.last("seat")["name"] == offer
    two = school.student(of, "Comet")
    assert two.last("seat")["name"] == "Comet"
    three = school.enter({"as": "join"})
    three.send("join", name="comet")
    assert three.last("same")["name"] == "comet (2)"
    three.send("join", name="comet (2)")
    assert three.last("seat")["name"] == "comet (2)"
    assert of.seats[2].typed and not of.seats[1].typed


@pytest.mark.parametrize(
    "name", ["sh1t", "F.u.c.k", "", "   ", "x" * 17, "\u202eevil", "a\u0300" + "\u0300" * 9, "😀", "<b>"]
)
def test_a_refused_name_gets_no_reason(name: str) -> None:
    school = School()
    school.start(names="own")
    student = school.enter({"as": "join"})
    student.send("join", name=name)
    if name == "\u202eevil":  # what turns the text around is left out
        assert student.last("seat")["name"] == "evil"
        return
    assert student.was_refused == "name"
    assert student.answers[0]["say"] == messages.REFUSED["name"]


def test_a_class_of_offered_names_takes_no_typed_ones_and_one_of_numbers_counts() -> None:
    school = School()
    assert school.student(school.start(), "Comet").last("seat")["name"] != "Comet"
    of = school.start("BCDFGH", names="numbers")
    assert [each.last("seat")["name"] for each in school.students(of, 3)] == ["1", "2", "3"]


def test_the_server_may_forbid_typed_names() -> None:
    school = School(class_names="numbers")
    with pytest.raises(ValueError, match="settings of the class"):
        school.start(names="own")
    of = school.start(names="numbers")
    teacher = school.teacher(of)
    teacher.send("settings", names="own")
    assert teacher.was_refused == "names"


def test_a_closed_door_lets_nobody_in_and_a_full_class_says_who_is_next() -> None:
    school = School(class_seats=2)
    of = school.start()
    teacher = school.teacher(of)
    teacher.send("door", open=False)
    student = school.enter({"as": "join"})
    assert student.last("door")["open"] is False
    student.send("join")
    assert student.was_refused == "door"
    undo(teacher)
    student.send("join")
    one = school.student(of)
    waiting = [school.enter({"as": "join"}) for _ in range(2)]
    assert [each.last("door")["line"] for each in waiting] == [1, 2]
    waiting[0].send("join")
    assert waiting[0].was_refused == "full"
    one.send("leave")
    assert waiting[0].last("door")["full"] is False
    waiting[0].send("join")
    assert waiting[0].last("seat")
    assert waiting[1].last("door")["line"] == 1


def test_a_second_tab_takes_the_seat_and_the_first_one_stops() -> None:
    school = School()
    of = school.start()
    first = school.student(of)
    second = school.enter({"as": "student", "token": first.token})
    assert second.last("seat")["seat"] == 1
    assert first.closed == 4409 and len(of.seats) == 1


def test_a_seat_is_kept_for_ten_minutes_and_can_still_be_taken_again_after_that() -> None:
    school = School()
    of = school.start()
    teacher, student = school.teacher(of), school.student(of)
    token = student.token
    school.second()
    teacher.read()
    of.depart(student.connection)
    school.clock.pass_by(LOST_SEAT_SECONDS - 2)
    school.second()
    assert 1 in of.seats
    school.second()
    school.second()
    assert 1 not in of.seats
    assert teacher.last("seats")["gone"] == [1]
    send(teacher)
    back = school.enter({"as": "student", "token": token, "kept": student.last("seat")["kept"]})
    assert back.state["seat"] == 1 and 1 in of.seats
    assert back.state["sent"]["n"] == teacher.state["sent"]["n"], "and goes where the class has gone meanwhile"


def test_who_is_taken_out_comes_back_only_with_the_teachers_yes() -> None:
    school = School()
    of = school.start()
    teacher, student = school.teacher(of), school.student(of)
    token = student.token
    teacher.send("take out", seat=1)
    assert student.closed == 4401
    with pytest.raises(ValueError, match="void"):
        school.enter({"as": "student", "token": token})
    again = school.enter({"as": "join"})
    again.send("back", token=token)
    assert again.last("waiting") and teacher.state["waiting"] == [{"seat": 1, "name": student.last("seat")["name"]}]
    teacher.send("let back", seat=1, yes=True)
    assert again.last("seat")["seat"] == 1
    teacher.send("take out", seat=1)
    third = school.enter({"as": "join"})
    undo(teacher)
    third.send("back", token=token)
    assert 1 in of.seats and third.last("seat")["seat"] == 1
    teacher.send("take out", seat=1)
    fourth = school.enter({"as": "join"})
    fourth.send("back", token=token)
    send(teacher)
    teacher.send("let back", seat=1, yes=True)
    assert fourth.state["sent"]["title"] == "Circle", "where the class is by now"


def test_a_flood_of_strangers_is_taken_out_at_once_and_undo_lets_them_back() -> None:
    school = School(class_joins=1000)
    of = school.start()
    teacher, known = school.teacher(of), school.students(of, 3)
    school.clock.pass_by(10 * 60)
    strangers = school.students(of, 50)
    teacher.send("take out new", minutes=5)
    assert all(each.closed == 4401 for each in strangers) and not any(each.closed for each in known)
    assert len(of.seats) == 3 and not of.is_open
    undo(teacher)
    assert len(of.seats) == 53 and of.is_open


def test_who_comes_and_goes_a_thousand_times_leaves_little_behind_and_uses_the_numbers_up_at_last() -> None:
    school = School(class_seats=3)
    of = school.start()
    teacher = school.teacher(of)
    teacher.send("ask", page=PAGE, experiment=EXPERIMENT)
    for number in range(20):
        student = school.student(of)
        if number % 2:
            answer(student, student.vote["ask"]["options"][0][0])
        student.send("leave")
        of.depart(student.connection)
    assert len(of.left) == 3 and of.seats == {}
    assert len(of.connections) == 1
    of.last_seat = MAX_SEATS
    late = school.enter({"as": "join"})
    late.send("join")
    assert late.was_refused == "full"
    for _ in range(5):
        school.enter({"as": "join"})
    with pytest.raises(ValueError, match="too many"):
        school.enter({"as": "join"})


def test_a_flood_at_the_door_keeps_nobody_from_joining() -> None:
    school = School(class_seats=3)
    of = school.start()
    crowd = [school.enter({"as": "join"}) for _ in range(20)]
    assert len([each for each in crowd if not each.closed]) == 6
    assert [each.closed for each in crowd[:2]] == [4408, 4408], "who has stood there longest goes"
    student = school.student(of)
    assert student.last("seat")["seat"] == 1


def test_a_name_that_was_given_to_somebody_else_meanwhile_comes_back_with_a_number() -> None:
    school = School()
    of = school.start(names="own")
    teacher, ada = school.teacher(of), school.student(of, "Ada")
    teacher.send("rename", seat=1, name="Grace")
    school.student(of, "Ada")
    undo(teacher)
    assert ada.last("seat")["name"] == "Ada (2)"
    kept = ada.last("seat")
    of.depart(ada.connection)
    school.clock.pass_by(LOST_SEAT_SECONDS + 1)
    school.second()
    school.student(of, "Ada (2)")
    back = school.enter({"as": "student", "token": kept["token"], "kept": kept["kept"]})
    assert back.last("seat")["name"] == "Ada (2) (2)"


# Who may see what.


def test_names_are_projected_only_once_they_are_allowed_and_never_seen_by_other_students() -> None:
    school = School()
    of = school.start(names="own", show_names=True)
    teacher, projector = school.teacher(of), school.projector(of)
    shy, other = school.student(of, "Marker"), school.student(of)
    shy.send("board", run="run", **BOARD)
    school.second()
    assert projector.state["names"][0] is None
    teacher.send("spot", seat=1, name=True)
    for each in (projector, other, shy):
        each.read()
        assert each.state["screen"]["name"] is None
    teacher.send("allow", seat=1)
    assert projector.state["names"][0] == "Marker" and projector.state["screen"]["name"] == "Marker"
    assert other.state["screen"] == {"what": "spot", "run": "run", "name": None, "mine": False}
    assert shy.state["screen"] == {"what": "spot", "run": "run", "name": "Marker", "mine": True}
    teacher.send("settings", show_names=False)
    assert projector.state["screen"]["name"] is None
    teacher.send("settings", leaders=True, names_on_leaders=True)
    teacher.send("project", what="leaders")
    other.send("together", on=True)
    of.take_glances({"run": glance(parameters=13)})
    school.second()
    assert projector.last("leaders")["dots"][0][-1] == "Marker" and other.last("leaders")["dots"][0][-1] is None
    assert "Marker" not in str(other.received)


def test_only_the_teacher_and_whom_a_board_is_shown_to_may_read_it() -> None:
    school = School()
    of = school.start()
    other_class = school.start("BCDFGH")
    teacher, projector, (one, other) = school.teacher(of), school.projector(of), school.students(of, 2)
    one.send("board", run="run", **BOARD)
    reads = school.register.may_read
    tokens = {"teacher": teacher.token, "projector": of.token_of("projector"), "one": one.token, "other": other.token}
    assert {name: reads(CODE, token, "run") for name, token in tokens.items()} == {
        "teacher": True, "projector": False, "one": False, "other": False}  # fmt: skip
    teacher.send("spot", seat=1)
    assert all(reads(CODE, token, "run") for token in tokens.values())
    assert not reads(CODE, tokens["other"], "another run")
    assert not reads("BCDFGH", other_class.token_of("teacher", 1), "run")
    assert not reads("BCDFGH", tokens["teacher"], "run") and not reads("ZZZZZZ", tokens["teacher"], "run")
    teacher.send("spot", seat=None)
    assert not reads(CODE, tokens["other"], "run") and projector.state["screen"] is None


def test_a_student_is_told_while_the_teacher_looks_at_the_board() -> None:
    school = School()
    of = school.start()
    teacher, (one, other) = school.teacher(of), school.students(of, 2)
    teacher.send("look", seats=[1, 2], one=1)
    assert one.state["looked"] and not other.state["looked"]
    teacher.send("look", seats=[1, 2], one=2)
    assert not one.state["looked"] and other.state["looked"]
    of.depart(teacher.connection)
    assert not other.state["looked"]


# Pace.


def test_sends_reach_all_and_latecomers_those_who_strayed_and_single_students() -> None:
    school = School()
    of = school.start()
    teacher, (one, other) = school.teacher(of), school.students(of, 2)
    send(teacher)
    first = one.state["sent"]
    assert first["page"] == PAGE and first["n"] == other.state["sent"]["n"] and not one.state["free"]
    late = school.student(of)
    assert late.state["sent"]["n"] == first["n"]
    one.send("board", run=None, **BOARD)
    other.send("board", run=None, **{**BOARD, "page": "regression", "experiment": None})
    school.second()
    assert not any(row["strayed"] for row in teacher.last("seats")["seats"]), "on their way"
    for _ in range(int(ON_THE_WAY_SECONDS)):
        school.second()
    strayed = [row["strayed"] for row in teacher.last("seats")["seats"]]
    assert strayed == [False, True, False], "who only answers, on a phone, has no board that could stray"
    send(teacher, to="strayed")
    assert other.state["sent"]["n"] > first["n"] and one.state["sent"]["n"] == first["n"]
    send(teacher, to=[1])
    assert one.state["sent"]["n"] > other.state["sent"]["n"]


def test_undo_takes_back_sends_locks_eyes_follow_and_free_one_by_one() -> None:
    school = School()
    of = school.start()
    teacher, student = school.teacher(of), school.student(of)
    teacher.send("board", run="own", **BOARD)
    send(teacher)
    before = student.state["sent"]
    send(teacher, title="Second")
    teacher.send("lock", names=["lr", "units"])
    teacher.send("eyes", on=True)
    teacher.send("follow", on=True)
    teacher.send("free")
    state = student.state
    assert state["locks"] == ["lr", "units"] and state["eyes"] and state["screen"]["what"] == "follow" and state["free"]
    undo(teacher)
    assert not student.state["free"]
    undo(teacher)
    assert student.state["screen"] is None
    undo(teacher)
    assert not student.state["eyes"]
    undo(teacher)
    assert student.state["locks"] == []
    undo(teacher)
    assert student.state["sent"] == before
    undo(teacher)
    assert student.state["sent"] is None and student.state["free"]


def test_undo_of_a_send_takes_boards_back_that_have_followed() -> None:
    school = School()
    of = school.start()
    teacher, (one, other) = school.teacher(of), school.students(of, 2)
    for to, kind in (("all", "place"), ("all", "preset")):
        send(teacher, to, kind=kind)
        one.send("placed", send=one.state["sent"]["n"])
    last = one.state["sent"]["n"]
    undo(teacher)
    found = one.state["sent"]
    assert found["n"] > last and found["kind"] == "place", "to the place before"
    assert other.state["sent"]["n"] < last, "who was not there yet stays"
    one.send("placed", send=found["n"])
    undo(teacher)
    assert one.state["sent"]["kind"] == "back" and one.state["sent"]["n"] > found["n"]
    assert other.state["sent"] is None and teacher.state["sent"] is None


def test_a_step_of_the_plan_sends_all_there_and_undo_brings_them_back() -> None:
    school = School()
    of = school.start()
    teacher, student = school.teacher(of), school.student(of)
    other = {**PLACE, "page": "regression", "query": "", "experiment": None, "title": "Lines"}
    teacher.send("plan", steps=[PLACE, other])
    teacher.send("step", **{"from": 0, "to": 0})
    assert student.state["sent"]["title"] == "Circle" and not student.state["free"]
    teacher.send("step", **{"from": 0, "to": 1})
    assert student.state["sent"]["page"] == "regression" and teacher.state["plan"]["at"] == 1
    teacher.send("step", **{"from": 0, "to": 1})
    assert teacher.was_refused == "state", "pressed twice"
    teacher.send("step", **{"from": 1, "to": 2})
    assert teacher.was_refused == "state"
    undo(teacher)
    assert teacher.state["plan"]["at"] == 0 and student.state["sent"]["title"] == "Circle"
    teacher.send("ask", page=PAGE, experiment=EXPERIMENT)
    teacher.send("step", **{"from": 0, "to": 1})
    assert teacher.was_refused == "busy"


def test_undo_is_refused_when_another_act_came_meanwhile_and_keeps_ten() -> None:
    school = School()
    of = school.start()
    wall, phone = school.teacher(of), school.teacher(of, "remote")
    wall.send("eyes", on=True)
    act = wall.state["acts"][-1]["act"]
    phone.send("lock", names=["all"])
    wall.send("undo", act=act)
    assert wall.was_refused == "state" and of.eyes and of.locks == ("all",)
    for number in range(30):
        wall.send("eyes", on=number % 2 == 1)
    assert len(wall.state["acts"]) == 10


def test_follow_needs_a_board_and_ends_when_its_student_or_device_goes() -> None:
    school = School()
    of = school.start()
    teacher, student = school.teacher(of), school.student(of)
    for message in ({"do": "follow", "on": True}, {"do": "spot", "seat": 1}):
        teacher.send(**message)  # type: ignore[arg-type]
        assert teacher.was_refused == "no run"
    student.send("board", run="run", **BOARD)
    teacher.send("spot", seat=1)
    teacher.send("take out", seat=1)
    assert of.screen is None


def test_followers_wait_while_the_teacher_opens_another_page() -> None:
    school = School()
    of = school.start()
    page, projector, student = school.teacher(of, "board"), school.projector(of), school.student(of)
    page.send("board", run="one", **BOARD)
    page.send("follow", on=True)
    followed = {"what": "follow", "name": None, "mine": False}
    for run in ("one", None, "another"):
        page.send("board", run=run, **BOARD)
        assert student.state["screen"] == {**followed, "run": run}
        assert projector.state["screen"] == (run and {**followed, "run": run})
        assert school.register.may_read(CODE, student.token, "another") == (run == "another")


def test_a_board_whose_page_has_gone_is_off_all_screens_after_a_while() -> None:
    school = School()
    of = school.start()
    wall, page, student = school.teacher(of), school.teacher(of, "board"), school.student(of)
    page.send("board", run="own", **BOARD)
    page.send("follow", on=True)
    of.depart(page.connection)  # loaded again
    school.second()
    school.clock.pass_by(AWAY_SECONDS - 2)
    page = school.teacher(of, "board")
    school.second()
    assert student.state["screen"] and wall.state["own"]
    of.depart(page.connection)
    school.second()
    school.clock.pass_by(AWAY_SECONDS)
    school.second()
    assert student.state["screen"] is None and wall.state["own"] is None and student.state["teacher"] == "here"
    wall.send("follow", on=True)
    assert wall.was_refused == "no run"


@pytest.mark.parametrize("leaves", [True, False])
def test_a_spotlight_ends_with_its_student(leaves: bool) -> None:
    school = School()
    of = school.start()
    teacher, (one, other) = school.teacher(of), school.students(of, 2)
    one.send("board", run="run", **BOARD)
    teacher.send("spot", seat=1)
    if leaves:
        one.send("leave")
    else:
        of.depart(one.connection)
        school.second()
        assert other.state["screen"], "the student may only have loaded the page again"
        school.clock.pass_by(AWAY_SECONDS)
        school.second()
    assert other.state["screen"] is None and teacher.state["screen"] is None


def test_after_a_restart_a_spotlight_on_a_student_who_stays_away_ends() -> None:
    school = School()
    of = school.start()
    teacher, (one, _) = school.teacher(of), school.students(of, 2)
    one.send("board", run="run", **BOARD)
    teacher.send("spot", seat=1)
    school.clock.pass_by(KEEP_SECONDS)
    school.second()
    kept, token = teacher.last("keep")["keep"], teacher.token
    again = School(school.clock)
    back = again.enter({"as": "teacher", "token": token, "view": "wall", "keep": kept})
    for _ in range(int(2 * AWAY_SECONDS)):
        again.second()
    assert back.of.screen is None


def test_when_the_teacher_is_away_follow_ends_and_later_eyes_up_and_at_last_the_class() -> None:
    school = School()
    of = school.start()
    teacher, student = school.teacher(of), school.student(of)
    teacher.send("board", run="own", **BOARD)
    teacher.send("follow", on=True)
    teacher.send("eyes", on=True)
    teacher.send("ask", page=PAGE, experiment=EXPERIMENT)
    of.depart(teacher.connection)
    school.clock.pass_by(AWAY_SECONDS)
    school.second()
    state = student.state
    assert state["teacher"] == "away" and state["screen"] is None and state["eyes"] and state["vote"]
    school.clock.pass_by(EYES_SECONDS - AWAY_SECONDS)
    school.second()
    assert not student.state["eyes"] and student.state["vote"]
    assert school.teacher(of).state["vote"] and student.state["teacher"] == "here"
    of.depart(next(each for each in of.connections if each.role == "teacher"))
    school.clock.pass_by(30 * 60)
    school.second()
    assert student.last("ended") and student.closed == 4410 and of.has_ended


def test_a_class_that_nobody_opens_or_that_lasts_too_long_is_ended() -> None:
    school = School()
    of = school.start()
    school.clock.pass_by(121)
    school.second()
    assert of.has_ended and school.register.classes == {}
    of = school.start("BCDFGH")
    school.teacher(of)
    school.clock.pass_by(8 * 3600)
    school.second()
    assert of.has_ended


# The wall.


def curve(losses: bytes) -> bytes:
    """The loss curve of a run that has these loss bytes in a tile."""
    codes = np.frombuffer(losses, np.uint8).astype(float)
    return np.where(codes, 1 + np.rint(65_534 * (codes - 1) / 254), 0).astype("<u2").tobytes()


def glance(**values: Any) -> Glance:
    return Glance(**{"state": "playing", "step": 100, "loss": 0.5, "rate": 0.1, "accuracy": 0.9, "units": 3, **values})


def test_the_wall_gets_heads_of_all_and_miniatures_of_those_in_view_only_when_they_change() -> None:
    school = School()
    of = school.start()
    teacher, (one, other) = school.teacher(of), school.students(of, 2)
    for number, student in enumerate((one, other), start=1):
        student.send("board", run=f"run-{number}", **BOARD)
    teacher.send("look", seats=[1], one=None)
    assert of.pictures == {"run-1"} and of.numbers == {"run-1", "run-2"}
    picture = Miniature("map2", bytes(range(128)), b"\x07\x08\x01")
    of.take_glances({"run-1": glance(miniature=picture, curve=curve(b"\x01\x02")), "run-2": glance(miniature=picture)})
    school.second()
    (tiles,) = [each for each in teacher.read() if isinstance(each, bytes)]
    assert len(tiles) == (HEAD.size + 2 + 128 + 3) + HEAD.size
    seat, kind, lesson, experiment, flags, age, step, loss, rate, accuracy, units, *lengths, challenge = (
        HEAD.unpack_from(tiles)
    )
    assert (seat, kind, experiment, step, units, lengths, challenge) == (1, 1, 2, 100, 3, [2, 128, 3], 0)
    assert Flag(flags) == Flag.HERE | Flag.PLAYS and age == 0
    assert loss == 0.5 and rate == pytest.approx(0.1) and accuracy == round(0.9 * 65_534)
    assert messages and teacher.last("welcome")["lessons"][lesson] == PAGE
    assert tiles[HEAD.size :][:133] == b"\x01\x02" + picture.picture + picture.data
    school.second()
    assert not [each for each in teacher.read() if isinstance(each, bytes)], "nothing has changed"
    of.take_glances({"run-1": glance(step=101)})  # without a new picture
    school.second()
    (tiles,) = [each for each in teacher.read() if isinstance(each, bytes)]
    assert len(tiles) == HEAD.size and struct.unpack_from("<I", tiles, 8)[0] == 101
    teacher.send("look", seats=[1, 2], one=None)
    school.second()
    (tiles,) = [each for each in teacher.read() if isinstance(each, bytes)]
    assert len(tiles) == HEAD.size + 128 + 3, "the one that came into view"


def tiles_of(browser: Browser) -> list[bytes]:
    """The tiles that have come since the last reading."""
    return [each for each in browser.read() if isinstance(each, bytes)]


def test_a_tile_need_not_wait_for_the_next_second() -> None:
    school = School()
    of = school.start()
    teacher, (one, other) = school.teacher(of), school.students(of, 2)
    for number, student in enumerate((one, other), start=1):
        student.send("board", run=f"run-{number}", **BOARD)
    school.second()
    teacher.read()
    of.take_glances({"run-2": glance()})
    (tiles,) = tiles_of(teacher)
    assert HEAD.unpack_from(tiles)[0] == 2 and len(tiles) == HEAD.size, "the one that has said something"
    assert not tiles_of(teacher)


def test_the_loss_curve_of_a_tile_is_sent_once_a_second_and_only_where_it_has_changed() -> None:
    school = School()
    of = school.start()
    teacher, student = school.teacher(of), school.student(of)
    student.send("board", run="run", **BOARD)
    school.second()
    teacher.read()
    of.take_glances({"run": glance(curve=curve(b"\x01\x02"))})
    assert len(tiles_of(teacher)[-1]) == HEAD.size, "numbers alone"
    school.second()
    assert tiles_of(teacher)[-1][HEAD.size :] == b"\x01\x02"
    student.send("help", on=True)
    school.second()
    (tiles,) = tiles_of(teacher)
    assert Flag.HELP in Flag(HEAD.unpack_from(tiles)[4]) and len(tiles) == HEAD.size


def test_a_tile_has_the_whole_loss_curve_of_its_run_whatever_was_sent_before() -> None:
    school = School()
    of = school.start()
    teacher, student = school.teacher(of), school.student(of)
    student.send("board", run="run", **BOARD)
    shown = b""  # what the wall draws: a part that has not changed is kept

    def second() -> bytes:
        nonlocal shown
        school.second()
        for tiles in tiles_of(teacher):
            length = HEAD.unpack_from(tiles)[11]
            shown = shown if length == SAME_LOSSES else tiles[HEAD.size :][:length]
        return shown

    falling = bytes(range(200, 140, -1))
    for count in (2, 10, 30):  # it grows, and what comes between two seconds is not missed
        of.take_glances({"run": glance(step=count - 1, curve=curve(falling[: count - 1]))})
        of.take_glances({"run": glance(step=count, curve=curve(falling[:count]))})
        assert second() == falling[:count]
    for on in (True, False):  # the same tile again, for another reason
        student.send("help", on=on)
        school.clock.pass_by(60.0)
        assert second() == falling[:30]
    of.take_glances({"run": glance(step=60, curve=curve(falling))})
    assert second() == thinned(np.frombuffer(falling, np.uint8), MAX_LOSSES).tobytes()
    of.take_glances({"run": glance(step=3, curve=curve(b"\x80\x7f"))})  # Reset
    assert second() == b"\x80\x7f"
    of.take_glances({"run": glance(step=9, curve=curve(b"\x80\xff\x00"), state="failed", loss=math.nan)})
    assert second() == b"\x80\xff\x00", "it has diverged"
    student.send("board", run="another", **BOARD)
    assert second() == b"", "nothing of the run before"
    of.take_glances({"another": glance(step=700, curve=curve(b"\x70"))})
    assert second() == b"\x70"
    other = school.teacher(of)  # a wall that comes late
    school.second()
    assert tiles_of(other)[-1][HEAD.size :][:1] == b"\x70"


def test_a_picture_stays_until_the_next_one_comes_or_the_run_begins_again() -> None:
    picture = Miniature("map2", bytes(128))
    before = glance(step=100, miniature=picture)
    assert glance(step=101).with_picture_of(before).miniature == picture
    assert not glance(step=0).with_picture_of(before).miniature.picture


def test_a_dot_says_whether_its_run_still_plays_and_one_that_diverged_stays() -> None:
    school = School()
    of = school.start()
    teacher, students = school.teacher(of), school.students(of, 4)
    for number, student in enumerate(students):
        student.send("board", run=f"run-{number}", **BOARD)
    of.take_glances({
        "run-0": glance(rate=0.01, loss=0.5),
        "run-1": glance(rate=0.1, loss=0.2, state="done"),
        "run-2": glance(rate=10.0, loss=math.nan, state="failed"),
        "run-3": glance(rate=1.0, loss=math.nan),  # its first loss is not there yet
    })  # fmt: skip
    teacher.send("found", on=True, what="scatter")
    school.second()
    found = sorted(each[1:] for each in teacher.last("dots")["dots"])
    assert found == [[0.01, 0.5, True], [0.1, 0.2, False], [10.0, None, False]]
    teacher.send("found", on=True, what="ghosts")
    school.second()
    found = teacher.last("curves")
    assert (found["page"], found["title"], found["of"]) == (PAGE, "Classification", 4), "it says whose runs it has"
    teacher.send("found", on=False)
    of.take_glances({"run-0": glance(rate=0.01, loss=0.4)})
    school.second()
    assert not [each for each in teacher.read() if isinstance(each, dict) and each["is"] in ("dots", "curves")]


def test_the_leaders_goal_is_that_of_the_challenge_to_which_the_class_was_sent() -> None:
    school = School()
    of = school.start()
    teacher, student = school.teacher(of), school.student(of)
    teacher.send("settings", leaders=True)
    teacher.send("found", on=True, what="leaders")
    student.send("board", run="run", page=PAGE, query="", experiment="challenge")
    of.take_glances({"run": glance(accuracy=0.96, parameters=22, state="done")})
    school.second()
    found = teacher.last("leaders")
    assert (found["accuracy"], found["parameters"], found["dots"][0][3]) == (0.95, 0, True)
    place = {"page": PAGE, "experiment": "challenge", "title": "A challenge", "to": "all", "run": None}
    teacher.send("send", kind="place", query="?classification_try=challenge", **place)
    school.second()
    found = teacher.last("leaders")
    assert (found["accuracy"], found["parameters"], found["dots"][0][3]) == (0.95, 20, False)
    teacher.send("send", kind="preset", query="?classification_least_accuracy=90", **place | {"experiment": None})
    school.second()
    assert teacher.last("leaders")["accuracy"] == 0.9
    for hostile in ("nan", "-5", "1e9", "x"):
        teacher.send(
            "send", kind="preset", query=f"?classification_least_accuracy={hostile}", **place | {"experiment": None}
        )
        school.second()
        assert teacher.last("leaders")["accuracy"] == 0.95, hostile


def test_a_step_of_the_plan_that_asks_sends_all_there_and_opens_its_question() -> None:
    school = School()
    of = school.start()
    teacher, student = school.teacher(of), school.student(of)
    place = {"page": PAGE, "query": "?classification_try=xor", "experiment": "xor", "title": "Xor", "ask": False}
    asking = place | {"query": f"?classification_try={EXPERIMENT}", "experiment": EXPERIMENT, "ask": True}
    teacher.send("plan", steps=[place, asking])
    teacher.send("step", **{"from": 0, "to": 0})
    assert student.state["sent"]["experiment"] == "xor" and student.state["vote"] is None
    teacher.send("step", **{"from": 0, "to": 1})
    assert student.state["sent"]["experiment"] == student.vote["experiment"] == EXPERIMENT


def test_nothing_is_asked_of_runs_where_no_wall_looks() -> None:
    school = School()
    of = school.start()
    student = school.student(of)
    student.send("board", run="run", **BOARD)
    assert of.pictures == of.numbers == frozenset()
    teacher = school.teacher(of)
    assert of.numbers == {"run"}
    of.depart(teacher.connection)
    assert of.numbers == frozenset()


def test_help_is_listed_at_once_and_other_rows_once_a_second() -> None:
    school = School()
    of = school.start()
    teacher, student = school.teacher(of), school.student(of)
    school.second()
    teacher.read()
    student.send("done", on=True)
    assert not [each for each in teacher.read() if isinstance(each, dict) and each["is"] == "seats"]
    student.send("help", on=True)
    rows = teacher.last("seats")["seats"]
    assert rows[0]["help"] == school.clock() and rows[0]["done"]
    teacher.send("helped", seat=1)
    assert student.state["help"] is False


def test_dots_and_curves_have_no_names_and_students_get_them_only_while_they_are_shown() -> None:
    school = School()
    of = school.start(names="own")
    teacher, projector = school.teacher(of), school.projector(of)
    one, other = school.student(of, "Marker"), school.student(of)
    one.send("board", run="run", **BOARD)
    other.send("together", on=True)
    of.take_glances({"run": glance(curve=curve(bytes(range(64))), parameters=13)})
    school.second()
    for each in (projector, other):
        assert not {"dots", "curves", "leaders"} & {message["is"] for message in each.read()}
    for what, kind in (("scatter", "dots"), ("ghosts", "curves")):
        teacher.send("project", what=what)
        school.second()
        for each in (projector, other):
            message = each.last(kind)
            assert "Marker" not in str(message) and len(message[kind]) == 1
            assert message[kind][0][0] == one.state["dot"] != other.state["dot"], "each knows the own one"
        assert not [each for each in one.received if isinstance(each, dict) and each["is"] == kind], "one has not asked"
    teacher.send("project", what="leaders")
    school.second()
    assert projector.state["show"]["what"] == "blank", "the leaders are off by default"
    teacher.send("settings", leaders=True)
    school.second()
    assert projector.last("leaders")["dots"][0][1:] == [13, 0.9, False, None]


def test_a_run_that_has_diverged_is_a_dot_without_a_height_and_one_without_accuracy_is_none() -> None:
    school = School()
    of = school.start()
    teacher, projector = school.teacher(of), school.projector(of)
    for at, student in enumerate(school.students(of, 3)):
        student.send("board", run=f"run-{at}", **BOARD)
    teacher.send("project", what="scatter", x="rate", y="accuracy")
    of.take_glances({
        "run-0": glance(rate=0.5), "run-1": glance(rate=2.0, state="failed"), "run-2": glance(accuracy=math.nan),
    })  # fmt: skip
    school.second()
    assert sorted(each[1:3] for each in projector.last("dots")["dots"]) == [[0.5, 0.9], [2.0, None]]


# Devices.


def test_a_pairing_token_works_once_within_a_minute() -> None:
    school = School()
    of = school.start()
    teacher = school.teacher(of)
    teacher.send("pair")
    token = teacher.last("pair")["token"]
    phone = school.enter({"as": "pair", "token": token, "view": "remote"})
    own = phone.last("welcome")["token"]
    assert phone.state["device"] == 2 and [each["new"] for each in teacher.state["devices"]] == [False, True]
    teacher.send("keep device", device=2)
    assert [each["new"] for each in phone.state["devices"]] == [False, False]
    with pytest.raises(ValueError, match="void"):
        school.enter({"as": "pair", "token": token, "view": "remote"})
    teacher.send("pair")
    school.clock.pass_by(61)
    with pytest.raises(ValueError, match="void"):
        school.enter({"as": "pair", "token": teacher.last("pair")["token"], "view": "remote"})
    assert school.enter({"as": "teacher", "token": own, "view": "remote"}).state["device"] == 2


def test_taking_a_device_out_changes_all_tokens_of_the_teacher() -> None:
    school = School()
    of = school.start()
    teacher = school.teacher(of)
    link = of.token_of("teacher", 1)
    thief = school.enter({"as": "teacher", "token": link, "view": "remote", "fresh": True})
    stolen = thief.last("welcome")["token"]
    teacher.send("take out device", device=2)
    assert thief.closed == 4401
    new = teacher.last("token")["token"]
    for token in (stolen, link):
        with pytest.raises(ValueError, match="void"):
            school.enter({"as": "teacher", "token": token, "view": "wall"})
    assert school.enter({"as": "teacher", "token": new, "view": "wall"}).state["device"] == 1
    assert school.projector(of).state, "the projector's token is another one"


# The end.


def test_after_the_end_neither_names_nor_answers_are_in_the_process() -> None:
    marker = "".join(("Zq", "marker", "person"))
    school = School()
    of = school.start(names="own")
    teacher, projector, student = school.teacher(of), school.projector(of), school.student(of, marker)
    school.students(of, 4)
    teacher.send("ask", page=PAGE, experiment="inside")
    answer(student, [float("-0.6173")] * 24)
    teacher.send("rename", seat=2, name=f"{marker} 2")
    teacher.send("take out", seat=3)
    student.send("board", run=f"run-{marker}", **BOARD)
    teacher.send("spot", seat=1, name=True)
    press(teacher, "close")
    press(teacher, "show", sure=True)
    for _ in range(3):
        school.second()
        for each in (teacher, projector, student):
            each.read()
    silent = school.student(of)  # does not read any more
    of.rename(silent.connection.seat, f"{marker} 3")
    drawn = float("-0.6173")  # another object than those that are looked for
    assert holders(marker) and holders(drawn)
    silent.received.clear()
    silent.answers.clear()
    teacher.send("end")
    for each in (teacher, projector, student):
        each.read()
        of.depart(each.connection)
        each.received.clear()
        each.answers.clear()
    assert holders(marker) == holders(drawn) == []


def holders(value: Any) -> list[Any]:
    """The objects of this process that hold a value: a text as a part, a number as it is."""
    gc.collect()
    found = []
    for each in gc.get_objects():
        if type(each) is FrameType:
            continue  # this test's own names
        same = [part for part in parts(each) if type(part) is type(value) and part is not value]
        if any(value in part if isinstance(value, str) else value == part for part in same):
            found.append((type(each), str(each)[:200]))
    return found


def parts(of: Any) -> Iterator[Any]:
    """What an object refers to, and what is in its containers that the collector does not track."""
    for part in gc.get_referents(of):
        yield part
        if type(part) in (tuple, dict) and not gc.is_tracked(part):
            yield from parts(part)


def test_whoever_has_asked_for_a_snapshot_is_told_that_it_is_kept() -> None:
    school = School()
    of = school.start()
    teacher, other, student = school.teacher(of), school.teacher(of), school.student(of)
    student.send("board", run="own", **BOARD)
    teacher.send("snapshot", seat=1)
    of.snapshot_taken(of.errands.popleft(), b"content", "", b"tile")
    assert teacher.last("snapshot")["id"] == teacher.state["snapshots"][0]["id"]
    assert len(other.state["snapshots"]) == 1
    assert not any(isinstance(each, dict) and each["is"] == "snapshot" for each in other.received)
