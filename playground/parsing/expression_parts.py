"""The parts of a formula, the torch functions that it may call, and how a part is computed."""

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
from playground.parsing.messages import FORMULA

MAX_EXPONENT = 20
MAX_MULTIPLICATIONS = 10_000_000  # in one matrix product
MAX_QUOTED = 24  # characters of the formula in a refusal
MAX_ERROR = 160  # characters of torch's own message

Value = Tensor | float


class ExpressionError(ValueError):
    """A formula that cannot be parsed or computed; the message is a sentence. `place` is the character, from 0."""

    def __init__(self, sentence: str, place: int | None = None, text: str = "") -> None:
        if place is not None:
            form = FORMULA["at_text" if text else "at"]
            sentence = form.format(place=place + 1, text=shorten(text, MAX_QUOTED), sentence=sentence)
        super().__init__("".join(each if each.isprintable() else " " for each in sentence))
        self.place = place


@dataclass(frozen=True)
class Function:
    """A torch function that a formula may call: how many values it takes, and whether a dimension may follow them.

    `broadcasts`: the shapes of its values must broadcast; `same_shape`: they must be equal. `mixes`: each number of the
    result depends on several numbers of a value.
    """

    call: Callable[..., Tensor]
    takes: int = 1
    dim: bool = False
    broadcasts: bool = False
    same_shape: bool = False
    mixes: bool = False


_ELEMENTWISE = (
    "sin cos tan asin acos atan sinh cosh tanh exp expm1 log log2 log10 log1p sqrt rsqrt square reciprocal abs sign "
    "floor ceil round sigmoid relu erf"
)
_ACTIVATIONS = "softplus gelu elu leaky_relu silu logsigmoid"
_REDUCING = "sum mean prod logsumexp amax amin"
FUNCTIONS: dict[str, Function] = {
    **{name: Function(getattr(torch, name)) for name in _ELEMENTWISE.split()},
    **{name: Function(getattr(functional, name)) for name in _ACTIVATIONS.split()},
    **{name: Function(getattr(torch, name), dim=True, mixes=True) for name in _REDUCING.split()},
    "norm": Function(torch.linalg.vector_norm, mixes=True),
    "softmax": Function(torch.softmax, dim=True, mixes=True),
    "log_softmax": Function(torch.log_softmax, dim=True, mixes=True),
    "transpose": Function(torch.t, mixes=True),
    "maximum": Function(torch.maximum, takes=2, broadcasts=True),
    "minimum": Function(torch.minimum, takes=2, broadcasts=True),
    "dot": Function(torch.dot, takes=2, same_shape=True, mixes=True),
    "matmul": Function(torch.matmul, takes=2, mixes=True),
    "mse_loss": Function(functional.mse_loss, takes=2, same_shape=True, mixes=True),
    "l1_loss": Function(functional.l1_loss, takes=2, same_shape=True, mixes=True),
}
DEFAULT_DIM = {"softmax": -1, "log_softmax": -1, "logsumexp": -1}  # torch has no default for these
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
    """One number, name, operator or call of a formula: its text, where that starts, and the parts inside it."""

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


def compute(part: Part, values: Mapping[str, Tensor], max_elements: int, computed: list[tuple[Part, Tensor]]) -> Value:
    """The value of a part, computed after the parts inside it; every tensor is added to `computed`.

    Raises ExpressionError.
    """
    if part.kind == "number":
        return part.number
    if part.kind == "name":
        computed.append((part, values[part.name]))
        return values[part.name]
    inner = [compute(each, values, max_elements, computed) for each in part.inner]
    try:
        result = _call(part, inner, max_elements) if part.kind == "call" else _operate(part, inner, max_elements)
    except ExpressionError:
        raise
    except ZeroDivisionError:
        raise ExpressionError(FORMULA["zero_division"], part.place, part.text) from None
    except (ArithmeticError, RuntimeError, IndexError, TypeError, ValueError) as error:
        sentence = FORMULA["torch"].format(error=shorten(error, MAX_ERROR))
        raise ExpressionError(sentence, part.place, part.text) from None
    if isinstance(result, Tensor):
        computed.append((part, result))
    elif isinstance(result, complex) or not math.isfinite(result):
        raise ExpressionError(FORMULA["not_finite"], part.place, part.text)
    return result


def _call(part: Part, inner: list[Value], max_elements: int) -> Tensor:
    function = FUNCTIONS[part.name]
    arguments = [each if isinstance(each, Tensor) else torch.tensor(each) for each in inner]
    if function.broadcasts:
        _check_broadcast(part, arguments, max_elements)
    if function.same_shape and arguments[0].shape != arguments[1].shape:
        raise _shape_error("different_shapes", part, arguments)
    if part.name == "matmul":
        _check_product(part, arguments, max_elements)
    return function.call(*arguments) if part.dim is None else function.call(*arguments, dim=part.dim)


def _operate(part: Part, inner: list[Value], max_elements: int) -> Value:
    if len(inner) == 1:
        negated: Value = UNARY[part.kind](inner[0])
        return negated
    left, right = inner
    if part.kind == "@":
        if not (isinstance(left, Tensor) and isinstance(right, Tensor)):
            raise ExpressionError(FORMULA["not_matrices"], part.place, part.text)
        _check_product(part, [left, right], max_elements)
    elif isinstance(left, Tensor) and isinstance(right, Tensor):
        _check_broadcast(part, [left, right], max_elements)
    if part.kind == "**" and isinstance(right, float) and abs(right) > MAX_EXPONENT:
        raise ExpressionError(FORMULA["exponent"].format(limit=MAX_EXPONENT), part.place, part.text)
    result: Value = BINARY[part.kind](left, right)
    return result


def _check_broadcast(part: Part, tensors: list[Tensor], max_elements: int) -> None:
    """Refuse shapes that do not broadcast, or whose result would be too large, before it is allocated."""
    try:
        count = math.prod(np.broadcast_shapes(*(tuple(each.shape) for each in tensors)))
    except ValueError:
        raise _shape_error("broadcast", part, tensors) from None
    if count > max_elements:
        sentence = FORMULA["result_too_large"].format(count=count, limit=max_elements)
        raise ExpressionError(sentence, part.place, part.text)


def _check_product(part: Part, tensors: list[Tensor], max_elements: int) -> None:
    """Refuse shapes that do not fit in a matrix product, or whose result would be too large, before it is allocated."""
    left, right = tensors
    if not (1 <= left.dim() <= 2 and 1 <= right.dim() <= 2) or left.shape[-1] != right.shape[0]:
        raise _shape_error("product_shapes", part, tensors)
    count = left.numel() // left.shape[-1] * (right.numel() // right.shape[0])
    if count > max_elements or count * left.shape[-1] > MAX_MULTIPLICATIONS:
        raise ExpressionError(FORMULA["product_too_large"].format(count=count), part.place, part.text)


def _shape_error(name: str, part: Part, tensors: list[Tensor]) -> ExpressionError:
    one, other = (tuple(each.shape) for each in tensors)
    shapes = FORMULA["two_shapes"].format(one=one, other=other)
    return ExpressionError(FORMULA[name].format(shapes=shapes), part.place, part.text)
