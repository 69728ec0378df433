"""The digits in one file that all processes of a server map into their memory, where they take room once.

Its name has a version, which a download raises: processes see from it that their digits are not the latest.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOCK, VERSION, NAME, PART = "digits.lock", "digits.version", "digits-{version}", ".part"
SIZE_BYTES = 8  # of the head's size, at the start
ALIGNMENT = 4_096  # of each array, in bytes

Head = Mapping[str, Any]
Arrays = Sequence[NDArray[Any]]


def version(folder: Path) -> int:
    """The number of the latest digits; 0 before any were raised."""
    try:
        return (folder / VERSION).stat().st_mtime_ns
    except OSError:
        return 0


def raise_version(folder: Path) -> None:
    """From now on the digits are others: they are written again by whoever needs them first."""
    now, latest = folder / VERSION, version(folder)
    now.touch(mode=0o600)
    later = max(now.stat().st_mtime_ns, latest + 1)
    os.utime(now, ns=(later, later))
    for old in folder.glob(NAME.format(version="*")):
        with suppress(OSError):  # Windows removes no file that is mapped
            old.unlink()


def write(folder: Path, number: int, head: Head, arrays: Arrays) -> None:
    """Write the digits of a version: all of them, or none. Raises OSError. Call it with the folder's LOCK held."""
    for left in folder.glob(f"*{PART}"):
        left.unlink()
    described = {**head, "arrays": [{"shape": each.shape, "dtype": each.dtype.str} for each in arrays]}
    text = json.dumps(described).encode()
    part = folder / (NAME.format(version=number) + PART)
    try:
        with part.open("xb") as file:
            file.write(len(text).to_bytes(SIZE_BYTES, "little") + text)
            for array in arrays:
                file.write(bytes(-file.tell() % ALIGNMENT))
                file.write(np.ascontiguousarray(array).data)
        part.chmod(0o400)
        part.replace(folder / NAME.format(version=number))
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


def read(folder: Path, number: int) -> tuple[Head, list[NDArray[Any]]] | None:
    """The head and the mapped arrays of a version; None if nobody has written them, or they cannot be read.

    What this process writes to the arrays is its own: no other process sees it.
    """
    try:
        with (folder / NAME.format(version=number)).open("rb") as file:
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except (OSError, ValueError):
        return None
    size = int.from_bytes(memory[:SIZE_BYTES], "little")
    head = json.loads(memory[SIZE_BYTES : SIZE_BYTES + size])
    arrays, at = [], SIZE_BYTES + size
    for described in head["arrays"]:
        at += -at % ALIGNMENT
        arrays.append(np.ndarray(described["shape"], described["dtype"], buffer=memory, offset=at))
        at += arrays[-1].nbytes
    return head, arrays
