"""What a worker keeps noting of its runs, so that they can come back when its process has ended.

    in each turn of a run: note its step, its player, and what was done to it; now and then save its state
    at once, or ten times a second: hand over what is new

A run's state is saved when training again to where it is would take longer than a moment, in a small share of the
run's own time: the more a state costs, the rarer it is saved.
"""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from playground.engine.commands import Draw, Explain, GoBack, LookBack, Pick, Slide
from playground.engine.open_run import OpenRun
from playground.engine.orders import replaces
from playground.knobs import Config
from playground.runs.training_run import TrainingRun
from playground.saving import checkpoint
from playground.saving.branch import Comparison
from playground.saving.checkpoint import CheckpointError
from playground.saving.replay import Replay
from playground.workers.portable import Known, NotPortable, Story, checksum_of, is_portable, write
from playground.workers.recipes import (
    LIMITS,
    MAX_ACTS,
    VERBS,
    Act,
    Begun,
    Beside,
    ComingBack,
    Held,
    Holding,
    Origin,
    Recipe,
    Saved,
    Verb,
    packed,
)

STEPS_SECONDS = 0.4  # between two times that only a new step is handed over
LOOKS = (Draw, Explain, Pick, Slide)  # commands that select what is shown; a training has the result in its selection

COPY_SECONDS = 2.0  # between two times that a browser gets a new step alone
COPY_MIN_SECONDS = 0.25  # between two times that it gets anything
STATE_SECONDS = 2.0  # between two states that a browser gets while the run plays
STATE_MIN_SECONDS = 1.0  # while it does not
STATE_BYTES_PER_SECOND = 100_000
CHECKSUM_SHARE = 0.01  # of a run's time, that may go into checksums for its browser

Keep = Callable[[str, Recipe], None]
GiveCopy = Callable[[int, str, bytes], None]


@dataclass(frozen=True)
class Saving:
    """How often a run's state is saved: the training that would have to be repeated, against what it costs."""

    min_seconds: float = 0.3  # of training between two saved states
    max_share: float = 0.015  # of the training time that goes into saving
    bytes_per_second: float = 1e6  # of training

    def interval(self, cost: float, size: int) -> float:
        """The seconds of training until the next saved state, where the last one took `cost` and has `size` bytes."""
        return max(self.min_seconds, cost / self.max_share, size / self.bytes_per_second)


@dataclass(eq=False)
class Log:
    """What was done to one run since its origin."""

    bench: str
    start: Literal["start", "here", "before", ""]  # of the second of two compared runs: where it begins after Reset
    origin: Origin
    acts: list[Act] = field(default_factory=list)  # it only grows; a new origin begins a new list
    seconds: float = 0.0  # trained since the origin
    interval: float = 0.0  # of training until the next saved state
    must_save: bool = False  # something large or not repeatable was done
    is_advancing: bool = False
    is_muted: bool = False  # what is done now is part of an act
    has_selected: bool = True
    selection: Any = None
    looks: dict[Any, Act] = field(default_factory=dict)  # what was looked at last, of each kind
    known: Known | None = None  # the last checksum of its weights; its acts are counted like `done`
    known_at: float = 0.0
    known_seconds: float = 0.0  # that it took
    first: Origin | None = None  # as it began here
    trail: list[tuple[int, Act]] = field(default_factory=list)  # every act since, with its number; folds as `acts` do
    done: int = 0  # acts
    done_at_first: int = 0
    done_at_origin: int = 0
    coming: ComingBack | None = None  # it repeats what is in its recipe

    @property
    def is_coming_back(self) -> bool:
        """Whether it has not arrived yet, so that nothing new is done to it."""
        return self.coming is not None and not self.coming.has_arrived

    def look(self, act: Act) -> None:
        """Note what is looked at, in the place of what was of the same kind."""
        command = act.argument
        kind = type(command), getattr(command, "chart", ""), getattr(command, "name", "")
        self.looks.pop(kind, None)
        self.looks[kind] = act

    def begin_trail(self, first: Origin, acts: list[Act]) -> None:
        """Begin again what a browser gets: with this origin, and these acts since."""
        self.first, self.done_at_first = first, self.done
        self.trail = list(enumerate(acts, start=self.done + 1))
        self.done += len(acts)


@dataclass(frozen=True)
class Noted:
    """A run as it was in a turn; `acts` is the log's list, of which the first `count` had been done."""

    origin: Origin
    acts: list[Act]
    count: int
    recipe: Recipe  # all of it but the origin and the acts


@dataclass(frozen=True)
class Trail:
    """A run as it was in a turn, for the browser that keeps it: what a recipe has, counted from any of its origins."""

    noted: Noted
    first: Origin | None
    done_at_first: int
    acts: list[tuple[int, Act]]
    done: int
    done_at_origin: int
    known: Known | None
    looks: tuple[Act, ...]
    story: Story | None
    second: str
    plays: bool  # it has steps to take, or the run that leads it has

    def has_news_after(self, other: Trail) -> bool:
        """Whether more has happened since another one than steps."""
        one, two = (
            (each.done, id(each.first), [id(look) for look in each.looks], each.second, each.plays)
            for each in (self, other)
        )
        now, before = (
            (recipe.state, recipe.outcome, recipe.speed, recipe.config)
            for recipe in (self.noted.recipe, other.noted.recipe)
        )
        return one != two or now != before

    def since(self, number: int) -> tuple[Act, ...] | None:
        """The acts after this number; None where not all of them are kept."""
        acts = tuple(act for at, act in self.acts if number < at <= self.done)
        return acts if len(acts) == self.done - number else None


@dataclass(eq=False)
class Copy:
    """What the browser of one run has been given, by the viewer's number."""

    viewer: int
    trail: Trail | None = None  # the newest one
    given: Trail | None = None  # the last one that it got
    given_at: float = -math.inf
    state: Saved | None = None  # that it has, and the number of the last act before it
    done_at_state: int = 0
    state_at: float = -math.inf


class Recording:
    """Notes every run of one engine. `keep(run_id, recipe)` gets what is new; with an empty origin, it is as before."""

    def __init__(
        self,
        keep: Keep,
        saving: Saving | None = None,
        steps_seconds: float = STEPS_SECONDS,
        give_copy: GiveCopy = lambda viewer, head, state: None,
        max_state_bytes: int = 4_000_000,
    ) -> None:
        """`give_copy(viewer, head, state)` gets what the browser of a viewer is to keep: no state where it has it."""
        self._keep = keep
        self._give_copy = give_copy
        self._max_state_bytes = max_state_bytes
        self._copies: dict[str, Copy] = {}  # by run
        self._saving = saving or Saving()
        self._steps_seconds = steps_seconds
        self._lock = threading.Lock()
        self._logs: weakref.WeakKeyDictionary[Any, Log] = weakref.WeakKeyDictionary()
        self._noted: dict[str, Noted] = {}
        self._sent: dict[str, tuple[Noted, float]] = {}

    # Whose runs are noted.

    def builds(self, bench: str, build: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """The same function, whose runs of this bench are noted."""
        return lambda config: self.listen(bench, build(config))

    def builds_beside(self, start: Literal["start", "here", "before"], build: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, whose second runs, of the bench of the first ones, are noted."""

        def build_beside(first: Any, vary: Any) -> Any:
            second, found = build(first, vary), self._logs[first]
            found.must_save = True  # it keeps as few snapshots as the second run from now on
            return self.listen(found.bench, second, start)

        return build_beside

    def listen(self, bench: str, run: Any, start: Literal["start", "here", "before", ""] = "") -> Any:
        """Note from now on what is done to a run; returns the run.

        Its methods are replaced by ones that also note the call, so that a run need not know that it is noted, and
        everybody who changes it is heard: its viewer, the page, and the run that it is compared with.
        """
        self._listen(run, Log(bench, start, self._origin_of(bench, run)))
        return run

    def comes_back(self, coming: ComingBack, again: Callable[..., Any]) -> Callable[..., Any]:
        """The function that builds a run from its recipe; built once more, it is what `again` builds."""

        def build(*arguments: Any) -> Any:
            if coming.has_begun:
                return again(*arguments)
            return self._listen_back(coming, coming.build(*arguments))

        return build

    def _listen_back(self, coming: ComingBack, run: Any) -> Any:
        """Note a run that comes back, as soon as it has arrived; returns the run."""
        recipe = coming.recipe
        start = "" if recipe.beside is None else recipe.beside.start
        found = Log(recipe.bench, start, coming.origin, list(recipe.acts), coming=coming)
        self._listen(run, found)
        return run

    def _listen(self, run: Any, found: Log) -> None:
        is_new, found.interval = run not in self._logs, self._saving.interval(0.0, 0)
        found.begin_trail(found.origin, found.acts)
        self._logs[run] = found
        if not is_new:
            return
        me, kind = weakref.ref(run), type(run)
        for verb in VERBS:
            if hasattr(run, verb):
                setattr(run, verb, partial(self._do, me, getattr(kind, verb), verb))
        run.advance = partial(self._advance, me, kind.advance)
        run.rebuilt = partial(self._rebuilt, me, kind.rebuilt)

    # The methods that replace the run's own.

    def _do(self, me: Any, method: Callable[..., Any], verb: Verb, *arguments: Any) -> Any:
        run = me()
        found, steps = self._logs[run], run.steps
        argument = arguments[0] if arguments else None
        if found.is_muted or found.is_coming_back or not self._is_noted(found, run, verb, argument):
            found.has_selected = True
            result = method(run, *arguments)
            is_look = verb == "apply" and isinstance(argument, LOOKS) and isinstance(run, TrainingRun)
            if is_look or verb == "use_picture":
                found.look(Act(steps, verb, argument))
            return result
        found.is_muted = True  # what it does to itself meanwhile is part of it
        try:
            result = method(run, *arguments)
        finally:
            found.is_muted = False
        self._note_act(found, run, Act(steps, verb, argument, found.is_advancing))
        return result

    def _advance(self, me: Any, method: Callable[..., int], seconds: float, steps: int) -> int:
        run = me()
        found = self._logs[run]
        start, found.is_advancing = time.perf_counter(), True
        try:
            return method(run, seconds, steps)
        finally:
            found.is_advancing = False
            found.seconds += time.perf_counter() - start

    def _rebuilt(self, me: Any, method: Callable[..., Any], config: Config) -> Any:
        run = me()
        return self.listen(self._logs[run].bench, method(run, config))

    @staticmethod
    def _is_noted(found: Log, run: Any, verb: Verb, argument: Any) -> bool:
        """Whether a call is an act: not if it only shows something else, or is part of what repeats itself."""
        if found.is_advancing and not isinstance(getattr(run, "replay", None), Comparison):
            return False
        if verb == "apply":
            return not isinstance(argument, LookBack) and not (
                isinstance(run, TrainingRun) and isinstance(argument, LOOKS)
            )
        return verb != "use_picture"

    def _note_act(self, found: Log, run: Any, act: Act) -> None:
        """Add an act to a log, in the place of the last one where that makes no difference."""
        found.has_selected = True
        if isinstance(run, TrainingRun):
            found.must_save |= act.verb in ("use_rows", "use_weights") or isinstance(act.argument, GoBack)
        elif act.verb == "tune" and not run.steps:  # the run has begun again
            found.origin, found.acts, found.seconds = Begun(run.config), [], 0.0
            found.begin_trail(found.origin, [])
            found.done_at_origin = found.done
            return
        last = found.acts[-1] if found.acts else None
        is_same_step = last is not None and last.steps == act.steps == run.steps
        is_same_kind = last is not None and is_same_step and act.verb == last.verb == "apply"
        if last is not None and is_same_kind and replaces(act.argument, last.argument):
            found.acts, found.trail = found.acts[:-1], found.trail[:-1]
            found.done -= 1
        found.acts.append(act)
        found.done += 1
        found.trail.append((found.done, act))

    # What is noted.

    def before_frame(self, opened: OpenRun) -> None:
        """Note a run, and the one beside it, in a turn, between its steps and its frame.

        What was done to it, or to its player, is handed over at once: whoever has seen it in a frame can rely on it.
        """
        for each in (opened, opened.follower):
            run: Any = None if each is None else each.run
            if each is not None and run is not None and (found := self._logs.get(run)) is not None:
                self._note(each, run, found)
                if each.run is None:  # closed meanwhile
                    self.forget(each.id)

    def _note(self, opened: OpenRun, run: Any, found: Log) -> None:
        if found.is_coming_back:
            return
        if found.must_save or found.seconds > found.interval or len(found.acts) > MAX_ACTS:
            self._save(found, run)
        if found.has_selected:
            found.has_selected = False
            found.selection = run.selected() if isinstance(run, TrainingRun) else None
        beside = None
        if opened.leader is not None:
            value = getattr(run.config, opened.compared) if opened.compared else ""
            done = run.replay.done if isinstance(run.replay, Comparison) else 0
            start = found.start or "start"
            beside = Beside(opened.leader.id, start, opened.compared, value, done)
        pacing = opened.pacing
        config = opened.config if opened.leader is None else run.config
        recipe = Recipe(
            found.bench, config, b"", (), run.steps, run.outcome, opened.state, pacing.owed, pacing.speed,
            opened.notice, found.selection, beside,
        )  # fmt: skip
        self._noted[opened.id] = noted = Noted(found.origin, found.acts, len(found.acts), recipe)
        last = self._sent.get(opened.id)
        if last is None or is_urgent(last[0], noted):
            self._hand_over(opened.id)
        if (copy := self._copies.get(opened.id)) is not None:
            self._note_trail(copy, opened, run, found, noted)

    def _note_trail(self, copy: Copy, opened: OpenRun, run: Any, found: Log, noted: Noted) -> None:
        """Note a run for the browser that keeps it."""
        plays = (opened.leader or opened).has_steps
        if isinstance(run, TrainingRun | Holding) and run.outcome != "failed":
            now, is_new = time.monotonic(), found.known is None
            if found.known is not None:
                is_new = (found.known.steps, found.known.acts) != (run.steps, found.done)
            gap = max(COPY_SECONDS, found.known_seconds / CHECKSUM_SHARE)
            if is_new and (not plays or now - found.known_at >= gap):  # at rest there is no later turn
                start = time.perf_counter()
                found.known = Known(run.steps, found.done, checksum_of(run))
                found.known_at, found.known_seconds = now, time.perf_counter() - start
        if len(found.trail) > 2 * MAX_ACTS:
            if isinstance(run, TrainingRun):  # its state is given in the place of the first ones
                found.trail = found.trail[-MAX_ACTS:]
            else:
                found.begin_trail(Begun(run.config), last_of_each([act for _, act in found.trail], run.steps))
                found.done_at_origin = found.done
        if copy.state is None and not is_portable(found.first) and not isinstance(found.origin, Saved):
            found.must_save = True  # in its next turn
        second, follower = "", None if opened.follower is None else opened.follower.run
        if follower is not None and (beside := self._logs.get(follower)) is not None:
            second = beside.start or "start"
        copy.trail = Trail(
            noted, found.first, found.done_at_first, found.trail, found.done, found.done_at_origin, found.known,
            tuple(found.looks.values()), Story.of(run), second, plays,
        )  # fmt: skip

    def _save(self, found: Log, run: Any) -> None:
        """Begin a log again with the run's state at its current step, if that can be saved."""
        start, found.must_save, found.seconds = time.thread_time(), False, 0.0
        origin: Saved | Held | None = None
        size = 0
        if isinstance(run, TrainingRun):
            origin = saved(found.bench, run)
            size = 0 if origin is None else len(origin.checkpoint)
        elif isinstance(run, Holding) and run.outcome != "failed":
            origin, size = held(run)
        if origin is None:
            found.interval *= 2
            if len(found.acts) > MAX_ACTS and not isinstance(run, TrainingRun):
                found.origin, found.acts = Begun(run.config), last_of_each(found.acts, run.steps)
                found.done_at_origin = found.done
                found.begin_trail(found.origin, found.acts)
            return
        found.origin, found.acts, found.done_at_origin = origin, [], found.done
        cost = time.thread_time() - start  # not of the clock: where cores are crowded, states would be saved too rarely
        found.interval = self._saving.interval(cost, size)

    # What is handed over.

    def tick(self) -> None:
        """Hand over what is new of each run; to be called about ten times a second."""
        now = time.monotonic()
        for run_id, noted in list(self._noted.items()):
            last = self._sent.get(run_id)
            if last is None or is_due(last[0], noted, may_be_steps=now - last[1] >= self._steps_seconds):
                self._hand_over(run_id)
        for run_id, copy in list(self._copies.items()):
            self._give(run_id, copy, now)

    def _hand_over(self, run_id: str) -> None:
        with self._lock:  # so that the newest comes last
            noted = self._noted.get(run_id)
            if noted is None:
                return
            last = self._sent.get(run_id)
            origin = b"" if last is not None and last[0].origin is noted.origin else packed(noted.origin)
            self._sent[run_id] = noted, time.monotonic()
            self._keep(run_id, replace(noted.recipe, origin=origin, acts=tuple(noted.acts[: noted.count])))

    def forget(self, run_id: str) -> None:
        """A run has been closed."""
        self._noted.pop(run_id, None)
        self._sent.pop(run_id, None)
        self._copies.pop(run_id, None)

    # What browsers keep.

    def keeps(self, run_id: str, viewer: int) -> None:
        """This viewer of a run keeps what brings it back, in the place of the one before."""
        self._copies[run_id] = Copy(viewer)

    def keeps_no_more(self, run_id: str, viewer: int) -> None:
        """The viewer has gone."""
        if (copy := self._copies.get(run_id)) is not None and copy.viewer == viewer:
            del self._copies[run_id]

    def _give(self, run_id: str, copy: Copy, now: float) -> None:
        """Give a viewer what is new of its run: at once if more than steps are, with its state now and then."""
        trail, given = copy.trail, copy.given
        if trail is None or trail is given:
            return
        has_news = given is None or trail.has_news_after(given)
        if now - copy.given_at < (COPY_MIN_SECONDS if has_news else COPY_SECONDS):
            return
        copy.given, copy.given_at = trail, now
        state = self._state_of(trail)
        bases: list[tuple[Origin | None, int]] = [(trail.first, trail.done_at_first)]
        if copy.state is not None:
            bases = [(copy.state, copy.done_at_state)]
        if state is not None and state is not copy.state:
            is_due = now - copy.state_at >= state_gap(len(state.checkpoint), plays=trail.plays)
            bases.insert(0 if is_due else len(bases), (state, trail.done_at_origin))
        for base, number in bases:
            acts = trail.since(number)
            is_new = isinstance(base, Saved) and base is not copy.state
            if acts is None or not isinstance(base, Begun | Saved) or (is_new and not self._may_be_kept(base)):
                continue
            known = trail.known
            if known is not None:
                known = None if known.acts < number else replace(known, acts=known.acts - number)
            try:
                head = write(
                    run_id, replace(trail.noted.recipe, acts=acts), base, story=trail.story, known=known,
                    looks=trail.looks, second=trail.second,
                )  # fmt: skip
            except NotPortable:
                continue
            content = b""
            if isinstance(base, Saved) and is_new:
                copy.state, copy.done_at_state, copy.state_at, content = base, number, now, base.checkpoint
            self._give_copy(copy.viewer, head, content)
            return

    def _state_of(self, trail: Trail) -> Saved | None:
        """The last saved state of a run, if its browser may keep it."""
        origin = trail.noted.origin
        return origin if isinstance(origin, Saved) and self._may_be_kept(origin) else None

    def _may_be_kept(self, origin: Origin) -> bool:
        """Whether a state is small enough for a browser, and not of a run that still repeats a link."""
        if not isinstance(origin, Saved) or len(origin.checkpoint) > self._max_state_bytes:
            return False
        return origin.replay is None or origin.replay.found != ""

    def _origin_of(self, bench: str, run: Any) -> Origin:
        """From what a run comes back that nobody has done anything to yet."""
        if not isinstance(run, TrainingRun):
            return Begun(run.config)
        start, replay = run.journal.start, run.replay
        if not run.steps and run.journal.saved is None and not isinstance(replay, Comparison):
            fresh = None
            if isinstance(replay, Replay):
                fresh = Replay(replay.at, replay.checksum, replay.changes, replay.threads)
            return Begun(start.config, run.edits, None if fresh else run.threads, fresh)
        found = saved(bench, run)
        return Begun(run.config, run.edits, run.threads) if found is None else found


def state_gap(size: int, *, plays: bool) -> float:
    """The seconds between two states of this size, in bytes, that a browser gets."""
    return max(STATE_SECONDS, size / STATE_BYTES_PER_SECOND) if plays else STATE_MIN_SECONDS


def is_urgent(last: Noted, noted: Noted) -> bool:
    """Whether more has happened since the last note than steps."""
    before, now = last.recipe, noted.recipe
    if noted.origin is not last.origin or noted.acts is not last.acts or noted.count != last.count:
        return True
    if (now.state, now.speed, now.notice) != (before.state, before.speed, before.notice):
        return True
    has_more_to_do = now.owed > before.owed or (before.owed > 0 and not now.owed)
    return has_more_to_do or (now.config is not before.config and now.config != before.config)


def is_due(last: Noted, noted: Noted, *, may_be_steps: bool) -> bool:
    """Whether a note differs from the last one that was handed over, be it in its steps alone."""
    before, now = last.recipe, noted.recipe
    if now.selection is not before.selection or is_urgent(last, noted):
        return True
    same_look = replace(now, selection=None), replace(before, selection=None)
    return may_be_steps and same_look[0] != same_look[1]


def saved(bench: str, run: TrainingRun) -> Saved | None:
    """The state of a training between two steps; None where it has none: it has diverged, or is too large.

    Snapshots are for looking back only: of a large model, fewer are kept.
    """
    replay = replace(run.replay) if isinstance(run.replay, Replay) else None
    try:
        taken = checkpoint.take(bench, run)
    except ValueError:
        return None
    state = taken.state
    snapshots = state["snapshots"]
    while True:
        try:
            return Saved(checkpoint.pack(taken, LIMITS), run.past(), replay)
        except CheckpointError:
            if len(snapshots["kept"]) < 2:
                return None
            snapshots["kept"], snapshots["stride"] = snapshots["kept"][::2], 2 * snapshots["stride"]


def held(run: Holding) -> tuple[Held | None, int]:
    """The state of a lab that trains, and its size in bytes; None where it is too large."""
    origin = Held(run.config, run.training_state())
    size = len(packed(origin))
    return (origin, size) if size <= LIMITS.bytes else (None, size)


def last_of_each(acts: list[Act], steps: int) -> list[Act]:
    """The last command of each kind to each chart, as if all had been given at this step."""
    found: dict[Any, Act] = {}
    for act in acts:
        if act.verb == "apply":
            found[type(act.argument), getattr(act.argument, "chart", "")] = replace(act, steps=steps)
    return list(found.values())
