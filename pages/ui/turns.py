"""The scripts of all visitors' pages run one after the other, so that the live streams get Python's lock, too.

Python runs one thread at a time. A script that wants to run beside another one makes neither faster, but the event
loop, which passes on the frames of all boards, gets the lock less often: four tabs that rerun as fast as they can left
a neighbour a twentieth of its frames. A script that waits for a worker lets others run.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

MAX_WAIT_SECONDS = 0.2  # a script that takes longer (it may wait for a file) no longer holds up the others

_next = threading.Lock()  # of the one that waits for the script: however many wait, one more in MAX_WAIT_SECONDS begins
_script = threading.Lock()  # of the script that began last
_own = threading.local()  # `turn`: the lock of this thread's script, or None


@contextmanager
def turn() -> Iterator[None]:
    """Run what is inside while no other script runs, or beside one that takes long; a script may ask again inside."""
    if _turn_of_this_thread() is not None:
        yield
        return
    _own.turn = _take()
    try:
        yield
    finally:
        _give_back()


@contextmanager
def away() -> Iterator[None]:
    """Let other scripts run while what is inside waits; without effect outside a turn."""
    if _turn_of_this_thread() is None:
        yield
        return
    _give_back()
    try:
        yield
    finally:
        _own.turn = _take()


def _turn_of_this_thread() -> threading.Lock | None:
    return getattr(_own, "turn", None)


def _give_back() -> None:
    mine, _own.turn = _own.turn, None
    mine.release()


def _take() -> threading.Lock:
    """Wait for a turn, and return the lock that is to be released after it."""
    global _script
    with _next:
        if not _script.acquire(timeout=MAX_WAIT_SECONDS):
            _script = threading.Lock()  # from now on the others wait for this script, not for the one that takes long
            _script.acquire()
        return _script
