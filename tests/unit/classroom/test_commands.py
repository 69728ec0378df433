"""What a browser may send: no role can do what another one's token allows, and each field is checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from playground.classroom import commands, messages, orders
from playground.classroom.commands import FIELDS, BadField, NotAllowed
from playground.classroom.views import student, teacher
from playground.classroom.votes import EVENTS
from tests.unit.classroom.people import EXPERIMENT, PAGE, Browser, School

BOARD = {"run": "run", "page": PAGE, "query": "?x=1", "experiment": EXPERIMENT}
PLACE = {"page": PAGE, "query": "?x=1", "experiment": EXPERIMENT, "title": "Circle"}
# A legal message for each command.
LEGAL: dict[str, dict[str, Any]] = {
    "join": {"name": "Blue 7"}, "another": {}, "back": {"token": "x"},
    "answer": {"vote": 1, "in": "open 1", "answer": "three"}, "help": {"on": True}, "done": {"on": True}, "here": {},
    "board": BOARD, "placed": {"send": 1}, "together": {"on": True}, "leave": {},
    "look": {"seats": [1], "one": 1}, "found": {"on": True}, "door": {"open": False}, "settings": {"show_names": True},
    "allow": {"seat": 1}, "rename": {"seat": 1, "name": "Blue 8"}, "take out": {"seat": 1},
    "take out new": {"minutes": 5}, "let back": {"seat": 1, "yes": True}, "helped": {"seat": 1},
    "send": {"kind": "place", **PLACE, "run": None, "to": "all"}, "free": {}, "lock": {"names": ["all"]},
    "eyes": {"on": True}, "follow": {"on": True}, "spot": {"seat": 1, "name": False},
    "plan": {"steps": [{**PLACE, "ask": True}]}, "step": {"from": 0, "to": 0},
    "ask": {"page": PAGE, "experiment": EXPERIMENT}, **{event: {"vote": 1, "in": "open 1"} for event in EVENTS},
    "timer": {"vote": 1, "in": "open 1", "seconds": 30}, "peek": {"on": True}, "project": {"what": "door"},
    "snapshot": {"seat": 1}, "drop snapshot": {"id": 1}, "undo": {"act": 1}, "pair": {},
    "keep device": {"device": 1}, "take out device": {"device": 1}, "end": {},
}  # fmt: skip
ROLES = tuple(FIELDS)


def browser_of(school: School, role: str) -> Browser:
    of = next(iter(school.register.classes.values()))
    if role == "join":
        found = school.enter({"as": "join"})
        found.read()
        return found
    by: dict[str, Callable[[Any], Browser]] = {
        "student": school.student, "teacher": school.teacher, "projector": school.projector,
    }  # fmt: skip
    return by[role](of)


def test_the_table_of_legal_messages_is_complete() -> None:
    assert set(LEGAL) == {do for fields in FIELDS.values() for do in fields}
    for role, known in FIELDS.items():
        assert known.keys() == orders.ORDERS[role].keys()
        for do in known:
            assert commands.read(role, {"do": do, **LEGAL[do]}).do == do


@pytest.mark.parametrize("do", LEGAL)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_cannot_do_what_another_ones_token_allows(role: str, do: str) -> None:
    if do in FIELDS[role]:  # type: ignore[index]
        return
    school = School()
    of = school.start()
    wall, other = school.teacher(of), school.student(of)
    browser = browser_of(school, role)
    before = teacher(of, wall.connection), student(of, of.seats[other.connection.seat]), of.latest
    browser.send(do, **LEGAL[do])
    assert browser.was_refused == "role"
    assert before == (teacher(of, wall.connection), student(of, of.seats[other.connection.seat]), of.latest)
    assert not of.has_ended and not wall.closed and not other.closed


@pytest.mark.parametrize("do", LEGAL)
def test_each_field_is_needed_and_takes_no_nonsense(do: str) -> None:
    role = next(role for role, fields in FIELDS.items() if do in fields)
    for name in LEGAL[do]:
        for nonsense in (object(), 1e400, -1, 10**30, "x\ny", "é" * 5_000, [[]], {"a": 1}, ["x"] * 20_000, "<b>"):
            is_text = name in ("name", "title", "answer", "token") and isinstance(nonsense, str) and len(nonsense) < 9
            if is_text or name == "answer":
                continue
            with pytest.raises(BadField):
                commands.read(role, {"do": do, **LEGAL[do], name: nonsense})
        if f"{name}?" not in FIELDS[role][do]:
            with pytest.raises(BadField):
                commands.read(role, {"do": do, **{key: LEGAL[do][key] for key in LEGAL[do] if key != name}})
    with pytest.raises(BadField):
        commands.read(role, {"do": do, **LEGAL[do], "more": 1})


@pytest.mark.parametrize("do", [None, 1, [], {}, "", "obey", "__init__", "_add"])
def test_what_is_no_command_is_not_allowed(do: Any) -> None:
    for role in ROLES:
        with pytest.raises(NotAllowed):
            commands.read(role, {"do": do})


@pytest.mark.parametrize(
    "query", ["javascript:alert(1)", "//evil.example", "x=1", "?a b", "?é", "? ", "?x\n", "?" + "a" * 2_000, None, 1]
)
def test_a_query_is_one_of_an_address_and_nothing_else(query: Any) -> None:
    with pytest.raises(BadField):
        commands.query(query)
    assert commands.query("") == "" and commands.query("?x=1&y=%20") == "?x=1&y=%20"


@pytest.mark.parametrize("page", ["evil.example", "/", "../", "https://evil.example", "class", None, 1, ["regression"]])
def test_a_page_is_one_of_the_apps_own(page: Any) -> None:
    with pytest.raises(BadField):
        commands.page(page)
    assert commands.page("") == "" and commands.page(PAGE) == PAGE


def test_an_experiment_must_be_one_of_its_page() -> None:
    with pytest.raises(BadField):
        commands.read("student", {"do": "board", **BOARD, "page": "regression"})


def test_of_a_students_address_a_class_knows_only_what_sets_the_page() -> None:
    school = School()
    of = school.start()
    student = school.student(of)
    query = "?classification_rate=0.1&hide=all&class=BBBBBB&regression_rate=1&predict=required&classification_try=x"
    student.send("board", **{**BOARD, "query": query})
    assert of.seats[1].board.query == "?classification_rate=0.1&classification_try=x"
    student.send("board", **{**BOARD, "page": "", "experiment": None, "query": "?hide=all"})
    assert of.seats[1].board.query == ""


def test_every_reason_has_a_sentence() -> None:
    source = "".join(path.read_text() for path in __import__("pathlib").Path(orders.__file__).parent.glob("*.py"))
    for why in re.findall(r'Refused\("([a-z ]+)"', source) + re.findall(r'refuse\(\w+, message, "([a-z ]+)"', source):
        assert messages.REFUSED[why].endswith((".", "?"))
    for what in re.findall(r'_act\("([a-z ]+)"', source):
        assert what in messages.ACTS
