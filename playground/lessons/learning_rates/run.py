"""A sweep as the engine runs it: all trainings take each step together; their losses are kept for the time slider."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from playground.engine.frames import Figure
from playground.figures.tables import with_table
from playground.figures.theme import round_up
from playground.lessons.learning_rates import words
from playground.lessons.learning_rates.config import (
    LABELS,
    MEASURE_EACH,
    TrainingsConfig,
    draw_points,
    names_of,
    parts_of,
)
from playground.lessons.learning_rates.figures import sweep as figures
from playground.lessons.learning_rates.figures.sweep import Array, Line
from playground.lessons.learning_rates.narrator import SWEEP_RULES, Cell, Measured
from playground.lessons.learning_rates.trainings import Sweep, has_diverged
from playground.lessons.narrator import first_finding
from playground.lessons.ranking import places
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings
from playground.training.optimizers import OPTIMIZERS

MAX_TRAININGS = 2250  # nine seeds of eight optimizers at 31 rates are 2232
KEPT_STEPS = 64  # how many steps of a run keep their losses, about
PLAY_SECONDS = 8.0
PLACES = {name: place for place, name in enumerate(OPTIMIZERS)}


class SweepRun(SteppedRun):
    """All trainings of a config at once; the columns of its charts are the learning rates."""

    def __init__(self, config: TrainingsConfig, settings: Settings, rates: list[float]) -> None:
        super().__init__(config, settings, config.steps)
        self.names, self.rates = names_of(config), np.array(rates)
        self.labels = [LABELS[name] for name in self.names]
        self.trainings = len(self.names) * len(rates) * config.seeds
        if self.trainings > MAX_TRAININGS:
            raise ValueError(words.TOO_MANY.format(trainings=self.trainings, most=MAX_TRAININGS))
        self.sweep = Sweep(
            parts_of(config), rates, [config.seed + number for number in range(config.seeds)],
            draw_points(config.noise, config.seed), batch_size=config.batch_size, measure_each=MEASURE_EACH,
        )  # fmt: skip
        self.every = max(1, config.steps // KEPT_STEPS)
        self.kept_steps: list[int] = []
        self.kept: list[Array] = []  # the losses at each of them: (optimizers, rates, seeds)
        self.keep()

    @property
    def auto_speed(self) -> float:
        """All steps within about eight seconds."""
        return max(10.0, float(self.config.steps) / PLAY_SECONDS)

    def step(self) -> None:
        """One update of every training, unless a replay after the end is still at earlier steps."""
        if self.sweep.steps > self.steps:
            return
        self.sweep.step()
        if self.sweep.steps % self.every == 0 or self.sweep.steps == self.config.steps:
            self.keep()

    def training_state(self) -> dict[str, Any]:
        """The trainings, the losses that were kept, and the step shown."""
        return {
            "sweep": self.sweep.state_dict(), "kept_steps": list(self.kept_steps), "kept": list(self.kept),
            "steps": self.steps, "outcome": self.outcome,
        }  # fmt: skip

    def load_training_state(self, state: dict[str, Any]) -> None:
        """Continue from where `training_state` was taken, in a run of the same config."""
        self.sweep.load_state_dict(state["sweep"])
        self.kept_steps, self.kept = list(state["kept_steps"]), list(state["kept"])
        self.steps, self.outcome = state["steps"], state["outcome"]

    def keep(self) -> None:
        """Measure the losses of this step and keep them."""
        self.kept_steps.append(self.sweep.steps)
        self.kept.append(self.sweep.losses())

    def losses(self, at: int) -> Array:
        """Each training's loss as last measured up to step `at`: (optimizers, rates, seeds)."""
        return self.kept[bisect_right(self.kept_steps, at) - 1]

    def measured_at(self, at: int) -> int:
        """The step at which these losses were measured. At step 0 all are equal, and nothing is ranked."""
        return self.kept_steps[bisect_right(self.kept_steps, at) - 1]

    def means(self, at: int) -> tuple[Array, Array, Array]:
        """Mean, lowest and highest loss over the seeds, (optimizers, rates) each; NaN if any of them has diverged."""
        losses = self.losses(at).astype(np.float64)
        lost = has_diverged(losses).any(axis=2)
        return tuple(np.where(lost, np.nan, each) for each in (losses.mean(2), losses.min(2), losses.max(2)))  # type: ignore[return-value]

    @property
    def span(self) -> tuple[float, float]:
        """The range of losses in the charts: from just below the loss of the noise to that of a poor start."""
        return max(0.5 * self.config.noise**2, 1e-5), max(1.0, round_up(8 * self.config.noise**2))

    def best(self, at: int) -> Array:
        """The column of each optimizer's lowest mean loss, -1 if all have diverged: (optimizers,)."""
        mean = self.means(at)[0]
        return np.where(np.isnan(mean).all(axis=1), -1, np.where(np.isnan(mean), np.inf, mean).argmin(axis=1))

    def cell_texts(self, at: int) -> list[str]:
        """The hover text of each cell, row by row."""
        losses = self.losses(at)
        lost = has_diverged(losses).sum(axis=2)
        mean, low, high = self.means(at)
        texts = []
        for (row, column), gone in np.ndenumerate(lost):
            sentence = words.CELL_DIVERGED if gone else words.CELL if losses.shape[2] > 1 else words.CELL_OF_ONE
            texts.append(
                sentence.format(
                    optimizer=self.labels[row], rate=self.rates[column], diverged=gone, seeds=losses.shape[2],
                    loss=mean[row, column], low=low[row, column], high=high[row, column],
                )
            )  # fmt: skip
        return texts

    def lines(self, at: int) -> list[Line]:
        """The mean loss of each optimizer over the learning rate, with its spread."""
        means = self.means(at)
        return [Line(LABELS[name], PLACES[name], *(each[row] for each in means)) for row, name in enumerate(self.names)]

    def at_rate(self, at: int, columns: Array) -> list[Line]:
        """Each optimizer's loss and spread at its own column: lines of one value."""
        return [
            Line(line.name, line.place, *(each[[column]] for each in (line.y, line.low, line.high) if each is not None))
            for line, column in zip(self.lines(at), columns, strict=True)
        ]

    def table(self, at: int, columns: Array | None = None) -> dict[str, Any]:
        """The numbers of all cells, or of one column of each optimizer, for a CSV file."""
        shown = np.indices(self.means(at)[0].shape)  # optimizers, rates
        rows, rates = shown.reshape(2, -1) if columns is None else (np.arange(len(self.names)), np.maximum(columns, 0))
        mean, low, high = (values[rows, rates] for values in self.means(at))
        lost = has_diverged(self.losses(at)).sum(axis=2)[rows, rates]
        return {
            words.OPTIMIZER: [LABELS[self.names[row]] for row in rows], words.RATE: self.rates[rates],
            words.LOSS: mean, words.MIN_SEED: low, words.MAX_SEED: high, words.DIVERGED_SEEDS: lost,
        }  # fmt: skip

    def ranked_table(self, at: int, columns: Array) -> dict[str, Any]:
        """The numbers of a ranking of the optimizers, each at its own column."""
        found = self.table(at, columns)
        place = places(found[words.LOSS]) if self.measured_at(at) else np.full(len(columns), np.nan)
        return {words.PLACE_COLUMN: place, **found}

    def best_losses(self, at: int) -> Figure:
        """Each optimizer at its own best rate."""
        best, ranked = self.best(at), self.measured_at(at) > 0
        notes = [words.BEST_AT.format(rate=self.rates[column]) if column >= 0 else words.NO_BEST for column in best]
        figure = figures.ranking(
            self.at_rate(at, best), at=notes if ranked else [""] * len(notes), ranked=ranked, span=self.span,
            title="Loss at its best rate",
        )  # fmt: skip
        return with_table(figure, self.ranked_table(at, best))

    def loss_curves(self, at: int, columns: Array) -> Figure:
        """The mean loss of each optimizer over the steps up to `at`, at its own column; -1 for one without a line."""
        count = bisect_right(self.kept_steps, at)
        means = [np.take_along_axis(kept.mean(2), np.maximum(columns, 0)[:, None], 1)[:, 0]
                 for kept in self.kept[:count]]  # fmt: skip
        curves = np.where(columns >= 0, np.array(means), np.nan)  # (kept steps, optimizers)
        lines = [Line(LABELS[name], PLACES[name], curves[:, row]) for row, name in enumerate(self.names)]
        return figures.strip(
            np.array(self.kept_steps[:count]), lines, until=self.config.steps, cursor=at, span=self.span, title="Loss"
        )

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The heat map, and each optimizer at its best rate: its loss now and over the steps."""
        return {
            "map": lambda: self._map(at, spread=options.get("spread", False)),
            "best": lambda: self.best_losses(at),
            "course": lambda: self.loss_curves(at, self.best(at)),
        }

    def _map(self, at: int, *, spread: bool) -> Figure:
        mean, low, high = self.means(at)
        figure = figures.heat_map(
            self.rates, [LABELS[name] for name in self.names], (high - low) / mean if spread else mean,
            words=self.cell_texts(at), best=self.best(at), ranked=self.measured_at(at) > 0,
            span=(0.0, 2.0) if spread else self.span,
            title="Spread of the seeds, share of the mean" if spread else "Loss", log=not spread,
        )  # fmt: skip
        return with_table(figure, self.table(at), value=words.LOSS)

    def status(self, at: int) -> dict[str, float]:
        """The progress in percent, the number of trainings, and how many of them have diverged."""
        return {
            "share": round(100 * at / self.config.steps), "trainings": self.trainings,
            "diverged": int(has_diverged(self.losses(at)).sum()),
        }  # fmt: skip

    def narrate(self, at: int) -> str:
        """The best cell at the last measured step."""
        return first_finding(SWEEP_RULES, self.measured(at)).text

    def measured(self, at: int) -> Measured:
        """What the narrator's rules read."""
        mean, low, high = self.means(at)
        step, best = self.measured_at(at), None
        if not np.isnan(mean).all():
            row, column = np.unravel_index(np.nanargmin(mean), mean.shape)
            losses = (float(values[row, column]) for values in (mean, low, high))
            best = Cell(step, LABELS[self.names[row]], words.RATE_TEXT.format(self.rates[column]), *losses)
        return Measured(
            step, self.labels, np.nan_to_num(mean, nan=np.inf).min(axis=1), self.trainings, self.config.seeds, best=best
        )

    def rebuilt(self, config: Any) -> SweepRun:
        """A run from the start."""
        return type(self)(config, self.settings)  # type: ignore[call-arg]  # labs know their own rates
