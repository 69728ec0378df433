"""The race as the engine runs it: steps of all racers together, what is remembered of them, and how they are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from playground.engine.frames import Figure
from playground.figures.theme import Reach, padded, round_up
from playground.lessons.optimizers import charts
from playground.lessons.optimizers import inside as insides
from playground.lessons.optimizers import narrator as words
from playground.lessons.optimizers import state as states
from playground.lessons.optimizers.config import OptimizersConfig, build_race, draw_data, entries
from playground.lessons.optimizers.figures import race as figures
from playground.lessons.optimizers.race import Racer, order_checksum
from playground.lessons.optimizers.surface import Surface
from playground.runs import state_checks as check
from playground.runs.training_run import TrainingRun, View
from playground.settings import Settings
from playground.training.optimizers import SCHEDULES
from playground.training.trainer import Trainer

GRID_POINTS = 120
MOST_SHOWN = 125  # points of the data that are drawn
COLUMNS = ("loss", "smooth", "second", "ratio", "rate")  # in the history, one for each racer
SHOWING = ("over", "inside", "parameter", "surface", "surface_lr")  # knobs that change nothing but what is drawn


@dataclass(frozen=True)
class Seen:
    """Each racer's loss on all points, and its curve on the grid."""

    losses: list[float]
    curves: list[Any]  # (grid,)


class RaceRun(TrainingRun):
    """One student's race."""

    frame_rate = 23.0  # while it plays: a frame of nine charts costs about as much as a step of all racers

    def __init__(self, config: OptimizersConfig, settings: Settings) -> None:
        data = draw_data(config)
        self.race = build_race(config, data)
        self.problem = entries(config)[1]
        self.order = order_checksum(self.race.batches)
        self.schedule = SCHEDULES[config.schedule]
        self.quiet = {OptimizersConfig.knobs()[name].label for name in SHOWING}
        self.moments: dict[int, list[insides.Moment]] = {}
        self.reaches = {name: Reach() for name in ("memory", "reach")}
        self._lay_out(data)
        seen = self.see(self.race.model, config)
        for racer, loss in zip(self.race.racers, seen.losses, strict=True):
            racer.loss = racer.smooth = loss
        self.peak = max(seen.losses)
        self.start_peak, self.lowest = self.peak, min(seen.losses)
        columns = ["epoch", *(f"{what} {racer.entry.name}" for racer in self.race.racers for what in COLUMNS)]
        super().__init__(config, data, self.race.model, cast(Trainer, self.race), columns, settings)
        self._set_rates()
        self.surface = self._new_surface()

    def _new_surface(self) -> Surface:
        config, entered = self.config, [racer.entry for racer in self.race.racers]
        return Surface(config.surface, entered, rate=config.surface_lr, shared=config.lr, factor=self.factor)

    def _lay_out(self, data: Any) -> None:
        """Work out once what stays the same from frame to frame."""
        x, y = data.x_train[:, 0].numpy(), data.y_train[:, 0].numpy()
        self.spans = padded(float(x.min()), float(x.max()), 0.05), padded(float(y.min()), float(y.max()), 0.15)
        grid = torch.linspace(self.spans[0][0], self.spans[0][1], GRID_POINTS).unsqueeze(dim=1)  # (grid, 1)
        self.inputs, self.targets, self.grid_x = torch.cat([grid, data.x_train]), data.y_train, grid[:, 0].numpy()
        every = -(-len(x) // MOST_SHOWN)
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
                    self.mark(words.LEFT.format(name=racer.entry.label, why=words.WHY[racer.why]))

    def factor(self, step: int) -> float:
        """By what the schedule multiplies the learning rates at a step; a plan that has ended begins again."""
        return self.schedule.factor(step % self.config.plan, self.config.plan)

    def _set_rates(self) -> None:
        self.race.set_rates(self.factor(self.steps))

    def measure(self) -> dict[str, float]:
        """What each racer has come to, and how many epochs, with their fractions, that took."""
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
        """The length of each racer's update as a share of its weights'."""
        olds, row = iter(before), {}
        for racer in self.race.racers:
            moved = weight = 0.0
            for parameter in racer.parameters:
                new, old = parameter.detach().numpy().ravel(), next(olds).numpy().ravel()
                moved, weight = moved + float(np.vdot(new - old, new - old)), weight + float(np.vdot(old, old))
            if racer.left_at < 0:
                row[f"ratio {racer.entry.name}"] = math.sqrt(moved / weight) if weight else math.nan
        return row

    def snap(self) -> None:
        """Keep a snapshot, and what the racers' next steps depend on."""
        super().snap()
        kept = {snapshot.steps for snapshot in self.snapshots.kept}
        self.moments = {step: self.moments[step] for step in self.moments if step in kept}
        if self.steps in kept:
            batch, factor = self.race.dealer.peek(), self.factor(self.steps)
            self.moments[self.steps] = [insides.moment(r, batch, factor, kept=True) for r in self.race.racers]

    def retune(self, before: OptimizersConfig, after: OptimizersConfig, names: set[str]) -> None:
        """Hand the turned knobs to the racers, who keep their memories."""
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
        """Remember what was changed, unless it is only what is shown."""
        if text.partition(":")[0] not in self.quiet:
            super().mark(text)

    def rebuilt(self, config: OptimizersConfig) -> Self:
        """A race from the start."""
        return type(self)(config, self.settings)

    # Drawing.

    @torch.no_grad()
    def see(self, model: nn.Sequential, config: OptimizersConfig) -> Seen:
        """Every racer's loss on all points, and its curve."""
        del config
        outputs = torch.stack([racer(self.inputs) for racer in model])  # (racers, grid + points, 1)
        # The mean squared error of all racers at once: asking the loss function for each takes as long again.
        squares = (outputs[:, GRID_POINTS:] - self.targets).square()
        return Seen(squares.mean(dim=(1, 2)).tolist(), list(outputs[:, :GRID_POINTS, 0].numpy()))

    def runs(self, racer: Racer, loss: float, steps: int) -> bool:
        """Whether a racer was still in the race at a step, when it had that loss."""
        return math.isfinite(loss) and not 0 <= racer.left_at <= steps

    def placed(self, view: View) -> list[tuple[Racer, float, int]]:
        """The racers in their own order, each with its loss and its place from 1; 0 for those who have left."""
        losses: list[float] = view.seen.losses
        pairs = list(zip(self.race.racers, losses, strict=True))
        running = sorted(loss for racer, loss in pairs if self.runs(racer, loss, view.steps))
        return [(r, loss, running.index(loss) + 1 if self.runs(r, loss, view.steps) else 0) for r, loss in pairs]

    def status(self, view: View) -> dict[str, float]:
        """The leader's loss, how many run, and from how many different starts."""
        running = [loss for _, loss, place in self.placed(view) if place]
        return {"loss": min(running, default=math.nan), "racers": len(running), "starts": self.race.starts}

    def narrate(self, view: View) -> str:
        """Who leads, or who has left."""
        placed = sorted((place, loss, racer.entry.label) for racer, loss, place in self.placed(view) if place)
        order = [(label, loss) for _, loss, label in placed]
        done = self.outcome == "done"
        said = words.narrate(self.race, order, step=view.steps, is_now=view.is_now, done=done)
        return self.problem if self.problem and view.steps == 0 else said

    def figures(self, view: View, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The charts by name."""
        inside, chosen = cache(lambda: self._look_inside(view)), self.config.parameter
        return {
            "loss": lambda: charts.loss(self, view, log=options.get("log", True), raw=options.get("raw", False)),
            "ranking": lambda: charts.ranking(self, view),
            "fits": lambda: charts.fits(self, view),
            "surface": lambda: charts.paths(self, view),
            "rates": lambda: charts.rates(self, view),
            "ratios": lambda: charts.ratios(self, view),
            "memory": lambda: insides.draw("memory", inside(), chosen, self.reaches["memory"]),
            "reach": lambda: insides.draw("reach", inside(), chosen, self.reaches["reach"]),
            "rule": lambda: insides.rule(inside(), chosen),
        }

    @property
    def until(self) -> float:
        """The last step that the axes show: that of the stop rule, or a round number further on."""
        return max(float(self.steps), self.stop_at) if math.isfinite(self.stop_at) else round_up(max(self.steps, 10))

    def _look_inside(self, view: View) -> insides.Inside | None:
        names = [racer.entry.name for racer in self.race.racers]
        at = names.index(self.config.inside) if self.config.inside in names else 0
        racer, model = self.race.racers[at], cast(nn.Sequential, view.model[at])
        if view.is_now:
            now = insides.moment(racer, self.race.dealer.peek(), self.factor(self.steps), kept=False)
        elif view.steps in self.moments:
            now = self.moments[view.steps][at]
        else:
            return None
        return insides.look(racer, model, now, view.steps)

    # Saving.

    def optimizer_state(self) -> Any:
        """What each racer's optimizer remembers."""
        return states.take_memories(self.race)

    def load_optimizer_state(self, state: Any) -> None:
        """Take up what `optimizer_state` gave. Raises StateError."""
        states.give_all_memories(self.race, state)

    def own_state(self) -> dict[str, Any]:
        """The racers' losses and times, who has left, and how far the axes reach."""
        return {"racers": states.take(self.race), "peak": self.peak, "lowest": self.lowest, "steps": self.race.steps}

    def load_own_state(self, state: Any) -> None:
        """Take up what `own_state` gave. Raises StateError."""
        found = check.entries(state, ("racers", "peak", "lowest", "steps"), "own")
        states.give(self.race, found["racers"])
        self.peak, self.lowest = check.number(found["peak"], "peak"), check.number(found["lowest"], "lowest")
        self.race.steps = check.whole(found["steps"], "steps")
        self.moments.clear()


def build(config: OptimizersConfig, settings: Settings | None = None) -> RaceRun:
    """A race at step 0."""
    return RaceRun(config, settings or Settings())
