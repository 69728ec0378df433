"""One student floods the server: how long the board of another one stays without a frame.

Needs a quiet machine: `pytest -s tests/load/load_floods.py`. A neighbour's regression plays and is watched as by a
browser; an attacker sends 600 commands within five seconds to a run of their own, and leaves. `FLOODS_BESIDE=<folder>`
names another checkout: each flood then comes over both, by turns, and both numbers are printed.
"""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.load.room import PAINT_SECONDS, ROOT, SERVER, Control, Viewer, in_sight, question

COMMANDS = 600
FLOOD_SECONDS = 5.0
CALM_SECONDS = 4.0  # frames are counted this long before a flood
MAX_SILENCE_SECONDS = 20.0  # a flood that silences the neighbour for longer is not measured to its end
LONGEST_GAP_SECONDS = 1.0  # without a frame
TABS = 4

Message = dict[str, Any]


@dataclass(frozen=True)
class Flood:
    """What an attacker sends to which run, for the n-th command; `charts` are those in sight."""

    bench: str
    command: Callable[[int], Message]
    charts: tuple[str, ...]
    knobs: dict[str, Any] = field(default_factory=dict)
    plays: bool = False
    by_page: bool = False  # the commands are knobs with which the page's script has the run built again


def only(**command: Any) -> Callable[[int], Message]:
    return lambda n: command


def turns(*commands: Message) -> Callable[[int], Message]:
    return lambda n: commands[n % len(commands)]


def place(n: int) -> dict[str, float]:
    """A place in a chart, another one for each command."""
    return {"x": 0.9 * ((n * 7) % 20 / 10 - 1), "y": 0.9 * ((n * 3) % 20 / 10 - 1)}


LARGE = {"layers": 3, "filters_1": 32, "filters_2": 32, "filters_3": 32, "kernel": 7}
DIGITS = ("loss", "accuracy", "answer")
RESET = only(do="reset")
FLOODS = {
    "reset the CNN": Flood("cnn", RESET, DIGITS),
    "reset a large CNN": Flood("cnn", RESET, DIGITS, LARGE),
    "reset a CNN that plays": Flood("cnn", turns({"do": "play"}, {"do": "reset"}), DIGITS),
    "reset the sweep": Flood("learning_rates_sweep", RESET, ("map", "best"), {"rates": 61, "seeds": 5}),
    "reset the race": Flood("optimizers", RESET, ("loss", "ranking", "fits", "surface")),
    "reset classification": Flood("classification", RESET, ("map", "loss", "network")),
    "reset schedules": Flood("learning_rates_schedules", RESET, ("loss", "rates")),
    "pick on a surface": Flood(
        "gradient_descent_surface", lambda n: {"do": "pick", "chart": "levels", **place(n)},
        ("levels", "relief", "height"), {"surface": "rastrigin", "lr": 0.0005},
    ),
    "pick on the CNN's plane": Flood("cnn", lambda n: {"do": "pick", "chart": "plane", **place(n)}, ("plane",)),
    "points of a regression": Flood(
        "regression", lambda n: {"do": "undo"} if n % 2 else {"do": "add", **place(n)}, ("fit", "loss", "network"),
        plays=True,
    ),
    "points of a classification": Flood(
        "classification", lambda n: {"do": "undo"} if n % 2 else {"do": "add", **place(n)}, ("map", "loss", "network"),
        plays=True,
    ),
    "seek": Flood("cnn", lambda n: {"do": "scrub", "to": n % 2}, DIGITS, plays=True),
    "draw": Flood("cnn", lambda n: {"do": "draw", "bits": drawing(n)}, ("drawn", "stages", "attention", "attack")),
    "rebuild": Flood("cnn", lambda n: {"seed": n}, DIGITS, by_page=True),
}  # fmt: skip


def drawing(n: int) -> str:
    """The bits of a drawing pad with one thick line, somewhere."""
    rows = [bytes(16)] * 40 + [bytes(4 + n % 4) + b"\xff" * 4 + bytes(8 - n % 4)] * 40 + [bytes(16)] * 48
    return base64.b64encode(b"".join(rows)).decode()


@dataclass(frozen=True)
class Result:
    """The neighbour's longest time without a frame, in seconds, before a flood and since; its share of frames in it."""

    calm: float
    gap: float
    share: float

    def __str__(self) -> str:
        return f"{self.gap:6.2f} s without a frame (before: {self.calm:.2f} s), {self.share:4.2f} of the frames"


@dataclass
class Class:
    """A server with a neighbour in it, whose frames are counted."""

    port: int
    control: Control
    neighbour: Viewer

    async def gap_under(self, flood: Callable[[], Any]) -> Result:
        """What the neighbour's board gets before, during and after a flood."""
        await asyncio.sleep(CALM_SECONDS)
        start = time.monotonic()
        before = self.neighbour.frames_per_second(start - CALM_SECONDS, start)
        calm = self.longest_gap(start - CALM_SECONDS)
        await flood()
        end = time.monotonic()
        while self.silence < MAX_SILENCE_SECONDS and time.monotonic() < end + 60:
            await asyncio.sleep(0.2)
            if time.monotonic() > end + CALM_SECONDS and self.recent_rate > 0.7 * before:
                break
        return Result(calm, self.longest_gap(start), self.neighbour.frames_per_second(start, end) / before)

    def longest_gap(self, since: float) -> float:
        """The neighbour's longest time without a frame since then."""
        return max(
            later - earlier
            for earlier, later in pairwise([*(at for at in self.neighbour.arrivals if at >= since), time.monotonic()])
        )

    @property
    def silence(self) -> float:
        return time.monotonic() - self.neighbour.arrivals[-1]

    @property
    def recent_rate(self) -> float:
        now = time.monotonic()
        return self.neighbour.frames_per_second(now - 2, now)


@asynccontextmanager
async def classroom(port: int) -> AsyncIterator[Class]:
    """A neighbour that plays and is watched."""
    async with AsyncExitStack() as stack:
        control = Control(await stack.enter_async_context(connect(f"ws://127.0.0.1:{port}/control")))
        (run_id,) = await control.ask({"open": 1})
        socket = await stack.enter_async_context(connect(f"ws://127.0.0.1:{port}/live/{run_id}"))
        neighbour = Viewer(run_id, socket, in_sight("regression"))
        watching = asyncio.create_task(neighbour.watch())
        await neighbour.do("speed", value=0)
        await neighbour.do("play")
        await asyncio.sleep(1)
        yield Class(port, control, neighbour)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await control.ask({"close": [run_id]})


async def send_flood(room: Class, flood: Flood) -> None:
    """600 commands within five seconds, before a board that asks for its frames; then leave."""
    (run_id,) = await room.control.ask({"bench": [flood.bench, flood.knobs]})
    async with connect(f"ws://127.0.0.1:{room.port}/live/{run_id}", max_size=None) as socket:
        asking = asyncio.create_task(watch(socket, flood.charts))
        await asyncio.sleep(0.5)
        if flood.plays:
            await socket.send('{"do": "play"}')
        start = time.monotonic()
        try:
            for n in range(COMMANDS):
                if flood.by_page:
                    await room.control.ask({"rebuild": [run_id, flood.bench, flood.command(n)]})
                else:
                    await socket.send(orjson.dumps(flood.command(n)).decode())
                await asyncio.sleep(max(0.0, start + FLOOD_SECONDS * n / COMMANDS - time.monotonic()))
        except ConnectionClosed as closed:
            print(f"    closed: {closed.rcvd}")
        asking.cancel()
    # the run is left open, as by a closed tab


async def watch(socket: ClientConnection, charts: tuple[str, ...]) -> None:
    """Ask for frames as a board does."""
    ask = question(charts)
    await socket.send(ask)
    async for _ in socket:
        await asyncio.sleep(PAINT_SECONDS)
        await socket.send(ask)


async def rerun_pages(room: Class) -> None:
    """Four tabs whose pages are run again as fast as they can, for five seconds."""
    pages = ("regression", "classification", "tensors", "optimizers")

    async def tab(page: str) -> None:
        address = f"ws://127.0.0.1:{room.port}/_stcore/stream"
        async with connect(address, subprotocols=[Subprotocol("streamlit")], max_size=None) as socket:
            end = time.monotonic() + FLOOD_SECONDS
            reading = asyncio.create_task(drain(socket))
            for n in count():
                message = BackMsg()
                message.rerun_script.page_name = page
                message.rerun_script.query_string = f"{page}_seed={n}"
                await socket.send(message.SerializeToString())
                await asyncio.sleep(FLOOD_SECONDS * TABS / COMMANDS)
                if time.monotonic() > end:
                    break
            reading.cancel()

    await asyncio.gather(*(tab(page) for page in pages))


async def drain(socket: ClientConnection) -> None:
    async for _ in socket:
        pass


async def measure(ports: list[int], name: str) -> list[Result]:
    """What the neighbour's board gets from each server, by turns."""
    found = []
    for port in ports:
        async with classroom(port) as room:
            flood = partial(rerun_pages, room) if name == "pages" else partial(send_flood, room, FLOODS[name])
            found.append(await room.gap_under(flood))
    print(f"\n{name:<28}{'   '.join(map(str, found))}")
    return found


def folders() -> Iterator[Path]:
    if beside := os.environ.get("FLOODS_BESIDE"):
        yield Path(beside)
    yield ROOT


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("name", [*FLOODS, "pages"])
def test_a_flood_costs_the_neighbour_at_most_a_second_without_a_frame(serve: Any, name: str) -> None:
    with ExitStack() as servers:
        ports = [servers.enter_context(serve(SERVER, folder=folder)).port for folder in folders()]
        results = asyncio.run(measure(ports, name))
    assert results[-1].gap <= LONGEST_GAP_SECONDS
