"""From what a run comes back after its process has ended: its start or its state, and what was done to it since.

    origin: step 0 of a config, or the state at a later step        -> build, or restore
    acts: what was done to the run since, each after a step         -> advance to that step, do it again
    steps: the last step that is known                              -> advance to it
    state, owed, speed: what the player was set to                  -> continue

A recipe is plain data, made by the process that has the run, kept by the front (which does not read the origin), and
read by the next process. All of it is reached bit for bit, because a run depends on its config, its seed, its number of
threads and its acts alone. What costs more than it is worth is left out: charts look as after a new frame, the time
slider is at the current step, and of a model with more than about 8,000 parameters fewer snapshots are kept (see
`playground.runs.state.MAX_SNAPSHOT_BYTES`).

Pickles are read from processes of this server alone. What a browser keeps has another form (`portable.py`).
"""

from __future__ import annotations

import pickle
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, runtime_checkable

from playground.engine.commands import MAX_SPEED, MAX_STEPS, Command
from playground.engine.open_run import OpenRun, State
from playground.engine.run import Outcome
from playground.knobs import Config, Value
from playground.lesson import LiveLesson
from playground.lessons import BENCHES
from playground.runs.past import Past
from playground.runs.training_run import TrainingRun
from playground.saving import checkpoint
from playground.saving.branch import Comparison
from playground.saving.checkpoint import Limits
from playground.saving.replay import Replay
from playground.saving.replay import build as build_replay
from playground.settings import Settings
from playground.workers import messages

VERSION = 1
MAX_ACTS = 500
MAX_KNOWN_STEPS = 2**53
LIMITS = Limits(bytes=16_000_000, header=2_000_000, tensors=5_000)  # of the state of one run, kept by the front
NOTICE_SECONDS = 20.0  # how long a run that plays on says that it came back
SHORT_SECONDS = 0.1  # a run that is back so soon shows no earlier step

Verb = Literal["tune", "apply", "resume", "use_rows", "use_weights", "use_picture", "use_threads"]
VERBS: tuple[Verb, ...] = ("tune", "apply", "resume", "use_rows", "use_weights", "use_picture", "use_threads")
NO_ARGUMENT: tuple[Verb, ...] = ("resume",)


class RecipeError(ValueError):
    """A recipe from which no run can come back; the message is a sentence."""


@dataclass(frozen=True)
class Act:
    """What was done to a run after a number of steps: the run's method, and its argument if it has one.

    `within` is true for what is part of this step itself: the run repeats there what was changed in the run that it is
    compared with.
    """

    steps: int
    verb: Verb
    argument: Any = None  # a config, a command, rows of a table, weights by name, grey levels, or a number of threads
    within: bool = False


@dataclass(frozen=True)
class Begun:
    """A run at step 0: its config, and what it had from the beginning."""

    config: Config
    edits: Any = None
    threads: int | None = None
    replay: Replay | None = None  # what it repeats, if it was opened by a link


@dataclass(frozen=True)
class Saved:
    """A run at a later step, or one whose beginning is not known: a checkpoint's file, and what that leaves out."""

    checkpoint: bytes
    past: Past
    replay: Replay | None = None


@dataclass(frozen=True)
class Held:
    """A run of a lab that trains, at a later step: its config, and the state of its training."""

    config: Config
    state: dict[str, Any]


@runtime_checkable
class Holding(Protocol):
    """Optional interface for runs that train but have no checkpoint: without it, they train again from step 0."""

    config: Any
    outcome: Outcome

    @property
    def steps(self) -> int:
        """The steps taken so far."""

    def training_state(self) -> dict[str, Any]:
        """Everything that the coming steps depend on apart from the config, copied."""

    def load_training_state(self, state: dict[str, Any]) -> None:
        """Continue from where `training_state` was taken, in a new run of the same config."""


Origin = Begun | Saved | Held


@dataclass(frozen=True)
class Beside:
    """How the second of two compared runs differs from the first one, and how many of its changes it has repeated."""

    leader_id: str
    start: Literal["start", "here", "before"]  # after Reset
    knob: str
    value: Value
    done: int = 0


@dataclass(frozen=True)
class Recipe:
    """From what one open run comes back; `origin` is a pickle of its Origin, empty where it is the one sent before."""

    bench: str
    config: Config  # that the page has asked for
    origin: bytes
    acts: tuple[Act, ...]
    steps: int
    outcome: Outcome
    state: State
    owed: int = 0
    speed: float | None = None
    notice: str = ""
    selection: Any = None
    beside: Beside | None = None
    version: int = VERSION

    def after(self, before: Recipe | None) -> Recipe | None:
        """The whole recipe, with the origin of the one before if it has none; None where that is not known."""
        if self.origin:
            return self
        return None if before is None else replace(self, origin=before.origin)


def packed(origin: Origin) -> bytes:
    """An origin as bytes."""
    return pickle.dumps(origin, protocol=-1)


def problem_of(recipe: Recipe) -> str:
    """Why a recipe cannot be used, as a sentence; "" if it can be tried."""
    bench: Any = BENCHES.get(recipe.bench)
    numbers = [recipe.steps, recipe.owed, *(act.steps for act in recipe.acts)]
    legal = (
        recipe.version == VERSION
        and getattr(bench, "build", None) is not None
        and isinstance(recipe.config, bench.config)
        and len(recipe.acts) <= MAX_ACTS
        and all(type(each) is int and 0 <= each <= MAX_KNOWN_STEPS for each in numbers)
        and recipe.owed <= MAX_STEPS * MAX_STEPS
        and (recipe.speed is None or 0 <= recipe.speed <= MAX_SPEED)
        and all(_is_legal(act, bench.config) for act in recipe.acts)
    )
    return "" if legal else messages.NO_RECIPE


def _is_legal(act: Act, config_type: type[Config]) -> bool:
    if act.verb == "tune":
        return isinstance(act.argument, config_type)
    if act.verb == "apply":
        return isinstance(act.argument, Command)
    return act.verb in VERBS


class ComingBack:
    """A run on its way to the step that its recipe knows: built at once, then advanced in slices.

    Meanwhile it guides the second of two compared runs, since it knows what that one has repeated at which step.
    """

    def __init__(self, recipe: Recipe, settings: Settings, *, may_play: bool = True, notice: str = "") -> None:
        """Raises RecipeError."""
        if problem := problem_of(recipe):
            raise RecipeError(problem)
        self.recipe = recipe
        self.settings = settings
        self.origin: Origin = pickle.loads(recipe.origin)
        self.run: Any = None
        self.has_begun = self.has_arrived = False
        self._may_play, self._notice = may_play, notice
        self._done = 0  # acts
        self._guide: Any = None  # of the run, when it has arrived

    # How the engine opens it.

    def prepare(self, opened: OpenRun) -> None:
        """Set the player as it was, before the run is built."""
        recipe = self.recipe
        was_busy = recipe.state == "playing" or recipe.owed > 0
        opened.passing_notice = self._notice, time.monotonic() + NOTICE_SECONDS
        opened.notice = self._notice if was_busy or recipe.state != "failed" else recipe.notice
        opened.pacing.set_speed(recipe.speed)
        if recipe.state == "playing" and not self._may_play:
            opened.state = "paused"
            return
        opened.state = recipe.state
        opened.pacing.owed = recipe.owed if self._may_play else 0

    def build(self, *arguments: Any) -> Any:
        """The run at its origin, or at its last known step if that is near.

        The arguments are those of the engine's builders: the config; for the second of two compared runs the first one,
        which has arrived, and the function that makes its config from the first one's.
        """
        self.has_begun = True
        self.run = run = self._built()
        if self.recipe.beside is not None:
            first, vary = arguments
            if self.recipe.beside.start != "before":  # that one repeats nothing
                self._guide = Comparison(first, vary, self.recipe.beside.done)
            run.replay = self
        else:
            self._guide = getattr(run, "replay", None)
        self._select()
        self.advance(SHORT_SECONDS)
        return run

    def _built(self) -> Any:
        origin = self.origin
        bench: Any = BENCHES[self.recipe.bench]
        if isinstance(origin, Saved):
            return self._restored(bench, origin)
        if isinstance(origin, Held):
            run = bench.build(origin.config, settings=self.settings)
            run.load_training_state(origin.state)
            return run
        if origin.replay is not None:
            return build_replay(bench.build, origin.config, replace(origin.replay), self.settings)
        run = bench.build(origin.config, settings=self.settings)
        if isinstance(run, TrainingRun):
            if origin.edits not in (None, run.edits):
                run = run.begun_with(origin.edits)
            if origin.threads is not None:
                run.use_threads(origin.threads)
        return run

    def _restored(self, lesson: LiveLesson, origin: Saved) -> Any:
        run, _ = checkpoint.restore(checkpoint.load(origin.checkpoint, LIMITS), lesson, self.settings)
        run.recall(origin.past)
        run.replay = None if origin.replay is None else replace(origin.replay)
        return run

    def _select(self) -> None:
        if isinstance(self.run, TrainingRun) and self.recipe.selection is not None:
            self.run.select(self.recipe.selection)

    # How it arrives.

    def advance(self, seconds: float) -> bool:
        """Repeat what was done and trained, for about so long; returns whether something was done.

        Where the next step is not ready, it returns False, and is asked again a moment later.
        """
        run, recipe, has_moved = self.run, self.recipe, False
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            act = recipe.acts[self._done] if self._done < len(recipe.acts) else None
            target = self._next_stop(recipe.steps if act is None else act.steps)
            must_end = (act is None and recipe.outcome == "done") or (act is not None and act.verb == "resume")
            if run.steps < target and not run.outcome:
                moved = run.advance(left, target - run.steps) > 0
            elif must_end and not run.outcome and run.steps == target:  # only the test after the last step is left
                run.advance(left, 1)
                moved = True
            elif act is not None:
                self._done += 1
                repeat(run, act)
                moved = True
            else:
                self._arrive()
                return True
            has_moved = has_moved or moved
            if not moved and end > time.perf_counter():  # one that has used its time up had work to do
                break
        return has_moved

    def _next_stop(self, target: int) -> int:
        """The step up to which it may train before it looks again at what is to be done."""
        return target

    def _arrive(self) -> None:
        if isinstance(self.run, TrainingRun):
            self.run.replay = self._guide
        self._select()
        self.has_arrived = True

    def sentence(self, steps: int = 0) -> str:
        """How far it is; "" when it has arrived."""
        del steps
        if self.has_arrived or self.run is None:
            return ""
        return messages.COMING_BACK.format(step=self.run.steps, steps=self.recipe.steps)

    # The guide of a second run on its way.

    def follow(self, run: Any) -> None:
        """Make the changes that were part of this step."""
        acts = self.recipe.acts
        while self._done < len(acts) and acts[self._done].within and acts[self._done].steps <= run.steps:
            self._done += 1
            repeat(run, acts[self._done - 1])

    def sets_threads(self, steps: int) -> bool:
        """Always True: the number is the one that the run had."""
        del steps
        return True

    def leads_past(self, steps: int) -> bool:
        """Always False: its own stop rule ends it."""
        del steps
        return False


def repeat(run: Any, act: Act) -> None:
    """Do to a run what was done to another one at the same step."""
    arguments = () if act.verb in NO_ARGUMENT else (act.argument,)
    with suppress(ValueError):  # it was not refused then, and a run at the same step does not refuse it now
        getattr(run, act.verb)(*arguments)
