"""The scripts of all visitors' pages run one after the other, so that they do not keep the engine from Python's lock.

Python runs one thread at a time. A script that wants to run beside another one makes neither faster, but gives the
engine's workers one turn fewer: four tabs that rerun as fast as they can left a neighbour a twentieth of its frames.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

MAX_WAIT_SECONDS = 0.2  # a script that takes longer (it may wait for a file or a run) no longer holds up the others

_next = threading.Lock()  # of the one that waits for the script: however many wait, one more in MAX_WAIT_SECONDS begins
_script = threading.Lock()  # of the script that began last
_inside = threading.local()


@contextmanager
def turn() -> Iterator[None]:
    """Run what is inside while no other script runs, or beside one that takes long; a script may ask again inside."""
    if getattr(_inside, "is_in_turn", False):
        yield
        return
    mine = _take()
    _inside.is_in_turn = True
    try:
        yield
    finally:
        _inside.is_in_turn = False
        mine.release()


def _take() -> threading.Lock:
    """Wait for a turn, and return the lock that is to be released after it."""
    global _script
    with _next:
        if not _script.acquire(timeout=MAX_WAIT_SECONDS):
            _script = threading.Lock()  # from now on the others wait for this script, not for the one that takes long
            _script.acquire()
        return _script
