"""Parts of a lesson's prose that are not in its page, since they would give answers away: a browser asks for them.

    GET  /prose/<lesson>/notice            a section on demand, as HTML
    GET  /prose/questions                  the ids of all questions by lesson, and the sentences around them
    GET  /prose/<lesson>/questions/<id>    one question, as a page shows it
    POST /prose/<lesson>/questions/<id>    {"answer": ..., "last": bool}: whether it is right, and what to say about it

Nothing of an answer is kept: the browser knows which try it is. The explanation comes with a right answer, and with the
last try, which may also be without an answer.
"""

from __future__ import annotations

from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from pages.ui import prose
from pages.ui.routes.allowance import sent_body
from playground.lessons import LESSONS
from playground.questions import AnswerError, Choice, Number, Question, find, questions

MAX_BODY = 2_000  # bytes
NOT_KEPT = {"Cache-Control": "no-store"}
NO_SECTION = "There is no such section."
NO_QUESTION = "There is no such question."
NO_ANSWER = "An answer is a JSON object with “answer” and “last”."


async def section(request: Request) -> Response:
    """A section on demand."""
    lesson = LESSONS.get(request.path_params["lesson"])
    heading = prose.ON_DEMAND.get(request.path_params["name"])
    if lesson is None or heading is None:
        return Response(NO_SECTION, status_code=404)
    return HTMLResponse(prose.section(lesson, heading), headers=NOT_KEPT)


async def every_question(_: Request) -> Response:
    """All lessons in order with the ids of their questions."""
    lessons = [
        {"lesson": lesson.name, "title": lesson.title, "ids": [each.id for each in questions(lesson)]}
        for lesson in LESSONS.values()
    ]
    return JSONResponse({"lessons": lessons, "words": prose.words()}, headers=NOT_KEPT)


async def one_question(request: Request) -> Response:
    """A question, or what to say about an answer to it."""
    lesson = LESSONS.get(request.path_params["lesson"])
    question = None if lesson is None else find(lesson, request.path_params["id"])
    if lesson is None or question is None:
        return Response(NO_QUESTION, status_code=404)
    if request.method != "POST":
        return JSONResponse(prose.asked(lesson, question), headers=NOT_KEPT)
    given = await _body(request)
    if given is None:
        return Response(NO_ANSWER, status_code=400)
    return JSONResponse(await run_in_threadpool(graded, question, **given), headers=NOT_KEPT)


def graded(question: Question, answer: object, last: bool) -> dict[str, Any]:
    """What to say about an answer: {"problem"} where it cannot be read, else {"right", "feedback", ...}."""
    is_right, feedback = False, ""
    if answer is not None or not last:
        try:
            feedback = question.kind.feedback_on(answer)
        except AnswerError as problem:
            return {"problem": str(problem)}
        is_right = not feedback
    found: dict[str, Any] = {"right": is_right, "feedback": prose.inline(feedback)}
    if is_right or last:
        found["explanation"] = prose.inline(question.explanation)
        found |= _right_answer(question)
    return found


def _right_answer(question: Question) -> dict[str, Any]:
    match question.kind:
        case Choice(right=right):
            return {"option": right}
        case Number(text=text, unit=unit):
            return {"answer": f"{text} {unit}".strip()}
        case formula:
            return {"answer": formula.text}


async def _body(request: Request) -> dict[str, Any] | None:
    """The answer that was sent; None where it is too long or of another form."""
    try:
        found = orjson.loads(await sent_body(request, MAX_BODY) or b"")
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict) or found.keys() != {"answer", "last"} or not isinstance(found["last"], bool):
        return None
    return found


ROUTES = [
    Route("/prose/questions", every_question),
    Route("/prose/{lesson}/questions/{id}", one_question, methods=["GET", "POST"]),
    Route("/prose/{lesson}/{name}", section),
]
