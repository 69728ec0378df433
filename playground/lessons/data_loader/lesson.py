"""Data loader: batches, shuffling, worker processes, and what a batch's size does to a gradient (2.4)."""

from __future__ import annotations

from playground.lesson import LabLesson
from playground.lessons.data_loader import (
    batches as data_loader_batches,
)
from playground.lessons.data_loader import (
    noise as data_loader_noise,
)
from playground.lessons.data_loader import (
    sorted_labels as data_loader_sorted,
)
from playground.lessons.data_loader import (
    timeline as data_loader_timeline,
)
from playground.lessons.data_loader.timed_dataset import TimedItems, build_loader, build_sampler, read

LESSON = LabLesson(
    name="data_loader",
    title="Data loader",
    sentence="Cut the data into batches, mix them anew each epoch, and let worker processes fetch them.",
    labs=(data_loader_batches.LAB, data_loader_timeline.LAB, data_loader_noise.LAB, data_loader_sorted.LAB),
    code=(
        build_loader,
        build_sampler,
        TimedItems.__getitem__,
        read,
        data_loader_batches.printed,
        data_loader_noise.batch_gradients,
        data_loader_sorted.train,
    ),
)
