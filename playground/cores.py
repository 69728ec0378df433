"""How much of the machine this process may use: cores and memory, of the machine and of its container's share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

FALLBACK_MEMORY = 4 * 2**30  # bytes


def available_cores(root: Path = Path("/")) -> int:
    """The least of the machine's cores, those that the process may run on, and its cgroup's limit; at least 1.

    `root` is the folder that holds "proc" and "sys".
    """
    counts = [os.cpu_count() or 1, *cgroup_limits(root)]
    if sys.platform == "linux":
        counts.append(len(os.sched_getaffinity(0)))
    return max(1, int(min(counts)))


def available_memory(root: Path = Path("/")) -> int:
    """The least of the machine's memory and its cgroup's limit, in bytes; FALLBACK_MEMORY where neither is known."""
    sizes = [size for size in (_machine_memory(root), *memory_limits(root)) if size > 0]
    return min(sizes, default=FALLBACK_MEMORY)


def _machine_memory(root: Path) -> int:
    """In bytes, 0 where it is not known; read from "MemTotal:  16316412 kB", or else asked of the system."""
    for line in _text(root / "proc" / "meminfo").splitlines():
        match line.split():
            case ["MemTotal:", size, "kB"] if size.isdecimal():
                return int(size) * 1024
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 0


def memory_limits(root: Path = Path("/")) -> Iterator[int]:
    """The limit of each cgroup that the process is in, in bytes, as in `cgroup_limits`; without one, none."""
    mounts = root / "sys" / "fs" / "cgroup"
    for controllers, group in _groups(root):
        if not controllers:
            texts = [_text(folder / "memory.max") for folder in _folders(mounts, group)]
        elif "memory" in controllers.split(","):
            texts = [_text(folder / "memory.limit_in_bytes") for folder in _folders(mounts / "memory", group)]
        else:
            continue
        yield from (int(text) for text in texts if text.isdecimal())


def cgroup_limits(root: Path = Path("/")) -> Iterator[float]:
    """The limit of each cgroup that the process is in, in cores: versions 1 and 2, its own group and those above it.

    In a container the process may read the name that its group has outside; then the top of what it sees is its own.
    """
    mounts = root / "sys" / "fs" / "cgroup"
    for controllers, group in _groups(root):
        if not controllers:
            for folder in _folders(mounts, group):
                yield from _version_2(folder)
        elif "cpu" in controllers.split(","):
            for folder in (*_folders(mounts / controllers, group), *_folders(mounts / "cpu", group)):
                yield from _version_1(folder)


def _groups(root: Path) -> Iterator[tuple[str, str]]:
    """The controllers ("" for version 2) and the path of each group in /proc/self/cgroup."""
    for line in _text(root / "proc" / "self" / "cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, colon, group = rest.partition(":")
        if colon:
            yield controllers, group


def _folders(mount: Path, group: str) -> Iterator[Path]:
    """The folder of a group and those above it, up to the mount."""
    inside = PurePosixPath("/", group).relative_to("/")
    if ".." in inside.parts:  # the group is outside of what the process sees
        inside = PurePosixPath()
    yield mount / inside
    for above in inside.parents:
        yield mount / above


def _version_2(folder: Path) -> Iterator[float]:
    """From "200000 100000", the microseconds of processor time in each period; "max" is no limit."""
    match _text(folder / "cpu.max").split():
        case [quota, period]:
            yield from _ratio(quota, period)


def _version_1(folder: Path) -> Iterator[float]:
    """From two files; -1 is no limit."""
    yield from _ratio(_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us"))


def _ratio(quota: str, period: str) -> Iterator[float]:
    try:
        share, whole = int(quota), int(period)
    except ValueError:
        return
    if share > 0 and whole > 0:
        yield share / whole


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
