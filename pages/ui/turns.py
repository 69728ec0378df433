"""The scripts of all visitors' pages run one after the other, so that they do not keep the engine from Python's lock.

Python runs one thread at a time. A script that wants to run beside another one makes neither faster, but gives the
engine's workers one turn fewer: four tabs that rerun as fast as they can left a neighbour a twentieth of its frames.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

MAX_WAIT_SECONDS = 0.2  # a script that waits for a file or a run does not hold up the others for longer

_script = threading.Lock()
_inside = threading.local()


@contextmanager
def turn() -> Iterator[None]:
    """Run what is inside while no other script runs, or after MAX_WAIT_SECONDS; a script may ask again inside."""
    if getattr(_inside, "is_in_turn", False):
        yield
        return
    has_turn = _script.acquire(timeout=MAX_WAIT_SECONDS)
    _inside.is_in_turn = True
    try:
        yield
    finally:
        _inside.is_in_turn = False
        if has_turn:
            _script.release()
