"""Gradient descent: a ball on curves and surfaces, flat places, basins, and how large a step may be (1.2)."""

from __future__ import annotations

from playground.data.landscapes import curvatures, gradient, rosenbrock
from playground.lesson import LabLesson
from playground.lessons.gradient_descent import (
    basins as gradient_descent_basins,
)
from playground.lessons.gradient_descent import (
    line as gradient_descent_line,
)
from playground.lessons.gradient_descent import (
    rates as gradient_descent_rates,
)
from playground.lessons.gradient_descent import (
    surface as gradient_descent_surface,
)
from playground.lessons.gradient_descent.descent import classify, move, roll_many

LESSON = LabLesson(
    name="gradient_descent",
    title="Gradient descent",
    sentence="A ball rolls down a landscape until the ground is flat. That is how a network learns.",
    labs=(
        gradient_descent_line.LAB,
        gradient_descent_surface.LAB,
        gradient_descent_basins.LAB,
        gradient_descent_rates.LAB,
    ),
    code=(rosenbrock, gradient, move, roll_many, curvatures, classify, gradient_descent_rates.contraction),
)
