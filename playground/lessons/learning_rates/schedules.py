"""The lab Schedules: the same training with different learning-rate schedules, side by side (2.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from playground.engine.frames import Figure
from playground.figures.theme import round_up
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab
from playground.lessons.learning_rates.config import LABELS, TUTORIAL, draw_points
from playground.lessons.learning_rates.figures import sweep as figures
from playground.lessons.learning_rates.figures.sweep import Array, Line
from playground.lessons.learning_rates.narrator import SCHEDULES_RULES, Measured
from playground.lessons.learning_rates.trainings import batches_of, start_model
from playground.lessons.narrator import first_finding
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings
from playground.training.optimizers import OPTIMIZERS, SCHEDULES
from playground.training.stacked import Stacked, StackedOptimizer, StackedPart

PLAY_SECONDS = 8.0
PLACES = {name: place for place, name in enumerate(SCHEDULES)}
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1.0)
MIN_DISTANCE = 5e-5  # on the axis of distances


@dataclass(frozen=True)
class SchedulesConfig(Config):
    """The schedules to compare, and the training that they share."""

    # fmt: off
    schedules: str = knob("constant,step,cosine,one_cycle,warm_up", "Schedules", group="Schedules", many=True,
                          options=tuple(SCHEDULES), names={name: each.label for name, each in SCHEDULES.items()},
                          help="A schedule multiplies the learning rate by a factor at each step.")
    lr: float = knob(0.1, "Largest learning rate", group="Schedules", bar=True, options=RATES)
    optimizer: str = knob("adam", "Optimizer", bar=True, options=tuple(OPTIMIZERS), names=LABELS,
                          help="With the tutorial's settings: momentum 0.8, α 0.9, β 0.9 and 0.99.")
    steps: int = knob(400, "Steps", options=(100, 200, 400, 800), help="The schedules are stretched to this length.")
    batch_size: int = knob(32, "Batch size", bar=True, options=(8, 32, 128, 1000))
    noise: float = knob(0.1, "Noise", help="Standard deviation of the noise around x².", group="Data", lo=0.0, hi=0.5,
                        step=0.05)
    seed: int = knob(0, "Seed", help="Seed of noise, start and batches.", group="Data", lo=0, hi=999, step=1)
    # fmt: on


def planned(names: list[str], lr: float, steps: int) -> Array:
    """The learning rate of each schedule at each step: (schedules, steps)."""
    return np.array([[lr * SCHEDULES[name].factor(step, steps) for step in range(steps)] for name in names], np.float32)


class SchedulesRun(SteppedRun):
    """One model for each schedule, all from one start and on the same batches, trained as one stacked model."""

    def __init__(self, config: SchedulesConfig, settings: Settings) -> None:
        super().__init__(config, settings, config.steps)
        self.names = config.schedules.split(",")
        self.rates = planned(self.names, config.lr, config.steps)
        self.data = draw_points(config.noise, config.seed)
        self.model = Stacked([start_model(config.seed)] * len(self.names), nn.ReLU(inplace=True))
        self.optimizer = StackedOptimizer(self.model, [StackedPart(config.optimizer, TUTORIAL)], lr=0.0)
        self.batches = batches_of(config.seed, self.data, config.batch_size)
        self.trained = 0
        self.losses = np.full((2, len(self.names), config.steps + 1), np.nan, np.float32)  # on the data; against x²
        self.measure()

    @property
    def auto_speed(self) -> float:
        """All steps within about eight seconds."""
        return max(10.0, float(self.config.steps) / PLAY_SECONDS)

    def step(self) -> None:
        """One update of every model at its own rate, unless a replay after the end is still at earlier steps."""
        if self.trained > self.steps:
            return
        self.optimizer.lr = torch.from_numpy(self.rates[:, self.steps])
        x, y = (each.expand(len(self.names), -1, -1) for each in self.batches.next())
        loss = functional.mse_loss(self.model(x), y, reduction="sum") / x.shape[1]
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.trained += 1
        self.measure()

    def training_state(self) -> dict[str, Any]:
        """Weights, optimizers, batches, the losses so far, and the step shown."""
        return {
            "weights": self.model.flat.clone(), "optimizer": self.optimizer.state_dict(), "trained": self.trained,
            "batches": self.batches.state_dict(), "losses": self.losses.copy(), "steps": self.steps,
            "outcome": self.outcome,
        }  # fmt: skip

    @torch.no_grad()
    def load_training_state(self, state: dict[str, Any]) -> None:
        """Continue from where `training_state` was taken, in a run of the same config."""
        self.model.flat.copy_(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.batches.load_state_dict(state["batches"])
        self.losses, self.trained = state["losses"].copy(), state["trained"]
        self.steps, self.outcome = state["steps"], state["outcome"]

    @torch.no_grad()
    def measure(self) -> None:
        """Keep the mean squared errors of this step: against all the data, and against x² without noise."""
        x, y = self.data
        prediction = self.model.of_part(0, len(self.names), x)
        for row, target in enumerate((y, x.pow(2))):
            self.losses[row, :, self.trained] = _mean_square(prediction - target)

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The planned rates, and both errors so far."""
        del options
        noise, steps = self.config.noise, self.config.steps
        spans = (max(0.5 * noise**2, MIN_DISTANCE), max(1.0, round_up(8 * noise**2))), (MIN_DISTANCE, 1.0)
        titles = "Loss on all the data", "Distance from x²"
        shown = np.arange(at + 1)
        lines = [self._lines(self.losses[row, :, : at + 1]) for row in (0, 1)]
        return {
            "rates": lambda: figures.over_steps(
                np.arange(steps), self._lines(self.rates), until=steps, cursor=at, span=(0.0, self.config.lr),
                title="Learning rate", log=False, legend=True,
            ),
            "loss": lambda: figures.strip(
                shown, lines[0], until=steps, cursor=at, span=spans[0], title=titles[0]
            ),
            "distance": lambda: figures.over_steps(
                shown, lines[1], until=steps, cursor=at, span=spans[1], title=titles[1]
            ),
        }  # fmt: skip

    def _lines(self, rows: Array) -> list[Line]:
        return [Line(SCHEDULES[name].label, PLACES[name], row) for name, row in zip(self.names, rows, strict=True)]

    def status(self, at: int) -> dict[str, float]:
        """The lowest loss and distance at this step, those that are finite."""
        lowest = [float(np.nan_to_num(row, nan=np.inf).min()) for row in self.losses[:, :, at]]
        return {name: float(f"{value:.4g}") for name, value in zip(("loss", "distance"), lowest, strict=True)
                if np.isfinite(value)}  # fmt: skip

    def narrate(self, at: int) -> str:
        """The schedules nearest to x² and farthest from it."""
        labels = [SCHEDULES[name].label for name in self.names]
        return first_finding(SCHEDULES_RULES, Measured(at, labels, self.losses[1, :, at])).text


def _mean_square(error: Tensor) -> Array:
    """(copies, points, 1) -> (copies,)."""
    return np.asarray(error.square_().mean(dim=(1, 2)).numpy())


def build(config: SchedulesConfig, settings: Settings | None = None) -> SchedulesRun:
    """A run at step 0."""
    return SchedulesRun(config, settings or Settings())


LAB = Lab(
    name="learning_rates_schedules",
    title="Schedules",
    sentence="The same training five times: what does a changing learning rate gain?",
    config=SchedulesConfig,
    build=build,
    charts=(
        Chart("rates", "The learning rate",
              "The learning rate of each schedule over the steps; a marker shows the current step."),
        Chart("distance", "Distance from x²",
              "The mean squared distance of each model from x² without noise, which the loss cannot show.",
              every=2),
        Chart("loss", "Loss on all the data",
              "The loss of each training over the steps. It cannot fall below the noise.", every=2, strip=True),
    ),
    status={"step": "Step", "loss": "Lowest loss", "distance": "Lowest distance", "steps_per_second": "Steps/s"},
)  # fmt: skip
