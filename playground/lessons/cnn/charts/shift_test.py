"""The shift test: how many moved test images a model still reads, and a plain model of the same size beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from playground.lessons.cnn import model as cnn
from playground.lessons.cnn.batches import ImageBatches
from playground.lessons.cnn.config import ORDER, CnnConfig, generator, optimizer_of
from playground.lessons.cnn.evaluation import shares_of
from playground.lessons.cnn.model import CLASSES, SIDE, frozen
from playground.lessons.cnn.predictions import Moment
from playground.training.models import count_parameters, mlp
from playground.training.optimizers import SCHEDULES
from playground.training.trainer import Trainer

Array = NDArray[Any]
SHIFTS = tuple(range(9))  # pixels
IMAGES = 400  # of the test set, each moved four ways
CHUNK = 50  # images at a time
MOST_STEPS = 3_000  # of the plain model's training
WAYS = ((0, 1), (0, -1), (1, 0), (-1, 0))


def plain_model(parameters: int, config: CnnConfig) -> tuple[nn.Sequential, int]:
    """Flatten, linear, activation, linear, with about so many parameters; and how many hidden units it has."""
    pixels = SIDE * SIDE
    hidden = max(1, round((parameters - CLASSES) / (pixels + 1 + CLASSES)))
    layers = mlp(pixels, [hidden], CLASSES, activation=config.activation, generator=generator(config, 0))
    return nn.Sequential(nn.Flatten(), *layers), hidden


def shifted(x: Tensor, down: int, right: int) -> Tensor:
    """Images (n, 1, side, side) moved by whole pixels; what leaves is lost, what comes in is 0."""
    moved, side = torch.zeros_like(x), x.shape[-1]
    to = [slice(max(0, by), side + min(0, by)) for by in (down, right)]
    of = [slice(max(0, -by), side - max(0, by)) for by in (down, right)]
    moved[..., to[0], to[1]] = x[..., of[0], of[1]]
    return moved


class ShiftTest:
    """Trains a plain model as the convolutional one was, then moves test images under both; `advance` is one slice.

    The plain model gets as many steps (3,000 at most) over the same images in batches of the same size, with the same
    optimizer, learning rate, schedule and augmentation. `right` has the share of right answers of each model (rows)
    at each shift, over four directions; NaN until it is known.
    """

    def __init__(self, moment: Moment) -> None:
        config, device = moment.config, moment.config.torch_device
        self.config, self.of_step = config, moment.view.steps
        self.model = frozen(moment.view.model, device)
        self.parameters = count_parameters(self.model)
        plain, self.hidden = plain_model(self.parameters, config)
        self.plain = plain.to(device)
        self.plain_parameters = count_parameters(plain)
        self.steps = min(MOST_STEPS, moment.view.steps)
        self.until = max(1, moment.until)
        x, y = moment.digits.first(config.images)
        batches = ImageBatches(x, y, config.batch_size, generator(config, ORDER), config.augmentation)
        self.trainer = Trainer(self.plain, nn.CrossEntropyLoss(), optimizer_of(config, self.plain), batches)
        every = max(1, len(moment.digits.x_test) // IMAGES)
        self.x, self.y = moment.digits.x_test[::every][:IMAGES], moment.digits.y_test[::every][:IMAGES].cpu().numpy()
        self.trained = 0
        self.right = np.full((2, len(SHIFTS)), np.nan, np.float32)
        self.is_done = False
        self._work = self._train_and_test()

    def advance(self, seconds: float) -> None:
        """Go on until the time is up: at least one piece of work."""
        end = time.perf_counter() + seconds
        while not self.is_done:
            next(self._work, None)
            if time.perf_counter() >= end:
                return

    def _train_and_test(self) -> Iterator[None]:
        factor = SCHEDULES[self.config.schedule].factor
        while self.trained < self.steps:
            with torch.enable_grad():
                for group in self.trainer.optimizer.param_groups:
                    group["lr"] = self.config.lr * (factor(self.trained, self.until) if self.config.epochs else 1.0)
                self.trainer.step()
            self.trained += 1
            yield
        for at, pixels in enumerate(SHIFTS):
            for row, model in enumerate((self.model, self.plain)):
                yield from self._test(model, row, at, pixels)
        self.is_done = True

    def _test(self, model: nn.Sequential, row: int, at: int, pixels: int) -> Iterator[None]:
        hits, ways = 0, WAYS if pixels else WAYS[:1]
        for down, right in ways:
            moved = shifted(self.x, pixels * down, pixels * right)
            for start in range(0, len(moved), CHUNK):
                part = cnn.pixels(moved[start : start + CHUNK].reshape(-1, SIDE, SIDE).contiguous())
                hits += int((shares_of(model, part).argmax(axis=1) == self.y[start : start + CHUNK]).sum())
                yield
        self.right[row, at] = hits / (len(ways) * len(self.x))
