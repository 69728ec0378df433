"""What workers need, imported and tried once before they are forked, so that each starts at once and shares the memory.

Only a process with one thread may do this. Threads do not survive a fork: a child whose parent has computed with
several of torch's hangs when it uses several. Where torch finds a graphics card, its autograd starts threads
for it at the first gradient, and every gradient in a child then raises; so there nothing here computes one.
"""

from __future__ import annotations

from playground.workers import before_fork  # isort: skip

import gc
import logging
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch

from playground import mnist
from playground.engine.frames import encode
from playground.engine.run import Heavy
from playground.lesson import Lab
from playground.lessons import BENCHES
from playground.lessons.data_loader.run import LoadingRun
from playground.settings import Settings
from playground.training import devices
from playground.workers import service
from playground.workers.memory import free_memory

MAX_SECONDS = 5.0  # of trying; a slow server leaves the rest to its workers
FIRST = ("regression", "classification", "cnn", "optimizers")  # what costs a visitor the most when it is new

NOT_TRIED = "%s could not be tried before workers are started."
THREADS = "%d threads run where there should be one: workers that are forked now may hang."

log = logging.getLogger(__name__)


def warm_up() -> None:
    """Build, step and draw a run of each lesson and lab, and draw each still lab, with one thread and for some seconds.

    Nothing is left of it but what is imported and remembered: no thread, no file, no process, no random number drawn.
    """
    devices.set_threads(1)
    end = time.monotonic() + MAX_SECONDS
    with _random_numbers_kept(), _without_gradients() if devices.may_have_graphics_card() else nullcontext():
        mnist.load()
        for bench in sorted(BENCHES.values(), key=lambda each: each.name not in FIRST):
            if time.monotonic() > end:
                break
            try:
                _try(bench)
            except NoGradient:
                pass
            except Exception:
                log.exception(NOT_TRIED, bench.name)
    before_fork.end()
    free_memory()
    gc.freeze()  # what is here stays: no collection in a worker writes to its memory, which would copy it
    if (count := threads()) > 1:
        log.error(THREADS, count)


class NoGradient(RuntimeError):
    """A gradient was asked for where none may be computed."""


def threads() -> int:
    """The number of threads of this process, those of libraries among them where the system tells."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()


def _try(bench: Any) -> None:
    config = bench.config()
    if isinstance(bench, Lab) and bench.draw is not None:
        service.drawn(bench, config, b"", 0)
        return
    run = bench.build(config, settings=Settings(core_limit=1))
    if isinstance(run, Heavy):
        run.use_cores(1)
    charts = [chart.name for chart in bench.charts]
    _encode_frame(run, charts)
    if not isinstance(run, LoadingRun):  # its steps start threads and processes
        run.advance(0.0, 1)
        _encode_frame(run, charts)


def _encode_frame(run: Any, charts: list[str]) -> None:
    encode({"charts": run.draw(charts, {}).charts})


@contextmanager
def _random_numbers_kept() -> Iterator[None]:
    """Leave the global generators as they are."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])


@contextmanager
def _without_gradients() -> Iterator[None]:
    """Raise NoGradient where a gradient would be computed, before torch does anything for it."""

    def refuse(*args: object, **options: object) -> NoReturn:
        raise NoGradient

    before = torch.autograd._engine_run_backward  # type: ignore[attr-defined]
    torch.autograd._engine_run_backward = refuse  # type: ignore[attr-defined]
    try:
        yield
    finally:
        torch.autograd._engine_run_backward = before  # type: ignore[attr-defined]
