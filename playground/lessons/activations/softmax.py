"""The lab "Softmax or softplus": shares of 1 that depend on all scores, and a function of each score alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.autograd.functional import jacobian
from torch.nn import functional

from playground.figures.functions import bars
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.numbers import fixed, number

NAMES = ("z₁", "z₂", "z₃", "z₄")
NOTE = "The tutorial calls softplus “softmax”. They are two functions: only softmax depends on the other scores."
COLUMNS = ("", "score", "softmax", "derivative with respect to {name}", "softplus",
           "derivative with respect to {name} ")  # fmt: skip
SUM = "sum"
LINE, LINE_WITH_TEMPERATURE = "torch.softmax(z, dim=0)", "torch.softmax(z / {temperature}, dim=0)"
AXES = {"softmax": "Share of 1", "softplus": "Softplus of the score"}
SCORE = "Score {name}"


def _score(default: float, name: str, *, bar: bool = False) -> float:
    score: float = knob(default, SCORE.format(name=name), group="Scores", live=True, bar=bar, lo=-5.0, hi=5.0, step=0.1)
    return score


@dataclass(frozen=True)
class SoftmaxConfig(Config):
    """Four scores, the temperature that divides them, and the score for the derivatives."""

    # fmt: off
    z1: float = _score(2.0, NAMES[0], bar=True)
    z2: float = _score(1.0, NAMES[1], bar=True)
    z3: float = _score(0.0, NAMES[2])
    z4: float = _score(-1.0, NAMES[3])
    temperature: float = knob(1.0, "Temperature T", help="Scores are divided by it before softmax; softplus has none.",
                              group="Softmax", live=True, bar=True, lo=0.1, hi=10.0, step=0.1)
    push: int = knob(1, "Score to change", help="The table shows how every output changes with it.", group="Softmax",
                     live=True, options=(1, 2, 3, 4), names=dict(enumerate(NAMES, start=1)))
    # fmt: on


def shares(scores: Tensor, temperature: float) -> Tensor:
    """Softmax of the scores: positive shares whose sum is 1; shaped like the scores."""
    return functional.softmax(scores / temperature, dim=0)


def slopes(function: Callable[[Tensor], Tensor], scores: Tensor) -> Tensor:
    """The derivative of each output (row) with respect to each score (column), by autograd: (outputs, scores)."""
    table: Tensor = jacobian(function, scores)  # type: ignore[no-untyped-call]
    return table


def draw_softmax(config: SoftmaxConfig) -> Sheet:
    """Both functions of the scores as bars, and a table of the derivatives with respect to one score."""
    scores = torch.tensor([config.z1, config.z2, config.z3, config.z4], dtype=torch.float64)
    one, each = shares(scores, config.temperature), functional.softplus(scores)
    changed = config.push - 1
    derivative = slopes(partial(shares, temperature=config.temperature), scores)[:, changed]
    derivative_alone = slopes(functional.softplus, scores)[:, changed]
    charts = {
        "softmax": bars(NAMES, one.numpy(), span=(0.0, 1.12), title=AXES["softmax"], colour="@model", chosen=changed),
        "softplus": bars(NAMES, each.numpy(), span=(0.0, 5.6), title=AXES["softplus"], colour="@train",
                         chosen=changed),
    }  # fmt: skip
    rows = [
        (
            NAMES[k],
            number(scores[k].item()),
            fixed(one[k].item(), 4),
            fixed(derivative[k].item(), 4),
            fixed(each[k].item(), 4),
            fixed(derivative_alone[k].item(), 4),
        )
        for k in range(len(NAMES))
    ]
    total = (SUM, "", *(fixed(column.sum().item(), 4) for column in (one, derivative, each, derivative_alone)))
    columns = tuple(column.format(name=NAMES[changed]) for column in COLUMNS)
    line = LINE if config.temperature == 1 else LINE_WITH_TEMPERATURE.format(temperature=f"{config.temperature:g}")
    answer = " ".join(str(one.float()).split())
    return Sheet(charts, NOTE, (Table(columns, (*rows, total)),), line=line, answer=answer)


SOFTMAX = Lab(
    name="activations_softmax",
    title="Softmax or softplus",
    sentence="The same four scores twice: as shares of 1, and one by one.",
    config=SoftmaxConfig,
    draw=draw_softmax,
    charts=(
        Chart("softmax", "Softmax: shares of 1", "A bar for the share of each score."),
        Chart("softplus", "Softplus: one by one", "A bar for the softplus of each score."),
    ),
)
