"""What a wall of many boards shows of one run: a small picture and a few numbers, in about a hundred bytes.

A run makes it from numbers that it has (`TrainingRun.glance`), twice a second and only while somebody looks; the
picture is in it at most once a second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Looks = Literal["no", "numbers", "picture"]  # what is wanted of a run
Kind = Literal["", "map2", "map4", "map8", "fit", "race", "digit"]  # a map's number: of the classes it is for
Challenge = Literal["", "open", "met"]

MAP_SIDE = 16  # cells in a row of a map
FIT_PLACES = 32  # of a fit
RACE_POINTS = 24  # at most, of each racer's loss
CURVE_POINTS = 64  # at most, of the whole loss
SHOWN_POINTS = 40  # at most, of the data in a map or a fit
OWN_IMAGE = 65_535  # in the place of an image's number
MIN_EXPONENT, MAX_EXPONENT = -6, 6  # of the losses that bytes can tell apart


@dataclass(frozen=True)
class Miniature:
    """A picture as bytes; `kind` says what they are (`map_of_classes`, `fit`, `race`, `digit`), "" that there is none.

    A map has 16 x 16 cells, row by row from the lowest; those for up to four classes have two cells a byte, the first
    one in the high four bits. `data` is what the model was given, which changes rarely: some points of a map or a fit
    (`points_in`), or the pixels of a digit (`pixel_bytes`); b"" for none.
    """

    kind: Kind = ""
    picture: bytes = b""
    data: bytes = b""


@dataclass(frozen=True)
class Glance:
    """One run at one moment. What a run does not have is NaN, 0 or empty.

    `curve` is the whole loss from step 0 on at even distances, two bytes each (`curve_bytes`). A glance has all of it,
    so one that is lost or read twice does no harm. `accuracy` is a fraction of 1; `units` counts hidden units, or a
    CNN's parameters in hundreds; `challenge` says whether the run has a teacher's challenge, and has met it.
    """

    miniature: Miniature = Miniature()
    state: str = "paused"  # of the run, as its board shows it
    step: int = 0
    loss: float = nan
    rate: float = nan
    accuracy: float = nan
    units: int = 0
    parameters: int = 0
    curve: bytes = b""
    challenge: Challenge = ""

    @property
    def is_diverged(self) -> bool:
        """Whether its loss is no longer finite."""
        return self.state == "failed"

    def with_picture_of(self, before: Glance) -> Glance:
        """This glance; where it has no picture, with the one of the glance before, unless the run began again since."""
        if self.miniature.picture or not before.miniature.picture or self.step < before.step:
            return self
        return replace(self, miniature=before.miniature)


def loss_bytes(losses: NDArray[Any]) -> bytes:
    """Losses as a byte each: 0 for one that is not finite, else 1 to 255 for 1e-6 to 1e6 on a logarithmic scale."""
    return _on_scale(losses, 255).astype(np.uint8).tobytes()


def curve_bytes(losses: NDArray[Any]) -> bytes:
    """The same with two bytes each, for large pictures, in which steps of a byte (12 %) are seen: 0, or 1 to 65535."""
    return _on_scale(losses, 65_535).astype("<u2").tobytes()


def small_curve(curve: bytes, most: int) -> bytes:
    """At most `most` losses of a curve, as loss bytes."""
    codes = thinned(np.frombuffer(curve, "<u2"), most).astype(np.float64)
    return np.where(codes, 1 + np.rint(254 * (codes - 1) / 65_534), 0).astype(np.uint8).tobytes()


def _on_scale(losses: NDArray[Any], most: int) -> NDArray[Any]:
    found = np.asarray(losses, dtype=np.float64)
    is_finite = np.isfinite(found)
    exponents = np.log10(np.maximum(np.where(is_finite, found, 1.0), 10.0**MIN_EXPONENT))
    share = (np.clip(exponents, MIN_EXPONENT, MAX_EXPONENT) - MIN_EXPONENT) / (MAX_EXPONENT - MIN_EXPONENT)
    return np.where(is_finite, 1 + np.rint((most - 1) * share), 0)


def thinned(values: NDArray[Any], most: int) -> NDArray[Any]:
    """At most `most` of these values at even distances, the last one always among them."""
    if len(values) <= most:
        return values
    found: NDArray[Any] = values[np.rint(np.linspace(0, len(values) - 1, most)).astype(int)]
    return found


def map_of_classes(probabilities: NDArray[Any]) -> Miniature:
    """A map from the probabilities (cells, classes) of its 256 cells, in the order of the cells.

    Two classes: 0 (class 0, sure) to 15 (class 1, sure). Three and four: the class in three bits, and one bit that is
    set above a probability of 0.75. More: a byte for each cell, four bits of class and four of how sure, from
    1 / classes to 1.
    """
    found = np.nan_to_num(np.asarray(probabilities, dtype=np.float64), nan=0.0)
    classes, most = found.argmax(axis=1), found.max(axis=1)
    count = found.shape[1]
    if count > 4:
        sure = np.clip((most - 1 / count) / (1 - 1 / count), 0, 1)
        return Miniature("map8", (16 * classes + np.rint(15 * sure)).astype(np.uint8).tobytes())
    cells = np.rint(15 * np.clip(found[:, 1], 0, 1)) if count == 2 else 2 * classes + (most > 0.75)
    high, low = cells.astype(np.uint8).reshape(-1, 2).T
    return Miniature("map2" if count == 2 else "map4", (16 * high + low).tobytes())


def fit(heights: NDArray[Any], low: float, high: float) -> Miniature:
    """A curve at 32 places, as heights from 0 (`low`) to 255 (`high`); what lies outside is at the edge."""
    share = (np.nan_to_num(np.asarray(heights, dtype=np.float64), nan=low) - low) / (high - low or 1.0)
    return Miniature("fit", np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8).tobytes())


def points_in(x: NDArray[Any], y: NDArray[Any], classes: NDArray[Any] | None = None) -> bytes:
    """Some points of a map or a fit, three bytes each: x and y, from 0 to 255 over the picture, and the class.

    `x` and `y` (points,) are from 0 to 1; points beside the picture are left out.
    """
    found = np.column_stack([x, y, np.zeros(len(x)) if classes is None else classes])
    found = thinned(found[((found[:, :2] >= 0) & (found[:, :2] <= 1)).all(axis=1)], SHOWN_POINTS)
    return bytes(np.rint(found * [255, 255, 1]).astype(np.uint8).tobytes())


def pixel_bytes(pixels: NDArray[Any]) -> bytes:
    """A digit's image (28, 28) from 0 to 1, row by row from the top, two pixels a byte as in a map."""
    left, right = np.rint(15 * np.clip(pixels, 0, 1)).astype(np.uint8).reshape(-1, 2).T
    return bytes((16 * left + right).astype(np.uint8).tobytes())


def race(losses: list[NDArray[Any]]) -> Miniature:
    """The losses of some racers: their number, then for each the number of its points (at most 24) and the points."""
    found = [loss_bytes(thinned(each, RACE_POINTS)) for each in losses]
    return Miniature("race", bytes([len(found)]) + b"".join(bytes([len(each)]) + each for each in found))


def digit(number: int, probabilities: NDArray[Any]) -> Miniature:
    """A test image, by its number in two bytes (65535: one of the student's own), and ten probabilities of a byte."""
    share = np.clip(np.nan_to_num(np.asarray(probabilities, dtype=np.float64)), 0, 1)
    return Miniature("digit", number.to_bytes(2, "little") + np.rint(255 * share).astype(np.uint8).tobytes())
