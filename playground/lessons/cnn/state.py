"""What a training on digits keeps besides weights, optimizer and batches, for a checkpoint to hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from playground.lessons.cnn.evaluation import MOST_TESTS
from playground.runs import state_checks as check
from playground.training.devices import MAX_THREADS

if TYPE_CHECKING:
    from playground.lessons.cnn.run import CnnRun


def own_state(run: CnnRun) -> dict[str, Any]:
    """Dropout's random numbers, where the run ends, its schedule's plan, its counts, its tests' results, threads."""
    return {
        "dropout": run.dropout.generator.get_state(),
        "stop_epoch": check.finite_or_none(run.stop_epoch),
        "plan": list(run.plan),
        "counts": [run.trained, run.tested_at],
        "tally": run.tally.state(),
        "tests": [list(test) for test in run.tester.whole],
        "threads": run.threads,
    }


def load_own_state(run: CnnRun, state: Any) -> None:
    """Take them up again. Raises StateError."""
    names = ("dropout", "stop_epoch", "plan", "counts", "tally", "tests", "threads")
    has_threads = not isinstance(state, dict) or "threads" in state  # files of earlier versions have none
    found = check.entries(state if has_threads else state | {"threads": None}, names, "own")
    run.dropout.generator.set_state(check.generator(found["dropout"], "own/dropout"))
    stop = found["stop_epoch"]
    run.stop_epoch = math.inf if stop is None else check.number(stop, "stop_epoch")
    plan, counts = (check.rows([found[name]], 1, 2, name)[0] for name in ("plan", "counts"))
    run.plan = check.whole(plan[0], "plan"), check.whole(plan[1], "plan", 1)
    run.trained, run.tested_at = (check.whole(each, "counts") for each in counts)
    batches, images, loss, right = check.rows([found["tally"]], 1, 4, "tally")[0]
    run.tally.load_state(
        check.whole(batches, "tally"), check.whole(images, "tally"), check.number(loss, "tally"),
        check.whole(right, "tally"),
    )  # fmt: skip
    run.tester.whole = [
        (check.whole(step, "tests"), check.number(accuracy, "tests", 1.0), check.number(loss, "tests"))
        for step, accuracy, loss in check.rows(found["tests"], MOST_TESTS, 3, "tests")
    ]
    if found["threads"] is not None:
        run.threads = min(check.whole(found["threads"], "threads", 1, MAX_THREADS), run.settings.cores)
