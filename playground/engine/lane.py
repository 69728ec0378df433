"""The runs of one training thread: whose turn is next, and how long it is.

An engine has two lanes: one for most runs, and one for runs with long steps (`Heavy`), whose neighbours would wait for
each step. Torch computes without Python's lock, so the two threads share the machine's cores. How often Python switches
between them (`sys.setswitchinterval`) stays as it is: ten times as often took a third of the steps of both.
"""

from __future__ import annotations

import threading
from collections import deque

from playground.engine.open_run import OpenRun

MAX_SLICE_SECONDS = 0.025  # one run's turn when it has the machine to itself
MIN_SLICE_SECONDS = 0.002
ROUND_SECONDS = 0.14  # within which every playing run should have had its turn: 7 frames a second in a crowd
TRAINING_PER_DRAWING = 12  # in a crowd, a turn trains this many times as long as its frame takes to draw
URGENT_EVERY_SECONDS = 0.1  # how often a run's orders may jump the queue
LONG_TURN_SECONDS = 0.05  # a turn with one long step, order or frame; what follows is a run without one
COUNT_EVERY_SECONDS = 0.05  # how often the runs that want a share are counted


class Lane:
    """Runs that take turns. Its methods are called with the engine's lock held."""

    def __init__(self, lock: threading.RLock, frame_seconds: float, core_share: float = 1.0) -> None:
        """`core_share` is the part of a core that its thread has where there are more workers than cores."""
        self.ready = threading.Condition(lock)  # there may be something to do
        self.was_costly = False  # the last turn was long, or orders filled it: next comes a run whose turn is short
        self._frame_seconds, self._core_share = frame_seconds, core_share
        self._turns: deque[OpenRun] = deque()
        self._urgent: deque[OpenRun] = deque()
        self._counted_at = 0.0
        self._sharing = 1  # how many want a share of the time, as last counted: to take steps, or for orders

    def add(self, opened: OpenRun) -> None:
        """Let a run take turns here."""
        self._turns.append(opened)
        if opened.orders:
            self._urgent.append(opened)
        self.ready.notify()

    def remove(self, opened: OpenRun) -> None:
        """Give a run no more turns."""
        self._turns.remove(opened)

    def hurry(self, opened: OpenRun, now: float) -> None:
        """A run was given an order: now and then such a run comes first."""
        if now - opened.urgent_at > URGENT_EVERY_SECONDS:
            opened.urgent_at = now
            self._urgent.append(opened)
        self.ready.notify()

    def next(self, now: float, latest: float) -> tuple[OpenRun | None, float]:
        """The run whose turn it is now, if one has something to do, and else when to look again, `latest` at most."""
        due, soonest = None, latest
        if not self.was_costly:
            due = self._next_in_a_hurry(now)
        for opened in self._turns if due is None else ():
            if opened.is_busy or opened.can_be_built or opened.awaits_follower:
                continue
            due_at = opened.due_at(now, self._frame_seconds)
            soonest = min(soonest, due_at)
            if due_at <= now:
                due = due or opened
                if not self.was_costly or self._is_short(opened, now):
                    due = opened
                    break
        self.was_costly = False
        if due is not None:
            self._turns.remove(due)
            self._turns.append(due)
        return due, soonest

    def _is_short(self, opened: OpenRun, now: float) -> bool:
        """Whether a run's turn will be short: it has no orders, and neither steps nor frames that take long."""
        return not opened.has_orders(now) and opened.turn_seconds <= LONG_TURN_SECONDS

    def _next_in_a_hurry(self, now: float) -> OpenRun | None:
        """The next run whose orders may jump the queue: one that owes no time to the others."""
        while self._urgent:
            opened = self._urgent.popleft()
            may_come = opened.lane is self and not opened.is_busy and not opened.debt.at(now)
            if may_come and opened.has_orders(now):
                return opened
        return None

    def slice_seconds(self, opened: OpenRun, now: float) -> float:
        """The length of a run's turn: short enough for a whole round to stay short and for its next frame in time."""
        if now - self._counted_at > COUNT_EVERY_SECONDS:
            self._counted_at = now
            self._sharing = sum(each.contends(now) for each in self._turns) or 1
        alone = 1.0 / self._sharing
        draw_seconds = opened.watching.draw_seconds
        seconds = min(
            MAX_SLICE_SECONDS / self._core_share, max(MIN_SLICE_SECONDS, ROUND_SECONDS * alone - draw_seconds)
        )
        if opened.watching.asked is None:
            return seconds
        enough = (1 - alone * self._core_share) * TRAINING_PER_DRAWING * draw_seconds
        return min(seconds, max(MIN_SLICE_SECONDS, enough, opened.next_frame_at(self._frame_seconds) - now))

    def note(self, opened: OpenRun, seconds: float, spent: float, start: float, now: float) -> None:
        """Note how a turn of `seconds` went that began at `start`, and in which orders took `spent` seconds."""
        if spent >= seconds or now - start > LONG_TURN_SECONDS:
            self.was_costly = True
        if spent:
            opened.debt.add(spent, now, self._share(opened, now))

    def _share(self, opened: OpenRun, now: float) -> float:
        """How much of the time is a run's due, from 0 to 1: all of it while no other run wants any."""
        others = sum(each.contends(now) for each in self._turns if each not in (opened, opened.partner))
        return 1.0 / (others + 1)
