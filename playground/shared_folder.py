"""A private folder for the processes of one server: arrays in its files are in memory once, its locks hold for all.

The server's first process creates it, and the others find it by an environment variable. It is removed when the server
stops. Its owner holds a lock on it for as long as it lives, so the next start sees what a killed server has left.
"""

from __future__ import annotations

import logging
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

VARIABLE = "PYTORCH_PLAYGROUND_FOLDER"
PREFIX = "pytorch-playground-"
ATTEMPTS = 5  # a server that starts at the same moment may take a new folder for one that was left

log = logging.getLogger(__name__)

NOT_CREATED = "No folder for temporary files ({reason}): each worker keeps its own copy of the digits."


class Lock:
    """A lock on a file or a folder, held until it is released or its process ends, in whatever way."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Let others have it."""
        if sys.platform != "win32":
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)  # also where a forked process has the descriptor, too
        os.close(self._descriptor)


def try_lock(path: Path) -> Lock | None:
    """The lock on a file, which is created if it is missing; None if somebody has it. Raises OSError."""
    return _lock(path, waits=False)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for the lock on a file, and hold it inside the `with` block. Raises OSError."""
    lock = _lock(path, waits=True)
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def _lock(path: Path, *, waits: bool) -> Lock | None:
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if waits else msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, (BlockingIOError, PermissionError)):  # on Windows the second
            return None
        raise
    return Lock(descriptor)


class SharedFolder:
    """The folder of this server, while it is open; every process started meanwhile finds it with `path`."""

    def __init__(self, path: Path, lock: Lock) -> None:
        self.path, self._lock = path, lock
        os.environ[VARIABLE] = str(path)

    def close(self) -> None:
        """Remove it with all that it holds. What is mapped stays valid."""
        if os.environ.get(VARIABLE) == str(self.path):
            del os.environ[VARIABLE]
        shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):
            self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)  # Windows removes no file that is locked


def create() -> SharedFolder | None:
    """A new folder that only this user can enter; None where no temporary folder can be written to.

    Folders of servers that were killed are removed.
    """
    try:
        parent = Path(tempfile.gettempdir())
        _remove_left_over(parent)
        for _ in range(ATTEMPTS):
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            lock = try_lock(_owned(folder))
            if lock is not None and folder.exists():
                return SharedFolder(folder, lock)
        raise FileNotFoundError(folder)
    except OSError as error:
        log.warning(NOT_CREATED.format(reason=error))
        return None


def path() -> Path | None:
    """The folder of the server that this process belongs to; None if there is none, or if others could write to it."""
    name = os.environ.get(VARIABLE)
    return Path(name) if name and _is_private(Path(name)) else None


def _owned(folder: Path) -> Path:
    """What the owner of a folder locks: the folder, which keeps programs that tidy up away from it, where possible."""
    return folder / "owner" if sys.platform == "win32" else folder


def _remove_left_over(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if _is_private(folder) and (lock := try_lock(_owned(folder))) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                lock.release()


def _is_private(folder: Path) -> bool:
    """Whether this is a folder (no link to one) that belongs to this user, and that nobody else can enter."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    if sys.platform == "win32":
        return stat.S_ISDIR(found.st_mode)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
