"""The lab Schedules: the same training under learning rates that change in different ways, side by side (2.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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
from playground.lessons.learning_rates.trainings import batches_of, start_model
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings
from playground.training.optimizers import OPTIMIZERS, SCHEDULES, torch_settings
from playground.training.stacked import RULES, Stacked, StackedOptimizer

PLAY_SECONDS = 8.0
PLACES = {name: place for place, name in enumerate(SCHEDULES)}
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1.0)
NEAREST = 5e-5  # where the axis of distances begins


@dataclass(frozen=True)
class SchedulesConfig(Config):
    """Which schedules, of what, and the training that they share."""

    # fmt: off
    schedules: str = knob("constant,step,cosine,one_cycle,warm_up", "Schedules", group="Schedules", many=True,
                          options=tuple(SCHEDULES), names={name: each.label for name, each in SCHEDULES.items()},
                          help="Each says by what the learning rate is multiplied at a step.")
    lr: float = knob(0.1, "Largest learning rate", group="Schedules", options=RATES)
    optimizer: str = knob("adam", "Optimizer", options=tuple(OPTIMIZERS), names=LABELS,
                          help="With the tutorial's settings: momentum 0.8, α 0.9, β 0.9 and 0.99.")
    steps: int = knob(400, "Steps", options=(100, 200, 400, 800), help="Also the plan of the schedules.")
    batch_size: int = knob(32, "Batch size", options=(8, 32, 128, 1000))
    noise: float = knob(0.1, "Noise", help="Its standard deviation, about y = x².", group="Data", lo=0.0, hi=0.5,
                        step=0.05)
    seed: int = knob(0, "Seed", help="Of the noise, the start and the batches.", group="Data", lo=0, hi=999, step=1)
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
        self.model = Stacked([start_model(config.seed)] * len(self.names), nn.ReLU())
        self.rule = RULES[config.optimizer](self.model.flat, 0.0, **torch_settings(config.optimizer, TUTORIAL))
        self.optimizer = StackedOptimizer(self.model, [self.rule])
        self.batches = batches_of(config.seed, self.data, config.batch_size)
        self.trained = 0
        self.losses = np.full((2, len(self.names), config.steps + 1), np.nan, np.float32)  # on the data; to x² itself
        self.measure()

    @property
    def auto_speed(self) -> float:
        """All steps within about eight seconds."""
        return max(10.0, float(self.config.steps) / PLAY_SECONDS)

    def step(self) -> None:
        """One update of every model at its own rate, unless it is played again and has been there."""
        if self.trained > self.steps:
            return
        self.rule.lr = torch.from_numpy(self.rates[:, self.steps])
        x, y = (each.expand(len(self.names), -1, -1) for each in self.batches.next())
        loss = functional.mse_loss(self.model(x), y, reduction="sum") / x.shape[1]
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.trained += 1
        self.measure()

    @torch.no_grad()
    def measure(self) -> None:
        """Remember the mean squared errors of this step, against all the data and against x² without noise."""
        x, y = self.data
        prediction = self.model.of_part(0, len(self.names), x)
        for row, target in enumerate((y, x.pow(2))):
            self.losses[row, :, self.trained] = _mean_square(prediction - target)

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The rates as planned, and both errors so far."""
        del options
        noise, steps = self.config.noise, self.config.steps
        spans = (max(0.5 * noise**2, NEAREST), max(1.0, round_up(8 * noise**2))), (NEAREST, 1.0)
        titles = "Loss on all the data", "Distance from x²"
        shown = np.arange(at + 1)
        lines = [self._lines(self.losses[row, :, : at + 1]) for row in (0, 1)]
        return {
            "rates": lambda: figures.over_steps(
                np.arange(steps), self._lines(self.rates), until=steps, cursor=at, span=(0.0, self.config.lr),
                title="Learning rate", log=False, legend=True,
            ),
            "loss": lambda: figures.over_steps(
                shown, lines[0], until=steps, cursor=at, span=spans[0], title=titles[0]
            ),
            "distance": lambda: figures.over_steps(
                shown, lines[1], until=steps, cursor=at, span=spans[1], title=titles[1]
            ),
        }  # fmt: skip

    def _lines(self, rows: Array) -> list[Line]:
        return [Line(SCHEDULES[name].label, PLACES[name], row) for name, row in zip(self.names, rows, strict=True)]

    def status(self, at: int) -> dict[str, float]:
        """The lowest loss and distance at this step, where there is one."""
        lowest = [float(np.nan_to_num(row, nan=np.inf).min()) for row in self.losses[:, :, at]]
        return {name: float(f"{value:.4g}") for name, value in zip(("loss", "distance"), lowest, strict=True)
                if np.isfinite(value)}  # fmt: skip

    def narrate(self, at: int) -> str:
        """Which schedule is nearest to x², and which farthest."""
        if at == 0:
            return "One start, the same batches, and a learning rate for each line. Press Play."
        distance = self.losses[1, :, at]
        finite = np.flatnonzero(np.isfinite(distance))
        if not len(finite):
            return "All have diverged. Choose a smaller learning rate."
        order = finite[np.argsort(distance[finite])]
        first, last = (SCHEDULES[self.names[index]].label for index in (order[0], order[-1]))
        return (
            f"After {at} steps {first} is nearest to x² with {distance[order[0]]:.2g}, {last} farthest with "
            f"{distance[order[-1]]:.2g}, and {len(distance) - len(finite)} of {len(distance)} have diverged."
        )


def _mean_square(error: Tensor) -> Array:
    """(copies, points, 1) -> (copies,)."""
    return np.asarray(error.square_().mean(dim=(1, 2)).numpy())


def build(config: SchedulesConfig, settings: Settings | None = None) -> SchedulesRun:
    """Before the first step."""
    return SchedulesRun(config, settings or Settings())


LAB = Lab(
    name="learning_rates_schedules",
    title="Schedules",
    sentence="The same training five times: what does it gain when the learning rate changes on the way?",
    config=SchedulesConfig,
    build=build,
    charts=(
        Chart("rates", "The learning rate",
              "The learning rate of each schedule over the steps; a marker on each is at the step shown.",
              low=True, wide=True),
        Chart("loss", "Loss on all the data", "The loss of each training over the steps. It cannot go below the noise.",
              every=2),
        Chart("distance", "Distance from x²",
              "The mean squared distance of each model from x² without noise: what the noise hides in the loss.",
              every=2),
    ),
    status={"step": "Step", "loss": "Lowest loss", "distance": "Lowest distance", "steps_per_second": "Steps/s"},
    presets={
        "Adam at 0.1": {},
        "SGD at 0.5": {"optimizer": "sgd", "lr": 0.5},
        "Small batches": {"optimizer": "sgd", "lr": 0.3, "batch_size": 8, "noise": 0.3},
        "The tutorial's rate": {"lr": 0.01},
        "All the data": {"batch_size": 1000},
    },
)  # fmt: skip
