"""A class whose students' pages are sessions of tests, and its teacher."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from streamlit.testing.v1 import AppTest

from pages.ui.classroom.boards import BOARDS
from pages.ui.routes.classroom.sockets import register
from pages.ui.session import KEY, Session
from playground.classroom.connections import Connection
from playground.classroom.orders import obey
from tests.pages.session import board, boards, given_to_all, run_id, say

CODE = "BCDFGH"


class Class:
    """A class, its teacher, and a student whose page is a session."""

    def __init__(self) -> None:
        self.of = register().start(CODE, {}, "127.0.0.1")
        self.teacher = Connection(lambda: None, role="teacher", device=1, view="wall")
        self.of.enter(self.teacher)

    def do(self, name: str, **fields: Any) -> None:
        """The teacher does something."""
        notes = len(self.teacher.notes)
        obey(self.of, self.teacher, {"do": name, **fields})
        said = list(self.teacher.notes)[notes:]
        assert not [each for each in said if each["is"] == "refused"], said

    def send(self, page: str, query: str = "", **fields: Any) -> None:
        """The teacher sends everybody somewhere."""
        common = {"kind": "place", "experiment": None, "run": None, "title": page, "to": "all"}
        self.do("send", **(common | {"page": page, "query": query} | fields))

    def seat(self, session: AppTest, page: str) -> Connection:
        """The page of this session belongs to a student from now on."""
        connection = Connection(lambda: None)
        self.of.knock(connection)
        obey(self.of, connection, {"do": "join"})
        self.shows(connection, session, page)
        return connection

    def shows(self, connection: Connection, session: AppTest, page: str) -> None:
        """The bar says what the page shows."""
        name = state(session).name
        has_run = any("run" in each for each in boards(session))
        run = BOARDS.shown(name, run_id(session) if has_run else None) if page else None
        obey(self.of, connection, {"do": "board", "session": name, "run": run, "page": page, "query": "",
                                   "experiment": None})  # fmt: skip


@contextlib.contextmanager
def started() -> Iterator[Class]:
    """A class that ends with the test."""
    made = Class()
    yield made
    made.of.end()
    register()._ended.clear()
    register()._starters.clear()


def state(session: AppTest) -> Session:
    found = session.session_state[KEY]
    assert isinstance(found, Session)
    return found


def bar(session: AppTest) -> dict[str, Any]:
    """What the page says to the bar."""
    (found,) = [each for each in given_to_all(session) if isinstance(each, dict) and "placed" in each]
    return found


def order(session: AppTest, **values: Any) -> None:
    """The bar asks the page for something; the session is then where the page took it."""
    say(session, "class", "order", values)
    session.switch_page(f"{state(session).page or 'home'}.py")


def knob(session: AppTest, name: str) -> dict[str, Any]:
    (found,) = [each for each in board(session)["knobs"] if each["name"] == name]
    return dict(found)
