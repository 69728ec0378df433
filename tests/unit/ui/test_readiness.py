"""What a server says to a balancer, and how it sends its pages away before it ends."""

from __future__ import annotations

import asyncio
import signal
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from pages.ui.routes import readiness
from pages.ui.routes.readiness import Drain, Draining
from playground.settings import Settings

LIMIT = 3


@pytest.fixture(autouse=True)
def drain(monkeypatch: pytest.MonkeyPatch) -> Drain:
    """The draining of a server that has just started."""
    monkeypatch.setattr(readiness, "DRAIN", Drain())
    return readiness.DRAIN


def scope_of(path: str) -> Scope:
    return {"type": "websocket", "path": path, "headers": [], "extensions": {"websocket.http.response": {}}}


class Browser:
    """One websocket through the middleware, to a route that sends one message and stays until it is closed."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.sent: list[Message] = []
        self.reached = False
        self.closed = asyncio.Event()

    async def receive(self) -> Message:
        return {"type": "websocket.connect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if message["type"] == "websocket.close":
            self.closed.set()

    async def route(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached = True
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "first"})
        await self.closed.wait()
        await send({"type": "websocket.send", "text": "late"})
        await send({"type": "websocket.close", "code": 1000})

    async def visit(self) -> None:
        await Draining(self.route)(scope_of(self.path), self.receive, self.send)

    @property
    def kinds(self) -> list[str]:
        return [message["type"].removeprefix("websocket.") for message in self.sent]

    @property
    def code(self) -> int:
        return int(self.sent[-1]["code"])


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


# Who is let in.


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """How many pages are open, and whether a run would find a place."""
    found = SimpleNamespace(pages=0, has_room=True)
    manager = SimpleNamespace(num_active_sessions=lambda: found.pages)
    monkeypatch.setattr(readiness, "streamlits_sessions", lambda: manager)
    pool = SimpleNamespace(settings=Settings(max_visitors=LIMIT))
    monkeypatch.setattr(readiness, "pool", lambda: SimpleNamespace(settings=pool.settings, has_room=found.has_room))
    return found


def asked(query: str = "") -> tuple[int, str]:
    request = Request({"type": "http", "query_string": query.encode(), "headers": []})
    answer = asyncio.run(readiness.answer(request))
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, bytes(answer.body).decode()


def test_a_server_is_full_from_its_limit_of_open_pages_on(counts: SimpleNamespace) -> None:
    counts.pages = LIMIT - 1
    assert asked() == (200, "ready")
    counts.pages = LIMIT
    assert asked() == (404, "full")
    assert asked("full=ok") == (200, "full"), "for those who are here"


def test_a_server_without_room_for_a_run_is_full(counts: SimpleNamespace) -> None:
    counts.has_room = False
    assert asked() == (404, "full")


def test_a_draining_server_is_there_for_nobody(counts: SimpleNamespace, drain: Drain) -> None:
    drain.has_begun = True
    assert asked() == asked("full=ok") == (503, "draining")


def test_the_default_limit_follows_the_cores() -> None:
    assert Settings(core_limit=4).visitor_limit == 60
    assert Settings(core_limit=4, max_visitors=7).visitor_limit == 7


# Draining.


@pytest.mark.parametrize("path", ["/live/abc", "/still/abc", "/class/socket"])
def test_our_sockets_are_closed_so_that_their_pages_connect_again_and_what_comes_late_is_dropped(
    path: str, drain: Drain
) -> None:
    async def play() -> Browser:
        browser = Browser(path)
        visit = asyncio.create_task(browser.visit())
        await settle()
        await drain.move_all(0, lambda: None)
        await visit
        return browser

    browser = asyncio.run(play())
    assert browser.kinds == ["accept", "send", "close"]
    assert browser.code == 1012


def test_streamlits_own_socket_stays_until_the_end(drain: Drain) -> None:
    async def play() -> Browser:
        browser = Browser("/_stcore/stream")
        visit = asyncio.create_task(browser.visit())
        await settle()
        await drain.move_all(0, lambda: None)
        visit.cancel()
        return browser

    assert asyncio.run(play()).kinds == ["accept", "send"]


@pytest.mark.parametrize(
    ("path", "kinds"),
    [("/live/abc", ["accept", "close"]), ("/_stcore/stream", ["http.response.start", "http.response.body"])],
)
def test_a_draining_server_opens_no_socket(path: str, kinds: list[str], drain: Drain) -> None:
    drain.has_begun = True
    browser = Browser(path)
    asyncio.run(browser.visit())
    assert not browser.reached
    assert browser.kinds == kinds


def test_the_server_ends_after_every_socket_is_closed(drain: Drain) -> None:
    async def play() -> tuple[list[Browser], list[int]]:
        browsers, closed_at_the_end = [Browser(f"/live/{number}") for number in range(3)], []
        visits = [asyncio.create_task(each.visit()) for each in browsers]
        await settle()
        await drain.move_all(0.01, lambda: closed_at_the_end.append(sum(each.closed.is_set() for each in browsers)))
        await asyncio.gather(*visits)
        return browsers, closed_at_the_end

    browsers, closed_at_the_end = asyncio.run(play())
    assert closed_at_the_end == [3]
    assert not drain._sockets, "a socket that is gone is forgotten"
    assert {each.code for each in browsers} == {1012}


# SIGTERM.


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Any:
    """How often the server was told to end; its handler of SIGTERM is one of the test's."""
    calls: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: calls.append(number))
    yield calls
    signal.signal(signal.SIGTERM, before)


def test_sigterm_drains_and_then_ends_the_server(ended: list[int], drain: Drain) -> None:
    async def play() -> None:
        drain.at_sigterm(0.01)
        signal.raise_signal(signal.SIGTERM)
        assert drain.has_begun
        assert ended == []
        await asyncio.sleep(0)
        assert drain._task is None or not drain._task.done()
        while drain._task is None:
            await asyncio.sleep(0)
        await drain._task

    asyncio.run(play())
    assert ended == [signal.SIGTERM]


def test_a_second_sigterm_ends_the_server_at_once(ended: list[int], drain: Drain) -> None:
    async def play() -> None:
        drain.at_sigterm(60)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)

    asyncio.run(play())
    assert ended == [signal.SIGTERM]


def test_without_other_replicas_sigterm_is_left_to_the_server(ended: list[int], drain: Drain) -> None:
    async def play() -> None:
        drain.at_sigterm(0)
        signal.raise_signal(signal.SIGTERM)

    asyncio.run(play())
    assert ended == [signal.SIGTERM]
    assert not drain.has_begun
