"""A pool with real workers for tests, and viewers that ask as a browser does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from playground.settings import Settings
from playground.workers.operations import Operation
from playground.workers.pool import WorkerPool

PATIENCE_SECONDS = 60.0  # on a busy machine


@dataclass(frozen=True)
class Peek(Operation[Any]):
    """An attribute of the run, or of what it holds: "steps", "config.lr"."""

    path: str

    def on(self, run: Any) -> Any:
        for name in self.path.split("."):
            run = getattr(run, name)
        return run


@dataclass(frozen=True)
class Checksum(Operation["tuple[int, str]"]):
    """The step of the run, and the checksum of its weights then."""

    def on(self, run: Any) -> tuple[int, str]:
        from playground.runs.checksums import checksum

        return run.steps, checksum(run.model.state_dict())


@dataclass(frozen=True)
class Fail(Operation[None]):
    """An operation with a fault."""

    def on(self, run: Any) -> None:
        raise ZeroDivisionError


@dataclass(eq=False)
class AskingViewer:
    """A viewer that asks again after each frame, as a browser does."""

    pool: WorkerPool
    run_id: str
    charts: tuple[str, ...] = ("fit", "loss")
    frames: list[bytes] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    head: dict[str, Any] = field(default_factory=dict)
    dismissals: list[tuple[int, str]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def watch(self, *, reads: bool = False) -> AskingViewer:
        self.pool.attach(self.run_id, self, reads=reads)
        self.ask()
        return self

    def ask(self) -> None:
        self.pool.ask(self.run_id, self, self.charts, {})

    def deliver(self, frame: bytes) -> None:
        head = orjson.loads(frame[4 : 4 + int.from_bytes(frame[:4], "little")])
        with self.changed:
            self.frames.append(frame)
            self.arrivals.append(time.monotonic())
            self.head |= {name: value for name, value in head.items() if name != "charts"}
            self.changed.notify_all()
        threading.Thread(target=self._ask_again, daemon=True).start()

    def _ask_again(self) -> None:
        time.sleep(0.01)
        with suppress(KeyError):  # the run was closed
            self.ask()

    def dismiss(self, code: int, reason: str) -> None:
        with self.changed:
            self.dismissals.append((code, reason))
            self.changed.notify_all()

    def until(self, what: Callable[[AskingViewer], Any]) -> None:
        """Wait until something is true of this viewer; fail the test if it does not come true."""
        with self.changed:
            assert self.changed.wait_for(lambda: what(self), PATIENCE_SECONDS), (self.head, self.dismissals)

    @property
    def step(self) -> int:
        return int(self.head.get("status", {}).get("step", -1))


def until(what: Callable[[], Any], message: str = "") -> None:
    """Wait until something is true; fail the test if it does not come true."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < end, message or what
        time.sleep(0.02)


@contextmanager
def pool_of(**settings: Any) -> Iterator[WorkerPool]:
    pool = WorkerPool(Settings(**settings))
    pool.start()
    try:
        yield pool
    finally:
        pool.stop()
