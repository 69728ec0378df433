"""Trainings of the lesson "CNN on MNIST" in an engine, each with a viewer that takes a few frames a second.

    python -m tests.benchmarks.watched_cnn '<config as JSON>' [runs]

Prints, for each run: its images a second from its first step to its last, the accuracy on all test images at its end,
the seconds from Play to that, and how many images it had seen when the first of the runs was through.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any

from playground.engine.engine import Engine
from playground.lessons.cnn import lesson as cnn
from playground.lessons.cnn.config import CnnConfig, load_digits
from playground.settings import Settings
from playground.training import devices

FRAMES_PER_SECOND = 5.0
# What the first view asks for, by how often: each frame, each second, each eighth (the small pictures).
CHARTS = {1: ["loss", "reading"], 2: ["predictions"], 8: ["accuracy", "maps", "drawn", "confusion", "plane"]}


class Viewer:
    """Takes frames, and asks for the next a fifth of a second after the last."""

    def __init__(self) -> None:
        self.frames = 0

    def deliver(self, frame: bytes) -> None:
        self.frames += 1

    def dismiss(self, code: int, reason: str) -> None:
        pass


def images_of(run: Any) -> int:
    """How many images a run has trained on; its batches are all of one size, but for the last of an epoch."""
    return int(run.steps * run.config.batch_size)


def watch(config: CnnConfig, runs: int) -> list[dict[str, Any]]:
    """Train so many runs at once to their ends."""
    with watched(config, runs) as (engine, ids, viewers, built):
        start = time.monotonic()
        for run_id in ids:
            engine.command(run_id, {"do": "play"})
        found = _follow(built, start)
    for each, viewer in zip(found, viewers, strict=True):
        each["frames_per_second"] = viewer.frames / each["seconds"]
    return found


@contextmanager
def watched(config: CnnConfig, runs: int) -> Iterator[tuple[Engine, list[str], list[Viewer], list[Any]]]:
    """So many runs in an engine, not yet playing: the engine, the runs' ids, their viewers, and the runs themselves."""
    settings = Settings()
    devices.set_threads(settings.torch_threads)
    load_digits()
    engine = Engine(settings, prepare=partial(devices.set_threads, settings.torch_threads))
    engine.start()
    ids = [engine.open(f"session {index}", cnn.build, config) for index in range(runs)]
    viewers = [Viewer() for _ in ids]
    built: list[Any] = []
    for run_id, viewer in zip(ids, viewers, strict=True):
        engine.attach(run_id, viewer)
        built.append(engine.call(run_id, lambda run: run, timeout=60.0))
    stop = threading.Event()
    asking = threading.Thread(target=_ask, args=(engine, list(zip(ids, viewers, strict=True)), stop))
    asking.start()
    try:
        yield engine, ids, viewers, built
    finally:
        stop.set()
        asking.join()
        engine.stop()


def _ask(engine: Engine, viewers: list[tuple[str, Viewer]], stop: threading.Event) -> None:
    for frame in count():
        if stop.wait(1 / FRAMES_PER_SECOND):
            return
        charts = [name for every, names in CHARTS.items() if frame % every == 0 for name in names]
        for run_id, viewer in viewers:
            engine.ask(run_id, viewer, charts, {})


def _follow(runs: list[Any], start: float) -> list[dict[str, Any]]:
    """Look at the runs from outside until all are done."""
    found: list[dict[str, Any]] = [{} for _ in runs]
    while not all("seconds" in each for each in found):
        time.sleep(0.02)
        now = time.monotonic()
        for run, each in zip(runs, found, strict=True):
            if run.steps and "first" not in each:
                each["first"], each["images_before"] = now, images_of(run)
            if "last" not in each and run.trainer.batches.epochs >= run.stop_epoch:
                each["last"], each["images"] = now, images_of(run)
                for other, its in zip(found, runs, strict=True):
                    other.setdefault("images_then", images_of(its))
            if run.outcome and "seconds" not in each:
                each["seconds"], each["accuracy"] = now - start, run.tester.full_tests[-1].accuracy
    return [
        {
            "images_per_second": (each["images"] - each["images_before"]) / (each["last"] - each["first"]),
            "images_then": each["images_then"],
            "seconds": each["seconds"],
            "accuracy": each["accuracy"],
        }
        for each in found
    ]


if __name__ == "__main__":
    print(json.dumps(watch(CnnConfig(**json.loads(sys.argv[1])), int(sys.argv[2]) if len(sys.argv) > 2 else 1)))
