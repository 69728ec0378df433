"""A second run beside a first one, with one setting changed: from the start, or from a moment of the first one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from playground.knobs import Config
from playground.runs.history import Snapshot
from playground.runs.training_run import TrainingRun, load_parameters

Run = TypeVar("Run", bound=TrainingRun)
Vary = Callable[[Any], Any]  # the second run's config, from the first one's


@dataclass
class Beside:
    """Has the second run turn the knobs that were turned in the first one, after the same steps, as `vary` says."""

    first: TrainingRun
    vary: Vary
    done: int = 0  # entries of the first one's journal

    def follow(self, run: Any) -> None:
        """Turn what was turned up to this step."""
        changes, threads = self.first.journal.changes, self.first.journal.start.threads
        if run.threads is None and threads is not None:
            run.use_threads(threads)
        self.done = min(self.done, len(changes))  # a journal may begin again
        while self.done < len(changes) and changes[self.done].steps <= run.steps:
            change, self.done = changes[self.done], self.done + 1
            if change.threads not in (None, run.threads):
                run.use_threads(change.threads)
            if (config := self.vary(change.config)) != run.config:
                run.tune(config)

    def sets_threads(self, steps: int) -> bool:
        """Always: the two would not be comparable otherwise."""
        del steps
        return True

    def leads_past(self, steps: int) -> bool:
        """Never: its own stop rule ends it."""
        del steps
        return False

    def say(self, steps: int) -> str:
        """Nothing: it is a run like any other."""
        del steps
        return ""


def from_start(first: Run, vary: Vary) -> Run:
    """A run from the start of the first one, which turns the same knobs after the same steps.

    Where the first one's way is not known from step 0 (it was restored from a file, for example), the second one has
    its present settings from the start.
    """
    journal = first.journal
    start = journal.start if journal.saved is None else journal.last
    done = 0 if journal.saved is None else len(journal.changes)
    return _beside(first, first.rebuilt(vary(start.config)), vary, done=done, threads=start.threads)


def from_here(first: Run, vary: Vary) -> Run:
    """A run from the moment that the first one shows (see `branched`)."""
    second = branched(first, vary(first.config))
    return _beside(first, second, vary, done=len(first.journal.changes), threads=first.journal.last.threads)


def _beside(first: Run, second: Run, vary: Vary, *, done: int, threads: int | None) -> Run:
    second.replay = Beside(first, vary, done)
    if threads is not None:
        second.use_threads(threads)
    for one, other in ((first, second), (second, first)):  # both keep the same moments to look back at
        one.snapshots.limit(other.snapshots)
    return second


def branched(run: Run, config: Config) -> Run:
    """A run that goes on from the moment that this one shows, with live knobs turned to `config`; this one stays.

    From the present everything goes along: with no knob turned, both go on bit for bit alike. From an earlier moment
    only its weights are known: the optimizer remembers nothing and the batches begin a new epoch.
    Raises ValueError where a knob was turned that takes a new model or new data, and StateError for a diverged run.
    """
    specs = config.knobs()
    firm = [specs[name].label for name in config.changed_from(run.config) if not specs[name].live]
    if firm:
        raise ValueError(f"“{firm[0]}” starts a run over, so a run cannot branch with it. Compare from the start.")
    moment = run.shown_snapshot
    made = _from_now(run) if moment is None else _from(run, moment)
    made.tune(config)
    return made


def _from_now(run: Run) -> Run:
    made = run.rebuilt(run.config)
    made.load_state_dict(run.state_dict())
    return made


def _from(run: Run, moment: Snapshot) -> Run:
    made = run.rebuilt(moment.config)
    load_parameters(made.model, moment.parameters)
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
