"""A worker: a process with an engine, which obeys the front's messages until the connection closes.

The main thread reads messages and passes them on; all that takes time is done by the engine's threads, or at the desk,
a few threads for drawings, files and answers.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any

from playground import mnist
from playground.engine.engine import Engine, UnknownRun
from playground.settings import Settings
from playground.training import devices
from playground.training.thread_choice import CHOICE, StepTimes
from playground.workers import wire
from playground.workers.memory import free_memory, resident_megabytes
from playground.workers.recording import Recording
from playground.workers.service import Service

DESK_THREADS = 32  # as many as may be needed: some drawings take seconds, and the next visitor must not wait for them
REPORT_SECONDS = 0.5
RECIPES_SECONDS = 0.1
TRIM_SECONDS = 5.0  # between two times that free memory is given back to the system, where runs were closed
OUT_OF_MEMORY_SCORE = "500"  # where memory runs out, the system ends a worker before the web process
FAILED = "Something went wrong. Try again."

log = logging.getLogger(__name__)


def set_up_process() -> None:
    """Logging and signals, alike in each process of the workers."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("playground").setLevel(logging.INFO)
    for each in (signal.SIGINT, signal.SIGTERM):  # they are for the front, whose end ends all of them
        signal.signal(each, lambda *_: None)  # not SIG_IGN, which the programs that a worker starts would keep


def main() -> None:
    """A worker that was started without a fork server: its order is a line on stdin."""
    set_up_process()
    devices.warm_up()
    work(json.loads(sys.stdin.readline()))


def work(order: dict[str, Any]) -> None:
    """Connect to the front as it orders, {"address", "key", "number"}, and work until it hangs up."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OUT_OF_MEMORY_SCORE, encoding="ascii")
    address = order["address"]  # a path, or a host and a port, of which JSON makes a list
    try:
        connection = Client(
            address if isinstance(address, str) else tuple(address), authkey=bytes.fromhex(order["key"])
        )
    except (OSError, EOFError) as error:  # the front has ended meanwhile, or else it starts another worker
        log.warning("A worker could not connect: %s.", error)
        return
    outbox = wire.Outbox()
    outbox.start(connection, "outbox", lambda: os._exit(0))
    outbox.post(wire.Hello(order["number"], os.getpid()))
    begin = wire.unpack(connection.recv_bytes())
    worker = Worker(begin.settings, outbox)
    worker.start()
    try:
        while True:
            worker.obey(wire.unpack(connection.recv_bytes()))
    except (EOFError, OSError):
        pass  # the front has ended, and with it everything
    os._exit(0)


class RemoteViewer:
    """A viewer whose socket is in the web process; `gone` is called with its number when its socket is closed."""

    def __init__(self, number: int, outbox: wire.Outbox, gone: Callable[[int], object]) -> None:
        self._number, self._outbox, self._gone = number, outbox, gone

    def deliver(self, frame: bytes) -> None:
        """Send a frame."""
        self._outbox.post_frame(self._number, frame)

    def dismiss(self, code: int, reason: str) -> None:
        """Close the socket."""
        self._outbox.post(wire.Dismiss(self._number, code, reason))
        self._gone(self._number)


class RemotePlaces:
    """Who may play is decided by the front, for all workers together."""

    def __init__(self, outbox: wire.Outbox) -> None:
        self._outbox = outbox

    def ask(self, run_id: str) -> None:
        """A run wants to play."""
        self._outbox.post(wire.AskPlace(run_id))

    def release(self, run_id: str) -> None:
        """A run no longer wants to play."""
        self._outbox.post(wire.ReleasePlace(run_id))


class Worker:
    """What one worker process knows: its engine, its viewers, and how each message is obeyed."""

    def __init__(self, settings: Settings, outbox: wire.Outbox) -> None:
        devices.set_threads(settings.torch_threads)
        CHOICE.set(None)  # until the front says what was measured
        self.outbox = outbox
        self.recording = Recording(
            lambda run_id, recipe: outbox.post(wire.Kept(run_id, recipe)),
            give_copy=lambda viewer, head, state: outbox.post(wire.Copied(viewer, head, state)),
            max_state_bytes=1_000 * settings.kept_kb,
        )
        self.engine = Engine(
            settings,
            prepare=partial(devices.set_threads, settings.torch_threads),
            dropped=self._dropped,
            places=RemotePlaces(outbox),
            before_frame=self.recording.before_frame,
            glanced=lambda run_id, glance: outbox.post(wire.Glanced(run_id, glance)),
        )
        self.service = Service(self.engine, self.recording)
        self.viewers: dict[int, RemoteViewer] = {}
        self.desk = ThreadPoolExecutor(
            DESK_THREADS, "desk", initializer=partial(devices.set_threads, settings.torch_threads)
        )
        self.memory_before = resident_megabytes()
        self.has_dropped = False

    def start(self) -> None:
        """Start the engine and the signs of life."""
        self.engine.start()
        threading.Thread(target=self._report, name="report", daemon=True).start()
        threading.Thread(target=self._hand_over, name="recipes", daemon=True).start()

    def obey(self, message: Any) -> None:
        """Obey one message; the front already knows of a run that is no longer open."""
        with suppress(UnknownRun):
            self._obey(message)

    def _obey(self, message: Any) -> None:
        engine, service = self.engine, self.service
        match message:
            case wire.AskFrame(run_id, number, charts, options):
                if (viewer := self.viewers.get(number)) is not None:
                    engine.ask(run_id, viewer, charts, options)
            case wire.Do(run_id, command, number):
                viewer = None if number is None else self.viewers.get(number)
                if number is None or viewer is not None:
                    engine.command(run_id, command, viewer)
            case wire.Attach(run_id, number, reads, keeps):
                viewer = self.viewers[number] = RemoteViewer(number, self.outbox, self._forget_viewer)
                if keeps and not reads:
                    self.recording.keeps(run_id, number)
                try:
                    engine.attach(run_id, viewer, reads=reads)
                except UnknownRun:
                    self._forget_viewer(number)
            case wire.Detach(run_id, number):
                if (viewer := self.viewers.pop(number, None)) is not None:
                    engine.detach(run_id, viewer)
                self.recording.keeps_no_more(run_id, number)
            case wire.Tune(run_id, config):
                engine.tune(run_id, config)
            case wire.Rebuild(run_id, config, cores, plays):
                engine.rebuild(run_id, config, cores=cores, plays=plays)
            case wire.Open(run_id, session, bench, config, cores, refusal, plays):
                service.open(run_id, session, bench, config, cores, refusal, plays=plays)
            case wire.Allow(run_id):
                service.allow(run_id)
            case wire.OpenBeside(run_id, leader_id, start, knob, value):
                try:
                    service.open_beside(run_id, leader_id, start, knob, value)
                except UnknownRun:
                    self._dropped(run_id, "")
            case wire.OpenAgain(asked, config):
                service.open_again(asked, config)
            case wire.BringBack(run_id):
                try:
                    service.bring_back(message)
                except UnknownRun:
                    self._dropped(run_id, "")
            case wire.Vary(run_id, knob, value):
                service.vary(run_id, knob, value)
            case wire.Close(run_id, reason):
                engine.close(run_id, reason)
            case wire.Hold(run_id, held, obeys):
                engine.hold(run_id, held=held, obeys=obeys)
            case wire.GlanceAt(run_id, looks):
                engine.look(run_id, looks)
            case wire.SetPlace(run_id, place):
                engine.set_place(run_id, place)
            case wire.Request(number, question):
                self._answer(number, question)
            case wire.MeasureThreads(cores):
                CHOICE.begin(cores, lambda times: self.outbox.post(wire.ThreadTimes(dict(times.seconds))))
            case wire.ThreadTimes(seconds):
                CHOICE.set(StepTimes(seconds))
            case wire.NewDigits():
                mnist.forget_here()
            case _:
                raise TypeError(f"A worker does not know {type(message).__name__}.")

    def _forget_viewer(self, number: int) -> None:
        self.viewers.pop(number, None)

    def _dropped(self, run_id: str, reason: str) -> None:
        self.has_dropped = True
        self.recording.forget(run_id)
        self.service.allow(run_id)
        self.outbox.post(wire.Dropped(run_id, reason))

    # Answers.

    def _answer(self, number: int, question: wire.Question) -> None:
        service, engine = self.service, self.engine
        match question:
            case wire.CallRun(run_id, operation, both):
                try:
                    future = engine.call_later(run_id, operation, both=both)
                except UnknownRun as error:
                    self._refuse(number, error)
                    return
                future.add_done_callback(lambda done: self._at_desk(number, partial(_finished, operation, done)))
            case wire.AskState(run_id):
                self.outbox.post(wire.Reply(number, engine.state_of(run_id)))
            case wire.Draw(lab, config, digest, last):
                self._at_desk(number, partial(service.draw, lab, config, digest, last))
            case wire.Compute(operation):
                self._at_desk(number, lambda: operation.finish(operation.on(None)))
            case wire.Restore():
                self._at_desk(number, partial(service.restore, question))
            case wire.ComeBack():
                self._at_desk(number, partial(service.come_back, question))
            case wire.RunReplay():
                r = question
                self._at_desk(number, partial(service.replay, r.run_id, r.session, r.lesson, r.config, r.at, r.since,
                                              r.threads, r.cores))  # fmt: skip

    def _at_desk(self, number: int, work: Callable[[], Any]) -> None:
        """Do something that takes a while, and answer with its result or its refusal."""
        self.desk.submit(self._reply, number, work)

    def _reply(self, number: int, work: Callable[[], Any]) -> None:
        try:
            self.outbox.post(wire.Reply(number, work()))
        except BaseException as error:  # whatever it is, somebody waits for an answer
            self._refuse(number, error)

    def _refuse(self, number: int, error: BaseException) -> None:
        if isinstance(error, ValueError):
            self.outbox.post(wire.Refusal(number, "refused", str(error)))
        elif isinstance(error, UnknownRun):
            self.outbox.post(wire.Refusal(number, "unknown", ""))
        else:
            log.error("An answer failed.", exc_info=error)
            self.outbox.post(wire.Refusal(number, "failed", FAILED))

    # Signs of life.

    def _hand_over(self) -> None:
        """Tell the front again and again from what each run would come back."""
        while True:
            time.sleep(RECIPES_SECONDS)
            try:
                self.recording.tick()
            except Exception:
                log.exception("The recipe of a run could not be made.")

    def _report(self) -> None:
        """Say again and again that this worker lives, and what it uses."""
        at, used, trimmed_at = time.monotonic(), time.process_time(), 0.0
        while True:
            time.sleep(REPORT_SECONDS)
            now, now_used = time.monotonic(), time.process_time()
            self.outbox.post(wire.Report((now_used - used) / (now - at), resident_megabytes() - self.memory_before))
            at, used = now, now_used
            if self.has_dropped and now - trimmed_at > TRIM_SECONDS:
                self.has_dropped, trimmed_at = False, now
                free_memory()


def _finished(operation: Any, done: Future[Any]) -> Any:
    """The result of an operation, brought into the form in which it travels."""
    return operation.finish(done.result())


if __name__ == "__main__":
    main()
