"""What a state from a file must be, checked piece by piece before a run takes it over; each refusal is a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from playground.knobs import Config, Value, shorten

LARGEST_COUNT = 2**53  # of steps and epochs: JSON numbers are exact up to there
MERSENNE_WORDS = 624  # 32-bit words in the state of torch's CPU generator (Matsumoto and Nishimura 1998)


class StateError(ValueError):
    """A state that no run can take over; the message is a sentence."""


def entries(value: Any, names: Iterable[str], where: str) -> Mapping[str, Any]:
    """A dict with exactly these keys."""
    needed = set(names)
    if not isinstance(value, dict):
        raise StateError(f"The part “{where}” of the state is missing, or no group of values.")
    for kind, odd in (("lacks", needed - value.keys()), ("has an unknown", value.keys() - needed)):
        if odd:
            raise StateError(f"The part “{where}” of the state {kind} “{shorten(min(map(str, odd)))}”.")
    return value


def items(value: Any, most: int, where: str) -> list[Any]:
    """A list of at most so many."""
    if not isinstance(value, list):
        raise StateError(f"“{where}” in the state is no list.")
    if len(value) > most:
        raise StateError(f"“{where}” in the state has {len(value):,} entries; at most {most:,} fit here.")
    return value


def whole(value: Any, where: str, least: int = 0, most: int = LARGEST_COUNT) -> int:
    """A whole number within bounds."""
    if type(value) is not int or not least <= value <= most:
        raise StateError(f"“{where}” in the state must be a whole number from {least} to {most:,}.")
    return value


def number(value: Any, where: str, most: float = 1e300) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= most:
        raise StateError(f"“{where}” in the state must be a number of at most {most:g} in size.")
    return float(value)


def text(value: Any, where: str, longest: int = 200) -> str:
    """A text that is not too long."""
    if not isinstance(value, str) or len(value) > longest:
        raise StateError(f"“{where}” in the state must be a text of at most {longest} characters.")
    return value


def tensor(value: Any, where: str, shape: Iterable[int | None], dtype: torch.dtype, *, holes: bool = False) -> Tensor:
    """A tensor of this dtype and shape, None for any length. Its numbers must be finite, unless `holes` may be NaN."""
    wanted = tuple(shape)
    if not isinstance(value, Tensor):
        raise StateError(f"The tensor “{where}” is missing, or no tensor.")
    if value.dtype != dtype:
        raise StateError(f"The tensor “{where}” holds {name_of(value.dtype)}, but {name_of(dtype)} is needed here.")
    fits = len(value.shape) == len(wanted)
    if not fits or any(size not in (None, own) for size, own in zip(wanted, value.shape, strict=True)):
        sizes = ", ".join("any" if size is None else str(size) for size in wanted)
        raise StateError(f"The tensor “{where}” has the shape {list(value.shape)}, but [{sizes}] is needed here.")
    if dtype.is_floating_point and not holes and not bool(torch.isfinite(value).all()):
        raise StateError(f"The tensor “{where}” holds NaN or infinity: no training can go on from there.")
    return value


def like(value: Any, where: str, model: Tensor) -> Tensor:
    """A finite tensor of the same shape and dtype as another."""
    return tensor(value, where, model.shape, model.dtype)


def permutation(value: Any, where: str, count: int) -> Tensor:
    """The numbers from 0 to count - 1 in any order, or none of them: (count,) or (0,)."""
    order = tensor(value, where, [None], torch.int64)
    if len(order) and not torch.equal(order.sort().values, torch.arange(count)):
        raise StateError(f"“{where}” must name each of the {count:,} points once.")
    return order


def generator(value: Any, where: str) -> Tensor:
    """The state of a CPU torch.Generator, uint8; one that would read past its own table is refused.

    Its layout (ATen/CPUGeneratorImpl.cpp): seed int64, left int32, seeded int32, next int64, 624 words, normal parts.
    """
    fresh = torch.Generator().get_state()
    state = tensor(value, where, fresh.shape, torch.uint8)
    left, seeded = state[8:16].clone().view(torch.int32).tolist()
    (following,) = state[16:24].clone().view(torch.int64).tolist()
    begun = 1 <= left <= MERSENNE_WORDS and left + following == MERSENNE_WORDS + 1
    if seeded != 1 or not (begun or (left, following) == (1, 0)):
        raise StateError(f"“{where}” is no state of a random number generator.")
    return state


def config(config_type: type[Config], texts: Any) -> Any:
    """The config that texts describe; every one must be legal as it stands."""
    if not isinstance(texts, dict) or not all(isinstance(each, str) for each in texts.values()):
        raise StateError("The settings in this file are not texts by name.")
    found, problems = config_type.parse(texts)
    if problems:
        raise StateError(f"The settings in this file do not fit this page. {problems[0]}")
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
        raise StateError(f"“{where}” in the state knows no “{shorten(value)}”.")
    return value


def rows(value: Any, most: int, columns: int | None, where: str) -> list[list[Any]]:
    """A list of lists of this length (None: of at least one)."""
    for each in items(value, most, where):
        if not isinstance(each, list) or not each or columns not in (None, len(each)):
            raise StateError(f"“{where}” in the state has a row of the wrong length.")
    return list(value)


def table_state(table: Iterable[tuple[float, ...]] | None) -> Tensor | None:
    """A student's own table as a state holds it; `table` reads it back."""
    return None if table is None else torch.tensor(tuple(table), dtype=torch.float64)


def table(value: Any, where: str, columns: int, most: int) -> Any:
    """A student's own table, a tuple of rows of numbers from -1e6 to 1e6; None where there is none."""
    if value is None:
        return None
    found = tensor(value, where, [None, columns], torch.float64)
    if not 2 <= len(found) <= most or float(found.abs().max()) > 1e6:
        raise StateError(f"“{where}” must have from 2 to {most:,} rows of numbers from -1e6 to 1e6.")
    return tuple(tuple(row) for row in found.tolist())
