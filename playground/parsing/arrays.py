"""Arrays as a student types them: read with care, then made for NumPy and for torch."""

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

Array = NDArray[Any]
Scalar = bool | int | float
MOST_CELLS = 64  # of an array that is typed in: each is drawn with its number
MOST_AXES = 3
LONGEST = 1_700  # characters of an array's text: MOST_CELLS numbers with all their digits
DTYPES = ("auto", "bool", "uint8", "int32", "int64", "float16", "float32", "float64")
WORDS: dict[str, Scalar] = {"true": True, "false": False, "nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_CALL = re.compile(r"(?:np\.|torch\.)?(\w+)\(([^()]*)\)(?:\.reshape\(([^()]*(?:\([^()]*\))?)\))?")
EXAMPLE = "0 1 2; 3 4 5"


@dataclass(frozen=True)
class Numbers:
    """What was typed: Python numbers in row-major order, and their shape."""

    values: tuple[Scalar, ...]
    shape: tuple[int, ...]


def read_array(text: str, shape: str = "") -> Numbers:
    """An array from "0 1 2; 3 4 5", "[[0, 1], [2, 3]]", "arange(6)", "linspace(-1, 1, 5)", "zeros(2, 3)" or "ones(4)".

    `shape` reshapes it. Sizes are checked before anything is made. Raises ValueError with a sentence.
    """
    text = " ".join(text.split())
    if len(text) > LONGEST:
        raise ValueError(f"The array's text has {len(text)} characters; it may have {LONGEST}. Type fewer numbers.")
    if not text:
        raise ValueError(f"The array is empty. Type numbers such as {EXAMPLE}.")
    if match := _CALL.fullmatch(text):
        numbers = _called(match[1], match[2])
        numbers = reshaped(numbers, match[3]) if match[3] is not None else numbers
    else:
        numbers = _bracketed(text) if "[" in text or "]" in text else _rows(text)
    return reshaped(numbers, shape) if shape.strip() else numbers


def read_shape(text: str, most: int = MOST_CELLS, most_axes: int = MOST_AXES) -> tuple[int, ...]:
    """A shape from "2 3", "2, 3" or "(2, 3)"; "()" is the shape of a single number; one size may be -1.

    Raises ValueError with a sentence when it has more than `most` elements or `most_axes` axes.
    """
    words = text.strip().removeprefix("(").removesuffix(")").replace(",", " ").split()
    if any(not _WHOLE.fullmatch(word) for word in words):
        raise ValueError(f"This is no shape: “{shorten(text)}”. Type whole numbers, such as 2 3.")
    shape = tuple(int(word) for word in words)
    if len(shape) > most_axes:
        raise ValueError(f"This shape has {len(shape)} axes; here are {most_axes} at most. Leave some out.")
    if any(size < 1 for size in shape if size != -1) or shape.count(-1) > 1:
        raise ValueError(f"This is no shape here: “{shorten(text)}”. Each size is at least 1; "
                         "one may be -1, for what is left.")  # fmt: skip
    _check_count(math.prod(size for size in shape if size != -1), most, times(shape))
    return shape


def reshaped(numbers: Numbers, shape: str) -> Numbers:
    """The same numbers in another shape. Raises ValueError with a sentence when they do not fit."""
    sizes, count = read_shape(shape), len(numbers.values)
    known = math.prod(size for size in sizes if size != -1)
    if -1 in sizes and count % known == 0:
        sizes = tuple(count // known if size == -1 else size for size in sizes)
    if -1 in sizes or math.prod(sizes) != count:
        holds = f"multiples of {known}" if -1 in sizes else str(math.prod(sizes))
        raise ValueError(f"The shape {times(sizes)} takes {holds} numbers; here are {count}. Change one of the two.")
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


def times(shape: Sequence[int]) -> str:
    """A shape in words: "2 × 3"."""
    return " × ".join(f"{size:,}" for size in shape) or "()"


def as_numpy(numbers: Numbers, dtype: str = "auto") -> Array:
    """What np.array makes of them; "auto" leaves the dtype to NumPy. Raises ValueError where the dtype cannot."""
    values = _fitted(numbers, dtype)
    with np.errstate(all="ignore"):
        return np.array(values, dtype=None if dtype == "auto" else dtype).reshape(numbers.shape)


def as_torch(numbers: Numbers, dtype: str = "auto", device: str = "cpu") -> Tensor:
    """What torch.tensor makes of them; "auto" leaves the dtype to torch. Raises ValueError where the dtype cannot."""
    values = _fitted(numbers, dtype)
    kind = None if dtype == "auto" else getattr(torch, dtype)
    if kind is not None and kind.is_floating_point:  # by way of float64: torch refuses 1e300 as a float32
        return torch.tensor(values, dtype=torch.float64).to(device=device, dtype=kind).reshape(numbers.shape)
    return torch.tensor(values, dtype=kind, device=device).reshape(numbers.shape)


def text_of(value: Any) -> str:
    """One number for a cell: four digits, two before an exponent."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)) and abs(int(value)) < 1e7:
        return str(value)
    text = f"{float(value):.4g}"
    return f"{float(value):.2g}" if "e" in text else text


def _fitted(numbers: Numbers, dtype: str) -> list[Scalar]:
    """The numbers as the dtype's own kind. Raises ValueError with a sentence where one has no place in it."""
    whole = dtype.startswith(("int", "uint")) or (dtype == "auto" and all(type(v) is not float for v in numbers.values))
    if not whole or (all(isinstance(value, bool) for value in numbers.values) and dtype == "auto"):
        return list(numbers.values)
    kind = "int64" if dtype == "auto" else dtype
    bounds = np.iinfo(kind)
    for value in numbers.values:
        if not math.isfinite(value) or not bounds.min <= int(value) <= bounds.max:
            raise ValueError(f"The number {text_of(value)} has no place in {kind}, which holds "
                             f"{bounds.min:,} to {bounds.max:,}. Choose another dtype.")  # fmt: skip
    return [int(value) for value in numbers.values]


def _number(word: str) -> Scalar:
    if word.lower() in WORDS:
        return WORDS[word.lower()]
    if _WHOLE.fullmatch(word):
        return int(word)
    if not _DECIMAL.fullmatch(word):
        raise ValueError(f"This is no number: “{shorten(word)}”. Type numbers with spaces and rows with ; "
                         f"as in {EXAMPLE}.")  # fmt: skip
    return float(word)


def _check_count(count: int, most: int, what: str) -> None:
    if count > most:
        raise ValueError(f"A shape of {shorten(what)} has {_short(count)} elements; here it may have {most:,}. "
                         "Take a smaller one.")  # fmt: skip


def _short(count: int) -> str:
    return f"{count:,}" if count < 10**15 else f"{float(min(count, 10**300)):.2g}"


def _rows(text: str) -> Numbers:
    rows = [[_number(word) for word in row.replace(",", " ").split()] for row in text.strip("; ").split(";")]
    if len({len(row) for row in rows}) > 1 or not rows[0]:
        lengths = ", ".join(str(len(row)) for row in rows[:6])
        raise ValueError(f"The rows have {lengths} numbers. Give each row as many as the first.")
    values = tuple(value for row in rows for value in row)
    shape = (len(rows), len(rows[0])) if ";" in text else (len(rows[0]),)
    _check_count(len(values), MOST_CELLS, times(shape))
    return Numbers(values, shape)


def _bracketed(text: str) -> Numbers:
    """A nested list. Its depth is checked first, so that no depth can hurt."""
    depth = deepest = 0
    for sign in text:
        depth += (sign == "[") - (sign == "]")
        deepest = max(deepest, depth)
        if depth < 0:
            break
    if depth != 0:
        raise ValueError("The brackets do not match. Close each [ with a ].")
    if deepest > MOST_AXES:
        raise ValueError(f"The brackets go {deepest} deep; {MOST_AXES} axes is the most. Take some away.")
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
        raise ValueError("Put one pair of brackets around the whole array, as in [[0, 1], [2, 3]].")
    shape = _nested_shape(stack[0][0])
    values: list[Any] = stack[0]
    for _ in range(len(shape)):
        values = [item for inner in values for item in inner]
    _check_count(len(values), MOST_CELLS, times(shape))
    return Numbers(tuple(values), shape)


def _nested_shape(nested: list[Any]) -> tuple[int, ...]:
    kinds = {_nested_shape(item) if isinstance(item, list) else () for item in nested}
    if len(kinds) != 1:
        raise ValueError("The inner lists differ in length, or are empty. Give each as many numbers as the first.")
    return (len(nested), *kinds.pop())


def _called(name: str, arguments: str) -> Numbers:
    """One of a few calls that make an array."""
    if name in ("zeros", "ones"):
        shape = read_shape(arguments)
        if -1 in shape:
            raise ValueError(f"All sizes of {name} must be given, as in {name}(2, 3).")
        return Numbers((0.0 if name == "zeros" else 1.0,) * math.prod(shape), shape)
    words = [_number(word) for word in arguments.replace(",", " ").split()]
    if any(not math.isfinite(word) for word in words):
        raise ValueError(f"Finite numbers are what {name} takes. Take out nan and inf.")
    if name == "arange" and 1 <= len(words) <= 3:
        start, stop, step = (0, words[0], 1) if len(words) == 1 else (*words[:2], *words[2:], 1)[:3]
        count = math.ceil((stop - start) / step) if step and math.isfinite((stop - start) / step) else 0
        _check_made(name, count)
        return Numbers(tuple(start + index * step for index in range(count)), (count,))
    if name == "linspace" and len(words) == 3 and type(words[2]) is int:
        _check_made(name, words[2])
        return Numbers(tuple(np.linspace(words[0], words[1], words[2]).tolist()), (words[2],))
    raise ValueError(f"This call is not known here: “{shorten(name)}({shorten(arguments)})”. There are arange(stop), "
                     "linspace(start, stop, count), zeros(shape) and ones(shape).")  # fmt: skip


def _check_made(name: str, count: int) -> None:
    if not 1 <= count <= MOST_CELLS:
        raise ValueError(f"This {name} has {_short(count)} elements; here it may have 1 to {MOST_CELLS}. "
                         "Take another size.")  # fmt: skip
