"""Named tensors that a visitor types: "v = [[1, 2], [3, 4]]; w = 0.5"."""

from __future__ import annotations

import ast
import math
import re
from typing import Any

import torch
from torch import Tensor

from playground.knobs import shorten
from playground.parsing.expression_parts import FUNCTIONS, ExpressionError
from playground.parsing.expressions import MAX_NUMBER

MAX_INPUTS, MAX_AXES = 12, 3
MAX_NUMBERS = 64  # of one input

SENTENCES = {
    "not_an_input": "“{text}” is not an input. Write inputs like this: v = [[1, 2], [3, 4]]; w = 0.5",
    "taken": "The name “{name}” is already in use. Choose another.",
    "too_many": "There are {count} inputs; the limit is {limit}.",
    "not_numbers": "“{name} = {text}” is not a number or a list with rows of equal length, such as [[1, 2], [3, 4]].",
    "too_many_numbers": "“{name}” has {count} numbers; the limit is {limit}.",
    "out_of_range": "“{name}” needs numbers from {low:,.0f} to {high:,.0f}.",
    "too_many_axes": "“{name}” has {axes} dimensions; the limit is {limit}.",
}


def read_values(text: str) -> dict[str, Tensor]:
    """Named tensors of float32 from "v = [[1, 2], [3, 4]]; w = 0.5". Raises ExpressionError with a sentence."""
    values: dict[str, Tensor] = {}
    for line in filter(None, (line.strip() for line in text.split(";"))):
        name, equals, numbers = (piece.strip() for piece in line.partition("="))
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,11}", name):
            raise ExpressionError(SENTENCES["not_an_input"].format(text=shorten(line)))
        if name in FUNCTIONS or name in values:
            raise ExpressionError(SENTENCES["taken"].format(name=name))
        values[name] = _tensor(name, numbers)
    if len(values) > MAX_INPUTS:
        raise ExpressionError(SENTENCES["too_many"].format(count=len(values), limit=MAX_INPUTS))
    return values


def _tensor(name: str, text: str) -> Tensor:
    wrong = SENTENCES["not_numbers"].format(name=name, text=shorten(text))
    try:
        found = ast.literal_eval(text) if re.fullmatch(r"[-+0-9.eE,\[\] ]{1,1000}", text) else None
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        found = None
    if isinstance(found, (tuple, complex)) or found is None:
        raise ExpressionError(wrong)
    count, largest = _count_and_largest(found)
    if count > MAX_NUMBERS:
        raise ExpressionError(SENTENCES["too_many_numbers"].format(name=name, count=count, limit=MAX_NUMBERS))
    if count == 0 or largest > MAX_NUMBER:
        raise ExpressionError(SENTENCES["out_of_range"].format(name=name, low=-MAX_NUMBER, high=MAX_NUMBER))
    try:
        value = torch.tensor(found, dtype=torch.float32)
    except (ValueError, TypeError, OverflowError):
        raise ExpressionError(wrong) from None
    if value.dim() > MAX_AXES:
        raise ExpressionError(SENTENCES["too_many_axes"].format(name=name, axes=value.dim(), limit=MAX_AXES))
    return value


def _count_and_largest(found: Any) -> tuple[int, float]:
    """How many numbers a nested list has, and the largest absolute value; anything else counts as infinite."""
    if isinstance(found, list):
        counts = [_count_and_largest(item) for item in found]
        return sum(count for count, _ in counts), max((size for _, size in counts), default=0.0)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return 1, math.inf
    return 1, math.inf if abs(found) > MAX_NUMBER or found != found else float(abs(found))
