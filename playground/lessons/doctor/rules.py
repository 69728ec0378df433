"""The doctor's rules, in order: the first that applies names the cause.

What a step does comes first (is there a step, does it reach the weights), then what goes in and comes out, then what
happens inside, and at last the curves, which show symptoms only. A rule about sizes speaks only where the training has
not come far: large inputs that are learned well are no fault.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from playground.lessons.doctor.evidence import Evidence, Mode
from playground.lessons.doctor.words import ADVICE, SENTENCES
from playground.lessons.narrator import Finding, Rule, findings

MIN_STEPS = 20  # backward passes, before the doctor says that something does not happen
MIN_LOOP = 30  # the same, where gradients may be computed for another end than training
MIN_CURVE = 100  # losses, before their course is judged
MOSTLY = 0.5  # of the steps or passes
SUM_SLACK = 0.05  # of a sum of probabilities
MAX_INPUT, MIN_INPUT = 10.0, 0.01  # of a mean or a spread
MAX_TARGET = 50.0
FEW_CLASSES = 0.5  # of the classes in a batch drawn at random
MIN_ZEROS, MIN_BELOW = 0.05, 0.1  # shares of outputs that are 0, and of targets below 0
MANY_DEAD = 0.8  # of the units of a layer
DECAY_PULL = 0.5  # of the loss's own pull
MIN_DEPTH = 2  # hidden layers, before a gradient can die on its way back
DIES = 1e-3  # of the last layer's gradient per weight: less hardly reaches the first one
DIES_IN_KERNELS = 3e-4  # the same per use of a weight: uses at neighbouring places are alike, so it comes out too small
CONSTANT = 0.1  # of the targets' spread
CHANCE = 0.985  # of the loss of guessing
LEAP, RISE = 30.0, 1.5  # of the first loss: the highest one, the last one
KILLING_LEAP = 2.0  # of the first loss: the highest one, where units are dead afterwards
MIN_SLOW = 200  # losses
SLOW_LOSS, SLOW_PACE = 0.6, 0.5  # of the first loss; the late pace, in units of the whole one
OVERFIT_RISE, OVERFIT_GAP = 1.25, 10.0  # of the lowest test loss; of the training loss
MIN_TESTS = 8
MAX_MODELS_AT_ONCE = 2
MIN_GRAPHS = 20


@dataclass(frozen=True)
class Steps:
    """A number of steps."""

    steps: int


@dataclass(frozen=True)
class Kept:
    """Backward passes that added to a used gradient, and the norms of the old and the new one."""

    steps: int
    old: float
    new: float


@dataclass(frozen=True)
class Shapes:
    """The shapes of predictions and targets."""

    prediction: str
    target: str


@dataclass(frozen=True)
class Loss:
    """A loss, the first one, and one that it is compared with."""

    loss: float
    first: float = math.nan
    limit: float = math.nan
    steps: int = 0


@dataclass(frozen=True)
class Sums:
    """Of exp(prediction): the sum over a row, and over a column."""

    rows: float
    columns: float


@dataclass(frozen=True)
class Unreached:
    """A layer, counted from 1, of how many, and its number of weights."""

    layer: int
    layers: int
    weights: int


@dataclass(frozen=True)
class WrongMode:
    """A kind of module, and in how many passes it was in the wrong mode."""

    module: str
    wrong: int
    passes: int
    first_step: int


@dataclass(frozen=True)
class Columns:
    """How many columns."""

    bad: int
    columns: int


@dataclass(frozen=True)
class AtStep:
    """A step."""

    step: int


@dataclass(frozen=True)
class Rows:
    """Rows that come again and again, out of how many."""

    rows: int
    source: int


@dataclass(frozen=True)
class BatchClasses:
    """The number of classes in a batch, and what random batches would have."""

    classes: float
    expected: float
    all_classes: int


@dataclass(frozen=True)
class Scale:
    """The mean and the spread of a column, and the spread of all."""

    mean: float
    spread: float
    all_spread: float


@dataclass(frozen=True)
class Units:
    """Units of a layer, counted from 1 (0: not known which)."""

    units: int
    of: int
    layer: int = 0


@dataclass(frozen=True)
class Killed:
    """Dead units of a layer, of how many, and the leap of the loss that killed them."""

    units: int
    of: int
    first: float
    highest: float
    step: int


@dataclass(frozen=True)
class Rates:
    """The learning rate at first and at last, and the step since which it is as good as 0."""

    first: float
    last: float
    step: int


@dataclass(frozen=True)
class Restarts:
    """How many models were trained one after the other, and the steps of each."""

    models: int
    steps: int


@dataclass(frozen=True)
class Ratio:
    """A size in units of another one."""

    ratio: float
    first: float = math.nan
    last: float = math.nan


@dataclass(frozen=True)
class Outputs:
    """A share of outputs in percent, or their spread beside that of the targets; a class if it is the only one."""

    percent: float = math.nan
    below: float = math.nan
    spread: float = math.nan
    targets: float = math.nan
    label: int = -1


@dataclass(frozen=True)
class Overfit:
    """The lowest test loss and its step, the last one, and the training loss."""

    lowest: float
    step: int
    test: float
    train: float


# What a step does.


def _cut_off(e: Evidence) -> Steps | None:
    is_cut = bool(e.layers) and all(each.missed == min(each.passes, 10) > 0 for each in e.layers if not each.is_frozen)
    return Steps(e.steps) if e.steps >= MIN_STEPS and is_cut else None


def _other_weights(e: Evidence) -> Unreached | None:
    """A layer that gets gradients and never moves, since no optimizer has it."""
    if e.updates < MIN_STEPS:
        return None
    lost = [at for at, each in enumerate(e.layers) if _is_lost(e, at)]
    return None if not lost else Unreached(lost[0] + 1, len(e.layers), sum(e.layers[at].size for at in lost))


def _is_lost(e: Evidence, at: int) -> bool:
    layer = e.layers[at]
    return layer.has_gradient and not (layer.is_frozen or layer.is_optimized or layer.has_moved) and layer.passes >= 10


def _no_update(e: Evidence) -> Steps | None:
    return Steps(e.steps) if e.steps >= MIN_LOOP and not e.updates and not _any_moved(e) and e.layers else None


def _empty_updates(e: Evidence) -> Steps | None:
    is_empty = e.updates >= MIN_STEPS and e.empty_updates > 0.9 * e.updates
    had_gradients = any(each.has_gradient for each in e.layers)
    return Steps(e.empty_updates) if is_empty and had_gradients and not _any_moved(e) else None


def _nothing_moves(e: Evidence) -> Steps | None:
    learns = any(each.has_gradient and not each.is_frozen for each in e.layers)
    return Steps(e.updates) if e.updates >= MIN_STEPS and learns and not _any_moved(e) else None


def _any_moved(e: Evidence) -> bool:
    return any(each.has_moved for each in e.layers)


def _kept_gradients(e: Evidence) -> Kept | None:
    is_often = e.kept_gradients >= 5 and e.kept_gradients > MOSTLY * e.updates
    return Kept(e.kept_gradients, e.kept_norm, e.new_norm) if is_often else None


def _restarts(e: Evidence) -> Restarts | None:
    is_again = e.models > MAX_MODELS_AT_ONCE and e.steps_per_model >= 10
    return Restarts(e.models, e.steps_per_model) if is_again else None


# The loss function and what it is given.


def _broadcast(e: Evidence) -> Shapes | None:
    differ = e.loss in ("mse", "l1", "huber") and e.prediction_shape != e.target_shape
    return Shapes(_shape(e.prediction_shape), _shape(e.target_shape)) if differ else None


def _shape(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def _softmax_twice(e: Evidence) -> Loss | None:
    return Loss(e.end_loss, e.first_loss, e.floor) if e.is_probability and e.loss == "cross entropy" else None


def _sigmoid_twice(e: Evidence) -> Loss | None:
    return Loss(e.end_loss, e.first_loss, e.floor) if e.is_probability and e.loss == "bce" else None


def _wrong_dim(e: Evidence) -> Sums | None:
    found = _no_log_probabilities(e)
    return found if found is not None and abs(e.column_sum - 1) < SUM_SLACK else None


def _no_log_probabilities(e: Evidence) -> Sums | None:
    is_wrong = e.loss == "nll" and abs(e.row_sum - 1) > SUM_SLACK
    return Sums(e.row_sum, e.column_sum) if is_wrong else None


# Layers and their modes.


def _unreached(e: Evidence) -> Unreached | None:
    if e.steps < 10:
        return None
    for at, layer in enumerate(e.layers):
        if layer.missed >= 10 and not layer.is_frozen:
            return Unreached(at + 1, len(e.layers), layer.size)
    return None


def _eval_in_training(e: Evidence) -> WrongMode | None:
    return _wrong_mode(e.modes_in_training, MOSTLY) if e.steps >= MIN_STEPS else None


def _train_in_test(e: Evidence) -> WrongMode | None:
    return _wrong_mode(e.modes_in_test, MOSTLY)


def _wrong_mode(modes: Iterable[Mode], share: float) -> WrongMode | None:
    wrong = [each for each in modes if each.wrong > share * each.passes]
    return next((WrongMode(each.module, each.wrong, each.passes, each.first_step) for each in wrong), None)


def _batch_of_one(e: Evidence) -> Steps | None:
    return Steps(e.batch_norm_of_one) if e.batch_norm_of_one > MOSTLY * max(e.steps, MIN_STEPS) else None


# Inputs and targets.


def _bad_inputs(e: Evidence) -> Columns | None:
    return Columns(e.bad_columns, e.columns) if e.bad_columns else None


def _log_of_zero(e: Evidence) -> AtStep | None:
    return AtStep(e.log_of_zero_at) if e.log_of_zero_at and not _is_finite(e) else None


def _root_of_zero(e: Evidence) -> AtStep | None:
    return AtStep(e.root_of_zero_at) if e.root_of_zero_at and not _is_finite(e) else None


def _is_finite(e: Evidence) -> bool:
    return e.is_finite and e.are_weights_finite


def _same_rows(e: Evidence) -> Rows | None:
    return Rows(e.same_rows, e.source_rows) if e.same_rows else None


def _sorted(e: Evidence) -> BatchClasses | None:
    is_few = e.steps >= MIN_STEPS and e.batch_classes < FEW_CLASSES * e.expected_classes
    return BatchClasses(e.batch_classes, e.expected_classes, e.classes) if is_few else None


def _input_scale(e: Evidence) -> Scale | None:
    is_large = max(abs(e.input_mean), e.input_spread) > MAX_INPUT
    return _scale(e) if is_large and e.is_poor else None


def _small_inputs(e: Evidence) -> Scale | None:
    return _scale(e) if e.steps >= MIN_CURVE and e.all_spread < MIN_INPUT and e.is_poor else None


def _scale(e: Evidence) -> Scale:
    return Scale(e.input_mean, e.input_spread, e.all_spread)


def _target_scale(e: Evidence) -> Scale | None:
    is_large = max(abs(e.target_mean), e.target_spread) > MAX_TARGET
    return Scale(e.target_mean, e.target_spread, math.nan) if is_large and e.is_poor else None


# Inside.


def _same_units(e: Evidence) -> Units | None:
    hidden = e.layers[:-1]
    at = next((at for at, each in enumerate(hidden) if each.same_units), None)
    return None if at is None or e.steps < 10 else Units(hidden[at].units, hidden[at].units, at + 1)


def _rate_gone(e: Evidence) -> Rates | None:
    is_long = e.rate_gone_at and e.updates - e.rate_gone_at >= MOSTLY * e.updates
    return Rates(e.first_rate, e.last_rate, e.rate_gone_at) if is_long else None


def _cut_at_zero(e: Evidence) -> Outputs | None:
    is_cut = e.output_zeros > MIN_ZEROS and e.targets_below_zero > MIN_BELOW
    return Outputs(100 * e.output_zeros, 100 * e.targets_below_zero) if is_cut else None


def _summed(e: Evidence) -> Loss | None:
    is_wrong = e.is_summed and (not e.is_finite or _exploded(e) is not None)
    return Loss(e.end_loss, e.first_loss, steps=e.steps) if is_wrong else None


def _not_finite(e: Evidence) -> AtStep | None:
    return None if e.is_finite else AtStep(int(np.isfinite(e.losses).argmin()) + 1)


def _dead(e: Evidence) -> Killed | None:
    """Units that a step too long has killed."""
    if not e.steps or not _is_dead(e) or not e.losses.max() > KILLING_LEAP * abs(e.first_loss):
        return None
    return Killed(e.dead, e.dead_of, e.first_loss, float(e.losses.max()), int(e.losses.argmax()) + 1)


def _is_dead(e: Evidence) -> bool:
    return e.steps >= MIN_STEPS and e.dead_of > 0 and e.dead >= MANY_DEAD * e.dead_of and e.is_poor


def _exploded(e: Evidence) -> Loss | None:
    if e.steps < MIN_STEPS or not e.is_finite or not e.is_poor:
        return None
    highest = float(e.losses.max())
    is_worse = e.end_loss > RISE * e.constant_loss and highest > KILLING_LEAP * abs(e.first_loss)
    leapt = is_worse or highest > LEAP * abs(e.first_loss) or e.end_loss > RISE * e.first_loss > 0
    return Loss(highest, e.first_loss, e.end_loss, int(e.losses.argmax()) + 1) if leapt else None


def _decay(e: Evidence) -> Ratio | None:
    return Ratio(e.decay_share, e.decay) if e.steps >= MIN_CURVE and e.is_poor and e.decay_share > DECAY_PULL else None


def _dies_backwards(e: Evidence) -> Ratio | None:
    if len(e.layers) <= MIN_DEPTH or not e.is_poor or e.steps < MIN_STEPS:
        return None
    first, last = e.layers[0].pull, e.layers[-1].pull
    limit = DIES if e.layers[0].places == 1 else DIES_IN_KERNELS
    return Ratio(first / last, first, last) if last > 0 and 0 < first / last < limit else None  # 0: dead units


def _linear(e: Evidence) -> Units | None:
    is_linear = len(e.layers) > 1 and e.linear_pairs >= len(e.layers) - 1
    return Units(0, len(e.layers)) if is_linear and e.is_poor and e.steps >= MIN_CURVE else None


def _constant(e: Evidence) -> Outputs | None:
    is_flat = e.target_spread > 0 and e.output_spread < CONSTANT * e.target_spread
    return Outputs(spread=e.output_spread, targets=e.target_spread) if _is_late(e) and is_flat else None


def _one_class(e: Evidence) -> Outputs | None:
    return Outputs(label=e.one_class) if _is_late(e) and e.one_class >= 0 and e.classes > 1 else None


def _is_late(e: Evidence) -> bool:
    """Whether a symptom is worth naming; not where units are dead before any long step: why, the run does not show."""
    return e.steps >= MIN_CURVE and e.is_one_model and e.is_poor and not _is_dead(e)


def _chance(e: Evidence) -> Loss | None:
    is_stuck = e.classes > 1 and _is_late(e) and e.end_loss > CHANCE * e.constant_loss
    return Loss(e.end_loss, e.first_loss, e.constant_loss, e.steps) if is_stuck else None


def _slow(e: Evidence) -> Loss | None:
    if not _is_late(e) or not e.is_finite or e.steps < MIN_SLOW:
        return None
    part = len(e.losses) // 10
    first, middle, last = (
        float(np.median(e.losses[at : at + part])) for at in (0, (len(e.losses) - part) // 2, len(e.losses) - part)
    )
    is_steady = (middle - last) > SLOW_PACE / 2 * (first - last) > 0
    return Loss(last, first, steps=e.steps) if is_steady and last > SLOW_LOSS * first else None


def _overfitting(e: Evidence) -> Overfit | None:
    for curve in () if e.was_restored else e.tests:
        losses = np.array(curve.losses)
        if len(losses) < MIN_TESTS or not np.isfinite(losses).all():
            continue
        at, now = int(losses.argmin()), float(np.median(losses[-max(1, len(losses) // 10) :]))
        if now > OVERFIT_RISE * losses[at] and now > OVERFIT_GAP * e.end_loss:
            return Overfit(float(losses[at]), curve.steps[at], now, e.end_loss)
    return None


def _unused_graphs(e: Evidence) -> Steps | None:
    return Steps(e.unused_graphs) if e.unused_graphs >= MIN_GRAPHS else None


def _rule(name: str, find: Callable[[Evidence], Any]) -> Rule[Evidence]:
    return Rule(name, find, SENTENCES[name], advice=lambda evidence, found: ADVICE[name])


RULES: tuple[Rule[Evidence], ...] = (
    _rule("unused graphs", _unused_graphs),
    _rule("cut off", _cut_off),
    _rule("not in optimizer", _other_weights),
    _rule("no update", _no_update),
    _rule("empty updates", _empty_updates),
    _rule("nothing moves", _nothing_moves),
    _rule("kept gradients", _kept_gradients),
    _rule("restarts", _restarts),
    _rule("broadcast", _broadcast),
    _rule("softmax twice", _softmax_twice),
    _rule("sigmoid twice", _sigmoid_twice),
    _rule("wrong dim", _wrong_dim),
    _rule("no log probabilities", _no_log_probabilities),
    _rule("unreached", _unreached),
    _rule("eval in training", _eval_in_training),
    _rule("train in test", _train_in_test),
    _rule("batch of one", _batch_of_one),
    _rule("bad inputs", _bad_inputs),
    _rule("log of zero", _log_of_zero),
    _rule("root of zero", _root_of_zero),
    _rule("same rows", _same_rows),
    _rule("sorted", _sorted),
    _rule("same units", _same_units),
    _rule("rate gone", _rate_gone),
    _rule("cut at zero", _cut_at_zero),
    _rule("summed", _summed),
    _rule("input scale", _input_scale),
    _rule("small inputs", _small_inputs),
    _rule("target scale", _target_scale),
    _rule("not finite", _not_finite),
    _rule("dead", _dead),
    _rule("exploded", _exploded),
    _rule("decay", _decay),
    _rule("dies backwards", _dies_backwards),
    _rule("linear", _linear),
    _rule("constant", _constant),
    _rule("one prediction", _one_class),
    _rule("chance", _chance),
    _rule("slow", _slow),
    _rule("overfitting", _overfitting),
)


def named(name: str) -> Rule[Evidence]:
    """The rule with a name. Raises StopIteration if there is none."""
    return next(rule for rule in RULES if rule.name == name)


def diagnose(evidence: Evidence) -> Finding | None:
    """What the first rule that applies finds; None where nothing can be seen."""
    return next(findings(RULES, evidence), None)
