"""Why the two libraries do not agree on an operation: found in what happened, not in the name of the operation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.lessons.numbers import number
from playground.lessons.tensors.registry import Operation
from playground.lessons.tensors.verdicts import Result, Verdict, compare, run
from playground.parsing.arrays import shape_text

Array = NDArray[Any]

SENTENCES = {
    # Errors.
    "shapes_differ": "The shapes {shape_a} and {shape_b} do not fit: aligned at the right, two sizes must be equal, or "
    "one of them 1.",
    "products_differ": "The shapes {shape_a} and {shape_b} do not fit: the axis that is summed over must have the same "
    "size in both.",
    "single_number": "`{single}` is a single number of shape (): it has no axis.",
    "single_in_torch": "`{single}` is a single number of shape (): it has no axis. NumPy insists on one, torch does "
    "not.",
    "mixed_dtypes": "`a` is {dtype_a} and `b` is {dtype_b}: here torch needs both in the same dtype, while NumPy "
    "converts them.",
    "needs_floats": "In torch this needs floats, and `a` is {dtype_a}: call `a.float()` first. NumPy converts by "
    "itself.",
    "no_bool_in_torch": "torch does not have this operation for bool: call `a.int()` first.",
    "no_bool_in_numpy": "NumPy does not have this operation for bool: call `a.astype(int)` first.",
    "negative_bool": "Neither library has a negative of bool: write `~a` for the opposite.",
    "negative_strides": "A tensor’s strides cannot be negative: `torch.flip(a, [0])` makes a copy instead.",
    "dot_of_axes": "NumPy’s dot is a matrix product for 2 axes and more; torch’s accepts exactly 1: write `a @ b`.",
    "dot_of_single": "torch’s dot needs exactly 1 axis in both, and `{single}` is a single number: write `a * b`.",
    "outer_of_axes": "NumPy flattens both first; torch accepts exactly 1 axis in each.",
    "repeat_axes": "torch repeats whole arrays and needs a number for each axis, as in `a.repeat(2, 1)`; NumPy "
    "flattens first.",
    "integer_by_zero": "An integer divided by zero is an error in torch; NumPy gives 0 and a warning.",
    "converted_to_zero": "`b` is a single number: torch converts it to {dtype_a}, where it becomes 0, and an integer "
    "divided by zero is an error in torch.",
    "negative_power": "An integer to a negative power is an error in NumPy; torch cuts off the digits after the point.",
    # Different types.
    "typed_decimals": "Without a dtype NumPy stores decimal numbers as float64, and torch as float32, its default "
    "float type.",
    "default_float": "From {dtype_a} NumPy computes a float64, and torch a float32, its default float type.",
    "default_quotient": "From two integers NumPy computes a float64, and torch a float32, its default float type.",
    "small_float": "From {dtype_a} NumPy computes in float16, the smallest float type that holds all its numbers; "
    "torch in float32, its default float type.",
    "promotion": "`a` is {dtype_a} and `b` is {dtype_b}: NumPy chooses a type that holds all numbers of both, {numpy}; "
    "torch keeps the float type, {torch}.",
    "unsigned_sum": "NumPy adds up or multiplies unsigned integers as uint64, torch all integers as int64.",
    "bool_power": "For bool NumPy computes this power in int8, torch in int64.",
    "all_of_bytes": "For a uint8 tensor torch gives a uint8, not a bool.",
    "median_of_integers": "NumPy’s median is always a float; torch’s is one of the numbers, in their own dtype.",
    # Different values or shapes.
    "rounding": "Only by rounding: the libraries compute in different ways, and both are right to the last digit or "
    "two.",
    "divisor": "NumPy divides by n, torch by n − 1. The same in NumPy is `np.std(a, ddof=1)`.",
    "divisor_of_one": "NumPy divides by n, torch by n − 1: for a single number torch divides 0 by 0, which is NaN.",
    "lower_middle": "For an even count NumPy gives the mean of the middle two, torch the lower one.",
    "two_repeats": "The same name, two meanings: NumPy repeats each number, torch repeats the whole array (`np.tile`).",
    "sign_of_nan": "The sign of NaN is 0 in torch, and NaN in NumPy.",
    "with_positions": "torch gives two tensors: the values and their positions.",
    "rows_of_positions": "NumPy gives one array for each axis, torch one tensor with a row for each position.",
    "array_of_one": "From a single number NumPy makes an array of one number; in torch it keeps its shape ().",
    "every_nan": "NumPy counts all NaN as one number; torch keeps each, because NaN is not equal to NaN.",
    "order_of_equals": "Neither library promises an order of equal numbers, unless you ask for a stable sort.",
    "compared_as": "`a` is {dtype_a} and `b` is {dtype_b}: NumPy compares them as {numpy}, torch as {torch}, which "
    "rounds.",
    "single_is_weak": "`{single}` is a single number: torch keeps the dtype of the other one, {torch}; NumPy chooses "
    "one for both, {numpy}.",
    "too_large": "Numbers on the way are beyond the largest {small}, {largest}: for {library} they are inf.",
    "too_large_then_nan": "Numbers on the way are beyond the largest {small}, {largest}: for {library} they are inf, "
    "and inf × 0 and inf − inf are NaN.",
    "many_roundings": "Only by rounding: the libraries do not round at the same steps, and the rounding errors grow "
    "when large numbers cancel.",
}

# What the libraries write -> why. The first pattern found counts.
NUMPY_ERRORS = (
    (r"could not be broadcast", "shapes_differ"),
    (r"not aligned|mismatch in its core dimension", "products_differ"),
    (r"0-dimensional|at least one dimensional|0d arrays|does not have enough dimensions|tuple index out of range"
     r"|zero-dimensional|for array of dimension 0", "single_number"),
    (r"boolean negative", "negative_bool"),
    (r"did not contain a loop", "no_bool_in_numpy"),
    (r"negative integer powers", "negative_power"),
)  # fmt: skip
TORCH_ERRORS = (
    (r"must match the size|shape .* is invalid", "shapes_differ"),
    (r"inconsistent tensor size|cannot be multiplied|size mismatch|Expected size for first two", "products_differ"),
    (r"0-dim|at least one-dimensional|at least 1D|zero-dimensional|dimension 0$|1-dimensional tensor, but got a tensor"
     r" with 0", "single_number"),
    (r"same dtype|expected scalar type", "mixed_dtypes"),
    (r"ZeroDivisionError", "integer_by_zero"),
    (r"Negation", "negative_bool"),
    (r"not implemented for 'Bool'|bool input", "no_bool_in_torch"),
    (r"[Ff]loating point", "needs_floats"),
    (r"step must be greater than zero", "negative_strides"),
    (r"1D tensors expected.*0D", "dot_of_single"),
    (r"1D tensors expected", "dot_of_axes"),
    (r"Expected 1-D argument", "outer_of_axes"),
    (r"repeat dims", "repeat_axes"),
)  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """One operation in both libraries: what went in, what came out, and the verdict."""

    operation: Operation
    arrays: tuple[Array, Array]
    tensors: tuple[Tensor, Tensor]
    numpy: Result
    torch: Result
    verdict: Verdict

    @property
    def same_inputs(self) -> tuple[Array, Array]:
        """The tensors as arrays: what NumPy would start from with torch's dtypes."""
        return self.tensors[0].cpu().numpy(), self.tensors[1].cpu().numpy()


def reasons(compared: Comparison) -> list[str]:
    """One sentence for each thing that made the results different; none if they are the same."""
    if compared.verdict.kind == "same":
        return []
    found = _of_errors(compared) if compared.verdict.kind == "error" else _of_results(compared)
    return list(dict.fromkeys(found))


def _of_errors(compared: Comparison) -> Iterator[str]:
    a, b = compared.arrays
    numpy, torch = compared.numpy.error, compared.torch.error
    names = dict.fromkeys((*_matching(numpy, NUMPY_ERRORS), *_matching(torch, TORCH_ERRORS)))
    single = "a" if a.ndim == 0 else "b"
    for name in names:
        key = "single_in_torch" if name == "single_number" and not torch else name
        key = "converted_to_zero" if name == "integer_by_zero" and b.all() else key
        yield SENTENCES[key].format(
            shape_a=shape_text(a.shape), shape_b=shape_text(b.shape), single=single,
            dtype_a=compared.same_inputs[0].dtype, dtype_b=compared.same_inputs[1].dtype,
        )  # fmt: skip


def _matching(error: str, patterns: tuple[tuple[str, str], ...]) -> Iterator[str]:
    """The name of the first pattern in the error."""
    yield from [name for pattern, name in patterns if re.search(pattern, error)][:1]


def _of_results(compared: Comparison) -> Iterator[str]:
    found = compared.verdict.found
    if "dtype" in found:
        yield from _of_types(compared)
    elif "rounding" in found:
        yield SENTENCES["rounding"]
    if found - {"dtype", "rounding"}:
        yield from _of_values(compared)


def _of_types(compared: Comparison) -> Iterator[str]:
    """Why the dtypes differ: those of the inputs, or those that the libraries compute from the same inputs."""
    same = run(compared.operation.in_numpy, *compared.same_inputs)
    for before, one, other in zip(compared.numpy.parts, same.parts, compared.torch.parts, strict=True):
        if before.dtype != one.dtype:
            yield SENTENCES["typed_decimals"]
        if one.dtype != other.dtype:
            yield _of_type(compared, one.dtype, other.dtype)


def _of_type(compared: Comparison, numpy: Any, torch: Any) -> str:
    """Why NumPy computes its dtype from the inputs, and torch another one from the same inputs."""
    a, b = compared.same_inputs
    name = OWN_TYPES.get(compared.operation.name, "")
    if not name and numpy == np.uint64:
        name = "unsigned_sum"
    elif not name and numpy == np.int8:
        name = "bool_power"
    elif not name and compared.operation.uses_second:
        floats = "f" in (a.dtype.kind, b.dtype.kind)
        name = "promotion" if floats else "small_float" if numpy == np.float16 else "default_quotient"
        if (a.ndim == 0) != (b.ndim == 0) and torch in (a.dtype, b.dtype) and a.dtype.kind == b.dtype.kind:
            name = "single_is_weak"
    elif not name:
        name = "small_float" if numpy == np.float16 else "default_float"
    return SENTENCES[name].format(
        dtype_a=a.dtype, dtype_b=b.dtype, numpy=numpy, torch=torch, single="a" if a.ndim == 0 else "b"
    )


OWN_TYPES = {"median": "median_of_integers", "all": "all_of_bytes"}


def _of_values(compared: Comparison) -> Iterator[str]:
    """Why values, shapes or the number of arrays differ."""
    if _agree(compared, compared.same_inputs):
        yield SENTENCES["typed_decimals"]
        yield from _of_range(compared, own=False)
        return
    own = [name for name, applies in OWN_VALUES.get(compared.operation.name, ()) if applies(compared)][:1]
    yield from (SENTENCES[name] for name in own)
    too_large = list(_of_range(compared, own=bool(own)))
    if not own and _agree(compared, _as_in_torch(compared)):
        if compared.numpy.parts[0].dtype == bool:
            a, b = (array.dtype for array in compared.same_inputs)
            words = {"numpy": np.result_type(a, b), "torch": _computed_as(compared)}
            yield SENTENCES["compared_as"].format(dtype_a=a, dtype_b=b, **words)
    elif not own and not too_large:
        yield SENTENCES["many_roundings"]
    yield from too_large


def _verdict_from(compared: Comparison, arrays: tuple[Array, Array]) -> Verdict:
    """The verdict if NumPy had started from these arrays."""
    return compare(run(compared.operation.in_numpy, *arrays), compared.torch)


def _agree(compared: Comparison, arrays: tuple[Array, Array]) -> bool:
    """Whether NumPy gives torch's values, up to rounding, from these arrays."""
    return _verdict_from(compared, arrays).found <= {"dtype", "rounding"}


def _computed_as(compared: Comparison) -> np.dtype[Any]:
    """The dtype in which torch computes: that of its result, or for a comparison the one to which it converts both."""
    dtype = compared.torch.parts[0].dtype
    if dtype.kind == "f" or not compared.operation.uses_second:
        return dtype
    a, b = compared.tensors
    return torch.empty(0, dtype=torch.result_type(a, b)).numpy().dtype


def _as_in_torch(compared: Comparison) -> tuple[Array, Array]:
    """The inputs, converted as torch converts them before it computes."""
    dtype = _computed_as(compared)
    with np.errstate(all="ignore"):
        a, b = (array.astype(dtype) for array in compared.same_inputs)
    return a, b


def _of_range(compared: Comparison, *, own: bool) -> Iterator[str]:
    """A sentence for each library that gets inf, or NaN from it, in its dtype, where the other does not.

    `own`: the operation means something else in the two libraries, which alone puts NaN and inf in different places.
    """
    inputs = list(zip(compared.arrays, _as_in_torch(compared), strict=True))[: 1 + compared.operation.uses_second]
    persisting = _verdict_from(compared, compared.same_inputs).found if own else frozenset[str]()
    if not own or "not_finite" in compared.verdict.found - persisting:
        for array, converted in inputs:
            yield from _overflow("torch", converted, np.isinf(converted) & np.isfinite(array))
    if own and not (compared.operation.name in COMPUTED and all(np.isfinite(array).all() for array, _ in inputs)):
        return
    for one, other in zip(compared.numpy.parts, compared.torch.parts, strict=True):
        if one.shape == other.shape and one.dtype.kind == other.dtype.kind == "f":
            for library, mine, its in (("NumPy", one, other), ("torch", other, one)):
                then_nan = np.isnan(mine) & ~np.isnan(its) & np.bool_(not own)
                yield from _overflow(library, mine, (np.isinf(mine) & np.isfinite(its)) | then_nan)


def _overflow(library: str, mine: Array, where: Array) -> Iterator[str]:
    if where.any():
        name = "too_large_then_nan" if np.isnan(mine[where]).any() else "too_large"
        largest = number(np.finfo(mine.dtype).max)
        yield SENTENCES[name].format(library=library, small=mine.dtype, largest=largest)


def _single(compared: Comparison) -> bool:
    return compared.arrays[0].ndim == 0


def _always(compared: Comparison) -> bool:
    del compared
    return True


COMPUTED = ("std", "median")  # of OWN_VALUES: their results are new numbers, which may be beyond a dtype
# What an operation itself means in the two libraries: the first that applies counts.
OWN_VALUES: dict[str, tuple[tuple[str, Callable[[Comparison], bool]], ...]] = {
    "std": (("divisor_of_one", lambda compared: compared.arrays[0].size == 1), ("divisor", _always)),
    "median": (("lower_middle", lambda compared: compared.arrays[0].size % 2 == 0),),
    "repeat": (("two_repeats", _always),),
    "sign": (("sign_of_nan", lambda compared: bool(np.isnan(compared.arrays[0]).any())),),
    "max_rows": (("with_positions", _always),),
    "sort": (("with_positions", _always),),
    "nonzero": (("rows_of_positions", _always),),
    "argsort": (("array_of_one", _single), ("order_of_equals", _always)),
    "cumsum": (("array_of_one", _single),),
    "cumprod": (("array_of_one", _single),),
    "unique": (("every_nan", lambda compared: np.isnan(compared.arrays[0]).sum() > 1),),
}
