"""Speeds side by side: a second or two of a bare loop, then of what is compared with it, and so on by turns.

These machines change their own speed by a third from one second to the next, so two speeds measured one after the
other say nothing. Each turn of the one is compared with the turns of the bare loop before and after it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.browser.student import Board

Speed = Callable[[float], float]  # over so many seconds -> steps (or images) a second
ROOT = Path(__file__).resolve().parents[2]
TURNS = 12
TURN_SECONDS = 2.0
WAITING = {"GOMP_SPINCOUNT": "50000"}  # as app.py sets it
SETTLING_SECONDS = 0.6  # after Play, before the counting


def obey(speed: Speed) -> None:
    """In the loop's own process: print its speed over the seconds that the command names, or each line of the input."""
    speed(1.0)  # the first steps are slow
    for seconds in sys.argv[1:] or sys.stdin:
        print(speed(float(seconds)), flush=True)


@contextmanager
def loop(module: str, *, waiting: bool = False) -> Iterator[Speed]:
    """A module that obeys, in a process of its own; called with seconds it gives its speed over them.

    Where it is `waiting`, torch's threads wait for each other as they do in the app.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=(WAITING if waiting else {}) | os.environ,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None

    def speed(seconds: float) -> float:
        print(seconds, file=process.stdin, flush=True)
        return float(process.stdout.readline())  # type: ignore[union-attr]

    try:
        yield speed
    finally:
        process.stdin.close()
        process.wait(30)


@dataclass
class Compared:
    """Speeds by turns: one more of the bare loop's than of what is compared with it."""

    bare: list[float]
    live: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Each turn's speed as a share of the bare loop's around it."""
        return [live / statistics.mean(self.bare[at : at + 2]) for at, live in enumerate(self.live)]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)

    def report(self, least: float, what: str = "steps a second") -> None:
        """Print the speeds and their ratio."""
        low, _, high = statistics.quantiles(self.ratios)
        report(what, f"{statistics.median(self.live):,.0f}")
        report(f"bare loop, {what}", f"{statistics.median(self.bare):,.0f}")
        report("ratio, median and middle half", f"{self.ratio:.3f}, {low:.3f} to {high:.3f}   (at least {least:g})")


def compare(bare: Speed, live: Speed, turns: int = TURNS) -> Compared:
    """Take turns, beginning and ending with the bare loop."""
    found = Compared([bare(TURN_SECONDS)])
    for _ in range(turns):
        found.live.append(live(TURN_SECONDS))
        found.bare.append(bare(TURN_SECONDS))
    return found


class Playing:
    """A board's run, played for each turn and paused after it; its speed is `per_step` times its steps a second."""

    def __init__(self, board: Board, per_step: float = 1.0) -> None:
        self.board, self.per_step = board, per_step
        self.frames: list[float] = []  # painted a second, in each turn

    def __call__(self, seconds: float) -> float:
        board, wait = self.board, self.board.page.wait_for_timeout
        board.play()
        wait(1000 * SETTLING_SECONDS)
        frames, steps, start = board.frames(), board.step, time.monotonic()
        wait(1000 * seconds)
        frames, steps, passed = board.frames() - frames, board.step - steps, time.monotonic() - start
        board.pause()
        wait(1000 * SETTLING_SECONDS)
        self.frames.append(frames / passed)
        return self.per_step * steps / passed


def report(name: str, value: Any) -> None:
    """Print one measured value."""
    print(f"  {name:<52} {value}")
