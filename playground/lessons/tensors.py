"""Tensors: NumPy's arrays and torch's tensors side by side: what is the same, what differs, and who owns the memory."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons import (
    tensors_broadcasting,
    tensors_memory,
    tensors_operations,
    tensors_speed,
    tensors_tutorial,
    tensors_views,
)

LESSON = LabLesson(
    name="tensors",
    title="Tensors",
    sentence="Arrays in NumPy and tensors in torch, side by side: values, types, shapes, memory and speed.",
    labs=(
        tensors_tutorial.LAB,
        tensors_operations.LAB,
        tensors_memory.LAB,
        tensors_broadcasting.LAB,
        tensors_views.LAB,
        tensors_speed.LAB,
    ),
    code=(tensors_tutorial.there_and_back, tensors_tutorial.in_both, tensors_views.places, tensors_speed.measure),
)
