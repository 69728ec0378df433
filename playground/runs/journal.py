"""What a student changed while a run trained, and after which step: what a script or a link needs to repeat the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from playground.runs.checksums import checksum
from playground.runs.state import Resuming
from playground.settings import Settings

MAX_CHANGES = 200  # kept one by one; with one more, the journal begins anew from the weights of that moment


@dataclass(frozen=True)
class WeightSet:
    """One weight (a bias where `source` is None) that was given a value by hand."""

    layer: int
    unit: int
    source: int | None
    value: float


@dataclass(frozen=True)
class Change:
    """How a run was set after a number of steps: its config and the student's edits, or one weight set by hand.

    `threads` is the number of threads that one operation of torch used from then on; None where the run keeps to the
    server's. Another number adds sums in another order, so it belongs to what decides the weights.
    """

    steps: int
    config: Any
    edits: Any = None
    weight: WeightSet | None = None
    threads: int | None = None


Why = Literal["restored", "loaded", "long"]


@dataclass(frozen=True)
class SavedState:
    """A state that no config and seed leads to: weights, optimizer memory, batches and the lesson's own.

    `why` says where it came from: the run was restored from a file, its weights were loaded from one, or so much was
    changed before that it is not kept one by one.
    """

    why: Why
    state: Mapping[str, Any]


@dataclass(frozen=True)
class RunHistory:
    """A run's way to its present step. It is taken between two steps and read while the run goes on."""

    steps: int
    config: Any
    settings: Settings
    start: Change
    changes: tuple[Change, ...]
    saved: SavedState | None
    checksum: str  # of the weights
    averaged: range = range(0)  # the steps whose mean loss the page shows; empty where it shows that of these weights

    @property
    def only_knobs(self) -> bool:
        """Whether config, seed and turned knobs alone lead here: no points, weights or files of the student's own."""
        every = [self.start, *self.changes]
        untouched = all(each.edits is None or each.edits == type(each.edits)() for each in every)
        return self.saved is None and untouched and all(each.weight is None for each in every)


class Journal:
    """Where a run began and every change since, in order.

    It begins at step 0, or, with `saved`, where weights came from elsewhere.
    """

    def __init__(self, start: Change, saved: SavedState | None = None) -> None:
        self.start = start
        self.saved = saved
        self.changes: list[Change] = []

    @property
    def full(self) -> bool:
        """Whether one more change is too many."""
        return len(self.changes) >= MAX_CHANGES

    @property
    def last(self) -> Change:
        """How the run is set now."""
        return self.changes[-1] if self.changes else self.start

    def note(self, change: Change) -> None:
        """Add a change, unless nothing is different from before."""
        last = self.last
        if change.weight is not None or (change.config, change.edits) != (last.config, last.edits):
            self.changes.append(change)

    def note_threads(self, change: Change) -> None:
        """Add a change of the number of threads, or put it into the entries of this step where there are some."""
        if self.last.steps < change.steps:
            self.changes.append(change)
            return
        self.start, *self.changes = (
            replace(each, threads=change.threads) if each.steps == change.steps else each
            for each in (self.start, *self.changes)
        )


class Following(Protocol):
    """What leads a run the way that another one went."""

    def follow(self, run: Any) -> None:
        """Change what was changed after the present step."""

    def sets_threads(self, steps: int) -> bool:
        """Whether the number of threads after this step is that of the other run, whatever this one's share is."""

    def leads_past(self, steps: int) -> bool:
        """Whether the other run went on after this step."""

    def say(self, steps: int) -> str:
        """How it stands, in one sentence, or nothing."""


class Journaled(Resuming):
    """A training that keeps a journal of what was changed while it ran."""

    journal: Journal
    settings: Settings
    replay: Following | None = None
    edits: Any = None  # what the student did by hand to the points, if the lesson lets them
    threads: int | None = None  # of one operation of torch, where the run has a number of its own
    averaged: range = range(0)  # the steps whose mean loss is shown, where it is not the loss of the present weights

    def follow(self) -> None:
        """Do what a replayed run did after this step, if this is one."""
        if self.replay is not None:
            self.replay.follow(self)

    def replayed(self, steps: int) -> str:
        """What the narrator says of a replay, at the step that is shown."""
        return self.replay.say(steps) if self.replay is not None else ""

    def record_change(self, weight: WeightSet | None = None) -> None:
        """Put down in the journal that knobs were turned, points changed, or one weight was set by hand."""
        self.journal.note(self._change(weight))
        if self.journal.full:
            self._begin_journal("long")

    def use_threads(self, count: int) -> None:
        """Compute with this many threads from now on, and put that down in the journal."""
        self.threads = count
        self.journal.note_threads(self._change())
        if self.journal.full:
            self._begin_journal("long")

    def _change(self, weight: WeightSet | None = None) -> Change:
        return Change(self.steps, self.config, self.edits, weight, self.threads)

    def _begin_journal(self, why: Why) -> None:
        """Go on from the present state, since nothing but its numbers says how it came about."""
        state = {
            "weights": {name: value.clone() for name, value in self.model.state_dict().items()},
            "optimizer": self.optimizer_state(),
            "batches": self.trainer.batches.state_dict(),
            "own": self.own_state(),
        }
        self.journal = Journal(self._change(), SavedState(why, state))

    def load_state_dict(self, state: Any) -> None:
        """Take up where `state_dict` was taken, in a fresh run of the same config."""
        super().load_state_dict(state)
        self._begin_journal("restored")

    def use_weights(self, weights: Any) -> None:
        """Put these weights into the running model; optimizer, batches and history go on as they are."""
        super().use_weights(weights)
        self._begin_journal("loaded")

    def run_history(self) -> RunHistory:
        """The way to the present step."""
        journal, weights = self.journal, checksum(self.model.state_dict())
        return RunHistory(
            self.steps, self.config, self.settings, journal.start, tuple(journal.changes), journal.saved, weights,
            self.averaged,
        )  # fmt: skip
