"""Two open runs that advance together: the leader, which has the player, and its follower with one setting changed.

while the time is not up:
    leader takes a step; follower takes a step

A follower that starts later, or from an earlier step, first catches up, in most of the leader's slice; the leader goes
on meanwhile. What the player says, both do, and the time slider shows both at the same step.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from playground.engine.frames import Figure
from playground.engine.run import Comparable

if TYPE_CHECKING:
    from playground.engine.open_run import OpenRun

LEADER_SHARE = 0.25  # of a slice, while its follower catches up
FRAME_WAIT_SECONDS = 0.3  # for the other board to ask, too, so that both show the same step
WIDEST = 4.0  # times its own range that an axis is widened to for the other run's sake
CATCHING_UP = "Catching up with the first run: step {step:,} of {steps:,}."

Vary = Callable[[Any], Any]
BuildBeside = Callable[[Any, Vary], Comparable]  # (the leader's run, vary) -> the follower's run


def is_behind(leader: OpenRun) -> bool:
    """Whether this run has a follower that has steps to catch up."""
    first, second = runs_of(leader)
    return first is not None and second is not None and not second.outcome and second.steps < first.steps


def advance(first: Any, second: Any, follower: OpenRun, seconds: float, allowed: int) -> int:
    """Take steps with both until the time is up or `allowed` are taken; returns how many that were.

    One that has ended rests while the other goes on. An error in the follower's run ends that one alone.
    """
    end = time.perf_counter() + seconds
    follower.stale = True
    if second.steps < first.steps and not second.outcome:
        taken: int = first.advance(LEADER_SHARE * seconds, allowed) if allowed and not first.outcome else 0
        _advance(second, follower, end - time.perf_counter(), first.steps - second.steps)
        return taken
    taken = 0
    while taken < allowed and not has_ended(first, second) and follower.state != "failed":
        stepped = 0 if first.outcome else first.advance(0.0, 1)
        if not second.outcome:
            stepped = max(stepped, _advance(second, follower, 0.0, 1))
        taken += stepped
        if time.perf_counter() >= end:
            break
    return taken


def _advance(second: Any, follower: OpenRun, seconds: float, steps: int) -> int:
    try:
        taken: int = second.advance(max(0.0, seconds), steps)
    except Exception as error:
        follower.fail(error)
        return 0
    return taken


def has_ended(first: Any, second: Any) -> bool:
    """Whether a run has come to its end, and so has the one beside it, if there is one."""
    return bool(first.outcome) and (second is None or bool(second.outcome))


def frames_wait(opened: OpenRun, now: float) -> bool:
    """Whether a frame waits until the other board of a pair has painted its last one."""
    partner = opened.leader or opened.follower
    waits = partner is not None and partner.viewer is not None and partner.asked is None
    return waits and partner is not None and now - partner.asked_at < FRAME_WAIT_SECONDS


def build(follower: OpenRun) -> None:
    """Build a follower's run from its leader's, as that is now."""
    leader = follower.leader
    assert leader is not None and follower.vary is not None
    follower.run = follower.build(leader.run, follower.vary)
    follower.state, follower.notice, follower.stale = "paused", "", True


def rebuild(leader: OpenRun) -> None:
    """Start the follower over, too. An error in it ends it alone."""
    if (follower := leader.follower) is not None and follower.admitted and leader.run is not None:
        try:
            build(follower)
        except Exception as error:
            follower.fail(error)


def obey_too(leader: OpenRun, command: Mapping[str, Any]) -> None:
    """Have the follower do what the player or a chart of either run says."""
    follower, (_, run), name = leader.follower, runs_of(leader), command.get("do")
    if follower is None or run is None:
        return
    follower.stale = True
    if name in ("play", "step"):
        if run.outcome == "done":
            run.resume()
        run.apply({"do": "scrub", "to": None})
    elif name not in ("pause", "speed", "scrub", "reset"):
        with contextlib.suppress(ValueError):  # the leader has said why
            run.apply(command)


def look_back(leader: OpenRun, to: Any) -> None:
    """Show both runs at one of the time slider's places; None: at their present. Raises ValueError with a sentence."""
    first, second = runs_of(leader)
    if to is None or second is None:
        for run in filter(None, (first, second)):
            run.apply({"do": "scrub", "to": to})
        return
    longer = _longer(first, second)
    longer.apply({"do": "scrub", "to": to})
    shorter = first if longer is second else second
    shorter.apply({"do": "scrub", "step": longer.time()["step"]})


def retune(leader: OpenRun) -> None:
    """Turn for the follower what was turned for the leader; one that is behind does so when it comes to that step."""
    _, second = runs_of(leader)
    if leader.follower is not None and second is not None:
        second.follow()
        leader.follower.stale = True


def revary(follower: OpenRun, vary: Vary) -> None:
    """Have the follower differ from its leader by another value of the same setting, from now on."""
    follower.vary = vary
    if follower.leader is None:
        return
    first, second = runs_of(follower.leader)
    if first is not None and second is not None:
        second.replay.vary = vary
        second.tune(vary(first.config))


def time_of(opened: OpenRun, time_machine: dict[str, Any]) -> dict[str, Any]:
    """What the time slider shows: of a pair, the moments of the run that went further."""
    first, second = runs_of(opened)
    found: dict[str, Any] = time_machine if second is None or first is None else _longer(first, second).time()
    return found


def heading_of(opened: OpenRun) -> str:
    """What sets this run apart from the one beside it, from the config that it has now; "" for a run alone."""
    follower = opened if opened.leader is not None else opened.follower
    if follower is None or opened.run is None:
        return ""
    run: Any = opened.run
    config = run.config
    spec = config.knobs()[follower.compared]
    return f"{spec.label}: {spec.name_of(getattr(config, follower.compared))}"


def on_common_axes(opened: OpenRun, charts: dict[str, Figure]) -> dict[str, Figure]:
    """The figures with axes that also hold what the other run of a pair showed last, so that the two compare by eye."""
    partner = opened.leader or opened.follower
    if partner is None:
        return charts
    opened.ranges |= {name: ranges_of(figure) for name, figure in charts.items()}
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
    layout = dict(figure.get("layout", {}))
    for name, (kind, low, high) in ranges_of(figure).items():
        other = others.get(name)
        if other is None or other[0] != kind:
            continue
        most = WIDEST * min(high - low, other[2] - other[1])  # a run that diverges must not flatten the other's curve
        bottom = min(low, other[1])
        layout[name] = layout[name] | {"range": [bottom, min(max(high, other[2]), bottom + most)]}
    return figure | {"layout": layout}


def notice_of(opened: OpenRun) -> str:
    """How far a follower is that catches up."""
    leader = opened.leader
    if leader is None or not is_behind(leader):
        return ""
    first, second = runs_of(leader)
    return CATCHING_UP.format(step=second.steps, steps=first.steps)


def _longer(first: Any, second: Any) -> Any:
    return second if second.steps > first.steps else first


def runs_of(leader: OpenRun) -> tuple[Any, Any]:
    """A run and the one beside it, None where there is none or it has failed; either may be dropped at any time."""
    follower = leader.follower
    return leader.run, None if follower is None or follower.state == "failed" else follower.run
