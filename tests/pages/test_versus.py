"""Two runs in one board, with no browser: the second is the first but for one knob and has its points."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.compare import another_value, comparable_knobs
from pages.ui.session import pool
from playground.lesson import LiveLesson
from playground.lessons import LESSONS
from playground.lessons.classification import lesson as classification
from playground.lessons.regression import lesson as regression
from playground.workers.operations import PointsAsCsv, UseRows
from tests.pages.questions import Advance, Peek
from tests.pages.session import Open, assert_dead, board, go, link, say, turn, warnings, widgets

LIVE = {name: lesson for name, lesson in LESSONS.items() if isinstance(lesson, LiveLesson)}
each_live_lesson = pytest.mark.parametrize("lesson", LIVE.values(), ids=list(LIVE))


def runs(session: AppTest) -> list[str]:
    """The run of the board, and the one that is compared with it, if any."""
    found = board(session)
    return [each for each in (found["run"], found["second"]) if each]


def of(run_id: str, what: str) -> Any:
    return pool().call(run_id, Peek(what))


def compare(session: AppTest, lesson: LiveLesson, on: bool = True) -> None:
    widgets(session)[f"{lesson.name}:versus"].set_value(on).run()
    assert list(session.exception) == []


@each_live_lesson
def test_the_second_run_differs_in_one_knob_and_goes_with_the_comparison(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson)
    (first,) = runs(session)
    assert not board(session)["compares"]
    compare(session, lesson)
    assert board(session)["compares"], "the board leaves room for the form above it"
    mine, second = runs(session)
    assert mine == first and second != first
    name = link(session)["versus"].partition(":")[0]
    assert set(of(second, "config").changed_from(of(first, "config"))) == {name}
    compare(session, lesson, on=False)
    assert runs(session) == [first] and not board(session)["compares"]
    assert not pool().has(second)
    assert "versus" not in link(session)


def test_any_knob_can_differ_and_the_link_carries_it(visit: Open) -> None:
    lesson = classification.LESSON
    session = visit(lesson)
    compare(session, lesson)
    choice = widgets(session)[f"{lesson.name}:versus:knob"]
    for name in ("cloud", "noise", "units_1", "activation", "optimizer", "seed"):
        choice = widgets(session)[f"{lesson.name}:versus:knob"]
        choice.set_value(name).run()
        assert list(session.exception) == [] and warnings(session) == []
        assert link(session)["versus"].startswith(f"{name}:")
        first, second = runs(session)
        assert set(of(second, "config").changed_from(of(first, "config"))) == {name}
        by_link = visit(lesson, versus=link(session)["versus"])
        assert of(runs(by_link)[1], "config") == of(second, "config")


def test_a_turned_knob_turns_in_both(visit: Open) -> None:
    lesson = regression.LESSON
    session = visit(lesson, versus="lr:0.05")
    before = runs(session)
    turn(session, lesson, "noise", 0.4)
    turn(session, lesson, "hidden", 20)
    assert runs(session) == before
    first, second = (of(run_id, "config") for run_id in before)
    assert (first.noise, first.hidden, first.lr) == (0.4, 20, 0.5)
    assert second == first.with_values(lr=0.05)


def test_the_second_run_has_the_students_points(visit: Open) -> None:
    lesson = regression.LESSON
    session = visit(lesson)
    (run_id,) = runs(session)
    rows = tuple((0.1 * x, float(x)) for x in range(-8, 8))
    pool().call(run_id, UseRows(rows))
    pool().call(run_id, Advance(25))
    compare(session, lesson)
    first, second = runs(session)
    assert first == run_id and of(first, "steps") == 25
    assert lesson.own_points is not None
    mine, others = (pool().call(each, PointsAsCsv(lesson.name)) for each in (first, second))
    assert mine == others and mine.count("\n") >= len(rows)


@each_live_lesson
def test_another_compared_setting_or_value_is_another_run_from_the_start(visit: Open, lesson: LiveLesson) -> None:
    """Or a run would be shown under the name of a setting with which it has not made a step."""
    session = visit(lesson)
    compare(session, lesson)
    first, second = runs(session)
    pool().call(first, Advance(3))
    name = link(session)["versus"].partition(":")[0]
    choice = widgets(session)[f"{lesson.name}:versus:knob"]
    other = next(each for each in comparable_knobs(lesson, of(first, "config")) if each != name and each != "max_steps")
    choice.set_value(other).run()
    _, third = runs(session)
    assert third != second and not pool().has(second)
    assert set(of(third, "config").changed_from(of(first, "config"))) == {other}
    value = widgets(session)[f"{lesson.name}:versus:knob:{other}"] if _has_widget(session, lesson, other) else None
    if value is not None and hasattr(value, "options") and len(value.options) > 2:
        spec = comparable_knobs(lesson, of(first, "config"))[other]
        wanted = next(
            o for o in spec.options if o not in (getattr(of(each, "config"), other) for each in (first, third))
        )
        value.set_value(wanted).run()
        _, fourth = runs(session)
        assert fourth != third and getattr(of(fourth, "config"), other) == wanted
        assert getattr(of(fourth, "journal.start.config"), other) == wanted, "from its first step on"


def _has_widget(session: AppTest, lesson: LiveLesson, name: str) -> bool:
    return f"{lesson.name}:versus:knob:{name}" in widgets(session)


def test_from_this_moment_another_value_is_turned_in_the_same_run(visit: Open) -> None:
    lesson = regression.LESSON
    session = visit(lesson)
    (first,) = runs(session)
    pool().call(first, Advance(25))
    compare(session, lesson)
    widgets(session)["regression:versus:from"].set_value("here").run()
    _, second = runs(session)
    assert of(second, "steps") == 25
    widgets(session)["regression:versus:knob:lr"].set_value(0.02).run()
    assert runs(session) == [first, second] and of(second, "config").lr == 0.02
    widgets(session)["regression:versus:knob"].set_value("batch_size").run()
    _, third = runs(session)
    assert third != second, "another setting is another branch: the first one's rate was changed, too"
    assert set(of(third, "config").changed_from(of(first, "config"))) == {"batch_size"}


def test_two_equal_runs_are_not_shown_twice(visit: Open) -> None:
    session = visit(regression.LESSON, versus="lr:0.5")
    assert len(runs(session)) == 1
    assert "the same" in session.info[0].value


@pytest.mark.parametrize(
    "text", ["lr", "lr:", "lr:abc", "nonsense:1", "inputs:x1", ":", "lr:-5:7", "<b>:1", "A" * 3000]
)
def test_a_hostile_comparison_in_the_link_opens_the_page(visit: Open, text: str) -> None:
    session = visit(regression.LESSON, versus=text)
    assert list(session.exception) == []
    assert len(runs(session)) == 1
    for warning in warnings(session):
        assert_dead(warning)
    assert "versus" not in link(session)


def test_a_comparison_that_a_link_cannot_have_gets_a_sentence(visit: Open) -> None:
    session = visit(regression.LESSON, versus="lr:abc")
    (problem,) = warnings(session)
    assert "lr:abc" in problem and "Compare" in problem
    compare(session, regression.LESSON)
    assert warnings(session) == []
    session = visit(regression.LESSON, versus="momentum:0.5")
    assert any("Momentum" in caption.value for caption in session.caption)


def test_the_second_runs_value_is_kept_while_the_comparison_is_off(visit: Open) -> None:
    session = visit(regression.LESSON, versus="lr:10")
    second = of(runs(session)[1], "config")
    for on in (False, True):
        compare(session, regression.LESSON, on=on)
    assert of(runs(session)[1], "config") == second


def test_hidden_knobs_cannot_be_compared(visit: Open) -> None:
    session = visit(regression.LESSON, hide="lr", versus="lr:0.05")
    assert "lr" not in widgets(session)["regression:versus:knob"].options


def test_values_at_their_ends_have_a_neighbour() -> None:
    for lesson in LIVE.values():
        config = lesson.config()
        for name, spec in comparable_knobs(lesson, config).items():
            ends = spec.options or (spec.lo, spec.hi)
            for value in (ends[0], ends[-1]):
                if not isinstance(getattr(config, name), bool):
                    assert another_value(spec, type(getattr(config, name))(value)) != value, (lesson.name, name)


def test_a_run_that_continues_from_an_earlier_step_is_compared_with_itself_as_it_was(visit: Open) -> None:
    session = visit(regression.LESSON, regression_optimizer="adam")
    (first,) = runs(session)
    pool().call(first, Advance(30))
    say(session, "board", "continued", {"run": first, "step": 10})
    mine, before = runs(session)
    assert mine == first and board(session)["compares"]
    assert (of(first, "steps"), of(before, "steps")) == (10, 30)
    assert "versus" not in link(session), "a link cannot say what this run was"
    turn(session, regression.LESSON, "lr", 0.1)
    assert (of(first, "config").lr, of(before, "config").lr) == (0.1, regression.LESSON.config().lr)
    go(session, "optimizers.py")
    go(session, "regression.py")
    assert runs(session) == [first, before], "as it was left"
    compare(session, regression.LESSON, on=False)
    assert runs(session) == [first] and not pool().has(before)
    compare(session, regression.LESSON)
    assert widgets(session)["regression:versus:from"].value == "start", "the run before is gone"


@pytest.mark.parametrize("asked", [None, 3, {}, {"step": 10}, {"run": "x", "step": 10}, {"step": "10"}, {"step": -1}])
def test_what_cannot_be_continued_changes_nothing(visit: Open, asked: object) -> None:
    session = visit(regression.LESSON)
    (first,) = runs(session)
    if isinstance(asked, dict) and "run" not in asked and asked.get("step") != 10:
        asked = asked | {"run": first}
    say(session, "board", "continued", asked)
    assert runs(session) == [first]


def test_the_class_of_added_points_is_not_compared(visit: Open) -> None:
    session = visit(classification.LESSON)
    compare(session, classification.LESSON)
    options = widgets(session)["classification:versus:knob"].options
    assert "Class of added points" not in options and "Noise" in options
