"""The lab Batches: the tutorial's loader, its epochs slot by slot, and the lines that its loop prints (2.4)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from playground.engine.frames import Figure
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Toggle
from playground.lessons.data_loader.figures import loading
from playground.lessons.data_loader.run import LoadingRun, batch_sizes
from playground.lessons.data_loader.timed_dataset import SAMPLERS, Plan
from playground.settings import Settings

MAX_PRINTED = 12  # numbers of a batch that are all printed; from a larger one the middle is left out
PLAY_SECONDS = 12.0  # for all epochs at automatic speed
SAMPLER_NAMES = {
    "shuffle": "None (shuffle decides)",
    "sequential": "SequentialSampler",
    "random": "RandomSampler",
    "weighted": "Weighted, with repeats",
    "replacement": "Random, with repeats",
}
SENTENCES = {
    "start": "Batches in an epoch: {batches}. Press Play or Step: a step is one batch.",
    "not drawn": "Epoch {epoch} is over. Not drawn yet: {missing} of {samples} samples. Samples can repeat.",
    "all drawn": "Epoch {epoch} is over. Each of the {samples} samples has been drawn by now, some more often.",
    "short": "A short batch: {samples} samples leave {size} for the last batch of {batch_size}.",
    "dropped": "Epoch {epoch} is over. Samples left out: {dropped} of {samples}.",
    "epoch": "Epoch {epoch} is over. Every epoch shows each of the {samples} samples once.",
    "batch": "Epoch {epoch}, batch {slot} of {batches} (counted from 0). Samples in it: {size}.",
}


@dataclass(frozen=True)
class BatchesConfig(Config):
    """The arguments of the loader; the defaults are the tutorial's."""

    # fmt: off
    samples: int = knob(10, "Samples", help="x = 1, 2, 3 … and y in the reverse order.", group="Data",
                        lo=2, hi=60, step=1)
    batch_size: int = knob(5, "Batch size", group="Loader", bar=True, lo=1, hi=60, step=1)
    shuffle: bool = knob(True, "Shuffle", help="A new random order in each epoch.", group="Loader", bar=True,
                         applies=lambda c: c.sampler == "shuffle")
    drop_last: bool = knob(False, "Drop last", help="Leave out the last batch if it is not full.", group="Loader",
                           bar=True)
    workers: int = knob(2, "Workers", group="Loader", bar=True, options=(0, 1, 2),
                        help="Processes that fetch batches. With 0 the main process fetches them.")
    epochs: int = knob(3, "Epochs", group="Loader", lo=1, hi=10, step=1)
    seed: int = knob(0, "Seed", group="Loader", lo=0, hi=9999, step=1,
                     help="Seed of the loader’s generator. The same seed gives the same order.")
    sampler: str = knob("shuffle", "Sampler", group="Loader", options=SAMPLERS, names=SAMPLER_NAMES,
                        help="Chooses the next sample. WeightedRandomSampler draws sample 10 ten times as often as 1. "
                             "“With repeats”: a sample can be drawn again in the same epoch.")
    prefetch: int = knob(2, "Prefetch factor", help="Batches that each worker fetches ahead.", group="Loader",
                         lo=1, hi=8, step=1, more=True, applies=lambda c: c.workers > 0)
    persistent: bool = knob(False, "Persistent workers", help="Keep the processes from epoch to epoch.",
                            group="Loader", more=True, applies=lambda c: c.workers > 0)
    # fmt: on


def plan_of(config: BatchesConfig) -> Plan:
    """The plan of reading that a config describes."""
    return Plan(
        samples=config.samples, batch_size=config.batch_size, shuffle=config.shuffle, sampler=config.sampler,
        drop_last=config.drop_last, workers=config.workers, prefetch=config.prefetch, persistent=config.persistent,
        seed=config.seed, epochs=config.epochs,
    )  # fmt: skip


def printed_before(samples: int) -> tuple[str, str]:
    """The two lines that the tutorial's script prints before its loop: x and y, as print shows a tensor."""
    x, y = torch.linspace(1, samples, samples), torch.linspace(samples, 1, samples)
    x_line, y_line = (
        f"tensor({np.array2string(each.numpy(), separator=', ', max_line_width=10_000, threshold=MAX_PRINTED)})"
        for each in (x, y)
    )
    return x_line, y_line


def printed(epoch: int, step: int, batch_x: Tensor, batch_y: Tensor, *, called: bool) -> str:
    """The line that the tutorial's loop prints; unless `called`, it shows the method `batch_y.numpy` itself."""
    x, y = as_printed(batch_x), as_printed(batch_y) if called else str(batch_y.numpy)
    return f"Epoch: {epoch} |Step: {step} |batch x: {x} |batch y: {y}"


def as_printed(batch: Tensor) -> str:
    """A batch as print shows its array, on one line; a long one without its middle."""
    return np.array2string(batch.numpy(), max_line_width=10_000, threshold=MAX_PRINTED)


class BatchesRun(LoadingRun):
    """The epochs of one loader, batch by batch."""

    def __init__(self, config: BatchesConfig, settings: Settings) -> None:
        plan = plan_of(config)
        super().__init__(config, settings, [plan])
        self.plan = plan
        self.sizes = batch_sizes(plan)
        # Of the batches shown; kept so that an address is printed the same each time.
        self.tensors: list[tuple[Tensor, Tensor]] = []

    @property
    def auto_speed(self) -> float:
        """Two batches a second, faster if there are many."""
        return max(2.0, (self.length or 0) / PLAY_SECONDS)

    def steps_in_epochs(self, epochs: int) -> int:
        """The number of batches that complete this many epochs, the current one included."""
        return epochs * len(self.sizes) - self.steps % len(self.sizes)

    def order(self, at: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        """The sample in each slot after `at` batches (epochs, samples); 0 for an empty slot."""
        order = np.zeros((self.plan.epochs, self.plan.samples), np.int64)
        for batch in self.batches[:at]:
            start = batch.slot * self.plan.batch_size
            order[batch.epoch, start : start + len(batch.x)] = np.rint(batch.x)
        return order

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The map of slots, the counts of each sample and the printed lines."""
        order = self.order(at)
        return {
            "map": partial(self._map, order, at),
            "seen": partial(self._counts, order, at),
            "printed": partial(self._printed, at, called=not options.get("bug", False)),
        }

    def _map(self, order: np.ndarray[tuple[int, int], np.dtype[np.int64]], at: int) -> Figure:
        latest = divmod(at - 1, len(self.sizes)) if at else None
        dropped = self.plan.samples - sum(self.sizes)
        return loading.batch_map(order, batch_size=self.plan.batch_size, dropped=dropped, latest=latest)

    def _counts(self, order: np.ndarray[tuple[int, int], np.dtype[np.int64]], at: int) -> Figure:
        counts = self.counts(order)
        expected = at // len(self.sizes)
        top = max(self.plan.epochs + 1, int(counts.max()) + 1)
        if self.plan.sampler in ("weighted", "replacement"):
            top = max(top, 2 * self.plan.epochs + 2)
        return loading.times_drawn(counts, top=top, expected=expected)

    def counts(
        self, order: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    ) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """How often each sample has been drawn (samples,)."""
        return np.bincount(order.ravel(), minlength=self.plan.samples + 1)[1:]

    def _printed(self, at: int, *, called: bool) -> Figure:
        lines = list(printed_before(self.plan.samples)) if at <= loading.LINES else []
        while len(self.tensors) < min(at, len(self.batches)):
            batch = self.batches[len(self.tensors)]
            self.tensors.append((torch.tensor(batch.x), torch.tensor(batch.y)))
        for batch, (x, y) in list(zip(self.batches[:at], self.tensors, strict=False))[-loading.LINES :]:
            lines.append(printed(batch.epoch, batch.slot, x, y, called=called))
        return loading.printed(lines)

    def status(self, at: int) -> dict[str, float]:
        """The epochs done, the size of this batch, and a checksum of the order of all samples so far."""
        shown = self.batches[:at]
        checksum = zlib.crc32(repr([batch.x for batch in shown]).encode()) % 10_000 if shown else 0
        return {"epoch": at // len(self.sizes), "size": len(shown[-1].x) if shown else 0, "order": checksum}

    def narrate(self, at: int) -> str:
        """A sentence on the batch shown: which one it is, whether it is short, or what an epoch has left out."""
        if not at or len(self.batches) < at:
            return self.notice or SENTENCES["start"].format(batches=len(self.sizes))
        return self.with_notice(self._sentence(at))

    def _sentence(self, at: int) -> str:
        epoch, slot = divmod(at - 1, len(self.sizes))
        size, last = self.sizes[slot], slot == len(self.sizes) - 1
        missing, dropped = 0, self.plan.samples - sum(self.sizes)
        kind = "batch"
        if last and self.plan.sampler in ("weighted", "replacement"):
            missing = int((self.counts(self.order(at)) == 0).sum())
            kind = "not drawn" if missing else "all drawn"
        elif size < self.plan.batch_size:
            kind = "short"
        elif last:
            kind = "dropped" if dropped else "epoch"
        return SENTENCES[kind].format(
            epoch=epoch, slot=slot, size=size, missing=missing, dropped=dropped, samples=self.plan.samples,
            batches=len(self.sizes), batch_size=self.plan.batch_size,
        )  # fmt: skip


def build(config: BatchesConfig, settings: Settings | None = None) -> BatchesRun:
    """A run before its first batch."""
    return BatchesRun(config, settings or Settings())


LAB = Lab(
    name="data_loader_batches",
    title="Batches",
    sentence="The tutorial’s loader: each step takes its next batch.",
    config=BatchesConfig,
    build=build,
    units=("step", "epoch"),
    charts=(
        Chart("map", "Which samples are in which batch",
              "The sample in each slot of each epoch; lines separate the batches."),
        Chart("printed", "What the loop prints", "The last printed lines; x and y come before the loop.",
              toggles=(Toggle("bug", "As in the tutorial: batch_y.numpy without ()"),)),
        Chart("seen", "Times drawn", "How often each sample has been drawn: a bar for each."),
    ),
    status={"step": "Batch", "epoch": "Epochs done", "size": "In this batch", "order": "Checksum of the order"},
)  # fmt: skip
