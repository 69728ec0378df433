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

from pages.ui.messages import TEXT
from tests.browser.student import PATIENCE, Board
from tests.conftest import FLAGS, free_port
from tests.matrix.proxies import PROXIES, ROOT_NAME, Ports, standing

PLATFORMS = {"another site": "moodle.example", "the same site": f"moodle.{ROOT_NAME}"}
BLOCKS_COOKIES = "--test-third-party-cookie-phaseout"
COURSE = '<!doctype html><title>A course</title><iframe src="{url}" width="1200" height="840"></iframe>'
SETTINGS = "embed=true&regression_max_steps=0"
ROWS = "x,y\n" + "".join(f"{at},{at * at}\n" for at in range(7))

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not PROXIES["haproxy"].is_there, reason="haproxy is not installed."),
]


@contextmanager
def platform(port: int, url: str, certificate: Path | None) -> Iterator[None]:
    """A learning platform, over https where it has a certificate: every page is a course with this address in a frame.

    A real server: Chromium refuses a frame from the local network in a page that was made up.
    """

    class Course(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(COURSE.format(url=url).encode())

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", port), Course) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


@pytest.fixture(scope="module")
def platforms(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    """Where learning platforms are, which show the app in a frame over the scheme of their own; the app allows all."""
    ports, theirs = Ports(free_port(), free_port()), Ports(free_port(), free_port())
    folder = tmp_path_factory.mktemp("proxy")
    schemes = ("http", "https")
    allowed = ",".join(theirs.origin(name, scheme) for name in PLATFORMS.values() for scheme in schemes)
    with ExitStack() as stack:
        server = stack.enter_context(serve(settings={"PLAYGROUND_EMBED": allowed, "PLAYGROUND_WORKERS": "1"}))
        stack.enter_context(standing("haproxy", server.url.removeprefix("http://"), ports, folder))
        http, https = (f"{ports.url(ROOT_NAME, scheme)}regression?{SETTINGS}" for scheme in schemes)
        stack.enter_context(platform(theirs.http, http, None))
        stack.enter_context(platform(theirs.https, https, folder / "both.pem"))
        yield theirs


@contextmanager
def framed(
    chromium: Callable[..., Any], platforms: Ports, name: str, scheme: str, flags: tuple[str, ...] = ()
) -> Iterator[tuple[Any, Any]]:
    """A course of a platform in a browser with these flags, and the frame in it."""
    rules = "--host-resolver-rules=MAP *.example 127.0.0.1"
    browser = chromium(args=[*FLAGS, rules, "--ignore-certificate-errors", *flags])
    try:
        tab = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        tab.goto(f"{platforms.origin(PLATFORMS[name], scheme)}/course")
        yield tab, tab.frames[-1]
    finally:
        browser.close()


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        pytest.param("another site", (BLOCKS_COOKIES,), marks=pytest.mark.in_ci),
        ("another site", ()),
        ("the same site", ()),
    ],
)
def test_a_framed_page_plays_uploads_saves_and_restores(
    chromium: Callable[..., Any], platforms: Ports, tmp_path: Path, name: str, flags: tuple[str, ...]
) -> None:
    with framed(chromium, platforms, name, "https", flags) as (tab, frame):
        errors: list[str] = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("response", lambda answer: errors.append(answer.url) if answer.status >= 400 else None)
        board = Board(frame).ready()
        board.play()
        board.wait_frames(20)
        board.pause()

        board.own_points()
        field = frame.locator('input[type="file"]').first
        field.wait_for(state="attached", timeout=1000 * PATIENCE)
        assert not frame.get_by_text(TEXT.page.no_cookies).is_visible()
        field.set_input_files({"name": "rows.csv", "mimeType": "text/csv", "buffer": ROWS.encode()})
        frame.get_by_role("button", name="Use these points").click()
        board.until(lambda: len(board.trace("fit", "Train")["x"]) in (5, 6, 7), "the file's points")

        board.more()
        frame.get_by_role("dialog").locator("summary", has_text="Save and restore").click()
        with tab.expect_download() as saving:
            frame.get_by_role("button", name="Checkpoint", exact=True).click()
        saving.value.save_as(tmp_path / "run.safetensors")
        frame.get_by_role("dialog").locator("input[type=file]").set_input_files(str(tmp_path / "run.safetensors"))
        frame.get_by_text("Restored at step").wait_for(timeout=1000 * PATIENCE)
        assert errors == []


def test_a_frame_without_https_plays_and_says_that_no_file_can_be_sent(
    chromium: Callable[..., Any], platforms: Ports
) -> None:
    with framed(chromium, platforms, "another site", "http") as (_, frame):
        board = Board(frame).ready()
        board.play()
        board.wait_frames(20)
        board.own_points()
        frame.get_by_text(TEXT.page.no_cookies).wait_for(timeout=1000 * PATIENCE)
