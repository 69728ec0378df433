"""What visitors leave behind is given back: sessions, their files and sockets, and the memory of closed runs.

Streamlit forgets a disconnected session only when another one disconnects, and Python searches for unused objects only
when new ones are made. So a server whose class has gone home would keep all of them until the next lesson.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
from collections.abc import Callable
from contextlib import suppress

from pages.ui.session import pool, streamlits_sessions

EVERY_SECONDS = 30.0

log = logging.getLogger(__name__)


async def keep_house() -> None:
    """End what has expired, again and again, until the task is cancelled."""
    free_memory, runs = memory_returner(), 0
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            ended, runs_before, runs = end_expired_sessions(), runs, pool().open_runs
            if ended or runs < runs_before:
                await asyncio.to_thread(free_memory)
        except Exception:
            log.exception("Tidying up after visitors failed.")


def end_expired_sessions() -> int:
    """End each session that can't be continued any more; returns their number. Called on the server's event loop."""
    expired = streamlits_sessions()._session_storage._cache.expire()  # type: ignore[attr-defined]
    for _, info in expired:
        info.session.shutdown()
    return len(expired)


def memory_returner() -> Callable[[], None]:
    """A function that deletes unused objects and, where the C library can, gives free memory back to the system."""
    trim: Callable[[int], int] | None = None
    with suppress(OSError, AttributeError, TypeError):
        trim = ctypes.CDLL(None).malloc_trim

    def free_memory() -> None:
        gc.collect()
        if trim is not None:
            trim(0)

    return free_memory
