"""The lesson "CNN on MNIST" with a viewer: a turn plays its first epoch on for some seconds and pauses it again.

A run whose epoch may have no room for another turn starts over. So the tutorial's epoch is compared, but for its
end; the test of all 10,000 images after it is in no turn.
"""

from __future__ import annotations

import time

from playground.lessons.cnn.config import CnnConfig
from playground.lessons.cnn.run import CnnRun
from tests.benchmarks.turns import SETTLING_SECONDS, obey
from tests.benchmarks.watched_cnn import images_of, watched

EPOCH = 60_000  # images

if __name__ == "__main__":
    with watched(CnnConfig(epochs=0), 1) as (engine, (run_id,), _, _):
        longest = EPOCH / 4  # turn so far, or so, in images

        def images_per_second(seconds: float) -> float:
            """Play for this long."""
            global longest
            if engine.call(run_id, images_of) + 1.3 * longest > EPOCH:
                engine.command(run_id, {"do": "reset"})
            run: CnnRun = engine.call(run_id, lambda run: run)  # type: ignore[assignment]
            before = images_of(run)
            engine.command(run_id, {"do": "play"})
            time.sleep(SETTLING_SECONDS)
            images, start = images_of(run), time.perf_counter()
            time.sleep(seconds)
            rate = (images_of(run) - images) / (time.perf_counter() - start)
            engine.command(run_id, {"do": "pause"})
            engine.call(run_id, lambda run: None)  # after its slice
            longest = max(longest, images_of(run) - before)
            assert run.trainer.batches.epochs == 0, "a turn went past the epoch"
            return float(rate)

        obey(images_per_second)
