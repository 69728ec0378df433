"""What an operation gives in each library, and whether it is the same: values, shape and dtype, or an error."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from playground.lessons.tensors.registry import Case, Operation
from playground.parsing.arrays import as_numpy, as_torch, read_array, times

Array = NDArray[Any]
ROUNDING = 4.0  # ulps: two good implementations of one function may differ by so much
SIGNS = {"same": "=\u00a0same", "differs": "≠\u00a0differs", "error": "!\u00a0error"}


@dataclass(frozen=True)
class Result:
    """The arrays that an operation gave, or its error as Python would print it."""

    parts: tuple[Array, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Verdict:
    """Whether it is "same", "differs" or "error"; and by how much, in words."""

    kind: str
    how: str = ""

    @property
    def sign(self) -> str:
        """The verdict with a sign in front, so that the eye finds it."""
        return SIGNS[self.kind]


def run(function: Callable[[Any, Any], Any], a: Any, b: Any) -> Result:
    """The function's result for a and b: one array or several, or what it raised."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = function(a, b)
    except Exception as error:  # whatever it is: showing it is what this is for
        return Result(error=f"{type(error).__name__}: {' '.join(str(error).split())}")
    return Result(tuple(_as_array(part) for part in made) if isinstance(made, (tuple, list)) else (_as_array(made),))


def compare(numpy: Result, torch: Result) -> Verdict:
    """Whether both libraries gave the same."""
    if numpy.error or torch.error:
        said = (("NumPy", numpy.error), ("torch", torch.error))
        return Verdict("error", "; ".join(f"{name}: {error}" for name, error in said if error))
    if len(numpy.parts) != len(torch.parts):
        return Verdict("differs", f"{_arrays(len(numpy.parts))} | {_arrays(len(torch.parts))}")
    found: list[str] = []
    for one, other in zip(numpy.parts, torch.parts, strict=True):
        if one.dtype != other.dtype:
            found.append(f"dtype {one.dtype} | {other.dtype}")
        if one.shape != other.shape:
            found.append(f"shape {times(one.shape)} | {times(other.shape)}")
        elif gap := distance(one, other):
            found.append(gap)
    return Verdict("differs", "; ".join(dict.fromkeys(found))) if found else Verdict("same")


def distance(one: Array, other: Array) -> str:
    """How far two arrays of one shape are from each other, in words; nothing where they are equal."""
    left, right = one.astype(np.float64), other.astype(np.float64)
    finite = np.isfinite(left) & np.isfinite(right)
    if not np.array_equal(left[~finite], right[~finite], equal_nan=True):
        return "NaN or infinity in different places"
    gap = float(np.abs(left[finite] - right[finite]).max(initial=0.0))
    if gap == 0:
        return ""
    floats = [array.dtype for array in (one, other) if array.dtype.kind == "f"]
    if len(floats) < 2:
        return f"values by up to {gap:.3g}"
    coarse = max(floats, key=lambda dtype: float(np.finfo(dtype).eps))
    with np.errstate(over="ignore"):
        largest = np.maximum(np.abs(left[finite]), np.abs(right[finite])).clip(max=float(np.finfo(coarse).max))
        ulps = float((np.abs(left[finite] - right[finite]) / np.spacing(largest.astype(coarse)).astype(float)).max())
    size = f"{ulps:.2g}" if ulps < 100 else f"{ulps:,.0f}" if ulps < 1e7 else f"{ulps:.1e}"
    return f"values by up to {gap:.2g} ({size} ulp of {coarse}{': rounding' if ulps <= ROUNDING else ''})"


def judge(
    operation: Operation, arrays: tuple[Array, Array], tensors: tuple[Any, Any]
) -> tuple[Result, Result, Verdict]:
    """What NumPy gives, what torch gives, and the verdict."""
    numpy, torch = run(operation.in_numpy, *arrays), run(operation.in_torch, *tensors)
    return numpy, torch, compare(numpy, torch)


def of_case(case: Case, operation: Operation) -> Verdict:
    """The verdict on one of the registry's cases, as it comes out here and now."""
    a, b = read_array(case.array), read_array(case.second)
    arrays, tensors = (as_numpy(a, case.dtype), as_numpy(b)), (as_torch(a, case.dtype), as_torch(b))
    return judge(operation, arrays, tensors)[2]


def _as_array(value: Any) -> Array:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def _arrays(count: int) -> str:
    return "one array" if count == 1 else f"{count} arrays"
