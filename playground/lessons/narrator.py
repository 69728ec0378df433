"""The narrator: looks at a run and says in one plain sentence what is to be seen, and what to do about it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from playground.runs.training_run import TrainingRun, View

FEWEST_ROWS = 12  # of history before it judges a trend
POOR_R2 = 0.5
WORTH_A_WORD = 0.02  # of the first loss: a loss below that may jump as it likes

SENTENCES = {
    "diverged": "Diverged at step {step}: the loss is no longer a number. Lower the learning rate, then press Reset.",
    "past": "You are looking back at step {step}. Press Now, or Play, to return.",
    "start": "Press Play and watch it learn. Turn the knobs while it runs: most of them act at once.",
    "limit": "Stopped after {step} steps with a training loss of {loss:.3g}. Play trains on for as many again.",
    "target": "Stopped: the training loss has reached {loss:.3g}, as the stop rule asks. Play trains on.",
    "jumps": "The loss jumps up and down by more than it falls: the learning rate is too high for this loss.",
    "dead": "{dead} of {units} hidden units are dead: they give zero for every point, so no gradient reaches them.",
    "overfit": "Overfitting: the training loss still falls, but the test loss rose from {best:.3g} to {test:.3g}.",
    "stuck": "A plateau: the loss hardly moves and the fit is poor. Try a higher rate, more units or another seed.",
    "settled": "Settled: the loss hardly moves any more, at {loss:.3g}.",
    "far": "The inputs reach {reach:g}. Networks learn best from inputs near ±1: divide them before you upload.",
    "all": "Every training point is in its class; the loss, now {loss:.3g}, still falls as the model grows surer.",
    "straight": "Without a hidden layer the border is straight in the inputs you chose. Add a layer, or other inputs.",
    "guessing": "The model hardly does better than guessing. Try more units or layers, other inputs, or a higher rate.",
    "classes": "Learning: the loss fell from {first:.3g} to {loss:.3g}; {accuracy:.1%} of the points are right.",
    "falling": "Learning: the training loss fell from {first:.3g} to {loss:.3g}.",
    "rising": "The training loss rose from {first:.3g} to {loss:.3g}: something was turned too far.",
}


def regression(run: TrainingRun, view: View, *, dead: int, units: int, reach: float) -> str:
    """The sentence for a regression run, with `dead` of its `units` hidden units dead and inputs up to ±`reach`."""
    key, numbers = _regression(run, view, dead, units, reach)
    return SENTENCES[key].format(step=view.steps, dead=dead, units=units, **numbers)


def _regression(run: TrainingRun, view: View, dead: int, units: int, reach: float) -> tuple[str, dict[str, Any]]:
    train = run.history.column("train")
    loss = float(train[-1])
    numbers: dict[str, Any] = {"loss": loss, "first": float(train[0])}
    if not view.is_now:
        return "past", numbers
    if run.outcome == "failed":
        return "diverged", numbers
    if reach > 20:
        return "far", {"reach": reach}
    if view.steps == 0:
        return "start", numbers
    if dead and dead >= 0.5 * units:
        return "dead", numbers
    if len(train) >= FEWEST_ROWS:
        trend = _trend(train, run.history.column("test"), run.trainer.batches.whole, view.seen.r2)
        if trend is not None:
            numbers |= trend[1]
            if trend[0] != "settled" or not run.outcome:
                return trend[0], numbers
    if run.outcome == "done":
        return ("limit" if view.steps >= run.stop_at else "target"), numbers
    return ("falling" if loss <= train[0] else "rising"), numbers


def classification(run: TrainingRun, view: View) -> str:
    """The sentence for a classification run."""
    key, numbers = _classification(run, view)
    return SENTENCES[key].format(step=view.steps, **numbers)


def _classification(run: TrainingRun, view: View) -> tuple[str, dict[str, Any]]:
    train, row = run.history.column("train"), view.seen.losses
    accuracy, guess = row["accuracy"], 1 / view.config.outputs
    numbers: dict[str, Any] = {"loss": row["train"], "first": float(train[0]), "accuracy": accuracy}
    if not view.is_now:
        return "past", numbers
    if run.outcome == "failed":
        return "diverged", numbers
    if view.steps == 0:
        return "start", numbers
    if len(train) >= FEWEST_ROWS and not run.outcome:
        # Accuracy over guessing stands for the share of the spread that is explained.
        skill = (accuracy - guess) / (1 - guess)
        trend = _trend(train, run.history.column("test"), run.trainer.batches.whole, skill)
        if trend is not None and trend[0] == "stuck":
            return ("guessing" if view.config.layers else "straight"), numbers
        if trend is not None:
            return trend[0], numbers | trend[1]
    if run.outcome == "done":
        return ("limit" if view.steps >= run.stop_at else "target"), numbers
    if accuracy == 1:
        return "all", numbers
    return ("classes" if row["train"] <= train[0] else "rising"), numbers


def _trend(train: Any, test: Any, whole: bool, r2: float) -> tuple[str, dict[str, float]] | None:
    """What the history's last stretch says, if anything stands out."""
    late = train[-max(FEWEST_ROWS, len(train) // 4) :]
    rises = np.diff(late)
    up = float(np.maximum(rises, 0).sum())
    down = up - float(late[-1] - late[0])
    if len(test) and not math.isnan(test[-1]):
        best_at, now = int(test.argmin()), float(test[-3:].mean())
        if now > 1.3 * test[best_at] and train[-1] < 0.9 * train[best_at]:
            return "overfit", {"best": float(test[best_at]), "test": now}
    often = np.count_nonzero(rises > 0) > 0.25 * len(rises)
    swings = often and up > 0.5 * down and up > 0.2 * late.mean()
    if whole and swings and late.mean() > WORTH_A_WORD * train[0]:
        return "jumps", {}
    if abs(late[0] - late[-1]) < 0.003 * abs(late[0]):
        return ("stuck" if r2 < POOR_R2 else "settled"), {}
    return None
