"""The question of an experiment before it runs: asked, answered, skipped, graded and explained by the page."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import before_play, prose
from pages.ui.routes import answers
from pages.ui.session import pool
from playground import predictions
from playground.engine.commands import Play
from playground.experiments import Experiment, experiments
from playground.lesson import LabLesson, Lesson
from playground.lessons import LESSONS
from playground.predictions import Choice
from playground.workers.operations import Operation
from tests.pages.a_class import CODE, started
from tests.pages.session import Open, board, follow, link, rail, run_id, say, settings, try_out, turn, warnings

REGRESSION, DESCENT = LESSONS["regression"], LESSONS["gradient_descent"]
MIN_TOLD = 20  # characters in a row, by which a sentence is known
LESSONS_THAT_ASK = {name: lesson for name, lesson in LESSONS.items() if predictions.of(lesson)}


def of(lesson: Lesson, name: str) -> Experiment:
    return next(each for each in experiments(lesson) if each.id == name)


def asked(session: AppTest) -> dict[str, Any]:
    """What the board shows of the question."""
    found = rail(session)["prediction"]
    assert isinstance(found, dict)
    return found


def answer(session: AppTest, experiment: str, **sent: Any) -> None:
    """Answer, skip, or say that the run has come to the end of the question."""
    say(session, "board", "tried", {"id": experiment, **sent})


def prediction_of(found: Experiment) -> Choice:
    ask = predictions.of(DESCENT)[found.id].ask
    assert isinstance(ask, Choice)
    return ask


def advance(session: AppTest, until: int | None) -> None:
    """Have the run take its steps."""
    pool().call(run_id(session), Advance(until))


@dataclass(frozen=True)
class Steps(Operation[int]):
    """The number of steps that a run has taken."""

    def on(self, run: Any) -> int:
        return int(run.steps)


@dataclass(frozen=True)
class Advance(Operation[None]):
    """Train to a step, or to the end."""

    until: int | None

    def on(self, run: Any) -> None:
        while not run.outcome and (self.until is None or run.steps < self.until):
            run.advance(1.0, 1 if self.until is None else self.until - run.steps)


def test_an_experiment_asks_before_it_runs_and_the_answer_starts_it(visit: Open) -> None:
    session = visit(REGRESSION)
    try_out(session, "too-large-a-step")
    found = of(REGRESSION, "too-large-a-step")
    assert asked(session)["phase"] == "open" and asked(session)["question"].startswith("The learning rate is 20 times")
    assert settings(session, found.bench) == found.config, "the settings are there, so that the picture can be read"
    assert pool().state_of(run_id(session)) == "paused"
    answer(session, found.id, answer="falls")
    assert asked(session)["phase"] == "running" and asked(session)["said"] == "“Fall faster”"
    assert found.id in rail(session)["tried"]
    advance(session, 20)
    answer(session, found.id, reached=True)
    assert asked(session)["phase"] == "graded" and not asked(session)["verdict"]["right"]
    assert "NaN" in asked(session)["verdict"]["sentence"]
    answer(session, found.id, why="noise")
    assert asked(session)["why"]["right"] is False and "noise" in asked(session)["why"]["feedback"]
    assert asked(session)["why"]["because"] == "The answer is “Each step overshoots”."
    (shown,) = [each for each in rail(session)["list"] if each["id"] == found.id]
    assert shown["after"] == prose.inline(found.after)


@pytest.mark.parametrize("lesson", LESSONS_THAT_ASK.values(), ids=LESSONS_THAT_ASK)
def test_before_the_answer_nothing_of_it_is_sent(visit: Open, lesson: Lesson) -> None:
    """Neither what the experiment shows, nor what explains it: in no message to a component and in no HTML."""
    session = visit(lesson)
    found = [each for each in experiments(lesson) if each.id in predictions.of(lesson)]
    for each in found:
        prediction = predictions.of(lesson)[each.id]
        try_out(session, each.id)
        shown = asked(session)
        assert shown["phase"] == "open" and shown["answer"] is None and not shown.keys() & {"verdict", "why", "said"}
        text = " ".join(str(element.proto) for element in session.get("bidi_component"))
        text += " ".join(str(element.proto) for element in session.get("markdown"))
        secrets = [each.after, prediction.right, prediction.wrong, prediction.why.question]
        secrets += [*prediction.why.misconceptions.values(), prediction.why.options[prediction.why.right]]
        for secret in filter(lambda secret: len(as_sent(secret)) >= MIN_TOLD, secrets):
            assert as_sent(secret) not in text, f"{each.id}: {secret}"
    answered = found[0]
    assert as_sent(answered.before) in text, "the words are looked for as they are sent"


def as_sent(sentence: str) -> str:
    """The beginning of a sentence as it stands in a message, without its markup and what is written in another way."""
    told = re.sub(r"[^.?]*\?", "", sentence)  # a question tells nothing, and may be asked elsewhere
    plain = re.split("[^A-Za-z0-9 ,.:]", told)
    return max(plain, key=len).strip()


def test_skip_runs_the_experiment_and_says_what_it_shows(visit: Open) -> None:
    session = visit(REGRESSION)
    try_out(session, "small-steps")
    (before,) = [each for each in rail(session)["list"] if each["id"] == "small-steps"]
    assert not before["after"]
    answer(session, "small-steps", skip="play")
    assert rail(session)["prediction"] is None and "small-steps" in rail(session)["tried"]
    (after,) = [each for each in rail(session)["list"] if each["id"] == "small-steps"]
    assert after["after"]
    try_out(session, "small-steps")
    assert rail(session)["prediction"] is None, "it is asked once"


def test_a_still_lab_is_set_up_by_the_answer_which_the_page_grades(visit: Open) -> None:
    found = of(DESCENT, "round-valley")
    session = visit(DESCENT)
    try_out(session, found.id)
    assert settings(session, found.bench) == type(found.config)(), "the picture would be the answer"
    assert asked(session)["phase"] == "open"
    assert link(session)["gradient_descent_try"] == found.id, "loaded again, it asks again"
    answer(session, found.id, answer="one")
    assert settings(session, found.bench) == found.config
    assert asked(session)["phase"] == "graded" and asked(session)["verdict"]["right"]


def test_a_curve_is_graded_by_its_distance(visit: Open) -> None:
    found = of(DESCENT, "side-to-side")
    session = visit(DESCENT)
    try_out(session, found.id)
    grid = asked(session)["ask"]["grid"]
    answer(session, found.id, answer=[6.25 * 0.64**x for x in grid])
    assert asked(session)["phase"] == "running"
    advance(session, 20)
    answer(session, found.id, reached=True)
    assert asked(session)["verdict"]["right"] and len(asked(session)["verdict"]["truth"]) == len(grid)


@pytest.mark.parametrize(
    "sent",
    [
        {"answer": "no such option"}, {"answer": None}, {"answer": ["nan"]}, {"answer": {"nan": 1}}, {"reached": True},
        {"why": "over"}, {"why": None},
    ],
)  # fmt: skip
def test_what_is_no_answer_changes_nothing(visit: Open, sent: dict[str, Any]) -> None:
    session = visit(REGRESSION)
    try_out(session, "too-large-a-step")
    before = rail(session)
    answer(session, "too-large-a-step", **sent)
    assert rail(session) == before
    answer(session, "small-steps", **sent)
    assert rail(session) == before, "the experiment of another question"


def test_a_run_that_is_not_there_yet_is_not_graded(visit: Open) -> None:
    session = visit(REGRESSION)
    try_out(session, "small-steps")
    answer(session, "small-steps", answer="behind")
    pool().rebuild(run_id(session), of(REGRESSION, "small-steps").config)
    answer(session, "small-steps", reached=True)
    assert asked(session)["phase"] == "running"


def test_a_run_that_has_gone_on_is_graded_at_the_end_of_the_question(visit: Open) -> None:
    session = visit(REGRESSION)
    try_out(session, "stop-in-time")
    answer(session, "stop-in-time", answer=32)
    advance(session, 160)
    answer(session, "stop-in-time", reached=True)
    assert asked(session)["verdict"]["truth"] < 100 and asked(session)["verdict"]["right"]


def test_a_run_that_does_not_answer_in_time_is_said_to_and_asks_again(visit: Open, monkeypatch: Any) -> None:
    session = visit(REGRESSION)
    try_out(session, "stop-in-time")
    answer(session, "stop-in-time", answer=32)
    advance(session, 100)
    with monkeypatch.context() as patched:
        patched.setattr(before_play, "GRADE_SECONDS", 0.0)
        answer(session, "stop-in-time", reached=True)
    assert asked(session)["phase"] == "late" and "verdict" not in asked(session)
    try_out(session, "stop-in-time")
    assert asked(session)["phase"] == "open"


def test_other_settings_after_the_answer_give_it_up(visit: Open) -> None:
    session = visit(REGRESSION)
    try_out(session, "small-steps")
    answer(session, "small-steps", answer="behind")
    turn(session, REGRESSION.benches[0], "seed", 5)
    assert asked(session)["phase"] == "changed"
    try_out(session, "small-steps")
    assert asked(session)["phase"] == "open", "it is asked again"


def test_a_turned_knob_takes_the_question_away_until_the_experiment_is_set_up_again(visit: Open) -> None:
    session = visit(REGRESSION)
    try_out(session, "small-steps")
    (bench,) = REGRESSION.benches
    rate = session.session_state["regression_lr"]
    for value in (0.2, rate):  # away and back: meanwhile the run may have trained
        turn(session, bench, "lr", value)
        assert rail(session)["prediction"] is None
        assert rail(session)["at"] == "small-steps" and not rail(session)["set"], "its button sets it up"
    try_out(session, "small-steps")
    assert asked(session)["phase"] == "open"


def test_a_required_answer_is_waited_for_with_any_settings_and_sets_the_experiment_up(visit: Open) -> None:
    session = visit(REGRESSION, predict="required")
    try_out(session, "small-steps")
    assert asked(session)["applied"]
    turn(session, REGRESSION.benches[0], "lr", 0.2)
    assert asked(session)["phase"] == "open" and asked(session)["required"] and not asked(session)["applied"]
    answer(session, "small-steps", answer="between")
    found = of(REGRESSION, "small-steps")
    assert settings(session, found.bench) == found.config and asked(session)["phase"] == "running"
    session = visit(REGRESSION, predict="required", regression_try="small-steps", regression_lr="0.2")
    assert asked(session)["phase"] == "open"


def test_a_link_with_other_settings_asks_nothing(visit: Open) -> None:
    session = visit(REGRESSION, regression_try="small-steps", regression_lr="0.2")
    assert rail(session)["prediction"] is None and not rail(session)["set"]


def test_a_run_that_its_board_has_begun_is_not_begun_again_by_the_page(visit: Open) -> None:
    session = visit(REGRESSION)
    try_out(session, "small-steps")
    pool().command(run_id(session), Play(1))
    pool().call(run_id(session), Advance(5))
    answer(session, "small-steps", answer="between", begun=True)
    assert asked(session)["phase"] == "running"
    assert pool().call(run_id(session), Steps()) >= 5, "a new run would be at step 0"
    try_out(session, "too-large-a-step")
    answer(session, "too-large-a-step", skip="play", begun=True)
    assert rail(session)["prediction"] is None and "too-large-a-step" in rail(session)["tried"]
    assert pool().state_of(run_id(session)) == "paused"


def test_an_answer_on_the_boards_own_line_begins_the_run_before_the_page_has_heard_it(visit: Open) -> None:
    session = visit(DESCENT)
    try_out(session, "saddle")
    found, run, shown = of(DESCENT, "saddle"), run_id(session), asked(session)
    assert shown["phase"] == "open" and pool().config_of(run) != found.config, "the settings wait"
    for nonsense in ({}, {"answer": "nonsense"}, {"answer": ["pass"]}, {"answer": None}, {"begun": True}):
        answers.begin(run, {"do": "answer", "id": "saddle", **nonsense})
    for other in ("ravine", "", None, ["saddle"], "small-steps"):
        answers.begin(run, {"do": "answer", "id": other, "answer": "pass"})
    answers.begin("no such run", {"do": "answer", "id": "saddle", "answer": "pass"})
    assert pool().config_of(run) != found.config
    answers.begin(run, {"do": "answer", "id": "saddle", "answer": "pass"})
    assert pool().config_of(run) == found.config
    pool().call(run, Advance(3))
    assert pool().state_of(run) == "playing"
    answers.begin(run, {"do": "answer", "id": "saddle", "answer": "pass"})
    assert pool().call(run, Steps()) >= 3, "a flood of answers does not build the run again for each"
    answer(session, "saddle", answer="pass")
    assert asked(session)["phase"] == "running" and run_id(session) == run
    assert settings(session, found.bench) == found.config
    assert pool().call(run, Steps()) >= 3, "the page has not begun it again"
    answers.begin(run, {"do": "answer", "id": "saddle", "answer": "pass"})
    assert pool().call(run, Steps()) >= 3, "the question is no longer open"


def test_an_answer_on_a_still_labs_own_line_brings_its_picture(visit: Open) -> None:
    session = visit(DESCENT)
    try_out(session, "round-valley")
    found, board_id = of(DESCENT, "round-valley"), board(session)["board"]
    assert settings(session, found.bench) != found.config
    assert answers.draw("no such board", {"id": "round-valley", "answer": "one"}) == b""
    assert answers.draw(board_id, {"id": "round-valley", "answer": "nonsense"}) == b""
    before = board(session)["number"]
    frame = answers.draw(board_id, {"id": "round-valley", "answer": "one"})
    assert frame and asked(session)["phase"] == "open", "the page has not heard of it"
    assert answers.draw(board_id, {"id": "round-valley", "answer": "none"}) == b"", "the first answer counts"
    other = next(each for each in prediction_of(found).options if each != "one")
    answer(session, "round-valley", answer=other)
    assert board(session)["number"] == before + 1 and base64.b64decode(board(session)["frame"]) == frame
    assert asked(session)["answer"] == "one" and asked(session)["phase"] == "graded"
    assert settings(session, found.bench) == found.config


def test_the_page_begins_a_run_whose_answer_came_on_no_other_line(visit: Open) -> None:
    session = visit(DESCENT)
    try_out(session, "saddle")
    answer(session, "saddle", answer="pass")
    run = run_id(session)
    pool().call(run, Steps())
    assert pool().config_of(run) == of(DESCENT, "saddle").config and pool().state_of(run) == "playing"


def test_what_is_required_or_locked_holds_on_the_boards_own_line(visit: Open) -> None:
    session = visit(DESCENT, predict="required")
    try_out(session, "saddle")
    run, found = run_id(session), of(DESCENT, "saddle")
    answers.begin(run, {"do": "answer", "id": "saddle", "skip": "play"})
    assert pool().config_of(run) != found.config, "an answer is required"
    with started() as lesson:
        session = visit(DESCENT, **{"class": CODE})
        try_out(session, "saddle")
        lesson.seat(session, "gradient_descent")
        lesson.do("lock", names=["lr"])
        answers.begin(run_id(session), {"do": "answer", "id": "saddle", "answer": "pass"})
        assert pool().config_of(run_id(session)) != found.config, "the page knows which settings stay"
    session = visit(DESCENT)
    try_out(session, "saddle")
    answers.begin(run_id(session), {"do": "answer", "id": "saddle", "skip": "play"})
    assert pool().config_of(run_id(session)) == found.config


def test_back_takes_the_question_away_and_leaves_a_run_that_waits(visit: Open) -> None:
    session = visit(REGRESSION)
    try_out(session, "small-steps")
    follow(session)
    assert rail(session)["prediction"] is None and rail(session)["set"] != "small-steps"
    assert settings(session, REGRESSION.benches[0]) == REGRESSION.benches[0].config()
    assert pool().state_of(run_id(session)) == "paused"


def test_a_question_waits_while_another_lab_is_open(visit: Open) -> None:
    session = visit(DESCENT, predict="required")
    try_out(session, "round-valley")
    bench = of(DESCENT, "round-valley").bench.name.removeprefix("gradient_descent_")
    other = next(lab for lab in DESCENT.benches if not lab.name.endswith(bench))
    session.session_state["gradient_descent_lab"] = other.name.removeprefix("gradient_descent_")
    session.run()
    assert rail(session)["prediction"] is None
    session.session_state["gradient_descent_lab"] = bench
    session.run()
    assert asked(session)["phase"] == "open" and asked(session)["required"]


def test_an_experiment_of_a_lab_that_asks_by_itself_is_set_up_and_waits(visit: Open) -> None:
    lesson = LESSONS["training_loop"]
    session = visit(lesson)
    try_out(session, "myth-zero-grad-last")
    found = of(lesson, "myth-zero-grad-last")
    assert settings(session, found.bench) == found.config
    assert pool().state_of(run_id(session)) == "paused", "it asks whether the change breaks the script"
    (shown,) = [each for each in rail(session)["list"] if each["id"] == found.id]
    assert shown["runs"] and not shown["plays"]


def test_another_experiment_takes_the_question_away(visit: Open) -> None:
    session = visit(REGRESSION)
    try_out(session, "small-steps")
    try_out(session, "sine")
    assert rail(session)["prediction"] is None
    try_out(session, "small-steps")
    assert asked(session)["phase"] == "open"


def test_a_teachers_link_switches_questions_off_or_requires_them(visit: Open) -> None:
    session = visit(REGRESSION, predict="off")
    try_out(session, "small-steps")
    assert rail(session)["prediction"] is None and all(each["after"] for each in rail(session)["list"])
    assert link(session)["predict"] == "off"
    session = visit(REGRESSION, predict="required")
    try_out(session, "small-steps")
    assert asked(session)["required"]
    answer(session, "small-steps", skip="play")
    assert asked(session)["phase"] == "open", "only an answer starts the run"
    answer(session, "small-steps", answer="between")
    assert asked(session)["phase"] == "running"


def test_a_mode_that_does_not_exist_is_said_and_ignored(visit: Open) -> None:
    session = visit(REGRESSION, predict="<img>")
    assert any("way to ask before Play" in text for text in warnings(session))
    try_out(session, "small-steps")
    assert asked(session)["phase"] == "open" and not asked(session)["required"]


def test_an_address_asks_and_a_link_that_replays_a_run_does_not(visit: Open) -> None:
    session = visit(REGRESSION, regression_try="small-steps")
    assert asked(session)["phase"] == "open"
    follow(session, regression_try="momentum")
    assert asked(session)["phase"] == "open" and rail(session)["at"] == "momentum"
    session = visit(REGRESSION, regression_try="small-steps", at="5.0123456789abcdef")
    assert rail(session)["prediction"] is None


def test_what_a_page_opens_with_is_asked_only_when_it_is_set_up(visit: Open) -> None:
    session = visit(DESCENT)
    assert rail(session)["prediction"] is None


def test_every_choice_of_a_lab_lesson_stays_in_its_lab(visit: Open) -> None:
    assert isinstance(DESCENT, LabLesson)
    found = of(DESCENT, "saddle")
    session = visit(DESCENT)
    try_out(session, found.id)
    assert asked(session)["phase"] == "open" and link(session)["gradient_descent_lab"] == "surface"
    assert settings(session, found.bench) == type(found.config)()
    answer(session, found.id, answer="pass")
    assert settings(session, found.bench) == found.config
    assert isinstance(predictions.of(DESCENT)[found.id].ask, Choice)
    assert before_play.MODES[0] == "on" and board(session)
