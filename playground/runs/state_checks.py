"""Checks for each part of a state from a file, before a run takes it over; each refusal is a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from playground.knobs import Config, Value, shorten
from playground.runs import messages

MAX_COUNT = 2**53  # of steps and epochs: JSON numbers are exact up to there
MERSENNE_WORDS = 624  # 32-bit words in the state of torch's CPU generator (Matsumoto and Nishimura 1998)


class StateError(ValueError):
    """A state that a run cannot take over; the message is a sentence."""


def entries(value: Any, names: Iterable[str], where: str) -> Mapping[str, Any]:
    """A dict with exactly these keys."""
    needed = set(names)
    if not isinstance(value, dict):
        raise StateError(messages.NOT_A_DICTIONARY.format(where=where))
    for message, odd in (
        (messages.ENTRY_MISSING, needed - value.keys()),
        (messages.ENTRY_UNKNOWN, value.keys() - needed),
    ):
        if odd:
            raise StateError(message.format(where=where, name=shorten(min(map(str, odd)))))
    return value


def items(value: Any, most: int, where: str) -> list[Any]:
    """A list of at most `most` entries."""
    if not isinstance(value, list):
        raise StateError(messages.NOT_A_LIST.format(where=where))
    if len(value) > most:
        raise StateError(messages.TOO_MANY_ENTRIES.format(where=where, count=len(value), most=most))
    return value


def whole(value: Any, where: str, least: int = 0, most: int = MAX_COUNT) -> int:
    """A whole number within bounds."""
    if type(value) is not int or not least <= value <= most:
        raise StateError(messages.NOT_WHOLE.format(where=where, least=least, most=most))
    return value


def number(value: Any, where: str, most: float = 1e300) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= most:
        raise StateError(messages.NOT_A_NUMBER.format(where=where, most=most))
    return float(value)


def text(value: Any, where: str, most: int = 200) -> str:
    """A text of at most `most` characters."""
    if not isinstance(value, str) or len(value) > most:
        raise StateError(messages.NOT_A_TEXT.format(where=where, most=most))
    return value


def tensor(value: Any, where: str, shape: Iterable[int | None], dtype: torch.dtype, *, holes: bool = False) -> Tensor:
    """A tensor of this dtype and shape, None for any length. Its numbers must be finite, unless `holes` may be NaN."""
    wanted = tuple(shape)
    if not isinstance(value, Tensor):
        raise StateError(messages.NOT_A_TENSOR.format(where=where))
    if value.dtype != dtype:
        found, needed = name_of(value.dtype), name_of(dtype)
        raise StateError(messages.WRONG_DTYPE.format(where=where, found=found, needed=needed))
    fits = len(value.shape) == len(wanted)
    if not fits or any(size not in (None, own) for size, own in zip(wanted, value.shape, strict=True)):
        sizes = ", ".join("any" if size is None else str(size) for size in wanted)
        raise StateError(messages.WRONG_SHAPE.format(where=where, found=list(value.shape), needed=sizes))
    if dtype.is_floating_point and not holes and not bool(torch.isfinite(value).all()):
        raise StateError(messages.NOT_FINITE.format(where=where))
    return value


def like(value: Any, where: str, model: Tensor) -> Tensor:
    """A finite tensor of the same shape and dtype as another."""
    return tensor(value, where, model.shape, model.dtype)


def permutation(value: Any, where: str, count: int) -> Tensor:
    """The numbers from 0 to count - 1 in any order, (count,), or an empty tensor, (0,)."""
    order = tensor(value, where, [None], torch.int64)
    if len(order) and not torch.equal(order.sort().values, torch.arange(count)):
        raise StateError(messages.NOT_A_PERMUTATION.format(where=where, count=count))
    return order


def generator(value: Any, where: str) -> Tensor:
    """The state of a CPU torch.Generator, uint8; one that would read past the end of its own table is refused.

    Its layout (ATen/CPUGeneratorImpl.cpp): seed int64, left int32, seeded int32, next int64, 624 words, normal parts.
    """
    fresh = torch.Generator().get_state()
    state = tensor(value, where, fresh.shape, torch.uint8)
    left, seeded = state[8:16].clone().view(torch.int32).tolist()
    (following,) = state[16:24].clone().view(torch.int64).tolist()
    begun = 1 <= left <= MERSENNE_WORDS and left + following == MERSENNE_WORDS + 1
    if seeded != 1 or not (begun or (left, following) == (1, 0)):
        raise StateError(messages.NOT_A_GENERATOR.format(where=where))
    return state


def config(config_type: type[Config], texts: Any) -> Any:
    """The config that these texts describe; each must be a legal value."""
    if not isinstance(texts, dict) or not all(isinstance(each, str) for each in texts.values()):
        raise StateError(messages.BAD_SETTINGS)
    found, problems = config_type.parse(texts)
    if problems:
        raise StateError(messages.ILLEGAL_SETTINGS.format(problem=problems[0]))
    return found


def texts_of(settings: Config) -> dict[str, Value]:
    """The texts that `config` reads."""
    return dict(settings.as_texts())


def finite_or_none(value: float) -> float | None:
    """A number as JSON can hold it: None for an infinite one."""
    return float(value) if math.isfinite(value) else None


def name_of(dtype: torch.dtype) -> str:
    """A dtype's short name, "float32"."""
    return str(dtype).removeprefix("torch.")


def one_of(value: Any, choices: Iterable[str], where: str) -> str:
    """One of these texts."""
    if not isinstance(value, str) or value not in tuple(choices):
        raise StateError(messages.NOT_A_CHOICE.format(where=where, value=shorten(value)))
    return value


def rows(value: Any, most: int, columns: int | None, where: str) -> list[list[Any]]:
    """A list of lists of this length (None: of at least one)."""
    for each in items(value, most, where):
        if not isinstance(each, list) or not each or columns not in (None, len(each)):
            raise StateError(messages.BAD_ROW.format(where=where))
    return list(value)


def table_state(table: Iterable[tuple[float, ...]] | None) -> Tensor | None:
    """A student's own table as a state holds it; `table` reads it back."""
    return None if table is None else torch.tensor(tuple(table), dtype=torch.float64)


def table(value: Any, where: str, columns: int, most: int) -> Any:
    """A student's own table, a tuple of rows of numbers from -1e6 to 1e6; None if there was none."""
    if value is None:
        return None
    found = tensor(value, where, [None, columns], torch.float64)
    if not 2 <= len(found) <= most or float(found.abs().max()) > 1e6:
        raise StateError(messages.BAD_TABLE.format(where=where, most=most))
    return tuple(tuple(row) for row in found.tolist())
