"""Boards that only read, over real sockets: who may, what they are sent, and that one drawing serves them all."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from pages.ui import session as session_module
from pages.ui.board import LabText
from pages.ui.classroom import boards
from pages.ui.routes.classroom import readers
from playground.engine.engine import Engine
from playground.engine.frames import encode
from playground.lessons import LESSONS
from playground.settings import Settings
from tests.unit.ui.test_live import ANSWERS_WITHIN_SECONDS, CountingRun

CODE, TOKEN = "BCDFGH", "token of one who may"


class Pool(Engine):
    """An engine with what a pool knows of its runs."""

    def __init__(self) -> None:
        super().__init__(Settings(workers=1, runs_per_session=100))
        lesson: Any = LESSONS["regression"]
        self.config, self.attached, self.sessions = lesson.config(), 0, dict[str, str]()

    def session_of(self, run_id: str) -> str | None:
        return self.sessions.get(run_id)

    def bench_of(self, run_id: str) -> str | None:
        return "regression" if self.has(run_id) else None

    def config_of(self, run_id: str) -> Any:
        return self.config if self.has(run_id) else None

    def last_ask(self, run_id: str) -> tuple[tuple[str, ...], dict[str, bool]]:
        return ("count",), {}

    def attach(self, run_id: str, viewer: Any, *, reads: bool = False) -> None:
        self.attached += reads
        super().attach(run_id, viewer, reads=reads)


class Controls:
    """The viewer whose run it is: it asks again at once."""

    def __init__(self, pool: Pool, run_id: str) -> None:
        self.pool, self.run_id = pool, run_id
        pool.attach(run_id, self)
        self.deliver(b"")

    def deliver(self, frame: bytes) -> None:
        if self.pool.has(self.run_id):
            self.pool.ask(self.run_id, self, ("count",), {})

    def dismiss(self, code: int, reason: str) -> None: ...


class Browser:
    """The side of one browser that reads."""

    def __init__(self, socket: ClientConnection, token: str = TOKEN) -> None:
        self.socket = socket
        self.board: dict[str, Any] = {}
        self.send({"class": CODE, "token": token})

    def send(self, message: Any) -> None:
        self.socket.send(orjson.dumps(message).decode())

    def frame(self) -> dict[str, Any]:
        """The head of the next frame, which it has painted then."""
        while True:
            received = self.socket.recv(ANSWERS_WITHIN_SECONDS)
            if isinstance(received, bytes):
                self.send({"ask": []})
                head: dict[str, Any] = orjson.loads(received[4 : 4 + int.from_bytes(received[:4], "little")])
                return head
            self.board = orjson.loads(received)

    def closed(self) -> int:
        end = time.monotonic() + ANSWERS_WITHIN_SECONDS
        try:
            while time.monotonic() < end:
                self.socket.recv(ANSWERS_WITHIN_SECONDS)
                self.send({"ask": []})
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            return closed.rcvd.code
        pytest.fail("The server did not close the socket.")


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    made = Pool()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def may() -> set[str]:
    """The tokens that may read."""
    return {TOKEN}


@pytest.fixture(scope="module")
def host(pool: Pool, serve_app: Callable[[Starlette], str]) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (boards, readers):
            patch.setattr(module, "pool", lambda: pool)
        yield serve_app(Starlette(routes=readers.ROUTES))


@pytest.fixture
def run_id(pool: Pool) -> Iterator[str]:
    made = pool.open("session", CountingRun, "config")
    pool.sessions[made] = "session"
    yield made
    pool.close(made)


@pytest.fixture
def name(run_id: str, host: str) -> str:
    found = boards.BOARDS.shown("session", run_id)
    assert found is not None
    return found


@pytest.fixture
def read(host: str, may: set[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Browser]]:
    monkeypatch.setattr(readers, "_may_read", lambda code, token, name: code == CODE and token in may)
    with contextlib.ExitStack() as sockets:

        def open_one(name: str, token: str = TOKEN) -> Browser:
            line = connect(f"ws://{host}/class/board/{name}?class={CODE}", max_size=None, proxy=None, close_timeout=1)
            return Browser(sockets.enter_context(line), token)

        yield open_one


Read = Callable[..., Browser]


def step_of(frames: Mapping[str, Any]) -> int:
    return int(frames.get("status", {}).get("step", 0))


def test_a_reader_is_sent_the_board_and_a_whole_frame_and_follows_the_run(
    pool: Pool, run_id: str, name: str, read: Read
) -> None:
    Controls(pool, run_id)
    pool.command(run_id, {"do": "play"})
    browser = read(name)
    first = browser.frame()
    assert browser.board["is"] == "board" and browser.board["bench"] == browser.board["page"] == "regression"
    assert browser.board["data"]["charts"] and all(knob["locked"] for knob in browser.board["data"]["knobs"])
    assert "figure" in first["charts"]["count"]
    steps = [step_of(browser.frame()) for _ in range(5)]
    assert steps[-1] > steps[0]
    pool.close(run_id)
    assert browser.closed() == 4404


def test_thirty_readers_share_one_stream(pool: Pool, run_id: str, name: str, read: Read) -> None:
    Controls(pool, run_id)
    pool.command(run_id, {"do": "play"})
    before = pool.attached
    browsers = [read(name) for _ in range(12)]
    for _ in range(3):
        for browser in browsers:
            browser.frame()
    assert pool.attached - before <= 6, "one stream for all who come within a moment"


def test_one_token_reads_so_many_boards(
    name: str, read: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "MAX_BOARDS", 2)
    first = [read(name) for _ in range(2)]
    for each in first:
        each.frame()
    assert read(name).closed() == 4429
    first[0].socket.close()
    while readers._broadcasts and sum(len(each.readers) for each in list(readers._broadcasts.values())) > 1:
        time.sleep(0.01)
    read(name).frame()


def test_a_run_is_not_read_with_its_id_nor_with_an_unknown_name(run_id: str, read: Read) -> None:
    assert read(run_id).closed() == 4404
    assert read("no-such-run").closed() == 4404


def test_only_who_may_reads_and_no_longer_than_that(pool: Pool, name: str, may: set[str], read: Read) -> None:
    assert read(name, "somebody else").closed() == 4403
    browser = read(name)
    browser.frame()
    may.clear()
    readers.check_again(SimpleNamespace(code=CODE))  # as a listener of the class
    assert browser.closed() == 4403


def test_a_name_is_given_only_to_the_session_whose_run_it_is(pool: Pool, run_id: str, name: str) -> None:
    assert boards.BOARDS.shown("session", run_id) == name, "always the same"
    for session, run in (("another", run_id), ("session", "no run"), (None, run_id), ("session", None), (3, [])):
        assert boards.BOARDS.shown(session, run) is None
    assert name != run_id and run_id not in name


@pytest.mark.parametrize("first", ["", "[]", "nonsense", '{"class": 3, "token": []}', "null", '{"token": "x"}'])
def test_what_is_no_introduction_closes_the_socket(host: str, first: str) -> None:
    with connect(f"ws://{host}/class/board/x", proxy=None, close_timeout=1) as line:
        line.send(first)
        with pytest.raises(ConnectionClosed) as closed:
            line.recv(ANSWERS_WITHIN_SECONDS)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4400


def test_who_sends_without_end_is_cut_off_and_the_others_read_on(
    pool: Pool, run_id: str, name: str, read: Read
) -> None:
    Controls(pool, run_id)
    pool.command(run_id, {"do": "play"})
    flood, other = read(name), read(name)
    with contextlib.suppress(ConnectionClosed):
        for _ in range(20 * int(readers.MAX_MESSAGES_PER_SECOND)):
            flood.send({"ask": []})
    assert flood.closed() == 4429
    steps = [step_of(other.frame()) for _ in range(10)]
    assert max(steps) > 0


def test_a_reader_that_reads_nothing_holds_nobody_up(pool: Pool, run_id: str, name: str, read: Read) -> None:
    Controls(pool, run_id)
    pool.command(run_id, {"do": "play"})
    read(name)  # and takes nothing
    other = read(name)
    steps = [step_of(other.frame()) for _ in range(40)]
    assert max(steps) > 0


class Line:
    """A socket that is closed to nobody: what a reader is given is kept in its queue."""

    def __init__(self) -> None:
        self.now, self.later = 100.0, list[tuple[float, Callable[[], None]]]()

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, function: Callable[[], None]) -> SimpleNamespace:
        entry = (self.now + seconds, function)
        self.later.append(entry)
        return SimpleNamespace(cancel=lambda: self.later.remove(entry) if entry in self.later else None)

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        for entry in sorted([each for each in self.later if each[0] <= self.now], key=lambda each: each[0]):
            if entry in self.later:
                self.later.remove(entry)
                entry[1]()


class Room:
    """A broadcast whose worker is this test: how many whole frames were asked for, and what each reader was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.line, self.wholes, self.asks = Line(), 0, 0
        self.config = 1
        monkeypatch.setattr(readers.asyncio, "get_running_loop", lambda: self.line)
        monkeypatch.setattr(readers, "pool", lambda: self)
        monkeypatch.setattr(readers, "board_of", lambda run_id: f"board {self.config}")
        self.broadcast = readers.Broadcast("run")

    def config_of(self, run_id: str) -> int:
        return self.config

    def bench_of(self, run_id: str) -> None: ...

    def last_ask(self, run_id: str) -> tuple[tuple[str, ...], dict[str, bool]]:
        return (), {}

    def attach(self, run_id: str, feed: Any, *, reads: bool) -> None:
        self.wholes += 1

    def detach(self, run_id: str, feed: Any) -> None: ...

    def ask(self, *_: Any) -> None:
        self.asks += 1

    def join(self) -> readers.Reader:
        reader = readers.Reader(CODE, TOKEN, "name")
        self.broadcast.add(reader)
        return reader

    def frame(self, seconds: float, paint: list[readers.Reader]) -> None:
        """Some time passes, a frame comes, and these readers paint it."""
        self.line.pass_by(seconds)
        feed = self.broadcast._next or self.broadcast._feed
        assert feed is not None
        self.broadcast.take(feed, b"frame")
        for reader in paint:
            reader._waiting.clear()
            self.broadcast.painted(reader)


def test_a_reader_that_does_not_keep_up_makes_the_others_take_a_whole_frame_only_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = Room(monkeypatch)
    quick, slow = room.join(), room.join()
    for number in range(200):  # 20 seconds
        room.frame(0.1, [quick, *([slow] if number % 15 == 14 else [])])  # the slow one paints each 1.5 s
    assert 5 <= room.wholes <= 12
    assert quick in room.broadcast._readers and not quick.is_late


def test_a_reader_on_a_long_line_that_paints_all_it_gets_keeps_up(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    quick, far = room.join(), room.join()
    for number in range(200):
        far._waiting.clear()  # it was sent, and is on its way
        room.frame(1 / 30, [quick, *([far] if number % 10 == 9 else [])])  # the answer comes a third of a second later
    assert not far.is_late and room.wholes <= 2


def test_what_waits_for_a_reader_that_reads_nothing_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    quick, stalled = room.join(), room.join()
    for _ in range(500):
        room.frame(0.1, [quick])
        assert len(stalled._waiting) <= readers.MAX_BEHIND
    assert room.wholes <= 3, "nothing is made for one that paints nothing"


def test_a_reader_whose_board_changed_while_it_did_not_keep_up_gets_the_new_board_with_the_whole_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = Room(monkeypatch)
    quick, slow = room.join(), room.join()
    room.frame(0.3, [quick, slow])
    for _ in range(readers.MAX_BEHIND - 1):
        room.frame(0.01, [quick])
    room.config = 2
    room.frame(0.01, [quick])
    assert slow not in room.broadcast._readers and not slow._waiting
    room.broadcast.painted(slow)
    room.frame(3.0, [quick])
    assert list(slow._waiting) == ["board 2", b"frame"]


def test_thirty_readers_are_asked_for_ten_times_a_second_although_each_question_is_a_little_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = Room(monkeypatch)
    all_of_them = [room.join() for _ in range(readers.MANY_READERS)]
    room.frame(0.3, all_of_them)
    room.asks = 0
    for _ in range(1_000):  # 30 seconds in steps of 30 ms, between which nothing is done
        room.line.pass_by(0.03)
        if room.broadcast._is_asked:
            room.frame(0.0, all_of_them)
    assert 29.0 <= room.asks / 10 <= 30.5


# Still labs: there is no run, and what is read is the picture that the page was sent.


@pytest.fixture
def shows(host: str) -> Iterator[Callable[[str | None], str | None]]:
    """Have a page show a still lab with this line of code, or none; its name."""
    made = session_module.Session()
    session_module._sessions[made.name] = made
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boards, "session", lambda: made)

        def show(line: str | None) -> str | None:
            lab: Any = next(each for each in LESSONS["tensors"].benches if getattr(each, "draw", None))
            frame = encode({"charts": {}, "number": 1})
            text = LabText(line=line or "")
            still = session_module.Still(lab.name, lab.config(), text, frame, tables=f"<table>{line}</table>")
            boards.BOARDS.shows_still(None if line is None else still)
            return boards.BOARDS.shown(made.name, None)

        yield show


def test_a_still_lab_is_read_as_its_page_shows_it(shows: Callable[[str | None], str | None], read: Read) -> None:
    name = shows("a + b")
    assert name is not None
    browser = read(name)
    assert browser.frame() == {"charts": {}, "number": 1}
    assert browser.board["page"] == "tensors" and browser.board["data"]["lab"]["line"] == "a + b"
    assert browser.board["data"]["sheet"] == {"note": "", "tables": "<table>a + b</table>"}, "what is below the board"
    assert browser.board["data"]["rail"] is None and all(knob["locked"] for knob in browser.board["data"]["knobs"])
    assert shows("a * b") == name, "the same board"
    browser.frame()
    assert browser.board["data"]["lab"]["line"] == "a * b"
    assert shows(None) is None
    assert browser.closed() == 4404


def test_only_who_may_reads_a_still_lab(shows: Callable[[str | None], str | None], may: set[str], read: Read) -> None:
    name = shows("a")
    assert name is not None and read(name, "somebody else").closed() == 4403
    browser = read(name)
    browser.frame()
    may.clear()
    readers.check_again(SimpleNamespace(code=CODE))
    shows("not for them")
    assert browser.closed() == 4403 and "not for them" not in str(browser.board)


def test_many_pictures_of_a_still_lab_are_read_as_a_few_and_the_last_is_among_them(
    shows: Callable[[str | None], str | None], read: Read
) -> None:
    name = shows("0")
    assert name is not None
    browser = read(name)
    browser.frame()
    for number in range(50):
        shows(str(number))
    frames = 0
    while browser.board["data"]["lab"]["line"] != "49":
        browser.frame()
        frames += 1
    assert frames < 10
