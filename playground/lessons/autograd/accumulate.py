"""The lab "Backward twice": gradients add up in .grad until they are set to zero, and a graph can be used once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.autograd.figures import slopes
from playground.lessons.numbers import number
from playground.parsing.expressions import parse

FORMULAS = ("x**2", "sin(x)", "exp(x)", "x + x")
COLUMNS = ("Call", "x.grad before", "This call adds", "x.grad after", "Error")
ERROR = "RuntimeError: {error}"
LINE = "y.backward(); x.grad"  # the last call
NO_GRADIENT = "None"  # as torch prints it: nothing has reached x yet, or zero_grad() has removed it


@dataclass(frozen=True)
class AccumulateConfig(Config):
    """The formula, the number of calls of backward(), and what happens between two calls."""

    # fmt: off
    formula: str = knob("x**2", "y", group="Formula", live=True, bar=True, options=FORMULAS)
    x: float = knob(3.0, "x", group="Formula", live=True, lo=-3.0, hi=3.0, step=0.1)
    calls: int = knob(2, "Calls of backward()", group="Calls", live=True, bar=True, lo=1, hi=8, step=1)
    forward: bool = knob(False, "Compute y again each time", group="Calls", live=True,
                         help="A forward pass before each call, as in a training loop: each call has a new graph.")
    retain: bool = knob(True, "retain_graph=True", group="Calls", live=True, bar=True,
                        help="Keep the saved values of the graph for another backward().")
    zero: bool = knob(False, "zero_grad() before each call", group="Calls", live=True, bar=True)
    # fmt: on


@dataclass(frozen=True)
class Call:
    """One call of backward(): x.grad before it (None if there is none) and after it, and torch's error if it failed."""

    before: float | None
    after: float
    error: str = ""


def call_backward(config: AccumulateConfig) -> list[Call]:
    """The calls of backward(), as many as the config says or until one fails."""
    x = torch.tensor(config.x, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=0.1)
    formula = parse(config.formula, ["x"])
    y = formula.evaluate({"x": x})
    calls: list[Call] = []
    for _ in range(config.calls):
        if config.forward and calls:
            y = formula.evaluate({"x": x})
        if config.zero:
            optimizer.zero_grad()
        before = None if x.grad is None else x.grad.item()
        try:
            torch.autograd.backward(y, retain_graph=config.retain)  # the same as y.backward(...)
        except RuntimeError as error:
            calls.append(Call(before, before or 0.0, str(error)))
            break
        assert x.grad is not None
        calls.append(Call(before, x.grad.item()))
    return calls


def draw_calls(config: AccumulateConfig) -> Sheet:
    """The gradient after each call as bars, and the calls as a table."""
    calls = call_backward(config)
    succeeded = [call for call in calls if not call.error]
    failed = len(calls) if calls[-1].error else None
    before = np.array([call.before or 0.0 for call in succeeded])
    after = np.array([call.after for call in succeeded])
    rows = tuple(
        (f"{index}", NO_GRADIENT if call.before is None else number(call.before, 6),
         "" if call.error else number(call.after - (call.before or 0.0), 6),
         "" if call.error else number(call.after, 6), ERROR.format(error=call.error) if call.error else "")
        for index, call in enumerate(calls, 1)
    )  # fmt: skip
    table = Table(COLUMNS, rows)
    last = calls[-1]
    answer = ERROR.format(error=last.error) if last.error else str(torch.tensor(last.after))
    return Sheet({"calls": slopes.carried(before, after - before, failed)}, tables=(table,), line=LINE, answer=answer)


LAB = Lab(
    name="autograd_accumulate",
    title="Backward twice",
    sentence="backward() adds to .grad and does not replace it. It can use its graph only once.",
    config=AccumulateConfig,
    draw=draw_calls,
    charts=(
        Chart("calls", "The gradient after each call", "A bar for each call: the earlier gradient and what it added."),
    ),
)
