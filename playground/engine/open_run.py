"""One open run: its state, its pace, its viewer, and how it obeys the orders it is given."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from playground.engine import lockstep, messages
from playground.engine.commands import Ask, Command, CommandError, GoBack, LookBack, Pause, Play, Reset, SetSpeed, Step
from playground.engine.fairness import Debt
from playground.engine.frames import Figure
from playground.engine.orders import Call, Order, Orders, Rebuild, Refuse, Revary, Tune
from playground.engine.pacing import WAIT_SECONDS, Pacing
from playground.engine.run import Glanced, Heavy, LineByLine, Paced, Restless, Returning, Run
from playground.engine.watching import Glances, Watching
from playground.glance import Glance
from playground.settings import Settings

if TYPE_CHECKING:
    from playground.engine.lane import Lane

log = logging.getLogger(__name__)

State = Literal["playing", "paused", "done", "failed", "queued", "lost"]


class UnknownRun(KeyError):
    """There is no run with this id: it never existed, or it was closed."""


@dataclass(eq=False)
class OpenRun:
    """One open run and all the engine knows of it. One thread at a time has it."""

    id: str
    session: str
    build: Callable[..., Run]  # from its config; a follower's from its leader's run and its config
    config: Any
    cores: int | None = None  # that a run with long steps may use; None: what is free when it is built
    run: Run | None = None
    state: State = "paused"
    notice: str = ""
    passing_notice: tuple[str, float] = "", math.inf  # a notice that is no longer shown after this time
    lane: Lane | None = None  # in which it takes turns, from when it is built
    place: int | None = None  # 0: it may play; from 1: in the queue; None: it has not asked, or has no answer yet
    asks_place: bool = False  # it has asked for a place
    busy: bool = False  # a thread has it
    orders: Orders = field(default_factory=Orders)
    debt: Debt = field(default_factory=Debt)
    has_obeyed: bool = False  # since its last frame
    pacing: Pacing = field(default_factory=Pacing)
    watching: Watching = field(default_factory=Watching)
    turn_seconds: float = 0.0  # of one turn, a running average
    touched_at: float = 0.0
    left_at: float = math.inf  # when its viewer's page was left, until it is watched again
    urgent_at: float = -math.inf
    leader: OpenRun | None = None  # the run that this one is compared with, and advances together with
    follower: OpenRun | None = None  # the run that is compared with this one
    vary: lockstep.Vary | None = None  # makes a follower's config from its leader's
    compared: str = ""  # the knob in which a follower differs; "" for the run from before
    ranges: dict[str, Any] = field(default_factory=dict)  # of each chart's axes, as last drawn beside another run
    returning: Returning | None = None  # what it has still to repeat, after its process was lost
    is_held: bool = False  # it rests until it is let go, whatever it was doing
    judged: tuple[type, bool] = (type(None), False)  # a class of runs, and whether they are heavy: it takes long to see
    glances: Glances | None = None  # what a wall of many boards sees of it, while one looks

    # What the engine schedules by.

    @property
    def shown_state(self) -> State:
        """The state as the viewer sees it; a follower that has not ended shows its leader's."""
        leader, run = self.leader, self.run
        if leader is None or self.state == "failed":
            return "queued" if self.is_queued else self.state
        ended: State | Literal[""] = run.outcome if run is not None else ""
        if not ended and leader.is_queued:
            return "queued"
        return ended or ("playing" if leader.state == "playing" else "paused")

    @property
    def is_queued(self) -> bool:
        """Whether it waits for a place to play."""
        return bool(self.place) and self.state != "failed"

    @property
    def partner(self) -> OpenRun | None:
        """The run that this one is compared with, whichever of the two leads."""
        return self.leader or self.follower

    @property
    def is_from_before(self) -> bool:
        """Whether it is its leader as that was before it was continued from an earlier step."""
        return self.leader is not None and not self.compared

    @property
    def is_busy(self) -> bool:
        """Whether a thread has this run or its partner."""
        return any(each is not None and each.busy for each in (self, self.leader, self.follower))

    @property
    def can_be_built(self) -> bool:
        """Whether its run can be built now: a follower's is built from its leader's."""
        leader = self.leader
        waits = leader is not None and (leader.run is None or leader.returning is not None)
        return self.run is None and self.state != "failed" and not waits

    @property
    def awaits_follower(self) -> bool:
        """Whether its follower is to be built from it now: it takes no turn before, since a busy run lets nobody in."""
        return self.follower is not None and self.run is not None and self.follower.can_be_built

    @property
    def comes_back(self) -> bool:
        """Whether this run or its partner has still to repeat what it was before its process was lost."""
        return any(each is not None and each.returning is not None for each in (self, self.leader, self.follower))

    @property
    def has_steps(self) -> bool:
        """Whether it plays, owes steps, or has a follower that catches up."""
        return self.state == "playing" or self.pacing.owed > 0 or lockstep.is_behind(self)

    @property
    def rests_in_class(self) -> bool:
        """Whether it takes no step because it is held; one with long steps goes on, and only its picture waits."""
        return self.is_held and not self.is_heavy

    @property
    def is_heavy(self) -> bool:
        """Whether it is a run with long steps, which has a training thread apart from the others'."""
        run: object = self.run
        if self.judged[0] is not type(run):
            self.judged = type(run), isinstance(run, Heavy)
        return self.judged[1]

    def wants_place(self, now: float) -> bool:
        """Whether it needs a place to play: it has steps to take, and somebody watched it a moment ago."""
        return self.run is not None and self.leader is None and self.has_steps and self.watching.asks(now)

    def wants_steps(self, now: float) -> bool:
        """Whether it has steps to take and may take them, and somebody is watching."""
        may_train = self.place == 0 and self.leader is None and not self.comes_back and not self.rests_in_class
        return may_train and self.has_steps and self.watching.is_watched(now)

    def is_training(self, now: float) -> bool:
        """Whether it is to take steps just now."""
        return self.wants_steps(now) and now >= self.pacing.waits_until

    def has_orders(self, now: float) -> bool:
        """Whether it has orders that can be carried out just now."""
        return len(self.orders) > 0 and not (self.can_be_built or self.comes_back or self.rests(now))

    def rests(self, now: float) -> bool:
        """Whether it waits, without orders and steps, for what its orders have cost the others."""
        return now < self.debt.rests_until

    def contends(self, now: float) -> bool:
        """Whether it wants a share of the machine: to take steps, or for its orders."""
        return self.is_training(now) or self.comes_back or len(self.orders) > 0 or self.debt.at(now) > 0

    def due_at(self, now: float, frame_seconds: float) -> float:
        """When this run next needs its thread."""
        due, rested_at = self.watching.reader_due_at, self.debt.rests_until
        if self.comes_back:
            due = due if self.leader is not None else min(due, max(now, self.pacing.waits_until))
        elif self.orders:
            due = min(due, max(now, rested_at))
        if self.wants_steps(now):
            hurries = self.pacing.owed or lockstep.is_behind(self)
            due = min(due, max(self.pacing.waits_until, now if hurries else self.pacing.next_step_at, rested_at))
        if self.watching.wants_frame:
            due = min(due, self.next_frame_at(frame_seconds))
        if self.glances is not None and self.run is not None:
            due = min(due, self.glances.due_at(self.watching.change))
        return due

    def next_frame_at(self, frame_seconds: float) -> float:
        """When the next frame may be drawn."""
        due = self.watching.framed_at + max(frame_seconds, self.watching.frame_gap)
        if (partner := self.partner) is not None and lockstep.frame_waits(self, time.monotonic()):
            due = max(due, partner.watching.asked_at + lockstep.FRAME_WAIT_SECONDS)
        return due

    def hold(self, held: bool, obeys: bool = False) -> None:
        """Let it rest, or let it go on as it was; one that `obeys` does what its viewer wants, when it goes on."""
        self.is_held = self.watching.is_held = held
        self.watching.obeys = obeys or not held
        self.watching.changed()

    # Training.

    def build_run(self, free_cores: int = 1) -> None:
        """Build its run, a follower's from its leader's."""
        if self.leader is not None:
            lockstep.build(self)
        else:
            self.run = self.build(self.config)
            self.watching.changed()
        self._say_cores(free_cores)
        self._has_arrived()

    def _say_cores(self, free_cores: int) -> None:
        """Tell a run with long steps that was just built how many cores it may use, and the one beside it."""
        for opened in filter(None, (self, self.follower)):
            run: object = opened.run
            if isinstance(run, Heavy):
                run.use_cores(free_cores if self.cores is None else self.cores)

    def come_back(self, seconds: float) -> None:
        """Repeat for a slice what this run, or else the one beside it, was before its process was lost."""
        for opened in filter(None, (self, self.follower)):
            if opened.returning is None or opened.run is None:
                continue
            opened.watching.changed()
            try:
                has_moved = opened.returning.advance(seconds)
            except Exception as error:
                opened.fail(error)
                return
            self.pacing.waits_until = 0.0 if has_moved else time.monotonic() + WAIT_SECONDS
            opened._has_arrived()
            return

    def _has_arrived(self) -> None:
        if self.returning is not None and self.returning.has_arrived:
            self.returning = None

    def train(self, seconds: float, settings: Settings) -> None:
        """Train for a slice at its speed, and note how that went."""
        run, pacing, follower = self.run, self.pacing, self.follower
        assert run is not None
        _, second = lockstep.runs_of(self)
        start = time.monotonic()
        rate = run.auto_speed if pacing.speed is None else pacing.speed
        allowed = pacing.allowed(start, rate, plays=self.state == "playing")
        if follower is None or second is None:
            taken = run.advance(seconds, allowed)
        else:
            taken = lockstep.advance(run, second, follower, seconds, allowed)
        end, has_ended = time.monotonic(), lockstep.has_ended(run, second, follower)
        self.watching.changed()
        has_played = pacing.took(taken, start, end, rate)
        waits = not taken and not has_ended and end - start < seconds  # one that used its time up had work to do
        pacing.waits_until = end + WAIT_SECONDS if waits else 0.0
        if has_ended:
            self.state, pacing.owed, pacing.left = run.outcome or self.state, 0, 0
        elif has_played:
            self.state = "paused"
        elif pacing.seconds > settings.run_seconds:
            self.state, pacing.owed, pacing.seconds = "paused", 0, 0.0
            self.notice = messages.TRAINED_LONG

    def rebuild(self, free_cores: int, *, keep_playing: bool) -> None:
        """Start again from the current config; what the student added by hand stays.

        A run that could not be built is built by whoever builds new ones.
        """
        if self.run is not None:
            self.run = self.run.rebuilt(self.config)
            lockstep.rebuild(self)
            self._say_cores(free_cores)
        self.state = "playing" if keep_playing and self.state == "playing" else "paused"
        self.notice = ""
        self.pacing.restart()

    def settle(self) -> None:
        """Read what a run says about its frames and its news, if it says anything."""
        run: Any = self.run
        if isinstance(run, Paced):
            self.watching.frame_gap = 1 / run.frame_rate if self.state == "playing" else 0.0
        if isinstance(run, Restless):
            self.watching.restless = run.restless

    def fail(self, error: Exception) -> None:
        """End the run with a sentence for its viewer; the details go to the log."""
        self.state, self.pacing.owed, self.returning = "failed", 0, None
        self.watching.changed()
        if isinstance(error, ValueError):
            self.notice = str(error)
        elif isinstance(error, MemoryError) or "out of memory" in str(error).lower():
            self.notice = messages.OUT_OF_MEMORY
        else:
            self.notice = messages.FAILED
            log.error("A run failed.", exc_info=error)

    # Obeying.

    def obey(self, order: Order, free_cores: int = 1) -> None:
        """Carry out one order; a run that is built again may use the cores that are free."""
        self.watching.changed()
        self.has_obeyed = True
        if isinstance(order, Call):
            self._answer(order)
            return
        if self.state != "failed":  # a failed run keeps its sentence until it is rebuilt
            self.notice = ""
        if isinstance(order, Command):
            try:
                self._carry_out(order, free_cores)
                lockstep.obey_too(self, order)
            except ValueError as error:
                self.notice = str(error)
        elif isinstance(order, Refuse):
            self.notice = order.reason
        elif isinstance(order, Revary):
            lockstep.revary(self, order.vary)
        else:
            self.config = order.config
            if isinstance(order, Tune) and not self._has_failed:
                self._tune()
            else:
                if isinstance(order, Rebuild):
                    self.cores = order.cores
                self.rebuild(free_cores, keep_playing=True)
                if isinstance(order, Rebuild) and order.plays:
                    self.state = "playing"

    @property
    def _has_failed(self) -> bool:
        return self.state == "failed" or (self.run is not None and self.run.outcome == "failed")

    def _tune(self) -> None:
        if self.run is not None:
            self.run.tune(self.config)
            lockstep.retune(self)
            if self.state == "done" and not self.run.outcome:
                self.state = "paused"

    def _answer(self, call: Call) -> None:
        if not call.future.set_running_or_notify_cancel():
            return
        if self.run is None:
            call.future.set_exception(CommandError(messages.NOT_BUILT))
            return
        try:
            result = call.function(self.run)
            if call.both:
                lockstep.call_too(self, call.function)
            call.future.set_result(result)
        except Exception as error:
            call.future.set_exception(error)

    def _carry_out(self, command: Command, free_cores: int) -> None:
        """Obey a viewer's command. Raises CommandError, or the run's own ValueError, with a sentence."""
        run = self.run
        if isinstance(command, SetSpeed):
            self.pacing.set_speed(command.steps_per_second)
        elif isinstance(command, Reset):
            self.rebuild(free_cores, keep_playing=False)
        elif run is None:
            raise CommandError(messages.ENDED)
        elif isinstance(command, Pause):
            self._pause()
            self.pacing.owed = self.pacing.left = 0
        elif isinstance(command, GoBack):
            self._go_back(run, command)
        elif self.state == "failed" and not isinstance(command, LookBack):  # looking back at a divergence teaches most
            raise CommandError(messages.ENDED)
        elif isinstance(command, (Play, Step)):
            if run.outcome == "done":  # also a run that was restored at its end, and has not been played here
                run.resume()
            if isinstance(command, Play):
                self.state = "playing"
                self.pacing.play(command.steps)
            else:
                self.state = "paused"
                self.pacing.owe(_steps(run, command))
            run.apply(LookBack())
        elif isinstance(command, LookBack):
            if not command.shows_now:
                self._pause()
            lockstep.look_back(self, command)
        else:
            run.apply(command)

    def _go_back(self, run: Run, command: GoBack) -> None:
        if self.partner is not None and not self.partner.is_from_before:
            raise CommandError(messages.NOT_COMPARED)
        run.apply(command)
        self.state, self.pacing.owed = "paused", 0

    def _pause(self) -> None:
        if self.state == "playing":
            self.state = "paused"

    # What a wall of many boards sees.

    def take_glance(self, now: float) -> Glance | None:
        """What a wall sees of it now, if one looks, something has changed and it is time for another glance."""
        glances = self.glances
        if glances is None or self.run is None or now < glances.due_at(self.watching.change):
            return None
        run: object = self.run
        if isinstance(run, Glanced):
            has_picture = glances.has_picture(run.steps, now)
            found = run.glance(has_picture=has_picture)
        else:
            has_picture, found = True, Glance()
        glances.taken(self.watching.change, found.step, now, has_picture=has_picture)
        return replace(found, state=self.shown_state)

    # What a frame says.

    def head(self) -> dict[str, Any]:
        """What a frame says before its charts."""
        text, until = self.passing_notice
        return {
            "state": self.shown_state,
            "notice": "" if self.notice == text and time.monotonic() > until else self.notice,
            "place": (self.leader or self).place or 0,
            "heading": lockstep.heading_of(self),
        }

    def picture(self, ask: Ask) -> tuple[dict[str, Any], dict[str, Figure]]:
        """What a frame says, its charts apart. An error ends the run with a sentence, which the frame then says."""
        head, charts = self.head(), {}
        if self.run is not None:
            try:
                drawing = self.run.draw(list(ask.charts), ask.options)
                charts = lockstep.on_common_axes(self, drawing.charts)
                way = self.returning.sentence() if self.returning is not None else lockstep.notice_of(self)
                head |= {"status": self.status(drawing.status), "note": way or drawing.note}
                head |= {"time": lockstep.time_of(self, drawing.time)}
            except Exception as error:
                had_failed, change = self.state == "failed", self.watching.change
                self.fail(error)
                if had_failed:  # not drawn again and again
                    self.watching.change = change
                head |= self.head()
        return head, charts

    def status(self, status: Mapping[str, float]) -> dict[str, float]:
        """The run's status and the engine's own."""
        ended = self.leader is not None and self.run is not None and self.run.outcome
        speed = 0.0 if ended else (self.leader or self).pacing.steps_per_second
        return {**status, "steps_per_second": float(f"{speed:.3g}")}


def _steps(run: Run, command: Step) -> int:
    """The steps that a Step asks for. Raises CommandError."""
    if command.unit == "step":
        return command.count
    if command.unit == "epoch":
        return run.steps_in_epochs(command.count)
    lines: object = run
    if not isinstance(lines, LineByLine):
        raise CommandError(messages.NO_LINES)
    return lines.next_lines(command.count)
