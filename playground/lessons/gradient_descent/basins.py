"""The lab "Basins": thousands of balls from a grid of starts, coloured by the minimum in which they end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.data.landscapes import SURFACES, Landscape, curvatures, heights
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.gradient_descent.descent import MINIMUM_RADIUS, EndPoints, classify, roll, roll_many
from playground.lessons.gradient_descent.figures import basins as figures
from playground.lessons.gradient_descent.figures.landscapes import Walk, level_bytes, surface
from playground.lessons.gradient_descent.run import (
    LEARNING_RATES,
    OWN,
    OWN_NAME,
    inside,
    known_minima,
    landscape_of,
)
from playground.lessons.numbers import number

STARTS, PIXELS = 64, 120  # along an axis
MAX_COLOURS = 4  # of minima; the next colour is for balls that end in no minimum
NOWHERE = MAX_COLOURS
ROUNDING = 1e-6  # of a limit: a rate this close to it counts as the limit itself
MAX_OWN_GOALS = 6  # minima to look for on a visitor's own surface
SIGNS = "●■◆▲✚"
BASIN_SURFACES = {name: each.label for name, each in SURFACES.items() if not each.bottomless}
NAMES = {**BASIN_SURFACES, OWN: OWN_NAME}

SENTENCES = {
    "others": "any other minimum",
    "none": "no minimum: still moving, or diverged",
    "percent": "{share} %",
    "none reach": "**No ball ends in a minimum.** With the learning rate {lr} they jump across the valleys: after "
    "{steps} steps all of them are still moving, or they have diverged. Lower the learning rate.",
    "few steps": "**No ball has reached a minimum after {steps} steps.** Choose more steps or, if the balls hardly "
    "move, a larger learning rate.",
    "none found": "**No ball has come to rest in a minimum after {steps} steps.** Choose more steps or another "
    "learning rate. If the surface has no minimum, no ball can reach one.",
}
LINE, ANSWER = "roll_many(landscape, starts, lr={lr:g}, steps={steps}).flat.sum()", "tensor({count})"
COLUMNS = ("Sign", "Balls end in", "Lowest height there", "Share of the starts")


@dataclass(frozen=True)
class BasinsConfig(Config):
    """The surface, the learning rate and steps of all balls, and the start of the ball whose path is drawn."""

    # fmt: off
    lr: float = knob(0.01, "Learning rate", group="Steps", live=True, bar=True, options=LEARNING_RATES)
    steps: int = knob(100, "Steps", group="Steps", live=True, bar=True, options=(5, 10, 25, 50, 100, 150))
    x: float = knob(-0.5, "One ball’s start x", help="Or click or drag in a chart.", group="One ball",
                    live=True, lo=-6.0, hi=6.0, step=0.05)
    y: float = knob(-1.5, "One ball’s start y", group="One ball", live=True, lo=-6.0, hi=6.0, step=0.05)
    surface: str = knob("himmelblau", "Surface", group="Landscape", live=True, bar=True, options=tuple(NAMES),
                        names=NAMES)
    formula: str = knob("sin(x) * cos(y) + (x**2 + y**2)/20", "Height at (x, y)", group="Landscape", live=True,
                        max_length=120, shy=True,
                        help="A formula in x and y with + - * / **, sin, exp, abs, and so on.",
                        applies=lambda config: config.surface == OWN)
    # fmt: on


def grid_of_starts(landscape: Landscape, side: int) -> Tensor:
    """Starts in the middles of side x side cells of a surface: (side * side, 2), rows of y upwards."""
    middles = (torch.arange(side, dtype=torch.float32) + 0.5) / side
    x, y = (lo + (hi - lo) * middles for lo, hi in landscape.spans)
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([columns.flatten(), rows.flatten()], dim=1)


def goals_of(landscape: Landscape, ends: EndPoints, lr: float) -> Tensor:
    """The minima in which balls may end (goals, 2), lowest first: the known ones, or those found from the ends."""
    if landscape.minima:
        places = torch.tensor(landscape.minima, dtype=torch.float64)
        order = landscape.function(places).round(decimals=6).argsort(stable=True)  # equal minima keep their order
        return places[order].float()
    found: list[list[float]] = []
    left = ends.positions[ends.flat]
    while len(left) and len(found) < MAX_OWN_GOALS:
        lowest = left[landscape.function(left).argmin()]
        minimum = roll(landscape, lowest.tolist(), lr, 60).positions[-1]
        if classify(landscape, minimum.tolist()).kind == "minimum":
            found.append(minimum.tolist())
        left = left[_distance(landscape, left, lowest) > 2 * MINIMUM_RADIUS]
    return torch.tensor(found, dtype=torch.float32).reshape(-1, 2)


def assign(landscape: Landscape, ends: EndPoints, goals: Tensor) -> Tensor:
    """The index of the goal of each ball (balls,); -1 for balls in no goal."""
    reached = torch.full((len(ends.flat),), -1)
    for index, goal in enumerate(goals):
        reached[ends.flat & (_distance(landscape, ends.positions, goal) < MINIMUM_RADIUS)] = index
    return reached


def _distance(landscape: Landscape, at: Tensor, place: Tensor) -> Tensor:
    """The distances of balls (balls, 2) from a place, in widths of the landscape."""
    widths = torch.tensor([hi - lo for lo, hi in landscape.spans])
    return ((at - place).abs() / widths).amax(dim=1)


@lru_cache(maxsize=8)
def _levels(surface: str, formula: str) -> tuple[Landscape, NDArray[Any]]:
    landscape = landscape_of(surface, formula, SURFACES, 2)
    return landscape, level_bytes(heights(landscape, PIXELS)[-1].numpy())


def draw(config: BasinsConfig) -> Sheet:
    """The basins, the surface with the path of one ball, and a table of where the balls end."""
    landscape, levels = _levels(config.surface, config.formula if config.surface == OWN else "")
    ends = roll_many(landscape, grid_of_starts(landscape, STARTS), config.lr, config.steps)
    goals = goals_of(landscape, ends, config.lr)
    reached = assign(landscape, ends, goals)
    kinds = kinds_of(landscape, goals)
    path = roll(landscape, inside(landscape, (config.x, config.y)), config.lr, config.steps)
    positions = path.positions.numpy()
    colours = torch.tensor([*kinds, NOWHERE])[reached].reshape(STARTS, STARTS).numpy()
    pixels = figures.basin_bytes(colours, ends.steps.reshape(STARTS, STARTS).numpy(), config.steps)
    used = [index for index in range(len(goals)) if bool((reached == index).any())]
    shown = [
        figures.Goal(x, y, kinds[index], _place(goals[index]))
        for index, (x, y) in enumerate(goals.tolist())
        if index in used
    ]
    lowest, local = known_minima(landscape)
    walk = Walk(positions, path.heights.numpy(), path.steps, lowest, local)
    return Sheet(
        {
            "basins": figures.basins(
                landscape.spans, pixels, STARTS, shown, (positions[:, 0], positions[:, 1]), names_of(goals, kinds)
            ),
            "levels": surface(landscape.spans, levels, walk, PIXELS),
        },
        "" if bool((reached >= 0).any()) else note_of(landscape, config),
        tables=(table_of(landscape, goals, kinds, reached),),
        line=LINE.format(lr=config.lr, steps=config.steps),
        answer=ANSWER.format(count=int(ends.flat.sum())),
    )


def note_of(landscape: Landscape, config: BasinsConfig) -> str:
    """Why no ball ends in a minimum: a rate too large for all known minima, too few steps, or perhaps no minimum."""
    sharpest = [curvatures(landscape, minimum)[-1] for minimum in landscape.minima]
    too_large = bool(sharpest) and config.lr >= 2 / min(sharpest) * (1 - ROUNDING)
    sentence = SENTENCES["none reach" if too_large else "few steps" if sharpest else "none found"]
    return sentence.format(lr=number(config.lr), steps=config.steps)


def kinds_of(landscape: Landscape, goals: Tensor) -> list[int]:
    """The colour of each goal: its own if there are few goals, or one for the lowest and one for all others."""
    if len(goals) <= MAX_COLOURS:
        return list(range(len(goals)))
    height = landscape.function(goals)
    return [int(each > height[0] + 1e-3) for each in height]


def names_of(goals: Tensor, kinds: Sequence[int]) -> dict[int, str]:
    """What each colour of the map means: a place, several places, or nowhere."""
    names = {
        kind: _place(goal) if kinds.count(kind) == 1 else SENTENCES["others"]
        for kind, goal in zip(kinds, goals, strict=True)
    }
    return names | {NOWHERE: SENTENCES["none"]}


def table_of(landscape: Landscape, goals: Tensor, kinds: Sequence[int], reached: Tensor) -> Table:
    """The share of the balls that end in each goal."""
    rows = []
    names = names_of(goals, kinds)
    for kind in sorted(set(kinds)):
        mine = [index for index, each in enumerate(kinds) if each == kind]
        low = landscape.function(goals[mine]).min().item()
        rows.append(
            (SIGNS[kind], names[kind], number(round(low, 4)), _percent(torch.isin(reached, torch.tensor(mine))))
        )
    rows.append((SIGNS[NOWHERE], SENTENCES["none"], "–", _percent(reached < 0)))
    return Table(COLUMNS, tuple(rows))


def _place(goal: Tensor) -> str:
    x, y = (number(round(each, 3), 4) for each in goal.tolist())
    return f"({x}, {y})"


def _percent(balls: Tensor) -> str:
    return SENTENCES["percent"].format(share=number(round(100 * np.asarray(balls).mean(), 2), 4))


LAB = Lab(
    name="gradient_descent_basins",
    title="Basins",
    sentence="4,096 balls start all over the surface. Each start has the colour of the minimum in which its ball ends.",
    config=BasinsConfig,
    draw=draw,
    charts=(
        Chart("basins", "Where each start leads", "Starts coloured by the minimum in which their balls end; stronger: "
              "after fewer steps. Click or drag to move the start of the one ball.", turns=("x", "y")),
        Chart("levels", "The surface, and one ball", "The levels of the surface and the path of one ball. "
              "Click or drag to move its start.", turns=("x", "y")),
    ),
)  # fmt: skip
