"""Tests of a digit model: when they are due, how they advance between two training steps, and what they show."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from playground.lessons.cnn.config import CnnData
from playground.lessons.cnn.model import CLASSES, frozen, in_train_mode, scaled
from playground.training.models import Dropout

Array = NDArray[Any]
SLICE_IMAGES = {"cpu": 200, "cuda": 5_000}  # about 20 ms
TEST_BATCH = {"cpu": 50, "cuda": 5_000}  # on the CPU as many as in a training step, whose memory is in the cache
SMALL_TEST_IMAGES = 2_000
SAMPLE_IMAGES = 200
SAMPLE_STEPS, FIRST_SAMPLE_STEPS = (
    128,
    (4, 8, 16, 32, 64),
)  # when the sample is tested
TRAINED_PER_SLICE = 600  # images trained on between two slices of a test
TRAINED_PER_FULL_TEST = 30_000  # images trained on between two tests of all images, at least
WATCH_SECONDS = 3.0  # how long tests continue after mistakes were last drawn
MAX_KEPT_TESTS = 256


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The predictions of the model of one step for test images: all of them, or every n-th."""

    steps: int
    indices: Array  # of each image in the test set: (n,)
    labels: Array  # (n,)
    probabilities: Array  # (n, 10)

    @cached_property
    def predicted(self) -> Array:
        """The most likely digit for each image: (n,)."""
        predicted: Array = self.probabilities.argmax(axis=1)
        return predicted

    @cached_property
    def true_probabilities(self) -> Array:
        """The probability of each image's true digit: (n,)."""
        probabilities: Array = self.probabilities[np.arange(len(self.labels)), self.labels]
        return probabilities

    @property
    def accuracy(self) -> float:
        """The fraction of correct predictions."""
        return float((self.predicted == self.labels).mean())

    @property
    def loss(self) -> float:
        """The mean cross-entropy."""
        return float(-np.log(np.maximum(self.true_probabilities, 1e-12)).mean())

    @cached_property
    def confusion(self) -> Array:
        """How often each true digit (row) was predicted as each digit (column): (10, 10)."""
        counts = np.zeros((CLASSES, CLASSES), int)
        np.add.at(counts, (self.labels, self.predicted), 1)
        return counts

    @property
    def class_accuracies(self) -> Array:
        """The fraction of correct predictions for each digit: (10,), NaN for one without images."""
        totals = self.confusion.sum(axis=1)
        empty: Array = np.full(CLASSES, np.nan)
        return np.divide(self.confusion.diagonal(), totals, out=empty, where=totals > 0)  # type: ignore[no-any-return]

    def hardest(self, count: int) -> Array:
        """Positions in this evaluation of the images with the largest loss, the largest first: (count,)."""
        order: Array = np.argsort(self.true_probabilities, kind="stable")
        return order[:count]

    def cell(self, label: int, predicted: int, count: int) -> Array:
        """Positions of the images of one digit that were predicted as a digit, the most confident first."""
        chosen = np.flatnonzero((self.labels == label) & (self.predicted == predicted))
        return chosen[np.argsort(-self.probabilities[chosen, predicted], kind="stable")][:count]


@dataclass(frozen=True)
class WayOfTests:
    """How a model is tested: in train mode, with model.eval() forgotten, and on images sorted by digit."""

    trains: bool = False
    is_sorted: bool = False

    def copied(self, model: nn.Sequential, device: str) -> nn.Sequential:
        """A copy of the model for a test."""
        return in_train_mode(model, device) if self.trains else frozen(model, device)

    def order(self, labels: Tensor) -> Tensor | slice:
        """The order in which images with these labels (n,) are tested."""
        return labels.argsort(stable=True) if self.is_sorted else slice(None)


EVALUATION = WayOfTests()


class SlicedTest:
    """A test of a model that does not change: `advance` tests one slice; `result` is set after the last one."""

    def __init__(
        self,
        model: nn.Sequential,
        digits: CnnData,
        *,
        steps: int,
        every: int = 1,
        tested: Iterable[Array] = (),
        way: WayOfTests = EVALUATION,
    ) -> None:
        self.way = way
        self.model = model
        self.tested = list(tested)  # the probabilities of each slice so far, (images, 10)
        self.is_full = every == 1
        self.result: Evaluation | None = None
        self.steps = steps
        self._slices = self._test(model, digits, every)

    def advance(self) -> None:
        """Test the next slice."""
        next(self._slices, None)

    def _test(self, model: nn.Sequential, digits: CnnData, every: int) -> Iterator[None]:
        order = self.way.order(digits.y_test[::every])
        x, probabilities = digits.x_test[::every][order], self.tested
        size = SLICE_IMAGES[x.device.type]
        for start in range(size * len(probabilities), len(x), size):
            probabilities.append(predict_probabilities(model, x[start : start + size], trains=self.way.trains))
            if start + size < len(x):
                yield
        indices = torch.arange(0, len(digits.x_test), every)[order].numpy()
        labels = digits.y_test[::every][order].cpu().numpy()
        self.result = Evaluation(self.steps, indices, labels, np.concatenate(probabilities))


class FullTest(NamedTuple):
    """The result of a test of all test images; checkpoints hold it as a list."""

    step: int
    accuracy: float
    loss: float


@dataclass(frozen=True, eq=False)
class Unfinished:
    """A test of all test images that has not ended: its step, its model's weights, and what it has found."""

    steps: int
    weights: dict[str, Tensor]
    tested: tuple[Array, ...]  # the probabilities of each slice, (images, 10)
    trained_since_slice: int  # images
    random_numbers: tuple[Tensor, ...] = ()  # the states of its dropouts' generators


class Tester:
    """Runs the tests of one training, in slices between its steps.

    All test images are tested at the end of the last epoch, and of an earlier one if enough images were trained on
    since the last such test. A smaller test runs again and again while somebody looks at mistakes, also of an earlier
    step. A new test replaces one that is not finished.
    """

    def __init__(self, digits: CnnData) -> None:
        self.digits = digits
        self.way = EVALUATION
        self.pending: SlicedTest | None = None
        self.latest: Evaluation | None = None
        self.sample: Evaluation | None = None  # of the few images that are tested often
        self.full_tests: list[FullTest] = []
        self.trained = self.trained_at_full_test = 0  # images
        self.watched_at = -math.inf
        self._trained_since_slice = 0  # images

    def use(self, way: WayOfTests, model: nn.Sequential, steps: int) -> None:
        """Test in this way from now on; a test of all images at this step is made again."""
        if way == self.way:
            return
        self.way, self.latest, self.sample = way, None, None
        again = self.has_tested_all(steps) or self.is_testing_all(steps)
        self.pending = None
        if again:
            self.full_tests = [test for test in self.full_tests if test.step != steps]
            self.begin(model, steps, full=True)

    def after_step(self, model: nn.Sequential, steps: int, images: int, *, ends_epoch: bool, is_last: bool) -> None:
        """Start a test if one is due after a step on `images` images, and test the slices that are due."""
        self.trained += images
        if ends_epoch and (is_last or self.trained - self.trained_at_full_test >= TRAINED_PER_FULL_TEST):
            self.begin(model, steps, full=True)
        elif self.pending is None and time.monotonic() < self.watched_at + WATCH_SECONDS:
            self.begin(model, steps, full=False)
        if self.pending is None:
            self._trained_since_slice = 0
            return
        self._trained_since_slice = min(self._trained_since_slice + images, 10 * TRAINED_PER_SLICE)
        while self._trained_since_slice >= TRAINED_PER_SLICE and not is_last:
            self._trained_since_slice -= TRAINED_PER_SLICE
            self.advance()

    def finish(self, model: nn.Sequential, steps: int) -> None:
        """Test the next slice of all test images at this step."""
        if self.is_testing_all(steps):
            self.advance()
        else:
            self.begin(model, steps, full=True)

    def watch(self, model: nn.Sequential, steps: int, *, rests: bool) -> bool:
        """Note that mistakes are drawn; returns whether those of this step are still to come.

        While the training rests, this tests the next slice; else `after_step` does.
        """
        self.watched_at = time.monotonic()
        if self.latest is not None and self.latest.steps == steps:
            return False
        if rests:
            if self.pending is None or self.pending.steps != steps:
                self.begin(model, steps, full=False)
            self.advance()
        return True

    def begin(self, model: nn.Sequential, steps: int, *, full: bool) -> None:
        """Start a test of all test images, or of every n-th, with a copy of the model."""
        if full:
            self.trained_at_full_test = self.trained
        every = 1 if full else max(1, len(self.digits.x_test) // SMALL_TEST_IMAGES)
        copy = self.way.copied(model, self.digits.x_test.device.type)
        self.pending = SlicedTest(copy, self.digits, steps=steps, every=every, way=self.way)

    @torch.no_grad()
    def advance(self) -> None:
        """Test the next slice, if a test is running."""
        if self.pending is None:
            return
        self.pending.advance()
        if result := self.pending.result:
            if self.pending.is_full:
                self.full_tests.append(FullTest(result.steps, result.accuracy, result.loss))
                del self.full_tests[:-MAX_KEPT_TESTS]
            self.latest, self.pending = result, None

    def is_testing_all(self, steps: int) -> bool:
        """Whether a test of all test images at this step is running."""
        return self.pending is not None and self.pending.is_full and self.pending.steps == steps

    def has_tested_all(self, steps: int) -> bool:
        """Whether the last test of all test images was at this step."""
        return bool(self.full_tests) and self.full_tests[-1].step == steps

    def accuracy_at(self, steps: int) -> float | None:
        """The accuracy on all test images that was known at a step."""
        known = [test.accuracy for test in self.full_tests if test.step <= steps]
        return known[-1] if known else None

    def sample_accuracy(self, model: nn.Sequential, steps: int) -> float:
        """The accuracy on the sample of 200 test images, of the model after `steps` steps."""
        digits, way = self.digits, self.way
        every = slice(None, None, max(1, len(digits.x_test) // SAMPLE_IMAGES))
        labels = digits.y_test[every][:SAMPLE_IMAGES]
        order = way.order(labels)
        tested = way.copied(model, digits.x_test.device.type) if way.trains else model
        x = digits.x_test[every][:SAMPLE_IMAGES][order]
        probabilities = predict_probabilities(tested, x, trains=way.trains)
        indices = torch.arange(len(digits.x_test))[every][:SAMPLE_IMAGES][order].numpy()
        self.sample = Evaluation(steps, indices, labels[order].cpu().numpy(), probabilities)
        return self.sample.accuracy

    @property
    def shown(self) -> Evaluation | None:
        """The test whose mistakes are shown: the last one, or the sample's where that is newer and nobody watches."""
        is_watched = time.monotonic() < self.watched_at + WATCH_SECONDS
        if self.latest is None or self.sample is None or is_watched:
            return self.latest or self.sample
        return max(self.latest, self.sample, key=lambda each: each.steps)

    def unfinished(self) -> Unfinished | None:
        """A test of all test images that is running, with what it has found; None where there is none."""
        test = self.pending
        if test is None or not test.is_full:
            return None
        weights = {name: value.cpu().clone() for name, value in test.model.state_dict().items()}
        numbers = tuple(each.generator.get_state() for each in test.model.modules() if isinstance(each, Dropout))
        return Unfinished(test.steps, weights, tuple(test.tested), self._trained_since_slice, numbers)

    def continue_test(self, model: nn.Sequential, test: Unfinished) -> None:
        """Continue a test that another process has begun; `model` has the same shape."""
        copy = self.way.copied(model, self.digits.x_test.device.type)
        copy.load_state_dict(test.weights)
        dropouts = [each for each in copy.modules() if isinstance(each, Dropout)]
        for dropout, numbers in zip(dropouts, test.random_numbers, strict=False):
            dropout.generator.set_state(numbers)
        self.pending = SlicedTest(copy, self.digits, steps=test.steps, tested=test.tested, way=self.way)
        self._trained_since_slice = test.trained_since_slice

    def restore(self, trained: Iterable[int], full_tests: Iterable[FullTest]) -> None:
        """Take over the counts and the results of a checkpoint."""
        self.trained, self.trained_at_full_test = trained
        self.full_tests = list(full_tests)


def is_sample_due(steps: int) -> bool:
    """Whether the sample of test images is tested at this step."""
    return steps % SAMPLE_STEPS == 0 or steps in FIRST_SAMPLE_STEPS


@torch.no_grad()
def predict_probabilities(model: nn.Sequential, x: Tensor, *, trains: bool = False) -> Array:
    """The probabilities of all digits for pixels uint8 (n, 1, 28, 28), as float32 (n, 10).

    `trains` lets dropout and batch norm work as in training; no parameter of the model may then require a gradient.
    """
    with torch.set_grad_enabled(trains):
        return _probabilities(model, x)


def _probabilities(model: nn.Sequential, x: Tensor) -> Array:
    logits = torch.cat([model(scaled(part)) for part in torch.split(x, TEST_BATCH[x.device.type])])
    probabilities: Array = functional.softmax(logits, dim=1).nan_to_num().float().cpu().numpy()
    return probabilities
