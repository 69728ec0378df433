"""Tensors: NumPy's arrays and torch's tensors side by side: what is the same, what differs, and who owns the memory."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons.tensors import (
    broadcasting as tensors_broadcasting,
)
from playground.lessons.tensors import (
    memory as tensors_memory,
)
from playground.lessons.tensors import (
    operations as tensors_operations,
)
from playground.lessons.tensors import (
    speed as tensors_speed,
)
from playground.lessons.tensors import (
    tutorial as tensors_tutorial,
)
from playground.lessons.tensors import (
    views as tensors_views,
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
