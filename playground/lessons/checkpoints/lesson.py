"""Save and restore: a net and its state_dict, what is inside, what does not fit, and how to resume (tutorial 2.3)."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons.checkpoints import (
    inside as checkpoints_inside,
)
from playground.lessons.checkpoints import (
    mismatch as checkpoints_mismatch,
)
from playground.lessons.checkpoints import (
    pickles as checkpoints_pickle,
)
from playground.lessons.checkpoints import (
    resume as checkpoints_resume,
)
from playground.lessons.checkpoints import (
    ways as checkpoints_ways,
)

LESSON = LabLesson(
    name="checkpoints",
    title="Save and restore",
    sentence="A trained model is worth keeping: what to save, what is in the file, and how to go on from it.",
    labs=(
        checkpoints_ways.LAB,
        checkpoints_inside.LAB,
        checkpoints_mismatch.LAB,
        checkpoints_resume.LAB,
        checkpoints_pickle.LAB,
    ),
    code=(
        *checkpoints_ways.CODE,
        checkpoints_resume.resume_weights,
        checkpoints_resume.resume_optimizer,
        checkpoints_resume.resume_all,
        checkpoints_pickle.words_of,
    ),
)
