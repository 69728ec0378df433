"""The parts of a lesson's prose that a browser asks for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette

from pages.ui import prose
from pages.ui.routes import prose as route
from playground.lesson import Lesson
from playground.lessons import LESSONS

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


@each_lesson
def test_a_section_comes_on_demand_and_not_with_the_page(lesson: Lesson) -> None:
    status, headers, text = ask(f"/prose/{lesson.name}/notice")
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert text == prose.section(lesson, "What to notice") and "<li>" in text
    assert text not in prose.as_html(lesson)


@pytest.mark.parametrize("address", ["regression/idea", "regression/Check yourself", "nothing/notice", "home/notice"])
def test_another_section_does_not(address: str) -> None:
    assert ask(f"/prose/{address}")[0] == 404
