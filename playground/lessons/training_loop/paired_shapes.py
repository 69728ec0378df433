"""The lab (n) against (n, 1): a loss that compares every prediction with every target, and only warns of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from playground.engine.frames import Figure
from playground.figures.cells import Block, cells
from playground.figures.parts import line, markers
from playground.figures.theme import axis, layout
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.numbers import fixed
from playground.lessons.run_line_by_line import Print, run_program

PREDICTIONS = {"column": "(n, 1): model(x)", "flat": "(n): squeeze(1)"}
TARGETS = {"flat": "(n): as given", "column": "(n, 1): unsqueeze(1)"}
LOSSES: dict[str, tuple[str, Callable[..., Tensor]]] = {
    "mse": ("MSELoss", functional.mse_loss), "l1": ("L1Loss", functional.l1_loss),
    "huber": ("HuberLoss", functional.huber_loss),
}  # fmt: skip
SLOPE = 2.0  # of the line behind the points
RATE = 0.3  # of gradient descent
MAX_STEPS = 300
NOTES = {  # at most 90 letters
    "paired": "{count} differences: each prediction is compared with its own target.",
    "crossed": "{count} differences instead of {n}: each prediction is compared with every target.",
}
LINE, ANSWER = "loss_fn(prediction, y)", "tensor({loss})"
TITLES = {"prediction": "prediction", "target": "y", "difference": "prediction − y", "shape": "({sizes})"}
SIGNS = ("−", "=")
COLUMNS = ("Shapes", "prediction", "y", "prediction − y", "Loss", "R² of the line", "What torch prints")
ROWS = ("these", "equal")
NO_WARNING = "nothing"
NAMES = {"points": "Points", "learned": "Learned with these shapes", "paired": "Learned with equal shapes"}


@dataclass(frozen=True)
class PairedShapesConfig(Config):
    """The shapes of predictions and targets, the loss, and how long the line is trained with it."""

    # fmt: off
    prediction: str = knob("column", "Prediction", group="Shapes", live=True, bar=True, options=tuple(PREDICTIONS),
                           names=PREDICTIONS)
    target: str = knob("flat", "y", group="Shapes", live=True, bar=True, options=tuple(TARGETS), names=TARGETS)
    loss: str = knob("mse", "Loss", group="Training", live=True, options=tuple(LOSSES),
                     names={name: label for name, (label, _) in LOSSES.items()})
    steps: int = knob(100, "Steps", group="Training", live=True, bar=True, lo=0, hi=MAX_STEPS, step=1,
                      help="Of gradient descent on all points, at a rate of 0.3.")
    n: int = knob(6, "n, the points", group="Data", live=True, lo=2, hi=10, step=1)
    noise: float = knob(0.3, "Noise in y", group="Data", live=True, lo=0.0, hi=1.0, step=0.1)
    seed: int = knob(0, "Seed", group="Data", live=True, lo=0, hi=99, step=1)
    # fmt: on


def points(config: PairedShapesConfig) -> tuple[Tensor, Tensor]:
    """X float32 (n, 1), from left to right, and y (n,): a line with noise."""
    generator = torch.Generator().manual_seed(config.seed)
    x = torch.linspace(-1, 1, config.n)[:, None]
    return x, SLOPE * x[:, 0] + config.noise * torch.randn(config.n, generator=generator)


def shaped(values: Tensor, shape: str) -> Tensor:
    """The numbers of a column (n, 1) or of (n,) in the chosen shape."""
    return values.reshape(-1, 1) if shape == "column" else values.reshape(-1)


def train(config: PairedShapesConfig, prediction_shape: str, target_shape: str) -> Tensor:
    """The line (slope, intercept) that gradient descent finds from (0, 0) with these shapes in the loss."""
    x, y = points(config)
    loss_fn = LOSSES[config.loss][1]
    weights = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.SGD([weights], lr=RATE)
    target = shaped(y, target_shape)
    for _ in range(config.steps):
        prediction = shaped(weights[0] * x + weights[1], prediction_shape)
        loss = loss_of(loss_fn, prediction, target)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return weights.detach()


def loss_of(loss_fn: Callable[..., Tensor], prediction: Tensor, y: Tensor) -> Tensor:
    """The loss that broadcasting gives, without a warning."""
    shape = (prediction.detach() - y).shape
    return loss_fn(prediction.expand(shape), y.expand(shape))


def compare(print: Print, loss_fn: Callable[..., Tensor], prediction: Tensor, y: Tensor) -> None:
    """The loss, as a script computes it."""
    print(loss_fn(prediction, y).item())


def warning_of(loss_fn: Callable[..., Tensor], prediction: Tensor, y: Tensor) -> str:
    """What torch warns of when it compares these tensors; "" where it says nothing."""
    output = "\n".join(each.output for each in run_program(compare, loss_fn, prediction, y))
    return output.rpartition("\n")[0]


def draw_pairs(config: PairedShapesConfig) -> Sheet:
    """All differences that the loss averages, and the line that it teaches."""
    x, y = points(config)
    loss_fn = LOSSES[config.loss][1]
    learned, paired = train(config, config.prediction, config.target), train(config, "flat", "flat")
    rows = []
    for name, weights, shapes in (
        (ROWS[0], learned, (config.prediction, config.target)),
        (ROWS[1], paired, ("flat", "flat")),
    ):
        prediction, target = shaped(weights[0] * x + weights[1], shapes[0]), shaped(y, shapes[1])
        warning = warning_of(loss_fn, prediction, target) or NO_WARNING
        loss = loss_of(loss_fn, prediction, target).item()
        difference = prediction - target
        sizes = tuple(_shape(each) for each in (prediction, target, difference))
        rows.append((name, *sizes, fixed(loss, 4), fixed(_r2(weights, x, y), 3), warning))
    prediction, target = shaped(learned[0] * x + learned[1], config.prediction), shaped(y, config.target)
    difference = prediction - target
    is_crossed = difference.numel() > config.n
    note = NOTES["crossed" if is_crossed else "paired"].format(count=difference.numel(), n=config.n)
    charts = {"differences": _differences(prediction, target, difference), "line": _line(x, y, learned, paired)}
    loss = loss_of(loss_fn, prediction, target).item()
    answer = ANSWER.format(loss=f"{loss:.4f}")
    return Sheet(charts, note, (Table(COLUMNS, tuple(rows), code=COLUMNS[6:]),), line=LINE, answer=answer)


def _shape(values: Tensor) -> str:
    return str(tuple(values.shape))


def _r2(weights: Tensor, x: Tensor, y: Tensor) -> float:
    """The share of the variance of y that a line explains."""
    error = (weights[0] * x[:, 0] + weights[1] - y).square().sum()
    return 1 - (error / (y - y.mean()).square().sum()).item()


def _differences(prediction: Tensor, target: Tensor, difference: Tensor) -> Figure:
    """The two arrays and their difference as cells; the pairs that are meant have a frame."""
    largest = float(torch.cat([prediction.flatten(), target.flatten(), difference.flatten()]).abs().max()) or 1.0
    blocks = []
    for name, values in (("prediction", prediction), ("target", target), ("difference", difference)):
        numbers = values.numpy()
        texts = np.array([fixed(number, 1) for number in numbers.ravel()], object).reshape(numbers.shape)
        mark = np.eye(*numbers.shape) > 0 if numbers.ndim == 2 and 1 not in numbers.shape else None
        blocks.append(Block(TITLES[name], texts, numbers / largest, mark=mark, detail=_shape(values)))
    return cells(blocks, signs=SIGNS)


def _line(x: Tensor, y: Tensor, learned: Tensor, paired: Tensor) -> Figure:
    """The points, the line that was learned, and the one that equal shapes give."""
    ends = np.array([-1.1, 1.1])
    reach = 1.15 * max(SLOPE, float(y.abs().max()))
    pens = ({"color": "@model", "width": 3}, {"color": "@muted", "width": 2, "dash": "dash"})
    lines = [
        line(NAMES[name], ends, weights[0].item() * ends + weights[1].item(), pen)
        for name, weights, pen in zip(("learned", "paired"), (learned, paired), pens, strict=True)
    ]
    dots = markers(NAMES["points"], x[:, 0].numpy(), y.numpy(), {"color": "@train", "size": 9},
                   "x %{x:.2f}, y %{y:.2f}<extra></extra>")  # fmt: skip
    return {"data": [*lines, dots], "layout": layout(axis("x", [-1.1, 1.1]), axis("y", [-reach, reach]))}


LAB = Lab(
    name="training_loop_pairs",
    title="(n) against (n, 1)",
    sentence="Two shapes that fit by broadcasting: the loss then compares every prediction with every target.",
    config=PairedShapesConfig,
    draw=draw_pairs,
    charts=(
        Chart("differences", "What the loss averages", "Predictions, targets and differences as arrays of cells."),
        Chart("line", "The line it teaches", "Points, the line learned with these shapes, and with equal shapes."),
    ),
)  # fmt: skip
