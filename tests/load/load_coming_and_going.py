"""Visitors who come and go for an hour: afterwards the server holds as much memory and as many files as before.

    pytest -s tests/load/load_coming_and_going.py                    # eight minutes
    VISITS_MINUTES=60 pytest -s tests/load/load_coming_and_going.py  # an hour of visits

Each visitor opens a page as a browser does (Streamlit's socket and the board's own), plays or turns a setting, may
upload a file, and leaves. Sessions and runs end soon here, so that the end of a lesson need not be waited for.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

from pages.ui.housekeeping import EVERY_SECONDS
from tests.conftest import Serve
from tests.load.machine import family, family_megabytes
from tests.load.room import asked_by, due, question
from tests.load.tabs import BRIEF_SESSIONS, KEPT_SECONDS, PATIENCE_SECONDS, Tab, open_tab

MINUTES = float(os.environ.get("VISITS_MINUTES", "4"))
VISITORS = 5  # at a time
STAYS_SECONDS = 1.0  # after the page is there
WARM_UP_SECONDS = 60.0
GONE_SECONDS = KEPT_SECONDS + 2.5 * EVERY_SECONDS  # after the last has left
MAX_TIMES = 1.1  # what it was after the warm-up
UPLOAD = b"x,y\n" + b"".join(b"%d,%d\n" % (number, number) for number in range(20_000))
PLAYED = ("regression", "classification", "optimizers", "cnn", "learning_rates")
STILL = ("tensors", "activations", "convolution", "gradient_descent", "autograd", "")


@dataclass(frozen=True)
class Usage:
    """What a server holds: memory of all its processes (shared pages once), files and threads of the web process."""

    megabytes: float
    files: int
    threads: int
    processes: int

    @classmethod
    def of(cls, process: psutil.Process) -> Usage:
        everybody = len(family(process.pid))
        return cls(family_megabytes(process.pid), process.num_fds(), process.num_threads(), everybody)

    def __str__(self) -> str:
        return (f"{self.megabytes:6.0f} MB in {self.processes} processes, {self.files:3d} open files and "
                f"{self.threads:3d} threads of the web process")  # fmt: skip


async def visit(url: str, lesson: str, chance: random.Random) -> None:
    """Open the page in a tab, do what students do for a moment, and leave."""
    async with open_tab(url) as tab:
        await tab.rerun(lesson)
        if tab.run_id:
            async with tab.board_socket() as board:
                await play(tab, board)
                await tab.rerun(lesson, f"{lesson}_seed={chance.randrange(1, 9)}")
        elif tab.board.get("board"):
            async with tab.still_socket():
                await tab.rerun(lesson)
                await asyncio.sleep(STAYS_SECONDS)
        if lesson == "regression":
            await upload(tab)


async def play(tab: Tab, board: Any) -> None:
    """Play and ask for frames, as a board does."""
    await board.send('{"do": "play"}')
    end = time.monotonic() + STAYS_SECONDS
    asked, frame = asked_by(tab.board["charts"]), 0
    async with asyncio.timeout(PATIENCE_SECONDS):
        while time.monotonic() < end:
            await board.send(question(due(asked, frame)))
            await board.recv()
            frame += 1


async def upload(tab: Tab) -> None:
    """Send a file, as “Your own points” does; the server keeps it as long as the session."""
    host = tab.url.removeprefix("http://")
    path = f"/_stcore/upload_file/{tab.session}/{uuid.uuid4()}"
    status, headers = await request(host, "GET", "/_stcore/health", {})
    cookie = next(value for name, value in headers if name == "set-cookie" and "_xsrf" in value).partition(";")[0]
    boundary = "visitor"
    body = (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="points.csv"\r\n'
            "Content-Type: text/csv\r\n\r\n"
        ).encode()
        + UPLOAD
        + f"\r\n--{boundary}--\r\n".encode()
    )
    more = {"Cookie": cookie, "X-Xsrftoken": cookie.partition("=")[2],
            "Content-Type": f"multipart/form-data; boundary={boundary}"}  # fmt: skip
    status, _ = await request(host, "PUT", path, more, body)
    assert status in (200, 204), f"the upload was refused: {status}"


async def request(
    host: str, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> tuple[int, list[tuple[str, str]]]:
    """The status and headers of one HTTP answer."""
    name, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    answer = (await reader.read()).partition(b"\r\n\r\n")[0].decode().split("\r\n")
    writer.close()
    return int(answer[0].split()[1]), [
        (line.partition(":")[0].lower(), line.partition(":")[2].strip()) for line in answer[1:]
    ]


async def come_and_go(url: str, seconds: float, lessons: Sequence[str], visits: list[str]) -> None:
    """Visitors one after the other, several at a time."""
    end = time.monotonic() + seconds

    async def seat(number: int) -> None:
        chance = random.Random(number)
        while time.monotonic() < end:
            lesson = chance.choice(lessons)
            await visit(url, lesson, chance)
            visits.append(lesson)

    await asyncio.gather(*(seat(number) for number in range(VISITORS)))


@pytest.mark.timeout(60 * MINUTES + 900)
def test_memory_and_open_files_after_visitors_came_and_went(serve: Serve) -> None:
    settings = {"PLAYGROUND_IDLE_MINUTES": "0.17"}
    with serve(BRIEF_SESSIONS, settings=settings) as server:
        process = psutil.Process(server.pid)
        visits: list[str] = []
        start = Usage.of(process)
        print(f"\nat the start:                    {start}")
        asyncio.run(come_and_go(server.url, WARM_UP_SECONDS, [*PLAYED, *STILL], visits))
        time.sleep(GONE_SECONDS)
        before = Usage.of(process)
        print(f"after {len(visits):5d} visits, all left:    {before}")
        minutes = 0.0
        while minutes < MINUTES:
            asyncio.run(come_and_go(server.url, 60.0, [*PLAYED, *STILL], visits))
            minutes += 1
            print(f"after {len(visits):5d} visits, {minutes:2.0f} min:      {Usage.of(process)}", flush=True)
        time.sleep(GONE_SECONDS)
        after = Usage.of(process)
        print(f"after {len(visits):5d} visits, all left:    {after}")
    assert after.megabytes <= MAX_TIMES * before.megabytes
    assert after.files <= MAX_TIMES * start.files, "as many as before the first visitor came"
