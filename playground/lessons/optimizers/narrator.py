"""What the race says: who leads, who has left and why, and whether all started alike."""

from __future__ import annotations

from collections.abc import Sequence

from playground.lessons.optimizers.race import MOST_LOSS, Race

SENTENCES = {
    "past": "You are looking back at step {step}. Press Now, or Play, to return.",
    "start": "{count} racers stand at the start. Press Play; the learning rate and the schedule act while they run.",
    "alone": "{leader} runs alone, at a loss of {loss:.4f}.",
    "leads": "{leader} leads with a loss of {loss:.4f}; {last} is last with {worst:.4f}.",
    "over": "After {step} steps {leader} has won with a loss of {loss:.4f}; {last} is last with {worst:.4f}.",
    "number": "{gone} left the race at step {left}: its loss was no longer a number. The others go on; {leader} leads.",
    "bound": "{gone} left the race at step {left}: its loss went beyond {most:,.0f}. The others go on; {leader} leads.",
    "nobody": "Every racer has left: no loss stayed below {most:,.0f}. Lower the learning rate, then press Reset.",
}
BADGES = {
    "fair": "✓ Identical at step 0<br>weights {weights:08x} · batch order {order:08x}",
    "unfair": "✗ {starts} different starts<br>batch order {order:08x}, the same for all",
    "mixed": "✗ The racers saw different batches",
}
MORE = "weights at step 0: {start:08x}"
LEFT = "{name} left: {why}"
WHY = {"number": "the loss is no number", "bound": "the loss is too large"}


def narrate(race: Race, order: Sequence[tuple[str, float]], *, step: int, is_now: bool, done: bool) -> str:
    """The line under the player; `order` names the racers that run at that step with their losses, the best first."""
    numbers: dict[str, object] = {"step": step, "count": len(race.racers), "most": MOST_LOSS}
    if order:
        numbers |= {"leader": order[0][0], "loss": order[0][1], "last": order[-1][0], "worst": order[-1][1]}
    if not is_now:
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
    return SENTENCES[key].format(**numbers)


def badge(race: Race, order: int) -> tuple[str, bool]:
    """Whether all started alike and saw the same, by their checksums; `order` is that of the first epoch's batches."""
    fair = race.starts == 1 and race.orders == 1
    key = "fair" if fair else "unfair" if race.orders == 1 else "mixed"
    return BADGES[key].format(weights=race.racers[0].start, order=order, starts=race.starts), fair
