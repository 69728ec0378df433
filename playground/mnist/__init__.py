"""Handwritten digits to train on: MNIST if it is on this machine, otherwise small digits that come with scikit-learn.

`python -m playground.mnist [folder]` downloads MNIST. Nothing else here uses the network.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from playground.mnist import files as mnist_files
from playground.mnist import small_digits
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
_lock = threading.Lock()
_loaded: list[Digits] = []


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

    @property
    def name(self) -> str:
        """A short name: MNIST or digits."""
        return "MNIST" if self.real else "digits"

    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The four arrays, in the same order, as tensors on the same memory. Do not write to them."""
        import torch  # here, so that a download does not need torch

        arrays = (self.train_images, self.train_labels, self.test_images, self.test_labels)
        return tuple(torch.from_numpy(array.base) for array in arrays)  # type: ignore[return-value]


def load() -> Digits:
    """The digits of this machine; they are read at the first call, which takes half a second."""
    with _lock:
        if not _loaded:
            _loaded.append(_read())
        return _loaded[0]


def forget() -> None:
    """Read the digits again at the next `load`, for example after a download. Digits in use stay valid."""
    with _lock:
        _loaded.clear()


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
    train, test = _shared(arrays[0], arrays[1]), _shared(arrays[2], arrays[3])
    return Digits(*train, *test, real=real, sentence=sentence)


def _shared(images: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    owned = np.array(images, dtype=np.uint8, order="C"), np.array(labels, dtype=np.int64)
    views = owned[0].view(), owned[1].view()
    for view in views:
        view.flags.writeable = False
    return views


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
