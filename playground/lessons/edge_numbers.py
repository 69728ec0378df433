"""The numbers on the lines of a network's drawing while the lines of a step are shown one at a time."""

from __future__ import annotations

from torch import nn

from playground.figures.graphs import EdgeNumbers
from playground.runs.line_walk import Walk
from playground.training.line_by_line import BACKWARD, LINES, STEP, ZERO_GRAD

TITLE = "{number} of {count}: {line}<br>{on_edges}"
LEFT_OUT = "no {line}"
ON_EDGES = {
    "weights": "On the lines: weights",
    "gradients": "On the lines: gradients",
    "updates": "On the lines: updates",
}


def on_edges(walk: Walk | None, model: nn.Sequential) -> EdgeNumbers | None:
    """The numbers on the network's lines after the line that just ran: weights, gradients, or what step() adds."""
    if walk is None:
        return None
    line = LINES[walk.shown - 1]
    shown = {BACKWARD: "gradients", STEP: "updates"}.get(line, "weights")
    values = {"gradients": walk.lines.gradients, "updates": walk.lines.updates}.get(shown, list(model.parameters()))
    is_left_out = line == ZERO_GRAD and not walk.lines.clears
    name = LEFT_OUT.format(line=line) if is_left_out else line
    title = TITLE.format(number=walk.shown, count=len(LINES), line=name, on_edges=ON_EDGES[shown])
    return EdgeNumbers(title, [each.detach().numpy() for each in values[::2]])
