"""The shift test: accuracy on shifted test images, of the model shown and of a fully connected one of the same size."""

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
from playground.lessons.cnn.config import ORDER_SEED, CnnConfig, generator
from playground.lessons.cnn.evaluation import predict_probabilities
from playground.lessons.cnn.frame_context import FrameContext
from playground.lessons.cnn.model import CLASSES, SIDE, frozen
from playground.training.models import count_parameters, mlp
from playground.training.optimizers import SCHEDULES
from playground.training.retune import optimizer_of
from playground.training.trainer import Trainer

Array = NDArray[Any]
SHIFTS = tuple(range(9))  # pixels
TEST_IMAGES = 400  # each shifted in four directions
BATCH_IMAGES = 50
MAX_PLAIN_STEPS = 3_000
DIRECTIONS = ((0, 1), (0, -1), (1, 0), (-1, 0))


def plain_model(parameters: int, config: CnnConfig) -> tuple[nn.Sequential, int]:
    """Flatten, linear, activation, linear, with about `parameters` parameters; and its number of hidden units."""
    pixels = SIDE * SIDE
    hidden = max(1, round((parameters - CLASSES) / (pixels + 1 + CLASSES)))
    layers = mlp(pixels, [hidden], CLASSES, activation=config.activation, generator=generator(config, 0))
    return nn.Sequential(nn.Flatten(), *layers), hidden


def shifted(x: Tensor, down: int, right: int) -> Tensor:
    """Images (n, 1, side, side) shifted by whole pixels; new pixels are 0."""
    moved, side = torch.zeros_like(x), x.shape[-1]
    to = [slice(max(0, by), side + min(0, by)) for by in (down, right)]
    of = [slice(max(0, -by), side - max(0, by)) for by in (down, right)]
    moved[..., to[0], to[1]] = x[..., of[0], of[1]]
    return moved


class ShiftTest:
    """Trains a fully connected (plain) model like the convolutional one, then tests both on shifted images, in slices.

    The plain model gets as many steps (3,000 at most) over the same images in batches of the same size, with the same
    optimizer, learning rate, schedule and augmentation. `accuracies` has the accuracy of each model (rows) for each
    shift, over four directions; NaN until it is known.
    """

    def __init__(self, frame: FrameContext) -> None:
        config, device = frame.config, frame.config.torch_device
        self.config, self.cnn_steps = config, frame.view.steps
        self.model = frozen(frame.view.model, device)
        self.parameters = count_parameters(self.model)
        plain, self.hidden = plain_model(self.parameters, config)
        self.plain = plain.to(device)
        self.plain_parameters = count_parameters(plain)
        self.steps = min(MAX_PLAIN_STEPS, frame.view.steps)
        self.plan_steps = max(1, frame.plan_end)
        x, y = frame.digits.first(config.images)
        batches = ImageBatches(x, y, config.batch_size, generator(config, ORDER_SEED), config.augmentation)
        self.trainer = Trainer(self.plain, nn.CrossEntropyLoss(), optimizer_of(config, self.plain), batches)
        every = max(1, len(frame.digits.x_test) // TEST_IMAGES)
        self.x = frame.digits.x_test[::every][:TEST_IMAGES]
        self.y = frame.digits.y_test[::every][:TEST_IMAGES].cpu().numpy()
        self.trained = 0
        self.accuracies = np.full((2, len(SHIFTS)), np.nan, np.float32)
        self.is_done = False
        self._work = self._train_and_test()

    def advance(self, seconds: float) -> None:
        """Continue until the time is up: at least one step or batch."""
        end = time.perf_counter() + seconds
        while not self.is_done:
            next(self._work, None)
            if time.perf_counter() >= end:
                return

    def _train_and_test(self) -> Iterator[None]:
        factor = SCHEDULES[self.config.schedule].factor
        while self.trained < self.steps:
            with torch.enable_grad():
                scale = factor(self.trained, self.plan_steps) if self.config.epochs else 1.0
                for group in self.trainer.optimizer.param_groups:
                    group["lr"] = self.config.lr * scale
                self.trainer.step()
            self.trained += 1
            yield
        for at, pixels in enumerate(SHIFTS):
            for row, model in enumerate((self.model, self.plain)):
                yield from self._test(model, row, at, pixels)
        self.is_done = True

    def _test(self, model: nn.Sequential, row: int, at: int, pixels: int) -> Iterator[None]:
        right, directions = 0, DIRECTIONS if pixels else DIRECTIONS[:1]
        for down, across in directions:
            x = shifted(self.x, pixels * down, pixels * across)
            for start in range(0, len(x), BATCH_IMAGES):
                part = slice(start, start + BATCH_IMAGES)
                batch = cnn.pixels(x[part].reshape(-1, SIDE, SIDE).contiguous())
                right += int((predict_probabilities(model, batch).argmax(axis=1) == self.y[part]).sum())
                yield
        self.accuracies[row, at] = right / (len(directions) * len(self.x))
