"""The engine gives every open run its fair share of the machine, and every viewer as many frames as it asks for.

while True:
    run = the next one in turn that has something to do
    obey its commands; train it for a slice; draw a frame if its viewer has asked for one
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
from playground.engine.lockstep import BuildBeside, Vary, notice_of, on_common_axes, time_of
from playground.engine.open_run import (
    Call,
    OpenRun,
    Order,
    Rebuild,
    Refuse,
    Revary,
    State,
    Tune,
    UnknownRun,
    admit,
    cancel_calls,
)
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
COUNT_EVERY_SECONDS = 0.05  # how often the runs that train are counted
HOUSEKEEPING_SECONDS = 1.0
MAX_AWAY_SECONDS = 3.0  # a run whose page is left longer is paused; a board that the page rebuilds is back sooner
MAX_IDLE_SECONDS_IN_QUEUE = 60.0  # an unwatched run is closed this soon while others wait


class Engine:
    """Runs, workers and limits. Any thread may call its public methods; all but `call` and `stop` return at once.

    `prepare` is called first in each worker's thread.
    """

    def __init__(self, settings: Settings | None = None, prepare: Callable[[], None] = lambda: None) -> None:
        self.settings = settings or Settings()
        self._prepare = prepare
        self._frame_seconds = 1.0 / self.settings.frame_rate
        self._ready = threading.Condition()
        self._runs: dict[str, OpenRun] = {}
        self._turns: deque[OpenRun] = deque()
        self._urgent: deque[OpenRun] = deque()
        self._threads: list[threading.Thread] = []
        self._stopping = False
        self._kept_house_at = 0.0
        self._counted_at = 0.0
        self._sharing = 1  # how many runs train, as last counted

    def start(self) -> None:
        """Start the workers, unless they run already."""
        with self._ready:
            if self._threads:
                return
            self._stopping = False
            self._threads = [
                threading.Thread(target=self._work, name=f"engine-{index}", daemon=True)
                for index in range(self.settings.worker_count)
            ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the workers after their current slice, and close all runs."""
        with self._ready:
            self._stopping = True
            self._ready.notify_all()
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join()
        with self._ready:
            for opened in list(self._runs.values()):
                self._drop(opened, messages.STOPPING)

    def open(self, session: str, build: Callable[[Any], Run], config: Any) -> str:
        """The unguessable id of a new run, `build(config)`, for a session. Over the limit, the run waits in a queue.

        A session over its own limit loses the run that it has not used for longest.
        """
        with self._ready:
            return self._open(OpenRun(secrets.token_urlsafe(18), session, build, config)).id

    def open_beside(self, leader_id: str, build: BuildBeside, vary: Vary, compared: str) -> str:
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
                secrets.token_urlsafe(18), leader.session, build, leader.config, vary=vary, compared=compared
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

    def rebuild(self, run_id: str, config: Any) -> None:
        """Build the run again from a config; it keeps playing if it was playing."""
        self._enqueue(run_id, Rebuild(config))

    def command(self, run_id: str, command: Command | Mapping[str, Any]) -> None:
        """Queue a command, which is obeyed between two steps, or a message {"do": ...} that holds one.

        A message that holds none shows the reason as a notice. Raises UnknownRun.
        """
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
        future: Future[Result] = Future()
        self._enqueue(run_id, Call(function, future, both))
        return future.result(timeout)

    def attach(self, run_id: str, viewer: Viewer) -> None:
        """Let a viewer watch a run, in place of the one before. Raises UnknownRun."""
        with self._ready:
            opened = self._find(run_id)
            if time.monotonic() - opened.left_at > MAX_AWAY_SECONDS:
                opened.orders.append(Pause())
            opened.left_at = math.inf
            before = opened.watching.attach(viewer)
            opened.touched_at = time.monotonic()
        if before is not None:
            before.dismiss(4409, messages.WATCHED_ELSEWHERE)

    def detach(self, run_id: str, viewer: Viewer) -> None:
        """The viewer has gone; its run stops training at once."""
        with self._ready:
            opened = self._runs.get(run_id)
            if opened is not None and opened.watching.viewer is viewer:
                opened.watching.detach()
                opened.touched_at = time.monotonic()

    def ask(self, run_id: str, viewer: Viewer, charts: Sequence[str], options: Mapping[str, bool]) -> None:
        """The viewer has painted its last frame and wants the next, of these charts. Raises UnknownRun."""
        with self._ready:
            watching = self._find(run_id).watching
            if watching.viewer is viewer:
                watching.ask(Ask(tuple(charts), dict(options)), time.monotonic())
                self._ready.notify()

    def state_of(self, run_id: str) -> State:
        """The state of a run; "lost" when there is none."""
        opened = self._runs.get(run_id)
        return "lost" if opened is None else opened.shown_state

    # The methods below are called with the lock held, except _work, _serve and _frame.

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
        admit(self._runs.values(), self.settings.max_runs)
        self._ready.notify_all()
        return opened

    def _enqueue(self, run_id: str, order: Order) -> None:
        with self._ready:
            opened = self._find(run_id)
            if isinstance(order, (Command, Refuse)) and opened.leader is not None:
                opened = opened.leader  # whichever of two boards it comes from, both runs obey
            opened.orders.append(order)
            now = opened.touched_at = time.monotonic()
            if now - opened.urgent_at > URGENT_EVERY_SECONDS:
                opened.urgent_at = now
                self._urgent.append(opened)
            self._ready.notify()

    def _drop(self, opened: OpenRun, reason: str) -> None:
        self._runs.pop(opened.id, None)
        if opened in self._turns:
            self._turns.remove(opened)
        cancel_calls(opened.orders)
        opened.orders.clear()
        if opened.watching.viewer is not None:
            opened.watching.viewer.dismiss(4404, reason)
        opened.run = None
        opened.watching.detach()
        if (leader := opened.leader) is not None:
            leader.follower, opened.leader, leader.watching.stale = None, None, True
            if leader.run is not None and leader.run.outcome:  # it had ended, and waited for the other
                leader.state = leader.run.outcome
        if opened.follower is not None:
            self._drop(opened.follower, reason)
        admit(self._runs.values(), self.settings.max_runs)

    def _keep_house(self, now: float) -> None:
        self._kept_house_at = now
        max_idle = 60.0 * self.settings.idle_minutes
        if any(not opened.admitted for opened in self._runs.values()):
            max_idle = min(max_idle, MAX_IDLE_SECONDS_IN_QUEUE)
        for opened in list(self._runs.values()):
            if opened.watching.viewer is None and not opened.busy and now - opened.touched_at > max_idle:
                self._drop(opened, messages.IDLE)

    def _next(self) -> OpenRun | None:
        """Wait for a run with something to do; None when the engine stops."""
        while not self._stopping:
            now = time.monotonic()
            if now - self._kept_house_at > HOUSEKEEPING_SECONDS:
                self._keep_house(now)
            while self._urgent:
                opened = self._urgent.popleft()
                if opened.id in self._runs and not opened.is_busy and opened.orders:
                    return opened
            soonest = now + HOUSEKEEPING_SECONDS
            for opened in self._turns:
                if opened.is_busy:
                    continue
                due = opened.due_at(now, self._frame_seconds)
                if due <= now:
                    self._turns.remove(opened)
                    self._turns.append(opened)
                    return opened
                soonest = min(soonest, due)
            self._ready.wait(soonest - now)
        return None

    def _slice_seconds(self, opened: OpenRun, now: float) -> float:
        """The length of a run's turn: short enough for a whole round to stay short and for its next frame in time."""
        if now - self._counted_at > COUNT_EVERY_SECONDS:
            self._counted_at = now
            self._sharing = sum(each.is_training(now) for each in self._runs.values()) or 1
        alone = min(1.0, self.settings.worker_count / self._sharing)  # 1 when each run has a worker of its own
        draw_seconds = opened.watching.draw_seconds
        seconds = min(MAX_SLICE_SECONDS, max(MIN_SLICE_SECONDS, ROUND_SECONDS * alone - draw_seconds))
        if opened.watching.asked is None:
            return seconds
        enough = (1 - alone) * TRAINING_PER_DRAWING * draw_seconds
        return min(seconds, max(MIN_SLICE_SECONDS, enough, opened.next_frame_at(self._frame_seconds) - now))

    def _work(self) -> None:
        self._prepare()
        while True:
            with self._ready:
                opened = self._next()
                if opened is None:
                    return
                opened.busy = True
                orders = list(opened.orders)
                opened.orders.clear()
                now = time.monotonic()
                seconds = self._slice_seconds(opened, now) if opened.is_training(now) else 0.0
            try:
                self._serve(opened, orders, seconds)
            except Exception:
                log.exception("A worker failed outside a run.")
            finally:
                with self._ready:
                    opened.busy = False
                    self._ready.notify()

    def _serve(self, opened: OpenRun, orders: list[Order], seconds: float) -> None:
        """One turn of one run. An error that the run raises ends that run with a sentence, and no other."""
        try:
            if opened.can_be_built:
                opened.build_run()
            for order in orders:
                opened.obey(order)
            if opened.run is not None and seconds > 0 and opened.has_steps:
                opened.train(seconds, self.settings, self._sharing)
        except Exception as error:
            opened.fail(error)
            cancel_calls(orders)
        self._frame(opened)
        opened.settle()
        if (partner := opened.partner) is not None:  # in the same turn: both show the same step
            self._frame(partner)
            partner.settle()

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
        watching.draw_seconds = 0.8 * watching.draw_seconds + 0.2 * (time.monotonic() - now)
        watching.framed_at = now if frame or watching.restless else watching.framed_at
        if frame:
            viewer.deliver(frame)
            return
        with self._ready:  # nothing has changed after all: the viewer keeps waiting
            if watching.viewer is viewer and watching.asked is None:
                watching.asked = asked
