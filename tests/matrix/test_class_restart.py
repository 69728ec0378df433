"""A class outlives its server: where there is a secret, everybody is back within seconds, answers included."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from tests.browser.student import Board
from tests.browser.test_in_class import Teacher, join, says
from tests.conftest import Serve, free_port

Open = Callable[..., Any]
BACK_SECONDS = 30.0  # the server's start included
KEPT_SECONDS = 3.0  # a changed state goes to the teacher's browser within two


class Killed(Exception):
    """The server was killed."""


def test_a_students_bar_comes_back_with_seat_and_answer_after_a_restart(page: Open, serve: Serve) -> None:
    port, settings = free_port(), {"PLAYGROUND_SECRET": "a secret of sixteen letters"}
    with contextlib.ExitStack() as opened:
        with contextlib.suppress(Killed), serve(port=port, settings=settings) as server:
            teacher = Teacher(server.url, opened)
            tab, board = join(page, teacher, base=server.url)
            vote = teacher.ask("regression", "small-steps")
            says(board, "ask")
            tab.page.locator('.class-vote [data-option="between"]').click()
            says(board, "answered")
            name = tab.page.locator(".class-me").inner_text()
            time.sleep(KEPT_SECONDS)  # until the teacher's browser holds the vote
            os.killpg(server.pid, signal.SIGKILL)
            time.sleep(0.5)
            raise Killed  # leaves the server, which has died
        tab.errors.clear()
        with serve(port=port, settings=settings):
            teacher.state = {}
            teacher.connect()
            teacher.until(lambda: teacher.state.get("vote"), "the class goes on")
            board.until(lambda: tab.page.locator("[data-class-bar]").count(), "the page is back", BACK_SECONDS)
            board = Board(tab.page).ready()
            says(board, "answered")
            assert tab.page.locator(".class-me").inner_text() == name
            assert teacher.state["vote"]["id"] == vote and teacher.state["vote"]["answered"] == 1
            tab.page.close()  # before its server ends: it would try to reconnect
            tab.errors.clear()
