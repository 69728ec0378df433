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
    """One operation on an array `a` (and a second array `b`), as the code of both libraries, which is shown and run."""

    name: str
    label: str
    group: str
    numpy: str
    torch: str

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


_ROWS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "Elementwise": (
        ("abs", "Absolute value", "np.abs(a)", "torch.abs(a)"),
        ("negative", "Negative", "-a", "-a"),
        ("square", "Square", "a ** 2", "a ** 2"),
        ("sqrt", "Square root", "np.sqrt(a)", "torch.sqrt(a)"),
        ("sin", "Sine", "np.sin(a)", "torch.sin(a)"),
        ("exp", "Exponential", "np.exp(a)", "torch.exp(a)"),
        ("log", "Logarithm", "np.log(a)", "torch.log(a)"),
        ("round", "Round", "np.round(a)", "torch.round(a)"),
        ("clip", "Clip", "np.clip(a, 0, 1)", "torch.clamp(a, 0, 1)"),
        ("sign", "Sign", "np.sign(a)", "torch.sign(a)"),
        ("isnan", "Is it NaN?", "np.isnan(a)", "torch.isnan(a)"),
        ("where", "Where", "np.where(a > 1, a, 0)", "torch.where(a > 1, a, 0)"),
    ),
    "With a second array": (
        ("add", "Add", "a + b", "a + b"),
        ("multiply", "Multiply", "a * b", "a * b"),
        ("divide", "Divide", "a / b", "a / b"),
        ("floor_divide", "Divide, rounded down", "a // b", "a // b"),
        ("remainder", "Remainder", "a % b", "a % b"),
        ("power", "Power", "a ** b", "a ** b"),
        ("maximum", "The larger of two", "np.maximum(a, b)", "torch.maximum(a, b)"),
        ("greater", "Is it larger?", "a > b", "a > b"),
    ),
    "Reductions": (
        ("sum", "Sum", "np.sum(a)", "torch.sum(a)"),
        ("sum_rows", "Sum along axis 0", "np.sum(a, axis=0)", "torch.sum(a, dim=0)"),
        ("mean", "Mean", "np.mean(a)", "torch.mean(a)"),
        ("std", "Standard deviation", "np.std(a)", "torch.std(a)"),
        ("median", "Median", "np.median(a)", "torch.median(a)"),
        ("max", "Maximum", "np.max(a)", "torch.max(a)"),
        ("max_rows", "Maximum along axis 0", "np.max(a, axis=0)", "torch.max(a, dim=0)"),
        ("argmax", "Where the maximum is", "np.argmax(a)", "torch.argmax(a)"),
        ("prod", "Product", "np.prod(a)", "torch.prod(a)"),
        ("all", "Are all true?", "np.all(a)", "torch.all(a)"),
        ("norm", "Norm", "np.linalg.norm(a)", "torch.linalg.norm(a)"),
    ),
    "Products": (
        ("matmul", "Matrix product", "a @ b", "a @ b"),
        ("gram", "With its transpose", "a @ a.T", "a @ a.T"),
        ("dot", "Dot product", "np.dot(a, b)", "torch.dot(a, b)"),
        ("outer", "Outer product", "np.outer(a, b)", "torch.outer(a, b)"),
    ),
    "Shape": (
        ("reshape", "Reshape to one row", "a.reshape(1, -1)", "a.reshape(1, -1)"),
        ("ravel", "Flatten", "a.ravel()", "a.ravel()"),
        ("transpose", "Transpose", "a.T", "a.T"),
        ("swap", "Swap two axes", "np.swapaxes(a, 0, -1)", "torch.swapaxes(a, 0, -1)"),
        ("expand", "One more axis", "np.expand_dims(a, 0)", "torch.unsqueeze(a, 0)"),
        ("broadcast", "Broadcast", "np.broadcast_to(a, (2, *a.shape))", "torch.broadcast_to(a, (2, *a.shape))"),
        ("repeat", "Repeat", "a.repeat(2)", "a.repeat(2)"),
    ),
    "Indexing": (
        ("first", "First", "a[0]", "a[0]"),
        ("last", "Last of the last axis", "a[..., -1]", "a[..., -1]"),
        ("every_second", "Every second", "a[::2]", "a[::2]"),
        ("backwards", "Backwards", "a[::-1]", "a[::-1]"),
        ("mask", "Elements over 1", "a[a > 1]", "a[a > 1]"),
        ("take", "By a list", "a[[0, 0]]", "a[[0, 0]]"),
        ("nonzero", "Where it is not zero", "np.nonzero(a)", "torch.nonzero(a)"),
    ),
    "Cumulative and sorting": (
        ("cumsum", "Running sum", "np.cumsum(a, axis=-1)", "torch.cumsum(a, dim=-1)"),
        ("cumprod", "Running product", "np.cumprod(a, axis=-1)", "torch.cumprod(a, dim=-1)"),
        ("diff", "Differences", "np.diff(a)", "torch.diff(a)"),
        ("sort", "Sort", "np.sort(a)", "torch.sort(a)"),
        ("argsort", "Order", "np.argsort(a)", "torch.argsort(a)"),
        ("unique", "Unique", "np.unique(a)", "torch.unique(a)"),
    ),
    "Stacking": (
        ("stack", "Stack", "np.stack([a, a])", "torch.stack([a, a])"),
        ("concatenate", "Concatenate", "np.concatenate([a, a])", "torch.cat([a, a])"),
        ("hstack", "Side by side", "np.hstack([a, a])", "torch.hstack([a, a])"),
        ("split", "Split in two", "np.array_split(a, 2)", "torch.tensor_split(a, 2)"),
    ),
}

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
