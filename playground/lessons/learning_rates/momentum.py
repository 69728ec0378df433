"""The lab Rate and momentum: which pairs of the two descend a quadratic, and how fast (2.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.learning_rates import words
from playground.lessons.learning_rates.figures import momentum as figures

Array = NDArray[Any]
STEPS, PATH_STEPS = 200, 60  # steps taken, and those drawn as a path
MAX_PAIR = (4.0, 1.0)  # the upper ends of the map: learning rate, momentum
SIDE = 160  # pixels of the map
START = (-1.7, 1.5)
MIN_DISTANCE = 1e-280  # smaller distances have lost their digits
DECADES = (-16.0, 4.0)


@dataclass(frozen=True)
class MomentumConfig(Config):
    """The quadratic, and the learning rate and momentum that descend it."""

    # fmt: off
    lr: float = knob(1.0, "Learning rate", help="A click or a drag in the plane sets both.", group="Optimizer",
                     live=True, bar=True, lo=0.01, hi=4.0, step=0.01)
    momentum: float = knob(0.8, "Momentum", group="Optimizer", live=True, bar=True, lo=0.0, hi=0.99, step=0.01)
    small: float = knob(0.05, "Small curvature", group="Quadratic", live=True, bar=True,
                        options=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
                        help="h₁ in f(x) = ½ (h₁ x₁² + h₂ x₂²): the curvature along the flat direction.")
    large: float = knob(1.0, "Large curvature", group="Quadratic", live=True, options=(1.0, 2.0, 4.0),
                        help="h₂: the curvature along the steep direction.")
    # fmt: on


def roots(lr: Array | float, momentum: Array | float, curvature: float) -> tuple[Array, Array]:
    """The two complex eigenvalues of one coordinate's iteration.

    With momentum b, a step takes (w_k, w_(k-1)) to (w_(k+1), w_k) by the matrix [[1 + b - lr * h, -b], [1, 0]], so
    they solve z² - (1 + b - lr * h) z + b = 0 (Polyak 1964; Goh, "Why Momentum Really Works", Distill 2017).
    """
    trace = 1 + np.asarray(momentum) - np.asarray(lr) * curvature
    root = np.sqrt((trace**2 - 4 * np.asarray(momentum)).astype(np.complex128))
    return (trace + root) / 2, (trace - root) / 2


def spectral_radius(lr: Array | float, momentum: Array | float, curvatures: tuple[float, ...]) -> Array:
    """The factor by which each step multiplies the distance in the long run: the largest |eigenvalue|."""
    return np.asarray(np.max([np.abs(root) for h in curvatures for root in roots(lr, momentum, h)], axis=0))


def regions(lr: Array | float, momentum: Array | float, curvatures: tuple[float, ...]) -> Array:
    """0 if both coordinates are monotone, 1 if one oscillates, 2 if one diverges.

    A coordinate that starts at rest never changes its sign if its larger eigenvalue is real and not negative.
    """
    swings = np.zeros(np.broadcast_shapes(np.shape(lr), np.shape(momentum)), bool)
    for curvature in curvatures:
        one, other = roots(lr, momentum, curvature)
        larger = np.where(np.abs(one) >= np.abs(other), one, other)
        swings |= (np.abs(larger.imag) > 0) | (larger.real < 0)
    diverges = spectral_radius(lr, momentum, curvatures) >= 1
    return np.where(diverges, 2, swings.astype(int))


def polyak(small: float, large: float) -> tuple[float, float]:
    """The learning rate and momentum with the smallest spectral radius for curvatures from small to large.

    lr = 4 / (√large + √small)², momentum = ((√large - √small) / (√large + √small))², and the radius is √momentum
    (Polyak, "Some methods of speeding up the convergence of iteration methods", 1964).
    """
    total, gap = large**0.5 + small**0.5, large**0.5 - small**0.5
    return 4 / total**2, (gap / total) ** 2


def descend(config: MomentumConfig) -> Array:
    """The path of torch's SGD over STEPS steps from START, in double precision: (STEPS + 1, 2)."""
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    curvatures = torch.tensor([config.small, config.large], dtype=torch.float64)
    optimizer = torch.optim.SGD([w], lr=config.lr, momentum=config.momentum, foreach=False)
    path: list[Tensor] = [w.detach().clone()]
    for _ in range(STEPS):
        w.grad = curvatures * w.detach()  # of f(w) = ½ Σ h w²
        optimizer.step()
        path.append(w.detach().clone())
    return np.asarray(torch.stack(path).numpy())


def measured_rate(path: Array) -> float:
    """The factor by which each step multiplied the distance, over the later half of the steps; 0 if it reached zero.

    It is the slope of the logarithm of |(w_k, w_(k-1))|, which stays positive when a coordinate passes through zero.
    """
    lengths = np.hypot(*path.T)
    sizes = np.hypot(lengths[1:], lengths[:-1])
    usable = np.flatnonzero(np.isfinite(sizes) & (sizes > MIN_DISTANCE))
    later = usable[len(usable) // 2 :]
    if len(later) < 2:
        return 0.0
    return float(np.exp(np.polyfit(later, np.log(sizes[later]), 1)[0]))


def pixels(curvatures: tuple[float, float]) -> Array:
    """The bytes of the map, rows from the top: the fastest pair has the strongest colour."""
    lr = (np.arange(SIDE) + 0.5) / SIDE * MAX_PAIR[0]
    momentum = ((np.arange(SIDE)[::-1] + 0.5) / SIDE * MAX_PAIR[1])[:, None]
    fastest = 1 - polyak(*curvatures)[1] ** 0.5
    speeds = (1 - spectral_radius(lr, momentum, curvatures)) / fastest
    return figures.region_bytes(regions(lr, momentum, curvatures), speeds).ravel()


def borders(curvatures: tuple[float, float]) -> list[tuple[str, Array, Array]]:
    """The lines where a coordinate begins to oscillate, √b = |1 - √(lr h)|, and to diverge, lr h = 2 (1 + b)."""
    lr = np.linspace(0, MAX_PAIR[0], 201)
    found = []
    for name, curvature in zip(("Critical h₁", "Critical h₂"), curvatures, strict=True):
        b = (1 - np.sqrt(lr * curvature)) ** 2
        found.append((name, lr, np.where(b <= MAX_PAIR[1], b, np.nan)))
    b = lr * max(curvatures) / 2 - 1
    return [*found, ("Stable limit", lr, np.where((b >= 0) & (b <= MAX_PAIR[1]), b, np.nan))]


def draw(config: MomentumConfig) -> Sheet:
    """The plane, the path of the chosen pair, its distance over the steps, and both coordinates in numbers."""
    curvatures = tuple(sorted((config.small, config.large)))
    pair = (curvatures[0], curvatures[1])
    best, path = polyak(*pair), descend(config)
    radius, measured = float(spectral_radius(config.lr, config.momentum, pair)), measured_rate(path)
    lengths = np.hypot(*path.T)
    charts = {
        "plane": figures.plane(
            pixels(pair),
            side=SIDE,
            upper=MAX_PAIR,
            borders=borders(pair),
            chosen=(config.lr, config.momentum),
            best=best,
        ),
        "path": figures.path(path[: PATH_STEPS + 1], pair, 2.0),
        "distance": figures.distances(lengths, lengths[0] * radius ** np.arange(len(lengths)), DECADES),
    }
    line = words.PLANE_LINE.format(lr=config.lr, momentum=config.momentum, small=pair[0], large=pair[1])
    return Sheet(charts, _note(radius, measured, best), (_table(config, pair),), line=line, answer=f"{radius:.4f}")


def _note(radius: float, measured: float, best: tuple[float, float]) -> str:
    lr, momentum = best
    return words.PLANE_NOTE.format(
        measured=measured, steps=STEPS, radius=radius, best_lr=lr, best_momentum=momentum, fastest=momentum**0.5
    )


def _table(config: MomentumConfig, curvatures: tuple[float, float]) -> Table:
    rows = []
    for curvature in curvatures:
        one, other = (complex(root) for root in roots(config.lr, config.momentum, curvature))
        kind = words.COORDINATES[int(regions(config.lr, config.momentum, (curvature,)))]
        rows.append(
            (f"{curvature:g}", f"{config.lr * curvature:.3g}", _as_text(one), _as_text(other),
             f"{max(abs(one), abs(other)):.4f}", kind)
        )  # fmt: skip
    return Table(words.PLANE_COLUMNS, tuple(rows))


def _as_text(root: complex) -> str:
    if root.imag == 0:
        return f"{root.real:.3f}"
    return f"{root.real:.3f} {'+' if root.imag > 0 else '−'} {abs(root.imag):.3f} i"


LAB = Lab(
    name="learning_rates_momentum",
    title="Rate and momentum",
    sentence="A long, narrow valley: which pairs of learning rate and momentum descend it, and how fast?",
    config=MomentumConfig,
    draw=draw,
    charts=(
        Chart("plane", "The plane",
              "Pairs that are monotone, oscillate or diverge: the faster, the stronger the colour. "
              "A click or a drag sets the pair.", turns=("lr", "momentum")),
        Chart("path", "Path", "The first 60 iterates on the contours of the quadratic."),
        Chart("distance", "Distance", "The distance over the steps, measured and in theory."),
    ),
)  # fmt: skip
