"""What formulas are made of: their parts, the functions of torch that they may call, and how a part is computed."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from playground.knobs import shorten

LARGEST_EXPONENT = 20
MOST_PRODUCTS = 10_000_000  # multiplications in one matrix product

Value = Tensor | float


class ExpressionError(ValueError):
    """A formula that cannot be read or computed; the message is a sentence. `place` is the character, from 0."""

    def __init__(self, sentence: str, place: int | None = None, text: str = "") -> None:
        where = "" if place is None else f"At character {place + 1}{f' (“{shorten(text, 24)}”)' if text else ''}: "
        super().__init__("".join(each if each.isprintable() else " " for each in where + sentence))
        self.place = place


@dataclass(frozen=True)
class Function:
    """A torch function that a formula may call: how many values it takes, and whether a dimension may come last.

    `alike`: its values must have shapes that broadcast; `same`: equal shapes. `mixes`: a number it gives depends on
    several of those it takes.
    """

    call: Callable[..., Tensor]
    takes: int = 1
    dim: bool = False
    alike: bool = False
    same: bool = False
    mixes: bool = False


_ELEMENTWISE = (
    "sin cos tan asin acos atan sinh cosh tanh exp expm1 log log2 log10 log1p sqrt rsqrt square reciprocal abs sign "
    "floor ceil round sigmoid relu erf"
)
_BENT = "softplus gelu elu leaky_relu silu logsigmoid"
_REDUCING = "sum mean prod logsumexp amax amin"
FUNCTIONS: dict[str, Function] = {
    **{name: Function(getattr(torch, name)) for name in _ELEMENTWISE.split()},
    **{name: Function(getattr(functional, name)) for name in _BENT.split()},
    **{name: Function(getattr(torch, name), dim=True, mixes=True) for name in _REDUCING.split()},
    "norm": Function(torch.linalg.vector_norm, mixes=True),
    "softmax": Function(torch.softmax, dim=True, mixes=True),
    "log_softmax": Function(torch.log_softmax, dim=True, mixes=True),
    "transpose": Function(torch.t, mixes=True),
    "maximum": Function(torch.maximum, takes=2, alike=True),
    "minimum": Function(torch.minimum, takes=2, alike=True),
    "dot": Function(torch.dot, takes=2, same=True, mixes=True),
    "matmul": Function(torch.matmul, takes=2, mixes=True),
    "mse_loss": Function(functional.mse_loss, takes=2, same=True, mixes=True),
    "l1_loss": Function(functional.l1_loss, takes=2, same=True, mixes=True),
}
NEEDS_DIM = {"softmax": -1, "log_softmax": -1, "logsumexp": -1}  # torch asks for it: the last one, unless it is said
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "@": operator.matmul,
}
UNARY: dict[str, Callable[[Any], Any]] = {"-": operator.neg, "+": operator.pos}


@dataclass(frozen=True)
class Part:
    """One number, name, operator or call of a formula: its text, where it starts, and the parts it is made of."""

    text: str
    place: int
    kind: str  # "number", "name", "call", or an operator's sign
    inner: tuple[Part, ...] = ()
    name: str = ""
    number: float = 0.0
    dim: int | None = None

    def walk(self) -> Iterator[Part]:
        """This part and all inside it."""
        yield self
        for part in self.inner:
            yield from part.walk()


def compute(part: Part, values: Mapping[str, Tensor], most: int, seen: list[tuple[Part, Tensor]]) -> Value:
    """The value of a part, after those inside it; every tensor on the way is added to `seen`."""
    if part.kind == "number":
        return part.number
    if part.kind == "name":
        seen.append((part, values[part.name]))
        return values[part.name]
    inner = [compute(each, values, most, seen) for each in part.inner]
    try:
        result = _call(part, inner, most) if part.kind == "call" else _operate(part, inner, most)
    except ExpressionError:
        raise
    except ZeroDivisionError:
        raise ExpressionError("This divides by zero.", part.place, part.text) from None
    except (ArithmeticError, RuntimeError, IndexError, TypeError, ValueError) as error:
        raise ExpressionError(f"PyTorch says: {shorten(error, 160)}.", part.place, part.text) from None
    if isinstance(result, Tensor):
        seen.append((part, result))
    elif isinstance(result, complex) or not math.isfinite(result):
        raise ExpressionError("This is not a finite real number.", part.place, part.text)
    return result


def _call(part: Part, inner: list[Value], most: int) -> Tensor:
    function = FUNCTIONS[part.name]
    taken = [each if isinstance(each, Tensor) else torch.tensor(each) for each in inner]
    if function.alike:
        _fit(part, taken, most)
    if function.same and taken[0].shape != taken[1].shape:
        raise ExpressionError(f"The shapes {_shapes(taken)} must be the same.", part.place, part.text)
    if part.name == "matmul":
        _fit_product(part, taken, most)
    return function.call(*taken) if part.dim is None else function.call(*taken, dim=part.dim)


def _operate(part: Part, inner: list[Value], most: int) -> Value:
    if len(inner) == 1:
        negated: Value = UNARY[part.kind](inner[0])
        return negated
    left, right = inner
    if part.kind == "@":
        if not (isinstance(left, Tensor) and isinstance(right, Tensor)):
            raise ExpressionError("@ multiplies matrices; write * for numbers.", part.place, part.text)
        _fit_product(part, [left, right], most)
    elif isinstance(left, Tensor) and isinstance(right, Tensor):
        _fit(part, [left, right], most)
    if part.kind == "**" and isinstance(right, float) and abs(right) > LARGEST_EXPONENT:
        raise ExpressionError(f"Exponents go from -{LARGEST_EXPONENT} to {LARGEST_EXPONENT}.", part.place, part.text)
    result: Value = BINARY[part.kind](left, right)
    return result


def _fit(part: Part, taken: list[Tensor], most: int) -> None:
    """Refuse shapes that do not broadcast, and those whose result would be too large, before it is allocated."""
    try:
        count = math.prod(np.broadcast_shapes(*(tuple(each.shape) for each in taken)))
    except ValueError:
        raise ExpressionError(f"The shapes {_shapes(taken)} do not go together.", part.place, part.text) from None
    if count > most:
        raise ExpressionError(f"This would have {count:,} numbers; at most {most:,} fit.", part.place, part.text)


def _fit_product(part: Part, taken: list[Tensor], most: int) -> None:
    """The same for a matrix product of vectors and matrices."""
    left, right = taken
    if not (1 <= left.dim() <= 2 and 1 <= right.dim() <= 2) or left.shape[-1] != right.shape[0]:
        raise ExpressionError(
            f"The shapes {_shapes(taken)} do not go together in a matrix product.", part.place, part.text
        )
    count = left.numel() // left.shape[-1] * (right.numel() // right.shape[0])
    if count > most or count * left.shape[-1] > MOST_PRODUCTS:
        raise ExpressionError(f"This would have {count:,} numbers; that is too large here.", part.place, part.text)


def _shapes(taken: list[Tensor]) -> str:
    return " and ".join(str(tuple(each.shape)) for each in taken)
