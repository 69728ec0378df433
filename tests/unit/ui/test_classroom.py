"""A class over real sockets: how a browser enters it, what hostile and clumsy ones can do, and who delays whom."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from pages.ui.routes.allowance import sent_body
from pages.ui.routes.classroom import sockets
from pages.ui.routes.origins import OwnOrigins
from playground.classroom import codes
from playground.classroom.register import Register
from playground.classroom.tokens import Keys
from playground.settings import Settings

ANSWERS_WITHIN_SECONDS = 10.0


class Names:
    """Runs that are read under another name."""

    def shown(self, session: object, run_id: object) -> str | None:
        return f"reader of {run_id}".replace(" ", "-") if session == "mine" else None

    def checkpoint(self, name: str) -> tuple[bytes, str]:
        return f"checkpoint of {name}".encode(), "?x=1"

    def reports(self, pictures: frozenset[str], numbers: frozenset[str]) -> dict[str, Any]:
        return {}


class Line:
    """A browser's side of one socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def send(self, **message: Any) -> None:
        self.socket.send(orjson.dumps(message).decode())

    def next(self, kind: str) -> dict[str, Any]:
        """The next message of this kind; others are skipped."""
        give_up_at = time.monotonic() + ANSWERS_WITHIN_SECONDS
        while time.monotonic() < give_up_at:
            received = self.socket.recv(ANSWERS_WITHIN_SECONDS)
            if isinstance(received, str) and (found := orjson.loads(received))["is"] == kind:
                return found
        pytest.fail(f"The server has sent no {kind}.")

    def closed(self) -> tuple[int, str]:
        """The code and the reason with which the server closes the socket."""
        give_up_at = time.monotonic() + ANSWERS_WITHIN_SECONDS
        try:
            while time.monotonic() < give_up_at:
                self.socket.recv(ANSWERS_WITHIN_SECONDS)
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            return closed.rcvd.code, closed.rcvd.reason
        pytest.fail("The server did not close the socket.")


class Site:
    """The server, and what a browser asks of it."""

    def __init__(self, host: str, sockets: contextlib.ExitStack) -> None:
        self.host, self.sockets = host, sockets

    def post(self, path: str, body: object, kind: str = "application/json") -> tuple[int, bytes, dict[str, str]]:
        line = http.client.HTTPConnection(self.host, timeout=ANSWERS_WITHIN_SECONDS)
        line.request("POST", path, orjson.dumps(body), {"Content-Type": kind})
        answer = line.getresponse()
        found = answer.status, answer.read(), {name.lower(): text for name, text in answer.getheaders()}
        line.close()
        return found

    def start(self, **wish: Any) -> dict[str, str]:
        status, content, _ = self.post(f"/class/start?class={codes.new_code()}", wish)
        assert status == 201, content
        return orjson.loads(content)

    def line(self, code: str, **headers: str) -> Line:
        address = f"ws://{self.host}/class/socket?class={code}"
        opening = connect(address, additional_headers=headers, max_size=None, proxy=None, close_timeout=1)
        return Line(self.sockets.enter_context(opening))

    def teacher(self, of: dict[str, str]) -> Line:
        found = self.line(of["code"])
        found.send(**{"as": "teacher", "token": of["token"], "view": "wall"})
        assert found.next("welcome")["role"] == "teacher"
        return found

    def student(self, of: dict[str, str]) -> Line:
        found = self.line(of["code"])
        found.send(**{"as": "join"})
        found.next("door")
        found.send(do="join")
        found.next("seat")
        return found


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    settings = Settings(class_wrong_codes=5, class_joins=1000)
    made = Register(settings, Keys(b"a secret for tests"), sockets.clock)
    made._starters.clear()
    monkeypatch.setattr(sockets, "register", lambda: made)
    monkeypatch.setattr(sockets, "BOARDS", Names())
    monkeypatch.setattr("playground.classroom.register.STARTS_PER_MINUTE", 1000)
    return made


@pytest.fixture(scope="module")
def host(serve_app: Callable[[Starlette], str]) -> str:
    return serve_app(Starlette(routes=sockets.ROUTES, middleware=[Middleware(OwnOrigins)]))


@pytest.fixture
def site(host: str, register: Register) -> Iterator[Site]:
    with contextlib.ExitStack() as sockets:
        yield Site(host, sockets)


def test_a_class_is_started_joined_ordered_and_ended(site: Site, register: Register) -> None:
    of = site.start()
    wall, student = site.teacher(of), site.student(of)
    wall.send(do="eyes", on=True)
    while not student.next("state")["eyes"]:
        pass
    wall.send(do="end")
    assert wall.next("ended") == student.next("ended") == {"is": "ended"}
    assert wall.closed()[0] == student.closed()[0] == 4410
    assert register.classes == {}


def test_a_runs_id_never_comes_to_another_browser(site: Site) -> None:
    of = site.start()
    wall, student = site.teacher(of), site.student(of)
    board = {"page": "regression", "query": "", "experiment": None}
    student.send(do="board", session="mine", run="secret-id", **board)
    wall.send(do="look", seats=[1], one=None)
    while not (rows := wall.next("seats")["seats"]) or rows[0]["run"] is None:
        pass
    assert rows[0]["run"] == "reader-of-secret-id"
    assert "session" not in rows[0]
    student.send(do="board", session="another", run="secret-id", **board)
    while (rows := wall.next("seats")["seats"])[0]["run"] is not None:
        pass


def test_a_wrong_code_gets_no_hint_and_many_of_them_have_to_wait(site: Site) -> None:
    of = site.start()
    for _ in range(6):
        line = site.line("BBBBBB")
        line.send(**{"as": "join"})
        assert line.closed() == (4404, "")
    line = site.line(of["code"])
    line.send(**{"as": "join"})
    code, reason = line.closed()
    assert code == 4429 and 0 < int(reason) <= 20
    site.teacher(of)  # who has a token need not wait


def test_who_is_in_a_class_opens_it_to_the_school_whose_address_had_to_wait(site: Site) -> None:
    of = site.start()
    site.teacher(of)
    for _ in range(8):
        site.line("BBBBBB").send(**{"as": "join"})
    site.student(of)


@pytest.mark.parametrize(
    "first",
    [
        {}, {"as": None}, {"as": "admin"}, {"as": ["teacher"]}, {"as": "teacher", "token": None, "view": "wall"},
        {"as": "teacher", "token": "t.1.0.6b49d200.AAAAAAAAAAAAAAAAAAAAAA", "view": "wall"},
        {"as": "student", "token": "s.1.0.6b49d200." + "é" * 22}, {"as": "projector", "token": {"a": 1}},
        {"as": "pair", "token": "x", "view": "wall"}, {"as": "student", "token": "x" * 5000},
    ],
)  # fmt: skip
def test_a_first_message_that_opens_nothing_closes_the_socket(site: Site, first: dict[str, Any]) -> None:
    of = site.start()
    wall = site.teacher(of)
    line = site.line(of["code"])
    line.send(**first)
    assert line.closed()[0] in (4400, 4401, 4404)
    wall.send(do="door", open=False)
    while wall.next("state")["door"]:
        pass


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "1" * 40_000, '{"do": NaN}', "[" * 20_000])
def test_what_cannot_be_read_closes_only_its_own_socket(site: Site, text: str) -> None:
    of = site.start()
    wall, student = site.teacher(of), site.student(of)
    student.socket.send(text)
    assert student.closed()[0] == 4400
    wall.send(do="eyes", on=True)
    while not wall.next("state")["eyes"]:
        pass


def test_each_role_hears_that_its_line_is_alive(site: Site) -> None:
    of = site.start()
    door = site.line(of["code"])
    door.send(**{"as": "join"})
    projector = site.line(of["code"])
    projector.send(**{"as": "projector", "token": of["projector"]})
    for line in (site.teacher(of), site.student(of), door, projector):
        line.send(do="here")
        assert line.next("here") == {"is": "here"}


def test_the_longest_plan_is_taken_in_a_class_and_at_its_start(site: Site) -> None:
    step = {"page": "regression", "query": "?" + "a" * 1_999, "experiment": None, "title": "t" * 80, "ask": False}
    of = site.start(plan=[step] * 40)
    wall, student = site.teacher(of), site.student(of)
    assert len(wall.next("state")["plan"]["steps"]) == 40
    wall.send(do="plan", steps=[{**step, "title": "u" * 80}] * 40)
    while wall.next("state")["plan"]["steps"][0]["title"][0] != "u":
        pass
    student.send(do="board", session=None, run=None, page="regression", query="?" + "a" * 9_000, experiment=None)
    assert student.closed()[0] == 4400, "nobody else sends that much"


@pytest.mark.parametrize("parts", [2, 10_000])
def test_of_a_body_no_more_is_read_than_is_allowed(parts: int) -> None:
    given = 0

    async def receive() -> dict[str, Any]:
        nonlocal given
        given += 1
        return {"type": "http.request", "body": b"x" * 400, "more_body": given < parts}

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    found = asyncio.run(sent_body(request, 1_000))
    assert found == (b"x" * 800 if parts == 2 else None) and given <= 3


def test_bytes_are_refused(site: Site) -> None:
    student = site.student(site.start())
    student.socket.send(b"\x00\x01")
    assert student.closed()[0] == 4400


def test_a_flood_of_acts_is_refused_and_a_flood_of_messages_is_cut_off(site: Site) -> None:
    of = site.start()
    wall, student = site.teacher(of), site.student(of)
    for _ in range(20):
        student.send(do="help", on=True)
    assert student.next("refused")["why"] == "fast"
    with contextlib.suppress(ConnectionClosed):
        for _ in range(500):
            student.send(do="here")
    assert student.closed()[0] == 4429
    wall.send(do="eyes", on=True)
    while not wall.next("state")["eyes"]:
        pass


def test_a_browser_that_does_not_read_delays_nobody(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    of = site.start()
    steps = [{"page": "regression", "query": "?" + "a" * 1900, "experiment": None, "title": "x"} for _ in range(5)]
    slow = [site.teacher(of) for _ in range(5)]
    wall, student = site.teacher(of), site.student(of)
    assert slow
    for number in range(40):
        wall.send(do="plan", steps=steps)
        wall.send(do="eyes", on=number % 2 == 0)
        time.sleep(0.06)
    wall.send(do="door", open=False)
    wall.send(do="eyes", on=True)
    while not student.next("state")["eyes"]:
        pass


def test_files_are_for_a_teacher_of_the_class(site: Site) -> None:
    of, other = site.start(), site.start()
    site.teacher(of)
    site.student(of)
    path = f"/class/file?class={of['code']}"
    status, content, headers = site.post(path, {"token": of["token"], "kind": "numbers"})
    assert status == 200 and content.decode().startswith("\ufeffnumber,lesson,step")
    assert headers["content-type"].startswith("text/csv") and headers["cache-control"] == "no-store"
    assert f"class-{of['code']}.csv" in headers["content-disposition"]
    for token in (other["token"], of["projector"], "", None, "t.1.0.0." + "A" * 22):
        assert site.post(path, {"token": token, "kind": "names"})[0] == 403
    assert site.post(path, {"token": of["token"], "kind": "snapshot", "id": 1})[0] == 404
    assert site.post(f"/class/file?class={other['code']}", {"token": of["token"], "kind": "names"})[0] == 403


def test_a_snapshot_is_kept_and_can_be_saved(site: Site) -> None:
    of = site.start()
    wall, student = site.teacher(of), site.student(of)
    wall.send(do="snapshot", seat=1)
    assert wall.next("refused")["why"] == "no run"
    student.send(do="board", session="mine", run="id", page="regression", query="", experiment=None)
    while wall.next("seats")["seats"][0]["run"] is None:
        pass
    wall.send(do="snapshot", seat=1)
    while not (kept := wall.next("state")["snapshots"]):
        pass
    assert kept[0]["page"] == "regression" and kept[0]["query"] == "?x=1" and kept[0]["tile"]
    status, content, _ = site.post(
        f"/class/file?class={of['code']}", {"token": of["token"], "kind": "snapshot", "id": kept[0]["id"]}
    )
    assert (status, content) == (200, b"checkpoint of reader-of-id")


def test_a_class_is_started_only_by_a_page_of_this_site_with_a_code_that_is_free(site: Site) -> None:
    path = "/class/start?class=BCDFGH"
    assert site.post(path, {}, kind="text/plain")[0] == 400, "a page of another site could send this"
    assert site.post("/class/start?class=bcdfgh", {})[0] == 400
    assert site.post("/class/start?class=AEIOUY", {})[0] == 400
    assert site.post("/class/start", {})[0] == 400
    assert site.post(path, {"names": "real"})[0] == 400
    assert site.post(path, {"more": 1})[0] == 400
    assert site.post(path, ["x"])[0] == 400
    assert site.post(path, {"plan": "x" * 100_000})[0] == 400
    assert site.post(path, {})[0] == 201
    status, content, _ = site.post(path, {})
    assert status == 409 and orjson.loads(content)["say"]


def test_no_name_token_or_answer_is_in_a_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    of = site.start(names="own", show_names=True)
    wall, student = site.teacher(of), site.line(of["code"])
    student.send(**{"as": "join"})
    student.next("door")
    student.send(do="join", name="Rumpelstilz")
    token = student.next("seat")["token"]
    wall.send(do="ask", page="classification", experiment="circle-cuts")
    while (vote := student.next("state")["vote"]) is None:
        pass
    student.send(do="answer", vote=vote["id"], **{"in": "open 1"}, answer="3")
    receipt = student.next("receipt")["receipt"]
    student.send(do="answer", vote=vote["id"], **{"in": "open 1"}, answer="Rumpelstilz")
    student.next("refused")
    student.socket.send("Rumpelstilz")
    student.closed()
    wall.send(do="end")
    wall.closed()
    said = [each.getMessage() for each in caplog.records if each.name != "websockets.client"]
    for secret in ("Rumpelstilz", token, of["token"], of["projector"], receipt):
        assert not [each for each in said if secret in each]


def test_a_foreign_page_may_not_open_a_line(site: Site) -> None:
    of = site.start()
    line = site.line(of["code"], Origin="https://evil.example")
    assert line.closed()[0] == 4403


def test_a_server_whose_user_has_no_home_has_classes_that_end_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(sockets, "cache_folder", no_home)
    make: Callable[[], Register] = sockets.register.__wrapped__
    monkeypatch.delenv("PLAYGROUND_SECRET", raising=False)
    assert not make().keys.outlives_process
    monkeypatch.setenv("PLAYGROUND_SECRET", "a secret for this test")
    assert make().keys.outlives_process
