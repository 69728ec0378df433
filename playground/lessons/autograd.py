"""Autograd: the graph behind a computation, and how backward() finds every gradient in it (1.4)."""

from __future__ import annotations

from playground.backward import record, walk
from playground.lesson import LabLesson
from playground.lessons import (
    autograd_accumulate,
    autograd_graph,
    autograd_mistakes,
    autograd_slope,
    autograd_tutorial,
)
from playground.lessons.autograd_accumulate import call_backward
from playground.lessons.autograd_slope import difference, slope_of

LESSON = LabLesson(
    name="autograd",
    title="Autograd",
    sentence="PyTorch remembers how a number was computed, and walks that way back to find every gradient.",
    labs=(
        autograd_graph.LAB,
        autograd_tutorial.LAB,
        autograd_accumulate.LAB,
        autograd_mistakes.LAB,
        autograd_slope.LAB,
    ),
    code=(walk, record, call_backward, difference, slope_of),
)
