"""What the race says, as rules: who leads, who has dropped out and why, and what the last change did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.lessons.narrator import DIGITS, Rule
from playground.lessons.numbers import number
from playground.lessons.optimizers import words
from playground.lessons.optimizers.race import MAX_LOSS, Placing, Race
from playground.lessons.ranking import listed

Array = NDArray[Any]
Names = tuple[str, ...]  # of racers: a sentence has as many as there is room for
NAMED_ON_SURFACE = 2
MIN_STEPS = 60  # after a change, before its effect is judged: the curves are smoothed over about ten batches
RISE = 1.2  # of a smoothed loss: a smaller one is noise
STEPS_BEFORE, STEPS_AFTER = 100, 40  # a rise is higher than all of the first in all of the last
MIN_ROWS = 4  # of the history, in either


@dataclass(frozen=True)
class RaceSituation:
    """What the rules read of a race: the places at the step shown, who dropped out, and the losses since a change.

    `rows` has two smoothed losses of each running racer, by label: the highest shortly before the last change, and the
    lowest of late. It is empty where nothing was changed or the change is too recent.
    """

    step: int
    is_current: bool
    is_done: bool
    placings: Sequence[Placing]
    since: str
    has_stepped: bool  # since the last change
    rows: dict[str, tuple[float, float]]
    smoothed: dict[str, float]  # the current smoothed losses of the running racers
    can_lower_rate: bool
    dead: tuple[str, ...] = ()  # the labels of running racers all of whose hidden units output 0 for every point

    def at(self, place: int) -> tuple[str, ...]:
        """The labels of the racers at a place, from 1; at the last place for -1."""
        taken = [each.place for each in self.placings if each.place]
        wanted = max(taken, default=0) if place == -1 else place
        return tuple(each.racer.entry.label for each in self.placings if each.place and each.place == wanted)

    def loss_of(self, label: str) -> float:
        """The loss of a racer on all points."""
        return next(each.loss for each in self.placings if each.racer.entry.label == label)


@dataclass(frozen=True)
class Step:
    """The step shown."""

    step: int


@dataclass(frozen=True)
class Start:
    """How many racers are at the start."""

    count: int


@dataclass(frozen=True)
class DroppedOut:
    """Who dropped out, and why."""

    gone: Names
    most: int
    reason: str  # a key of words.WHY_ALL
    why: str


@dataclass(frozen=True)
class Order:
    """Who is first and last at a step; `curve` is first by the smoothed loss, "" if that is the same racer."""

    step: int
    leader: Names
    loss: float
    last: Names
    worst: float
    curve: str = ""
    gone: Names = ()
    why: str = ""


@dataclass(frozen=True)
class Dead:
    """Who has no hidden unit left that learns."""

    names: Names


@dataclass(frozen=True)
class Rising:
    """Whose smoothed loss has risen since the last change, and who leads."""

    risen: Names
    leader: Names
    loss: float


def _past(race: RaceSituation) -> Step | None:
    return None if race.is_current else Step(race.step)


def _nobody(race: RaceSituation) -> DroppedOut | None:
    return None if race.at(1) else _gone(race)


def _start(race: RaceSituation) -> Start | None:
    return Start(len(race.placings)) if race.step == 0 else None


def _unstepped(race: RaceSituation) -> Step | None:
    return Step(race.step) if race.since and not race.has_stepped and not race.is_done else None


def _gone(race: RaceSituation) -> DroppedOut | None:
    """Everybody who has dropped out, the first one first."""
    left = sorted((each.racer for each in race.placings if not each.place), key=lambda racer: racer.left_at)
    if not left:
        return None
    reasons = {racer.why for racer in left}
    reason = reasons.pop() if len(reasons) == 1 else "both"
    names = tuple(words.GONE.format(name=racer.entry.label, step=racer.left_at) for racer in left)
    return DroppedOut(names, int(MAX_LOSS), reason, words.WHY_ALL[reason].format(most=int(MAX_LOSS)))


def _order(race: RaceSituation) -> Order | None:
    first, last = race.at(1), race.at(-1)
    if not first:
        return None
    gone, curve = _gone(race), min(race.smoothed, key=race.smoothed.__getitem__, default="")
    return Order(
        race.step, first, race.loss_of(first[0]), last, race.loss_of(last[0]),
        curve="" if curve in first else curve, gone=gone.gone if gone else (), why=gone.why if gone else "",
    )  # fmt: skip


def _alone(race: RaceSituation) -> Order | None:
    return _order(race) if len(race.placings) == 1 else None


def _dropped_out(race: RaceSituation) -> Order | None:
    order = _order(race)
    return order if order and order.gone and not race.is_done else None


def _dropped_out_at_the_end(race: RaceSituation) -> Order | None:
    order = _order(race)
    return order if order and order.gone and race.is_done else None


def _equal(race: RaceSituation) -> Order | None:
    order = _order(race)
    return order if order and order.leader == order.last else None


def _tied(race: RaceSituation) -> Order | None:
    return _order(race) if len(race.at(1)) > 1 else None


def _other_curve(race: RaceSituation) -> Order | None:
    order = _order(race)
    return order if order and order.curve and race.is_done else None


def _over(race: RaceSituation) -> Order | None:
    return _order(race) if race.is_done else None


def _dead(race: RaceSituation) -> Dead | None:
    return Dead(race.dead) if race.dead else None


def _rising(race: RaceSituation) -> Rising | None:
    risen = tuple(label for label, (before, now) in race.rows.items() if now > RISE * before)
    first = race.at(1)
    return Rising(risen, first, race.loss_of(first[0])) if risen and first else None


def _lower_rate(race: RaceSituation, found: DroppedOut | Dead) -> str:
    del found
    return words.ADVICE["lower rate" if race.can_lower_rate else "other rates"]


S = words.NARRATOR
RULES: tuple[Rule[RaceSituation], ...] = (
    Rule("past", _past, S["past"]),
    Rule("nobody", _nobody, S["nobody"], advice=_lower_rate),
    Rule("start", _start, S["start"]),
    Rule("unstepped", _unstepped, S["unstepped"]),
    Rule("alone", _alone, S["alone"], S["alone since"]),
    Rule("dropped out", _dropped_out, S["dropped out"]),
    Rule("dropped out, over", _dropped_out_at_the_end, S["dropped out, over"]),
    Rule("equal", _equal, S["equal"]),
    Rule("rising", _rising, S["rising"], S["rising since"]),
    Rule("dead", _dead, S["dead"], S["dead since"], advice=_lower_rate),
    Rule("tied", _tied, S["tied"]),
    Rule("over, other curve", _other_curve, S["over, other curve"]),
    Rule("over", _over, S["over"]),
    Rule("leads", _order, S["leads"], S["leads since"]),
)


def on_surface(names: Sequence[str], heights: Array) -> str:
    """The sentence about the racers on a surface: their names, and their heights so far, (racers, steps + 1)."""
    step, now = heights.shape[1] - 1, heights[:, -1]
    left = ~np.isnan(now)
    if not left.any():
        return words.ON_SURFACE["nobody"]
    low, high = float(np.nanmin(now)), float(np.nanmax(now))
    key = "start" if step == 0 else "leads" if low < high else "equal" if left.sum() > 1 else "alone"
    leader, last = (
        listed([name for name, each in zip(names, now, strict=True) if each == at], NAMED_ON_SURFACE)
        for at in (low, high)
    )
    return words.ON_SURFACE[key].format(
        count=len(names), step=step, leader=leader, last=last, loss=number(low, DIGITS), worst=number(high, DIGITS)
    )


def badge(race: Race, order: int) -> tuple[str, bool]:
    """The sign above the ranking and whether the race is fair; `order` is the checksum of the first epoch's batches."""
    fair = race.starts == 1 and race.orders == 1
    key = "fair" if fair else "unfair" if race.orders == 1 else "mixed"
    return words.BADGES[key].format(weights=race.racers[0].start, order=order, starts=race.starts), fair
