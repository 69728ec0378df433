"""Marks of changes on a loss chart: many are kept, and many do not hide the curve."""

from __future__ import annotations

import numpy as np

from playground.figures.curves import MAX_LINES, loss_curve
from playground.runs.progress import Progress


def test_a_hundred_changes_are_kept_and_only_few_have_lines_over_the_curve() -> None:
    progress = Progress()
    for step in range(60):
        progress.steps = step
        progress.mark(f"Learning rate: {step} → {step + 1}")
    assert len(progress.marks) == 60
    steps = np.arange(60, dtype=np.float32)
    for marks in (progress.marks[:MAX_LINES], progress.marks):
        figure = loss_curve(steps, [("Train", "@train", steps)], peak=60.0, until=60.0, marks=marks)
        assert len(figure["data"][-1]["x"]) == len(marks), "a triangle each"
        assert len(figure["layout"]["shapes"]) == (len(marks) if len(marks) <= MAX_LINES else 0)
