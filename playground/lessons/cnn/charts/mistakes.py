"""What a digit model gets wrong: confusions, the images behind each, the hardest ones, and how each digit fares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.lessons.cnn.evaluation import Judged, shares_of
from playground.lessons.cnn.figures import digits, pixel_maps
from playground.lessons.cnn.figures.pixel_maps import Small
from playground.lessons.cnn.predictions import Moment

COLUMNS, ROWS = 8, 4  # of the grids of images
NOT_YET = "No test yet: one begins by itself."


def confusion(moment: Moment) -> Figure:
    """How often each digit was taken for each."""
    judged = moment.tester.latest
    if judged is None:
        return digits.confusions(np.zeros((10, 10), int), None, tested="")
    tested = f"{len(judged.labels):,} test images at step {judged.steps:,}"
    return digits.confusions(judged.confusion, moment.look.cell, tested=tested)


def per_class(moment: Moment) -> Figure:
    """How often each digit is right."""
    judged = moment.tester.latest
    if judged is None:
        return digits.per_class(np.zeros(10), np.zeros(10, int))
    return digits.per_class(judged.per_class, judged.confusion.sum(axis=1))


def cell(moment: Moment) -> Figure:
    """The images of the cell that was clicked on; of the fullest wrong one, until one was."""
    judged = moment.tester.latest
    if judged is None:
        return _grid(moment, None, np.empty(0, int), NOT_YET)
    label, guess = moment.look.cell or fullest(judged)
    chosen = judged.cell(label, guess, COLUMNS * ROWS)
    return _grid(moment, judged, chosen, "" if len(chosen) else f"No {label} was taken for a {guess}.")


def fullest(judged: Judged) -> tuple[int, int]:
    """The most frequent confusion: the true digit and what it was taken for."""
    wrong = judged.confusion * (1 - np.eye(10, dtype=int))
    label, guess = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return int(label), int(guess)


def hardest(moment: Moment) -> Figure:
    """The images with the largest loss."""
    judged = moment.tester.latest
    if judged is None:
        return _grid(moment, None, np.empty(0, int), NOT_YET)
    return _grid(moment, judged, judged.hardest(COLUMNS * ROWS), "")


def predictions(moment: Moment) -> Figure:
    """The same few test images again and again, with what the model that is shown takes them for."""
    index = _spread(moment)
    shares = shares_of(moment.view.model, moment.digits.x_test[index])
    labels = moment.digits.y_test[index].cpu().numpy()
    judged = Judged(moment.view.steps, moment.view.epochs, index, labels, shares)
    return _grid(moment, judged, np.arange(len(index)), "")


def _spread(moment: Moment) -> NDArray[np.intp]:
    """The numbers of as many test images as a grid holds."""
    return np.linspace(0, len(moment.digits.x_test), COLUMNS * ROWS, endpoint=False).astype(np.intp)


def _grid(moment: Moment, judged: Judged | None, chosen: NDArray[np.intp], message: str) -> Figure:
    images = [] if judged is None else [small(moment, judged, int(at)) for at in chosen]
    return pixel_maps.grid(images, columns=COLUMNS, rows=ROWS, message=message)


def small(moment: Moment, judged: Judged, at: int) -> Small:
    """One tested image, with what it is and what it was taken for."""
    number, label, guess = int(judged.index[at]), int(judged.labels[at]), int(judged.guesses[at])
    share, true = 100 * judged.shares[at, guess], 100 * judged.true_shares[at]
    words = f"{label}" if label == guess else f"{label} → {guess}"
    hover = f"Test image {number:,}, a {label}<br>taken for a {guess} with {share:.1f} %"
    hover += "" if label == guess else f"<br>its own digit got {true:.2g} %"
    pixels = moment.digits.x_test[number, 0].cpu().numpy()
    return Small(pixels, words, f"{hover}<br>Click to look inside", label == guess)


def pick(moment: Moment, chart: str, x: float, y: float) -> None:
    """Choose the cell of the confusions, or the image of a grid, that lies at a place."""
    judged = moment.tester.latest
    if chart == "confusion":
        row, column = round(y), round(x)
        if 0 <= row < 10 and 0 <= column < 10:
            moment.look.cell = (row, column)
        return
    if chart == "predictions":
        shown = _spread(moment)
    elif judged is None:
        return
    elif chart == "cell":
        shown = judged.index[judged.cell(*(moment.look.cell or fullest(judged)), COLUMNS * ROWS)]
    else:
        shown = judged.index[judged.hardest(COLUMNS * ROWS)]
    at = pixel_maps.grid_find(COLUMNS, x, y)
    if 0 <= at < len(shown):
        moment.look.own, moment.look.picked = None, int(shown[at])
