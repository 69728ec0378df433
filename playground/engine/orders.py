"""What a run is asked to do, and the queue in which its orders wait: bounded, and equal ones fold into one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from playground.engine import lockstep, messages
from playground.engine.commands import (
    Command,
    Draw,
    Explain,
    LookBack,
    Pause,
    Pick,
    Play,
    Reset,
    SetSpeed,
    Slide,
    Step,
)
from playground.engine.run import Run, Tunable

MAX_WAITING = 32  # commands of one run that wait; further ones are refused


@dataclass(frozen=True)
class Tune:
    """Set live knobs of the running run."""

    config: Any


@dataclass(frozen=True)
class Rebuild:
    """Build the run again from a config; a run with long steps may use `cores`, or what is free.

    It keeps playing if it was playing; with `plays`, it plays in any case.
    """

    config: Any
    cores: int | None = None
    plays: bool = False


@dataclass(frozen=True)
class Revary:
    """Give the second of two compared runs another value of the setting in which they differ."""

    vary: lockstep.Vary


@dataclass(frozen=True)
class Refuse:
    """Show why a message was refused."""

    reason: str


@dataclass(frozen=True)
class Call:
    """Call a function with the run, and hand its result to a waiting thread; `both`: also with the run beside it."""

    function: Callable[[Run], Any]
    future: Future[Any]
    both: bool = False


Order = Command | Refuse | Tune | Rebuild | Revary | Call
FULL = Refuse(messages.TOO_MANY_COMMANDS)


class Orders:
    """The orders of one run that wait for its turn, first come first served.

    Commands come from a browser, which may send any number: equal ones fold, and those over MAX_WAITING are refused.
    All other orders come from the page and are never refused; settings that wait are replaced by later ones.
    """

    def __init__(self) -> None:
        self._waiting: deque[Order] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, order: Order, config: Any) -> None:
        """Let an order wait, or fold it into the one before; `config` is the one that the run has now."""
        waiting = self._waiting
        if isinstance(order, (Command, Refuse)) and len(waiting) >= MAX_WAITING and not self._folds(order, config):
            order = FULL
        while self._folds(order, config):
            last = waiting.pop()
            if isinstance(last, Rebuild) and isinstance(order, Rebuild):
                order = replace(order, plays=last.plays or order.plays)
        if len(waiting) >= MAX_WAITING and isinstance(order, Tune) and isinstance(waiting[-1], Tune):
            waiting.pop()
        waiting.append(order)

    def _folds(self, order: Order, config: Any) -> bool:
        """Whether the last order that waits need not be carried out, because this one comes right after it."""
        if not self._waiting:
            return False
        last = self._waiting[-1]
        if isinstance(last, Tune) and isinstance(order, Tune):
            earlier = [each.config for each in self._waiting if isinstance(each, (Tune, Rebuild))][:-1]
            return _same_number(earlier[-1] if earlier else config, last.config, order.config)
        return replaces(order, last)

    def take(self) -> Order | None:
        """The next order, which waits no longer; None if there is none."""
        return self._waiting.popleft() if self._waiting else None

    def drop_commands(self) -> None:
        """Forget what a viewer has asked for, and keep what the page has."""
        self._waiting = deque(each for each in self._waiting if not isinstance(each, (Command, Refuse)))

    def cancel(self) -> None:
        """Forget all orders, and let nobody wait for an answer that will not come."""
        for order in self._waiting:
            if isinstance(order, Call):
                order.future.cancel()
        self._waiting.clear()


def replaces(later: Order, earlier: Order) -> bool:
    """Whether a run is the same after `earlier` and `later` as after `later` alone."""
    if isinstance(later, Reset):  # it forgets what the player did since the run was built
        return isinstance(earlier, (Play, Pause, Step, LookBack, Reset))
    if isinstance(later, Rebuild):
        return isinstance(earlier, (Tune, Rebuild))
    if type(later) is not type(earlier):
        return False
    if isinstance(later, LookBack) and isinstance(earlier, LookBack):  # to look back at an index also pauses
        return not later.shows_now or earlier.shows_now
    if isinstance(later, Pick) and isinstance(earlier, Pick):
        return later.chart == earlier.chart
    if isinstance(later, Slide) and isinstance(earlier, Slide):
        return later.name == earlier.name
    return isinstance(later, (Play, Pause, SetSpeed, Explain, Draw, Refuse))


def _same_number(before: Any, earlier: Any, later: Any) -> bool:
    """Whether two changes of live knobs do no more than the second: both move one number, and not back to where it was.

    Other knobs may cost something on the way: a layer that was removed and added again has new weights.
    """
    if not isinstance(later, Tunable) or not isinstance(earlier, Tunable):
        return bool(earlier == later)
    first, second, both = earlier.changed_from(before), later.changed_from(earlier), later.changed_from(before)
    is_number = all(isinstance(value, float) for pair in both.values() for value in pair)
    return not second or (len(both) == 1 and first.keys() == second.keys() == both.keys() and is_number)
