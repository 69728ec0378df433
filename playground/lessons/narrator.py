"""The narrator: looks at a run and says in one plain sentence what is to be seen, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from playground.training_run import TrainingRun, View

FEWEST_ROWS = 12  # of history before it judges a trend

SENTENCES = {
    "diverged": "Diverged at step {step}: the loss is no longer a number. Lower the learning rate, then press Reset.",
    "past": "You are looking back at step {step}. Press Now, or Play, to return.",
    "start": "Press Play and watch the curve bend. Turn the knobs while it runs: most of them act at once.",
    "limit": "Stopped after {step} steps with a training loss of {loss:.4f}. Play trains on for as many again.",
    "target": "Stopped: the training loss has reached {loss:.4f}, as the stop rule asks. Play trains on.",
    "jumps": "The loss jumps up and down by more than it falls: the learning rate is too high for this loss.",
    "dead": "{dead} of {units} hidden units are dead: they give zero for every point, so no gradient reaches them.",
    "overfit": "Overfitting: the training loss still falls, but the test loss rose from {best:.4f} to {test:.4f}.",
    "stuck": "A plateau: the loss hardly moves and the fit is poor. Try a higher rate, more units or another seed.",
    "settled": "Settled: the loss hardly moves any more, at {loss:.4f}.",
    "far": "The inputs reach {reach:g}. Networks learn best from inputs near ±1: divide them before you upload.",
    "falling": "Learning: the training loss fell from {first:.4f} to {loss:.4f}.",
    "rising": "The training loss rose from {first:.4f} to {loss:.4f}: something was turned too far.",
}


def regression(run: TrainingRun, view: View, *, dead: int, units: int) -> str:
    """The sentence for a regression run, with `dead` of its `units` hidden units dead."""
    key, numbers = _regression(run, view, dead, units)
    return SENTENCES[key].format(step=view.steps, dead=dead, units=units, **numbers)


def _regression(run: TrainingRun, view: View, dead: int, units: int) -> tuple[str, dict[str, Any]]:
    train = run.history.column("train")
    loss = float(train[-1])
    numbers: dict[str, Any] = {"loss": loss, "first": float(train[0])}
    if run.outcome == "failed":
        return "diverged", numbers
    if not view.is_now:
        return "past", numbers
    reach = float(run.data.x_train.abs().max())
    if reach > 20:
        return "far", {"reach": reach}
    if view.steps == 0:
        return "start", numbers
    if dead and dead >= 0.5 * units:
        return "dead", numbers
    if len(train) >= FEWEST_ROWS:
        trend = _trend(train, run.history.column("test"), run.trainer.batches.whole)
        if trend is not None:
            numbers |= trend[1]
            if trend[0] != "settled" or not run.outcome:
                return trend[0], numbers
    if run.outcome == "done":
        return ("limit" if view.steps >= run.stop_at else "target"), numbers
    return ("falling" if loss <= train[0] else "rising"), numbers


def _trend(train: Any, test: Any, whole: bool) -> tuple[str, dict[str, float]] | None:
    """What the history's last stretch says, if anything stands out."""
    late = train[-max(FEWEST_ROWS, len(train) // 4) :]
    rises = np.diff(late)
    up, down = rises[rises > 0].sum(), -rises[rises < 0].sum()
    if whole and (rises > 0).mean() > 0.25 and up > 0.5 * down and up > 0.2 * late.mean():
        return "jumps", {}
    if np.isfinite(test).any():
        best = float(np.nanmin(test))
        now = float(np.nanmean(test[-3:]))
        if now > 1.3 * best and train[-1] < 0.9 * train[int(np.nanargmin(test))]:
            return "overfit", {"best": best, "test": now}
    if abs(late[0] - late[-1]) < 0.003 * abs(late[0]):
        return ("stuck" if late[-1] > 0.5 * train[0] else "settled"), {}
    return None
