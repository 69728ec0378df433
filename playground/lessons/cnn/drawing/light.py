"""Uneven light on a photographed digit: the paper's brightness is estimated and divided out, and specks are removed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SAME = 1 / 512  # two grey levels closer than this are one
MIN_EVEN_SHARE = 0.5  # of the pixels along the edge have the paper's grey level where the light is even
MAX_SHADE = 0.6  # of the distance from paper to ink; what is nearer to the paper is a shade of it
MAX_SHADES = 0.05  # of the pixels along the edge
WINDOW_SHARE = 0.3  # of the longer side: wider than a stroke, narrower than most shadows
MIN_PHOTOGRAPH_SIDE = 32  # pixels
MIN_SMOOTHED_SIDE = 64  # smaller pictures keep their noise: smoothing would close the digit's gaps
MIN_BRIGHTNESS = 0.02  # of the paper, so that nothing is divided by 0
DARK = 0.1  # is added on both sides where paper is dark, so that noise in the dark is not enlarged
MIN_INK_SHARE = 0.4  # of the ink's strength: paler marks, such as printed lines, are paper
MIN_SPECK_SHARE = 0.02  # of the largest piece of ink
MIN_INNER_SHARE = 0.15  # of the largest piece: with such a piece inside, pieces at the picture's edge are no ink
MIN_INNER_SIDE = 0.1  # of the picture's longer side: a piece inside that is this long counts, too
MAX_GAP = 0.12  # of the digit's longer side: small pieces farther away are no part of it
FRAME_STEP = 0.1  # grey levels between a frame and what it is around
FRAME_NOISE = 0.06  # grey levels within one line of a frame
MIN_FRAME_SHARE = 0.98  # of a line has the frame's grey level
MAX_FRAME_SHARE = 1 / 3  # of the picture's side, on each side


def edge(image: Array) -> Array:
    """The pixels along the four sides."""
    return np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])


def is_photograph(image: Array) -> bool:
    """Whether the paper has many grey levels, unlike in a drawing; images as small as MNIST's are no photographs.

    A photograph may be overexposed in places, so no shade between paper and ink may reach the picture's edge.
    """
    around = edge(image)
    paper = np.median(around)
    away = np.abs(around - paper)
    shades = (away >= SAME) & (away < MAX_SHADE * np.abs(image - paper).max())
    is_even = (away < SAME).mean() >= MIN_EVEN_SHARE and shades.mean() <= MAX_SHADES
    return max(image.shape) >= MIN_PHOTOGRAPH_SIDE and not is_even


def is_dark_ink(image: Array) -> bool:
    """Whether ink is darker than the paper around it: the few pixels far from the mean of their surroundings are ink.

    Shadows and gradients deviate to both sides alike, so they have no part in the sum of cubes.
    """
    deviation = image - _mean(image, max(3, max(image.shape) // 4))
    return bool((deviation**3).sum() < 0)


def flattened(image: Array) -> Array:
    """The image under even light, grey levels from 0 to 1: paper is 1 where the ink is dark, 0 where it is light.

    The paper behind dark ink is a morphological closing (the minimum over a window of the maxima over a window), which
    fills strokes and keeps shadows; behind light ink it is an opening. The darker of pixel and paper is divided by the
    lighter one, since light is reflected in proportion.
    """
    smooth = _mean(image, 3) if max(image.shape) >= MIN_SMOOTHED_SIDE else image
    window = max(3, int(WINDOW_SHARE * max(image.shape)) | 1)
    sign = 1 if is_dark_ink(image) else -1
    paper = _mean(-sign * _maxima(-_maxima(sign * _mean(smooth, 5), window), window), 7)
    ratio = smooth / np.maximum(paper, MIN_BRIGHTNESS) if sign == 1 else (paper + DARK) / (smooth + DARK)
    even: Array = ratio.clip(0, 1).astype(np.float32)
    return even if sign == 1 else 1 - even


def ink_level(ink: Array, level: float) -> float:
    """A threshold at least this high that also leaves out marks much paler than the ink."""
    return max(level, MIN_INK_SHARE * float(np.quantile(ink, 0.995)))


def without_frame(image: Array) -> Array:
    """The image inside a frame, such as a window's border, bars above and below, or the margins of a figure.

    A frame is lines of one grey level, on two opposite sides, that end in a step to another level.
    """
    if max(image.shape) < MIN_PHOTOGRAPH_SIDE:
        return image
    for axis in (0, 1, 0):
        lines = image if axis == 0 else image.T
        first, last = _frame(lines), _frame(lines[::-1])
        inside = lines[first : len(lines) - last]
        if first and last and min(abs(np.median(inside) - np.median(lines[at])) for at in (0, -1)) > FRAME_STEP:
            image = inside if axis == 0 else inside.T
    return image


def _frame(lines: Array) -> int:
    """The number of first lines that are a frame."""
    middle = np.median(lines, axis=1)
    is_even = (np.abs(lines - middle[:, None]) < FRAME_NOISE).mean(axis=1) >= MIN_FRAME_SHARE
    end = min(int(np.argmin([*is_even, False])), int(MAX_FRAME_SHARE * len(lines)), len(lines) - 1)
    steps = [
        at for at in range(1, end + 1)
        if abs(middle[at] - middle[at - 1]) > FRAME_STEP and abs(middle[at] - middle[0]) > FRAME_STEP
    ]  # fmt: skip
    return max(steps, default=0)


def without_specks(ink: Array) -> Array:
    """Whether each pixel belongs to the digit (bool): no specks, nor what reaches in from the picture's edge."""
    labels, sizes = _pieces(ink)
    numbers = np.flatnonzero(sizes[1:]) + 1
    if len(numbers) < 2:
        return ink
    boxes = {int(number): box for number, box in zip(numbers, _boxes(labels, numbers), strict=True)}
    largest = sizes[numbers].max()
    at_edge = set(edge(labels).tolist())
    inner = [number for number in boxes if number not in at_edge]
    long = MIN_INNER_SIDE * max(ink.shape)
    if any(sizes[number] >= MIN_INNER_SHARE * largest or _side(boxes[number]) >= long for number in inner):
        boxes = {number: boxes[number] for number in inner}
        largest = max(sizes[number] for number in inner)
    kept: Array = np.isin(labels, list(_near(boxes, sizes, largest)))
    return kept


Box = tuple[int, int, int, int]  # top, bottom, left, right


def _near(boxes: dict[int, Box], sizes: Array, largest: int) -> set[int]:
    """The large pieces, and the smaller ones that are no specks and near to these."""
    kept = {number for number in boxes if sizes[number] >= MIN_INNER_SHARE * largest}
    small = {number for number in boxes if MIN_SPECK_SHARE * largest <= sizes[number]} - kept
    while True:
        around = _around([boxes[number] for number in kept])
        near = {number for number in small if _gap(boxes[number], around) <= MAX_GAP * _side(around)}
        if not near:
            return kept
        kept, small = kept | near, small - near


def _boxes(labels: Array, numbers: Array) -> list[Box]:
    """The box around each numbered piece."""
    rows, columns = np.nonzero(labels)
    found = labels[rows, columns]
    boxes = np.empty((int(labels.max()) + 1, 4), np.int64)
    boxes[:, ::2], boxes[:, 1::2] = max(labels.shape), -1
    for at, places in ((0, rows), (2, columns)):
        np.minimum.at(boxes[:, at], found, places)
        np.maximum.at(boxes[:, at + 1], found, places)
    return [tuple(box) for box in boxes[numbers].tolist()]


def _around(boxes: list[Box]) -> Box:
    tops, bottoms, lefts, rights = zip(*boxes, strict=True)
    return min(tops), max(bottoms), min(lefts), max(rights)


def _side(box: Box) -> int:
    """The longer side of a box, in pixels."""
    return max(box[1] - box[0], box[3] - box[2]) + 1


def _gap(one: Box, other: Box) -> int:
    """The pixels between two boxes, in the direction where they are farther apart."""
    return max(one[0] - other[1], other[0] - one[1], one[2] - other[3], other[2] - one[3], 0)


def grown(ink: Array) -> Array:
    """Where ink is, and the pixels next to it, which have the grey of its edges."""
    bigger: Array = _maxima(ink.astype(np.float32), 3) > 0
    return bigger


def _mean(image: Array, window: int) -> Array:
    """The mean over a square window around each pixel; the picture's edge is repeated outside."""
    for axis in (0, 1):
        before = window // 2
        padded = np.pad(
            image, [(before + 1, window - 1 - before) if each == axis else (0, 0) for each in (0, 1)], "edge"
        )
        total = padded.cumsum(axis=axis, dtype=np.float64)
        length = image.shape[axis]
        image = (_slice(total, axis, window, length) - _slice(total, axis, 0, length)) / window
    return image


def _maxima(image: Array, window: int) -> Array:
    """The maximum over a square window of an odd side around each pixel, by windows that double."""
    for axis in (0, 1):
        length = image.shape[axis]
        padded = np.pad(image, [(window // 2, window // 2) if each == axis else (0, 0) for each in (0, 1)], "edge")
        covered = 1
        while covered < window:
            step = min(covered, window - covered)
            rest = padded.shape[axis] - step
            padded = np.maximum(_slice(padded, axis, 0, rest), _slice(padded, axis, step, rest))
            covered += step
        image = _slice(padded, axis, 0, length)
    return image


def _slice(image: Array, axis: int, start: int, length: int) -> Array:
    return image[start : start + length] if axis == 0 else image[:, start : start + length]


def _pieces(ink: Array) -> tuple[Array, Array]:
    """The number of the connected piece that each pixel belongs to, 0 for paper, and the size of each piece.

    Pieces touch also at corners. Runs of ink in a row are joined with those that they touch in the row above.
    """
    parents = [0]

    def root(at: int) -> int:
        while parents[at] != at:
            parents[at] = parents[parents[at]]
            at = parents[at]
        return at

    labels = np.zeros(ink.shape, np.int64)
    above: list[tuple[int, int, int]] = []
    for row, line in enumerate(ink):
        changes = np.flatnonzero(np.diff(np.concatenate(([False], line, [False]))))
        runs = []
        for start, end in zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True):
            touched = [number for left, right, number in above if left <= end and right >= start]
            number = min(map(root, touched), default=len(parents))
            if number == len(parents):
                parents.append(number)
            for other in touched:
                parents[root(other)] = number
            labels[row, start:end] = number
            runs.append((start, end, number))
        above = runs
    labels = np.array([root(at) for at in range(len(parents))])[labels]
    return labels, np.bincount(labels.ravel(), minlength=len(parents))
