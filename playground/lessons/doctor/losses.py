"""Losses as the doctor sees them: predictions beside targets, in training and in tests."""

from __future__ import annotations

import math
import weakref
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from playground.lessons.doctor.evidence import TestCurve

LATE = 10  # measurements
LAST = 3  # the same of what still changes
MIN_STEPS = 5  # before predictions are called probabilities
SLACK = 1e-3  # of a sum of probabilities
NEAR_END = 0.1  # of 0 and 1: outputs between 0 and 1 that come near both are probabilities
OTHER_PART = 0.1  # of a loss: with more than that of something else in it, it is not compared with guessing
SQUASHING = ("Sigmoid", "Softmax")  # nodes of a graph
RESHAPING = ("View", "Squeeze", "Unsqueeze", "Reshape", "Select", "Slice", "Transpose", "TBackward")
MAX_CHAINS = 32
WEIGHTS = ("weight", "pos_weight")  # of classes: the entropy of their shares is then not the loss of guessing
REGRESSION = ("mse", "l1", "huber")
CLASSES = ("cross entropy", "nll")
ABSOLUTE: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "l1": functional.l1_loss,
    "huber": functional.huber_loss,
}  # losses that the median keeps low


@dataclass(eq=False)
class Call:
    """A call of a loss function."""

    kind: str
    prediction: Tensor
    target: Tensor
    is_summed: bool
    is_weighted: bool
    is_squashed: bool  # whether the prediction is what a sigmoid or a softmax gives
    value: float


class Losses:
    """Collects the losses that are trained on, and those that are only looked at."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self._call: Call | None = None  # the last one, until a backward pass uses it
        self._last: Call | None = None  # the one that a backward pass has used
        self._shapes: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
        self._probable = self._judged = self._mixed = 0
        self._lowest, self._highest = math.inf, -math.inf  # of outputs that may be probabilities
        self._row_sums: deque[float] = deque(maxlen=LATE)
        self._column_sums: deque[float] = deque(maxlen=LATE)
        self._counts: Counter[int] = Counter()  # of the classes
        self._batch_classes: list[int] = []
        self._batch_rows: list[int] = []
        self._targets = np.zeros(3)  # their number, sum, sum of squares
        self._late_targets: deque[Tensor] = deque(maxlen=LATE)
        self._below_zero: deque[float] = deque(maxlen=LATE)
        self._zeros: deque[float] = deque(maxlen=LATE)
        self._spreads: deque[float] = deque(maxlen=LAST)
        self._guesses: deque[int] = deque(maxlen=LATE)
        self._tests: dict[tuple[Any, ...], tuple[list[int], list[float]]] = {}
        self._chains: dict[int, tuple[weakref.ref[Tensor], int]] = {}  # sums of losses, and how many
        self._used: deque[weakref.ref[Tensor]] = deque(maxlen=MAX_CHAINS)  # by a backward pass
        self._longest = 0

    def called(self, kind: str, value: Tensor, prediction: Tensor, target: Tensor, options: Mapping[str, Any]) -> None:
        """A loss function was called."""
        if not isinstance(prediction, Tensor) or not isinstance(target, Tensor) or value.numel() != 1:
            return
        if self._call is not None and self._call.value == self._call.value:
            self._tested(self._call)
        is_summed = options.get("reduction") == "sum"
        is_weighted = any(options.get(name) is not None for name in WEIGHTS)
        call = Call(
            kind, prediction.detach(), target.detach(), is_summed, is_weighted, _ends_with(prediction, SQUASHING),
            float(value.detach()),
        )  # fmt: skip
        if not value.requires_grad:
            self._tested(call)
            call = None  # type: ignore[assignment]
        elif kind in REGRESSION and _ends_with(prediction, ("Relu",)):
            self._zeros.append(float((call.prediction == 0).float().mean()))
            self._below_zero.append(float((call.target < 0).float().mean()))
        self._call = call

    def _tested(self, call: Call) -> None:
        key = (call.kind, tuple(call.target.shape), float(call.target.double().sum()))
        steps, losses = self._tests.setdefault(key, ([], []))
        steps.append(len(self.values))
        losses.append(call.value)

    def added(self, result: Any, parts: tuple[Any, ...]) -> None:
        """Numbers were added: of losses with a graph, a chain of graphs grows."""
        if not isinstance(result, Tensor) or result.ndim or not result.requires_grad:
            return
        tensors = [each for each in parts if isinstance(each, Tensor) and each.requires_grad]
        if any(each is used() for each in tensors for used in self._used):
            return
        lengths = [self._chains[id(each)][1] for each in tensors if self._is_chain(each)]
        self._chains[id(result)] = (weakref.ref(result), max(lengths, default=0) + 1)
        self._longest = max(self._longest, self._chains[id(result)][1])
        while len(self._chains) > MAX_CHAINS:
            self._chains.pop(next(iter(self._chains)))

    def _is_chain(self, tensor: Tensor) -> bool:
        found = self._chains.get(id(tensor))
        return found is not None and found[0]() is tensor

    @torch.no_grad()
    def trained(self, loss: Tensor, *, is_due: bool) -> None:
        """A backward pass has used a loss."""
        self.values.append(float(loss.detach()) if loss.numel() == 1 else math.nan)
        self._used.append(weakref.ref(loss))
        self._chains.clear()
        self._longest = 0
        call, self._call = self._call, None
        if call is None:
            return
        self._last = call
        self._mixed += abs(self.values[-1] - call.value) > OTHER_PART * abs(call.value)
        self._shapes = tuple(call.prediction.shape), tuple(call.target.shape)
        prediction, target = call.prediction, call.target
        if call.kind in CLASSES and prediction.ndim == 2 and target.ndim == 1 and not target.is_floating_point():
            self._note_classes(call, is_due=is_due)
        elif call.kind == "bce":
            self._note_range(call)
            labels = (target > 0.5).long().flatten()
            self._note_labels(labels)
            if is_due:
                self._note_guesses((prediction > 0).long().flatten())
        elif call.kind in REGRESSION and is_due:
            values = target.double()
            self._late_targets.append(target)
            self._targets += np.array([values.numel(), float(values.sum()), float((values**2).sum())])
            self._spreads.append(float(prediction.double().std(correction=0)))

    def _note_range(self, call: Call) -> None:
        """Note whether a loss that expects logits got numbers from 0 to 1, as far as one call can tell."""
        prediction = call.prediction
        self._judged += 1
        is_inside = bool(((prediction >= 0) & (prediction <= 1)).all())
        if is_inside and call.kind == "cross entropy" and not call.is_squashed:
            is_inside = bool(((prediction.sum(1) - 1).abs() < SLACK).all())
        self._probable += is_inside
        self._lowest = min(self._lowest, float(prediction.min()))
        self._highest = max(self._highest, float(prediction.max()))

    def _is_probability(self) -> bool:
        """Whether all predictions were probabilities: by their graph, by their sums, or as they come near 0 and 1."""
        if self._judged < MIN_STEPS or self._probable < self._judged or self._last is None:
            return False
        comes_near = self._lowest < NEAR_END and self._highest > 1 - NEAR_END
        return self._last.is_squashed or self._last.kind == "cross entropy" or comes_near

    def _note_classes(self, call: Call, *, is_due: bool) -> None:
        prediction, target = call.prediction, call.target
        self._note_labels(target)
        if call.kind == "cross entropy":
            self._note_range(call)
        elif is_due:
            shares = prediction.double().exp()
            self._row_sums.append(float(shares.sum(1).median()))
            self._column_sums.append(float(shares.sum(0).median()))
        if is_due:
            self._note_guesses(prediction.argmax(1))

    def _note_labels(self, labels: Tensor) -> None:
        found, counts = torch.unique(labels, return_counts=True)
        self._counts.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
        self._batch_classes.append(len(found))
        self._batch_rows.append(len(labels))

    def _note_guesses(self, guesses: Tensor) -> None:
        found = torch.unique(guesses)
        self._guesses.append(int(found[0]) if len(found) == 1 else -1)

    # The evidence.

    def _constant_loss(self) -> float:
        """The loss of the best constant prediction; NaN where what was trained on is not that loss alone."""
        is_alone = self._mixed <= OTHER_PART * len(self.values)
        kind = self._last.kind if self._last is not None and is_alone and not self._last.is_weighted else ""
        if kind in (*CLASSES, "bce") and self._counts:
            shares = np.array(list(self._counts.values())) / sum(self._counts.values())
            found = float(-(shares * np.log(shares)).sum())
        elif kind == "mse" and self._targets[0]:
            found = self._target_spread() ** 2
        elif kind in ABSOLUTE and self._late_targets:
            targets = torch.cat([each.flatten() for each in self._late_targets])
            found = float(ABSOLUTE[kind](targets.median().expand_as(targets), targets))
        else:
            return math.nan
        last = self._last
        return found * (last.target.numel() if last is not None and last.is_summed else 1)

    def _target_spread(self) -> float:
        number, total, squares = self._targets
        return math.sqrt(max(squares / number - (total / number) ** 2, 0.0)) if number else math.nan

    def _floor(self) -> float:
        """The lowest loss that probabilities in the place of logits can reach."""
        if self._last is None or not self._counts:
            return math.nan
        if self._last.kind == "bce":
            share = self._counts[1] / sum(self._counts.values())
            return share * math.log1p(math.exp(-1)) + (1 - share) * math.log(2)
        return (
            math.log1p((self._last.prediction.shape[1] - 1) / math.e) if self._last.prediction.ndim == 2 else math.nan
        )

    def _expected_classes(self) -> float:
        shares = np.array(list(self._counts.values())) / max(sum(self._counts.values()), 1)
        rows = median(self._batch_rows) if self._batch_rows else 0
        return float((1 - (1 - shares) ** rows).sum())

    def facts(self) -> dict[str, Any]:
        """Its part of the evidence."""
        tests = dict(self._tests)
        if self._call is not None:  # a test without a backward pass at the end
            key = (self._call.kind, "last")
            tests[key] = ([len(self.values)], [self._call.value])
        guesses = set(self._guesses)
        return {
            "losses": np.array(self.values),
            "loss": self._last.kind if self._last is not None else "",
            "is_summed": self._last is not None and self._last.is_summed,
            "prediction_shape": self._shapes[0],
            "target_shape": self._shapes[1],
            "is_probability": self._is_probability(),
            "floor": self._floor(),
            "row_sum": median(self._row_sums) if self._row_sums else math.nan,
            "column_sum": median(self._column_sums) if self._column_sums else math.nan,
            "constant_loss": self._constant_loss(),
            "classes": len(self._counts),
            "batch_classes": median(self._batch_classes) if self._batch_classes else math.nan,
            "expected_classes": self._expected_classes() if self._counts else math.nan,
            "target_mean": self._targets[1] / self._targets[0] if self._targets[0] else math.nan,
            "target_spread": self._target_spread(),
            "output_zeros": median(self._zeros) if self._zeros else math.nan,
            "targets_below_zero": median(self._below_zero) if self._below_zero else math.nan,
            "output_spread": median(self._spreads) if self._spreads else math.nan,
            "one_class": guesses.pop() if len(guesses) == 1 and len(self._guesses) == LATE else -1,
            "unused_graphs": self._longest,
            "tests": tuple(TestCurve(tuple(steps), tuple(losses)) for steps, losses in tests.values()),
        }


def _ends_with(tensor: Tensor, names: tuple[str, ...]) -> bool:
    """Whether the last operation behind a tensor, apart from changes of its shape, is one of these."""
    node = tensor.grad_fn
    while node is not None and node.name().startswith(RESHAPING) and node.next_functions:
        node = node.next_functions[0][0]
    return node is not None and node.name().startswith(names)
