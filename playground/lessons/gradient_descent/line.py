"""The lab "One dimension": a ball on a curve, its tangent, and the step that follows from the slope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from playground.data.landscapes import CURVES, Landscape, gradient, heights
from playground.engine.frames import Figure
from playground.knobs import Config, knob
from playground.lesson import Chart, Lab
from playground.lessons.gradient_descent.figures import landscapes as figures
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

POINTS = 401
NAMES = {**{name: each.label for name, each in CURVES.items()}, OWN: OWN_NAME}


@dataclass(frozen=True)
class LineConfig(Config):
    """The curve, the start of the ball, and the learning rate."""

    # fmt: off
    lr: float = knob(0.1, "Learning rate", group="Steps", live=True, bar=True, options=LEARNING_RATES,
                     help="A step goes downhill by the slope times this.")
    x: float = knob(2.5, "Start x", group="Steps", live=True, bar=True, lo=-6.0, hi=6.0, step=0.05,
                    help="Or click on the chart. Values outside the chart are moved to its edge.")
    steps: int = knob(100, "Maximum steps", group="Steps", live=True, lo=5, hi=MAX_STEPS, step=5)
    curve: str = knob("parabola", "Curve", group="Landscape", bar=True, options=tuple(NAMES), names=NAMES)
    formula: str = knob("x**2/4 + cos(2*x)", "Height at x", group="Landscape", max_length=120, shy=True,
                        help="A formula in x with + - * / **, sin, exp, abs, and so on.",
                        applies=lambda config: config.curve == OWN)
    # fmt: on


class LineRun(DescentRun):
    """A ball on a curve."""

    def landscape_for(self, config: LineConfig) -> Landscape:
        """One of the curves, or the visitor's own."""
        landscape = landscape_of(config.curve, config.formula, CURVES, 1)
        self.grid = tuple(each.numpy() for each in heights(landscape, POINTS))
        self.ends = figures.ends_of(self.grid[-1])
        places = torch.from_numpy(self.grid[0]).unsqueeze(dim=1)
        self.slopes = gradient(landscape, places)[1].squeeze(dim=1).numpy()
        return landscape

    def start_of(self, config: LineConfig) -> tuple[float, ...]:
        """Where the ball starts."""
        return (config.x,)

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The curve with the ball, its slope, and the height along the path."""
        walk, log = self.walk(at, options), options.get(LOG.name, LOG.on)
        return {
            "curve": lambda: self._curve(walk),
            "slope": lambda: figures.slope(self.grid[0], self.slopes, walk, self.path.gradients[:, 0].numpy()),
            "height": lambda: figures.along(walk, self.ends, floor=self.landscape.lowest, log=log),
        }

    def _curve(self, walk: Walk) -> Figure:
        slope = self.path.gradients[walk.at].item()
        after = walk.at + 1
        following = None
        if after < len(walk.heights):
            following = (float(walk.positions[after, 0]), float(walk.heights[after]))
        return figures.curve(self.grid[0], self.grid[1], walk, slope, following)


LAB = Lab(
    name="gradient_descent_line",
    title="One dimension",
    sentence="The slope shows which way is down, the learning rate sets how far to go. Click to start somewhere else.",
    config=LineConfig,
    build=LineRun,
    charts=(
        Chart("curve", "Curve and ball", "The curve, the ball on it, its tangent and the places on its path.",
              click="pick", click_turns=("x",), toggles=(AHEAD,)),
        Chart("slope", "Slope", "The slope of the curve at every x, and at the ball’s place: a step is −learning rate "
              "times this. Where it is 0 the ground is flat."),
        Chart("height", "Height", "The height after each step.", strip=True, toggles=(LOG,)),
    ),
    status={"step": "Step", "loss": "Height", "x": "x", "slope": "Gradient", "gradient": "Its length"},
)  # fmt: skip
