"""The inputs of a training as the doctor sees them: their scale, and whether each step gets other rows."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import torch
from torch import Tensor

MAX_DISTINCT = 4096  # batches; further ones are not counted
MIN_STEPS = 20
COVERED = 0.25  # of the rows: batches that repeat and cover no more are "always the same"
REPEATS = 4.0  # how often each of them has come on average


class Batches:
    """Collects what went into the first layer, and what was drawn out of larger tensors for it."""

    def __init__(self) -> None:
        self.rows = 0  # of the last batch
        self._steps = self._draws = 0
        self._source_rows = 0
        # Since the last step: number of rows -> of the tensor that they are from; and rows one by one, as loaders do.
        self._drawn: dict[int, int] = {}
        self._single_rows = self._single_source = 0
        self._distinct: Counter[tuple[Any, ...]] = Counter()
        self._sums = np.zeros((3, 0))  # for each column: number of rows, sum, sum of squares
        self._bad_columns = 0
        self._columns = 0

    def drawn(self, source: Tensor, index: Any, rows: Tensor) -> None:
        """Rows were taken out of a tensor: for a step if it then has as many, such as the rows of a test otherwise."""
        if not source.ndim or source.requires_grad or isinstance(index, tuple) or index is None:
            return
        if rows.ndim < source.ndim:
            self._single_rows += 1
            self._single_source = max(self._single_source, len(source))
        else:
            self._drawn[len(rows)] = max(self._drawn.get(len(rows), 0), len(source))

    @torch.no_grad()
    def trained(self, inputs: Tensor, *, is_due: bool, is_finite: bool) -> None:
        """A backward pass has used these inputs, (rows, ...); its loss was finite or not."""
        drawn, self._drawn = self._drawn, {}
        single_rows, single_source = self._single_rows, self._single_source
        self._single_rows = self._single_source = 0
        if not inputs.ndim or not len(inputs) or not inputs.is_floating_point():
            return
        table = inputs.detach().reshape(len(inputs), -1)
        self.rows = len(table)
        self._steps += 1
        drawn_from = max(drawn.get(self.rows, 0), single_source if single_rows >= self.rows else 0)
        if drawn_from > self.rows:
            self._draws += 1
            self._source_rows = max(self._source_rows, drawn_from)
        if len(self._distinct) < MAX_DISTINCT:
            weights = torch.arange(1, len(table) + 1, dtype=table.dtype)
            self._distinct[len(table), float(table.sum()), float(table.sum(1) @ weights)] += 1
        if is_due or not is_finite:
            self._measure(table)

    def _measure(self, table: Tensor) -> None:
        finite = table.isfinite().all(0)
        self._columns = table.shape[1]
        self._bad_columns = max(self._bad_columns, int((~finite).sum()))
        if self._sums.shape[1] != table.shape[1]:
            self._sums = np.zeros((3, table.shape[1]))
        values = table.double().nan_to_num(0.0, 0.0, 0.0)
        self._sums += np.stack([np.full(table.shape[1], len(table)), values.sum(0).numpy(), (values**2).sum(0).numpy()])

    def facts(self) -> dict[str, Any]:
        """Its part of the evidence."""
        facts: dict[str, Any] = {"bad_columns": self._bad_columns, "columns": self._columns, "rows": self.rows}
        number, total, squares = self._sums
        if number.size and number[0] > 0:
            means = total / number
            spreads = np.sqrt(np.maximum(squares / number - means**2, 0))
            mean = total.sum() / number.sum()
            facts |= {
                "input_mean": float(means[np.abs(means).argmax()]),
                "input_spread": float(spreads.max()),
                "all_spread": float(np.sqrt(max(squares.sum() / number.sum() - mean**2, 0))),
            }
        distinct = len(self._distinct)
        covered = sum(rows for rows, *_ in self._distinct)
        repeats = self._steps >= max(MIN_STEPS, REPEATS * distinct)
        if repeats and self._draws >= 0.9 * self._steps and covered <= COVERED * self._source_rows:
            facts |= {"same_rows": covered, "source_rows": self._source_rows}
        return facts
