"""The run of both live labs: a ball on a landscape, whose path is computed at once and shown step by step."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.data.landscapes import OWN_LABEL, Landscape, own_landscape
from playground.knobs import Config
from playground.lesson import Toggle
from playground.lessons.gradient_descent.descent import Path, classify, roll
from playground.lessons.gradient_descent.figures.landscapes import Walk
from playground.lessons.numbers import number
from playground.runs.stepped_run import SteppedRun
from playground.settings import Settings

LEARNING_RATES = (
    0.0001, 0.0002, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.12,
    0.15, 0.18, 0.19, 0.2, 0.21, 0.25, 0.3, 0.4, 0.5, 0.7, 0.9, 0.95, 1.0, 1.01, 1.05, 1.2, 1.5, 2.0, 3.0,
)  # fmt: skip
OWN, OWN_NAME = "own", "Your own formula"
MAX_STEPS = 300
PLAY_SECONDS = 8.0  # for a whole path
MIN_SPEED, MAX_SPEED = 3.0, 30.0  # steps a second

SENTENCES = {
    "start": "The ball is at {place}, where the gradient is {gradient}. A step moves it by −{lr} times the gradient. "
    "Where will it stop? Press Play, or Step.",
    "step": "Step {step}: {from} − {lr} × {gradient} = {to}. The height is now {height}.",
    "higher": "Step {step} goes from {before} to {place}. The ball is higher than before: the step was too large.",
    "across": "Step {step} goes from {before} to {place}. The slope has changed its sign: there is a "
    "minimum in between.",
    "steps": "All {steps} are done, and the ground is not flat yet: the length of the gradient is {length}.",
    "away": "After {steps} the ball is higher than at the start and moves away: the learning rate {lr} is above "
    "2 / {curvature} = {limit}.",
    "climbed": "After {steps} the ball is higher than at the start. The learning rate is too large here.",
    "jumps": "After {steps} the ball still jumps between {before} and {place}.",
    "limit": "It diverges: the learning rate {lr} is above 2 / {curvature} = {limit}, so each step goes further out.",
    "bottomless": "After {steps} the ball is far outside the chart. This landscape has no bottom: it falls without "
    "end.",
    "not_finite": "The ball stops at {place}: the formula has no height or no slope there.",
    "diverged": "It diverges: after {steps} the ball is far outside the chart. From the default start, {good} is a "
    "good learning rate here.",
    "diverged_own": "After {steps} the ball is far outside the chart. The learning rate is too large, or the formula "
    "has no bottom.",
    "slope": "The path ends at {place}.",
    "global": "Flat after {steps}: a global minimum, at {place}. The lowest height is {lowest}.",
    "local": "Flat after {steps}, but only in a local minimum of height {height}. The lowest height is {lowest}.",
    "minimum": "Flat after {steps}: a minimum, since the curvature is positive in every direction ({curvatures}). "
    "There may be a lower one elsewhere.",
    "saddle": "Flat after {steps}, but not in a minimum: one curvature is negative ({curvatures}). This is a saddle "
    "point.",
    "maximum": "Flat after {steps}, on top of a hill: the curvature is negative in every direction ({curvatures}).",
    "flat": "Flat after {steps}: the gradient is nearly 0. The curvature cannot tell whether this is a minimum.",
    "flat_known": "Flat after {steps}, so the ball stops. But it is not in a minimum: there is lower ground elsewhere.",
}
# The path ahead and the minima are the answer, so a viewer who has not switched this on sees them at the end.
AHEAD = Toggle("ahead", "Path ahead")
LOG = Toggle("log", "Log scale")
STEPS = {"one": "1 step", "more": "{count} steps"}
PLACE = "x = {x}"
ROUNDING = 1e-12  # a coordinate or a height closer to 0 is the rounding error of the steps that led there


def landscape_of(name: str, formula: str, known: dict[str, Landscape], dims: int) -> Landscape:
    """The landscape with this name, or the visitor's own. Raises ExpressionError with a sentence."""
    return own_landscape(formula, dims) if name == OWN else known[name]


def inside(landscape: Landscape, start: tuple[float, ...]) -> tuple[float, ...]:
    """The start, moved to the edge of the landscape if it is outside."""
    return tuple(min(max(each, lo), hi) for each, (lo, hi) in zip(start, landscape.spans, strict=True))


def place_of(at: Tensor) -> str:
    """A position as text."""
    text = vector(without_rounding(at))
    return PLACE.format(x=text) if len(at) == 1 else text


def without_rounding(values: Tensor) -> Tensor:
    """The numbers, with 0 for those that are rounding errors."""
    return values.where(~(values.abs() < ROUNDING), 0.0)


def is_higher(height: Tensor, before: Tensor) -> bool:
    """Whether a height is above an earlier one by more than rounding."""
    return bool(height - before > 1e-9 * max(1.0, before.abs().item()))


def vector(values: Tensor, digits: int = 3, *, factor: bool = False) -> str:
    """One number or several as text; as a `factor` of a product, a negative number is in brackets."""
    texts = [number(each, digits) for each in values.tolist()]
    if len(texts) == 1 and not (factor and texts[0].startswith("−")):
        return texts[0]
    return f"({', '.join(texts)})"


def digits_between(before: Tensor, after: Tensor) -> int:
    """The number of digits, at least 3, with which two positions look different; a short step needs more."""
    return next((digits for digits in range(3, 7) if vector(before, digits) != vector(after, digits)), 3)


class DescentRun(SteppedRun):
    """A ball on a landscape; changed knobs give another path.

    The ball stays at the same step, or at the end; another start puts it there, at step 0.
    """

    def __init__(self, config: Any, settings: Settings) -> None:
        self.landscape = self.landscape_for(config)
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
        """The speed that shows the whole path in a few seconds, but is slow enough to follow."""
        return min(max(self.path.steps / PLAY_SECONDS, MIN_SPEED), MAX_SPEED)

    def step(self) -> None:
        """Show the next step; the whole path is known."""

    def tune(self, config: Config) -> None:
        """Use another path. Show the same step of it, its end if the end was shown, or the start if that is another."""
        moved = self.start_of(config) != self.start_of(self.config)
        self.config = config
        self.path, self.ending = self._roll(config)
        self.length = max(1, self.path.steps)
        if moved:
            self.resume()
            return
        self.steps = self.length if self.outcome == "done" else min(self.steps, self.length)
        self.outcome = "done" if self.steps == self.length else ""

    def status(self, at: int) -> dict[str, float]:
        """The step, the height, the place, the length of the gradient, and on a curve its slope, which has a sign."""
        at = self.shown(at)
        position, gradient = without_rounding(self.path.positions[at]), self.path.gradients[at]
        place = dict(zip("xy", position.tolist(), strict=False))
        numbers = {"loss": without_rounding(self.path.heights[at]).item(), **place, "gradient": gradient.norm().item()}
        if len(gradient) == 1:
            numbers["slope"] = gradient.item()
        return {"step": at, **{name: float(f"{value + 0.0:.4g}") for name, value in numbers.items()}}

    def narrate(self, at: int) -> str:
        """The arithmetic of the last step, or how the path ended."""
        at, path = self.shown(at), self.path
        words = self._words(at)
        if at == path.steps:
            return SENTENCES[self.ending].format(**words)
        if at == 0:
            return SENTENCES["start"].format(**words)
        before, now = path.gradients[at - 1], path.gradients[at]
        start, end = (without_rounding(path.positions[each]) for each in (at - 1, at))
        digits = digits_between(start, end)
        words |= {
            "before": place_of(start), "from": vector(start, digits), "to": vector(end, digits),
            "gradient": vector(before, factor=True),
            "height": number(without_rounding(path.heights[at]).item(), digits),
        }  # fmt: skip
        if is_higher(path.heights[at], path.heights[at - 1]):
            return SENTENCES["higher"].format(**words)
        crossed = len(now) == 1 and (before * now).item() < 0
        return SENTENCES["across" if crossed else "step"].format(**words)

    def shown(self, at: int) -> int:
        """The step of the path for a step of the run; the path of a ball that starts on flat ground has no steps."""
        return min(at, self.path.steps)

    def walk(self, at: int, options: Mapping[str, bool]) -> Walk:
        """The path for the figures, at this step.

        What the ball does not know yet, the path ahead and the minima, is part of it once the ball has arrived, or if
        the viewer's switch AHEAD is on.
        """
        path, at = self.path, self.shown(at)
        revealed = self.outcome == "done" or options.get(AHEAD.name, True)
        lowest, local = known_minima(self.landscape) if revealed else known_minima(None)
        return Walk(path.positions.numpy(), path.heights.numpy(), at, lowest, local, revealed)

    def _roll(self, config: Any) -> tuple[Path, str]:
        """The path, and the name of the sentence about its end."""
        start = inside(self.landscape, self.start_of(config))
        path = roll(self.landscape, start, config.lr, config.steps)
        return path, ending_of(self.landscape, path, config.lr)

    def _words(self, at: int) -> dict[str, Any]:
        path, landscape, lr = self.path, self.landscape, self.config.lr
        curvature = landscape.largest_curvature or math.inf
        words = {
            "step": at, "steps": STEPS["one" if at == 1 else "more"].format(count=at),
            "place": place_of(path.positions[at]), "gradient": vector(path.gradients[at]), "lr": number(lr),
            "height": number(without_rounding(path.heights[at]).item()),
            "length": number(path.gradients[at].norm().item()),
            "curvature": number(curvature), "limit": number(2 / curvature), "good": number(landscape.lr),
            "lowest": number(landscape.lowest or 0.0), "curvatures": "", "before": "",
        }  # fmt: skip
        if at:
            words["before"] = place_of(path.positions[at - 1])
        if at == path.steps and path.end == "flat":
            found = classify(landscape, path.positions[at].tolist()).curvatures
            words["curvatures"] = ", ".join(map(number, found))
        return words


def ending_of(landscape: Landscape, path: Path, lr: float) -> str:
    """The name of the sentence about the end of a path."""
    is_own, curvature = landscape.label == OWN_LABEL, landscape.largest_curvature
    if path.end == "steps":
        if _jumps(path):
            return "jumps"
        if not is_higher(path.heights[-1], path.heights[0]):
            return "steps"
        return "away" if curvature is not None and lr > 2 / curvature else "climbed"
    if path.end == "flat":
        kind = classify(landscape, path.positions[-1].tolist()).kind
        return "flat_known" if kind == "flat" and not is_own else kind
    if not (path.heights[-1].isfinite() and path.gradients[-1].isfinite().all()):
        return "not_finite" if is_own else "diverged"
    if landscape.bottomless:
        return "bottomless"
    if curvature is not None and lr > 2 / curvature:
        return "limit"
    return "diverged_own" if is_own else "diverged"


def _jumps(path: Path) -> bool:
    """Whether the ball returns to the same place every second step."""
    last = path.positions[-3:]
    return len(last) == 3 and torch.allclose(last[0], last[2]) and not torch.allclose(last[1], last[2])


def known_minima(landscape: Landscape | None) -> tuple[Any, Any]:
    """The lowest minima and the other ones, lowest first, each with its height in the last column (n, dims + 1)."""
    if landscape is None or not landscape.minima:
        none = np.empty((0, 1 + (landscape.dims if landscape else 2)))
        return none, none
    places = torch.tensor(landscape.minima, dtype=torch.float64)
    found = torch.cat([places, landscape.function(places).unsqueeze(1)], dim=1)
    ordered = found[found[:, -1].argsort()].numpy()
    is_lowest = ordered[:, -1] <= ordered[0, -1] + 1e-9
    return ordered[is_lowest], ordered[~is_lowest]
