"""How many torch threads a CNN's step is to use here: more than one only where that was measured to be faster."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

import torch
from torch import nn

from playground.training import devices

ROUNDS, STEPS = 7, 3  # of each round's steps with one number of threads, the first is not counted
MAX_SECONDS = 3.0  # of measuring, after two rounds
WORTH_IT = 0.9  # several threads must need at most this part of one thread's time
ABOUT_EQUAL = 1.05  # fewer threads may need this many times the time of the fastest
BATCH, SIDE, FILTERS, KERNEL = 50, 28, (16, 32), 5  # the lesson's own first settings

MEASURED = "A CNN's step takes {times}: its runs use {count} of {cores} cores."
TIME = "{milliseconds:.1f} ms with {threads} threads"
ONE_TIME = "{milliseconds:.1f} ms with 1 thread"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StepTimes:
    """The measured seconds of one step, by number of threads; 1 is one of them."""

    seconds: Mapping[int, float]

    def fastest(self, limit: int) -> int:
        """The number of threads to use where at most `limit` cores are free."""
        within = {threads: each for threads, each in self.seconds.items() if threads <= limit}
        best = min(within.values(), default=0.0)
        if not within or best > WORTH_IT * self.seconds[1]:
            return 1
        return min(threads for threads, each in within.items() if each <= ABOUT_EQUAL * best)


class Choice:
    """The numbers of threads for CNN runs: measured once, in a thread of its own, when a server starts.

    Without a server nothing is measured, and a run uses all cores that it is given.
    """

    def __init__(self) -> None:
        self._measuring = False
        self._times: StepTimes | None = None

    def begin(self, cores: int, measured: Callable[[StepTimes], None] = lambda times: None) -> threading.Thread:
        """Start measuring; until it is done, `threads` is 1. `measured` is called with the times."""
        self._measuring = True
        thread = threading.Thread(target=self._measure, args=(cores, measured), name="thread-choice", daemon=True)
        thread.start()
        return thread

    def threads(self, limit: int) -> int:
        """The number of threads for a run that begins now and may use `limit` cores."""
        if not self._measuring:
            return limit
        return self._times.fastest(limit) if self._times is not None else 1

    def set(self, times: StepTimes | None) -> None:
        """Use times that were measured elsewhere; None: they are being measured, and `threads` is 1."""
        self._measuring, self._times = True, times

    def _measure(self, cores: int, measured: Callable[[StepTimes], None]) -> None:
        counts = thread_counts(cores)
        self._times = times = measure(counts) if len(counts) > 1 else StepTimes({1: 0.0})
        if len(counts) > 1:
            log.info(describe(times, cores))
        measured(times)


def thread_counts(cores: int) -> list[int]:
    """The numbers of threads to compare: 1, 2, 4, ... and all cores."""
    most = min(cores, devices.MAX_THREADS)
    powers = [2**power for power in range(most.bit_length()) if 2**power < most]
    return [*powers, most]


def measure(counts: list[int]) -> StepTimes:
    """Measure steps with each number of threads by turns, so that a busy moment meets all of them."""
    step = _Step()
    found: dict[int, list[float]] = {threads: [] for threads in counts}
    end = time.perf_counter() + MAX_SECONDS
    for done in range(ROUNDS):
        if done >= 2 and time.perf_counter() > end:
            break
        for threads, seconds in found.items():
            with devices.threads(threads):
                seconds.extend([step.seconds() for _ in range(STEPS)][1:])
    return StepTimes({threads: median(seconds) for threads, seconds in found.items()})


def describe(times: StepTimes, cores: int) -> str:
    """One sentence for the log."""
    each = [
        (ONE_TIME if threads == 1 else TIME).format(milliseconds=1e3 * seconds, threads=threads)
        for threads, seconds in times.seconds.items()
    ]
    return MEASURED.format(times=", ".join(each), count=times.fastest(cores), cores=cores)


class _Step:
    """One training step of a CNN of the usual size; it takes no numbers from torch's global generator."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        one, two = FILTERS
        with torch.device("meta"):
            layers = (
                nn.Conv2d(1, one, KERNEL, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(one, two, KERNEL, padding="same"), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                nn.Linear(two * (SIDE // 4) ** 2, 10),
            )  # fmt: skip
        self.model = nn.Sequential(*layers).to_empty(device="cpu")
        for parameter in self.model.parameters():
            nn.init.normal_(parameter, std=0.05, generator=generator)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.x = torch.rand((BATCH, 1, SIDE, SIDE), generator=generator)
        self.y = torch.arange(BATCH) % 10

    def seconds(self) -> float:
        start = time.perf_counter()
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(self.x), self.y)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return time.perf_counter() - start


CHOICE = Choice()  # this server's
