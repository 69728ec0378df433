"""The lab "Surface": a ball on a surface, drawn from above with levels and at an angle as a relief."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from playground.data.landscapes import SURFACES, Landscape, heights
from playground.engine.frames import Figure
from playground.figures.arrows import Arrow
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab, Toggle
from playground.lessons.gradient_descent.figures import landscapes as figures
from playground.lessons.gradient_descent.figures import relief
from playground.lessons.gradient_descent.figures.landscapes import Walk
from playground.lessons.gradient_descent.run import (
    AHEAD,
    LEARNING_RATES,
    LOG,
    MAX_STEPS,
    OWN,
    OWN_NAME,
    DescentRun,
    landscape_of,
)
from playground.lessons.numbers import number

PIXELS = 150  # of the levels, along a side
MAX_SQUEEZED_POWER = 0.45  # below it the heights of the relief are squeezed, so that the valley is visible
ARROWS = Toggle("arrows", "Vectors of the step", on=True)
GRADIENT, UPDATE = "gradient", "step"
SQUEEZED = "High walls are drawn lower than they are."
NAMES = {**{name: each.label for name, each in SURFACES.items()}, OWN: OWN_NAME}


@dataclass(frozen=True)
class SurfaceConfig(Config):
    """The surface, the start of the ball, the learning rate, and the rotation of the relief."""

    # fmt: off
    lr: float = knob(0.18, "Learning rate", group="Steps", live=True, bar=True, options=LEARNING_RATES,
                     help="A step goes downhill by the gradient times this.")
    x: float = knob(3.5, "Start x", group="Steps", live=True, lo=-6.0, hi=6.0, step=0.05,
                    help="Or click on the levels. Values outside the chart are moved to its edge.")
    y: float = knob(2.0, "Start y", group="Steps", live=True, lo=-6.0, hi=6.0, step=0.05)
    steps: int = knob(100, "Maximum steps", group="Steps", live=True, lo=5, hi=MAX_STEPS, step=5)
    surface: str = knob("ellipse", "Surface", group="Landscape", bar=True, options=tuple(NAMES), names=NAMES)
    formula: str = knob("sin(x) * cos(y) + (x**2 + y**2)/20", "Height at (x, y)", group="Landscape", max_length=120,
                        shy=True, help="A formula in x and y with + - * / **, sin, exp, abs, and so on.",
                        applies=lambda config: config.surface == OWN)
    turn: int = knob(25, "Rotate the relief (degrees)", group="Landscape", live=True, bar=True, lo=-180, hi=180, step=5)
    # fmt: on


class SurfaceRun(DescentRun):
    """A ball on a surface."""

    def landscape_for(self, config: SurfaceConfig) -> Landscape:
        """One of the surfaces, or the visitor's own; its levels are computed once."""
        landscape = landscape_of(config.surface, config.formula, SURFACES, 2)
        z = heights(landscape, PIXELS)[-1].numpy()
        self.ends = figures.ends_of(z)
        power = figures.stretch(z)
        self.power = power if power < MAX_SQUEEZED_POWER else 1.0
        self.levels = figures.level_bytes(z)
        self._relief: tuple[relief.Relief, NDArray[Any]] | None = None
        return landscape

    def start_of(self, config: SurfaceConfig) -> tuple[float, ...]:
        """Where the ball starts."""
        return config.x, config.y

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The levels, the relief, and the height along the path."""
        walk, log = self.walk(at, options), options.get(LOG.name, LOG.on)
        return {
            "levels": lambda: figures.surface(
                self.landscape.spans, self.levels, walk, PIXELS, self.vectors(at) if options.get(ARROWS.name) else ()
            ),
            "relief": lambda: self._scene(walk),
            "height": lambda: figures.along(walk, self.ends, floor=self.landscape.lowest, log=log),
        }

    def vectors(self, at: int) -> list[Arrow]:
        """The gradient at the ball, and the coming step, which is the learning rate times the gradient, downhill."""
        gradient = self.path.gradients[self.shown(at)].numpy()
        return [
            Arrow(GRADIENT, gradient, "@gradient", "dot"),
            Arrow(UPDATE, -self.config.lr * gradient, "@mark", whole=True),
        ]

    def share(self, z: NDArray[Any]) -> NDArray[Any]:
        """Heights as shares of the height of the relief."""
        low, high = self.ends
        return np.asarray(np.clip((z - low) / ((high - low) or 1.0), 0, 1) ** self.power)

    def rendered(self, turn: float) -> tuple[relief.Relief, NDArray[Any]]:
        """The relief at this rotation, and its pixels; kept until it is rotated."""
        if self._relief is None or self._relief[0].turn != turn:
            places = relief.ground(turn)
            z = self.landscape.function(torch.from_numpy(self._on_the_plane(places))).numpy()
            rotated = relief.Relief(turn, places, self.share(z))
            self._relief = rotated, rotated.pixels()
        return self._relief

    def _scene(self, walk: Walk) -> Figure:
        low, high = np.array(self.landscape.spans).T
        places = 2 * (walk.positions - low) / (high - low) - 1
        rotated, pixels = self.rendered(self.config.turn)
        note = SQUEEZED if self.power < 1 else ""
        lowest = self.ends[0] if self.landscape.lowest is None else self.landscape.lowest
        track, ends = (places, self.share(walk.heights)), (number(lowest), number(self.ends[1]))
        return relief.scene(rotated, pixels, walk, track, self.landscape.spans, ends, note)

    def _on_the_plane(self, places: NDArray[Any]) -> NDArray[Any]:
        """Places in the square from -1 to 1, converted to coordinates of the landscape (..., 2)."""
        low, high = np.array(self.landscape.spans).T
        return np.asarray(low + (places + 1) / 2 * (high - low))


LAB = Lab(
    name="gradient_descent_surface",
    title="Surface",
    sentence="With two weights the loss is a surface. Click on its levels to start somewhere else.",
    config=SurfaceConfig,
    build=SurfaceRun,
    charts=(
        Chart("levels", "Levels and path", "The surface from above: higher is darker, lines join equal heights.",
              click="pick", click_turns=("x", "y"), toggles=(AHEAD, ARROWS)),
        Chart("relief", "In three dimensions", "The surface at an angle, with the path of the ball on it."),
        Chart("height", "Height", "The height after each step.", strip=True, toggles=(LOG,)),
    ),
    status={"step": "Step", "loss": "Height", "x": "x", "y": "y", "gradient": "Gradient’s length"},
)  # fmt: skip
