"""The lab Inside a state_dict: names, shapes, bytes, histograms, and the difference of two checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from playground.figures.theme import round_up
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.checkpoints import inspect_state_dict
from playground.lessons.checkpoints.figures import state_dicts
from playground.lessons.classification import lesson as classification
from playground.lessons.numbers import fixed, number
from playground.lessons.regression import lesson as regression
from playground.runs.training_run import TrainingRun

LAST, EVERY = 200, 10  # steps of the training, and between two of its checkpoints
NO_LAYER = "This model has {layers} layers with weights. Choose layer {layers} or a lower one."
MIN_CHANGE = 1e-3  # a smaller change is written with significant digits
BIAS, STEP, ALL, NO_CHANGE, DIFFERENCE = "bias", "Step {step}", "All", "none", "Difference"
LINE, ANSWER = '(after["{name}"] - before["{name}"]).abs().max()', "tensor({value:.4g})"
COLUMNS = ("Name", "Shape", "dtype", "Numbers", "Bytes", "Mean", "Standard deviation", "Largest change")
SPIRAL: dict[str, Any] = {
    "cloud": "spiral", "noise": 0.4, "layers": 2, "units_1": 12, "units_2": 12, "activation": "tanh",
    "optimizer": "adam", "lr": 0.01, "batch_size": 32, "max_steps": 0,
}  # fmt: skip


@dataclass(frozen=True)
class InsideConfig(Config):
    """The model, the layer, and the two checkpoints that are compared."""

    # fmt: off
    model: str = knob("regression", "Model", group="Model", live=True, bar=True,
                      options=("regression", "classes", "spiral"),
                      names={"regression": "Regression, 1-10-1", "classes": "Classification, 2-10-2",
                             "spiral": "Spiral, 2-12-12-2"})
    layer: int = knob(1, "Layer", help="1 is the first layer with weights.", group="Model", live=True, bar=True, lo=1,
                      hi=3)
    before: int = knob(0, "Earlier step", group="Checkpoints", live=True, bar=True, lo=0, hi=LAST,
                       step=EVERY)
    after: int = knob(100, "Later step", group="Checkpoints", live=True, bar=True, lo=0, hi=LAST,
                      step=EVERY)
    # fmt: on


def new_run(model: str) -> TrainingRun:
    """A run at step 0 with the model of another lesson."""
    lesson = regression.LESSON if model == "regression" else classification.LESSON
    run = lesson.build(lesson.config(**(SPIRAL if model == "spiral" else {"max_steps": 0})))
    assert isinstance(run, TrainingRun)
    return run


@lru_cache(maxsize=3)
def checkpoints(model: str) -> tuple[dict[str, Tensor], ...]:
    """The state_dicts of a training at every EVERY-th step, from step 0 to LAST."""
    run, found = new_run(model), []
    for step in range(LAST + 1):
        if step % EVERY == 0:
            found.append({name: value.clone() for name, value in run.model.state_dict().items()})
        run.trainer.step()
    return tuple(found)


def draw_inside(config: InsideConfig) -> Sheet:
    """The sheet: the layer at both steps, the difference, histograms of its numbers, and a table of all tensors."""
    every = checkpoints(config.model)
    step_before, step_after = (EVERY * round(step / EVERY) for step in (config.before, config.after))
    before, after = every[step_before // EVERY], every[step_after // EVERY]
    names = inspect_state_dict.layers(after)
    if config.layer > len(names):
        raise ValueError(NO_LAYER.format(layers=len(names)))
    layer = names[config.layer - 1]
    one, two = inspect_state_dict.matrix(before, layer), inspect_state_dict.matrix(after, layer)
    change = two - one
    reach = round_up(max(float(abs(one).max()), float(abs(two).max())))
    inputs = [*(str(index) for index in range(one.shape[1] - 1)), BIAS]
    edges = inspect_state_dict.edges_for(one, two)
    charts = {
        "layer": state_dicts.heats(
            [
                (STEP.format(step=step_before), one, reach),
                (STEP.format(step=step_after), two, reach),
                (DIFFERENCE, change, round_up(float(abs(change).max()))),
            ],
            inputs=inputs,
        ),
        "spread": state_dicts.histograms(
            edges,
            [
                (STEP.format(step=step_before), "@muted", inspect_state_dict.histogram(one, edges)),
                (STEP.format(step=step_after), "@model", inspect_state_dict.histogram(two, edges)),
            ],
        ),
    }
    line = LINE.format(name=f"{layer}.weight")
    answer = ANSWER.format(value=inspect_state_dict.largest_change(before, after, f"{layer}.weight"))
    return Sheet(charts, tables=(table(before, after),), line=line, answer=answer)


def table(before: dict[str, Tensor], after: dict[str, Tensor]) -> Table:
    """Each tensor of the later state_dict, with its largest change since the earlier one, and a row of totals."""
    rows = [
        (each.name, str(list(each.shape)), each.dtype, f"{each.numbers:,}", f"{each.bytes:,}", fixed(each.mean, 4),
         fixed(each.deviation, 4), change_of(before, after, each.name))
        for each in inspect_state_dict.entries(after)
    ]  # fmt: skip
    same = all(torch.equal(before[name], after[name]) for name in after)
    total = inspect_state_dict.entries(after)
    sums = (f"{sum(each.numbers for each in total):,}", f"{sum(each.bytes for each in total):,}")
    rows.append((ALL, "", "", *sums, "", "", NO_CHANGE if same else ""))
    return Table(COLUMNS, tuple(rows), code=("Name", "Shape"))


def change_of(before: dict[str, Tensor], after: dict[str, Tensor], name: str) -> str:
    """The largest change of a tensor's numbers, also where it is far too small for four decimals."""
    change = inspect_state_dict.largest_change(before, after, name)
    return fixed(change, 4) if change == 0 or change >= MIN_CHANGE else number(change)


LAB = Lab(
    name="checkpoints_inside",
    title="Inside a state_dict",
    sentence="A state_dict is tensors by name. Choose two steps of a training and see which numbers have changed.",
    config=InsideConfig,
    draw=draw_inside,
    charts=(
        Chart("layer", "The layer", "The layer’s weights and bias at the earlier and the later step, blue positive, "
              "orange negative, and the later ones minus the earlier ones, with a colour scale of their own."),
        Chart("spread", "Spread", "A histogram of the layer’s numbers at both steps."),
    ),
)  # fmt: skip
