"""A model's weights as files of their own: a state_dict `.pt`, a NumPy `.npz`, and reading a `.pt` of any origin.

A `.pt` is a zip archive whose `data.pkl` is a pickle, a program for building objects. It is read only by
`torch.load(weights_only=True)`, after its zip directory and its pickle's words were found to be a state_dict's.
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
from playground.saving.safetensors_file import LIMITS, CheckpointError, Limits, within

ZIP_START, ZIP_END, PICKLE_START = b"PK\x03\x04", b"PK\x05\x06", b"\x80"
END_BYTES = 22  # of a zip's last record, where no comment follows it
MOST_DIMENSIONS = 8
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
# The entries that torch.save writes, without the folder that holds them all.
ENTRY = re.compile(r"data\.pkl|version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id|data/\d+")
STORAGE = re.compile(r"torch [A-Z][A-Za-z0-9]*Storage")
BUILDERS = ("collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter")
OTHER_KINDS = {
    "torch._utils _rebuild_sparse_tensor": "a sparse tensor",
    "torch._utils _rebuild_meta_tensor_no_storage": "a meta tensor, which has a shape and no numbers",
    "torch._utils _rebuild_qtensor": "a quantized tensor",
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
            raise CheckpointError(
                "This is a bare pickle, which may run code: it is not opened. Save a state_dict anew."
            )
        raise CheckpointError("This is no file of torch.save: it does not begin as a zip archive.")
    copy = _checked_copy(content, limits)
    try:
        loaded = torch.load(io.BytesIO(copy), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a hostile file can make it raise
        raise CheckpointError(f"torch.load refuses this file: “{shorten(error, 160)}”") from None
    return _plain(loaded, len(content))


def _checked_copy(content: bytes, limits: Limits) -> bytes:
    """The same archive written anew from what was checked, so that torch reads nothing else."""
    end = content[-END_BYTES:]
    if len(content) < END_BYTES or not end.startswith(ZIP_END):
        raise CheckpointError("The file is cut off: a zip archive ends with its directory, and this one does not.")
    if int.from_bytes(end[12:16], "little") > 200 * limits.tensors:
        raise CheckpointError(f"The archive has too many entries; at most {limits.tensors:,} are read.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check_entries(entries, len(content), limits)
            parts = {entry.filename: archive.read(entry) for entry in entries}
    except CheckpointError:
        raise
    except Exception as error:  # zipfile raises many kinds for a damaged archive
        raise CheckpointError(f"The archive is damaged: “{shorten(error, 120)}”.") from None
    root = entries[0].filename.partition("/")[0]
    if f"{root}/data.pkl" not in parts:
        raise CheckpointError("The archive has no data.pkl: torch.save did not write it.")
    _check_pickle(parts[f"{root}/data.pkl"], limits)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name), part)
    return file.getvalue()


def _check_entries(entries: list[zipfile.ZipInfo], size: int, limits: Limits) -> None:
    """Few entries, each once, stored as they are, in one folder, of the names that torch.save gives."""
    if not 1 <= len(entries) <= limits.tensors:
        raise CheckpointError(f"The archive has {len(entries):,} entries; from 1 to {limits.tensors:,} are read.")
    root, seen = entries[0].filename.partition("/")[0], set[str]()
    for entry in entries:
        name = shorten(entry.orig_filename, 60)
        if entry.filename in seen:
            raise CheckpointError(f"The archive has two entries called “{name}”.")
        seen.add(entry.filename)
        if entry.compress_type != zipfile.ZIP_STORED:
            raise CheckpointError(f"The entry “{name}” is compressed; torch.save stores its entries as they are.")
        folder, _, inside = entry.filename.partition("/")
        if folder != root or not root or entry.orig_filename != entry.filename or not ENTRY.fullmatch(inside):
            raise CheckpointError(f"The archive has an entry “{name}”, which no state_dict has.")
    if sum(entry.file_size for entry in entries) > size:
        raise CheckpointError("The archive's entries claim more bytes than the file has.")


def _check_pickle(program: bytes, limits: Limits) -> None:
    """Only words that build a dict of plain tensors. Nothing is executed: pickletools reads the program as a list."""
    if len(program) > limits.header:
        raise CheckpointError(f"Its data.pkl has {len(program):,} bytes; at most {limits.header:,} are read.")
    try:
        words = [(code.name, argument) for code, argument, _ in pickletools.genops(program)]
    except Exception as error:  # pickletools raises many kinds for what is no pickle
        raise CheckpointError(f"Its data.pkl is damaged: “{shorten(error, 120)}”.") from None
    for name, argument in words:
        if name == "GLOBAL" and argument in OTHER_KINDS:
            raise CheckpointError(f"The file holds {OTHER_KINDS[argument]}; only plain tensors are read.")
        if name == "GLOBAL" and argument not in BUILDERS and not STORAGE.fullmatch(str(argument)):
            asked = shorten(str(argument).replace(" ", "."), 60)
            raise CheckpointError(
                f"The file asks Python to import “{asked}”: it is no state_dict, and it could run code. "
                "Save model.state_dict(), not the model."
            )
        if name in ("STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4"):
            raise CheckpointError("The file builds objects of its own: it is no state_dict, and it could run code.")


def _plain(loaded: Any, size: int) -> dict[str, Tensor]:
    """The entries of a dict of tensors, each of which owns all the numbers that it shows."""
    if not isinstance(loaded, dict) or not loaded:
        raise CheckpointError("The file holds no state_dict, that is, tensors by name.")
    found, total = dict[str, Tensor](), 0
    for name, value in dict.items(loaded):
        where = f"“{shorten(name)}”"
        if type(name) is not str or not isinstance(value, Tensor):
            raise CheckpointError(f"The entry {where} is no tensor: this is no state_dict.")
        value = value.detach()
        if value.layout != torch.strided or value.device.type != "cpu" or value.dtype not in DTYPES:
            raise CheckpointError(f"The tensor {where} is of a kind that is not read here, {name_of(value.dtype)}.")
        needed = value.numel() * value.element_size()
        total += needed
        if value.dim() > MOST_DIMENSIONS or needed > value.untyped_storage().nbytes() or total > size:
            raise CheckpointError(
                f"The tensor {where} claims {value.numel():,} numbers, more than the file holds: it repeats a few."
            )
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise CheckpointError(f"The tensor {where} holds NaN or infinity.")
        found[name] = value
    return found
