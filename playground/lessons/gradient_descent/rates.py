"""The lab "Too large a rate": the factor by which a step multiplies the distance, measured and in theory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from playground.data.landscapes import SURFACES, Landscape
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet
from playground.lessons.gradient_descent.descent import descent_step
from playground.lessons.gradient_descent.figures import basins as figures
from playground.lessons.numbers import number

QUADRATIC = "quadratic"
RATES = 61
MAX_SHARE = 1.5  # the largest learning rate, divided by the limit
MEASURED_STEPS, SHOWN_STEPS = 3, 30
OFFSET = 1e-7  # of the start from the minimum: so near that only the curvature there matters
DIRECTIONS = ("Along", "Across")
NAMES = {QUADRATIC: "A quadratic", **{name: SURFACES[name].label for name in ("rosenbrock", "himmelblau", "plateau")}}
NOTE = (
    "Curvatures at the minimum: **{small}** and **{large}**. The limit is 2 / {large} = **{limit}**. "
    "The chosen rate is **{rate}**: each step multiplies the distance by {along} along the valley and by {across} "
    "across it."
)
LINE, ANSWER = "abs(1 - {rate:.4g} * torch.tensor([{small:.4g}, {large:.4g}]))", "tensor([{along:.4f}, {across:.4f}])"


@dataclass(frozen=True)
class RatesConfig(Config):
    """The surface around its minimum, and the learning rate divided by the limit."""

    # fmt: off
    share: float = knob(0.9, "Learning rate ÷ limit", group="Steps", live=True, bar=True, lo=0.05, hi=MAX_SHARE,
                        step=0.01, help="The limit is 2 / largest curvature.")
    surface: str = knob(QUADRATIC, "Surface", group="Landscape", live=True, bar=True, options=tuple(NAMES), names=NAMES)
    large: float = knob(10.0, "Largest curvature", group="Landscape", live=True, bar=True, lo=1.0, hi=50.0, step=0.5,
                        applies=lambda config: config.surface == QUADRATIC)
    small: float = knob(1.0, "Smallest curvature", group="Landscape", live=True, lo=0.1, hi=1.0, step=0.1,
                        applies=lambda config: config.surface == QUADRATIC)
    # fmt: on


def contraction(lr: Tensor, curvature: float) -> Tensor:
    """The factor by which a step multiplies the distance, along a direction of this curvature.

    From x - lr · curvature · x (Nesterov 2004, Introductory lectures on convex optimization, section 1.2.3).
    """
    return (1 - lr * curvature).abs()


def measure(landscape: Landscape, rates: Tensor, direction: Tensor, steps: int) -> Tensor:
    """Distances from the first minimum along a direction (steps + 1, rates), as shares of the first distance.

    A ball for each rate starts at a small offset and takes real steps of gradient descent, by autograd.
    """
    minimum = torch.tensor(landscape.minima[0], dtype=torch.float64)
    at = (minimum + OFFSET * direction).expand(len(rates), -1)
    distances = []
    for _ in range(steps + 1):
        distances.append(((at - minimum) @ direction).abs() / OFFSET)
        at, _, _ = descent_step(landscape, at, rates.unsqueeze(1))
    return torch.stack(distances)


def quadratic(small: float, large: float) -> Landscape:
    """The landscape (small x² + large y²) / 2."""

    def height(at: Tensor) -> Tensor:
        x, y = at.unbind(dim=-1)
        return (small * x**2 + large * y**2) / 2

    formula = f"({small:g}*x**2 + {large:g}*y**2)/2"
    return Landscape("Quadratic", formula, height, ((-1.0, 1.0),) * 2, (1.0, 1.0), 1 / large, ((0.0, 0.0),),
                     (small, large))  # fmt: skip


@lru_cache(maxsize=8)
def _axes_of(surface: str) -> tuple[list[float], Tensor]:
    """The curvatures at a surface's first minimum, smallest first, and their directions as columns (2, 2)."""
    landscape = SURFACES[surface]
    hessian = torch.autograd.functional.hessian(  # type: ignore[no-untyped-call]
        landscape.function, torch.tensor(landscape.minima[0], dtype=torch.float64)
    )
    values, vectors = torch.linalg.eigh(hessian)
    return values.tolist(), vectors


def draw(config: RatesConfig) -> Sheet:
    """The factor of a step over learning rates, and the distances over the steps at the chosen rate."""
    if config.surface == QUADRATIC:
        landscape = quadratic(config.small, config.large)
        curved, directions = [config.small, config.large], torch.eye(2, dtype=torch.float64)
    else:
        landscape = SURFACES[config.surface]
        curved, directions = _axes_of(config.surface)
    limit = 2 / curved[1]
    rates = limit * torch.linspace(0, MAX_SHARE, RATES, dtype=torch.float64)
    chosen = torch.tensor([limit * config.share], dtype=torch.float64)
    steps = torch.arange(SHOWN_STEPS + 1, dtype=torch.float64)
    factors, distances = [], []
    for name, curvature, direction in zip(DIRECTIONS, curved, directions.T, strict=True):
        swept = measure(landscape, rates, direction, MEASURED_STEPS)[-1] ** (1 / MEASURED_STEPS)
        factors.append((name, swept.numpy(), contraction(rates, curvature).numpy()))
        measured = measure(landscape, chosen, direction, SHOWN_STEPS)[:, 0]
        distances.append((name, measured.numpy(), (contraction(chosen, curvature) ** steps).numpy()))
    along, across = (contraction(chosen, curvature).item() for curvature in curved)
    words = {"small": curved[0], "large": curved[1], "limit": limit, "rate": chosen.item(), "along": along,
             "across": across}  # fmt: skip
    best = 2 / (curved[0] + curved[1])
    return Sheet(
        {
            "factors": figures.factors(rates.numpy(), factors, limit=limit, best=best, chosen=chosen.item()),
            "distances": figures.distances(distances),
        },
        NOTE.format(**{name: number(round(value, 12), 4) for name, value in words.items()}),
        line=LINE.format(rate=chosen.item(), small=_short(curved[0]), large=_short(curved[1])),
        answer=ANSWER.format(along=along, across=across),
    )


def _short(curvature: float) -> float:
    """The number with four digits."""
    return float(f"{curvature:.4g}")


LAB = Lab(
    name="gradient_descent_rates",
    title="Too large a rate",
    sentence="Near a minimum each step multiplies the distance by a factor; above 1 the ball moves away. "
    "Lines: theory; dots: measured.",
    config=RatesConfig,
    draw=draw,
    charts=(
        Chart("factors", "The factor of a step", "Distance after ÷ before a step, by learning rate."),
        Chart("distances", "Distance at the chosen rate", "The distance from the minimum over the steps."),
    ),
)  # fmt: skip
