"""How much memory this process has taken, and giving back what is free."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from pathlib import Path

_PAGE_BYTES, _RESIDENT, _SHARED = 4_096, 1, 2  # the fields of statm that are read


def resident_megabytes() -> float:
    """The process's own resident memory, without mapped files, in megabytes; 0 where the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0.0
    return (int(pages[_RESIDENT]) - int(pages[_SHARED])) * _PAGE_BYTES / 1e6


def free_memory() -> None:
    """Delete unused objects and, where the C library can, give free memory back to the system."""
    gc.collect()
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
