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


def digest(tensors: Mapping[str, Tensor], text: str) -> str:
    """SHA-256 of a text and of tensors: their names, dtypes, shapes and bytes, in the order of the names."""
    found = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name].detach().cpu().numpy())
        found.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        found.update(array.data)
    return found.hexdigest()
