"""The labs Sweep and Who wins?: every optimizer at every learning rate, all trained together (2.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from playground.engine.commands import Command, Pick
from playground.engine.frames import Figure
from playground.figures.tables import with_table
from playground.knobs import knob
from playground.lesson import Chart, Lab, Toggle
from playground.lessons.learning_rates import words
from playground.lessons.learning_rates.config import TrainingsConfig, rates_of
from playground.lessons.learning_rates.figures import sweep as figures
from playground.lessons.learning_rates.figures.sweep import Line
from playground.lessons.learning_rates.narrator import WHO_WINS_RULES
from playground.lessons.learning_rates.run import SweepRun
from playground.lessons.narrator import first_finding
from playground.lessons.ranking import places
from playground.settings import Settings

RATES = tuple(rates_of(31))  # six for each power of ten


@dataclass(frozen=True)
class SweepConfig(TrainingsConfig):
    """The trainings, and how many learning rates."""

    rates: int = knob(16, "Learning rates", options=(16, 31, 61), group="Trainings", bar=True,
                      help="From 0.0001 to 10, evenly spaced on a log scale.")  # fmt: skip


@dataclass(frozen=True)
class WhoWinsConfig(TrainingsConfig):
    """The trainings, and the rate at which they are ranked."""

    rate: float = knob(RATES[12], "Learning rate", options=RATES, group="Ranking", live=True, bar=True,
                       help="The position of the vertical line. A click in a chart moves it too.")  # fmt: skip


class MapRun(SweepRun):
    """The lab Sweep."""

    def __init__(self, config: SweepConfig, settings: Settings) -> None:
        super().__init__(config, settings, rates_of(config.rates))


class WhoWinsRun(SweepRun):
    """The lab Who wins?."""

    def __init__(self, config: WhoWinsConfig, settings: Settings) -> None:
        super().__init__(config, settings, list(RATES))
        self.column = RATES.index(config.rate)  # of the rate at which they are ranked

    def tune(self, config: WhoWinsConfig) -> None:
        """Rank at the knob's new rate."""
        super().tune(config)
        self.column = RATES.index(config.rate)

    def edit(self, command: Command) -> None:
        """Rank at the rate that was picked in a chart, whose x is log10 of it. Raises ValueError with a sentence."""
        if isinstance(command, Pick):
            self.column = int(np.abs(np.log10(self.rates) - command.x).argmin())
        else:
            super().edit(command)

    def training_state(self) -> dict[str, Any]:
        """Also the rate at which they are ranked."""
        return super().training_state() | {"column": self.column}

    def load_training_state(self, state: dict[str, Any]) -> None:
        """Also rank at the same rate."""
        super().load_training_state(state)
        self.column = state["column"]

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The losses over the rate, the ranking and the losses at the chosen rate, each optimizer's place at all."""
        del options
        ranked = self.measured_at(at) > 0
        return {
            "lines": lambda: with_table(
                figures.over_rates(
                    self.rates, self.lines(at), probe=self.rates[self.column], span=self.span, title="Loss"
                ),
                self.table(at),
                value=words.LOSS,
            ),
            "ranking": lambda: self.ranking(at),
            "course": lambda: self.loss_curves(at, np.full(len(self.names), self.column)),
            "ranks": lambda: with_table(
                figures.ranks(self.rates, self.ranks(at), probe=self.rates[self.column], ranked=ranked),
                self.table(at) | {words.PLACE_COLUMN: np.concatenate([line.y for line in self.ranks(at)])}
                if ranked
                else self.table(at),
            ),
        }

    def ranking(self, at: int) -> Figure:
        """The ranking at the chosen rate."""
        columns = np.full(len(self.names), self.column)
        figure = figures.ranking(
            self.at_rate(at, columns), at=[""] * len(self.names), ranked=self.measured_at(at) > 0, span=self.span,
            title="Loss at this rate",
        )  # fmt: skip
        return with_table(figure, self.ranked_table(at, columns))

    def ranks(self, at: int) -> list[Line]:
        """Each optimizer's place at each rate: 1 for the lowest mean loss; NaN if it has diverged.

        Before the first step nothing is ranked, and each has a row of its own.
        """
        mean = self.means(at)[0]
        found = places(mean if self.measured_at(at) else np.indices(mean.shape)[0])
        return [Line(line.name, line.place, place) for line, place in zip(self.lines(at), found, strict=True)]

    def narrate(self, at: int) -> str:
        """The first and the last at the chosen rate."""
        rate, losses = words.RATE_TEXT.format(self.rates[self.column]), self.means(at)[0][:, self.column]
        return first_finding(WHO_WINS_RULES, replace(self.measured(at), rate=rate, values=losses)).text


def build_map(config: SweepConfig, settings: Settings | None = None) -> MapRun:
    """A sweep before its first step."""
    return MapRun(config, settings or Settings())


def build_who_wins(config: WhoWinsConfig, settings: Settings | None = None) -> WhoWinsRun:
    """A sweep before its first step."""
    return WhoWinsRun(config, settings or Settings())


STATUS = {"step": "Step", "share": "Progress (%)", "trainings": "Trainings", "diverged": "Diverged"}
SWEEP = Lab(
    name="learning_rates_sweep",
    title="Sweep",
    sentence="Which learning rate suits which optimizer? All are trained at once here, as one batched model.",
    config=SweepConfig,
    build=build_map,
    charts=(
        Chart("map", "Loss by optimizer and learning rate",
              "A cell for each optimizer and rate: the lower its loss, the stronger its colour; a cross has diverged.",
              toggles=(Toggle("spread", "Spread of the seeds"),)),
        Chart("best", "Each at its own best rate",
              "The optimizers, ordered by the loss at their own best learning rate; bars span the seeds."),
        Chart("course", "Loss curves", "The loss of each optimizer over the steps, at the rate that is its best now.",
              every=2, strip=True),
    ),
    status=STATUS | {"steps_per_second": "Steps/s"},
)  # fmt: skip
WHO_WINS = Lab(
    name="learning_rates_winner",
    title="Who wins?",
    sentence="“Which optimizer is the best?” has no answer without a learning rate. Train, then move the rate.",
    config=WhoWinsConfig,
    build=build_who_wins,
    charts=(
        Chart("lines", "Loss over the learning rate",
              "A line for each optimizer; bars span the seeds. It ends where a seed diverges. A click picks the rate.",
              click="pick", every=2),
        Chart("ranking", "Ranking at this rate", "The optimizers, ordered by their loss at this rate."),
        Chart("ranks", "Place by rate",
              "Each optimizer's place at each rate; lines cross where the ranking changes.", click="pick",
              every=2),
        Chart("course", "Loss curves", "The loss of each optimizer over the steps, at this rate.", every=2, strip=True),
    ),
    status=STATUS | {"steps_per_second": "Steps/s"},
)  # fmt: skip
