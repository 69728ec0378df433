"""Handwritten digits to learn from: MNIST where it is on this machine, else small digits that come with scikit-learn.

`python -m playground.mnist [folder]` downloads MNIST. Nothing else here ever asks the network.
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
from playground.mnist.files import MnistError

if TYPE_CHECKING:
    from torch import Tensor

REAL = "These are MNIST's images: 60,000 to train with and 10,000 to test with."
SMALL = (
    "These are not MNIST but 1,797 small digits that come with scikit-learn, 8 by 8 pixels enlarged to 28 by 28: "
    "1,500 to train with and 297 to test with."
)
_lock = threading.Lock()
_loaded: list[Digits] = []


@dataclass(frozen=True, eq=False)
class Digits:
    """Images uint8 (n, 28, 28), white (255) on black (0), and labels int64 (n,), for training and for testing.

    Everybody shares the same arrays, so they cannot be written to. `real` says whether this is MNIST, `sentence` what
    it is, in words for students.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    real: bool
    sentence: str

    @property
    def name(self) -> str:
        """MNIST, or digits."""
        return "MNIST" if self.real else "digits"

    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The four arrays as tensors on the same memory, in the same order. Never write to them."""
        import torch  # here, so that a download needs no torch

        arrays = (self.train_images, self.train_labels, self.test_images, self.test_labels)
        return tuple(torch.from_numpy(array.base) for array in arrays)  # type: ignore[return-value]


def load() -> Digits:
    """The digits of this machine, read once and then kept; the first call takes half a second."""
    with _lock:
        if not _loaded:
            _loaded.append(_read())
        return _loaded[0]


def forget() -> None:
    """Look again at the next `load`, as after a download. Who holds the digits keeps them."""
    with _lock:
        _loaded.clear()


def read_mnist(folder: Path) -> Digits | None:
    """MNIST from a folder, or None where it is not there. Raises MnistError where a file is not the published one."""
    paths = mnist_files.find(folder)
    if paths is None:
        return None
    arrays = [mnist_files.read(path, file) for path, file in zip(paths, mnist_files.FILES, strict=True)]
    return _digits(arrays, REAL, real=True)


def _read() -> Digits:
    problem = ""
    for folder in mnist_files.places():
        try:
            if found := read_mnist(folder):
                return found
        except MnistError as error:
            problem = problem or f"{error} "
    images, labels = small_digits.small_digits()
    train, test = slice(small_digits.TRAIN), slice(small_digits.TRAIN, None)
    return _digits((images[train], labels[train], images[test], labels[test]), problem + SMALL, real=False)


def _digits(arrays: Sequence[NDArray[Any]], sentence: str, *, real: bool) -> Digits:
    """Arrays that own their memory, seen through views that cannot be written to."""
    train, test = _shared(arrays[0], arrays[1]), _shared(arrays[2], arrays[3])
    return Digits(*train, *test, real=real, sentence=sentence)


def _shared(images: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    owned = np.array(images, dtype=np.uint8, order="C"), np.array(labels, dtype=np.int64)
    views = owned[0].view(), owned[1].view()
    for view in views:
        view.flags.writeable = False
    return views


def main(words: Sequence[str] | None = None) -> int:
    """Download MNIST from the command line, with its progress on one line; the exit code."""
    from playground.mnist.download import Cancelled, Download

    parser = argparse.ArgumentParser("python -m playground.mnist", description="Download MNIST, 12 MB, and check it.")
    parser.add_argument("folder", nargs="?", type=Path, help="where to; else PLAYGROUND_DATA, else the user's cache")
    folder = parser.parse_args(words).folder or mnist_files.target_folder()
    try:
        if read_mnist(folder):
            print(f"MNIST is in {folder} already, whole and unchanged.")
            return 0
    except MnistError as error:
        print(error)
    try:
        Download(folder, report=_show).run()
    except (KeyboardInterrupt, Cancelled):
        print("\nCancelled; nothing was kept.", file=sys.stderr)
        return 130
    except MnistError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(f"\nMNIST is in {folder}: four files, each with the SHA-256 it should have.")
    return 0


def _show(fetched: int, total: int) -> None:
    print(f"\r{fetched / 1e6:5.1f} of {total / 1e6:.1f} MB  {fetched / total:4.0%}", end="", flush=True)
