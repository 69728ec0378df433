"""A training as the engine runs it: steps with a stop rule, a history, snapshots to look back at, and live knobs."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from torch import Tensor, nn

from playground.engine.commands import Command, CommandError, GoBack, LookBack
from playground.engine.frames import Figure
from playground.engine.messages import NOT_KEPT, NOTHING_TO_GO_BACK_TO, OUT_OF_TIME, UNKNOWN_COMMAND
from playground.engine.run import Drawing, Outcome
from playground.glance import CURVE_POINTS, Challenge, Glance, Miniature, curve_bytes, thinned
from playground.knobs import Config
from playground.runs import messages, state
from playground.runs import state_checks as check
from playground.runs.checksums import checksum
from playground.runs.history import History, Snapshot, Snapshots
from playground.runs.journal import Change, Guide, Journal, Reason, RunHistory, SavedState, WeightSet
from playground.runs.past import Past
from playground.runs.periods import SEVERAL, Period, changed_settings, period_of_marks
from playground.runs.periods import Change as LastChange
from playground.runs.progress import Progress
from playground.runs.state_checks import StateError
from playground.runs.trends import LossRows
from playground.runs.weight_names import Assignment, assign
from playground.settings import Settings
from playground.training.models import count_parameters
from playground.training.probe import Probe
from playground.training.trainer import Trainer

MIN_AUTO_SPEED = 30.0  # steps a second
AUTO_SECONDS = 10.0  # a run with a step limit is paced to take about this long
MAX_SNAPSHOTS = 128
GOOD_LOSS = 0.01  # of the loss right after the last change: a snapshot with a loss so little higher is good, too
STATE_PARTS = ("weights", "optimizer", "batches", "progress", "history", "snapshots", "own")
BATCH_KNOB = "batch_size"
PERIOD = "period"  # a further part, in files of runs that something was changed in


@dataclass(frozen=True)
class View:
    """The training as it is shown: at its current step, or at the snapshot that the time slider points at."""

    steps: int
    epochs: int
    model: nn.Sequential
    config: Any
    is_current: bool
    predict: Callable[[nn.Sequential, Any], Any]
    options: Mapping[str, bool] = field(default_factory=dict)  # of the viewer

    @cached_property
    def predictions(self) -> Any:
        """What the lesson needs of the model's outputs, computed once for all charts of a frame."""
        return self.predict(self.model, self.config)


class TrainingRun(ABC):
    """One student's training of one model. A lesson says how to measure, draw and tune it.

    The same config, seed and number of threads give the same weights bit for bit on the CPU, whatever the slices and
    whoever watches. `state_dict` has everything that decides how it continues, except what follows from the config:
    the data, the loss function, the learning rate.
    """

    edits: Any = None  # what the student changed in the points by hand, if the lesson allows that
    threads: int | None = None  # of one operation of torch, if the run has a number of its own
    is_compared: bool = False  # with another run, at the same steps
    averaged: range = range(0)  # the steps whose mean loss is shown, if it is not the loss of the current weights
    replay: Guide | None = None  # another run whose changes this one repeats
    inert_knobs: ClassVar[frozenset[str]] = frozenset({"max_steps", "target_loss"})  # without effect on the training
    marked_changes: ClassVar[dict[str, str]] = {
        messages.WEIGHTS_MARK: "weights",
        messages.WENT_BACK_MARK: "went_back",
        messages.CONTINUED_MARK: "continued",
    }

    def __init__(
        self,
        config: Any,
        data: Any,
        model: nn.Sequential,
        trainer: Trainer,
        columns: Iterable[str],
        settings: Settings,
    ) -> None:
        self.config = config
        self.data = data
        self.trainer = trainer
        self.settings = settings
        self.replace_model(model)
        self.progress = Progress()
        self.progress.set_max_steps(config.max_steps)
        self.progress.set_target_loss(config.target_loss)
        self.history = History(columns)
        fitting = settings.max_run_mb * 1_000_000 // (4 * self.parameter_count)
        self.snapshots = Snapshots(min(MAX_SNAPSHOTS, fitting))
        self.journal = Journal(Change(0, config, self.edits))
        self._shown_index: int | None = None  # of the snapshot that is shown
        self.weights_set = 0  # how often weights were set from outside
        self.period = Period()
        self._probe: tuple[Period, int, Probe] | None = None  # in a period, at a step
        self._fresh_probe: tuple[Probe, Probe] | None = None
        self._before_change: Snapshot | None = None  # right before the last change
        self._good: tuple[int, Snapshot | None] | None = None  # found after a divergence at a step
        self._loss_rows: tuple[Any, Period, LossRows] | None = None  # of a history column and a period
        self.record({})
        self.take_snapshot()

    def replace_model(self, model: nn.Sequential) -> None:
        """Train this model from now on. Raises ValueError with a sentence if it is too large."""
        parameters, most = count_parameters(model), self.settings.max_parameters
        if parameters > most:
            raise ValueError(messages.TOO_MANY_PARAMETERS.format(parameters=parameters, most=most))
        self.model = self.trainer.model = model
        self.parameter_count = parameters
        self.parameters = list(model.parameters())  # found once: finding them takes longer than copying them
        self._snapshot_model = deepcopy(model)

    # What a lesson says.

    @abstractmethod
    def measure(self) -> dict[str, float]:
        """The history row of the current step: losses on the whole data, and what else the lesson records."""

    @abstractmethod
    def predict(self, model: nn.Sequential, config: Any) -> Any:
        """The outputs of a model that the charts, the status and the narrator share."""

    @abstractmethod
    def figures(self, view: View, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """Each chart's name and the function that draws it."""

    @abstractmethod
    def status(self, view: View) -> dict[str, float]:
        """The numbers beside the player."""

    @abstractmethod
    def narrate(self, view: View) -> str:
        """One sentence about what the charts show."""

    @abstractmethod
    def retune(self, before: Any, after: Any, names: set[str]) -> None:
        """Give the running trainer the knobs with these names, which have changed."""

    @abstractmethod
    def rebuilt(self, config: Any) -> Self:
        """A new run at step 0 that keeps what the student added by hand."""

    def losses_now(self) -> dict[str, float]:
        """The losses of the current weights on the whole data, for the period after a change; empty if too costly."""
        return {}

    @property
    def edited_points(self) -> Any:
        """What the student changed in the points by hand: equal if the points are."""
        return self.edits

    def acting_knobs(self, before: Any, after: Any) -> set[str]:
        """The names of the live knobs that act on the training under one of two configs."""
        found = {
            name for name, spec in after.knobs().items()
            if spec.live and name not in self.inert_knobs and (spec.applies_to(before) or spec.applies_to(after))
        }  # fmt: skip
        batches, sizes = self.trainer.batches, {getattr(each, BATCH_KNOB, 0) for each in (before, after)}
        is_same = len(sizes) > 1 and all(size == 0 or size >= len(batches.x) for size in sizes)
        return found - {BATCH_KNOB} if is_same else found

    def edit(self, command: Command) -> None:
        """Obey a command that only some lessons know. Raises ValueError with a sentence."""
        del command
        raise CommandError(UNKNOWN_COMMAND)

    def trace(self, before: list[Tensor]) -> dict[str, float]:
        """More columns of the history, from the gradients just used and the parameters before the update."""
        del before
        return {}

    def snapshot_model(self, config: Any) -> nn.Sequential:
        """A model of a config's shape and activation to show a snapshot with; its weights are set afterwards."""
        del config
        return self._snapshot_model

    def own_state(self) -> dict[str, Any]:
        """The lesson's own part of the state: the student's edits, more random generators, ..."""
        return {}

    def load_own_state(self, state: Any) -> None:
        """Take over what `own_state` gave, before all other parts: it may change data and model. Raises StateError."""
        check.entries(state, (), "own")

    def optimizer_state(self) -> Any:
        """What the optimizer keeps; a lesson with several optimizers keeps them apart."""
        return state.optimizer_state(self.trainer.optimizer)

    def load_optimizer_state(self, kept: Any) -> None:
        """Take over what `optimizer_state` gave. Raises StateError."""
        state.load_optimizer_state(self.trainer.optimizer, kept)

    def selected(self) -> Any:
        """What the student has selected to look at, as plain data; None where nothing can be selected."""
        return None

    def select(self, selected: Any) -> None:  # noqa: B027  # most have nothing to select
        """Show what `selected` gave, in a run of the same config."""

    def begun_with(self, edits: Any) -> Self:
        """A run at step 0 of the same config, with these edits of the points."""
        self.edits = edits
        return self.rebuilt(self.config)

    def config_state(self, config: Any) -> dict[str, Any]:
        """A config that a snapshot was taken with, as texts."""
        return check.texts_of(config)

    def config_of(self, texts: Any) -> Any:
        """The config that `config_state` gave. Raises StateError."""
        return check.config(type(self.config), texts)

    def script_names(self) -> list[str]:
        """The names of the weights in the exported script's model, in the order of this run's model."""
        return list(self.model.state_dict())

    # Progress.

    @property
    def steps(self) -> int:
        """The optimizer updates so far."""
        return self.progress.steps

    @property
    def outcome(self) -> Outcome:
        """How the run has ended; "" while it has not."""
        return self.progress.outcome

    @property
    def marks(self) -> list[tuple[int, str]]:
        """The marks on the loss chart: (step, what was changed then)."""
        return self.progress.marks

    def mark(self, text: str) -> None:
        """Mark what was changed at this step on the loss chart."""
        self.progress.mark(text)

    @property
    def auto_speed(self) -> float:
        """Steps a second slow enough to watch a run with a step limit; full speed (0) without one."""
        return max(MIN_AUTO_SPEED, self.config.max_steps / AUTO_SECONDS) if self.config.max_steps else 0.0

    def steps_in_epochs(self, epochs: int) -> int:
        """The number of steps to the end of the current epoch and of those after it, `epochs` in all."""
        return self.trainer.batches.left_in_epoch + (epochs - 1) * self.trainer.batches.steps_per_epoch

    @property
    def resumes(self) -> int:
        """How often it was resumed after its step limit."""
        max_steps, stop_at = self.config.max_steps, self.progress.stop_at
        return round(stop_at / max_steps) - 1 if max_steps and math.isfinite(stop_at) else 0

    def resume(self) -> None:
        """Continue after the stop rule: for as many steps as it first allowed, or past the target loss."""
        self.progress.resume(self.config.max_steps)

    # Training.

    def advance(self, seconds: float, steps: int) -> int:
        """Take steps until the time is up, the number is reached or the run ends; returns the number of steps taken."""
        end = time.perf_counter() + seconds
        taken = 0
        while taken < steps and not self.progress.outcome:
            taken += 1
            self.step()
            if time.perf_counter() >= end:
                break
        return taken

    def step(self) -> None:
        """Take one optimizer update and record it; the run ends if its loss is not finite or the stop rule applies."""
        progress = self.progress
        is_due = self.history.is_due(progress.steps + 1)
        before = [parameter.detach().clone() for parameter in self.parameters] if is_due else None
        loss = self.trainer.step().item()
        progress.steps += 1
        if before is not None:
            self.record(self.trace(before))
        if self.snapshots.is_due(progress.steps):
            self.take_snapshot()
        self.follow()
        if not math.isfinite(loss):
            progress.outcome = "failed"
        elif progress.steps >= progress.stop_at or (loss <= progress.stop_below and self._has_reached_target()):
            progress.outcome = "done"

    def _has_reached_target(self) -> bool:
        """Whether the loss on all training points is as low as the target; the loss of one batch may be luck."""
        with torch.no_grad():
            return self.trainer.batches.whole or self.measure()["train"] <= self.progress.stop_below

    def record(self, traced: dict[str, float]) -> None:
        """Add the current step to the history."""
        with torch.no_grad():
            self.history.append(self.steps, traced | self.measure())

    def take_snapshot(self) -> None:
        """Keep a snapshot of the current step."""
        self.snapshots.append(self._snapshot())

    @torch.no_grad()
    def _snapshot(self) -> Snapshot:
        vector = torch.cat([parameter.reshape(-1).cpu() for parameter in self.parameters])
        return Snapshot(self.steps, self.trainer.batches.epochs, vector, self.config)

    def tune(self, config: Config) -> None:
        """Change live knobs without a reset; each change leaves a mark on the loss chart."""
        with self.changing():
            self._tune(config)
        self.record_change()

    def _tune(self, config: Config) -> None:
        before, specs, progress = self.config, config.knobs(), self.progress
        changed = config.changed_from(before)
        self.config = config
        for name, (old, new) in changed.items():
            spec = specs[name]
            words = {"label": spec.label, "before": spec.name_of(old), "after": spec.name_of(new)}
            self.mark(messages.SETTING_MARK.format(**words))
        if "max_steps" in changed:
            progress.set_max_steps(self.config.max_steps)
        if "target_loss" in changed:
            progress.set_target_loss(self.config.target_loss)
        if progress.outcome == "done" and progress.steps < progress.stop_at:
            progress.outcome = ""
        self.retune(before, config, set(changed))

    # Back to an earlier step.

    def fits(self, snapshot: Snapshot) -> bool:
        """Whether the run can continue from a snapshot. A lesson whose runs can go back overrides it."""
        del snapshot
        return False

    def good_losses(self, snapshot: Snapshot) -> dict[str, float] | None:
        """The losses of a snapshot's weights in the current model, or None if they do not fit it or are not finite.

        A lesson whose runs can go back overrides it.
        """
        del snapshot
        return None

    def went_back(self) -> None:
        """Bring what the lesson keeps back to the current, earlier step, and begin with a new optimizer."""
        self._good = self._before_change = None

    @property
    def good_step(self) -> int | None:
        """After a divergence, the step to which this run can go back; None if there is none, or beside another run."""
        return None if self.is_compared or self._good_snapshot is None else self._good_snapshot.steps

    @property
    def _good_snapshot(self) -> Snapshot | None:
        """The last snapshot with a loss no higher than right after the last change, after a divergence."""
        if self.outcome != "failed":
            return None
        if self._good is None or self._good[0] != self.steps:
            self._good = (self.steps, self._find_good())
        return self._good[1]

    @torch.no_grad()
    def _find_good(self) -> Snapshot | None:
        kept = [*self.snapshots.kept, *([self._before_change] if self._before_change is not None else [])]
        for snapshot in sorted(kept, key=lambda each: each.steps, reverse=True):
            losses = self.good_losses(snapshot) if 0 < snapshot.steps < self.steps else None
            if losses is None:  # also for every snapshot of a lesson whose runs cannot go back
                continue
            first = self.period.losses["train"] if self.period.losses else self.history.column("train")[0]
            if losses["train"] <= first * (1 + GOOD_LOSS):
                return snapshot
        return None

    def go_back(self, step: int | None = None) -> None:
        """Continue from a step that is kept, or from the last good one after a divergence, with a new optimizer.

        Raises CommandError.
        """
        if step is None:
            snapshot, mark = self._good_snapshot, messages.WENT_BACK_MARK
        else:
            here = (each for each in self.snapshots.kept if each.steps == step and self.fits(each))
            snapshot, mark = next(here, None), messages.CONTINUED_MARK
        if snapshot is None:
            raise CommandError(NOTHING_TO_GO_BACK_TO if step is None else NOT_KEPT.format(step=step))
        what: Literal["went_back", "continued"] = "went_back" if step is None else "continued"
        load_parameters(self.model, snapshot.parameters)
        progress, batches = self.progress, self.trainer.batches
        progress.steps, batches.epochs, progress.outcome = snapshot.steps, snapshot.epochs, ""
        batches.order, batches.position = torch.empty(0, dtype=torch.long), 0
        progress.marks = [mark for mark in progress.marks if mark[0] <= snapshot.steps]
        self.history.cut(snapshot.steps)
        self.snapshots.kept = [each for each in self.snapshots.kept if each.steps <= snapshot.steps]
        self._shown_index, self.weights_set = None, self.weights_set + 1
        self.went_back()
        self.mark(mark)
        self.period = Period(self.steps, LastChange(what), self.losses_now())
        self._begin_journal(what)

    # The last change, since which a training is judged.

    @contextmanager
    def changing(self, what: str = "") -> Iterator[None]:
        """A change of settings, or `what` of messages.SINCE: a new period begins after it if it acts on the training.

        Changes at one step are one change, and one that is taken back at the same step is none.
        """
        if self.outcome == "failed":  # what is changed after a divergence is not its cause
            yield
            return
        here = self._snapshot()
        last, origin, before = self.period, (self.config, self.edited_points, self.weights_set), self.losses_now()
        yield
        previous: Period | None = replace(last, previous=None)
        if last.start == self.steps and (last.losses or last.origin is not None):
            before = dict(last.before)
            if last.origin is not None:  # it is not known in a restored run
                origin, previous = last.origin, last.previous
        change = self._change_from(origin, what or last.change.what)
        if change == LastChange():
            self.period = previous or Period()
        else:
            self.period = Period(self.steps, change, self.losses_now(), before, origin, previous)
            if last.start != self.steps or self._before_change is None:
                self._before_change = here

    def _change_from(self, origin: tuple[Any, Any, int], what: str) -> LastChange:
        config, points, weights_set = origin
        settings = changed_settings(config, self.config, self.acting_knobs(config, self.config))
        others = [points != self.edited_points, weights_set != self.weights_set]
        if settings.what and not any(others):
            return settings
        if settings.what or all(others):
            return LastChange(SEVERAL)
        if what in ("", SEVERAL, "setting", "settings"):
            what = "points" if others[0] else "weights"
        return LastChange(what) if any(others) else LastChange()

    def loss_rows(self) -> LossRows:
        """The rows of the history since the last change, for a history with the columns "train" and "test"."""
        rows, period = self.history.column("train"), self.period
        if self._loss_rows is None or self._loss_rows[0] is not rows or self._loss_rows[1] is not period:
            steps = self.history.steps()
            late = steps > period.start if period.losses or period.is_changed else steps >= 0
            columns = [each[late] for each in (steps, rows, self.history.column("test"))]
            if period.losses:
                first = [period.start, period.losses["train"], period.losses.get("test", math.nan)]
                columns = [np.concatenate([[value], column]) for value, column in zip(first, columns, strict=True)]
            self._loss_rows = (rows, period, LossRows(*columns))
        return self._loss_rows[2]

    def kept_probe(self, probe: Callable[[], Probe]) -> Probe:
        """A probe of the current weights: a new one only in a new period or after a tenth more steps."""
        kept = self._probe
        if kept is None or kept[0] is not self.period or self.steps > 1.1 * kept[1] + 10:
            self._probe = kept = (self.period, self.steps, probe())
        return kept[2]

    def kept_fresh_probe(self, now: Probe, probe: Callable[[], Probe]) -> Probe:
        """A probe of the weights at step 0, kept as long as `now`, that of the current ones."""
        kept = self._fresh_probe
        if kept is None or kept[0] is not now:
            self._fresh_probe = kept = (now, probe())
        return kept[1]

    def find_period(self) -> None:
        """The current period of a run that was restored: it is known from the marks alone."""
        knobs = self.config.knobs()
        acting = {knobs[name].label for name in self.acting_knobs(self.config, self.config)}
        self.period = period_of_marks(self.marks, acting, self.marked_changes, self.steps)

    # What was changed on the way.

    def follow(self) -> None:
        """Make the changes that a replayed run made after this step, if this one replays another."""
        if self.replay is not None:
            self.replay.follow(self)

    def record_change(self, weight: WeightSet | None = None) -> None:
        """Record in the journal that knobs or points have changed, or that one weight was set by hand."""
        self.journal.record(self._change(weight))
        if self.journal.full:
            self._begin_journal("long")

    def use_threads(self, count: int) -> None:
        """Compute with this many threads from now on, and record that in the journal."""
        self.threads = count
        self.journal.record_threads(self._change())
        if self.journal.full:
            self._begin_journal("long")

    def _change(self, weight: WeightSet | None = None) -> Change:
        return Change(self.steps, self.config, self.edits, weight, self.threads)

    def _begin_journal(self, why: Reason) -> None:
        """Begin the journal again with the current state, which nothing shorter than its numbers describes."""
        kept = {
            "weights": state.weights_of(self.model),
            "optimizer": self.optimizer_state(),
            "batches": self.trainer.batches.state_dict(),
            "own": self.own_state(),
        }
        self.journal = Journal(self._change(), SavedState(why, kept))

    def run_history(self) -> RunHistory:
        """How the run came to its current step."""
        journal, weights = self.journal, checksum(self.model.state_dict())
        return RunHistory(
            self.steps, self.config, self.settings, journal.start, tuple(journal.changes), journal.saved, weights,
            self.averaged,
        )  # fmt: skip

    # What is shown.

    def apply(self, command: Command) -> None:
        """Look back at a snapshot, or obey a command of the lesson's own. Raises ValueError with a sentence."""
        if isinstance(command, GoBack):
            self.go_back(command.step)
            return
        if not isinstance(command, LookBack):
            self.edit(command)
            return
        index, kept = command.index, self.snapshots.kept
        if command.step is not None:
            earlier = [at for at, snapshot in enumerate(kept) if snapshot.steps <= command.step]
            index = earlier[-1] if earlier else None
        if index is not None and not 0 <= index < len(kept):
            raise CommandError(OUT_OF_TIME.format(most=len(kept) - 1))
        self._shown_index = index

    @property
    def shown_snapshot(self) -> Snapshot | None:
        """The snapshot that is shown; None for the current step."""
        if self._shown_index is None or self._shown_index >= len(self.snapshots.kept):
            return None
        return self.snapshots.kept[self._shown_index]

    def view(self, options: Mapping[str, bool] | None = None) -> View:
        """The training as it is shown, to a viewer with these options."""
        options = options or {}
        snapshot = self.shown_snapshot
        if snapshot is None:
            epochs = self.trainer.batches.epochs
            return View(self.steps, epochs, self.model, self.config, True, self.predict, options)
        model = self.snapshot_model(snapshot.config)
        load_parameters(model, snapshot.parameters)
        return View(snapshot.steps, snapshot.epochs, model, snapshot.config, False, self.predict, options)

    @torch.no_grad()
    def draw(self, charts: list[str], options: Mapping[str, bool]) -> Drawing:
        """The charts asked for, the status, the narrator's sentence and the time slider."""
        view = self.view(options)
        figures = self.figures(view, options)
        status = {"step": view.steps, "epoch": view.epochs, **self.status(view)}
        replayed = self.replay.sentence(view.steps) if self.replay is not None else ""
        return Drawing(
            {name: figures[name]() for name in charts if name in figures},
            {name: _four_digits(value) for name, value in status.items()},
            replayed or self.narrate(view),
            self.time(),
        )

    def time(self) -> dict[str, Any]:
        """The time slider: {"count": snapshots kept, "at": index of the one shown or None, "step": its step}.

        Also "now", the current step, and "end", the step at which the stop rule ends the run, or None. After a
        divergence "good" is the step to which the run can go back; "branch" says that it can continue from the shown
        one.
        """
        snapshot = self.shown_snapshot
        steps = self.steps if snapshot is None else snapshot.steps
        at = None if snapshot is None else self._shown_index
        good = {} if self.good_step is None else {"good": self.good_step}
        stop_at = self.progress.stop_at
        now = {"now": self.steps, "end": int(stop_at) if math.isfinite(stop_at) else None}
        can_branch = snapshot is not None and not self.is_compared and self.fits(snapshot)
        branch = {"branch": True} if can_branch else {}
        return {"count": len(self.snapshots.kept), "at": at, "step": steps, **now, **good, **branch}

    # What a wall of many boards shows.

    @torch.no_grad()
    def glance(self, *, has_picture: bool) -> Glance:
        """The numbers and perhaps a small picture of the current step, whatever is shown.

        It draws no random number and changes nothing.
        """
        _, losses = self.losses_over_time()
        accuracies = (self._last_of(name) for name in ("test_accuracy", "accuracy"))
        is_drawn = has_picture and self.outcome != "failed"
        return Glance(
            miniature=self.miniature() if is_drawn else Miniature(), step=self.steps,
            loss=float(losses[-1]) if len(losses) else math.nan, rate=float(getattr(self.config, "lr", math.nan)),
            accuracy=next((value for value in accuracies if math.isfinite(value)), math.nan), units=self.size(),
            parameters=self.parameter_count, curve=curve_bytes(thinned(losses, CURVE_POINTS)),
            challenge=self.challenge_state(),
        )  # fmt: skip

    def miniature(self) -> Miniature:
        """The picture of a glance; none, where the lesson draws none."""
        return Miniature()

    def challenge_state(self) -> Challenge:
        """Whether the run has a teacher's challenge, and has met it."""
        return ""

    def size(self) -> int:
        """How many hidden units the model has, or what else a lesson compares models by; 0 for nothing."""
        return 0

    def losses_over_time(self) -> tuple[Any, Any]:
        """The steps (rows,) at which the training loss was recorded, and the losses (rows,)."""
        losses = self.history.column("train")
        known = ~np.isnan(losses) if self.outcome != "failed" else np.ones(len(losses), bool)
        return self.history.steps()[known], losses[known]

    def _last_of(self, column: str) -> float:
        values = self.history.column(column) if column in self.history.columns else np.empty(0)
        values = values[np.isfinite(values)]
        return float(values[-1]) if len(values) else math.nan

    # What a checkpoint asks.

    def state_dict(self) -> dict[str, Any]:
        """Everything that this run needs to continue, copied. Raises StateError for a run that has diverged."""
        parts = {
            "weights": state.weights_of(self.model),
            "optimizer": self.optimizer_state(),
            "batches": self.trainer.batches.state_dict(),
            "progress": self.progress.state_dict(),
            "history": state.history_state(self.history),
            "snapshots": state.snapshots_state(self.snapshots, self.config_state),
            "own": self.own_state(),
        }
        if self.outcome == "failed" or not state.all_finite([parts["weights"], parts["optimizer"]]):
            raise StateError(messages.DIVERGED)
        changed = self.period.losses or self.period.is_changed
        return parts | ({PERIOD: self.period.state_dict()} if changed else {})

    def load_state_dict(self, parts: Any) -> None:
        """Take over what `state_dict` gave, in a new run of the same config.

        Raises StateError if something does not fit; this run is unusable then.
        """
        is_known = isinstance(parts, dict) and PERIOD in parts
        check.entries(parts, (*STATE_PARTS, PERIOD) if is_known else STATE_PARTS, "state")
        self.load_own_state(parts["own"])
        self.progress.load_state_dict(parts["progress"])
        state.load_weights(self.model, state.checked_weights(self.model, parts["weights"]))
        self.load_optimizer_state(parts["optimizer"])
        state.load_batches(self.trainer.batches, parts["batches"])
        state.load_history(self.history, parts["history"], self.steps)
        self.snapshots = state.loaded_snapshots(
            parts["snapshots"], capacity=self.snapshots.capacity, last_step=self.steps, config_of=self.config_of,
            count_parameters=lambda config: sum(each.numel() for each in self.snapshot_model(config).parameters()),
        )  # fmt: skip
        self._begin_journal("restored")
        if is_known:
            self.period = Period.from_state(parts[PERIOD], self.steps, self.history.columns)
        else:
            self.find_period()

    # What a checkpoint leaves out, and a run that comes back on the same server needs in addition.

    def past(self) -> Past:
        """The journal, and what else the run remembers of its earlier steps."""
        journal = self.journal
        return Past(
            journal.start, tuple(journal.changes), journal.saved, self.period, self._before_change, self.weights_set,
            self.averaged, self.snapshots.capacity,
        )  # fmt: skip

    def recall(self, past: Past) -> None:
        """Take over what `past` gave at this step, after `load_state_dict`."""
        self.journal = Journal(past.start, past.saved)
        self.journal.changes = list(past.changes)
        self.period, self._before_change, self.weights_set = past.period, past.before_change, past.weights_set
        self.averaged, self.snapshots.capacity = past.averaged, past.capacity

    def script_weights(self) -> dict[str, Tensor]:
        """A copy of the weights that the exported script's model can load. Raises StateError for a diverged run."""
        values = [value.to("cpu", copy=True) for value in self.model.state_dict().values()]
        if self.outcome == "failed" or not state.all_finite(values):
            raise StateError(messages.DIVERGED)
        return dict(zip(self.script_names(), values, strict=True))

    def assigned(self, weights: Mapping[str, Tensor]) -> Assignment:
        """The tensors of a weights file under this model's names. Raises StateError if they do not fit."""
        return assign(weights, self.model.state_dict(), self.script_names())

    def use_weights(self, weights: Any) -> None:
        """Put these weights into the running model; optimizer, batches and history stay as they are."""
        if self.outcome == "failed":
            raise StateError(messages.DIVERGED_BEFORE_LOADING)
        found = self.assigned(weights).weights
        with self.changing("weights"):
            state.load_weights(self.model, found)
            self.weights_set += 1
            self.mark(messages.WEIGHTS_MARK)
        self._begin_journal("loaded")


@torch.no_grad()
def load_parameters(model: nn.Module, vector: Tensor) -> None:
    """Copy the parameters of a snapshot, in one vector, into a model; each keeps its layout in memory."""
    start = 0
    for parameter in model.parameters():
        parameter.copy_(vector[start : start + parameter.numel()].view(parameter.shape))
        start += parameter.numel()


def _four_digits(value: float) -> float:
    """A number as the status shows it."""
    if isinstance(value, int):
        return value
    return float(f"{value:.4g}")
