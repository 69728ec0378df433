"""The limits of a server with classes: how many, how fast, wrong codes, secrets and tokens."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from playground.classroom import codes
from playground.classroom.classroom import AWAY_SECONDS
from playground.classroom.rates import MINUTE, WAIT_SECONDS, Bucket, WrongCodes, address_group
from playground.classroom.register import MAX_PROJECTORS, MAX_TEACHERS_PAGES, NotAdmitted
from playground.classroom.tokens import FILE, Keys, Pass, secret_of
from tests.unit.classroom.people import CODE, EXPERIMENT, PAGE, Clock, School

TEACHER = Pass("teacher", 1, 0, 1_800_000_000)


def test_a_server_has_so_few_classes_as_its_setting_says_and_an_address_starts_them_slowly() -> None:
    school = School(classes=2)
    school.start("BBBBBB")
    school.start("CCCCCC", "10.0.0.9")
    with pytest.raises(ValueError, match="2 classes"):
        school.start("DDDDDD", "10.0.0.8")
    school = School(classes=100)
    for letter in "BCDFGH":
        school.start(letter * 6)
    with pytest.raises(ValueError, match="Wait a minute"):
        school.start("JJJJJJ")
    school.start("JJJJJJ", "10.0.0.9")
    school.clock.pass_by(10)
    school.start("KKKKKK")


def test_the_code_of_a_class_that_is_there_or_has_just_ended_is_taken() -> None:
    school = School()
    of = school.start()
    with pytest.raises(ValueError, match="in use"):
        school.start()
    of.end()
    with pytest.raises(ValueError, match="in use"):
        school.start()


def test_codes_have_six_letters_without_vowels() -> None:
    assert codes.is_code(CODE) and codes.is_code(codes.new_code())
    for text in ("", "KFMTX", "KFMTXRR", "KFMTXA", "kfmtxr", "KFMTX0", "KFMTXR\n", None, 5, ["K"] * 6):
        assert not codes.is_code(text)


def test_a_thousand_wrong_codes_are_slowed_down_and_the_school_of_a_class_is_not() -> None:
    clock = Clock()
    wrong = WrongCodes(10, clock)
    tries = waited = 0
    while tries < 1000:
        if wait := wrong.wait("10.0.0.1", "BBBBBB"):
            clock.pass_by(wait)
            waited += wait
        wrong.wrong("10.0.0.1")
        tries += 1
    assert waited > 80 * MINUTE, "a thousand codes, about ten a minute"
    assert wrong.wait("10.0.0.2", "BBBBBB") == 0
    for _ in range(11):
        wrong.wrong("10.0.0.1")
    wrong.joined("10.0.0.1", CODE)
    assert wrong.wait("10.0.0.1", CODE) == 0 and wrong.wait("10.0.0.1", "BBBBBB") > 0
    clock.pass_by(MINUTE + WAIT_SECONDS)
    assert wrong.wait("10.0.0.1", "BBBBBB") == 0


def test_a_customers_network_of_version_six_is_one_address() -> None:
    assert address_group("2001:db8::1") == address_group("2001:db8::ffff") != address_group("2001:db8:0:1::1")
    assert address_group("::ffff:10.0.0.1") == "10.0.0.1"
    assert address_group("unix" * 100) == ("unix" * 100)[:64]


def test_a_bucket_refills_and_reserves() -> None:
    clock = Clock()
    bucket = Bucket(2.0, 4.0, clock)
    assert [bucket.take() for _ in range(5)] == [True] * 4 + [False]
    clock.pass_by(0.5)
    assert bucket.take() and not bucket.take()
    waits = [bucket.reserve(1.0) for _ in range(4)]
    assert waits == [0.5, 1.0, None, None]


def test_three_hundred_students_are_let_in_within_thirty_seconds() -> None:
    school = School()
    of = school.start()
    waits = [of.joins.reserve(60.0) for _ in range(300)]
    assert None not in waits and max(wait for wait in waits if wait is not None) <= 30


def test_after_a_restart_nobody_can_take_the_code_of_a_class_that_comes_back() -> None:
    school = School()
    of = school.start()
    school.teacher(of)
    student = school.student(of)
    school.clock.pass_by(60)
    first = {"as": "student", "token": student.token, "kept": student.last("seat")["kept"]}
    restarted = School(school.clock)
    stranger = restarted.teacher(restarted.start())
    restarted.student(stranger.of)
    back = restarted.enter(first)
    assert back.last("seat")["name"] == student.last("seat")["name"]
    assert stranger.closed == 4410 and stranger.of.has_ended and back.of.began == of.began
    with pytest.raises(ValueError, match="in use"):
        restarted.start()


def test_a_class_that_finds_no_place_after_a_restart_is_told_to_try_again() -> None:
    school = School()
    teacher = school.teacher(school.start())
    first = {"as": "teacher", "token": teacher.token, "view": "wall"}
    restarted = School(school.clock, classes=1)
    other = restarted.start("BBBBBB")
    with pytest.raises(NotAdmitted, match="too many"):
        restarted.enter(first)
    other.end()
    assert restarted.enter(first).last("welcome")["role"] == "teacher"


def test_tokens_of_another_key_say_nothing_of_codes_and_keep_nobody_waiting() -> None:
    school = School(class_wrong_codes=3)
    of = school.start()
    forged = Keys(b"another").token(CODE, TEACHER)
    for code in (CODE, "BBBBBB"):
        for role in ("student", "teacher", "projector"):
            for token in (forged, of.token_of("student", 1) if role != "student" else None, "x" * 9, {}, None):
                with pytest.raises(NotAdmitted, match="no class"):
                    school.enter({"as": role, "token": token, "view": "wall"}, code)
    assert school.enter({"as": "join"}).last("door")["open"]


def test_a_link_that_many_have_opens_so_many_pages() -> None:
    school = School()
    of = school.start()
    pages = [school.projector(of) for _ in range(MAX_PROJECTORS)]
    with pytest.raises(NotAdmitted, match="too many"):
        school.projector(of)
    of.depart(pages[0].connection)
    school.projector(of)
    for _ in range(MAX_TEACHERS_PAGES):
        school.teacher(of)
    with pytest.raises(NotAdmitted, match="too many"):
        school.teacher(of)


def test_a_class_that_fails_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    school = School()
    failing, of = school.start("BBBBBB"), school.start()

    def fail() -> None:
        raise KeyError

    monkeypatch.setattr(failing, "tick", fail)
    teacher = school.teacher(of)
    of.depart(teacher.connection)
    school.clock.pass_by(AWAY_SECONDS + 1)
    school.second()
    assert of.is_away


def test_an_old_plan_starts_a_class_without_the_steps_that_are_gone() -> None:
    school = School()
    step = {"page": PAGE, "query": "", "experiment": EXPERIMENT, "title": "Circle", "ask": True}
    of = school.start(plan=[{**step, "experiment": "gone"}, step, {**step, "page": "gone"}, 5])
    assert [each.title for each in of.steps] == ["Circle"]


def test_a_server_without_classes_says_so() -> None:
    with pytest.raises(ValueError, match="does not run classes"):
        School(classes=0).start()


# Tokens.


def test_a_token_is_known_again_and_no_other_is() -> None:
    keys = Keys(b"secret")
    token = keys.token(CODE, TEACHER)
    assert keys.read(CODE, token) == TEACHER
    assert Keys(b"secret").read(CODE, token) == TEACHER
    assert Keys(b"other").read(CODE, token) is None and keys.read("BCDFGH", token) is None
    for at in range(len(token)):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert keys.read(CODE, changed) is None
    for text in (None, 1, b"x", [], "", "t", token + "A", token + "\n", "é" + token[1:], token.replace("t.1", "t.01")):
        assert keys.read(CODE, text) is None


def test_a_students_token_cannot_be_read_as_a_teachers() -> None:
    keys = Keys(b"secret")
    student = keys.token(CODE, Pass("student", 1, 0, TEACHER.began))
    assert keys.read(CODE, "t" + student[1:]) is None


def test_without_a_secret_each_process_has_a_key_of_its_own() -> None:
    one, other = Keys(), Keys()
    assert not one.outlives_process and Keys(b"x").outlives_process
    assert other.read(CODE, one.token(CODE, TEACHER)) is None


def test_the_secret_is_the_setting_or_a_file_that_is_written_once_for_its_owner_alone(tmp_path: Path) -> None:
    assert secret_of("a setting", tmp_path) == b"a setting" and list(tmp_path.iterdir()) == []
    folder = tmp_path / "cache"
    first = secret_of("", folder)
    assert len(first) == 64 and secret_of("", folder) == first
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_where_nothing_can_be_written_there_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert secret_of("", tmp_path / "file" / "below") == b""
    folder = tmp_path / "damaged"
    folder.mkdir()
    (folder / FILE).write_bytes(b"short")
    assert secret_of("", folder) == b""
