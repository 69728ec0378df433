"""What a browser gives back of a run that is gone: who may, how much, how often, and what each gets for an answer."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import Response

from pages.ui import session as sessions
from pages.ui.routes import returns
from pages.ui.session import SecondRun, Session
from playground.settings import Settings
from playground.workers.wire import OpenBeside, Returned

HEAD = orjson.dumps({"run": "old"}).decode()


class FakePool:
    """Takes what it is given, as the pool does, or refuses it."""

    def __init__(self) -> None:
        self.taken: list[tuple[Any, ...]] = []
        self.open: set[str] = set()
        self.error: Exception | None = None
        self.fits = True
        self.second: OpenBeside | None = None
        self.settings = Settings()
        self.at_once = self.most_at_once = 0
        self.seconds = 0.0
        self.lock = threading.Lock()

    def has(self, run_id: str) -> bool:
        return run_id in self.open

    def come_back(self, *what: Any) -> Returned:
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.seconds)
        with self.lock:
            self.at_once -= 1
            self.taken.append(what)
        if self.error is not None:
            raise self.error
        return Returned("back", self.second) if self.fits else Returned()


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> FakePool:
    found = FakePool()
    monkeypatch.setattr(returns, "pool", lambda: found)
    return found


@pytest.fixture
def page() -> Iterator[Session]:
    """A page's session, whose bench has opened a run at step 0."""
    found = a_page()
    yield found
    sessions._sessions.pop(found.name, None)


def a_page() -> Session:
    found = Session()
    bench = found.bench("regression")
    bench.run_id, bench.run_config = "new", "config"  # type: ignore[assignment]
    sessions._sessions[found.name] = found
    return found


def body(keep: Any = HEAD, step: Any = 7, state: bytes = b"state", **more: Any) -> bytes:
    text = orjson.dumps({"keep": keep, "step": step, **more})
    return len(text).to_bytes(4, "little") + text + state


async def post(name: str, content: bytes, run: str = "new") -> Response:
    parts = [content[at : at + 60_000] for at in range(0, len(content), 60_000)] or [b""]

    async def receive() -> dict[str, Any]:
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    scope = {"type": "http", "method": "POST", "path_params": {"run_id": run},
             "headers": [(b"session", name.encode())]}  # fmt: skip
    return await returns.bring_back(Request(scope, receive))


def answer(response: Response) -> tuple[int, dict[str, Any]]:
    return response.status_code, orjson.loads(response.body)


def ask(page: Session, content: bytes | None = None, run: str = "new") -> tuple[int, dict[str, Any]]:
    return answer(asyncio.run(post(page.name, body() if content is None else content, run)))


def test_the_run_that_comes_back_is_the_pages_from_then_on(pool: FakePool, page: Session) -> None:
    assert ask(page) == (200, {"run": "back"})
    assert pool.taken == [(page.name, "regression", "config", HEAD, b"state", 7, "new", None)]
    assert page.bench("regression").run_id == "back"


def test_the_second_of_two_compared_runs_is_the_pages_too(pool: FakePool, page: Session) -> None:
    pool.second = OpenBeside("beside", "back", "here", "lr", 0.3)
    assert ask(page, body(state=b"onetwo", second={"keep": "{}", "state": 3})) == (200, {"run": "back"})
    assert pool.taken[0][-4:] == (b"one", 7, "new", ("{}", b"two"))
    bench = page.bench("regression")
    assert bench.second == SecondRun("beside", "back", "here", "lr", 0.3) and bench.is_second_back


def test_only_the_page_that_has_opened_the_run_may_ask(pool: FakePool, page: Session) -> None:
    assert ask(page, run="another")[0] == 404
    assert answer(asyncio.run(post("0" * 16, body())))[0] == 404
    assert answer(asyncio.run(post("", body(), run="")))[0] == 404
    assert pool.taken == []


def test_a_run_that_is_still_there_or_was_replaced_on_purpose_is_not_doubled(pool: FakePool, page: Session) -> None:
    pool.open.add("old")
    assert ask(page) == (200, {})
    pool.open.clear()
    page.bench("regression").replaced = "old"
    assert ask(page) == (200, {})
    assert pool.taken == [] and page.bench("regression").run_id == "new"


def test_an_address_with_other_settings_wins(pool: FakePool, page: Session) -> None:
    pool.fits = False
    assert ask(page) == (200, {})
    assert page.bench("regression").run_id == "new"


def test_a_refusal_is_a_sentence_and_leaves_the_pages_run(pool: FakePool, page: Session) -> None:
    pool.error = ValueError("It is damaged.")
    assert ask(page) == (422, {"why": "It is damaged."})
    pool.error = TimeoutError()
    assert ask(page) == (503, {"why": returns.BUSY})
    assert page.bench("regression").run_id == "new"


@pytest.mark.parametrize(
    "content",
    [b"", b"abc", b"\xff\xff\xff\xff{}", b"\x02\0\0\0[]", b"\x02\0\0\0{}", b"\x03\0\0\0{x}", body(keep=3),
     body(step=-1), body(step=1.5), body(step="1"), body(step=10**15), body(second=3), body(second={}),
     body(second={"keep": "{}"}), body(second={"keep": "{}", "state": 6}), body(second={"keep": "{}", "state": -1}),
     body(second={"keep": "{}", "state": 1.0}), body(second={"keep": None, "state": 0})],
)  # fmt: skip
def test_a_body_of_another_form_is_refused(pool: FakePool, page: Session, content: bytes) -> None:
    assert ask(page, content) == (400, {"why": returns.UNREADABLE})
    assert pool.taken == []


def test_a_body_that_is_too_large_is_not_read_to_its_end(pool: FakePool, page: Session) -> None:
    assert ask(page, body(state=bytes(10_000_000))) == (413, {"why": returns.TOO_LARGE})
    assert pool.taken == []
    pool.settings = Settings(kept_kb=6_000)
    assert ask(page, body(state=bytes(10_000_000))) == (200, {"run": "back"}), "as the server is set"


def test_a_page_that_asks_again_and_again_is_refused_and_nobody_else_is(pool: FakePool, page: Session) -> None:
    codes = []
    for _ in range(returns.MAX_TRIES + 3):
        page.bench("regression").run_id = "new"
        codes.append(ask(page)[0])
    assert codes == [200] * returns.MAX_TRIES + [429] * 3
    assert len(page.returns) == returns.MAX_TRIES
    other = a_page()
    assert ask(other)[0] == 200


def test_many_that_come_at_once_are_read_in_the_order_in_which_they_came(pool: FakePool) -> None:
    pool.seconds = 0.01
    pages = [a_page() for _ in range(30)]

    async def all_at_once() -> list[Response]:
        return await asyncio.gather(*(post(each.name, body()) for each in pages))

    assert {each.status_code for each in asyncio.run(all_at_once())} == {200}
    order = [pages.index(sessions._sessions[name]) for name, *_ in pool.taken]
    assert pool.most_at_once <= returns.MAX_AT_ONCE
    assert all(abs(place - at) < 2 * returns.MAX_AT_ONCE for at, place in enumerate(order))
