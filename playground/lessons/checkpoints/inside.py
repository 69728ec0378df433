"""The lab Inside a state_dict: names, shapes, bytes, histograms, and the difference of two moments of a training."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from playground.figures.theme import round_up
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.checkpoints import inspect_state_dict as inspecting
from playground.lessons.checkpoints.figures import state_dicts
from playground.lessons.classification import lesson as classification
from playground.lessons.regression import lesson as regression
from playground.runs.training_run import TrainingRun

LAST, EVERY = 200, 10  # steps of the training, and between two moments of it
SPIRAL = classification.LESSON.presets["Spiral"]


@dataclass(frozen=True)
class InsideConfig(Config):
    """Which training is looked into, at which two moments, and at which layer."""

    # fmt: off
    model: str = knob("regression", "Model", group="Model", live=True, options=("regression", "classes", "spiral"),
                      names={"regression": "Regression, 1-10-1", "classes": "Classification, 2-10-2",
                             "spiral": "Spiral, 2-12-12-2"})
    layer: int = knob(1, "Layer", help="1 is the first with weights.", group="Model", live=True, lo=1, hi=3)
    before: int = knob(0, "Earlier checkpoint (step)", group="Moments", live=True, lo=0, hi=LAST, step=EVERY)
    after: int = knob(100, "Later checkpoint (step)", group="Moments", live=True, lo=0, hi=LAST, step=EVERY)
    # fmt: on


def new_run(model: str) -> TrainingRun:
    """A run at step 0 of one of the lessons' models."""
    lesson = regression.LESSON if model == "regression" else classification.LESSON
    run = lesson.build(lesson.config(**(SPIRAL if model == "spiral" else {"max_steps": 0})))
    assert isinstance(run, TrainingRun)
    return run


@lru_cache(maxsize=3)
def moments(model: str) -> tuple[dict[str, Tensor], ...]:
    """The state_dict of every EVERY-th step of a training, from step 0 to LAST."""
    run, found = new_run(model), []
    for step in range(LAST + 1):
        if step % EVERY == 0:
            found.append({name: value.clone() for name, value in run.model.state_dict().items()})
        run.trainer.step()
    return tuple(found)


def draw_inside(config: InsideConfig) -> Sheet:
    """The layer at both moments, their difference, the spread of its numbers, and a table of all tensors."""
    every = moments(config.model)
    step_before, step_after = (EVERY * round(step / EVERY) for step in (config.before, config.after))
    before, after = every[step_before // EVERY], every[step_after // EVERY]
    names = inspecting.layers(after)
    if config.layer > len(names):
        raise ValueError(f"This model has {len(names)} layers with weights. Choose layer {len(names)} or a lower one.")
    layer = names[config.layer - 1]
    one, two = inspecting.matrix(before, layer), inspecting.matrix(after, layer)
    change = two - one
    reach = round_up(max(float(abs(one).max()), float(abs(two).max())))
    inputs = [*(str(index) for index in range(one.shape[1] - 1)), "bias"]
    edges = inspecting.edges_for(one, two)
    charts = {
        "before": state_dicts.heat(one, reach, inputs=inputs),
        "after": state_dicts.heat(two, reach, inputs=inputs),
        "difference": state_dicts.heat(change, round_up(float(abs(change).max())), inputs=inputs),
        "spread": state_dicts.histograms(
            edges,
            [
                (f"Step {step_before}", "@muted", inspecting.histogram(one, edges)),
                (f"Step {step_after}", "@model", inspecting.histogram(two, edges)),
            ],
        ),
    }
    return Sheet(charts, tables=(table(before, after),))


def table(before: dict[str, Tensor], after: dict[str, Tensor]) -> Table:
    """Every tensor of the later state_dict, and by how much it has changed at most since the earlier one."""
    rows = [
        (each.name, str(list(each.shape)), each.dtype, f"{each.numbers:,}", f"{each.bytes:,}", f"{each.mean:.4f}",
         f"{each.deviation:.4f}", f"{inspecting.largest_change(before, after, each.name):.4f}")
        for each in inspecting.entries(after)
    ]  # fmt: skip
    same = all(torch.equal(before[name], after[name]) for name in after)
    total = inspecting.entries(after)
    sums = (f"{sum(each.numbers for each in total):,}", f"{sum(each.bytes for each in total):,}")
    rows.append(("All", "", "", *sums, "", "", "none" if same else ""))
    columns = ("Name", "Shape", "dtype", "Numbers", "Bytes", "Mean", "Deviation", "Largest change")
    return Table(columns, tuple(rows), code=("Name", "Shape"))


LAB = Lab(
    name="checkpoints_inside",
    title="Inside a state_dict",
    sentence="A state_dict is tensors by name. Pick two moments of one training and see which numbers have moved.",
    config=InsideConfig,
    draw=draw_inside,
    charts=(
        Chart("before", "Earlier", "The layer's weights and bias at the earlier step: blue positive, orange negative."),
        Chart("after", "Later", "The same at the later step, in the same colours."),
        Chart("difference", "Difference", "Later minus earlier, on a scale of its own."),
        Chart("spread", "Spread", "A histogram of the layer's numbers at both steps."),
    ),
    presets={
        "Regression": {},
        "Output layer": {"layer": 2},
        "Late in training": {"before": 190, "after": 200},
        "Spiral": {"model": "spiral", "layer": 2, "after": 200},
    },
)
