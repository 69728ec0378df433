"""Activations: the functions that bend a network's straight lines, their slopes, and what they do to depth (1.5)."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons.activations.curves import ALL, CURVES
from playground.lessons.activations.depth import DEPTH, there_and_back
from playground.lessons.activations.functions import with_slope
from playground.lessons.activations.precision import PRECISION, naive_softmax, stable_log_sum_exp, stable_softmax
from playground.lessons.activations.softmax import SOFTMAX
from playground.lessons.activations.units import UNITS, descend

LESSON = LabLesson(
    name="activations",
    title="Activations",
    sentence="Bend a straight line: the functions between the layers, their slopes, and what they do to depth.",
    labs=(CURVES, ALL, SOFTMAX, DEPTH, UNITS, PRECISION),
    code=(with_slope, there_and_back, descend, naive_softmax, stable_softmax, stable_log_sum_exp),
)
