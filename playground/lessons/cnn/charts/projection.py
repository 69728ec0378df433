"""The last layer's view of 500 test images in two dimensions: main directions live, t-SNE when asked for."""

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
from playground.lessons.cnn.model import scaled, stages
from playground.lessons.cnn.predictions import Moment

Array = NDArray[Any]
POINTS = 500
CHUNK = 100  # images at a time, so that no step of drawing takes long
TURNS = 12  # of the search for the main directions
BLOCKS = " ▀▄█"  # pixels above and below: none, upper, lower, both
TSNE_DIRECTIONS = 30  # main directions that t-SNE starts from
BUSY = "Someone else's t-SNE is being worked out on this machine; yours comes next."
WORKING = "t-SNE is being worked out …"


def sample(moment: Moment) -> tuple[Tensor, Array, Array]:
    """The test images shown: pixels (n, 1, 28, 28), their labels, their numbers."""
    every = max(1, len(moment.digits.x_test) // POINTS)
    chosen = slice(0, every * POINTS, every)
    number = np.arange(len(moment.digits.x_test))[chosen]
    return moment.digits.x_test[chosen], moment.digits.y_test[chosen].cpu().numpy(), number


@torch.no_grad()
def activations(moment: Moment) -> Tensor:
    """What the linear layer is given for each of them: (n, numbers) on the CPU."""
    x, _, _ = sample(moment)
    found = []
    for start in range(0, len(x), CHUNK):
        flat = next(each for each in stages(moment.view.model, scaled(x[start : start + CHUNK])) if each.kind == "flat")
        found.append(flat.output.cpu())
    return torch.cat(found).nan_to_num()


def main_directions(values: Tensor, start: Tensor | None = None, count: int = 2) -> Tensor:
    """The directions (count, numbers) in which values (n, numbers) spread the most.

    By orthogonal iteration (Golub and Van Loan, 8.2), which finds directions near the last ones in a few turns; a
    direction keeps its sign from frame to frame.
    """
    centred = values - values.mean(dim=0)
    spare = count + 4  # more directions than are wanted make the wanted ones converge sooner
    if start is None or start.shape != (spare, values.shape[1]):
        start = torch.randn(spare, values.shape[1], generator=torch.Generator().manual_seed(0))
    basis = torch.linalg.qr(start.T).Q  # (numbers, spare)
    for _ in range(TURNS):
        basis = torch.linalg.qr(centred.T @ (centred @ basis)).Q
    inner = basis.T @ (centred.T @ (centred @ basis))  # (spare, spare)
    turned = basis @ torch.linalg.eigh(inner).eigenvectors.flip(1)  # the largest first
    signs = torch.where((turned * start.T).sum(dim=0) < 0, -1.0, 1.0)
    found: Tensor = (turned * signs).T
    return found


@lru_cache(maxsize=1)
def _pictures(images: bytes, count: int) -> list[str]:
    """Each image as lines of text, two rows of pixels in one: what one sees when one points at it."""
    dark = np.frombuffer(images, np.uint8).reshape(count, 28, 28) > 90
    kind = dark[:, 0::2] + 2 * dark[:, 1::2]  # (count, 14, 28)
    return ["<br>".join("".join(BLOCKS[each] for each in line) for line in rows) for rows in kind.tolist()]


@dataclass
class Plane:
    """What one run keeps of its view of the last layer."""

    directions: Tensor | None = None
    tsne: Tsne | None = None

    @property
    def waits(self) -> bool:
        """Whether a t-SNE is on its way."""
        return self.tsne is not None and self.tsne.at is None and not self.tsne.problem


class Tsne:
    """One t-SNE, worked out in a thread of its own; on one machine they come one after the other."""

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
        """Nobody wants it any more: where it has not begun, it will not."""
        self._dropped = True

    def _work(self) -> None:
        while not self._turn.acquire(timeout=1.0):
            if self._dropped:
                return
        try:
            if not self._dropped:
                self.has_begun = True
                self.at = embed(self._values)
        except Exception as error:  # a thread's own errors would be seen by nobody
            self.problem = f"t-SNE did not work: {error}"
        finally:
            self._turn.release()


def embed(values: Array) -> Array:
    """t-SNE (van der Maaten and Hinton 2008) of values (n, numbers): (n, 2), between -1 and 1."""
    from sklearn.manifold import TSNE  # here, since the import takes seconds and few ask for it

    tensor = torch.from_numpy(values)
    few = (tensor - tensor.mean(dim=0)) @ main_directions(tensor, count=TSNE_DIRECTIONS)[:TSNE_DIRECTIONS].T
    at: Array = TSNE(init="pca", random_state=0, n_iter_without_progress=150, n_jobs=1).fit_transform(few.numpy())
    return np.asarray(at / np.abs(at).max(), np.float32)


def plane(moment: Moment, memory: Plane, *, tsne: bool) -> Figure:
    """The points, along the main directions of now, or as a t-SNE placed them."""
    x, labels, numbers = sample(moment)
    pictures = _pictures(x.cpu().numpy().tobytes(), len(x))
    hovers = [f"{picture}<br>test image {number:,}, a {label}"
              for picture, number, label in zip(pictures, numbers, labels, strict=True)]  # fmt: skip
    if tsne:
        if memory.tsne is None:
            memory.tsne = Tsne(activations(moment), moment.view.steps)
        work = memory.tsne
        at = np.full((len(x), 2), np.nan, np.float32) if work.at is None else work.at
        waiting = WORKING if work.has_begun else BUSY
        note = work.problem or (waiting if work.at is None else f"Step {work.steps:,}; switch off and on for now")
        return digits.plane(at, labels, hovers, span=1.05, titles=("t-SNE 1", "t-SNE 2"), note=note)
    if memory.tsne is not None:
        memory.tsne.drop()
        memory.tsne = None
    at = projected(moment, memory)
    span = moment.look.end("plane", float(np.abs(at).max(initial=1e-6)))
    return digits.plane(at, labels, hovers, span=1.05 * span, titles=("First direction", "Second direction"), note="")


def projected(moment: Moment, memory: Plane) -> Array:
    """The points along the two main directions: (n, 2)."""
    values = activations(moment)
    memory.directions = main_directions(values, memory.directions)
    at: Array = ((values - values.mean(dim=0)) @ memory.directions[:2].T).numpy()
    return at


def pick(moment: Moment, memory: Plane, x: float, y: float) -> None:
    """Look at the image whose point is nearest to a place."""
    _, _, numbers = sample(moment)
    found = memory.tsne.at if memory.tsne is not None else projected(moment, memory)
    if found is not None:
        nearest = int(((found - np.array([x, y])) ** 2).sum(axis=1).argmin())
        moment.look.own, moment.look.picked = None, int(numbers[nearest])
