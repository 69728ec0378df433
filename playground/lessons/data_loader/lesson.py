"""The lesson Data loader: batches, shuffling, worker processes, and how the batch size changes a gradient (2.4)."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons.data_loader import batches, noise, sorted_labels, timeline
from playground.lessons.data_loader.timed_dataset import TimedItems, build_loader, build_sampler, read

LESSON = LabLesson(
    name="data_loader",
    title="Data loader",
    sentence="Cut the data into batches, shuffle them in each epoch, and let worker processes fetch them.",
    minutes=25,
    labs=(batches.LAB, timeline.LAB, noise.LAB, sorted_labels.LAB),
    code=(
        build_loader,
        build_sampler,
        TimedItems.__getitem__,
        read,
        batches.printed,
        noise.batch_gradients,
        sorted_labels.train,
    ),
)
