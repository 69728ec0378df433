"""The lab "One dimension": a ball on a curve, its tangent, and the step that follows from the slope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from playground.data.landscapes import CURVES, Landscape, heights
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
    lr: float = knob(0.1, "Learning rate", group="Steps", live=True, options=LEARNING_RATES,
                     help="A step goes downhill by the slope times this.")
    x: float = knob(2.5, "Start x", group="Steps", live=True, lo=-6.0, hi=6.0, step=0.05,
                    help="Or click on the chart. Values outside the chart are moved to its edge.")
    steps: int = knob(100, "Maximum steps", group="Steps", live=True, lo=5, hi=MAX_STEPS, step=5)
    curve: str = knob("parabola", "Curve", group="Landscape", options=tuple(NAMES), names=NAMES)
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
        return landscape

    def start_of(self, config: LineConfig) -> tuple[float, ...]:
        """Where the ball starts."""
        return (config.x,)

    def figures(self, at: int, options: Mapping[str, bool]) -> dict[str, Callable[[], Figure]]:
        """The curve with the ball, and the height along the path."""
        walk, log = self.walk(at, options), options.get(LOG.name, LOG.on)
        return {
            "curve": lambda: self._curve(walk),
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
              height="tall", click="pick", click_turns=("x",), toggles=(AHEAD,)),
        Chart("height", "Height", "The height after each step.", height="tall", toggles=(LOG,)),
    ),
    status={"step": "Step", "loss": "Height", "x": "x", "slope": "Gradient", "gradient": "Its length"},
    presets={
        "Parabola": {},
        "Small steps": {"lr": 0.01},
        "From side to side": {"lr": 0.9},
        "Back and forth": {"lr": 1.0},
        "Too large": {"lr": 1.05},
        "The local minimum": {"curve": "valleys", "x": 2.1, "lr": 0.02},
        "The global minimum": {"curve": "valleys", "x": -2.2, "lr": 0.02},
        "Out of the local one": {"curve": "valleys", "x": 2.1, "lr": 0.12},
        "Waves": {"curve": "waves", "x": 5.2, "lr": 0.05},
        "Plateau": {"curve": "plateau", "x": 4.0, "lr": 0.5, "steps": 300},
        "Shelf": {"curve": "shelf", "x": 0.9, "lr": 0.3, "steps": 300},
        "Flat bottom": {"curve": "flat_bottom", "x": 1.3, "lr": 0.1, "steps": 300},
        "Corner": {"curve": "corner", "x": 2.5, "lr": 0.3},
        "Your own": {"curve": OWN, "lr": 0.05},
    },
)  # fmt: skip
