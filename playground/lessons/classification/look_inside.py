"""Looks inside a classifier: the plane as its last hidden layer sees it, and the points it is least sure of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.engine.frames import Figure
from playground.figures import fields
from playground.figures.theme import round_up
from playground.lessons.classification.clouds import REACH, Labelled
from playground.lessons.classification.config import INPUTS, ClassificationConfig, inputs_of
from playground.lessons.classification.figures import forward, insides
from playground.lessons.classification.predictions import fitted
from playground.runs.training_run import View

MOST_DRAWN = 400  # points: each that moves costs the browser a tenth of a millisecond
INSIDE_SIDE = 40  # pixels of the map under them
LINES = 13  # of the grid, in each direction
PER_LINE = 25  # places on a line of the grid
MOST_DOUBTS = 8
BINS = 10  # of probability, all of one width
SHRINK = 8  # an axis gets shorter when its data takes less than this share of it


@dataclass
class Memory:
    """What a run keeps from frame to frame, so that its pictures move without a jump."""

    layer: Any = None  # whose activations were drawn
    directions: Tensor | None = None
    ends: dict[str, float] = field(default_factory=dict)
    place: tuple[float, float] | None = None  # whose way through the model the student wants to see

    def end(self, name: str, size: float) -> float:
        """Where an axis ends that must reach `size` (0 or more): it grows in steps, and shrinks late."""
        kept = self.ends.get(name, 0.0)
        if not kept / SHRINK <= size <= kept:
            self.ends[name] = kept = round_up(size) if size > 0 else 0.0
        return kept

    def span(self, name: str, values: NDArray[Any]) -> list[float]:
        """A range around zero and all values, a little wider than they need."""
        finite = values[np.isfinite(values)]
        below = self.end(f"{name} below", float(-finite.min(initial=0.0)))
        above = self.end(f"{name} above", float(finite.max(initial=0.0)))
        room = 0.06 * (below + above or 1.0)
        return [-below - room, above + room]


@dataclass(frozen=True)
class Projection:
    """A flat look at activations: coordinates along two directions (2, units) from an origin (units,)."""

    origin: Tensor
    directions: Tensor

    def of(self, activations: Tensor) -> Tensor:
        """Activations (points, units) -> coordinates (points, 2)."""
        return (activations - self.origin) @ self.directions.T

    def lift(self, coordinates: Tensor) -> Tensor:
        """Coordinates (points, 2) -> the activations there, on the plane that is looked at (points, units)."""
        return self.origin + coordinates @ self.directions


def principal(activations: Tensor, last: Tensor | None = None) -> Projection:
    """The two directions (2, units) in which activations (points, units) spread the most: principal components.

    A direction's sign means nothing, and two of like spread may change places. So both are matched to the `last`
    ones; without them, each one's largest part is positive.
    """
    origin = activations.mean(dim=0)
    directions = torch.linalg.svd(activations - origin, full_matrices=False).Vh[:2]
    if len(directions) < 2:  # fewer points than directions
        directions = torch.cat([directions, torch.zeros_like(directions)])[:2]
    if last is None or last.shape != directions.shape:
        largest = directions.abs().argmax(dim=1, keepdim=True)
        return Projection(origin, directions * directions.gather(1, largest).sign())
    likeness = directions @ last.T  # (now, before)
    if likeness.diag().abs().sum() < likeness.flip(1).diag().abs().sum():
        directions, likeness = directions.flip(0), likeness.flip(0)
    return Projection(origin, torch.where(likeness.diag().unsqueeze(dim=1) < 0, -directions, directions))


def projection(activations: Tensor, last: Tensor | None) -> Projection:
    """One unit or two as they are; more along the two main directions. What is no number is shown from nowhere."""
    units = activations.shape[1]
    if units <= 2:
        return Projection(torch.zeros(units), torch.eye(2)[:, :units])
    if not activations.isfinite().all():
        return Projection(torch.zeros(units), torch.eye(units)[:2] if last is None else last)
    return principal(activations, last)


def grid_lines() -> Tensor:
    """Places on a coarse grid of the plane (lines * places on each, 2), upright lines first."""
    along, across = torch.linspace(-REACH, REACH, PER_LINE), torch.linspace(-REACH, REACH, LINES)
    fixed, moving = torch.meshgrid(across, along, indexing="ij")
    upright = torch.stack([fixed, moving], dim=2).reshape(-1, 2)
    return torch.cat([upright, upright.flip(1)])


GRID = grid_lines()


@dataclass(frozen=True)
class Judged:
    """Points x (points, 2), their classes, the model's guesses, and the shares of probability (points, classes)."""

    x: NDArray[Any]
    labels: NDArray[Any]
    guesses: NDArray[Any]
    shares: NDArray[Any]

    @property
    def true_shares(self) -> NDArray[Any]:
        """The probability that each point's own class got: (points,)."""
        share: NDArray[Any] = self.shares[np.arange(len(self.labels)), self.labels]
        return share

    @property
    def doubts(self) -> NDArray[Any]:
        """Which points are the most doubtful: the wrong ones first, then by the probability of their class."""
        order: NDArray[Any] = np.lexsort((self.true_shares, self.guesses == self.labels))
        return order[:MOST_DOUBTS]

    def bins(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """For each bin of the chosen class's probability: its mean, the share that is right, how many; each (BINS,)."""
        sure = self.shares.max(axis=1)
        place = np.minimum((sure * BINS).astype(int), BINS - 1)
        counts = np.bincount(place, minlength=BINS)
        sums = (np.bincount(place, each, BINS) for each in (sure, self.guesses == self.labels))
        empty = np.full(BINS, np.nan)
        promised, kept = (np.divide(each, counts, out=empty.copy(), where=counts > 0) for each in sums)
        return promised, kept, counts


@dataclass(frozen=True)
class Inside:
    """One moment of a run, looked into."""

    config: ClassificationConfig  # of now; the view's may be older
    data: Labelled
    view: View
    memory: Memory

    def inside(self) -> Figure:
        """The training points and a grid of the plane, as the last hidden layer sees them."""
        config, memory, model = self.view.config, self.memory, self.view.model
        every = -(-len(self.data.x_train) // MOST_DRAWN)
        seen = self._hidden(self.data.x_train[::every])
        layer = (config.widths, config.activation, config.inputs if not config.widths else "")
        if memory.layer != layer:
            memory.layer, memory.directions = layer, None
            memory.ends = {name: end for name, end in memory.ends.items() if not name.startswith("inside")}
        look = projection(seen, memory.directions)
        memory.directions = look.directions
        at, labels = look.of(seen).numpy(), self.data.y_train[::every].numpy()
        is_row = seen.shape[1] == 1
        if is_row:
            at[:, 1] = labels
        rows = [str(label) for label in range(self.config.outputs)] if is_row else []
        upright = [-0.5, len(rows) - 0.5] if is_row else memory.span("inside y", at[:, 1])
        spans = memory.span("inside x", at[:, 0]), upright
        return insides.inside(
            fields.points("Train", at, labels, self.config.outputs, is_open=False),
            np.empty((0, 2), np.float32) if is_row else self._bent(look),
            fields.class_bytes(fitted(model[-1](look.lift(_pixels(spans))), 2).softmax(dim=1).T.numpy()),
            titles=_titles(config, seen.shape[1]),
            spans=spans,
            side=INSIDE_SIDE,
            rows=rows,
        )

    def _hidden(self, x: Tensor) -> Tensor:
        """The activations that the output layer gets for places x (points, 2): (points, units)."""
        hidden: Tensor = self.view.model[:-1](inputs_of(self.view.config, x))
        return hidden

    def _bent(self, look: Projection) -> NDArray[Any]:
        """The plane's grid after the hidden layers, each line followed by a gap."""
        lines = look.of(self._hidden(GRID)).reshape(2 * LINES, PER_LINE, 2)
        return torch.nn.functional.pad(lines, (0, 0, 0, 1), value=torch.nan).reshape(-1, 2).numpy()

    @cached_property
    def start(self) -> int:
        """Where the points begin that the model is judged by: its test points, or the training points without any."""
        return len(self.data.x_train) if len(self.data.x_test) else 0

    @cached_property
    def judged(self) -> Judged:
        """What the model says of those points."""
        data, start = self.data, self.start
        x, y = (data.x_test, data.y_test) if start else (data.x_train, data.y_train)
        shares = self.view.seen.logits[start:].softmax(dim=1).nan_to_num().numpy()
        return Judged(x.numpy(), y.numpy(), self.view.seen.guesses[start:], shares)

    def doubtful(self) -> Figure:
        """The points that the model gets wrong or is least sure of."""
        judged = self.judged
        at = judged.doubts
        return insides.doubtful(
            judged.x[at],
            judged.labels[at],
            judged.guesses[at],
            judged.true_shares[at],
            rows=MOST_DOUBTS,
            name="Test" if self.start else "Train",
        )

    def calibration(self) -> Figure:
        """Whether the model is as often right as it is sure."""
        promised, kept, counts = self.judged.bins()
        gap = float(np.nansum(np.abs(promised - kept) * counts) / counts.sum())
        return insides.calibration(promised, kept, counts, gap=gap)

    def rings(self, *, is_shown: bool) -> dict[str, Any]:
        """The same points on the map, in the order of the data: it stays as it is while only their ranks change."""
        judged = self.judged
        at = np.sort(judged.doubts) if is_shown else np.empty(0, int)
        return insides.rings(judged.x[at], judged.guesses[at] != judged.labels[at], is_shown=is_shown)


def _pixels(spans: tuple[list[float], list[float]]) -> Tensor:
    """The centres of a map's pixels over two ranges, rows from the top: (INSIDE_SIDE * INSIDE_SIDE, 2)."""
    steps = (torch.arange(INSIDE_SIDE) + 0.5) / INSIDE_SIDE
    across, up = (span[0] + (span[1] - span[0]) * steps for span in spans)
    y, x = torch.meshgrid(up.flip(0), across, indexing="ij")
    return torch.stack([x.ravel(), y.ravel()], dim=1)


def _titles(config: ClassificationConfig, units: int) -> tuple[str, str]:
    if units > 2:
        return "First direction", "Second direction"
    names = ["Unit 1", "Unit 2"] if config.widths else [INPUTS[name].label for name in config.input_names]
    return names[0], names[1] if units == 2 else "Class"


def figures(
    config: ClassificationConfig, data: Labelled, view: View, memory: Memory
) -> dict[str, Callable[[], Figure]]:
    """The charts that look inside, by name."""
    moment = Inside(config, data, view, memory)
    return {"inside": moment.inside, "doubtful": moment.doubtful, "calibration": moment.calibration}


def marks(
    config: ClassificationConfig, data: Labelled, view: View, memory: Memory, options: Mapping[str, bool]
) -> list[dict[str, Any]]:
    """What these charts add to the map, in traces that are always there."""
    moment = Inside(config, data, view, memory)
    return [moment.rings(is_shown=options.get("doubtful", False)), forward.mark(memory.place)]
