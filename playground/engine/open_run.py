"""One open run: what the engine knows of it, and how it obeys the orders it is given."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.engine import lockstep
from playground.engine.frames import FrameWriter
from playground.engine.run import Heavy, Paced, Run, Viewer
from playground.settings import Settings

log = logging.getLogger(__name__)

State = Literal["playing", "paused", "done", "failed", "queued", "lost"]
Asked = tuple[tuple[str, ...], dict[str, bool]]  # the charts and options of a frame

LEASE_SECONDS = 1.5  # a playing run trains this long after its viewer's last ask
RATE_SECONDS = 0.5  # over which the steps a second are counted
MOST_STEPS = 100_000  # of one Step
PACE_CATCH_UP_SECONDS = 0.25  # a paced run that fell behind by more than this does not catch up
UNLIMITED_STEPS = 2**62
WAIT_SECONDS = 0.03  # until a run that had nothing to do yet is asked again
SLOWEST_SPEED, FASTEST_SPEED = 0.01, 100_000  # steps a second
SPEEDS = f"The speed is 0 (full speed) or a number of steps a second from {SLOWEST_SPEED} to {FASTEST_SPEED}."


class UnknownRun(KeyError):
    """No such run: it never was, or it was dropped after its idle time."""


class Refused(ValueError):
    """A command that makes no sense; the message is a sentence."""


@dataclass(eq=False)
class OpenRun:
    """One open run and all the engine knows of it."""

    id: str
    session: str
    build: Callable[..., Run]  # from its config; a follower's from its leader's run and its config
    config: Any
    run: Run | None = None
    state: State = "paused"
    notice: str = ""
    admitted: bool = False
    place: int = 0  # in the queue, from 1
    busy: bool = False  # a worker has it
    commands: deque[tuple[Any, ...]] = field(default_factory=deque)
    owed: int = 0  # steps still to take for a Step
    speed: float | None = None  # steps a second, 0 for full, None for what suits the run
    next_step_at: float = 0.0
    waits_until: float = 0.0  # what its next step needs was not there yet
    seconds: float = 0.0  # trained since the last Play
    viewer: Viewer | None = None
    writer: FrameWriter = field(default_factory=FrameWriter)
    asked: Asked | None = None  # by the viewer, and not yet answered
    shown: Asked | None = None  # what the last frame answered
    stale: bool = True  # something changed since the last frame
    asked_at: float = -math.inf
    framed_at: float = -math.inf
    touched_at: float = 0.0
    left_at: float = math.inf  # when its viewer's page was left, until it is watched again
    urgent_at: float = -math.inf
    draw_seconds: float = 0.0
    frame_gap: float = 0.0  # seconds between two frames that suit the run just now
    restless: bool = False  # it may have news although it takes no step
    rate_from: float = 0.0
    rate_steps: int = 0
    steps_per_second: float = 0.0
    leader: OpenRun | None = None  # the run that this one is compared with, and advances together with
    follower: OpenRun | None = None  # the run that is compared with this one
    vary: lockstep.Vary | None = None  # a follower's config, from its leader's
    compared: str = ""  # the knob in which a follower differs
    ranges: dict[str, Any] = field(default_factory=dict)  # of the axes of each chart, as last drawn beside another run

    @property
    def shown_state(self) -> State:
        """The state as the viewer sees it; a follower that has not ended is in its leader's."""
        if not self.admitted:
            return "queued"
        if self.leader is None or self.state == "failed":
            return self.state
        ended: State | Literal[""] = self.run.outcome if self.run is not None else ""
        return ended or ("playing" if self.leader.state == "playing" else "paused")

    @property
    def is_busy(self) -> bool:
        """Whether a worker has it, or the run that it advances together with."""
        return any(each is not None and each.busy for each in (self, self.leader, self.follower))

    @property
    def can_be_built(self) -> bool:
        """Whether its run can be built now: a follower's is built from its leader's."""
        waits = self.leader is not None and self.leader.run is None
        return self.admitted and self.run is None and self.state != "failed" and not waits

    @property
    def wants_frame(self) -> bool:
        """Whether a frame has been asked for and would show something new."""
        return self.asked is not None and (self.stale or self.restless or self.asked != self.shown)

    def training(self, now: float) -> bool:
        """Whether it is to take steps just now."""
        return self.wants_steps(now) and now >= self.waits_until

    def wants_steps(self, now: float) -> bool:
        """Whether it has steps to take and somebody is watching."""
        watched = self.viewer is not None and (self.asked is not None or now - self.asked_at < LEASE_SECONDS)
        return watched and self.admitted and self.leader is None and self.has_steps

    @property
    def has_steps(self) -> bool:
        """Whether it plays, owes steps to a Step, or has a follower that catches up."""
        return self.state == "playing" or self.owed > 0 or lockstep.is_behind(self)

    def due_at(self, now: float, frame_seconds: float) -> float:
        """When this run next needs a worker."""
        if self.commands or self.can_be_built:
            return now
        due = math.inf
        if self.wants_steps(now):
            due = max(self.waits_until, now if self.owed or lockstep.is_behind(self) else self.next_step_at)
        if self.wants_frame:
            due = min(due, self.next_frame_at(frame_seconds))
        return due

    def next_frame_at(self, frame_seconds: float) -> float:
        """When the next frame may be drawn."""
        due = self.framed_at + max(frame_seconds, self.frame_gap)
        if (partner := self.leader or self.follower) is not None and lockstep.frames_wait(self, time.monotonic()):
            due = max(due, partner.asked_at + lockstep.FRAME_WAIT_SECONDS)
        return due

    def settle(self) -> None:
        """Note what a run says of itself that is drawn less often, or has long steps."""
        run: Any = self.run
        if isinstance(run, Paced):
            self.frame_gap = 1 / run.frame_rate if self.state == "playing" else 0.0
        if isinstance(run, Heavy):
            self.restless = run.restless

    def count(self, taken: int, now: float) -> None:
        """Measure the steps a second."""
        if not self.rate_from:
            self.rate_from, self.rate_steps = now, 0
            return
        self.rate_steps += taken
        if now - self.rate_from > RATE_SECONDS:
            self.steps_per_second = self.rate_steps / (now - self.rate_from)
            self.rate_from, self.rate_steps = now, 0

    def head(self) -> dict[str, Any]:
        """What a frame says before its charts."""
        return {
            "state": self.shown_state,
            "notice": self.notice,
            "place": self.place if not self.admitted else 0,
            "heading": lockstep.heading_of(self),
        }

    def status(self, status: Mapping[str, float]) -> dict[str, float]:
        """The run's status and the engine's own."""
        return {**status, "steps_per_second": float(f"{(self.leader or self).steps_per_second:.3g}")}

    def fail(self, error: Exception) -> None:
        """End the run with a sentence for its viewer; the details go to the log."""
        self.state, self.owed, self.stale = "failed", 0, True
        if isinstance(error, ValueError):
            self.notice = str(error)
        elif isinstance(error, MemoryError) or "out of memory" in str(error).lower():
            self.notice = (
                "This run needs more memory than there is. Choose a smaller model or less data, then press Reset."
            )
        else:
            self.notice = "Something went wrong inside this run. Press Reset to start anew; the other runs go on."
            log.error("A run failed.", exc_info=error)


def admit(runs: Collection[OpenRun], places: int) -> None:
    """Give free places to those who wait, first come first served."""
    waiting = [opened for opened in runs if not opened.admitted]
    free = max(0, places - (len(runs) - len(waiting)))
    for opened in waiting[:free]:
        opened.admitted = True
    for place, opened in enumerate(waiting[free:], start=1):
        if opened.place != place:
            opened.place, opened.stale = place, True


def train(opened: OpenRun, run: Run, seconds: float, settings: Settings, sharing: int) -> None:
    """Give a run a slice of training at its speed, and note how it went; `sharing` runs train on this machine."""
    follower, (_, second) = opened.follower, lockstep.runs_of(opened)
    both: tuple[object, object] = run, second
    for each in both:
        if isinstance(each, Heavy):
            each.use_cores(settings.cores_each(sharing))
    start = time.monotonic()
    rate = run.auto_speed if opened.speed is None else opened.speed
    allowed = opened.owed or (UNLIMITED_STEPS if opened.state == "playing" else 0)
    if rate and allowed and not opened.owed:
        if opened.next_step_at < start - PACE_CATCH_UP_SECONDS:
            opened.next_step_at = start
        allowed = 1 + int((start - opened.next_step_at) * rate)
    if follower is None or second is None:
        taken = run.advance(seconds, allowed)
    else:
        taken = lockstep.advance(run, second, follower, seconds, allowed)
    end, has_ended = time.monotonic(), lockstep.has_ended(run, second)
    opened.stale = True
    opened.seconds += end - start
    if opened.owed:
        opened.owed = 0 if has_ended else opened.owed - taken
    elif rate:
        opened.next_step_at += taken / rate
    else:
        opened.next_step_at = end
    waits = not taken and not has_ended and end - start < seconds  # one that used its time up had work to do
    opened.waits_until = end + WAIT_SECONDS if waits else 0.0
    opened.count(taken, end)
    if has_ended:
        opened.state, opened.owed = run.outcome or opened.state, 0
    elif opened.seconds > settings.run_seconds:
        opened.state, opened.owed, opened.seconds = "paused", 0, 0.0
        opened.notice = "This run has trained for a long time, so it was paused. Press Play to go on."


def obey(opened: OpenRun, order: tuple[Any, ...]) -> None:
    """Carry out one queued order on the run it was given to."""
    kind, what = order[0], order[1]
    opened.stale = True
    if kind == "call":
        answer(opened, what, order[2])
        return
    if opened.state != "failed":  # whose sentence stays until it is built anew
        opened.notice = ""
    has_failed = opened.state == "failed" or (opened.run is not None and opened.run.outcome == "failed")
    if kind == "rebuild" or (kind == "tune" and has_failed):
        opened.config = what
        rebuild(opened, keep_playing=True)
    elif kind == "tune":
        opened.config = what
        if opened.run is not None:
            opened.run.tune(what)
            lockstep.retune(opened)
            if opened.state == "done" and not opened.run.outcome:
                opened.state = "paused"
    elif kind == "vary":
        lockstep.revary(opened, what)
    else:
        try:
            do(opened, what)
            lockstep.obey_too(opened, what)
        except ValueError as error:
            opened.notice = str(error)


def answer(opened: OpenRun, function: Callable[[Run], Any], future: Future[Any]) -> None:
    """Give a caller the result of a function of the run."""
    if opened.run is None:
        future.set_exception(Refused("The run is still waiting for its turn."))
        return
    try:
        future.set_result(function(opened.run))
    except Exception as error:
        future.set_exception(error)


def cancel_calls(orders: Iterable[tuple[Any, ...]]) -> None:
    """Let nobody wait for an answer that will not come; calls already answered stay so."""
    for order in orders:
        if order[0] == "call":
            order[2].cancel()


def do(opened: OpenRun, command: Mapping[str, Any]) -> None:
    """Obey a viewer's command. Raises Refused, or the run's own ValueError, with a sentence."""
    name, run = command.get("do"), opened.run
    if name == "speed":
        opened.speed = _speed(command.get("value"))
        opened.next_step_at = 0.0
    elif name == "reset":
        rebuild(opened, keep_playing=False)
    elif run is None:
        raise Refused("The run has not started yet; it is waiting for its turn.")
    elif name == "pause":
        opened.state = "paused" if opened.state == "playing" else opened.state
        opened.owed = 0
    elif opened.state == "failed" and name != "scrub":  # looking back at a run that diverged teaches most
        raise Refused("This run has ended. Press Reset to start anew.")
    elif name in ("play", "step"):
        if run.outcome == "done":  # also a run that was restored so, and has not been played here
            run.resume()
        if name == "play":
            opened.state, opened.owed, opened.seconds, opened.next_step_at = "playing", 0, 0.0, 0.0
        else:
            opened.state, opened.owed = "paused", _steps(command, run)
        run.apply({"do": "scrub", "to": None})
        opened.rate_from = 0.0
    elif name == "scrub":
        if command.get("to") is not None:
            opened.state = "paused" if opened.state == "playing" else opened.state
        lockstep.look_back(opened, command.get("to"))
    else:
        run.apply(command)


def rebuild(opened: OpenRun, *, keep_playing: bool) -> None:
    """Start over from the present config; what the student added by hand stays."""
    if opened.run is not None:
        opened.run = opened.run.rebuilt(opened.config)
    elif opened.admitted:
        opened.run = opened.build(opened.config)
    lockstep.rebuild(opened)
    opened.state = "playing" if keep_playing and opened.state == "playing" else "paused"
    opened.notice, opened.owed, opened.seconds, opened.rate_from, opened.steps_per_second = "", 0, 0.0, 0.0, 0.0


def _speed(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise Refused(SPEEDS)
    if value != 0 and not SLOWEST_SPEED <= value <= FASTEST_SPEED:
        raise Refused(SPEEDS)
    return float(value)


def _steps(command: Mapping[str, Any], run: Run) -> int:
    count, unit = command.get("n", 1), command.get("unit", "step")
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST_STEPS:
        raise Refused(f"Step takes a whole number from 1 to {MOST_STEPS:,}.")
    if unit == "step":
        return count
    if unit == "epoch":
        return run.steps_in_epochs(count)
    raise Refused("Step counts steps or epochs.")
