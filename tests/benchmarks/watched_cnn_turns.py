"""The lesson "CNN on MNIST" without an end, with a viewer: a turn plays it for some seconds and pauses it again."""

from __future__ import annotations

import time

from playground.lessons.cnn_setup import CnnConfig
from tests.benchmarks.turns import SETTLING_SECONDS, obey
from tests.benchmarks.watched_cnn import watched

if __name__ == "__main__":
    with watched(CnnConfig(epochs=0), 1) as (engine, (run_id,), _, (run,)):

        def images_per_second(seconds: float) -> float:
            """Play for this long."""
            engine.command(run_id, {"do": "play"})
            time.sleep(SETTLING_SECONDS)
            images, start = run.trained, time.perf_counter()
            time.sleep(seconds)
            rate = (run.trained - images) / (time.perf_counter() - start)
            engine.command(run_id, {"do": "pause"})
            engine.call(run_id, lambda run: None)  # after its slice
            return float(rate)

        obey(images_per_second)
