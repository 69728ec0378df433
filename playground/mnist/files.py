"""The four files of MNIST: their exact content, the folders where they are searched, and how they are checked."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
UNSIGNED_BYTE = 8  # the type code in an IDX file's magic number
MAX_DEPTH = 3  # of the folders that are searched: torchvision puts the files into MNIST/raw
MAX_ENTRIES = 5_000  # files and folders that are looked at in a search
GZIP = b"\x1f\x8b"  # the first bytes of a compressed file, whatever its name is
NAME = "pytorch-playground"

CANNOT_BE_READ = "{name} cannot be read ({reason}). Download it again."
DAMAGED = "it is damaged or incomplete"
OTHER_CONTENT = (  # the first bytes of what is found under the name of a compressed file, and what that is
    (b"<", "it is a web page"),
    (b"PK", "it is a ZIP archive"),
    (b"version https://git-lfs", "it is a pointer of Git LFS"),
)
FOUND_IN = "{problem} It is in “{folder}”."
ONE_MISSING = "MNIST in “{folder}” is incomplete: {names} is missing."
MORE_MISSING = "MNIST in “{folder}” is incomplete: {names} are missing."
MISSING_AND_DAMAGED = "{missing} {damaged}"
NO_FOLDER = "MNIST was not found: the folder “{folder}” does not exist."
NOT_A_FOLDER = "MNIST was not found: “{folder}” is not a folder."
FOLDER_UNREADABLE = "MNIST was not found: the folder “{folder}” cannot be opened ({reason})."
NO_FILES = "MNIST was not found: none of its four files is in “{folder}”."
WRONG_START = "{name} starts with {found} instead of {right}: it is not the right kind of IDX file. Download it again."
WRONG_SHAPE = "{name} contains {found} numbers according to its header, but must contain {right}. Download it again."
TOO_LONG = "{name} is longer than its {right:,} bytes. Download it again."
TOO_SHORT = "{name} ends after {found:,} of its {right:,} bytes. Download it again."
WRONG_SHA256 = "{name} is not the published file: its SHA-256 is different. Download it again."


class MnistError(ValueError):
    """A file that is not the published one, or cannot be downloaded; the message is for the visitor."""


class NotThere(MnistError):
    """A folder that does not exist, or has none of the files."""


@dataclass(frozen=True)
class MnistFile:
    """One of the four files as published: its packed size and SHA-256, the shape of its content, and its SHA-256.

    The content is an IDX file: a magic number, each size of `shape` in 4 bytes, then the bytes in row-major order.
    """

    name: str
    size: int
    sha256: str
    shape: tuple[int, ...]
    content_sha256: str

    @property
    def packed(self) -> str:
        """The name of the compressed file."""
        return f"{self.name}.gz"

    @property
    def header(self) -> bytes:
        """The first bytes of the content."""
        return bytes((0, 0, UNSIGNED_BYTE, len(self.shape))) + b"".join(n.to_bytes(4, "big") for n in self.shape)


FILES = (
    MnistFile("train-images-idx3-ubyte", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
              (60_000, 28, 28), "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    MnistFile("train-labels-idx1-ubyte", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
              (60_000,), "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    MnistFile("t10k-images-idx3-ubyte", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
              (10_000, 28, 28), "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    MnistFile("t10k-labels-idx1-ubyte", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
              (10_000,), "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
)  # fmt: skip


def cache_folder() -> Path:
    """The folder for this user's downloads."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / NAME / "mnist"


def named_folder() -> Path | None:
    """The folder named in PLAYGROUND_DATA, or None."""
    name = os.environ.get("PLAYGROUND_DATA", "").strip()
    return Path(name).expanduser() if name else None


def places() -> tuple[Path, ...]:
    """The folders where MNIST is searched, in order: PLAYGROUND_DATA, the user's cache, and `data` beside the app."""
    named = named_folder()
    return (*((named,) if named else ()), cache_folder(), Path(__file__).resolve().parents[2] / "data")


def target_folder() -> Path:
    """The folder for a download: PLAYGROUND_DATA, or the user's cache."""
    return named_folder() or cache_folder()


def candidates(folder: Path, files: Sequence[MnistFile] = FILES) -> list[list[Path]]:
    """For each file, the paths in a folder that may be it, the likeliest first: also copies, and folders inside.

    Names count without their case, with a dot for the hyphen, packed or not, and with what browsers add: " (1)". Raises
    OSError where the folder itself cannot be opened.
    """
    found: list[list[Path]] = [[] for _ in files]
    for path in _paths(folder):
        name = path.name.lower().replace("_", "-").replace(".idx", "-idx")
        for file, paths in zip(files, found, strict=True):
            if file.name in name:
                paths.append(path)
    for file, paths in zip(files, found, strict=True):
        exact = (file.packed, file.name)  # packed first, since a download replaces that one
        paths.sort(key=lambda path: (len(path.parts), exact.index(path.name) if path.name in exact else 2, path.name))
    return found


def _paths(folder: Path) -> Iterator[Path]:
    """The files in a folder and in the folders inside; hidden ones and those that cannot be opened are left out."""
    folders, looked_at = [(folder, 0)], 0
    for inside, depth in folders:
        try:
            entries = sorted(os.scandir(inside), key=lambda entry: entry.name)
        except OSError:
            if depth == 0:
                raise
            continue
        for entry in entries:
            looked_at += 1
            if looked_at > MAX_ENTRIES:
                return
            if entry.is_file():
                yield Path(entry.path)
            elif depth < MAX_DEPTH and not entry.name.startswith(".") and entry.is_dir():
                folders.append((Path(entry.path), depth + 1))


def find(folder: Path, files: Sequence[MnistFile] = FILES) -> tuple[Path, ...] | None:
    """The likeliest paths of the four files in a folder; None unless all are there. They are not read."""
    try:
        found = candidates(folder, files)
    except OSError:
        return None
    return tuple(paths[0] for paths in found) if all(found) else None


def read_folder(folder: Path, files: Sequence[MnistFile] = FILES) -> list[Pixels]:
    """The numbers of the four files in a folder; of each, the first copy that is whole.

    Raises MnistError with a sentence that names the folder, and each file that is missing or the first that is damaged;
    NotThere where the folder has none of them.
    """
    try:
        found = candidates(folder, files)
    except FileNotFoundError as error:
        raise NotThere(NO_FOLDER.format(folder=folder)) from error
    except NotADirectoryError as error:
        raise MnistError(NOT_A_FOLDER.format(folder=folder)) from error
    except OSError as error:
        raise MnistError(FOLDER_UNREADABLE.format(folder=folder, reason=_reason(error))) from error
    if not any(found):
        raise NotThere(NO_FILES.format(folder=folder))
    names = [file.packed for file, paths in zip(files, found, strict=True) if not paths]
    sentence = (ONE_MISSING if len(names) == 1 else MORE_MISSING).format(folder=folder, names=", ".join(names))
    missing = sentence if names else ""
    read_files = []
    for file, paths in zip(files, found, strict=True):
        whole, damaged = _first_whole(paths, file)
        if paths and whole is None:
            damaged = FOUND_IN.format(problem=damaged, folder=paths[0].parent)
            raise MnistError(MISSING_AND_DAMAGED.format(missing=missing, damaged=damaged).strip())
        if whole is not None and not names:
            read_files.append(whole)
    if names:
        raise MnistError(missing)
    return read_files


def _first_whole(paths: Sequence[Path], file: MnistFile) -> tuple[Pixels | None, str]:
    """The numbers of the first of these paths that is the published file; or None and what is wrong with the first."""
    problem = ""
    for path in paths:
        try:
            return read(path, file), ""
        except MnistError as error:
            problem = problem or str(error)
    return None, problem


def read(path: Path, file: MnistFile) -> Pixels:
    """One file's numbers, uint8 in its published shape.

    At most one byte more than the published content is unpacked. Raises MnistError if anything is different.
    """
    try:
        with _content(path) as stream:
            content = _at_most(stream, len(file.header) + math.prod(file.shape) + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise MnistError(CANNOT_BE_READ.format(name=path.name, reason=_reason(error))) from error
    _check(path.name, content, file)
    return np.frombuffer(content, dtype=np.uint8, offset=len(file.header)).reshape(file.shape)


def _check(name: str, content: bytearray, file: MnistFile) -> None:
    """Check that the content is the published one. Raises MnistError with the first difference."""
    kind = content[:4]
    if kind != file.header[:4]:
        raise MnistError(WRONG_START.format(name=name, found=kind.hex(" "), right=file.header[:4].hex(" ")))
    sizes = content[4 : len(file.header)]
    if sizes != file.header[4:]:
        found = " × ".join(f"{int.from_bytes(sizes[at : at + 4], 'big'):,}" for at in range(0, len(sizes), 4))
        right = " × ".join(f"{size:,}" for size in file.shape)
        raise MnistError(WRONG_SHAPE.format(name=name, found=found, right=right))
    size, right_size = len(content), len(file.header) + math.prod(file.shape)
    if size > right_size:
        raise MnistError(TOO_LONG.format(name=name, right=right_size))
    if size < right_size:
        raise MnistError(TOO_SHORT.format(name=name, found=size, right=right_size))
    if hashlib.sha256(content).hexdigest() != file.content_sha256:
        raise MnistError(WRONG_SHA256.format(name=name))


def _content(path: Path) -> IO[bytes]:
    """The content, unpacked if it is packed; its first bytes say so, since browsers unpack files and keep their names.

    Raises MnistError where a name ends in .gz and the content is neither.
    """
    with path.open("rb") as file:
        start = file.read(32)
    if start.startswith(GZIP):
        return gzip.open(path)  # type: ignore[return-value]
    if path.suffix.lower() == ".gz" and not start.startswith(b"\0\0"):
        reason = next((what for first, what in OTHER_CONTENT if start.lstrip().startswith(first)), DAMAGED)
        raise MnistError(CANNOT_BE_READ.format(name=path.name, reason=reason))
    return path.open("rb")


def _at_most(stream: IO[bytes], limit: int) -> bytearray:
    content = bytearray()
    while len(content) < limit and (chunk := stream.read(min(limit - len(content), 1 << 20))):
        content += chunk
    return content


def _reason(error: Exception) -> str:
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else DAMAGED
