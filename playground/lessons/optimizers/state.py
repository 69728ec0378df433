"""What a race keeps besides its weights, batches and history, so that a saved one goes on as if never stopped."""

from __future__ import annotations

import math
from typing import Any

from playground.lessons.optimizers.race import Race
from playground.runs import state_checks as check
from playground.runs.state import give_memories, memories

ENTRY = ("loss", "smooth", "seconds", "left_at", "why", "fed")
REASONS = ("", "number", "bound")


def take_memories(race: Race) -> dict[str, Any]:
    """What each racer's optimizer remembers, by the racer's name."""
    return {racer.entry.name: memories(racer.trainer.optimizer) for racer in race.racers}


def give_all_memories(race: Race, state: Any) -> None:
    """The reverse of `take_memories`. Raises StateError."""
    found = check.entries(state, [racer.entry.name for racer in race.racers], "optimizer")
    for racer in race.racers:
        give_memories(racer.trainer.optimizer, found[racer.entry.name])


def take(race: Race) -> dict[str, Any]:
    """Each racer's losses, its seconds, whether and why it left, and the checksum of what it was fed."""
    return {
        racer.entry.name: {
            "loss": check.finite_or_none(racer.loss),
            "smooth": check.finite_or_none(racer.smooth),
            "seconds": racer.seconds,
            "left_at": racer.left_at,
            "why": racer.why,
            "fed": racer.feed.checksum,
        }
        for racer in race.racers
    }


def give(race: Race, state: Any) -> None:
    """The reverse of `take`. Raises StateError."""
    found = check.entries(state, [racer.entry.name for racer in race.racers], "own/racers")
    for racer in race.racers:
        row = check.entries(found[racer.entry.name], ENTRY, "own/racers")
        racer.loss, racer.smooth = _loss(row["loss"]), _loss(row["smooth"])
        racer.seconds = check.number(row["seconds"], "seconds")
        racer.left_at = check.whole(row["left_at"], "left_at", least=-1)
        racer.why = check.one_of(row["why"], REASONS, "why")
        racer.feed.checksum = check.whole(row["fed"], "fed", most=2**32 - 1)
        if (racer.left_at >= 0) is not (racer.why != ""):
            raise check.StateError("A racer in this file has left for no reason, or has a reason and has not left.")
    race.running = [racer for racer in race.racers if racer.left_at < 0]


def _loss(value: Any) -> float:
    return math.nan if value is None else check.number(value, "loss", most=1e300)
