"""The lab Resume well: a training that is stopped and resumed with more or less state, and one that never stops."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from playground.data import datasets
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.checkpoints.figures import state_dicts
from playground.lessons.numbers import number
from playground.training import models
from playground.training.trainer import Batches, Trainer, build_optimizer

LAST = 80  # steps of each training
OPTIMIZERS = {"sgd": "SGD", "momentum": "SGD with momentum", "adam": "Adam"}
NOISE = 0.05
RATES = {"sgd": 0.2, "momentum": 0.05, "adam": 0.05}


@dataclass(frozen=True)
class ResumeConfig(Config):
    """The training, and the step at which it is stopped and resumed."""

    # fmt: off
    stop: int = knob(30, "Stopped at step", group="Training", live=True, bar=True, lo=0, hi=60, step=1)
    optimizer: str = knob("adam", "Optimizer", group="Training", live=True, bar=True, options=tuple(OPTIMIZERS),
                          names=OPTIMIZERS)
    batch_size: int = knob(10, "Batch size", group="Training", live=True, bar=True, options=(0, 5, 10, 20, 50),
                           names={0: "all"})
    seed: int = knob(1, "Seed", group="Training", live=True, lo=0, hi=9999, more=True)
    # fmt: on


@dataclass(frozen=True)
class Trained:
    """One training: the loss on all the data and the parameters, before its first step and after each."""

    losses: Tensor  # (steps + 1,)
    parameters: Tensor  # (steps + 1, parameters)


def new_trainer(config: ResumeConfig) -> Trainer:
    """Model, optimizer and batches as a script builds them at its start, for a new training or to resume one."""
    data = datasets.curve("square", 100, NOISE, 0.0, torch.Generator().manual_seed(config.seed))
    net = models.mlp(1, [10], 1, generator=torch.Generator().manual_seed(config.seed))
    optimizer = build_optimizer(config.optimizer, net.parameters(), lr=RATES[config.optimizer])
    batches = Batches(data.x_train, data.y_train, config.batch_size, torch.Generator().manual_seed(config.seed))
    return Trainer(net, nn.MSELoss(), optimizer, batches)


def resume_weights(trainer: Trainer, checkpoint: dict[str, Any]) -> None:
    """Restore only the weights."""
    trainer.model.load_state_dict(checkpoint["model"])


def resume_optimizer(trainer: Trainer, checkpoint: dict[str, Any]) -> None:
    """Restore the weights and the optimizer's state."""
    trainer.model.load_state_dict(checkpoint["model"])
    trainer.optimizer.load_state_dict(checkpoint["optimizer"])


def resume_all(trainer: Trainer, checkpoint: dict[str, Any]) -> None:
    """Restore the weights, the optimizer, the order of the batches and the generator of the next orders."""
    trainer.model.load_state_dict(checkpoint["model"])
    trainer.optimizer.load_state_dict(checkpoint["optimizer"])
    trainer.batches.load_state_dict(checkpoint["batches"])


Resume = Callable[[Trainer, dict[str, Any]], None]
NEVER_STOPPED = "Never stopped"
TITLES = {"loss": "Loss on all the data", "distance": "Distance"}
COLUMNS = ("What was restored", "Loss at the end", "Distance at the end", "Weights equal bit for bit")
YES_NO = {True: "yes", False: "no"}
LINE = "[torch.equal(weights, never_stopped) for weights in resumed]"
NO_LINE = "At distance 0 at every step, and so without a line in the chart of distances: {names}."
QUOTED, BETWEEN = "“{name}”", ", "
WAYS: tuple[tuple[str, str, Resume], ...] = (
    ("Weights only", "@negative", resume_weights),
    ("+ optimizer", "@positive", resume_optimizer),
    ("+ batches, random numbers", "@model", resume_all),
)


def train(trainer: Trainer, steps: int, checkpoints: list[dict[str, Any]] | None = None) -> Trained:
    """Train for some steps; if a list is given, append a checkpoint before the first step and after each."""
    losses, parameters = [], []
    for step in range(steps + 1):
        if step:
            trainer.step()
        if checkpoints is not None:
            checkpoints.append(trainer.state_dict())
        with torch.no_grad():
            losses.append(trainer.loss_fn(trainer.model(trainer.batches.x), trainer.batches.y))
            parameters.append(parameters_to_vector(trainer.model.parameters()).clone())
    return Trained(torch.stack(losses), torch.stack(parameters))


@lru_cache(maxsize=8)
def never_stopped(config: ResumeConfig) -> tuple[Trained, list[dict[str, Any]]]:
    """The training that never stops, and its checkpoints at every step."""
    checkpoints: list[dict[str, Any]] = []
    return train(new_trainer(config), LAST, checkpoints), checkpoints


@lru_cache(maxsize=32)
def trainings(config: ResumeConfig) -> tuple[Trained, ...]:
    """The training that never stopped, then the three resumed ones, each from the step `config.stop` on."""
    whole, checkpoints = never_stopped(config.with_values(stop=0))  # the same for every stop
    found = [whole]
    for _, _, resume in WAYS:
        trainer = new_trainer(config)
        resume(
            trainer, deepcopy(checkpoints[config.stop])
        )  # because an optimizer updates the tensors it loads in place
        found.append(train(trainer, LAST - config.stop))
    return tuple(found)


def distances(whole: Trained, resumed: Trained, stop: int) -> NDArray[Any]:
    """The distance of the resumed model's parameters from those of the training that never stopped, step by step."""
    far: NDArray[Any] = (resumed.parameters - whole.parameters[stop:]).norm(dim=1).numpy()
    return far


def draw_resume(config: ResumeConfig) -> Sheet:
    """The sheet: losses, distances, and a table of how each training ended."""
    whole, *resumed = trainings(config)
    far = [distances(whole, each, config.stop) for each in resumed]
    names = [(name, colour) for name, colour, _ in WAYS]
    losses = [(NEVER_STOPPED, "@muted/0.5", whole.losses.numpy())]
    losses += [(*name, each.losses.numpy()) for name, each in zip(names, resumed, strict=True)]
    gaps = [
        ("", "@muted/0", np.full(LAST + 1, np.nan)),
        *((*name, each) for name, each in zip(names, far, strict=True)),
    ]
    charts = {
        "loss": state_dicts.diverging(losses, stopped=config.stop, title=TITLES["loss"]),
        "distance": state_dicts.diverging(gaps, stopped=config.stop, title=TITLES["distance"]),
    }
    rows = tuple(
        (name, f"{float(each.losses[-1]):.6f}", number(float(gap[-1]), 4), equal(whole, each))
        for (name, _), each, gap in zip(names, resumed, far, strict=True)
    )
    rows = ((NEVER_STOPPED, f"{float(whole.losses[-1]):.6f}", "", ""), *rows)
    same = BETWEEN.join(QUOTED.format(name=name) for (name, _), gap in zip(names, far, strict=True) if not gap.any())
    ends = str([_ends_equal(whole, each) for each in resumed])
    note = NO_LINE.format(names=same) if same else ""
    return Sheet(charts, note, tables=(Table(COLUMNS, rows),), line=LINE, answer=ends)


def equal(whole: Trained, resumed: Trained) -> str:
    """“yes” or “no”: whether both ended with the same weights, bit for bit."""
    return YES_NO[_ends_equal(whole, resumed)]


def _ends_equal(whole: Trained, resumed: Trained) -> bool:
    return whole.parameters[-1].numpy().tobytes() == resumed.parameters[-1].numpy().tobytes()


LAB = Lab(
    name="checkpoints_resume",
    title="Resume well",
    sentence="One training never stops. Three are stopped, saved and resumed: which of them continues as if nothing "
    "had happened?",
    config=ResumeConfig,
    draw=draw_resume,
    charts=(
        Chart("loss", "Loss", "Loss over steps of the training that never stopped and of the three resumed ones."),
        Chart("distance", "Distance from it", "The Euclidean distance of each resumed "
              "model’s weights from those of the training that never stopped; no line where they are equal."),
    ),
)  # fmt: skip
