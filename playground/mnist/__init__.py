"""Handwritten digits to train on: MNIST if it is on this machine, otherwise small digits that come with scikit-learn.

The processes of a server have them in memory once: the first one that needs them reads and checks the files and writes
the numbers to a file in the server's shared folder, which all of them map.
`python -m playground.mnist [folder]` downloads MNIST. Nothing else here uses the network.
"""

from __future__ import annotations

import argparse
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from playground import shared_folder
from playground.mnist import files as mnist_files
from playground.mnist import shared_digits, small_digits
from playground.mnist.files import MnistError, NotThere

if TYPE_CHECKING:
    from torch import Tensor

REAL = "The digits are MNIST: 60,000 training images and 10,000 test images."
NOT_INSTALLED = "MNIST is not installed."
SMALL = (
    "{problem} These are 1,797 small digits that come with scikit-learn, enlarged from 8 × 8 to 28 × 28 pixels: 1,500 "
    "training images and 297 test images."
)
ALREADY_THERE = "MNIST is already in {folder}, complete and unchanged."
DOWNLOADED = "MNIST is in {folder}: four files, each with the right SHA-256."
CANCELLED = "Cancelled; nothing was kept."
PROGRESS = "{fetched:5.1f} of {total:.1f} MB  {percent:3.0f} %"
NOT_SHARED = "The digits cannot be shared in “{folder}” ({reason}): this process keeps a copy of its own."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """Which digits this machine has: whether they are MNIST, and a sentence for the visitor."""

    real: bool
    sentence: str


@dataclass(frozen=True, eq=False)
class Digits:
    """Images uint8 (n, 28, 28), white (255) on black (0), and labels int64 (n,), for training and for testing.

    All runs share the same arrays, so they are read-only. `real` says whether this is MNIST, and `sentence` tells the
    visitor which digits these are.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    real: bool
    sentence: str
    is_shared: bool = False  # in memory once for all processes

    @property
    def source(self) -> Source:
        """Which digits these are."""
        return Source(self.real, self.sentence)

    @property
    def name(self) -> str:
        """A short name: MNIST or digits."""
        return "MNIST" if self.real else "digits"

    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The four arrays, in the same order, as tensors on the same memory. Do not write to them."""
        import torch  # here, so that a download does not need torch

        arrays = (self.train_images, self.train_labels, self.test_images, self.test_labels)
        return tuple(torch.from_numpy(array.base) for array in arrays)  # type: ignore[return-value]


@dataclass
class _Known:
    """What this process knows of the digits, and their version."""

    version: int = -1
    source: Source | None = None
    digits: Digits | None = None

    def learn(self) -> Digits:
        """Read or map the latest digits."""
        self.version, digits = _latest()
        self.source, self.digits = digits.source, digits
        return digits

    @property
    def is_current(self) -> bool:
        """Whether nobody has raised the version since."""
        return self.version == _version()


_lock = threading.Lock()
_known = _Known()


def load() -> Digits:
    """The latest digits of this machine.

    The first process of a server that needs them reads and checks the files, which takes half a second.
    """
    with _lock:
        return _known.digits if _known.digits is not None and _known.is_current else _known.learn()


def source() -> Source:
    """Which digits this machine has, checked as `load` does; their images take no memory of this process."""
    with _lock:
        if _known.source is None or not _known.is_current:
            digits = _known.learn()
            _known.digits = digits if digits.is_shared else None
        assert _known.source is not None
        return _known.source


def forget() -> None:
    """Let all processes of this server read the digits again, for example after a download.

    Digits in use stay valid.
    """
    forget_here()
    folder = shared_folder.path()
    if folder is not None:
        try:
            shared_digits.raise_version(folder)
        except OSError as error:
            log.warning(NOT_SHARED.format(folder=folder, reason=error))
    for listener in tuple(_listeners):
        listener()


def forget_here() -> None:
    """Let this process read or map the digits again at the next `load`.

    Needed only where no folder is shared: otherwise each process sees for itself that there are later digits.
    """
    with _lock:
        _known.version, _known.source, _known.digits = -1, None, None


_listeners: list[Callable[[], None]] = []


def inform(listener: Callable[[], None]) -> None:
    """Call this function whenever this process has forgotten the digits, so that it can inform other processes."""
    _listeners.append(listener)


def _version() -> int:
    folder = shared_folder.path()
    return 0 if folder is None else shared_digits.version(folder)


def _latest() -> tuple[int, Digits]:
    """The latest digits and their version: those of the shared folder, or this process's own if there is none."""
    folder = shared_folder.path()
    if folder is None:
        return 0, _read()
    try:
        with shared_folder.locked(folder / shared_digits.LOCK):
            number = shared_digits.version(folder)
            found = _mapped(folder, number)
            if found is not None:
                return number, found
            digits = _read()
            arrays = (digits.train_images, digits.train_labels, digits.test_images, digits.test_labels)
            try:
                head = {"real": digits.real, "sentence": digits.sentence}
                shared_digits.write(folder, number, head, arrays)
            except OSError as error:
                log.warning(NOT_SHARED.format(folder=folder, reason=error))
                return number, digits
            return number, _mapped(folder, number) or digits
    except OSError as error:  # the folder has gone, or no lock can be had
        log.warning(NOT_SHARED.format(folder=folder, reason=error))
        return _version(), _read()


def _mapped(folder: Path, number: int) -> Digits | None:
    """The digits of the shared file of this version, if it is there."""
    found = shared_digits.read(folder, number)
    if found is None:
        return None
    head, arrays = found
    images, labels, test_images, test_labels = map(_read_only, arrays)
    return Digits(images, labels, test_images, test_labels, head["real"], head["sentence"], is_shared=True)


def read_mnist(folder: Path) -> Digits | None:
    """MNIST from a folder, or None if none of its files is there.

    Raises MnistError with a sentence where a file is missing, is not the published one, or cannot be read.
    """
    try:
        return _digits(mnist_files.read_folder(folder, mnist_files.FILES), REAL, real=True)
    except NotThere:
        return None


def _read() -> Digits:
    problem, named = "", mnist_files.named_folder()
    for folder in mnist_files.places():
        try:
            return _digits(mnist_files.read_folder(folder), REAL, real=True)
        except MnistError as error:
            if folder == named or not isinstance(error, NotThere):
                problem = problem or str(error)
    images, labels = small_digits.small_digits()
    train, test = slice(small_digits.TRAIN), slice(small_digits.TRAIN, None)
    sentence = SMALL.format(problem=problem or NOT_INSTALLED)
    return _digits((images[train], labels[train], images[test], labels[test]), sentence, real=False)


def _digits(arrays: Sequence[NDArray[Any]], sentence: str, *, real: bool) -> Digits:
    """Digits that are read-only views of copies of these arrays."""
    types = (np.uint8, np.int64, np.uint8, np.int64)
    copies = (np.array(array, dtype=kind, order="C") for array, kind in zip(arrays, types, strict=True))
    images, labels, test_images, test_labels = map(_read_only, copies)
    return Digits(images, labels, test_images, test_labels, real, sentence)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view of an array, which is its `base`."""
    view = array.view()
    view.flags.writeable = False
    return view


def main(words: Sequence[str] | None = None) -> int:
    """The exit code of a download from the command line; its progress is printed on one line."""
    from playground.mnist.download import Cancelled, Download

    parser = argparse.ArgumentParser("python -m playground.mnist", description="Download MNIST, 12 MB, and check it.")
    parser.add_argument(
        "folder", nargs="?", type=Path, help="the target folder (default: PLAYGROUND_DATA, or the user's cache)"
    )
    folder = parser.parse_args(words).folder or mnist_files.target_folder()
    try:
        if read_mnist(folder):
            print(ALREADY_THERE.format(folder=folder))
            return 0
    except MnistError as error:
        print(error)
    try:
        Download(folder, report=_show).run()
    except (KeyboardInterrupt, Cancelled):
        print(f"\n{CANCELLED}", file=sys.stderr)
        return 130
    except MnistError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(f"\n{DOWNLOADED.format(folder=folder)}")
    return 0


def _show(fetched: int, total: int) -> None:
    progress = PROGRESS.format(fetched=fetched / 1e6, total=total / 1e6, percent=100 * fetched / total)
    print(f"\r{progress}", end="", flush=True)
