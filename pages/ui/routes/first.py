"""The first picture of a board, before Streamlit has started: the data of the board, and its frame at step 0.

A page's HTML asks for it while the browser still loads Streamlit's front end (page_script.py, first.js). A worker draws
it as it draws every other frame: a run is opened, watched for one frame and closed, a still lab is drawn. Answers are
kept, so only the first visitor with a setup costs a run; those of all defaults are there before anybody asks.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import struct
import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages.ui import before_play, board, compare, rail, still_lab
from pages.ui.classroom import locks
from pages.ui.routes.classroom.sockets import register
from pages.ui.session import NO_ANSWER, Predicted, Rail, pool
from pages.ui.widgets import knob_widgets
from playground import mnist
from playground.knobs import Config
from playground.lesson import Lab, LabLesson, LiveLesson
from playground.lessons import BENCHES, LESSONS

SESSION = "first pictures"  # the name under which the engine counts their runs
MAX_KEPT = 64  # answers; the least used goes first. One has 7 to 50 kB
MAX_AT_ONCE = 2  # are drawn; who comes then gets the page's own picture, a second later
MAX_WAIT_SECONDS = 5.0
PAUSE_SECONDS = 4.0  # between the first pictures that are drawn before somebody asks
START_SECONDS = 20.0  # the longest wait for the first worker
MAX_QUERY = 4_000  # characters

NO_PICTURE = "The run could not be built."  # nobody reads it: the page says why

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opening:
    """With what a page opens: its bench, the settings, the knobs that a teacher hides, and the experiment, if any."""

    lesson_name: str
    bench_name: str
    config: Config
    hidden: frozenset[str] = frozenset()
    experiment: str = ""
    asks: before_play.Mode = "on"


def opening(lesson_name: str, query: Mapping[str, str]) -> Opening | None:
    """With what the page of this address opens; None where it is not known at once.

    That is where a parameter is no legal setting, no list of hidden knobs and no experiment.
    """
    lesson, texts = LESSONS.get(lesson_name), dict(query)
    if lesson is None:
        return None
    hidden = frozenset(knob_widgets.names_in(texts.pop(knob_widgets.HIDE, "")))
    experiment, asks = texts.pop(knob_widgets.try_parameter(lesson_name), ""), texts.pop(before_play.PARAMETER, "on")
    if texts.pop(locks.PARAMETER, None) is not None:
        of = register().find(query[locks.PARAMETER])
        if of is not None and (of.locks or of.eyes):
            return None
    found = rail.find(lesson, experiment)
    if asks not in before_play.MODES or (experiment and found is None):
        return None
    mode = before_play.mode_of(asks)
    bench: Any = lesson
    if isinstance(lesson, LabLesson):
        opened = found.bench.name if found else lesson.labs[0].name
        name = f"{lesson_name}_{texts.pop(f'{lesson_name}_{rail.LAB}', opened.removeprefix(f'{lesson_name}_'))}"
        bench = next((lab for lab in lesson.labs if lab.name == name), None)
    if bench is None:
        return None
    prefix = f"{bench.name}_"
    if not all(name.startswith(prefix) and name.removeprefix(prefix) in bench.config.knobs() for name in texts):
        return None
    if found is not None and found.bench is bench and not texts:
        question = before_play.of(lesson, found, mode)
        waits = question is not None and before_play.applies_after(question, found)
        config = bench.config() if waits else found.config
        return Opening(lesson_name, bench.name, config, hidden, experiment, mode)
    config, problems = bench.config.parse({name.removeprefix(prefix): text for name, text in texts.items()})
    return None if problems else Opening(lesson_name, bench.name, config, hidden, experiment, mode)


class Watcher:
    """A viewer that takes one frame."""

    def __init__(self) -> None:
        self.frame: Future[bytes] = Future()

    def deliver(self, frame: bytes) -> None:
        """Take the frame."""
        if not self.frame.done():
            self.frame.set_result(frame)

    def dismiss(self, code: int, reason: str) -> None:
        """There will be none."""
        if not self.frame.done():
            self.frame.set_exception(TimeoutError(f"{code} {reason}"))


class Answers:
    """What was drawn, as it is sent."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Opening, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(MAX_AT_ONCE)

    def get(self, what: Opening, seconds: float = MAX_WAIT_SECONDS) -> bytes | None:
        """The answer; None where too many are being drawn, or nothing comes of it. Blocks while it is drawn."""
        with self._lock:
            kept = self._kept  # another one after `forget`: what was begun before is not kept
            if (found := kept.get(what)) is not None:
                kept.move_to_end(what)
                return found
        if not self._free.acquire(blocking=False):
            return None
        try:
            answer = _draw(what, seconds)
        except (*NO_ANSWER, ValueError):
            return None
        finally:
            self._free.release()
        with self._lock:
            kept[what] = answer
            if len(kept) > MAX_KEPT:
                kept.popitem(last=False)
        return answer

    def forget(self) -> None:
        """Draw everything again: there are other digits now."""
        with self._lock:
            self._kept = OrderedDict()


ANSWERS = Answers()
mnist.inform(ANSWERS.forget)


def draw_one() -> None:
    """Wait until a worker has started and drawn what the first lesson that trains opens with."""
    name = next(name for name, lesson in LESSONS.items() if isinstance(lesson, LiveLesson))
    what = opening(name, {})
    if what is None or ANSWERS.get(what, START_SECONDS) is None:
        log.warning("No worker has drawn a picture in %g seconds.", START_SECONDS)


def draw_defaults(gone: threading.Event) -> None:
    """Draw what every lesson opens with, before anybody asks for it, until the server is gone.

    With pauses: who comes right after the start asks for one of them, which does not take long.
    """
    for name in LESSONS:
        if gone.wait(PAUSE_SECONDS):
            return
        what = opening(name, {})
        if what is None or ANSWERS.get(what) is None:
            log.info("No first picture of %s yet.", name)


def _draw(what: Opening, seconds: float) -> bytes:
    """The length of the board's data, the data as JSON, and the frame, compressed.

    Raises one of NO_ANSWER, or ValueError where these settings cannot be drawn.
    """
    found = BENCHES[what.bench_name]
    assert isinstance(found, (LiveLesson, Lab))
    has_tabs = isinstance(LESSONS[what.lesson_name], LabLesson) and rail.LAB not in what.hidden
    knobs = knob_widgets.for_board(found, what.config, what.hidden)
    state = Rail(at=what.experiment, number=1 if what.experiment else 0)
    if what.experiment:
        state.predicted[what.experiment] = Predicted()
    experiments = rail.data_of(LESSONS[what.lesson_name], found.name, what.config, state, what.hidden, what.asks)
    if isinstance(found, Lab) and found.draw is not None:
        drawn = pool().draw(SESSION, found.name, what.config, b"", 0)
        data, frame = board.still_data(found.charts, still_lab.text_of(found, drawn), knobs, experiments), drawn.frame
    else:
        is_lab = isinstance(found, Lab)
        data = board.live_data(found.charts, found.status, units=found.units,
                               unit_names=found.unit_names if isinstance(found, Lab) else None,
                               settings=None if is_lab else compare.in_words(what.config),
                               knobs=knobs, rail=experiments)  # fmt: skip
        frame = _frame_of_a_run(found, what.config, seconds)
    head = orjson.dumps(data | {"tabs": has_tabs})
    return gzip.compress(struct.pack("<I", len(head)) + head + frame, 6)


def _frame_of_a_run(bench: LiveLesson | Lab, config: Config, seconds: float) -> bytes:
    """Open a run, take the frame with all charts of the first view, and close the run.

    Raises one of NO_ANSWER, or ValueError where the run could not be built.
    """
    charts = [chart for chart in bench.charts if not chart.strip]
    view = charts[0].views[:1]
    names = [each.name for each in bench.charts if each.strip or not each.views or not view or view[0] in each.views]
    options = {toggle.name: toggle.on for chart in bench.charts for toggle in chart.toggles}
    run_id, watcher = pool().open(SESSION, bench.name, config), Watcher()
    try:
        pool().attach(run_id, watcher)
        pool().ask(run_id, watcher, names, options)
        frame = watcher.frame.result(seconds)
    finally:
        pool().detach(run_id, watcher)
        pool().close(run_id, "")
    head = orjson.loads(frame[4 : 4 + struct.unpack("<I", frame[:4])[0]])
    if head.get("state") != "paused" or not head.get("charts"):  # such as one for which there was no memory just then
        raise ValueError(NO_PICTURE)
    return frame


async def serve(request: Request) -> Response:
    """The first picture of the page with this address; an empty answer where the page itself has to show it."""
    query, what = request.query_params, None
    if len(str(query)) <= MAX_QUERY and len(query) == len(query.multi_items()):
        what = opening(request.path_params["lesson"], query)
    answer = None if what is None else await asyncio.to_thread(ANSWERS.get, what)
    if answer is None:
        return Response(status_code=204)
    headers = {"Content-Encoding": "gzip", "Cache-Control": "no-store"}
    return Response(answer, media_type="application/octet-stream", headers=headers)


ROUTES = [Route("/first/{lesson}", serve)]
