"""The lesson Training loop: the five lines of a step one by one, shapes that must fit, and faults of the loop."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons.training_loop import loop, one_step, paired_shapes, shape_walk
from playground.lessons.training_loop.clinic import labs

LESSON = LabLesson(
    name="training_loop",
    title="Training loop",
    sentence="Five lines make a step. Go through them one by one, and see what each line makes and what it changes.",
    minutes=30,
    labs=(one_step.LAB, shape_walk.LAB, paired_shapes.LAB, *labs.LABS),
    code=(loop.mlp, loop.cnn, loop.Loop.run_line, shape_walk.walk, paired_shapes.train),
)
