"""Checksums of tensors: equal for two models only if every bit of their weights is equal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

CHECKSUM_DIGITS = 16


def checksum(weights: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits for a model's weights, equal for two models only if every bit is equal."""
    tensors = {str(name): value for name, value in weights.items() if isinstance(value, Tensor)}
    return digest(tensors, "")[:CHECKSUM_DIGITS]


def arrays_in(state: Any, name: str = "") -> dict[str, Any]:
    """The tensors and arrays in a nest of dictionaries and lists, by their way there."""
    match state:
        case Tensor() | np.ndarray():
            return {name: state}
        case dict():
            parts: dict[Any, Any] = state
        case list() | tuple():
            parts = dict(enumerate(state))
        case _:
            return {}
    return {way: each for key, part in parts.items() for way, each in arrays_in(part, f"{name}/{key}").items()}


def digest(tensors: Mapping[str, Any], text: str) -> str:
    """SHA-256 of a text and of tensors or arrays: their names, dtypes, shapes, bytes, in the order of the names."""
    found = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        value = tensors[name]
        array = np.ascontiguousarray(value.detach().cpu().numpy() if isinstance(value, Tensor) else value)
        found.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        found.update(array.data)
    return found.hexdigest()
