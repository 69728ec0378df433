"""The parts of a lesson's prose that a browser asks for."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.applications import Starlette

from pages.ui import prose
from pages.ui.routes import prose as route
from playground.lesson import Lesson
from playground.lessons import LESSONS
from playground.questions import Choice, Number, questions

APP = Starlette(routes=route.ROUTES)
each_lesson = pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)


def ask(path: str, body: bytes | None = None) -> tuple[int, dict[str, str], str]:
    """The status, headers and text of the answer to a GET, or with a body to a POST."""
    sent: list[dict[str, Any]] = []
    received = iter([{"type": "http.request", "body": body or b"", "more_body": False}])

    async def receive() -> Any:
        return next(received, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET" if body is None else "POST", "path": path, "headers": [],
             "query_string": b"", "root_path": ""}  # fmt: skip
    asyncio.run(APP(scope, receive, send))
    headers = {name.decode(): text.decode() for name, text in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(each.get("body", b"") for each in sent[1:]).decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("98 % of 12 MB in 5 ms, 3 steps.", "98\u00a0% of 12\u00a0MB in 5\u00a0ms, 3 steps."),
        ("`7 % 3` is 1", '<code translate="no">7 % 3</code> is 1'),
        ("10 sizes & 2 < 3", "10 sizes &amp; 2 &lt; 3"),
    ],
)
def test_a_number_stays_on_one_line_with_its_unit(text: str, shown: str) -> None:
    assert prose.inline(text) == shown


@each_lesson
def test_a_section_comes_on_demand_and_not_with_the_page(lesson: Lesson) -> None:
    status, headers, text = ask(f"/prose/{lesson.name}/notice")
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert text == prose.section(lesson, "What to notice") and "<li>" in text
    assert text not in prose.as_html(lesson)


@pytest.mark.parametrize("address", ["regression/idea", "regression/Check yourself", "nothing/notice", "home/notice"])
def test_another_section_does_not(address: str) -> None:
    assert ask(f"/prose/{address}")[0] == 404


def send(path: str, answer: object, *, last: bool = False) -> dict[str, Any]:
    status, headers, text = ask(path, json.dumps({"answer": answer, "last": last}).encode())
    assert (status, headers["cache-control"]) == (200, "no-store")
    return dict(json.loads(text))


PARAMETERS = "/prose/regression/questions/parameters"


@each_lesson
def test_each_answer_to_each_question_is_graded_and_only_the_last_try_tells_what_is_right(lesson: Lesson) -> None:
    for question in questions(lesson):
        path = f"/prose/{lesson.name}/questions/{question.id}"
        assert json.loads(ask(path)[2]) == prose.asked(lesson, question)
        kind, explanation = question.kind, prose.inline(question.explanation)
        if isinstance(kind, Choice):
            right, wrong = kind.right, dict(kind.feedback)
            truth = {"option": kind.right}
        else:
            right, wrong = kind.text, {str(answer): said for answer, said in kind.wrong.items()}
            truth = {"answer": kind.text + (f" {kind.unit}" if isinstance(kind, Number) and kind.unit else "")}
        whole = {"explanation": explanation, **truth}
        assert send(path, right) == {"right": True, "feedback": "", **whole}
        for answer, said in wrong.items():
            first = {"right": False, "feedback": prose.inline(said)}
            assert send(path, answer) == first
            assert send(path, answer, last=True) == first | whole
        assert send(path, None, last=True) == {"right": False, "feedback": "", **whole}, "who gives up is shown it"


def test_every_question_is_listed_with_the_sentences_around_them() -> None:
    found = json.loads(ask("/prose/questions")[2])
    assert [each["lesson"] for each in found["lessons"]] == list(LESSONS)
    assert {each["lesson"]: each["ids"] for each in found["lessons"]} == {
        name: [each.id for each in questions(lesson)] for name, lesson in LESSONS.items()
    }
    assert found["words"] == prose.words()


@pytest.mark.parametrize("answer", [None, "", " ", 3, True, [], {}, "x" * 101, "import os", "n.__class__", "9**9**9"])
def test_what_cannot_be_graded_gets_a_sentence_and_tells_nothing(answer: object) -> None:
    assert send(PARAMETERS, answer).keys() == {"problem"}


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"[]", b"null", b'{"answer": 1}', b'{"answer": 1, "last": 1}', b"\xff",
     b'{"answer": "1", "last": true, "more": 1}', b'{"answer": "' + b"1" * 2_000 + b'", "last": true}'],
)  # fmt: skip
def test_a_body_of_another_form_is_refused(body: bytes) -> None:
    status, _, text = ask(PARAMETERS, body)
    assert (status, text) == (400, route.NO_ANSWER)


@pytest.mark.parametrize("path", ["/prose/regression/questions/nothing", "/prose/nothing/questions/parameters"])
def test_there_is_no_other_question(path: str) -> None:
    assert ask(path)[0] == ask(path, b"{}")[0] == 404
