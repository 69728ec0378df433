"""What the labs that train say, as rules: which training is first and which last, from what was measured last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.lessons.learning_rates import words
from playground.lessons.narrator import Rule
from playground.lessons.ranking import listed

Array = NDArray[Any]


@dataclass(frozen=True)
class Cell:
    """The cell of a sweep with the lowest mean loss, and the range over its seeds."""

    step: int
    optimizer: str
    rate: str
    loss: float
    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """What the rules read: what was measured at a step, one value for each name (NaN has diverged).

    `best` is the best cell of a sweep, None if all have diverged. Every change starts these runs over, so there is
    never anything since which to judge.
    """

    step: int
    names: Sequence[str]
    values: Array
    trainings: int = 0
    seeds: int = 1
    rate: str = ""  # at which they are ranked
    best: Cell | None = None
    since: str = ""


@dataclass(frozen=True)
class Start:
    """The number of trainings that are about to start, or at which rate."""

    trainings: int
    rate: str


@dataclass(frozen=True)
class Ends:
    """Who shares the lowest value of a ranking, who the highest, how many have diverged, and the kind of ranking."""

    step: int
    rate: str
    first: str
    lowest: float
    last: str
    highest: float
    diverged: int
    count: int
    kind: str  # a key of words.RANKING_AT


def ends(now: Measured) -> Ends | None:
    """The ends of the ranking, the lowest first; None if all have diverged."""
    values = np.asarray(now.values, np.float64)
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    lowest, highest = float(finite.min()), float(finite.max())
    first = listed([name for name, value in zip(now.names, values, strict=True) if value == lowest])
    last = listed([name for name, value in zip(now.names, values, strict=True) if value == highest])
    gone, shared = len(values) - len(finite), len(finite) > 1
    if lowest < highest:
        kind = "diverged" if gone else "all"
    else:
        kind = "equal" if shared else "only left" if gone else "only"
    return Ends(now.step, now.rate, first, lowest, last, highest, gone, len(values), kind)


def _start(now: Measured) -> Start | None:
    return Start(now.trainings, now.rate) if now.step == 0 else None


def _all_diverged(now: Measured) -> Start | None:
    return Start(now.trainings, now.rate) if not np.isfinite(now.values).any() else None


def _best(now: Measured) -> Cell | None:
    return now.best if now.seeds > 1 else None


def _ranking_rules(sentences: Mapping[str, str]) -> tuple[Rule[Measured], ...]:
    """A rule for each kind of ranking."""

    def of_kind(kind: str) -> Callable[[Measured], Ends | None]:
        def find(now: Measured) -> Ends | None:
            found = ends(now)
            return found if found and found.kind == kind else None

        return find

    return tuple(Rule(f"ranking, {kind}", of_kind(kind), sentence) for kind, sentence in sentences.items())


SWEEP_RULES: tuple[Rule[Measured], ...] = (
    Rule("all diverged", _all_diverged, words.ALL_DIVERGED),
    Rule("start", _start, words.START),
    Rule("lowest", _best, words.LOWEST),
    Rule("lowest of one seed", lambda now: now.best, words.LOWEST_OF_ONE),
)
WHO_WINS_RULES: tuple[Rule[Measured], ...] = (
    Rule("start", _start, words.START),
    Rule("all diverged", _all_diverged, words.ALL_DIVERGED_AT),
    *_ranking_rules(words.RANKING_AT),
)
SCHEDULES_RULES: tuple[Rule[Measured], ...] = (
    Rule("start", _start, words.SCHEDULES_START),
    Rule("all diverged", _all_diverged, words.SCHEDULES_ALL_DIVERGED),
    *_ranking_rules(words.SCHEDULES_RANKING),
)
