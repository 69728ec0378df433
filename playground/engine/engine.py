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
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from playground.engine.frames import FrameWriter
from playground.engine.lockstep import BuildBeside, Vary, build, notice_of, on_common_axes, time_of
from playground.engine.open_run import OpenRun, State, UnknownRun, admit, cancel_calls, obey, train
from playground.engine.run import Run, Viewer
from playground.settings import Settings

log = logging.getLogger(__name__)
__all__ = ["Engine", "UnknownRun"]
Result = TypeVar("Result")

SLICE_SECONDS = 0.025  # one run's turn when it has the machine to itself
ROUND_SECONDS = 0.28  # within which every playing run should have had its turn
SHORTEST_SLICE_SECONDS = 0.002
TRAINING_PER_DRAWING = 25  # in a crowd, a turn trains this many times as long as its frame takes to draw
URGENT_EVERY_SECONDS = 0.1  # how often a run's commands may jump the queue
COUNT_EVERY_SECONDS = 0.05  # how often the runs that train are counted
HOUSEKEEPING_SECONDS = 1.0
BACK_AT_ONCE_SECONDS = 3.0  # a board that the page has built anew watches within this, and its run plays on
CLOSED = "This run was closed. Press Reset to start anew."
WAITING_EVICTS_AFTER_SECONDS = 60.0  # with others waiting, an unwatched run goes this soon


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
        """Start the workers; starting twice is starting once."""
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
        """Stop the workers after their present slice; the runs are dropped."""
        with self._ready:
            self._stopping = True
            self._ready.notify_all()
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join()
        with self._ready:
            for opened in list(self._runs.values()):
                self._drop(opened, "The server is stopping.")

    def open(self, session: str, build: Callable[[Any], Run], config: Any) -> str:
        """A new run of `build(config)` for a session; returns its unguessable id. Over the limit, it waits in a queue.

        A session over its own limit loses the run it has not touched for longest.
        """
        with self._ready:
            return self._open(OpenRun(secrets.token_urlsafe(18), session, build, config)).id

    def open_beside(self, leader_id: str, build: BuildBeside, vary: Vary, compared: str) -> str:
        """A second run that advances together with an open one and obeys the same player; returns its id.

        `build` makes it of the leader's run and of its own config, which is always `vary` of the leader's; `compared`
        names the knob in which they differ. Raises UnknownRun.
        """
        with self._ready:
            leader = self._find(leader_id)
            if leader.follower is not None:
                self._drop(leader.follower, CLOSED)
            leader.touched_at = time.monotonic()  # not the one to go where the session has too many
            follower = OpenRun(
                secrets.token_urlsafe(18), leader.session, build, leader.config, vary=vary, compared=compared
            )
            follower.leader, leader.follower, leader.stale = leader, follower, True
            return self._open(follower).id

    def vary(self, run_id: str, vary: Vary) -> None:
        """Give a run beside another one another value of the setting in which they differ, from now on."""
        self._enqueue(run_id, ("vary", vary))

    def close(self, run_id: str) -> None:
        """Drop a run and free its memory; an unknown one is no error."""
        with self._ready:
            if opened := self._runs.get(run_id):
                self._drop(opened, CLOSED)

    def has(self, run_id: str) -> bool:
        """Whether the run is open."""
        return run_id in self._runs

    def tune(self, run_id: str, config: Any) -> None:
        """Turn live knobs of a running run."""
        self._enqueue(run_id, ("tune", config))

    def rebuild(self, run_id: str, config: Any) -> None:
        """Build the run anew from a config; it goes on playing if it was playing."""
        self._enqueue(run_id, ("rebuild", config))

    def command(self, run_id: str, command: Mapping[str, Any]) -> None:
        """Queue a command: {"do": "play" | "pause" | "step" | "reset" | "speed" | ...}; obeyed between two steps.

        {"do": "leave"} says that the viewer's page is left: whoever comes back to it later finds the run paused.
        """
        if command.get("do") == "leave":
            with self._ready:
                self._find(run_id).left_at = time.monotonic()
        else:
            self._enqueue(run_id, ("do", dict(command)))

    def call(self, run_id: str, function: Callable[[Run], Result], timeout: float = 10.0) -> Result:
        """Run a function on the run between two steps and wait for the result. Raises what it does, or TimeoutError."""
        future: Future[Result] = Future()
        self._enqueue(run_id, ("call", function, future))
        return future.result(timeout)

    def attach(self, run_id: str, viewer: Viewer) -> None:
        """Let a viewer watch a run, in place of the one before. Raises UnknownRun."""
        with self._ready:
            opened = self._find(run_id)
            if time.monotonic() - opened.left_at > BACK_AT_ONCE_SECONDS:
                opened.commands.append(("do", {"do": "pause"}))
            opened.left_at = math.inf
            before, opened.viewer = opened.viewer, viewer
            opened.writer, opened.asked, opened.stale = FrameWriter(), None, True
            opened.touched_at = time.monotonic()
        if before is not None:
            before.dismiss(4409, "This run is being watched elsewhere.")

    def detach(self, run_id: str, viewer: Viewer) -> None:
        """The viewer has gone; its run stops training at once."""
        with self._ready:
            opened = self._runs.get(run_id)
            if opened is not None and opened.viewer is viewer:
                opened.viewer, opened.asked = None, None
                opened.touched_at = time.monotonic()

    def ask(self, run_id: str, viewer: Viewer, charts: list[str], options: Mapping[str, bool]) -> None:
        """The viewer has painted its last frame and wants the next, of these charts. Raises UnknownRun."""
        with self._ready:
            opened = self._find(run_id)
            if opened.viewer is viewer:
                opened.asked, opened.asked_at = (tuple(charts), dict(options)), time.monotonic()
                self._ready.notify()

    def state_of(self, run_id: str) -> State:
        """The state of a run; "lost" when there is none."""
        opened = self._runs.get(run_id)
        return "lost" if opened is None else opened.shown_state

    # What follows is called with the lock held, but for _work, _serve and what _serve calls.

    def _find(self, run_id: str) -> OpenRun:
        try:
            return self._runs[run_id]
        except KeyError:
            raise UnknownRun(run_id) from None

    def _open(self, opened: OpenRun) -> OpenRun:
        own = [each for each in self._runs.values() if each.session == opened.session]
        too_many = max(0, len(own) + 1 - self.settings.runs_per_session)
        for spare in sorted(own, key=lambda each: each.touched_at)[:too_many]:
            self._drop(spare, "This run was put away: a session keeps a few runs only. Press Reset to start anew.")
        opened.touched_at = time.monotonic()
        self._runs[opened.id] = opened
        self._turns.append(opened)
        admit(self._runs.values(), self.settings.max_runs)
        self._ready.notify_all()
        return opened

    def _enqueue(self, run_id: str, order: tuple[Any, ...]) -> None:
        with self._ready:
            opened = self._find(run_id)
            if order[0] == "do" and opened.leader is not None:
                opened = opened.leader  # whichever of two boards it comes from, both runs obey
            opened.commands.append(order)
            now = opened.touched_at = time.monotonic()
            if now - opened.urgent_at > URGENT_EVERY_SECONDS:
                opened.urgent_at = now
                self._urgent.append(opened)
            self._ready.notify()

    def _drop(self, opened: OpenRun, reason: str) -> None:
        self._runs.pop(opened.id, None)
        if opened in self._turns:
            self._turns.remove(opened)
        cancel_calls(opened.commands)
        opened.commands.clear()
        if opened.viewer is not None:
            opened.viewer.dismiss(4404, reason)
        opened.viewer = opened.run = opened.asked = None
        if (leader := opened.leader) is not None:
            leader.follower, opened.leader, leader.stale = None, None, True
            if leader.run is not None and leader.run.outcome:  # it had ended, and waited for the other
                leader.state = leader.run.outcome
        if opened.follower is not None:
            self._drop(opened.follower, reason)
        admit(self._runs.values(), self.settings.max_runs)

    def _keep_house(self, now: float) -> None:
        self._kept_house_at = now
        waiting = any(not opened.admitted for opened in self._runs.values())
        idle = 60.0 * self.settings.idle_minutes
        if waiting:
            idle = min(idle, WAITING_EVICTS_AFTER_SECONDS)
        for opened in list(self._runs.values()):
            if opened.viewer is None and not opened.busy and now - opened.touched_at > idle:
                self._drop(opened, "This run was put away after its idle time. Press Reset to start anew.")

    def _next(self) -> OpenRun | None:
        """Wait for a run with something to do; None when the engine stops."""
        while not self._stopping:
            now = time.monotonic()
            if now - self._kept_house_at > HOUSEKEEPING_SECONDS:
                self._keep_house(now)
            while self._urgent:
                opened = self._urgent.popleft()
                if opened.id in self._runs and not opened.is_busy and opened.commands:
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
        """A run's turn: short enough that a whole round stays short, and that a frame asked for comes in time."""
        if now - self._counted_at > COUNT_EVERY_SECONDS:
            self._counted_at = now
            self._sharing = sum(each.training(now) for each in self._runs.values()) or 1
        alone = min(1.0, self.settings.worker_count / self._sharing)  # 1 when each run has a worker of its own
        seconds = min(SLICE_SECONDS, max(SHORTEST_SLICE_SECONDS, ROUND_SECONDS * alone - opened.draw_seconds))
        if opened.asked is None:
            return seconds
        enough = (1 - alone) * TRAINING_PER_DRAWING * opened.draw_seconds
        return min(seconds, max(SHORTEST_SLICE_SECONDS, enough, opened.next_frame_at(self._frame_seconds) - now))

    def _work(self) -> None:
        self._prepare()
        while True:
            with self._ready:
                opened = self._next()
                if opened is None:
                    return
                opened.busy = True
                orders = list(opened.commands)
                opened.commands.clear()
                now = time.monotonic()
                seconds = self._slice_seconds(opened, now) if opened.training(now) else 0.0
            try:
                self._serve(opened, orders, seconds)
            except Exception:
                log.exception("A worker failed outside a run.")
            finally:
                with self._ready:
                    opened.busy = False
                    self._ready.notify()

    def _serve(self, opened: OpenRun, orders: list[Any], seconds: float) -> None:
        """One turn of one run. Whatever the run raises ends that run with a sentence, and nothing else."""
        try:
            if opened.can_be_built:
                self._build(opened)
            for order in orders:
                obey(opened, order)
            if opened.run is not None and seconds > 0 and opened.has_steps:
                train(opened, opened.run, seconds, self.settings, self._sharing)
        except Exception as error:
            opened.fail(error)
            cancel_calls(orders)
        self._frame(opened)
        opened.settle()
        if (partner := opened.leader or opened.follower) is not None:  # in the same turn: both show the same step
            self._frame(partner)
            partner.settle()

    @staticmethod
    def _build(opened: OpenRun) -> None:
        if opened.leader is not None:
            build(opened)
        else:
            opened.run, opened.stale = opened.build(opened.config), True

    def _frame(self, opened: OpenRun) -> None:
        """Draw and deliver a frame if one has been asked for, is due, and would show something new."""
        with self._ready:
            viewer, asked, writer, now = opened.viewer, opened.asked, opened.writer, time.monotonic()
            if viewer is None or asked is None or not opened.wants_frame:
                return
            if now < opened.next_frame_at(self._frame_seconds):
                return
            opened.stale, opened.shown, opened.asked = False, asked, None
        head, charts = opened.head(), {}
        if opened.run is not None:
            try:
                drawing = opened.run.draw(list(asked[0]), asked[1])
                charts = on_common_axes(opened, drawing.charts)
                head |= {"status": opened.status(drawing.status), "note": notice_of(opened) or drawing.note}
                head |= {"time": time_of(opened, drawing.time)}
            except Exception as error:
                opened.fail(error)
                opened.stale = False  # drawn again when something changes, not at once and for ever
                head |= opened.head()
        frame = writer.write(head, charts)
        opened.draw_seconds = 0.8 * opened.draw_seconds + 0.2 * (time.monotonic() - now)
        opened.framed_at = now if frame or opened.restless else opened.framed_at
        if frame:
            viewer.deliver(frame)
            return
        with self._ready:  # nothing to show after all: the viewer goes on waiting
            if opened.viewer is viewer and opened.asked is None:
                opened.asked = asked
