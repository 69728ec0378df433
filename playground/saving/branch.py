"""A second run beside a first one, with one setting changed: from step 0 or from a step of the first one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from playground.knobs import Config
from playground.runs.history import Snapshot
from playground.runs.training_run import TrainingRun, load_parameters

Run = TypeVar("Run", bound=TrainingRun)
NEEDS_A_RESET = "“{label}” starts a run over, so a run cannot branch with it. Compare from step 0."

Vary = Callable[[Any], Any]  # the second run's config, from the first one's


@dataclass
class Comparison:
    """Makes the second of two compared runs change the knobs that changed in the first one, after the same steps."""

    first: TrainingRun
    vary: Vary
    done: int = 0  # entries of the first one's journal that were followed

    def follow(self, run: Any) -> None:
        """Make the changes up to this step."""
        changes, threads = self.first.journal.changes, self.first.journal.start.threads
        if run.threads is None and threads is not None:
            run.use_threads(threads)
        self.done = min(self.done, len(changes))  # because a journal may begin again
        while self.done < len(changes) and changes[self.done].steps <= run.steps:
            change, self.done = changes[self.done], self.done + 1
            if change.threads not in (None, run.threads):
                run.use_threads(change.threads)
            if (config := self.vary(change.config)) != run.config:
                run.tune(config)

    def sets_threads(self, steps: int) -> bool:
        """Always True: with different numbers the two would not be comparable."""
        del steps
        return True

    def leads_past(self, steps: int) -> bool:
        """Always False: its own stop rule ends it."""
        del steps
        return False

    def sentence(self, steps: int) -> str:
        """Always "": the lesson narrates."""
        del steps
        return ""


def from_start(first: Run, vary: Vary) -> Run:
    """A run from step 0 that changes the same knobs after the same steps as the first one.

    If it is not known how the first one came from step 0 (it was restored from a file, for example), the second one has
    its current settings from the start.
    """
    journal = first.journal
    start = journal.start if journal.saved is None else journal.last
    done = 0 if journal.saved is None else len(journal.changes)
    return _beside(first, first.rebuilt(vary(start.config)), vary, done=done, threads=start.threads)


def from_here(first: Run, vary: Vary) -> Run:
    """A run from the step that the first one shows (see `branched`)."""
    second = branched(first, vary(first.config))
    return _beside(first, second, vary, done=len(first.journal.changes), threads=first.journal.last.threads)


def as_before(first: Run, vary: Vary) -> Run:
    """The first run as it is, to stay so beside it when it is continued from an earlier step.

    Raises StateError for a diverged run.
    """
    del vary  # nothing that is changed in the first run is changed in this one
    return _from_current_step(first)


def _beside(first: Run, second: Run, vary: Vary, *, done: int, threads: int | None) -> Run:
    second.replay = Comparison(first, vary, done)
    if threads is not None:
        second.use_threads(threads)
    for one, other in ((first, second), (second, first)):  # both keep snapshots of the same steps
        one.snapshots.limit(other.snapshots)
    return second


def branched(run: Run, config: Config) -> Run:
    """A copy of a run that continues from the step it shows, with the live knobs of `config`.

    From the current step the whole state is copied: with equal knobs both continue the same bit for bit. Of an earlier
    step only the weights are known: the optimizer starts with empty state and the batches begin a new epoch.
    Raises ValueError if a knob differs that needs a new model or new data, and StateError for a diverged run.
    """
    specs = config.knobs()
    firm = [specs[name].label for name in config.changed_from(run.config) if not specs[name].live]
    if firm:
        raise ValueError(NEEDS_A_RESET.format(label=firm[0]))
    snapshot = run.shown_snapshot
    branch = _from_current_step(run) if snapshot is None else _from_snapshot(run, snapshot)
    branch.tune(config)
    return branch


def _from_current_step(run: Run) -> Run:
    branch = run.rebuilt(run.config)
    branch.load_state_dict(run.state_dict())
    return branch


def _from_snapshot(run: Run, snapshot: Snapshot) -> Run:
    branch = run.rebuilt(snapshot.config)
    load_parameters(branch.model, snapshot.parameters)
    branch.progress.steps, branch.trainer.batches.epochs = snapshot.steps, snapshot.epochs
    branch.progress.stop_at = max(run.progress.stop_at, snapshot.steps + 1)
    branch.progress.marks = [mark for mark in run.marks if mark[0] <= snapshot.steps]
    branch.history.load_state_dict(run.history.state_dict())
    branch.history.cut(snapshot.steps)
    branch.snapshots.stride = run.snapshots.stride
    branch.snapshots.kept = [each for each in run.snapshots.kept if each.steps <= snapshot.steps]
    branch.use_weights({name: value.clone() for name, value in branch.model.state_dict().items()})
    branch.progress.marks = branch.marks[:-1]  # without the mark of `use_weights`: these weights are its own
    branch.find_period()
    return branch
