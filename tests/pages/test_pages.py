"""Every page as Streamlit runs it, with no browser: home, the words of a lesson, and what only a page that trains has.

What lessons with a run and labs have in common is tested in test_benches.py.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import prose as page
from pages.ui.emblems import DRAWINGS, SIZE, emblem
from pages.ui.messages import TEXT
from pages.ui.routes.prose import graded
from pages.ui.session import pool
from playground.experiments import experiments
from playground.knobs import Config
from playground.lesson import SECTIONS, Lesson, LiveLesson
from playground.lessons import LESSONS
from playground.questions import SECTION, Choice, questions
from tests.pages.benches import LIVE
from tests.pages.questions import Peek
from tests.pages.session import (
    SCRIPT,
    Open,
    asked,
    board,
    can_turn,
    given_to_all,
    numbers,
    run_id,
    shown_knobs,
    turn,
    warnings,
    widgets,
    words,
)  # fmt: skip

each_lesson = pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
each_live_lesson = pytest.mark.parametrize("lesson", LIVE.values(), ids=list(LIVE))


def config(session: AppTest) -> Config:
    """The config of the run that the board shows, once its worker has caught up."""
    return pool().call(run_id(session), Peek("config"))


# Home.


def test_home_links_to_every_lesson_in_order(visit: Open) -> None:
    session = visit()
    assert list(session.exception) == []
    links = [each.proto.page for each in session.get("page_link") if each.proto.label != TEXT.home.start]
    assert [link.rpartition("/")[2].removesuffix(".py") for link in links] == list(LESSONS)


def test_home_gives_each_lesson_a_mark_and_the_ids_of_its_questions(visit: Open) -> None:
    session = visit()
    (given,) = (each for each in given_to_all(session) if "lessons" in each)
    assert [(each["name"], each["ids"]) for each in given["lessons"]] == [
        (name, [question.id for question in questions(lesson)]) for name, lesson in LESSONS.items()
    ]
    shown = "".join(each.proto.body for each in session.get("html"))
    assert all(f'data-mark="{name}"' in shown for name in LESSONS)


def test_home_says_how_long_each_lesson_takes_and_all_of_them(visit: Open) -> None:
    captions = [caption.value for caption in visit().caption]
    minutes = [f"{number} · {lesson.minutes} min" for number, lesson in enumerate(LESSONS.values(), start=1)]
    assert [caption for caption in captions if " min" in caption and "·" in caption] == minutes
    hours = sum(lesson.minutes for lesson in LESSONS.values()) / 60
    (total,) = (int(caption.split()[1]) for caption in captions if caption.endswith(" hours"))
    assert total == pytest.approx(hours, abs=0.5)
    assert len(LESSONS) == 13, "the heading says so"


def test_start_here_opens_the_first_experiment_of_regression(visit: Open) -> None:
    session = visit()
    (start,) = (each.proto for each in session.get("page_link") if each.proto.label == TEXT.home.start)
    assert start.page.rpartition("/")[2].removesuffix(".py") == "regression"
    query = dict(parse_qsl(start.query_string))
    assert query == {"regression_try": experiments(LESSONS["regression"])[0].id}
    opened = visit(LESSONS["regression"], **query)
    assert warnings(opened) == [] and board(opened)["rail"]["at"] == query["regression_try"]


def test_every_lesson_has_a_drawing_on_its_tile_that_is_xml() -> None:
    assert DRAWINGS.keys() == LESSONS.keys()
    for name in LESSONS:
        width, height = ElementTree.fromstring(emblem(name)).attrib["viewBox"].split()[2:]
        assert (int(width), int(height)) == SIZE


# Every lesson.


def test_every_lesson_has_a_page_and_a_name_that_fits_an_address() -> None:
    for name, lesson in LESSONS.items():
        assert lesson.name == name
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
        assert (SCRIPT.parent / f"{name}.py").is_file()
        assert lesson.sentence.endswith(".")


@each_live_lesson
def test_board_names_the_lessons_charts_and_numbers(visit: Open, lesson: LiveLesson) -> None:
    data = board(visit(lesson))
    assert [chart["name"] for chart in data["charts"]] == [chart.name for chart in lesson.charts]
    assert data["status"] == dict(lesson.status)
    assert all(chart["alt"].endswith(".") for chart in data["charts"])


@each_live_lesson
def test_every_knob_says_whether_it_starts_the_run_over(visit: Open, lesson: LiveLesson) -> None:
    session = visit(lesson)
    for name, spec in lesson.config.knobs().items():
        words = widgets(session)[f"{lesson.name}_{name}"].help or ""
        assert ("starts the run over" in words) is not spec.live, name


@each_lesson
def test_code_on_demand_is_the_source_of_what_runs(visit: Open, lesson: Lesson) -> None:
    session = visit(lesson)
    before = len(session.code)
    widgets(session)[f"{lesson.name}:code"].set_value(True).run()
    assert len(session.code) == before + len(lesson.code) + ("```" in lesson.prose["In PyTorch"])
    for shown in lesson.code:
        assert any(f"def {shown.__name__}" in code.value for code in session.code), shown


@each_lesson
def test_neighbours_are_linked_at_the_end(visit: Open, lesson: Lesson) -> None:
    names = ["home", *LESSONS]
    at = names.index(lesson.name)
    links = [each.proto.page.rpartition("/")[2].removesuffix(".py") for each in visit(lesson).get("page_link")]
    home_is_root = ["home" if name == "" else name for name in links]
    assert home_is_root == [names[at - 1], *names[at + 1 : at + 2]]


# Prose.


@each_lesson
def test_prose_has_all_sections_in_order(lesson: Lesson) -> None:
    assert tuple(lesson.prose) == SECTIONS
    assert all(len(text) > 20 for text in lesson.prose.values())


@each_lesson
def test_prose_is_on_the_page(visit: Open, lesson: Lesson) -> None:
    shown = words(visit(lesson))
    assert re.findall("<h2>(.*?)</h2>", shown) == [section for section in SECTIONS if section != page.EXPERIMENTS]
    text = plain(re.sub("<[^>]+>", "", shown))
    for section, words_of_it in lesson.prose.items():
        if section in (page.EXPERIMENTS, SECTION):
            continue
        if section in page.ON_DEMAND.values():
            assert page.section(lesson, section) not in shown, "it may give a prediction away"
            text += plain(re.sub("<[^>]+>", "", page.section(lesson, section)))
        written = re.sub(r"\]\(\?[^)]*\)", "", words_of_it.partition("```")[0])
        for word in re.findall(r"[^\W\d_]{3,}", plain(re.sub(r"\*\*|`", "", written))):
            assert word in text, (section, word)


def plain(text: str) -> str:
    """Text as a reader sees it: entities as characters."""
    return html.unescape(text)


def test_markup_in_prose_is_shown_as_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name, lesson = next(iter(LIVE.items()))
    evil = "<img src=x onerror=alert(1)>"
    (tmp_path / f"{name}.md").write_text(
        f"## Idea\n\n{evil}\n\n## What to notice\n\n{evil}\n\n## Check yourself\n\n"
        f'- {evil} "id"\n  - [x] {evil}\n  - [ ] {evil}. :: {evil}\n  - [ ] Else :: {evil}\n  - {evil}\n'
    )
    monkeypatch.setattr("playground.lesson.PROSE", tmp_path)
    (question,) = questions(lesson)
    shown = page.as_html(lesson) + page.section(lesson, "What to notice") + json.dumps(page.asked(lesson, question))
    shown += json.dumps([graded(question, 1, False), graded(question, None, True)])
    assert "<img" not in shown
    assert shown.count("&lt;img") == 7


@each_lesson
def test_a_page_has_the_questions_and_neither_their_answers_nor_what_is_said_about_them(
    visit: Open, lesson: Lesson
) -> None:
    session = visit(lesson)
    shown = asked(session)
    assert [each["id"] for each in shown] == [each.id for each in questions(lesson)]
    given = json.dumps(given_to_all(session), ensure_ascii=False)
    for question in questions(lesson):
        secrets = [page.inline(question.explanation)]
        if isinstance(question.kind, Choice):
            secrets += map(page.inline, question.kind.feedback.values())
        else:
            secrets += map(page.inline, [*question.kind.wrong.values(), question.kind.other])
        for secret in secrets:
            assert json.dumps(secret, ensure_ascii=False)[1:-1] not in given, question.id
    for each in shown:
        assert each.keys() <= {"lesson", "id", "text", "kind", "options", "unit", "names"}


# A teacher's link.


def test_learning_rate_and_noise_can_be_hidden_in_regression(visit: Open) -> None:
    lesson = LESSONS["regression"]
    session = visit(lesson, hide="lr,noise", regression_lr="0.1")
    assert set(lesson.config.knobs()) - shown_knobs(session, lesson) == {"lr", "noise"}
    assert config(session).lr == 0.1
    turn(session, lesson, "hidden", 12)
    assert config(session) == lesson.config(lr=0.1, hidden=12), "a hidden knob keeps what the link gave it"


# Widgets.


@each_live_lesson
@pytest.mark.parametrize("far", [1.0, -1.0], ids=["above", "below"])
def test_number_past_its_limit_from_a_browser_becomes_a_legal_one(visit: Open, lesson: LiveLesson, far: float) -> None:
    """Streamlit's widgets put such a number to a bound before our code sees it; illegal it must not stay."""
    session = visit(lesson)
    turned = 0
    for name, spec in numbers(lesson.config).items():
        if can_turn(session, lesson, name):
            turned += 1
            turn(session, lesson, name, type(lesson.config.knobs()[name].default)(far * (spec.hi * 100 + 1)))
            assert spec.lo <= getattr(config(session), name) <= spec.hi, name
            turn(session, lesson, name, lesson.config.knobs()[name].default)
    assert turned == sum(
        spec.applies is None or spec.applies(lesson.config()) for spec in numbers(lesson.config).values()
    )


@each_live_lesson
def test_run_ids_cannot_be_guessed(visit: Open, lesson: LiveLesson) -> None:
    assert re.fullmatch(r"[\w-]{22,}", run_id(visit(lesson))), "fewer than 128 bits"


# Regression's own popover: the student's points.


def use_points(session: AppTest, rows: str, lesson: str = "regression") -> None:
    session.session_state[f"{lesson}:data"] = True  # the popover is open
    session.run()
    session.text_area(key=f"{lesson}:csv").set_value(rows).run()
    press(session, "Use these points")


def press(session: AppTest, label: str) -> None:
    next(button for button in session.button if button.label == label).click().run()
    assert list(session.exception) == []


def points(session: AppTest) -> int:
    return pool().call(run_id(session), Peek("data.points"))


def test_pasted_points_are_learned_from_until_the_student_goes_back(visit: Open) -> None:
    session = visit(LESSONS["regression"], regression_test_share="0")
    generated = points(session)
    use_points(session, "x,y\n0,1\n1,2\n2,3\n3,5\n4,4\n")
    assert [success.value for success in session.success] == ["5 rows in use."]
    assert points(session) == 5
    press(session, "Back to generated points")
    assert points(session) == generated


@pytest.mark.parametrize(("far", "beyond"), [("6,-6,0", 0), ("6.1,0,0", 1), ("1,-70,1", 1)])
def test_pasted_points_beyond_the_map_get_a_word(visit: Open, far: str, beyond: int) -> None:
    session = visit(LESSONS["classification"], classification_test_share="0")
    use_points(session, f"x1,x2,class\n0,1,0\n1,2,1\n{far}\n", "classification")
    assert [success.value for success in session.success] == ["3 rows in use."]
    assert len(warnings(session)) == beyond
    assert all("beyond ±6" in warning and f": {beyond}." in warning for warning in warnings(session))


@pytest.mark.parametrize("rows", ["one,two\nthree,four", "1\n2\n3", "1,2\n3,nan", "<script>,1", "1,2\n" * 9_000])
def test_pasted_text_that_is_no_table_gets_a_sentence_and_leaves_the_points(visit: Open, rows: str) -> None:
    session = visit(LESSONS["regression"])
    before = points(session)
    use_points(session, rows)
    (sentence,) = [error.value for error in session.error]
    assert sentence.endswith(".")
    assert points(session) == before
