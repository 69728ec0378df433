"""Nine seeds at once: the same points and settings from nine starts, trained together as one batched model."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from playground.engine.frames import Figure
from playground.engine.run import Drawing, Outcome
from playground.figures import fields
from playground.figures.theme import layout
from playground.lesson import Chart
from playground.lessons.classification.config import (
    DROPOUT,
    ORDER,
    ClassificationConfig,
    build_model,
    draw_points,
    generator,
    inputs_of,
)
from playground.lessons.classification.predictions import PLANE, SIDE
from playground.settings import Settings
from playground.training import models
from playground.training.optimizers import torch_settings
from playground.training.stacked import RULES, Stacked, StackedOptimizer

SEEDS = 9
PER_ROW = 5
TILE_SIDE = 50  # pixels of one seed's map
GAP = 0.06  # between maps, as a share of a map

CHARTS = (
    Chart(
        "seeds",
        "Nine seeds",
        "The map that each of nine starts has come to, with its test accuracy; same points, same settings.",
        tall=True,
        wide=True,
    ),
)
STATUS = {
    "step": "Step", "epoch": "Epoch", "accuracy": "Median accuracy", "worst_accuracy": "Worst", "best_accuracy": "Best",
    "steps_per_second": "Steps/s",
}  # fmt: skip


def brier(logits: Tensor, labels: Tensor) -> Tensor:
    """The squared error of the probabilities of each point: logits (points, classes), labels (points,) -> (points,)."""
    return ((logits.softmax(dim=1) - functional.one_hot(labels, logits.shape[1])) ** 2).sum(dim=1)


class SeedsRun:
    """Nine starts of one classification, trained together; a turned knob starts them over."""

    def __init__(self, config: ClassificationConfig, settings: Settings) -> None:
        self.config = config
        self.settings = settings
        self.steps = 0
        self.outcome: Outcome = ""
        self.data = draw_points(config)
        self.inputs = inputs_of(config, self.data.x_train)
        seeds = [config.with_values(seed=(config.seed + number) % 10_000) for number in range(SEEDS)]
        activation = models.ACTIVATIONS[config.activation].module()
        dropout = models.Dropout(config.dropout, generator(config, DROPOUT))
        between = nn.Sequential(activation, dropout) if config.dropout else activation
        self.model = Stacked([build_model(each) for each in seeds], between)
        self.orders = [generator(each, ORDER) for each in seeds]
        chosen = torch_settings(config.optimizer, {"momentum": config.momentum, "weight_decay": config.weight_decay})
        rule = RULES[config.optimizer](self.model.flat, config.lr, **chosen)
        self.optimizer = StackedOptimizer(self.model, [rule])
        self.order = torch.empty(SEEDS, 0, dtype=torch.long)
        self.everything = self.inputs.expand(SEEDS, -1, -1), self.data.y_train.repeat(SEEDS)
        step = SIDE // TILE_SIDE
        self.pixels = inputs_of(config, PLANE.reshape(SIDE, SIDE, 2)[::step, ::step].reshape(-1, 2))

    # Training.

    @property
    def batch_size(self) -> int:
        """Points in each step."""
        return min(self.config.batch_size or len(self.inputs), len(self.inputs))

    @property
    def steps_per_epoch(self) -> int:
        """How many batches make an epoch."""
        return math.ceil(len(self.inputs) / self.batch_size)

    @property
    def auto_speed(self) -> float:
        """Full speed."""
        return 0.0

    def steps_in_epochs(self, epochs: int) -> int:
        """The steps that finish the present epoch and the ones after it."""
        return epochs * self.steps_per_epoch - self.steps % self.steps_per_epoch

    def step(self) -> None:
        """One update of all nine; the sum of their losses has, for each, the gradient of its own."""
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
        """The mean loss over points, as the config wants it."""
        if self.config.loss == "brier":
            return brier(logits, labels).mean()
        return functional.cross_entropy(logits, labels)

    def penalty(self) -> Tensor | float:
        """The L1 term of the config, for all nine."""
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

    def apply(self, command: Mapping[str, Any]) -> None:
        """There is nothing to look back at, and nothing to edit."""
        if command.get("do") == "scrub" and command.get("to") is None:
            return
        raise ValueError("The nine seeds keep no history to look back at.")

    def tune(self, config: ClassificationConfig) -> None:
        """Start over with the turned knobs, and go on playing."""
        fresh = type(self)(config, self.settings)
        self.__dict__.update(fresh.__dict__)

    def rebuilt(self, config: ClassificationConfig) -> Self:
        """A run from the start."""
        return type(self)(config, self.settings)

    def resume(self) -> None:
        """Train on without a limit."""
        self.outcome = ""
        self.config = self.config.with_values(max_steps=0)

    # Drawing.

    @torch.no_grad()
    def accuracies(self) -> Any:
        """The share of test (or, without any, training) points that each seed has right: (seeds,)."""
        x, y = (self.data.x_test, self.data.y_test) if len(self.data.x_test) else (self.data.x_train, self.data.y_train)
        logits = self.model(inputs_of(self.config, x).expand(SEEDS, -1, -1))
        return (logits.argmax(dim=2) == y).float().mean(dim=1).numpy()

    def draw(self, charts: list[str], options: Mapping[str, bool]) -> Drawing:
        """The nine maps, and the spread of their accuracies."""
        every = self.accuracies()
        status = {
            "step": self.steps, "epoch": self.steps // self.steps_per_epoch, "accuracy": float(np.median(every)),
            "worst_accuracy": float(every.min()), "best_accuracy": float(every.max()),
        }  # fmt: skip
        note = "The same points and settings, nine starts: their accuracies lie from {:.1%} to {:.1%}."
        return Drawing(
            {"seeds": self._maps(every)} if "seeds" in charts else {},
            {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in status.items()},
            note.format(every.min(), every.max()),
            {"count": 0, "at": None, "step": self.steps},
        )

    @torch.no_grad()
    def _maps(self, accuracies: Any) -> Figure:
        shares = self.model(self.pixels.expand(SEEDS, -1, -1)).softmax(dim=2).numpy()  # (seeds, pixels, classes)
        values = np.concatenate([fields.class_bytes(each.T) for each in shares])
        return tiles(
            values, [f"seed {self.config.seed + number}: {each:.1%}" for number, each in enumerate(accuracies)]
        )


def tiles(values: Any, titles: list[str]) -> Figure:
    """Maps in rows of PER_ROW, each (TILE_SIDE * TILE_SIDE,) bytes, under their titles."""
    rows = math.ceil(len(titles) / PER_ROW)
    corners = [(number % PER_ROW, rows - 1 - number // PER_ROW) for number in range(len(titles))]
    boxes = [(x, x + 1 - GAP, y, y + 1 - 3 * GAP) for x, y in corners]
    bare = {"visible": False, "fixedrange": True, "autorange": False}
    labels = [
        {"text": title, "x": x, "y": y + 1 - 3 * GAP, "xanchor": "left", "yanchor": "bottom", "showarrow": False,
         "font": {"size": 12, "color": "@text"}}
        for title, (x, y) in zip(titles, corners, strict=True)
    ]  # fmt: skip
    return {
        "data": [{"type": "scatter", "mode": "markers", "x": [], "y": [], "name": "Seeds", "showlegend": False}],
        "layout": layout(
            bare | {"range": [-GAP, PER_ROW]}, bare | {"range": [0, rows]},
            margin={"l": 8, "r": 8, "t": 4, "b": 8}, annotations=labels,
        ),
        "maps": {
            "side": TILE_SIDE, "values": values, "boxes": np.array(boxes, np.float32).ravel(), "lut": "classes",
            "over": False,
        },
    }  # fmt: skip


def build(config: ClassificationConfig, settings: Settings | None = None) -> SeedsRun:
    """A run at step 0."""
    return SeedsRun(config, settings or Settings())
