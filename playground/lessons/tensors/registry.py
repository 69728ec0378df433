"""The operations that NumPy and torch are compared by: one row each, for the page, its verdicts and their tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Operation:
    """One thing done in both libraries to an array `a` (and a second, `b`), each as the code that is shown and run.

    `why` says what a student should know where the two differ.
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
    def takes_two(self) -> bool:
        """Whether the second array matters."""
        return "b" in compile(self.numpy, self.name, "eval").co_names


def _function(code: str) -> Callable[[Any, Any], Any]:
    """The code of a row above as a function; nothing that a visitor types ever comes here."""
    made: Callable[[Any, Any], Any] = eval(f"lambda a, b: {code}", {"np": np, "torch": torch})
    return made


FLOAT32 = "Unless you say otherwise NumPy makes a float64, and torch a float32, its default float type."
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
        ("sign", "Sign", "np.sign(a)", "torch.sign(a)", "torch takes NaN's sign to be 0."),
        ("isnan", "Is it NaN?", "np.isnan(a)", "torch.isnan(a)"),
        ("where", "Where", "np.where(a > 1, a, 0)", "torch.where(a > 1, a, 0)"),
    ),
    "With a second array": (
        ("add", "Add", "a + b", "a + b", "Shapes broadcast by the same rule; dtypes are promoted by different ones."),
        ("multiply", "Multiply", "a * b", "a * b"),
        ("divide", "Divide", "a / b", "a / b", FLOAT32),
        ("floor_divide", "Divide, rounded down", "a // b", "a // b",
         "A whole number by zero is an error in torch, and 0 with a warning in NumPy."),
        ("remainder", "Remainder", "a % b", "a % b",
         "A whole number modulo zero is an error in torch, and 0 with a warning in NumPy."),
        ("power", "Power", "a ** b", "a ** b",
         "A whole number to a negative power is an error in NumPy; torch drops what is behind the point."),
        ("maximum", "The larger of two", "np.maximum(a, b)", "torch.maximum(a, b)"),
        ("greater", "Is it larger?", "a > b", "a > b"),
    ),
    "Reductions": (
        ("sum", "Sum", "np.sum(a)", "torch.sum(a)"),
        ("sum_rows", "Sum along axis 0", "np.sum(a, axis=0)", "torch.sum(a, dim=0)"),
        ("mean", "Mean", "np.mean(a)", "torch.mean(a)",
         "torch takes no mean of whole numbers, since the result would not be one: call a.float() first."),
        ("std", "Standard deviation", "np.std(a)", "torch.std(a)",
         "NumPy divides by n, torch by n − 1. The same in NumPy is np.std(a, ddof=1)."),
        ("median", "Median", "np.median(a)", "torch.median(a)",
         "Of an even count NumPy takes the mean of the middle two, torch the lower one."),
        ("max", "Maximum", "np.max(a)", "torch.max(a)"),
        ("max_rows", "Maximum along axis 0", "np.max(a, axis=0)", "torch.max(a, dim=0)",
         "torch gives two tensors: the values, and where they stand."),
        ("argmax", "Where the maximum is", "np.argmax(a)", "torch.argmax(a)", "Both count through the flat array."),
        ("prod", "Product", "np.prod(a)", "torch.prod(a)"),
        ("all", "Are all true?", "np.all(a)", "torch.all(a)", "Of a uint8 torch gives a uint8, not a bool."),
        ("norm", "Norm", "np.linalg.norm(a)", "torch.linalg.norm(a)",
         "torch takes no norm of whole numbers: call a.float() first."),
    ),
    "Products": (
        ("matmul", "Matrix product", "a @ b", "a @ b", "torch wants both of one dtype; NumPy promotes."),
        ("gram", "With its transpose", "a @ a.T", "a @ a.T"),
        ("dot", "Dot product", "np.dot(a, b)", "torch.dot(a, b)",
         "NumPy's dot is a matrix product for 2 axes and more; torch's takes 1 axis only: write a @ b."),
        ("outer", "Outer product", "np.outer(a, b)", "torch.outer(a, b)",
         "NumPy flattens both first; torch takes 1 axis only."),
    ),
    "Shape": (
        ("reshape", "Reshape to one row", "a.reshape(1, -1)", "a.reshape(1, -1)"),
        ("ravel", "Flatten", "a.ravel()", "a.ravel()"),
        ("transpose", "Transpose", "a.T", "a.T"),
        ("swap", "Swap two axes", "np.swapaxes(a, 0, -1)", "torch.swapaxes(a, 0, -1)"),
        ("expand", "One more axis", "np.expand_dims(a, 0)", "torch.unsqueeze(a, 0)"),
        ("broadcast", "Broadcast", "np.broadcast_to(a, (2, *a.shape))", "torch.broadcast_to(a, (2, *a.shape))"),
        ("repeat", "Repeat", "a.repeat(2)", "a.repeat(2)",
         "The same name, two meanings: NumPy repeats each number, torch the whole (NumPy's tile)."),
    ),
    "Indexing": (
        ("first", "First", "a[0]", "a[0]"),
        ("last", "Last along the last axis", "a[..., -1]", "a[..., -1]"),
        ("every_second", "Every second", "a[::2]", "a[::2]"),
        ("backwards", "Backwards", "a[::-1]", "a[::-1]",
         "A tensor's strides cannot be negative: torch.flip(a, [0]) makes a copy instead."),
        ("mask", "Those over 1", "a[a > 1]", "a[a > 1]"),
        ("take", "By a list", "a[[0, 0]]", "a[[0, 0]]"),
        ("nonzero", "Where it is not zero", "np.nonzero(a)", "torch.nonzero(a)",
         "NumPy gives one array for each axis, torch one tensor with a row for each place."),
    ),
    "Cumulative and sorting": (
        ("cumsum", "Running sum", "np.cumsum(a, axis=-1)", "torch.cumsum(a, dim=-1)"),
        ("cumprod", "Running product", "np.cumprod(a, axis=-1)", "torch.cumprod(a, dim=-1)"),
        ("diff", "Differences", "np.diff(a)", "torch.diff(a)"),
        ("sort", "Sort", "np.sort(a)", "torch.sort(a)", "torch gives two tensors: the values, and where they stood."),
        ("argsort", "Order", "np.argsort(a)", "torch.argsort(a)",
         "Of equal numbers neither promises which comes first, unless you ask for a stable sort."),
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
    """A difference worth knowing: the operation and the array that show it, and the verdict to expect."""

    title: str
    operation: str
    verdict: str  # "same", "differs" or "error"
    array: str = "0 1 2; 3 4 5"
    dtype: str = "auto"
    second: str = "10 20 30"


CASES: tuple[Case, ...] = (
    Case("Default float type", "sin", "differs", "-1 -2 1 2"),
    Case("Mean of whole numbers", "mean", "error", "-1 -2 1 2"),
    Case("Mean of floats", "mean", "same", "-1 -2 1 2", "float32"),
    Case("Dot of 2 axes", "dot", "error", second="1 2; 3 4; 5 6"),
    Case("What std divides by", "std", "differs", dtype="float32"),
    Case("Median of four", "median", "differs", "1 2 3 4", "float32"),
    Case("Whole numbers by zero", "floor_divide", "error", "7 -7 0", second="2 2 0"),
    Case("Negative strides", "backwards", "error"),
    Case("Ties of argmax", "argmax", "same", "1 3 3 1"),
    Case("Repeat", "repeat", "differs", "1 2 3"),
    Case("Maximum along an axis", "max_rows", "differs"),
    Case("Mixed dtypes", "matmul", "error", dtype="float16", second="10 20 30"),
    Case("NaN is contagious", "max", "same", "1 nan 3", "float32"),
)
