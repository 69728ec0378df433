"""The operations in which NumPy and torch are compared: one table for the page and its tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Operation:
    """One operation on an array `a` (and a second array `b`), as the code of both libraries, which is shown and run.

    `why` explains a difference between the two results.
    """

    name: str
    label: str
    group: str
    numpy: str
    torch: str
    why: str = ""

    @cached_property
    def in_numpy(self) -> Callable[[Any, Any], Any]:
        """The NumPy code as a function of a and b."""
        return _function(self.numpy)

    @cached_property
    def in_torch(self) -> Callable[[Any, Any], Any]:
        """The torch code as a function of a and b."""
        return _function(self.torch)

    @property
    def uses_second(self) -> bool:
        """Whether the code uses the second array."""
        return "b" in compile(self.numpy, self.name, "eval").co_names


def _function(code: str) -> Callable[[Any, Any], Any]:
    """The code of a row of this table as a function; text from visitors never gets here."""
    made: Callable[[Any, Any], Any] = eval(f"lambda a, b: {code}", {"np": np, "torch": torch})
    return made


FLOAT32 = "By default NumPy computes in float64, and torch in float32, its default float type."
_ROWS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Elementwise": (
        ("abs", "Absolute value", "np.abs(a)", "torch.abs(a)"),
        ("negative", "Negative", "-a", "-a"),
        ("square", "Square", "a ** 2", "a ** 2"),
        ("sqrt", "Square root", "np.sqrt(a)", "torch.sqrt(a)", FLOAT32),
        ("sin", "Sine", "np.sin(a)", "torch.sin(a)", FLOAT32),
        ("exp", "Exponential", "np.exp(a)", "torch.exp(a)", FLOAT32),
        ("log", "Logarithm", "np.log(a)", "torch.log(a)", FLOAT32),
        ("round", "Round", "np.round(a)", "torch.round(a)"),
        ("clip", "Clip", "np.clip(a, 0, 1)", "torch.clamp(a, 0, 1)"),
        ("sign", "Sign", "np.sign(a)", "torch.sign(a)", "The sign of NaN is 0 in torch."),
        ("isnan", "Is it NaN?", "np.isnan(a)", "torch.isnan(a)"),
        ("where", "Where", "np.where(a > 1, a, 0)", "torch.where(a > 1, a, 0)"),
    ),
    "With a second array": (
        ("add", "Add", "a + b", "a + b",
         "Both broadcast shapes by the same rule; they promote dtypes by different ones."),
        ("multiply", "Multiply", "a * b", "a * b"),
        ("divide", "Divide", "a / b", "a / b", FLOAT32),
        ("floor_divide", "Divide, rounded down", "a // b", "a // b",
         "An integer divided by zero is an error in torch, and 0 with a warning in NumPy."),
        ("remainder", "Remainder", "a % b", "a % b",
         "An integer modulo zero is an error in torch, and 0 with a warning in NumPy."),
        ("power", "Power", "a ** b", "a ** b",
         "An integer to a negative power is an error in NumPy; torch cuts off the digits after the point."),
        ("maximum", "The larger of two", "np.maximum(a, b)", "torch.maximum(a, b)"),
        ("greater", "Is it larger?", "a > b", "a > b"),
    ),
    "Reductions": (
        ("sum", "Sum", "np.sum(a)", "torch.sum(a)"),
        ("sum_rows", "Sum along axis 0", "np.sum(a, axis=0)", "torch.sum(a, dim=0)"),
        ("mean", "Mean", "np.mean(a)", "torch.mean(a)",
         "torch cannot average integers, since the mean may not be an integer: call a.float() first."),
        ("std", "Standard deviation", "np.std(a)", "torch.std(a)",
         "NumPy divides by n, torch by n − 1. The same in NumPy is np.std(a, ddof=1)."),
        ("median", "Median", "np.median(a)", "torch.median(a)",
         "For an even count NumPy gives the mean of the middle two, torch the lower one."),
        ("max", "Maximum", "np.max(a)", "torch.max(a)"),
        ("max_rows", "Maximum along axis 0", "np.max(a, axis=0)", "torch.max(a, dim=0)",
         "torch gives two tensors: the values and their positions."),
        ("argmax", "Where the maximum is", "np.argmax(a)", "torch.argmax(a)",
         "Both give the position in the flattened array."),
        ("prod", "Product", "np.prod(a)", "torch.prod(a)"),
        ("all", "Are all true?", "np.all(a)", "torch.all(a)", "For a uint8 tensor torch gives a uint8, not a bool."),
        ("norm", "Norm", "np.linalg.norm(a)", "torch.linalg.norm(a)",
         "torch has no norm of integers: call a.float() first."),
    ),
    "Products": (
        ("matmul", "Matrix product", "a @ b", "a @ b", "torch needs both in the same dtype; NumPy converts."),
        ("gram", "With its transpose", "a @ a.T", "a @ a.T"),
        ("dot", "Dot product", "np.dot(a, b)", "torch.dot(a, b)",
         "NumPy's dot is a matrix product for 2 axes and more; torch's accepts 1 axis only: write a @ b."),
        ("outer", "Outer product", "np.outer(a, b)", "torch.outer(a, b)",
         "NumPy flattens both first; torch accepts 1 axis only."),
    ),
    "Shape": (
        ("reshape", "Reshape to one row", "a.reshape(1, -1)", "a.reshape(1, -1)"),
        ("ravel", "Flatten", "a.ravel()", "a.ravel()"),
        ("transpose", "Transpose", "a.T", "a.T"),
        ("swap", "Swap two axes", "np.swapaxes(a, 0, -1)", "torch.swapaxes(a, 0, -1)"),
        ("expand", "One more axis", "np.expand_dims(a, 0)", "torch.unsqueeze(a, 0)"),
        ("broadcast", "Broadcast", "np.broadcast_to(a, (2, *a.shape))", "torch.broadcast_to(a, (2, *a.shape))"),
        ("repeat", "Repeat", "a.repeat(2)", "a.repeat(2)",
         "The same name, two meanings: NumPy repeats each number, torch repeats the whole array (np.tile)."),
    ),
    "Indexing": (
        ("first", "First", "a[0]", "a[0]"),
        ("last", "Last along the last axis", "a[..., -1]", "a[..., -1]"),
        ("every_second", "Every second", "a[::2]", "a[::2]"),
        ("backwards", "Backwards", "a[::-1]", "a[::-1]",
         "A tensor's strides cannot be negative: torch.flip(a, [0]) makes a copy instead."),
        ("mask", "Elements over 1", "a[a > 1]", "a[a > 1]"),
        ("take", "By a list", "a[[0, 0]]", "a[[0, 0]]"),
        ("nonzero", "Positions that are not zero", "np.nonzero(a)", "torch.nonzero(a)",
         "NumPy gives one array for each axis, torch one tensor with a row for each position."),
    ),
    "Cumulative and sorting": (
        ("cumsum", "Running sum", "np.cumsum(a, axis=-1)", "torch.cumsum(a, dim=-1)"),
        ("cumprod", "Running product", "np.cumprod(a, axis=-1)", "torch.cumprod(a, dim=-1)"),
        ("diff", "Differences", "np.diff(a)", "torch.diff(a)"),
        ("sort", "Sort", "np.sort(a)", "torch.sort(a)",
         "torch gives two tensors: the values and their earlier positions."),
        ("argsort", "Order", "np.argsort(a)", "torch.argsort(a)",
         "Neither library promises an order of equal numbers, unless you ask for a stable sort."),
        ("unique", "Unique", "np.unique(a)", "torch.unique(a)"),
    ),
    "Stacking": (
        ("stack", "Stack", "np.stack([a, a])", "torch.stack([a, a])"),
        ("concatenate", "Concatenate", "np.concatenate([a, a])", "torch.cat([a, a])"),
        ("hstack", "Side by side", "np.hstack([a, a])", "torch.hstack([a, a])"),
        ("split", "Split in two", "np.array_split(a, 2)", "torch.tensor_split(a, 2)"),
    ),
}  # fmt: skip

OPERATIONS: dict[str, Operation] = {
    name: Operation(name, label, group, *rest) for group, rows in _ROWS.items() for name, label, *rest in rows
}


@dataclass(frozen=True)
class Case:
    """A difference worth knowing: the operation and the array that show it, and the expected verdict."""

    title: str
    operation: str
    verdict: str  # "same", "differs" or "error"
    array: str = "0 1 2; 3 4 5"
    dtype: str = "auto"
    second: str = "10 20 30"


CASES: tuple[Case, ...] = (
    Case("Default float type", "sin", "differs", "-1 -2 1 2"),
    Case("Mean of integers", "mean", "error", "-1 -2 1 2"),
    Case("Mean of floats", "mean", "same", "-1 -2 1 2", "float32"),
    Case("Dot product of 2 axes", "dot", "error", second="1 2; 3 4; 5 6"),
    Case("What std divides by", "std", "differs", dtype="float32"),
    Case("Median of four", "median", "differs", "1 2 3 4", "float32"),
    Case("Integers divided by zero", "floor_divide", "error", "7 -7 0", second="2 2 0"),
    Case("Negative strides", "backwards", "error"),
    Case("Ties of argmax", "argmax", "same", "1 3 3 1"),
    Case("Repeat", "repeat", "differs", "1 2 3"),
    Case("Maximum along an axis", "max_rows", "differs"),
    Case("Mixed dtypes", "matmul", "error", dtype="float16", second="10 20 30"),
    Case("NaN is contagious", "max", "same", "1 nan 3", "float32"),
)
