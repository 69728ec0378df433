"""Two open runs that advance together: the leader, which has the player, and its follower with one setting changed.

while the time is not up:
    leader takes a step; follower takes a step

A follower that starts later, or from an earlier step, first catches up: it gets most of the leader's slice, and the
leader trains in the rest. Both obey the same player, and the time slider shows both at the same step.

A follower may also be the run from before: its leader was continued from an earlier step. It stays as it was, ahead,
and shows the step of its leader; when the leader has come as far, both advance together.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from playground.engine import messages
from playground.engine.commands import Command, Draw, Explain, LookBack, Pause, Pick, Play, Reset, SetSpeed, Slide, Step
from playground.engine.frames import Figure
from playground.engine.run import AwareOfPair, Comparable, Prepared

if TYPE_CHECKING:
    from playground.engine.open_run import OpenRun

LEADER_SHARE = 0.25  # of a slice, while its follower catches up
FRAME_WAIT_SECONDS = 0.3  # for the other board to ask too, so that both show the same step
MAX_WIDENING = 4.0  # of an axis, times its own range, to hold what the other run shows
SELECTS = (Draw, Explain, Pick, Slide)  # commands that change what is shown, not the run

Vary = Callable[[Any], Any]
BuildBeside = Callable[[Any, Vary], Comparable]  # (the leader's run, vary) -> the follower's run


def is_behind(leader: OpenRun) -> bool:
    """Whether one of a pair has steps to catch up with the other."""
    follower, (first, second) = leader.follower, runs_of(leader)
    if follower is None or first is None or second is None or _lead(first, second, follower):
        return False
    return _gap(first, second) != 0


def _lead(first: Any, second: Any, follower: OpenRun) -> int:
    """The steps that a run from before is ahead of the first one; 0 for any other follower."""
    return max(0, second.steps - first.steps) if follower.is_from_before else 0


def _gap(first: Any, second: Any) -> int:
    """The steps that the second run has to catch up with the first; negative: the first with the second.

    A run that has ended catches up only where the other was resumed more often: then it was to be resumed, too.
    """
    gap: int = first.steps - second.steps
    late, early = (second, first) if gap > 0 else (first, second)
    waits = late.outcome == "done" and late.resumes < early.resumes
    return gap if waits or not late.outcome else 0


def advance(first: Any, second: Any, follower: OpenRun, seconds: float, allowed: int) -> int:
    """Take steps with both until the time is up or `allowed` are taken; returns the number of steps taken.

    A run that has ended rests while the other continues. An error in the follower ends the follower alone.
    """
    end = time.perf_counter() + seconds
    follower.watching.changed()
    if lead := _lead(first, second, follower):
        taken = 0 if first.outcome else first.advance(seconds, min(allowed, lead))
        _look_at_the_same(first, second, follower)
        return taken
    if gap := _gap(first, second):
        taken = _catch_up(first, second, follower, gap, seconds, allowed)
        _look_at_the_same(first, second, follower)
        return taken
    taken, are_long = 0, isinstance(first, Prepared) and isinstance(second, Prepared)
    while taken < allowed and not has_ended(first, second, follower) and follower.state != "failed":
        if not are_long or _are_prepared(first, second, follower):
            stepped = 0 if first.outcome else first.advance(0.0, 1)
            if not second.outcome:
                stepped = max(stepped, _advance(second, follower, 0.0, 1))
            taken += stepped
        if time.perf_counter() >= end:
            break
    return taken


def _are_prepared(first: Prepared, second: Prepared, follower: OpenRun) -> bool:
    """Compute a part of both coming steps; returns whether both can be taken at once, one right after the other."""
    is_ready = first.prepare()
    try:
        return second.prepare() and is_ready
    except Exception as error:
        follower.fail(error)
        return True


def _catch_up(first: Any, second: Any, follower: OpenRun, gap: int, seconds: float, allowed: int) -> int:
    """Advance the run that is behind by up to `gap` steps; the leader trains in a part of its follower's time."""
    end = time.perf_counter() + seconds
    if gap < 0:
        if first.outcome == "done":
            first.resume()
        first.advance(seconds, -gap)
        return 0
    taken: int = first.advance(LEADER_SHARE * seconds, allowed) if allowed and not first.outcome else 0
    if second.outcome == "done":
        second.resume()
    _advance(second, follower, end - time.perf_counter(), first.steps - second.steps)
    return taken


def _look_at_the_same(first: Any, second: Any, follower: OpenRun) -> None:
    """Where the first run shows an earlier step, or is at one, have the second one show it, too."""
    time_slider = first.time()
    if time_slider["at"] is not None or _lead(first, second, follower):
        second.apply(LookBack(step=time_slider["step"]))
    elif follower.is_from_before:
        second.apply(LookBack())


def _advance(second: Any, follower: OpenRun, seconds: float, steps: int) -> int:
    try:
        taken: int = second.advance(max(0.0, seconds), steps)
    except Exception as error:
        follower.fail(error)
        return 0
    return taken


def has_ended(first: Any, second: Any, follower: OpenRun | None) -> bool:
    """Whether a run has ended, and the one beside it, if there is one, has no step to take without it."""
    if not first.outcome or follower is None or second is None:
        return bool(first.outcome)
    return bool(second.outcome) or _lead(first, second, follower) > 0


def frame_waits(opened: OpenRun, now: float) -> bool:
    """Whether the next frame waits until the other board of a pair has painted its last one."""
    partner = opened.partner
    if partner is None:
        return False
    other = partner.watching
    return other.viewer is not None and other.asked is None and now - other.asked_at < FRAME_WAIT_SECONDS


def build(follower: OpenRun) -> None:
    """Build a follower's run from its leader's current one."""
    leader = follower.leader
    assert leader is not None and follower.vary is not None
    first = leader.run
    follower.run = second = follower.build(first, follower.vary)
    _look_at_the_same(first, second, follower)
    say_compared(first, is_compared=True)
    say_compared(second, is_compared=True)
    follower.state, follower.notice = "paused", ""
    follower.watching.changed()


def say_compared(run: Any, *, is_compared: bool) -> None:
    """Tell a run whether it is compared with another one, if it asks."""
    if isinstance(run, AwareOfPair):
        run.is_compared = is_compared


def rebuild(leader: OpenRun) -> None:
    """Build the follower again too, unless it is the run from before. An error in it ends the follower alone."""
    follower = leader.follower
    if follower is None or follower.can_be_built:
        return
    if follower.is_from_before:
        say_compared(leader.run, is_compared=True)
        show_together(leader)
        return
    try:
        build(follower)
    except Exception as error:
        follower.fail(error)


def obey_too(leader: OpenRun, command: Command) -> None:
    """Have the follower obey what the leader has obeyed, whichever run's chart it came from."""
    follower, (_, run) = leader.follower, runs_of(leader)
    if follower is None or run is None:
        return
    follower.watching.changed()
    if follower.is_from_before and (not isinstance(command, (Play, Step)) or _lead(leader.run, run, follower)):
        if isinstance(command, SELECTS):
            run.apply(command)
        show_together(leader)
    elif isinstance(command, (Play, Step)):
        if run.outcome == "done":
            run.resume()
        run.apply(LookBack())
    elif not isinstance(command, (Pause, SetSpeed, LookBack, Reset)):
        with contextlib.suppress(ValueError):  # the leader has said why
            run.apply(command)


def look_back(leader: OpenRun, command: LookBack) -> None:
    """Show both runs at the same earlier step, or at the current one. Raises ValueError with a sentence."""
    follower, (first, second) = leader.follower, runs_of(leader)
    if follower is not None and follower.is_from_before:
        first.apply(command)
        show_together(leader)
        return
    if command.shows_now or second is None:
        for run in filter(None, (first, second)):
            run.apply(command)
        return
    longer = _longer(first, second)
    longer.apply(command)
    shorter = first if longer is second else second
    shorter.apply(LookBack(step=longer.time()["step"]))


def show_together(leader: OpenRun) -> None:
    """Show both runs at the step that the leader shows."""
    follower, (first, second) = leader.follower, runs_of(leader)
    if follower is not None and first is not None and second is not None:
        _look_at_the_same(first, second, follower)


def retune(leader: OpenRun) -> None:
    """Set the knobs of the follower that were set in the leader; one that is behind does so at the same step."""
    follower, (_, second) = leader.follower, runs_of(leader)
    if follower is not None and second is not None:
        second.follow()
        follower.watching.changed()


def call_too(leader: OpenRun, function: Callable[[Any], Any]) -> None:
    """Do to the follower's run what was done to the leader's; a refusal is a sentence on the follower's board."""
    follower, (_, second) = leader.follower, runs_of(leader)
    if follower is None or second is None or follower.is_from_before:
        return
    follower.watching.changed()
    try:
        function(second)
    except ValueError as error:
        follower.notice = str(error)


def revary(follower: OpenRun, vary: Vary) -> None:
    """Give the follower another value of the setting in which it differs from its leader, from now on."""
    follower.vary = vary
    second: Any = follower.run
    if second is not None and follower.state != "failed":
        second.replay.vary = vary
        second.tune(vary(second.config))


def time_of(opened: OpenRun, time_machine: dict[str, Any]) -> dict[str, Any]:
    """What the time slider shows: of a pair, the snapshots of the run that has trained longer."""
    follower, (first, second) = opened.follower, runs_of(opened)
    is_own = follower is None or second is None or first is None or follower.is_from_before
    found: dict[str, Any] = time_machine if is_own else _longer(first, second).time()
    return found


def heading_of(opened: OpenRun) -> str:
    """The setting in which this run differs from its partner, with its current value; "" for a run alone."""
    follower = opened if opened.leader is not None else opened.follower
    run: Any = opened.run
    if follower is None or run is None:
        return ""
    if follower.is_from_before:
        return messages.RUN_BEFORE if opened is follower else messages.CONTINUED_RUN
    config = run.config
    spec = config.knobs()[follower.compared]
    return f"{spec.label}: {spec.name_of(getattr(config, follower.compared))}"


def on_common_axes(opened: OpenRun, charts: dict[str, Figure]) -> dict[str, Figure]:
    """The figures with axes wide enough for what the other run of a pair last showed, so that both compare."""
    partner = opened.partner
    if partner is None:
        return charts
    ranges = {name: ranges_of(figure) for name, figure in charts.items()}
    if any(opened.ranges.get(name) != each for name, each in ranges.items()):
        partner.watching.changed()  # its axes may have to be wider now
    opened.ranges |= ranges
    return {name: _widened(figure, partner.ranges.get(name, {})) for name, figure in charts.items()}


def ranges_of(figure: Figure) -> dict[str, tuple[str, float, float]]:
    """The visible axes of a figure whose ends are set: {"yaxis": (its type, low, high)}."""
    found = {}
    for name, axis in figure.get("layout", {}).items():
        if not isinstance(axis, dict) or "axis" not in name or axis.get("visible") is False or "scaleanchor" in axis:
            continue
        ends = axis.get("range")
        if ends is not None and all(math.isfinite(end) for end in ends) and ends[0] < ends[1]:
            found[name] = (axis.get("type", ""), float(ends[0]), float(ends[1]))
    return found


def _widened(figure: Figure, others: Mapping[str, tuple[str, float, float]]) -> Figure:
    """The figure with axes that hold its own range and the other's.

    An axis of values grows to a few times its own range at most, so that a run that
    diverges does not flatten the other's curve.
    """
    layout = dict(figure.get("layout", {}))
    for name, (kind, low, high) in ranges_of(figure).items():
        other = others.get(name)
        if other is None or other[0] != kind:
            continue
        room = (high - low) * (MAX_WIDENING if name.startswith("y") else math.inf)
        ends = [max(min(low, other[1]), high - room), min(max(high, other[2]), low + room)]
        layout[name] = layout[name] | {"range": ends}
    return {**figure, "layout": layout}


def notice_of(opened: OpenRun) -> str:
    """How far a follower has caught up, as a sentence; "" when it has."""
    partner = opened.partner
    if partner is None:
        return ""
    first, second = runs_of(opened.leader or opened)
    if first is None or second is None:
        return ""
    gap, is_leader = _gap(first, second), opened.leader is None
    if not is_behind(opened.leader or opened) or (gap < 0) != is_leader:
        return ""
    return messages.CATCHING_UP.format(step=min(first.steps, second.steps), steps=max(first.steps, second.steps))


def _longer(first: Any, second: Any) -> Any:
    return second if second.steps > first.steps else first


def runs_of(leader: OpenRun) -> tuple[Any, Any]:
    """The leader's run and its follower's; None where missing or failed. Either may be closed at any time."""
    follower = leader.follower
    return leader.run, None if follower is None or follower.state == "failed" else follower.run
