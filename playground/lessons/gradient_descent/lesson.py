"""The lesson Gradient descent: a ball on curves and surfaces, flat places, basins, and the largest rate (1.2)."""

from __future__ import annotations

from playground.data.landscapes import curvatures, gradient, rosenbrock
from playground.lesson import LabLesson
from playground.lessons.gradient_descent import basins, line, rates, surface
from playground.lessons.gradient_descent.descent import classify, descent_step, roll_many

LESSON = LabLesson(
    name="gradient_descent",
    title="Gradient descent",
    sentence="A ball rolls down a landscape until the ground is flat. That is how a model learns.",
    minutes=40,
    labs=(line.LAB, surface.LAB, basins.LAB, rates.LAB),
    code=(rosenbrock, gradient, descent_step, roll_many, curvatures, classify, rates.contraction),
)
