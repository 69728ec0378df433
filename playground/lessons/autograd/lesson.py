"""The lesson Autograd: the graph behind a computation, and how backward() finds every gradient in it (1.4)."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons.autograd import accumulate, backward, graph, mistakes, slope, tutorial

LESSON = LabLesson(
    name="autograd",
    title="Autograd",
    sentence="PyTorch records how a number was computed, and goes back the same way to find every gradient.",
    minutes=35,
    labs=(graph.LAB, tutorial.LAB, accumulate.LAB, mistakes.LAB, slope.LAB),
    code=(backward.walk, backward.record, accumulate.call_backward, slope.difference, slope.slope_of),
)
