"""What the live labs of the lesson Gradient descent share: a ball whose whole path is known, shown step by step."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from playground.data.landscapes import Landscape, own
from playground.knobs import Config
from playground.lessons.gradient_descent.descent import Path, classify, roll
from playground.lessons.gradient_descent.figures.landscapes import Walk
from playground.lessons.regression.config import coordinate
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings

LEARNING_RATES = (
    0.0001, 0.0002, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.12,
    0.15, 0.18, 0.19, 0.2, 0.21, 0.25, 0.3, 0.4, 0.5, 0.7, 0.9, 0.95, 1.0, 1.01, 1.05, 1.2, 1.5, 2.0, 3.0,
)  # fmt: skip
OWN = "own"
MOST_STEPS = 300
SECONDS = 8.0  # that Play takes for a whole path
SLOWEST, FASTEST = 3.0, 30.0  # steps a second

SENTENCES = {
    "start": "The ball lies at {place}, where the gradient is {gradient}. A step moves it by −{lr} times the gradient. "
    "Press Play, or Step.",
    "step": "Step {step}: from {before}, −{lr} × {gradient} leads to {place}. The height is {height}.",
    "higher": "Step {step} leads from {before} to {place}. The ball lies higher than before: the step was too long.",
    "across": "Step {step} leads from {before} to {place}. The slope has changed its sign: a minimum lies between.",
    "steps": "All {step} steps are taken, and the ground is not flat yet: the gradient’s length is {length}.",
    "limit": "It diverges. The learning rate {lr} is above 2 / {curvature} = {limit}, and each step leads further out.",
    "bottomless": "After {step} steps the ball is far out of the picture. This landscape has no bottom: it falls on "
    "for ever.",
    "no_number": "The ball stops at {place}: the formula has no height or no slope there.",
    "thrown": "It diverges: after {step} steps the ball is far out of the picture. From the usual start, {good} is a "
    "good learning rate here.",
    "thrown_own": "After {step} steps the ball is far out of the picture. The learning rate is too large, or the "
    "formula has no bottom.",
    "slope": "The path ends at {place}.",
    "global": "Flat after {step} steps, in a global minimum, at {place}. No place is lower than {lowest}.",
    "local": "Flat after {step} steps, but in a local minimum of height {height}: there is a lower one, of {lowest}.",
    "minimum": "Flat after {step} steps: a minimum, since it curves up every way ({curvatures}). Whether another is "
    "lower, the gradient cannot tell.",
    "saddle": "Flat after {step} steps, and no minimum: it also curves down ({curvatures}). The ball rests on a saddle "
    "point.",
    "maximum": "Flat after {step} steps, on top of a hill: it curves down every way ({curvatures}).",
    "flat": "Flat after {step} steps: the gradient is nearly 0. Whether this is a minimum, the curvature does not say.",
    "flat_known": "Flat after {step} steps, so the ball stops. Yet it is no minimum: there is lower ground elsewhere.",
}


def landscape_of(name: str, formula: str, known: dict[str, Landscape], dims: int) -> Landscape:
    """The landscape of this name, or the visitor's own. Raises ExpressionError with a sentence."""
    return own(formula, dims) if name == OWN else known[name]


def inside(landscape: Landscape, start: tuple[float, ...]) -> tuple[float, ...]:
    """The start, moved to the picture's edge where it lies outside."""
    return tuple(min(max(each, lo), hi) for each, (lo, hi) in zip(start, landscape.spans, strict=True))


def number(value: float) -> str:
    """A number with three digits, and no minus before a zero."""
    return f"{value + 0.0:.3g}"


def place_of(at: Tensor) -> str:
    """A position as text."""
    values = [number(each) for each in at.tolist()]
    return f"x = {values[0]}" if len(values) == 1 else f"({', '.join(values)})"


def gradient_of(slope: Tensor) -> str:
    """A gradient as text."""
    values = [number(each) for each in slope.tolist()]
    return values[0] if len(values) == 1 else f"({', '.join(values)})"


class DescentRun(SteppedRun):
    """A ball on a landscape; turned knobs give it another path, of which it stays at the same step or at the end."""

    def __init__(self, config: Any, settings: Settings) -> None:
        self.landscape = self.landscape_for(config)
        self.clicked: tuple[float, ...] | None = None  # a start by hand, until the knobs give another
        self.path, self.ending = self._roll(config)
        super().__init__(config, settings, max(1, self.path.steps))

    @abstractmethod
    def landscape_for(self, config: Any) -> Landscape:
        """The landscape that the config names."""

    @abstractmethod
    def start_of(self, config: Any) -> tuple[float, ...]:
        """Where the ball starts."""

    @property
    def auto_speed(self) -> float:
        """The whole path in a few seconds, but never too fast to follow."""
        return min(max(self.path.steps / SECONDS, SLOWEST), FASTEST)

    def step(self) -> None:
        """Show the next step; all of them are known."""

    def tune(self, config: Config) -> None:
        """Take another path; at the end of the one before, show all of it."""
        if self.start_of(config) != self.start_of(self.config):
            self.clicked = None
        self.config = config
        self._take(self.steps)

    def edit(self, command: Mapping[str, Any]) -> None:
        """Start where the student has clicked."""
        if command.get("do") != "pick":
            super().edit(command)
            return
        self.clicked = tuple(coordinate(command.get(name)) for name in "xy"[: self.landscape.dims])
        self._viewed = None
        self._take(0)

    def rebuilt(self, config: Any) -> Self:
        """A run from the start, which is where the student has clicked, unless the landscape is another."""
        made = super().rebuilt(config)
        if made.landscape.formula == self.landscape.formula and self.start_of(config) == self.start_of(self.config):
            made.clicked = self.clicked
            made._take(0)
        return made

    def _take(self, step: int) -> None:
        """Roll anew, and stand at this step of the path; at its end, if that is what is shown."""
        self.path, self.ending = self._roll(self.config)
        self.length = max(1, self.path.steps)
        self.steps = self.length if self.outcome == "done" else min(step, self.length)
        self.outcome = "done" if self.steps == self.length else ""

    def status(self, at: int) -> dict[str, float]:
        """Step, height, place and the gradient's length."""
        at = self.shown(at)
        place = dict(zip("xy", self.path.positions[at].tolist(), strict=False))
        numbers = {"loss": self.path.heights[at].item(), **place, "gradient": self.path.gradients[at].norm().item()}
        return {"step": at, **{name: float(f"{value + 0.0:.4g}") for name, value in numbers.items()}}

    def narrate(self, at: int) -> str:
        """The arithmetic of the step that was taken last, or how the path ended."""
        at, path = self.shown(at), self.path
        words = self._words(at)
        if at == path.steps:
            return SENTENCES[self.ending].format(**words)
        if at == 0:
            return SENTENCES["start"].format(**words)
        before, now = path.gradients[at - 1], path.gradients[at]
        words |= {"before": place_of(path.positions[at - 1]), "gradient": gradient_of(before)}
        if path.heights[at] > path.heights[at - 1]:
            return SENTENCES["higher"].format(**words)
        crossed = len(now) == 1 and (before * now).item() < 0
        return SENTENCES["across" if crossed else "step"].format(**words)

    def shown(self, at: int) -> int:
        """The step of the path that belongs to a step of the run; a ball that starts on flat ground has none."""
        return min(at, self.path.steps)

    def walk(self, at: int) -> Walk:
        """The path as figures take it."""
        path, at = self.path, self.shown(at)
        lowest, local = known_minima(self.landscape)
        return Walk(path.positions.numpy(), path.heights.numpy(), at, lowest, local)

    def floor(self) -> float:
        """The lowest height there is, as far as it is known."""
        if self.landscape.lowest is not None:
            return self.landscape.lowest
        return float(self.path.heights.nan_to_num(math.inf, math.inf).min())

    def _roll(self, config: Any) -> tuple[Path, str]:
        """The path, and the name of the sentence that says how it ends."""
        start = inside(self.landscape, self.clicked or self.start_of(config))
        path = roll(self.landscape, start, config.lr, config.steps)
        return path, ending(self.landscape, path, config.lr)

    def _words(self, at: int) -> dict[str, Any]:
        path, landscape, lr = self.path, self.landscape, self.config.lr
        curvature = landscape.largest_curvature or math.inf
        words = {
            "step": at, "place": place_of(path.positions[at]), "gradient": gradient_of(path.gradients[at]), "lr": lr,
            "height": number(path.heights[at].item()), "length": number(path.gradients[at].norm().item()),
            "curvature": number(curvature), "limit": number(2 / curvature), "good": landscape.lr,
            "lowest": number(landscape.lowest or 0.0), "curvatures": "",
        }  # fmt: skip
        if at == path.steps and path.end == "flat":
            found = classify(landscape, path.positions[at].tolist()).curvatures
            words["curvatures"] = ", ".join(map(number, found))
        return words


def ending(landscape: Landscape, path: Path, lr: float) -> str:
    """Which sentence tells how a path ends."""
    is_own = landscape.label == "Your own"
    if path.end == "steps":
        return "steps"
    if path.end == "flat":
        kind = classify(landscape, path.positions[-1].tolist()).kind
        return "flat_known" if kind == "flat" and not is_own else kind
    if not (path.heights[-1].isfinite() and path.gradients[-1].isfinite().all()):
        return "no_number" if is_own else "thrown"
    if landscape.bottomless:
        return "bottomless"
    curvature = landscape.largest_curvature
    if curvature is not None and lr > 2 / curvature:
        return "limit"
    return "thrown_own" if is_own else "thrown"


def known_minima(landscape: Landscape) -> tuple[Any, Any]:
    """The lowest minima and the others, each with its height last (n, dims + 1), lowest first."""
    if not landscape.minima:
        none = np.empty((0, landscape.dims + 1))
        return none, none
    places = torch.tensor(landscape.minima, dtype=torch.float64)
    found = torch.cat([places, landscape.function(places).unsqueeze(1)], dim=1)
    ordered = found[found[:, -1].argsort()].numpy()
    is_lowest = ordered[:, -1] <= ordered[0, -1] + 1e-9
    return ordered[is_lowest], ordered[~is_lowest]
