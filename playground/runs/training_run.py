"""A training as the engine runs it: steps with a stop rule, a history, snapshots to scrub through, and live tuning."""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import torch
from torch import Tensor, nn

from playground.engine import messages
from playground.engine.commands import Command, CommandError, LookBack
from playground.engine.frames import Figure
from playground.engine.run import Drawing, Outcome
from playground.knobs import Config
from playground.runs.history import History, Snapshot, Snapshots
from playground.runs.journal import Change, Journal, Journaled
from playground.settings import Settings
from playground.training.models import count_parameters
from playground.training.trainer import Trainer

MIN_AUTO_SPEED = 30.0  # steps a second
MAX_MARKS = 24  # on the loss chart
MAX_SNAPSHOTS = 128
AUTO_SECONDS = 10.0  # a run with a stop rule is paced to take about this long


@dataclass(frozen=True)
class View:
    """A training at the moment that is shown: now, or a snapshot that the time slider points at."""

    steps: int
    epochs: int
    model: nn.Sequential
    config: Any
    is_current: bool
    predict: Callable[[nn.Sequential, Any], Any]

    @cached_property
    def predictions(self) -> Any:
        """What the lesson needs of the model's outputs, computed once for all charts of a frame."""
        return self.predict(self.model, self.config)


class TrainingRun(Journaled):
    """One student's training of one model. A lesson says how to measure, draw and tune it.

    The same config, seed and number of threads give the same weights bit for bit on the CPU, whatever the slices and
    whoever watches.
    """

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
        self.steps = 0
        self.history = History(columns)
        room = settings.max_run_mb * 1_000_000 // (4 * self.parameter_count)
        self.snapshots = Snapshots(min(MAX_SNAPSHOTS, room))
        self.marks: list[tuple[int, str]] = []
        self.outcome: Outcome = ""
        self.stop_at: float = config.max_steps or math.inf
        self.stop_below: float = config.target_loss or -math.inf
        self._viewed: int | None = None
        self.journal = Journal(Change(0, config, self.edits))
        self.record({})
        self.take_snapshot()

    def replace_model(self, model: nn.Sequential) -> None:
        """Train this model from now on. Raises ValueError with a sentence where it is too large."""
        parameters, most = count_parameters(model), self.settings.max_parameters
        if parameters > most:
            raise ValueError(
                f"This model has {parameters:,} parameters; at most {most:,} fit here. "
                "Choose fewer or narrower layers, then press Reset."
            )
        self.model = self.trainer.model = model
        self.parameter_count = parameters
        self.parameters = list(model.parameters())  # found once: finding them takes longer than copying them
        self._snapshot_model = deepcopy(model)

    # What a lesson says.

    @abstractmethod
    def measure(self) -> dict[str, float]:
        """The history row of the present step: losses on the whole data, and what else the lesson follows."""

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
        """One plain sentence on what is to be seen."""

    @abstractmethod
    def retune(self, before: Any, after: Any, names: set[str]) -> None:
        """Give the running trainer the knobs that were turned."""

    @abstractmethod
    def rebuilt(self, config: Any) -> Self:
        """A run from the start, keeping what the student added by hand."""

    def edit(self, command: Command) -> None:
        """Obey a command that only some lessons know. Raises ValueError with a sentence."""
        raise CommandError(messages.UNKNOWN_COMMAND)

    # What the engine asks.

    @property
    def auto_speed(self) -> float:
        """Paced so that a run with a step limit can be watched; full speed (0) without one."""
        return max(MIN_AUTO_SPEED, self.config.max_steps / AUTO_SECONDS) if self.config.max_steps else 0.0

    def steps_in_epochs(self, epochs: int) -> int:
        """The steps that finish the present epoch and the ones after it."""
        return self.trainer.batches.left_in_epoch + (epochs - 1) * self.trainer.batches.steps_per_epoch

    def advance(self, seconds: float, steps: int) -> int:
        """Take steps until the time is up, the number is reached, the stop rule applies or the loss is no number."""
        end = time.perf_counter() + seconds
        taken = 0
        while taken < steps and not self.outcome:
            taken += 1
            self.step()
            if time.perf_counter() >= end:
                break
        return taken

    def step(self) -> None:
        """One optimizer update, and what is remembered of it."""
        due = self.history.is_due(self.steps + 1)
        before = [parameter.detach().clone() for parameter in self.parameters] if due else None
        loss = self.trainer.step().item()
        self.steps += 1
        if before is not None:
            self.record(self.trace(before))
        if self.snapshots.is_due(self.steps):
            self.take_snapshot()
        self.follow()
        if not math.isfinite(loss):
            self.outcome = "failed"
        elif self.steps >= self.stop_at or (loss <= self.stop_below and self._has_reached_target()):
            self.outcome = "done"

    def _has_reached_target(self) -> bool:
        """Whether the loss on all training points is as low as the stop rule asks; a lucky batch is not enough."""
        with torch.no_grad():
            return self.trainer.batches.whole or self.measure()["train"] <= self.stop_below

    def trace(self, before: list[Tensor]) -> dict[str, float]:
        """More columns for the history, from the gradients just used and the parameters before the update."""
        return {}

    def record(self, traced: dict[str, float]) -> None:
        """Add the present step to the history."""
        with torch.no_grad():
            self.history.append(self.steps, traced | self.measure())

    @torch.no_grad()
    def take_snapshot(self) -> None:
        """Keep a snapshot of the present step."""
        vector = torch.cat([parameter.reshape(-1).cpu() for parameter in self.parameters])
        self.snapshots.append(Snapshot(self.steps, self.trainer.batches.epochs, vector, self.config))

    def tune(self, config: Config) -> None:
        """Turn live knobs without a reset; each turn leaves a mark on the loss chart."""
        before, specs = self.config, config.knobs()
        turned = config.changed_from(before)
        self.config = config
        for name, (old, new) in turned.items():
            self.mark(f"{specs[name].label}: {specs[name].name_of(old)} → {specs[name].name_of(new)}")
        if "max_steps" in turned:
            self.stop_at = config.max_steps or math.inf  # type: ignore[attr-defined]
        if "target_loss" in turned:
            self.stop_below = config.target_loss or -math.inf  # type: ignore[attr-defined]
        if self.outcome == "done" and self.steps < self.stop_at:
            self.outcome = ""
        self.retune(before, config, set(turned))
        self.record_change()

    def mark(self, text: str) -> None:
        """Remember what was changed at this step; a slider being dragged leaves one mark, not one for each value."""
        label = text.partition(":")[0]
        if self.marks and self.marks[-1][0] == self.steps and self.marks[-1][1].partition(":")[0] == label:
            self.marks.pop()
        self.marks = [*self.marks[-MAX_MARKS + 1 :], (self.steps, text)]

    def resume(self) -> None:
        """Train on for as many steps as the stop rule first gave; a target loss that was reached no longer stops it."""
        if self.outcome == "done":
            if self.steps >= self.stop_at:
                self.stop_at = self.steps + self.config.max_steps
            else:
                self.stop_below = -math.inf
            self.outcome = ""

    def apply(self, command: Command) -> None:
        """Look back at a snapshot, or obey a command of the lesson's own. Raises ValueError with a sentence."""
        if not isinstance(command, LookBack):
            self.edit(command)
            return
        index, count = command.index, len(self.snapshots.kept)
        if command.step is not None:
            earlier = [at for at, kept in enumerate(self.snapshots.kept) if kept.steps <= command.step]
            index = earlier[-1] if earlier else None
        if index is not None and not 0 <= index < count:
            raise CommandError(messages.OUT_OF_TIME.format(most=count - 1))
        self._viewed = index

    @property
    def shown_snapshot(self) -> Snapshot | None:
        """The earlier moment that is shown; None for the present."""
        if self._viewed is None or self._viewed >= len(self.snapshots.kept):
            return None
        return self.snapshots.kept[self._viewed]

    def view(self) -> View:
        """The moment that is shown."""
        snapshot = self.shown_snapshot
        if snapshot is None:
            epochs = self.trainer.batches.epochs
            return View(self.steps, epochs, self.model, self.config, True, self.predict)
        model = self.snapshot_model(snapshot.config)
        load_parameters(model, snapshot.parameters)
        return View(snapshot.steps, snapshot.epochs, model, snapshot.config, False, self.predict)

    def snapshot_model(self, config: Any) -> nn.Sequential:
        """A model of a config's shape and activation, to show a snapshot with; its weights are set afterwards."""
        del config
        return self._snapshot_model

    @torch.no_grad()
    def draw(self, charts: list[str], options: Mapping[str, bool]) -> Drawing:
        """The charts asked for, the status and the narrator's line, for the moment that is shown."""
        view = self.view()
        figures = self.figures(view, options)
        status = {"step": view.steps, "epoch": view.epochs, **self.status(view)}
        return Drawing(
            {name: figures[name]() for name in charts if name in figures},
            {name: _plain(value) for name, value in status.items()},
            self.replayed(view.steps) or self.narrate(view),
            self.time(),
        )

    def time(self) -> dict[str, Any]:
        """The time slider: {"count": snapshots kept, "at": index of the one shown or None, "step": its step}."""
        moment = self.shown_snapshot
        steps = self.steps if moment is None else moment.steps
        return {"count": len(self.snapshots.kept), "at": None if moment is None else self._viewed, "step": steps}


@torch.no_grad()
def load_parameters(model: nn.Module, vector: Tensor) -> None:
    """Give a model the parameters of a snapshot, in their order; each keeps its layout in memory."""
    start = 0
    for parameter in model.parameters():
        parameter.copy_(vector[start : start + parameter.numel()].view(parameter.shape))
        start += parameter.numel()


def _plain(value: float) -> float:
    """A number as the status shows it, with four digits."""
    if isinstance(value, int):
        return value
    return float(f"{value:.4g}")
