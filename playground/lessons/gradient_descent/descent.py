"""Balls that roll down a landscape by plain gradient descent: one with its whole path, or many at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from playground.data.landscapes import Landscape, curvatures, gradient

FLAT = 1e-4  # a gradient shorter than this counts as flat ground
LEVEL = 1e-3  # a curvature smaller than this counts as none
FAR = 20.0  # widths of the picture from its middle: a ball beyond has left
NEAR = 0.02  # widths of the picture: a ball so close to a minimum is in it
NEWTON_STEPS = 30
DROPPED_EVERY = 5  # steps after which balls that have come to rest are left out

End = Literal["flat", "left", "steps"]
Kind = Literal["slope", "global", "local", "minimum", "saddle", "maximum", "flat"]


def move(landscape: Landscape, at: Tensor, lr: float | Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One step of gradient descent for balls at (..., dims): where they go, their heights and gradients before."""
    height, slope = gradient(landscape, at)
    return at - lr * slope, height, slope


@dataclass(frozen=True)
class Path:
    """One ball's way: positions and gradients (steps + 1, dims), heights (steps + 1,), and why it ends.

    "flat": the ground is. "left": the ball is far out of the picture, or its height is no number. "steps": none left.
    """

    positions: Tensor
    heights: Tensor
    gradients: Tensor
    end: End

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return len(self.heights) - 1


def roll(landscape: Landscape, start: Sequence[float], lr: float, most: int) -> Path:
    """The whole path of one ball, in float64, up to `most` steps."""
    at = torch.tensor(start, dtype=torch.float64)
    positions, heights, gradients = [], [], []
    end: End = "steps"
    for _ in range(most + 1):
        onward, height, slope = move(landscape, at, lr)
        positions.append(at)
        heights.append(height)
        gradients.append(slope)
        length = math.hypot(*slope.tolist())
        if not math.isfinite(height.item() + length) or _is_far(landscape, at.tolist()):
            end = "left"
            break
        if length < FLAT:
            end = "flat"
            break
        at = onward
    return Path(torch.stack(positions), torch.stack(heights), torch.stack(gradients), end)


def _is_far(landscape: Landscape, at: Sequence[float]) -> bool:
    """Whether a ball is so far out of the picture that it does not come back; NaN is."""
    return not all(
        abs(each - (lo + hi) / 2) <= FAR * (hi - lo) for each, (lo, hi) in zip(at, landscape.spans, strict=True)
    )


@dataclass(frozen=True)
class Ends:
    """Where many balls are after their steps (balls, dims), which lie on flat ground, and after how many steps."""

    positions: Tensor
    flat: Tensor  # (balls,) of bool
    steps: Tensor  # (balls,); for those that do not lie, all of them


def roll_many(landscape: Landscape, starts: Tensor, lr: float, steps: int, flat: float = 10 * FLAT) -> Ends:
    """All balls at once, as one tensor: starts of shape (balls, dims), in their number type."""
    ends, lie = starts.clone(), torch.zeros(len(starts), dtype=torch.bool)
    taken = torch.full((len(starts),), steps)
    rolling, at, counted = torch.arange(len(starts)), starts, torch.zeros_like(taken)
    for step in range(steps + 1):
        onward, _, slope = move(landscape, at, lr)
        length = slope.square().sum(dim=1)
        is_flat, is_lost = length < flat**2, ~(length < math.inf)
        if step % DROPPED_EVERY == 0 or step == steps:  # those at rest, and those thrown out of all numbers
            ends[rolling], lie[rolling] = at, is_flat
            taken[rolling] = torch.where(is_lost, steps, counted)
            still = ~(is_flat | is_lost)
            rolling, onward, counted, is_flat = rolling[still], onward[still], counted[still], is_flat[still]
            if not len(rolling):
                break
        at = onward
        counted += ~is_flat
    return Ends(ends, lie, taken)


@dataclass(frozen=True)
class Spot:
    """What a place is: its kind, and the curvatures found there, smallest first."""

    kind: Kind
    curvatures: tuple[float, ...] = ()


def classify(landscape: Landscape, at: Sequence[float]) -> Spot:
    """What kind of place it is, by the gradient, the known minima and the Hessian's eigenvalues.

    A positive curvature in every direction alone makes a "minimum" only where it stays so at the very spot that
    Newton's method finds: on x³ it shrinks to nothing on the way to the shelf.
    """
    point = torch.tensor(at, dtype=torch.float64)
    if not gradient(landscape, point)[1].norm() < FLAT:
        return Spot("slope")
    found = curvatures(landscape, at)
    nearest = _nearest_minimum(landscape, point)
    if nearest is not None:
        height, lowest = landscape.function(nearest).item(), landscape.lowest
        return Spot("global" if lowest is not None and height <= lowest + 1e-9 else "local", found)
    signs = {0 if abs(each) < LEVEL else 1 if each > 0 else -1 for each in _settled(landscape, point)}
    if signs == {1}:
        return Spot("minimum", found)
    if signs == {-1}:
        return Spot("maximum", found)
    return Spot("saddle" if {1, -1} <= signs else "flat", found)


def _nearest_minimum(landscape: Landscape, point: Tensor) -> Tensor | None:
    """The known minimum that the point lies in, if any: (dims,)."""
    if not landscape.minima:
        return None
    known = torch.tensor(landscape.minima, dtype=torch.float64)
    widths = torch.tensor([hi - lo for lo, hi in landscape.spans], dtype=torch.float64)
    away = ((known - point).abs() / widths).amax(dim=1)
    nearest = int(away.argmin())
    return known[nearest] if away[nearest] < NEAR else None


def _settled(landscape: Landscape, point: Tensor) -> tuple[float, ...]:
    """The curvatures where Newton's method settles, unless it runs away from the point."""
    at = point
    widths = torch.tensor([hi - lo for lo, hi in landscape.spans], dtype=torch.float64)
    for _ in range(NEWTON_STEPS):
        _, slope = gradient(landscape, at)
        hessian = torch.autograd.functional.hessian(  # type: ignore[no-untyped-call]
            lambda place: landscape.function(place) + 0 * place.sum(), at
        )
        if not (hessian.isfinite().all() and slope.norm() > 1e-12):
            break
        onward = at - torch.linalg.pinv(hessian) @ slope
        if not ((onward - point).abs() < NEAR * widths).all():
            return (0.0,)
        at = onward
    return curvatures(landscape, at.tolist())
