"""What was changed while a run trained, and after which step: what a script or a link needs to repeat the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from playground.settings import Settings

MAX_CHANGES = 200  # kept one by one; after one more the journal begins again with the current weights


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

    `threads` is the number of threads that one operation of torch used from then on; None where the run uses the
    server's number. With another number sums are added in another order, so it is part of what decides the weights.
    """

    steps: int
    config: Any
    edits: Any = None
    weight: WeightSet | None = None
    threads: int | None = None


Reason = Literal["restored", "loaded", "long", "went_back", "continued"]


@dataclass(frozen=True)
class SavedState:
    """A state that no config and seed leads to: weights, optimizer, batches and the lesson's own part.

    `why` is the reason: the run was restored from a file ("restored"), its weights were loaded from one ("loaded"),
    it went back to an earlier step after a divergence ("went_back") or was continued from one that was looked back at
    ("continued"), or more was changed before than is kept one by one ("long").
    """

    why: Reason
    state: Mapping[str, Any]


@dataclass(frozen=True)
class RunHistory:
    """How a run came to its current step. It is taken between two steps and can be read while the run continues."""

    steps: int
    config: Any
    settings: Settings
    start: Change
    changes: tuple[Change, ...]
    saved: SavedState | None
    checksum: str  # of the weights
    averaged: range = range(0)  # the steps whose mean loss the page shows; empty if it shows the current weights' loss

    @property
    def only_knobs(self) -> bool:
        """Whether config, seed and changed knobs alone lead here, without points, weights or files of the student."""
        return only_knobs(self.start, self.changes, self.saved)


def only_knobs(start: Change, changes: tuple[Change, ...], saved: SavedState | None) -> bool:
    """Whether knobs alone were changed, not points or weights by hand or from a file."""
    every = [start, *changes]
    untouched = all(each.edits is None or each.edits == type(each.edits)() for each in every)
    return saved is None and untouched and all(each.weight is None for each in every)


class Journal:
    """How a run began, and every change since, in order.

    It begins at step 0 or, with `saved`, at a step whose weights came from elsewhere.
    """

    def __init__(self, start: Change, saved: SavedState | None = None) -> None:
        self.start = start
        self.saved = saved
        self.changes: list[Change] = []

    @property
    def full(self) -> bool:
        """Whether another change would be too many."""
        return len(self.changes) >= MAX_CHANGES

    @property
    def last(self) -> Change:
        """The current settings."""
        return self.changes[-1] if self.changes else self.start

    def record(self, change: Change) -> None:
        """Add a change, unless it changes nothing."""
        last = self.last
        if change.weight is not None or (change.config, change.edits) != (last.config, last.edits):
            self.changes.append(change)

    def record_threads(self, change: Change) -> None:
        """Add a change of the number of threads, or write it into the entries of this step if there are any."""
        if self.last.steps < change.steps:
            self.changes.append(change)
            return
        self.start, *self.changes = (
            replace(each, threads=change.threads) if each.steps == change.steps else each
            for each in (self.start, *self.changes)
        )


class Guide(Protocol):
    """Makes one run repeat what was changed in another one."""

    def follow(self, run: Any) -> None:
        """Make the changes that the other run made after this step."""

    def sets_threads(self, steps: int) -> bool:
        """Whether the number of threads after this step is the other run's, whatever this one's share is."""

    def leads_past(self, steps: int) -> bool:
        """Whether the other run continued after this step."""

    def sentence(self, steps: int) -> str:
        """The narrator's sentence at this step; "" for the lesson's own."""
