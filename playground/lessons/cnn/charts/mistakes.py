"""Charts of what a digit model gets wrong: confusions and their images, the hardest images, accuracy by digit."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from playground.engine.frames import Figure
from playground.lessons.cnn.evaluation import Evaluation, predict_probabilities
from playground.lessons.cnn.figures import digits, pixel_maps
from playground.lessons.cnn.figures.pixel_maps import Small
from playground.lessons.cnn.frame_context import FrameContext
from playground.lessons.cnn.words import (
    A_DIGIT,
    EMPTY_CELL,
    NO_TEST_YET,
    PREDICTED_DIGIT,
    PREDICTED_DIGIT_TESTED,
    RIGHT_HOVER,
    RIGHT_LABEL,
    TESTED_IMAGES,
    WRONG_HOVER,
    WRONG_LABEL,
)

COLUMNS, ROWS = 5, 4  # of the grids of images
# Test images that the default model reads wrong until late in its first epoch, or to its end: half of the predictions.
HARD = (247, 290, 321, 445, 659, 950, 1062, 1191, 1232, 1393)


def confusion(frame: FrameContext) -> Figure:
    """How often each true digit was predicted as each digit."""
    evaluation = frame.tester.shown
    if evaluation is None:
        return digits.confusions(np.zeros((10, 10), int), None, title=PREDICTED_DIGIT)
    title = PREDICTED_DIGIT_TESTED.format(images=len(evaluation.labels), step=evaluation.steps)
    return digits.confusions(evaluation.confusion, frame.selection.cell, title=title)


def per_class(frame: FrameContext) -> Figure:
    """The accuracy on the images of each digit."""
    evaluation = frame.tester.shown
    if evaluation is None:
        return digits.per_class(np.zeros(10), np.zeros(10, int))
    return digits.per_class(evaluation.class_accuracies, evaluation.confusion.sum(axis=1))


def cell(frame: FrameContext) -> Figure:
    """The images of the selected cell; of the most frequent confusion until one is selected."""
    evaluation = frame.tester.shown
    if evaluation is None:
        return _grid(frame, None, np.empty(0, int), NO_TEST_YET)
    label, predicted = frame.selection.cell or most_frequent_confusion(evaluation)
    chosen = evaluation.cell(label, predicted, COLUMNS * ROWS)
    message = "" if len(chosen) else EMPTY_CELL.format(digit=label, a_predicted=A_DIGIT[predicted])
    return _grid(frame, evaluation, chosen, message)


def most_frequent_confusion(evaluation: Evaluation) -> tuple[int, int]:
    """The true and the predicted digit of the most frequent confusion."""
    wrong = evaluation.confusion * (1 - np.eye(10, dtype=int))
    label, predicted = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return int(label), int(predicted)


def hardest(frame: FrameContext) -> Figure:
    """The images with the largest loss."""
    evaluation = frame.tester.shown
    if evaluation is None:
        return _grid(frame, None, np.empty(0, int), NO_TEST_YET)
    return _grid(frame, evaluation, evaluation.hardest(COLUMNS * ROWS), "")


def predictions(frame: FrameContext) -> Figure:
    """A fixed set of test images, half of them hard ones, with the predictions of the model shown."""
    indices = _fixed(frame)
    probabilities = predict_probabilities(frame.view.model, frame.digits.x_test[indices])
    labels = frame.digits.y_test[indices].cpu().numpy()
    evaluation = Evaluation(frame.view.steps, indices, labels, probabilities)
    return _grid(frame, evaluation, np.arange(len(indices)), "")


def _fixed(frame: FrameContext) -> NDArray[np.intp]:
    """The indices of as many test images as a grid holds: some evenly spread over the test set, then the hard ones."""
    count = len(frame.digits.x_test)
    spread = np.linspace(0, count, COLUMNS * ROWS - len(HARD), endpoint=False).astype(np.intp)
    return np.concatenate([spread, np.array(HARD, np.intp) % count])


def _grid(frame: FrameContext, evaluation: Evaluation | None, chosen: NDArray[np.intp], message: str) -> Figure:
    images = [] if evaluation is None else smalls(frame, evaluation, chosen)
    return pixel_maps.grid(images, columns=COLUMNS, rows=ROWS, names=TESTED_IMAGES, message=message)


def smalls(frame: FrameContext, evaluation: Evaluation, chosen: NDArray[np.intp]) -> list[Small]:
    """The tested images at these positions, each with its true and its predicted digit."""
    numbers = evaluation.indices[chosen]
    pixels = frame.digits.x_test[torch.from_numpy(numbers), 0].cpu().numpy()
    found = zip(
        pixels,
        numbers.tolist(),
        evaluation.labels[chosen].tolist(),
        evaluation.predicted[chosen].tolist(),
        evaluation.probabilities[chosen, evaluation.predicted[chosen]].tolist(),
        evaluation.true_probabilities[chosen].tolist(),
        strict=True,
    )
    return [_small(*each) for each in found]


def _small(pixels: NDArray[np.uint8], number: int, label: int, predicted: int, share: float, true: float) -> Small:
    """An image with its number, its true and its predicted digit, and the probabilities of these two."""
    is_right = label == predicted
    words = (RIGHT_LABEL if is_right else WRONG_LABEL).format(digit=label, predicted=predicted)
    hover = (RIGHT_HOVER if is_right else WRONG_HOVER).format(
        number=number,
        a_digit=A_DIGIT[label],
        a_predicted=A_DIGIT[predicted],
        percent=100 * share,
        true_percent=100 * true,
    )
    return Small(pixels, words, hover, is_right, (number, label, predicted, share, true))


def pick(frame: FrameContext, chart: str, x: float, y: float) -> None:
    """Select the cell of the confusion table, or the image of a grid, at a place in the chart."""
    evaluation = frame.tester.shown
    if chart == "confusion":
        row, column = round(y), round(x)
        if 0 <= row < 10 and 0 <= column < 10:
            frame.selection.cell = (row, column)
        return
    if chart == "predictions":
        shown = _fixed(frame)
    elif evaluation is None:
        return
    elif chart == "cell":
        label, predicted = frame.selection.cell or most_frequent_confusion(evaluation)
        shown = evaluation.indices[evaluation.cell(label, predicted, COLUMNS * ROWS)]
    else:
        shown = evaluation.indices[evaluation.hardest(COLUMNS * ROWS)]
    at = pixel_maps.grid_find(COLUMNS, x, y)
    if 0 <= at < len(shown):
        frame.selection.pick(int(shown[at]))
