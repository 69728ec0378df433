"""From a drawing or a photograph of a digit to the model's input, in the stages by which MNIST was made.

LeCun, Cortes and Burges took black-and-white images of 128 by 128 pixels, scaled each digit in proportion to a box of
20 by 20, which makes its edges grey, and placed its centre of mass in the middle of 28 by 28.
"""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.lessons.cnn.drawing import light
from playground.lessons.cnn.words import WRONG_DRAWING

Array = NDArray[Any]
SIDE = 28  # pixels of the model's input
BOX = 20  # pixels of the box that a digit is scaled to
PAD = 128  # pixels of the drawing pad's side, like the images that MNIST was made from
PAD_BYTES = PAD * PAD // 8
MIN_CLEAR_SHARE = 0.25  # of the edge, below which one side of the threshold is not the paper


@dataclass(frozen=True)
class Switches:
    """Which stages are switched on; the others pass their image on unchanged."""

    flatten: bool = True
    invert: bool = True
    threshold: bool = True
    crop: bool = True
    fit: bool = True
    centre: bool = True


@dataclass(frozen=True, eq=False)
class Stage:
    """The image after one stage: grey levels from 0 (no ink) to 1, float32 (height, width)."""

    name: str
    image: Array


def stages(grey: Array, switches: Switches | None = None) -> list[Stage]:
    """Every stage from a grey image (height, width), uint8 or from 0 to 1; the last is (28, 28).

    A stage that is switched off has the image of the stage before; without `fit` the digit is scaled to 28 pixels
    instead of 20, without `centre` its box is centred instead of its centre of mass. Only a photograph, whose paper has
    many grey levels, has the stage "flattened".
    """
    use = switches or Switches()
    given = np.asarray(grey / np.float32(255) if grey.dtype == np.uint8 else grey, np.float32)
    page = light.without_frame(given) if use.crop else given
    is_photograph = light.is_photograph(page)
    flattened = light.flattened(page) if is_photograph and use.flatten else page
    is_dark = light.is_dark_ink(page) if is_photograph and use.flatten else is_dark_on_light(page)
    white = 1 - flattened if use.invert and is_dark else flattened
    level = threshold(white)
    ink = white > level
    if is_photograph and use.flatten and use.invert:
        level = light.ink_level(white, level)
        ink = white > level
    if use.invert and is_picture(given) and not (is_photograph and not use.flatten):
        ink = light.without_specks(ink)
        white = np.where(light.grown(ink), white, np.float32(0))
    bilevel = np.asarray(ink, np.float32) if use.threshold else white
    has_black_paper = use.threshold or not np.median(light.edge(white))  # then even the darkest grey is ink
    cropped = crop(bilevel, 0.0 if has_black_paper else level) if use.crop else bilevel
    scaled = fit(cropped, BOX if use.fit else SIDE)
    placed = place(scaled, by_mass=use.centre)
    images = (given, white, bilevel, cropped, scaled, placed)
    found = [Stage(name, image) for name, image in zip(NAMES, images, strict=True)]
    return [found[0], Stage(FLATTENED, flattened), *found[1:]] if is_photograph else found


NAMES = ("given", "inverted", "bilevel", "cropped", "scaled", "centred")
FLATTENED = "flattened"  # after "given", for photographs


def is_picture(image: Array) -> bool:
    """Whether an image is larger than MNIST's and has greys, unlike a drawing of the pad, where each pixel is meant."""
    return max(image.shape) >= light.MIN_PHOTOGRAPH_SIDE and bool(((image > 0) & (image < 1)).any())


def threshold(image: Array) -> float:
    """The grey level that separates ink from paper with the least variance within the two groups (Otsu 1979).

    `image` is from 0 to 1; a pixel above the level is ink. An image of one grey level has no ink.
    """
    counts = np.bincount(np.rint(255 * image).astype(np.int64).ravel(), minlength=256).astype(np.float64)
    below = np.cumsum(counts)[:-1]  # pixels up to each level
    above = counts.sum() - below
    mass = np.cumsum(counts * np.arange(256))
    apart = mass[-1] * below - mass[:-1] * counts.sum()  # proportional to the difference of the two means
    separation = np.divide(apart**2, below * above, out=np.zeros(255), where=(below > 0) & (above > 0))
    if not separation.any():
        return float(image.max(initial=0.0))
    best = np.flatnonzero(separation >= separation.max() * (1 - 1e-12))  # all levels in a gap are equally good
    return float(best[len(best) // 2] + 0.5) / 255


def is_dark_on_light(image: Array) -> bool:
    """Whether the paper is light: most of the picture's edge is brighter than the threshold.

    Where ink covers a part of the edge, as in a picture that was cut close to the digit, ink is what covers less of the
    whole picture.
    """
    bright = threshold(image)
    share = float((light.edge(image) > bright).mean())
    if MIN_CLEAR_SHARE < share < 1 - MIN_CLEAR_SHARE:
        return bool((image > bright).mean() > 0.5)
    return share > 0.5


def crop(image: Array, level: float = 0.0) -> Array:
    """The smallest box around the pixels above a level; the whole image where there are none."""
    ink = image > level
    if not ink.any():
        return image
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fit(image: Array, box: int) -> Array:
    """The image scaled in proportion to a square box; each new pixel is the mean of the pixels it covers."""
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
    """The image within 28 by 28 zeros: its centre of mass nearest to pixel 14, as in MNIST, or its box centred.

    The box stays inside and is moved by whole pixels.
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
    """The pad's drawing, sent as 128 by 128 bits row by row in base64, as uint8 (128, 128) of 0 and 255.

    Raises ValueError.
    """
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != PAD_BYTES:
        raise ValueError(WRONG_DRAWING.format(side=PAD, size=PAD_BYTES))
    return np.unpackbits(np.frombuffer(raw, np.uint8)).reshape(PAD, PAD) * np.uint8(255)
