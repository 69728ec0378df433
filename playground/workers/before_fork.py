"""What must be so in a process that forks workers before NumPy, torch and the lessons are imported: import it first."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

NUMPY_THREADS = "OPENBLAS_NUM_THREADS"  # NumPy starts a thread for each core when it is imported
CARDS_WITHOUT_DRIVER = "PYTORCH_NVML_BASED_CUDA_CHECK"  # torch looks for cards without starting their driver
ARENAS, M_ARENA_MAX = "MALLOC_ARENA_MAX", -8  # glibc's heaps: their number in the environment, and for mallopt

os.environ.setdefault(NUMPY_THREADS, "1")
_before = os.environ.get(CARDS_WITHOUT_DRIVER)
os.environ[CARDS_WITHOUT_DRIVER] = "1"

from playground.training import devices  # noqa: E402

devices.look_for_graphics_cards(allowed=False)


def share_one_heap() -> None:
    """Let all threads of this process and of its workers allocate from one heap, unless the environment says otherwise.

    The C library's default, a heap for each thread, keeps twice as much memory: each of them has its own free pieces.
    """
    if ARENAS not in os.environ:
        with suppress(OSError, AttributeError, TypeError):  # other systems, other C libraries
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


share_one_heap()


def end() -> None:
    """From now on, that is in the workers, torch may be asked for graphics cards."""
    os.environ.pop(CARDS_WITHOUT_DRIVER, None)
    if _before is not None:
        os.environ[CARDS_WITHOUT_DRIVER] = _before
    devices.look_for_graphics_cards(allowed=True)
