"""A sweep as the engine runs it: all trainings go one step at a time, and losses are kept to be looked back at."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from playground.engine.frames import Figure
from playground.figures.theme import round_up
from playground.lessons.learning_rates.config import (
    LABELS,
    MEASURE_EACH,
    TrainingsConfig,
    draw_points,
    entries_of,
    names_of,
)
from playground.lessons.learning_rates.figures import sweep as figures
from playground.lessons.learning_rates.figures.sweep import Array, Line
from playground.lessons.learning_rates.trainings import Sweep, has_diverged
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings
from playground.training.optimizers import OPTIMIZERS

MOST_TRAININGS = 2250  # nine seeds of all eight optimizers at 31 rates
MOMENTS = 64  # at which losses are kept
PLAY_SECONDS = 8.0
PLACES = {name: place for place, name in enumerate(OPTIMIZERS)}


class SweepRun(SteppedRun):
    """All trainings of a config at once; `rates` are the columns of what is shown."""

    def __init__(self, config: TrainingsConfig, settings: Settings, rates: list[float]) -> None:
        super().__init__(config, settings, config.steps)
        self.names, self.rates = names_of(config), np.array(rates)
        self.trainings = len(self.names) * len(rates) * config.seeds
        if self.trainings > MOST_TRAININGS:
            raise ValueError(
                f"That would be {self.trainings:,} trainings at once; at most {MOST_TRAININGS:,} fit here. "
                "Choose fewer seeds, learning rates or optimizers."
            )
        self.sweep = Sweep(
            entries_of(config), rates, [config.seed + number for number in range(config.seeds)],
            draw_points(config.noise, config.seed), batch_size=config.batch_size, measure_each=MEASURE_EACH,
        )  # fmt: skip
        self.every = max(1, config.steps // MOMENTS)
        self.moments: list[int] = []
        self.kept: list[Array] = []  # of each moment: (optimizers, rates, seeds)
        self.keep()

    @property
    def auto_speed(self) -> float:
        """All steps within about eight seconds."""
        return max(10.0, float(self.config.steps) / PLAY_SECONDS)

    def step(self) -> None:
        """One update of every training, unless it is played again and has been there."""
        if self.sweep.steps > self.steps:
            return
        self.sweep.step()
        if self.sweep.steps % self.every == 0 or self.sweep.steps == self.config.steps:
            self.keep()

    def keep(self) -> None:
        """Remember the losses of this moment."""
        self.moments.append(self.sweep.steps)
        self.kept.append(self.sweep.losses())

    def losses(self, at: int) -> Array:
        """Each training's loss as last measured by step `at`: (optimizers, rates, seeds)."""
        return self.kept[bisect_right(self.moments, at) - 1]

    def means(self, at: int) -> tuple[Array, Array, Array]:
        """Mean, lowest and highest loss over the seeds, (optimizers, rates) each; NaN where any has diverged."""
        losses = self.losses(at).astype(np.float64)
        lost = has_diverged(losses).any(axis=2)
        return tuple(np.where(lost, np.nan, each) for each in (losses.mean(2), losses.min(2), losses.max(2)))  # type: ignore[return-value]

    @property
    def span(self) -> tuple[float, float]:
        """The losses that charts show: from just below the noise's own to those of a poor start."""
        return max(0.5 * self.config.noise**2, 1e-5), max(1.0, round_up(8 * self.config.noise**2))

    def best(self, at: int) -> Array:
        """The column of each optimizer's lowest mean loss, -1 where all have diverged: (optimizers,)."""
        mean = self.means(at)[0]
        return np.where(np.isnan(mean).all(axis=1), -1, np.where(np.isnan(mean), np.inf, mean).argmin(axis=1))

    def words(self, at: int) -> list[str]:
        """Each cell in words, row by row."""
        losses = self.losses(at)
        lost = has_diverged(losses).sum(axis=2)
        mean, low, high = self.means(at)
        return [
            f"{LABELS[name]} at {rate:g}: {lost[row, column]} of {losses.shape[2]} diverged"
            if lost[row, column]
            else f"{LABELS[name]} at {rate:g}: loss {mean[row, column]:.4f}"
            f" ({low[row, column]:.4f} to {high[row, column]:.4f})"
            for row, name in enumerate(self.names)
            for column, rate in enumerate(self.rates)
        ]

    def lines(self, at: int) -> list[Line]:
        """The mean loss of each optimizer over the learning rate, with its spread."""
        means = self.means(at)
        return [Line(LABELS[name], PLACES[name], *(each[row] for each in means)) for row, name in enumerate(self.names)]

    def at_rate(self, at: int, columns: Array) -> list[Line]:
        """Each optimizer's loss and spread in a column of its own: one value for each line."""
        return [
            Line(line.name, line.place, *(each[[column]] for each in (line.y, line.low, line.high) if each is not None))
            for line, column in zip(self.lines(at), columns, strict=True)
        ]

    def tuned(self, at: int) -> Figure:
        """Every optimizer at its own best rate."""
        best = self.best(at)
        said = [f"at {self.rates[column]:.2g}" if column >= 0 else "everywhere" for column in best]
        return figures.ranking(self.at_rate(at, best), at=said, span=self.span, title="Loss at its best rate")

    def course(self, at: int) -> Figure:
        """The mean loss of every optimizer at the rate that is its best at step `at`, over the steps until then."""
        best, seen = self.best(at), bisect_right(self.moments, at)
        means = [np.take_along_axis(kept.mean(2), np.maximum(best, 0)[:, None], 1)[:, 0] for kept in self.kept[:seen]]
        courses = np.where(best >= 0, np.array(means), np.nan)  # (moments, optimizers)
        lines = [Line(LABELS[name], PLACES[name], courses[:, row]) for row, name in enumerate(self.names)]
        return figures.over_steps(
            np.array(self.moments[:seen]), lines, until=self.config.steps, cursor=at, span=self.span, title="Loss"
        )

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The heat map, and each optimizer at its best rate: its loss now, and on the way."""
        return {
            "map": lambda: self._map(at, spread=options.get("spread", False)),
            "best": lambda: self.tuned(at),
            "course": lambda: self.course(at),
        }

    def _map(self, at: int, *, spread: bool) -> Figure:
        mean, low, high = self.means(at)
        return figures.heat_map(
            self.rates, [LABELS[name] for name in self.names], (high - low) / mean if spread else mean,
            words=self.words(at), best=self.best(at), span=(0.0, 2.0) if spread else self.span,
            title="Spread of the seeds, share of the mean" if spread else "Loss", log=not spread,
        )  # fmt: skip

    def status(self, at: int) -> dict[str, float]:
        """How far it is, how many trainings there are, and how many of them have diverged."""
        return {
            "share": round(100 * at / self.config.steps), "trainings": self.trainings,
            "diverged": int(has_diverged(self.losses(at)).sum()),
        }  # fmt: skip

    def narrate(self, at: int) -> str:
        """The best cell so far."""
        if at == 0:
            return (
                f"{self.trainings} trainings, with one start and one order of batches for each seed. "
                "Press Play: they learn together."
            )
        mean, low, high = self.means(at)
        if np.isnan(mean).all():
            return "All trainings have diverged."
        row, column = np.unravel_index(np.nanargmin(mean), mean.shape)
        return (
            f"Lowest after {at} steps: {LABELS[self.names[row]]} at {self.rates[column]:g}, "
            f"loss {mean[row, column]:.4f} (seeds from {low[row, column]:.4f} to {high[row, column]:.4f})."
        )

    def rebuilt(self, config: Any) -> SweepRun:
        """A run from the start."""
        return type(self)(config, self.settings)  # type: ignore[call-arg]  # labs know their own rates
