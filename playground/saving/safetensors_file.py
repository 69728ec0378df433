"""Reading a safetensors file that anybody may have made: all of its sizes are bounded before it is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from playground.knobs import shorten

LENGTH_BYTES = 8  # the header's length, little-endian, at the start of every safetensors file
DTYPES = ("F32", "F64", "I64", "U8")  # all that a state is made of


class CheckpointError(ValueError):
    """A file that cannot be used; the message is a sentence that says what is wrong."""


@dataclass(frozen=True)
class Limits:
    """How large a file may be: bytes in all, bytes of header, and tensors (or entries of a zip)."""

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
        raise CheckpointError("The metadata of this safetensors file are not texts.")
    if len(header) > limits.tensors:
        raise CheckpointError(f"The file holds {len(header):,} tensors; at most {limits.tensors:,} are read.")
    for name, entry in header.items():
        dtype = entry.get("dtype") if isinstance(entry, dict) else None
        if dtype not in DTYPES:
            kinds = ", ".join(DTYPES)
            raise CheckpointError(f"The tensor “{shorten(name)}” is of type “{shorten(dtype)}”; only {kinds} are read.")
    try:
        return texts, safetensors.torch.load(content)
    except (safetensors.SafetensorError, ValueError, TypeError, OverflowError, RuntimeError) as error:
        raise CheckpointError(f"The file is cut off or damaged: “{shorten(error, 120)}”.") from None


def within(content: bytes, limits: Limits) -> None:
    """Raise CheckpointError for a file that is empty or too large."""
    if not content:
        raise CheckpointError("The file is empty.")
    if len(content) > limits.bytes:
        raise CheckpointError(
            f"The file has {len(content) / 1e6:.1f} MB; files of at most {limits.bytes / 1e6:g} MB are read."
        )


def _header(content: bytes, limits: Limits) -> dict[str, Any]:
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    start = content[LENGTH_BYTES : LENGTH_BYTES + 1]
    if len(content) <= LENGTH_BYTES or start != b"{":
        raise CheckpointError("This is no safetensors file: it does not begin with a header.")
    if length > limits.header:
        raise CheckpointError(f"The header says it has {length:,} bytes; at most {limits.header:,} are read.")
    if length > len(content) - LENGTH_BYTES:
        raise CheckpointError("The file is cut off: it ends inside its header.")
    try:
        text = content[LENGTH_BYTES : LENGTH_BYTES + length].decode("utf-8")
        header = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise CheckpointError("The header of this file cannot be read.") from None
    if not isinstance(header, dict):
        raise CheckpointError("The header of this file cannot be read.")
    return header


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, none of whose names comes twice: two readers could choose differently."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name comes twice")
    return found
