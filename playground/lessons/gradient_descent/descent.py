"""Balls that roll down a landscape by plain gradient descent: one ball with its path, or many balls at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from playground.data.landscapes import Landscape, curvatures, gradient

FLAT_GRADIENT = 1e-4  # the ground counts as flat if the gradient is shorter
ZERO_CURVATURE = 1e-3  # a smaller curvature counts as zero
MAX_DISTANCE = 20.0  # from the middle of the landscape, in widths of it: a ball further away has left
MINIMUM_RADIUS = 0.02  # in widths of the landscape: a ball closer to a minimum is in it
NEWTON_STEPS = 30
DROP_EVERY = 5  # steps: then balls at rest are removed from the computation

End = Literal["flat", "left", "steps"]
Kind = Literal["slope", "global", "local", "minimum", "saddle", "maximum", "flat"]


def descent_step(landscape: Landscape, at: Tensor, lr: float | Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One step of gradient descent for balls at (..., dims): their next positions, and heights and gradients before."""
    height, slope = gradient(landscape, at)
    return at - lr * slope, height, slope


@dataclass(frozen=True)
class Path:
    """The path of one ball: positions and gradients (steps + 1, dims), heights (steps + 1,), and why it ends.

    "flat": the ground is flat. "left": the ball is far outside the landscape, or its height is not finite. "steps": all
    steps are done.
    """

    positions: Tensor
    heights: Tensor
    gradients: Tensor
    end: End

    @property
    def steps(self) -> int:
        """The number of steps."""
        return len(self.heights) - 1


def roll(landscape: Landscape, start: Sequence[float], lr: float, max_steps: int) -> Path:
    """The path of one ball, in float64, of at most `max_steps` steps."""
    at = torch.tensor(start, dtype=torch.float64)
    positions, heights, gradients = [], [], []
    end: End = "steps"
    for _ in range(max_steps + 1):
        next_position, height, slope = descent_step(landscape, at, lr)
        positions.append(at)
        heights.append(height)
        gradients.append(slope)
        length = math.hypot(*slope.tolist())
        if not math.isfinite(height.item() + length) or _is_far(landscape, at.tolist()):
            end = "left"
            break
        if length < FLAT_GRADIENT:
            end = "flat"
            break
        at = next_position
    return Path(torch.stack(positions), torch.stack(heights), torch.stack(gradients), end)


def _is_far(landscape: Landscape, at: Sequence[float]) -> bool:
    """Whether a ball is so far outside the landscape that it will not return; NaN is far."""
    pairs = zip(at, landscape.spans, strict=True)
    return not all(abs(each - (lo + hi) / 2) <= MAX_DISTANCE * (hi - lo) for each, (lo, hi) in pairs)


@dataclass(frozen=True)
class EndPoints:
    """The end of many balls: their positions (balls, dims), which are on flat ground, and after how many steps."""

    positions: Tensor
    flat: Tensor  # (balls,) of bool
    steps: Tensor  # (balls,); all steps for balls that are not on flat ground


def roll_many(
    landscape: Landscape, starts: Tensor, lr: float, steps: int, flat: float = 10 * FLAT_GRADIENT
) -> EndPoints:
    """The ends of all balls, computed as one tensor: starts of shape (balls, dims), in their dtype."""
    ends, at_rest = starts.clone(), torch.zeros(len(starts), dtype=torch.bool)
    taken = torch.full((len(starts),), steps)
    rolling, at, counted = torch.arange(len(starts)), starts, torch.zeros_like(taken)
    for step in range(steps + 1):
        next_position, _, slope = descent_step(landscape, at, lr)
        length = slope.square().sum(dim=1)
        is_flat, is_lost = length < flat**2, ~(length < math.inf)
        if step % DROP_EVERY == 0 or step == steps:  # drop balls at rest and balls that diverged
            ends[rolling], at_rest[rolling] = at, is_flat
            taken[rolling] = torch.where(is_lost, steps, counted)
            still = ~(is_flat | is_lost)
            rolling, next_position = rolling[still], next_position[still]
            counted, is_flat = counted[still], is_flat[still]
            if not len(rolling):
                break
        at = next_position
        counted += ~is_flat
    return EndPoints(ends, at_rest, taken)


@dataclass(frozen=True)
class PlaceKind:
    """The kind of a place, and its curvatures, smallest first."""

    kind: Kind
    curvatures: tuple[float, ...] = ()


def classify(landscape: Landscape, at: Sequence[float]) -> PlaceKind:
    """The kind of a place, from the gradient, the known minima and the eigenvalues of the Hessian.

    The curvatures are also checked at the exact flat place that Newton's method finds nearby: on x³ they are positive
    near the shelf and 0 on it, so the shelf is not a "minimum".
    """
    point = torch.tensor(at, dtype=torch.float64)
    if not gradient(landscape, point)[1].norm() < FLAT_GRADIENT:
        return PlaceKind("slope")
    found = curvatures(landscape, at)
    nearest = _nearest_minimum(landscape, point)
    if nearest is not None:
        height, lowest = landscape.function(nearest).item(), landscape.lowest
        return PlaceKind("global" if lowest is not None and height <= lowest + 1e-9 else "local", found)
    settled = _flat_place_curvatures(landscape, point)
    signs = {0 if abs(each) < ZERO_CURVATURE else 1 if each > 0 else -1 for each in settled}
    if signs == {1}:
        return PlaceKind("minimum", found)
    if signs == {-1}:
        return PlaceKind("maximum", found)
    return PlaceKind("saddle" if {1, -1} <= signs else "flat", found)


def _nearest_minimum(landscape: Landscape, point: Tensor) -> Tensor | None:
    """The known minimum around the point, if there is one: (dims,)."""
    if not landscape.minima:
        return None
    known = torch.tensor(landscape.minima, dtype=torch.float64)
    widths = torch.tensor([hi - lo for lo, hi in landscape.spans], dtype=torch.float64)
    away = ((known - point).abs() / widths).amax(dim=1)
    nearest = int(away.argmin())
    return known[nearest] if away[nearest] < MINIMUM_RADIUS else None


def _flat_place_curvatures(landscape: Landscape, point: Tensor) -> tuple[float, ...]:
    """The curvatures where Newton's method converges; 0 if it leaves the neighbourhood of the point."""
    at = point
    widths = torch.tensor([hi - lo for lo, hi in landscape.spans], dtype=torch.float64)
    for _ in range(NEWTON_STEPS):
        _, slope = gradient(landscape, at)
        hessian = torch.autograd.functional.hessian(  # type: ignore[no-untyped-call]
            lambda place: landscape.function(place) + 0 * place.sum(), at
        )
        if not (hessian.isfinite().all() and slope.norm() > 1e-12):
            break
        next_position = at - torch.linalg.pinv(hessian) @ slope
        if not ((next_position - point).abs() < MINIMUM_RADIUS * widths).all():
            return (0.0,)
        at = next_position
    return curvatures(landscape, at.tolist())
