"""What a run remembers of its earlier steps that its checkpoint does not hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playground.runs.history import Snapshot
from playground.runs.journal import Change, SavedState
from playground.runs.periods import Period


@dataclass(frozen=True)
class Past:
    """A run's journal (its start, its changes, and the state that it begins with), its last change, and its views.

    With it and its state, a run that comes back on the same server writes the same script, is repeated by the same
    link, judges the same period, and goes back to the same step after a divergence.
    """

    start: Change
    changes: tuple[Change, ...]
    saved: SavedState | None
    period: Period
    before_change: Snapshot | None  # right before the last change
    weights_set: int  # how often weights were set from outside
    averaged: range  # the steps whose mean loss is shown
    capacity: int  # how many snapshots are kept at most: fewer beside a run that keeps fewer
    own: Any = None  # what the lesson adds
