"""Measurements of a training on digits: loss and accuracy of its batches, norms of its layers, images per second."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import torch
from torch import Tensor, nn

LAYERS = ("Convolution 1", "Convolution 2", "Convolution 3", "Linear")
MAX_WAITING_BATCHES = 32
THROUGHPUT_SECONDS = 2.0  # the time over which images per second are averaged, about
MAX_STEP_SECONDS = 0.5  # a longer time between two steps is a pause


class TrainingMetrics(nn.Module):
    """Cross-entropy loss that also keeps the mean loss and the accuracy of the batches since the last history row."""

    def __init__(self) -> None:
        super().__init__()
        self.loss_fn = nn.CrossEntropyLoss()
        self._clear()

    def _clear(self) -> None:
        self.batches = self.images = 0
        self.loss = torch.zeros((), dtype=torch.float64)
        self.right = torch.zeros((), dtype=torch.long)
        self.waiting: list[tuple[Tensor, Tensor, Tensor]] = []  # losses, logits and labels not counted yet

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Logits (batch, 10) and labels (batch,) -> a scalar."""
        loss: Tensor = self.loss_fn(logits, target)
        self.add(loss.detach(), logits.detach(), target)
        return loss

    def add(self, loss: Tensor, logits: Tensor, target: Tensor) -> None:
        """Keep a batch's loss, logits and labels, to be counted."""
        self.waiting.append((loss, logits, target))
        if len(self.waiting) == MAX_WAITING_BATCHES:
            self._count()

    def _count(self) -> None:
        """Add the waiting batches to the sums, all at once: one by one this would take longer than the loss itself."""
        if not self.waiting:
            return
        losses, logits, targets = zip(*self.waiting, strict=True)
        labels = torch.cat(targets)
        self.loss = self.loss.to(labels.device) + torch.stack(losses).double().sum()  # float64: in any order
        self.right = self.right.to(labels.device) + (torch.cat(logits).argmax(dim=1) == labels).sum()
        self.batches, self.images = self.batches + len(losses), self.images + len(labels)
        self.waiting.clear()

    @property
    def counted(self) -> int:
        """How many batches there were since the last row."""
        return self.batches + len(self.waiting)

    def row(self) -> dict[str, float]:
        """Mean loss ("train") and accuracy of the batches since the last row; empty if there were none."""
        self._count()
        if not self.batches:
            return {}
        row = {"train": self.loss.item() / self.batches, "accuracy": self.right.item() / self.images}
        self._clear()
        return row

    def state(self) -> list[float]:
        """Batches, images, summed loss and correct predictions since the last row, for a checkpoint."""
        self._count()
        return [self.batches, self.images, self.loss.item(), self.right.item()]

    def load_state(self, batches: int, images: int, loss: float, right: int) -> None:
        """Continue from what `state` returned."""
        self.waiting.clear()
        self.batches, self.images = batches, images
        self.loss, self.right = torch.tensor(loss, dtype=torch.float64), torch.tensor(right)


def layer_norms(model: nn.Sequential, before: Mapping[int, Tensor]) -> dict[str, float]:
    """The Euclidean norms of each layer's gradient and of its update: "gradient Linear", "update Linear", ...

    `before` has each parameter as it was before the update, by its id.
    """
    layers = [module for module in model if isinstance(module, (nn.Conv2d, nn.Linear))]
    names = [*LAYERS[: len(layers) - 1], LAYERS[-1]]
    parts = [
        (name, parameter)
        for name, layer in zip(names, layers, strict=True)
        for parameter in layer.parameters()
        if parameter.grad is not None
    ]
    now = [parameter.detach() for _, parameter in parts]
    updates = torch._foreach_sub(now, [before[id(parameter)] for _, parameter in parts])
    gradients = [parameter.grad for _, parameter in parts if parameter.grad is not None]
    sizes = torch.stack(torch._foreach_norm([*gradients, *updates])).tolist()  # at once: one by one takes far longer
    norms = {f"{kind} {name}": 0.0 for name in names for kind in ("gradient", "update")}
    for at, (name, _) in enumerate(parts):
        for kind, size in (("gradient", sizes[at]), ("update", sizes[len(parts) + at])):
            norms[f"{kind} {name}"] = math.hypot(norms[f"{kind} {name}"], size)
    return norms


class Throughput:
    """How many images per second the model is trained on, while the run plays."""

    def __init__(self) -> None:
        self.images_per_second = 0.0
        self._images = 0
        self._start = self._last = 0.0

    def count(self, images: int) -> None:
        """Add the images of the step that was just taken."""
        now = time.perf_counter()
        if now > self._last + MAX_STEP_SECONDS:
            self._start, self._images = now, 0
        else:
            self._images += images
        self._last, seconds = now, now - self._start
        if seconds > THROUGHPUT_SECONDS / 4:
            self.images_per_second = self._images / seconds
        if seconds > THROUGHPUT_SECONDS:  # drop the first half
            self._start, self._images = now - seconds / 2, self._images // 2
