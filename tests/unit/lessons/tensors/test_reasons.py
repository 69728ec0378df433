"""The lab Operations names the true cause of each difference: change the cause alone, and the difference is gone."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from playground.lessons.tensors import operations
from playground.lessons.tensors.reasons import SENTENCES, Comparison, reasons
from playground.lessons.tensors.registry import CASES, OPERATIONS, Operation
from playground.lessons.tensors.verdicts import Verdict, compare, run, run_both
from playground.parsing.arrays import DTYPES, as_numpy, as_torch, read_array

Typed = tuple[str, str, str]  # an array, its shape, and a second array
PRESETS: list[Typed] = list(dict.fromkeys((case.array, "", case.second) for case in CASES))
OTHERS: list[Typed] = [
    ("1 nan -inf", "", "0 1 inf"),
    ("nan nan 2", "", "nan 0 1"),
    ("7", "()", "0"),
    ("True False", "", "True False"),
    ("arange(8)", "2 2 2", "1 2"),
    ("-2.5 0.5 1.5", "", "-1 2 3"),
    ("100 200 250", "", "100 200 3"),
    ("1 2", "", "3000000000"),
    ("0.1 0.2 -0.3 1e5 -1e5", "", "0.3 0.3 0.3 2 3e38"),
    ("arange(60)", "", "arange(60)"),
    ("1 0 1 1 0 1 0 0 1 0 1 0 1 1 1 0 0 1", "", "2"),
]
POOLS = (
    ("0", "1", "-1", "2", "0.5", "nan", "inf", "-inf", "1e5", "-1e5", "3e38", "1e300", "0.1", "60000", "250", "-0.0"),
    ("0", "1", "-1", "2", "3", "250", "127", "100000", "3000000000"),
    ("0.1", "0.2", "0.3", "-0.6"),
    ("True", "False"),
)
SHAPES = ("()", "1", "3", "4", "2 3", "3 2", "2 2", "1 3", "3 1", "2 2 2", "40")
NAMES = [
    (name, re.compile(re.sub(r"\\{\w+\\}", "(.+)", re.escape(text.replace("{", "\0").replace("}", "\1"))
                             .replace("\0", "\\{").replace("\1", "\\}"))))
    for name, text in SENTENCES.items()
]  # fmt: skip


def compared(name: str, typed: Typed, dtype: str, shape_b: str = "") -> Comparison:
    """Both libraries' results. Raises ValueError where the dtype cannot hold the numbers."""
    a, b = read_array(typed[0], typed[1]), read_array(typed[2], shape_b)
    arrays, tensors = (as_numpy(a, dtype), as_numpy(b)), (as_torch(a, dtype), as_torch(b))
    return Comparison(OPERATIONS[name], arrays, tensors, *run_both(OPERATIONS[name], arrays, tensors))


def names_of(it: Comparison) -> list[str]:
    """The names of the reasons given."""
    return [next(name for name, text in NAMES if text.fullmatch(sentence)) for sentence in reasons(it)]


def again(operation: Operation, a: Any, b: Any) -> Verdict:
    """The verdict on the same operation with both arrays changed, in both libraries."""
    a, b = np.asarray(a), np.asarray(b)
    return run_both(operation, (a, b), (torch.from_numpy(np.array(a)), torch.from_numpy(np.array(b))))[2]


def in_floats(it: Comparison) -> Verdict:
    """In float64, from the numbers as they were typed."""
    a, b = it.arrays
    return again(it.operation, a.astype(np.float64), b.astype(np.float64))


def in_integers(it: Comparison) -> Verdict:
    with np.errstate(invalid="ignore"):
        a, b = (np.nan_to_num(each).astype(np.int64) for each in it.same_inputs)
    return again(it.operation, a, b)


def with_axis(it: Comparison) -> Verdict:
    a, b = (each.reshape(1, 1) if each.ndim == 0 else each for each in it.same_inputs)
    return again(it.operation, a, b)


def like(it: Comparison, numpy: Callable[[Any], Any]) -> bool:
    """Whether torch's result is that of another NumPy call on the same numbers."""
    a = it.same_inputs[0]
    other = compare(run(lambda x, _: numpy(x), a, a), it.torch)
    return other.found <= {"dtype", "rounding"}


def product_fails(it: Comparison) -> bool:
    a, b = (np.ones(each.shape) for each in it.arrays)
    return bool(run(it.operation.in_numpy, a, b).error)


def near(it: Comparison) -> bool:
    """Whether the results differ by no more than the rounding of their largest input, many times."""
    one, other = (np.asarray(each.parts[0], np.float64) for each in (it.numpy, it.torch))
    eps = max(float(np.finfo(part.dtype).eps) for part in (it.numpy.parts[0], it.torch.parts[0]))
    largest = max(float(np.abs(each[np.isfinite(each)]).max(initial=1.0)) for each in it.same_inputs)
    scale = max(min(largest, 1e150) ** 2, float(np.abs(one[np.isfinite(one)]).max(initial=0.0)))
    return bool(np.allclose(one, other, rtol=0, atol=100 * eps * scale, equal_nan=True))


# What must be true where a reason is given, found by an experiment of its own.
TRUE: dict[str, Callable[[Comparison], bool]] = {
    "shapes_differ": lambda it: bool(run(lambda a, b: a + b, *(np.ones(each.shape) for each in it.arrays)).error),
    "products_differ": product_fails,
    "single_number": lambda it: with_axis(it).details != it.verdict.details,
    "single_in_torch": lambda it: not it.torch.error and with_axis(it).kind != "error",
    "mixed_dtypes": lambda it: it.tensors[0].dtype != it.tensors[1].dtype and "dtype" not in in_floats(it).details,
    "needs_floats": lambda it: (
        it.tensors[0].dtype not in (torch.float32, torch.float64) and "loating" not in in_floats(it).details
    ),
    "no_bool_in_torch": lambda it: "ool" not in run(it.operation.in_torch, *(each.int() for each in it.tensors)).error,
    "no_bool_in_numpy": lambda it: in_integers(it).kind == "same",
    "negative_bool": lambda it: in_integers(it).kind == "same",
    "negative_strides": lambda it: it.arrays[0].ndim == 0 or like_flip(it),
    "dot_of_axes": lambda it: max(each.ndim for each in it.arrays) > 1,
    "dot_of_single": lambda it: min(each.ndim for each in it.arrays) == 0,
    "outer_of_axes": lambda it: any(each.ndim != 1 for each in it.arrays),
    "repeat_axes": lambda it: it.arrays[0].ndim > 1 and not run(it.operation.in_torch, it.tensors[0].ravel(), 0).error,
    "integer_by_zero": lambda it: bool((it.arrays[1] == 0).any()) and in_floats(it).kind != "error",
    "converted_to_zero": lambda it: bool((it.tensors[1].to(it.tensors[0].dtype) == 0).any()),
    "negative_power": lambda it: bool((it.arrays[1] < 0).any()) and in_floats(it).kind != "error",
    "typed_decimals": lambda it: (
        any(
            str(array.dtype) == "float64" and tensor.dtype == torch.float32
            for array, tensor in zip(it.arrays, it.tensors, strict=True)
        )
        and again(it.operation, *it.same_inputs) != it.verdict
    ),
    "default_float": lambda it: "dtype" not in in_floats(it).found,
    "default_quotient": lambda it: "dtype" not in in_floats(it).found,
    "small_float": lambda it: it.same_inputs[0].itemsize == 1 and "dtype" not in in_floats(it).found,
    "promotion": lambda it: it.tensors[0].dtype != it.tensors[1].dtype and "dtype" not in in_floats(it).found,
    "single_is_weak": lambda it: "dtype" not in with_axis(it).found,
    "unsigned_sum": lambda it: it.arrays[0].dtype == np.uint8 and "dtype" not in in_integers(it).found,
    "bool_power": lambda it: it.arrays[0].dtype == bool and "dtype" not in in_integers(it).found,
    "all_of_bytes": lambda it: it.arrays[0].dtype == np.uint8 and in_integers(it).kind == "same",
    "median_of_integers": lambda it: (
        it.tensors[0].dtype.is_floating_point is False and "dtype" not in in_floats(it).found
    ),
    "rounding": lambda it: near(it),
    "many_roundings": lambda it: near(it),
    "divisor": lambda it: in_floats(it).kind != "same" and divisor(it),
    "divisor_of_one": lambda it: it.arrays[0].size == 1 and bool(np.isnan(it.torch.parts[0])),
    "lower_middle": lambda it: it.arrays[0].size % 2 == 0 and like(it, lambda a: np.sort(a.ravel())[(a.size - 1) // 2]),
    "two_repeats": lambda it: like(it, lambda a: np.tile(a, 2)),
    "sign_of_nan": lambda it: like(it, lambda a: np.nan_to_num(np.sign(a))),
    "with_positions": lambda it: (
        np.allclose(it.numpy.parts[0], it.torch.parts[0], equal_nan=True, rtol=1e-6)
        or not np.isfinite(it.same_inputs[0]).all()
    ),
    "rows_of_positions": lambda it: like(it, np.argwhere),
    "array_of_one": lambda it: it.numpy.parts[0].shape == (1,) and it.torch.parts[0].shape == (),
    "every_nan": lambda it: np.isnan(it.arrays[0]).sum() > 1 and like(it, lambda a: np.unique(a, equal_nan=False)),
    "order_of_equals": lambda it: np.unique(it.same_inputs[0]).size < it.same_inputs[0].size,
    "compared_as": lambda it: in_floats(it).kind == "same",
    "too_large": lambda it: overflows(it),
    "too_large_then_nan": lambda it: overflows(it),
}


def overflows(it: Comparison) -> bool:
    """Whether some finite number is infinite in one of the dtypes, given or computed."""
    a, b = (each[np.isfinite(each)].astype(np.float64) for each in it.arrays)
    wide = run(it.operation.in_numpy, *(each.astype(np.float64) for each in it.arrays)).parts
    sizes = [float(np.abs(each).max(initial=0.0)) for each in (a, b, *(part[np.isfinite(part)] for part in wide))]
    dtypes = [part.dtype for part in (*it.numpy.parts, *it.torch.parts, *it.same_inputs) if part.dtype.kind == "f"]
    smallest = min(float(np.finfo(dtype).max) for dtype in dtypes)
    return max(sizes) > smallest**0.5 / max(a.size, 1) or it.operation.name in ("prod", "cumprod")


def like_flip(it: Comparison) -> bool:
    return bool(np.array_equal(torch.flip(it.tensors[0], [0]).numpy(), it.same_inputs[0][::-1], equal_nan=True))


def divisor(it: Comparison) -> bool:
    a = it.same_inputs[0].astype(np.float64)
    wanted, got = np.std(a, ddof=1), float(it.torch.parts[0])
    return not np.isfinite(got) or bool(np.isclose(wanted, got, rtol=2e-3))


def random_arrays(count: int) -> Iterator[tuple[Typed, str]]:
    """Arrays that a student may type, and the shape of the second one."""
    rng = random.Random(0)

    def numbers() -> tuple[str, str]:
        shape, pool = rng.choice(SHAPES), rng.choice(POOLS)
        size = int(np.prod([int(each) for each in shape.strip("()").split()]))
        return " ".join(rng.choice(pool) for _ in range(size)), shape

    for _ in range(count):
        (a, shape_a), (b, shape_b) = numbers(), numbers()
        yield (a, shape_a, b), shape_b


def check(it: Comparison) -> None:
    names = names_of(it)
    assert bool(names) is (it.verdict.kind != "same"), (it.verdict, names)
    wrong = [name for name in names if not TRUE[name](it)]
    assert not wrong, (it.operation.name, it.arrays, it.tensors, it.verdict, wrong)


def test_every_reason_has_an_experiment() -> None:
    assert set(TRUE) == set(SENTENCES)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("typed", [*PRESETS, *OTHERS], ids=lambda typed: f"{typed[0][:12]} and {typed[2][:8]}")
def test_reason_is_the_cause_for_every_operation_dtype_and_preset(typed: Typed, dtype: str) -> None:
    for name in OPERATIONS:
        try:
            it = compared(name, typed, dtype)
        except ValueError:  # a dtype that does not hold these numbers
            return
        check(it)


def test_reason_is_the_cause_for_random_arrays() -> None:
    seen: set[str] = set()
    for (typed, shape_b), dtype in zip(random_arrays(160), itertools.cycle(DTYPES), strict=False):
        for name in OPERATIONS:
            try:
                it = compared(name, typed, dtype, shape_b)
            except ValueError:
                break
            check(it)
            seen.update(names_of(it))
    assert len(seen) > len(SENTENCES) / 2


@pytest.mark.parametrize(
    ("knobs", "part", "never"),
    [
        ({"operation": "floor_divide", "array": "7 -7 0", "second": "2 2 0", "dtype": "float32"}, "`b` is int64", "By"),
        ({"operation": "std", "array": "1 2 3"}, "needs floats", "n − 1"),
        ({"operation": "remainder", "array": "7 3", "second": "2 0"}, "divided by zero", "promote"),
        ({"operation": "repeat", "array": "1 2; 3 4"}, "a number for each axis", "two meanings"),
        ({"operation": "repeat", "array": "0.5 1.5"}, "two meanings", "default_"),
        ({"operation": "matmul", "array": "1 2; 3 4", "second": "1 2 3"}, "do not fit", "same dtype"),
        ({"operation": "median", "array": "1 2 3"}, "always a float", "even count"),
        ({"operation": "sum", "array": "0.5 1.5"}, "stores decimal numbers as float64", "computes"),
    ],
)
def test_the_note_gives_the_reason_for_what_happened(knobs: dict[str, str], part: str, never: str) -> None:
    note = operations.draw_operations(operations.OperationsConfig(**knobs)).note.split("\n")[0]
    assert part in note and never not in note
