"""The app behind real proxies, at the root and under a path, over http and https, in a real Chromium.

All of it runs when it is named (pytest tests/matrix/test_proxies.py); every run takes a pair of each kind.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from pages.ui.messages import TEXT
from tests.browser.student import PATIENCE, Board
from tests.conftest import FLAGS, free_port
from tests.matrix.proxies import KEEPS_HOST, NAMES_HOST, PATH_NAME, PROXIES, ROOT_NAME, Ports, standing

CASES = list(product(PROXIES, (ROOT_NAME, PATH_NAME), ("http", "https"), ("kept", "changed")))
IN_CI = {
    ("nginx", PATH_NAME, "https", "kept"),
    ("haproxy", ROOT_NAME, "https", "kept"),
    ("apache", PATH_NAME, "http", "changed"),
    ("nginx", ROOT_NAME, "http", "changed"),
}
ROWS = "x,y\n" + "".join(f"{at},{at * at}\n" for at in range(7))

pytestmark = pytest.mark.timeout(240)


def cases() -> list[Any]:
    """A proxy that keeps the Host by itself has no case with a changed one."""
    return [
        pytest.param(*case, marks=[pytest.mark.in_ci] * (case in IN_CI), id="-".join(case))
        for case in CASES
        if case[3] == "kept" or case[0] in KEEPS_HOST
    ]


@pytest.fixture(scope="session")
def visitor(chromium: Callable[..., Any]) -> Any:
    """A Chromium that finds every name of these tests on this machine, and takes their certificate."""
    rules = "--host-resolver-rules=MAP *.example 127.0.0.1"
    return chromium(args=[*FLAGS, rules, "--ignore-certificate-errors"])


@pytest.mark.parametrize(("kind", "name", "scheme", "host"), cases())
def test_lessons_play_upload_save_restore_and_share(
    visitor: Any, serve: Any, app_url: str, tmp_path: Path, kind: str, name: str, scheme: str, host: str
) -> None:
    if not PROXIES[kind].is_there:
        pytest.skip(f"{PROXIES[kind].program} is not installed.")
    ports = Ports(free_port(), free_port())
    url = ports.url(name, scheme)
    with ExitStack() as stack:
        if host == "changed" and kind not in NAMES_HOST:
            settings = {"PLAYGROUND_ORIGINS": ports.origin(name, scheme)}
            app_url = stack.enter_context(serve(settings=settings)).url
        app = app_url.removeprefix("http://")
        stack.enter_context(standing(kind, app, ports, tmp_path, keeps_host=host == "kept"))
        context = visitor.new_context(viewport={"width": 1280, "height": 900})
        stack.callback(context.close)
        tab, errors = context.new_page(), []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("requestfailed", lambda request: errors.append(request.url))
        tab.on("response", lambda answer: errors.append(answer.url) if answer.status >= 400 else None)

        tab.goto(f"{url}regression?regression_max_steps=0")
        board = Board(tab).ready()
        board.play()
        started, frames = time.monotonic(), board.frames()
        board.wait_frames(20)
        print(f"{(board.frames() - frames) / (time.monotonic() - started):.0f} frames a second")
        board.pause()
        board.own_points()
        field = tab.locator('input[type="file"]').first
        field.wait_for(state="attached", timeout=1000 * PATIENCE)
        field.set_input_files({"name": "rows.csv", "mimeType": "text/csv", "buffer": ROWS.encode()})
        tab.get_by_role("button", name="Use these points").click()
        board.until(lambda: len(board.trace("fit", "Train")["x"]) in (5, 6, 7), "the file's points")
        restores(tab, board, tmp_path / "run.safetensors")
        board.more()
        tab.get_by_role("dialog").locator("summary", has_text="Share a link").click()
        tab.get_by_role("dialog").get_by_text(f"{url}regression?").first.wait_for(timeout=1000 * PATIENCE)

        tab.goto(f"{url}tensors?tensors_lab=broadcasting")
        Board(tab).page.wait_for_selector(
            "[data-testid=stMain] [data-chart] .main-svg, [data-testid=stMain] [data-chart]"
        )
        tab.goto(f"{url}cnn")
        cnn = Board(tab).ready()
        cnn.press("Step")
        cnn.until(lambda: cnn.step == 1, "one step of the CNN")
        tab.goto(url)
        tab.get_by_role("link", name="Autograd").first.click()
        tab.wait_for_selector("[data-testid=stMain] [data-board]", timeout=1000 * PATIENCE)
        assert tab.url.startswith(f"{url}autograd"), "links stay below the path"
        assert errors == []


def restores(tab: Any, board: Board, path: Path) -> None:
    """Save a checkpoint, step on, and restore it."""
    board.more()
    tab.get_by_role("dialog").locator("summary", has_text="Save and restore").click()
    with tab.expect_download() as saving:
        tab.get_by_role("button", name="Checkpoint", exact=True).click()
    saving.value.save_as(path)
    step = board.step
    tab.keyboard.press("Escape")
    board.press("Step")
    board.until(lambda: board.step == step + 1, "a step")
    board.more()
    tab.get_by_role("dialog").locator("input[type=file]").set_input_files(str(path))
    tab.get_by_text(f"Restored at step {step:,}").wait_for(timeout=1000 * PATIENCE)
    tab.keyboard.press("Escape")
    board.until(lambda: board.step == step, "where it was saved")


UPGRADE = "    proxy_set_header Upgrade $http_upgrade;\n"


def blocks_all(text: str) -> str:
    """An nginx that passes on no websocket."""
    assert UPGRADE in text
    return text.replace(UPGRADE, "")


def blocks_ours(text: str) -> str:
    """An nginx that passes on Streamlit's websocket alone."""
    own = "        location /live/ {\n            return 404;\n        }\n"
    return text.replace("        location / {", f"{own}        location / {{")


def blocks_streamlits(text: str) -> str:
    """An nginx that passes on our websockets alone."""
    streamlits = "        location /_stcore/stream {\n            return 404;\n        }\n"
    return text.replace("        location / {", f"{streamlits}        location / {{")


def keeps_streamlits(text: str) -> str:
    """An nginx that sends Streamlit's websocket where nobody answers."""
    nobody = nobodys_port()
    way = f"        location /_stcore/stream {{\n            proxy_pass http://127.0.0.1:{nobody};\n        }}\n"
    return text.replace("        location / {", f"{way}        location / {{")


def nobodys_port() -> int:
    """A port that nothing is read from, as long as the tests run."""
    SILENT.append(socket.create_server(("127.0.0.1", 0)))
    port: int = SILENT[-1].getsockname()[1]
    return port


def answers_itself(text: str) -> str:
    """An nginx that answers a websocket's request with a page of its own."""
    return text.replace(
        "        location / {", "        location / {\n            if ($http_upgrade) { return 200 ok; }"
    )


def keeps_silent(text: str) -> str:
    """An nginx that sends websockets where nobody answers: to a port that nothing is read from."""
    way = f"if ($http_upgrade) {{ proxy_pass http://127.0.0.1:{nobodys_port()}; }}"
    return text.replace("        location / {", f"        location / {{\n            {way}")


SILENT: list[socket.socket] = []  # as long as the tests run
BLOCKS = [
    pytest.param(change, marks=[pytest.mark.in_ci] * in_ci)
    for change, in_ci in (
        (blocks_all, True),
        (blocks_ours, True),
        (blocks_streamlits, True),
        (answers_itself, False),
        (keeps_silent, True),
        (keeps_streamlits, False),
    )
]
SENTENCES = {blocks_streamlits: TEXT.page.streamlit_blocked}
# As if the page were always young: what is told only after a long time is never told.
YOUNG = "(() => { const now = performance.now.bind(performance); performance.now = () => now() - 1e6; })()"


@pytest.mark.parametrize("change", BLOCKS)
def test_blocked_websockets_are_told_with_what_to_set(
    visitor: Any, app_url: str, tmp_path: Path, change: Callable[[str], str]
) -> None:
    if not PROXIES["nginx"].is_there:
        pytest.skip("nginx is not installed.")
    ports = Ports(free_port(), free_port())
    with ExitStack() as stack:
        stack.enter_context(standing("nginx", app_url.removeprefix("http://"), ports, tmp_path, change=change))
        context = visitor.new_context(viewport={"width": 390, "height": 844})
        stack.callback(context.close)
        tab = context.new_page()
        tab.add_init_script(YOUNG)
        tab.goto(f"{ports.url(ROOT_NAME, 'http')}regression")
        if change is not blocks_ours:
            sentence = SENTENCES.get(change, TEXT.page.blocked)
            tab.get_by_role("alert").filter(has_text=sentence).wait_for(timeout=1000 * PATIENCE)
            print(f"told {tab.evaluate('performance.now()') / 1e3 + 1e3:.1f} s after the page's start")
        else:
            tab.get_by_text(TEXT.page.blocked).first.wait_for(timeout=1000 * PATIENCE)
            assert tab.locator(".blocked").count() == 0, "the page itself is connected"


@pytest.mark.in_ci
def test_a_page_at_an_address_that_is_not_known_says_what_to_set(visitor: Any, app_url: str, tmp_path: Path) -> None:
    if not PROXIES["nginx"].is_there:
        pytest.skip("nginx is not installed.")
    ports = Ports(free_port(), free_port())
    app = app_url.removeprefix("http://")
    with standing("nginx", app, ports, tmp_path, keeps_host=False):
        context = visitor.new_context(viewport={"width": 1280, "height": 900})
        tab = context.new_page()
        tab.goto(f"{ports.url(ROOT_NAME, 'http')}regression")
        known = f"PLAYGROUND_ORIGINS={ports.origin(ROOT_NAME, 'http')}"
        tab.get_by_role("alert").filter(has_text=known).wait_for(timeout=1000 * PATIENCE)
        context.close()
