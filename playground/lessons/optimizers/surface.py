"""The racers on a surface of two dimensions: where each optimizer goes from one start, step by step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from playground.data.landscapes import SURFACES, heights
from playground.engine.frames import Figure
from playground.lessons.optimizers.figures import race as figures
from playground.lessons.optimizers.figures.race import Track
from playground.lessons.optimizers.race import Entry
from playground.training.optimizers import build_optimizer

Array = NDArray[Any]
MOST_STEPS = 200  # that a path is followed
SIDE = 36  # heights along each axis for the contours
BEYOND = 1.0  # a racer this many widths outside the picture is not followed any more
CATCH_UP_SECONDS = 0.006  # of work for one frame, so that the race goes on


class Wanderer:
    """One racer's optimizer over two numbers, x and y, and the way it has come."""

    def __init__(self, entry: Entry, start: Sequence[float], lr: float) -> None:
        self.entry, self.lr = entry, lr
        self.point = torch.tensor(start, requires_grad=True)
        settings = {name: value for name, value in entry.settings.items() if name != "weight_decay"}
        self.optimizer = build_optimizer(entry.optimizer, [self.point], lr=lr, settings=settings)
        self.way = np.full((MOST_STEPS + 1, 2), np.nan, np.float32)
        self.way[0] = start
        self.steps = 0
        self.lost = False

    def path(self, steps: int) -> Array:
        """Where it has been up to a step: (places, 2)."""
        return self.way[: min(self.steps, steps) + 1]


class Surface:
    """All racers on one of SURFACES, from one start. What they do depends on the settings alone.

    `rate` is for entries whose learning rate is `shared`; others keep their ratio to it. There is no weight decay here:
    it would pull towards x = y = 0, which on a surface is a place like any other.
    """

    def __init__(
        self, name: str, entries: Sequence[Entry], *, rate: float, shared: float, factor: Callable[[int], float]
    ) -> None:
        self.landscape = SURFACES[name]
        self.factor = factor
        self.steps = 0
        self.wanderers = [Wanderer(each, self.landscape.start, rate * each.lr / shared) for each in entries]
        x, y, z = heights(self.landscape, SIDE)
        spread = torch.log1p(20 * (z - z.min()) / (z.max() - z.min()))  # contours as close in valleys as on hills
        self.contours = figures.contours(x.numpy(), y.numpy(), spread.numpy())
        self.minima = np.array(self.landscape.minima, np.float32).reshape(-1, 2)
        self.drawn: tuple[tuple[int, int], Figure] | None = None  # the last figure, and what it was drawn for

    def walk(self, steps: int, seconds: float = math.inf) -> None:
        """Go on until so many steps are done, or the time is up."""
        end = time.perf_counter() + seconds
        while self.steps < min(steps, MOST_STEPS) and time.perf_counter() < end:
            for wanderer in self.wanderers:
                if not wanderer.lost:
                    self._step(wanderer)
            self.steps += 1

    @torch.enable_grad()
    def _step(self, wanderer: Wanderer) -> None:
        wanderer.optimizer.param_groups[0]["lr"] = wanderer.lr * self.factor(self.steps)
        wanderer.optimizer.zero_grad()
        self.landscape.function(wanderer.point).backward()  # type: ignore[no-untyped-call]
        wanderer.optimizer.step()
        place = tuple(wanderer.point.tolist())
        wanderer.lost = not all(
            lo - BEYOND * (hi - lo) <= each <= hi + BEYOND * (hi - lo)
            for each, (lo, hi) in zip(place, self.landscape.spans, strict=True)
        )
        if not wanderer.lost:
            wanderer.steps += 1
            wanderer.way[wanderer.steps] = place

    def figure(self, steps: int, looks: Sequence[int]) -> Figure:
        """The ways up to a step over the contours of the surface; the same figure until they are longer."""
        key = (min(steps, MOST_STEPS), self.steps)
        if self.drawn is None or self.drawn[0] != key:
            tracks = []
            for wanderer, look in zip(self.wanderers, looks, strict=True):
                way = wanderer.path(steps)
                tracks.append(Track(wanderer.entry.label, look, way[:, 0].copy(), way[:, 1].copy()))
            spans = [list(span) for span in self.landscape.spans]
            self.drawn = key, figures.paths(self.contours, tracks, spans=(spans[0], spans[1]), minima=self.minima)
        return self.drawn[1]
