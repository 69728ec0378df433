"""Watches torch code while it trains: layers, losses, backward passes and updates.

    with Watch() as watch:
        exec(script)                        # any code that trains
    finding = diagnose(watch.evidence())

What is watched computes the same as without it, and no random number is drawn. A watch sees only the thread that has
entered it, and may be entered again, for code that runs in parts.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.modules import dropout
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.overrides import TorchFunctionMode

from playground.lessons.doctor.batches import Batches
from playground.lessons.doctor.evidence import Evidence
from playground.lessons.doctor.losses import Losses
from playground.lessons.doctor.passes import Pass, Passes
from playground.lessons.doctor.updates import Updates

EARLY = 10  # backward passes: each of them is measured
EVERY = 10  # after them, each tenth one

LAYERS = (functional.linear, torch.conv1d, torch.conv2d, torch.conv3d)
PRODUCTS = (torch.matmul, torch.mm, Tensor.matmul, Tensor.mm, Tensor.__matmul__)
RELUS = (functional.relu, torch.relu, Tensor.relu)
DROPOUTS = (functional.dropout, functional.dropout1d, functional.dropout2d, functional.dropout3d)
SUMS = (torch.add, Tensor.add, Tensor.add_, Tensor.__add__, Tensor.__radd__, Tensor.__iadd__)
LOGS = (torch.log, Tensor.log, torch.log2, Tensor.log2, torch.log10, Tensor.log10)
ROOTS = (torch.sqrt, Tensor.sqrt)
LOSSES: dict[Any, str] = {
    functional.cross_entropy: "cross entropy",
    functional.nll_loss: "nll",
    functional.binary_cross_entropy_with_logits: "bce",
    functional.mse_loss: "mse",
    functional.l1_loss: "l1",
    functional.huber_loss: "huber",
    functional.smooth_l1_loss: "huber",
}
DROPOUT_MODULES = dropout.__file__
INNER_FILES = (__file__, torch.overrides.__file__, functional.__file__)

_watching = threading.local()


def _before_update(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
    del args, kwargs
    watch = getattr(_watching, "watch", None)
    if watch is not None:
        watch.on_update(optimizer)


# Registered once for all threads: a hook that comes and goes would change a list that other optimizers are reading.
register_optimizer_step_pre_hook(_before_update)


class Watch(TorchFunctionMode):
    """Observes torch in the thread that has entered it; `evidence()` says what it has seen so far."""

    def __init__(self) -> None:
        super().__init__()
        self._passes, self._losses, self._batches, self._updates = Passes(), Losses(), Batches(), Updates()
        self._log_at = self._root_at = 0
        self._trained: Pass | None = None
        self._observers: dict[Any, Callable[[Any, Any, Sequence[Any], Mapping[str, Any]], None]] = {
            functional.batch_norm: self._on_batch_norm,
            Tensor.__getitem__: self._on_draw,
            Tensor.copy_: self._on_copy,
            **dict.fromkeys(LAYERS, self._on_layer),
            **dict.fromkeys(PRODUCTS, self._on_product),
            **dict.fromkeys(RELUS, self._on_relu),
            **dict.fromkeys(LOSSES, self._on_loss),
            **dict.fromkeys(DROPOUTS, self._on_dropout),
            **dict.fromkeys(SUMS, self._on_sum),
            **dict.fromkeys(LOGS, self._on_log),
            **dict.fromkeys(ROOTS, self._on_root),
        }

    def __enter__(self) -> Self:
        """Observe this thread from now on."""
        super().__enter__()  # type: ignore[no-untyped-call]
        _watching.watch = self
        return self

    def __exit__(self, *error: Any) -> None:
        """Observe it no longer."""
        _watching.watch = None
        super().__exit__(*error)  # type: ignore[no-untyped-call]

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call a function of torch, and note it if it says something about the training."""
        kwargs = kwargs or {}
        if func is Tensor.backward:
            return self._backward(func, args, kwargs)
        result = func(*args, **kwargs)
        observer = self._observers.get(func)
        if observer is not None:
            observer(func, result, args, kwargs)
        return result

    @property
    def steps(self) -> int:
        """The number of backward passes so far."""
        return len(self._losses.values)

    def evidence(self) -> Evidence:
        """What has been seen so far."""
        facts = self._passes.facts() | self._losses.facts() | self._batches.facts() | self._updates.facts()
        return Evidence(log_of_zero_at=self._log_at, root_of_zero_at=self._root_at, **facts)

    def on_update(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer is about to take a step in this thread."""
        with torch._C.DisableTorchFunction():
            self._updates.update(optimizer, is_due=self._is_due)

    @property
    def _is_due(self) -> bool:
        return self.steps <= EARLY or self.steps % EVERY == 0

    def _backward(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        loss, is_due = args[0], self._is_due
        forward = self._passes.backward(loss)
        weights = forward.weights if forward is not None else []
        if weights:
            self._updates.before_backward(weights, is_due=is_due)
        result = func(*args, **kwargs)
        self._losses.trained(loss, is_due=is_due)
        if forward is not None and weights:
            self._updates.after_backward(weights, is_due=is_due)
            is_finite = bool(loss.detach().isfinite().all())
            self._batches.trained(forward.inputs, is_due=is_due, is_finite=is_finite)
        return result

    # Each observer gets the function of torch, its result, and its arguments.

    def _on_layer(self, func: Any, output: Tensor, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        if len(args) > 1:
            places = 1 if func is functional.linear else output[0, 0].numel()
            self._note_layer(output, args[0], args[1], places)

    def _on_product(self, func: Any, output: Tensor, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        factors = [each for each in args[:2] if isinstance(each, Tensor)]
        weights = [each for each in factors if each.is_leaf and each.requires_grad]
        if len(factors) == 2 and len(weights) == 1:
            self._note_layer(output, factors[weights[0] is factors[0]], weights[0])

    def _note_layer(self, output: Tensor, inputs: Tensor, weight: Tensor, places: int = 1) -> None:
        self._passes.layer(output, inputs, weight)
        self._updates.layer(weight, places)

    def _on_batch_norm(self, func: Any, output: Tensor, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self._passes.mode("batch norm", args[0], in_train=bool(kwargs.get("training")))

    def _on_dropout(self, func: Any, output: Tensor, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        if kwargs.get("p") and _is_called_by(DROPOUT_MODULES):  # a call without a module has no mode
            self._passes.mode("dropout", args[0], in_train=bool(kwargs.get("training")))

    def _on_relu(self, func: Any, output: Tensor, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self._passes.relu(output)

    def _on_loss(self, func: Any, value: Tensor, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self._losses.called(LOSSES[func], value, args[0], args[1], kwargs)

    def _on_sum(self, func: Any, result: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self._losses.added(result, tuple(args[:2]))

    def _on_draw(self, func: Any, result: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self._batches.drawn(args[0], args[1], result)

    def _on_copy(self, func: Any, result: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self._updates.copied(args[0])

    def _on_log(self, func: Any, result: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        if not self._log_at and isinstance(args[0], Tensor) and bool((args[0] == 0).any()):
            self._log_at = self.steps + 1

    def _on_root(self, func: Any, result: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        if not self._root_at and isinstance(args[0], Tensor) and args[0].requires_grad and bool((args[0] == 0).any()):
            self._root_at = self.steps + 1


def _is_called_by(file: str) -> bool:
    """Whether a function of torch was called by code of this file."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename in INNER_FILES:
        frame = frame.f_back  # type: ignore[assignment]
    return frame is not None and frame.f_code.co_filename == file
