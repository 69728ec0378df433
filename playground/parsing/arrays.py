"""Arrays that a visitor types: parsed with checks on every size, then made for NumPy and for torch."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.knobs import shorten
from playground.parsing.messages import ARRAY

Array = NDArray[Any]
Scalar = bool | int | float
MAX_CELLS = 64  # numbers of a typed array: each is drawn as a cell
MAX_AXES = 3
MAX_CHARACTERS = 1_700  # of an array's text: MAX_CELLS numbers with all their digits
MAX_LENGTHS = 6  # lengths of rows in a refusal
DTYPES = ("auto", "bool", "uint8", "int32", "int64", "float16", "float32", "float64")
NAMED_NUMBERS: dict[str, Scalar] = {"true": True, "false": False, "nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_CALL = re.compile(r"(?:np\.|torch\.)?(\w+)\(([^()]*)\)(?:\.reshape\(([^()]*(?:\([^()]*\))?)\))?")
EXAMPLE = "0 1 2; 3 4 5"


@dataclass(frozen=True)
class Numbers:
    """The numbers that were typed: Python numbers in row-major order, and their shape."""

    values: tuple[Scalar, ...]
    shape: tuple[int, ...]


def read_array(text: str, shape: str = "") -> Numbers:
    """An array from "0 1 2; 3 4 5", "[[0, 1], [2, 3]]", "arange(6)", "linspace(-1, 1, 5)", "zeros(2, 3)" or "ones(4)".

    `shape` reshapes it. Sizes are checked before anything is allocated. Raises ValueError with a sentence.
    """
    text = " ".join(text.split())
    if len(text) > MAX_CHARACTERS:
        raise ValueError(ARRAY["too_long"].format(count=len(text), limit=MAX_CHARACTERS))
    if not text:
        raise ValueError(ARRAY["empty"].format(example=EXAMPLE))
    if match := _CALL.fullmatch(text):
        numbers = _from_call(match[1], match[2])
        numbers = _reshape(numbers, match[3]) if match[3] is not None else numbers
    else:
        numbers = _from_brackets(text) if "[" in text or "]" in text else _from_rows(text)
    return _reshape(numbers, shape) if shape.strip() else numbers


def read_shape(text: str, max_elements: int = MAX_CELLS, max_axes: int = MAX_AXES) -> tuple[int, ...]:
    """A shape from "2 3", "2, 3" or "(2, 3)"; "()" is the shape of a single number; one size may be -1.

    Raises ValueError with a sentence when it has more than `max_elements` elements or `max_axes` axes.
    """
    words = text.strip().removeprefix("(").removesuffix(")").replace(",", " ").split()
    if any(not _INTEGER.fullmatch(word) for word in words):
        raise ValueError(ARRAY["not_a_shape"].format(text=shorten(text)))
    shape = tuple(int(word) for word in words)
    if len(shape) > max_axes:
        raise ValueError(ARRAY["too_many_axes"].format(axes=len(shape), limit=max_axes))
    if any(size < 1 for size in shape if size != -1) or shape.count(-1) > 1:
        raise ValueError(ARRAY["sizes"].format(text=shorten(text)))
    _check_count(math.prod(size for size in shape if size != -1), max_elements, shape)
    return shape


def _reshape(numbers: Numbers, shape: str) -> Numbers:
    """The same numbers in another shape. Raises ValueError with a sentence when they do not fit."""
    sizes, count = read_shape(shape), len(numbers.values)
    known = math.prod(size for size in sizes if size != -1)
    if -1 in sizes and count % known == 0:
        sizes = tuple(count // known if size == -1 else size for size in sizes)
    if -1 in sizes or math.prod(sizes) != count:
        sentence = ARRAY["reshape_rest" if -1 in sizes else "reshape"]
        raise ValueError(sentence.format(shape=shape_text(sizes), needed=known, count=count))
    return Numbers(numbers.values, sizes)


def with_cells(numbers: Numbers, changes: Mapping[tuple[int, int], Scalar | None]) -> str:
    """The text of an array of one or two axes with some cells changed, by row and column; an empty cell is NaN."""
    rows = [list(row) for row in as_rows(numbers)]
    for (row, column), value in changes.items():
        rows[row][column] = math.nan if value is None else value
    text = "; ".join(" ".join(str(value) for value in row) for row in rows)
    return f"{text};" if len(numbers.shape) == 2 and len(rows) == 1 else text


def as_rows(numbers: Numbers) -> tuple[tuple[Scalar, ...], ...]:
    """The numbers of an array of one or two axes, row by row."""
    width = numbers.shape[-1]
    return tuple(numbers.values[start : start + width] for start in range(0, len(numbers.values), width))


def shape_text(shape: Sequence[int]) -> str:
    """A shape as text: "2 × 3"."""
    return " × ".join(f"{size:,}" for size in shape) or "()"


def as_numpy(numbers: Numbers, dtype: str = "auto") -> Array:
    """The numbers as a NumPy array; "auto" leaves the dtype to NumPy.

    Raises ValueError with a sentence when the dtype cannot hold one of them.
    """
    values = _converted(numbers, dtype)
    with np.errstate(all="ignore"):
        return np.array(values, dtype=None if dtype == "auto" else dtype).reshape(numbers.shape)


def as_torch(numbers: Numbers, dtype: str = "auto", device: str = "cpu") -> Tensor:
    """The numbers as a tensor; "auto" leaves the dtype to torch.

    Raises ValueError with a sentence when the dtype cannot hold one of them.
    """
    values = _converted(numbers, dtype)
    kind = None if dtype == "auto" else getattr(torch, dtype)
    if kind is not None and kind.is_floating_point:  # float64 first: torch refuses 1e300 as a float32
        return torch.tensor(values, dtype=torch.float64).to(device=device, dtype=kind).reshape(numbers.shape)
    return torch.tensor(values, dtype=kind, device=device).reshape(numbers.shape)


def number_text(value: Any) -> str:
    """A number as the text of a cell: four digits, or two and an exponent, as in 4.5e-5."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)) and abs(int(value)) < 1e7:
        return str(value)
    number = float(value) + 0.0  # no minus before a zero
    text = f"{number:.4g}"
    if "e" not in text:
        return text
    mantissa, exponent = f"{number:.2g}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _converted(numbers: Numbers, dtype: str) -> list[Scalar]:
    """The numbers, as integers where the dtype has integers. Raises ValueError when one of them does not fit."""
    integers = dtype.startswith(("int", "uint")) or (
        dtype == "auto" and all(type(v) is not float for v in numbers.values)
    )
    if not integers or (all(isinstance(value, bool) for value in numbers.values) and dtype == "auto"):
        return list(numbers.values)
    kind = "int64" if dtype == "auto" else dtype
    bounds = np.iinfo(kind)
    for value in numbers.values:
        if not math.isfinite(value) or not bounds.min <= int(value) <= bounds.max:
            raise ValueError(
                ARRAY["not_in_dtype"].format(number=number_text(value), dtype=kind, low=bounds.min, high=bounds.max)
            )
    return [int(value) for value in numbers.values]


def _number(word: str) -> Scalar:
    if word.lower() in NAMED_NUMBERS:
        return NAMED_NUMBERS[word.lower()]
    if _INTEGER.fullmatch(word):
        return int(word)
    if not _DECIMAL.fullmatch(word):
        raise ValueError(ARRAY["not_a_number"].format(text=shorten(word), example=EXAMPLE))
    return float(word)


def _check_count(count: int, limit: int, shape: Sequence[int]) -> None:
    if count > limit:
        raise ValueError(ARRAY["too_many_elements"].format(
            shape=shorten(shape_text(shape)), count=_count_text(count), limit=limit))  # fmt: skip


def _count_text(count: int) -> str:
    return f"{count:,}" if count < 10**15 else f"{float(min(count, 10**300)):.2g}"


def _from_rows(text: str) -> Numbers:
    rows = [[_number(word) for word in row.replace(",", " ").split()] for row in text.strip("; ").split(";")]
    if len({len(row) for row in rows}) > 1 or not rows[0]:
        lengths = ", ".join(str(len(row)) for row in rows[:MAX_LENGTHS])
        raise ValueError(ARRAY["rows"].format(lengths=lengths))
    values = tuple(value for row in rows for value in row)
    shape = (len(rows), len(rows[0])) if ";" in text else (len(rows[0]),)
    _check_count(len(values), MAX_CELLS, shape)
    return Numbers(values, shape)


def _from_brackets(text: str) -> Numbers:
    """A nested list. Its depth is checked before it is parsed, so that deep nesting costs nothing."""
    depth = deepest = 0
    for sign in text:
        depth += (sign == "[") - (sign == "]")
        deepest = max(deepest, depth)
        if depth < 0:
            break
    if depth != 0:
        raise ValueError(ARRAY["brackets"])
    if deepest > MAX_AXES:
        raise ValueError(ARRAY["too_deep"].format(depth=deepest, limit=MAX_AXES))
    stack: list[list[Any]] = [[]]
    for token in re.findall(r"[\[\]]|[^\[\],\s]+", text):
        if token == "[":
            stack.append([])
        elif token == "]":
            inner = stack.pop()
            stack[-1].append(inner)
        else:
            stack[-1].append(_number(token))
    if len(stack[0]) != 1 or not isinstance(stack[0][0], list):
        raise ValueError(ARRAY["outer_brackets"])
    shape = _nested_shape(stack[0][0])
    values: list[Any] = stack[0]
    for _ in range(len(shape)):
        values = [item for inner in values for item in inner]
    _check_count(len(values), MAX_CELLS, shape)
    return Numbers(tuple(values), shape)


def _nested_shape(nested: list[Any]) -> tuple[int, ...]:
    kinds = {_nested_shape(item) if isinstance(item, list) else () for item in nested}
    if len(kinds) != 1:
        raise ValueError(ARRAY["inner_lists"])
    return (len(nested), *kinds.pop())


def _from_call(name: str, arguments: str) -> Numbers:
    """The numbers of arange, linspace, zeros or ones."""
    if name in ("zeros", "ones"):
        shape = read_shape(arguments)
        if -1 in shape:
            raise ValueError(ARRAY["call_sizes"].format(name=name))
        return Numbers((0.0 if name == "zeros" else 1.0,) * math.prod(shape), shape)
    words = [_number(word) for word in arguments.replace(",", " ").split()]
    if any(not math.isfinite(word) for word in words):
        raise ValueError(ARRAY["call_not_finite"].format(name=shorten(name)))
    if name == "arange" and 1 <= len(words) <= 3:
        start, stop, step = (0, words[0], 1) if len(words) == 1 else (*words[:2], *words[2:], 1)[:3]
        count = math.ceil((stop - start) / step) if step and math.isfinite((stop - start) / step) else 0
        _check_call(name, count)
        return Numbers(tuple(start + index * step for index in range(count)), (count,))
    if name == "linspace" and len(words) == 3 and type(words[2]) is int:
        _check_call(name, words[2])
        return Numbers(tuple(np.linspace(words[0], words[1], words[2]).tolist()), (words[2],))
    raise ValueError(ARRAY["unknown_call"].format(call=f"{shorten(name)}({shorten(arguments)})"))


def _check_call(name: str, count: int) -> None:
    if not 1 <= count <= MAX_CELLS:
        raise ValueError(ARRAY["call_count"].format(name=name, count=_count_text(count), limit=MAX_CELLS))
