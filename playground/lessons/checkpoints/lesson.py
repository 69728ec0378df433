"""The lesson Save and restore: state_dicts, what they contain, what does not fit, how to resume (tutorial 2.3)."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons.checkpoints import inside, mismatch, pickles, resume, ways

LESSON = LabLesson(
    name="checkpoints",
    title="Save and restore",
    sentence="A trained model is worth keeping: what to save, what is in the file, and how to continue from it.",
    minutes=15,
    labs=(
        ways.LAB,
        inside.LAB,
        mismatch.LAB,
        resume.LAB,
        pickles.LAB,
    ),
    code=(
        *ways.CODE,
        resume.resume_weights,
        resume.resume_optimizer,
        resume.resume_all,
        pickles.opcodes,
    ),
)
