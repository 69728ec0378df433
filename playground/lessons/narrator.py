"""The narrator: one plain sentence about a regression or classification run, and what to do next."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from playground.runs.training_run import TrainingRun, View

MIN_ROWS = 12  # of history, before a trend is judged
MIN_R2 = 0.5  # below it a fit is poor
MIN_LOSS_TO_JUMP = 0.02  # as a share of the first loss: below it, jumps are not mentioned
MAX_INPUT = 20

SENTENCES = {
    "diverged": "Diverged at step {step}: the loss is not finite (NaN). Lower the learning rate, then press Reset.",
    "past": "You are looking back at step {step}. Press Now or Play to return.",
    "start": "Press Play and watch the model learn. You can change most settings while it runs.",
    "limit": "Stopped at step {step} with a training loss of {loss:.3g}. Press Play to continue to step {next_stop}.",
    "target": "Stopped at your target: the training loss is {loss:.3g}. Press Play to continue.",
    "jumps": "The loss bounces more than it falls. Try a lower learning rate.",
    "dead": "{dead} of {units} hidden units are dead: they output 0 for every point, so they get no gradient.",
    "overfit": "Overfitting: the training loss still falls, but the test loss rose from {best:.3g} to {test:.3g}.",
    "stuck": "A plateau: the loss hardly changes and the fit is poor. Try a higher rate, more units or another seed.",
    "settled": "The loss has settled at {loss:.3g}; it hardly changes any more.",
    "far": "The inputs go up to ±{largest:g}. Models learn best from inputs near ±1: scale your table, then load it.",
    "all": "All training points are classified correctly. The loss ({loss:.3g}) still falls: confidence grows.",
    "straight": "Without a hidden layer the boundary is straight in the inputs you chose. Add a layer or other inputs.",
    "guessing": "The model is hardly better than guessing. Try more units or layers, other inputs, or a higher rate.",
    "classes": "Learning: the loss fell from {first:.3g} to {loss:.3g}; {correct:.1f} % of the points are correct.",
    "falling": "Learning: the training loss fell from {first:.3g} to {loss:.3g}.",
    "rising": "The training loss rose from {first:.3g} to {loss:.3g}. Lower the rate or undo your last change.",
}


def regression(run: TrainingRun, view: View, *, dead: int, units: int, largest: float) -> str:
    """The sentence for a regression run, with `dead` of its `units` hidden units dead and inputs up to ±`largest`."""
    key, numbers = _regression(run, view, dead, units, largest)
    return SENTENCES[key].format(step=view.steps, dead=dead, units=units, **numbers)


def _regression(run: TrainingRun, view: View, dead: int, units: int, largest: float) -> tuple[str, dict[str, Any]]:
    train = run.history.column("train")
    loss = float(train[-1])
    numbers: dict[str, Any] = {"loss": loss, "first": float(train[0])}
    if not view.is_current:
        return "past", numbers
    if run.outcome == "failed":
        return "diverged", numbers
    if largest > MAX_INPUT:
        return "far", {"largest": largest}
    if view.steps == 0:
        return "start", numbers
    if dead and dead >= 0.5 * units:
        return "dead", numbers
    if len(train) >= MIN_ROWS:
        trend = _trend(train, run.history.column("test"), is_whole=run.trainer.batches.whole, fit=view.predictions.r2)
        if trend is not None:
            numbers |= trend[1]
            if trend[0] != "settled" or not run.outcome:
                return trend[0], numbers
    if run.outcome == "done":
        return _stopped(run, view), numbers | {"next_stop": view.steps + run.config.max_steps}
    return ("falling" if loss <= train[0] else "rising"), numbers


def classification(run: TrainingRun, view: View) -> str:
    """The sentence for a classification run."""
    key, numbers = _classification(run, view)
    return SENTENCES[key].format(step=view.steps, **numbers)


def _classification(run: TrainingRun, view: View) -> tuple[str, dict[str, Any]]:
    train, row = run.history.column("train"), view.predictions.losses
    accuracy, chance = row["accuracy"], 1 / view.config.outputs
    numbers: dict[str, Any] = {"loss": row["train"], "first": float(train[0]), "correct": 100 * accuracy}
    if not view.is_current:
        return "past", numbers
    if run.outcome == "failed":
        return "diverged", numbers
    if view.steps == 0:
        return "start", numbers
    if len(train) >= MIN_ROWS and not run.outcome:
        # The classification's counterpart of R²: 0 is guessing, 1 is every point correct.
        skill = (accuracy - chance) / (1 - chance)
        trend = _trend(train, run.history.column("test"), is_whole=run.trainer.batches.whole, fit=skill)
        if trend is not None and trend[0] == "stuck":
            return ("guessing" if view.config.layers else "straight"), numbers
        if trend is not None:
            return trend[0], numbers | trend[1]
    if run.outcome == "done":
        return _stopped(run, view), numbers | {"next_stop": view.steps + run.config.max_steps}
    if accuracy == 1:
        return "all", numbers
    return ("classes" if row["train"] <= train[0] else "rising"), numbers


def _stopped(run: TrainingRun, view: View) -> str:
    return "limit" if view.steps >= run.progress.stop_at else "target"


def _trend(train: Any, test: Any, *, is_whole: bool, fit: float) -> tuple[str, dict[str, float]] | None:
    """The sentence for the last quarter of a history (rows,) and its numbers; None if there is nothing to say.

    `is_whole` says whether each batch is the whole data, and `fit` (1 is perfect) how good the model is.
    """
    late = train[-max(MIN_ROWS, len(train) // 4) :]
    changes = np.diff(late)
    rise = float(np.maximum(changes, 0).sum())
    fall = rise - float(late[-1] - late[0])
    if len(test) and not math.isnan(test[-1]):
        best_at, now = int(test.argmin()), float(test[-3:].mean())
        if now > 1.3 * test[best_at] and train[-1] < 0.9 * train[best_at]:
            return "overfit", {"best": float(test[best_at]), "test": now}
    is_often = np.count_nonzero(changes > 0) > 0.25 * len(changes)
    jumps = is_often and rise > 0.5 * fall and rise > 0.2 * late.mean()
    if is_whole and jumps and late.mean() > MIN_LOSS_TO_JUMP * train[0]:
        return "jumps", {}
    if abs(late[0] - late[-1]) < 0.003 * abs(late[0]):
        return ("stuck" if fit < MIN_R2 else "settled"), {}
    return None
