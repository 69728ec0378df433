"""500 test images in two dimensions, by what the last layer gets of them: principal components, or t-SNE."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from playground.engine.frames import Figure
from playground.lessons.cnn.figures import digits
from playground.lessons.cnn.frame_context import FrameContext
from playground.lessons.cnn.model import scaled, stages
from playground.lessons.cnn.words import (
    A_DIGIT,
    DIRECTIONS,
    POINT_HOVER,
    TSNE_DIRECTIONS,
    TSNE_FAILED,
    TSNE_OF_STEP,
    TSNE_WAITING,
    TSNE_WORKING,
)

Array = NDArray[Any]
POINTS = 500
BATCH_IMAGES = 100  # small, so that no part of a frame takes long
ITERATIONS = 12  # of the search for the main directions
BLOCKS = " ▀▄█"  # pixels above and below: none, upper, lower, both
TSNE_INPUTS = 30  # main directions that t-SNE starts from


def sample(frame: FrameContext) -> tuple[Tensor, Array, Array]:
    """The test images shown: pixels (n, 1, 28, 28), their labels, their indices in the test set."""
    every = max(1, len(frame.digits.x_test) // POINTS)
    chosen = slice(0, every * POINTS, every)
    number = np.arange(len(frame.digits.x_test))[chosen]
    return frame.digits.x_test[chosen], frame.digits.y_test[chosen].cpu().numpy(), number


@torch.no_grad()
def activations(frame: FrameContext) -> Tensor:
    """The input of the linear layer for each of them: (n, numbers) on the CPU."""
    x, _, _ = sample(frame)
    found = []
    for start in range(0, len(x), BATCH_IMAGES):
        flat = next(
            each for each in stages(frame.view.model, scaled(x[start : start + BATCH_IMAGES])) if each.kind == "flat"
        )
        found.append(flat.output.cpu())
    return torch.cat(found).nan_to_num()


def main_directions(values: Tensor, start: Tensor | None = None, count: int = 2) -> Tensor:
    """The directions (count, numbers) in which values (n, numbers) spread the most.

    By orthogonal iteration (Golub and Van Loan, 8.2), which needs few iterations from the directions of the frame
    before (`start`); a direction keeps its sign from frame to frame.
    """
    centred = values - values.mean(dim=0)
    spare = count + 4  # with more directions, the first ones converge sooner
    if start is None or start.shape != (spare, values.shape[1]):
        start = torch.randn(spare, values.shape[1], generator=torch.Generator().manual_seed(0))
    basis = torch.linalg.qr(start.T).Q  # (numbers, spare)
    for _ in range(ITERATIONS):
        basis = torch.linalg.qr(centred.T @ (centred @ basis)).Q
    inner = basis.T @ (centred.T @ (centred @ basis))  # (spare, spare)
    components = basis @ torch.linalg.eigh(inner).eigenvectors.flip(1)  # the largest first
    signs = torch.where((components * start.T).sum(dim=0) < 0, -1.0, 1.0)
    found: Tensor = (components * signs).T
    return found


@lru_cache(maxsize=1)
def _pictures(images: bytes, count: int) -> list[str]:
    """Each image as lines of text, two rows of pixels in one, to show while the pointer is on its point."""
    dark = np.frombuffer(images, np.uint8).reshape(count, 28, 28) > 90
    kind = dark[:, 0::2] + 2 * dark[:, 1::2]  # (count, 14, 28)
    return ["<br>".join("".join(BLOCKS[each] for each in line) for line in rows) for rows in kind.tolist()]


@dataclass
class Projection:
    """What one run keeps of this chart from frame to frame."""

    directions: Tensor | None = None
    tsne: Tsne | None = None

    @property
    def is_pending(self) -> bool:
        """Whether a t-SNE is being computed."""
        return self.tsne is not None and self.tsne.at is None and not self.tsne.problem


class Tsne:
    """One t-SNE, computed in its own thread; only one is computed at a time on a machine."""

    _turn = threading.Lock()

    def __init__(self, values: Tensor, steps: int) -> None:
        self.steps = steps
        self.at: Array | None = None  # (n, 2)
        self.problem = ""
        self.has_begun = False
        self._dropped = False
        self._values = values.numpy()
        threading.Thread(target=self._work, name="t-SNE", daemon=True).start()

    def drop(self) -> None:
        """Do not start it if it has not started yet."""
        self._dropped = True

    def _work(self) -> None:
        while not self._turn.acquire(timeout=1.0):
            if self._dropped:
                return
        try:
            if not self._dropped:
                self.has_begun = True
                self.at = embed(self._values)
        except Exception as error:  # nobody sees an error that is raised in a thread
            self.problem = TSNE_FAILED.format(error=error)
        finally:
            self._turn.release()


def embed(values: Array) -> Array:
    """t-SNE (van der Maaten and Hinton 2008) of values (n, numbers): (n, 2), between -1 and 1."""
    from sklearn.manifold import TSNE  # here, since the import takes seconds and is seldom needed

    tensor = torch.from_numpy(values)
    few = (tensor - tensor.mean(dim=0)) @ main_directions(tensor, count=TSNE_INPUTS)[:TSNE_INPUTS].T
    at: Array = TSNE(init="pca", random_state=0, n_iter_without_progress=150, n_jobs=1).fit_transform(few.numpy())
    return np.asarray(at / np.abs(at).max(), np.float32)


def plane(frame: FrameContext, memory: Projection, *, tsne: bool) -> Figure:
    """The points along the main directions of the model shown, or as a t-SNE placed them."""
    x, labels, numbers = sample(frame)
    pictures = _pictures(x.cpu().numpy().tobytes(), len(x))
    hovers = [POINT_HOVER.format(picture=picture, number=number, a_digit=A_DIGIT[label])
              for picture, number, label in zip(pictures, numbers, labels, strict=True)]  # fmt: skip
    if tsne:
        if memory.tsne is None:
            memory.tsne = Tsne(activations(frame), frame.view.steps)
        work = memory.tsne
        at = np.full((len(x), 2), np.nan, np.float32) if work.at is None else work.at
        waiting = TSNE_WORKING if work.has_begun else TSNE_WAITING
        note = work.problem or (waiting if work.at is None else TSNE_OF_STEP.format(step=work.steps))
        return digits.plane(at, labels, hovers, span=1.05, titles=TSNE_DIRECTIONS, note=note)
    if memory.tsne is not None:
        memory.tsne.drop()
        memory.tsne = None
    at = projected(frame, memory)
    span = frame.selection.axis_end("plane", float(np.abs(at).max(initial=1e-6)))
    return digits.plane(at, labels, hovers, span=1.05 * span, titles=DIRECTIONS, note="")


def projected(frame: FrameContext, memory: Projection) -> Array:
    """The points along the two main directions: (n, 2)."""
    values = activations(frame)
    memory.directions = main_directions(values, memory.directions)
    at: Array = ((values - values.mean(dim=0)) @ memory.directions[:2].T).numpy()
    return at


def pick(frame: FrameContext, memory: Projection, x: float, y: float) -> None:
    """Select the image whose point is nearest to a place."""
    _, _, numbers = sample(frame)
    found = memory.tsne.at if memory.tsne is not None else projected(frame, memory)
    if found is not None:
        nearest = int(((found - np.array([x, y])) ** 2).sum(axis=1).argmin())
        frame.selection.pick(int(numbers[nearest]))
