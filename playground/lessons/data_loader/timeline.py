"""The lab Worker timeline: the same data read with 0, 1 and 2 workers, each fetch timed in its own process (2.4)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from playground.engine.frames import Figure
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab
from playground.lessons.data_loader.figures import lanes
from playground.lessons.data_loader.figures.lanes import Span
from playground.lessons.data_loader.run import LoadingRun, batch_sizes
from playground.lessons.data_loader.timed_dataset import Batch, Plan
from playground.settings import Settings

WORKERS = (0, 1, 2)
NAMES = ("0 workers", "1 worker", "2 workers")
STARTS = {"fork": "fork (Linux)", "spawn": "spawn (Windows, Mac)"}
COSTS = {"waiting": "Waiting (disk, network)", "computing": "Computing (decoding)"}
START_SECONDS = {"fork": 0.1, "spawn": 3.0}  # an estimate for the time axis before anything is measured
MIN_SPEEDUP = 1.1  # below it the narrator calls the difference small
SENTENCES = {
    "start": "Press Play: the same samples are read with 0, then 1, then 2 workers.",
    "reading": "Each bar is one item’s fetch, timed in the process that fetched it.",
    "help": "2 workers: {two:.2f} s. No workers: {none:.2f} s. Workers help here.",
    "hurt": "2 workers: {two:.2f} s. No workers: {none:.2f} s. Workers make it slower here.",
    "same": "2 workers: {two:.2f} s. No workers: {none:.2f} s. The difference is small.",
}
LABELS = {
    "fell back": "{name},<br>fell back to 0",
    "main fell back": "{name}: main,<br>fell back to 0",
    "main": "{name}: main",
    "worker": "worker {number}",
    "waiting": "waiting {time}",
    "starting": "starting {time}",
    "using": "training on batch {slot}",
    "fetch": "batch {slot}, x = {x:g}: {time}",
    "time": "{ms:.1f} ms",
}


@dataclass(frozen=True)
class TimelineConfig(Config):
    """The costs of fetching and training, and the arguments of the loader."""

    # fmt: off
    item_ms: int = knob(20, "Time per item (ms)", help="The time to fetch one sample.", group="Cost", bar=True,
                        lo=0, hi=30, step=1)
    batch_ms: int = knob(20, "Training (ms)", group="Cost", bar=True, lo=0, hi=60, step=5,
                         help="The loop’s work on a batch before it requests the next. It only waits, as for a GPU.")
    cost: str = knob("waiting", "Kind of cost", group="Cost", bar=True, options=tuple(COSTS), names=COSTS,
                     help="Two processes can wait at the same time at no cost; computing needs a core each.")
    samples: int = knob(24, "Samples", group="Loader", lo=4, hi=40, step=2)
    batch_size: int = knob(4, "Batch size", group="Loader", lo=2, hi=20, step=1)
    prefetch: int = knob(2, "Prefetch factor", help="Batches that each worker fetches ahead.", group="Loader",
                         lo=1, hi=4, step=1)
    epochs: int = knob(1, "Epochs", group="Loader", lo=1, hi=2, step=1)
    persistent: bool = knob(False, "Persistent workers", help="Keep the processes from epoch to epoch.",
                            group="Loader", applies=lambda c: c.epochs > 1)
    start: str = knob("fork", "Start method", group="Loader", options=tuple(STARTS), names=STARTS,
                      help="A forked worker is a copy and starts at once; a spawned one imports everything again.")
    # fmt: on


def plan_of(config: TimelineConfig, workers: int) -> Plan:
    """The plan of reading with this many workers."""
    return Plan(
        samples=config.samples, batch_size=config.batch_size, shuffle=False, workers=workers, prefetch=config.prefetch,
        persistent=config.persistent, start=config.start, epochs=config.epochs, item_ms=float(config.item_ms),
        computing=config.cost == "computing", batch_ms=float(config.batch_ms),
    )  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """The batches of one plan so far, and what follows from their times."""

    batches: list[Batch]

    def fell_back(self, workers: int) -> bool:
        """Whether the main process fetched a batch although there should have been workers."""
        return workers > 0 and any(batch.worker[0] < 0 for batch in self.batches)

    @property
    def seconds(self) -> float:
        """Seconds from the start of the loop until training on the last batch was done."""
        return self.batches[-1].used if self.batches else 0.0

    @property
    def rate(self) -> float | None:
        """Samples per second, start-up included; None before the first batch."""
        return sum(len(batch.x) for batch in self.batches) / self.seconds if self.batches else None

    @property
    def started_rate(self) -> float | None:
        """Samples per second after the first batch; None before there are two."""
        if len(self.batches) < 2 or self.seconds <= self.batches[0].used:
            return None
        return sum(len(batch.x) for batch in self.batches[1:]) / (self.seconds - self.batches[0].used)

    def main(self) -> list[Span]:
        """The spans of the main process: waiting, fetching (without workers) and training."""
        spans = []
        for batch in self.batches:
            if batch.worker[0] >= 0:
                spans.append(
                    Span("waiting", batch.asked, batch.got, LABELS["waiting"].format(time=_ms(batch.got - batch.asked)))
                )
            spans.append(Span("using", batch.got, batch.used, LABELS["using"].format(slot=batch.slot)))
        return spans + self.fetches(-1)

    def worker(self, number: int) -> list[Span]:
        """The spans of a worker: starting, once or in each epoch, and fetching."""
        fetches = self.fetches(number)
        begins = {batch.epoch: batch.asked for batch in self.batches if batch.slot == 0}
        starting = []
        for epoch, begin in begins.items():
            mine = [batch.starts[0] for batch in self.batches if batch.epoch == epoch and batch.worker[0] == number]
            if mine:
                starting.append(Span("starting", begin, mine[0], LABELS["starting"].format(time=_ms(mine[0] - begin))))
        return starting + fetches

    def fetches(self, number: int) -> list[Span]:
        """The spans of each item's fetch by one worker; -1 is the main process."""
        return [
            Span("odd" if batch.slot % 2 else "even", start, end,
                 LABELS["fetch"].format(slot=batch.slot, x=x, time=_ms(end - start)))
            for batch in self.batches
            for x, worker, start, end in zip(batch.x, batch.worker, batch.starts, batch.ends, strict=True)
            if worker == number
        ]  # fmt: skip

    def ahead(self) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
        """The times at which the number of waiting batches changed, and the numbers: two arrays (changes,)."""
        times = [(batch.ends[-1], 1) for batch in self.batches] + [(batch.got, -1) for batch in self.batches]
        times.sort()
        seconds = np.array([0.0, *(at for at, _ in times)])
        return seconds, np.cumsum([0, *(change for _, change in times)])


def _ms(seconds: float) -> str:
    return LABELS["time"].format(ms=1_000 * seconds)


class TimelineRun(LoadingRun):
    """Three readings, one after the other: with 0, 1 and 2 workers."""

    def __init__(self, config: TimelineConfig, settings: Settings) -> None:
        super().__init__(config, settings, [plan_of(config, workers) for workers in WORKERS])

    @property
    def auto_speed(self) -> float:
        """0: a step as soon as its batch arrives."""
        return 0.0

    def steps_in_epochs(self, epochs: int) -> int:
        """The number of batches that complete this many epochs, the current one included."""
        each = len(batch_sizes(self.plans[0]))
        return epochs * each - self.steps % each

    def measured(self, at: int) -> list[Measured]:
        """Each plan's measurements after `at` batches."""
        shown = self.batches[:at]
        return [Measured([batch for batch in shown if batch.plan == number]) for number in range(len(WORKERS))]

    def names(self, measured: list[Measured]) -> list[str]:
        """What each reading is called: one whose workers failed says so, because its times are not those of workers."""
        return [
            LABELS["fell back"].format(name=name) if each.fell_back(workers) else name
            for name, workers, each in zip(NAMES, WORKERS, measured, strict=True)
        ]

    def until(self, measured: list[Measured]) -> float:
        """The end of the time axis in seconds: an estimate of the slowest reading, or its measured time if longer."""
        config = self.config
        batches = len(batch_sizes(self.plans[0]))
        about: float = config.epochs * (config.samples * config.item_ms + batches * config.batch_ms) / 1_000
        return max(1.05 * about + START_SECONDS[config.start], *(each.seconds for each in measured))

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The lanes, the throughput and the number of waiting batches."""
        measured = self.measured(at)
        until = self.until(measured)
        names = self.names(measured)
        groups = [
            [(LABELS["main fell back" if each.fell_back(workers) else "main"].format(name=name), each.main()),
             *((LABELS["worker"].format(number=number), each.worker(number)) for number in range(workers))]
            for name, workers, each in zip(NAMES, WORKERS, measured, strict=True)
        ]  # fmt: skip
        rates = {name: (each.rate, each.started_rate) for name, each in zip(names, measured, strict=True)}
        best = max((rate for pair in rates.values() for rate in pair if rate is not None), default=1.0)
        waiting = [(name, *each.ahead()) for name, each in zip(names[1:], measured[1:], strict=True)]
        return {
            "lanes": lambda: lanes.lanes(groups, until),
            "throughput": lambda: lanes.throughput(rates, best),
            "ahead": lambda: lanes.ahead(waiting, 2.0 * self.config.prefetch + 0.5, until),
        }

    def status(self, at: int) -> dict[str, float]:
        """The seconds of each reading so far; NaN before its first batch, and where no workers read."""
        return {
            f"seconds_{workers}": math.nan if each.fell_back(workers) or not each.batches else round(each.seconds, 3)
            for workers, each in zip(WORKERS, self.measured(at), strict=True)
        }

    def narrate(self, at: int) -> str:
        """A sentence that compares the three readings once they are done."""
        if at < (self.length or 0) or len(self.batches) < at:
            return self.notice or SENTENCES["reading" if at else "start"]
        if self.loading is not None and self.loading.fell_back:
            return self.notice
        none, _, two = (each.seconds for each in self.measured(at))
        kind = "help" if none > MIN_SPEEDUP * two else "hurt" if two > MIN_SPEEDUP * none else "same"
        return self.with_notice(SENTENCES[kind].format(two=two, none=none))


def build(config: TimelineConfig, settings: Settings | None = None) -> TimelineRun:
    """A run before its first batch."""
    return TimelineRun(config, settings or Settings())


LAB = Lab(
    name="data_loader_timeline",
    title="Worker timeline",
    sentence="Which process fetches what, and when, with 0, 1 and 2 workers: measured in each process on this server.",
    config=TimelineConfig,
    build=build,
    units=("step", "epoch"),
    charts=(
        Chart("lanes", "Lanes", "A lane for each process: fetching items, waiting, training on a batch."),
        Chart("throughput", "Throughput", "Samples per second with 0, 1 and 2 workers."),
        Chart("ahead", "Batches waiting", "How many fetched batches were waiting, over time."),
    ),
    status={"step": "Batch", "seconds_0": "0 workers (s)", "seconds_1": "1 worker (s)", "seconds_2": "2 workers (s)"},
)
