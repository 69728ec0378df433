"""A classroom on a real server: students' boards that play, paint and ask for frames, and the control behind them."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from itertools import cycle, pairwise
from pathlib import Path
from statistics import quantiles
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from playground.lessons import BENCHES

ROOT = Path(__file__).resolve().parents[2]
SERVER = (
    *(sys.executable, "-m", "uvicorn", "tests.load.live_server:app"),
    *("--host", "127.0.0.1", "--port", "{port}", "--log-level", "warning"),
    *("--ws-per-message-deflate", "false"),  # as under `streamlit run`, which the image uses
)
PAINT_SECONDS = 0.015
COMMAND_EVERY_SECONDS = 2.0  # one student presses or turns something this often
START_SECONDS = 60.0  # of all workers
ANSWER_SECONDS = 10.0  # after this long without an answer the test fails
SMALL_EVERY, SMALL_PICTURES = 8, 5  # which frames have them, and how many are in sight, as in pages/ui/static
LEARNING_RATES = (0.3, 0.5)

Frame = dict[str, Any]
Asked = Mapping[str, int]  # chart -> which frames have it: 1 all, 8 each eighth


def in_sight(bench: str) -> Asked:
    """What the board of a bench asks for when it opens."""
    return asked_by([asdict(chart) for chart in BENCHES[bench].charts])


def asked_by(board_charts: Sequence[Mapping[str, Any]]) -> Asked:
    """What a board with these charts asks for: hero, second chart and strip, and small pictures less often."""
    charts = [chart for chart in board_charts if not chart["strip"]]
    view, *others = dict.fromkeys("".join(chart["views"][:1]) for chart in charts)
    heroes = [next(chart for chart in charts if other in chart["views"]) for other in others]
    shown = [chart for chart in charts if not chart["views"] or view in chart["views"]]
    large, rest = [*shown[:2], *(chart for chart in board_charts if chart["strip"])], shown[2:]
    is_full = len(rest) + len(others) > SMALL_PICTURES
    small = rest[: max(1, SMALL_PICTURES - len(others))] if is_full else rest
    often = {chart["name"]: chart["every"] for chart in large}
    return often | {chart["name"]: max(SMALL_EVERY, chart["every"]) for chart in [*small, *heroes]}


def due(asked: Asked, frame: int) -> list[str]:
    """The charts that a frame must have; the first one has only those that all frames have."""
    return [name for name, every in asked.items() if every == 1 or (frame and frame % every == 0)]


def question(charts: Sequence[str]) -> str:
    """What a board sends when it wants a frame."""
    return orjson.dumps({"ask": charts, "options": {}}).decode()


@dataclass
class Viewer:
    """One student's board: what has come in, and the change that is waited for."""

    run_id: str
    socket: ClientConnection
    asked: Asked
    arrivals: list[float] = field(default_factory=list)  # seconds on time.monotonic's clock
    sizes: list[int] = field(default_factory=list)  # bytes
    steps: list[tuple[float, int]] = field(default_factory=list)  # (arrival, step)
    answers: list[tuple[str, float]] = field(default_factory=list)  # (what was done, milliseconds)
    state: str = ""
    place: int = 0  # in the queue
    pictured_at: float = 0.0  # when the first charts came
    closed: str = ""  # why the server closed the socket
    paint_seconds: float = PAINT_SECONDS  # from a frame to the question for the next
    awaited: str = ""
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self) -> None:
        """Take a frame, paint it, ask for the next; until the socket closes."""
        with suppress(ConnectionClosed):
            await self.socket.send(question(due(self.asked, 0)))
            async for message in self.socket:
                assert isinstance(message, bytes)
                self.take(message)
                await asyncio.sleep(self.paint_seconds)
                await self.socket.send(question(due(self.asked, len(self.arrivals))))
        self.closed = f"{self.socket.close_code} {self.socket.close_reason}"

    def take(self, message: bytes) -> None:
        """Note a frame's arrival, its step, and whether it shows what is waited for; the arrays stay unread."""
        now = time.monotonic()
        frame: Frame = orjson.loads(message[4 : 4 + int.from_bytes(message[:4], "little")])
        self.arrivals.append(now)
        self.sizes.append(len(message))
        self.state, self.place = frame.get("state", self.state), frame.get("place", self.place)
        if "charts" in frame and not self.pictured_at:
            self.pictured_at = now
        if "step" in frame.get("status", ()):
            self.steps.append((now, frame["status"]["step"]))
        if self.awaited and shows(frame, self.awaited):
            self.awaited = ""
            self.answered.set()

    async def act(self, control: Control, delay: float) -> None:
        """Pause, play and turn the learning rate, again and again, and note how long each takes to be seen."""
        await asyncio.sleep(delay)
        rates = cycle(LEARNING_RATES)
        for what in cycle(("tune", "pause", "play")):
            self.awaited, start = what, time.monotonic()
            self.answered.clear()
            if what == "tune":
                await control.ask({"tune": [self.run_id, {"lr": next(rates)}]})
            else:
                await self.do(what)
            await asyncio.wait_for(self.answered.wait(), ANSWER_SECONDS)
            self.answers.append((what, 1_000 * (time.monotonic() - start)))
            if what != "pause":  # nobody pauses for long: the next is Play
                await asyncio.sleep(COMMAND_EVERY_SECONDS)

    async def do(self, command: str, **values: Any) -> None:
        """Send a command as the player's buttons do."""
        await self.socket.send(orjson.dumps({"do": command, **values}).decode())

    async def until(self, state: str, seconds: float = ANSWER_SECONDS) -> None:
        """Wait until the board shows this state."""
        async with asyncio.timeout(seconds):
            while self.state != state:
                await asyncio.sleep(0.005)

    def frames_per_second(self, start: float, end: float) -> float:
        return sum(start <= at < end for at in self.arrivals) / (end - start)

    def steps_per_second(self, start: float, end: float) -> float:
        """Between the first and the last frame of that time."""
        seen = [(at, step) for at, step in self.steps if start <= at < end]
        return (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0]) if len(seen) > 1 else 0.0

    def longest_gap(self, start: float, end: float) -> float:
        """The longest time without a frame, in seconds; between two frames, or beside one end of that time."""
        times = [start, *(at for at in self.arrivals if start <= at < end), end]
        return max(later - earlier for earlier, later in pairwise(times))

    @property
    def step(self) -> int:
        """The step that was seen last."""
        return self.steps[-1][1] if self.steps else 0


def shows(frame: Frame, change: str) -> bool:
    """Whether a frame is the first to show a change: the state, or the mark that a turned knob leaves."""
    if change == "tune":
        patch = frame.get("charts", {}).get("loss", {}).get("set", [])
        return any("text" in path for path, _ in patch)
    return frame.get("state") == {"pause": "paused", "play": "playing"}[change]


class Control:
    """The server's control socket, one question at a time."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.turn = asyncio.Lock()

    async def ask(self, message: dict[str, Any]) -> list[Any]:
        async with self.turn:
            await self.socket.send(orjson.dumps(message).decode())
            answer: list[Any] = orjson.loads(await self.socket.recv())
            return answer


@asynccontextmanager
async def control_of(port: int, *, ready: bool = True) -> AsyncIterator[Control]:
    """The control socket of a server; where `ready`, once its workers have started."""
    async with connect(f"ws://127.0.0.1:{port}/control", max_size=None) as socket:
        control = Control(socket)
        async with asyncio.timeout(START_SECONDS):
            while ready and 0 in await control.ask({"workers": True}):
                await asyncio.sleep(0.1)
        yield control


@asynccontextmanager
async def watched(
    port: int, runs: Sequence[str], bench: str = "regression", *, plays: bool = True
) -> AsyncIterator[list[Viewer]]:
    """A viewer before each of these runs, which all play at full speed."""
    async with AsyncExitStack() as sockets:
        viewers = []
        for run_id in runs:
            address = f"ws://127.0.0.1:{port}/live/{run_id}"
            socket = await sockets.enter_async_context(connect(address, max_size=None))
            viewers.append(Viewer(run_id, socket, in_sight(bench)))
        watching = [asyncio.create_task(viewer.watch()) for viewer in viewers]
        for viewer in viewers if plays else ():
            await viewer.do("speed", value=0)
            await viewer.do("play")
        try:
            yield viewers
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)


@asynccontextmanager
async def classroom(port: int, control: Control, count: int, bench: str = "regression") -> AsyncIterator[list[Viewer]]:
    """So many students, each before a playing run without an end; afterwards they leave and their runs are closed."""
    runs = await control.ask({"runs": [[f"student {number}", bench, {"max_steps": 0}] for number in range(count)]})
    async with watched(port, runs, bench) as viewers:
        yield viewers
    await control.ask({"close": runs})


@asynccontextmanager
async def acting(viewers: Sequence[Viewer], control: Control) -> AsyncIterator[None]:
    """All viewers press and turn something, evenly spread. Raises what a viewer raised."""
    tasks = [
        asyncio.create_task(viewer.act(control, COMMAND_EVERY_SECONDS * index / len(viewers)))
        for index, viewer in enumerate(viewers)
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for fault in ended:
        if isinstance(fault, Exception):
            raise fault


async def rates_for(viewers: Sequence[Viewer], seconds: float) -> tuple[list[float], list[float]]:
    """The frames a second and the steps a second of each viewer's run, over the next seconds."""
    start = time.monotonic()
    await asyncio.sleep(seconds)
    end = time.monotonic()
    return ([viewer.frames_per_second(start, end) for viewer in viewers],
            [viewer.steps_per_second(start, end) for viewer in viewers])  # fmt: skip


def p95(values: Sequence[float]) -> float:
    """The 95th percentile; of a single value, the value."""
    return quantiles(values, n=20)[-1] if len(values) > 1 else values[0]
