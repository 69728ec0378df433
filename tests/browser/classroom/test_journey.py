"""A whole class in a real Chromium: teacher, projector and two students."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.classroom.people import Person, ProjectorPage, StudentPage, TeacherPage, VotePage, reload_all

Open = Callable[..., Any]


def test_a_class_from_its_start_to_its_end(page: Open) -> None:
    teacher, board, phone = TeacherPage(page()), StudentPage(page()), VotePage(page(width=390, height=844))
    teacher.start()
    board.join_by_code(teacher.code)
    phone.join(teacher.pictures[0])
    teacher.to_wall(students=2)
    projector = ProjectorPage(page(width=1920, height=1080))
    projector.page.goto(teacher.opens("Open the projector's page ↗"))
    people: list[Person] = [teacher, board, phone, projector]
    assert not any("#" in each.page.url for each in people), "no token stays in an address bar"

    teacher.choose("Regression", "Send: Small steps")
    board.on("/regression")
    teacher.lock("Learning rate")
    board.until(lambda: board.seen()["rate"] == ["locked"], "its control is gone")
    phone.press("Help")
    teacher.page.locator(".needs .chip.help").wait_for()
    reload_all(people, "locked, help")

    teacher.choose("Regression", "Ask: Small steps")
    projector.page.locator(".counted").wait_for()
    board.answer("between")
    phone.answer("behind")
    teacher.answered("2 of 2")
    reload_all(people, "answered")

    teacher.next("Close vote 1")
    board.says("closed")
    teacher.next("Open vote 2")
    board.answer("behind")
    phone.answer("behind")
    teacher.next("Close vote 2")
    board.says("closedTwo")
    assert [each.results for each in people] == [[]] * 4, "no message tells a result before Show"
    teacher.next("Show both votes")
    teacher.sure()  # so few that it is asked
    moves = projector.page.locator("svg.full")
    moves.wait_for()
    assert "1: " in moves.get_attribute("aria-label")
    board.says("shown")
    reload_all(people, "shown")
    own = board.board()
    teacher.next("Play the real run")
    own.until(lambda: own.step >= 100, "the real run")
    teacher.next("End the question")
    board.until(lambda: not board.seen()["question"], "the rail is the page's own again")

    teacher.press("Eyes up")
    board.covered("Eyes up")
    phone.heading("Eyes up")
    projector.heading("Eyes up")
    reload_all(people, "eyes up")
    teacher.press("Resume")
    board.uncovered()

    teacher.menu("more", "End the class …")
    teacher.page.locator(".tbl td", has_text=board.name).wait_for()
    name = board.name
    teacher.page.locator("[data-end]").click()
    teacher.sure()
    for each in (teacher, projector, phone):
        each.heading("class is over")
    board.says("ended")
    assert all(each.keeps_nothing_of(name) for each in people), "names and tokens are gone from the browsers, too"
