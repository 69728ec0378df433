"""A second run that goes on from a moment of the first one with other settings, to see what they alone would change."""

from __future__ import annotations

from typing import Any, TypeVar

from playground.knobs import Config, changed, knobs
from playground.snapshots import Snapshot
from playground.training_run import TrainingRun, fill

Run = TypeVar("Run", bound=TrainingRun)


def branched(run: Run, config: Config) -> Run:
    """A run that goes on from the moment that this one shows, with live knobs turned to `config`; this one stays.

    From the present everything goes along: with no knob turned, both go on bit for bit alike. From an earlier moment
    only its weights are known: the optimizer remembers nothing and the batches begin a new epoch.
    Raises ValueError where a knob was turned that takes a new model or new data, and StateError for a diverged run.
    """
    specs = knobs(type(config))
    firm = [specs[name].label for name in changed(run.config, config) if not specs[name].live]
    if firm:
        raise ValueError(f"“{firm[0]}” starts a run over, so a run cannot branch with it. Compare from the start.")
    moment = run.moment
    made = _from_now(run) if moment is None else _from(run, moment)
    made.tune(config)
    return made


def _from_now(run: Run) -> Run:
    made = run.rebuilt(run.config)
    made.load_state_dict(run.state_dict())
    return made


def _from(run: Run, moment: Snapshot) -> Run:
    made = run.rebuilt(moment.config)
    fill(made.model, moment.parameters)
    made.steps, made.trainer.batches.epochs = moment.steps, moment.epochs
    made.stop_at = max(run.stop_at, moment.steps + 1)
    made.marks = [mark for mark in run.marks if mark[0] <= moment.steps]
    made.history.load_state_dict(_until(run.history.state_dict(), moment.steps))
    made.snapshots.stride = run.snapshots.stride
    made.snapshots.kept = [each for each in run.snapshots.kept if each.steps <= moment.steps]
    made.use_weights({name: value.clone() for name, value in made.model.state_dict().items()})
    made.marks = made.marks[:-1]  # of these weights: they are its own
    return made


def _until(history: dict[str, Any], steps: int) -> dict[str, Any]:
    kept = history["steps"] <= steps
    return history | {"steps": history["steps"][kept], "table": history["table"][kept]}
