"""A dataset whose items record which worker fetched them and when, and the loop that reads it with a DataLoader.

Worker processes import this module to find the dataset's class, so it imports only torch's data tools.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import (
    DataLoader,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    TensorDataset,
    WeightedRandomSampler,
    get_worker_info,
)

BLOCK = bytes(65_536)  # hashed repeatedly by items that cost computing; hashing releases Python's lock
TIMEOUT_SECONDS = 20.0  # a DataLoader waits this long for a batch before it gives up, on a machine that is not busy
SAMPLERS = ("shuffle", "sequential", "random", "weighted", "replacement")


@dataclass(frozen=True)
class Plan:
    """What to read and how: the arguments of a DataLoader, and the cost of fetching and of using a batch."""

    samples: int = 10
    batch_size: int = 5
    shuffle: bool = True
    sampler: str = "shuffle"  # one of SAMPLERS; "shuffle" leaves it to the argument of that name
    drop_last: bool = False
    workers: int = 2
    prefetch: int = 2  # batches that each worker fetches ahead
    persistent: bool = False
    start: str = "fork"  # the start method of worker processes: "fork" or "spawn"
    seed: int = 0
    epochs: int = 3
    item_ms: float = 0.0
    computing: bool = False  # an item costs computing instead of waiting
    batch_ms: float = 0.0  # the time for training on a batch before the next is requested
    timeout: float = TIMEOUT_SECONDS  # how long the loader waits for a batch of its workers


@dataclass(frozen=True)
class Batch:
    """One batch, item by item; times in seconds since the first epoch began."""

    plan: int  # the index of its plan
    epoch: int
    slot: int  # its place in the epoch
    x: list[float]
    y: list[float]
    worker: list[int]  # the worker that fetched each item; -1 is the main process
    starts: list[float]
    ends: list[float]
    asked: float  # when the main process requested the batch
    got: float
    used: float  # when training on it was done


class TimedItems(Dataset[tuple[Any, ...]]):
    """The items of another dataset, each with its worker and the times at which its fetch began and ended."""

    def __init__(self, items: TensorDataset, item_ms: float, *, computing: bool) -> None:
        self.items = items
        self.seconds = item_ms / 1_000
        self.computing = computing

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        start = time.monotonic()
        compute(self.seconds) if self.computing else time.sleep(self.seconds)
        worker = get_worker_info()
        number = -1 if worker is None else worker.id
        return *self.items[index], number, start, time.monotonic()


def compute(seconds: float) -> None:
    """Keep a processor busy for this many seconds of CPU time, however long that takes."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        hashlib.sha256(BLOCK).digest()


def weights(samples: int) -> Tensor:
    """The weights of the weighted sampler (samples,): in proportion to the sample's number."""
    return torch.arange(1.0, samples + 1)  # (samples,)


def build_sampler(plan: Plan, generator: torch.Generator) -> Sampler[int] | None:
    """The sampler that a plan names; None leaves the order to `shuffle`."""
    numbers = range(plan.samples)
    if plan.sampler == "sequential":
        return SequentialSampler(numbers)
    if plan.sampler == "random":
        return RandomSampler(numbers, generator=generator)
    if plan.sampler == "replacement":
        return RandomSampler(numbers, replacement=True, generator=generator)
    if plan.sampler == "weighted":
        return WeightedRandomSampler(weights(plan.samples).tolist(), plan.samples, generator=generator)
    return None


def build_loader(plan: Plan) -> DataLoader[tuple[Any, ...]]:
    """The DataLoader of a plan, over x = 1 .. samples and y in the reverse order."""
    generator = torch.Generator().manual_seed(plan.seed)
    x = torch.linspace(1, plan.samples, plan.samples)
    y = torch.linspace(plan.samples, 1, plan.samples)
    sampler = build_sampler(plan, generator)
    return DataLoader(
        TimedItems(TensorDataset(x, y), plan.item_ms, computing=plan.computing),
        batch_size=plan.batch_size,
        shuffle=plan.shuffle if sampler is None else None,
        sampler=sampler,
        drop_last=plan.drop_last,
        generator=generator,
        num_workers=plan.workers,
        prefetch_factor=plan.prefetch if plan.workers else None,
        persistent_workers=plan.persistent and plan.workers > 0,
        multiprocessing_context=plan.start if plan.workers else None,
        timeout=plan.timeout if plan.workers else 0,
    )


def read(plan: Plan, number: int = 0) -> Iterator[Batch]:
    """Every batch of every epoch, in order, as it arrives. Raises RuntimeError if a worker fails or takes too long."""
    loader = build_loader(plan)
    began = time.monotonic()
    for epoch in range(plan.epochs):
        slot, asked = 0, time.monotonic()  # starting the workers is part of the first wait
        for x, y, worker, start, end in loader:
            got = time.monotonic()
            time.sleep(plan.batch_ms / 1_000)
            used = time.monotonic()
            times = [(start - began).tolist(), (end - began).tolist(), asked - began, got - began, used - began]
            yield Batch(number, epoch, slot, x.tolist(), y.tolist(), worker.tolist(), *times)
            slot, asked = slot + 1, time.monotonic()
