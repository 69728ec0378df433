"""The lesson Activations: the nonlinear functions between layers, their slopes, and what they do to depth (1.5)."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons.activations.curves import ALL, CURVES
from playground.lessons.activations.depth import DEPTH, forward_and_backward
from playground.lessons.activations.functions import with_slope
from playground.lessons.activations.precision import PRECISION, naive_softmax, stable_log_sum_exp, stable_softmax
from playground.lessons.activations.softmax import SOFTMAX
from playground.lessons.activations.units import UNITS, train_units

LESSON = LabLesson(
    name="activations",
    title="Activations",
    sentence="The functions that bend a straight line: their curves, their slopes, and what they do to deep models.",
    minutes=20,
    labs=(CURVES, ALL, SOFTMAX, DEPTH, UNITS, PRECISION),
    code=(with_slope, forward_and_backward, train_units, naive_softmax, stable_softmax, stable_log_sum_exp),
)
