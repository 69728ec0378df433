"""A model's weights as files of their own: a state_dict `.pt` and a NumPy `.npz`, written, and read from any origin.

A `.pt` is a zip archive whose `data.pkl` is a pickle, a program for building objects. It is read only by
`torch.load(weights_only=True)`, after a check that its zip directory and its opcodes are those of a state_dict.
A `.npz` is a zip archive of arrays, which NumPy reads without pickles after a check of their sizes.
"""

from __future__ import annotations

import io
import pickletools
import re
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.knobs import shorten
from playground.runs.state_checks import name_of
from playground.saving import messages
from playground.saving.safetensors_file import LIMITS, CheckpointError, Limits, within

ZIP_START, ZIP_END, PICKLE_START = b"PK\x03\x04", b"PK\x05\x06", b"\x80"
END_BYTES = 22  # of a zip's last record without a comment
MAX_DIMENSIONS = 8
DTYPES = (
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
)
ARRAY = b".npy"
ARRAY_DTYPES = ("float32", "float64", "float16", "int64", "int32", "uint8", "bool")
# The entries that torch.save writes, without the folder that holds them all.
ENTRY = re.compile(r"data\.pkl|version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id|data/\d+")
STORAGE = re.compile(r"torch [A-Z][A-Za-z0-9]*Storage")
BUILDERS = ("collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter")
OTHER_KINDS = {
    "torch._utils _rebuild_sparse_tensor": messages.SPARSE_TENSOR,
    "torch._utils _rebuild_meta_tensor_no_storage": messages.META_TENSOR,
    "torch._utils _rebuild_qtensor": messages.QUANTIZED_TENSOR,
}


def as_pt(weights: Mapping[str, Tensor]) -> bytes:
    """The weights as `torch.save(model.state_dict(), ...)` writes them."""
    file = io.BytesIO()
    torch.save(dict(weights), file)
    return file.getvalue()


def as_npz(weights: Mapping[str, Tensor]) -> bytes:
    """The weights as NumPy's archive of arrays, one for each tensor."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{name: value.numpy() for name, value in weights.items()})
    return file.getvalue()


def read_pt(content: bytes, limits: Limits = LIMITS) -> dict[str, Tensor]:
    """The tensors of a state_dict `.pt` by name. Raises CheckpointError with a sentence for any other file."""
    within(content, limits)
    if not content.startswith(ZIP_START):
        if content[:1] == PICKLE_START:
            raise CheckpointError(messages.BARE_PICKLE)
        raise CheckpointError(messages.NOT_TORCH_SAVE)
    copy = _checked_copy(content, limits)
    try:
        loaded = torch.load(io.BytesIO(copy), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a hostile file can make it raise
        raise CheckpointError(messages.TORCH_REFUSES.format(error=shorten(error, 160))) from None
    return _plain(loaded, len(content))


def is_npz(content: bytes) -> bool:
    """Whether a zip archive begins with an array, as NumPy's archives do; a `.pt` begins with its pickle."""
    length = int.from_bytes(content[26:28], "little")  # of the first entry's name (APPNOTE.TXT, section 4.3.7)
    return content.startswith(ZIP_START) and content[30 : 30 + length].endswith(ARRAY)


def read_npz(content: bytes, limits: Limits = LIMITS) -> dict[str, Tensor]:
    """The arrays of an `.npz` by name, as tensors. Raises CheckpointError with a sentence for any other file."""
    within(content, limits)
    if not content.startswith(ZIP_START):
        raise CheckpointError(messages.NOT_NPZ)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if not 1 <= len(entries) <= limits.tensors:
                raise CheckpointError(messages.WRONG_ENTRY_COUNT.format(count=len(entries), most=limits.tensors))
            if sum(entry.file_size for entry in entries) > limits.bytes:
                raise CheckpointError(messages.TOO_LARGE_UNPACKED.format(most=limits.bytes / 1e6))
            found: dict[str, Tensor] = {}
            for entry in entries:
                name = entry.filename.removesuffix(ARRAY.decode())
                called = shorten(name, 60)
                if name == entry.filename:
                    raise CheckpointError(messages.NOT_AN_ARRAY.format(name=called))
                if name in found:
                    raise CheckpointError(messages.ENTRY_TWICE.format(name=called))
                with archive.open(entry) as file:
                    found[name] = _tensor(file.read(limits.bytes), called)
    except CheckpointError:
        raise
    except Exception as error:  # zipfile and zlib raise many kinds for a damaged archive
        raise CheckpointError(messages.ZIP_DAMAGED.format(error=shorten(error, 120))) from None
    return _plain(found, limits.bytes)


def _tensor(content: bytes, name: str) -> Tensor:
    """The array in a `.npy` as a tensor. Raises CheckpointError; nothing in the file is run."""
    try:
        array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # NumPy raises many kinds for a damaged array, and for one of Python objects
        raise CheckpointError(messages.ARRAY_UNREADABLE.format(name=name, error=shorten(error, 120))) from None
    native = array.dtype.newbyteorder("=")
    if native.name not in ARRAY_DTYPES or array.ndim > MAX_DIMENSIONS:
        raise CheckpointError(messages.UNREADABLE_TENSOR.format(name=name, dtype=shorten(array.dtype.name)))
    return torch.from_numpy(np.ascontiguousarray(array, native).reshape(array.shape).copy())


def _checked_copy(content: bytes, limits: Limits) -> bytes:
    """The same archive written again from what was checked, so that torch reads nothing else."""
    end = content[-END_BYTES:]
    if len(content) < END_BYTES or not end.startswith(ZIP_END):
        raise CheckpointError(messages.ZIP_CUT_OFF)
    if int.from_bytes(end[12:16], "little") > 200 * limits.tensors:
        raise CheckpointError(messages.TOO_MANY_ENTRIES.format(most=limits.tensors))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check_entries(entries, len(content), limits)
            parts = {entry.filename: archive.read(entry) for entry in entries}
    except CheckpointError:
        raise
    except Exception as error:  # zipfile raises many kinds for a damaged archive
        raise CheckpointError(messages.ZIP_DAMAGED.format(error=shorten(error, 120))) from None
    root = entries[0].filename.partition("/")[0]
    if f"{root}/data.pkl" not in parts:
        raise CheckpointError(messages.NO_PICKLE)
    _check_pickle(parts[f"{root}/data.pkl"], limits)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name), part)
    return file.getvalue()


def _check_entries(entries: list[zipfile.ZipInfo], size: int, limits: Limits) -> None:
    """Refuse all but few entries, each once, uncompressed, in one folder, with the names that torch.save gives."""
    if not 1 <= len(entries) <= limits.tensors:
        raise CheckpointError(messages.WRONG_ENTRY_COUNT.format(count=len(entries), most=limits.tensors))
    root, names = entries[0].filename.partition("/")[0], set[str]()
    for entry in entries:
        name = shorten(entry.orig_filename, 60)
        if entry.filename in names:
            raise CheckpointError(messages.ENTRY_TWICE.format(name=name))
        names.add(entry.filename)
        if entry.compress_type != zipfile.ZIP_STORED:
            raise CheckpointError(messages.ENTRY_COMPRESSED.format(name=name))
        folder, _, inside = entry.filename.partition("/")
        if folder != root or not root or entry.orig_filename != entry.filename or not ENTRY.fullmatch(inside):
            raise CheckpointError(messages.ENTRY_UNKNOWN.format(name=name))
    if sum(entry.file_size for entry in entries) > size:
        raise CheckpointError(messages.ENTRIES_TOO_LARGE)


def _check_pickle(program: bytes, limits: Limits) -> None:
    """Refuse all opcodes but those that build a dict of plain tensors; pickletools lists them without running any."""
    if len(program) > limits.header:
        raise CheckpointError(messages.PICKLE_TOO_LONG.format(size=len(program), most=limits.header))
    try:
        opcodes = [(code.name, argument) for code, argument, _ in pickletools.genops(program)]
    except Exception as error:  # pickletools raises many kinds for what is not a pickle
        raise CheckpointError(messages.PICKLE_DAMAGED.format(error=shorten(error, 120))) from None
    for name, argument in opcodes:
        if name == "GLOBAL" and argument in OTHER_KINDS:
            raise CheckpointError(OTHER_KINDS[argument])
        if name == "GLOBAL" and argument not in BUILDERS and not STORAGE.fullmatch(str(argument)):
            asked = shorten(str(argument).replace(" ", "."), 60)
            raise CheckpointError(messages.IMPORTS.format(name=asked))
        if name in ("STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4"):
            raise CheckpointError(messages.BUILDS_OBJECTS)


def _plain(loaded: Any, size: int) -> dict[str, Tensor]:
    """The entries of a dict of tensors, each of which has all its numbers in the file."""
    if not isinstance(loaded, dict) or not loaded:
        raise CheckpointError(messages.NOT_A_STATE_DICT)
    found, total = dict[str, Tensor](), 0
    for name, value in dict.items(loaded):
        called = shorten(name)
        if type(name) is not str or not isinstance(value, Tensor):
            raise CheckpointError(messages.NOT_A_TENSOR.format(name=called))
        value = value.detach()
        if value.layout != torch.strided or value.device.type != "cpu" or value.dtype not in DTYPES:
            raise CheckpointError(messages.UNREADABLE_TENSOR.format(name=called, dtype=name_of(value.dtype)))
        needed = value.numel() * value.element_size()
        total += needed
        if value.dim() > MAX_DIMENSIONS or needed > value.untyped_storage().nbytes() or total > size:
            raise CheckpointError(messages.REPEATED_NUMBERS.format(name=called, count=value.numel()))
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise CheckpointError(messages.NOT_FINITE.format(name=called))
        found[name] = value
    return found
