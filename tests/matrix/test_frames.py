"""The app in a frame of another site's page, such as a learning platform's, over https, in a real Chromium.

All of it runs when it is named (pytest tests/matrix/test_frames.py); every run takes the strictest case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.browser.student import PATIENCE, Board
from tests.conftest import FLAGS, free_port
from tests.matrix.proxies import PROXIES, ROOT_NAME, Ports, standing

PLATFORMS = {"another site": "https://moodle.example", "the same site": f"https://moodle.{ROOT_NAME}"}
BLOCKS_COOKIES = "--test-third-party-cookie-phaseout"
COURSE = (
    '<!doctype html><title>A course</title><iframe src="{url}" width="1200" height="840" title="Regression"></iframe>'
)
ROWS = "x,y\n" + "".join(f"{at},{at * at}\n" for at in range(7))

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not PROXIES["haproxy"].is_there, reason="haproxy is not installed."),
]


@pytest.fixture(scope="module")
def address(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app over https, which these platforms may show in a frame."""
    settings = {"PLAYGROUND_EMBED": ",".join(PLATFORMS.values()), "PLAYGROUND_WORKERS": "1"}
    ports = Ports(free_port(), free_port())
    with serve(settings=settings) as server:
        app = server.url.removeprefix("http://")
        with standing("haproxy", app, ports, tmp_path_factory.mktemp("proxy")):
            yield ports.url(ROOT_NAME, "https")


@pytest.mark.parametrize(
    ("platform", "flags"),
    [
        pytest.param("another site", (BLOCKS_COOKIES,), marks=pytest.mark.in_ci),
        ("another site", ()),
        ("the same site", ()),
    ],
)
def test_a_framed_page_plays_uploads_saves_and_restores(
    chromium: Callable[..., Any], address: str, tmp_path: Path, platform: str, flags: tuple[str, ...]
) -> None:
    rules = "--host-resolver-rules=MAP *.example 127.0.0.1"
    browser = chromium(args=[*FLAGS, rules, "--ignore-certificate-errors", *flags])
    with ExitStack() as stack:
        stack.callback(browser.close)
        tab = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        errors: list[str] = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("response", lambda answer: errors.append(answer.url) if answer.status >= 400 else None)
        course = COURSE.format(url=f"{address}regression?embed=true&regression_max_steps=0")
        tab.route(f"{PLATFORMS[platform]}/**", lambda route: route.fulfill(body=course, content_type="text/html"))
        tab.goto(f"{PLATFORMS[platform]}/course")
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
        part = frame.get_by_role("dialog").locator("details", has_text="Save and restore")
        part.locator("summary").click()
        with tab.expect_download() as saving:
            frame.get_by_role("button", name="Checkpoint", exact=True).click()
        saving.value.save_as(tmp_path / "run.safetensors")
        frame.get_by_role("dialog").locator("input[type=file]").set_input_files(str(tmp_path / "run.safetensors"))
        frame.get_by_text("Restored at step").wait_for(timeout=1000 * PATIENCE)
        assert errors == []
