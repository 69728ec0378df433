"""Repeating a run from its link: the same start, the same changes of knobs, and a comparison of the final weights.

A link names the current settings, as always. It also has `at=<step>.<checksum>` and, if knobs were changed on the way,
`since=~<knob>:<value>;<step>~<knob>:<value>~...;...`: the settings that were different at the start, and each change
after it. A run with a number of threads of its own adds `threads=<number>`, the number at its start; each later change
of it is written `<step>~threads:<number>`, because with another number sums are added in another order.
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
from playground.runs.journal import RunHistory
from playground.runs.progress import Progress
from playground.runs.training_run import TrainingRun
from playground.settings import Settings
from playground.training.devices import MAX_THREADS

AT, SINCE, THREADS = "at", "since", "threads"  # the link's parameters
MAX_STEPS = 100_000  # of a replay
MAX_CHANGES = 40  # of knobs, in a link
MAX_CHANGES_CHARACTERS = 4_000
CHECKSUM_DIGITS = 8
_AT = re.compile(rf"([1-9][0-9]{{0,5}})\.([0-9a-f]{{{CHECKSUM_DIGITS}}})")
_CHANGE = re.compile(r"([a-z_0-9]{1,40}):([^:;~]*)")

# Every sentence that a visitor can read.
REPLAYING = "Replaying a shared run: step {step:,} of {steps:,}. Its weights are compared at the end."
SAME = "Replayed to step {steps:,}: the same weights to the last bit, checksum {checksum}."
DIFFERENT = "Replayed to step {steps:,}, but the weights differ: {there} in the link, {here} here. {reason}"
TOUCHED = "Something was changed by hand on the way."
OTHER_MACHINE = "The likely reason is another version of PyTorch or another processor, which round differently."
THREADS_UNKNOWN = (
    "The likely reason is another version of PyTorch, another processor or another number of threads; the link does "
    "not say how many threads were used."
)
FEWER_CORES = (
    "The original run used {there} threads; this machine has {here} cores, so sums were added in another order."
)
NOT_ONLY_SETTINGS = (
    "A link carries settings only, not the points or weights that you have changed by hand or loaded. "
    "To share those, save a checkpoint."
)
TOO_MANY_STEPS = "A link replays 1 to {most:,} steps; this run has taken {steps:,}."
TOO_MANY_CHANGES = "Settings were changed more often than the {most} times that a link carries. Save a checkpoint."
BAD_AT = "The link does not say what to replay: it needs a number of steps from 1 to {most:,} and a checksum."
TOO_LONG = "The link changes settings more often than the {most} times that can be replayed."
NO_FIRST_THREADS = "The link changes the number of threads but does not give the first one, “{name}”."
BAD_ORDER = "The changes of settings in the link are not in the order of their steps."
BAD_END = "The changes of settings in the link do not lead to its settings."
BAD_SETTING = "The link changes a setting that cannot be changed while a run trains."
BAD_THREADS = "The number of threads in the link is not a whole number from 1 to {most}."
NO_REPLAY = "Runs of this page cannot be replayed from a link."
NO_THREADS = "The link gives a number of threads, but runs of this page do not use one of their own."


class ReplayError(ValueError):
    """A link that cannot be made or replayed; the message is a sentence."""


class Training(Protocol):
    """What a replay asks of a run."""

    config: Any
    journal: Any
    progress: Progress
    model: Any
    threads: int | None
    settings: Settings

    def use_threads(self, count: int) -> None:
        """Compute with this many threads from now on."""

    def tune(self, config: Any) -> None:
        """Change live knobs."""


@dataclass
class Replay:
    """What a run repeats: the configs to take after given steps, the step to reach and the weights expected there."""

    at: int  # the step to reach
    checksum: str  # of the weights expected there
    changes: tuple[tuple[int, Any, int | None], ...] = ()  # each a step, a config and the threads from there on
    threads: int | None = None  # at the start, if the link gives them
    done: int = 0  # changes made so far
    entries: int = 0  # of the run's journal that come from these changes
    found: str = ""  # the checksum of the weights at the step to reach
    is_touched: bool = False  # whether the visitor has changed something before that step
    reason: str = OTHER_MACHINE  # the likely one if the weights differ

    def begin(self, run: Training) -> None:
        """Set a new run up as the original one began."""
        if self.threads is not None:
            self._use_threads(run, self.threads)
        self.follow(run)

    def sets_threads(self, steps: int) -> bool:
        """Whether the run's share of the machine is ignored: up to the step to reach."""
        return not self.found and (self.threads is not None or steps > 0)

    def leads_past(self, steps: int) -> bool:
        """Whether the original run continued after this step."""
        return not self.found and steps < self.at

    def follow(self, run: Training) -> None:
        """Make the changes that were made after this step, and compare the weights if it is the last."""
        steps = run.progress.steps
        if self.found or steps > self.at:
            return
        while self.done < len(self.changes) and self.changes[self.done][0] == steps:
            self.is_touched = self.is_touched or len(run.journal.changes) != self.entries
            if not self.is_touched:
                _, config, threads = self.changes[self.done]
                run.tune(config)
                if threads is not None:
                    self._use_threads(run, threads)
                self.entries = len(run.journal.changes)
            self.done += 1
        run.progress.stop_at, run.progress.stop_below = math.inf, -math.inf  # a stop rule must not end a replay
        if steps == self.at:
            self._arrive(run)

    def _use_threads(self, run: Training, count: int) -> None:
        """Use as many threads as the original run, if this machine has the cores."""
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
        run.progress.stop_at = math.ceil(self.at / every) * every if every else math.inf
        run.progress.stop_below = run.config.target_loss or -math.inf

    def sentence(self, steps: int) -> str:
        """How far the replay is or how it has ended; "" once the run has continued after it."""
        if not self.found:
            return REPLAYING.format(step=steps, steps=self.at)
        if steps != self.at:
            return ""
        if self.found == self.checksum:
            return SAME.format(steps=self.at, checksum=self.found)
        reason = TOUCHED if self.is_touched else self.reason
        return DIFFERENT.format(steps=self.at, there=self.checksum, here=self.found, reason=reason)


def parameters(run_history: RunHistory) -> dict[str, str]:
    """The further parameters of a link to a run's current step. Raises ReplayError if no link leads there."""
    if not run_history.only_knobs:
        raise ReplayError(NOT_ONLY_SETTINGS)
    if not 1 <= run_history.steps <= MAX_STEPS:
        raise ReplayError(TOO_MANY_STEPS.format(most=MAX_STEPS, steps=run_history.steps))
    before, groups = run_history.start, [_group("", run_history.config, run_history.start.config)]
    for change in run_history.changes:
        changed = _group(str(change.steps), before.config, change.config)
        has_other_threads = change.threads != before.threads and run_history.start.threads is not None
        groups.append(f"{changed}~{THREADS}:{change.threads}" if has_other_threads else changed)
        before = change
    groups = [group for group in groups if "~" in group]
    text = ";".join(groups)
    if len(groups) > MAX_CHANGES or len(text) > MAX_CHANGES_CHARACTERS:
        raise ReplayError(TOO_MANY_CHANGES.format(most=MAX_CHANGES))
    found = {AT: f"{run_history.steps}.{run_history.checksum[:CHECKSUM_DIGITS]}"}
    if run_history.start.threads is not None:
        found[THREADS] = str(run_history.start.threads)
    return found | ({SINCE: text} if text else {})


def texts(start: Config, replay: Replay) -> dict[str, Any]:
    """What a link says of a replay that begins with this config: its settings at the end, and its three parameters.

    `read` makes the replay of them again.
    """
    groups, before = [], start
    for steps, config, threads in replay.changes:
        changed = _group(str(steps), before, config)
        groups.append(changed if threads is None else f"{changed}~{THREADS}:{threads}")
        before = config
    first = _group("", before, start)
    since = ";".join([first, *groups] if "~" in first else groups)
    threads_text = "" if replay.threads is None else str(replay.threads)
    return {"config": before.as_texts(), AT: f"{replay.at}.{replay.checksum}", SINCE: since, THREADS: threads_text}


def _group(step: str, before: Config, after: Config) -> str:
    """One change of knobs as a link writes it."""
    changes = after.changed_from(before)
    values = {name: quote(as_text(new), safe=", ^").replace("~", "%7E") for name, (_, new) in changes.items()}
    return "~".join([step, *(f"{name}:{text}" for name, text in values.items())])


def read(config: Config, at: str, since: str = "", threads: str = "") -> tuple[Config, Replay]:
    """The config to start with and what to repeat, from the link's settings and its three parameters.

    Raises ReplayError with a sentence for anything that `parameters` does not give.
    """
    match = _AT.fullmatch(at)
    if match is None or int(match[1]) > MAX_STEPS:
        raise ReplayError(BAD_AT.format(most=MAX_STEPS))
    groups = since.split(";") if since else []
    if len(since) > MAX_CHANGES_CHARACTERS or len(groups) > MAX_CHANGES:
        raise ReplayError(TOO_LONG.format(most=MAX_CHANGES))
    first = _threads(threads) if threads else None
    start, now, last = config, config, 0
    changes: list[tuple[int, Config, int | None]] = []
    for group in groups:
        step, *parts = group.split("~")
        count = None
        if parts and parts[-1].startswith(f"{THREADS}:"):
            if first is None or not step:
                raise ReplayError(NO_FIRST_THREADS.format(name=THREADS))
            count = _threads(parts.pop().partition(":")[2])
        now = now.with_values(**dict(_changed(config, part) for part in parts))
        if not step and start == config and not changes:
            start = now
        elif re.fullmatch("[0-9]{1,6}", step) and last <= int(step) <= int(match[1]):
            last = int(step)
            changes.append((last, now, count))
        else:
            raise ReplayError(BAD_ORDER)
    if now != config:
        raise ReplayError(BAD_END)
    return start, Replay(int(match[1]), match[2], tuple(changes), first)


def changed_settings(since: str) -> list[str]:
    """The names of the settings that a link's `since` changes on the way, whether `read` takes it or not."""
    return [part.partition(":")[0] for group in since.split(";") for part in group.split("~")[1:]]


def build(make: Callable[..., Run], start: Config, replay: Replay, settings: Settings) -> Any:
    """The run of a replay, at step 0. Raises ReplayError if runs of this lesson cannot be replayed."""
    run = make(start, settings=settings)
    if not isinstance(run, TrainingRun):
        raise ReplayError(NO_REPLAY)
    if replay.threads is not None and not isinstance(run, Heavy):
        raise ReplayError(NO_THREADS)
    run.replay = replay
    replay.begin(run)
    return run


def _threads(text: str) -> int:
    if not re.fullmatch("[0-9]{1,2}", text) or not 1 <= int(text) <= MAX_THREADS:
        raise ReplayError(BAD_THREADS.format(most=MAX_THREADS))
    return int(text)


def _changed(config: Config, part: str) -> tuple[str, Any]:
    match, specs = _CHANGE.fullmatch(part), config.knobs()
    if match is None or match[1] not in specs or not specs[match[1]].live:
        raise ReplayError(BAD_SETTING)
    found, problems = type(config).parse({match[1]: unquote(match[2])})
    if problems:
        raise ReplayError(problems[0])
    return match[1], getattr(found, match[1])
