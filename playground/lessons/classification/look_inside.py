"""The charts that look inside a classifier: its last hidden layer, its least certain points, its calibration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.engine.frames import Figure
from playground.figures import fields
from playground.lessons.classification.clouds import MAP_END, LabelledPoints
from playground.lessons.classification.config import INPUTS, ClassificationConfig, inputs_of
from playground.lessons.classification.drawing_state import DrawingState
from playground.lessons.classification.figures import forward, insides
from playground.lessons.classification.predictions import pad_logits
from playground.runs.training_run import View

MAX_DRAWN_SIZE = 1e15  # of an activation: products of larger ones are not finite
MAX_DRAWN = 400  # points: each that moves costs the browser a tenth of a millisecond
INSIDE_SIDE = 40  # pixels of the map under them
GRID_LINES = 13  # of the plane's grid, in each direction
POINTS_PER_LINE = 25
MAX_LEAST_CERTAIN = 8
BINS = 10  # of equal width, for probabilities from 0 to 1


@dataclass(frozen=True)
class Projection:
    """A projection of activations to two coordinates: along directions (2, units) from an origin (units,)."""

    origin: Tensor
    directions: Tensor

    def of(self, activations: Tensor) -> Tensor:
        """Activations (points, units) -> coordinates (points, 2)."""
        return (activations - self.origin) @ self.directions.T

    def lift(self, coordinates: Tensor) -> Tensor:
        """Coordinates (points, 2) -> the activations at them, in the plane of the projection (points, units)."""
        return self.origin + coordinates @ self.directions


def principal(activations: Tensor, last: Tensor | None = None) -> Projection:
    """The projection of activations (points, units) to their first two principal components.

    The sign of a direction is arbitrary, and two directions with similar variance may change places. So both are
    matched to the `last` ones; without them, the largest element of each direction is positive.
    """
    size = activations.abs().max()
    scaled = activations / size if size > 0 else activations  # squares of huge activations would not be finite
    centre = scaled.mean(dim=0)
    origin, directions = size * centre, torch.linalg.svd(scaled - centre, full_matrices=False).Vh[:2]
    if len(directions) < 2:  # a single point
        directions = torch.cat([directions, torch.zeros_like(directions)])[:2]
    if last is None or last.shape != directions.shape:
        largest = directions.abs().argmax(dim=1, keepdim=True)
        return Projection(origin, directions * directions.gather(1, largest).sign())
    similarity = directions @ last.T  # (current, last)
    if similarity.diag().abs().sum() < similarity.flip(1).diag().abs().sum():
        directions, similarity = directions.flip(0), similarity.flip(0)
    return Projection(origin, torch.where(similarity.diag().unsqueeze(dim=1) < 0, -directions, directions))


def projection(activations: Tensor, last: Tensor | None) -> Projection:
    """One or two units as they are, more by their principal components. Activations without any keep the last one."""
    units = activations.shape[1]
    if units <= 2:
        return Projection(torch.zeros(units), torch.eye(2)[:, :units])
    kept = Projection(torch.zeros(units), torch.eye(units)[:2] if last is None else last)
    if not is_drawable(activations):
        return kept
    try:
        return principal(activations, last)
    except RuntimeError:  # LinAlgError: its iteration does not converge on these finite numbers
        return kept


def is_drawable(activations: Tensor) -> bool:
    """Whether all activations are finite and no larger than MAX_DRAWN_SIZE."""
    return bool((activations.abs() <= MAX_DRAWN_SIZE).all())


def grid_lines() -> Tensor:
    """Points on the lines of a coarse grid of the plane (2 * lines * points per line, 2), vertical lines first."""
    along, across = torch.linspace(-MAP_END, MAP_END, POINTS_PER_LINE), torch.linspace(-MAP_END, MAP_END, GRID_LINES)
    fixed, moving = torch.meshgrid(across, along, indexing="ij")
    vertical = torch.stack([fixed, moving], dim=2).reshape(-1, 2)
    return torch.cat([vertical, vertical.flip(1)])


GRID = grid_lines()


@dataclass(frozen=True)
class Evaluation:
    """Points x (points, 2), their classes and predicted classes (points,), and probabilities (points, classes)."""

    x: NDArray[Any]
    labels: NDArray[Any]
    predicted: NDArray[Any]
    probabilities: NDArray[Any]

    @property
    def true_probabilities(self) -> NDArray[Any]:
        """The predicted probability of each point's true class: (points,)."""
        of_true: NDArray[Any] = self.probabilities[np.arange(len(self.labels)), self.labels]
        return of_true

    @property
    def least_certain(self) -> NDArray[Any]:
        """The indices of the least certain points: wrong ones first, then by the probability of their true class."""
        order: NDArray[Any] = np.lexsort((self.true_probabilities, self.predicted == self.labels))
        return order[:MAX_LEAST_CERTAIN]

    def calibration(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """The mean confidence, the accuracy and the number of points of each bin of confidence: each (BINS,).

        The confidence is the probability of the predicted class (Guo et al. 2017, "On Calibration of Modern Neural
        Networks"). Empty bins have NaN.
        """
        confidence = self.probabilities.max(axis=1)
        bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
        counts = np.bincount(bins, minlength=BINS)
        sums = (np.bincount(bins, each, BINS) for each in (confidence, self.predicted == self.labels))
        empty = np.full(BINS, np.nan)
        mean_confidence, accuracy = (np.divide(each, counts, out=empty.copy(), where=counts > 0) for each in sums)
        return mean_confidence, accuracy, counts


@dataclass(frozen=True)
class FrameContext:
    """What the charts of one frame share."""

    config: ClassificationConfig  # the current one; the view may show an earlier one
    data: LabelledPoints
    view: View
    state: DrawingState

    def inside(self) -> Figure:
        """The training points and a grid of the plane after the last hidden layer."""
        config, state, model = self.view.config, self.state, self.view.model
        stride = -(-len(self.data.x_train) // MAX_DRAWN)
        activations = self._hidden(self.data.x_train[::stride])
        layer = (config.widths, config.activation, config.inputs if not config.widths else "")
        if state.layer != layer:
            state.layer, state.directions = layer, None
            state.ends = {name: end for name, end in state.ends.items() if not name.startswith("inside")}
        projected = projection(activations, state.directions)
        state.directions = projected.directions
        at, labels = projected.of(activations).numpy(), self.data.y_train[::stride].numpy()
        is_row = activations.shape[1] == 1
        can_draw = is_drawable(activations)
        if not can_draw:
            at = np.full_like(at, np.nan)
        if is_row:
            at[:, 1] = labels
        rows = [str(label) for label in range(self.config.outputs)] if is_row else []
        y_span = [-0.5, len(rows) - 0.5] if is_row else state.span("inside y", at[:, 1])
        spans = state.span("inside x", at[:, 0]), y_span
        logits = pad_logits(model[-1](projected.lift(_pixels(spans))), 2)
        return insides.inside(
            fields.points("Train", at, labels, self.config.outputs, is_open=False),
            self._bent_grid(projected) if can_draw and not is_row else np.empty((0, 2), np.float32),
            fields.class_bytes(logits.softmax(dim=1).T.numpy()),
            titles=_titles(config, activations.shape[1]),
            spans=spans,
            side=INSIDE_SIDE,
            rows=rows,
            note="" if can_draw else insides.TOO_LARGE,
        )

    def _hidden(self, x: Tensor) -> Tensor:
        """The inputs of the output layer for points x (points, 2): (points, units)."""
        hidden: Tensor = self.view.model[:-1](inputs_of(self.view.config, x))
        return hidden

    def _bent_grid(self, projected: Projection) -> NDArray[Any]:
        """The plane's grid after the hidden layers, with a gap (NaN) after each line."""
        lines = projected.of(self._hidden(GRID)).reshape(2 * GRID_LINES, POINTS_PER_LINE, 2)
        return torch.nn.functional.pad(lines, (0, 0, 0, 1), value=torch.nan).reshape(-1, 2).numpy()

    @cached_property
    def start(self) -> int:
        """The index of the first point that is evaluated: the first test point, or 0 if there are no test points."""
        return len(self.data.x_train) if len(self.data.x_test) else 0

    @cached_property
    def evaluation(self) -> Evaluation:
        """The predictions for the test points, or for the training points if there are no test points."""
        data, start = self.data, self.start
        x, y = (data.x_test, data.y_test) if start else (data.x_train, data.y_train)
        probabilities = self.view.predictions.logits[start:].softmax(dim=1).nan_to_num().numpy()
        return Evaluation(x.numpy(), y.numpy(), self.view.predictions.predicted[start:], probabilities)

    def least_certain(self) -> Figure:
        """The points that are wrong or least certain."""
        evaluation = self.evaluation
        at = evaluation.least_certain
        return insides.least_certain(
            evaluation.x[at],
            evaluation.labels[at],
            evaluation.predicted[at],
            evaluation.true_probabilities[at],
            rows=MAX_LEAST_CERTAIN,
            name="Test" if self.start else "Train",
        )

    def calibration(self) -> Figure:
        """Accuracy over confidence."""
        confidence, accuracy, counts = self.evaluation.calibration()
        gap = float(np.nansum(np.abs(confidence - accuracy) * counts) / counts.sum())
        return insides.calibration(confidence, accuracy, counts, gap=gap)

    def rings(self, *, is_shown: bool) -> dict[str, Any]:
        """Rings around the least certain points on the map, in the order of the data.

        So the trace does not change while only the points' ranks change.
        """
        evaluation = self.evaluation
        at = np.sort(evaluation.least_certain) if is_shown else np.empty(0, int)
        is_wrong = evaluation.predicted[at] != evaluation.labels[at]
        return insides.rings(evaluation.x[at], is_wrong, is_shown=is_shown)


def _pixels(spans: tuple[list[float], list[float]]) -> Tensor:
    """The centres of a map's pixels over two ranges, rows from the top: (INSIDE_SIDE * INSIDE_SIDE, 2)."""
    centres = (torch.arange(INSIDE_SIDE) + 0.5) / INSIDE_SIDE
    x_centres, y_centres = (span[0] + (span[1] - span[0]) * centres for span in spans)
    y, x = torch.meshgrid(y_centres.flip(0), x_centres, indexing="ij")
    return torch.stack([x.ravel(), y.ravel()], dim=1)


def _titles(config: ClassificationConfig, units: int) -> tuple[str, str]:
    if units > 2:
        return insides.DIRECTIONS
    names = insides.UNITS if config.widths else [INPUTS[name].label for name in config.input_names]
    return names[0], names[1] if units == 2 else insides.CLASS


def figures(
    config: ClassificationConfig, data: LabelledPoints, view: View, state: DrawingState
) -> dict[str, Callable[[], Figure]]:
    """The functions that draw these charts, by chart name."""
    frame = FrameContext(config, data, view, state)
    return {"inside": frame.inside, "doubtful": frame.least_certain, "calibration": frame.calibration}


def marks(
    config: ClassificationConfig, data: LabelledPoints, view: View, state: DrawingState, options: Mapping[str, bool]
) -> list[dict[str, Any]]:
    """The traces that these charts add to the map; they are always there, if not always visible."""
    frame = FrameContext(config, data, view, state)
    return [frame.rings(is_shown=options.get("doubtful", False)), forward.mark(state.place)]
