"""What a student sees when the server forgets a page, or stands behind a proxy that changes the host name."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from tests.browser.student import KEEP_SOCKETS, PATIENCE, Board
from tests.conftest import free_port

Open = Callable[..., Any]


# A page that the server has forgotten.


def test_a_run_that_continues_is_not_ended_by_a_forgotten_page(page: Open) -> None:
    tab = page("/regression?regression_max_steps=0", script=KEEP_SOCKETS).page
    board = Board(tab).ready()
    tab.route("**/session/*", lambda route: route.fulfill(body="gone"))
    board.play()
    board.cut_the_line()
    board.until(lambda: "reload the page" in board.said(), "it says that its settings can't be changed")
    step = board.step
    board.until(lambda: board.step > step, "it plays on")


def test_a_forgotten_lab_that_was_never_drawn_loads_again_at_the_next_click(page: Open) -> None:
    tab = page("/tensors?tensors_lab=broadcasting&tensors_broadcasting_a=no%20shape").page
    tab.locator("[data-refusal]").wait_for(timeout=1000 * PATIENCE)
    tab.evaluate("window.__before = true")
    tab.route("**/session/*", lambda route: route.fulfill(body="gone"))
    tab.locator('[data-board] [data-knob="a"] input').click()
    tab.wait_for_function("() => window.__before === undefined", timeout=1000 * PATIENCE)


# Behind a proxy.

INSIDE = "inside.example:8501"


@contextmanager
def proxy_to(port: int) -> Iterator[int]:
    """A proxy that gives every request another Host and sends it to a port of this machine; yields its own port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept_all, args=(listening, port), daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def accept_all(listening: socket.socket, port: int) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=pass_on, args=(client, port), daemon=True).start()


def pass_on(client: socket.socket, port: int) -> None:
    """One request with its answer, or one websocket."""
    with client, suppress(OSError), socket.create_connection(("127.0.0.1", port)) as server:
        received = b""
        while b"\r\n\r\n" not in received:
            data = client.recv(65_536)
            if not data:
                return
            received += data
        server.sendall(with_other_host(received))
        back = threading.Thread(target=copy, args=(server, client), daemon=True)
        back.start()
        copy(client, server)
        back.join()


def with_other_host(request: bytes) -> bytes:
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"host:")]
    if not any(line.lower().startswith(b"upgrade:") for line in lines):
        lines = [*(line for line in lines if not line.lower().startswith(b"connection:")), b"Connection: close"]
    return b"\r\n".join([lines[0], b"Host: " + INSIDE.encode(), *lines[1:]]) + b"\r\n\r\n" + body


def copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # one side has gone
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def test_a_page_behind_a_proxy_that_changes_the_host_works_whole_where_its_address_is_allowed(
    page: Open, serve: Any
) -> None:
    inside = free_port()
    with proxy_to(inside) as outside:
        address = f"http://127.0.0.1:{outside}"
        with serve(port=inside, settings={"PLAYGROUND_ORIGINS": address}):
            tab = page("/regression?regression_max_steps=0", base=address)
            board = Board(tab.page).ready()
            board.play()
            board.until(lambda: board.step > 10, "the live stream")
            tab.page.get_by_role("button", name="Later experiment").click()
            board.press("Set up and run")
            tab.page.wait_for_url("**regression_try=**", timeout=1000 * PATIENCE)
            board.own_points()
            points = {"name": "points.csv", "mimeType": "text/csv", "buffer": b"x,y\n0,0\n1,1\n2,2\n"}
            with tab.page.expect_response("**/_stcore/upload_file/**") as uploaded:
                tab.page.locator("input[type=file]").set_input_files(points)
            assert uploaded.value.ok
            tab.page.close()


# Where the app lies.


def test_under_a_path_of_its_server_everything_works(page: Open, serve: Any) -> None:
    with serve(settings={"STREAMLIT_SERVER_BASE_URL_PATH": "school/torch"}, base="/school/torch") as server:
        tab = page("/school/torch/regression?regression_max_steps=0", base=server.url)
        answers: list[str] = []
        tab.page.on("response", lambda answer: answers.append(answer.url) if answer.status >= 400 else None)
        board = Board(tab.page).ready()
        board.play()
        board.wait_frames(5)
        board.pause()
        tab.page.get_by_role("link", name="Autograd").first.click()
        tab.page.wait_for_selector("[data-testid=stMain] [data-board] .main-svg", timeout=1000 * PATIENCE)
        assert urlsplit(tab.page.url).path == "/school/torch/autograd"
        assert answers == []
        tab.page.close()  # before its server ends


def test_boards_that_lose_their_line_in_one_moment_come_back_spread_over_a_second(page: Open) -> None:
    tab = page("/regression")
    Board(tab.page).ready()
    waits = tab.page.evaluate(
        """() => {
          const { Stream } = window.__modules["wire/stream.js"];
          const [wait, Socket] = [window.setTimeout, window.WebSocket];
          const waits = [];
          window.setTimeout = (act, ms) => waits.push(ms);
          window.WebSocket = class {};
          const on = { connected() {}, frame() {}, ended() {} };
          const streams = Array.from({ length: 60 }, () => new Stream("live/x", on));
          waits.length = 0;
          for (const { socket } of streams) socket.onclose({ code: 1006 });
          [window.setTimeout, window.WebSocket] = [wait, Socket];
          return waits;
        }"""
    )
    assert len(waits) == 60
    assert max(waits) - min(waits) > 1000 and max(waits) <= 1500
