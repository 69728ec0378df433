"""The first picture of a live board, before Streamlit has started: what the board shows at step 0, and its frame.

A page's HTML asks for it while the browser still loads Streamlit's front end (page_script.py, first.js). It is drawn by
the same worker code as every other frame: a run is opened, watched for one frame, and closed. Frames are kept, so only
the first visitor with a setup costs a run; those of all defaults are drawn when the server starts.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import struct
import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages.ui import board, compare, knob_widgets, rail
from pages.ui.session import NO_ANSWER, Rail, pool
from playground import mnist
from playground.knobs import Config
from playground.lesson import Chart, Lab, LabLesson, LiveLesson
from playground.lessons import BENCHES, LESSONS

SESSION = "first pictures"  # the name under which the engine counts their runs
MOST_KEPT = 64  # frames, the least used goes first; one has 20 to 300 kB
MOST_AT_ONCE = 2  # runs that are open for a frame; who comes then waits for the page's own picture
MAX_WAIT_SECONDS = 5.0
MAX_QUERY = 4_000  # characters

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opening:
    """With what a page opens: its bench, the settings, the knobs that a teacher hides, and the experiment, if any."""

    lesson_name: str
    bench_name: str
    config: Config
    hidden: frozenset[str] = frozenset()
    experiment: str = ""

    @property
    def bench(self) -> LiveLesson | Lab:
        """The lesson that trains, or the live lab."""
        found = BENCHES[self.bench_name]
        assert isinstance(found, (LiveLesson, Lab))
        return found

    @property
    def charts(self) -> list[Chart]:
        """The charts of the view that the board opens with."""
        strip = [chart for chart in self.bench.charts if chart.strip]
        others = [chart for chart in self.bench.charts if not chart.strip]
        view = others[0].views[0] if others[0].views else ""
        return strip + [chart for chart in others if not chart.views or view in chart.views]

    def data(self) -> dict[str, Any]:
        """What the board is told at first, as the page will tell it."""
        state = Rail(at=self.experiment, number=1 if self.experiment else 0)
        bench = self.bench
        return board.live_data(
            bench.charts, bench.status, units=bench.units if isinstance(bench, Lab) else ("step", "epoch"),
            settings=None if isinstance(bench, Lab) else compare.in_words(self.config),
            knobs=knob_widgets.for_board(bench, self.config, self.hidden),
            rail=rail.data_of(LESSONS[self.lesson_name], bench.name, self.config, state, self.hidden),
        )  # fmt: skip


def opening(lesson_name: str, query: Mapping[str, str]) -> Opening | None:
    """With what the page of this address opens; None where it has no live board, or not at once the one of its knobs.

    That is: any parameter that is not a legal setting, a hidden knob or an experiment.
    """
    lesson, texts = LESSONS.get(lesson_name), dict(query)
    if lesson is None:
        return None
    hidden = frozenset(knob_widgets.names_in(texts.pop(knob_widgets.HIDE, "")))
    experiment = texts.pop(knob_widgets.try_parameter(lesson_name), "")
    found = rail.find(lesson, experiment)
    if experiment and found is None:
        return None
    bench: Any = lesson
    if isinstance(lesson, LabLesson):
        default = found.bench.name.removeprefix(f"{lesson_name}_") if found else lesson.picker().lab  # type: ignore[attr-defined]
        name = f"{lesson_name}_{texts.pop(f'{lesson_name}_{rail.LAB}', default)}"
        bench = next((lab for lab in lesson.labs if lab.name == name), None)
    if bench is None or getattr(bench, "build", None) is None or not bench.charts:
        return None
    prefix = f"{bench.name}_"
    if not all(name.startswith(prefix) and name.removeprefix(prefix) in bench.config.knobs() for name in texts):
        return None
    if found is not None and found.bench is bench and not texts:
        return Opening(lesson_name, bench.name, found.config, hidden, experiment)
    config, problems = bench.config.parse({name.removeprefix(prefix): text for name, text in texts.items()})
    return None if problems else Opening(lesson_name, bench.name, config, hidden, experiment)


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


class Frames:
    """The frames that were drawn, by bench and config."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, Config], bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(MOST_AT_ONCE)

    def get(self, what: Opening) -> bytes | None:
        """The frame of step 0; None where too many are being drawn, or nothing comes of it. Blocks while it is drawn."""
        key = what.bench_name, what.config
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return found
        if not self._free.acquire(blocking=False):
            return None
        try:
            frame = _draw(what)
        except NO_ANSWER:
            return None
        finally:
            self._free.release()
        with self._lock:
            self._kept[key] = frame
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return frame

    def forget(self) -> None:
        """Draw everything anew: there are other digits now."""
        with self._lock:
            self._kept.clear()


FRAMES = Frames()
mnist.inform(FRAMES.forget)


def draw_defaults() -> None:
    """Draw what every lesson opens with, before anybody asks for it."""
    for name in LESSONS:
        if (what := opening(name, {})) is not None and FRAMES.get(what) is None:
            log.info("No first picture of %s yet.", name)


def _draw(what: Opening) -> bytes:
    """Open a run, take the frame with all charts of the first view, and close the run. Raises one of NO_ANSWER."""
    run_id, watcher = pool().open(SESSION, what.bench_name, what.config), Watcher()
    try:
        pool().attach(run_id, watcher)
        options = {toggle.name: toggle.on for chart in what.bench.charts for toggle in chart.toggles}
        pool().ask(run_id, watcher, [chart.name for chart in what.charts], options)
        return watcher.frame.result(MAX_WAIT_SECONDS)
    finally:
        pool().detach(run_id, watcher)
        pool().close(run_id, "")


@lru_cache(maxsize=MOST_KEPT)
def _zipped(what: Opening, frame: bytes) -> bytes:
    """What the browser gets: the length of the board's data, the data as JSON, and the frame."""
    data = orjson.dumps(what.data())
    return gzip.compress(struct.pack("<I", len(data)) + data + frame, 6)


async def serve(request: Request) -> Response:
    """The first picture of the page with this address; an empty answer where the page itself has to show it."""
    query = request.query_params
    what = None
    if len(str(query)) <= MAX_QUERY and len(query) == len(query.multi_items()):
        what = opening(request.path_params["lesson"], query)
    content = None if what is None else await asyncio.to_thread(_answer, what)
    if content is None:
        return Response(status_code=204)
    headers = {"Content-Encoding": "gzip", "Cache-Control": "no-store"}
    return Response(content, media_type="application/octet-stream", headers=headers)


def _answer(what: Opening) -> bytes | None:
    frame = FRAMES.get(what)
    return None if frame is None else _zipped(what, frame)


ROUTES = [Route("/first/{lesson}", serve)]
