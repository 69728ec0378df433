"""The lab Sorted labels: the same training on sorted data, once in order and once shuffled (2.4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from playground.figures.theme import round_up
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.data_loader.figures import noise

CHANCE = math.log(2)  # the loss of a model that always answers 0.5
BATCH_SIZES = (10, 20, 40, 80, 160)
NAMES = ("In order", "Shuffled")
TITLES = {"losses": "Loss on all the data", "answers": "Mean probability of class 1", "labels": "Class 1 in batch"}
LINE = "[train(data, shuffle=each).losses[-1] for each in (False, True)]"
COLUMNS = ("Order", "Loss at the end", "Highest in the last epoch", "Lowest in the last epoch")


@dataclass(frozen=True)
class SortedConfig(Config):
    """The data and the training, the same for both runs."""

    # fmt: off
    lr: float = knob(2.0, "Learning rate", live=True, bar=True, options=(0.03, 0.1, 0.3, 1.0, 2.0, 3.0))
    batch_size: int = knob(10, "Batch size", live=True, bar=True, options=BATCH_SIZES)
    epochs: int = knob(5, "Epochs", live=True, bar=True, lo=1, hi=6, step=1)
    samples: int = knob(160, "Samples", help="Half of them belong to each class; class 0 comes first.", group="Data",
                        live=True, options=(40, 80, 160))
    overlap: float = knob(1.0, "Spread of a class", group="Data", live=True, lo=0.2, hi=2.0, step=0.1,
                          help="Its standard deviation. The classes are centred at −1 and 1.")
    seed: int = knob(0, "Seed", help="Seed of the points and of the shuffled order.", group="Data", live=True,
                     lo=0, hi=9999, step=1)
    # fmt: on


@dataclass(frozen=True)
class Trained:
    """A training: measures before the first step and after each (steps + 1,), and its batches' labels (steps,)."""

    losses: Tensor  # on all the data
    answers: Tensor  # the mean predicted probability of class 1 on all the data
    labels: Tensor  # the share of class 1 in the batch


def draw_points(config: SortedConfig) -> tuple[Tensor, Tensor]:
    """Points x and labels y, both (samples, 1): class 0 first, then class 1."""
    generator = torch.Generator().manual_seed(config.seed)
    y = (torch.arange(config.samples) >= config.samples // 2).float().unsqueeze(1)
    return 2 * y - 1 + config.overlap * torch.randn(y.size(), generator=generator), y


def train(config: SortedConfig, x: Tensor, y: Tensor, *, shuffle: bool) -> Trained:
    """A logistic regression trained from zero weights on the batches of a DataLoader."""
    generator = torch.Generator().manual_seed(config.seed)
    loader = DataLoader(TensorDataset(x, y), config.batch_size, shuffle=shuffle, generator=generator)
    model, loss_fn = nn.Linear(1, 1, device="meta").to_empty(device="cpu"), nn.BCEWithLogitsLoss()
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=config.lr, foreach=False)
    logits, labels = [model(x).detach()], []
    for _ in range(config.epochs):
        for batch_x, batch_y in loader:
            loss = loss_fn(model(batch_x), batch_y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            logits.append(model(x).detach())
            labels.append(batch_y.mean())
    every = torch.cat(logits, dim=1)  # (samples, steps + 1)
    losses = nn.functional.binary_cross_entropy_with_logits(every, y.expand_as(every), reduction="none").mean(dim=0)
    return Trained(losses, every.sigmoid().mean(dim=0), torch.stack(labels))


def draw(config: SortedConfig) -> Sheet:
    """The sheet of both trainings: the loss, the predicted probability, and the labels in the batches."""
    x, y = draw_points(config)
    in_order, mixed = train(config, x, y, shuffle=False), train(config, x, y, shuffle=True)
    both = ((NAMES[0], "@negative", in_order), (NAMES[1], "@positive", mixed))
    epoch = -(-config.samples // config.batch_size)
    top = round_up(max(float(each.losses.max()) for _, _, each in both))

    def lines(field: str) -> list[tuple[str, str, NDArray[Any]]]:
        return [(name, colour, getattr(each, field).numpy()) for name, colour, each in both]

    rows = tuple(
        (name, f"{each.losses[-1]:.3f}", f"{each.losses[-epoch:].max():.3f}", f"{each.losses[-epoch:].min():.3f}")
        for name, _, each in both
    )
    return Sheet(
        {
            "loss": noise.side_by_side(
                lines("losses"), title=TITLES["losses"], span=[0, top], epoch=epoch, floor=CHANCE
            ),
            "says": noise.side_by_side(lines("answers"), title=TITLES["answers"], span=[0, 1], epoch=epoch, floor=0.5),
            "labels": noise.side_by_side(lines("labels"), title=TITLES["labels"], span=[-0.05, 1.05], epoch=epoch),
        },
        tables=(Table(COLUMNS, rows),),
        line=LINE,
        answer=str([float(row[1]) for row in rows]),
    )


LAB = Lab(
    name="data_loader_sorted",
    title="Sorted labels",
    sentence="The data is sorted: first all samples of class 0, then all of class 1. What does shuffle=True change?",
    config=SortedConfig,
    draw=draw,
    charts=(
        Chart("loss", "Loss", "Loss on all the data over steps, in order and shuffled; dotted: always answering 0.5."),
        Chart("says", "What the model predicts", "The mean predicted probability of class 1, over all the data."),
        Chart("labels", "Labels in batches", "The share of class 1 in each batch."),
    ),
)
