"""The racers on a surface over two numbers: the path of each optimizer from one start, step by step."""

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
from playground.figures.arrows import Arrow, arrows
from playground.lessons.optimizers.figures import race as figures
from playground.lessons.optimizers.figures.race import Track
from playground.lessons.optimizers.race import Entry
from playground.training.optimizers import build_optimizer

Array = NDArray[Any]
MAX_STEPS = 200  # of a path
MEMORIES = ("momentum_buffer", "exp_avg", "m")  # an optimizer's running sum or mean of gradients, by torch's name
# The vectors of a step: name, colour and dash.
ARROWS = (("−lr · gradient", "@gradient", "dot"), ("−lr · momentum", "@model", "dash"), ("update", "@text", "solid"))
SIDE = 120  # heights along each axis of the picture
MAX_BEYOND = 1.0  # a path ends this many widths outside the chart
DECIMALS = 4  # of a height: below that paths differ by rounding
MAX_SECONDS = 0.006  # of work for one frame, so that the race continues


class SurfaceRacer:
    """One racer's optimizer over two numbers, x and y, and its path so far."""

    def __init__(self, entry: Entry, start: Sequence[float], lr: float) -> None:
        self.entry, self.lr = entry, lr
        self.point = torch.tensor(start, requires_grad=True)
        settings = {name: value for name, value in entry.settings.items() if name != "weight_decay"}
        self.optimizer = build_optimizer(entry.optimizer, [self.point], lr=lr, settings=settings)
        self.places = np.full((MAX_STEPS + 1, 2), np.nan, np.float32)
        self.places[0] = start
        self.vectors = np.full((MAX_STEPS + 1, 2, 2), np.nan, np.float32)  # of the step to each place: gradient, memory
        self.steps = 0
        self.has_left = False  # the chart and its surroundings

    def note_vectors(self) -> None:
        """Keep the gradient of the last step and the optimizer's running mean or sum of gradients."""
        assert self.point.grad is not None
        state = self.optimizer.state[self.point]
        memory = next((state[name] for name in MEMORIES if isinstance(state.get(name), torch.Tensor)), None)
        self.vectors[self.steps, 0] = self.point.grad.numpy()
        if memory is not None:
            self.vectors[self.steps, 1] = memory.numpy()

    def step_to(self, steps: int, rate: float) -> tuple[Array | None, list[Arrow]]:
        """The place before its step number `steps`, and the vectors of that step.

        Gradient and memory are drawn downhill, times the learning rate, so that plain SGD's update is the first.
        """
        if not 0 < steps <= self.steps:
            return None, [Arrow(name, np.zeros(2), colour, dash) for name, colour, dash in ARROWS]
        before, after = self.places[steps - 1], self.places[steps]
        gradient, memory = -rate * np.nan_to_num(self.vectors[steps])
        found = zip(ARROWS, (gradient, memory, after - before), strict=True)
        return before, [
            Arrow(name, vector, colour, dash, whole=name == ARROWS[-1][0]) for (name, colour, dash), vector in found
        ]

    def path(self, steps: int) -> Array:
        """Its places up to a step: (places, 2)."""
        return self.places[: min(self.steps, steps) + 1]


class Surface:
    """All racers on one of SURFACES, from one start. Their paths depend on the settings alone.

    `rate` is the learning rate of entries with the `shared` one; others keep their ratio to it. There is no weight
    decay here: it would pull towards x = y = 0, which is not a special place on a surface.
    """

    def __init__(
        self, name: str, entries: Sequence[Entry], *, rate: float, shared: float, factor: Callable[[int], float]
    ) -> None:
        self.landscape = SURFACES[name]
        self.factor = factor
        self.steps = 0
        self.racers = [SurfaceRacer(each, self.landscape.start, rate * each.lr / shared) for each in entries]
        x, y, z = heights(self.landscape, SIDE)
        low, high = (float(each) for each in np.nanquantile(z.numpy(), (0.0, 1.0)))
        spread = torch.log1p(20 * (z - low) / (high - low)) / math.log(21)  # as many bands in valleys
        self.hills = figures.hills(x.numpy(), y.numpy(), spread.nan_to_num(nan=1.0).numpy())
        known = self.landscape.lowest
        self.floor = low if known is None else known  # the height of the lowest point
        self.minima = np.array(self.landscape.minima, np.float32).reshape(-1, 2)
        self.drawn: tuple[tuple[int, int, int | None], Figure] | None = None  # the last figure, and the steps it shows

    def walk(self, steps: int, seconds: float = math.inf) -> bool:
        """Take steps until there are this many, or the time is up; returns whether steps are left."""
        end = time.perf_counter() + seconds
        while self.steps < min(steps, MAX_STEPS) and time.perf_counter() < end:
            for racer in self.racers:
                if not racer.has_left:
                    self._step(racer)
            self.steps += 1
        return self.steps < min(steps, MAX_STEPS)

    @torch.enable_grad()
    def _step(self, racer: SurfaceRacer) -> None:
        racer.optimizer.param_groups[0]["lr"] = racer.lr * self.factor(self.steps)
        racer.optimizer.zero_grad()
        self.landscape.function(racer.point).backward()  # type: ignore[no-untyped-call]
        racer.optimizer.step()
        place = tuple(racer.point.tolist())
        racer.has_left = not all(
            lo - MAX_BEYOND * (hi - lo) <= each <= hi + MAX_BEYOND * (hi - lo)
            for each, (lo, hi) in zip(place, self.landscape.spans, strict=True)
        )
        if not racer.has_left:
            racer.steps += 1
            racer.places[racer.steps] = place
            racer.note_vectors()

    @torch.no_grad()
    def heights(self, steps: int) -> Array:
        """Each racer's heights above the lowest point up to a step, (racers, steps + 1); NaN after it has left."""
        places = np.stack([racer.places[: min(steps, self.steps) + 1] for racer in self.racers]).astype(np.float64)
        above = self.landscape.function(torch.from_numpy(places)).numpy() - self.floor
        return np.maximum(above, 0.0).round(DECIMALS)  # NaN stays NaN

    def figure(self, steps: int, pens: Sequence[int], inside: int | None = None) -> Figure:
        """The paths up to a step over a picture of the surface; the same figure until they are longer.

        `inside` is the index of the racer whose last step has its vectors.
        """
        key = (min(steps, MAX_STEPS), self.steps, inside)
        if self.drawn is None or self.drawn[0] != key:
            tracks = []
            for racer, pen in zip(self.racers, pens, strict=True):
                path = racer.path(steps)
                tracks.append(Track(racer.entry.label, pen, path[:, 0].copy(), path[:, 1].copy()))
            spans = [list(span) for span in self.landscape.spans]
            figure = figures.paths(self.hills, tracks, spans=(spans[0], spans[1]), minima=self.minima)
            if inside is not None:
                racer = self.racers[inside]
                at = min(steps, MAX_STEPS, self.steps)
                place, vectors = racer.step_to(at, racer.lr * self.factor(max(at - 1, 0)))
                figure["data"] = [*figure["data"], *arrows(place, vectors, spans[0])]
            self.drawn = key, figure
        return self.drawn[1]
