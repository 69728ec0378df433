"""Named tensors from a line of text: "v = [[1, 2], [3, 4]]; w = 0.5"."""

from __future__ import annotations

import ast
import math
import re
from typing import Any

import torch
from torch import Tensor

from playground.knobs import shorten
from playground.parsing.expression_parts import FUNCTIONS, ExpressionError
from playground.parsing.expressions import LARGEST_NUMBER


def read_values(text: str, most: int = 64, most_names: int = 12) -> dict[str, Tensor]:
    """Named tensors of float32 from "v = [[1, 2], [3, 4]]; w = 0.5". Raises ExpressionError with a sentence."""
    values: dict[str, Tensor] = {}
    for line in filter(None, (line.strip() for line in text.split(";"))):
        name, equals, numbers = (piece.strip() for piece in line.partition("="))
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,11}", name):
            raise ExpressionError(f"“{shorten(line)}” is no input. Write them like this: v = [[1, 2], [3, 4]]; w = 0.5")
        if name in FUNCTIONS or name in values:
            raise ExpressionError(f"The name “{name}” is taken. Choose another.")
        values[name] = _tensor(name, numbers, most)
    if len(values) > most_names:
        raise ExpressionError(f"There are {len(values)} inputs; at most {most_names} fit.")
    return values


def _tensor(name: str, text: str, most: int) -> Tensor:
    wrong = f"“{name} = {shorten(text)}” is no number and no list with rows of one length, such as [[1, 2], [3, 4]]."
    try:
        found = ast.literal_eval(text) if re.fullmatch(r"[-+0-9.eE,\[\] ]{1,1000}", text) else None
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        found = None
    if isinstance(found, (tuple, complex)) or found is None:
        raise ExpressionError(wrong)
    count, largest = _measure(found)
    if count > most:
        raise ExpressionError(f"“{name}” has {count} numbers; an input here may have {most}.")
    if count == 0 or largest > LARGEST_NUMBER:
        raise ExpressionError(f"“{name}” needs numbers from {-LARGEST_NUMBER:,.0f} to {LARGEST_NUMBER:,.0f}.")
    try:
        value = torch.tensor(found, dtype=torch.float32)
    except (ValueError, TypeError, OverflowError):
        raise ExpressionError(wrong) from None
    if value.dim() > 3:
        raise ExpressionError(f"“{name}” has {value.dim()} dimensions; an input here may have 3.")
    return value


def _measure(found: Any) -> tuple[int, float]:
    """How many numbers a nested list has, and the size of the largest; what is no number counts as infinite."""
    if isinstance(found, list):
        counts = [_measure(item) for item in found]
        return sum(count for count, _ in counts), max((size for _, size in counts), default=0.0)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return 1, math.inf
    return 1, math.inf if abs(found) > LARGEST_NUMBER or found != found else float(abs(found))
