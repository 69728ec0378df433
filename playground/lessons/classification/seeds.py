"""Nine seeds at once: nine models with the same points and settings, trained together as one batched model."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from playground.engine.commands import Command, LookBack
from playground.engine.frames import Figure
from playground.engine.run import Drawing, Outcome
from playground.figures import fields
from playground.figures.theme import layout
from playground.lesson import Chart, Lab
from playground.lessons.classification.clouds import MAP_END
from playground.lessons.classification.config import (
    DROPOUT,
    ORDER,
    ClassificationConfig,
    build_model,
    draw_points,
    generator,
    inputs_of,
)
from playground.lessons.classification.predictions import plane_points
from playground.lessons.classification.words import MESSAGES
from playground.lessons.classification.words import SEEDS as SEEDS_WORDS
from playground.settings import Settings
from playground.training import models
from playground.training.stacked import Stacked, StackedOptimizer, StackedPart

SEEDS = 9
TILES_PER_ROW = 5
TILE_SIDE = 50  # pixels of one seed's map
GAP = 0.06  # between maps, as a share of a map's side

CHARTS = (
    Chart(
        "seeds",
        "Nine seeds",
        "The decision map of each of nine models with its accuracy: same points and settings, other starting weights.",
    ),
)
STATUS = {
    "step": "Step", "epoch": "Epoch", "accuracy": "Median accuracy", "worst_accuracy": "Worst", "best_accuracy": "Best",
    "steps_per_second": "Steps/s",
}  # fmt: skip


def brier(logits: Tensor, labels: Tensor) -> Tensor:
    """The Brier score of each point: logits (points, classes), labels (points,) -> (points,)."""
    return ((logits.softmax(dim=1) - functional.one_hot(labels, logits.shape[1])) ** 2).sum(dim=1)


class SeedsRun:
    """Nine models of one classification, trained together; any changed setting restarts them."""

    def __init__(self, config: ClassificationConfig, settings: Settings) -> None:
        self.config = config
        self.settings = settings
        self.steps = 0
        self.outcome: Outcome = ""
        self.data = draw_points(config)
        self.inputs = inputs_of(config, self.data.x_train)
        seeds = [config.with_values(seed=(config.seed + number) % 10_000) for number in range(SEEDS)]
        activation = models.ACTIVATIONS[config.activation].module()
        self.dropout = models.Dropout(config.dropout, generator(config, DROPOUT))
        between = nn.Sequential(activation, self.dropout) if config.dropout else activation
        self.model = Stacked([build_model(each) for each in seeds], between)
        self.orders = [generator(each, ORDER) for each in seeds]
        chosen = {"momentum": config.momentum, "weight_decay": config.weight_decay}
        self.optimizer = StackedOptimizer(self.model, [StackedPart(config.optimizer, chosen)], config.lr)
        self.order = torch.empty(SEEDS, 0, dtype=torch.long)
        self.everything = self.inputs.expand(SEEDS, -1, -1), self.data.y_train.repeat(SEEDS)
        self.pixels = inputs_of(config, plane_points(TILE_SIDE, TILE_SIDE, 2 * MAP_END / TILE_SIDE))

    # Training.

    @property
    def batch_size(self) -> int:
        """Points in each step."""
        return min(self.config.batch_size or len(self.inputs), len(self.inputs))

    @property
    def steps_per_epoch(self) -> int:
        """The number of batches in an epoch."""
        return math.ceil(len(self.inputs) / self.batch_size)

    @property
    def auto_speed(self) -> float:
        """Full speed."""
        return 0.0

    def steps_in_epochs(self, epochs: int) -> int:
        """The number of steps to the end of the current epoch and of the ones after it, `epochs` in all."""
        return epochs * self.steps_per_epoch - self.steps % self.steps_per_epoch

    def step(self) -> None:
        """One optimizer update of all nine models: the gradient of the summed losses is the gradient of each one."""
        x, labels = self.next_batch()
        logits = self.model(x).flatten(0, 1)  # (seeds * batch, classes)
        loss = self.loss(logits, labels) * SEEDS + self.penalty()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.steps += 1
        if not math.isfinite(loss.item()):
            self.outcome = "failed"
        elif self.config.max_steps and self.steps >= self.config.max_steps:
            self.outcome = "done"

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """Each seed's next batch in its own order: x (seeds, batch, inputs), labels (seeds * batch,)."""
        if self.steps_per_epoch == 1:
            return self.everything
        at = self.steps % self.steps_per_epoch
        if at == 0:
            orders = [torch.randperm(len(self.inputs), generator=order) for order in self.orders]
            self.order = torch.stack(orders)  # (seeds, points)
        chosen = self.order[:, at * self.batch_size : (at + 1) * self.batch_size]
        return self.inputs[chosen], self.data.y_train[chosen].flatten()

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The mean loss over points, with the config's loss function."""
        if self.config.loss == "brier":
            return brier(logits, labels).mean()
        if self.config.loss == "softmax_twice":
            logits = logits.softmax(dim=1)
        return functional.cross_entropy(logits, labels)

    def penalty(self) -> Tensor | float:
        """The L1 term of the config, summed over all nine models."""
        if not self.config.l1:
            return 0.0
        return self.config.l1 * torch.stack([weight.abs().sum() for weight in self.model.weights]).sum()

    def advance(self, seconds: float, steps: int) -> int:
        """Take steps until the time is up, the number is reached or the stop rule applies."""
        end, taken = time.perf_counter() + seconds, 0
        while taken < steps and not self.outcome:
            self.step()
            taken += 1
            if time.perf_counter() >= end:
                break
        return taken

    def apply(self, command: Command) -> None:
        """Raise ValueError for every command except to show the current step: there is no history and no edit."""
        if command == LookBack():
            return
        raise ValueError(MESSAGES["no_history"])

    def tune(self, config: ClassificationConfig) -> None:
        """Restart with the changed settings, and continue to play."""
        fresh = type(self)(config, self.settings)
        self.__dict__.update(fresh.__dict__)

    def rebuilt(self, config: ClassificationConfig) -> Self:
        """A new run at step 0."""
        return type(self)(config, self.settings)

    def resume(self) -> None:
        """Train on without a limit."""
        self.outcome = ""
        self.config = self.config.with_values(max_steps=0)

    def training_state(self) -> dict[str, Any]:
        """Everything that the coming steps depend on apart from the config, copied."""
        generators = [each.get_state() for each in (self.dropout.generator, *self.orders)]
        return {
            "steps": self.steps, "outcome": self.outcome, "config": self.config, "order": self.order.clone(),
            "weights": self.model.flat.clone(), "optimizer": self.optimizer.state_dict(), "generators": generators,
        }  # fmt: skip

    @torch.no_grad()
    def load_training_state(self, state: dict[str, Any]) -> None:
        """Continue from where `training_state` was taken, in a run of the same config."""
        self.steps, self.outcome, self.config = state["steps"], state["outcome"], state["config"]
        self.order = state["order"].clone()
        self.model.flat.copy_(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        for each, kept in zip((self.dropout.generator, *self.orders), state["generators"], strict=True):
            each.set_state(kept)

    # Drawing.

    @torch.no_grad()
    def accuracies(self) -> Any:
        """Each model's accuracy on the test points, or on the training points if there are none: (seeds,)."""
        x, y = (self.data.x_test, self.data.y_test) if len(self.data.x_test) else (self.data.x_train, self.data.y_train)
        logits = self.model(inputs_of(self.config, x).expand(SEEDS, -1, -1))
        return (logits.argmax(dim=2) == y).float().mean(dim=1).numpy()

    def draw(self, charts: list[str], options: Mapping[str, bool]) -> Drawing:
        """The nine maps, and the range of their accuracies."""
        accuracies = self.accuracies()
        status = {
            "step": self.steps, "epoch": self.steps // self.steps_per_epoch, "accuracy": float(np.median(accuracies)),
            "worst_accuracy": float(accuracies.min()), "best_accuracy": float(accuracies.max()),
        }  # fmt: skip
        note = SEEDS_WORDS["note"].format(worst=100 * accuracies.min(), best=100 * accuracies.max())
        return Drawing(
            {"seeds": self._maps(accuracies)} if "seeds" in charts else {},
            {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in status.items()},
            note,
            {"count": 0, "at": None, "step": self.steps},
        )

    @torch.no_grad()
    def _maps(self, accuracies: Any) -> Figure:
        logits = self.model(self.pixels.expand(SEEDS, -1, -1))  # (seeds, pixels, classes)
        values = np.concatenate([fields.class_bytes(each.T) for each in logits.softmax(dim=2).numpy()])
        titles = [
            SEEDS_WORDS["title"].format(seed=self.config.seed + number, accuracy=100 * accuracy)
            for number, accuracy in enumerate(accuracies)
        ]
        return tiles(values, titles)


def tiles(values: Any, titles: list[str]) -> Figure:
    """Maps of TILE_SIDE * TILE_SIDE bytes each, in rows of TILES_PER_ROW, under their titles."""
    rows = math.ceil(len(titles) / TILES_PER_ROW)
    corners = [(number % TILES_PER_ROW, rows - 1 - number // TILES_PER_ROW) for number in range(len(titles))]
    boxes = [(x, x + 1 - GAP, y, y + 1 - 3 * GAP) for x, y in corners]
    hidden = {"visible": False, "fixedrange": True, "autorange": False}
    labels = [
        {"text": title, "x": x, "y": y + 1 - 3 * GAP, "xanchor": "left", "yanchor": "bottom", "showarrow": False,
         "font": {"size": 12, "color": "@text"}}
        for title, (x, y) in zip(titles, corners, strict=True)
    ]  # fmt: skip
    return {
        "data": [{"type": "scatter", "mode": "markers", "x": [], "y": [], "name": "Seeds", "showlegend": False}],
        "layout": layout(
            hidden | {"range": [-GAP, TILES_PER_ROW]}, hidden | {"range": [0, rows]},
            margin={"l": 8, "r": 8, "t": 4, "b": 8}, annotations=labels,
        ),
        "maps": {
            "side": TILE_SIDE, "values": values, "boxes": np.array(boxes, np.float32).ravel(), "lut": "classes",
            "over": False,
        },
    }  # fmt: skip


def build(config: ClassificationConfig, settings: Settings | None = None) -> SeedsRun:
    """A new run at step 0."""
    return SeedsRun(config, settings or Settings())


BENCH = Lab(
    "classification_seeds", CHARTS[0].title, CHARTS[0].alt, ClassificationConfig, CHARTS, build=build, status=STATUS
)
