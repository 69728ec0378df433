"""The live stream over real sockets: who may open it, what a hostile or clumsy viewer can do, and what a frame is."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import orjson
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect
from websockets.uri import parse_uri

from pages.ui.routes import allowance as allowance_of
from pages.ui.routes import live as stream
from pages.ui.routes.origins import OwnOrigins
from playground.engine.commands import Command, LookBack
from playground.engine.engine import Engine
from playground.engine.run import Drawing, Outcome
from playground.engine.watching import LEASE_SECONDS
from playground.lesson import LiveLesson
from playground.lessons import LESSONS
from playground.settings import Settings

FRIEND = "https://school.example"
STOPS_WITHIN_SECONDS = 2.0  # LEASE_SECONDS and a slice
ANSWERS_WITHIN_SECONDS = 10.0
WIDE = 500_000  # numbers in a chart
MAX_FRAMES_ON_THE_LINE = 40  # of WIDE numbers: the system's buffers hold some megabytes
LIMIT = stream.MAX_MESSAGE_CHARACTERS


class CountingRun:
    """A run whose training is counting, and whose one chart shows the count."""

    outcome: Outcome = ""
    auto_speed = 0.0

    def __init__(self, config: Any) -> None:
        self.config = config
        self.steps = 0
        self.drawn = 0

    def steps_in_epochs(self, epochs: int) -> int:
        return 10 * epochs

    def advance(self, seconds: float, steps: int) -> int:
        end, taken = time.perf_counter() + seconds, 0
        while taken < steps:
            taken += 1
            time.sleep(0.0002)
            if time.perf_counter() >= end:
                break
        self.steps += taken
        return taken

    def draw(self, charts: list[str], options: Mapping[str, bool]) -> Drawing:
        self.drawn += 1
        figures = {"count": {"data": [{"y": [self.steps]}], "layout": {"title": "Count"}}}
        return Drawing({name: figures[name] for name in charts if name in figures}, {"step": self.steps})

    def apply(self, command: Command) -> None:
        if not isinstance(command, LookBack):
            raise ValueError("This lesson does not know that command.")

    def tune(self, config: Any) -> None:
        self.config = config

    def rebuilt(self, config: Any) -> CountingRun:
        return CountingRun(config)

    def resume(self) -> None: ...


class WideRun(CountingRun):
    """A run each of whose frames has megabytes."""

    def draw(self, charts: list[str], options: Mapping[str, bool]) -> Drawing:
        self.drawn += 1
        return Drawing({"count": {"data": [{"y": np.full(WIDE, self.drawn)}], "layout": {}}})


class Viewer:
    """A browser's side of one socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def send(self, message: Any) -> None:
        self.socket.send(orjson.dumps(message).decode())

    def frame(self, within: float = ANSWERS_WITHIN_SECONDS) -> dict[str, Any]:
        """The head of the next frame."""
        received = self.socket.recv(within)
        assert isinstance(received, bytes)
        length = int.from_bytes(received[:4], "little")
        return orjson.loads(received[4 : 4 + length])

    def ask(self, charts: tuple[str, ...] = ("count",)) -> dict[str, Any]:
        self.send({"ask": charts})
        return self.frame()

    def do(self, command: str, **values: Any) -> None:
        self.send({"do": command, **values})

    def notice(self) -> str:
        """The first sentence that the engine has for this viewer; asks until there is one."""
        give_up_at = time.monotonic() + ANSWERS_WITHIN_SECONDS
        while time.monotonic() < give_up_at:
            if notice := self.ask().get("notice"):
                return str(notice)
        pytest.fail("The engine said nothing.")

    def closed(self) -> tuple[int, str]:
        """The code and reason that the server closes the socket with; frames that come before are skipped."""
        give_up_at = time.monotonic() + ANSWERS_WITHIN_SECONDS
        try:
            while time.monotonic() < give_up_at:
                self.socket.recv(ANSWERS_WITHIN_SECONDS)
        except ConnectionClosed as closed:
            assert closed.rcvd is not None, "the line was cut with no reason given"
            return closed.rcvd.code, closed.rcvd.reason
        pytest.fail("The server did not close the socket.")

    def drop(self) -> None:
        """Cut the line as a dead network does, with no farewell."""
        self.socket.socket.shutdown(2)
        self.socket.socket.close()


Watch = Callable[..., Viewer]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = Engine(Settings(workers=1, runs_per_session=100, origins=f" {FRIEND}/ , https://other.example"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def host(engine: Engine, serve_app: Callable[[Starlette], str]) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "pool", lambda: engine)  # it has the verbs of the pool that the stream needs
        judge = Middleware(OwnOrigins, allowed=engine.settings.allowed_origins)
        yield serve_app(Starlette(routes=stream.ROUTES, middleware=[judge]))


@pytest.fixture
def open_run(engine: Engine) -> Iterator[Callable[[], str]]:
    opened: list[str] = []

    def open_one() -> str:
        opened.append(engine.open("session", CountingRun, "config"))
        return opened[-1]

    yield open_one
    for run_id in opened:
        engine.close(run_id)


@pytest.fixture
def run_id(open_run: Callable[[], str]) -> str:
    return open_run()


@pytest.fixture
def watch(host: str) -> Iterator[Watch]:
    """Open sockets to runs: `watch(run_id)`, or with headers such as `watch(run_id, Origin="http://..."`)."""
    with contextlib.ExitStack() as sockets:

        def open_socket(run_id: str, **headers: str) -> Viewer:
            address = f"ws://{host}/live/{run_id}"
            opening = connect(address, additional_headers=headers, max_size=None, proxy=None, close_timeout=1)
            return Viewer(sockets.enter_context(opening))

        yield open_socket


def steps(engine: Engine, run_id: str) -> int:
    return engine.call(run_id, lambda run: run.steps)


def play(viewer: Viewer) -> int:
    """Play until steps are seen; returns them."""
    viewer.do("play")
    give_up_at = time.monotonic() + ANSWERS_WITHIN_SECONDS
    while time.monotonic() < give_up_at:
        if count := viewer.ask().get("status", {}).get("step", 0):
            return int(count)
    pytest.fail("The run does not train.")


def goes_on(viewer: Viewer, after: int) -> bool:
    """Whether the viewer's frames still come and still count up."""
    give_up_at = time.monotonic() + ANSWERS_WITHIN_SECONDS
    while time.monotonic() < give_up_at:
        if viewer.ask().get("status", {}).get("step", 0) > after:
            return True
    return False


def seconds_until_still(engine: Engine, run_id: str) -> float:
    """How long a run takes to stop training: the time of the last step seen, once none came for half a second."""
    start = time.monotonic()
    count, moved_at = steps(engine, run_id), start
    while time.monotonic() - moved_at < 0.5 and time.monotonic() - start < 3 * STOPS_WITHIN_SECONDS:
        time.sleep(0.02)
        if (now := steps(engine, run_id)) != count:
            count, moved_at = now, time.monotonic()
    return moved_at - start


# Who may open the stream.


def test_unknown_run_is_closed_with_its_code_and_a_sentence(watch: Watch) -> None:
    assert watch("no-such-run").closed() == (4404, stream.LOST)


def assert_refused(closed: tuple[int, str]) -> None:
    code, reason = closed
    assert code == 4403 and "PLAYGROUND_ORIGINS" in reason


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://[",
        f"{FRIEND}.evil.example",
        "https://evil.example#127.0.0.1",
        "x" * 999,
    ],
)
def test_foreign_origin_is_closed_with_a_reason_and_sees_nothing(watch: Watch, run_id: str, origin: str) -> None:
    assert_refused(watch(run_id, Origin=origin).closed())


def test_another_port_of_the_same_machine_is_a_foreign_origin(watch: Watch, host: str, run_id: str) -> None:
    assert_refused(watch(run_id, Origin=f"http://{host.rpartition(':')[0]}:1").closed())


def test_own_origin_is_accepted(watch: Watch, host: str, run_id: str) -> None:
    assert watch(run_id, Origin=f"http://{host}").ask()["state"] == "paused"


@pytest.mark.parametrize("origin", [FRIEND, "https://other.example"])
def test_origins_in_the_settings_are_accepted(watch: Watch, run_id: str, origin: str) -> None:
    assert watch(run_id, Origin=origin).ask()["state"] == "paused"


def test_client_without_an_origin_is_no_browser_and_is_accepted(watch: Watch, run_id: str) -> None:
    assert watch(run_id).ask()["state"] == "paused"


# Frames.


def test_first_frame_is_whole_and_later_ones_say_what_changed(watch: Watch, run_id: str) -> None:
    viewer = watch(run_id)
    assert viewer.ask()["charts"]["count"]["figure"]["data"] == [{"y": [0]}]
    viewer.do("step", n=7)
    assert viewer.ask()["charts"]["count"] == {"set": [[["data", 0, "y"], [7]]]}


def test_each_ask_gets_one_frame_and_no_ask_gets_none(watch: Watch, run_id: str) -> None:
    viewer = watch(run_id)
    play(viewer)
    for _ in range(3):
        viewer.ask()
        with pytest.raises(TimeoutError):
            viewer.frame(within=0.2)


def test_many_asks_at_once_are_one_ask(watch: Watch, run_id: str) -> None:
    viewer = watch(run_id)
    play(viewer)
    for _ in range(50):
        viewer.send({"ask": ["count"]})
    frames = 0
    with pytest.raises(TimeoutError):
        for frames in range(1, 60):  # noqa: B007
            viewer.frame(within=0.3)
    assert 1 <= frames < 25


def test_viewer_that_asks_and_does_not_read_gets_no_more_frames_than_the_line_holds(host: str, engine: Engine) -> None:
    run_id = engine.open("session", WideRun, "config")
    protocol = ClientProtocol(parse_uri(f"ws://{host}/live/{run_id}"), max_size=None)
    with socket.create_connection(host.split(":")) as line:  # type: ignore[arg-type]
        protocol.send_request(protocol.connect())
        line.sendall(b"".join(protocol.data_to_send()))
        while protocol.state is not State.OPEN:
            protocol.receive_data(line.recv(65_536))
        protocol.send_text(b'{"do": "play"}')
        drawn = -1
        while (now := engine.call(run_id, lambda run: run.drawn)) > drawn:  # until the line is full
            drawn = now
            assert drawn < MAX_FRAMES_ON_THE_LINE, "frames that nobody reads pile up"
            for _ in range(20):
                protocol.send_text(b'{"ask": ["count"]}')
                line.sendall(b"".join(protocol.data_to_send()))
                time.sleep(0.02)
        frames = 0
        while frames <= drawn:  # now it reads again: what it has asked for meanwhile comes after them
            protocol.receive_data(line.recv(1_000_000))
            frames += len(protocol.events_received())
    engine.close(run_id)


def test_chart_that_does_not_exist_is_left_out(watch: Watch, run_id: str) -> None:
    frame = watch(run_id).ask(("count", "<script>"))
    assert list(frame["charts"]) == ["count"]


def test_dropped_line_loses_no_step_and_the_next_first_frame_is_whole(
    watch: Watch, engine: Engine, run_id: str
) -> None:
    first = watch(run_id)
    first.do("step", n=25)
    while first.ask()["status"]["step"] < 25:
        pass
    first.drop()
    frame = watch(run_id).ask()
    assert frame["status"]["step"] == 25
    assert frame["state"] == "paused"
    assert frame["charts"]["count"]["figure"] == {"data": [{"y": [25]}], "layout": {"title": "Count"}}


def test_playing_run_plays_on_after_a_dropped_line(watch: Watch, run_id: str) -> None:
    first = watch(run_id)
    count = play(first)
    first.drop()
    second = watch(run_id)
    frame = second.ask()
    assert frame["state"] == "playing"
    assert frame["status"]["step"] >= count
    assert "figure" in frame["charts"]["count"]
    assert goes_on(second, frame["status"]["step"])


def test_second_viewer_takes_over_and_the_first_is_told(watch: Watch, run_id: str) -> None:
    first = watch(run_id)
    count = play(first)
    second = watch(run_id)
    frame = second.ask()
    code, reason = first.closed()
    assert (code, reason) == (4409, "This run is being watched elsewhere.")
    assert "figure" in frame["charts"]["count"]
    assert goes_on(second, count), "the first viewer's leaving stopped the second's run"


def test_run_that_is_closed_tells_its_viewer(watch: Watch, engine: Engine, run_id: str) -> None:
    viewer = watch(run_id)
    viewer.ask()
    engine.close(run_id)
    code, reason = viewer.closed()
    assert code == 4404
    assert "Press Reset" in reason


# No viewer, no training.


@pytest.mark.parametrize("leave", ["closes", "drops"])
def test_training_stops_soon_after_the_viewer_has_gone(watch: Watch, engine: Engine, run_id: str, leave: str) -> None:
    viewer = watch(run_id)
    play(viewer)
    if leave == "closes":
        viewer.socket.close()
    else:
        viewer.drop()
    assert seconds_until_still(engine, run_id) < 0.6 * LEASE_SECONDS, "it stopped only as its lease ran out"
    assert engine.state_of(run_id) == "playing", "it must continue by itself when the viewer is back"


def test_training_stops_soon_when_the_viewer_asks_no_more(watch: Watch, engine: Engine, run_id: str) -> None:
    viewer = watch(run_id)
    count = play(viewer)
    assert seconds_until_still(engine, run_id) < STOPS_WITHIN_SECONDS
    assert steps(engine, run_id) > count
    assert goes_on(viewer, steps(engine, run_id)), "asking again does not wake the run"


# Broken and hostile messages.

BROKEN: dict[str, tuple[str | bytes, int]] = {
    "empty": ("", 4400),
    "not JSON": ("{do: play}", 4400),
    "half a message": ('{"do": "pl', 4400),
    "not a number in JSON": ('{"ask": [NaN]}', 4400),
    "deep nesting": ("[" * 4000, 4400),
    "deep nesting inside": ('{"ask": ' + "[" * 2000 + "]" * 2000 + "}", 4400),
    "a list": ("[1, 2]", 4400),
    "a number": ("1", 4400),
    "null": ("null", 4400),
    "a text": ('"ask"', 4400),
    "binary": (b'{"ask": ["count"]}', 4400),
    "no verb": ("{}", 4400),
    "do is no text": ('{"do": 5}', 4400),
    "do is an object": ('{"do": {"do": "play"}}', 4400),
    "charts are a text": ('{"ask": "count"}', 4400),
    "charts are an object": ('{"ask": {"count": 1}}', 4400),
    "charts are null": ('{"ask": null}', 4400),
    "chart names are numbers": ('{"ask": [1, 2]}', 4400),
    "chart name is a list": ('{"ask": [["count"]]}', 4400),
    "as many charts as fit into a message": (orjson.dumps({"ask": ["c"] * 1000}).decode(), 4400),
    "10,000 chart names": (orjson.dumps({"ask": [str(n) for n in range(10_000)]}).decode(), 4413),
    "options are a list": ('{"ask": ["count"], "options": [true]}', 4400),
    "options are null": ('{"ask": ["count"], "options": null}', 4400),
    "options are texts": ('{"ask": ["count"], "options": {"log": "yes"}}', 4400),
    "many options": (orjson.dumps({"ask": [], "options": {str(n): True for n in range(300)}}).decode(), 4400),
    "one character too long": ('{"do": "' + "x" * (LIMIT - 9) + '"}', 4413),
    "a megabyte": ('{"do": "' + "x" * 1_000_000 + '"}', 4413),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_message_closes_its_own_socket_with_a_sentence_and_nothing_else(
    watch: Watch, engine: Engine, open_run: Callable[[], str], case: str
) -> None:
    mine, neighbours = open_run(), open_run()
    viewer, neighbour = watch(mine), watch(neighbours)
    viewer.do("step", n=3)
    while viewer.ask()["status"]["step"] < 3:
        pass
    before = play(neighbour)
    message, expected = BROKEN[case]
    viewer.socket.send(message)
    code, reason = viewer.closed()
    assert code == expected
    assert reason.endswith(".")
    assert "x" * 50 not in reason
    assert goes_on(neighbour, before)
    assert steps(engine, mine) == 3
    assert watch(mine).ask()["status"]["step"] == 3, "the run is lost to its student"


def test_longest_legal_message_is_taken(watch: Watch, run_id: str) -> None:
    viewer = watch(run_id)
    message = '{"ask": ["count"], "more": "'
    viewer.socket.send(message + "x" * (LIMIT - len(message) - 2) + '"}')
    assert viewer.frame()["state"] == "paused"


def test_flood_is_closed_with_a_sentence_while_the_neighbour_goes_on(
    watch: Watch, engine: Engine, open_run: Callable[[], str]
) -> None:
    mine, neighbours = open_run(), open_run()
    viewer, neighbour = watch(mine), watch(neighbours)
    before = play(neighbour)
    try:
        for _ in range(20 * int(stream.MAX_MESSAGES_PER_SECOND)):
            viewer.do("speed", value=5)
    except ConnectionClosed:
        pass  # closed while still talking
    code, reason = viewer.closed()
    assert code == 4429
    assert reason.endswith(".")
    assert goes_on(neighbour, before)
    assert watch(mine).ask()["state"] == "paused"
    assert steps(engine, mine) == 0


def test_sixty_asks_a_second_are_no_flood() -> None:
    allowance = stream.Allowance(stream.MAX_MESSAGES_PER_SECOND)
    now = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        for second in range(1, 60 * 30):
            patch.setattr(allowance_of.time, "monotonic", partial(float, now + second / 60))
            allowance.take()
        with pytest.raises(stream.BadMessage):
            for _ in range(2 * int(stream.MAX_MESSAGES_PER_SECOND) + 1):
                allowance.take()


@pytest.mark.parametrize("command", ["explode", "", "Play", "__init__", "advance", "draw", "<b>bold</b>"])
def test_unknown_command_gets_a_notice_and_changes_nothing(
    watch: Watch, engine: Engine, run_id: str, command: str
) -> None:
    viewer = watch(run_id)
    viewer.do(command)
    notice = viewer.notice()
    assert notice.endswith(".")
    assert "<b>" not in notice
    assert engine.state_of(run_id) == "paused"
    assert steps(engine, run_id) == 0


@pytest.mark.parametrize(
    "values",
    [
        {"do": "step", "n": 0},
        {"do": "step", "n": -1},
        {"do": "step", "n": True},
        {"do": "step", "n": "many"},
        {"do": "step", "n": 10**12},
        {"do": "step", "n": 1, "unit": "year"},
        {"do": "step", "n": [1]},
        {"do": "speed", "value": -1},
        {"do": "speed", "value": 1e-320},
        {"do": "speed", "value": "fast"},
        {"do": "speed", "value": 1e300},
        {"do": "speed", "value": True},
    ],
    ids=lambda values: orjson.dumps(values).decode(),
)
def test_senseless_value_of_a_command_gets_a_notice_and_changes_nothing(
    watch: Watch, engine: Engine, run_id: str, values: dict[str, Any]
) -> None:
    viewer = watch(run_id)
    viewer.send(values)
    assert viewer.notice().endswith(".")
    assert steps(engine, run_id) == 0
    assert play(viewer) > 0, "the run does not train any more"


@pytest.mark.parametrize("speed", [0.01, 1, 100_000, 0])
def test_no_speed_breaks_a_run(watch: Watch, engine: Engine, run_id: str, speed: float) -> None:
    viewer = watch(run_id)
    viewer.do("speed", value=speed)
    viewer.do("play")
    count = 0
    while count == 0:
        count = viewer.ask().get("status", {}).get("step", count)
    with contextlib.suppress(TimeoutError):  # between two steps of a slow run there is nothing to show
        viewer.frame(within=0.2)
    viewer.send({"ask": ["count"]})
    with contextlib.suppress(TimeoutError):
        viewer.frame(within=0.2)
    assert engine.call(run_id, lambda run: run.steps) >= 1
    assert engine.state_of(run_id) == "playing"


# Knobs cannot be set past their bounds through the socket. Over every lesson.

TRICKS: list[dict[str, Any]] = [
    {"do": "tune", "lr": 1e9},
    {"do": "tune", "config": {"lr": 1e9, "hidden": 100_000}},
    {"do": "rebuild", "config": {"hidden": 100_000}},
    {"do": "reset", "config": {"hidden": 100_000}, "hidden": 100_000, "lr": 1e9},
    {"do": "call", "function": "exec"},
    {"do": "use_rows", "rows": [[0, 1e308]] * 50},
    {"do": "scrub", "to": 10**6},
    {"do": "scrub", "to": -1},
    {"do": "scrub", "to": "0"},
    {"do": "add", "x": 1e308, "y": 0},
    {"do": "add", "x": "1", "y": None},
    {"do": "add", "x": True, "y": [1]},
    {"do": "remove", "x": 1e308, "y": 0},
]


@pytest.mark.parametrize("name", [name for name, lesson in LESSONS.items() if isinstance(lesson, LiveLesson)])
def test_no_message_brings_a_value_past_a_knob(watch: Watch, engine: Engine, name: str) -> None:
    lesson = LESSONS[name]
    config = lesson.config()
    run_id = engine.open("bounds", partial(lesson.build, settings=replace(engine.settings)), config)
    try:
        charts = tuple(chart.name for chart in lesson.charts)
        before = watch(run_id).ask(charts)["status"]
        for trick in TRICKS:
            viewer = watch(run_id)  # one of its own, which gets the whole current notice
            viewer.send(trick)
            if trick["do"] != "reset":
                assert viewer.notice().endswith("."), trick
        assert engine.call(run_id, lambda run: run.config) == config
        assert engine.state_of(run_id) == "paused"
        again = watch(run_id).ask(charts)
        assert again["status"] == before
        assert set(again["charts"]) == set(charts)
    finally:
        engine.close(run_id)
