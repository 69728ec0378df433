"""A run again from its link: the same start, the same turns of knobs; and whether it comes out with the same weights.

A link names the present settings, as always, and besides `at=<step>.<checksum>` and, where knobs were turned on the
way, `since=~<knob>:<value>;<step>~<knob>:<value>~...;...`: what was set otherwise at the start, and each turn after it.
A run that has a number of threads of its own adds `threads=<number>`, that of its start, and each later change is a
turn, `<step>~threads:<number>`: with another number sums are added in another order.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, unquote

from playground.engine.run import Heavy, Run
from playground.knobs import Config, as_text
from playground.runs.checksums import checksum
from playground.runs.journal import RunHistory, Journaled
from playground.settings import Settings
from playground.training.devices import MAX_THREADS

AT, SINCE, THREADS = "at", "since", "threads"  # the link's parameters
MOST_STEPS = 100_000  # of a replay
MOST_TURNS = 40  # of knobs, that a link carries
MOST_TEXT = 4_000  # characters of them
CHECKSUM_DIGITS = 8
_AT = re.compile(rf"([1-9][0-9]{{0,5}})\.([0-9a-f]{{{CHECKSUM_DIGITS}}})")
_TURN = re.compile(r"([a-z_0-9]{1,40}):([^:;~]*)")


TOUCHED = "Something was changed by hand on the way."
OTHER_MACHINE = "The likely reason is another version of PyTorch or another processor, which round otherwise."
THREADS_UNKNOWN = (
    "The likely reason is another version of PyTorch, another processor or another number of threads: the link does "
    "not say how many there were."
)
FEWER_CORES = (
    "It was computed with {there} threads there and with {here} here, which are the cores of this machine, so sums "
    "were added in another order."
)


class ReplayError(ValueError):
    """A link that cannot be made or replayed; the message is a sentence."""


class Training(Protocol):
    """What a replay asks of a run."""

    config: Any
    steps: int
    journal: Any
    stop_at: float
    stop_below: float
    model: Any
    threads: int | None
    settings: Settings

    def use_threads(self, count: int) -> None:
        """Compute with this many threads from now on."""

    def tune(self, config: Any) -> None:
        """Turn live knobs."""


@dataclass
class Replay:
    """What a run does again: the configs to take after given steps, the step to reach, the weights to find there.

    `threads` are those of the start, where the link names them, and each turn is a step, a config and the threads from
    there on. `found` is the checksum of the weights at the step to reach; `is_touched` is whether the visitor changed
    something before; `reason` is the likely one where the weights differ.
    """

    at: int
    checksum: str
    turns: tuple[tuple[int, Any, int | None], ...] = ()
    threads: int | None = None
    done: int = 0  # turns
    entries: int = 0  # of the run's journal, that come from these turns
    found: str = ""
    is_touched: bool = False
    reason: str = OTHER_MACHINE

    def begin(self, run: Training) -> None:
        """Set a fresh run up as the other one began."""
        if self.threads is not None:
            self._use_threads(run, self.threads)
        self.follow(run)

    def sets_threads(self, steps: int) -> bool:
        """Whether the run's share of the machine does not count: up to the last step to repeat."""
        return not self.found and (self.threads is not None or steps > 0)

    def leads_past(self, steps: int) -> bool:
        """Whether the other run went on after this step."""
        return not self.found and steps < self.at

    def follow(self, run: Training) -> None:
        """Turn what was turned after this step, and look at the weights if it is the last."""
        if self.found or run.steps > self.at:
            return
        while self.done < len(self.turns) and self.turns[self.done][0] == run.steps:
            self.is_touched = self.is_touched or len(run.journal.changes) != self.entries
            if not self.is_touched:
                _, config, threads = self.turns[self.done]
                run.tune(config)
                if threads is not None:
                    self._use_threads(run, threads)
                self.entries = len(run.journal.changes)
            self.done += 1
        run.stop_at, run.stop_below = math.inf, -math.inf  # it is no stop rule that ends a replay
        if run.steps == self.at:
            self._arrive(run)

    def _use_threads(self, run: Training, count: int) -> None:
        """As many threads as the other run had, where this machine has the cores."""
        here = min(count, run.settings.cores)
        if here < count and self.reason == OTHER_MACHINE:  # the first number is the largest
            self.reason = FEWER_CORES.format(there=count, here=here)
        if here != run.threads:
            run.use_threads(here)

    def _arrive(self, run: Training) -> None:
        changes = len(run.journal.changes)
        self.is_touched = self.is_touched or changes != self.entries or run.journal.saved is not None
        if run.threads is not None and self.threads is None:
            self.reason = THREADS_UNKNOWN
        self.found = checksum(run.model.state_dict())[:CHECKSUM_DIGITS]
        every = run.config.max_steps  # each Play on a run that is done adds as many
        run.stop_at = math.ceil(self.at / every) * every if every else math.inf
        run.stop_below = run.config.target_loss or -math.inf

    def say(self, steps: int) -> str:
        """How it stands, in one sentence, until the run goes on from where the link led; then nothing."""
        if not self.found:
            return f"Replaying a shared run: {steps:,} of {self.at:,} steps. Its weights are compared at the end."
        if steps != self.at:
            return ""
        if self.found == self.checksum:
            return f"Replayed to step {self.at:,}: the same weights to the last bit, checksum {self.found}."
        why = TOUCHED if self.is_touched else self.reason
        both = f"{self.checksum} in the link, {self.found} here"
        return f"Replayed to step {self.at:,}, but the weights differ: {both}. {why}"


def parameters(run_history: RunHistory) -> dict[str, str]:
    """What a link to a run's present step has besides its settings. Raises ReplayError where none leads there."""
    if not run_history.only_knobs:
        raise ReplayError(
            "A link carries settings only, not the points or weights that you have changed by hand or loaded. "
            "To share those, save a checkpoint."
        )
    if not 1 <= run_history.steps <= MOST_STEPS:
        raise ReplayError(f"A link replays 1 to {MOST_STEPS:,} steps; this run has made {run_history.steps:,}.")
    before, groups = run_history.start, [_group("", run_history.config, run_history.start.config)]
    for change in run_history.changes:
        turned = _group(str(change.steps), before.config, change.config)
        is_other = change.threads != before.threads and run_history.start.threads is not None
        groups.append(f"{turned}~{THREADS}:{change.threads}" if is_other else turned)
        before = change
    groups = [group for group in groups if "~" in group]
    text = ";".join(groups)
    if len(groups) > MOST_TURNS or len(text) > MOST_TEXT:
        raise ReplayError(
            f"Knobs were turned more often than the {MOST_TURNS} times that a link carries. Save a checkpoint."
        )
    found = {AT: f"{run_history.steps}.{run_history.checksum[:CHECKSUM_DIGITS]}"}
    if run_history.start.threads is not None:
        found[THREADS] = str(run_history.start.threads)
    return found | ({SINCE: text} if text else {})


def _group(step: str, before: Config, after: Config) -> str:
    """One turn of knobs as a link writes it."""
    changes = after.changed_from(before)
    values = {name: quote(as_text(new), safe=", ^").replace("~", "%7E") for name, (_, new) in changes.items()}
    return "~".join([step, *(f"{name}:{text}" for name, text in values.items())])


def read(config: Config, at: str, since: str = "", threads: str = "") -> tuple[Config, Replay]:
    """The config to start with and what to do again, from the link's settings and its three parameters.

    Raises ReplayError with a sentence for anything else than what `parameters` gives.
    """
    match = _AT.fullmatch(at)
    if match is None or int(match[1]) > MOST_STEPS:
        raise ReplayError(
            f"The link does not say what to replay: that is a number of steps from 1 to {MOST_STEPS:,} and a checksum."
        )
    groups = since.split(";") if since else []
    if len(since) > MOST_TEXT or len(groups) > MOST_TURNS:
        raise ReplayError(f"The link turns knobs more often than the {MOST_TURNS} times that can be replayed.")
    first = _threads(threads) if threads else None
    start, now, last = config, config, 0
    turns: list[tuple[int, Config, int | None]] = []
    for group in groups:
        step, *parts = group.split("~")
        count = None
        if parts and parts[-1].startswith(f"{THREADS}:"):
            if first is None or not step:
                raise ReplayError(f"The link changes the number of threads of a start that “{THREADS}” does not name.")
            count = _threads(parts.pop().partition(":")[2])
        now = now.with_values(**dict(_turned(config, part) for part in parts))
        if not step and start == config and not turns:
            start = now
        elif re.fullmatch("[0-9]{1,6}", step) and last <= int(step) <= int(match[1]):
            last = int(step)
            turns.append((last, now, count))
        else:
            raise ReplayError("The turns of knobs in the link are not in the order of their steps.")
    if now != config:
        raise ReplayError("The turns of knobs in the link do not lead to its settings.")
    return start, Replay(int(match[1]), match[2], tuple(turns), first)


def build(make: Callable[..., Run], start: Config, replay: Replay, settings: Settings) -> Any:
    """The run of a replay, at step 0. Raises ReplayError for a run of another kind."""
    run = make(start, settings=settings)
    if not isinstance(run, Journaled):
        raise ReplayError("Runs of this page cannot be replayed from a link.")
    if replay.threads is not None and not isinstance(run, Heavy):
        raise ReplayError("The link names a number of threads, but runs of this page have none of their own.")
    run.replay = replay
    replay.begin(run)
    return run


def _threads(text: str) -> int:
    if not re.fullmatch("[0-9]{1,2}", text) or not 1 <= int(text) <= MAX_THREADS:
        raise ReplayError(f"The number of threads in the link is not a whole number from 1 to {MAX_THREADS}.")
    return int(text)


def _turned(config: Config, part: str) -> tuple[str, Any]:
    match, specs = _TURN.fullmatch(part), config.knobs()
    if match is None or match[1] not in specs or not specs[match[1]].live:
        raise ReplayError("The link turns a knob that cannot be turned while a run trains.")
    found, problems = type(config).parse({match[1]: unquote(match[2])})
    if problems:
        raise ReplayError(problems[0])
    return match[1], getattr(found, match[1])
