"""The lab "Basins": thousands of balls from a grid of starts, coloured by where they end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.data.landscapes import SURFACES, Landscape, heights
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Sheet, Table
from playground.lessons.gradient_descent.descent import NEAR, Ends, classify, roll, roll_many
from playground.lessons.gradient_descent.figures import basins as figures
from playground.lessons.gradient_descent.figures.landscapes import Walk, level_bytes, surface
from playground.lessons.gradient_descent.run import LEARNING_RATES, OWN, inside, known_minima, landscape_of, number

SIDE, FINE = 64, 120  # starts along an axis; pixels of the levels
MOST_COLOURS = 4  # of goals of their own; the class after them is for balls that end nowhere
NOWHERE = MOST_COLOURS
MOST_OWN = 6  # goals that are looked for on a visitor's own surface
SIGNS = "●■◆▲✚"
SHOWN = {name: each.label for name, each in SURFACES.items() if not each.bottomless}
NAMES = {**SHOWN, OWN: "Your own formula"}


@dataclass(frozen=True)
class BasinsConfig(Config):
    """The surface, the learning rate and steps of all balls, and the start of the one whose path is drawn."""

    # fmt: off
    lr: float = knob(0.01, "Learning rate", group="Steps", live=True, options=LEARNING_RATES)
    steps: int = knob(100, "Steps", group="Steps", live=True, options=(5, 10, 25, 50, 100, 150))
    x: float = knob(-0.5, "One ball’s start x", help="A click or a drag in a chart moves it.", group="One ball",
                    live=True, lo=-6.0, hi=6.0, step=0.05)
    y: float = knob(-1.5, "One ball’s start y", group="One ball", live=True, lo=-6.0, hi=6.0, step=0.05)
    surface: str = knob("himmelblau", "Surface", group="Landscape", live=True, options=tuple(NAMES), names=NAMES)
    formula: str = knob("sin(x) * cos(y) + (x**2 + y**2)/20", "Height at (x, y)", group="Landscape", live=True,
                        max_length=120, shy=True,
                        help="A formula in x and y with + - * / **, sin, exp, abs, and so on.",
                        applies=lambda config: config.surface == OWN)
    # fmt: on


def grid_of_starts(landscape: Landscape, side: int) -> Tensor:
    """Starts all over a surface, in the middles of side x side cells: (side * side, 2), rows of y upwards."""
    middles = (torch.arange(side, dtype=torch.float32) + 0.5) / side
    x, y = (lo + (hi - lo) * middles for lo, hi in landscape.spans)
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([columns.flatten(), rows.flatten()], dim=1)


def goals_of(landscape: Landscape, ends: Ends, lr: float) -> Tensor:
    """The minima that balls may have come to (goals, 2), lowest first: the known ones, or those found."""
    if landscape.minima:
        places = torch.tensor(landscape.minima, dtype=torch.float64)
        order = landscape.function(places).round(decimals=6).argsort(stable=True)  # equal ones keep their colours
        return places[order].float()
    found: list[list[float]] = []
    left = ends.positions[ends.flat]
    while len(left) and len(found) < MOST_OWN:
        lowest = left[landscape.function(left).argmin()]
        settled = roll(landscape, lowest.tolist(), lr, 60).positions[-1]
        if classify(landscape, settled.tolist()).kind == "minimum":
            found.append(settled.tolist())
        left = left[_away(landscape, left, lowest) > 2 * NEAR]
    return torch.tensor(found, dtype=torch.float32).reshape(-1, 2)


def assign(landscape: Landscape, ends: Ends, goals: Tensor) -> Tensor:
    """Which goal each ball has come to (balls,); -1 for those that lie in none."""
    reached = torch.full((len(ends.flat),), -1)
    for index, goal in enumerate(goals):
        reached[ends.flat & (_away(landscape, ends.positions, goal) < NEAR)] = index
    return reached


def _away(landscape: Landscape, at: Tensor, place: Tensor) -> Tensor:
    """How far balls (balls, 2) are from a place, in widths of the picture."""
    widths = torch.tensor([hi - lo for lo, hi in landscape.spans])
    return ((at - place).abs() / widths).amax(dim=1)


@lru_cache(maxsize=8)
def _levels(surface: str, formula: str) -> tuple[Landscape, NDArray[Any]]:
    made = landscape_of(surface, formula, SURFACES, 2)
    return made, level_bytes(heights(made, FINE)[-1].numpy())


def draw(config: BasinsConfig) -> Sheet:
    """The basins, and the levels with one ball's path; a table of where the balls end."""
    landscape, levels = _levels(config.surface, config.formula if config.surface == OWN else "")
    ends = roll_many(landscape, grid_of_starts(landscape, SIDE), config.lr, config.steps)
    goals = goals_of(landscape, ends, config.lr)
    reached = assign(landscape, ends, goals)
    kinds = kinds_of(landscape, goals)
    path = roll(landscape, inside(landscape, (config.x, config.y)), config.lr, config.steps)
    walked = path.positions.numpy()
    colours = torch.tensor([*kinds, NOWHERE])[reached].reshape(SIDE, SIDE).numpy()
    pixels = figures.basin_bytes(colours, ends.steps.reshape(SIDE, SIDE).numpy(), config.steps)
    met = [index for index in range(len(goals)) if bool((reached == index).any())]
    shown = [
        figures.Goal(x, y, kinds[index], _place(goals[index]))
        for index, (x, y) in enumerate(goals.tolist())
        if index in met
    ]
    lowest, local = known_minima(landscape)
    walk = Walk(walked, path.heights.numpy(), path.steps, lowest, local)
    return Sheet(
        {
            "basins": figures.basins(landscape.spans, pixels, SIDE, shown, (walked[:, 0], walked[:, 1])),
            "levels": surface(landscape.spans, levels, walk, FINE),
        },
        tables=(table_of(landscape, goals, kinds, reached),),
    )


def kinds_of(landscape: Landscape, goals: Tensor) -> list[int]:
    """Each goal's colour: one of its own where they are few, else one for the lowest and one for all others."""
    if len(goals) <= MOST_COLOURS:
        return list(range(len(goals)))
    height = landscape.function(goals)
    return [int(each > height[0] + 1e-3) for each in height]


def table_of(landscape: Landscape, goals: Tensor, kinds: Sequence[int], reached: Tensor) -> Table:
    """What share of the balls ends where."""
    rows = []
    for kind in sorted(set(kinds)):
        mine = [index for index, each in enumerate(kinds) if each == kind]
        words = _place(goals[mine[0]]) if len(mine) == 1 else "any other minimum"
        low = landscape.function(goals[mine]).min().item()
        rows.append((SIGNS[kind], words, number(round(low, 4)), _percent(torch.isin(reached, torch.tensor(mine)))))
    rows.append((SIGNS[NOWHERE], "no minimum: still on the way, or thrown out", "–", _percent(reached < 0)))
    return Table(("Sign", "Balls end in", "Lowest height there", "Share of the starts"), tuple(rows))


def _place(goal: Tensor) -> str:
    x, y = (round(each, 3) + 0.0 for each in goal.tolist())
    return f"({x:g}, {y:g})"


def _percent(those: Tensor) -> str:
    return f"{100 * np.asarray(those).mean():.1f} %"


LAB = Lab(
    name="gradient_descent_basins",
    title="Basins",
    sentence="4,096 balls start all over the surface. A start has the colour of the minimum that its ball rolls into.",
    config=BasinsConfig,
    draw=draw,
    charts=(
        Chart("basins", "Where each start leads", "Starts coloured by where their balls end; stronger: sooner there. "
              "A click or a drag moves the start of the one ball.", tall=True, turns=("x", "y")),
        Chart("levels", "The surface, and one ball", "The levels of the surface and the path of one ball. "
              "A click or a drag moves its start.", tall=True, turns=("x", "y")),
    ),
    presets={
        "Himmelblau": {},
        "Large steps": {"lr": 0.02},
        "Too large steps": {"lr": 0.03},
        "After ten steps": {"steps": 10},
        "Local and global": {"surface": "valleys", "lr": 0.05, "x": 1.5, "y": 1.2, "steps": 100},
        "Rastrigin": {"surface": "rastrigin", "lr": 0.002, "x": 2.4, "y": -1.7},
        "Rastrigin, large steps": {"surface": "rastrigin", "lr": 0.01, "x": 2.4, "y": -1.7},
        "Plateau": {"surface": "plateau", "lr": 0.5, "x": 2.8, "y": 1.5, "steps": 100},
        "Your own": {"surface": OWN, "lr": 0.3, "x": 2.0, "y": 2.5},
    },
)  # fmt: skip
