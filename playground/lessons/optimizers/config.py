"""The parts of the race: its knobs, its entries, its data and the weights that each racer starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from playground.data import datasets
from playground.data.datasets import Split
from playground.data.landscapes import SURFACES
from playground.knobs import Config, knob
from playground.lessons.optimizers import words
from playground.lessons.optimizers.entries import MAX_RACERS, MAX_TEXT_LENGTH, EntryError, calls_in, read_entries
from playground.lessons.optimizers.race import Entry, Race, Racer, SharedBatches
from playground.training import models
from playground.training.optimizers import OPTIMIZERS, SCHEDULES
from playground.training.trainer import Batches

FIRST = ("sgd", "momentum", "rmsprop", "adam", "adagrad")  # the tutorial's four, and what links expect after them
STANDARD: dict[str, str] = {name: OPTIMIZERS[name].short_label for name in dict.fromkeys((*FIRST, *OPTIMIZERS))}
OWN = tuple(f"own_{number}" for number in range(1, MAX_RACERS + 1))
PENS = {name: at for at, name in enumerate((*STANDARD, *OWN))}  # the colour and dash of each, by number
LEARNING_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
BATCH_SIZES = (0, 1, 4, 8, 16, 32, 64, 128, 256)
POINTS = (50, 100, 200, 500, 1000, 2000)
OVER = {"step": "Steps", "epoch": "Epochs", "second": "Seconds"}
PLAN = 1000  # steps of a schedule in a race without a step limit
# Offsets from the seed, so that data, weights and batches have different random numbers.
DATA, WEIGHTS, ORDER = 0, 10_000, 20_000


def _names(choices: Mapping[str, Any]) -> dict[Any, str]:
    return {name: choice.label for name, choice in choices.items()}


SETTING_KNOBS = ("momentum", "alpha", "beta1", "beta2", "rho", "weight_decay")  # of some optimizers


@dataclass(frozen=True)
class OptimizersConfig(Config):
    """The settings of one race. The defaults are those of the tutorial."""

    # fmt: off
    racers: str = knob("sgd,momentum,rmsprop,adam", "Racers", group="Race", many=True, options=tuple(STANDARD),
                       names=STANDARD)
    own: str = knob("", "Own entries", group="Race", max_length=MAX_TEXT_LENGTH,
                    help="Typed as in a script, separated by commas: Adam(lr=0.1), SGD(lr=0.3, momentum=0.5).")
    fair: bool = knob(True, "Same start for all", group="Race",
                      help="Off: each racer draws its own initial weights. The batches are still the same for all.")
    lr: float = knob(0.01, "Learning rate", group="Race", live=True, options=LEARNING_RATES, bar=True,
                     help="For all racers except entries with a rate of their own.")
    schedule: str = knob("constant", "Schedule", group="Race", live=True, options=tuple(SCHEDULES), bar=True,
                         names=_names(SCHEDULES), help="How the learning rate changes over the steps.")
    momentum: float = knob(0.8, "Momentum μ", group="Race", live=True, lo=0.0, hi=0.99, step=0.01, more=True,
                           help="Used by Momentum and Nesterov.")
    alpha: float = knob(0.9, "RMSprop's α", group="Race", live=True, lo=0.0, hi=0.999, step=0.001, more=True)
    beta1: float = knob(0.9, "Adam's β₁", help="Also used by AdamW.", group="Race", live=True, lo=0.0, hi=0.99,
                        step=0.01, more=True)
    beta2: float = knob(0.99, "Adam's β₂", help="Also used by AdamW.", group="Race", live=True, lo=0.0, hi=0.999,
                        step=0.001, more=True)
    rho: float = knob(0.9, "Adadelta's ρ", group="Race", live=True, lo=0.0, hi=0.999, step=0.001, more=True)
    weight_decay: float = knob(0.01, "AdamW's weight decay λ", group="Race", live=True, lo=0.0, hi=1.0, step=0.01,
                               more=True)
    max_steps: int = knob(384, "Stop after (steps)", group="Race", live=True, lo=0, hi=1_000_000, step=32, more=True,
                          help="0 means no limit. 384 steps are 12 epochs of 32 batches.", names={0: "no limit"})
    over: str = knob("step", "Horizontal axis", group="Charts", live=True, options=tuple(OVER), names=OVER,
                     help="Of the loss chart. Seconds: the time that each racer's own steps took.")
    inside: str = knob("adam", "Look inside", group="Charts", live=True, options=(*STANDARD, *OWN),
                       names=STANDARD | {name: f"Own entry {name[4:]}" for name in OWN},
                       help="The racer whose state and next step are shown; the first one if it does not race.")
    parameter: int = knob(0, "Parameter", group="Charts", live=True, lo=0, hi=192, step=1,
                          help="Its next step is written out. All weights and biases are counted from 0.")
    surface: str = knob("valleys", "Surface", group="Charts", live=True, options=tuple(SURFACES),
                        names=_names(SURFACES), help="The function of x and y on which the racers' paths are drawn.")
    surface_lr: float = knob(0.1, "Rate on the surface", group="Charts", live=True, options=LEARNING_RATES,
                             help="A surface has a different scale from the loss, so it needs its own rate.")
    target: str = knob("square", "Target", help="The function behind the points.", group="Data and model",
                       options=tuple(datasets.TARGETS), names=_names(datasets.TARGETS), more=True)
    noise: float = knob(0.2, "Noise", help="A random number between 0 and this is added to each y.",
                        group="Data and model", lo=0.0, hi=1.0, step=0.05, more=True)
    points: int = knob(1000, "Points", group="Data and model", options=POINTS, more=True)
    batch_size: int = knob(32, "Batch size", help="Points per step.", group="Data and model", live=True, bar=True,
                           options=BATCH_SIZES, names={0: "all"})
    hidden: int = knob(20, "Hidden units", group="Data and model", lo=1, hi=64, step=1, more=True)
    activation: str = knob("relu", "Activation", group="Data and model", options=tuple(models.ACTIVATIONS),
                           names=_names(models.ACTIVATIONS), more=True)
    seed: int = knob(1, "Seed", help="The same seed gives the same data, weights and batches.",
                     group="Data and model", lo=0, hi=9999, step=1)
    # fmt: on
    target_loss = 0.0  # steps are the only stop rule

    @property
    def plan(self) -> int:
        """The steps of a schedule before it starts again."""
        return self.max_steps or PLAN


def settings_of(racer: str) -> tuple[str, ...]:
    """The knobs that set a racer of STANDARD, beside the learning rate."""
    decay = ("weight_decay",) if racer == "adamw" else ()
    return tuple(name for name in (*OPTIMIZERS[racer].settings, *decay) if name in SETTING_KNOBS)


def entries(config: OptimizersConfig) -> tuple[list[Entry], str]:
    """Who races, and a sentence if own entries could not be read or there were too many, otherwise ""."""
    found = []
    for name in config.racers.split(","):
        settings = {key: getattr(config, key) for key in settings_of(name)}
        found.append(Entry(name, STANDARD[name], name, config.lr, settings))
    try:
        own = read_entries(config.own, config.lr)
    except EntryError as error:
        return found, str(error)
    every = [*found, *own]
    problem = words.TOO_MANY_RACERS.format(most=MAX_RACERS) if len(every) > MAX_RACERS else ""
    return every[:MAX_RACERS], problem


def list_turns(config: OptimizersConfig) -> dict[str, Any]:
    """What the buttons of the list of racers turn: each a knob and its new value.

    "remove" has one for each racer, None where it is the last of those with a switch; "add" has a label, too; "inside"
    names the racer of each row for the knob of that name.
    """
    racing, found = config.racers.split(","), entries(config)[0]
    calls = calls_in(config.own)
    remove: list[tuple[str, str] | None] = []
    for entry in found:
        others = [name for name in racing if name != entry.name]
        if entry.name in OWN:
            number = OWN.index(entry.name)
            remove.append(("own", ", ".join(call for at, call in enumerate(calls) if at != number)))
        else:
            remove.append(("racers", ",".join(others)) if others else None)
    absent = [name for name in STANDARD if name not in racing]
    add = [(STANDARD[name], "racers", ",".join([*racing, name])) for name in absent] if len(found) < MAX_RACERS else []
    return {"remove": remove, "add": add, "inside": [entry.name for entry in found]}


def generator(config: OptimizersConfig, stream: int) -> torch.Generator:
    """The run's own random numbers, one stream for each use."""
    return torch.Generator().manual_seed(config.seed + stream)


def draw_data(config: OptimizersConfig) -> Split:
    """The training points: y = target(x) + noise."""
    return datasets.curve(config.target, config.points, config.noise, 0.0, generator(config, DATA))


def weights_stream(config: OptimizersConfig, racer: int) -> int:
    """The stream of random numbers of a racer's weights: one for all in a fair race."""
    return WEIGHTS if config.fair else WEIGHTS + 1_000_000 * (1 + racer)


def build_model(config: OptimizersConfig, racer: int) -> nn.Sequential:
    """The tutorial's model, 1-20-1; in an unfair race each racer has weights of its own seed."""
    stream = weights_stream(config, racer)
    return models.mlp(1, [config.hidden], 1, activation=config.activation, generator=generator(config, stream))


def build_race(config: OptimizersConfig, data: Split) -> Race:
    """The racers of a config, each with its own model and optimizer, and the batches that they share."""
    shared = SharedBatches(Batches(data.x_train, data.y_train, config.batch_size, generator(config, ORDER)))
    loss_fn = nn.MSELoss()
    racers = [Racer(entry, build_model(config, at), loss_fn, shared) for at, entry in enumerate(entries(config)[0])]
    return Race(racers, shared, loss_fn)
