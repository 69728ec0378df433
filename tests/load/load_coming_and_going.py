"""Visitors who come and go for an hour: afterwards the server holds as much memory and as many files as before.

    pytest -s tests/load/load_coming_and_going.py                    # eight minutes
    VISITS_MINUTES=60 pytest -s tests/load/load_coming_and_going.py  # an hour of visits

Each visitor opens a page as a browser does (Streamlit's socket and the board's own), plays or turns a setting, may
upload a file, and leaves. Sessions and runs end soon here, so that the end of a lesson need not be waited for.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

from pages.ui.housekeeping import EVERY_SECONDS
from tests.conftest import Serve

MINUTES = float(os.environ.get("VISITS_MINUTES", "4"))
VISITORS = 5  # at a time
STAYS_SECONDS = 1.0  # after the page is there
WARM_UP_SECONDS = 60.0
KEPT_SECONDS = 20  # a session whose visitor has left
GONE_SECONDS = KEPT_SECONDS + 2.5 * EVERY_SECONDS  # after the last has left
PATIENCE_SECONDS = 30.0
MOST = 1.1  # times what it was after the warm-up
UPLOAD = b"x,y\n" + b"".join(b"%d,%d\n" % (number, number) for number in range(20_000))
PLAYED = ("regression", "classification", "optimizers", "cnn", "learning_rates")
STILL = ("tensors", "activations", "convolution", "gradient_descent", "autograd", "")
COMMAND = (
    *(sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"),
    *("--server.address=127.0.0.1", "--server.port={port}", f"--server.disconnectedSessionTTL={KEPT_SECONDS}"),
)


@dataclass(frozen=True)
class Usage:
    """What a server's process holds."""

    megabytes: float
    files: int
    threads: int

    @classmethod
    def of(cls, process: psutil.Process) -> Usage:
        return cls(process.memory_info().rss / 1e6, process.num_fds(), process.num_threads())

    def __str__(self) -> str:
        return f"{self.megabytes:6.0f} MB, {self.files:3d} open files, {self.threads:3d} threads"


class Visitor:
    """One browser tab."""

    def __init__(self, url: str, lesson: str) -> None:
        self.url, self.lesson = url, lesson
        self.session = ""
        self.data: dict[str, Any] = {}  # of the page's board

    async def visit(self, chance: random.Random) -> None:
        """Open the page, do what students do for a moment, and leave."""
        address, common = self.url.replace("http", "ws"), {"origin": self.url, "max_size": None, "proxy": None}
        streamlit: Any = ["streamlit"]
        async with connect(f"{address}/_stcore/stream", subprotocols=streamlit, **common) as page:  # type: ignore[arg-type]
            await self.rerun(page, "")
            if run := self.data.get("run"):
                async with connect(f"{address}/live/{run}", **common) as board:  # type: ignore[arg-type]
                    await self.play(board)
                    await self.rerun(page, f"{self.lesson}_seed={chance.randrange(1, 9)}")
            elif still := self.data.get("board"):
                async with connect(f"{address}/still/{still}", **common):  # type: ignore[arg-type]
                    await self.rerun(page, "")
                    await asyncio.sleep(STAYS_SECONDS)
            if self.lesson == "regression":
                await self.upload()

    async def rerun(self, page: Any, query: str) -> None:
        """Have Streamlit run the page, and wait until it has."""
        message = BackMsg()
        message.rerun_script.page_name = self.lesson
        message.rerun_script.query_string = query
        await page.send(message.SerializeToString())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                came = ForwardMsg()
                came.ParseFromString(await page.recv())
                if came.WhichOneof("type") == "new_session":
                    self.session = came.new_session.initialize.session_id
                elif came.delta.new_element.bidi_component.component_name.endswith("board"):
                    self.data = json.loads(came.delta.new_element.bidi_component.json or "{}") or self.data
                elif came.WhichOneof("type") == "script_finished":
                    return

    async def play(self, board: Any) -> None:
        """Play and ask for frames, as a board does."""
        await board.send('{"do": "play"}')
        end = time.monotonic() + STAYS_SECONDS
        charts = [chart["name"] for chart in self.data["charts"]][:3]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while time.monotonic() < end:
                await board.send(orjson.dumps({"ask": charts, "options": {}}).decode())
                await board.recv()

    async def upload(self) -> None:
        """Send a file, as the popover Data does; the server keeps it as long as the session."""
        host = self.url.removeprefix("http://")
        path = f"/_stcore/upload_file/{self.session}/{uuid.uuid4()}"
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
            await Visitor(url, lesson).visit(chance)
            visits.append(lesson)

    await asyncio.gather(*(seat(number) for number in range(VISITORS)))


@pytest.mark.timeout(60 * MINUTES + 900)
def test_memory_and_open_files_after_visitors_came_and_went(serve: Serve) -> None:
    settings = {"PLAYGROUND_IDLE_MINUTES": "0.17"}
    with serve(COMMAND, settings=settings) as server:
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
    assert after.megabytes <= MOST * before.megabytes
    assert after.files <= MOST * start.files, "as many as before the first visitor came"
