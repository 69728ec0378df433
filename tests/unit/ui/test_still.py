"""The sockets of still boards, over real ones: each gets its own pictures, and what goes wrong stays its own affair."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import cast

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from pages.ui.routes import still as ahead
from pages.ui.routes.origins import OwnOrigins

PATIENCE = 10.0  # seconds
Listen = Callable[..., ClientConnection]


@pytest.fixture(scope="module")
def host(serve_app: Callable[[Starlette], str]) -> str:
    return serve_app(Starlette(routes=ahead.ROUTES, middleware=[Middleware(OwnOrigins)]))


@pytest.fixture
def listen(host: str) -> Iterator[Listen]:
    """Open a board's socket."""
    with ExitStack() as opened:
        yield lambda board_id, **more: opened.enter_context(connect(f"ws://{host}/still/{board_id}", **more))


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_board_gets_its_own_pictures_in_order(listen: Listen) -> None:
    mine, other = listen("mine"), listen("other")
    until(lambda: {"mine", "other"} <= ahead._listeners.keys())
    for number in range(3):
        ahead.send("mine", bytes([number]))
    ahead.send("other", b"theirs")
    assert [mine.recv(PATIENCE) for _ in range(3)] == [b"\0", b"\1", b"\2"]
    assert other.recv(PATIENCE) == b"theirs"


def test_a_picture_for_a_board_that_does_not_listen_is_let_go() -> None:
    ahead.send("nobody", b"picture")
    assert "nobody" not in ahead._listeners


def test_a_board_that_has_gone_is_forgotten_and_may_come_again(listen: Listen) -> None:
    listen("mine").close()
    until(lambda: "mine" not in ahead._listeners)
    ahead.send("mine", b"lost")
    again = listen("mine")
    until(lambda: "mine" in ahead._listeners)
    ahead.send("mine", b"kept")
    assert again.recv(PATIENCE) == b"kept"


def test_a_socket_that_comes_again_takes_the_place_of_the_one_before(listen: Listen) -> None:
    before = listen("mine")
    until(lambda: "mine" in ahead._listeners)
    first = ahead._listeners["mine"]
    after = listen("mine")
    until(lambda: ahead._listeners.get("mine") is not first)
    before.close()
    time.sleep(0.1)
    ahead.send("mine", b"picture")
    assert after.recv(PATIENCE) == b"picture"


def test_a_board_that_does_not_read_gets_no_more_pictures_than_its_line_holds() -> None:
    sent: list[bytes] = []

    class Full:
        async def send_bytes(self, frame: bytes) -> None:
            sent.append(frame)
            await may_go_on.wait()

    async def send_three() -> None:
        listener = ahead.Listener(cast(WebSocket, Full()))
        for number in range(3):
            await asyncio.to_thread(listener.send, bytes([number]))
        may_go_on.set()
        await asyncio.sleep(0.05)
        await asyncio.to_thread(listener.send, b"again")

    may_go_on = asyncio.Event()
    asyncio.run(send_three())
    assert sent == [b"\0", b"again"]


@pytest.mark.parametrize("message", ["hello", b"\0" * 10, "[]", '{"ask": []}', '{"do": "play"}', "{" * 9_000])
def test_a_board_that_says_anything_but_an_answer_is_closed(listen: Listen, message: str | bytes) -> None:
    socket = listen("mine")
    socket.send(message)
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(PATIENCE)
    assert closed.value.rcvd is not None and closed.value.rcvd.code in (4400, 4413)
    until(lambda: "mine" not in ahead._listeners)


def test_an_answer_to_no_question_brings_no_picture_and_many_close_the_socket(listen: Listen) -> None:
    socket = listen("mine")
    socket.send('{"do": "answer", "id": "saddle", "answer": "pass"}')
    assert socket.recv(PATIENCE) == ahead.NO_PICTURE
    with pytest.raises(ConnectionClosed) as closed:
        for _ in range(9):
            socket.send('{"do": "answer"}')
            socket.recv(PATIENCE)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4429


def test_a_foreign_page_is_refused(listen: Listen) -> None:
    socket = listen("mine", origin="https://evil.example")
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(PATIENCE)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4403
    assert "mine" not in ahead._listeners
