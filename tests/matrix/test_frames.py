"""The app in a frame of another site's page, such as a learning platform's, over https, in a real Chromium.

All of it runs when it is named (pytest tests/matrix/test_frames.py); every run takes the strictest case.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.browser.student import PATIENCE, Board
from tests.conftest import FLAGS, free_port
from tests.matrix.proxies import PROXIES, ROOT_NAME, Ports, standing

PLATFORMS = {"another site": "moodle.example", "the same site": f"moodle.{ROOT_NAME}"}
BLOCKS_COOKIES = "--test-third-party-cookie-phaseout"
COURSE = '<!doctype html><title>A course</title><iframe src="{url}" width="1200" height="840"></iframe>'
ROWS = "x,y\n" + "".join(f"{at},{at * at}\n" for at in range(7))

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not PROXIES["haproxy"].is_there, reason="haproxy is not installed."),
]


@contextmanager
def platform(port: int, url: str, certificate: Path) -> Iterator[None]:
    """A learning platform over https: every page of it is a course with this address in a frame.

    A real server: Chromium refuses a frame from the local network in a page that was made up.
    """

    class Course(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(COURSE.format(url=url).encode())

        def log_message(self, *_: object) -> None: ...

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HTTPServer(("127.0.0.1", port), Course) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


@pytest.fixture(scope="module")
def course_port(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of the platforms, which show the app in a frame; the app allows both."""
    port, ports, folder = free_port(), Ports(free_port(), free_port()), tmp_path_factory.mktemp("proxy")
    allowed = ",".join(f"https://{name}:{port}" for name in PLATFORMS.values())
    with ExitStack() as stack:
        server = stack.enter_context(serve(settings={"PLAYGROUND_EMBED": allowed, "PLAYGROUND_WORKERS": "1"}))
        stack.enter_context(standing("haproxy", server.url.removeprefix("http://"), ports, folder))
        url = f"{ports.url(ROOT_NAME, 'https')}regression?embed=true&regression_max_steps=0"
        stack.enter_context(platform(port, url, folder / "both.pem"))
        yield port


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        pytest.param("another site", (BLOCKS_COOKIES,), marks=pytest.mark.in_ci),
        ("another site", ()),
        ("the same site", ()),
    ],
)
def test_a_framed_page_plays_uploads_saves_and_restores(
    chromium: Callable[..., Any], course_port: int, tmp_path: Path, name: str, flags: tuple[str, ...]
) -> None:
    rules = "--host-resolver-rules=MAP *.example 127.0.0.1"
    browser = chromium(args=[*FLAGS, rules, "--ignore-certificate-errors", *flags])
    with ExitStack() as stack:
        stack.callback(browser.close)
        tab = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        errors: list[str] = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("response", lambda answer: errors.append(answer.url) if answer.status >= 400 else None)
        tab.goto(f"https://{PLATFORMS[name]}:{course_port}/course")
        frame = tab.frames[-1]
        board = Board(frame).ready()
        board.play()
        board.wait_frames(20)
        board.pause()

        board.own_points()
        field = frame.locator('input[type="file"]').first
        field.wait_for(state="attached", timeout=1000 * PATIENCE)
        field.set_input_files({"name": "rows.csv", "mimeType": "text/csv", "buffer": ROWS.encode()})
        frame.get_by_role("button", name="Use these points").click()
        board.until(lambda: len(board.trace("fit", "Train")["x"]) in (5, 6, 7), "the file's points")

        board.take(3)
        board.until(lambda: board.step == 3, "three steps")
        board.more()
        frame.get_by_role("dialog").locator("summary", has_text="Save and restore").click()
        with tab.expect_download() as saving:
            frame.get_by_role("button", name="Checkpoint", exact=True).click()
        saving.value.save_as(tmp_path / "run.safetensors")
        frame.get_by_role("dialog").locator("input[type=file]").set_input_files(str(tmp_path / "run.safetensors"))
        frame.get_by_text("Restored at step").wait_for(timeout=1000 * PATIENCE)
        assert errors == []
