"""Forward passes as the doctor sees them: layers in their order, the mode of dropout and batch norm, silent units."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from playground.lessons.doctor.evidence import Mode

WINDOW = 25  # backward passes: a unit is dead if it is silent in all of the last one to two windows
MAX_OPEN = 4  # passes that wait for a backward pass; the oldest one then counts as a test
MAX_NODES = 2000  # of a graph that is searched for a pass
TRAINING, TEST = "training", "test"


@dataclass(eq=False)
class Pass:
    """A forward pass: from the first layer, which gets the data, to the last one."""

    with_grad: bool
    inputs: Tensor
    weights: list[Tensor] = field(default_factory=list)
    output: Tensor | None = None
    modes: list[tuple[str, bool, int]] = field(default_factory=list)  # module, whether in train mode, rows
    relus: list[Tensor] = field(default_factory=list)
    linear_pairs: int = 0  # neighbouring layers with nothing between them


class Passes:
    """Puts the calls of layers together to passes, and tells those that are trained on from tests."""

    def __init__(self) -> None:
        self.current: Pass | None = None
        self.trained = 0  # passes
        self.linear_pairs = 0  # in the last of them
        self._open: list[Pass] = []  # with a graph, since the last backward pass
        self._counted: Counter[tuple[str, str]] = Counter()  # (where, module): passes
        self._wrong: Counter[tuple[str, str]] = Counter()  # those in the wrong mode
        self._wrong_since: dict[tuple[str, str], int] = {}
        self._batches_of_one = 0
        self._alive: list[Tensor] = []  # for each ReLU, whether a unit was not 0 in this window
        self._alive_before: list[Tensor] = []

    def layer(self, output: Tensor, inputs: Tensor, weight: Tensor) -> Pass:
        """A layer was called; returns the pass that it belongs to."""
        with_grad, current = torch.is_grad_enabled(), self.current
        is_first = (
            current is None
            or current.with_grad != with_grad
            or (not inputs.requires_grad and any(each is weight for each in current.weights))
        )
        if is_first:
            self.finish()
            current = self.current = Pass(with_grad, inputs)
            if with_grad:
                self._open.append(current)
                for old in self._open[:-MAX_OPEN]:
                    self._count_modes(old, TEST)
                self._open = self._open[-MAX_OPEN:]
        assert current is not None
        before = current.output
        if before is not None and (inputs is before or inputs._base is before):
            current.linear_pairs += 1
        current.weights.append(weight)
        current.output = output
        return current

    def mode(self, module: str, inputs: Tensor, *, in_train: bool) -> None:
        """A module whose mode matters was called."""
        if self.current is not None and inputs.ndim:
            self.current.modes.append((module, in_train, len(inputs)))

    def relu(self, output: Tensor) -> None:
        """A ReLU was called."""
        if self.current is not None and self.current.with_grad and output.ndim >= 2:
            self.current.relus.append(output.detach())

    def finish(self) -> None:
        """The current pass is over; without a graph it was a test."""
        if self.current is not None and not self.current.with_grad:
            self._count_modes(self.current, TEST)
        self.current = None

    def backward(self, loss: Tensor) -> Pass | None:
        """A backward pass starts: returns the last forward pass that it goes through, None if there was none."""
        self.finish()
        found, self._open = self._open, []
        reached = found if len(found) < 2 else _in_graph(loss, found)
        for each in found:
            self._count_modes(each, TRAINING if each in reached else TEST)
        if not reached:
            return None
        self.trained += 1
        self.linear_pairs = reached[-1].linear_pairs
        self._batches_of_one += ("batch norm", True, 1) in reached[-1].modes
        self._note_alive(reached[-1].relus)
        return reached[-1]

    def _note_alive(self, outputs: list[Tensor]) -> None:
        alive = [(each > 0).transpose(0, 1).flatten(1).any(1) for each in outputs]  # (units,)
        if [len(each) for each in alive] != [len(each) for each in self._alive]:
            self._alive, self._alive_before = alive, []
        elif self.trained % WINDOW == 0:
            self._alive, self._alive_before = alive, self._alive
        else:
            self._alive = [old | new for old, new in zip(self._alive, alive, strict=True)]

    def _count_modes(self, one: Pass, where: str) -> None:
        for module in {name for name, _, _ in one.modes}:
            modes = [in_train for name, in_train, _ in one.modes if name == module]
            self._counted[where, module] += 1
            if any(modes) if where == TEST else not all(modes):
                self._wrong[where, module] += 1
                self._wrong_since.setdefault((where, module), self.trained)

    def facts(self) -> dict[str, Any]:
        """Its part of the evidence."""
        self.finish()
        tests = Counter(self._counted), Counter(self._wrong), dict(self._wrong_since)
        for each in self._open:  # the script is over, or between two of its lines
            self._count_modes(each, TEST)
        found = {where: self._modes(where) for where in (TRAINING, TEST)}
        self._counted, self._wrong, self._wrong_since = tests
        silent = [~(a | b) for a, b in zip(self._alive, self._alive_before, strict=False)]
        most = max(silent, key=lambda each: float(each.float().mean()), default=None)
        return {
            "modes_in_training": found[TRAINING],
            "modes_in_test": found[TEST],
            "batch_norm_of_one": self._batches_of_one,
            "linear_pairs": self.linear_pairs,
            "dead": 0 if most is None else int(most.sum()),
            "dead_of": 0 if most is None else len(most),
        }

    def _modes(self, where: str) -> tuple[Mode, ...]:
        return tuple(
            Mode(module, self._wrong[place, module], passes, self._wrong_since.get((place, module), 0))
            for (place, module), passes in sorted(self._counted.items())
            if place == where
        )


def _in_graph(loss: Tensor, passes: list[Pass]) -> list[Pass]:
    """The passes whose outputs a loss was computed from; all of them if none can be found."""
    wanted = {each.output.grad_fn: each for each in passes if each.output is not None}
    visited: set[Any] = set()
    found, ahead = [], [loss.grad_fn]
    while ahead and len(visited) < MAX_NODES:
        node = ahead.pop()
        if node is None or node in visited:
            continue
        visited.add(node)
        if node in wanted:
            found.append(wanted[node])
        ahead += [each for each, _ in node.next_functions]
    return sorted(found, key=passes.index) or passes
