"""The race as the engine runs it: steps of all racers together, their history, and their charts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from playground.engine.frames import Figure
from playground.figures.theme import StickyRange, padded, round_up
from playground.glance import Miniature, race
from playground.lessons.narrator import first_finding
from playground.lessons.optimizers import charts, narrator, words
from playground.lessons.optimizers.config import (
    LEARNING_RATES,
    PENS,
    SETTING_KNOBS,
    STANDARD,
    OptimizersConfig,
    build_race,
    draw_data,
    entries,
    list_turns,
    settings_of,
)
from playground.lessons.optimizers.figures import race as figures
from playground.lessons.optimizers.inside import (
    Inside,
    StepInputs,
    look_inside,
    next_step_chart,
    rule_chart,
    state_chart,
    step_inputs,
)
from playground.lessons.optimizers.narrator import RaceSituation
from playground.lessons.optimizers.race import Placing, Racer, order_checksum
from playground.lessons.optimizers.surface import MAX_SECONDS, Surface
from playground.runs import state_checks as check
from playground.runs.training_run import TrainingRun, View
from playground.settings import Settings
from playground.training.models import ACTIVATIONS
from playground.training.optimizers import SCHEDULES
from playground.training.trainer import Trainer

Array = NDArray[Any]
GRID_POINTS = 120
MAX_SHOWN_POINTS = 125  # of the data
FLAT = 1e-6  # between the highest and the lowest prediction of a model without a unit that is alive: rounding
VECTORS = "vectors"  # the viewer's option that shows the vectors of a step
ON_SURFACE = "on_surface"  # the viewer's option while the surface is the largest picture
COLUMNS = ("loss", "smooth", "second", "ratio", "rate")  # in the history, one for each racer
SHARED_KNOBS = ("lr", "schedule", "batch_size")  # they act on every racer
DISPLAY_KNOBS = ("over", "inside", "parameter", "surface", "surface_lr")  # they change only the charts


@dataclass(frozen=True)
class Predictions:
    """Each racer's loss on all points, and its curve on the grid."""

    losses: list[float]
    curves: list[Any]  # (grid,)


class RaceRun(TrainingRun):
    """One student's race."""

    inert_knobs = TrainingRun.inert_knobs | set(DISPLAY_KNOBS)
    frame_rate = 23.0  # while it plays: a frame of nine charts costs about as much as a step of all racers

    def __init__(self, config: OptimizersConfig, settings: Settings) -> None:
        data = draw_data(config)
        self.race = build_race(config, data)
        self.problem = entries(config)[1]
        self.order = order_checksum(self.race.batches)
        self.schedule = SCHEDULES[config.schedule]
        self.unmarked = {OptimizersConfig.knobs()[name].label for name in DISPLAY_KNOBS}
        self.step_inputs: dict[int, list[StepInputs]] = {}  # of the snapshots' steps
        self.ranges = {name: StickyRange() for name in ("memory", "reach")}
        self._lay_out(data)
        predictions = self.predict(self.race.model, config)
        for racer, loss in zip(self.race.racers, predictions.losses, strict=True):
            racer.loss = racer.smooth = loss
        self.peak = max(predictions.losses)
        self.start_peak, self.lowest = self.peak, min(predictions.losses)
        columns = ["epoch", *(f"{what} {racer.entry.name}" for racer in self.race.racers for what in COLUMNS)]
        super().__init__(config, data, self.race.model, cast(Trainer, self.race), columns, settings)
        self._set_rates()
        self.surface = self._new_surface()
        self.restless = False  # whether paths on the surface are behind, and so go on while the race rests

    def _new_surface(self) -> Surface:
        config, entered = self.config, [racer.entry for racer in self.race.racers]
        return Surface(config.surface, entered, rate=config.surface_lr, shared=config.lr, factor=self.factor)

    def _lay_out(self, data: Any) -> None:
        """Compute once what stays the same from frame to frame."""
        x, y = data.x_train[:, 0].numpy(), data.y_train[:, 0].numpy()
        self.spans = padded(float(x.min()), float(x.max()), 0.05), padded(float(y.min()), float(y.max()), 0.15)
        grid = torch.linspace(self.spans[0][0], self.spans[0][1], GRID_POINTS).unsqueeze(dim=1)  # (grid, 1)
        self.inputs, self.targets, self.grid_x = torch.cat([grid, data.x_train]), data.y_train, grid[:, 0].numpy()
        every = -(-len(x) // MAX_SHOWN_POINTS)
        self.points = figures.points(x[::every].copy(), y[::every].copy())

    # Training.

    def step(self) -> None:
        """One update of every racer, at the learning rates of the schedule."""
        if self.config.schedule != "constant":
            self._set_rates()
        running = len(self.race.running)
        super().step()
        if len(self.race.running) < running:
            for racer in self.race.racers:
                if racer.left_at == self.race.steps:
                    self.mark(words.DROPPED_OUT_MARK.format(name=racer.entry.label, why=words.WHY[racer.why]))

    def factor(self, step: int) -> float:
        """The schedule's factor for the learning rates at a step; after its end the schedule starts again."""
        return self.schedule.factor(step % self.config.plan, self.config.plan)

    def _set_rates(self) -> None:
        self.race.set_rates(self.factor(self.steps))

    def measure(self) -> dict[str, float]:
        """Each running racer's losses, seconds and learning rate, and the epochs so far as a fraction."""
        batches = self.race.batches
        row = {"epoch": batches.epochs + 1 - batches.left_in_epoch / batches.steps_per_epoch}
        for racer in self.race.running:
            name = racer.entry.name
            row |= {f"loss {name}": racer.loss, f"smooth {name}": racer.smooth, f"second {name}": racer.seconds}
            row[f"rate {name}"] = racer.group["lr"]
            self.peak = min(max(self.peak, racer.smooth), 3 * self.start_peak)
            self.lowest = min(self.lowest, racer.smooth)
        return row

    def trace(self, before: list[Tensor]) -> dict[str, float]:
        """The length of each racer's update as a share of the length of its weights."""
        olds, row = iter(before), {}
        for racer in self.race.racers:
            moved = weight = 0.0
            for parameter in racer.parameters:
                new, old = parameter.detach().numpy().ravel(), next(olds).numpy().ravel()
                moved, weight = moved + float(np.vdot(new - old, new - old)), weight + float(np.vdot(old, old))
            if racer.left_at < 0:
                row[f"ratio {racer.entry.name}"] = math.sqrt(moved / weight) if weight else math.nan
        return row

    def take_snapshot(self) -> None:
        """Keep a snapshot and the inputs of the racers' next steps."""
        super().take_snapshot()
        kept = {snapshot.steps for snapshot in self.snapshots.kept}
        self.step_inputs = {step: each for step, each in self.step_inputs.items() if step in kept}
        if self.steps in kept:
            batch, factor = self.race.shared.peek(), self.factor(self.steps)
            self.step_inputs[self.steps] = [step_inputs(r, batch, factor, copied=True) for r in self.race.racers]

    def retune(self, before: OptimizersConfig, after: OptimizersConfig, names: set[str]) -> None:
        """Give the racers the changed knobs; their optimizers keep their state."""
        del before
        self.schedule = SCHEDULES[after.schedule]
        for racer, entry in zip(self.race.racers, entries(after)[0], strict=True):
            racer.retune(entry)
        if "batch_size" in names:
            self.race.batches.resize(after.batch_size)
        self._set_rates()
        if names - {"over", "inside", "parameter", "batch_size"}:
            self.surface = self._new_surface()

    def mark(self, text: str) -> None:
        """Mark what was changed on the loss chart, except for changes of the charts alone."""
        if text.partition(":")[0] not in self.unmarked:
            super().mark(text)

    def acting_knobs(self, before: OptimizersConfig, after: OptimizersConfig) -> set[str]:
        """The live knobs that act on the race: a setting of optimizers that do not race does not."""
        found = super().acting_knobs(before, after)
        used = {name for racer in after.racers.split(",") for name in settings_of(racer)}
        return found - (set(SETTING_KNOBS) - used)

    def rebuilt(self, config: OptimizersConfig) -> Self:
        """A new race at step 0."""
        return type(self)(config, self.settings)

    # Drawing.

    def view(self, options: Mapping[str, bool] | None = None) -> View:
        """The training as it is shown. All that is said of the surface in one frame is about the same step."""
        if (options or {}).get(ON_SURFACE) or self.restless:
            self.restless = self.surface.walk(self.steps, MAX_SECONDS)
        return super().view(options)

    def miniature(self) -> Miniature:
        """The loss of each racer."""
        column = self.history.column
        losses = [column(f"smooth {racer.entry.name}") for racer in self.race.racers]
        return race([each[np.isfinite(each)] for each in losses])

    def line_names(self) -> tuple[str, ...]:
        """The racers' names, in the order of the lines of the picture."""
        return tuple(racer.entry.label for racer in self.race.racers)

    def losses_over_time(self) -> tuple[Array, Array]:
        """The steps, and the loss of the racer that leads."""
        leader = min(self.race.running or self.race.racers, key=lambda racer: racer.smooth)
        losses = self.history.column(f"smooth {leader.entry.name}")
        known = np.isfinite(losses)
        return self.history.steps()[known], losses[known]

    @torch.no_grad()
    def predict(self, model: nn.Sequential, config: OptimizersConfig) -> Predictions:
        """Every racer's loss on all points, and its curve on the grid."""
        del config
        outputs = torch.stack([racer(self.inputs) for racer in model])  # (racers, grid + points, 1)
        # The mean squared error of all racers at once: asking the loss function for each takes twice as long.
        squares = (outputs[:, GRID_POINTS:] - self.targets).square()
        return Predictions(squares.mean(dim=(1, 2)).tolist(), list(outputs[:, :GRID_POINTS, 0].numpy()))

    def placings(self, view: View) -> list[Placing]:
        """The racers in their own order, with their losses and places at the step shown."""
        return self.race.placings(view.predictions.losses, view.steps)

    def status(self, view: View) -> dict[str, float]:
        """The leader's loss, the number of running racers, and from how many different weights all started."""
        if view.options.get(ON_SURFACE):
            now = self._heights(view)[:, -1]
            return {"height": float(np.nanmin(now, initial=math.inf)), "racers": int((~np.isnan(now)).sum())}
        running = [loss for _, loss, place in self.placings(view) if place]
        return {"loss": min(running, default=math.nan), "racers": len(running), "starts": self.race.starts}

    def narrate(self, view: View) -> str:
        """Who leads or has dropped out; at step 0, what is wrong with the own entries."""
        if self.problem and view.steps == 0:
            return self.problem
        if view.options.get(ON_SURFACE) and view.is_current:
            return narrator.on_surface([racer.entry.label for racer in self.race.racers], self._heights(view))
        return first_finding(narrator.RULES, self.situation(view)).text

    def _heights(self, view: View) -> Array:
        return self.surface.heights(view.steps)

    def situation(self, view: View) -> RaceSituation:
        """What the narrator's rules read."""
        since = self.period.start
        has_settled = self.period.is_changed and self.steps >= since + narrator.MIN_STEPS
        running = {racer.entry.label: racer for racer in self.race.running}
        return RaceSituation(
            step=view.steps, is_current=view.is_current, is_done=self.outcome == "done",
            placings=self.placings(view), since=self.period.since, has_stepped=self.steps > since,
            rows={name: self._around(racer, since) for name, racer in running.items()
                  if has_settled and self._is_concerned(racer)},
            smoothed={name: racer.smooth for name, racer in running.items()},
            can_lower_rate=self.config.lr > LEARNING_RATES[0], dead=self._dead(view),
        )  # fmt: skip

    def _dead(self, view: View) -> tuple[str, ...]:
        """The labels of running racers whose hidden units are all dead; only a flat curve is looked into."""
        if not view.steps or not ACTIVATIONS[self.config.activation].can_die:
            return ()
        flat = [at for at, curve in enumerate(view.predictions.curves) if np.ptp(curve) <= FLAT]
        points = self.inputs[GRID_POINTS:]

        def hidden(model: nn.Module) -> Tensor:
            first, activation, _ = model.children()
            outputs: Tensor = activation(first(points))  # (points, units)
            return outputs

        return tuple(
            self.race.racers[at].entry.label for at in flat
            if not self.race.racers[at].left and not hidden(view.model[at]).any()
        )  # fmt: skip

    def _is_concerned(self, racer: Racer) -> bool:
        """Whether the last change acts on a racer; True where it is not known what was changed."""
        if self.period.origin is None:
            return True
        own = settings_of(racer.entry.name) if racer.entry.name in STANDARD else ()
        return bool(self.config.changed_from(self.period.origin[0]).keys() & {*own, *SHARED_KNOBS})

    def _around(self, racer: Racer, step: int) -> tuple[float, float]:
        """A racer's highest smoothed loss shortly before a step, and its lowest of late; 0 while it is too early."""
        at = int(np.searchsorted(self.history.steps(), step, side="right"))
        losses = self.history.column(f"smooth {racer.entry.name}")
        before, after = (max(narrator.MIN_ROWS, steps // self.history.stride)
                         for steps in (narrator.STEPS_BEFORE, narrator.STEPS_AFTER))  # fmt: skip
        late = losses[at:][-after:]
        return float(losses[max(0, at - before) : at].max()), float(late.min()) if len(late) == after else 0.0

    def figures(self, view: View, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The charts by name."""
        if options.get(ON_SURFACE):
            return self._training_figures(view, options) | self._surface_figures(view)
        return self._training_figures(view, options)

    def _surface_figures(self, view: View) -> dict[str, Callable[[], Figure]]:
        """Those that show the racers on the surface while that is the largest picture."""
        heights = cache(lambda: self._heights(view))
        return {
            "ranking": lambda: charts.heights(
                self.race.racers, heights(), peak=float(self.surface.heights(0)[0, 0]), turns=list_turns(self.config)
            ),
            "leader": lambda: charts.lowest(heights(), last_step=self.last_step),
        }

    def _training_figures(self, view: View, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        inside, parameter, ranges = cache(lambda: self._look_inside(view)), self.config.parameter, self.ranges
        return {
            "loss": lambda: self._loss(view, log=options.get("log", True), raw=options.get("raw", False)),
            "ranking": lambda: self._ranking(view),
            "leader": lambda: charts.leaders(
                self.history, self.race.racers, last_step=self.last_step, peak=self.start_peak, marks=self.marks
            ),
            "fits": lambda: charts.fits(
                self.placings(view), view.predictions.curves, x=self.grid_x, data=self.points, spans=self.spans
            ),
            "surface": lambda: self._paths(view, with_vectors=options.get(VECTORS, False)),
            "rates": lambda: charts.rates(
                self.history, self.race.racers, shared=self.config.lr, factor=self.factor, step=self.steps,
                last_step=self.last_step, cursor=view.steps,
            ),
            "ratios": lambda: charts.ratios(
                self.history, self.race.racers, last_step=self.last_step, cursor=None if view.is_current else view.steps
            ),
            "memory": lambda: state_chart(inside(), parameter, ranges["memory"]),
            "reach": lambda: next_step_chart(inside(), parameter, ranges["reach"]),
            "rule": lambda: rule_chart(inside(), parameter),
        }  # fmt: skip

    @property
    def last_step(self) -> float:
        """The last step on the axes: that of the stop rule, or a round number beyond the current one."""
        stop_at = self.progress.stop_at
        return max(float(self.steps), stop_at) if math.isfinite(stop_at) else round_up(max(self.steps, 10))

    def _loss(self, view: View, *, log: bool, raw: bool) -> Figure:
        return charts.loss(
            self.history, self.race.racers, over=self.config.over, last_step=self.last_step,
            steps_per_epoch=self.race.batches.steps_per_epoch, peak=self.peak, marks=self.marks,
            cursor=None if view.is_current else view.steps, log=log, raw=raw,
        )  # fmt: skip

    def _ranking(self, view: View) -> Figure:
        badge, fair = narrator.badge(self.race, self.order)
        return charts.ranking(
            self.placings(view), ranked=view.steps > 0, span=(self.lowest, self.peak), badge=badge, fair=fair,
            turns=list_turns(self.config),
        )  # fmt: skip

    def _paths(self, view: View, *, with_vectors: bool) -> Figure:
        if not view.options.get(ON_SURFACE):
            self.restless = self.surface.walk(self.steps, MAX_SECONDS)
        pens = [PENS[racer.entry.name] for racer in self.race.racers]
        return self.surface.figure(view.steps, pens, self._inside() if with_vectors else None)

    def _inside(self) -> int:
        """The index of the racer that is looked into."""
        names = [racer.entry.name for racer in self.race.racers]
        return names.index(self.config.inside) if self.config.inside in names else 0

    def _look_inside(self, view: View) -> Inside | None:
        at = self._inside()
        racer, model = self.race.racers[at], cast(nn.Sequential, view.model[at])
        if view.is_current:
            inputs = step_inputs(racer, self.race.shared.peek(), self.factor(self.steps), copied=False)
        elif view.steps in self.step_inputs:
            inputs = self.step_inputs[view.steps][at]
        else:
            return None
        return look_inside(racer, model, inputs, view.steps)

    # Saving.

    def optimizer_state(self) -> Any:
        """The state of each racer's optimizer."""
        return self.race.optimizer_states()

    def load_optimizer_state(self, kept: Any) -> None:
        """Take over what `optimizer_state` gave. Raises StateError."""
        self.race.load_optimizer_states(kept)

    def own_state(self) -> dict[str, Any]:
        """The racers' losses and times, who has dropped out, and the range of the loss axes."""
        return {"racers": self.race.state_dict(), "peak": self.peak, "lowest": self.lowest, "steps": self.race.steps}

    def load_own_state(self, state: Any) -> None:
        """Take over what `own_state` gave. Raises StateError."""
        found = check.entries(state, ("racers", "peak", "lowest", "steps"), "own")
        self.race.load_state_dict(found["racers"])
        self.peak, self.lowest = check.number(found["peak"], "peak"), check.number(found["lowest"], "lowest")
        self.race.steps = check.whole(found["steps"], "steps")
        self.step_inputs.clear()


def build(config: OptimizersConfig, settings: Settings | None = None) -> RaceRun:
    """A race at step 0."""
    return RaceRun(config, settings or Settings())
