"""Browsers that send anything at any time: a class goes on."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from playground.classroom import commands, votes
from playground.classroom.classroom import Classroom
from playground.classroom.register import NotAdmitted
from playground.glance import Glance, Miniature
from playground.real_runs import RealRuns
from tests.unit.classroom.people import CODE, EXPERIMENT, PAGE, Browser, School

STEPS = 800

# What fields are filled with: mostly what has a meaning, sometimes nonsense.
VALUES: dict[str, Callable[[Random, Classroom], Any]] = {
    "seat": lambda random, of: random.choice([1, 2, 3, 4, 9, None]),
    "seats": lambda random, of: random.sample(range(1, 9), 3),
    "one": lambda random, of: random.choice([None, 1, 2, 9]),
    "to": lambda random, of: random.choice(["all", "strayed", [1, 2], [99]]),
    "vote": lambda random, of: of.vote.id if of.vote is not None and random.random() < 0.9 else random.randint(0, 9),
    "in": lambda random, of: of.vote.state if of.vote is not None and random.random() < 0.9 else "shown 2",
    "answer": lambda random, of: random.choice(["one", "two", "three", "four", 3, [0.5] * 24, "x"]),
    "name": lambda random, of: random.choice([f"Comet {random.randint(0, 9)}", "Blue 7", True, False, "\u3164"]),
    "run": lambda random, of: random.choice([None, "run-1", "run-2"]),
    "page": lambda random, of: random.choice([PAGE, PAGE, "regression", "", "gone"]),
    "experiment": lambda random, of: random.choice([EXPERIMENT, EXPERIMENT, None, "gone"]),
    "query": lambda random, of: random.choice(["", "?classification_rate=1", "?class=BBBBBB", "javascript:"]),
    "title": lambda random, of: random.choice(["Circle", "", "=HYPERLINK(1)", "{name}", "<b>"]),
    "act": lambda random, of: of.acts[-1].id if of.acts else 0,
    "device": lambda random, of: random.randint(1, 4),
    "from": lambda random, of: of.at_step,
    "what": lambda random, of: random.choice(commands.SHOWN),
    "x": lambda random, of: random.choice(commands.X_AXES),
    "y": lambda random, of: random.choice(commands.Y_AXES),
    "kind": lambda random, of: random.choice(["place", "preset", "run"]),
    "names": lambda random, of: random.choice([["all"], [], ["rate", "units"], "own", "offered"]),
    "seconds": lambda random, of: random.choice([None, 1, 30]),
    "steps": lambda random, of: [{"page": PAGE, "query": "", "experiment": None, "title": "t", "ask": True}] * 2,
    "token": lambda random, of: of.token_of("student", random.randint(1, 5)),
    "session": lambda random, of: random.choice(["one", "two", None]),
    "minutes": lambda random, of: random.randint(1, 60),
}


def message(random: Random, of: Classroom, role: Any) -> dict[str, Any]:
    """A message of this role, with fields that may have a meaning."""
    events = [do for do in votes.EVENTS if role == "teacher" and of.vote is not None and of.vote.allows(do)]
    do = random.choice(events) if events and random.random() < 0.3 else random.choice([*commands.FIELDS[role]])
    if do == "end" and random.random() < 0.98:
        do = "here"
    found: dict[str, Any] = {"do": do}
    for name in commands.FIELDS[role][do]:
        plain = name.removesuffix("?")
        if name != plain and random.random() < 0.5:
            continue
        found[plain] = VALUES.get(plain, lambda random, of: random.choice([True, False, 1]))(random, of)
    return found


def enter(school: School, of: Classroom, random: Random) -> Browser | None:
    """One more browser, with a token that may be void."""
    role = random.choice(["join", "join", "student", "teacher", "projector", "pair"])
    number = random.randint(1, 5)
    first: dict[str, Any] = {"as": role, "view": random.choice(["wall", "remote", "board"])}
    if role == "pair":
        first["token"] = of.pair()
    elif role != "join":
        first["token"] = of.token_of(role, number)  # type: ignore[arg-type]
        first |= {"fresh": random.random() < 0.3, "kept": None, "answers": [{"vote": 1}], "keep": {"data": {"rev": 1}}}
    try:
        return school.enter(first)
    except NotAdmitted:
        return None


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_sent_in_whatever_order_a_class_goes_on(seed: int) -> None:
    random = Random(seed)
    school = School(class_joins=1000, class_seats=6, class_snapshots=3)
    of = school.start(names="own", show_names=True)
    browsers: list[Browser] = [school.teacher(of), school.teacher(of, "remote"), school.student(of, "Comet")]
    for _ in range(STEPS):
        if of.has_ended:
            break
        if (found := enter(school, of, random) if random.random() < 0.15 else None) is not None:
            browsers.append(found)
        browser = random.choice(browsers)
        if browser.closed or random.random() < 0.03:
            of.depart(browser.connection)
            browsers.remove(browser)
            if not browsers:
                browsers.append(school.teacher(of))
            continue
        browser.send(**message(random, of, browser.connection.role))
        if random.random() < 0.3:
            school.clock.pass_by(random.choice([0.1, 1.0, 1.0, 5.0, 25.0]))
            school.register.tick()
        while of.errands:
            errand = of.errands.popleft()
            if errand.kind == "runs":
                of.runs_found(errand.number, RealRuns(random.choice(["one", "three", None]), ()))
            else:
                of.snapshot_taken(errand, b"x" * 100, "", b"tile")
        picture = Miniature("map2", bytes(128))
        of.take_glances({"run-1": Glance(state="playing", step=random.randint(0, 99), miniature=picture)})
        if random.random() < 0.1:
            for each in browsers:
                each.read()
    for browser in browsers:
        browser.read()
    assert school.register.find(CODE) is (None if of.has_ended else of)
