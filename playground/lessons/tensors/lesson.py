"""The lesson Tensors: what NumPy's arrays and torch's tensors have in common, where they differ, and shared memory."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons.tensors import broadcasting, memory, operations, speed, tutorial, views

LESSON = LabLesson(
    name="tensors",
    title="Tensors",
    sentence="Arrays in NumPy and tensors in torch, side by side: values, types, shapes, memory and speed.",
    minutes=25,
    labs=(tutorial.LAB, operations.LAB, memory.LAB, broadcasting.LAB, views.LAB, speed.LAB),
    code=(tutorial.convert_both_ways, tutorial.in_both_libraries, views.memory_positions, speed.measure),
)
