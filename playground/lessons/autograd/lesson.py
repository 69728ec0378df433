"""Autograd: the graph behind a computation, and how backward() finds every gradient in it (1.4)."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons.autograd import (
    accumulate as autograd_accumulate,
)
from playground.lessons.autograd import (
    graph as autograd_graph,
)
from playground.lessons.autograd import (
    mistakes as autograd_mistakes,
)
from playground.lessons.autograd import (
    slope as autograd_slope,
)
from playground.lessons.autograd import (
    tutorial as autograd_tutorial,
)
from playground.lessons.autograd.accumulate import call_backward
from playground.lessons.autograd.backward import record, walk
from playground.lessons.autograd.slope import difference, slope_of

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
