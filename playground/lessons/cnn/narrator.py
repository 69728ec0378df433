"""What the lesson says about a training on digits, as rules: how far it is, what is wrong, how it reads an image."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from playground.lessons.cnn.config import IMAGES, LEARNING_RATES
from playground.lessons.cnn.frame_context import FrameContext
from playground.lessons.cnn.metrics import LAYERS
from playground.lessons.cnn.model import CLASSES, SIDE
from playground.lessons.cnn.words import A_DIGIT, ADVICE, NARRATOR
from playground.lessons.doctor import examine
from playground.lessons.doctor import rules as doctor
from playground.lessons.doctor.evidence import Evidence
from playground.lessons.narrator import Rule, first_finding
from playground.runs.periods import Period

Array = NDArray[Any]
GUESSING = math.log(CLASSES)  # the cross-entropy of equal probabilities
NEAR_GUESSING = 0.97  # of it: a training loss above that share says nothing yet
MIN_STEPS = 60
RISE = 1.25  # of the mean training loss: a smaller one may be noise
LATE_ROWS, MIN_IMAGES = 6, 300  # whose mean is the current loss: at least six rows, and rows of at least 300 images
TOO_LONG_STEPS = 1.02  # of the loss of guessing: above it, steps were too long; below it, they are too short
LEAP = 1.25  # of the loss of guessing: after a higher one, saturated units are the result of a step too long
MIN_SORTED_PERCENT = 50.0  # of the test images: below it, sorted training images have done harm
GAP = 0.05  # between the accuracies on training batches and on all test images: overfitting


@dataclass(frozen=True)
class CnnSituation:
    """What the rules read: the frame, how the run stands, and the training losses since the last change."""

    frame: FrameContext
    period: Period
    outcome: str
    is_last: bool  # whether the last epoch is over

    @property
    def since(self) -> str:
        """The last change in words; "" if there was none."""
        return self.period.since

    @property
    def is_current(self) -> bool:
        """Whether the current step is shown."""
        return self.frame.view.is_current

    def losses(self, *, before: bool = False) -> Array:
        """The finite training losses since the last change, or before it: means of batches that were all after it."""
        history = self.frame.history
        steps, losses, since = history.steps(), history.column("train"), self.period.start
        chosen = losses[steps <= since if before else steps >= since + history.stride]
        return np.asarray(chosen[np.isfinite(chosen)])

    def late_loss(self, *, before: bool = False) -> float:
        """The mean of the last training losses since the last change, or before it; NaN while they are too few."""
        losses = self.losses(before=before)
        images_of_a_row = self.frame.history.stride * self.frame.config.batch_size
        rows = max(LATE_ROWS, -(-MIN_IMAGES // images_of_a_row))  # one image in a step makes the losses noisy
        return float(losses[-rows:].mean()) if len(losses) >= 2 * rows else math.nan

    @property
    def evidence(self) -> Evidence:
        """What the doctor's rules read."""
        history, since = self.frame.history, self.period.start
        layers = [each for each in self.frame.live_model if isinstance(each, (nn.Conv2d, nn.Linear))]
        names = [*LAYERS[: len(layers) - 1], LAYERS[-1]]
        places = [(SIDE >> at) ** 2 for at in range(len(layers) - 1)]  # each pooling halves the sides
        return Evidence(
            losses=self.losses(), steps_taken=self.frame.view.steps - since, since=self.since, classes=CLASSES,
            constant_loss=GUESSING, layers=examine.layers_of(layers, names, history, since, [*places, 1]),
        )  # fmt: skip


@dataclass(frozen=True)
class Nothing:
    """Nothing but the fact itself."""


@dataclass(frozen=True)
class Reading:
    """How the model reads the selected image; `digit` is the true one, -1 for an own image."""

    digit: int
    a_predicted: str
    percent: float


@dataclass(frozen=True)
class Tested:
    """The result on all test images, and the accuracy on the last training batches."""

    images: int
    right: int
    test_percent: float
    train_percent: float


@dataclass(frozen=True)
class Testing:
    """How many test images are being tested."""

    images: int


@dataclass(frozen=True)
class Blank:
    """A layer whose maps are all 0 for the selected image, from 1."""

    layer: int
    maps: int


@dataclass(frozen=True)
class Loss:
    """The mean training loss of the last rows, the one before the last change, and that of guessing."""

    loss: float
    first: float
    guessing: float


def _failed(now: CnnSituation) -> Nothing | None:
    return Nothing() if now.outcome == "failed" and now.is_current else None


def _reading(now: CnnSituation) -> Reading:
    predictions = now.frame.predictions
    digit = -1 if predictions.label is None else predictions.label
    percent = 100 * float(predictions.probabilities[predictions.predicted])
    return Reading(digit, A_DIGIT[predictions.predicted], round(percent, 1))


def _reading_if(holds: Callable[[CnnSituation, bool], bool]) -> Callable[[CnnSituation], Reading | None]:
    """The reading, if a condition of the situation and of its being right holds."""

    def find(now: CnnSituation) -> Reading | None:
        predictions = now.frame.predictions
        return _reading(now) if holds(now, predictions.predicted == predictions.label) else None

    return find


def _testing(now: CnnSituation) -> Testing | None:
    return Testing(len(now.frame.digits.x_test)) if now.is_current and now.is_last and not now.outcome else None


def _tested(now: CnnSituation) -> Tested | None:
    steps, images = now.frame.view.steps, len(now.frame.digits.x_test)
    accuracy = now.frame.tester.accuracy_at(steps)
    if now.outcome != "done" or not now.is_current or accuracy is None or not now.frame.tester.has_tested_all(steps):
        return None
    train = now.frame.history.column("accuracy")
    train = train[np.isfinite(train)]
    train_percent = 100 * float(train[-LATE_ROWS:].mean()) if len(train) else math.nan
    return Tested(images, round(images * accuracy), round(100 * accuracy, 2), round(train_percent, 2))


def _tested_in_train_mode(now: CnnSituation) -> Tested | None:
    config = now.frame.config
    return _tested(now) if config.test_mode == "train" and (config.batch_norm or config.dropout) else None


def _sorted(now: CnnSituation) -> Tested | None:
    tested = _tested(now)
    is_poor = tested is not None and tested.test_percent < MIN_SORTED_PERCENT
    return tested if now.frame.config.train_order == "sorted" and is_poor else None


def _overfitted(now: CnnSituation) -> Tested | None:
    tested = _tested(now)
    return tested if tested and tested.train_percent - tested.test_percent > 100 * GAP else None


def _unstepped(now: CnnSituation) -> Nothing | None:
    is_new = now.since and now.is_current and now.frame.view.steps == now.period.start and not now.outcome
    return Nothing() if is_new else None


def _blank(now: CnnSituation) -> Blank | None:
    """Only where the loss has not left that of guessing: for one image a layer may be blank in a good model, too."""
    if not now.is_current or _guessing(now) is None:
        return None
    for stage in now.frame.predictions.stages:
        if stage.kind == "activation" and not stage.output.any():
            return Blank(stage.layer + 1, stage.output.shape[1])
    return None


def _guessing(now: CnnSituation) -> Loss | None:
    steps = now.frame.view.steps - now.period.start
    if not now.is_current or steps < MIN_STEPS or not now.late_loss() > NEAR_GUESSING * GUESSING:
        return None
    return Loss(now.late_loss(), float(now.losses()[0]), GUESSING)


def _dies_backwards(now: CnnSituation) -> Any:
    """What the doctor finds, where the loss has not left that of guessing, and never leapt far above it."""
    if _guessing(now) is None or now.losses().max() > LEAP * GUESSING:
        return None
    return doctor.named("dies backwards").find(now.evidence)


def _to_lead_gradients_back(now: CnnSituation, found: Any) -> str:
    del found
    return ADVICE["relu" if now.frame.config.activation != "relu" else "reset"]


def _rising(now: CnnSituation) -> Loss | None:
    if not now.since or not now.is_current:
        return None
    first, loss = now.late_loss(before=True), now.late_loss()
    return Loss(loss, first, GUESSING) if loss > RISE * first else None  # NaN where one of them is not known


def _lower_rate(now: CnnSituation, found: Any) -> str:
    del found
    return ADVICE["lower, reset" if now.frame.config.lr > LEARNING_RATES[0] else "reset"]


def _other_rate(now: CnnSituation, found: Any) -> str:
    """A lower rate where the loss was above that of guessing, else a higher one."""
    if now.losses().max() > TOO_LONG_STEPS * GUESSING:
        return _lower_rate(now, found)
    return ADVICE["higher" if now.frame.config.lr < LEARNING_RATES[-1] else "reset"]


def _undo(now: CnnSituation, found: Any) -> str:
    del found
    return ADVICE["lower or undo" if now.frame.config.lr > LEARNING_RATES[0] else "undo"]


def _against_overfitting(now: CnnSituation, found: Any) -> str:
    del found
    config, most = now.frame.config, len(now.frame.digits.x_train)
    has_more = min(config.images, most) < min(most, IMAGES[-1])
    return ADVICE["images" if has_more else "" if config.shift or config.turn else "augmentation"]


def _advice(name: str) -> Callable[[CnnSituation, Any], str]:
    return lambda now, found: ADVICE[name]


RULES: tuple[Rule[CnnSituation], ...] = (
    Rule("failed", _failed, NARRATOR["failed"], NARRATOR["failed since"], advice=_lower_rate),
    Rule("own", _reading_if(lambda now, right: now.frame.predictions.label is None), NARRATOR["own"]),
    Rule("testing", _testing, NARRATOR["testing"]),
    Rule("train mode", _tested_in_train_mode, NARRATOR["train mode"], advice=_advice("eval")),
    Rule("sorted", _sorted, NARRATOR["sorted"], advice=_advice("shuffle")),
    Rule("overfitted", _overfitted, NARRATOR["overfitted"], advice=_against_overfitting),
    Rule("untrained", _reading_if(lambda now, right: now.frame.view.steps == 0), NARRATOR["untrained"]),
    Rule("unstepped", _unstepped, NARRATOR["unstepped"]),
    Rule("blank", _blank, NARRATOR["blank"], NARRATOR["blank since"], advice=_lower_rate),
    Rule(
        "dies backwards",
        _dies_backwards,
        NARRATOR["dies backwards"],
        advice=_to_lead_gradients_back,
    ),
    Rule("guessing", _guessing, NARRATOR["guessing"], NARRATOR["guessing since"], advice=_other_rate),
    Rule("tested", _tested, NARRATOR["tested"]),
    Rule("rising", _rising, NARRATOR["rising"], advice=_undo),
    Rule("right", _reading_if(lambda now, right: right), NARRATOR["right"]),
    Rule("wrong", _reading, NARRATOR["wrong"]),
)


def narrate(frame: FrameContext, period: Period, outcome: str, *, is_last: bool) -> str:
    """The sentence above the charts; `is_last` says whether the last epoch is over."""
    return first_finding(RULES, CnnSituation(frame, period, outcome, is_last)).text
