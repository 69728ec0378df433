"""The tutorial's epoch as bare as it gets: channels last, all cores, images in memory, and nothing shown.

    python -m tests.benchmarks.bare_cnn [seconds]

Prints the images learned from per second. It needs MNIST (PLAYGROUND_DATA).
"""

from __future__ import annotations

import os
import time

import torch
from torch import nn

from playground import mnist
from tests.benchmarks.turns import obey

BATCH = 50

torch.set_num_threads(os.cpu_count() or 1)
torch.manual_seed(0)
model = nn.Sequential(
    *(nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
    *(nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
    *(nn.Flatten(), nn.Linear(32 * 7 * 7, 10)),
).to(memory_format=torch.channels_last)
x, y, _, _ = mnist.load().tensors()
x = (x.float() / 255).as_strided((len(x), 1, 28, 28), (784, 1, 28, 1))
optimizer, loss_fn = torch.optim.Adam(model.parameters(), lr=0.001), nn.CrossEntropyLoss()
order, place = torch.randperm(len(x)), 0


def images_per_second(seconds: float) -> float:
    """Adam in batches of 50 over the shuffled training images, for this long."""
    global place
    images, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        chosen = order[place : place + BATCH]
        loss = loss_fn(model(x[chosen]), y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        place = (place + BATCH) % len(x)
        images += len(chosen)
    return images / (time.perf_counter() - start)


if __name__ == "__main__":
    obey(images_per_second)
