"""The engine gives every open run its fair share of the machine, and every viewer as many frames as it asks for.

while True:
    run = the next one in turn that has something to do
    obey its orders and train it, together for a slice; draw a frame if its viewer has asked for one
    if its orders took more than its share: let it rest
"""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from playground.engine import messages
from playground.engine.commands import Ask, Command, CommandError, Leave, Pause, read_command
from playground.engine.lockstep import BuildBeside, Vary, notice_of, on_common_axes, say_compared, time_of
from playground.engine.open_run import OpenRun, State, UnknownRun, admit
from playground.engine.orders import Call, Order, Rebuild, Refuse, Revary, Tune
from playground.engine.run import Run, Viewer
from playground.settings import Settings

log = logging.getLogger(__name__)
__all__ = ["Engine", "UnknownRun"]
Result = TypeVar("Result")

MAX_SLICE_SECONDS = 0.025  # one run's turn when it has the machine to itself
MIN_SLICE_SECONDS = 0.002
ROUND_SECONDS = 0.28  # within which every playing run should have had its turn
TRAINING_PER_DRAWING = 25  # in a crowd, a turn trains this many times as long as its frame takes to draw
URGENT_EVERY_SECONDS = 0.1  # how often a run's orders may jump the queue
LONG_TURN_SECONDS = 0.05  # a turn with one long step, order or frame; what follows is a run without one
COUNT_EVERY_SECONDS = 0.05  # how often the runs that train are counted
HOUSEKEEPING_SECONDS = 1.0
MAX_AWAY_SECONDS = 5.0  # a run whose page is left longer is paused; a board that the page rebuilds is back sooner
MAX_IDLE_SECONDS_IN_QUEUE = 60.0  # an unwatched run is closed this soon while others wait


def new_id() -> str:
    """An unguessable id for a run."""
    return secrets.token_urlsafe(18)


class Engine:
    """Runs, workers and limits. Any thread may call its public methods; all but `call` and `stop` return at once.

    `prepare` is called first in each worker's thread, `dropped` with the id and a sentence whenever a run is closed.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        prepare: Callable[[], None] = lambda: None,
        dropped: Callable[[str, str], None] = lambda run_id, reason: None,
    ) -> None:
        self.settings = settings or Settings()
        self._prepare = prepare
        self._dropped = dropped
        self._frame_seconds = 1.0 / self.settings.frame_rate
        lock = threading.RLock()
        self._ready = threading.Condition(lock)  # there may be something to do
        self._admitted = threading.Condition(lock)  # there may be a run to build
        self._runs: dict[str, OpenRun] = {}
        self._turns: deque[OpenRun] = deque()
        self._urgent: deque[OpenRun] = deque()
        self._threads: list[threading.Thread] = []
        self._stopping = False
        self._kept_house_at = 0.0
        self._counted_at = 0.0
        self._training = 1  # how many runs train, as last counted
        self._sharing = 1  # how many want a share of the machine: those that train, and those with orders
        self._was_costly = False  # the last turn was long, or orders filled it: next comes a run whose turn is short

    def start(self) -> None:
        """Start the workers, unless they run already."""
        with self._ready:
            if self._threads:
                return
            self._stopping = False
            self._threads = [threading.Thread(target=self._work, name="engine", daemon=True)]
            self._threads.append(threading.Thread(target=self._build, name="engine-builder", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the workers after their current slice, and close all runs."""
        with self._ready:
            self._stopping = True
            self._ready.notify_all()
            self._admitted.notify_all()
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join()
        with self._ready:
            for opened in list(self._runs.values()):
                self._drop(opened, messages.STOPPING)

    def open(
        self,
        session: str,
        build: Callable[[Any], Run],
        config: Any,
        *,
        run_id: str | None = None,
        cores: int | None = None,
    ) -> str:
        """The id of a new run, `build(config)`, for a session; an unguessable one if none is given.

        `cores` is what a run with long steps may use; without it, what is free. Over the limit, the run waits in a
        queue. A session over its own limit loses the run that it has not used for longest.
        """
        with self._ready:
            return self._open(OpenRun(run_id or new_id(), session, build, config, cores=cores)).id

    def open_beside(
        self,
        leader_id: str,
        build: BuildBeside,
        vary: Vary,
        compared: str,
        *,
        run_id: str | None = None,
        cores: int | None = None,
    ) -> str:
        """The id of a second run that advances together with an open one and obeys the same player.

        `build` makes it from the leader's run and from its own config, which is always `vary(the leader's config)`;
        `compared` names the knob in which they differ. Raises UnknownRun.
        """
        with self._ready:
            leader = self._find(leader_id)
            if leader.follower is not None:
                self._drop(leader.follower, messages.CLOSED)
            leader.touched_at = time.monotonic()  # so that it is not the one closed when the session has too many
            follower = OpenRun(
                run_id or new_id(), leader.session, build, leader.config, vary=vary, compared=compared, cores=cores
            )
            follower.leader, leader.follower, leader.watching.stale = leader, follower, True
            return self._open(follower).id

    def vary(self, run_id: str, vary: Vary) -> None:
        """Give the second of two compared runs another value of the setting in which they differ, from now on."""
        self._enqueue(run_id, Revary(vary))

    def close(self, run_id: str) -> None:
        """Close a run and free its memory; an unknown id does nothing."""
        with self._ready:
            if opened := self._runs.get(run_id):
                self._drop(opened, messages.CLOSED)

    def has(self, run_id: str) -> bool:
        """Whether the run is open."""
        return run_id in self._runs

    def tune(self, run_id: str, config: Any) -> None:
        """Set live knobs of a running run."""
        self._enqueue(run_id, Tune(config))

    def rebuild(self, run_id: str, config: Any, cores: int | None = None) -> None:
        """Build the run again from a config; it keeps playing if it was playing. `cores` as in `open`."""
        self._enqueue(run_id, Rebuild(config, cores))

    def command(self, run_id: str, command: Command | Mapping[str, Any], viewer: Viewer | None = None) -> None:
        """Queue a command, which is obeyed between two steps, or a message {"do": ...} that holds one.

        A message that holds none shows the reason as a notice. What comes from a `viewer` counts only while that one
        watches the run: of a board that was replaced, the last message may arrive late. Raises UnknownRun.
        """
        if viewer is not None and self._find(run_id).watching.viewer is not viewer:
            return
        order: Command | Refuse
        if isinstance(command, Command):
            order = command
        else:
            try:
                order = read_command(command)
            except CommandError as error:
                order = Refuse(str(error))
        if isinstance(order, Leave):
            with self._ready:
                self._find(run_id).left_at = time.monotonic()
        else:
            self._enqueue(run_id, order)

    def call(
        self, run_id: str, function: Callable[[Run], Result], timeout: float = 10.0, *, both: bool = False
    ) -> Result:
        """The result of a function of the run, called between two steps. Raises what it raises, or TimeoutError.

        With `both`, the run beside it (`open_beside`), if there is one, is changed in the same way.
        """
        return self.call_later(run_id, function, both=both).result(timeout)

    def call_later(self, run_id: str, function: Callable[[Run], Result], *, both: bool = False) -> Future[Result]:
        """Like `call`, without waiting: the future of the result, cancelled if the run is closed before."""
        future: Future[Result] = Future()
        self._enqueue(run_id, Call(function, future, both))
        return future

    def attach(self, run_id: str, viewer: Viewer, reads: bool = False) -> None:
        """Let a viewer watch a run, in place of the one before. Raises UnknownRun."""
        with self._ready:
            opened = self._find(run_id)
            if time.monotonic() - opened.left_at > MAX_AWAY_SECONDS:
                opened.orders.add(Pause(), opened.config)
            opened.left_at = math.inf
            before = opened.watching.attach(viewer)
            opened.touched_at = time.monotonic()
        if before is not None:
            before.dismiss(4409, messages.WATCHED_ELSEWHERE)

    def detach(self, run_id: str, viewer: Viewer) -> None:
        """The viewer has gone; its run stops training at once, and what the viewer still asked for is forgotten."""
        with self._ready:
            opened = self._runs.get(run_id)
            if opened is not None and opened.watching.viewer is viewer:
                opened.watching.detach()
                opened.orders.drop_commands()
                opened.touched_at = time.monotonic()

    def ask(self, run_id: str, viewer: Viewer, charts: Sequence[str], options: Mapping[str, bool]) -> None:
        """The viewer has painted its last frame and wants the next, of these charts. Raises UnknownRun."""
        with self._ready:
            watching = self._find(run_id).watching
            if watching.viewer is viewer:
                watching.ask(Ask(tuple(charts), dict(options)), time.monotonic())
                self._ready.notify()

    @property
    def open_runs(self) -> int:
        """The number of open runs, those in the queue among them."""
        return len(self._runs)

    def state_of(self, run_id: str) -> State:
        """The state of a run; "lost" when there is none."""
        opened = self._runs.get(run_id)
        return "lost" if opened is None else opened.shown_state

    # The methods below are called with the lock held, except the threads' _work and _build, and what makes up a turn:
    # _serve, _obey, _take and _frame.

    def _find(self, run_id: str) -> OpenRun:
        try:
            return self._runs[run_id]
        except KeyError:
            raise UnknownRun(run_id) from None

    def _open(self, opened: OpenRun) -> OpenRun:
        own = [each for each in self._runs.values() if each.session == opened.session]
        too_many = max(0, len(own) + 1 - self.settings.runs_per_session)
        for spare in sorted(own, key=lambda each: each.touched_at)[:too_many]:
            self._drop(spare, messages.TOO_MANY)
        opened.touched_at = time.monotonic()
        self._runs[opened.id] = opened
        self._turns.append(opened)
        self._admit()
        self._ready.notify_all()
        return opened

    def _admit(self) -> None:
        admit(self._runs.values(), self.settings.max_runs)
        self._admitted.notify()

    def _enqueue(self, run_id: str, order: Order) -> None:
        with self._ready:
            opened = self._find(run_id)
            if isinstance(order, (Command, Refuse)) and opened.leader is not None:
                opened = opened.leader  # whichever of two boards it comes from, both runs obey
            opened.orders.add(order, opened.config)
            now = opened.touched_at = time.monotonic()
            if now - opened.urgent_at > URGENT_EVERY_SECONDS:
                opened.urgent_at = now
                self._urgent.append(opened)
            self._ready.notify()

    def _drop(self, opened: OpenRun, reason: str) -> None:
        self._runs.pop(opened.id, None)
        if opened in self._turns:
            self._turns.remove(opened)
        opened.orders.cancel()
        if opened.watching.viewer is not None:
            opened.watching.viewer.dismiss(4404, reason)
        opened.run = None
        opened.watching.detach()
        self._dropped(opened.id, reason)
        if (leader := opened.leader) is not None:
            leader.follower, opened.leader, leader.watching.stale = None, None, True
            say_compared(leader.run, is_compared=False)
            if leader.run is not None and leader.run.outcome:  # it had ended, and waited for the other
                leader.state = leader.run.outcome
        if opened.follower is not None:
            self._drop(opened.follower, reason)
        self._admit()

    def _keep_house(self, now: float) -> None:
        self._kept_house_at = now
        max_idle = 60.0 * self.settings.idle_minutes
        if any(not opened.admitted for opened in self._runs.values()):
            max_idle = min(max_idle, MAX_IDLE_SECONDS_IN_QUEUE)
        for opened in list(self._runs.values()):
            if opened.watching.viewer is None and not opened.busy and now - opened.touched_at > max_idle:
                self._drop(opened, messages.IDLE)

    def _next_to_build(self) -> OpenRun | None:
        """Wait for a run that can be built; None when the engine stops."""
        while not self._stopping:
            for opened in self._runs.values():
                if opened.can_be_built and not opened.is_busy:
                    return opened
            self._admitted.wait(HOUSEKEEPING_SECONDS)
        return None

    def _next(self) -> OpenRun | None:
        """Wait for a run with something to do; None when the engine stops."""
        while not self._stopping:
            now = time.monotonic()
            if now - self._kept_house_at > HOUSEKEEPING_SECONDS:
                self._keep_house(now)
            due, soonest = None, now + HOUSEKEEPING_SECONDS
            if not self._was_costly:
                due = self._next_in_a_hurry(now)
            for opened in self._turns if due is None else ():
                if opened.is_busy or opened.can_be_built or opened.awaits_follower:
                    continue
                due_at = opened.due_at(now, self._frame_seconds)
                soonest = min(soonest, due_at)
                if due_at <= now:
                    due = due or opened
                    if not self._was_costly or self._is_light(opened, now):
                        due = opened
                        break
            self._was_costly = False
            if due is not None:
                self._turns.remove(due)
                self._turns.append(due)
                return due
            self._ready.wait(soonest - now)
        return None

    def _is_light(self, opened: OpenRun, now: float) -> bool:
        """Whether a run's turn will be short: it has no orders, and neither steps nor frames that take long."""
        return not opened.has_orders(now) and opened.turn_seconds <= LONG_TURN_SECONDS

    def _next_in_a_hurry(self, now: float) -> OpenRun | None:
        """The next run whose orders may jump the queue: one that owes no time to the others."""
        while self._urgent:
            opened = self._urgent.popleft()
            may_come = opened.id in self._runs and not opened.is_busy and not opened.debt.at(now)
            if may_come and opened.has_orders(now):
                return opened
        return None

    def _slice_seconds(self, opened: OpenRun, now: float) -> float:
        """The length of a run's turn: short enough for a whole round to stay short and for its next frame in time."""
        if now - self._counted_at > COUNT_EVERY_SECONDS:
            self._counted_at = now
            self._training = sum(each.is_training(now) for each in self._runs.values()) or 1
            self._sharing = sum(each.contends(now) for each in self._runs.values()) or 1
        alone = 1.0 / self._sharing
        draw_seconds = opened.watching.draw_seconds
        seconds = min(MAX_SLICE_SECONDS, max(MIN_SLICE_SECONDS, ROUND_SECONDS * alone - draw_seconds))
        if opened.watching.asked is None:
            return seconds
        enough = (1 - alone) * TRAINING_PER_DRAWING * draw_seconds
        return min(seconds, max(MIN_SLICE_SECONDS, enough, opened.next_frame_at(self._frame_seconds) - now))

    def _free_cores(self) -> int:
        """How many cores a run that is built now may use: those on which no other run trains."""
        now = time.monotonic()
        return self.settings.free_cores(sum(each.is_training(now) for each in list(self._runs.values())))

    def _share(self, opened: OpenRun, now: float) -> float:
        """How much of the time is a run's due, from 0 to 1: all of it while no other run wants any."""
        others = sum(each.contends(now) for each in self._runs.values() if each not in (opened, opened.partner))
        return 1.0 / (others + 1)

    def _work(self) -> None:
        """Serve one run after the other."""
        self._serve_all(self._next)

    def _build(self) -> None:
        """Build the runs that are opened, each in its first turn: it may read files, for which no other run waits."""
        self._serve_all(self._next_to_build)

    def _serve_all(self, next_run: Callable[[], OpenRun | None]) -> None:
        self._prepare()
        while True:
            with self._ready:
                opened = next_run()
                if opened is None:
                    return
                opened.busy = True
                now = time.monotonic()
                seconds, trains = self._slice_seconds(opened, now), opened.is_training(now)
            try:
                self._serve(opened, seconds, trains=trains)
            except Exception:
                log.exception("A worker failed outside a run.")
            finally:
                with self._ready:
                    opened.busy = False
                    self._ready.notify()
                    if opened.partner is not None and opened.partner.can_be_built:  # it waited for this one
                        self._admitted.notify()

    def _serve(self, opened: OpenRun, seconds: float, *, trains: bool) -> None:
        """One turn of one run. An error that the run raises ends that run with a sentence, and no other."""
        spent, start = 0.0, time.monotonic()
        if opened.can_be_built:
            try:
                opened.build_run(self._free_cores())
            except Exception as error:
                opened.fail(error)
        if not opened.rests(time.monotonic()):
            spent = self._obey(opened, seconds)
            if opened.run is not None and trains and spent < seconds and opened.has_steps:
                try:
                    opened.train(seconds - spent, self.settings)
                except Exception as error:
                    opened.fail(error)
        drawing_at, has_obeyed = time.monotonic(), opened.has_obeyed
        self._frame(opened)
        opened.settle()
        if (partner := opened.partner) is not None:  # in the same turn: both show the same step
            self._frame(partner)
            partner.settle()
        now = time.monotonic()
        if has_obeyed and not opened.has_obeyed:  # the frame that shows what was ordered is part of its cost
            spent += now - drawing_at
        opened.turn_seconds = 0.8 * opened.turn_seconds + 0.2 * (now - start)
        if spent >= seconds or now - start > LONG_TURN_SECONDS:
            self._was_costly = True
        if spent:
            with self._ready:
                opened.debt.add(spent, now, self._share(opened, now))

    def _obey(self, opened: OpenRun, seconds: float) -> float:
        """Carry out a run's orders until the time is up; returns the seconds that it took.

        One order at least, so the last one may take longer; those that are left wait for the run's next turn.
        """
        start = now = time.monotonic()
        while now - start < seconds and (order := self._take(opened)) is not None:
            try:
                opened.obey(order, self._free_cores())
            except Exception as error:
                opened.fail(error)
            now = time.monotonic()
        return now - start

    def _take(self, opened: OpenRun) -> Order | None:
        if not opened.orders:
            return None
        with self._ready:
            return opened.orders.take()

    def _frame(self, opened: OpenRun) -> None:
        """Draw and deliver a frame if one has been asked for, is due, and would show something new."""
        watching = opened.watching
        with self._ready:
            viewer, asked, writer, now = watching.viewer, watching.asked, watching.writer, time.monotonic()
            if viewer is None or asked is None or not watching.wants_frame:
                return
            if now < opened.next_frame_at(self._frame_seconds):
                return
            watching.stale, watching.shown, watching.asked = False, asked, None
        head, charts = opened.head(), {}
        if opened.run is not None:
            try:
                drawing = opened.run.draw(list(asked.charts), asked.options)
                charts = on_common_axes(opened, drawing.charts)
                head |= {"status": opened.status(drawing.status), "note": notice_of(opened) or drawing.note}
                head |= {"time": time_of(opened, drawing.time)}
            except Exception as error:
                opened.fail(error)
                watching.stale = False  # drawn again when something changes, not again and again
                head |= opened.head()
        frame = writer.write(head, charts)
        opened.has_obeyed = False
        watching.draw_seconds = 0.8 * watching.draw_seconds + 0.2 * (time.monotonic() - now)
        watching.framed_at = now if frame or watching.restless else watching.framed_at
        if frame:
            viewer.deliver(frame)
            return
        with self._ready:  # nothing has changed after all: the viewer keeps waiting
            if watching.viewer is viewer and watching.asked is None:
                watching.asked = asked
