"""The lab Sorted labels: the same training on sorted data, once as it lies and once shuffled (2.4)."""

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

CHANCE = math.log(2)  # the loss of a model that always says one half
BATCH_SIZES = (10, 20, 40, 80, 160)


@dataclass(frozen=True)
class SortedConfig(Config):
    """The data and the training; both runs have the same."""

    # fmt: off
    lr: float = knob(2.0, "Learning rate", live=True, options=(0.03, 0.1, 0.3, 1.0, 2.0, 3.0))
    batch_size: int = knob(10, "Batch size", live=True, options=BATCH_SIZES)
    epochs: int = knob(5, "Epochs", live=True, lo=1, hi=6, step=1)
    samples: int = knob(160, "Samples", help="Half of them of each class; class 0 comes first.", group="Data",
                        live=True, options=(40, 80, 160))
    overlap: float = knob(1.0, "Spread of a class", help="The classes are centred at -1 and 1.", group="Data",
                          live=True, lo=0.2, hi=2.0, step=0.1)
    seed: int = knob(0, "Seed", help="Of the points and of the shuffled order.", group="Data", live=True,
                     lo=0, hi=9999, step=1)
    # fmt: on


@dataclass(frozen=True)
class Trained:
    """What a training showed before the first step and after each (steps + 1,), and what its batches held (steps,)."""

    losses: Tensor  # on all the data
    says: Tensor  # the mean probability it gives class 1, over all the data
    labels: Tensor  # the share of class 1 in the batch


def draw_points(config: SortedConfig) -> tuple[Tensor, Tensor]:
    """Points x and labels y of shape (samples, 1), class 0 first, then class 1."""
    generator = torch.Generator().manual_seed(config.seed)
    y = (torch.arange(config.samples) >= config.samples // 2).float().unsqueeze(1)
    return 2 * y - 1 + config.overlap * torch.randn(y.size(), generator=generator), y


def train(config: SortedConfig, x: Tensor, y: Tensor, *, shuffle: bool) -> Trained:
    """A logistic regression from zero weights, trained on what a DataLoader gives."""
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
    """Both trainings: loss, what the model says, and what the batches hold."""
    x, y = draw_points(config)
    in_order, mixed = train(config, x, y, shuffle=False), train(config, x, y, shuffle=True)
    both = (("In order", "@negative", in_order), ("Shuffled", "@positive", mixed))
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
                lines("losses"), title="Loss on all the data", span=[0, top], epoch=epoch, floor=CHANCE
            ),
            "says": noise.side_by_side(
                lines("says"), title="Mean probability of class 1", span=[0, 1], epoch=epoch, floor=0.5
            ),
            "labels": noise.side_by_side(lines("labels"), title="Class 1 in batch", span=[-0.05, 1.05], epoch=epoch),
        },
        tables=(Table(("Order", "Loss at the end", "Highest in the last epoch", "Lowest in the last epoch"), rows),),
    )


LAB = Lab(
    name="data_loader_sorted",
    title="Sorted labels",
    sentence="The data lies sorted: first all of class 0, then all of class 1. What does shuffle=True change?",
    config=SortedConfig,
    draw=draw,
    charts=(
        Chart(
            "loss", "Loss", "Loss on all the data over steps, in order and shuffled; dotted: always saying one half."
        ),
        Chart("says", "What the model says", "The mean probability it gives class 1, over all the data."),
        Chart("labels", "What the batches hold", "The share of class 1 in each batch.", height="low", width="wide"),
    ),
    presets={
        "Sorted": {},
        "Small steps": {"lr": 0.03},
        "Larger steps": {"lr": 3.0},
        "One batch is all": {"batch_size": 160},
    },
)
