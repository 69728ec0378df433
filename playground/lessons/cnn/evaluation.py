"""Testing a digit model in slices between two steps of its training, and what the answers show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from playground.lessons.cnn.config import CnnData
from playground.lessons.cnn.model import CLASSES, frozen, scaled

Array = NDArray[Any]
SLICE = {"cpu": 200, "cuda": 5_000}  # images: about 20 ms
AT_ONCE = {
    "cpu": 50,
    "cuda": 5_000,
}  # images in one call: as many as a step of training, whose memory is at hand
SMALL_TEST = 2_000  # images
MOST_TESTS = 256


@dataclass(frozen=True, eq=False)
class Judged:
    """What the model of one step said of test images: of all, or of every few."""

    steps: int
    epochs: int
    index: Array  # of each image in the test set: (n,)
    labels: Array  # (n,)
    shares: Array  # of probability, (n, 10)

    @cached_property
    def guesses(self) -> Array:
        """The likeliest class of each image: (n,)."""
        guesses: Array = self.shares.argmax(axis=1)
        return guesses

    @cached_property
    def true_shares(self) -> Array:
        """The probability that each image's own class got: (n,)."""
        shares: Array = self.shares[np.arange(len(self.labels)), self.labels]
        return shares

    @property
    def accuracy(self) -> float:
        """The share of the images that are right."""
        return float((self.guesses == self.labels).mean())

    @property
    def loss(self) -> float:
        """The mean cross-entropy."""
        return float(-np.log(np.maximum(self.true_shares, 1e-12)).mean())

    @cached_property
    def confusion(self) -> Array:
        """How often each true class (row) was taken for each class (column): (10, 10)."""
        counts = np.zeros((CLASSES, CLASSES), int)
        np.add.at(counts, (self.labels, self.guesses), 1)
        return counts

    @property
    def per_class(self) -> Array:
        """The share of each class that is right: (10,), NaN for one that does not occur."""
        totals = self.confusion.sum(axis=1)
        empty: Array = np.full(CLASSES, np.nan)
        return np.divide(self.confusion.diagonal(), totals, out=empty, where=totals > 0)  # type: ignore[no-any-return]

    def hardest(self, count: int) -> Array:
        """The places (not the test set's numbers) of the images of the largest loss, the worst first: (count,)."""
        order: Array = np.argsort(self.true_shares, kind="stable")
        return order[:count]

    def cell(self, label: int, guess: int, count: int) -> Array:
        """The places of the images of a class that were taken for another (or the same), the surest first."""
        chosen = np.flatnonzero((self.labels == label) & (self.guesses == guess))
        return chosen[np.argsort(-self.shares[chosen, guess], kind="stable")][:count]


class SlicedTest:
    """A test of a model that does not change meanwhile: `advance` judges one slice, `result` is there at the end."""

    def __init__(self, model: nn.Sequential, digits: CnnData, *, steps: int, epochs: int, every: int = 1) -> None:
        self.is_whole = every == 1
        self.result: Judged | None = None
        self.steps = steps
        self._slices = self._judge(model, digits, steps, epochs, every)

    def advance(self) -> None:
        """Judge the next slice."""
        next(self._slices, None)

    def _judge(self, model: nn.Sequential, digits: CnnData, steps: int, epochs: int, every: int) -> Iterator[None]:
        x, shares = digits.x_test[::every], []
        size = SLICE[x.device.type]
        for start in range(0, len(x), size):
            shares.append(shares_of(model, x[start : start + size]))
            if start + size < len(x):
                yield
        index = np.arange(0, len(digits.x_test), every)
        self.result = Judged(steps, epochs, index, digits.y_test[::every].cpu().numpy(), np.concatenate(shares))


@dataclass
class Tester:
    """Keeps the tests of one training going, and their results: the latest of all, and each of the whole test set."""

    digits: CnnData
    pending: SlicedTest | None = None
    latest: Judged | None = None
    whole: list[tuple[int, float, float]] = field(default_factory=list)  # (step, accuracy, loss)

    def begin(self, model: nn.Sequential, *, steps: int, epochs: int, whole: bool) -> None:
        """Start a test of a model, in the place of any that is not done; a small one takes every few images."""
        every = 1 if whole else max(1, len(self.digits.x_test) // SMALL_TEST)
        copy = frozen(model, self.digits.x_test.device.type)
        self.pending = SlicedTest(copy, self.digits, steps=steps, epochs=epochs, every=every)

    def advance(self) -> None:
        """Judge a slice, if there is a test to go on with."""
        if self.pending is None:
            return
        self.pending.advance()
        if result := self.pending.result:
            if self.pending.is_whole:
                self.whole = [*self.whole[-MOST_TESTS + 1 :], (result.steps, result.accuracy, result.loss)]
            self.latest, self.pending = result, None


@torch.no_grad()
def shares_of(model: nn.Sequential, x: Tensor) -> Array:
    """The probabilities of all classes for pixels uint8 (n, 1, 28, 28), as float32 (n, 10)."""
    logits = torch.cat([model(scaled(part)) for part in torch.split(x, AT_ONCE[x.device.type])])
    shares: Array = functional.softmax(logits, dim=1).nan_to_num().float().cpu().numpy()
    return shares
