"""From a drawing or a photograph of a digit to what the model gets, stage by stage as MNIST was made.

LeCun, Cortes and Burges took black-and-white images of 128 by 128 pixels, shrank each digit into a box of 20 by 20
without bending it, which makes its edges grey, and placed it so that its centre of mass lies in the middle of 28 by 28.
"""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SIDE = 28  # pixels of what the model gets
BOX = 20  # pixels that a digit may be long
PAD = 128  # pixels of the drawing pad's side, as of the images that MNIST was made from
PAD_BYTES = PAD * PAD // 8


@dataclass(frozen=True)
class Switches:
    """Which stages are done; one that is not hands on what it got."""

    invert: bool = True
    threshold: bool = True
    crop: bool = True
    fit: bool = True
    centre: bool = True


@dataclass(frozen=True, eq=False)
class Stage:
    """What one stage gives: grey levels from 0 (no ink) to 1, float32 (height, width)."""

    name: str
    image: Array


def stages(grey: Array, switches: Switches | None = None) -> list[Stage]:
    """Every stage from a grey image (height, width), uint8 or from 0 to 1; the last is (28, 28).

    Where a stage is switched off, its image is that of the stage before; without `fit` the digit is made to fill all
    28 pixels instead of 20, without `centre` the box itself stands in the middle.
    """
    use = switches or Switches()
    given = np.asarray(grey / np.float32(255) if grey.dtype == np.uint8 else grey, np.float32)
    white = 1 - given if use.invert and is_dark_on_light(given) else given
    level = threshold(white)
    bilevel = np.asarray(white > level, np.float32) if use.threshold else white
    has_black_paper = use.threshold or not np.median(_edge(white))  # then the palest grey is ink
    cropped = crop(bilevel, 0.0 if has_black_paper else level) if use.crop else bilevel
    fitted = fit(cropped, BOX if use.fit else SIDE)
    placed = place(fitted, by_mass=use.centre)
    images = (given, white, bilevel, cropped, fitted, placed)
    return [Stage(name, image) for name, image in zip(NAMES, images, strict=True)]


NAMES = ("given", "inverted", "bilevel", "cropped", "fitted", "centred")


def threshold(image: Array) -> float:
    """The grey level that parts ink from paper best: the two groups' variance is least (Otsu 1979).

    `image` is from 0 to 1; a pixel is ink where it is above the level. An image of one shade has no ink.
    """
    counts = np.bincount(np.rint(255 * image).astype(np.int64).ravel(), minlength=256).astype(np.float64)
    below = np.cumsum(counts)[:-1]  # pixels up to each level
    above = counts.sum() - below
    mass = np.cumsum(counts * np.arange(256))
    apart = mass[-1] * below - mass[:-1] * counts.sum()  # proportional to the difference of the two means
    parted = np.divide(apart**2, below * above, out=np.zeros(255), where=(below > 0) & (above > 0))
    if not parted.any():
        return float(image.max(initial=0.0))
    best = np.flatnonzero(parted >= parted.max() * (1 - 1e-12))  # a whole gap of levels does equally well
    return float(best[len(best) // 2] + 0.5) / 255


def is_dark_on_light(image: Array) -> bool:
    """Whether the paper is light: most of the picture's edge is brighter than what parts ink from paper."""
    return bool(np.median(_edge(image)) > threshold(image))


def _edge(image: Array) -> Array:
    return np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])


def crop(image: Array, level: float = 0.0) -> Array:
    """The smallest box around the pixels above a level; the whole image where there are none."""
    ink = image > level
    if not ink.any():
        return image
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fit(image: Array, box: int) -> Array:
    """The image as large as fits a square box, in proportion; each new pixel is the mean of what it covers."""
    scale = box / max(image.shape)
    high, wide = (max(1, math.floor(side * scale + 0.5)) for side in image.shape)
    resized: Array = (_means(image.shape[0], high) @ image @ _means(image.shape[1], wide).T).astype(np.float32)
    return resized.clip(0, 1)


def _means(old: int, new: int) -> Array:
    """(new, old): how much of each old pixel a new one covers, so that each row adds up to 1."""
    starts = np.arange(new)[:, None] * old / new
    ends, pixels = starts + old / new, np.arange(old)[None]
    covered = np.minimum(ends, pixels + 1) - np.maximum(starts, pixels)
    means: Array = covered.clip(0) * new / old
    return means


def place(image: Array, *, by_mass: bool) -> Array:
    """The image within 28 by 28 zeros: its centre of mass nearest to pixel 14, as all of MNIST, or its box centred.

    The box stays inside; moves are by whole pixels.
    """
    placed = np.zeros((SIDE, SIDE), np.float32)
    corner = []
    for axis, length in enumerate(image.shape):
        room, mass = SIDE - length, image.sum(axis=1 - axis, dtype=np.float64)
        start = room // 2
        if by_mass and mass.sum() > 0:
            start = math.ceil(SIDE / 2 - 0.5 - float(mass @ np.arange(length) / mass.sum()))
        corner.append(min(max(start, 0), room))
    top, left = corner
    placed[top : top + image.shape[0], left : left + image.shape[1]] = image
    return placed


def pad_bits(text: Any) -> Array:
    """What the pad sends, 128 by 128 bits row by row in base64, as uint8 (128, 128) of 0 and 255.

    Raises ValueError with a sentence.
    """
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != PAD_BYTES:
        raise ValueError(f"A drawing is {PAD} by {PAD} bits, which are {PAD_BYTES:,} bytes in base64.")
    return np.unpackbits(np.frombuffer(raw, np.uint8)).reshape(PAD, PAD) * np.uint8(255)
