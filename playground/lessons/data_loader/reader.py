"""Reads batches with worker processes in the background, so that the server never waits and no process is left over.

Each reading has a thread that waits for the batches; a run only looks at its list. The processes end when the reading
is over, when it is garbage collected, when nobody looks at it for a while, and with the server.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from playground import shared_folder
from playground.lessons.data_loader.timed_dataset import TIMEOUT_SECONDS, Batch, Plan, read

log = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[3]
COMMAND = (sys.executable, "-m", "playground.lessons.data_loader.worker_host")
MAX_SECONDS = 60.0  # of one reading in a host, on a machine that is not busy
USUAL_START_SECONDS = 3.0  # of a host: a machine on which it takes longer is busy, and all time limits grow with it
MAX_SLOWNESS = 10.0
QUIET_SECONDS = 1.0  # without a batch: then the visitor reads that workers are starting
STOP_SECONDS = 2.0  # from the request to stop until the host is killed
LEASE_SECONDS = 10.0  # a reading ends if nobody looks at it for this long
POLL_SECONDS = 0.1
PLACE = "loader-{number}.lock"  # in the server's shared folder: whoever has one of these locks may read

OFF = "Worker processes are switched off on this server, so the main process reads all batches."
FELL_BACK = (
    "A worker process failed, so the main process read the same batches without workers. Press Reset and Play to try "
    "again."
)
TOO_SLOW = (
    "The worker processes took longer than {seconds:.0f} s, because this server is busy, so the main process read the "
    "same batches without workers. Press Reset and Play later to try again."
)
WAITING = "Other visitors’ workers are running. Yours start automatically when those are done."
STARTING = "Starting the worker processes: {seconds:.0f} s so far."
FAILED = "Reading the data failed; the server’s log has the reason."


class WorkersFailed(OSError):
    """Workers failed: `reason` is one of the host's REASONS, `plan` the index of the plan that was being read."""

    def __init__(self, reason: str, plan: int) -> None:
        super().__init__(reason)
        self.reason, self.plan = reason, plan


class Host:
    """The process that reads with workers, and its pipes.

    `slowness` is how many times longer than usual it took to start; 1 until it is known.
    """

    def __init__(self) -> None:
        self.began, self.slowness, self.ready = time.monotonic(), 1.0, False
        variables = os.environ | {"OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(COMMAND, cwd=ROOT, env=variables, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, start_new_session=True)  # fmt: skip

    def read(self, plans: Sequence[Plan]) -> Iterator[Batch]:
        """The batches of all plans as they arrive. Raises WorkersFailed, or OSError if the host fails."""
        assert self.process.stdout is not None
        if not self.ready:
            self._wait_until_ready()
        patient = [replace(plan, timeout=self.slowness * TIMEOUT_SECONDS) for plan in plans]
        self.write(json.dumps([asdict(plan) for plan in patient]))
        for line in self.process.stdout:
            message = json.loads(line)
            if "over" in message:
                if message["over"]:
                    raise WorkersFailed(message["over"], message["plan"])
                return
            yield Batch(**message)
        raise OSError("the process ended")

    def _wait_until_ready(self) -> None:
        """Read the first line, and learn from its time how busy the machine is: a spawned worker starts alike."""
        assert self.process.stdout is not None
        if not self.process.stdout.readline():
            raise OSError("the process ended")
        seconds = time.monotonic() - self.began
        self.ready, self.slowness = True, min(max(1.0, seconds / USUAL_START_SECONDS), MAX_SLOWNESS)

    def write(self, line: str) -> None:
        """Send a line. Raises OSError if the host has ended."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """End the host and its workers at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class Hosts:
    """The hosts of this process: keeps one warm for the next reading, and limits how many read at once.

    The limit holds for all processes of a server together. The system gives back the place of one that was killed.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.busy: set[Host] = set()
        self.places: list[shared_folder.Lock | None] = []  # of this process's readings; None where it is alone
        self.warm: list[Host] = []
        self.closed = False

    def enter(self, limit: int) -> bool:
        """Whether the reading may start, because fewer than `limit` run on this server."""
        with self.lock:
            if len(self.places) >= limit:
                return False
            folder = shared_folder.path()
            try:
                place = None if folder is None else _free_place(folder, limit)
            except OSError:  # it was removed, because the server ends
                place = folder = None
            if place is None and folder is not None:
                return False
            self.places.append(place)
            return True

    def leave(self) -> None:
        """Let the next reading start."""
        with self.lock:
            place = self.places.pop()
        if place is not None:
            place.release()

    def take(self) -> Host:
        """A running host, warm or new. Raises OSError if no process can be started."""
        with self.lock:
            if self.closed:
                raise OSError("the server ends")
            host = None
            while self.warm and host is None:
                host = self.warm.pop()
                if host.process.poll() is not None:
                    host.kill()
                    host = None
            host = host or Host()
            self.busy.add(host)
            return host

    def give_back(self, host: Host, *, sound: bool) -> None:
        """Keep a sound host for the next reading if none is kept yet; end any other."""
        with self.lock:
            self.busy.discard(host)
            if sound and not self.warm:
                self.warm.append(host)
                return
        host.kill()

    def close(self) -> None:
        """End every process and start no more: the server ends."""
        self.closed = True
        self.end_all()

    def end_all(self) -> None:
        """End every process; a reading in progress falls back to 0 workers."""
        with self.lock:
            hosts = [*self.warm, *self.busy]
            self.warm.clear()
        for host in hosts:
            host.kill()


def _free_place(folder: Path, limit: int) -> shared_folder.Lock | None:
    """One of the server's `limit` places; None if all are taken."""
    places = (shared_folder.try_lock(folder / PLACE.format(number=number)) for number in range(limit))
    return next((place for place in places if place is not None), None)


hosts = Hosts()
atexit.register(hosts.close)


@dataclass
class Inbox:
    """The batches of a reading so far, shared by its thread and the run that shows them."""

    batches: list[Batch] = field(default_factory=list)
    note: str = ""  # a sentence for the visitor: that it waits, or that it fell back
    fell_back: bool = False
    ended: bool = False
    failed: bool = False
    stopped: threading.Event = field(default_factory=threading.Event)
    host: Host | None = None
    too_slow: bool = False  # it was ended because it took too long
    looked_at: float = field(default_factory=time.monotonic)
    heard_at: float = field(default_factory=time.monotonic)  # when the reading began, or of its last batch

    def stop(self) -> None:
        """End the reading soon; returns at once."""
        self.stopped.set()
        host = self.host
        if host is not None and not self.ended:
            with contextlib.suppress(OSError, ValueError):
                host.write("stop")


class Loading:
    """One reading of some plans, started at once. It stops when it is closed or garbage collected.

    `limit` is how many readings with workers may run at once; with 0 there are no worker processes.
    """

    def __init__(self, plans: Sequence[Plan], limit: int) -> None:
        self._inbox = Inbox()
        self._thread = threading.Thread(target=_fill, args=(self._inbox, tuple(plans), limit), daemon=True)
        self._thread.start()
        self.close = weakref.finalize(self, self._inbox.stop)

    def look(self) -> list[Batch]:
        """The batches so far, always the same growing list; a call keeps the reading alive."""
        self._inbox.looked_at = time.monotonic()
        return self._inbox.batches

    @property
    def note(self) -> str:
        """A sentence for the visitor, or an empty text."""
        inbox = self._inbox
        seconds = time.monotonic() - inbox.heard_at
        if inbox.host is not None and seconds > QUIET_SECONDS:
            return STARTING.format(seconds=seconds)
        return inbox.note

    @property
    def fell_back(self) -> bool:
        """Whether the main process read because the workers could not."""
        return self._inbox.fell_back

    @property
    def alive(self) -> bool:
        """Whether more batches may come. Raises RuntimeError if reading failed even with 0 workers."""
        if self._inbox.failed:
            raise RuntimeError(FAILED)
        return not self._inbox.ended


def _fill(inbox: Inbox, plans: tuple[Plan, ...], limit: int) -> None:
    """The body of the reading's thread: reads in a host if there are workers, otherwise in this process."""
    try:
        if not any(plan.workers for plan in plans):
            _read_here(inbox, plans)
        elif limit == 0:
            inbox.fell_back, inbox.note = True, OFF
            _read_here(inbox, plans)
        else:
            _read_in_turn(inbox, plans, limit)
    except Exception:
        log.exception("A reading failed.")
        inbox.failed = True
    finally:
        inbox.ended = True


def _read_in_turn(inbox: Inbox, plans: tuple[Plan, ...], limit: int) -> None:
    while not hosts.enter(limit):
        inbox.note = WAITING
        inbox.stopped.wait(POLL_SECONDS)
        if _is_over(inbox):
            return
    try:
        inbox.note, inbox.heard_at = "", time.monotonic()
        _read_in_host(inbox, plans)
    except OSError as error:
        if not hosts.closed and not _is_over(inbox):
            log.warning("Workers failed (%s); reading without them.", error)
            _fall_back(inbox, plans, error)
    finally:
        hosts.leave()


def _fall_back(inbox: Inbox, plans: tuple[Plan, ...], error: OSError) -> None:
    """Read the plan that failed, and those after it, without workers; plans that were read before stay as they are."""
    batches = list(inbox.batches)
    first = error.plan if isinstance(error, WorkersFailed) else batches[-1].plan if batches else 0
    slow = inbox.too_slow or (isinstance(error, WorkersFailed) and error.reason == "slow")
    seconds = time.monotonic() - inbox.heard_at
    inbox.fell_back, inbox.note = True, TOO_SLOW.format(seconds=seconds) if slow else FELL_BACK
    inbox.batches = [batch for batch in batches if batch.plan < first]
    _read_here(inbox, plans, first)


def _read_in_host(inbox: Inbox, plans: tuple[Plan, ...]) -> None:
    host = hosts.take()
    sound, guard = False, threading.Thread(target=_guard, args=(inbox, host), daemon=True)
    try:
        inbox.host = host
        guard.start()
        for batch in host.read(plans):
            inbox.heard_at = time.monotonic()
            inbox.batches.append(batch)
        sound = True
    except ValueError as error:  # a pipe closed or a line cut short, because the host was killed
        raise OSError(str(error)) from error
    finally:
        inbox.host, inbox.ended = None, sound
        hosts.give_back(host, sound=sound)


def _guard(inbox: Inbox, host: Host) -> None:
    """Stop the reading if nobody looks at it, and kill the host if it takes too long or does not stop."""
    began = time.monotonic()
    while inbox.host is host and not _is_over(inbox):
        if time.monotonic() > began + host.slowness * MAX_SECONDS:
            inbox.too_slow = True
            break
        inbox.stopped.wait(POLL_SECONDS)
    if inbox.host is host and _is_over(inbox):
        inbox.stop()
        end = time.monotonic() + STOP_SECONDS
        while inbox.host is host and time.monotonic() < end:
            time.sleep(POLL_SECONDS / 4)
    if inbox.host is host:
        host.kill()


def _is_over(inbox: Inbox) -> bool:
    """Whether nobody needs the batches any more."""
    return inbox.stopped.is_set() or time.monotonic() - inbox.looked_at > LEASE_SECONDS


def _read_here(inbox: Inbox, plans: tuple[Plan, ...], first: int = 0) -> None:
    """Read the plans from the index `first` on with 0 workers, in this thread."""
    for number, plan in enumerate(plans[first:], start=first):
        for batch in read(replace(plan, workers=0), number):
            inbox.batches.append(batch)
            time.sleep(0)  # let the engine's threads run
            if _is_over(inbox):
                return
