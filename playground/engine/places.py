"""Who may play: a limited number of runs at once, first come first served; the others wait in a queue.

A run asks for a place when it has steps to take and somebody watches it, and releases it when that ends: it is paused,
done, failed or closed, or its page is left. Waiting costs a run nothing but its steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class PlaceKeeper(Protocol):
    """Decides which runs may play, and says so with `Engine.set_place`; both methods return at once."""

    def ask(self, run_id: str) -> None:
        """A run wants to play."""

    def release(self, run_id: str) -> None:
        """A run no longer wants to play."""


class Places:
    """Room for `limit` playing runs. It is not safe between threads: whoever has it holds a lock of their own.

    `tell` is called with a run and its place whenever that changes: 0 is a place to play, 1 the next one in the queue.
    """

    def __init__(self, limit: int, tell: Callable[[str, int], None]) -> None:
        self._limit, self._tell = limit, tell
        self._asking: dict[str, int] = {}  # in the order of asking -> the place that it knows

    def ask(self, run_id: str) -> None:
        """A run wants to play: `tell` gives it its place, also if it has asked before."""
        place = self._asking[run_id] if run_id in self._asking else max(0, len(self._asking) + 1 - self._limit)
        self._asking[run_id] = place
        self._tell(run_id, place)

    def release(self, run_id: str) -> None:
        """A run no longer wants to play: those behind it move up. One that has not asked does nothing."""
        place = self._asking.pop(run_id, None)
        if place is None or len(self._asking) < self._limit:
            return
        for index, (each, before) in enumerate(list(self._asking.items())):
            now = max(0, index + 1 - self._limit)
            if now != before:
                self._asking[each] = now
                self._tell(each, now)
