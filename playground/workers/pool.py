"""The front of all workers: what the web process talks to, with the verbs of an engine.

Commands go to the worker that has a run; frames come back as bytes and are handed to the viewer's socket unread. A
worker that is lost is replaced, and its runs come back from their recipes.
"""

from __future__ import annotations

import itertools
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from playground import mnist
from playground.engine import messages as engine_messages
from playground.engine.commands import Command, CommandError, Reset, read_command
from playground.engine.engine import UnknownRun, new_id
from playground.engine.open_run import State
from playground.engine.orders import Refuse
from playground.engine.places import Places
from playground.engine.run import Viewer
from playground.glance import Glance, Looks
from playground.knobs import Value
from playground.settings import Settings
from playground.workers import messages, wire
from playground.workers.operations import Operation
from playground.workers.processes import Processes
from playground.workers.wire import DrawnLab, Loaded, Restored, Returned, Start

if TYPE_CHECKING:
    from playground.workers.recipes import Recipe

ANSWER_SECONDS = 10.0
DRAW_SECONDS = 60.0
START_SECONDS = 90.0  # within which a worker must have connected; a machine may be busy
SILENT_SECONDS = 30.0  # a worker that has given no sign of life for this long is replaced
EARLY_SECONDS = 1.5  # a worker that is lost so soon after its start may have been ended by one of its runs
EARLY_LOSSES_PAUSED, EARLY_LOSSES_CLOSED = 3, 6  # after this many in a row, its runs come back paused, or are closed
CHECK_SECONDS = 0.25
FRESH_SECONDS = 5.0  # a run that was used so recently may be about to be watched
SETTLED_SECONDS = 7.0  # within which a worker's reports show what a closed run has freed
ASKS_OF_ALL_CHARTS = 48  # of a board, among which every chart is named that it shows
AWAY_SECONDS = 60.0  # a session that nobody has used for this long is no work for its worker

# Why a viewer's socket is closed: there is no such run; it was closed on purpose; this server stops.
NO_RUN, CLOSED, STOPS = 4404, 4410, 1012

log = logging.getLogger(__name__)
Result = TypeVar("Result")
__all__ = ["UnknownRun", "WorkerPool"]


class KeepingViewer(Viewer, Protocol):
    """A viewer whose browser keeps what brings its run back."""

    def keep(self, head: str, state: bytes) -> None:
        """Keep this in the place of the last; without a state, the last one stays."""


@dataclass(eq=False)
class Worker:
    """One worker process as the front knows it."""

    number: int
    outbox: wire.Outbox
    early_losses: int  # of the workers before it, one after the other
    started_at: float
    connection: Connection | None = None
    pid: int = 0
    connected_at: float = 0.0
    heard_at: float = 0.0
    cores: float = 0.0  # in use, as last reported
    megabytes: float = 0.0  # of its runs, as last reported
    is_lost: bool = False


@dataclass(eq=False)
class Watch:
    """One viewer of a run, by a number that its worker knows."""

    number: int
    viewer: Viewer
    run_id: str
    reads: bool
    keeps: KeepingViewer | None = None  # the viewer, if its browser keeps what brings the run back
    asked: wire.AskFrame | None = None  # and not yet answered


@dataclass(eq=False)
class RemoteRun:
    """One open run as the front knows it."""

    id: str
    session: str
    worker: Worker
    bench: str  # of a second run: of the one that it is compared with
    config: Any
    beside: wire.OpenBeside | None = None  # how the second of two compared runs was opened
    recipe: Recipe | None = None
    asked: wire.Restore | wire.RunReplay | wire.ComeBack | None = None  # how it was opened, until there is a recipe
    unseen: wire.Tune | wire.Rebuild | wire.Vary | None = None  # the last change that is not in the recipe yet
    plays: bool = False  # it was opened to play at once
    refused: bool = False  # it was not built, because there was no memory for it
    touched_at: float = 0.0
    watches: dict[Viewer, Watch] = field(default_factory=dict)
    controls: Watch | None = None
    asked_charts: dict[str, int] = field(default_factory=dict)  # chart: the number of the ask that named it last
    asked_options: Mapping[str, bool] = field(default_factory=dict)
    asks: int = 0

    def note_ask(self, asked: wire.AskFrame) -> None:
        """Note which charts the controlling viewer shows: slow ones are not in every ask."""
        self.asks += 1
        charts = self.asked_charts | dict.fromkeys(asked.charts, self.asks)
        self.asked_charts = {name: at for name, at in charts.items() if self.asks - at < ASKS_OF_ALL_CHARTS}
        self.asked_options = asked.options


class WorkerPool:
    """All workers of a server. Any thread may call its methods; those that wait for an answer say so."""

    def __init__(
        self,
        settings: Settings | None = None,
        while_waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`while_waiting` surrounds each wait of a thread for a worker's answer."""
        self.settings = settings or Settings()
        self._while_waiting = while_waiting
        self._lock = threading.RLock()
        self._runs: dict[str, RemoteRun] = {}
        self._promised: dict[str, RemoteRun] = {}  # that a worker opens for a question which is not answered yet
        self._watches: dict[int, Watch] = {}
        self._requests: dict[int, tuple[Future[Any], Worker]] = {}
        self._numbers = itertools.count(1)
        self._workers: list[Worker] = []
        self._places = Places(self.settings.max_runs, self._tell_place)
        self._playing: set[str] = set()  # the runs that play or want to
        self._held: dict[str, bool] = {}  # sessions whose runs rest: whether they obey
        self._looked_at: dict[str, Looks] = {}  # runs that a wall of many boards looks at
        self._glanced: Callable[[str, Glance], None] = lambda run_id, glance: None
        self._freed: list[tuple[float, float]] = []  # until when the reports may lack it, and the megabytes
        self._thread_times: wire.ThreadTimes | None = None
        self._measured = threading.Event()  # or there is nothing to measure
        self._processes: Processes | None = None
        self._stopping = threading.Event()

    # The server's start and end.

    def start(self) -> None:
        """Start the workers, unless they run already; returns at once, and what is asked meanwhile waits for them."""
        with self._lock:
            if self._processes is not None:
                return
            self._processes = Processes(self._connected)
            self._processes.start()
            self._workers = [self._start_worker() for _ in range(self.settings.worker_count)]
        mnist.inform(self.read_new_digits)
        threading.Thread(target=self._watch_over, name="workers-check", daemon=True).start()

    def wait_until_calm(self, seconds: float) -> bool:
        """Wait until the work of the start is done: a worker has measured how many threads a CNN's step is to use.

        That keeps all cores busy for half a second. Returns whether it was done within `seconds`.
        """
        return self._measured.wait(seconds)

    def stop(self) -> None:
        """End all workers, and close all runs."""
        self._stopping.set()
        with self._lock:
            workers, processes = list(self._workers), self._processes
            for run in list(self._runs.values()):
                self._forget(run, engine_messages.STOPPING, STOPS)
            abandoned = [future for future, _ in self._requests.values()]
        for future in abandoned:
            future.cancel()
        for worker in workers:
            worker.is_lost = True
            kill(worker.pid)
            worker.outbox.close()
        if processes is not None:
            processes.close()

    @property
    def worker_pids(self) -> list[int]:
        """The process of each worker; 0 for one that is starting."""
        return [worker.pid for worker in self._workers]

    @property
    def fork_server_pid(self) -> int:
        """The process that forks workers; 0 where there is none."""
        return self._processes.fork_server_pid if self._processes is not None else 0

    # The engine's verbs.

    def open(self, session: str, bench: str, config: Any, *, plays: bool = False) -> str:
        """The unguessable id of a new run of a bench for a session; one that `plays` does so once it is watched."""
        with self._lock:
            refusal = "" if self._has_memory(session) else messages.NO_MEMORY
            worker = self._worker_of(session)
            run = RemoteRun(new_id(), session, worker, bench, config, plays=plays, refused=bool(refusal))
            self._add(run)
            run.worker.outbox.post(wire.Open(run.id, session, bench, config, self._free_cores(), refusal, plays))
            self._tell_class(run)
            return run.id

    def open_beside(self, leader_id: str, start: Start, knob: str, value: Any) -> str:
        """The id of a second run that advances together with an open one, with another value of one knob.

        Raises UnknownRun.
        """
        with self._lock:
            leader = self._find(leader_id)
            for each in [run for run in self._runs.values() if run.beside and run.beside.leader_id == leader_id]:
                self.close(each.id, "")  # replaced on purpose: nothing to tell
            beside = wire.OpenBeside(new_id(), leader_id, start, knob, value)
            run = RemoteRun(beside.run_id, leader.session, leader.worker, leader.bench, leader.config, beside)
            self._add(run).worker.outbox.post(beside)
            return run.id

    def vary(self, run_id: str, knob: str, value: Any) -> None:
        """Give the second of two compared runs another value of the knob in which they differ. Raises UnknownRun."""
        with self._lock:
            run = self._find(run_id)
            if run.beside is not None:
                run.beside = wire.OpenBeside(run_id, run.beside.leader_id, run.beside.start, knob, value)
            run.unseen = wire.Vary(run_id, knob, value)
            run.worker.outbox.post(run.unseen)

    def restore(
        self,
        session: str,
        lesson: str,
        content: bytes,
        file_name: str,
        replaces: str,
        locked: Mapping[str, Value] | None = None,
    ) -> Restored | Loaded:
        """Continue from a file's checkpoint in a new run in the place of another one, or load its weights into that.

        Waits. Raises ValueError with a sentence where the file is refused, also for one with other values of `locked`
        settings; nothing has changed then.
        """
        with self._lock:
            worker, cores = self._worker_of(session), self._free_cores()
        asked = wire.Restore(new_id(), session, lesson, content, file_name, cores, replaces, locked or {})
        found: Restored | Loaded
        run = RemoteRun(asked.run_id, session, worker, lesson, None, asked=asked)
        with self._promise(run):
            found = self._ask(worker, asked, DRAW_SECONDS)
            if isinstance(found, Restored):
                run.config = found.config
                self._replace(run, replaced=replaces)
        return found

    def replay(
        self, session: str, lesson: str, config: Any, at: str, since: str, threads: str, replaces: str = ""
    ) -> str:
        """The id of a new run that repeats a shared one, in the place of another one.

        Waits. Raises ValueError with a sentence for a link that cannot be replayed.
        """
        with self._lock:
            worker, cores = self._worker_of(session), self._free_cores()
        asked = wire.RunReplay(new_id(), session, lesson, config, at, since, threads, cores)
        run = RemoteRun(asked.run_id, session, worker, lesson, config, asked=asked)
        with self._promise(run):
            self._ask(worker, asked, DRAW_SECONDS)
            self._replace(run, replaced=replaces)
        return asked.run_id

    def come_back(
        self,
        session: str,
        bench: str,
        config: Any,
        head: str,
        state: bytes,
        last_step: int,
        replaces: str,
        beside: tuple[str, bytes] | None = None,
    ) -> Returned:
        """A run that comes back from what its browser has kept, in the place of another one with this config.

        `beside` is the head and the state of the run beside it, which comes back where it can. Where the config needs
        another run, none does. Waits. Raises ValueError with a sentence; nothing has changed then.
        """
        with self._lock:
            worker, cores = self._worker_of(session), self._free_cores()
        also = None if beside is None else wire.KeptBeside(new_id(), *beside)
        asked = wire.ComeBack(new_id(), session, bench, config, head, state, last_step, cores, also)
        runs = [
            RemoteRun(run_id, session, worker, bench, config, asked=asked)
            for run_id in (asked.run_id, *([also.run_id] if also is not None else []))
        ]
        with self._promise(*runs):
            found = cast(Returned, self._ask(worker, asked, DRAW_SECONDS))
            if found.run_id:
                runs[-1].beside = found.second  # None: there is no second run
                self._replace(*runs[: 1 + (found.second is not None)], replaced=replaces)
        return found

    def close(self, run_id: str, reason: str = engine_messages.CLOSED) -> None:
        """Close a run and free its memory; an unknown id does nothing."""
        with self._lock:
            if (run := self._runs.get(run_id)) is not None:
                run.worker.outbox.post(wire.Close(run_id, reason))
                self._forget(run, reason, CLOSED)

    def has(self, run_id: str) -> bool:
        """Whether the run is open."""
        return run_id in self._runs

    def tune(self, run_id: str, config: Any) -> None:
        """Set live knobs of a running run. Raises UnknownRun."""
        with self._lock:
            run = self._touch(run_id)
            run.config = config
            run.worker.outbox.post(wire.Tune(run_id, config))
            if isinstance(run.unseen, wire.Rebuild):  # both are still to be done
                run.unseen = replace(run.unseen, config=config)
            else:
                run.unseen = wire.Tune(run_id, config)

    def rebuild(self, run_id: str, config: Any, *, plays: bool = False) -> None:
        """Build the run again from a config; it keeps playing if it was playing. Raises UnknownRun.

        With `plays`, it plays in any case, once it is watched.
        """
        with self._lock:
            run = self._touch(run_id)
            self._allow(run)
            run.config = config
            cores, waits = self._free_cores(apart=run_id), isinstance(run.unseen, wire.Rebuild) and run.unseen.plays
            run.worker.outbox.post(wire.Rebuild(run_id, config, cores, plays))
            run.unseen = wire.Rebuild(run_id, config, cores, plays or waits)

    def command(self, run_id: str, command: Command | Refuse | Mapping[str, Any], viewer: Viewer | None = None) -> None:
        """Obey a command, or a message {"do": ...} of a viewer that watches the run; or refuse one with a sentence.

        Raises UnknownRun.
        """
        order: Command | Refuse
        if isinstance(command, (Command, Refuse)):
            order = command
        else:
            try:
                order = read_command(command)
            except CommandError as error:
                order = Refuse(str(error))
        with self._lock:
            run = self._touch(run_id)
            watch = None if viewer is None else run.watches.get(viewer)
            if viewer is None or watch is not None:
                if isinstance(order, Reset):
                    self._allow(run)
                number = None if watch is None else watch.number
                run.worker.outbox.post(wire.Do(run_id, order, number))

    def call(
        self, run_id: str, operation: Operation[Result], timeout: float = ANSWER_SECONDS, *, both: bool = False
    ) -> Result:
        """The result of an operation on the run, and with `both` on the run beside it, too.

        Waits. Raises ValueError with a sentence, UnknownRun, TimeoutError, or CancelledError if the run is closed.
        """
        with self._lock:
            worker = self._touch(run_id).worker
        return cast(Result, self._ask(worker, wire.CallRun(run_id, operation, both), timeout))

    def state_of(self, run_id: str) -> State:
        """The state of a run; "lost" when there is none, or no answer. Waits."""
        run = self._runs.get(run_id)
        if run is None:
            return "lost"
        try:
            return cast(State, self._ask(run.worker, wire.AskState(run_id), ANSWER_SECONDS))
        except (TimeoutError, CancelledError, ValueError, UnknownRun):
            return "lost"

    def draw(self, session: str, lab: str, config: Any, digest: bytes, number: int) -> DrawnLab:
        """What a still lab shows. `digest` and `number` are those of the last picture; the same picture keeps them.

        Waits. Raises ValueError with a sentence where nothing can be drawn, or TimeoutError.
        """
        return cast(DrawnLab, self._at_some_worker(session, wire.Draw(lab, config, digest, number)))

    def compute(self, session: str, operation: Operation[Result], timeout: float = DRAW_SECONDS) -> Result:
        """The result of an operation that needs no run.

        Waits. Raises ValueError with a sentence, or TimeoutError.
        """
        return cast(Result, self._at_some_worker(session, wire.Compute(operation), timeout))

    def _at_some_worker(self, session: str, question: wire.Question, timeout: float = DRAW_SECONDS) -> Any:
        """The answer of the worker of a session to a question that any worker could answer."""
        future = None
        for _ in range(2):  # where a worker is lost meanwhile, the next one draws
            with self._lock:
                worker = self._worker_of(session)
            future = self._send(worker, question)
            try:
                return self._wait(future, timeout)
            except TimeoutError:
                break
            except BaseException:
                if not future.cancelled():
                    raise
        raise TimeoutError(messages.NO_ANSWER)

    def attach(self, run_id: str, viewer: Viewer, *, reads: bool = False, keeps: KeepingViewer | None = None) -> None:
        """Let a viewer watch a run: it controls, in place of the one before, or only reads. Raises UnknownRun.

        One that controls may also be given what its browser `keeps`.
        """
        with self._lock:
            run = self._touch(run_id)
            watch = Watch(next(self._numbers), viewer, run_id, reads, keeps)
            run.watches[viewer] = self._watches[watch.number] = watch
            if not reads:
                run.controls = watch
            run.worker.outbox.post(wire.Attach(run_id, watch.number, reads, keeps is not None))

    def detach(self, run_id: str, viewer: Viewer) -> None:
        """The viewer has gone."""
        with self._lock:
            run = self._runs.get(run_id)
            watch = None if run is None else run.watches.pop(viewer, None)
            if run is None or watch is None:
                return
            self._watches.pop(watch.number, None)
            if run.controls is watch:
                run.controls = None
            run.touched_at = time.monotonic()
            run.worker.outbox.post(wire.Detach(run_id, watch.number))

    def ask(self, run_id: str, viewer: Viewer, charts: Sequence[str], options: Mapping[str, bool]) -> None:
        """The viewer has painted its last frame and wants the next, of these charts. Raises UnknownRun."""
        with self._lock:
            run = self._find(run_id)
            if (watch := run.watches.get(viewer)) is not None:
                watch.asked = asked = wire.AskFrame(run_id, watch.number, tuple(charts), dict(options))
                if not watch.reads:
                    run.note_ask(asked)
                run.worker.outbox.post(asked)

    # A class: many boards at a time.

    def session_of(self, run_id: str) -> str | None:
        """The session whose run this is; None where there is none."""
        run = self._runs.get(run_id)
        return None if run is None else run.session

    def bench_of(self, run_id: str) -> str | None:
        """The bench whose run this is; None where there is none."""
        run = self._runs.get(run_id)
        return None if run is None else run.bench

    def config_of(self, run_id: str) -> Any:
        """The settings of a run; None where there is none."""
        run = self._runs.get(run_id)
        return None if run is None else run.config

    def last_ask(self, run_id: str) -> tuple[tuple[str, ...], dict[str, bool]]:
        """The charts that the run's controlling viewer has asked for lately, and its options."""
        with self._lock:
            run = self._runs.get(run_id)
            return ((), {}) if run is None else (tuple(run.asked_charts), dict(run.asked_options))

    def hold(self, sessions: Mapping[str, bool]) -> None:
        """Let all runs of these sessions rest, also those that are opened later; those of all others go on.

        Each session comes with whether its runs obey their viewers meanwhile.
        """
        with self._lock:
            before, self._held = self._held, dict(sessions)
            for run in self._runs.values():
                if before.get(run.session) != self._held.get(run.session):
                    self._say_whether_held(run)

    def _say_whether_held(self, run: RemoteRun) -> None:
        obeys = self._held.get(run.session)
        run.worker.outbox.post(wire.Hold(run.id, obeys is not None, bool(obeys)))

    def look(self, at: Mapping[str, Looks], glanced: Callable[[str, Glance], None]) -> None:
        """Glance at these runs from now on, and at no others: at each that has changed, twice a second at most.

        `glanced` is called from another thread, and must return at once.
        """
        with self._lock:
            before, self._looked_at, self._glanced = self._looked_at, dict(at), glanced
            for run_id in before.keys() | self._looked_at.keys():
                looks, run = self._looked_at.get(run_id, "no"), self._runs.get(run_id)
                if run is not None and looks != before.get(run_id, "no"):
                    run.worker.outbox.post(wire.GlanceAt(run_id, looks))

    def _tell_class(self, run: RemoteRun) -> None:
        """A run was opened, perhaps again in another worker: whether it rests, and whether it is looked at."""
        if run.session in self._held:
            self._say_whether_held(run)
        if (looks := self._looked_at.get(run.id)) is not None:
            run.worker.outbox.post(wire.GlanceAt(run.id, looks))

    @property
    def open_runs(self) -> int:
        """The number of open runs."""
        return len(self._runs)

    @property
    def has_room(self) -> bool:
        """Whether one more run could play at once, and would find memory."""
        with self._lock:
            return len(self._playing) < self.settings.max_runs and not (self._runs and self._is_full())

    def read_new_digits(self) -> None:
        """Have every worker read the digits of this machine again: a download has ended."""
        with self._lock:
            for worker in self._workers:
                worker.outbox.post(wire.NewDigits())

    # Runs and sessions; called with the lock held.

    def _find(self, run_id: str) -> RemoteRun:
        try:
            return self._runs[run_id]
        except KeyError:
            raise UnknownRun(run_id) from None

    def _touch(self, run_id: str) -> RemoteRun:
        run = self._find(run_id)
        run.touched_at = time.monotonic()
        return run

    def _add(self, run: RemoteRun) -> RemoteRun:
        run.touched_at = time.monotonic()
        self._runs[run.id] = run
        return run

    @contextmanager
    def _promise(self, *runs: RemoteRun) -> Iterator[None]:
        """Runs that a worker is asked to open: their recipes count already, and may come before the answer is read."""
        with self._lock:
            self._promised |= {run.id: run for run in runs}
        try:
            yield
        finally:
            with self._lock:
                for run in runs:
                    del self._promised[run.id]

    def _replace(self, *runs: RemoteRun, replaced: str) -> None:
        """Put a run, perhaps with the one beside it, in the place of another one."""
        with self._lock:
            if runs[0].worker.is_lost:
                raise TimeoutError(messages.NO_ANSWER)
            for run in runs:
                self._add(run)
                self._tell_class(run)
            self.close(replaced)

    def _forget(self, run: RemoteRun, reason: str, code: int = NO_RUN) -> None:
        """A run is no longer open; its viewers are told why."""
        self._runs.pop(run.id, None)
        self._release_place(run.id)
        for watch in run.watches.values():
            self._watches.pop(watch.number, None)
            watch.viewer.dismiss(code, reason)
        run.watches.clear()

    def _worker_of(self, session: str) -> Worker:
        """The worker that has a session's runs, or else the one with the least to do."""
        sessions: dict[Worker, set[str]] = {worker: set() for worker in self._workers}  # that are here
        playing, now = dict.fromkeys(self._workers, 0), time.monotonic()
        for run in self._runs.values():
            if run.session == session:
                return run.worker
            if run.watches or now - run.touched_at < AWAY_SECONDS:
                sessions[run.worker].add(run.session)
            playing[run.worker] += run.id in self._playing
        return min(self._workers, key=lambda each: (2 * playing[each] + len(sessions[each]), each.cores))

    def _free_cores(self, apart: str = "") -> int:
        """How many cores a run that is built now may use."""
        return max(1, self.settings.cores - len(self._playing - {apart}))

    # Places and memory.

    def _ask_place(self, run_id: str) -> None:
        if run_id in self._runs:
            self._playing.add(run_id)
            self._places.ask(run_id)

    def _release_place(self, run_id: str) -> None:
        self._playing.discard(run_id)
        self._places.release(run_id)

    def _tell_place(self, run_id: str, place: int) -> None:
        if (run := self._runs.get(run_id)) is not None:
            run.worker.outbox.post(wire.SetPlace(run_id, place))

    def _has_memory(self, session: str) -> bool:
        """Whether there is memory for another run; a session's own unwatched runs are closed for it at once.

        There is for the only one: what the workers hold then is their own.
        """
        if not self._is_full() or all(run.refused for run in self._runs.values()):
            return True
        for run in self._unwatched(session):
            self._evict(run)
            return True
        return bool(self._unwatched())

    def _allow(self, run: RemoteRun) -> None:
        """Let a run be built that there was no memory for, if there is now."""
        if run.refused and self._has_memory(run.session):
            run.refused = False
            run.worker.outbox.post(wire.Allow(run.id))

    def _is_full(self) -> bool:
        now = time.monotonic()
        self._freed = [(end, megabytes) for end, megabytes in self._freed if end > now]
        held = sum(worker.megabytes for worker in self._workers) - sum(megabytes for _, megabytes in self._freed)
        return held > self.settings.memory_limit_mb

    def _evict(self, run: RemoteRun) -> None:
        """Close a run for its memory, which the reports of its worker show some seconds later."""
        share = run.worker.megabytes / sum(each.worker is run.worker for each in self._runs.values())
        self._freed.append((time.monotonic() + SETTLED_SECONDS, share))
        self.close(run.id, messages.CLOSED_FOR_MEMORY)

    def _unwatched(self, session: str = "", unused_seconds: float = 0.0) -> list[RemoteRun]:
        """The runs that nobody watches, of one session or of all, the one that was used longest ago first."""
        since = time.monotonic() - unused_seconds
        found = [
            run for run in self._runs.values()
            if not run.watches and not run.refused and session in ("", run.session) and run.touched_at <= since
        ]  # fmt: skip
        return sorted(found, key=lambda run: run.touched_at)

    # Requests.

    def _send(self, worker: Worker, question: wire.Question) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            number = next(self._numbers)
            if worker.is_lost:
                future.cancel()
                return future
            self._requests[number] = future, worker
            future.add_done_callback(lambda done: self._requests.pop(number, None))
            worker.outbox.post(wire.Request(number, question))
        return future

    def _ask(self, worker: Worker, question: wire.Question, timeout: float) -> Any:
        try:
            return self._wait(self._send(worker, question), timeout)
        except TimeoutError:
            raise TimeoutError(messages.NO_ANSWER) from None

    def _wait(self, future: Future[Any], timeout: float) -> Any:
        """The answer. Raises TimeoutError if it does not come in time; it is no longer waited for then."""
        with self._while_waiting():
            try:
                return future.result(timeout)
            except TimeoutError:
                with self._lock:  # not while an answer is being written into it
                    future.cancel()
                raise

    # Workers.

    def _start_worker(self, early_losses: int = 0) -> Worker:
        worker = Worker(next(self._numbers), wire.Outbox(), early_losses, time.monotonic())
        worker.outbox.post(wire.Begin(self.settings))
        if self._thread_times is not None:
            worker.outbox.post(self._thread_times)
        assert self._processes is not None
        threading.Thread(target=self._start_process, args=(worker,), name="worker-start", daemon=True).start()
        return worker

    def _start_process(self, worker: Worker) -> None:
        """Start its process; a fork server that has to be started first keeps nobody else waiting."""
        assert self._processes is not None
        try:
            self._processes.start_worker(worker.number)
        except OSError:
            log.exception("A worker could not be started.")
            time.sleep(1)
            self._lose(worker)

    def _connected(self, hello: wire.Hello, connection: Connection) -> None:
        with self._lock:
            found = [worker for worker in self._workers if worker.number == hello.number and not worker.is_lost]
            if not found or self._stopping.is_set():
                connection.close()
                return
            (worker,) = found
            worker.connection, worker.pid = connection, hello.pid
            worker.connected_at = worker.heard_at = time.monotonic()
            if self.settings.cores == 1:
                self._measured.set()
            elif self._thread_times is None and worker is self._workers[0]:
                worker.outbox.post(wire.MeasureThreads(self.settings.cores))
        worker.outbox.start(connection, f"to-worker-{worker.number}", lambda: self._lose(worker))
        name = f"from-worker-{worker.number}"
        threading.Thread(target=self._listen, args=(worker, connection), name=name, daemon=True).start()

    def _listen(self, worker: Worker, connection: Connection) -> None:
        """Take what a worker sends, until it is lost."""
        try:
            while not worker.is_lost:
                received = wire.unpack(connection.recv_bytes())
                if type(received) is tuple:
                    number, frame = received
                    if (watch := self._watches.get(number)) is not None:
                        watch.asked = None
                        watch.viewer.deliver(frame)
                else:
                    self._take(worker, received)
        except (EOFError, OSError):
            pass
        except Exception:
            log.exception("A worker's message could not be read.")
        with suppress(OSError):
            connection.close()
        self._lose(worker)

    def _take(self, worker: Worker, message: Any) -> None:
        with self._lock:
            if worker.is_lost:
                return
            match message:
                case wire.Report(cores, megabytes):
                    worker.heard_at, worker.cores, worker.megabytes = time.monotonic(), cores, megabytes
                case wire.Reply(number, result):
                    if number in self._requests:
                        self._requests[number][0].set_result(result)
                case wire.Refusal(number, kind, sentence):
                    if number in self._requests:
                        self._requests[number][0].set_exception(
                            UnknownRun() if kind == "unknown" else ValueError(sentence)
                        )
                case wire.Kept(run_id, recipe):
                    if (run := self._runs.get(run_id) or self._promised.get(run_id)) is not None:
                        run.recipe, run.asked = recipe.after(run.recipe), None
                        if _shows(recipe, run):
                            run.unseen = None
                case wire.Copied(number, head, state):
                    if (watch := self._watches.get(number)) is not None and watch.keeps is not None:
                        watch.keeps.keep(head, state)
                case wire.Dismiss(number, code, reason):
                    if (watch := self._watches.pop(number, None)) is not None:
                        watch.viewer.dismiss(code, reason)
                case wire.Dropped(run_id, reason):
                    if run_id in self._runs:
                        self._forget(self._runs[run_id], reason)
                case wire.Glanced(run_id, glance):
                    if run_id in self._looked_at:
                        self._glanced(run_id, glance)
                case wire.AskPlace(run_id):
                    self._ask_place(run_id)
                case wire.ReleasePlace(run_id):
                    self._release_place(run_id)
                case wire.ThreadTimes():
                    self._thread_times = message
                    self._measured.set()
                    for each in self._workers:
                        each.outbox.post(message)

    def _watch_over(self) -> None:
        """Replace workers that give no sign of life, and free memory where runs take too much."""
        while not self._stopping.wait(CHECK_SECONDS):
            now = time.monotonic()
            with self._lock:
                silent = [
                    worker for worker in self._workers
                    if (worker.pid and now - worker.heard_at > SILENT_SECONDS)
                    or (not worker.pid and now - worker.started_at > START_SECONDS)
                ]  # fmt: skip
                processes = self._processes
                if processes is not None:
                    silent += [
                        worker for worker in self._workers
                        if not worker.pid and worker not in silent and not processes.is_coming(worker.number)
                    ]  # fmt: skip
                if self._is_full() and (unwatched := self._unwatched(unused_seconds=FRESH_SECONDS)):
                    self._evict(unwatched[0])
            for worker in silent:
                log.error("A worker gave no sign of life and is replaced.")
                self._lose(worker)
            if processes is not None:
                processes.keep_ready()

    # A worker that is lost.

    def _lose(self, worker: Worker) -> None:
        """Start another worker in the place of a lost one, and bring its runs back there."""
        with self._lock:
            if worker.is_lost or self._stopping.is_set():
                return
            worker.is_lost = True
            kill(worker.pid)
            worker.outbox.close()
            losses = worker.early_losses  # one that never connected was not ended by a run
            if worker.connected_at:
                losses = losses + 1 if time.monotonic() - worker.connected_at < EARLY_SECONDS else 0
            successor = self._start_worker(losses)
            self._workers[self._workers.index(worker)] = successor
            runs = [run for run in self._runs.values() if run.worker is worker]
            log.error("Worker %d was lost with %d runs, which come back in another one.", worker.pid, len(runs))
            for run in runs:
                self._release_place(run.id)
                run.worker = successor
            for run in runs:
                if successor.early_losses >= EARLY_LOSSES_CLOSED:
                    self._forget(run, messages.STOPPED_TOO_OFTEN, CLOSED)
                else:
                    self._bring_back(run)
            abandoned = [future for future, whose in self._requests.values() if whose is worker]
        for future in abandoned:
            future.cancel()

    def _bring_back(self, run: RemoteRun) -> None:
        worker = run.worker
        if run.recipe is not None:
            may_play = worker.early_losses < EARLY_LOSSES_PAUSED
            notice = messages.CAME_BACK if may_play else messages.CAME_BACK_PAUSED
            cores = self._free_cores()
            worker.outbox.post(wire.BringBack(run.id, run.session, run.recipe, cores, notice, may_play))
            if run.unseen is not None:
                worker.outbox.post(run.unseen)
        elif run.beside is not None:
            first = self._runs.get(run.beside.leader_id)
            if run.asked is None or first is None or first.asked is not run.asked:  # or else it comes with the first
                worker.outbox.post(run.beside)
        elif run.asked is not None:
            worker.outbox.post(wire.OpenAgain(run.asked, run.config))
        else:
            cores = self._free_cores()
            worker.outbox.post(wire.Open(run.id, run.session, run.bench, run.config, cores, plays=run.plays))
        self._tell_class(run)
        for watch in run.watches.values():
            if watch.reads or watch is run.controls:
                worker.outbox.post(wire.Attach(run.id, watch.number, watch.reads, watch.keeps is not None))
                if watch.asked is not None:
                    worker.outbox.post(watch.asked)


def _shows(recipe: Recipe, run: RemoteRun) -> bool:
    """Whether a recipe has what was last changed in a run."""
    if run.beside is not None:
        beside = recipe.beside
        return beside is not None and (beside.knob, beside.value) == (run.beside.knob, run.beside.value)
    return bool(recipe.config == run.config)


def kill(pid: int) -> None:
    """End a process at once; 0 is none."""
    if pid:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
