"""Handwritten digits for machines without MNIST: scikit-learn's 1,797 images, enlarged to look like MNIST's."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIZE = 28
INNER = 20  # MNIST's digits fill a box of 20 by 20 inside 28 by 28
SMALL = 8
MAX_GREY = 16  # of the small images
TRAIN = 1_500  # training images; the other 297 are test images


def small_digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """All images, uint8 (1797, 28, 28), and their labels, int64 (1797,), in scikit-learn's order."""
    rows = small_table()
    return enlarged(rows[:, :-1].reshape(-1, SMALL, SMALL)), rows[:, -1].astype(np.int64)


def small_table() -> NDArray[np.float64]:
    """The 64 pixels, from 0 to 16, and the label of each image, (1797, 65).

    They are read from the file of sklearn.datasets.load_digits: importing scikit-learn takes seconds and 80 MB.
    """
    package = find_spec("sklearn")
    assert package is not None and package.origin, "scikit-learn is in requirements.txt"
    with gzip.open(Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz", "rt") as file:
        return np.loadtxt(file, delimiter=",")


def enlarged(images: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Images (n, 8, 8) of 0 to 16 as (n, 28, 28) of 0 to 255: stretched to 20 by 20, centred by mass."""
    weights = _stretch(SMALL, INNER)  # (20, 8)
    large = np.einsum("ia,nab,jb->nij", weights, images, weights) * (255 / MAX_GREY)
    canvas = np.zeros((len(images), SIZE, SIZE), dtype=np.uint8)
    for place, image in zip(canvas, np.rint(large).astype(np.uint8), strict=True):
        top, left = _corner(image.sum(axis=1)), _corner(image.sum(axis=0))
        place[top : top + INNER, left : left + INNER] = image
    return canvas


def _stretch(small: int, large: int) -> NDArray[np.float64]:
    """The weights of linear interpolation from `small` to `large` pixels, (large, small); each row sums to 1."""
    at = ((np.arange(large) + 0.5) * small / large - 0.5).clip(0, small - 1)
    return (1 - np.abs(at[:, None] - np.arange(small))).clip(0, 1)


def _corner(weights: NDArray[np.uint64]) -> int:
    """Where a box starts so that its centre of mass is in the middle, or as near as it stays inside."""
    total = float(weights.sum()) or 1.0
    middle = float(weights @ np.arange(INNER)) / total
    return int(np.clip(np.rint((SIZE - 1) / 2 - middle), 0, SIZE - INNER))
