"""Names: real ones are taken, rude ones refused, offered ones never run out, and the file is safe in a spreadsheet."""

from __future__ import annotations

import csv
import io
from random import Random

import pytest

from playground.classroom import afterwards, names
from playground.real_runs import RealRuns
from tests.unit.classroom.people import EXPERIMENT, PAGE, School, answer, press

REAL = ("Harshit", "Scunthorpe", "Nazia", "Asuka", "Essex", "Hancock", "Dickens", "Cassandra", "Therapist", "Şeyma",
        "O'Brien", "Jean-Luc", "अनुष्का", "王小明", "Ольга", "José", "Torpedo",
        "Computation", "Titus")  # fmt: skip
RUDE = ("shit", "Sh1t", "s h i t", "S.H.I.T", "fuuuck", "FUCK you", "b1tch", "Arschloch", "@sshole", "ñigger", "nazi",
        "Ass", "sexy")  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real_names_are_taken(name: str) -> None:
    assert names.clean(name, 16) == name and not names.is_refused(name)


@pytest.mark.parametrize("name", RUDE)
def test_rude_names_are_refused(name: str) -> None:
    assert names.is_refused(names.clean(name, 16))


@pytest.mark.parametrize("name", ["\u3164", "\u115f\u1160", "\u200b\u200d", "\u034f", "\ufe0f", "\u202e", "\u2800"])
def test_a_name_that_cannot_be_seen_is_none(name: str) -> None:
    assert names.clean(name, 16) == ""
    assert names.clean(f"A{name}d\u202ea", 16) in ("Ada", ""), "what is not seen is left out"


@pytest.mark.parametrize("name", ["fu\u0441k", "\u0455hit", "f\u200bu\u00adck", "\uff46\uff55\uff43\uff4b", "\u0430ss"])
def test_letters_of_other_alphabets_do_not_hide_a_rude_word(name: str) -> None:
    assert names.is_refused(names.clean(name, 16))


def test_a_name_that_looks_like_another_ones_gets_a_number() -> None:
    assert names.distinct("\u0412lue 7", {"Blue 7"}, 16) == "\u0412lue 7 (2)"
    for name in ("BIue 7", "B1ue 7", "Blue7", "Blue.7"):
        assert names.distinct(name, {"Blue 7"}, 16) == f"{name} (2)"
    assert names.distinct("Arny", {"Amy"}, 16) == "Arny (2)"
    for name, other in (("Ali", "All"), ("Blue 7", "Blue 17"), ("मीना", "मना")):
        assert names.distinct(name, {other}, 16) == name
    assert names.distinct("\u041e\u043b\u044c\u0433\u0430", {"Olga"}, 16) == "\u041e\u043b\u044c\u0433\u0430"


def test_offered_names_are_distinct_and_never_run_out() -> None:
    taken: set[str] = set()
    for _ in range(2_000):
        taken.add(names.offered(taken, Random(len(taken))))
    assert len(taken) == 2_000 and all(len(name) <= 16 for name in taken)


def test_a_number_behind_a_name_fits_its_length() -> None:
    long = "x" * 16
    assert names.distinct(long, {long}, 16) == "x" * 12 + " (2)"
    assert names.distinct("Comet", {"comet", "Comet (2)"}, 16) == "Comet (3)"


# The file.


def test_the_file_has_answers_and_numbers_of_shown_votes_with_names_or_numbered_and_shuffled() -> None:
    school = School()
    of = school.start(names="own")
    teacher = school.teacher(of)
    students = [school.student(of, name) for name in ("Ada", "-1+1", "Grace", "+A1", "Emmy")]
    teacher.send("ask", page=PAGE, experiment=EXPERIMENT)
    key, words = teacher.vote["ask"]["options"][0]
    for student in students:
        if student.last("seat")["name"] != "Emmy":
            answer(student, key)
    assert len(afterwards.table(of, "names")[0]) == 8, "nobody reads in an open vote who says what"
    press(teacher, "close")
    press(teacher, "open 2")
    answer(students[0], key)
    press(teacher, "close")
    press(teacher, "show", sure=True)
    head, *rows = csv.reader(io.StringIO(afterwards.as_csv(afterwards.table(of, "names"))))
    assert head[1:4] == ["question 1, first vote", "question 1, second vote", "question 1, right"]
    people = [seat.name for seat in of.seats.values()]
    assert [row[0] for row in rows] == [f"'{name}" if name[0] in "-+" else name for name in people]
    assert rows[0][1:4] == [words, words, ""] and rows[people.index("Emmy")][1:4] == ["", "", ""]
    press(teacher, "play")
    of.runs_found(of.errands.popleft().number, RealRuns(key, ()))
    press(teacher, "reveal")
    assert afterwards.table(of, "names")[1][3] == "yes"
    numbered = afterwards.table(of, "numbers", Random(3))
    assert [row[0] for row in numbered[1:]] == ["1", "2", "3", "4", "5"][: len(people)]
    assert not set(people) & {cell for row in numbered for cell in row}
    assert [row[1] for row in numbered[1:]] != [row[1] for row in afterwards.table(of, "names")[1:]]


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-1+1", "@x", "\t=1", "\r=1", " =1", "-2", "-1e-3", "+5", "plain"])
def test_no_cell_is_a_formula(cell: str) -> None:
    text = afterwards.as_csv([[cell]]).removeprefix("\ufeff")
    ((written,),) = csv.reader(io.StringIO(text, newline=""))
    assert written == (cell if cell in ("-2", "-1e-3", "+5", "plain") else f"'{cell}")
