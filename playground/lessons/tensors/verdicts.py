"""The result of an operation in each library, and whether values, shape and dtype are the same."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from playground.lessons.numbers import number
from playground.lessons.tensors.registry import Operation
from playground.parsing.arrays import shape_text

Array = NDArray[Any]
MAX_ROUNDING = 4.0  # ulp: how far two correct implementations of one function may differ
SIGNS = {"same": "=\u00a0same", "differs": "≠\u00a0differs", "error": "!\u00a0error"}
DETAILS = {
    "error": "{library}: {error}",
    "one_part": "one array",
    "parts": "{count} arrays",
    "dtype": "dtype {one} | {other}",
    "shape": "shape {one} | {other}",
    "not_finite": "NaN or infinity in different places",
    "integers": "values by up to {gap}",
    "floats": "values by up to {gap} ({size} ulp of {dtype})",
    "rounding": "values by up to {gap} ({size} ulp of {dtype}: rounding)",
}


@dataclass(frozen=True)
class Result:
    """The arrays that an operation returned, or its error as Python prints it."""

    parts: tuple[Array, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Verdict:
    """The kind of verdict ("same", "differs" or "error"), the differences as text, and their names in DETAILS."""

    kind: str
    details: str = ""
    found: frozenset[str] = frozenset()

    @property
    def sign(self) -> str:
        """The verdict with a sign in front, which is easy to find in a table."""
        return SIGNS[self.kind]


def run(function: Callable[[Any, Any], Any], a: Any, b: Any) -> Result:
    """The result of the function for a and b: one array or several, or the error that it raised."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function(a, b)
    except Exception as error:  # any error is shown
        return Result(error=f"{type(error).__name__}: {' '.join(str(error).split())}")
    parts = result if isinstance(result, (tuple, list)) else (result,)
    return Result(tuple(_as_array(part) for part in parts))


def compare(numpy: Result, torch: Result) -> Verdict:
    """The verdict on the results of both libraries."""
    if numpy.error or torch.error:
        errors = (("NumPy", numpy.error), ("torch", torch.error))
        texts = (DETAILS["error"].format(library=name, error=error) for name, error in errors if error)
        return Verdict("error", "; ".join(texts))
    if len(numpy.parts) != len(torch.parts):
        return Verdict("differs", f"{_count(numpy)} | {_count(torch)}", frozenset({"parts"}))
    found: list[tuple[str, str]] = []
    for one, other in zip(numpy.parts, torch.parts, strict=True):
        if one.dtype != other.dtype:
            found.append(("dtype", DETAILS["dtype"].format(one=one.dtype, other=other.dtype)))
        if one.shape != other.shape:
            shapes = DETAILS["shape"].format(one=shape_text(one.shape), other=shape_text(other.shape))
            found.append(("shape", shapes))
        elif gap := distance(one, other):
            found.append(gap)
    if not found:
        return Verdict("same")
    return Verdict("differs", "; ".join(dict.fromkeys(text for _, text in found)), frozenset(name for name, _ in found))


def distance(one: Array, other: Array) -> tuple[str, str] | None:
    """The kind of difference between the values of two arrays of one shape, and its text; None if they are equal."""
    left, right = one.astype(np.float64), other.astype(np.float64)
    finite = np.isfinite(left) & np.isfinite(right)
    if not np.array_equal(left[~finite], right[~finite], equal_nan=True):
        return "not_finite", DETAILS["not_finite"]
    gap = float(np.abs(left[finite] - right[finite]).max(initial=0.0))
    if gap == 0:
        return None
    floats = [array.dtype for array in (one, other) if array.dtype.kind == "f"]
    if len(floats) < 2:
        return "integers", DETAILS["integers"].format(gap=number(gap))
    coarse = max(floats, key=lambda dtype: float(np.finfo(dtype).eps))
    with np.errstate(over="ignore"):
        largest = np.maximum(np.abs(left[finite]), np.abs(right[finite])).clip(max=float(np.finfo(coarse).max))
        ulps = float((np.abs(left[finite] - right[finite]) / np.spacing(largest.astype(coarse)).astype(float)).max())
    size = number(ulps, 2)
    kind = "rounding" if ulps <= MAX_ROUNDING else "floats"
    return kind, DETAILS[kind].format(gap=number(gap, 2), size=size, dtype=coarse)


def run_both(
    operation: Operation, arrays: tuple[Array, Array], tensors: tuple[Any, Any]
) -> tuple[Result, Result, Verdict]:
    """NumPy's result, torch's result, and the verdict."""
    numpy, torch = run(operation.in_numpy, *arrays), run(operation.in_torch, *tensors)
    return numpy, torch, compare(numpy, torch)


def _as_array(value: Any) -> Array:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def _count(result: Result) -> str:
    return DETAILS["one_part" if len(result.parts) == 1 else "parts"].format(count=len(result.parts))
