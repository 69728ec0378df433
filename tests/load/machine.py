"""What a server's processes hold and use, and programs that keep the cores busy beside it (Linux)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

LENGTH = float(os.environ.get("LOAD_LENGTH", "1"))  # all measured times are this many times as long; below 1 for a try
MAX_OTHERS = 0.1  # cores; with more taken by other programs the numbers say nothing
TOO_BUSY = "Other programs use {cores:.2f} cores: measure again on a machine that does nothing else."


def family(pid: int) -> list[psutil.Process]:
    """A server's process, and those that it and its children have started."""
    web = psutil.Process(pid)
    return [web, *web.children(recursive=True)]


def unique_megabytes(pid: int) -> float:
    """What only this process has in memory; 0 if it has ended."""
    return _rollup(pid, "Private_Clean", "Private_Dirty")


def proportional_megabytes(pid: int) -> float:
    """What the process has in memory, each shared page counted by its share; 0 if it has ended."""
    return _rollup(pid, "Pss")


def family_megabytes(pid: int) -> float:
    """The memory of a server with all its processes, shared pages counted once."""
    return sum(proportional_megabytes(each.pid) for each in family(pid))


def resident_megabytes(pid: int) -> float:
    """The resident set of one process, as `ps` and `top` show it."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def _rollup(pid: int, *names: str) -> float:
    lines: list[str] = []
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    found = {line.split()[0].rstrip(":"): line.split()[1] for line in lines[1:]}
    return sum(int(found[name]) for name in names if name in found) / 1_000


@dataclass
class Usage:
    """Processor seconds used so far: by the server's processes, by the viewers (this process), and on the machine."""

    at: float
    server: float
    web: float
    viewers: float
    known: float
    machine: float

    @classmethod
    def now(cls, server: int, known: Sequence[int] = ()) -> Usage:
        """What has been used until now; `known` are programs that run beside the server on purpose."""
        spent = [_seconds(each.pid) for each in family(server)]
        busy = psutil.cpu_times()
        idle = busy.idle + getattr(busy, "iowait", 0.0) + getattr(busy, "guest", 0.0)
        return cls(time.monotonic(), sum(spent), spent[0], _seconds(os.getpid()), sum(map(_seconds, known)),
                   sum(busy) - idle)  # fmt: skip


def _seconds(pid: int) -> float:
    with suppress(psutil.NoSuchProcess):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    return 0.0


@dataclass
class Cores:
    """How many cores each kept busy over some time."""

    server: float = 0.0
    web: float = 0.0
    viewers: float = 0.0
    others: float = 0.0

    def check(self) -> None:
        """Fail if other programs were busy: the numbers are of no use then."""
        assert self.others < MAX_OTHERS, TOO_BUSY.format(cores=self.others)

    def __str__(self) -> str:
        return (f"server {self.server:.2f} (its web process {self.web:.2f}), viewers {self.viewers:.2f}, "
                f"others {self.others:.2f}")  # fmt: skip


@contextmanager
def watched_cores(server: int, known: Sequence[int] = ()) -> Iterator[Cores]:
    """Fill in, at its end, how many cores were busy with what inside. Processes that end meanwhile count as others."""
    found, before = Cores(), Usage.now(server, known)
    yield found
    after = Usage.now(server, known)
    passed = after.at - before.at
    found.server, found.web = (after.server - before.server) / passed, (after.web - before.web) / passed
    found.viewers = (after.viewers - before.viewers) / passed
    beside = (after.known - before.known) / passed
    found.others = (after.machine - before.machine) / passed - found.server - found.viewers - beside


@contextmanager
def busy_loops(count: int) -> Iterator[list[int]]:
    """So many programs beside the server that keep a core busy each; gives their process ids."""
    with ExitStack() as started:
        loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
        for each in loops:
            started.callback(each.wait)
            started.callback(each.kill)
        yield [each.pid for each in loops]


def row(values: Iterable[float], digits: int = 0) -> str:
    """Numbers beside each other."""
    return ", ".join(f"{value:,.{digits}f}" for value in values)


@dataclass
class Table:
    """Rows of measured values, printed together."""

    title: str
    rows: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, value: object) -> None:
        """One more row."""
        self.rows.append((name, str(value)))

    def show(self) -> None:
        """Print it."""
        print(f"\n{self.title}")
        for name, value in self.rows:
            print(f"  {name:<62} {value}", flush=True)
