"""What the race says: who leads, who has dropped out and why, and whether all started alike."""

from __future__ import annotations

from collections.abc import Sequence

from playground.lessons.optimizers import words
from playground.lessons.optimizers.race import MAX_LOSS, Race


def narrate(race: Race, order: Sequence[tuple[str, float]], *, step: int, is_current: bool, done: bool) -> str:
    """The line under the player; `order` has label and loss of the racers still running at that step, best first."""
    numbers: dict[str, object] = {"step": step, "count": len(race.racers), "most": MAX_LOSS}
    if order:
        numbers |= {"leader": order[0][0], "loss": order[0][1], "last": order[-1][0], "worst": order[-1][1]}
    if not is_current:
        key = "past"
    elif not order:
        key = "nobody"
    elif step == 0:
        key = "start"
    elif len(order) < len(race.racers):
        latest = max(race.racers, key=lambda racer: racer.left_at)
        key = latest.why
        numbers |= {"gone": latest.entry.label, "left": latest.left_at}
    elif len(order) == 1:
        key = "alone"
    else:
        key = "over" if done else "leads"
    return words.NARRATOR[key].format(**numbers)


def badge(race: Race, order: int) -> tuple[str, bool]:
    """The sign above the ranking and whether the race is fair; `order` is the checksum of the first epoch's batches."""
    fair = race.starts == 1 and race.orders == 1
    key = "fair" if fair else "unfair" if race.orders == 1 else "mixed"
    return words.BADGES[key].format(weights=race.racers[0].start, order=order, starts=race.starts), fair
