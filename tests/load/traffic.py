"""How many bytes a student needs, for docs/scaling.md: for the first visit, for a later one, and for each minute.

    python -m tests.load.traffic

Counted is what Chromium's network log says of files (as they were sent, with headers) and of messages on sockets. A
page is opened with nothing kept from before, then again in the same browser, in which files are kept; then it plays.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.student import PATIENCE, Board
from tests.conftest import FLAGS, Server, run_server
from tests.load.machine import LENGTH

PAGES = ("", "regression", "classification", "optimizers", "cnn", "tensors")
PLAYED = ("regression", "classification", "optimizers", "cnn")
SECONDS = 20.0 * LENGTH
QUIET_SECONDS = 3.0  # after the board is there: what comes late has come
ENDLESS = "?{page}_max_steps=0"
MAX_SMALL_HEADER = 125  # bytes of a message whose length needs no field of its own


@dataclass
class Bytes:
    """What has come and gone so far, in bytes; messages are those of sockets."""

    files: int = 0
    received: int = 0
    messages: int = 0
    sent: int = 0

    @property
    def down(self) -> int:
        return self.files + self.received


def count(page: Page) -> Bytes:
    """Count what the page loads, from now on."""
    found, log = Bytes(), page.context.new_cdp_session(page)
    log.send("Network.enable")

    def note_file(event: dict[str, Any]) -> None:
        found.files += int(event["encodedDataLength"])

    def note_received(event: dict[str, Any]) -> None:
        found.received += size(event["response"])
        found.messages += 1

    def note_sent(event: dict[str, Any]) -> None:
        found.sent += size(event["response"]) + 4  # the mask

    log.on("Network.loadingFinished", note_file)
    log.on("Network.webSocketFrameReceived", note_received)
    log.on("Network.webSocketFrameSent", note_sent)
    return found


def size(message: dict[str, Any]) -> int:
    """The bytes of a socket's message, with its header; data that is no text comes in base64."""
    text = message["payloadData"]
    payload = len(text.encode()) if message["opcode"] == 1 else len(text) * 3 // 4
    return payload + (2 if payload <= MAX_SMALL_HEADER else 4)


def wait_until_shown(page: Page, name: str) -> None:
    """Until the page is there and what comes late has come."""
    if name:
        page.wait_for_selector("[data-testid=stMain] [data-chart] .main-svg", timeout=1000 * PATIENCE)
    else:
        page.wait_for_selector("[data-testid=stMain] [data-mark]", state="attached", timeout=1000 * PATIENCE)
    page.wait_for_timeout(1000 * QUIET_SECONDS)


def visit(context: BrowserContext, url: str, name: str) -> Bytes:
    """What it takes to open a page in a new tab."""
    page = context.new_page()
    found = count(page)
    page.goto(f"{url}/{name}")
    wait_until_shown(page, name)
    page.close()
    return found


@dataclass
class Played:
    """A lesson that plays in full sight, for one minute."""

    frames: float  # a second
    down: float  # kB
    up: float
    paused: float  # kB, in a minute without a key pressed


def play(browser: Browser, url: str, name: str) -> Played:
    """Watch a lesson at full speed, then at rest."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    found = count(page)
    page.goto(f"{url}/{name}{ENDLESS.format(page=name)}")
    board = Board(page).ready()
    board.play()
    page.wait_for_timeout(1000 * QUIET_SECONDS)
    before, frames = replace(found), board.frames()
    page.wait_for_timeout(1000 * SECONDS)
    after, frames = replace(found), board.frames() - frames
    board.pause()
    page.wait_for_timeout(1000 * QUIET_SECONDS)
    rest = found.down
    page.wait_for_timeout(1000 * SECONDS)
    minutes = SECONDS / 60
    played = Played(frames / SECONDS, (after.down - before.down) / minutes / 1e3,
                    (after.sent - before.sent) / minutes / 1e3, (found.down - rest) / minutes / 1e3)  # fmt: skip
    context.close()
    return played


def visits(browser: Browser, url: str, name: str) -> tuple[Bytes, Bytes]:
    """The first visit of a new browser, and the second."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    first, again = visit(context, url, name), visit(context, url, name)
    context.close()
    return first, again


def report(browser: Browser, server: Server) -> None:
    """Print both tables as docs/scaling.md has them."""
    browser.new_context().new_page().goto(f"{server.url}/regression")  # a server's first visit is like no other
    print("| page | first visit, MB | later visit, files kept, kB |\n|---|---|---|")
    for name in PAGES:
        first, again = visits(browser, server.url, name)
        print(line([name or "home", f"{first.down / 1e6:.2f}", f"{again.down / 1e3:.0f}"]))
    print("\n| plays | frames a second | received, kB a minute | sent | at rest, kB a minute |\n|---|---|---|---|---|")
    for name in PLAYED:
        played = play(browser, server.url, name)
        print(line([name, f"{played.frames:.0f}",
                    *(f"{each:,.0f}" for each in (played.down, played.up, played.paused))]))  # fmt: skip


def line(cells: Sequence[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    chromium = shutil.which("chromium") or sys.exit("Chromium is not installed: apt-get install chromium")
    with run_server() as server, sync_playwright() as playwright:
        report(playwright.chromium.launch(executable_path=chromium, args=list(FLAGS)), server)
