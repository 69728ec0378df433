"""The lab Batch size and noise: how far a batch's gradient is from the gradient of all the data (2.4)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.data_loader.figures import noise
from playground.lessons.numbers import fixed

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
MAX_BATCHES = 32  # of each size: enough to see how they scatter
SLOPE, INTERCEPT = 2.0, 1.0  # of the line that the points scatter around
ZERO_GRADIENT = 1e-6  # a shorter gradient is the rounding error of one that is 0, and has no direction
NO_DIRECTION = "–"
EXACT = (
    "The gradient of all the data is 0: the model is the best line already, so there is no direction to compare with."
)
LINE, ANSWER = "F.cosine_similarity(batch_gradients, full_gradient).mean()", "tensor({cosine:.4f})"
COLUMNS = ("Batch size", "Updates per epoch", "Mean cosine", "Noise, measured", "Noise, by the formula")


@dataclass(frozen=True)
class NoiseConfig(Config):
    """The data, the model's distance from the best line, and the batch size shown in detail."""

    # fmt: off
    batch_size: int = knob(4, "Batch size", help="The size whose gradients are drawn as points.", group="Batches",
                           live=True, bar=True, options=SIZES)
    distance: float = knob(1.0, "Distance from the best line", group="Model", live=True, bar=True, lo=0.0, hi=3.0,
                           step=0.1, help="How far slope and intercept are from those of the line behind the data.")
    spread: float = knob(0.5, "Noise in y", group="Data", live=True, bar=True, lo=0.0, hi=2.0, step=0.1)
    samples: int = knob(128, "Samples", group="Data", live=True, options=(32, 64, 128))
    seed: int = knob(0, "Seed", help="Seed of the points and of the loader’s order.", group="Data", live=True,
                     lo=0, hi=9999, step=1)
    # fmt: on


def gradient(x: Tensor, y: Tensor, at: Tensor) -> Tensor:
    """The gradient of the mean squared error of a line with (slope, intercept) `at`, by autograd: shape (2,)."""
    parameters = at.clone().requires_grad_()
    loss = (parameters[0] * x + parameters[1] - y).pow(2).mean()
    (found,) = torch.autograd.grad(loss, parameters)
    return found


def gradient_of_each(x: Tensor, y: Tensor, at: Tensor) -> Tensor:
    """The gradient of each sample's squared error, by the chain rule (samples, 2); a batch's gradient is their mean."""
    error = at[0] * x + at[1] - y  # (samples,)
    return 2 * error.unsqueeze(1) * torch.stack([x, torch.ones_like(x)], dim=1)


def batch_gradients(rows: Tensor, batch_size: int, generator: torch.Generator) -> Tensor:
    """The gradients of the batches that a shuffling DataLoader gives, at most MAX_BATCHES: (batches, 2)."""
    loader = DataLoader(TensorDataset(rows), batch_size=batch_size, shuffle=True, generator=generator)
    means: list[Tensor] = []
    for (batch,) in loader:  # (batch, 2)
        means.append(batch.mean(dim=0))
        if len(means) == MAX_BATCHES:
            break
    return torch.stack(means)


def cosines(gradients: Tensor, full: Tensor) -> Tensor:
    """The cosine of each gradient with the full gradient (batches,): 1 is the same direction, -1 the opposite one.

    It is NaN where one of the two is zero and so has no direction.
    """
    found = torch.nn.functional.cosine_similarity(gradients, full.unsqueeze(0), dim=1)
    return found.where((gradients.norm(dim=1) > ZERO_GRADIENT) & (full.norm() > ZERO_GRADIENT), torch.nan)


def expected_noise(rows: Tensor, batch_size: int) -> float:
    """The root mean squared length of (batch gradient - full gradient), for batches drawn without replacement.

    The variance of a mean of B out of N (Cochran, Sampling Techniques, theorem 2.2): S² / B * (1 - B / N).
    """
    return float((rows.var(dim=0).sum() / batch_size * (1 - batch_size / len(rows))).sqrt())


def draw_points(config: NoiseConfig) -> tuple[Tensor, Tensor, Tensor]:
    """The points' x and y, both (samples,), and the model's (slope, intercept)."""
    generator = torch.Generator().manual_seed(config.seed)
    x = 2 * torch.rand(config.samples, generator=generator) - 1
    y = SLOPE * x + INTERCEPT + config.spread * torch.randn(config.samples, generator=generator)
    return x, y, torch.tensor([SLOPE - config.distance, INTERCEPT - 0.5 * config.distance])


def draw(config: NoiseConfig) -> Sheet:
    """The sheet: cosines by batch size, the chosen size's gradients as points, and a table of all sizes."""
    x, y, at = draw_points(config)
    rows, full = gradient_of_each(x, y, at), gradient(x, y, at)
    generator = torch.Generator().manual_seed(config.seed)
    sizes = [size for size in SIZES if size <= config.samples]
    found = {size: batch_gradients(rows, size, generator) for size in sizes}
    scattered = {size: cosines(each, full) for size, each in found.items()}
    chosen = min(config.batch_size, config.samples)
    updates = {size: -(-config.samples // size) for size in sizes}
    table = []
    for size in sizes:
        measured = float((found[size] - full).pow(2).sum(dim=1).mean().sqrt())
        cosine = float(scattered[size].nanmean())
        numbers = (fixed(cosine, 3) if math.isfinite(cosine) else NO_DIRECTION, fixed(measured, 3))
        table.append((str(size), str(updates[size]), *numbers, fixed(expected_noise(rows, size), 3)))
    return Sheet(
        {
            "cosine": noise.cosines({size: each.numpy() for size, each in scattered.items()}, chosen),
            "cloud": noise.cloud(found[chosen].numpy(), full.numpy(), rows.numpy()),
            "updates": noise.updates(updates, chosen),
        },
        "" if full.norm() > ZERO_GRADIENT else EXACT,
        tables=(Table(COLUMNS, tuple(table)),),
        line=LINE,
        answer=ANSWER.format(cosine=float(scattered[chosen].nanmean())),
    )


LAB = Lab(
    name="data_loader_noise",
    title="Batch size and noise",
    sentence="A small batch estimates the gradient of all the data. How good is it, and how many updates per epoch?",
    config=NoiseConfig,
    draw=draw,
    charts=(
        Chart("cosine", "Direction", "The cosine of each batch’s gradient with the full gradient, by batch size."),
        Chart("cloud", "Gradients of the batches", "Each batch’s gradient as a point, and the full gradient."),
        Chart("updates", "Updates per epoch", "Steps per epoch, by batch size."),
    ),
)
