"""Reading a safetensors file from anybody: all of its sizes are checked before it is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from playground.knobs import shorten
from playground.saving import messages

LENGTH_BYTES = 8  # the header's length, little-endian, at the start of every safetensors file
DTYPES = ("F32", "F64", "I64", "U8")  # all that a state is made of


class CheckpointError(ValueError):
    """A file that cannot be used; the message is a sentence that says what is wrong."""


@dataclass(frozen=True)
class Limits:
    """The largest file that is read: bytes in all, bytes of header, and tensors (or entries of a zip)."""

    bytes: int = 4_000_000
    header: int = 500_000
    tensors: int = 1_000


LIMITS = Limits()


def read_file(content: bytes, limits: Limits) -> tuple[dict[str, str], dict[str, Tensor]]:
    """A file's metadata and its tensors. Raises CheckpointError."""
    within(content, limits)
    header = _header(content, limits)
    texts = header.pop("__metadata__", {})
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise CheckpointError(messages.METADATA_NOT_TEXTS)
    if len(header) > limits.tensors:
        raise CheckpointError(messages.TOO_MANY_TENSORS.format(count=len(header), most=limits.tensors))
    for name, entry in header.items():
        dtype = entry.get("dtype") if isinstance(entry, dict) else None
        if dtype not in DTYPES:
            words = {"name": shorten(name), "dtype": shorten(dtype), "dtypes": ", ".join(DTYPES)}
            raise CheckpointError(messages.WRONG_DTYPE.format(**words))
    try:
        return texts, safetensors.torch.load(content)
    except (safetensors.SafetensorError, ValueError, TypeError, OverflowError, RuntimeError) as error:
        raise CheckpointError(messages.DAMAGED.format(error=shorten(error, 120))) from None


def within(content: bytes, limits: Limits) -> None:
    """Raise CheckpointError for a file that is empty or too large."""
    if not content:
        raise CheckpointError(messages.EMPTY)
    if len(content) > limits.bytes:
        raise CheckpointError(messages.TOO_LARGE.format(size=len(content) / 1e6, most=limits.bytes / 1e6))


def _header(content: bytes, limits: Limits) -> dict[str, Any]:
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    start = content[LENGTH_BYTES : LENGTH_BYTES + 1]
    if len(content) <= LENGTH_BYTES or start != b"{":
        raise CheckpointError(messages.NOT_SAFETENSORS)
    if length > limits.header:
        raise CheckpointError(messages.HEADER_TOO_LONG.format(size=length, most=limits.header))
    if length > len(content) - LENGTH_BYTES:
        raise CheckpointError(messages.HEADER_CUT_OFF)
    try:
        text = content[LENGTH_BYTES : LENGTH_BYTES + length].decode("utf-8")
        header = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise CheckpointError(messages.HEADER_UNREADABLE) from None
    if not isinstance(header, dict):
        raise CheckpointError(messages.HEADER_UNREADABLE)
    return header


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object in which no name appears twice, because two readers could choose different values."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name appears twice")
    return found
