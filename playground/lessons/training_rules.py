"""The rules by which the narrator judges a regression or a classification, in order: the first that applies speaks.

Problems come before praise, and a cause before its symptom. Each rule judges the steps since the last change alone.
The doctor's rules stand among them where a run of these lessons can show what they look for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from playground.lessons.doctor import rules as doctor
from playground.lessons.doctor.evidence import Evidence, Layer
from playground.lessons.doctor.words import SENTENCES as DOCTOR
from playground.lessons.narrator import Rule
from playground.runs.periods import Period
from playground.runs.trends import MIN_ROWS, LossRows, Trend, smooth
from playground.training.probe import Probe

MIN_FIT = 0.5  # below it a fit is poor
MIN_LOSS_TO_JUMP = 0.02  # as a share of a constant prediction's loss: below it, jumps are not mentioned
MIN_LOSS_TO_FALL = 0.002  # the same: below it, nobody asks for longer steps
MAX_INPUT = 20
SAME_LOSS = 1e-4  # of the loss: a smaller difference is rounding
RISE = 0.02  # of the loss: a smaller difference from the first one is none
NOISY_RISE = 0.1  # the same where each step sees a part of the data alone
SMOOTHED = 5  # rows whose mean counts where batches or dropout make the losses noisy
STAYS = 1.15  # the test loss must stay above its lowest by this factor
OVERFIT_RISE, OVERFIT_FALL = 1.3, 0.9  # of the test loss over its lowest, and of the training loss since then
MIN_GAIN = 0.1  # of the loss, by the probe's steps: with less there is little left to gain
MIN_OWN_GAIN = 0.01  # of the loss, by the run's own steps without dropout
MIN_RISE_ROWS = 6  # after a change: a loss that leaps at once was thrown up by the step, not pulled by a penalty
MIN_PENALTY_SHARE = 0.5  # of the loss's own pull
NOISY = 0.05  # of the loss: with smaller rises in all, batches do not make it bounce
OUTLIER_SHARE = 0.05  # of the points; they are outliers if they cause more than MIN_OUTLIER_LOSS of the loss
MIN_OUTLIER_LOSS = 0.5
GUESSING = 0.9  # of the loss of a constant prediction: a classifier with a higher one is hardly better
NEAR_THE_FLOOR = 1.3  # of the lowest loss of softmax applied twice: the rest is of no use
NEAR_THE_CURVE = 1.1  # of the loss of the curve behind the points: what is left is their noise
SLOW_START = 0.05  # of the first loss: a training that took away less has hardly moved
LOW_RATE = 0.1  # of the step that pays in the probe: a plateau at a lower rate may be only a slow start
VERY_LOW_RATE = 0.001  # the same, where dropout is on
MAX_FAR_INPUT = 10  # where the loss is not finite: inputs as large as this are why
SATURATING = ("sigmoid", "tanh", "softplus")  # activations whose slopes can be near 0 on both sides, or small
COLLAPSED = 0.05  # weights no larger than this are as good as none

FROM_THE_DOCTOR = ("kept gradients", "target scale", "dies backwards", "constant", "one prediction")
SENTENCES = {
    **{name: DOCTOR[name] for name in FROM_THE_DOCTOR},
    "past": "You are looking back at step {step:,}.",
    "diverged": "Diverged at step {step:,}: the loss is not finite (NaN).",
    "one class": "All training points have class {label}: there is nothing to tell apart. Add other points.",
    "far": "The inputs go up to ±{largest}, but models learn best near ±1.",
    "start": "Press Play and watch the model learn. You can change most settings while it runs.",
    "went back": "You went back to step {step:,}, before the divergence, with a new optimizer.",
    "continued": "You continue from step {step:,} with an empty optimizer state. Change a setting, or press Play.",
    "changed loss": "{since}: the training loss is {loss} (before: {before}). Press Play.",
    "changed": "{since}: no step yet. Press Play to see what it does.",
    "same units": "All {units} units of layer {layer} have the same weights, so all of them learn the same.",
    "dead layer": "All {units} units of layer {layer} are dead: they output 0 and get no gradient.",
    "dead units": "{dead} of {units} hidden units are dead: they output 0 and get no gradient.",
    "perfect": "The training loss is 0 to the last digit of float32, so there is nothing left to learn.",
    "overfitting": "Overfitting since step {best_at:,}: the training loss fell, but the test loss rose to {test}.",
    "collapsed": "{label} ({rate}) has shrunk all weights of {layer} to at most {largest}.",
    "penalty rise": "The training loss rose from {first} to {loss}: {label} ({rate}) pulls the weights to 0.",
    "penalty": "{label} ({rate}) keeps the loss at {loss}: it pulls the weights to 0 as hard as the loss pulls them "
    "away.",
    "dropout noise": "The loss bounces, because dropout leaves out other units in each step.",
    "dropout": "{label} ({rate}) keeps the loss at {loss}: without it the next steps would lower it.",
    "bouncing": "The loss bounces more than it falls: the steps are too long.",
    "noisy": "The loss bounces around {mean}: each step sees other points.",
    "no layer": "The loss no longer falls: without a hidden layer the model is a straight line.",
    "no layer, classes": "The loss no longer falls: without a hidden layer, the boundary is straight.",
    "linear": "The loss no longer falls: without an activation, all layers together are linear.",
    "softmax twice": "Softmax is applied twice, so the loss ({loss}) cannot fall below {floor}.",
    "noise": "The loss no longer falls: it is about that of the true curve ({floor}). The rest is noise.",
    "slow": "The loss hardly changes, but it is not at a minimum: longer steps would lower it to {reachable}.",
    "outliers": "The loss no longer falls: {points} of the {total} training points cause {percent} % of it.",
    "rising": "The training loss rose from {first} to {loss}.",
    "falling again": "The training loss rose and falls again: it is {loss} now and was {first} at first.",
    "rising again": "The training loss fell to {first}, but it has risen again to {loss}.",
    "guessing": "A plateau: the loss no longer falls; it is about that of guessing ({constant}).",
    "plateau": "A plateau: the loss no longer falls, and the fit is poor.",
    "plateau, classes": "A plateau: the loss no longer falls; {percent} % of the training points are correct.",
    "limit": "Stopped at step {step:,} with a training loss of {loss}. Press Play to continue to step {next_stop:,}.",
    "target": "Stopped at your target: the training loss is {loss}. Press Play to continue.",
    "around": "The loss goes up and down around {mean}; it no longer falls.",
    "settled": "The loss has settled at {loss}; it hardly changes any more.",
    "all falls": "All training points are classified correctly. The loss ({loss}) still falls: confidence grows.",
    "all": "All training points are classified correctly. The loss is {loss}.",
    "classes": "Learning: the loss fell from {first} to {loss}; {percent} % of the training points are correct.",
    "falling": "Learning: the training loss fell from {first} to {loss}.",
    "no news": "The training loss is {loss}, about as at first ({first}).",
}
SENTENCES_SINCE = {
    "overfitting": "{since}: overfitting. From step {best_at:,} on, the test loss rose to {test}.",
    "diverged": "{since}: diverged at step {step:,} (NaN).",
    "penalty rise": "{since}: the loss rose to {loss}. {label} ({rate}) pulls the weights to 0.",
    "bouncing": "{since}: the loss bounces more than it falls, because the steps are too long.",
    "noisy": "{since}: the loss bounces around {mean}, because each step sees other points.",
    "noise": "{since}: the loss is about that of the true curve ({floor}). The rest is noise.",
    "slow": "{since}: the loss hardly changes; longer steps would lower it to {reachable}.",
    "outliers": "{since}: {points} of the {total} training points cause {percent} % of the loss.",
    "rising": "{since}: the training loss rose from {first} to {loss}.",
    "falling again": "{since}: the loss rose and falls again: {loss} now, {first} then.",
    "rising again": "{since}: the training loss fell to {first}, but it has risen again to {loss}.",
    "guessing": "{since}: the loss stays about that of guessing ({constant}).",
    "plateau": "{since}: the loss no longer falls, and the fit is poor.",
    "plateau, classes": "{since}: the loss no longer falls; {percent} % of the points are correct.",
    "around": "{since}: the loss goes up and down around {mean}; it no longer falls.",
    "settled": "{since}: the loss has settled at {loss}; it hardly changes any more.",
    "classes": "{since}: the loss fell from {first} to {loss}; {percent} % are correct.",
    "falling": "{since}: the training loss fell from {first} to {loss}.",
    "no news": "{since}: the training loss has hardly changed ({loss}).",
}
CAUSES = {"weight_decay": "Weight decay", "l1": "The L1 penalty", "dropout": "Dropout"}  # {label} of these sentences
LAYERS = {"hidden": "layer {number}", "output": "the output layer"}  # {layer}
ADVICE = {
    "now": "Press Now to return.",
    "now or play": "Press Now or Play to return.",
    "scale": "Scale your table, then load it.",
    "normalise": "Switch on “Normalise x” in All settings.",
    "go back, lower": "Go back to step {good_step:,} and lower the learning rate, or press Reset.",
    "go back": "Go back to step {good_step:,} and change something else, or press Reset.",
    "lower, reset": "Lower the learning rate, then press Reset.",
    "reset": "The learning rate is the lowest; change another setting, then press Reset.",
    "lower, play": "Lower the learning rate, then press Play.",
    "play": "Change another setting, then press Play.",
    "initialisation": "Choose another initialisation.",
    "leaky": "Choose Leaky ReLU or another seed.",
    "leaky, lower": "Choose Leaky ReLU, or another seed and a lower rate.",
    "lower rate": "Try a lower learning rate.",
    "lower rate or undo": "Lower the learning rate or undo this change.",
    "undo": "Undo this change.",
    "zero_grad": "Switch zero_grad() on.",
    "scale targets": "Scale your table, then load it.",
    "relu": "Choose ReLU, or take layers away.",
    "lower rate or more points": "Try a lower learning rate or a larger batch.",
    "larger batch": "Try a larger batch.",
    "higher rate": "Try a higher learning rate.",
    "adam": "Try the optimizer Adam.",
    "lower penalty": "Lower it.",
    "lower penalty, reset": "Lower it, then press Reset.",
    "cross-entropy": "Set the loss to cross-entropy.",
    "huber": "With the Huber loss they pull less.",
    "lower dropout": "Lower the dropout or the learning rate.",
    "layer": "Add a hidden layer.",
    "layer or inputs": "Add a hidden layer or other inputs.",
    "activation": "Choose an activation such as Tanh or ReLU.",
    "units": "Try more units or another seed.",
    "units or layers": "Try more units, another layer or another seed.",
    "inputs": "Try other inputs, more units or another seed.",
    "inputs or layers": "Try other inputs, another layer or another seed.",
    "layers": "Try another layer or another seed.",
    "seed": "Try another seed.",
    "decay": "Try more points or a weight decay.",
    "points": "Try more training points.",
}


@dataclass(frozen=True)
class TrainingSituation:
    """What the rules read of a training: the current numbers, the rows since the last change, and what can be set."""

    config: Any
    period: Period  # since the last change
    step: int
    is_current: bool  # or an earlier step is shown
    outcome: str
    loss: float  # on all training points, of the weights shown
    rows: LossRows  # since the last change
    fit: float  # 1 is perfect, 0 as good as a constant prediction
    constant_loss: float  # of the best constant prediction
    is_whole: bool  # whether each batch is the whole data
    dead: tuple[int, ...]  # units of each hidden layer that output 0 for every training point
    largest_input: float
    stop_at: float  # the step of the stop rule
    probe: Callable[[], Probe]
    fresh_probe: Callable[[], Probe]  # of the weights at step 0
    without_dropout: Callable[[], float] = lambda: math.nan  # the loss after some of its own steps without dropout
    errors: NDArray[Any] | None = None  # of a regression with squared errors: |error| of each training point (points,)
    floor: float = math.nan  # the training loss of the curve behind generated points
    steps_per_epoch: int = 1
    test_loss: float = math.nan  # on all test points, of the weights shown
    accuracy: float = math.nan  # of a classification
    classes: tuple[int, ...] = ()  # that training points have
    same_units: int = 0  # the first hidden layer whose units are all the same, from 1; 0 if there is none
    good_step: int | None = None  # after a divergence, the step to which the run can go back
    max_units: int = 0
    max_layers: int = 0
    has_more_inputs: bool = False
    targets: tuple[float, float] = (math.nan, math.nan)  # of a regression: the mean and the spread of y
    output_spread: float = math.nan  # of a regression: the standard deviation of the predictions
    one_class: int = -1  # of a classification: the only class that is predicted
    layers: Callable[[], tuple[Layer, ...]] = tuple  # with their gradients since the last change
    held_gradients: Callable[[], tuple[float, float]] | None = None  # norms: of the sum so far, and of the new one

    @cached_property
    def evidence(self) -> Evidence:
        """What the doctor's rules read, without what has to be measured."""
        return Evidence(
            losses=self.rows.train, steps_taken=self.step - self.period.start, since=self.since,
            constant_loss=self.constant_loss,
            classes=len(self.classes), one_class=self.one_class, output_spread=self.output_spread,
            target_mean=self.targets[0], target_spread=self.targets[1],
        )  # fmt: skip

    @property
    def since(self) -> str:
        """The last change in words; "" if there was none."""
        return self.period.since

    @property
    def widths(self) -> tuple[int, ...]:
        """The units of each hidden layer."""
        return tuple(self.config.widths)

    @cached_property
    def first(self) -> float:
        """The training loss right after the last change, or at step 0."""
        return float(self.rows.train[0] if len(self.rows.train) else self.loss)

    @property
    def trend(self) -> Trend | None:
        """Where the training loss is going; None while it is too early to say: not all points were in a batch yet."""
        return self.rows.trend if self.step - self.period.start >= self.steps_per_epoch else None

    @property
    def is_noisy(self) -> bool:
        """Whether each step sees a part of the data or of the model alone."""
        return not self.is_whole or self.dropout > 0

    @property
    def is_stuck(self) -> bool:
        """Whether the training loss no longer falls."""
        return self.trend is not None and not self.trend.is_falling

    @cached_property
    def held_up(self) -> Probe | None:
        """The probe, where the loss no longer falls although it could fall much further; None otherwise."""
        if not self.is_stuck or not self.loss > 0:
            return None
        found = self.probe()
        return found if found.gain >= MIN_GAIN else None

    @property
    def dropout_may_hold(self) -> bool:
        """Whether dropout may hold the loss up: the probe leaves it out, and a very low rate alone is plainer."""
        return self.dropout > 0 and self.held_up is not None and self.config.lr > VERY_LOW_RATE * self.held_up.rate

    # What is set, and what could be.

    @property
    def is_classifier(self) -> bool:
        """Whether the model predicts classes."""
        return bool(self.classes)

    @property
    def dropout(self) -> float:
        """The share of units that dropout leaves out."""
        return float(getattr(self.config, "dropout", 0.0)) if self.widths else 0.0

    @property
    def penalties(self) -> dict[str, float]:
        """The rates of the penalties that are on, by the knob's name."""
        rates = {name: float(getattr(self.config, name, 0.0)) for name in ("weight_decay", "l1")}
        return {name: rate for name, rate in rates.items() if rate}

    def can_move(self, name: str, *, up: bool) -> bool:
        """Whether a knob has a higher, or a lower, value than now."""
        options = self.config.knobs()[name].options or ()
        return bool(options) and getattr(self.config, name) != (max(options) if up else min(options))

    @property
    def can_widen(self) -> bool:
        """Whether a hidden layer can have more units."""
        return any(width < self.max_units for width in self.widths)

    @property
    def can_deepen(self) -> bool:
        """Whether the model can have another hidden layer."""
        return len(self.widths) < self.max_layers


# The evidence of the rules.


@dataclass(frozen=True)
class AtStep:
    """A step."""

    step: int


@dataclass(frozen=True)
class Divergence:
    """The step at which the loss was not finite, and the last good one."""

    step: int
    good_step: int | None


@dataclass(frozen=True)
class OneClass:
    """The only class that training points have."""

    label: int


@dataclass(frozen=True)
class FarInputs:
    """The largest size of an input."""

    largest: float


@dataclass(frozen=True)
class Units:
    """The units of a hidden layer, counted from 1; with layer 0, of all hidden layers. `dead` of them are dead."""

    layer: int
    units: int
    dead: int = 0


@dataclass(frozen=True)
class Losses:
    """The training loss, the first one since the last change, and the one right before it."""

    step: int
    loss: float
    first: float
    before: float = math.nan
    percent: float = math.nan  # of the training points that are correct
    next_stop: int = 0


@dataclass(frozen=True)
class Overfitting:
    """The step since the last change with the lowest test loss, and both losses then and now."""

    best_at: int
    train_then: float
    train: float
    test_then: float
    test: float


@dataclass(frozen=True)
class Hold:
    """What keeps the loss up: a setting's label and rate, the loss, and the loss to which the probe's steps lead."""

    label: str
    rate: float
    loss: float
    reachable: float
    share: float = math.nan  # of the penalty's pull in that of the loss


@dataclass(frozen=True)
class Rise:
    """A penalty's name and rate, the loss, the first one since the last change, and the share of the penalty's pull."""

    label: str
    rate: float
    loss: float
    first: float
    share: float


@dataclass(frozen=True)
class Outliers:
    """The points with the largest errors, of how many, and their share of the loss in percent."""

    points: int
    total: int
    percent: float


@dataclass(frozen=True)
class Collapse:
    """A layer whose weights a penalty has shrunk, and the largest of them."""

    label: str
    rate: float
    layer: str
    largest: float


@dataclass(frozen=True)
class Plateau:
    """A loss that hardly changes: its mean over the late rows, how good the fit is, and what the probe gains."""

    mean: float
    fit: float
    loss: float
    reachable: float = math.nan
    constant: float = math.nan  # the loss of the best constant prediction
    percent: float = math.nan  # of the training points that are correct
    floor: float = math.nan  # the loss of the curve behind the points


# The rules.


def _past(s: TrainingSituation) -> AtStep | None:
    return None if s.is_current else AtStep(s.step)


def _to_return(s: TrainingSituation, found: AtStep) -> str:
    return ADVICE["now" if s.outcome == "failed" else "now or play"]


def _diverged(s: TrainingSituation) -> Divergence | None:
    return Divergence(s.step, s.good_step) if s.outcome == "failed" else None


def _after_divergence(s: TrainingSituation, found: Divergence) -> str:
    can_lower = s.can_move("lr", up=False)
    if found.good_step is not None:
        return ADVICE["go back, lower" if can_lower else "go back"]
    return ADVICE["lower, reset" if can_lower else "reset"]


def _one_class(s: TrainingSituation) -> OneClass | None:
    return OneClass(s.classes[0]) if len(s.classes) == 1 else None


def _kept_gradients(s: TrainingSituation) -> Any:
    if s.held_gradients is None or not s.step:
        return None
    held, new = s.held_gradients()
    return doctor.Kept(s.step, held, new) if held > 0 else None


def _from_the_doctor(name: str, applies: Callable[[TrainingSituation], bool]) -> Callable[[TrainingSituation], Any]:
    """What a rule of the doctor finds, where it applies on these pages."""
    rule = doctor.named(name)
    return lambda s: rule.find(s.evidence) if applies(s) else None


def _is_flat(s: TrainingSituation) -> bool:
    return _is_poor(s) is not None


def _dies_backwards(s: TrainingSituation) -> Any:
    if len(s.widths) < doctor.MIN_DEPTH or not s.is_stuck or s.fit >= MIN_FIT:
        return None
    return doctor.named("dies backwards").find(replace(s.evidence, layers=s.layers()))


def _to_lead_gradients_back(s: TrainingSituation, found: Any) -> str:
    if getattr(s.config, "initialisation", "") == "small":
        return ADVICE["initialisation"]
    return ADVICE["relu" if s.config.activation in SATURATING else "seed"]


def _far(s: TrainingSituation) -> FarInputs | None:
    is_fine = s.step > 0 and s.fit >= MIN_FIT
    limit = MAX_FAR_INPUT if s.outcome == "failed" else MAX_INPUT
    return FarInputs(s.largest_input) if s.largest_input > limit and not is_fine else None


def _start(s: TrainingSituation) -> AtStep | None:
    return AtStep(s.step) if s.step == 0 else None


def _changed_loss(s: TrainingSituation) -> Losses | None:
    found = _changed(s)
    return found if found is not None and abs(found.before - s.loss) > SAME_LOSS * abs(s.loss) else None


def _changed(s: TrainingSituation) -> Losses | None:
    is_new = s.since and s.step == s.period.start
    return Losses(s.step, s.loss, s.first, s.period.before.get("train", math.nan)) if is_new else None


def _went_back(s: TrainingSituation) -> AtStep | None:
    is_new = s.period.change.what == "went_back" and s.step == s.period.start
    return AtStep(s.step) if is_new else None


def _continued(s: TrainingSituation) -> AtStep | None:
    is_new = s.period.change.what == "continued" and s.step == s.period.start
    return AtStep(s.step) if is_new else None


def _after_going_back(s: TrainingSituation, found: AtStep) -> str:
    return ADVICE["lower, play" if s.can_move("lr", up=False) else "play"]


def _same_units(s: TrainingSituation) -> Units | None:
    if s.penalties and getattr(s.config, "initialisation", "") != "zeros":
        return None  # a penalty has shrunk them all to 0
    return Units(s.same_units, s.widths[s.same_units - 1]) if s.same_units else None


def _dead_layer(s: TrainingSituation) -> Units | None:
    at = next((at for at, (dead, units) in enumerate(zip(s.dead, s.widths, strict=False)) if dead == units), None)
    return None if at is None else Units(at + 1, s.widths[at], s.dead[at])


def _dead_units(s: TrainingSituation) -> Units | None:
    dead, units = sum(s.dead), sum(s.widths)
    return Units(0, units, dead) if dead and dead >= 0.5 * units else None


def _to_revive(s: TrainingSituation, found: Units) -> str:
    return ADVICE["leaky, lower" if s.can_move("lr", up=False) else "leaky"]


def _perfect(s: TrainingSituation) -> Losses | None:
    return Losses(s.step, s.loss, s.first) if s.loss == 0 and not s.penalties else None


def _overfitting(s: TrainingSituation) -> Overfitting | None:
    train, test = s.rows.train, s.rows.test
    if len(train) < MIN_ROWS or not np.isfinite(test).all() or not np.isfinite(train).all():
        return None
    if s.is_noisy:  # one lucky batch is no lowest loss
        train, test = smooth(train, SMOOTHED), smooth(test, SMOOTHED)
    best, now = int(test.argmin()), float(test[-3:].mean())
    is_worse = now > OVERFIT_RISE * test[best] and now > MIN_LOSS_TO_JUMP * s.constant_loss
    stays = test[-3:].min() > STAYS * test[best]
    if not is_worse or not stays or not train[-1] < OVERFIT_FALL * train[best]:
        return None
    if s.is_noisy:
        best += int(s.rows.test[best : best + SMOOTHED].argmin())
    then, test_then = float(s.rows.train[best]), float(s.rows.test[best])
    if not (s.loss < then and s.test_loss > test_then):
        return None
    return Overfitting(int(s.rows.steps[best]), then, s.loss, test_then, s.test_loss)


def _against_overfitting(s: TrainingSituation, found: Overfitting) -> str:
    return ADVICE["decay" if not s.penalties and s.can_move("weight_decay", up=True) else "points"]


def _collapsed(s: TrainingSituation) -> Collapse | None:
    is_small_anyway = getattr(s.config, "initialisation", "") in ("small", "zeros")
    if not s.penalties or not s.is_stuck or s.fit >= MIN_FIT or is_small_anyway:
        return None
    found, last = s.probe(), len(s.widths)
    at, largest = min(enumerate(found.largest_weights), key=lambda each: each[1])
    if largest > COLLAPSED or s.fresh_probe().reachable > (1 - MIN_GAIN) * s.loss:
        return None
    name = _stronger(s, found)
    layer = LAYERS["output" if at == last else "hidden"].format(number=at + 1)
    return Collapse(CAUSES[name], s.penalties[name], layer, largest)


def _penalty_rise(s: TrainingSituation) -> Rise | None:
    if not s.penalties or len(s.rows.train) < MIN_RISE_ROWS or _rising(s) is None:
        return None
    found = s.probe()
    if found.gain < MIN_GAIN or found.penalty_share < MIN_PENALTY_SHARE:
        return None
    name = _stronger(s, found)
    return Rise(CAUSES[name], s.penalties[name], s.loss, s.first, found.penalty_share)


def _penalty(s: TrainingSituation) -> Hold | None:
    found = s.held_up if s.penalties else None
    if found is None or found.penalty_share < MIN_PENALTY_SHARE or s.dropout_may_hold:
        return None
    name = _stronger(s, found)
    return Hold(CAUSES[name], s.penalties[name], s.loss, found.reachable, found.penalty_share)


def _stronger(s: TrainingSituation, found: Probe) -> str:
    pulls = {"weight_decay": found.decay_pull, "l1": found.l1_pull}
    return max(s.penalties, key=lambda name: pulls[name])


def _dropout_noise(s: TrainingSituation) -> AtStep | None:
    return AtStep(s.step) if s.is_whole and s.dropout > 0 and _bounces(s) else None


def _dropout(s: TrainingSituation) -> Hold | None:
    if not s.dropout or s.held_up is None:
        return None
    reachable = s.without_dropout()
    return Hold(CAUSES["dropout"], s.dropout, s.loss, reachable) if reachable < (1 - MIN_OWN_GAIN) * s.loss else None


def _bounces(s: TrainingSituation) -> bool:
    trend = s.trend
    return trend is not None and trend.bounces and trend.mean > MIN_LOSS_TO_JUMP * s.constant_loss


def _bouncing(s: TrainingSituation) -> Plateau | None:
    trend = s.trend
    if trend is None or not s.is_whole or s.dropout:
        return None
    hops = trend.is_level and trend.rise > NOISY * trend.mean and s.held_up is not None  # over a minimum and back
    return Plateau(trend.mean, s.fit, s.loss) if hops or _bounces(s) else None


def _noisy(s: TrainingSituation) -> Plateau | None:
    trend = s.trend
    if s.is_whole or trend is None or not trend.is_level or trend.rise < NOISY * trend.mean or s.held_up is None:
        return None
    return Plateau(trend.mean, s.fit, s.loss, s.held_up.reachable)


def _calmer(s: TrainingSituation, found: Plateau) -> str:
    if s.can_move("lr", up=False):
        return ADVICE["lower rate" if s.is_whole else "lower rate or more points"]
    return "" if s.is_whole else ADVICE["larger batch"]


def _is_poor(s: TrainingSituation) -> Plateau | None:
    is_good = s.fit >= MIN_FIT and not (s.is_classifier and s.loss > GUESSING * s.constant_loss)
    if s.trend is None or not s.trend.is_level or is_good or s.held_up is not None:
        return None
    return Plateau(s.trend.mean, s.fit, s.loss, constant=s.constant_loss, percent=100 * s.accuracy, floor=s.floor)


def _noise(s: TrainingSituation) -> Plateau | None:
    return _is_poor(s) if s.loss <= NEAR_THE_CURVE * s.floor else None


def _softmax_twice(s: TrainingSituation) -> Plateau | None:
    if s.trend is None or not s.is_classifier or getattr(s.config, "loss", "") != "softmax_twice":
        return None
    lowest = math.log(1 + (s.config.outputs - 1) / math.e)  # two probabilities differ by 1 at most
    is_near = s.trend.is_level or s.loss < NEAR_THE_FLOOR * lowest
    return Plateau(s.trend.mean, s.fit, s.loss, floor=lowest) if is_near else None


def _no_layer(s: TrainingSituation) -> Plateau | None:
    return _is_poor(s) if not s.widths and not s.is_classifier else None


def _no_layer_classes(s: TrainingSituation) -> Plateau | None:
    return _is_poor(s) if not s.widths and s.is_classifier else None


def _linear(s: TrainingSituation) -> Plateau | None:
    return _is_poor(s) if s.widths and s.config.activation == "identity" else None


def _slow(s: TrainingSituation) -> Plateau | None:
    if s.trend is None or not s.trend.is_level or s.held_up is None or s.outcome:
        return None
    if not s.trend.is_calm or s.loss < MIN_LOSS_TO_FALL * s.constant_loss:
        return None
    if s.dropout_may_hold:
        return None
    return Plateau(s.trend.mean, s.fit, s.loss, s.held_up.reachable)


def _faster(s: TrainingSituation, found: Plateau) -> str:
    if s.can_move("lr", up=True):
        return ADVICE["higher rate"]
    return ADVICE["adam"] if s.config.optimizer != "adam" else ""


def _rising(s: TrainingSituation) -> Losses | None:
    found = _higher(s)
    return None if s.trend is not None and s.trend.is_falling else found


def _higher(s: TrainingSituation) -> Losses | None:
    tolerance = NOISY_RISE if s.is_noisy else RISE
    return Losses(s.step, s.loss, s.first) if s.loss > s.first * (1 + tolerance) else None


def _rising_again(s: TrainingSituation) -> Losses | None:
    if s.trend is None or not s.trend.is_rising:
        return None
    losses = smooth(s.rows.train, SMOOTHED) if s.is_noisy else s.rows.train
    lowest, now = float(losses.min()), min(s.loss, float(losses[-1]))
    matters = now > MIN_LOSS_TO_JUMP * s.constant_loss
    return Losses(s.step, s.loss, lowest) if matters and now > lowest * (1 + NOISY_RISE) else None


def _lower_rate(s: TrainingSituation, found: Losses) -> str:
    return ADVICE["lower rate"] if s.can_move("lr", up=False) else ""


def _against_rising(s: TrainingSituation, found: Losses) -> str:
    can_lower = s.can_move("lr", up=False)
    if s.since:
        return ADVICE["lower rate or undo" if can_lower else "undo"]
    return ADVICE["lower rate"] if can_lower else ""


def _outliers(s: TrainingSituation) -> Outliers | None:
    if s.errors is None or _is_poor(s) is None:
        return None
    squares = np.sort(s.errors.astype(np.float64) ** 2)[::-1]
    few = max(1, int(OUTLIER_SHARE * len(squares)))
    share = np.cumsum(squares[:few]) / squares.sum()
    points = int(np.argmax(share > MIN_OUTLIER_LOSS)) + 1
    return Outliers(points, len(squares), 100 * float(share[points - 1])) if share[-1] > MIN_OUTLIER_LOSS else None


def _plateau(s: TrainingSituation) -> Plateau | None:
    return None if s.is_classifier else _is_poor(s)


def _guessing(s: TrainingSituation) -> Plateau | None:
    return _is_poor(s) if s.is_classifier and s.loss > GUESSING * s.constant_loss else None


def _plateau_classes(s: TrainingSituation) -> Plateau | None:
    return _is_poor(s) if s.is_classifier else None


def _larger(s: TrainingSituation, found: Plateau) -> str:
    if getattr(s.config, "initialisation", "") == "small":
        return ADVICE["initialisation"]
    hardly_moved = s.loss > (1 - SLOW_START) * s.first
    if hardly_moved and s.config.lr < LOW_RATE * s.probe().rate and s.can_move("lr", up=True):
        return ADVICE["higher rate"]
    if s.has_more_inputs and (s.can_widen or s.can_deepen):
        return ADVICE["inputs" if s.can_widen else "inputs or layers"]
    if s.can_widen:
        return ADVICE["units or layers" if s.can_deepen else "units"]
    return ADVICE["layers" if s.can_deepen else "seed"]


def _stopped(which: Literal["limit", "target"]) -> Callable[[TrainingSituation], Losses | None]:
    def find(s: TrainingSituation) -> Losses | None:
        kind = "limit" if s.step >= s.stop_at else "target"
        if s.outcome != "done" or kind != which:
            return None
        return Losses(s.step, s.loss, s.first, next_stop=s.step + s.config.max_steps)

    return find


def _around(s: TrainingSituation) -> Plateau | None:
    found = _settled(s)
    return found if found is not None and s.trend is not None and not s.trend.is_calm else None


def _calmer_if_it_matters(s: TrainingSituation, found: Plateau) -> str:
    return _calmer(s, found) if found.mean > MIN_LOSS_TO_JUMP * s.constant_loss else ""


def _settled(s: TrainingSituation) -> Plateau | None:
    return Plateau(s.trend.mean, s.fit, s.loss) if s.trend is not None and s.trend.is_level else None


def _all_falls(s: TrainingSituation) -> Losses | None:
    is_lowest = s.loss < s.first and s.loss <= s.rows.train.min()  # too early for a trend
    is_falling = s.trend.is_falling if s.trend is not None else is_lowest
    return _all(s) if is_falling and s.loss > 0 else None


def _all(s: TrainingSituation) -> Losses | None:
    return Losses(s.step, s.loss, s.first) if s.accuracy == 1 else None


def _classes(s: TrainingSituation) -> Losses | None:
    return _falling(s) if s.is_classifier else None


def _falling(s: TrainingSituation) -> Losses | None:
    return Losses(s.step, s.loss, s.first, percent=100 * s.accuracy) if s.loss < s.first else None


def _no_news(s: TrainingSituation) -> Losses:
    return Losses(s.step, s.loss, s.first)


def _rule(name: str, find: Callable[[TrainingSituation], Any], advice: Any = None) -> Rule[TrainingSituation]:
    advise = (lambda situation, found: ADVICE[advice]) if isinstance(advice, str) else advice
    return Rule(name, find, SENTENCES[name], SENTENCES_SINCE.get(name, ""), advise)


RULES: tuple[Rule[TrainingSituation], ...] = (
    _rule("past", _past, _to_return),
    _rule("far", _far, lambda s, found: ADVICE["scale" if getattr(s.config, "normalise", True) else "normalise"]),
    _rule("target scale", _from_the_doctor("target scale", lambda s: s.step > 0 and s.fit < MIN_FIT), "scale targets"),
    _rule("diverged", _diverged, _after_divergence),
    _rule("one class", _one_class),
    _rule("start", _start),
    _rule("went back", _went_back, _after_going_back),
    _rule("continued", _continued),
    _rule("changed loss", _changed_loss),
    _rule("changed", _changed),
    _rule("kept gradients", _kept_gradients, "zero_grad"),
    _rule("same units", _same_units, "initialisation"),
    _rule("dead layer", _dead_layer, _to_revive),
    _rule("dead units", _dead_units, _to_revive),
    _rule("perfect", _perfect),
    _rule("overfitting", _overfitting, _against_overfitting),
    _rule("collapsed", _collapsed, "lower penalty, reset"),
    _rule("penalty rise", _penalty_rise, "lower penalty"),
    _rule("penalty", _penalty, "lower penalty"),
    _rule("dropout noise", _dropout_noise, "lower dropout"),
    _rule("dropout", _dropout, "lower dropout"),
    _rule("bouncing", _bouncing, _calmer),
    _rule("noisy", _noisy, _calmer),
    _rule("softmax twice", _softmax_twice, "cross-entropy"),
    _rule("noise", _noise),
    _rule("outliers", _outliers, "huber"),
    _rule("no layer", _no_layer, "layer"),
    _rule("no layer, classes", _no_layer_classes,
          lambda s, found: ADVICE["layer or inputs" if s.has_more_inputs else "layer"]),
    _rule("linear", _linear, "activation"),
    _rule("dies backwards", _dies_backwards, _to_lead_gradients_back),
    _rule("slow", _slow, _faster),
    _rule("rising", _rising, _against_rising),
    _rule("falling again", _higher),
    _rule("rising again", _rising_again, _lower_rate),
    _rule("constant", _from_the_doctor("constant", _is_flat), _larger),
    _rule("one prediction", _from_the_doctor("one prediction", _is_flat), _larger),
    _rule("guessing", _guessing, _larger),
    _rule("plateau, classes", _plateau_classes, _larger),
    _rule("plateau", _plateau, _larger),
    _rule("limit", _stopped("limit")),
    _rule("target", _stopped("target")),
    _rule("all falls", _all_falls),
    _rule("around", _around, _calmer_if_it_matters),
    _rule("settled", _settled),
    _rule("all", _all),
    _rule("classes", _classes),
    _rule("falling", _falling),
    _rule("no news", _no_news),
)  # fmt: skip
