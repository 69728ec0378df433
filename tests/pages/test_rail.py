"""The rail: a lesson's experiments above its charts, set up and run by one click, or by a link."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import before_play, prose
from pages.ui.session import pool
from playground.engine.commands import Pause
from playground.experiments import Experiment, experiments
from playground.knobs import Config
from playground.lesson import Bench, LabLesson, Lesson
from playground.lessons import LESSONS
from tests.pages import toys
from tests.pages.benches import (
    LESSONS_OF_LABS,
    LIVE,
    Advance,
    address,
    advance,
    assert_drawn,
    assert_runs,
    errors,
    open_bench,
    opens,
    pick,
    steps,
    turn_all,
    two_of,
)
from tests.pages.session import (
    Open,
    board,
    boards,
    follow,
    go,
    link,
    rail,
    run_id,
    say,
    settings,
    try_out,
    turn,
    warnings,
)

TOYS = toys.LESSON
ECHO, LINE, COUNT, AGAIN = TOYS.labs
LOUDER, AS_IT_WAS, BENT, BY_TWOS = experiments(TOYS)
TRAINS = next(iter(LIVE.values()))
each_lesson = pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
each_live_lesson = pytest.mark.parametrize("lesson", LIVE.values(), ids=LIVE)


@pytest.fixture(autouse=True)
def asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Experiments run at once here; `test_before_play.py` has their questions."""
    monkeypatch.setattr(before_play, "of", lambda lesson, experiment, asks: None)


def tried(lesson: Lesson, found: Experiment) -> dict[str, str]:
    """The link that names an experiment and nothing else."""
    return {f"{lesson.name}_try": found.id}


def assert_set_up(session: AppTest, lesson: Lesson, found: Experiment, config: Config | None = None) -> None:
    """The experiment's bench is open with its settings (or this config), and the experiment is in sight and address."""
    config = found.config if config is None else config
    assert open_bench(session, lesson) is found.bench
    assert settings(session, found.bench) == config
    assert link(session) == address(lesson, found.bench, config) | tried(lesson, found)
    assert (rail(session)["at"], rail(session)["set"]) == (found.id, found.id)
    assert warnings(session) == [], found.id


def state_of(session: AppTest) -> str:
    """The state of the run on the page, once what the page has asked of it is done."""
    pool().call(run_id(session), Advance(0))
    return pool().state_of(run_id(session))


def is_live(bench: Bench) -> bool:
    return getattr(bench, "build", None) is not None


# By its button.


@pytest.mark.in_turns
@each_lesson
def test_every_experiment_sets_itself_up_by_click_and_by_its_link(visit: Open, lesson: Lesson) -> None:
    by_click, by_link = visit(lesson), visit(lesson)
    for found in experiments(lesson):
        try_out(by_click, found.id)
        follow(by_link, **tried(lesson, found))
        for session in (by_click, by_link):
            assert_set_up(session, lesson, found)
            if is_live(found.bench):
                assert_runs(session, found.bench, found.config)
            else:
                assert_drawn(session, found.bench, found.config)
            assert errors(session) == [] or not is_live(found.bench), found.id


@each_lesson
def test_the_link_of_an_experiment_has_the_settings_of_its_query(visit: Open, lesson: Lesson) -> None:
    by_id, by_query = visit(lesson), visit(lesson)
    items = [line for line in lesson.prose["Try this"].splitlines() if line.strip()]
    for line, found in list(zip(items, experiments(lesson), strict=True))[:4]:
        follow(by_id, **tried(lesson, found))
        query = dict(parse_qsl(line.partition("](?")[2].partition(' "')[0], keep_blank_values=True))
        query.pop("show", None)
        follow(by_query, **query)
        assert settings(by_id, found.bench) == settings(by_query, found.bench) == found.config


@each_live_lesson
def test_a_click_sets_up_and_runs(visit: Open, lesson: Lesson) -> None:
    session = visit(lesson)
    assert state_of(session) == "paused"
    first = experiments(lesson)[1]
    try_out(session, first.id)
    assert state_of(session) == "playing"
    session.run()
    assert state_of(session) == "playing", "a rerun changes nothing"


def test_a_click_on_the_same_experiment_runs_it_again_from_step_0(visit: Open) -> None:
    session = visit(TOYS)
    try_out(session, BY_TWOS.id)
    before = run_id(session)
    advance(session, 3)
    pool().command(before, Pause())
    assert (state_of(session), steps(session)) == ("paused", 3)
    try_out(session, BY_TWOS.id)
    assert (state_of(session), steps(session)) == ("playing", 0), "it plays as soon as it is watched"
    assert run_id(session) == before
    assert_set_up(session, TOYS, BY_TWOS)


def test_an_experiment_of_another_lab_opens_it_and_runs_there_at_once(visit: Open) -> None:
    session = visit(TOYS)
    assert "run" not in board(session)
    try_out(session, BY_TWOS.id)
    assert_set_up(session, TOYS, BY_TWOS)
    assert state_of(session) == "playing"
    try_out(session, BENT.id)
    assert_set_up(session, TOYS, BENT)
    assert_drawn(session, LINE, BENT.config)


def test_an_experiment_is_only_run_by_its_button(visit: Open) -> None:
    session = visit(TOYS, **tried(TOYS, BY_TWOS))
    assert_set_up(session, TOYS, BY_TWOS)
    assert state_of(session) == "paused", "a link sets it up"
    assert rail(session)["tried"] == []


@pytest.mark.parametrize(
    "said", [None, 0, "louder", [], {}, {"id": None}, {"id": 1}, {"id": []}, {"id": "nothing"}, {"id": "<b>"}], ids=repr
)
def test_an_experiment_that_there_is_not_changes_nothing(visit: Open, said: Any) -> None:
    session = visit(TOYS)
    before = (link(session), settings(session, ECHO), rail(session))
    say(session, "board", "tried", said)
    assert (link(session), settings(session, ECHO), rail(session)) == before
    assert warnings(session) == []


def test_button_wins_over_an_address_that_comes_late(visit: Open) -> None:
    """The browser may send a click before it has received the address that the previous click made."""
    session = visit(TOYS)
    turn_all(session, ECHO, two_of(ECHO))
    session.query_params.clear()
    try_out(session, LOUDER.id)
    assert_set_up(session, TOYS, LOUDER)
    session.query_params.clear()
    try_out(session, BENT.id)
    assert_set_up(session, TOYS, BENT)
    session.query_params.clear()
    session.query_params["toys_echo_times"] = "9"
    session.query_params["toys_try"] = LOUDER.id
    try_out(session, BY_TWOS.id)
    assert_set_up(session, TOYS, BY_TWOS)


def test_button_takes_a_warning_away_even_if_it_changes_nothing(visit: Open) -> None:
    session = visit(TOYS, toys_echo_nonsense="1")
    assert len(warnings(session)) == 1
    try_out(session, AS_IT_WAS.id)
    assert warnings(session) == []


def test_settings_turned_by_hand_stay_beside_the_experiment_in_the_address(visit: Open) -> None:
    session = visit(TOYS)
    try_out(session, LOUDER.id)
    turn(session, ECHO, "times", 7)
    wanted = LOUDER.config.with_values(times=7)
    assert_set_up(session, TOYS, LOUDER, wanted)
    reloaded = visit(TOYS, **link(session))
    assert_set_up(reloaded, TOYS, LOUDER, wanted)


def test_an_address_without_settings_is_not_taken_for_the_experiment_s_own(visit: Open) -> None:
    session = visit(TOYS)
    try_out(session, BENT.id)
    for name in ("bend", "shape"):
        turn(session, LINE, name, LINE.config.knobs()[name].default)
    assert link(session) == opens(TOYS, LINE)
    assert settings(visit(TOYS, **link(session)), LINE) == LINE.config()


# By a link.


def test_a_link_with_settings_of_the_bench_keeps_them_and_shows_the_experiment(visit: Open) -> None:
    session = visit(TOYS, toys_try=LOUDER.id, toys_echo_times="9")
    assert_set_up(session, TOYS, LOUDER, ECHO.config(times=9))


def test_a_link_with_settings_of_another_bench_sets_the_experiment_up(visit: Open) -> None:
    session = visit(TOYS, toys_try=BENT.id, toys_echo_times="9")
    assert_set_up(session, TOYS, BENT)


def test_a_link_that_opens_a_lab_keeps_it_open(visit: Open) -> None:
    session = visit(TOYS, toys_try=BENT.id, toys_lab="count")
    assert open_bench(session, TOYS) is COUNT
    assert (rail(session)["at"], rail(session)["set"]) == (BY_TWOS.id, "")
    assert link(session) == opens(TOYS, COUNT)
    assert warnings(session) == []


@pytest.mark.parametrize("text", ["nothing", "LOUDER", "<img src=x>", "", "a" * 5_000])
def test_a_link_with_an_unknown_experiment_says_so_and_changes_nothing_else(visit: Open, text: str) -> None:
    session = visit(TOYS, toys_try=text, toys_echo_times="9")
    assert len(warnings(session)) == (text != "")
    assert all("experiment" in warning and len(warning) < 200 for warning in warnings(session))
    assert settings(session, ECHO) == ECHO.config(times=9)
    assert link(session) == {"toys_echo_times": "9"}
    session.run()
    assert len(warnings(session)) == (text != ""), "until a setting changes"
    turn(session, ECHO, "times", 4)
    assert warnings(session) == []


def test_a_link_without_an_experiment_opens_what_it_always_opened(visit: Open) -> None:
    session = visit(TOYS, toys_lab="line", toys_line_shape="bent", toys_line_bend="2")
    assert settings(session, LINE) == BENT.config
    assert link(session) == address(TOYS, LINE, BENT.config)
    assert (rail(session)["at"], rail(session)["set"]) == (BENT.id, BENT.id), "its settings are those of one"


@pytest.mark.parametrize("lesson", LESSONS_OF_LABS.values(), ids=LESSONS_OF_LABS)
def test_experiment_in_another_lab_is_undone_by_back(visit: Open, lesson: LabLesson) -> None:
    session = visit(lesson)
    wanted = turn_all(session, lesson.labs[0], two_of(lesson.labs[0]))
    elsewhere = [each for each in experiments(lesson) if each.bench is not lesson.labs[0]]
    for found in elsewhere[:2]:
        try_out(session, found.id)
        session.run()
        assert_set_up(session, lesson, found)
        follow(session, **address(lesson, lesson.labs[0], wanted))
        assert open_bench(session, lesson) is lesson.labs[0]
        assert settings(session, lesson.labs[0]) == wanted
        assert link(session) == address(lesson, lesson.labs[0], wanted)
        assert rail(session)["at"] != found.id


def test_back_returns_to_the_experiment_before(visit: Open) -> None:
    session = visit(TRAINS)
    one, two = experiments(TRAINS)[1:3]
    try_out(session, one.id)
    before = link(session)
    try_out(session, two.id)
    follow(session, **before)
    assert_set_up(session, TRAINS, one)
    follow(session)
    assert settings(session, TRAINS) == TRAINS.config()
    assert link(session) == {}


def test_an_experiment_stays_chosen_while_another_page_is_visited(visit: Open) -> None:
    session = visit(TRAINS)
    found = experiments(TRAINS)[1]
    try_out(session, found.id)
    go(session, "tensors.py")
    assert "_try" not in "".join(link(session))
    go(session, f"{TRAINS.name}.py")
    assert_set_up(session, TRAINS, found)


def test_another_lab_shows_its_own_experiments_and_the_chosen_one_comes_back(visit: Open) -> None:
    session = visit(TOYS)
    try_out(session, LOUDER.id)
    pick(session, TOYS, LINE)
    assert rail(session)["at"] == BENT.id
    assert link(session) == opens(TOYS, LINE)
    pick(session, TOYS, ECHO)
    assert_set_up(session, TOYS, LOUDER)
    pick(session, TOYS, AGAIN)
    assert rail(session)["at"] == LOUDER.id, "a lab without an experiment shows the first of all"
    assert rail(session)["set"] == ""


# What the board is given.


@each_lesson
def test_the_board_has_all_experiments_in_order_with_what_differs(visit: Open, lesson: Lesson) -> None:
    session = visit(lesson)
    shown, found = rail(session)["list"], experiments(lesson)
    assert [(each["id"], each["title"], each["show"]) for each in shown] == [(e.id, e.title, e.show) for e in found]
    assert [each["before"] for each in shown] == [prose.inline(each.before) for each in found]
    assert [each["after"] for each in shown] == [prose.inline(each.after) for each in found]
    titles = [getattr(each.bench, "title", "") if isinstance(lesson, LabLesson) else "" for each in found]
    assert [each["lab"] for each in shown] == titles
    for words, each in zip(shown, found, strict=True):
        labels = [each.config.knobs()[name].label for name in each.config.as_texts()]
        assert all(label in words["differs"] for label in labels), words
        assert words["differs"], "also where nothing differs"
    assert rail(session)["at"] == next(each.id for each in found if each.bench is lesson.benches[0])


def test_what_differs_is_said_in_words(visit: Open) -> None:
    shown = {each["id"]: each["differs"] for each in rail(visit(TOYS))["list"]}
    assert shown[LOUDER.id] == "Text: hear this · Loud: on"
    assert "opens with" in shown[AS_IT_WAS.id]


def test_what_the_page_opened_with_stays_set_up_when_a_setting_is_turned(visit: Open) -> None:
    session = visit(TRAINS)
    (first, *_) = experiments(TRAINS)
    assert first.config == TRAINS.config()
    assert (rail(session)["set"], link(session)) == (first.id, {})
    turn_all(session, TRAINS, two_of(TRAINS))
    assert rail(session)["set"] == first.id, "its sentence for after the run stays"
    assert rail(visit(TRAINS, **link(session)))["set"] == ""


def test_a_set_up_is_counted_and_a_rerun_is_none(visit: Open) -> None:
    session = visit(TOYS)
    assert rail(session)["number"] == 0
    try_out(session, LOUDER.id)
    try_out(session, LOUDER.id)
    assert (rail(session)["number"], rail(session)["tried"]) == (2, [LOUDER.id])
    session.run()
    turn(session, ECHO, "times", 7)
    assert rail(session)["number"] == 2
    try_out(session, BENT.id)
    assert (rail(session)["number"], rail(session)["tried"]) == (3, [LOUDER.id, BENT.id])


# A teacher's link.


def test_hidden_settings_are_not_told_and_an_experiment_sets_them(visit: Open) -> None:
    session = visit(TOYS, hide="loud")
    shown = {each["id"]: each["differs"] for each in rail(session)["list"]}
    assert shown[LOUDER.id] == "Text: hear this"
    try_out(session, LOUDER.id)
    assert settings(session, ECHO) == LOUDER.config
    assert link(session)["hide"] == "loud"


def test_where_the_choice_of_labs_is_hidden_the_experiments_are_those_of_the_open_lab(visit: Open) -> None:
    session = visit(TOYS, hide="lab", toys_lab="line")
    assert [each["id"] for each in rail(session)["list"]] == [BENT.id]
    try_out(session, LOUDER.id)
    assert rail(session)["at"] == BENT.id and settings(session, LINE) == LINE.config()
    try_out(session, BENT.id)
    assert settings(session, LINE) == BENT.config
    assert len(boards(session)) == 1


def test_a_shared_link_opens_the_experiment_with_the_settings_that_are_seen(visit: Open) -> None:
    session = visit(TOYS)
    try_out(session, BENT.id)
    turn(session, LINE, "bend", 3.0)
    session.session_state["toys:share"] = True  # the part of "More" is open
    session.run()
    (shared,) = [code.value for code in session.code if "?" in code.value]
    other = visit(TOYS, **dict(parse_qsl(shared.partition("?")[2])))
    assert_set_up(other, TOYS, BENT, BENT.config.with_values(bend=3.0))
